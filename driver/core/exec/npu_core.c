// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cores: start, end, attach, reset, and the watchdog.
 *
 * Operations that sleep run in a thread of the core, under npu_core.hw_lock. Fences
 * depend on it, so it must not allocate memory.
 */
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>

#include <drm/drm_print.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "../mem/npu_vm.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_dump.h"
#include "npu_exec.h"
#include "npu_hold.h"
#include "npu_job.h"
#include "npu_slice.h"

static void npu_core_set_attached(struct npu_core *core,
				  struct npu_client *client)
{
	lockdep_assert_held(&core->npu->exec->lock);
	core->attached = client;
	core->sched.attached = client ? &client->sched : NULL;
}

/* Have @core use @hw_vm, or nothing if %NULL; without an IOMMU there is no difference. */
static int npu_core_set_vm(struct npu_core *core, void *hw_vm)
{
	struct npu_device *npu = core->npu;

	if (npu->direct)
		return 0;
	return npu->desc.ops->attach(npu->hw, core->index, hw_vm);
}

static void npu_core_kick(struct npu_core *core, u64 now)
{
	struct npu_device *npu = core->npu;
	struct npu_slot *head = npu_context_head(core->ctx);
	const struct npu_job_lane *job_lane = &head->job->lanes[core->lane];
	const struct npu_job_task *task = &job_lane->tasks[core->first];
	struct npu_hw_lane lane = {
		.stream = task->stream,
		.stream_words = task->stream_words,
		.task_count = core->tasks,
		.enable = task[core->tasks - 1].enable,
		.job_lanes = head->job->lane_count,
	};

	lockdep_assert_held(&npu->exec->lock);
	core->state = NPU_CORE_RUNNING;
	core->started = now;
	core->ctx->stats.slices++;
	if (!head->started_ns)
		head->started_ns = core->started;
	core->held = false;
	core->kicked = jiffies;
	core->begun = false;
	core->again = false;
	npu_watch_start(&core->watch, npu->exec->timeout, lane.task_count,
			npu->desc.ops->kick(npu->hw, core->index, &lane),
			core->kicked);
	/* A pending watchdog re-reads core->watch. */
	if (!core->watched)
		npu_watchdog_arm(core, npu->exec->timeout);
}

/* Keep @core powered if it still is. */
static bool npu_core_wake_now(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	const struct npu_hw_ops *ops = npu->desc.ops;

	lockdep_assert_held(&npu->exec->lock);
	if (!core->awake && ops->wake_now)
		core->awake = ops->wake_now(npu->hw, core->index);
	return core->awake;
}

/**
 * npu_core_rest() - let the power of an idle core go
 * @core: the core
 */
void npu_core_rest(struct npu_core *core)
{
	struct npu_device *npu = core->npu;

	lockdep_assert_held(&npu->exec->lock);
	if (!core->awake || !npu->desc.ops->rest)
		return;
	npu->desc.ops->rest(npu->hw, core->index);
	core->awake = false;
}

/**
 * npu_core_start() - start the lane that a core has been given
 * @core: the core
 * @now: the time
 */
void npu_core_start(struct npu_core *core, u64 now)
{
	lockdep_assert_held(&core->npu->exec->lock);
	/* Nothing sleeps to change address spaces without an IOMMU. */
	if (core->npu->direct)
		npu_core_set_attached(core, core->ctx->client);
	if (core->attached == core->ctx->client && npu_core_wake_now(core)) {
		npu_core_kick(core, now);
	} else {
		core->state = NPU_CORE_ATTACHING;
		kthread_queue_work(core->worker, &core->work);
	}
}

/**
 * npu_core_stop() - a core has ended its slice and is idle
 * @core: the core
 * @result: how it ended
 * @now: when
 *
 * Return: device time that the slice took, in nanoseconds.
 */
u64 npu_core_stop(struct npu_core *core, const struct npu_hw_result *result,
		  u64 now)
{
	u64 device_ns = result->device_ns;

	lockdep_assert_held(&core->npu->exec->lock);
	core->state = NPU_CORE_IDLE;
	core->ctx = NULL;
	if (core->npu->exec->frozen)
		wake_up_all(&core->npu->exec->idle);
	/* It may have failed before it was started. */
	if (!core->started)
		return device_ns;
	if (core->sched.rank != NPU_RANK_BACKGROUND)
		core->busy_ns += now - core->started;
	return device_ns ?: now - core->started;
}

