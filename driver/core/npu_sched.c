// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: dispatcher
 *
 * A context's head is its oldest job that has not ended. A context is *ready*
 * while its head has in-fences signalled and lanes that no core has. An idle
 * core takes the next lane of the first ready context that may use it, so the
 * lanes of a job and the jobs of different contexts run side by side while the
 * jobs of one context stay in order.
 *
 * A core that has the right address space is started where the news arrives: in
 * the ioctl, in the interrupt that ends a lane, in the callback of a fence. Only
 * attaching another address space and resetting need the core's thread.
 *
 * Jobs that have ended are signalled by a thread of the device, in order, and
 * retired by a work item. Retiring drops references and so may take locks under
 * which others allocate memory, which the thread that signals must not.
 *
 * drm_sched is not used: its two work items a job cost more than a small matrix
 * multiplication takes, and it knows neither lanes nor submits of many jobs.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include <drm/drm_print.h>

#include "npu_context.h"
#include "npu_device.h"
#include "npu_job.h"
#include "npu_sched.h"
#include "npu_submit.h"
#include "npu_vm.h"

static void npu_core_kick(struct npu_core *core);

static struct npu_slot *npu_context_head(struct npu_context *ctx)
{
	lockdep_assert_held(&ctx->npu->sched_lock);
	return npu_context_slot(ctx, ctx->completed + 1);
}

/* Have signalled what has ended. */
static void npu_context_to_signal(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;

	lockdep_assert_held(&npu->sched_lock);
	if (list_empty(&ctx->signal_link))
		list_add_tail(&ctx->signal_link, &npu->signal);
	kthread_queue_work(npu->signaller, &npu->signal_work);
}

/* The error that keeps the head from running, or 0. */
static int npu_head_refused(struct npu_context *ctx, struct npu_slot *head)
{
	if (ctx->npu->dead)
		return -ENODEV;
	if (ctx->killed)
		return -ECANCELED;
	return head->submit ? READ_ONCE(head->submit->in_error) : 0;
}

/* The head has ended: account for it. */
static void npu_context_complete(struct npu_context *ctx)
{
	struct npu_slot *head = npu_context_head(ctx);
	struct drm_npu_query_context *stats = &ctx->stats;

	ctx->completed++;
	stats->device_ns += head->device_ns;
	if (!head->error)
		return;
	stats->failed_jobs++;
	stats->failed_seqno = ctx->completed;
	stats->failed_errno = -head->error;
	if (head->submit && !head->submit->out_error)
		head->submit->out_error = head->error;
}

/* Find out what the head can do: end at once, wait, or become ready. */
static void npu_context_advance(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	struct npu_slot *head;
	bool waiting;
	int error;

	lockdep_assert_held(&npu->sched_lock);
	while (ctx->completed < ctx->submitted) {
		head = npu_context_head(ctx);
		/* Once started it ends by itself, unless the device is gone. */
		if (head->lanes_started > head->lanes_ended ||
		    (head->lanes_started && !npu->dead))
			break;
		/* First, for the error is set before the count is dropped. */
		waiting = head->submit &&
			  atomic_read_acquire(&head->submit->pending);
		error = npu_head_refused(ctx, head);
		if (!error) {
			if (!waiting && list_empty(&ctx->ready_link))
				list_add_tail(&ctx->ready_link, &npu->ready);
			break;
		}
		list_del_init(&ctx->ready_link);
		head->error = error;
		npu_context_complete(ctx);
	}
	if (ctx->signalled < ctx->completed)
		npu_context_to_signal(ctx);
}

static void npu_core_take(struct npu_core *core, struct npu_context *ctx)
{
	struct npu_slot *head = npu_context_head(ctx);

	lockdep_assert_held(&ctx->npu->sched_lock);
	core->ctx = ctx;
	core->error = 0;
	core->lane = head->lanes_started++;
	if (head->lanes_started == head->job->lane_count)
		list_del_init(&ctx->ready_link);

	if (core->attached == ctx->vm) {
		npu_core_kick(core);
	} else {
		core->state = NPU_CORE_ATTACHING;
		kthread_queue_work(core->worker, &core->work);
	}
}

