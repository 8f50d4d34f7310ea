// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: policy
 *
 * Of the ready contexts that may use it, a core serves one of the first rank, then
 * of the file with the earliest deadline, then of the file that is owed most; in
 * that file, the context with the earliest deadline, then the one that is owed
 * most. Among equals, the one that became ready first.
 *
 * *Rank*: latency, throughput, background. A context that is active has one, by its
 * class; found out when it becomes ready, and again when it still is after a slice
 * of it has ended or it was given more jobs. A rank waits for a core since there is
 * ready work of it, and anew since the core has served it. Of those that have
 * waited for starve_ms, the last is served before all others. So each gets a slice
 * in starve_ms and the time of two slices.
 *
 * *Active* is a context that is ready or has a slice running, and a file, in a rank,
 * that has such contexts there.
 *
 * *Fair share*: each file has, in each rank, a virtual time: device time, divided by
 * the largest weight of its active contexts there. The mean of a rank is that of
 * the active files, by weight and rounded down; without any it stays what it was. A
 * file that becomes active begins where it was, but not before the mean and at most
 * a span after it; each slice leaves it at most a span before or after the mean of
 * the others, or, without others, after where it was. So nobody saves up time by
 * doing nothing, nobody waits for long who was alone on a core for long, and nobody
 * gets more by having many contexts: these share what their file gets.
 *
 * Contexts have virtual times of their own, by their own weights. The lowest of the
 * active ones of a file and rank, when last one of them was served and never
 * lower than before, is where they begin who come: where they were, but not before
 * it, and never more than a span after it.
 *
 * A span is what a context of the default weight has in 100 ms.
 *
 * *Deadlines* of a file do not count against other files if it was more than half
 * a span after the mean of the others, and there were any, when it became active
 * or when last a slice of it ended: they are no means to get more.
 *
 * *Budget*: latency work without privileges ranks as throughput if its file has no
 * budget left, or all such files together have none, so that nobody gets more by
 * new files. A budget grows all the time, by latency_percent of all cores or the
 * file's part of it, up to what it grows by in latency_window_ms; each slice served
 * as such is taken from both, and may overdraw them: that of the file by all that
 * it took, that of all by no more than it can hold, since others pay for it.
 *
 * A core prefers the address space that it has to that of who would be next, in the
 * same rank, if it is not latency, the deadline is not later, and the file is not
 * more than stay_ns, of the default weight, further ahead: another one costs more
 * than a small job does.
 *
 * Each core has a tree of files for each rank, so the choice takes the logarithm
 * of the number of files, and the number of contexts that a file can have.
 *
 * Everything is protected by &npu_device.sched_lock.
 */
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/time64.h>

#include "../exec/npu_context.h"
#include "../include/npu_device.h"
#include "npu_policy.h"
#include "../exec/npu_dispatch.h"
#include "../mem/npu_vm.h"

/* Of virtual time, for each nanosecond of a context of weight 1. */
#define NPU_POLICY_SCALE	1024u
/* Virtual time of a default context in @ns nanoseconds. */
#define NPU_POLICY_TIME(ns)	((ns) * NPU_POLICY_SCALE / DRM_NPU_WEIGHT_DEFAULT)
/* How far a file can be from the mean. */
#define NPU_POLICY_SPAN		NPU_POLICY_TIME(100 * (s64)NSEC_PER_MSEC)
/* How far ahead of it its deadlines still count. */
#define NPU_POLICY_CREDIT	(NPU_POLICY_SPAN / 2)
/* No time is longer, so that nothing overflows. */
#define NPU_POLICY_LONG		(1000ull * NSEC_PER_SEC)

struct npu_policy_params npu_policy_defaults = {
	.slice_us = 1000,
	.latency_percent = 50,
	.latency_window_ms = 100,
	.starve_ms = 500,
};

