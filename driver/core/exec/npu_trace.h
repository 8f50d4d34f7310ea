/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM npu

#if !defined(NPU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NPU_TRACE_H

#include <linux/tracepoint.h>

#include "../include/npu_device.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_exec.h"

/* Called when it has ended; times are the device's. */
TRACE_EVENT(npu_slice,
	    TP_PROTO(const struct npu_core *core, const struct npu_context *ctx,
		     u64 device_ns, u64 ended_ns),
	    TP_ARGS(core, ctx, device_ns, ended_ns),
	    TP_STRUCT__entry(__string(device, dev_name(core->npu->drm.dev))
			     __field(u64, client)
			     __field(u64, context)
			     __field(u64, seqno)
			     __field(u64, started_ns)
			     __field(u64, ended_ns)
			     __field(u64, device_ns)
			     __field(u32, core)
			     __field(u32, lane)
			     __field(u32, first)
			     __field(u32, tasks)
	    ),
	    TP_fast_assign(__assign_str(device);
			   __entry->client = ctx->client->id;
			   __entry->context = ctx->fence_context;
			   __entry->seqno = ctx->completed + 1;
			   __entry->started_ns = core->started;
			   __entry->ended_ns = ended_ns;
			   __entry->device_ns = device_ns;
			   __entry->core = core->index;
			   __entry->lane = core->lane;
			   __entry->first = core->first;
			   __entry->tasks = core->tasks;
	    ),
	    TP_printk("%s: core=%u client=%llu context=%llu seqno=%llu lane=%u first=%u tasks=%u started=%llu ended=%llu device_ns=%llu",
		      __get_str(device), __entry->core, __entry->client,
		      __entry->context, __entry->seqno, __entry->lane,
		      __entry->first, __entry->tasks, __entry->started_ns,
		      __entry->ended_ns, __entry->device_ns)
);

#endif /* NPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE npu_trace
#include <trace/define_trace.h>