/* Give work to every idle core that there is work for. */
static void npu_sched_run(struct npu_device *npu)
{
	struct npu_context *ctx;
	unsigned int i;

	lockdep_assert_held(&npu->sched_lock);
	if (npu->dead)
		return;
	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->cores[i];

		if (core->state != NPU_CORE_IDLE)
			continue;
		list_for_each_entry(ctx, &npu->ready, ready_link) {
			if (ctx->core_mask & BIT(i)) {
				npu_core_take(core, ctx);
				break;
			}
		}
	}
}

static void npu_core_kick(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_job *job = npu_context_head(core->ctx)->job;
	const struct npu_job_lane *job_lane = &job->lanes[core->lane];
	struct npu_hw_lane lane = {
		.stream = job_lane->stream,
		.stream_words = job_lane->stream_words,
		.task_count = job_lane->task_count,
		.job_lanes = job->lane_count,
	};

	core->state = NPU_CORE_RUNNING;
	core->started = ktime_get_ns();
	core->progress = npu->desc.ops->progress(npu->hw, core->index);
	core->deadline = jiffies + npu->timeout;
	kthread_mod_delayed_work(core->worker, &core->watchdog, npu->timeout);
	npu->desc.ops->kick(npu->hw, core->index, &lane);
}

/* Have @core reset, then its lane ends with @error. */
static void npu_core_abort(struct npu_core *core, int error)
{
	lockdep_assert_held(&core->npu->sched_lock);
	core->state = NPU_CORE_RESETTING;
	core->error = error;
	kthread_queue_work(core->worker, &core->work);
}

/* The lane of @core has ended; the core is idle. */
static void npu_core_end_lane(struct npu_core *core,
			      const struct npu_hw_result *result)
{
	struct npu_context *ctx = core->ctx;
	struct npu_slot *head = npu_context_head(ctx);
	struct drm_npu_query_context *stats = &ctx->stats;
	u64 device_ns;

	lockdep_assert_held(&core->npu->sched_lock);
	core->state = NPU_CORE_IDLE;
	core->ctx = NULL;

	device_ns = result->device_ns ?: ktime_get_ns() - core->started;
	head->device_ns = max(head->device_ns, device_ns);
	stats->busy_ns += device_ns;
	stats->tasks += result->tasks;
	stats->read_bytes += result->read_bytes;
	stats->written_bytes += result->written_bytes;
	head->lanes_ended++;
	if (result->error && !head->error)
		head->error = result->error;

	/* The rest of a job that failed is not worth starting. */
	if (head->error && head->lanes_started < head->job->lane_count)
		list_del_init(&ctx->ready_link);
	if (head->lanes_ended < head->lanes_started ||
	    (!head->error && head->lanes_ended < head->job->lane_count))
		return;
	npu_context_complete(ctx);
	npu_context_advance(ctx);
}

/**
 * npu_core_done() - a lane has ended
 * @npu: the device
 * @core: the core
 * @result: how it ended; with an error the core is reset first
 *
 * Called by backends in any context, once a start. Starts the next lane.
 */
void npu_core_done(struct npu_device *npu, unsigned int core,
		   const struct npu_hw_result *result)
{
	struct npu_core *c = &npu->cores[core];
	unsigned long flags;

	spin_lock_irqsave(&npu->sched_lock, flags);
	/* Too late: it is being reset. */
	if (c->state != NPU_CORE_RUNNING)
		goto out_unlock;
	if (result->error) {
		npu_core_abort(c, result->error);
		goto out_unlock;
	}
	npu_core_end_lane(c, result);
	npu_sched_run(npu);
out_unlock:
	spin_unlock_irqrestore(&npu->sched_lock, flags);
}
EXPORT_SYMBOL_GPL(npu_core_done);

/**
 * npu_sched_queue() - queue jobs behind all that a context has
 * @ctx: the context
 * @jobs: the jobs; their references are taken over
 * @count: number of jobs
 * @submit: syncs, or %NULL; gets a reference for the caller and one a job
 * @fence_ops: operations of the fence of @submit
 * @seqno: receives the sequence number of the last job
 *
 * Return: 0; or, with nothing changed, -ENODEV, -ENOENT (the context is being
 * destroyed), -E2BIG, -EBUSY, or -EAGAIN: there is room, but jobs that have
 * ended are still to be retired, see npu_sched_flush().
 */
