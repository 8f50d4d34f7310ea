// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RKNN dialect as the core sees it, and the links of chains.
 *
 * A stream ends with four words: where the next one is and how long, a word
 * that must precede the start, and the start of the blocks. The hardware counts
 * streams with TASK_CON and raises one interrupt after the last.
 */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "../core/include/npu_isa.h"
#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"
#include "rknn_regs.h"

#define RKNN_LINK_WORDS		4
/* TASK_CON counts with 12 bits. */
#define RKNN_MAX_LANE_TASKS	RKNN_PC_TASK_CON_NUMBER_MASK
/* Several times what the longest known streams have. */
#define RKNN_MAX_TASK_COMMANDS	1000

static u32 rknn_stream_words(u32 count)
{
	return ALIGN(count + RKNN_LINK_WORDS, RKNN_STREAM_ALIGN / sizeof(u64));
}

/* The last stream has no next, and may say so with zeros. */
static bool rknn_is_link(u64 command, u16 reg)
{
	return !command || (RKNN_CMD_TARGET(command) == RKNN_TARGET_PC &&
			    RKNN_CMD_REG(command) == reg);
}

/*
 * The trailer is the four words that end with the start; zeros after it are
 * what rounds the stream up.
 */
static int rknn_split(const u64 *commands, u32 count, u32 *body, u32 *enable)
{
	u64 start;

	while (count && !commands[count - 1])
		count--;
	/* At least one command before the link. */
	if (count <= RKNN_LINK_WORDS)
		return -EINVAL;
	start = commands[count - 1];
	if (RKNN_CMD_TARGET(start) != RKNN_TARGET_ENABLE ||
	    RKNN_CMD_REG(start) != RKNN_PC_OPERATION_ENABLE ||
	    RKNN_CMD_TARGET(commands[count - 2]) != RKNN_TARGET_SYNC ||
	    !rknn_is_link(commands[count - 3], RKNN_PC_REGISTER_AMOUNTS) ||
	    !rknn_is_link(commands[count - 4], RKNN_PC_BASE_ADDRESS))
		return -EINVAL;
	*body = count - RKNN_LINK_WORDS;
	*enable = RKNN_CMD_VALUE(start);
	return 0;
}

static void rknn_link(u64 *stream, u32 count, u32 enable, u64 next,
		      u32 next_count)
{
	u32 words = rknn_stream_words(next_count);

	stream += count;
	/* The last stream has no next; TASK_CON ends the chain. */
	*stream++ = next ? RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_BASE_ADDRESS, next) :
			   0;
	*stream++ = RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_REGISTER_AMOUNTS,
			     next ? words / 2 - 1 : 0);
	*stream++ = RKNN_CMD(RKNN_TARGET_SYNC, 0, 0);
	*stream++ = RKNN_CMD(RKNN_TARGET_ENABLE, RKNN_PC_OPERATION_ENABLE,
			     enable);
}

const struct npu_isa_ops npu_isa_rknn = {
	.id = DRM_NPU_ISA_RKNN,
	.max_lane_tasks = RKNN_MAX_LANE_TASKS,
	.max_task_commands = RKNN_MAX_TASK_COMMANDS,
	.state_size = rknn_verify_state_size,
	.begin = rknn_verify_begin,
	.stream_words = rknn_stream_words,
	.verify = rknn_verify,
	.describe = rknn_describe,
	.features = rknn_chip_features,
	.data_type = rknn_chip_data_type,
	.split = rknn_split,
	.link = rknn_link,
};
