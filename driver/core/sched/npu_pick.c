// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: scheduler
 *
 * Of the ready entities that may use it, a core serves one of the first rank, then
 * of the file with the earliest deadline, then of the file with the lowest virtual
 * time; in that file, the entity with the earliest deadline, then the one with the
 * lowest virtual time. Among equals, the one that became ready first.
 *
 * *Rank*: latency, throughput, background. An active entity has one, by its class;
 * it is found out when the entity becomes ready, and again when it still is after a
 * slice of it has ended or it was given more work. A rank waits for a core since
 * it has had ready work, and anew since the core has served it. Of the ranks that
 * have waited for starve_ms, the last is served before all others. So each gets a
 * slice in starve_ms and the time of two slices.
 *
 * *Fair share* and *deadlines*: see npu_fair.c. *Budgets*: see npu_budget.c.
 *
 * A core prefers the file that it has attached to the one that would be next, in
 * the same rank, if it is not latency, the deadline is not later, and the file is
 * not more than stay_ns, of the default weight, further ahead: attaching another
 * file costs more than a small job does.
 *
 * For each core and rank there is a tree of files, and for each file one of its
 * ready entities, so that a choice takes constant time, and what is queued or
 * charged the logarithm of their numbers. To find the largest weight of a group
 * takes the number of its active entities, if the heaviest is gone.
 */
#include <linux/limits.h>
#include <linux/minmax.h>

#include "npu_sched_priv.h"

/* Files that repay before one choice. */
#define NPU_SCHED_REPAYS	8

/**
 * npu_sched_any() - is there anything that a core could do?
 * @core: the core
 *
 * Return: whether there is.
 */
bool npu_sched_any(const struct npu_sched_core *core)
{
	unsigned int rank;

	for (rank = 0; rank < NPU_RANKS; rank++)
		if (npu_turn_first(core, rank))
			return true;
	return false;
}

/**
 * npu_sched_has_latency() - is an entity active as latency work?
 * @sched: the scheduler
 *
 * Return: whether one is.
 */
bool npu_sched_has_latency(const struct npu_sched *sched)
{
	return sched->fair[NPU_RANK_LATENCY].weight;
}

/* The first turn of the rank that @core is to serve, or %NULL. */
static struct npu_turn *npu_core_turn(const struct npu_sched_core *core, u64 now)
{
	u64 patience = READ_ONCE(core->sched->params->starve_ms) *
		       (u64)NSEC_PER_MSEC;
	struct npu_turn *best = NULL;
	unsigned int rank;

	for (rank = 0; rank < NPU_RANKS; rank++) {
		struct npu_turn *turn = npu_turn_first(core, rank);

		if (turn && (!best || now - core->queues[rank].since >= patience))
			best = turn;
	}
	return best;
}

/* The virtual time of @group has changed, and perhaps its deadlines count again. */
static void npu_sched_sort(struct npu_sched *sched, struct npu_group *group,
			   u64 now)
{
	unsigned int i;

	for (i = 0; i < sched->core_count; i++)
		if (npu_turn_waits(&group->turns[i]))
			npu_turn_sort(&group->turns[i], sched->cores[i], now);
}

/* Have a file repay what it can. Returns whether it may have another place now. */
static bool npu_sched_repay(struct npu_sched *sched, struct npu_group *group,
			    u64 now)
{
	if (!npu_group_repay(group))
		return false;
	npu_sched_sort(sched, group, now);
	return true;
}

/*
 * The turn that is first when those before it have repaid what they can. A file
 * that is still first then has no others waiting. If there are many debts to be
 * repaid, the rest waits for the next choice.
 */
static struct npu_turn *npu_core_first(const struct npu_sched_core *core, u64 now)
{
	unsigned int tries = NPU_SCHED_REPAYS;
	struct npu_turn *turn;

	do {
		turn = npu_core_turn(core, now);
	} while (turn && tries-- &&
		 npu_sched_repay(core->sched, turn->group, now));
	return turn;
}

/* The turn of the attached file, if not much is owed to @first, else @first. */
static struct npu_turn *npu_core_stay(const struct npu_sched_core *core,
				      struct npu_turn *first, u64 now)
{
	struct npu_sched *sched = core->sched;
	u64 most = NPU_SCHED_TIME(min(sched->stay_ns, NPU_SCHED_LONG));
	enum npu_rank rank = first->group->rank;
	struct npu_turn *turn;

	if (!core->attached || core->attached == first->group->file ||
	    rank == NPU_RANK_LATENCY || sched->fcfs)
		return first;
	turn = &core->attached->groups[rank].turns[core->index];
	if (npu_turn_waits(turn))
		npu_sched_repay(sched, turn->group, now);
	if (!npu_turn_waits(turn) || first->deadline < turn->deadline ||
	    npu_time_diff(turn->group->time, first->group->time) > (s64)most)
		return first;
	return turn;
}

/**
 * npu_sched_pick() - what a core is to serve next
 * @core: the core
 * @stay: only if it is of the attached file
 * @now: the time
 *
 * Return: the entity, or %NULL.
 */