module_param_named(slice_us, npu_policy_defaults.slice_us, uint, 0644);
MODULE_PARM_DESC(slice_us, "Device time for which a core is started, in microseconds; 0: as long as a lane takes (default 1000)");
module_param_named(latency_percent, npu_policy_defaults.latency_percent, uint, 0644);
MODULE_PARM_DESC(latency_percent, "Share of the device that latency work of all without CAP_SYS_NICE may have (default 50)");
module_param_named(latency_window_ms, npu_policy_defaults.latency_window_ms, uint, 0644);
MODULE_PARM_DESC(latency_window_ms, "Over how long that is counted, in milliseconds (default 100)");
module_param_named(starve_ms, npu_policy_defaults.starve_ms, uint, 0644);
MODULE_PARM_DESC(starve_ms, "How long work may wait for that of better classes, in milliseconds (default 500)");
module_param_named(fcfs, npu_policy_defaults.fcfs, bool, 0644);
MODULE_PARM_DESC(fcfs, "First come, first served, whole lanes, without regard to hints; to compare with (default off)");

/* a - b, for virtual times. */
static s64 npu_time_diff(u64 a, u64 b)
{
	return (s64)(a - b);
}

static void npu_fair_settle(struct npu_fair *fair)
{
	s64 step;

	if (!fair->weight) {
		fair->rest = 0;
		return;
	}
	step = div64_s64(fair->rest, fair->weight);
	/* Rounded down, whichever side it comes from. */
	if (step * (s64)fair->weight > fair->rest)
		step--;
	fair->time += step;
	fair->rest -= step * (s64)fair->weight;
}

static void npu_fair_add(struct npu_fair *fair, const struct npu_group *group)
{
	fair->weight += group->weight;
	fair->rest += group->weight * npu_time_diff(group->time, fair->time);
	npu_fair_settle(fair);
}

static void npu_fair_remove(struct npu_fair *fair,
			    const struct npu_group *group)
{
	fair->rest -= group->weight * npu_time_diff(group->time, fair->time);
	fair->weight -= group->weight;
	npu_fair_settle(fair);
}

/*
 * Keep the virtual time of @group, which is not counted in @fair, within bounds.
 * Its deadlines count if it is not too far ahead of the others. (The mean with
 * it included would follow it, so that of few files none were ever far ahead.)
 */
static void npu_group_bound(struct npu_group *group,
			    const struct npu_fair *fair, s64 least)
{
	s64 ahead = clamp(npu_time_diff(group->time, fair->time), least,
			  NPU_POLICY_SPAN);

	group->time = fair->time + ahead;
	group->overdrawn = fair->weight && ahead > NPU_POLICY_CREDIT;
}

static struct npu_fair *npu_group_fair(const struct npu_group *group)
{
	return &group->vm->npu->fair[group->rank];
}

/* Its contexts have changed: how much does @group count? */
static void npu_group_weigh(struct npu_group *group)
{
	struct npu_fair *fair = npu_group_fair(group);
	struct npu_context *ctx;
	u32 weight = 0;

	list_for_each_entry(ctx, &group->active, active_link)
		weight = max(weight, ctx->stats.granted_weight);
	if (weight == group->weight)
		return;
	/* Once it is active, the places of its contexts depend on its bounds. */
	if (group->weight)
		npu_fair_remove(fair, group);
	else
		npu_group_bound(group, fair, 0);
	group->weight = weight;
	if (weight)
		npu_fair_add(fair, group);
}

/* Keep the virtual time of @ctx within bounds in @group. */
static void npu_context_bound(struct npu_context *ctx,
			      const struct npu_group *group)
{
	s64 ahead = npu_time_diff(ctx->time, group->turn);

	ctx->time = group->turn + clamp(ahead, 0ll, NPU_POLICY_SPAN);
}

/* A context of @group has been served: who is owed most of those in it? */
static void npu_group_turn(struct npu_group *group)
{
	struct npu_context *ctx;
	s64 least = S64_MAX;

	list_for_each_entry(ctx, &group->active, active_link)
		least = min(least, npu_time_diff(ctx->time, group->turn));
	/* It does not go back, for those who come begin there. */
	if (least != S64_MAX)
		group->turn += max(least, 0ll);
}

/* When the head of @ctx should have ended. */
static u64 npu_context_deadline(struct npu_context *ctx)
{
	const struct npu_slot *head = npu_dispatch_head(ctx);

	if (ctx->npu->fcfs)
		return head->queued_ns;
	return head->deadline_ns ?: U64_MAX;
}

static bool npu_turn_waits(const struct npu_turn *turn)
{
	return !RB_EMPTY_NODE(&turn->node);
}

static struct npu_turn *npu_turn_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct npu_turn, node) : NULL;
}

