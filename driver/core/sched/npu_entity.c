// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entities: their hints, and whether they are active and ready.
 *
 * An entity is ready while it has work that a core could start, and active while
 * it is ready or a core has a slice of it.
 */
#include <linux/limits.h>

#include "npu_sched_priv.h"

static bool npu_entity_needs_budget(const struct npu_entity *entity)
{
	return entity->limited && entity->rank == NPU_RANK_LATENCY;
}

/**
 * npu_entity_rank() - what an entity would be served as
 * @entity: the entity
 * @now: the time
 *
 * Return: its class, or %NPU_RANK_THROUGHPUT for latency work without budget.
 */
enum npu_rank npu_entity_rank(struct npu_entity *entity, u64 now)
{
	if (entity->file->sched->fcfs)
		return NPU_RANK_THROUGHPUT;
	if (npu_entity_needs_budget(entity) && !npu_budget_any(entity->file, now))
		return NPU_RANK_THROUGHPUT;
	return entity->rank;
}

/* Make @entity active as what it is at present. */
static void npu_entity_activate(struct npu_entity *entity, u64 now)
{
	enum npu_rank rank = npu_entity_rank(entity, now);

	if (entity->group && entity->group->rank == rank)
		return;
	npu_entity_idle(entity);
	npu_entity_join(entity, &entity->file->groups[rank]);
}

/**
 * npu_entity_idle() - an entity has nothing any more that can run
 * @entity: the entity, which is not ready
 */
void npu_entity_idle(struct npu_entity *entity)
{
	if (entity->group)
		npu_entity_part(entity);
}

/* Queue @entity, which is active, with its cores. */
static void npu_entity_enqueue(struct npu_entity *entity, u64 now)
{
	struct npu_sched *sched = entity->file->sched;
	unsigned int i;

	entity->since = ++sched->readied;
	entity->due = sched->fcfs ? entity->queued_ns : entity->deadline_ns;
	for (i = 0; i < sched->core_count; i++)
		if (entity->core_mask & (1u << i))
			npu_turn_add(&entity->group->turns[i],
				     &entity->places[i], sched->cores[i], now);
	entity->ready = true;
	sched->ready_count++;
}

/**
 * npu_entity_ready() - an entity has work that a core could start
 * @entity: the entity, whose rank is found out anew
 * @work: the work
 * @now: the time
 */
void npu_entity_ready(struct npu_entity *entity,
		      const struct npu_entity_work *work, u64 now)
{
	if (npu_entity_needs_budget(entity))
		npu_budget_want(entity->file, now);
	if (entity->ready) {
		if (entity->group->rank == npu_entity_rank(entity, now))
			return;
		npu_entity_unready(entity, now);
	}
	entity->queued_ns = work->queued_ns;
	entity->deadline_ns = work->deadline_ns ?: U64_MAX;
	npu_entity_activate(entity, now);
	npu_entity_enqueue(entity, now);
}

/**
 * npu_entity_unready() - an entity has no work left that a core could start
 * @entity: the entity; it stays active until npu_entity_idle()
 * @now: the time
 */
void npu_entity_unready(struct npu_entity *entity, u64 now)
{
	struct npu_sched *sched = entity->file->sched;
	unsigned int i;

	if (!entity->ready)
		return;
	for (i = 0; i < sched->core_count; i++)
		if (entity->core_mask & (1u << i))
			npu_turn_remove(&entity->group->turns[i],
					&entity->places[i], sched->cores[i],
					now);
	entity->ready = false;
	sched->ready_count--;
}

/**
 * npu_entity_hasten() - the work of an entity is to end earlier than it was
 * @entity: the entity; nothing changes unless it is ready
 * @deadline_ns: the deadline, not 0; a later one than it has does not count
 * @now: the time
 */
void npu_entity_hasten(struct npu_entity *entity, u64 deadline_ns, u64 now)
{
	if (!entity->ready || deadline_ns >= entity->deadline_ns)
		return;
	npu_entity_unready(entity, now);
	entity->deadline_ns = deadline_ns;
	npu_entity_enqueue(entity, now);
}

static void npu_entity_hint(struct npu_entity *entity,
			    const struct npu_hints *hints)
{
	entity->rank = hints->rank;
	entity->weight = hints->weight;
	entity->limited = hints->limited;
}

/**
 * npu_entity_change() - give an entity other hints
 * @entity: the entity; a slice that a core has is charged as what it was taken
 * @hints: the hints
 * @now: the time
 */
void npu_entity_change(struct npu_entity *entity, const struct npu_hints *hints,
		       u64 now)
{
	bool ready = entity->ready, active = entity->group;

	npu_entity_unready(entity, now);
	npu_entity_idle(entity);
	npu_entity_hint(entity, hints);
	if (active && npu_entity_needs_budget(entity))
		npu_budget_want(entity->file, now);
	if (active)
		npu_entity_activate(entity, now);
	if (ready)
		npu_entity_enqueue(entity, now);
}

/**
 * npu_entity_init() - new entity
 * @entity: the entity, filled with zeros
 * @file: its file, which outlives it
 * @core_mask: cores that may serve it, at least one
 * @hints: its hints
 */
void npu_entity_init(struct npu_entity *entity, struct npu_sched_file *file,
		     u32 core_mask, const struct npu_hints *hints)
{
	unsigned int i;

	entity->file = file;
	entity->core_mask = core_mask;
	for (i = 0; i < NPU_MAX_CORES; i++)
		entity->places[i].entity = entity;
	list_add_tail(&entity->link, &file->sched->entities);
	npu_entity_hint(entity, hints);
}

/**
 * npu_entity_fini() - an entity goes
 * @entity: the entity, which is neither ready nor active
 */
void npu_entity_fini(struct npu_entity *entity)
{
	list_del(&entity->link);
}
