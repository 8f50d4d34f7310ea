// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: fair share
 *
 * Each file has, in each rank, a virtual time: device time divided by the largest
 * weight of its entities that are active there. The mean of a rank is that of the
 * active files, by weight and rounded down; without any it stays what it was. A
 * file that becomes active begins where it was, but not before the mean and at
 * most a span after it. Each slice leaves it at most a span before or after the
 * mean of the others, or, without others, after where it was. So a file saves up
 * no time by being idle, and gets no more by having many entities: these share
 * what their file gets.
 *
 * What would leave a file more than a span after the mean of the others is its
 * *debt*. It is added to the file's virtual time as the mean advances, so that a
 * file pays in full for what it had while others were active, and is not served
 * before others until it has. If a core takes a slice of a file that is more than
 * half a span after the mean of the others, no other file waits for that core: such
 * a slice adds to no debt. So a file does not wait for long after it was alone on a
 * core for long.
 *
 * Entities have virtual times of their own, by their own weights. The lowest of
 * the active ones of a group, taken when one of them was served and never
 * decreasing, is where entities begin that become active: where they were, but
 * not before it, and at most a span after it.
 *
 * A span is what an entity of the default weight has in 100 ms.
 *
 * A file is overdrawn, and its deadlines do not count against other files, if it
 * was more than half a span after the mean of the others when it became active or
 * when a slice of it ended last. Otherwise deadlines would be a means to get more.
 */
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "npu_sched_priv.h"

/* How far a file can be from the mean. */
#define NPU_FAIR_SPAN		NPU_SCHED_TIME(100 * (s64)NSEC_PER_MSEC)
/* How far ahead of it its deadlines still count, and slices add to its debt. */
#define NPU_FAIR_CREDIT		(NPU_FAIR_SPAN / 2)
/* No debt is larger, so that nothing overflows. */
#define NPU_FAIR_DEBT		NPU_SCHED_TIME(NPU_SCHED_LONG)