int npu_sched_queue(struct npu_context *ctx, struct npu_job **jobs, u32 count,
		    struct npu_submit *submit,
		    const struct dma_fence_ops *fence_ops, u64 *seqno)
{
	struct npu_device *npu = ctx->npu;
	unsigned long flags;
	int ret = 0;
	u32 i;

	if (count > ctx->max_queued)
		return -E2BIG;

	spin_lock_irqsave(&npu->sched_lock, flags);
	if (npu->dead)
		ret = -ENODEV;
	else if (ctx->killed)
		ret = -ENOENT;
	else if (ctx->submitted - ctx->completed + count > ctx->max_queued)
		ret = -EBUSY;
	else if (ctx->submitted - ctx->retired + count > ctx->slot_count)
		ret = -EAGAIN;
	if (ret)
		goto out_unlock;

	/* One reference for all jobs in the queue. */
	if (ctx->submitted == ctx->retired)
		npu_context_get(ctx);
	if (submit)
		dma_fence_init(&submit->fence, fence_ops, &submit->lock,
			       ctx->fence_context, ctx->submitted + count);
	for (i = 0; i < count; i++) {
		struct npu_slot *slot = npu_context_slot(ctx, ++ctx->submitted);

		*slot = (struct npu_slot) {
			.job = jobs[i],
			.submit = submit,
			.last = i + 1 == count,
		};
		if (submit)
			dma_fence_get(&submit->fence);
	}
	*seqno = ctx->submitted;
	if (submit)
		atomic_dec(&submit->pending);
	npu_context_advance(ctx);
	npu_sched_run(npu);
out_unlock:
	spin_unlock_irqrestore(&npu->sched_lock, flags);
	return ret;
}

/**
 * npu_sched_wake() - the in-fences of a submit have signalled
 * @ctx: the context
 */
void npu_sched_wake(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	unsigned long flags;

	spin_lock_irqsave(&npu->sched_lock, flags);
	npu_context_advance(ctx);
	npu_sched_run(npu);
	spin_unlock_irqrestore(&npu->sched_lock, flags);
}

/**
 * npu_sched_kill() - cancel all of a context that has not started
 * @ctx: the context
 * @running: also what has
 */
void npu_sched_kill(struct npu_context *ctx, bool running)
{
	struct npu_device *npu = ctx->npu;
	unsigned int i;

	spin_lock_irq(&npu->sched_lock);
	ctx->killed = true;
	for (i = 0; running && i < npu->core_count; i++)
		if (npu->cores[i].ctx == ctx)
			npu_core_abort(&npu->cores[i], -ECANCELED);
	npu_context_advance(ctx);
	spin_unlock_irq(&npu->sched_lock);
}

/*
 * Signal the oldest ended job of @ctx. Returns whether there are more; if not,
 * the context may be gone.
 */
static bool npu_context_signal_one(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	struct npu_slot *slot;
	int error = 0;
	bool more;

	spin_lock_irq(&npu->sched_lock);
	/* The slot is this thread's until it is counted as signalled. */
	slot = npu_context_slot(ctx, ctx->signalled + 1);
	if (slot->submit)
		error = slot->submit->out_error;
	spin_unlock_irq(&npu->sched_lock);

	if (slot->submit && slot->last) {
		if (error)
			dma_fence_set_error(&slot->submit->fence, error);
		dma_fence_signal(&slot->submit->fence);
	}

	spin_lock_irq(&npu->sched_lock);
	ctx->signalled++;
	more = ctx->signalled < ctx->completed;
	if (!more)
		list_del_init(&ctx->signal_link);
	if (list_empty(&ctx->retire_link))
		list_add_tail(&ctx->retire_link, &npu->retire);
	spin_unlock_irq(&npu->sched_lock);
	return more;
}

static void npu_sched_signal(struct kthread_work *work)
{
	struct npu_device *npu = container_of(work, struct npu_device,
					      signal_work);
	bool cookie = dma_fence_begin_signalling();
	struct npu_context *ctx;

	for (;;) {
		spin_lock_irq(&npu->sched_lock);
		ctx = list_first_entry_or_null(&npu->signal, struct npu_context,
					       signal_link);
		spin_unlock_irq(&npu->sched_lock);
		if (!ctx)
			break;
		while (npu_context_signal_one(ctx))
			cond_resched();
		queue_work(npu->retirer, &npu->retire_work);
		cond_resched();
	}
	dma_fence_end_signalling(cookie);
}

