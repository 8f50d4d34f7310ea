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
#include "../../include/rknn/rknn_regs.h"
#include "rknn_verify.h"

#define RKNN_LINK_WORDS		4
/* TASK_CON counts with 12 bits. */
#define RKNN_MAX_LANE_TASKS	RKNN_PC_TASK_CON_NUMBER_MASK
/* All registers and both lookup tables, with room for repetitions. */
#define RKNN_MAX_TASK_COMMANDS	2000
/* How far beyond a stream the hardware may read, it is assumed. */
#define RKNN_FETCH_AHEAD	4096
/* All registers and both lookup tables, each with the word that selects it. */
#define RKNN_MAX_STREAM_COMMANDS \
	(RKNN_RULES_MAX + RKNN_LUT_TABLES * (RKNN_LUT_ENTRIES + 1))

static u32 rknn_stream_words(u32 count)
{
	return ALIGN(count + RKNN_LINK_WORDS, RKNN_STREAM_ALIGN / sizeof(u64));
}

/*
 * A convolution without output pixels. Streams of other tasks may set the registers
 * of CNA to 0 as well.
 */
static bool rknn_idle(const void *words, u32 count, u32 enable)
{
	const u64 *commands = words;
	const u16 target = RKNN_TARGET(RKNN_CNA_DATA_SIZE3);
	bool idle = false;
	u32 i;

	for (i = 0; i < count; i++)
		if (RKNN_CMD_TARGET(commands[i]) == target &&
		    RKNN_CMD_REG(commands[i]) == RKNN_CNA_DATA_SIZE3)
			idle = !(RKNN_CMD_VALUE(commands[i]) &
				 RKNN_DATA_SIZE3_PIXELS);
	return idle && enable & RKNN_ENABLE_CNA;
}

/*
 * The start is the last word but zeros, which round the stream up. Before it are
 * the word that must precede it, the link, and words that do nothing, in any order.
 */
static int rknn_split(const void *words, u32 count, u32 *body, u32 *enable)
{
	const u64 *commands = words;
	bool synced = false;
	u64 start;

	while (count && !commands[count - 1])
		count--;
	if (!count)
		return -EINVAL;
	start = commands[--count];
	if (RKNN_CMD_TARGET(start) != RKNN_TARGET_ENABLE ||
	    RKNN_CMD_REG(start) != RKNN_PC_OPERATION_ENABLE)
		return -EINVAL;
	while (count && rknn_is_dropped(commands[count - 1]))
		synced |= RKNN_CMD_TARGET(commands[--count]) == RKNN_TARGET_SYNC;
	/* At least one command. */
	if (!synced || !count)
		return -EINVAL;
	*body = count;
	*enable = RKNN_CMD_VALUE(start);
	return 0;
}

static void rknn_link(void *start, u32 words, u32 enable, u64 next,
		      u32 next_words)
{
	u64 *stream = start;

	stream += words - RKNN_LINK_WORDS;
	/* The last stream has no next; TASK_CON ends the chain. */
	*stream++ = next ? RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_BASE_ADDRESS, next) :
			   0;
	*stream++ = RKNN_CMD(RKNN_TARGET_PC, RKNN_PC_REGISTER_AMOUNTS,
			     next ? next_words / 2 - 1 : 0);
	*stream++ = RKNN_CMD(RKNN_TARGET_SYNC, 0, 0);
	*stream++ = RKNN_CMD(RKNN_TARGET_ENABLE, RKNN_PC_OPERATION_ENABLE,
			     enable);
}

const struct npu_isa_ops npu_isa_rknn = {
	.id = DRM_NPU_ISA_RKNN,
	.word_bytes = sizeof(u64),
	.max_lane_tasks = RKNN_MAX_LANE_TASKS,
	.max_task_commands = RKNN_MAX_TASK_COMMANDS,
	.max_stream_commands = RKNN_MAX_STREAM_COMMANDS,
	.fetch_ahead = RKNN_FETCH_AHEAD,
	.state_size = rknn_verify_state_size,
	.begin = rknn_verify_begin,
	.stream_words = rknn_stream_words,
	.verify = rknn_verify,
	.emit = rknn_emit,
	.describe = rknn_describe,
	.features = rknn_chip_features,
	.data_type = rknn_chip_data_type,
	.name = rknn_register_name,
	.idle = rknn_idle,
	.split = rknn_split,
	.link = rknn_link,
};
