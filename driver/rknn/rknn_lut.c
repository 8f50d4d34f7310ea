// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookup tables: what a lane writes to them, and how it gets it back.
 *
 * There are two of them, in memory of the core that outlives tasks. Each task that
 * uses them is given the contents that its lane has written so far, and zeros for
 * the rest, so that it depends on no other client and the lane can be cut.
 */
#include <linux/types.h>

#include "rknn_lane.h"
#include "../../include/rknn/rknn_regs.h"

/**
 * rknn_lut_write() - a stream writes an entry
 * @lane: the lane
 * @value: what is written
 *
 * Nothing is written unless LUT_ACCESS_CFG says so, as in streams that set all
 * registers to 0.
 *
 * Return: whether there is such an entry.
 */
bool rknn_lut_write(struct rknn_lane *lane, u32 value)
{
	u32 address = lane->table_access & RKNN_LUT_ACCESS_ADDRESS;
	u32 table = !!(lane->table_access & RKNN_LUT_ACCESS_LO);

	if (!(lane->table_access & RKNN_LUT_ACCESS_WRITE))
		return true;
	if (address >= RKNN_LUT_ENTRIES)
		return false;
	lane->tables[table][address] = value;
	/* There is room in the field for one more than the last. */
	lane->table_access++;
	return true;
}

/**
 * rknn_lut_emit() - write the tables, if the present task uses them
 * @lane: the lane
 * @commands: where the commands go
 *
 * Return: where the next commands go.
 */
u64 *rknn_lut_emit(const struct rknn_lane *lane, u64 *commands)
{
	const struct rknn_task task = rknn_lane_task(lane);
	u32 table, i;

	if (rknn_get(&task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_LUT_BYPASS))
		return commands;
	for (table = 0; table < RKNN_LUT_TABLES; table++) {
		*commands++ = RKNN_CMD(RKNN_TARGET_DPU, RKNN_DPU_LUT_ACCESS_CFG,
				       RKNN_LUT_ACCESS_WRITE |
				       (table ? RKNN_LUT_ACCESS_LO : 0));
		for (i = 0; i < RKNN_LUT_ENTRIES; i++)
			*commands++ = RKNN_CMD(RKNN_TARGET_DPU,
					       RKNN_DPU_LUT_ACCESS_DATA,
					       lane->tables[table][i]);
	}
	return commands;
}
