// SPDX-License-Identifier: GPL-2.0-only
/*
 * The head of a context: its oldest job that has not ended. Whether it
 * can start, which lanes are left, and its end.
 */
#include <linux/dma-fence.h>
#include <linux/mm.h>

#include "../include/npu_hw.h"
#include "../mem/npu_user.h"
#include "../mem/npu_vm.h"
#include "npu_activity.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_job.h"
#include "npu_slice.h"
#include "npu_submit.h"
#include "npu_trace.h"
#include "npu_waiter.h"

/* Jobs that end at a time with interrupts off, without having run. */
#define NPU_HEAD_ENDS		16u

/**
 * npu_context_head() - the oldest job that has not ended
 * @ctx: the context, which has one
 *
 * Return: its slot.
 */
struct npu_slot *npu_context_head(struct npu_context *ctx)
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
	/* A job that has started is finished, even if its context is destroyed. */
	if (head->begun)
		return 0;
	if (ctx->killed || ctx->client->banned)
		return -ECANCELED;
	return head->submit && !waiting ? READ_ONCE(head->submit->in_error) : 0;
}

/* Have the thread that signals fences call npu_head_advance(). */
static void npu_head_later(struct npu_context *ctx)
{
	ctx->again = true;
	npu_signal_context(ctx);
}

/* Write the end of a job to the page that clients map. */
static void npu_head_publish(struct npu_context *ctx, u64 seqno,
			     const struct npu_slot *slot)
{
	struct drm_npu_context_page *page = page_address(ctx->page);
	struct drm_npu_page_job *job = &page->jobs[seqno % DRM_NPU_PAGE_JOBS];

	WRITE_ONCE(page->sequence, page->sequence + 1);
	/* Readers that load 32 bits look at sequence before and after the rest. */
	smp_wmb();
	WRITE_ONCE(job->seqno, 0);
	/* Readers that load 64 bits compare seqno before and after the rest. */
	smp_wmb();
	job->queued_ns = slot->queued_ns;
	job->started_ns = slot->started_ns;
	job->ended_ns = slot->ended_ns;
	job->device_ns = slot->device_ns;
	job->error = -slot->error;
	/* A reader that sees seqno sees the rest of the job. */
	smp_wmb();
	WRITE_ONCE(job->seqno, seqno);
	WRITE_ONCE(page->failed_seqno, ctx->stats.failed_seqno);
	WRITE_ONCE(page->flags, ctx->stats.flags);
	/* A reader that sees completed_seqno sees all of the above. */
	smp_wmb();
	WRITE_ONCE(page->completed_seqno, seqno);
	/* The end of what sequence protects. */
	smp_wmb();
	WRITE_ONCE(page->sequence, page->sequence + 1);
}

/*
 * Be done with the job that has just ended, for which no thread waits, unless there
 * is a fence to signal, an older job to be done with, somebody to be told that there
 * is room, or something to be freed.
 */
