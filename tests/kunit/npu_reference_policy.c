// SPDX-License-Identifier: GPL-2.0-only
/* Who is next; see npu_reference.h. */
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "npu_accel.h"
#include "npu_reference.h"

/* Virtual time of a default context in 100 ms. */
#define SPAN	(100 * (s64)NSEC_PER_MSEC * 1024 / DRM_NPU_WEIGHT_DEFAULT)
/* In 1000 s. */
#define DEBT	(10000 * SPAN)
/* Files that repay before one choice. */
#define REPAYS	8

static bool npu_ref_is_active(const struct npu_ref_context *ctx,
			      const struct npu_ref_file *file,
			      enum npu_rank rank)
{
	return ctx->file == file && ctx->active && ctx->rank == rank;
}

/* The weight of a file in a rank, 0 if it is not active. */
static u32 npu_ref_weight(const struct npu_ref *ref,
			  const struct npu_ref_file *file, enum npu_rank rank)
{
	u32 weight = 0, i;

	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		if (npu_ref_is_active(&ref->contexts[i], file, rank))
			weight = max(weight, ref->contexts[i].weight);
	return weight;
}

/* The mean of a rank, without @except. */
static s64 npu_ref_mean(const struct npu_ref *ref, enum npu_rank rank,
			const struct npu_ref_file *except)
{
	s64 base = ref->mean[rank], sum = 0, weights = 0, mean;
	u32 i;

	for (i = 0; i < NPU_REF_FILES; i++) {
		const struct npu_ref_file *file = &ref->files[i];
		s64 weight = npu_ref_weight(ref, file, rank);

		if (file == except)
			continue;
		sum += weight * (file->shares[rank].time - base);
		weights += weight;
	}
	if (!weights)
		return base;
	mean = div64_s64(sum, weights);
	if (mean * weights > sum)
		mean--;
	return base + mean;
}

/* Something has changed that the mean of @rank depends on. */
static void npu_ref_average(struct npu_ref *ref, enum npu_rank rank)
{
	ref->mean[rank] = npu_ref_mean(ref, rank, NULL);
}

/* Are other files active? */
static bool npu_ref_others(const struct npu_ref *ref,
			   const struct npu_ref_file *file, enum npu_rank rank)
{
	u32 i;

	for (i = 0; i < NPU_REF_FILES; i++)
		if (&ref->files[i] != file &&
		    npu_ref_weight(ref, &ref->files[i], rank))
			return true;
	return false;
}

/* Is a file far ahead of all others that there are? */
static bool npu_ref_ahead(const struct npu_ref *ref,
			  const struct npu_ref_file *file, enum npu_rank rank)
{
	return npu_ref_others(ref, file, rank) &&
	       file->shares[rank].time - npu_ref_mean(ref, rank, file) > SPAN / 2;
}

/* Move debt to the time of a file, up to a span. Returns whether there was room. */
static bool npu_ref_repay(struct npu_ref *ref, struct npu_ref_file *file,
			  enum npu_rank rank)
{
	struct npu_ref_share *share = &file->shares[rank];
	s64 room = npu_ref_mean(ref, rank, file) + SPAN - share->time;
	s64 part = min(share->debt, room);

	if (part <= 0 || !npu_ref_others(ref, file, rank))
		return false;
	share->time += part;
	share->debt -= part;
	npu_ref_average(ref, rank);
	return true;
}

static bool npu_ref_limited(const struct npu_ref_context *ctx)
{
	return !ctx->privileged && ctx->sched_class == DRM_NPU_CLASS_LATENCY;
}

/* Files that have had limited latency work in this window or the last. */
static u32 npu_ref_limited_files(const struct npu_ref *ref)
{
	u64 window = ref->policy->latency_window_ms * (u64)NSEC_PER_MSEC;
	u32 files = 0, i;

	for (i = 0; i < NPU_REF_FILES; i++) {
		u64 wanted = ref->files[i].wanted;

		files += wanted && div64_u64(ref->now, window) -
				   div64_u64(wanted, window) <= 1;
	}
	return max(files, 1u);
}

