/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM npu

#if !defined(NPU_TRACE_MOVE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NPU_TRACE_MOVE_H

#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_gem.h>

/* Called when a buffer has moved; times are those of CLOCK_MONOTONIC. */
TRACE_EVENT(npu_move,
	    TP_PROTO(struct drm_gem_object *obj, bool in, u64 started_ns,
		     u64 ended_ns),
	    TP_ARGS(obj, in, started_ns, ended_ns),
	    TP_STRUCT__entry(__string(device, dev_name(obj->dev->dev))
			     __field(u64, offset)
			     __field(u64, size)
			     __field(u64, started_ns)
			     __field(u64, ended_ns)
			     __field(bool, in)
	    ),
	    TP_fast_assign(__assign_str(device);
			   __entry->offset =
				drm_vma_node_offset_addr(&obj->vma_node);
			   __entry->size = obj->size;
			   __entry->started_ns = started_ns;
			   __entry->ended_ns = ended_ns;
			   __entry->in = in;
	    ),
	    TP_printk("%s: buffer=%llu bytes=%llu to=%s started=%llu ended=%llu",
		      __get_str(device), __entry->offset, __entry->size,
		      __entry->in ? "chip" : "system", __entry->started_ns,
		      __entry->ended_ns)
);

#endif /* NPU_TRACE_MOVE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE npu_trace_move
#include <trace/define_trace.h>