/*
 * Retire the oldest signalled job of @ctx. Returns whether there are more; if
 * not, the context may be gone.
 */
static bool npu_context_retire_one(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	struct npu_submit *submit;
	struct npu_slot *slot;
	struct npu_job *job;
	bool more, last;

	spin_lock_irq(&npu->sched_lock);
	slot = npu_context_slot(ctx, ctx->retired + 1);
	submit = slot->submit;
	last = slot->last;
	job = slot->job;
	spin_unlock_irq(&npu->sched_lock);

	if (submit && last)
		npu_submit_forget(submit);
	if (submit)
		npu_submit_put(submit);
	npu_job_put(job);

	spin_lock_irq(&npu->sched_lock);
	ctx->retired++;
	more = ctx->retired < ctx->signalled;
	last = ctx->retired == ctx->submitted;
	if (!more)
		list_del_init(&ctx->retire_link);
	spin_unlock_irq(&npu->sched_lock);

	if (last)
		npu_context_put(ctx);
	return more;
}

static void npu_sched_retire(struct work_struct *work)
{
	struct npu_device *npu = container_of(work, struct npu_device,
					      retire_work);
	struct npu_context *ctx;

	for (;;) {
		spin_lock_irq(&npu->sched_lock);
		ctx = list_first_entry_or_null(&npu->retire, struct npu_context,
					       retire_link);
		spin_unlock_irq(&npu->sched_lock);
		if (!ctx)
			break;
		while (npu_context_retire_one(ctx))
			cond_resched();
		cond_resched();
	}
}

/**
 * npu_sched_flush() - wait until all that has ended is retired
 * @npu: the device
 */
void npu_sched_flush(struct npu_device *npu)
{
	kthread_flush_worker(npu->signaller);
	flush_work(&npu->retire_work);
}

/* Attach the address space that the lane of @core needs, and start it. */
static void npu_core_attach(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_vm *vm;
	void *hw_vm;
	int ret;

	lockdep_assert_held(&core->hw_lock);
	spin_lock_irq(&npu->sched_lock);
	if (core->state != NPU_CORE_ATTACHING) {
		spin_unlock_irq(&npu->sched_lock);
		return;
	}
	/* The queued job keeps the context, that its address space. */
	vm = core->ctx->vm;
	core->attached = NULL;
	spin_unlock_irq(&npu->sched_lock);

	hw_vm = READ_ONCE(vm->hw);
	ret = hw_vm ? npu->desc.ops->attach(npu->hw, core->index, hw_vm) :
		      -ENODEV;

	spin_lock_irq(&npu->sched_lock);
	if (!ret)
		core->attached = vm;
	/* If the state has changed, the lane is to end and npu_core_reset() follows. */
	if (core->state == NPU_CORE_ATTACHING) {
		if (ret) {
			core->state = NPU_CORE_RESETTING;
			core->error = ret;
		} else {
			npu_core_kick(core);
		}
	}
	spin_unlock_irq(&npu->sched_lock);
}

/* Reset @core and end its lane with an error. */
static void npu_core_reset(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_hw_result result = {};

	lockdep_assert_held(&core->hw_lock);
	spin_lock_irq(&npu->sched_lock);
	if (core->state != NPU_CORE_RESETTING) {
		spin_unlock_irq(&npu->sched_lock);
		return;
	}
	spin_unlock_irq(&npu->sched_lock);

	npu->desc.ops->reset(npu->hw, core->index);

	spin_lock_irq(&npu->sched_lock);
	result.error = core->error;
	npu_core_end_lane(core, &result);
	npu_sched_run(npu);
	spin_unlock_irq(&npu->sched_lock);
}

static void npu_core_work(struct kthread_work *work)
{
	struct npu_core *core = container_of(work, struct npu_core, work);
	bool cookie = dma_fence_begin_signalling();

	mutex_lock(&core->hw_lock);
	npu_core_attach(core);
	npu_core_reset(core);
	mutex_unlock(&core->hw_lock);
	dma_fence_end_signalling(cookie);
}