/* What each of @files has of @ns nanoseconds of the device for latency work. */
static u64 npu_ref_part(const struct npu_ref *ref, u64 ns, u32 files)
{
	return div_u64(min(ns, 1000ull * NSEC_PER_SEC) * ref->core_count *
		       ref->policy->latency_percent, 100 * files);
}

static s64 npu_ref_most(const struct npu_ref *ref, u32 files)
{
	return npu_ref_part(ref, ref->policy->latency_window_ms *
			    (u64)NSEC_PER_MSEC, files);
}

static void npu_ref_grow(const struct npu_ref *ref, struct npu_ref_budget *budget,
			 u32 files)
{
	budget->left += npu_ref_part(ref, ref->now - budget->at, files);
	budget->left = min(budget->left, npu_ref_most(ref, files));
	budget->at = ref->now;
}

static bool npu_ref_budget(struct npu_ref *ref, struct npu_ref_file *file)
{
	npu_ref_grow(ref, &file->budget, npu_ref_limited_files(ref));
	npu_ref_grow(ref, &ref->budget, 1);
	return file->budget.left > 0 && ref->budget.left > 0;
}

static enum npu_rank npu_ref_rank(struct npu_ref *ref,
				  const struct npu_ref_context *ctx)
{
	if (ref->fcfs)
		return NPU_RANK_THROUGHPUT;
	if (ctx->sched_class == DRM_NPU_CLASS_BACKGROUND)
		return NPU_RANK_BACKGROUND;
	if (ctx->sched_class == DRM_NPU_CLASS_LATENCY &&
	    (!npu_ref_limited(ctx) || npu_ref_budget(ref, ctx->file)))
		return NPU_RANK_LATENCY;
	return NPU_RANK_THROUGHPUT;
}

static void npu_ref_activate(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	enum npu_rank rank = npu_ref_rank(ref, ctx);
	struct npu_ref_share *share = &ctx->file->shares[rank];
	bool comes;

	if (ctx->active && ctx->rank == rank)
		return;
	npu_ref_idle(ref, ctx);
	comes = !npu_ref_weight(ref, ctx->file, rank);
	ctx->time = clamp(ctx->time, share->lowest, share->lowest + SPAN);
	if (comes)
		npu_ref_repay(ref, ctx->file, rank);
	if (comes)
		share->time = clamp(share->time, ref->mean[rank],
				    ref->mean[rank] + SPAN);
	ctx->active = true;
	ctx->rank = rank;
	npu_ref_average(ref, rank);
	if (comes)
		share->overdrawn = npu_ref_ahead(ref, ctx->file, rank);
}

void npu_ref_idle(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	ctx->active = false;
	npu_ref_average(ref, ctx->rank);
}

static bool npu_ref_could(const struct npu_ref_context *ctx, u32 core,
			  enum npu_rank rank)
{
	return ctx->file && ctx->ready && ctx->rank == rank &&
	       ctx->mask & BIT(core);
}

static bool npu_ref_rank_waits(const struct npu_ref *ref, u32 core,
			       enum npu_rank rank)
{
	u32 i;

	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		if (npu_ref_could(&ref->contexts[i], core, rank))
			return true;
	return false;
}

bool npu_ref_waits(struct npu_ref *ref, u32 core)
{
	enum npu_rank rank;

	for (rank = 0; rank < NPU_RANKS; rank++)
		if (npu_ref_rank_waits(ref, core, rank))
			return true;
	return false;
}

void npu_ref_unready(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	ctx->ready = false;
}

void npu_ref_ready(struct npu_ref *ref, struct npu_ref_context *ctx)
{
	u32 i;

	if (npu_ref_limited(ctx))
		ctx->file->wanted = ref->now;
	if (ctx->ready && ctx->rank == npu_ref_rank(ref, ctx))
		return;
	npu_ref_unready(ref, ctx);
	npu_ref_activate(ref, ctx);
	for (i = 0; i < ref->core_count; i++)
		if (ctx->mask & BIT(i) && !npu_ref_rank_waits(ref, i, ctx->rank))
			ref->cores[i].since[ctx->rank] = ref->now;
	ctx->ready = true;
	ctx->since = ++ref->readied;
}

