// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that wait for jobs.
 *
 * Each slot has a list of those that wait for its job, so that the end of a job
 * concerns no others. The interrupt wakes a few of them, and the thread that signals
 * fences the rest before it counts the job as signalled. So the slot is not reused
 * before all have a copy.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../include/npu_device.h"
#include "npu_exec.h"
#include "npu_waiter.h"

/**
 * npu_waiters_wake() - wake a few threads that wait for a job
 * @ctx: the context
 * @slot: the job's slot; it has ended
 *
 * Return: whether there are more.
 */
bool npu_waiters_wake(struct npu_context *ctx, struct npu_slot *slot)
{
	u32 left = NPU_WAITER_WAKES;
	struct npu_waiter *waiter;

	lockdep_assert_held(&ctx->npu->exec->lock);
	while (left-- && !list_empty(&slot->waiters)) {
		waiter = list_first_entry(&slot->waiters, struct npu_waiter, link);
		list_del(&waiter->link);
		waiter->slot = *slot;
		WRITE_ONCE(waiter->ended, true);
		/* The waiter takes the lock before it returns. */
		wake_up_process(waiter->task);
	}
	return !list_empty(&slot->waiters);
}

/**
 * npu_waiter_begin() - look at a job, and if it has not ended, begin to wait for it
 * @waiter: the waiter
 * @ctx: the context, which the caller keeps
 * @seqno: the job, which has a slot
 *
 * Return: whether it has begun; npu_waiter_end() is to be called then.
 */
bool npu_waiter_begin(struct npu_waiter *waiter, struct npu_context *ctx,
		      u64 seqno)
{
	struct npu_slot *slot = npu_context_slot(ctx, seqno);

	lockdep_assert_held(&ctx->npu->exec->lock);
	waiter->task = current;
	waiter->ctx = ctx;
	waiter->seqno = seqno;
	waiter->ended = seqno <= ctx->completed;
	waiter->slot = *slot;
	if (waiter->ended)
		return false;
	list_add_tail(&waiter->link, &slot->waiters);
	return true;
}

/**
 * npu_waiter_end() - wait until the job has ended
 * @waiter: the waiter; its slot is up to date afterwards
 * @deadline_ns: until when to wait
 *
 * Return: 0, -ETIME or -ERESTARTSYS.
 */
int npu_waiter_end(struct npu_waiter *waiter, s64 deadline_ns)
{
	ktime_t deadline = ns_to_ktime(max(deadline_ns, 0));
	struct npu_context *ctx = waiter->ctx;
	int ret;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		ret = 0;
		if (READ_ONCE(waiter->ended))
			break;
		ret = -ERESTARTSYS;
		if (signal_pending(current))
			break;
		ret = -ETIME;
		if (!ktime_after(deadline, ktime_get()) ||
		    !schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS))
			break;
	}
	__set_current_state(TASK_RUNNING);

	spin_lock_irq(&ctx->npu->exec->lock);
	if (waiter->ended) {
		ret = 0;
	} else {
		list_del(&waiter->link);
		waiter->slot = *npu_context_slot(ctx, waiter->seqno);
	}
	spin_unlock_irq(&ctx->npu->exec->lock);
	return ret;
}