static bool npu_turn_before(struct rb_node *a, const struct rb_node *b)
{
	const struct npu_turn *first = rb_entry(a, struct npu_turn, node);
	const struct npu_turn *second = rb_entry(b, struct npu_turn, node);

	if (first->deadline != second->deadline)
		return first->deadline < second->deadline;
	if (first->group->time != second->group->time)
		return npu_time_diff(first->group->time,
				     second->group->time) < 0;
	return first->since < second->since;
}

static void npu_turn_remove(struct npu_core_queue *queue, struct npu_turn *turn)
{
	if (!npu_turn_waits(turn))
		return;
	rb_erase_cached(&turn->node, &queue->turns);
	RB_CLEAR_NODE(&turn->node);
}

/* Something has changed that the place of @group depends on. */
static void npu_group_sort(struct npu_group *group, unsigned int core, u64 now)
{
	struct npu_device *npu = group->vm->npu;
	struct npu_core_queue *queue = &npu->cores[core].queues[group->rank];
	struct npu_turn *turn = &group->turns[core];
	bool waits = npu_turn_waits(turn);
	struct npu_context *ctx;

	npu_turn_remove(queue, turn);
	if (list_empty(&turn->contexts))
		return;
	/* They are in the order in which they became ready. */
	ctx = list_first_entry(&turn->contexts, struct npu_context,
			       ready_links[core]);
	turn->since = ctx->since;
	turn->deadline = U64_MAX;
	if (npu->fcfs || !group->overdrawn)
		list_for_each_entry(ctx, &turn->contexts, ready_links[core])
			turn->deadline = min(turn->deadline,
					     npu_context_deadline(ctx));
	if (!waits && RB_EMPTY_ROOT(&queue->turns.rb_root))
		queue->since = now;
	rb_add_cached(&turn->node, &queue->turns, npu_turn_before);
}

/* Device time that each of @files may have as latency work in @ns nanoseconds. */
static u64 npu_latency_share(const struct npu_device *npu, u64 ns, u32 files)
{
	u32 percent = min(READ_ONCE(npu->policy->latency_percent), 100u);

	return div_u64(min(ns, NPU_POLICY_LONG) * npu->core_count * percent,
		       100 * files);
}

/* What a budget can hold, that of each of @files. */
static s64 npu_budget_most(const struct npu_device *npu, u32 files)
{
	u64 window = READ_ONCE(npu->policy->latency_window_ms) *
		     (u64)NSEC_PER_MSEC;

	return npu_latency_share(npu, window, files);
}

/* Time has passed for @budget, that of each of @files. */
static void npu_budget_grow(const struct npu_device *npu,
			    struct npu_budget *budget, u32 files, u64 now)
{
	budget->left += npu_latency_share(npu, now - budget->at, files);
	budget->left = min(budget->left, npu_budget_most(npu, files));
	budget->at = now;
}

/* Is there budget for latency work of @vm? */
static bool npu_budget_any(struct npu_vm *vm, u64 now)
{
	struct npu_device *npu = vm->npu;

	npu_budget_grow(npu, &vm->budget, max(npu->latency_files, 1u), now);
	npu_budget_grow(npu, &npu->budget, 1, now);
	return vm->budget.left > 0 && npu->budget.left > 0;
}

/* Latency work of @vm has taken @ns nanoseconds. */
static void npu_budget_take(struct npu_vm *vm, u64 ns, u64 now)
{
	struct npu_device *npu = vm->npu;

	npu_budget_any(vm, now);
	vm->budget.left -= ns;
	npu->budget.left = max(npu->budget.left - (s64)ns,
			       -npu_budget_most(npu, 1));
}

static enum npu_rank npu_context_rank(struct npu_context *ctx, u64 now)
{
	if (ctx->npu->fcfs)
		return NPU_RANK_THROUGHPUT;
	switch (ctx->stats.sched_class) {
	case DRM_NPU_CLASS_LATENCY:
		return ctx->privileged || npu_budget_any(ctx->vm, now) ?
		       NPU_RANK_LATENCY : NPU_RANK_THROUGHPUT;
	case DRM_NPU_CLASS_BACKGROUND:
		return NPU_RANK_BACKGROUND;
	default:
		return NPU_RANK_THROUGHPUT;
	}
}

/**
 * npu_policy_class() - the class that a context has at present
 * @ctx: the context
 * @now: the time
 *
 * Return: a &enum drm_npu_class.
 */