void npu_ref_change(struct npu_ref *ref, struct npu_ref_context *ctx,
		    u32 sched_class, u32 weight, bool privileged)
{
	bool ready = ctx->ready, active = ctx->active;

	npu_ref_unready(ref, ctx);
	npu_ref_idle(ref, ctx);
	ctx->sched_class = sched_class;
	ctx->weight = weight ?: DRM_NPU_WEIGHT_DEFAULT;
	if (!privileged)
		ctx->weight = min_t(u32, ctx->weight, DRM_NPU_WEIGHT_DEFAULT);
	ctx->privileged = privileged;
	if (active && npu_ref_limited(ctx))
		ctx->file->wanted = ref->now;
	if (ready)
		npu_ref_ready(ref, ctx);
	else if (active)
		npu_ref_activate(ref, ctx);
}

void npu_ref_charge(struct npu_ref *ref, struct npu_ref_core *core,
		    struct npu_ref_context *ctx, u64 ns)
{
	struct npu_ref_file *file = ctx->file;
	struct npu_ref_share *share = &file->shares[core->rank];
	u32 weight = npu_ref_weight(ref, file, core->rank), i;
	s64 others = npu_ref_mean(ref, core->rank, file);
	s64 lowest = S64_MAX, time, most;

	if (core->limited) {
		npu_ref_budget(ref, file);
		file->budget.left -= ns;
		ref->budget.left -= min_t(s64, ns, npu_ref_most(ref, 1));
	}
	ctx->time += div_u64(ns * 1024, ctx->weight);
	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		if (npu_ref_is_active(&ref->contexts[i], file, core->rank))
			lowest = min(lowest, ref->contexts[i].time);
	if (lowest != S64_MAX)
		share->lowest = max(share->lowest, lowest);
	if (npu_ref_is_active(ctx, file, core->rank))
		ctx->time = min(ctx->time, share->lowest + SPAN);
	time = share->time + div_u64(ns * 1024, weight ?: ctx->weight);
	most = max(share->time, others + SPAN);
	/* Nobody else waited, or nobody else was there. */
	if (time > most && !core->ahead && npu_ref_others(ref, file, core->rank))
		share->debt = min(share->debt + time - most, DEBT);
	share->time = clamp(min(time, most), others - SPAN, others + SPAN);
	npu_ref_average(ref, core->rank);
	share->overdrawn = npu_ref_ahead(ref, file, core->rank);
}

void npu_ref_taken(struct npu_ref *ref, struct npu_ref_core *core)
{
	struct npu_ref_context *ctx = core->ctx;

	core->rank = ctx->rank;
	core->limited = ctx->rank == NPU_RANK_LATENCY && !ctx->privileged &&
			ctx->sched_class == DRM_NPU_CLASS_LATENCY;
	core->ahead = npu_ref_ahead(ref, ctx->file, ctx->rank);
	core->since[ctx->rank] = ref->now;
}

/**
 * struct npu_ref_claim - by what a file or a context is before another
 */
struct npu_ref_claim {
	/** @deadline: Its deadline, or %U64_MAX. */
	u64 deadline;
	/** @time: Its virtual time. */
	s64 time;
	/** @since: When it became ready; 0 if there is none. */
	u64 since;
};

static bool npu_ref_before(const struct npu_ref_claim *a,
			   const struct npu_ref_claim *b)
{
	if (!a->since || !b->since)
		return a->since;
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return a->time != b->time ? a->time < b->time : a->since < b->since;
}

static struct npu_ref_claim npu_ref_context_claim(const struct npu_ref *ref,
						  struct npu_ref_context *ctx)
{
	const struct npu_ref_job *head = npu_ref_job(ctx, ctx->completed + 1);

	return (struct npu_ref_claim) {
		.deadline = ref->fcfs ? head->queued : head->deadline ?: U64_MAX,
		.time = ctx->time,
		.since = ctx->since,
	};
}

