// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which values registers have when a task starts, and the stream that the kernel
 * writes for it.
 *
 * The hardware keeps register groups and tables over tasks, jobs and clients. The
 * kernel writes every register of the blocks that a task starts, whatever its
 * author has left out. So no task depends on another client, and a lane can be cut
 * after each task.
 */
#include <linux/string.h>
#include <linux/types.h>

#include "rknn.h"
#include "rknn_lane.h"
#include "../../include/rknn/rknn_regs.h"
#include "rknn_table.h"

/**
 * rknn_lane_init() - prepare for the first task
 * @lane: the lane
 * @chip: the chip that it is for
 */
void rknn_lane_init(struct rknn_lane *lane, const struct npu_isa_chip *chip)
{
	u32 number = 0, block, i;

	memset(lane, 0, sizeof(*lane));
	lane->chip = chip;
	for (block = 0; block < RKNN_BLOCKS; block++) {
		lane->alternates[block] = true;
		lane->first[block] = number;
		for (i = 0; i < rknn_blocks[block].count; i++, number++) {
			const struct rknn_rule *rule = &rknn_blocks[block].rules[i];

			lane->rules[number] = rule;
			lane->blocks[number] = block;
			lane->numbers[rknn_slot(rule->reg)] = number + 1;
			lane->groups[0][number] = rule->reset;
			lane->groups[1][number] = rule->reset;
			if (rule->kind == RKNN_RULE_ADDRESS ||
			    rule->kind == RKNN_RULE_OPERAND)
				lane->addresses[lane->address_count++] = number;
		}
	}
	lane->first[block] = number;
}

/**
 * rknn_lane_begin_task() - take the values that the next task inherits
 * @lane: the lane
 * @enable: blocks that the task starts
 */
void rknn_lane_begin_task(struct rknn_lane *lane, u32 enable)
{
	u32 block;

	lane->enable = enable;
	for (block = 0; block < RKNN_BLOCKS; block++) {
		u32 first = lane->first[block];

		memcpy(&lane->regs[first], &lane->groups[lane->group[block]][first],
		       (lane->first[block + 1] - first) * sizeof(lane->regs[0]));
	}
	memset(lane->written, 0, sizeof(lane->written));
}

/**
 * rknn_lane_end_task() - keep the values of the present task, which is accepted
 * @lane: the lane
 */
void rknn_lane_end_task(struct rknn_lane *lane)
{
	u32 block, i;

	for (i = 0; i < lane->address_count; i++) {
		u32 number = lane->addresses[i];

		if (lane->written[number])
			lane->known[lane->group[lane->blocks[number]]][number] = true;
	}
	for (block = 0; block < RKNN_BLOCKS; block++) {
		u32 first = lane->first[block];

		memcpy(&lane->groups[lane->group[block]][first], &lane->regs[first],
		       (lane->first[block + 1] - first) * sizeof(lane->regs[0]));
		if (lane->enable & rknn_blocks[block].enable &&
		    lane->alternates[block])
			lane->group[block] ^= 1;
	}
	lane->convolved = lane->enable & RKNN_ENABLE_CNA;
	if (lane->convolved)
		memcpy(lane->before, lane->regs, sizeof(lane->before));
}

/**
 * rknn_lane_task() - the present task
 * @lane: the lane
 *
 * Return: the task, which refers to @lane.
 */
struct rknn_task rknn_lane_task(const struct rknn_lane *lane)
{
	return (struct rknn_task){
		.chip = lane->chip,
		.regs = lane->regs,
		.numbers = lane->numbers,
		.enable = lane->enable,
	};
}

/**
 * rknn_lane_known() - is an address the lane's own?
 * @lane: the lane
 * @number: number of its register
 *
 * Return: whether the present task has written it, or one that it inherits from.
 */
bool rknn_lane_known(const struct rknn_lane *lane, u32 number)
{
	return lane->written[number] ||
	       lane->known[lane->group[lane->blocks[number]]][number];
}

/*
 * The part of the input that CNA is told to load; @size is the client's value. Mesa
 * relies on columns of an image that share the last atom with those it asks for. The
 * kernel loads all columns, so that none can hold data of another client, whatever
 * the hardware does with the rest of an atom.
 */
static u32 rknn_lane_extent(const struct rknn_lane *lane, u32 size)
{
	const struct rknn_task task = rknn_lane_task(lane);

	if (!rknn_get(&task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN))
		return size;
	/* Both have rows in the low half and columns in the high one. */
	return rknn_get(&task, RKNN_CNA_DATA_SIZE0, RKNN_ALL);
}

/* Write register number @i at @command. Returns where the next command goes. */
static u64 *rknn_lane_emit_reg(const struct rknn_lane *lane, u32 i, u64 *command)
{
	const struct rknn_rule *rule = lane->rules[i];
	u32 value = lane->regs[i];

	switch (rule->kind) {
	case RKNN_RULE_POINTER:
		value = rknn_blocks[lane->blocks[i]].pointer;
		if (!value)
			return command;
		break;
	case RKNN_RULE_TABLE_ACCESS:
		return rknn_lut_emit(lane, command);
	case RKNN_RULE_TABLE_DATA:
		return command;
	case RKNN_RULE_EXTENT:
		value = rknn_lane_extent(lane, value);
		break;
	}
	*command++ = RKNN_CMD(RKNN_TARGET(rule->reg), rule->reg, value);
	return command;
}

/**
 * rknn_lane_emit() - &npu_isa_ops.emit
 * @lane: the lane
 * @commands: receives the commands of the present task
 *
 * Return: the number of commands.
 */
u32 rknn_lane_emit(const struct rknn_lane *lane, u64 *commands)
{
	u64 *command = commands;
	u32 block, i;

	for (block = 0; block < RKNN_BLOCKS; block++)
		if (lane->enable & rknn_blocks[block].enable)
			for (i = lane->first[block]; i < lane->first[block + 1]; i++)
				command = rknn_lane_emit_reg(lane, i, command);
	return command - commands;
}