static void npu_head_retire_now(struct npu_context *ctx,
				struct npu_slot *slot)
{
	/* A waiter checks for room under the lock, after it has queued itself. */
	if (waitqueue_active(&ctx->vm->user->room))
		return;
	/* With @again it is in the list of contexts to be signalled. */
	if (slot->submit || ctx->again ||
	    ctx->retired != ctx->completed - 1 ||
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

/*
 * Ban a client. What its contexts have queued is left to the thread that signals
 * fences, for it may be much.
 */
static void npu_head_ban(struct npu_client *client, u64 now)
{
	struct npu_context *ctx;

	client->banned = true;
	list_for_each_entry(ctx, &client->contexts, client_link) {
		struct drm_npu_context_page *page = page_address(ctx->page);

		ctx->stats.flags |= DRM_NPU_CONTEXT_BANNED;
		WRITE_ONCE(page->flags, ctx->stats.flags);
		if (ctx->completed == ctx->submitted ||
		    npu_context_head(ctx)->begun)
			continue;
		npu_entity_unready(&ctx->entity, now);
		npu_entity_idle(&ctx->entity);
		npu_head_later(ctx);
	}
}

/* A job of @ctx has hung or faulted. */
static void npu_head_blame(struct npu_context *ctx, u64 now)
{
	struct npu_client *client = ctx->client;

	ctx->stats.guilty_jobs++;
	if (++client->guilty >= NPU_MAX_GUILTY && !client->banned)
		npu_head_ban(client, now);
}

/* The head has ended: account for it. */
static void npu_head_complete(struct npu_context *ctx, u64 now)
{
	struct npu_slot *head = npu_context_head(ctx);
	struct drm_npu_query_context *stats = &ctx->stats;

	head->ended_ns = now;
	npu_activity_end(ctx->client, head);
	if (head->deadline_ns && now > head->deadline_ns)
		stats->missed_deadlines++;
	ctx->todo = 0;
	ctx->completed++;
	if (ctx->limited)
		npu_user_uncharge(ctx->vm->user, NPU_USER_JOBS, 1);
	stats->device_ns += head->device_ns;
	if (head->error) {
		stats->failed_jobs++;
		stats->failed_seqno = ctx->completed;
		stats->failed_errno = -head->error;
		if (head->submit && !head->submit->out_error)
			head->submit->out_error = head->error;
	}
	if (head->guilty)
		npu_head_blame(ctx, now);

	trace_npu_job(ctx, ctx->completed, head);
	npu_head_publish(ctx, ctx->completed, head);
	if (!npu_waiters_wake(ctx, head))
		npu_head_retire_now(ctx, head);
}

/* The head of @ctx has lanes that a core could start. */
static void npu_head_ready(struct npu_context *ctx, u64 now)
{
	const struct npu_slot *head = npu_context_head(ctx);
	const struct npu_entity_work work = {
		.queued_ns = head->queued_ns,
		.deadline_ns = head->deadline_ns,
	};

	npu_entity_ready(&ctx->entity, &work, now);
}

/* The head could begin: all of its lanes are to be done. */
static void npu_head_begin(struct npu_context *ctx,
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
 * npu_head_advance() - find out what the head can do: end, wait, or become ready
 * @ctx: the context
 * @now: the time
 *
 * Ends a few jobs at most. If there are more to be ended, the thread that signals
 * fences goes on.
 */
void npu_head_advance(struct npu_context *ctx, u64 now)
{
	u32 ends = NPU_HEAD_ENDS;
	struct npu_slot *head;
	bool waiting;
	int error;

	lockdep_assert_held(&ctx->npu->exec->lock);
	/* Slices that run are dealt with when they end. */
	while (ctx->completed < ctx->submitted && !ctx->running) {
		head = npu_context_head(ctx);
		/* First, for the error is set before the count is dropped. */
		waiting = head->submit &&
			  atomic_read_acquire(&head->submit->pending);
		error = npu_head_refused(ctx, head, waiting);
		if (!error) {
			if (!waiting) {
				npu_head_begin(ctx, head);
				npu_head_ready(ctx, now);
			}
			break;
		}
		npu_entity_unready(&ctx->entity, now);
		if (!ends--) {
			npu_head_later(ctx);
			break;
		}
		head->error = error;
		npu_head_complete(ctx, now);
	}
	if (!ctx->entity.ready && !ctx->running)
		npu_entity_idle(&ctx->entity);
	if (ctx->signalled < ctx->completed)
		npu_signal_context(ctx);
}

/**
 * npu_head_lane() - the lane of the head that has most left to do
 * @ctx: the context, whose head has lanes that no core has
 *
 * If it were another, a job whose lanes have to wait for cores by turns would end
 * with one lane, and idle cores.
 *
 * Return: the number of the lane.
 */
u32 npu_head_lane(struct npu_context *ctx)
{
	const struct npu_slot *head = npu_context_head(ctx);
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

/**
 * npu_head_end_slice() - account for a slice that has ended
 * @ctx: the context
 * @core: the core that had the slice
 * @result: how it ended
 * @device_ns: device time that it took
 */
void npu_head_end_slice(struct npu_context *ctx, const struct npu_core *core,
			const struct npu_hw_result *result, u64 device_ns)
{
	struct npu_slot *head = npu_context_head(ctx);
	struct npu_job_lane *lane = &head->job->lanes[core->lane];
	struct npu_head_lane *progress = &ctx->lanes[core->lane];
	struct drm_npu_query_context *stats = &ctx->stats;

	ctx->running--;
	stats->busy_ns += device_ns;
	stats->tasks += result->tasks;
	stats->read_bytes += result->read_bytes;
	stats->written_bytes += result->written_bytes;
	stats->sram_bytes += result->sram_bytes;

	progress->device_ns += device_ns;
	head->device_ns = max(head->device_ns, progress->device_ns);
	if (result->error) {
		/* Nothing is wrong with what the kernel itself has stopped. */
		if (core->started && result->error != -ENODEV &&
		    result->error != -ECANCELED && !head->fault.flags)
			npu_core_locate(core, &head->fault);
		head->error = head->error ?: result->error;
		/* The same errors from an in-fence are nobody's guilt. */
		head->guilty |= core->started && (result->error == -ETIMEDOUT ||
						  result->error == -EFAULT);
		return;
	}
	progress->next += core->tasks;
	if (progress->next < lane->task_count)
		ctx->todo |= BIT(core->lane);
	npu_slice_learn(lane, core->first, core->tasks, device_ns);
}

/**
 * npu_head_continue() - find out what is left of the head, which has begun
 * @ctx: the context
 * @now: the time
 *
 * Lanes that are left become ready, or, if nothing is left, the job ends.
 */
void npu_head_continue(struct npu_context *ctx, u64 now)
{
	/* The rest of a job that failed is not worth starting. */
	if (npu_context_head(ctx)->error)
		npu_entity_unready(&ctx->entity, now);
	else if (ctx->todo)
		npu_head_ready(ctx, now);
	if (ctx->running || ctx->entity.ready)
		return;
	npu_head_complete(ctx, now);
	npu_head_advance(ctx, now);
}
