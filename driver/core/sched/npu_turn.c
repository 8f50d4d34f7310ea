// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns: the ready entities of a group that one core may serve. Each core sorts
 * the turns of a rank in a tree, by deadline, then virtual time, then age.
 */
#include <linux/limits.h>

#include "npu_sched_priv.h"

/**
 * npu_turn_waits() - is there a ready entity?
 * @turn: the turn
 *
 * Return: whether there is.
 */
bool npu_turn_waits(const struct npu_turn *turn)
{
	return !RB_EMPTY_NODE(&turn->node);
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

static bool npu_ready_before(struct rb_node *a, const struct rb_node *b)
{
	const struct npu_entity *first = rb_entry(a, struct npu_ready, node)->entity;
	const struct npu_entity *second = rb_entry(b, struct npu_ready, node)->entity;

	if (first->due != second->due)
		return first->due < second->due;
	if (first->time != second->time)
		return npu_time_diff(first->time, second->time) < 0;
	return first->since < second->since;
}

/**
 * npu_turn_next() - the entity that is to be served next
 * @turn: the turn, which waits
 *
 * Return: the entity.
 */
struct npu_entity *npu_turn_next(const struct npu_turn *turn)
{
	return rb_entry(rb_first_cached(&turn->order), struct npu_ready,
			node)->entity;
}

/* The deadline by which @turn, which has entities, is sorted. */
static u64 npu_turn_deadline(const struct npu_turn *turn)
{
	const struct npu_group *group = turn->group;

	if (group->overdrawn && !group->file->sched->fcfs)
		return U64_MAX;
	return npu_turn_next(turn)->due;
}

/**
 * npu_turn_sort() - something has changed that the place of a turn depends on
 * @turn: the turn
 * @core: its core
 * @now: the time
 */
void npu_turn_sort(struct npu_turn *turn, struct npu_sched_core *core, u64 now)
{
	struct npu_core_queue *queue = &core->queues[turn->group->rank];
	bool waits = npu_turn_waits(turn);
	const struct npu_ready *oldest;

	if (waits) {
		rb_erase_cached(&turn->node, &queue->turns);
		RB_CLEAR_NODE(&turn->node);
	}
	if (list_empty(&turn->entities))
		return;
	oldest = list_first_entry(&turn->entities, struct npu_ready, link);
	turn->since = oldest->entity->since;
	turn->deadline = npu_turn_deadline(turn);
	if (!waits && RB_EMPTY_ROOT(&queue->turns.rb_root))
		queue->since = now;
	rb_add_cached(&turn->node, &queue->turns, npu_turn_before);
}

/**
 * npu_turn_add() - an entity has become ready
 * @turn: the turn
 * @place: the entity's place in it
 * @core: the core
 * @now: the time
 */
void npu_turn_add(struct npu_turn *turn, struct npu_ready *place,
		  struct npu_sched_core *core, u64 now)
{
	list_add_tail(&place->link, &turn->entities);
	npu_turn_lower(turn, place);
	if (!npu_turn_waits(turn) || place->entity->due < turn->deadline)
		npu_turn_sort(turn, core, now);
}

/**
 * npu_turn_remove() - an entity is no longer ready
 * @turn: the turn
 * @place: the entity's place in it
 * @core: the core
 * @now: the time
 */
void npu_turn_remove(struct npu_turn *turn, struct npu_ready *place,
		     struct npu_sched_core *core, u64 now)
{
	list_del(&place->link);
	npu_turn_lift(turn, place);
	if (turn->deadline != U64_MAX || turn->since == place->entity->since)
		npu_turn_sort(turn, core, now);
}

/**
 * npu_turn_lift() - what an entity is sorted by is about to change
 * @turn: the turn
 * @place: the entity's place in it
 */
void npu_turn_lift(struct npu_turn *turn, struct npu_ready *place)
{
	rb_erase_cached(&place->node, &turn->order);
}

/**
 * npu_turn_lower() - undo npu_turn_lift(); npu_turn_sort() has to follow
 * @turn: the turn
 * @place: the entity's place in it
 */
void npu_turn_lower(struct npu_turn *turn, struct npu_ready *place)
{
	rb_add_cached(&place->node, &turn->order, npu_ready_before);
}

/**
 * npu_turn_first() - the first turn of a rank
 * @core: the core
 * @rank: the rank
 *
 * Return: the turn, or %NULL.
 */
struct npu_turn *npu_turn_first(const struct npu_sched_core *core,
				enum npu_rank rank)
{
	struct rb_node *node = rb_first_cached(&core->queues[rank].turns);

	return node ? rb_entry(node, struct npu_turn, node) : NULL;
}
