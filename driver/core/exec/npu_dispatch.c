// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: dispatcher
 *
 * A context's head is its oldest job that has not ended. A context is *ready*
 * while its head has in-fences signalled and lanes with tasks left that no core
 * has. An idle core takes the next *slice* of such a lane, some of its tasks
 * (npu_slice.c), of the ready context that npu_pick.c chooses; of its lanes the
 * first of those that have most tasks left. So the lanes of a job and the jobs of
 * different contexts run side by side, the jobs of one context stay in order, and
 * nobody waits for more than a slice to be considered.
 *
 * Giving a core another address space costs more than a small job does. So a
 * context goes to a core that has its address space, if one is idle, else to one
 * that has none, else to the one that has been idle for longest.
 *
 * A core that has the right address space is started where the news arrives: in
 * the ioctl, in the interrupt that ends a lane, in the callback of a fence. Only
 * attaching another address space and resetting need the core's thread
 * (npu_core.c).
 *
 * A job without fence, which others still refer to, is done with when it ends.
 * Otherwise a thread of the device signals, and a work item drops references
 * (npu_signal.c).
 *
 * drm_sched is not used: its two work items a job cost more than a small matrix
 * multiplication takes, and it knows neither lanes nor submits of many jobs.
 */
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "npu_client.h"
#include "npu_context.h"
#include "../include/npu_device.h"
#include "npu_exec.h"
#include "npu_job.h"
#include "npu_dispatch.h"
#include "npu_dump.h"
#include "npu_slice.h"
#include "npu_submit.h"
#include "npu_trace.h"
#include "../mem/npu_vm.h"

/* So much may be owed to others while cores keep an address space. */
#define NPU_DISPATCH_STAY_NS	(500 * NSEC_PER_USEC)

struct npu_sched_params npu_sched_defaults = {
	.slice_us = 1000,
	.latency_percent = 50,
	.latency_window_ms = 100,
	.starve_ms = 500,
};

module_param_named(slice_us, npu_sched_defaults.slice_us, uint, 0644);
MODULE_PARM_DESC(slice_us, "Device time for which a core is started, in microseconds; 0: as long as a lane takes (default 1000)");
module_param_named(latency_percent, npu_sched_defaults.latency_percent, uint, 0644);
MODULE_PARM_DESC(latency_percent, "Share of the device that latency work of all without CAP_SYS_NICE may have (default 50)");
module_param_named(latency_window_ms, npu_sched_defaults.latency_window_ms, uint, 0644);
MODULE_PARM_DESC(latency_window_ms, "Over how long that is counted, in milliseconds (default 100)");
module_param_named(starve_ms, npu_sched_defaults.starve_ms, uint, 0644);
MODULE_PARM_DESC(starve_ms, "How long work may wait for that of better classes, in milliseconds (default 500)");
module_param_named(fcfs, npu_sched_defaults.fcfs, bool, 0644);
MODULE_PARM_DESC(fcfs, "First come, first served, whole lanes, without regard to hints; to compare with (default off)");

/**
 * npu_dispatch_head() - the oldest job that has not ended
 * @ctx: the context, which has one
 *
 * Return: its slot.
 */
struct npu_slot *npu_dispatch_head(struct npu_context *ctx)
{
	lockdep_assert_held(&ctx->npu->exec->lock);
	return npu_context_slot(ctx, ctx->completed + 1);
}

/*
 * The error that keeps the head from running, or 0. While in-fences are pending,
 * that of another does not count yet: others may rely on the order.
 */
static int npu_head_refused(const struct npu_context *ctx,
			    const struct npu_slot *head, bool waiting)
{
	if (head->error)
		return head->error;
	if (ctx->npu->exec->dead)
		return -ENODEV;
	/* What has started goes on, also if its context is destroyed. */
	if (head->begun)
		return 0;
	if (ctx->killed || ctx->stats.flags & DRM_NPU_CONTEXT_BANNED)
		return -ECANCELED;
	return head->submit && !waiting ? READ_ONCE(head->submit->in_error) : 0;
}

