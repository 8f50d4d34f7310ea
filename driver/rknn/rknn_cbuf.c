// SPDX-License-Identifier: GPL-2.0-only
/*
 * The convolution buffer: whether features and weights fit their banks, and
 * whether a task may use what the one before has left there.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "rknn.h"
#include "rknn_chip.h"

/* What the features in the buffer depend on. */
static const u16 rknn_feature_regs[] = {
	RKNN_CNA_CONV_CON1, RKNN_CNA_CONV_CON2, RKNN_CNA_CONV_CON3,
	RKNN_CNA_DATA_SIZE0, RKNN_CNA_DATA_SIZE1, RKNN_CNA_DATA_SIZE2,
	RKNN_CNA_DATA_SIZE3, RKNN_CNA_DMA_CON0, RKNN_CNA_CBUF_CON1, RKNN_CNA_CVT_CON0,
	RKNN_CNA_CVT_CON1, RKNN_CNA_CVT_CON2, RKNN_CNA_CVT_CON3,
	RKNN_CNA_CVT_CON4, RKNN_CNA_PAD_CON0, RKNN_CNA_FEATURE_DATA_ADDR,
	RKNN_CNA_DMA_CON1, RKNN_CNA_DMA_CON2, RKNN_CNA_FC_DATA_SIZE0,
	RKNN_CNA_FC_DATA_SIZE1, RKNN_CNA_CVT_CON5, RKNN_CNA_PAD_CON1,
};

/* What the weights in the buffer depend on. */
static const u16 rknn_weight_regs[] = {
	RKNN_CNA_CONV_CON1, RKNN_CNA_WEIGHT_SIZE0, RKNN_CNA_WEIGHT_SIZE1,
	RKNN_CNA_WEIGHT_SIZE2, RKNN_CNA_DCOMP_ADDR0,
};

static bool rknn_same(const struct rknn_task *task, const struct rknn_task *before,
		      const u16 *regs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rknn_get(task, regs[i], RKNN_ALL) !=
		    rknn_get(before, regs[i], RKNN_ALL))
			return false;
	return true;
}

static u32 rknn_con0(const struct rknn_task *task, u32 field)
{
	return rknn_get(task, RKNN_CNA_CBUF_CON0, field);
}

/**
 * rknn_check_reuse() - may a task use what is in the convolution buffer?
 * @task: registers of the task
 * @before: those of the convolution right before it in the lane, or %NULL
 *
 * On-chip data may be reused only if the task before, which is of the same lane
 * and thus of the same client, has left just that there.
 *
 * Return: whether it may, or does not.
 */
bool rknn_check_reuse(const struct rknn_task *task, const struct rknn_task *before)
{
	const u32 banks = RKNN_CBUF_CON0_DATA_BANK | RKNN_CBUF_CON0_WEIGHT_BANK;
	bool data = rknn_con0(task, RKNN_CBUF_CON0_DATA_REUSE);
	bool weights = rknn_con0(task, RKNN_CBUF_CON0_WEIGHT_REUSE);
	u64 weight_bytes = (u64)rknn_con0(task, RKNN_CBUF_CON0_WEIGHT_BANK) *
			   task->chip->cbuf_bank_bytes;

	if (!data && !weights)
		return true;
	/* The hardware reuses one operand at a time. */
	if (!before || (data && weights) ||
	    rknn_con0(task, banks) != rknn_con0(before, banks))
		return false;
	if (data)
		return rknn_same(task, before, rknn_feature_regs,
				 ARRAY_SIZE(rknn_feature_regs));
	return rknn_get(task, RKNN_CNA_WEIGHT_SIZE0, RKNN_ALL) <= weight_bytes &&
	       rknn_same(task, before, rknn_weight_regs,
			 ARRAY_SIZE(rknn_weight_regs));
}

/* Bytes of an image, whose pixels stay packed. */
static u32 rknn_image_bytes(const struct rknn_task *task,
			    const struct rknn_shape *shape)
{
	u32 channels = rknn_get(task, RKNN_CNA_DATA_SIZE1,
				RKNN_DATA_SIZE1_CHANNEL_REAL) + 1;

	return shape->y.in * ALIGN(shape->x.in * channels * shape->type->bits / 8,
				   RKNN_ATOM_BYTES);
}

/*
 * Assumed: a task waits without end for features that do not fit their banks.
 * Entries that are too few make rows overlap; more than needed are published
 * (40 columns of 40 channels), and for images their number in all rows. An int8
 * tile of one column that just fills its banks may end in garbage (measured).
 */
static u16 rknn_check_features(const struct rknn_task *task,
			       const struct rknn_shape *shape)
{
	u32 bytes = rknn_con0(task, RKNN_CBUF_CON0_DATA_BANK) *
		    task->chip->cbuf_bank_bytes;
	u32 entries = rknn_get(task, RKNN_CNA_CBUF_CON1, RKNN_ALL);
	/* Nothing here can exceed 32 bits, with fields as wide as they are. */
	u32 row = ALIGN(shape->x.in * (shape->channels * shape->type->bits / 8),
			RKNN_CBUF_ENTRY_BYTES);
	u32 need = entries * RKNN_CBUF_ENTRY_BYTES * shape->y.in;

	if (entries * RKNN_CBUF_ENTRY_BYTES < row)
		return RKNN_CNA_CBUF_CON1;
	if (rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN))
		need = rknn_image_bytes(task, shape);
	if (shape->x.in == 1 && shape->prec == RKNN_PREC_INT8)
		need++;
	return need > bytes ? RKNN_CNA_CBUF_CON0 : 0;
}

/*
 * Weights stream through their banks; assumed is that one group must fit at a
 * time, which is what all published streams keep to.
 */
static u16 rknn_check_weights(const struct rknn_task *task,
			      const struct rknn_shape *shape)
{
	u32 group = rknn_get(task, RKNN_CNA_CONV_CON2,
			     RKNN_CONV_CON2_KERNEL_GROUP);
	u64 bytes = shape->kernel_bytes;

	if (shape->depthwise)
		bytes = shape->kernel_bytes / shape->channels *
			min_t(u32, shape->channels, shape->type->depthwise_group);
	else
		bytes *= min_t(u32, shape->kernels, shape->type->group);
	if (bytes > (u64)rknn_con0(task, RKNN_CBUF_CON0_WEIGHT_BANK) *
		    task->chip->cbuf_bank_bytes)
		return RKNN_CNA_CBUF_CON0;

	/* Open streams have 0 here, the TRM has the number of groups less 1. */
	if (group && group != (shape->kernels - 1) / shape->type->group)
		return RKNN_CNA_CONV_CON2;
	/* Rows to fetch at a time; only 0 can be wrong. */
	if (!rknn_get(task, RKNN_CNA_CONV_CON2, RKNN_CONV_CON2_FEATURE_GRAINS))
		return RKNN_CNA_CONV_CON2;
	return 0;
}

/**
 * rknn_check_cbuf() - do features and weights fit their banks?
 * @task: registers
 * @shape: the convolution
 *
 * Return: 0, or the register that says they do not.
 */
u16 rknn_check_cbuf(const struct rknn_task *task, const struct rknn_shape *shape)
{
	u32 data = rknn_con0(task, RKNN_CBUF_CON0_DATA_BANK);
	u32 weights = rknn_con0(task, RKNN_CBUF_CON0_WEIGHT_BANK);
	u16 reg;

	if (!data || !weights || data + weights > task->chip->cbuf_banks)
		return RKNN_CNA_CBUF_CON0;
	reg = rknn_check_features(task, shape);
	return reg ? reg : rknn_check_weights(task, shape);
}
