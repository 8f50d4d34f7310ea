/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM npu

#if !defined(NPU_TRACE_MOVE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NPU_TRACE_MOVE_H

#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

TRACE_EVENT(npu_move,
	    TP_PROTO(struct drm_gem_object *obj, bool in),
	    TP_ARGS(obj, in),
	    TP_STRUCT__entry(__string(device, dev_name(obj->dev->dev))
			     __field(u64, offset)
			     __field(u64, size)
			     __field(bool, in)
	    ),
	    TP_fast_assign(__assign_str(device);
			   __entry->offset =
				drm_vma_node_offset_addr(&obj->vma_node);
			   __entry->size = obj->size;
			   __entry->in = in;
	    ),
	    TP_printk("%s: buffer %#llx of %llu bytes to %s",
		      __get_str(device), __entry->offset, __entry->size,
		      __entry->in ? "on-chip memory" : "system memory")
);

#endif /* NPU_TRACE_MOVE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE npu_trace_move
#include <trace/define_trace.h>