/* Tell those who read the page. */
static void npu_context_publish(struct npu_context *ctx, u64 seqno,
				const struct npu_slot *slot)
{
	struct drm_npu_context_page *page = page_address(ctx->page);
	struct drm_npu_page_job *job = &page->jobs[seqno % DRM_NPU_PAGE_JOBS];

	WRITE_ONCE(job->seqno, 0);
	/* Readers look at seqno before and after the rest. */
	smp_wmb();
	job->queued_ns = slot->queued_ns;
	job->started_ns = slot->started_ns;
	job->ended_ns = slot->ended_ns;
	job->device_ns = slot->device_ns;
	job->error = -slot->error;
	/* Who sees seqno sees the rest of the job. */
	smp_wmb();
	WRITE_ONCE(job->seqno, seqno);
	WRITE_ONCE(page->failed_seqno, ctx->stats.failed_seqno);
	WRITE_ONCE(page->flags, ctx->stats.flags);
	/* Who sees this sees all of the above. */
	smp_wmb();
	WRITE_ONCE(page->completed_seqno, seqno);
}

/*
 * Be done with the job that has just ended, unless there is a fence to signal,
 * an older job to be done with, or something to be freed.
 */
static void npu_context_retire_now(struct npu_context *ctx,
				   struct npu_slot *slot)
{
	if (slot->submit || ctx->retired != ctx->completed - 1 ||
	    !refcount_dec_not_one(&slot->job->ref))
		return;
	slot->job = NULL;
	/* The reference of the queue; without it others keep the context. */
	if (ctx->completed == ctx->submitted &&
	    !refcount_dec_not_one(&ctx->ref))
		return;
	ctx->signalled = ctx->completed;
	ctx->retired = ctx->completed;
}

/* The head has ended: account for it. */
static void npu_context_complete(struct npu_context *ctx, u64 now)
{
	struct npu_slot *head = npu_dispatch_head(ctx);
	struct drm_npu_query_context *stats = &ctx->stats;

	head->ended_ns = now;
	if (head->deadline_ns && now > head->deadline_ns)
		stats->missed_deadlines++;
	ctx->todo = 0;
	ctx->completed++;
	stats->device_ns += head->device_ns;
	if (head->error) {
		stats->failed_jobs++;
		stats->failed_seqno = ctx->completed;
		stats->failed_errno = -head->error;
		if (head->submit && !head->submit->out_error)
			head->submit->out_error = head->error;
	}
	/* An in-fence may have had the same errors: that is nobody's guilt. */
	if (head->started_ns &&
	    (head->error == -ETIMEDOUT || head->error == -EFAULT) &&
	    ++stats->guilty_jobs >= NPU_MAX_GUILTY)
		stats->flags |= DRM_NPU_CONTEXT_BANNED;

	npu_context_publish(ctx, ctx->completed, head);
	npu_context_retire_now(ctx, head);
	if (ctx->completed >= ctx->wake_at) {
		/* Those for whom it is too early say when to wake them. */
		ctx->wake_at = U64_MAX;
		wake_up_all(&ctx->wait);
	}
}

/* The head of @ctx has lanes that a core could start. */
static void npu_context_ready(struct npu_context *ctx, u64 now)
{
	const struct npu_slot *head = npu_dispatch_head(ctx);
	const struct npu_entity_work work = {
		.queued_ns = head->queued_ns,
		.deadline_ns = head->deadline_ns,
	};

	npu_entity_ready(&ctx->entity, &work, now);
}

/* The head could begin: all of its lanes are to be done. */
static void npu_context_begin(struct npu_context *ctx,
			      const struct npu_slot *head)
{
	u32 i;

	if (ctx->todo || head->begun)
		return;
	for (i = 0; i < head->job->lane_count; i++)
		ctx->lanes[i] = (struct npu_head_lane) {};
	ctx->todo = GENMASK(head->job->lane_count - 1, 0);
}

/**
 * npu_dispatch_advance() - find out what the head can do: end, wait, or become ready
 * @ctx: the context
 * @now: the time
 */
