// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of registers, for messages about streams that are refused.
 *
 * They are the constants of rknn_regs.h without the prefix of their block.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include "npu_accel.h"
#include "rknn.h"
#include "../../include/rknn/rknn_regs.h"
#include "rknn_table.h"

/* Offset of OPERATION_ENABLE, which every block has. */
#define RKNN_BLOCK_OPERATION_ENABLE	0x008

#define NAME(reg)	{ reg, RKNN_RULE_VALUE, 0, 0, 0, #reg }

/* The PC takes no registers from clients, but streams name some of them. */
static const struct rknn_rule rknn_pc_rules[] = {
	NAME(RKNN_PC_VERSION),
	NAME(RKNN_PC_VERSION_NUM),
	NAME(RKNN_PC_OPERATION_ENABLE),
	NAME(RKNN_PC_BASE_ADDRESS),
	NAME(RKNN_PC_REGISTER_AMOUNTS),
	NAME(RKNN_PC_INTERRUPT_MASK),
	NAME(RKNN_PC_INTERRUPT_CLEAR),
	NAME(RKNN_PC_INTERRUPT_STATUS),
	NAME(RKNN_PC_INTERRUPT_RAW_STATUS),
	NAME(RKNN_PC_TASK_CON),
	NAME(RKNN_PC_TASK_DMA_BASE_ADDR),
	NAME(RKNN_PC_TASK_STATUS),
};

static const struct rknn_block rknn_pc = {
	.name = "PC",
	.prefix = "RKNN_PC_",
	.rules = rknn_pc_rules,
	.count = ARRAY_SIZE(rknn_pc_rules),
};

/* The block that has register @reg, or %NULL. */
static const struct rknn_block *rknn_block_of(u32 reg)
{
	u32 i;

	if (reg >> 12 == RKNN_PC_VERSION >> 12)
		return &rknn_pc;
	for (i = 0; i < RKNN_BLOCKS; i++)
		if (reg >> 12 == rknn_blocks[i].rules[0].reg >> 12)
			return &rknn_blocks[i];
	return NULL;
}

/* The name of register @reg in @block, or %NULL. */
static const char *rknn_name_in(const struct rknn_block *block, u32 reg)
{
	u32 i;

	for (i = 0; i < block->count; i++)
		if (block->rules[i].reg == reg)
			return block->rules[i].name + strlen(block->prefix);
	if (reg == RKNN_CORE_MAC_GATING)
		return "MAC_GATING";
	return (reg & 0xfff) == RKNN_BLOCK_OPERATION_ENABLE ?
	       "OPERATION_ENABLE" : NULL;
}

/**
 * rknn_register_name() - &npu_isa_ops.name
 * @reg: a register
 * @record: receives its name and that of its block
 *
 * Return: whether there is such a block.
 */
bool rknn_register_name(u32 reg, struct drm_npu_query_register *record)
{
	const struct rknn_block *block = rknn_block_of(reg);
	const char *name;

	if (!block)
		return false;
	strscpy(record->block, block->name);
	name = rknn_name_in(block, reg);
	if (name)
		strscpy(record->name, name);
	return true;
}
