/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that wait for jobs. */
#ifndef NPU_WAITER_H
#define NPU_WAITER_H

#include <linux/list.h>
#include <linux/types.h>

#include "npu_context.h"

struct task_struct;

/* Waiters that are woken at a time with interrupts off. */
#define NPU_WAITER_WAKES	4u

/**
 * struct npu_waiter - a thread that waits for a job
 */
struct npu_waiter {
	/** @link: In &npu_slot.waiters, until the job has ended. */
	struct list_head link;
	/** @task: The thread. */
	struct task_struct *task;
	/** @ctx: The context, referenced. */
	struct npu_context *ctx;
	/** @seqno: The job. */
	u64 seqno;
	/** @ended: It has ended. */
	bool ended;
	/** @slot: Copy of its slot, which another job may soon reuse. */
	struct npu_slot slot;
};

bool npu_waiter_begin(struct npu_waiter *waiter, struct npu_context *ctx,
		      u64 seqno);
int npu_waiter_end(struct npu_waiter *waiter, s64 deadline_ns);
bool npu_waiters_wake(struct npu_context *ctx, struct npu_slot *slot);

#endif /* NPU_WAITER_H */