void npu_dispatch_advance(struct npu_context *ctx, u64 now)
{
	struct npu_slot *head;
	bool waiting;
	int error;

	lockdep_assert_held(&ctx->npu->exec->lock);
	/* What a core has ends by itself. */
	while (ctx->completed < ctx->submitted && !ctx->running) {
		head = npu_dispatch_head(ctx);
		/* First, for the error is set before the count is dropped. */
		waiting = head->submit &&
			  atomic_read_acquire(&head->submit->pending);
		error = npu_head_refused(ctx, head, waiting);
		if (!error) {
			if (!waiting) {
				npu_context_begin(ctx, head);
				npu_context_ready(ctx, now);
			}
			break;
		}
		npu_entity_unready(&ctx->entity, now);
		head->error = error;
		npu_context_complete(ctx, now);
	}
	if (!ctx->entity.ready && !ctx->running)
		npu_entity_idle(&ctx->entity);
	if (ctx->signalled < ctx->completed)
		npu_signal_context(ctx);
}

/*
 * The core that is to take another address space, if one is to: of the idle ones
 * that has none, or that has done nothing for longest.
 */
static struct npu_core *npu_dispatch_switch(struct npu_device *npu)
{
	struct npu_core *best = NULL;
	unsigned int i;

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->exec->cores[i];

		if (core->state != NPU_CORE_IDLE || !npu_sched_any(&core->sched))
			continue;
		if (!best || (best->attached &&
			      (!core->attached || core->used < best->used)))
			best = core;
	}
	return best;
}

/*
 * The lane of the head that has most left to do. If it were another, a job whose
 * lanes have to wait for cores by turns would end with one lane, and idle cores.
 */
static u32 npu_context_lane(const struct npu_context *ctx,
			    const struct npu_slot *head)
{
	u32 best = 0, most = 0, i;

	for (i = 0; i < head->job->lane_count; i++) {
		u32 left = head->job->lanes[i].task_count - ctx->lanes[i].next;

		if (ctx->todo & BIT(i) && left > most) {
			most = left;
			best = i;
		}
	}
	return best;
}

/* The context whose slice @core is to run next, past its gate; or %NULL. */
static struct npu_context *npu_core_pick(struct npu_core *core, bool stay,
					 u64 now)
{
	struct npu_entity *entity;
	struct npu_context *ctx;

	while ((entity = npu_sched_pick(&core->sched, stay, now))) {
		ctx = container_of(entity, struct npu_context, entity);
		if (npu_gate_enter(&ctx->vm->gate))
			return ctx;
		/* Its buffers move; npu_dispatch_resume() follows. */
		npu_entity_unready(entity, now);
		if (!ctx->running)
			npu_entity_idle(entity);
	}
	return NULL;
}

/* Give @core the next slice of @ctx. */
static void npu_core_take(struct npu_core *core, struct npu_context *ctx,
			  u64 now)
{
	struct npu_slot *head = npu_dispatch_head(ctx);

	core->ctx = ctx;
	core->error = 0;
	core->started = 0;
	core->used = ++core->npu->exec->taken;
	core->lane = npu_context_lane(ctx, head);
	core->first = ctx->lanes[core->lane].next;
	core->tasks = npu_slice_tasks(&head->job->lanes[core->lane], core->first,
				      npu_sched_slice_ns(core->sched.sched));
	head->begun = true;
	ctx->todo &= ~BIT(core->lane);
	ctx->running++;
	npu_sched_taken(&core->sched, &ctx->entity, now);
	if (!ctx->todo)
		npu_entity_unready(&ctx->entity, now);
	npu_core_start(core, now);
}

/**
 * npu_dispatch_run() - give work to every idle core that there is work for
 * @npu: the device
 * @now: the time
 */