struct npu_entity *npu_sched_pick(struct npu_sched_core *core, bool stay,
				  u64 now)
{
	struct npu_turn *turn = npu_core_first(core, now);

	if (!turn)
		return NULL;
	turn = npu_core_stay(core, turn, now);
	if (stay && turn->group->file != core->attached)
		return NULL;
	return npu_turn_next(turn);
}

/**
 * npu_sched_follow() - sort entities as &npu_sched_params.fcfs asks for now
 * @sched: the scheduler
 * @now: the time
 *
 * Entities that were sorted by another rule would be before or behind all others.
 */
void npu_sched_follow(struct npu_sched *sched, u64 now)
{
	bool fcfs = READ_ONCE(sched->params->fcfs);
	struct npu_entity *entity;

	if (sched->fcfs == fcfs)
		return;
	sched->fcfs = fcfs;
	list_for_each_entry(entity, &sched->entities, link) {
		struct npu_entity_work work = {
			.queued_ns = entity->queued_ns,
			.deadline_ns = entity->deadline_ns,
		};

		if (!entity->ready)
			continue;
		npu_entity_unready(entity, now);
		npu_entity_ready(entity, &work, now);
	}
}

/**
 * npu_sched_taken() - a core takes work of an entity
 * @core: the core
 * @entity: the entity, which is still ready
 * @now: the time
 */
void npu_sched_taken(struct npu_sched_core *core,
		     const struct npu_entity *entity, u64 now)
{
	core->rank = entity->group->rank;
	core->limited = core->rank == NPU_RANK_LATENCY && entity->limited;
	core->ahead = npu_group_ahead(entity->group);
	core->queues[core->rank].since = now;
}

/**
 * npu_sched_charge() - work that a core had taken has ended
 * @core: the core
 * @entity: the entity
 * @ns: device time
 * @now: the time
 */
void npu_sched_charge(struct npu_sched_core *core, struct npu_entity *entity,
		      u64 ns, u64 now)
{
	struct npu_group *group = &entity->file->groups[core->rank];
	struct npu_sched *sched = core->sched;
	unsigned int i;

	ns = min(ns, NPU_SCHED_LONG);
	if (core->limited)
		npu_budget_take(entity->file, ns, now);
	for (i = 0; entity->ready && i < sched->core_count; i++)
		if (entity->core_mask & (1u << i))
			npu_turn_lift(&entity->group->turns[i],
				      &entity->places[i]);
	npu_group_charge(group, entity, ns, core->ahead);
	for (i = 0; entity->ready && i < sched->core_count; i++)
		if (entity->core_mask & (1u << i))
			npu_turn_lower(&entity->group->turns[i],
				       &entity->places[i]);
	npu_sched_sort(sched, group, now);
}

/**
 * npu_sched_slice_ns() - how long a core may be given a lane
 * @sched: the scheduler
 *
 * Return: nanoseconds of device time, or %U64_MAX.
 */
u64 npu_sched_slice_ns(const struct npu_sched *sched)
{
	unsigned int slice_us = READ_ONCE(sched->params->slice_us);

	if (!slice_us || READ_ONCE(sched->params->fcfs))
		return U64_MAX;
	return slice_us * (u64)NSEC_PER_USEC;
}

/**
 * npu_sched_init() - prepare a scheduler
 * @sched: the scheduler, filled with zeros
 * @params: its tunables, which outlive it
 */
void npu_sched_init(struct npu_sched *sched,
		    const struct npu_sched_params *params)
{
	sched->params = params;
	INIT_LIST_HEAD(&sched->entities);
}

/**
 * npu_sched_init_core() - add a core
 * @sched: the scheduler, which has no files yet
 * @core: the core, filled with zeros
 */
void npu_sched_init_core(struct npu_sched *sched, struct npu_sched_core *core)
{
	unsigned int rank;

	core->sched = sched;
	core->index = sched->core_count;
	sched->cores[sched->core_count++] = core;
	for (rank = 0; rank < NPU_RANKS; rank++)
		core->queues[rank].turns = RB_ROOT_CACHED;
}

/**
 * npu_sched_init_file() - new file
 * @sched: the scheduler
 * @file: the file, filled with zeros
 */
void npu_sched_init_file(struct npu_sched *sched, struct npu_sched_file *file)
{
	unsigned int rank, i;

	file->sched = sched;
	for (rank = 0; rank < NPU_RANKS; rank++) {
		struct npu_group *group = &file->groups[rank];

		group->file = file;
		group->rank = rank;
		INIT_LIST_HEAD(&group->active);
		group->line = RB_ROOT_CACHED;
		for (i = 0; i < NPU_MAX_CORES; i++) {
			group->turns[i].group = group;
			RB_CLEAR_NODE(&group->turns[i].node);
			INIT_LIST_HEAD(&group->turns[i].entities);
			group->turns[i].order = RB_ROOT_CACHED;
		}
	}
}