u32 npu_policy_class(struct npu_context *ctx, u64 now)
{
	lockdep_assert_held(&ctx->npu->sched_lock);
	switch (npu_context_rank(ctx, now)) {
	case NPU_RANK_LATENCY:
		return DRM_NPU_CLASS_LATENCY;
	case NPU_RANK_BACKGROUND:
		return DRM_NPU_CLASS_BACKGROUND;
	default:
		return DRM_NPU_CLASS_THROUGHPUT;
	}
}

/* @ctx has work that can run. */
static void npu_context_activate(struct npu_context *ctx, u64 now)
{
	enum npu_rank rank = npu_context_rank(ctx, now);

	if (ctx->group && ctx->group->rank == rank)
		return;
	npu_policy_idle(ctx);
	ctx->group = &ctx->vm->groups[rank];
	list_add_tail(&ctx->active_link, &ctx->group->active);
	npu_context_bound(ctx, ctx->group);
	npu_group_weigh(ctx->group);
	if (rank == NPU_RANK_LATENCY)
		npu_alert_raise(ctx->npu);
}

/**
 * npu_policy_idle() - a context has nothing any more that can run
 * @ctx: the context, which is not ready
 */
void npu_policy_idle(struct npu_context *ctx)
{
	struct npu_group *group = ctx->group;

	lockdep_assert_held(&ctx->npu->sched_lock);
	if (!group)
		return;
	ctx->group = NULL;
	list_del(&ctx->active_link);
	npu_group_weigh(group);
}

/**
 * npu_policy_ready() - the head of a context has lanes that could start
 * @ctx: the context, whose rank is found out anew
 * @now: the time
 */
void npu_policy_ready(struct npu_context *ctx, u64 now)
{
	struct npu_group *group;
	unsigned int i;
	u64 deadline;

	lockdep_assert_held(&ctx->npu->sched_lock);
	if (ctx->ready) {
		if (ctx->group->rank == npu_context_rank(ctx, now))
			return;
		npu_policy_unready(ctx, now);
	}
	npu_context_activate(ctx, now);
	group = ctx->group;
	deadline = npu_context_deadline(ctx);
	ctx->since = ++ctx->npu->readied;
	for (i = 0; i < ctx->npu->core_count; i++) {
		struct npu_turn *turn = &group->turns[i];

		if (!(ctx->core_mask & BIT(i)))
			continue;
		list_add_tail(&ctx->ready_links[i], &turn->contexts);
		if (!npu_turn_waits(turn) || deadline < turn->deadline)
			npu_group_sort(group, i, now);
	}
	ctx->ready = true;
	ctx->npu->ready_count++;
}

/**
 * npu_policy_unready() - the head of a context has no lanes left to start
 * @ctx: the context
 * @now: the time
 */
void npu_policy_unready(struct npu_context *ctx, u64 now)
{
	unsigned int i;

	lockdep_assert_held(&ctx->npu->sched_lock);
	if (!ctx->ready)
		return;
	for (i = 0; i < ctx->npu->core_count; i++) {
		struct npu_turn *turn = &ctx->group->turns[i];

		if (!(ctx->core_mask & BIT(i)))
			continue;
		list_del(&ctx->ready_links[i]);
		if (turn->deadline != U64_MAX || turn->since == ctx->since)
			npu_group_sort(ctx->group, i, now);
	}
	ctx->ready = false;
	ctx->npu->ready_count--;
}

static u32 npu_policy_weight(u32 weight, bool privileged)
{
	if (!weight)
		return DRM_NPU_WEIGHT_DEFAULT;
	return privileged ? weight : min_t(u32, weight, DRM_NPU_WEIGHT_DEFAULT);
}

/* Is @ctx one of those that share the limit of latency work? */
static bool npu_policy_limited(const struct npu_context *ctx)
{
	return !ctx->privileged &&
	       ctx->stats.sched_class == DRM_NPU_CLASS_LATENCY;
}

/**
 * npu_policy_join() - a context is new, or has other hints
 * @ctx: the context, which is neither ready nor active
 * @sched_class: a &enum drm_npu_class
 * @weight: its weight, 0 for the default
 * @privileged: no limits
 */