static struct npu_ref_claim npu_ref_file_claim(struct npu_ref *ref, u32 core,
					       struct npu_ref_file *file,
					       enum npu_rank rank)
{
	struct npu_ref_claim claim = {
		.deadline = U64_MAX,
		.time = file->shares[rank].time,
	};
	u32 i;

	for (i = 0; i < NPU_REF_CONTEXTS; i++) {
		struct npu_ref_context *ctx = &ref->contexts[i];
		struct npu_ref_claim own;

		if (ctx->file != file || !npu_ref_could(ctx, core, rank))
			continue;
		own = npu_ref_context_claim(ref, ctx);
		if (ref->fcfs || !file->shares[rank].overdrawn)
			claim.deadline = min(claim.deadline, own.deadline);
		if (!claim.since || own.since < claim.since)
			claim.since = own.since;
	}
	return claim;
}

/* The rank that a core is to serve, which has work for it. */
static enum npu_rank npu_ref_pick_rank(struct npu_ref *ref, u32 core)
{
	u64 starve = ref->policy->starve_ms * (u64)NSEC_PER_MSEC;
	enum npu_rank rank;

	/* The last one that has starved, else the first. */
	for (rank = NPU_RANKS; rank--;)
		if (npu_ref_rank_waits(ref, core, rank) &&
		    ref->now - ref->cores[core].since[rank] >= starve)
			return rank;
	for (rank = 0; !npu_ref_rank_waits(ref, core, rank);)
		rank++;
	return rank;
}

/* The file that is first in @rank. */
static struct npu_ref_file *npu_ref_first_file(struct npu_ref *ref, u32 core,
					       enum npu_rank rank,
					       struct npu_ref_claim *claim)
{
	struct npu_ref_file *best = NULL;
	u32 i;

	*claim = (struct npu_ref_claim) {};
	for (i = 0; i < NPU_REF_FILES; i++) {
		struct npu_ref_claim other =
			npu_ref_file_claim(ref, core, &ref->files[i], rank);

		if (!npu_ref_before(&other, claim))
			continue;
		best = &ref->files[i];
		*claim = other;
	}
	return best;
}

/* The file that a core is to serve in @rank. */
static struct npu_ref_file *npu_ref_pick_file(struct npu_ref *ref, u32 core,
					      enum npu_rank rank)
{
	s64 stay = min(ref->stay_ns, 1000ull * NSEC_PER_SEC) * 1024 /
		   DRM_NPU_WEIGHT_DEFAULT;
	struct npu_ref_file *best, *own = ref->cores[core].attached;
	struct npu_ref_claim claim, other;
	u32 repays = 0;

	/* A file that repays may no longer be first. */
	do {
		best = npu_ref_first_file(ref, core, rank, &claim);
	} while (repays++ < REPAYS && npu_ref_repay(ref, best, rank));
	if (!own || own == best || rank == NPU_RANK_LATENCY || ref->fcfs)
		return best;
	if (npu_ref_file_claim(ref, core, own, rank).since)
		npu_ref_repay(ref, own, rank);
	other = npu_ref_file_claim(ref, core, own, rank);
	if (other.since && other.deadline <= claim.deadline &&
	    other.time - claim.time <= stay)
		return own;
	return best;
}

struct npu_ref_context *npu_ref_pick(struct npu_ref *ref, u32 core)
{
	struct npu_ref_claim claim = {}, other;
	struct npu_ref_context *best = NULL;
	struct npu_ref_file *file;
	enum npu_rank rank;
	u32 i;

	if (!npu_ref_waits(ref, core))
		return NULL;
	rank = npu_ref_pick_rank(ref, core);
	file = npu_ref_pick_file(ref, core, rank);
	for (i = 0; i < NPU_REF_CONTEXTS; i++) {
		struct npu_ref_context *ctx = &ref->contexts[i];

		if (ctx->file != file || !npu_ref_could(ctx, core, rank))
			continue;
		other = npu_ref_context_claim(ref, ctx);
		if (npu_ref_before(&other, &claim)) {
			best = ctx;
			claim = other;
		}
	}
	return best;
}
