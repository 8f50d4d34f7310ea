/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a lane while its tasks are verified one after the other. */
#ifndef RKNN_LANE_H
#define RKNN_LANE_H

#include <linux/types.h>

#include "rknn.h"
#include "rknn_table.h"

struct npu_isa_chip;

/**
 * struct rknn_lane - a lane whose tasks are verified
 *
 * A register that a task does not write has the value that the lane has last
 * written to it in the same register group, or its reset value. Groups alternate
 * with each task that starts the block, unless the lane has stopped that.
 */
struct rknn_lane {
	/** @chip: The chip that it is for. */
	const struct npu_isa_chip *chip;
	/** @rules: The rules of all blocks, by number. */
	const struct rknn_rule *rules[RKNN_RULES_MAX];
	/** @blocks: The block of each of them. */
	u8 blocks[RKNN_RULES_MAX];
	/** @first: The first of each block's; the last element is their number. */
	u8 first[RKNN_BLOCKS + 1];
	/** @addresses: Those that are addresses. */
	u8 addresses[RKNN_ADDRESSES_MAX];
	/** @address_count: Number of @addresses. */
	u32 address_count;
	/** @numbers: Number of the rule of each register, counted from 1; or 0. */
	u8 numbers[RKNN_SLOTS];

	/** @group: The register group of each block that is next. */
	u8 group[RKNN_BLOCKS];
	/** @alternates: Whether the groups of each block alternate. */
	bool alternates[RKNN_BLOCKS];
	/** @groups: Values of both groups, without those of the present task. */
	u32 groups[2][RKNN_RULES_MAX];
	/** @known: Which of the addresses among them the lane has written. */
	bool known[2][RKNN_RULES_MAX];

	/** @enable: Blocks that the present task starts. */
	u32 enable;
	/** @regs: Values that the present task starts with. */
	u32 regs[RKNN_RULES_MAX];
	/** @written: Its command that wrote each last, counted from 1; or 0. */
	u32 written[RKNN_RULES_MAX];

	/** @convolved: The task before was a convolution, @before are its values. */
	bool convolved;
	/** @continues: The present task reuses what that one left on the chip. */
	bool continues;
	/** @before: See @convolved. */
	u32 before[RKNN_RULES_MAX];

	/** @table_access: Value of LUT_ACCESS_CFG, whose address counts up. */
	u32 table_access;
	/** @tables: Lookup tables LE and LO as the lane has written them. */
	u16 tables[RKNN_LUT_TABLES][RKNN_LUT_ENTRIES];
};

void rknn_lane_init(struct rknn_lane *lane, const struct npu_isa_chip *chip);
void rknn_lane_begin_task(struct rknn_lane *lane, u32 enable);
void rknn_lane_end_task(struct rknn_lane *lane);
struct rknn_task rknn_lane_task(const struct rknn_lane *lane);
bool rknn_lane_known(const struct rknn_lane *lane, u32 number);
u32 rknn_lane_emit(const struct rknn_lane *lane, u64 *commands);
bool rknn_lut_write(struct rknn_lane *lane, u32 value);
u64 *rknn_lut_emit(const struct rknn_lane *lane, u64 *commands);

#endif /* RKNN_LANE_H */