void npu_policy_join(struct npu_context *ctx, u32 sched_class, u32 weight,
		     bool privileged)
{
	struct npu_vm *vm = ctx->vm;

	lockdep_assert_held(&ctx->npu->sched_lock);
	ctx->privileged = privileged;
	ctx->stats.sched_class = sched_class;
	ctx->stats.weight = weight ?: DRM_NPU_WEIGHT_DEFAULT;
	ctx->stats.granted_weight = npu_policy_weight(weight, privileged);
	if (npu_policy_limited(ctx) && !vm->budget.contexts++)
		ctx->npu->latency_files++;
}

/**
 * npu_policy_leave() - a context ends, or is to have other hints
 * @ctx: the context, which is neither ready nor active
 */
void npu_policy_leave(struct npu_context *ctx)
{
	lockdep_assert_held(&ctx->npu->sched_lock);
	if (npu_policy_limited(ctx) && !--ctx->vm->budget.contexts)
		ctx->npu->latency_files--;
}

/**
 * npu_policy_change() - give a context other hints
 * @ctx: the context
 * @sched_class: a &enum drm_npu_class
 * @weight: its weight
 * @privileged: no limits
 * @now: the time
 */
void npu_policy_change(struct npu_context *ctx, u32 sched_class, u32 weight,
		       bool privileged, u64 now)
{
	bool ready = ctx->ready, active = ctx->group;

	lockdep_assert_held(&ctx->npu->sched_lock);
	npu_policy_unready(ctx, now);
	npu_policy_idle(ctx);
	npu_policy_leave(ctx);
	npu_policy_join(ctx, sched_class, weight, privileged);
	if (ready)
		npu_policy_ready(ctx, now);
	else if (active)
		npu_context_activate(ctx, now);
}

static struct npu_turn *npu_core_first(const struct npu_core *core,
				       enum npu_rank rank)
{
	return npu_turn_of(rb_first_cached(&core->queues[rank].turns));
}

/**
 * npu_policy_any() - is there anything that a core could do?
 * @core: the core
 *
 * Return: whether there is.
 */
bool npu_policy_any(const struct npu_core *core)
{
	enum npu_rank rank;

	lockdep_assert_held(&core->npu->sched_lock);
	for (rank = 0; rank < NPU_RANKS; rank++)
		if (npu_core_first(core, rank))
			return true;
	return false;
}

/* The first turn of the rank that @core is to serve, or %NULL. */
static struct npu_turn *npu_core_turn(const struct npu_core *core, u64 now)
{
	u64 patience = READ_ONCE(core->npu->policy->starve_ms) *
		       (u64)NSEC_PER_MSEC;
	struct npu_turn *best = NULL;
	enum npu_rank rank;

	for (rank = 0; rank < NPU_RANKS; rank++) {
		struct npu_turn *turn = npu_core_first(core, rank);

		if (turn && (!best || now - core->queues[rank].since >= patience))
			best = turn;
	}
	return best;
}

/* What @core can do without another address space, if not much is owed to @first. */
static struct npu_turn *npu_core_stay(const struct npu_core *core,
				      struct npu_turn *first)
{
	u64 most = NPU_POLICY_TIME(min(core->npu->stay_ns, NPU_POLICY_LONG));
	enum npu_rank rank = first->group->rank;
	struct npu_turn *turn;

	if (!core->attached || core->attached == first->group->vm ||
	    rank == NPU_RANK_LATENCY || core->npu->fcfs)
		return first;
	turn = &core->attached->groups[rank].turns[core->index];
	if (!npu_turn_waits(turn) || first->deadline < turn->deadline ||
	    npu_time_diff(turn->group->time, first->group->time) > (s64)most)
		return first;
	return turn;
}

/**
 * npu_policy_pick() - what a core is to serve next
 * @core: the core
 * @stay: only if it has the address space
 * @now: the time
 *
 * Return: the context, or %NULL.
 */
struct npu_context *npu_policy_pick(struct npu_core *core, bool stay, u64 now)
{
	struct npu_turn *turn = npu_core_turn(core, now);
	struct npu_context *best = NULL, *ctx;
	u64 deadline, earliest = U64_MAX;