void npu_dispatch_run(struct npu_device *npu, u64 now)
{
	struct npu_context *ctx;
	struct npu_core *core;
	unsigned int i;

	lockdep_assert_held(&npu->exec->lock);
	if (npu->exec->dead || npu->exec->frozen)
		return;
	npu_sched_follow(&npu->exec->sched, now);
	if (npu_sched_has_latency(&npu->exec->sched))
		npu_alert_raise(npu);
	/* Mostly, a lane that starts where another has ended leaves nothing ready. */
	for (i = 0; i < npu->core_count && npu->exec->sched.ready_count; i++) {
		core = &npu->exec->cores[i];
		if (core->state != NPU_CORE_IDLE)
			continue;
		ctx = npu_core_pick(core, true, now);
		if (ctx)
			npu_core_take(core, ctx, now);
	}
	while (npu->exec->sched.ready_count &&
	       (core = npu_dispatch_switch(npu))) {
		ctx = npu_core_pick(core, false, now);
		if (ctx)
			npu_core_take(core, ctx, now);
	}
	for (i = 0; i < npu->core_count && !npu->exec->alert; i++)
		if (npu->exec->cores[i].state == NPU_CORE_IDLE)
			npu_core_rest(&npu->exec->cores[i]);
}

/**
 * npu_dispatch_resume() - the gate of a client's address space has opened
 * @client: the client
 */
void npu_dispatch_resume(struct npu_client *client)
{
	struct npu_device *npu = client->npu;
	struct npu_context *ctx;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	list_for_each_entry(ctx, &client->contexts, client_link) {
		/* If the gate was opened early, slices may still run. */
		if (ctx->running && ctx->todo && !npu_dispatch_head(ctx)->error)
			npu_context_ready(ctx, now);
		else
			npu_dispatch_advance(ctx, now);
	}
	npu_dispatch_run(npu, now);
	spin_unlock_irq(&npu->exec->lock);
}

/* @core is done with its slice of the head of @ctx, after @device_ns. */
static void npu_dispatch_end_slice(struct npu_core *core,
				   struct npu_context *ctx,
				   struct npu_slot *head, u64 device_ns,
				   int error)
{
	struct npu_job_lane *lane = &head->job->lanes[core->lane];
	struct npu_head_lane *progress = &ctx->lanes[core->lane];

	progress->device_ns += device_ns;
	head->device_ns = max(head->device_ns, progress->device_ns);
	if (error) {
		head->error = head->error ?: error;
		return;
	}
	progress->next += core->tasks;
	if (progress->next < lane->task_count)
		ctx->todo |= BIT(core->lane);
	npu_slice_learn(lane, core->first, core->tasks, device_ns);
}

/**
 * npu_dispatch_end_lane() - what a core was started with has ended; the core is idle
 * @core: the core
 * @result: how it ended
 * @now: when
 */
void npu_dispatch_end_lane(struct npu_core *core,
			   const struct npu_hw_result *result, u64 now)
{
	struct npu_context *ctx = core->ctx;
	struct npu_slot *head = npu_dispatch_head(ctx);
	struct drm_npu_query_context *stats = &ctx->stats;
	u64 device_ns;

	lockdep_assert_held(&core->npu->exec->lock);
	core->state = NPU_CORE_IDLE;
	core->ctx = NULL;
	ctx->running--;
	npu_gate_leave(&ctx->vm->gate);
	if (core->npu->exec->frozen)
		wake_up_all(&core->npu->exec->idle);

	device_ns = result->device_ns;
	if (core->started) {
		if (core->sched.rank != NPU_RANK_BACKGROUND)
			core->busy_ns += now - core->started;
		if (!device_ns)
			device_ns = now - core->started;
	}
	stats->busy_ns += device_ns;
	ctx->client->busy_ns += device_ns;
	stats->tasks += result->tasks;
	stats->read_bytes += result->read_bytes;
	stats->written_bytes += result->written_bytes;
	stats->sram_bytes += result->sram_bytes;
	trace_npu_slice(core, ctx, device_ns, now);
	npu_dispatch_end_slice(core, ctx, head, device_ns, result->error);
	npu_sched_charge(&core->sched, &ctx->entity, device_ns, now);

	/* The rest of a job that failed is not worth starting. */
	if (head->error)
		npu_entity_unready(&ctx->entity, now);
	else if (ctx->todo)
		npu_context_ready(ctx, now);
	if (ctx->running || ctx->entity.ready)
		return;
	npu_context_complete(ctx, now);
	npu_dispatch_advance(ctx, now);
}

