// SPDX-License-Identifier: GPL-2.0-only
/* Operations of clients on the queue of a context. */
#include <linux/dma-fence.h>
#include <linux/sched.h>

#include "../mem/npu_user.h"
#include "../mem/npu_vm.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_hold.h"
#include "npu_job.h"
#include "npu_submit.h"

/* Why @ctx cannot take @count more jobs, or 0. */
static int npu_context_full(const struct npu_context *ctx, u32 count)
{
	if (ctx->npu->exec->dead)
		return -ENODEV;
	if (ctx->killed)
		return -ENOENT;
	if (ctx->client->banned)
		return -EIO;
	if (ctx->submitted - ctx->completed + count > ctx->max_queued)
		return -EBUSY;
	if (ctx->submitted - ctx->retired + count > ctx->slot_count)
		return -EAGAIN;
	return 0;
}

/**
 * npu_queue_jobs() - queue jobs behind all that a context has
 * @ctx: the context
 * @request: the jobs, whose references are taken over; its submit gets a reference
 * for the caller and one a job
 * @seqno: receives the sequence number of the last job
 *
 * Return: 0; or, with nothing changed, -ENODEV, -ENOENT (the context is being
 * destroyed), -EIO (it is banned), -E2BIG, -EBUSY, -ESTALE (a buffer has become
 * shared), -EDQUOT (its user has too many jobs, see npu_queue_wait_user()), or
 * -EAGAIN: there is room, but jobs that have ended are still to be retired, see
 * npu_queue_wait_room().
 */
int npu_queue_jobs(struct npu_context *ctx,
		   const struct npu_request *request, u64 *seqno)
{
	struct npu_submit *submit = request->submit;
	struct npu_device *npu = ctx->npu;
	u32 count = request->count;
	unsigned long flags;
	u64 now;
	int ret;
	u32 i;

	if (count > ctx->max_queued)
		return -E2BIG;

	spin_lock_irqsave(&npu->exec->lock, flags);
	/* Under the lock, so that times of jobs never decrease. */
	now = npu_now(npu);
	ret = npu_context_full(ctx, count);
	if (!ret && npu_vm_shares(ctx->vm) != request->shares)
		ret = -ESTALE;
	if (!ret && ctx->limited &&
	    !npu_user_charge(ctx->vm->user, NPU_USER_JOBS, count,
			     npu_exec_user_jobs()))
		ret = -EDQUOT;
	if (ret)
		goto out_unlock;

	/* One reference for all jobs in the queue. */
	if (ctx->submitted == ctx->retired)
		npu_context_get(ctx);
	if (submit)
		npu_submit_init_fence(submit, ctx->submitted + count);
	for (i = 0; i < count; i++) {
		struct npu_slot *slot = npu_context_slot(ctx, ++ctx->submitted);

		*slot = (struct npu_slot) {
			.job = request->jobs[i],
			.submit = submit,
			.last = i + 1 == count,
			.macs = request->jobs[i]->macs,
			.queued_ns = now,
			.deadline_ns = request->deadline_ns,
			.waiters = LIST_HEAD_INIT(slot->waiters),
		};
		if (submit)
			dma_fence_get(&submit->fence);
	}
	*seqno = ctx->submitted;
	npu->exec->activity.queued_jobs += count;
	if (submit)
		atomic_dec(&submit->pending);
	npu_head_advance(ctx, now);
	npu_dispatch_run(npu, now);
out_unlock:
	spin_unlock_irqrestore(&npu->exec->lock, flags);
	return ret;
}

/**
 * npu_queue_wait_room() - wait until a context may have room
 * @ctx: the context
 * @count: for that many jobs
 * @ended: also for jobs to end; else only for ended ones to be retired
 *
 * Return: 0, or -ERESTARTSYS if the caller is killed.
 */
