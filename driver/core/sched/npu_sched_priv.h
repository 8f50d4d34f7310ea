/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the scheduler share. */
#ifndef NPU_SCHED_PRIV_H
#define NPU_SCHED_PRIV_H

#include <linux/compiler.h>
#include <linux/time64.h>

#include "npu_sched.h"

/* Virtual time of one nanosecond of an entity of weight 1. */
#define NPU_SCHED_SCALE		1024u
/* Virtual time of @ns nanoseconds of an entity of the default weight. */
#define NPU_SCHED_TIME(ns)	((ns) * NPU_SCHED_SCALE / NPU_SCHED_WEIGHT)
/* Longer times count as this, so that nothing overflows. */
#define NPU_SCHED_LONG		(1000ull * NSEC_PER_SEC)

/* a - b, for virtual times. */
static inline s64 npu_time_diff(u64 a, u64 b)
{
	return (s64)(a - b);
}

/* npu_fair.c */
bool npu_group_ahead(const struct npu_group *group);
bool npu_group_repay(struct npu_group *group);
void npu_group_charge(struct npu_group *group, struct npu_entity *entity,
		      u64 ns, bool ahead);
void npu_entity_join(struct npu_entity *entity, struct npu_group *group);
void npu_entity_part(struct npu_entity *entity);

/* npu_budget.c */
void npu_budget_want(struct npu_sched_file *file, u64 now);
u32 npu_budget_files(struct npu_sched *sched, u64 now);
bool npu_budget_any(struct npu_sched_file *file, u64 now);
void npu_budget_take(struct npu_sched_file *file, u64 ns, u64 now);

/* npu_turn.c */
bool npu_turn_waits(const struct npu_turn *turn);
void npu_turn_add(struct npu_turn *turn, struct npu_ready *place,
		  struct npu_sched_core *core, u64 now);
void npu_turn_remove(struct npu_turn *turn, struct npu_ready *place,
		     struct npu_sched_core *core, u64 now);
void npu_turn_lift(struct npu_turn *turn, struct npu_ready *place);
void npu_turn_lower(struct npu_turn *turn, struct npu_ready *place);
void npu_turn_sort(struct npu_turn *turn, struct npu_sched_core *core, u64 now);
struct npu_entity *npu_turn_next(const struct npu_turn *turn);
struct npu_turn *npu_turn_first(const struct npu_sched_core *core,
				enum npu_rank rank);

#endif /* NPU_SCHED_PRIV_H */
