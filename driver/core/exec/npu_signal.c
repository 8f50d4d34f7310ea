// SPDX-License-Identifier: GPL-2.0-only
/*
 * After the end of a job, a thread wakes its waiters and signals its fence, then a
 * work item drops its references. Both go through the jobs of a context in order.
 *
 * The two are apart because dropping references may take locks under which memory
 * is allocated, which is forbidden in the fence signalling path.
 */
#include <linux/dma-fence.h>
#include <linux/sched.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "../mem/npu_user.h"
#include "../mem/npu_vm.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_job.h"
#include "npu_submit.h"
#include "npu_waiter.h"

/**
 * npu_signal_context() - jobs of a context have ended
 * @ctx: the context; npu_signal_kick() is to follow
 */
void npu_signal_context(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;

	lockdep_assert_held(&npu->exec->lock);
	if (list_empty(&ctx->signal_link))
		list_add_tail(&ctx->signal_link, &npu->exec->signal);
}

/**
 * npu_signal_kick() - have jobs that have ended signalled and retired
 * @npu: the device
 */
void npu_signal_kick(struct npu_device *npu)
{
	struct npu_exec *exec = npu->exec;

	lockdep_assert_held(&exec->lock);
	if (!list_empty(&exec->signal))
		kthread_queue_work(exec->signaller, &exec->signal_work);
}

/* Go on with npu_head_advance() for @ctx. Returns whether jobs have ended. */
static bool npu_context_go_on(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	u64 now;

	lockdep_assert_held(&npu->exec->lock);
	if (ctx->again) {
		ctx->again = false;
		now = npu_now(npu);
		npu_head_advance(ctx, now);
		npu_dispatch_run(npu, now);
	}
	if (ctx->signalled < ctx->completed)
		return true;
	if (ctx->again)
		list_move_tail(&ctx->signal_link, &npu->exec->signal);
	else
		list_del_init(&ctx->signal_link);
	return false;
}

/* Signal the oldest ended job of @ctx, which may be gone afterwards. */
static void npu_context_signal_one(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	struct npu_slot *slot;
	int error = 0;
	bool more;

	spin_lock_irq(&npu->exec->lock);
	if (!npu_context_go_on(ctx)) {
		spin_unlock_irq(&npu->exec->lock);
		return;
	}
	/* The slot is this thread's until it is counted as signalled. */
	slot = npu_context_slot(ctx, ctx->signalled + 1);
	if (npu_waiters_wake(ctx, slot)) {
		list_move_tail(&ctx->signal_link, &npu->exec->signal);
		spin_unlock_irq(&npu->exec->lock);
		return;
	}
	if (slot->submit)
		error = slot->submit->out_error;
	spin_unlock_irq(&npu->exec->lock);

	if (slot->submit && slot->last) {
		if (error)
			dma_fence_set_error(&slot->submit->fence, error);
		dma_fence_signal(&slot->submit->fence);
	}

	spin_lock_irq(&npu->exec->lock);
	ctx->signalled++;
	more = ctx->signalled < ctx->completed || ctx->again;
	/* One job at a time, so that no context starves the others. */
	if (more)
		list_move_tail(&ctx->signal_link, &npu->exec->signal);
	else
		list_del_init(&ctx->signal_link);
	if (list_empty(&ctx->retire_link))
		list_add_tail(&ctx->retire_link, &npu->exec->retire);
	spin_unlock_irq(&npu->exec->lock);
}

static void npu_signal_all(struct kthread_work *work)
{
	struct npu_exec *exec = container_of(work, struct npu_exec, signal_work);
	bool cookie = dma_fence_begin_signalling();
	struct npu_context *ctx;

	for (;;) {
		spin_lock_irq(&exec->lock);
		ctx = list_first_entry_or_null(&exec->signal, struct npu_context,
					       signal_link);
		spin_unlock_irq(&exec->lock);
		if (!ctx)
			break;
		npu_context_signal_one(ctx);
		queue_work(exec->retirer, &exec->retire_work);
		cond_resched();
	}
	dma_fence_end_signalling(cookie);
}

/* Retire the oldest signalled job of @ctx, which may be gone afterwards. */
static void npu_context_retire_one(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	struct npu_submit *submit;
	struct npu_slot *slot;
	struct npu_job *job;
	bool more, last, wake;

	spin_lock_irq(&npu->exec->lock);
	slot = npu_context_slot(ctx, ctx->retired + 1);
	submit = slot->submit;
	last = slot->last;
	job = slot->job;
	spin_unlock_irq(&npu->exec->lock);

	if (submit && last)
		npu_submit_forget(submit);
	if (submit)
		npu_submit_put(submit);
	/* None if npu_context_retire_now() has dropped it. */
	if (job)
		npu_job_put(job);

	spin_lock_irq(&npu->exec->lock);
	ctx->retired++;
	more = ctx->retired < ctx->signalled;
	last = ctx->retired == ctx->submitted;
	if (more)
		list_move_tail(&ctx->retire_link, &npu->exec->retire);
	else
		list_del_init(&ctx->retire_link);
	/* A waiter checks for room under the lock, after it has queued itself. */
	wake = waitqueue_active(&ctx->room);
	/* This one, too. */
	wake |= waitqueue_active(&ctx->vm->user->room);
	if (wake)
		npu_context_get(ctx);
	spin_unlock_irq(&npu->exec->lock);

	/* Not under the lock: there may be many waiters. */
	if (wake) {
		wake_up_all(&ctx->room);
		wake_up_all(&ctx->vm->user->room);
		npu_context_put(ctx);
	}
	if (last)
		npu_context_put(ctx);
}

static void npu_retire_all(struct work_struct *work)
{
	struct npu_exec *exec = container_of(work, struct npu_exec, retire_work);
	struct npu_context *ctx;

	for (;;) {
		spin_lock_irq(&exec->lock);
		ctx = list_first_entry_or_null(&exec->retire, struct npu_context,
					       retire_link);
		spin_unlock_irq(&exec->lock);
		if (!ctx)
			break;
		npu_context_retire_one(ctx);
		cond_resched();
	}
}

/**
 * npu_signal_flush() - wait until all that has ended is retired
 * @npu: the device
 */
void npu_signal_flush(struct npu_device *npu)
{
	kthread_flush_worker(npu->exec->signaller);
	flush_work(&npu->exec->retire_work);
}

/**
 * npu_signal_fini() - end thread and work item; there is nothing to signal
 * @npu: the device
 */
void npu_signal_fini(struct npu_device *npu)
{
	if (npu->exec->signaller)
		kthread_destroy_worker(npu->exec->signaller);
	npu->exec->signaller = NULL;
	if (npu->exec->retirer)
		destroy_workqueue(npu->exec->retirer);
	npu->exec->retirer = NULL;
}

/**
 * npu_signal_init() - prepare thread and work item
 * @npu: the device
 *
 * Return: 0, or a negative errno; npu_signal_fini() is to be called anyway.
 */
int npu_signal_init(struct npu_device *npu)
{
	struct kthread_worker *worker;

	INIT_LIST_HEAD(&npu->exec->signal);
	INIT_LIST_HEAD(&npu->exec->retire);
	kthread_init_work(&npu->exec->signal_work, npu_signal_all);
	INIT_WORK(&npu->exec->retire_work, npu_retire_all);

	npu->exec->retirer = alloc_workqueue("npu-retire", WQ_UNBOUND, 1);
	if (!npu->exec->retirer)
		return -ENOMEM;
	worker = kthread_run_worker(0, "npu-signal");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	npu->exec->signaller = worker;
	return 0;
}