int npu_queue_wait_room(struct npu_context *ctx, u32 count, bool ended)
{
	struct npu_device *npu = ctx->npu;
	int full;

	return wait_event_killable(ctx->room, ({
		spin_lock_irq(&npu->exec->lock);
		full = npu_context_full(ctx, count);
		spin_unlock_irq(&npu->exec->lock);
		full != -EAGAIN && !(ended && full == -EBUSY);
	}));
}

/* Has the user of @ctx room for a job? */
static bool npu_queue_user_room(struct npu_context *ctx)
{
	struct npu_user *user = ctx->vm->user;
	struct npu_exec *exec = ctx->npu->exec;
	bool room;

	/* Jobs end under the lock, and look for waiters there. */
	spin_lock_irq(&exec->lock);
	room = exec->dead || npu_user_charge(user, NPU_USER_JOBS, 1,
					     npu_exec_user_jobs());
	if (room && !exec->dead)
		npu_user_uncharge(user, NPU_USER_JOBS, 1);
	spin_unlock_irq(&exec->lock);
	return room;
}

/**
 * npu_queue_wait_user() - wait until the user of a context may have room for a job
 * @ctx: the context
 *
 * Return: 0, or -ERESTARTSYS if the caller is killed.
 */
int npu_queue_wait_user(struct npu_context *ctx)
{
	return wait_event_killable(ctx->vm->user->room, npu_queue_user_room(ctx));
}

/**
 * npu_queue_wake() - the in-fences of a submit have signalled
 * @ctx: the context
 */
void npu_queue_wake(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&npu->exec->lock, flags);
	now = npu_now(npu);
	npu_head_advance(ctx, now);
	npu_dispatch_run(npu, now);
	spin_unlock_irqrestore(&npu->exec->lock, flags);
}

/*
 * Have the jobs from @first to @last end with -ECANCELED. Returns their number.
 *
 * Slices that run are left to end: to reset a core costs other clients more than
 * the rest of a slice, and would make its time free. A slice that does not end is
 * for the watchdog. See npu_core_cancel() for slices without a limit.
 */
static u32 npu_context_cancel(struct npu_context *ctx, u64 first, u64 last,
			      u64 now)
{
	struct npu_device *npu = ctx->npu;
	u64 head = ctx->completed + 1, seqno;
	unsigned int i;

	lockdep_assert_held(&npu->exec->lock);
	first = max(first, head);
	if (first > last)
		return 0;
	for (seqno = first; seqno <= last; seqno++) {
		struct npu_slot *slot = npu_context_slot(ctx, seqno);

		if (!slot->error)
			slot->error = -ECANCELED;
	}
	if (first == head) {
		npu_entity_unready(&ctx->entity, now);
		for (i = 0; i < npu->core_count; i++)
			if (npu->exec->cores[i].ctx == ctx)
				npu_hold_let_go(&npu->exec->cores[i], now);
		/* Some of them may have ended thereby. */
		for (i = 0; i < npu->core_count; i++)
			if (npu->exec->cores[i].ctx == ctx)
				npu_core_cancel(&npu->exec->cores[i]);
	}
	npu_head_advance(ctx, now);
	return last - first + 1;
}

/**
 * npu_queue_cancel() - cancel jobs
 * @ctx: the context
 * @first: the first
 * @last: the last
 * @count: receives how many of them had not ended
 *
 * Return: 0, or -ENOENT if @last was not submitted yet.
 */
int npu_queue_cancel(struct npu_context *ctx, u64 first, u64 last,
		     u32 *count)
{
	struct npu_device *npu = ctx->npu;
	int ret = -ENOENT;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	if (last <= ctx->submitted) {
		*count = npu_context_cancel(ctx, first, last, now);
		npu_dispatch_run(npu, now);
		ret = 0;
	}
	spin_unlock_irq(&npu->exec->lock);
	return ret;
}

/**
 * npu_queue_hasten() - jobs of a submit are to end earlier than they were
 * @submit: the submit, whose fence has not signalled
 * @deadline_ns: until when, not 0; jobs that have an earlier deadline keep it
 *
 * What precedes them in their queue has the deadlines that it was submitted with.
 */
