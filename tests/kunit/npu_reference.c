// SPDX-License-Identifier: GPL-2.0-only
/* Queues and cores; see npu_reference.h. */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/time64.h>

#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_slice.h"
#include "../../driver/core/include/npu_device.h"
#include "npu_reference.h"

bool npu_ref_banned(const struct npu_ref_context *ctx)
{
	return ctx->file->guilty >= NPU_MAX_GUILTY;
}

/*
 * Has the head lanes with tasks left that no core has? Which is the first of those
 * with most?
 */
static bool npu_ref_lane(struct npu_ref_context *ctx, u32 *lane)
{
	struct npu_ref_job *head = npu_ref_job(ctx, ctx->completed + 1);
	u32 most = 0, i;

	for (i = 0; i < head->job->lane_count; i++) {
		u32 left = head->job->lanes[i].task_count - head->next[i];

		if (head->busy & BIT(i) || left <= most)
			continue;
		most = left;
		*lane = i;
	}
	return most;
}

/* The oldest context after @previous. */
static struct npu_ref_context *npu_ref_next(struct npu_ref *ref, u64 previous)
{
	struct npu_ref_context *best = NULL;
	u32 i;

	for (i = 0; i < NPU_REF_CONTEXTS; i++) {
		struct npu_ref_context *ctx = &ref->contexts[i];

		if (ctx->file && ctx->born > previous &&
		    (!best || ctx->born < best->born))
			best = ctx;
	}
	return best;
}

/* What contexts of a file have queued is not started any more. */
static void npu_ref_ban(struct npu_ref *ref, const struct npu_ref_file *file)
{
	struct npu_ref_context *ctx;

	for (ctx = npu_ref_next(ref, 0); ctx; ctx = npu_ref_next(ref, ctx->born))
		if (ctx->file == file && ctx->completed < ctx->submitted &&
		    !npu_ref_job(ctx, ctx->completed + 1)->begun)
			npu_ref_advance(ref, ctx);
}

static void npu_ref_complete(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	struct npu_ref_job *head = npu_ref_job(ctx, ++ctx->completed);

	ref->ended++;
	if (head->submit) {
		head->submit->jobs--;
		if (!head->submit->out_error)
			head->submit->out_error = head->error;
	}
	if (!head->guilty)
		return;
	ctx->guilty++;
	if (++ctx->file->guilty == NPU_MAX_GUILTY)
		npu_ref_ban(ref, ctx->file);
}

/* End what cannot run; then the oldest job is ready, or waits. */
void npu_ref_advance(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	while (ctx->completed < ctx->submitted) {
		struct npu_ref_job *head = npu_ref_job(ctx, ctx->completed + 1);
		bool waiting = head->submit && head->submit->pending;
		u32 lane;

		if (head->busy) {
			/* Lanes that found the gate closed. */
			if (!ctx->ready && !head->error && npu_ref_lane(ctx, &lane))
				npu_ref_ready(ref, ctx);
			return;
		}
		if (!head->error && !head->begun) {
			if (ctx->killed || npu_ref_banned(ctx))
				head->error = -ECANCELED;
			else if (head->submit && !waiting)
				head->error = head->submit->in_error;
		}
		if (!head->error) {
			if (!waiting)
				npu_ref_ready(ref, ctx);
			break;
		}
		npu_ref_unready(ref, ctx);
		npu_ref_complete(ref, ctx);
	}
	if (!ctx->ready)
		npu_ref_idle(ref, ctx);
}

void npu_ref_hold(struct npu_ref *ref, struct npu_ref_file *file)
{
	file->held = true;
}

void npu_ref_release(struct npu_ref *ref, struct npu_ref_file *file)
{
	struct npu_ref_context *ctx;

	file->held = false;
	for (ctx = npu_ref_next(ref, 0); ctx; ctx = npu_ref_next(ref, ctx->born))
		if (ctx->file == file)
			npu_ref_advance(ref, ctx);
	npu_ref_run(ref);
}

/* Tasks that take no longer than a slice; one at least, and what belongs to them. */
static u32 npu_ref_slice(const struct npu_ref *ref,
			 const struct npu_job_lane *lane, u32 first)
{
	u64 left = ref->policy->slice_us * (u64)NSEC_PER_USEC;
	u32 count = 0;

	if (!left || ref->policy->fcfs)
		return lane->task_count - first;
	for (; first + count < lane->task_count; count++) {
		const struct npu_job_task *task = &lane->tasks[first + count];

		u64 ns = npu_slice_cost(lane, first + count, 1);

		if (count && !task->continues && ns > left)
			break;
		left -= min(left, ns);
	}
	return count;
}