/* Why @ctx cannot take @count more jobs, or 0. */
static int npu_context_full(const struct npu_context *ctx, u32 count)
{
	if (ctx->npu->exec->dead)
		return -ENODEV;
	if (ctx->killed)
		return -ENOENT;
	if (ctx->stats.flags & DRM_NPU_CONTEXT_BANNED)
		return -EIO;
	if (ctx->submitted - ctx->completed + count > ctx->max_queued)
		return -EBUSY;
	if (ctx->submitted - ctx->retired + count > ctx->slot_count)
		return -EAGAIN;
	return 0;
}

/**
 * npu_dispatch_queue() - queue jobs behind all that a context has
 * @ctx: the context
 * @request: the jobs, whose references are taken over; its submit gets a reference
 * for the caller and one a job
 * @seqno: receives the sequence number of the last job
 *
 * Return: 0; or, with nothing changed, -ENODEV, -ENOENT (the context is being
 * destroyed), -EIO (it is banned), -E2BIG, -EBUSY, -ESTALE (a buffer has become
 * shared), or -EAGAIN: there is room, but jobs that have ended are still to be
 * retired, see npu_dispatch_wait_room().
 */
int npu_dispatch_queue(struct npu_context *ctx,
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
	/* Under the lock, so that no time is before that of what came first. */
	now = npu_now(npu);
	ret = npu_context_full(ctx, count);
	if (!ret && npu_vm_shares(ctx->vm) != request->shares)
		ret = -ESTALE;
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
			.queued_ns = now,
			.deadline_ns = request->deadline_ns,
		};
		if (submit)
			dma_fence_get(&submit->fence);
	}
	*seqno = ctx->submitted;
	if (submit)
		atomic_dec(&submit->pending);
	npu_dispatch_advance(ctx, now);
	npu_dispatch_run(npu, now);
out_unlock:
	spin_unlock_irqrestore(&npu->exec->lock, flags);
	return ret;
}

/**
 * npu_dispatch_wait_room() - wait until a context may have room
 * @ctx: the context
 * @count: for that many jobs
 * @ended: also for jobs to end; else only for ended ones to be retired
 *
 * Return: 0, or -ERESTARTSYS if the caller is killed.
 */
int npu_dispatch_wait_room(struct npu_context *ctx, u32 count, bool ended)
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

/**
 * npu_dispatch_wake() - the in-fences of a submit have signalled
 * @ctx: the context
 */
void npu_dispatch_wake(struct npu_context *ctx)
{
	struct npu_device *npu = ctx->npu;
	unsigned long flags;
	u64 now;

	spin_lock_irqsave(&npu->exec->lock, flags);
	now = npu_now(npu);
	npu_dispatch_advance(ctx, now);
	npu_dispatch_run(npu, now);
	spin_unlock_irqrestore(&npu->exec->lock, flags);
}

/* Have the jobs from @first to @last end with -ECANCELED. Returns their number. */
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
				npu_core_abort(&npu->exec->cores[i], -ECANCELED);
	}
	npu_dispatch_advance(ctx, now);
	return last - first + 1;
}

/**
 * npu_dispatch_cancel() - cancel jobs
 * @ctx: the context
 * @first: the first
 * @last: the last
 * @count: receives how many of them had not ended
 *
 * Return: 0, or -ENOENT if @last was not submitted yet.
 */
