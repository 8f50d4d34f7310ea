/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts: ordered queues. */
#ifndef NPU_CONTEXT_H
#define NPU_CONTEXT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/wait.h>

#include "../include/npu_hw.h"
#include "../sched/npu_sched.h"
#include "npu_accel.h"

struct npu_client;
struct npu_device;
struct npu_file;
struct npu_job;
struct npu_submit;
struct npu_vm;
struct page;

/**
 * struct npu_head_lane - a lane of the head
 */
struct npu_head_lane {
	/** @next: Tasks that have ended. */
	u32 next;
	/** @device_ns: Device time so far. */
	u64 device_ns;
};

/**
 * struct npu_fault - where a job went wrong, as JOB_WAIT and dumps tell it
 */
struct npu_fault {
	/** @flags: %DRM_NPU_JOB_FAULT_TASK and %DRM_NPU_JOB_FAULT_ADDRESS. */
	u32 flags;
	/** @lane: The lane. */
	u32 lane;
	/** @task: The task, or the first of those of which it was one. */
	u32 task;
	/** @task_count: Number of those tasks. */
	u32 task_count;
	/** @addr: The address. */
	u64 addr;
};

/**
 * struct npu_counters - what the slices of a job have done, as JOB_WAIT tells it
 */
struct npu_counters {
	/** @read_bytes: Bytes read; 0 if not counted, as all of these. */
	u64 read_bytes;
	/** @written_bytes: Bytes written. */
	u64 written_bytes;
	/** @sram_bytes: Bytes of both that were on the chip. */
	u64 sram_bytes;
	/** @start_ns: Device time for start-up and drain of tasks. */
	u64 start_ns;
	/** @memory_ns: Device time of waits for system memory. */
	u64 memory_ns;
	/** @sram_ns: Device time of waits for on-chip memory. */
	u64 sram_ns;
	/** @core_mask: Cores that were started for them. */
	u32 core_mask;
};

/**
 * struct npu_slot - a job in a queue
 *
 * Times and error stay after the job is retired, until the slot is used again.
 */
struct npu_slot {
	/** @job: The job, referenced until it is retired. */
	struct npu_job *job;
	/** @submit: Syncs of the submit it came with, referenced, or %NULL. */
	struct npu_submit *submit;
	/** @last: Last of its submit. */
	bool last;
	/** @begun: A core has taken a lane of it. */
	bool begun;
	/** @guilty: A lane of it has hung or faulted. */
	bool guilty;
	/** @error: First error, 0 or a negative errno; no lane is started then. */
	int error;
	/** @device_ns: Time of the longest lane. */
	u64 device_ns;
	/** @macs: Multiply-accumulates, see &npu_job.macs. */
	u64 macs;
	/** @counters: What its slices have done so far. */
	struct npu_counters counters;
	/** @queued_ns: When it was submitted. */
	u64 queued_ns;
	/** @deadline_ns: When it should have ended, or 0. */
	u64 deadline_ns;
	/** @started_ns: When its first lane was started, or 0. */
	u64 started_ns;
	/** @ended_ns: When it ended, or 0. */
	u64 ended_ns;
	/** @fault: Where it went wrong first. */
	struct npu_fault fault;
	/** @waiters: Threads that wait for it, by &npu_waiter.link. */
	struct list_head waiters;
};

/**
 * struct npu_context - a queue
 *
 * Sequence numbers count jobs from 1. Job s is in slots[s % slot_count] from its
 * submit until it is retired: retired <= signalled <= completed <= submitted.
 */
struct npu_context {
	/** @ref: References: the id, and one while any job is not retired. */
	refcount_t ref;
	/** @npu: The device. */
	struct npu_device *npu;
	/** @client: Its client, referenced. */
	struct npu_client *client;
	/** @vm: Address space of its client, which keeps it. */
	struct npu_vm *vm;
	/** @core_mask: Cores it may use. */
	u32 core_mask;
	/** @max_queued: Jobs that may be unfinished. */
	u32 max_queued;
	/**
	 * @slot_count: Number of slots, a power of two; more, for retiring lags
	 * behind.
	 */
	u32 slot_count;
	/** @fence_context: Timeline of its fences. */
	u64 fence_context;
	/** @pid: Process that created it. */
	pid_t pid;
	/** @limited: It and its jobs count for its user. */
	bool limited;
	/** @page: The page that clients map. */
	struct page *page;
	/** @room: Waits for jobs to be retired. */
	wait_queue_head_t room;

	/* The rest is protected by npu_exec.lock. */

	/** @link: In &npu_exec.contexts. */
	struct list_head link;
	/** @client_link: In &npu_client.contexts. */
	struct list_head client_link;
	/** @killed: Its id is gone; no job of it is started any more. */
	bool killed;
	/** @lanes: Progress of the head. */
	struct npu_head_lane lanes[NPU_MAX_CORES];
	/** @todo: Its lanes that have not ended and that no core has. */
	u32 todo;
	/** @running: Its lanes that a core has. */
	u32 running;
	/** @entity: Its entity of the scheduler; ready if lanes could start. */
	struct npu_entity entity;
	/** @again: The thread of &npu_exec.signal is to look at the head. */
	bool again;
	/** @signal_link: In &npu_exec.signal. */
	struct list_head signal_link;
	/** @retire_link: In &npu_exec.retire. */
	struct list_head retire_link;
	/** @submitted: Newest job. */
	u64 submitted;
	/** @completed: All jobs up to this one have ended. */
	u64 completed;
	/** @signalled: All jobs up to this one have signalled their fences. */
	u64 signalled;
	/** @retired: All jobs up to this one have let go of their references. */
	u64 retired;
	/** @stats: What QUERY reports, but for the sequence numbers above. */
	struct drm_npu_query_context stats;
	/** @slots: The queue. */
	struct npu_slot slots[] __counted_by(slot_count);
};

static inline struct npu_slot *npu_context_slot(struct npu_context *ctx,
						u64 seqno)
{
	return &ctx->slots[seqno & (ctx->slot_count - 1)];
}

struct npu_context *npu_context_get(struct npu_context *ctx);
void npu_context_put(struct npu_context *ctx);
struct npu_context *npu_context_next(struct npu_client *client,
				     struct npu_context *previous);
struct npu_context *npu_context_create(struct npu_file *nfile, u32 core_mask,
				       u32 max_queued, u32 sched_class,
				       u32 weight);
void npu_context_change(struct npu_context *ctx, u32 sched_class, u32 weight,
			bool privileged, u64 now);
u32 npu_context_class(struct npu_context *ctx, u64 now);

u64 npu_compat_failed(struct npu_file *nfile, u32 *error);

#endif /* NPU_CONTEXT_H */
