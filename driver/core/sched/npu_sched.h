/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scheduler: which of the entities with work a core serves next.
 *
 * A library. The caller tells what happens and asks what to do; the library calls
 * nothing back, takes no lock, allocates nothing, and is given the time. It knows
 * neither jobs nor DRM, so it is built and tested without a kernel, too.
 *
 * The caller serialises all calls that concern one &struct npu_sched. Its objects
 * are embedded in the caller's: struct npu_sched in a device, struct npu_sched_core
 * in a core, struct npu_sched_file in what a client has opened, struct npu_entity
 * in each queue.
 */
#ifndef NPU_SCHED_H
#define NPU_SCHED_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "../include/npu_hw.h"

struct npu_group;
struct npu_sched;

/* Weight of an entity that asks for none. */
#define NPU_SCHED_WEIGHT	100u

/**
 * enum npu_rank - classes, in the order in which they are served
 */
enum npu_rank {
	/** @NPU_RANK_LATENCY: Short work that has to end soon. */
	NPU_RANK_LATENCY,
	/** @NPU_RANK_THROUGHPUT: Other work, and latency work without budget. */
	NPU_RANK_THROUGHPUT,
	/** @NPU_RANK_BACKGROUND: Runs only when nothing else is ready. */
	NPU_RANK_BACKGROUND,
	/** @NPU_RANKS: Number of ranks. */
	NPU_RANKS,
};

/**
 * struct npu_sched_params - tunables, which may change at any time
 */
struct npu_sched_params {
	/** @slice_us: Device time of a slice; 0 for the whole lane. */
	unsigned int slice_us;
	/** @latency_percent: Share of the device for limited latency work. */
	unsigned int latency_percent;
	/** @latency_window_ms: Period over which that share is granted. */
	unsigned int latency_window_ms;
	/** @starve_ms: How long a rank may wait for better ones. */
	unsigned int starve_ms;
	/** @fcfs: First come, first served, whole lanes. */
	bool fcfs;
};

/**
 * struct npu_turn - ready entities of a group that one core may serve
 */
struct npu_turn {
	/** @group: The group. */
	struct npu_group *group;
	/** @node: In &npu_core_queue.turns while @entities is not empty. */
	struct rb_node node;
	/** @entities: Ready entities, oldest first. */
	struct list_head entities;
	/** @order: The same, by deadline, then virtual time, then age. */
	struct rb_root_cached order;
	/** @deadline: Earliest deadline that counts, or %U64_MAX. */
	u64 deadline;
	/** @since: &npu_entity.since of the first entity. */
	u64 since;
};

/**
 * struct npu_group - entities of one file that are active in one rank
 *
 * Files share the device, entities share what their file gets. A file weighs as
 * much as its heaviest active entity. Virtual time is device time divided by
 * weight.
 */
struct npu_group {
	/** @file: The file. */
	struct npu_sched_file *file;
	/** @rank: The rank. */
	enum npu_rank rank;
	/** @active: Active entities, by &npu_entity.active_link. */
	struct list_head active;
	/** @line: The same, by virtual time. */
	struct rb_root_cached line;
	/** @weight: Largest weight of @active; 0 if it is empty. */
	u32 weight;
	/** @time: Virtual time of the file. */
	u64 time;
	/** @debt: Virtual time that is to be added to @time, see npu_fair.c. */
	u64 debt;
	/** @overdrawn: Too far ahead of the others for its deadlines to count. */
	bool overdrawn;
	/** @turn: Lowest virtual time of @active so far; entities begin there. */
	u64 turn;
	/** @turns: Ready entities, by core. */
	struct npu_turn turns[NPU_MAX_CORES];
};

/**
 * struct npu_core_queue - what one core may serve in one rank
 */
struct npu_core_queue {
	/** @turns: Turns, by deadline, then virtual time, then age. */
	struct rb_root_cached turns;
	/** @since: Since when they wait without one being served. */
	u64 since;
};

/**
 * struct npu_fair - mean virtual time of the active groups of a rank
 */
struct npu_fair {
	/** @time: The mean, rounded down. */
	u64 time;
	/** @rest: What rounding has cut off, times @weight. */
	s64 rest;
	/** @weight: Sum of the groups' weights. */
	u64 weight;
};

/**
 * struct npu_budget - device time that may be used for latency work
 */
struct npu_budget {
	/** @left: Nanoseconds left at @at; negative if overdrawn. */
	s64 left;
	/** @at: When @left was computed. */
	u64 at;
};

/**
 * struct npu_sched - scheduler of a device
 */
struct npu_sched {
	/** @params: Tunables, owned by the caller. */
	const struct npu_sched_params *params;
	/** @core_count: Number of cores. */
	unsigned int core_count;
	/** @cores: The cores, embedded in the caller's. */
	struct npu_sched_core *cores[NPU_MAX_CORES];
	/** @stay_ns: What others may be owed while a core keeps its file. */
	u64 stay_ns;
	/** @fcfs: The &npu_sched_params.fcfs by which turns are sorted. */
	bool fcfs;
	/** @entities: All entities, oldest first. */
	struct list_head entities;
	/** @ready_count: Entities that are ready. */
	u32 ready_count;
	/** @readied: How often an entity has become ready. */
	u64 readied;
	/** @fair: Mean virtual time, by rank. */
	struct npu_fair fair[NPU_RANKS];
	/** @budget: For latency work of all limited entities together. */
	struct npu_budget budget;
	/** @window: Number of the present window of the budget. */
	u64 window;
	/** @wanting: Files that have had limited latency work in it. */
	unsigned int wanting;
	/** @wanted: Files whose newest such work was in the window before. */
	unsigned int wanted;
};

