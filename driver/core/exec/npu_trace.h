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
#include "npu_job.h"

/*
 * Called when a slice has ended; its job is the head of @ctx. Times are the device's,
 * see npu_now(). A label comes last, as it may have any character but control ones.
 */
TRACE_EVENT(npu_slice,
	    TP_PROTO(const struct npu_core *core, const struct npu_context *ctx,
		     const struct npu_job *job, const struct npu_hw_result *result,
		     u64 device_ns, u64 ended_ns),
	    TP_ARGS(core, ctx, job, result, device_ns, ended_ns),
	    TP_STRUCT__entry(__string(device, dev_name(core->npu->drm.dev))
			     __field(u64, client)
			     __field(u64, context)
			     __field(u64, seqno)
			     __field(u64, started_ns)
			     __field(u64, ended_ns)
			     __field(u64, device_ns)
			     __field(u64, read_bytes)
			     __field(u64, written_bytes)
			     __field(u64, sram_bytes)
			     __field(u64, start_ns)
			     __field(u64, memory_ns)
			     __field(u64, sram_ns)
			     __field(u32, core)
			     __field(u32, lane)
			     __field(u32, first)
			     __field(u32, tasks)
			     __field(int, error)
			     __string(label, job->label)
	    ),
	    TP_fast_assign(__assign_str(device);
			   __entry->client = ctx->client->id;
			   __entry->context = ctx->fence_context;
			   __entry->seqno = ctx->completed + 1;
			   __entry->started_ns = core->started;
			   __entry->ended_ns = ended_ns;
			   __entry->device_ns = device_ns;
			   __entry->read_bytes = result->read_bytes;
			   __entry->written_bytes = result->written_bytes;
			   __entry->sram_bytes = result->sram_bytes;
			   __entry->start_ns = result->start_ns;
			   __entry->memory_ns = result->memory_ns;
			   __entry->sram_ns = result->sram_ns;
			   __entry->core = core->index;
			   __entry->lane = core->lane;
			   __entry->first = core->first;
			   __entry->tasks = core->tasks;
			   __entry->error = result->error;
			   __assign_str(label);
	    ),
	    TP_printk("%s: core=%u client=%llu context=%llu seqno=%llu lane=%u first=%u tasks=%u started=%llu ended=%llu device_ns=%llu error=%d read=%llu written=%llu sram=%llu start_ns=%llu memory_ns=%llu sram_ns=%llu label=%s",
		      __get_str(device), __entry->core, __entry->client,
		      __entry->context, __entry->seqno, __entry->lane,
		      __entry->first, __entry->tasks, __entry->started_ns,
		      __entry->ended_ns, __entry->device_ns, __entry->error,
		      __entry->read_bytes, __entry->written_bytes,
		      __entry->sram_bytes, __entry->start_ns,
		      __entry->memory_ns, __entry->sram_ns, __get_str(label))
);

/* Called when a job has ended, before others see that. */
TRACE_EVENT(npu_job,
	    TP_PROTO(const struct npu_context *ctx, u64 seqno,
		     const struct npu_slot *slot),
	    TP_ARGS(ctx, seqno, slot),
	    TP_STRUCT__entry(__string(device, dev_name(ctx->npu->drm.dev))
			     __field(u64, client)
			     __field(u64, context)
			     __field(u64, seqno)
			     __field(u64, queued_ns)
			     __field(u64, started_ns)
			     __field(u64, ended_ns)
			     __field(u64, deadline_ns)
			     __field(u64, device_ns)
			     __field(u64, macs)
			     __field(u32, lanes)
			     __field(u32, tasks)
			     __field(u32, sched_class)
			     __field(int, error)
			     __field(pid_t, pid)
			     __string(label, slot->job->label)
	    ),
	    TP_fast_assign(__assign_str(device);
			   __entry->client = ctx->client->id;
			   __entry->context = ctx->fence_context;
			   __entry->seqno = seqno;
			   __entry->queued_ns = slot->queued_ns;
			   __entry->started_ns = slot->started_ns;
			   __entry->ended_ns = slot->ended_ns;
			   __entry->deadline_ns = slot->deadline_ns;
			   __entry->device_ns = slot->device_ns;
			   __entry->macs = slot->macs;
			   __entry->lanes = slot->job->lane_count;
			   __entry->tasks = slot->job->task_count;
			   __entry->sched_class = ctx->stats.sched_class;
			   __entry->error = slot->error;
			   __entry->pid = ctx->pid;
			   __assign_str(label);
	    ),
	    TP_printk("%s: pid=%d client=%llu context=%llu seqno=%llu class=%u lanes=%u tasks=%u queued=%llu started=%llu ended=%llu deadline=%llu device_ns=%llu macs=%llu error=%d label=%s",
		      __get_str(device), __entry->pid, __entry->client,
		      __entry->context, __entry->seqno, __entry->sched_class,
		      __entry->lanes, __entry->tasks, __entry->queued_ns,
		      __entry->started_ns, __entry->ended_ns,
		      __entry->deadline_ns, __entry->device_ns, __entry->macs,
		      __entry->error, __get_str(label))
);

#endif /* NPU_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE npu_trace
#include <trace/define_trace.h>