int npu_dispatch_cancel(struct npu_context *ctx, u64 first, u64 last,
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
 * npu_dispatch_kill() - cancel all of a context that has not started
 * @ctx: the context
 * @running: also what has
 */
void npu_dispatch_kill(struct npu_context *ctx, bool running)
{
	struct npu_device *npu = ctx->npu;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	ctx->killed = true;
	if (running)
		npu_context_cancel(ctx, 1, ctx->submitted, now);
	npu_dispatch_advance(ctx, now);
	npu_dispatch_run(npu, now);
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_dispatch_change() - give a context other hints
 * @ctx: the context
 * @sched_class: a &enum drm_npu_class, or %NULL to leave it
 * @weight: its weight, or %NULL to leave it
 * @privileged: no limits
 */
void npu_dispatch_change(struct npu_context *ctx, const u32 *sched_class,
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
 * npu_dispatch_tail() - the fence of the newest job of a context
 * @ctx: the context
 * @submit: an empty submit, whose fence becomes the job's if it has none yet
 *
 * Return: the fence, referenced, or %NULL if all jobs have ended. If it is not
 * that of @submit, @submit is still the caller's.
 */
struct dma_fence *npu_dispatch_tail(struct npu_context *ctx,
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
 * npu_dispatch_last_use() - the newest unfinished job that uses a buffer
 * @ctx: the context
 * @mapping: the buffer
 * @writes: look only for jobs that write to it
 *
 * Return: its sequence number, or 0.
 */
u64 npu_dispatch_last_use(struct npu_context *ctx,
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

/**
 * npu_dispatch_unplug() - stop all cores and end all jobs, for good
 * @npu: the device, which is unplugged
 */
void npu_dispatch_unplug(struct npu_device *npu)
{
	LIST_HEAD(done);
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	npu->exec->dead_ns = npu_now(npu);
	npu->exec->dead = true;
	for (i = 0; i < npu->core_count; i++)
		if (npu->exec->cores[i].ctx)
			npu_core_abort(&npu->exec->cores[i], -ENODEV);
	while (!list_empty(&npu->exec->contexts)) {
		struct npu_context *ctx = list_first_entry(&npu->exec->contexts,
							   struct npu_context,
							   link);

		list_move_tail(&ctx->link, &done);
		npu_dispatch_advance(ctx, npu_now(npu));
		spin_unlock_irq(&npu->exec->lock);
		cond_resched();
		spin_lock_irq(&npu->exec->lock);
	}
	list_splice(&done, &npu->exec->contexts);
	spin_unlock_irq(&npu->exec->lock);

	for (i = 0; i < npu->core_count; i++)
		kthread_flush_worker(npu->exec->cores[i].worker);
	npu_signal_flush(npu);
	npu_alert_fini(npu);
	for (i = 0; i < npu->core_count; i++)
		npu_core_unplug(&npu->exec->cores[i]);
}

/**
 * npu_dispatch_fini() - end the threads; nothing is queued
 * @npu: the device
 */
void npu_dispatch_fini(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++)
		npu_core_fini(&npu->exec->cores[i]);
	npu_signal_fini(npu);
	npu_dump_fini(npu);
	kfree(npu->exec);
}

/**
 * npu_dispatch_init() - prepare the dispatcher
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_dispatch_init(struct npu_device *npu)
{
	struct npu_exec *exec = kzalloc(sizeof(*exec), GFP_KERNEL);
	unsigned int i;
	int ret;

	if (!exec)
		return -ENOMEM;
	npu->exec = exec;
	exec->npu = npu;
	exec->timeout = msecs_to_jiffies(npu->desc.timeout_ms);
	spin_lock_init(&exec->lock);
	npu_sched_init(&exec->sched, &npu_sched_defaults);
	exec->sched.stay_ns = NPU_DISPATCH_STAY_NS;
	npu_alert_init(npu);
	init_waitqueue_head(&exec->idle);
	INIT_LIST_HEAD(&exec->contexts);
	ret = npu_signal_init(npu);
	if (!ret)
		ret = npu_dump_init(npu);
	for (i = 0; i < npu->core_count && !ret; i++)
		ret = npu_core_init(npu, i);
	if (ret)
		npu_dispatch_fini(npu);
	return ret;
}

/**
 * npu_dispatch_query() - fill in what the tunables say
 * @npu: the device
 * @record: receives it
 */
void npu_dispatch_query(const struct npu_device *npu,
			struct drm_npu_query_limits *record)
{
	const struct npu_sched_params *params = npu->exec->sched.params;
	u64 slice_ns = npu_sched_slice_ns(&npu->exec->sched);

	record->latency_percent = min(READ_ONCE(params->latency_percent), 100u);
	record->slice_ns = slice_ns == U64_MAX ? 0 : slice_ns;
	record->starve_ns = READ_ONCE(params->starve_ms) * (u64)NSEC_PER_MSEC;
	record->latency_window_ns = READ_ONCE(params->latency_window_ms) *
				    (u64)NSEC_PER_MSEC;
}