/**
 * npu_core_abort() - have a core reset, then its lane ends with an error
 * @core: the core, which has a lane
 * @error: negative errno
 */
void npu_core_abort(struct npu_core *core, int error)
{
	lockdep_assert_held(&core->npu->exec->lock);
	if (core->state == NPU_CORE_RESETTING) {
		/* It was to start again. */
		if (!core->error)
			core->error = error;
		return;
	}
	core->state = NPU_CORE_RESETTING;
	core->error = error;
	core->fault = (struct npu_hw_fault) {};
	core->held = false;
	kthread_queue_work(core->worker, &core->work);
}

/**
 * npu_core_cancel() - the job that a core works for is cancelled
 * @core: the core
 *
 * Slices have a limit and are left to end. Without one (slice_us is 0) a slice may be
 * a lane of thousands of tasks; then the core is reset, unless it is about to end.
 */
void npu_core_cancel(struct npu_core *core)
{
	const struct npu_job *job;

	lockdep_assert_held(&core->npu->exec->lock);
	if (core->state != NPU_CORE_RUNNING ||
	    npu_sched_slice_ns(core->sched.sched) != U64_MAX)
		return;
	job = npu_context_head(core->ctx)->job;
	if (npu_slice_cost(&job->lanes[core->lane], core->first, core->tasks) >
	    core->npu->exec->cancel_ns)
		npu_core_abort(core, -ECANCELED);
}

/**
 * npu_core_finish() - the lane of a core ends now
 * @core: the core, which runs the lane
 * @result: how it ends; with an error the core is reset first
 * @now: the time
 *
 * Starts the next lane.
 */
void npu_core_finish(struct npu_core *core, const struct npu_hw_result *result,
		     u64 now)
{
	lockdep_assert_held(&core->npu->exec->lock);
	core->held = false;
	if (result->error) {
		npu_core_abort(core, result->error);
		core->fault = result->fault;
	} else {
		npu_dispatch_ended(core, result, now);
	}
}

/**
 * npu_core_locate() - where the lane of a core went wrong
 * @core: the core, which was started and is being reset
 * @fault: receives it
 */
void npu_core_locate(const struct npu_core *core, struct npu_fault *fault)
{
	lockdep_assert_held(&core->npu->exec->lock);
	*fault = (struct npu_fault) {
		.flags = DRM_NPU_JOB_FAULT_TASK,
		.lane = core->lane,
		.task = core->first,
		.task_count = core->tasks,
	};
	if (core->fault.located && core->fault.task < core->tasks) {
		fault->task += core->fault.task;
		fault->task_count = 1;
	}
	if (core->fault.addressed) {
		fault->flags |= DRM_NPU_JOB_FAULT_ADDRESS;
		fault->addr = core->fault.addr;
	}
}

/**
 * npu_core_done() - a lane has ended
 * @npu: the device
 * @core: the core
 * @result: how it ended; with an error the core is reset first
 *
 * Called by backends in any context, once a start, after they have acknowledged the
 * interrupt. Stamps the end; npu_dispatch_ended() has what follows.
 */
void npu_core_done(struct npu_device *npu, unsigned int core,
		   const struct npu_hw_result *result)
{
	struct npu_core *c = &npu->exec->cores[core];
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&npu->exec->lock, flags);
	now = npu_now(npu);
	/* The core is being reset: ignore the late end. */
	if (c->state != NPU_CORE_RUNNING)
		goto out_unlock;
	if (npu_hold_holds(c)) {
		c->held = true;
		c->end = *result;
	} else {
		npu_core_finish(c, result, now);
	}
out_unlock:
	spin_unlock_irqrestore(&npu->exec->lock, flags);
}
EXPORT_SYMBOL_GPL(npu_core_done);