/* No end of the lane for a while: is it slow or stuck? */
static void npu_core_watchdog(struct kthread_work *work)
{
	struct npu_core *core = container_of(work, struct npu_core,
					     watchdog.work);
	struct npu_device *npu = core->npu;
	u64 progress;

	spin_lock_irq(&npu->sched_lock);
	/* A watchdog of an earlier lane may have been on its way already. */
	if (core->state != NPU_CORE_RUNNING ||
	    time_before(jiffies, core->deadline))
		goto out_unlock;
	progress = npu->desc.ops->progress(npu->hw, core->index);
	if (progress != core->progress) {
		core->progress = progress;
		core->deadline = jiffies + npu->timeout;
		kthread_mod_delayed_work(core->worker, &core->watchdog,
					 npu->timeout);
		goto out_unlock;
	}
	npu_core_abort(core, -ETIMEDOUT);
out_unlock:
	spin_unlock_irq(&npu->sched_lock);
}

/**
 * npu_sched_forget_vm() - take an address space from all cores
 * @npu: the device
 * @vm: the address space, which no job uses any more
 */
void npu_sched_forget_vm(struct npu_device *npu, struct npu_vm *vm)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->cores[i];
		bool attached;

		mutex_lock(&core->hw_lock);
		spin_lock_irq(&npu->sched_lock);
		attached = core->attached == vm && !npu->dead;
		if (attached)
			core->attached = NULL;
		spin_unlock_irq(&npu->sched_lock);
		if (attached)
			npu->desc.ops->attach(npu->hw, i, NULL);
		mutex_unlock(&core->hw_lock);
	}
}

/**
 * npu_sched_unplug() - stop all cores and end all jobs, for good
 * @npu: the device, which no ioctl uses any more
 */
void npu_sched_unplug(struct npu_device *npu)
{
	struct npu_context *ctx;
	unsigned int i;

	spin_lock_irq(&npu->sched_lock);
	npu->dead = true;
	for (i = 0; i < npu->core_count; i++)
		if (npu->cores[i].ctx)
			npu_core_abort(&npu->cores[i], -ENODEV);
	list_for_each_entry(ctx, &npu->contexts, link)
		npu_context_advance(ctx);
	spin_unlock_irq(&npu->sched_lock);

	for (i = 0; i < npu->core_count; i++)
		kthread_flush_worker(npu->cores[i].worker);
	npu_sched_flush(npu);
	for (i = 0; i < npu->core_count; i++)
		drm_WARN_ON(&npu->drm, npu->cores[i].state != NPU_CORE_IDLE);
}

/**
 * npu_sched_fini() - end the threads; nothing is queued
 * @npu: the device
 */
void npu_sched_fini(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->cores[i];

		if (!core->worker)
			continue;
		kthread_cancel_delayed_work_sync(&core->watchdog);
		kthread_destroy_worker(core->worker);
		core->worker = NULL;
	}
	if (npu->signaller)
		kthread_destroy_worker(npu->signaller);
	npu->signaller = NULL;
	if (npu->retirer)
		destroy_workqueue(npu->retirer);
	npu->retirer = NULL;
}

static int npu_sched_start_threads(struct npu_device *npu)
{
	struct kthread_worker *worker;
	unsigned int i;

	npu->retirer = alloc_workqueue("npu-retire", WQ_UNBOUND, 1);
	if (!npu->retirer)
		return -ENOMEM;

	worker = kthread_create_worker(0, "npu-signal");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	npu->signaller = worker;

	for (i = 0; i < npu->core_count; i++) {
		worker = kthread_create_worker(0, "npu-core%u", i);
		if (IS_ERR(worker))
			return PTR_ERR(worker);
		npu->cores[i].worker = worker;
	}
	return 0;
}

/**
 * npu_sched_init() - prepare the dispatcher
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_sched_init(struct npu_device *npu)
{
	unsigned int i;
	int ret;

	spin_lock_init(&npu->sched_lock);
	INIT_LIST_HEAD(&npu->contexts);
	INIT_LIST_HEAD(&npu->ready);
	INIT_LIST_HEAD(&npu->signal);
	INIT_LIST_HEAD(&npu->retire);
	kthread_init_work(&npu->signal_work, npu_sched_signal);
	INIT_WORK(&npu->retire_work, npu_sched_retire);

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->cores[i];

		core->npu = npu;
		core->index = i;
		mutex_init(&core->hw_lock);
		kthread_init_work(&core->work, npu_core_work);
		kthread_init_delayed_work(&core->watchdog, npu_core_watchdog);
	}

	ret = npu_sched_start_threads(npu);
	if (ret)
		npu_sched_fini(npu);
	return ret;
}