/**
 * struct npu_sched_core - a core
 */
struct npu_sched_core {
	/** @sched: The scheduler. */
	struct npu_sched *sched;
	/** @index: Number of the core. */
	unsigned int index;
	/**
	 * @attached: File whose work the core can start at the least cost, or
	 * %NULL; set by the caller.
	 */
	struct npu_sched_file *attached;
	/** @rank: What the entity was served as that has the core. */
	enum npu_rank rank;
	/** @limited: Its slice is paid from the latency budgets. */
	bool limited;
	/** @ahead: The slice was taken although its file is far ahead. */
	bool ahead;
	/** @queues: What it may serve, by rank. */
	struct npu_core_queue queues[NPU_RANKS];
};

/**
 * struct npu_sched_file - entities that count as one client
 */
struct npu_sched_file {
	/** @sched: The scheduler. */
	struct npu_sched *sched;
	/** @groups: Its active entities, by rank. */
	struct npu_group groups[NPU_RANKS];
	/** @budget: For its limited latency work. */
	struct npu_budget budget;
	/** @window: Window of its newest limited latency work, or 0. */
	u64 window;
};

/**
 * struct npu_ready - a ready entity among those that a core may serve
 */
struct npu_ready {
	/** @entity: The entity. */
	struct npu_entity *entity;
	/** @link: In &npu_turn.entities. */
	struct list_head link;
	/** @node: In &npu_turn.order. */
	struct rb_node node;
};

/**
 * struct npu_entity - a queue of work
 */
struct npu_entity {
	/** @file: The file. */
	struct npu_sched_file *file;
	/** @link: In &npu_sched.entities. */
	struct list_head link;
	/** @core_mask: Cores that may serve it, one bit each. */
	u32 core_mask;
	/** @rank: The class it asked for. */
	enum npu_rank rank;
	/** @weight: Its weight, not 0. */
	u32 weight;
	/** @limited: Needs budget to be served as latency work. */
	bool limited;
	/** @time: Virtual time, compared within its group. */
	u64 time;
	/** @group: Where it is active, or %NULL. */
	struct npu_group *group;
	/** @active_link: In &npu_group.active. */
	struct list_head active_link;
	/** @node: In &npu_group.line. */
	struct rb_node node;
	/** @ready: Has work that a core could start. */
	bool ready;
	/** @since: &npu_sched.readied when it became ready. */
	u64 since;
	/** @deadline_ns: Deadline of that work, or %U64_MAX. */
	u64 deadline_ns;
	/** @queued_ns: When that work was queued. */
	u64 queued_ns;
	/** @due: The deadline by which it is sorted while it is ready. */
	u64 due;
	/** @places: Its places among the ready ones of each core of @core_mask. */
	struct npu_ready places[NPU_MAX_CORES];
};

/**
 * struct npu_hints - how an entity is to be served
 */
struct npu_hints {
	/** @rank: The class. */
	enum npu_rank rank;
	/** @weight: The weight, not 0. */
	u32 weight;
	/** @limited: Latency work needs budget. */
	bool limited;
};

/**
 * struct npu_entity_work - the work of an entity that is ready
 */
struct npu_entity_work {
	/** @queued_ns: When it was queued. */
	u64 queued_ns;
	/** @deadline_ns: When it should have ended, or 0. */
	u64 deadline_ns;
};

void npu_sched_init(struct npu_sched *sched,
		    const struct npu_sched_params *params);
void npu_sched_init_core(struct npu_sched *sched, struct npu_sched_core *core);
void npu_sched_init_file(struct npu_sched *sched, struct npu_sched_file *file);

void npu_entity_init(struct npu_entity *entity, struct npu_sched_file *file,
		     u32 core_mask, const struct npu_hints *hints);
void npu_entity_fini(struct npu_entity *entity);
void npu_entity_change(struct npu_entity *entity, const struct npu_hints *hints,
		       u64 now);
enum npu_rank npu_entity_rank(struct npu_entity *entity, u64 now);
void npu_entity_ready(struct npu_entity *entity,
		      const struct npu_entity_work *work, u64 now);
void npu_entity_unready(struct npu_entity *entity, u64 now);
void npu_entity_hasten(struct npu_entity *entity, u64 deadline_ns, u64 now);
void npu_entity_idle(struct npu_entity *entity);

bool npu_sched_any(const struct npu_sched_core *core);
bool npu_sched_has_latency(const struct npu_sched *sched);
void npu_sched_follow(struct npu_sched *sched, u64 now);
struct npu_entity *npu_sched_pick(struct npu_sched_core *core, bool stay,
				  u64 now);
void npu_sched_taken(struct npu_sched_core *core,
		     const struct npu_entity *entity, u64 now);
void npu_sched_charge(struct npu_sched_core *core, struct npu_entity *entity,
		      u64 ns, u64 now);
u64 npu_sched_slice_ns(const struct npu_sched *sched);

#endif /* NPU_SCHED_H */