/**
 * npu_core_busy_ns() - how long a core has worked
 * @npu: the device
 * @index: number of the core
 *
 * For backends that choose its clock by it.
 *
 * Return: nanoseconds since the device was made, those of the present lane
 * included, those of background work not.
 */
u64 npu_core_busy_ns(struct npu_device *npu, unsigned int index)
{
	struct npu_core *core = &npu->exec->cores[index];
	unsigned long flags;
	u64 busy_ns;

	spin_lock_irqsave(&npu->exec->lock, flags);
	busy_ns = core->busy_ns;
	if (core->state == NPU_CORE_RUNNING &&
	    core->sched.rank != NPU_RANK_BACKGROUND)
		busy_ns += npu_now(npu) - core->started;
	spin_unlock_irqrestore(&npu->exec->lock, flags);
	return busy_ns;
}
EXPORT_SYMBOL_GPL(npu_core_busy_ns);

/* Give @core the power that its lane needs. */
static int npu_core_wake(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	int ret;

	/* Set and cleared for cores with a lane only here. */
	if (READ_ONCE(core->awake))
		return 0;
	ret = npu->desc.ops->wake(npu->hw, core->index);
	if (!ret) {
		spin_lock_irq(&npu->exec->lock);
		core->awake = true;
		spin_unlock_irq(&npu->exec->lock);
	}
	return ret;
}

/*
 * Wake @core and have it attach the address space of @client. On failure it has
 * none.
 */
static int npu_core_prepare(struct npu_core *core, struct npu_client *client)
{
	struct npu_device *npu = core->npu;
	void *hw_vm = READ_ONCE(client->vm->hw);
	int ret;

	lockdep_assert_held(&core->hw_lock);
	ret = npu_core_wake(core);
	/* Changed under hw_lock only. */
	if (!ret && core->attached == client)
		return 0;
	if (!ret)
		ret = hw_vm ? npu_core_set_vm(core, hw_vm) : -ENODEV;
	/* A core that failed to wake may or may not have kept its address space. */
	if (ret && core->attached)
		npu_core_set_vm(core, NULL);

	spin_lock_irq(&npu->exec->lock);
	npu_core_set_attached(core, ret ? NULL : client);
	spin_unlock_irq(&npu->exec->lock);
	return ret;
}

/* Have @core ready for its lane, and start it. */
static void npu_core_attach(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_hw_result result = {};
	struct npu_client *client;
	int ret;

	spin_lock_irq(&npu->exec->lock);
	if (core->state != NPU_CORE_ATTACHING) {
		spin_unlock_irq(&npu->exec->lock);
		return;
	}
	/* The queued job keeps the context, that its client. */
	client = core->ctx->client;
	spin_unlock_irq(&npu->exec->lock);

	ret = npu_core_prepare(core, client);
	/* The job is not to blame. */
	if (ret && ret != -ENODEV)
		ret = -EIO;

	spin_lock_irq(&npu->exec->lock);
	/* If the state has changed, the device is gone and npu_core_reset() follows. */
	if (core->state == NPU_CORE_ATTACHING) {
		/* The job may have been cancelled meanwhile. */
		result.error = npu_context_head(core->ctx)->error;
		if (ret) {
			core->state = NPU_CORE_RESETTING;
			core->error = ret;
		} else if (result.error) {
			npu_dispatch_ended(core, &result, npu_now(npu));
		} else {
			npu_core_kick(core, npu_now(npu));
		}
	}
	spin_unlock_irq(&npu->exec->lock);
}

/* The slice of @core has not begun, and the core has been reset: start it again. */
static void npu_core_restart(struct npu_core *core, u64 now)
{
	lockdep_assert_held(&core->npu->exec->lock);
	/* It is the same slice, whose time begins now. */
	core->ctx->stats.slices--;
	npu_core_kick(core, now);
	core->again = true;
}