void npu_queue_hasten(struct npu_submit *submit, u64 deadline_ns)
{
	struct npu_context *ctx = submit->ctx;
	struct npu_device *npu = ctx->npu;
	struct npu_slot *slot;
	unsigned long flags;
	u64 seqno, now;

	spin_lock_irqsave(&npu->exec->lock, flags);
	for (seqno = submit->fence.seqno; seqno > ctx->completed; seqno--) {
		slot = npu_context_slot(ctx, seqno);
		if (slot->submit != submit)
			break;
		if (slot->deadline_ns && slot->deadline_ns <= deadline_ns)
			continue;
		slot->deadline_ns = deadline_ns;
		if (seqno != ctx->completed + 1)
			continue;
		now = npu_now(npu);
		npu_entity_hasten(&ctx->entity, deadline_ns, now);
		npu_dispatch_run(npu, now);
	}
	spin_unlock_irqrestore(&npu->exec->lock, flags);
}

/**
 * npu_queue_kill() - cancel all of a context that has not started
 * @ctx: the context
 * @running: also jobs that have started
 */
void npu_queue_kill(struct npu_context *ctx, bool running)
{
	struct npu_device *npu = ctx->npu;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	ctx->killed = true;
	if (running)
		npu_context_cancel(ctx, 1, ctx->submitted, now);
	npu_head_advance(ctx, now);
	npu_dispatch_run(npu, now);
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_queue_change() - give a context other hints
 * @ctx: the context
 * @sched_class: a &enum drm_npu_class, or %NULL to leave it
 * @weight: its weight, or %NULL to leave it
 * @privileged: no limits
 */
void npu_queue_change(struct npu_context *ctx, const u32 *sched_class,
		      const u32 *weight, bool privileged)
{
	struct npu_device *npu = ctx->npu;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	npu_context_change(ctx, sched_class ? *sched_class : ctx->stats.sched_class,
			   weight ? *weight : ctx->stats.weight, privileged, now);
	npu_dispatch_run(npu, now);
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_queue_tail() - the fence of the newest job of a context
 * @ctx: the context
 * @submit: an empty submit, whose fence becomes the job's if it has none yet
 *
 * Return: the fence, referenced, or %NULL if all jobs have ended. If it is not
 * that of @submit, @submit is still the caller's.
 */
struct dma_fence *npu_queue_tail(struct npu_context *ctx,
				 struct npu_submit *submit)
{
	struct npu_device *npu = ctx->npu;
	struct dma_fence *fence = NULL;
	struct npu_slot *slot;

	spin_lock_irq(&npu->exec->lock);
	if (ctx->completed == ctx->submitted)
		goto out_unlock;
	/* The newest job is the last of its submit. */
	slot = npu_context_slot(ctx, ctx->submitted);
	if (!slot->submit) {
		npu_submit_init_fence(submit, ctx->submitted);
		atomic_set(&submit->pending, 0);
		/* The reference that is there is the queue's. */
		slot->submit = submit;
	}
	fence = dma_fence_get(&slot->submit->fence);
out_unlock:
	spin_unlock_irq(&npu->exec->lock);
	return fence;
}

/**
 * npu_queue_last_use() - the newest unfinished job that uses a buffer
 * @ctx: the context
 * @mapping: the buffer
 * @writes: look only for jobs that write to it
 *
 * Return: its sequence number, or 0.
 */
u64 npu_queue_last_use(struct npu_context *ctx,
		       const struct npu_mapping *mapping, bool writes)
{
	struct npu_device *npu = ctx->npu;
	u64 seqno;

	spin_lock_irq(&npu->exec->lock);
	for (seqno = ctx->submitted; seqno > ctx->completed; seqno--)
		if (npu_job_uses(npu_context_slot(ctx, seqno)->job, mapping,
				 writes))
			break;
	if (seqno == ctx->completed)
		seqno = 0;
	spin_unlock_irq(&npu->exec->lock);
	return seqno;
}
