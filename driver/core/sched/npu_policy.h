/* SPDX-License-Identifier: GPL-2.0-only */
/* Which ready context a core serves next. */
#ifndef NPU_POLICY_H
#define NPU_POLICY_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "../include/npu_hw.h"

struct npu_context;
struct npu_core;
struct npu_device;
struct npu_vm;

/**
 * enum npu_rank - in what order classes are served
 */
enum npu_rank {
	/** @NPU_RANK_LATENCY: Latency. */
	NPU_RANK_LATENCY,
	/** @NPU_RANK_THROUGHPUT: Throughput, and latency above its limit. */
	NPU_RANK_THROUGHPUT,
	/** @NPU_RANK_BACKGROUND: Background. */
	NPU_RANK_BACKGROUND,
	/** @NPU_RANKS: Number of ranks. */
	NPU_RANKS,
};

/**
 * struct npu_policy_params - what can be set
 */
struct npu_policy_params {
	/** @slice_us: Device time that a core is started for; 0: a whole lane. */
	unsigned int slice_us;
	/** @latency_percent: Share of the device for unprivileged latency work. */
	unsigned int latency_percent;
	/** @latency_window_ms: Over how long that share is counted. */
	unsigned int latency_window_ms;
	/** @starve_ms: How long a rank may wait for those before it. */
	unsigned int starve_ms;
	/** @fcfs: First come, first served, one whole lane at a time. */
	bool fcfs;
};

extern struct npu_policy_params npu_policy_defaults;

/**
 * struct npu_turn - ready contexts of a group that a core may serve
 */
struct npu_turn {
	/** @group: The group. */
	struct npu_group *group;
	/** @node: In &npu_core_queue.turns, unless there are none. */
	struct rb_node node;
	/** @contexts: The contexts, by &npu_context.ready_links. */
	struct list_head contexts;
	/** @deadline: The earliest that counts, or %U64_MAX. */
	u64 deadline;
	/** @since: &npu_context.since of the first of them. */
	u64 since;
};

/**
 * struct npu_group - contexts of a file in a rank
 *
 * Files share the device, contexts share what their file gets. A file counts as
 * much as the heaviest of its active contexts. Virtual time is device time
 * divided by weight.
 */
struct npu_group {
	/** @vm: Address space of the file. */
	struct npu_vm *vm;
	/** @rank: The rank. */
	enum npu_rank rank;
	/** @active: Contexts with work that can run or runs. */
	struct list_head active;
	/** @weight: The largest of their weights, 0 if there are none. */
	u32 weight;
	/** @time: Virtual time that the file has had. */
	u64 time;
	/** @overdrawn: It was far ahead when it was served last. */
	bool overdrawn;
	/** @turn: The lowest virtual time of its active contexts, so far. */
	u64 turn;
	/** @turns: Ready ones, of each core. */
	struct npu_turn turns[NPU_MAX_CORES];
};

/**
 * struct npu_core_queue - what a core may serve of a rank
 */
struct npu_core_queue {
	/** @turns: Groups, by deadline, then by virtual time. */
	struct rb_root_cached turns;
	/** @since: Since when they wait without any being served. */
	u64 since;
};

/**
 * struct npu_fair - the mean of the virtual times of the active groups of a rank
 */
struct npu_fair {
	/** @time: The mean. */
	u64 time;
	/** @rest: What is missing, times the weight, since it is a whole number. */
	s64 rest;
	/** @weight: Sum of their weights. */
	u64 weight;
};

/**
 * struct npu_budget - device time that may be had as latency work
 */
struct npu_budget {
	/** @left: Nanoseconds left; negative after a slice that took longer. */
	s64 left;
	/** @at: When that was so. */
	u64 at;
	/** @contexts: Contexts of the file that are limited by it. */
	unsigned int contexts;
};

void npu_policy_init_core(struct npu_core *core);
void npu_policy_init_vm(struct npu_vm *vm);
void npu_policy_join(struct npu_context *ctx, u32 sched_class, u32 weight,
		     bool privileged);
void npu_policy_leave(struct npu_context *ctx);
void npu_policy_change(struct npu_context *ctx, u32 sched_class, u32 weight,
		       bool privileged, u64 now);
u32 npu_policy_class(struct npu_context *ctx, u64 now);

void npu_policy_ready(struct npu_context *ctx, u64 now);
void npu_policy_unready(struct npu_context *ctx, u64 now);
void npu_policy_idle(struct npu_context *ctx);
bool npu_policy_any(const struct npu_core *core);
void npu_policy_follow(struct npu_device *npu, u64 now);
struct npu_context *npu_policy_pick(struct npu_core *core, bool stay, u64 now);
void npu_policy_taken(struct npu_core *core, struct npu_context *ctx, u64 now);
void npu_policy_charge(struct npu_core *core, struct npu_context *ctx, u64 ns,
		       u64 now);
u64 npu_policy_slice_ns(const struct npu_device *npu);

#endif /* NPU_POLICY_H */