/* Reset @core and end its lane with an error, or start it again. */
static void npu_core_reset(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_hw_result result = {};
	bool resetting, cookie, awake;
	u64 now;

	lockdep_assert_held(&core->hw_lock);
	spin_lock_irq(&npu->exec->lock);
	resetting = core->state == NPU_CORE_RESETTING;
	spin_unlock_irq(&npu->exec->lock);
	if (!resetting)
		return;

	/* The lane, and so its context and job, are the core's until it ends. */
	if (core->started &&
	    (core->error == -ETIMEDOUT || core->error == -EFAULT)) {
		cookie = dma_fence_begin_signalling();
		npu_dump_take(core);
		dma_fence_end_signalling(cookie);
	}
	/* An unpowered core has nothing to reset. */
	awake = READ_ONCE(core->awake);
	if (awake)
		npu->desc.ops->reset(npu->hw, core->index);

	spin_lock_irq(&npu->exec->lock);
	if (awake)
		npu_errors_count(npu, NPU_ERROR_RESET);
	if (core->started && core->error == -ETIMEDOUT)
		npu_errors_count(npu, NPU_ERROR_HANG);
	if (core->started && core->error == -EFAULT)
		npu_errors_count(npu, NPU_ERROR_FAULT);
	now = npu_now(npu);
	/* A job that was to start again may have been cancelled meanwhile. */
	result.error = core->error ?: npu_context_head(core->ctx)->error;
	if (result.error)
		npu_dispatch_ended(core, &result, now);
	else
		npu_core_restart(core, now);
	spin_unlock_irq(&npu->exec->lock);
}

/*
 * Fences wait for all of it, but operations of the backend are not annotated: the
 * IOMMU core and the clock framework have locks under which others allocate
 * memory when a device is added. That is long past for this one, which lockdep
 * cannot know.
 */
static void npu_core_work(struct kthread_work *work)
{
	struct npu_core *core = container_of(work, struct npu_core, work);

	mutex_lock(&core->hw_lock);
	npu_core_attach(core);
	npu_core_reset(core);
	mutex_unlock(&core->hw_lock);
}

/**
 * npu_cores_forget() - take the address space of a client from all cores
 * @client: the client, which has no contexts any more
 */
void npu_cores_forget(struct npu_client *client)
{
	struct npu_device *npu = client->npu;
	unsigned int i;

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->exec->cores[i];
		bool attached;

		mutex_lock(&core->hw_lock);
		spin_lock_irq(&npu->exec->lock);
		attached = core->attached == client;
		if (attached)
			npu_core_set_attached(core, NULL);
		spin_unlock_irq(&npu->exec->lock);
		if (attached)
			npu_core_set_vm(core, NULL);
		mutex_unlock(&core->hw_lock);
	}
}

/**
 * npu_core_unplug() - take its address space from a core, for good
 * @core: the core, whose device is dead and has nothing to run
 */
void npu_core_unplug(struct npu_core *core)
{
	struct npu_device *npu = core->npu;

	mutex_lock(&core->hw_lock);
	drm_WARN_ON(&npu->drm, core->state != NPU_CORE_IDLE);
	npu_core_set_vm(core, NULL);
	spin_lock_irq(&npu->exec->lock);
	npu_core_set_attached(core, NULL);
	npu_core_rest(core);
	spin_unlock_irq(&npu->exec->lock);
	mutex_unlock(&core->hw_lock);
}

/**
 * npu_core_fini() - end the thread of a core; it has no lane
 * @core: the core
 */
void npu_core_fini(struct npu_core *core)
{
	if (!core->worker)
		return;
	kthread_cancel_delayed_work_sync(&core->watchdog);
	kthread_destroy_worker(core->worker);
	core->worker = NULL;
}

/**
 * npu_core_init() - prepare a core
 * @npu: the device
 * @index: number of the core
 *
 * Return: 0 or a negative errno.
 */
int npu_core_init(struct npu_device *npu, unsigned int index)
{
	struct npu_core *core = &npu->exec->cores[index];
	struct kthread_worker *worker;

	core->npu = npu;
	core->index = index;
	core->awake = !npu->desc.ops->wake;
	mutex_init(&core->hw_lock);
	npu_sched_init_core(&npu->exec->sched, &core->sched);
	kthread_init_work(&core->work, npu_core_work);
	npu_watchdog_init(core);

	worker = kthread_run_worker(0, "npu-core%u", index);
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	/* The hardware idles until this thread runs. */
	sched_set_fifo_low(worker->task);
	core->worker = worker;
	return 0;
}