static void npu_fair_settle(struct npu_fair *fair)
{
	s64 step;

	if (!fair->weight) {
		fair->rest = 0;
		return;
	}
	step = div64_s64(fair->rest, fair->weight);
	/* Round down, also below zero. */
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
 * Keep the virtual time of @group within bounds. @fair must not include @group:
 * a mean that follows the group would never find it far ahead of few others.
 */
static void npu_group_bound(struct npu_group *group,
			    const struct npu_fair *fair, s64 least)
{
	s64 ahead = clamp(npu_time_diff(group->time, fair->time), least,
			  NPU_FAIR_SPAN);

	group->time = fair->time + ahead;
	group->overdrawn = fair->weight && ahead > NPU_FAIR_CREDIT;
}

static struct npu_fair *npu_group_fair(const struct npu_group *group)
{
	return &group->file->sched->fair[group->rank];
}

/* How much later @group can be; @fair must not include it. */
static u64 npu_group_room(const struct npu_group *group,
			  const struct npu_fair *fair)
{
	return max(npu_time_diff(fair->time, group->time) + NPU_FAIR_SPAN,
		   (s64)0);
}

/* Add @length to the time of @group, and what there is no room for to its debt. */
static void npu_group_spend(struct npu_group *group, const struct npu_fair *fair,
			    u64 length, bool ahead)
{
	u64 part = min(length, npu_group_room(group, fair));

	group->time += part;
	if (!ahead && fair->weight)
		group->debt = min(group->debt + length - part, NPU_FAIR_DEBT);
}

/* Move debt to the time of @group, if there is room. Returns whether there was. */
static bool npu_group_pay(struct npu_group *group, const struct npu_fair *fair)
{
	u64 part;

	/* Debts are owed to other active files, of which there is none. */
	if (!fair->weight)
		return false;
	part = min(group->debt, npu_group_room(group, fair));
	group->time += part;
	group->debt -= part;
	return part;
}

/**
 * npu_group_repay() - have a group repay what it can by now
 * @group: the group, which is active
 *
 * Return: whether its virtual time has changed.
 */
bool npu_group_repay(struct npu_group *group)
{
	struct npu_fair *fair = npu_group_fair(group);
	bool paid;

	if (!group->debt)
		return false;
	npu_fair_remove(fair, group);
	paid = npu_group_pay(group, fair);
	npu_fair_add(fair, group);
	return paid;
}

/*
 * The active entities of a group have changed: one is new and the first, or one is
 * gone. Mostly others have the largest weight, too, and one of them is found soon.
 */
static void npu_group_weigh(struct npu_group *group)
{
	struct npu_fair *fair = npu_group_fair(group);
	struct npu_entity *entity;
	u32 weight = 0;

	list_for_each_entry(entity, &group->active, active_link) {
		weight = max(weight, entity->weight);
		if (weight >= group->weight)
			break;
	}
	if (weight == group->weight)
		return;
	/* The group is sorted by its time, which only changes before it is active. */
	if (group->weight) {
		npu_fair_remove(fair, group);
	} else {
		npu_group_pay(group, fair);
		npu_group_bound(group, fair, 0);
	}
	group->weight = weight;
	if (weight)
		npu_fair_add(fair, group);
}

static bool npu_entity_earlier(struct rb_node *a, const struct rb_node *b)
{
	const struct npu_entity *first = rb_entry(a, struct npu_entity, node);
	const struct npu_entity *second = rb_entry(b, struct npu_entity, node);

	return npu_time_diff(first->time, second->time) < 0;
}

/* Keep the virtual time of @entity within the bounds of @group. */
static void npu_entity_bound(struct npu_entity *entity,
			     const struct npu_group *group)
{
	s64 ahead = npu_time_diff(entity->time, group->turn);

	entity->time = group->turn + clamp(ahead, (s64)0, NPU_FAIR_SPAN);
}

/**
 * npu_entity_join() - an entity becomes active
 * @entity: the entity
 * @group: its group
 */
void npu_entity_join(struct npu_entity *entity, struct npu_group *group)
{
	entity->group = group;
	npu_entity_bound(entity, group);
	list_add(&entity->active_link, &group->active);
	rb_add_cached(&entity->node, &group->line, npu_entity_earlier);
	npu_group_weigh(group);
}

/**
 * npu_entity_part() - an entity is not active any more
 * @entity: the entity
 */
void npu_entity_part(struct npu_entity *entity)
{
	struct npu_group *group = entity->group;

	entity->group = NULL;
	list_del(&entity->active_link);
	rb_erase_cached(&entity->node, &group->line);
	npu_group_weigh(group);
}

/* An entity of @group has been served: advance its lowest virtual time. */
static void npu_group_advance(struct npu_group *group)
{
	struct rb_node *first = rb_first_cached(&group->line);
	s64 ahead;

	if (!first)
		return;
	ahead = npu_time_diff(rb_entry(first, struct npu_entity, node)->time,
			      group->turn);
	group->turn += max_t(s64, ahead, 0);
}

/* @entity has been served in @group, for virtual time @length of its own. */
static void npu_entity_spend(struct npu_entity *entity, struct npu_group *group,
			     u64 length)
{
	struct rb_root_cached *line = entity->group ? &entity->group->line : NULL;

	if (line)
		rb_erase_cached(&entity->node, line);
	entity->time += length;
	if (line)
		rb_add_cached(&entity->node, line, npu_entity_earlier);
	npu_group_advance(group);
	if (entity->group != group)
		return;
	rb_erase_cached(&entity->node, line);
	npu_entity_bound(entity, group);
	rb_add_cached(&entity->node, line, npu_entity_earlier);
}

/**
 * npu_group_ahead() - is a group so far ahead that no other can be waiting?
 * @group: the group, which is active and is served
 *
 * Return: whether it is.
 */
bool npu_group_ahead(const struct npu_group *group)
{
	struct npu_fair others = *npu_group_fair(group);

	/* The usual case, without a division. */
	if (npu_time_diff(group->time, others.time) <= 0)
		return false;
	npu_fair_remove(&others, group);
	return others.weight &&
	       npu_time_diff(group->time, others.time) > NPU_FAIR_CREDIT;
}

/**
 * npu_group_charge() - an entity has had device time
 * @group: the group in which it was served, perhaps no longer its own
 * @entity: the entity
 * @ns: the time, at most %NPU_SCHED_LONG
 * @ahead: what npu_group_ahead() said when the core took the slice
 */
void npu_group_charge(struct npu_group *group, struct npu_entity *entity, u64 ns,
		      bool ahead)
{
	struct npu_fair *fair = npu_group_fair(group);
	u64 scaled = ns * NPU_SCHED_SCALE;

	npu_entity_spend(entity, group, div_u64(scaled, entity->weight));
	if (group->weight)
		npu_fair_remove(fair, group);
	npu_group_spend(group, fair,
			div_u64(scaled, group->weight ?: entity->weight), ahead);
	npu_group_bound(group, fair, -NPU_FAIR_SPAN);
	if (group->weight)
		npu_fair_add(fair, group);
}