	lockdep_assert_held(&core->npu->sched_lock);
	if (!turn)
		return NULL;
	turn = npu_core_stay(core, turn);
	if (stay && turn->group->vm != core->attached)
		return NULL;
	list_for_each_entry(ctx, &turn->contexts, ready_links[core->index]) {
		deadline = npu_context_deadline(ctx);
		if (best && (deadline > earliest ||
			     (deadline == earliest &&
			      npu_time_diff(ctx->time, best->time) >= 0)))
			continue;
		best = ctx;
		earliest = deadline;
	}
	return best;
}

/**
 * npu_policy_follow() - put contexts in the order that is asked for now
 * @npu: the device
 * @now: the time
 *
 * Those who were queued in another order would be before or behind all others.
 */
void npu_policy_follow(struct npu_device *npu, u64 now)
{
	bool fcfs = READ_ONCE(npu->policy->fcfs);
	struct npu_context *ctx;

	lockdep_assert_held(&npu->sched_lock);
	if (npu->fcfs == fcfs)
		return;
	npu->fcfs = fcfs;
	list_for_each_entry(ctx, &npu->contexts, link) {
		if (!ctx->ready)
			continue;
		npu_policy_unready(ctx, now);
		npu_policy_ready(ctx, now);
	}
}

/**
 * npu_policy_taken() - a core serves a context
 * @core: the core
 * @ctx: the context, which is still ready
 * @now: the time
 */
void npu_policy_taken(struct npu_core *core, struct npu_context *ctx, u64 now)
{
	struct npu_group *group = ctx->group;

	lockdep_assert_held(&core->npu->sched_lock);
	core->rank = group->rank;
	core->limited = core->rank == NPU_RANK_LATENCY && npu_policy_limited(ctx);
	core->queues[group->rank].since = now;
}

/**
 * npu_policy_charge() - a core has served a context
 * @core: the core
 * @ctx: the context
 * @ns: device time
 * @now: the time
 */
void npu_policy_charge(struct npu_core *core, struct npu_context *ctx, u64 ns,
		       u64 now)
{
	struct npu_group *group = &ctx->vm->groups[core->rank];
	struct npu_fair *fair = npu_group_fair(group);
	u64 scaled = min(ns, NPU_POLICY_LONG) * NPU_POLICY_SCALE;
	unsigned int i;

	lockdep_assert_held(&core->npu->sched_lock);
	if (core->limited)
		npu_budget_take(ctx->vm, min(ns, NPU_POLICY_LONG), now);
	ctx->time += div_u64(scaled, ctx->stats.granted_weight);
	npu_group_turn(group);
	if (ctx->group == group)
		npu_context_bound(ctx, group);
	if (group->weight)
		npu_fair_remove(fair, group);
	group->time += div_u64(scaled, group->weight ?: ctx->stats.granted_weight);
	npu_group_bound(group, fair, -NPU_POLICY_SPAN);
	if (group->weight)
		npu_fair_add(fair, group);
	for (i = 0; i < core->npu->core_count; i++)
		if (npu_turn_waits(&group->turns[i]))
			npu_group_sort(group, i, now);
}

/**
 * npu_policy_slice_ns() - how long a core may be given a lane
 * @npu: the device
 *
 * Return: nanoseconds of device time.
 */
u64 npu_policy_slice_ns(const struct npu_device *npu)
{
	unsigned int slice_us = READ_ONCE(npu->policy->slice_us);

	if (!slice_us || READ_ONCE(npu->policy->fcfs))
		return U64_MAX;
	return slice_us * (u64)NSEC_PER_USEC;
}

/**
 * npu_policy_init_core() - prepare the queues of a core
 * @core: the core
 */
void npu_policy_init_core(struct npu_core *core)
{
	enum npu_rank rank;

	for (rank = 0; rank < NPU_RANKS; rank++)
		core->queues[rank].turns = RB_ROOT_CACHED;
}

/**
 * npu_policy_init_vm() - prepare the groups of a file
 * @vm: its address space
 */
void npu_policy_init_vm(struct npu_vm *vm)
{
	enum npu_rank rank;
	unsigned int i;

	for (rank = 0; rank < NPU_RANKS; rank++) {
		struct npu_group *group = &vm->groups[rank];

		group->vm = vm;
		group->rank = rank;
		INIT_LIST_HEAD(&group->active);
		for (i = 0; i < NPU_MAX_CORES; i++) {
			group->turns[i].group = group;
			RB_CLEAR_NODE(&group->turns[i].node);
			INIT_LIST_HEAD(&group->turns[i].contexts);
		}
	}
}