static void npu_ref_take(struct npu_ref *ref, u32 i, struct npu_ref_context *ctx)
{
	struct npu_ref_job *head = npu_ref_job(ctx, ctx->completed + 1);
	struct npu_ref_core *core = &ref->cores[i];
	u32 lane;

	core->ctx = ctx;
	core->used = ++ref->taken;
	npu_ref_lane(ctx, &core->lane);
	core->first = head->next[core->lane];
	core->tasks = npu_ref_slice(ref, &head->job->lanes[core->lane],
				    core->first);
	core->started = ref->now;
	head->busy |= BIT(core->lane);
	head->begun = true;
	npu_ref_taken(ref, core);
	if (!npu_ref_lane(ctx, &lane))
		npu_ref_unready(ref, ctx);
	core->fails = core->attached != ctx->file && ref->failing == i;
	core->attached = ctx->file;
	head->started |= !core->fails;
}

/* Contexts are put in the order that is asked for now. */
static void npu_ref_follow(struct npu_ref *ref)
{
	struct npu_ref_context *ctx;

	if (ref->fcfs == ref->policy->fcfs)
		return;
	ref->fcfs = ref->policy->fcfs;
	for (ctx = npu_ref_next(ref, 0); ctx; ctx = npu_ref_next(ref, ctx->born)) {
		if (!ctx->ready)
			continue;
		npu_ref_unready(ref, ctx);
		npu_ref_ready(ref, ctx);
	}
}

/* What a core is to serve, whose gate is open; contexts that find it shut wait. */
static struct npu_ref_context *npu_ref_choose(struct npu_ref *ref, u32 i, bool stay)
{
	struct npu_ref_context *ctx;

	for (;;) {
		ctx = npu_ref_pick(ref, i);
		if (!ctx || (stay && ctx->file != ref->cores[i].attached))
			return NULL;
		if (!ctx->file->held)
			return ctx;
		npu_ref_unready(ref, ctx);
		if (!npu_ref_job(ctx, ctx->completed + 1)->busy)
			npu_ref_idle(ref, ctx);
	}
}

/* Cores that fit come first, then the one that is not missed. */
void npu_ref_run(struct npu_ref *ref)
{
	struct npu_ref_context *ctx;
	u64 least = 0;
	u32 i, best;

	npu_ref_follow(ref);
	for (i = 0; i < ref->core_count; i++) {
		ctx = ref->cores[i].ctx ? NULL : npu_ref_choose(ref, i, true);
		if (ctx)
			npu_ref_take(ref, i, ctx);
	}
	do {
		best = ref->core_count;
		for (i = 0; i < ref->core_count; i++) {
			struct npu_ref_core *core = &ref->cores[i];
			u64 used = core->attached ? core->used : 0;

			if (!core->ctx && npu_ref_waits(ref, i) &&
			    (best == ref->core_count || used < least)) {
				best = i;
				least = used;
			}
		}
		ctx = best < ref->core_count ? npu_ref_choose(ref, best, false) :
					       NULL;
		if (ctx)
			npu_ref_take(ref, best, ctx);
	} while (best < ref->core_count);
}

/**
 * npu_ref_end() - the slice of a core ends
 * @ref: the device
 * @core: the core
 * @device_ns: device time, or 0 for that of the clock
 * @error: 0 or a negative errno
 */
void npu_ref_end(struct npu_ref *ref, struct npu_ref_core *core, u64 device_ns,
		 int error)
{
	struct npu_ref_context *ctx = core->ctx;
	struct npu_ref_job *head = npu_ref_job(ctx, ctx->completed + 1);
	u32 lane;

	core->ctx = NULL;
	head->busy &= ~BIT(core->lane);
	if (!error) {
		head->next[core->lane] += core->tasks;
		ctx->tasks += core->tasks;
	} else {
		head->error = head->error ?: error;
		head->guilty |= error == -EFAULT || error == -ETIMEDOUT;
	}
	if (!device_ns && !core->fails)
		device_ns = ref->now - core->started;
	core->fails = false;
	npu_ref_charge(ref, core, ctx, device_ns);
	if (head->error)
		npu_ref_unready(ref, ctx);
	else if (npu_ref_lane(ctx, &lane))
		npu_ref_ready(ref, ctx);
	if (!head->busy && !ctx->ready) {
		npu_ref_complete(ref, ctx);
		npu_ref_advance(ref, ctx);
	}
	npu_ref_run(ref);
}
