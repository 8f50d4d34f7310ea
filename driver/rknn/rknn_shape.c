// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the blocks of a convolution agree about sizes and types.
 *
 * Each block counts by itself what passes through it. One that expects more
 * than it is fed waits for ever; one that expects more than was loaded finds in
 * the convolution buffer what another client has left there. So all sizes are
 * derived from the input and the kernels, and every register that repeats one
 * must say the same.
 *
 * What is not known for certain is refused unless a published stream does it;
 * the comments say what was assumed.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"
#include "rknn_regs.h"

/**
 * struct rknn_axis - one direction of a convolution
 */
struct rknn_axis {
	/** @in: Input pixels. */
	u32 in;
	/** @out: Output pixels. */
	u32 out;
	/** @kernel: Taps of a kernel. */
	u32 kernel;
	/** @window: Input pixels from its first tap to its last. */
	u32 window;
	/** @stride: Input pixels from one window to the next. */
	u32 stride;
	/** @pad: Padding before the first input pixel. */
	u32 pad;
};

/**
 * struct rknn_shape - what all blocks must agree about
 */
struct rknn_shape {
	/** @type: Operands and results. */
	const struct rknn_type *type;
	/** @prec: Precision code of the operands. */
	u32 prec;
	/** @depthwise: 1 if each channel has its kernel, else 0. */
	u32 depthwise;
	/** @mode: Code of that, in several registers. */
	u32 mode;
	/** @x: The columns. */
	struct rknn_axis x;
	/** @y: The rows. */
	struct rknn_axis y;
	/** @channels: Input channels, padded to whole atoms. */
	u32 channels;
	/** @kernels: Number of kernels. */
	u32 kernels;
	/** @kernel_bytes: Bytes of a kernel. */
	u32 kernel_bytes;
	/** @weight_bytes: Bytes of all of them. */
	u32 weight_bytes;
	/** @out_channels: Output channels, padded to whole groups. */
	u32 out_channels;
	/** @size_e: Output surfaces of a group, less 1. */
	u32 size_e;
};

/**
 * struct rknn_agreement - a field that repeats what another says
 */
struct rknn_agreement {
	/** @reg: Register. */
	u16 reg;
	/** @less: What the field is less than the member. */
	u8 less;
	/** @block: Only if this block is started; 0 for always. */
	u8 block;
	/** @mask: Field. */
	u32 mask;
	/** @member: Offset of the member in &struct rknn_shape. */
	size_t member;
};

#define SAME(reg, mask, member) \
	{ reg, 0, 0, mask, offsetof(struct rknn_shape, member) }
#define LAST(reg, mask, member) \
	{ reg, 1, 0, mask, offsetof(struct rknn_shape, member) }
#define SAME_RDMA(reg, mask, member) \
	{ reg, 0, RKNN_ENABLE_DPU_RDMA, mask, offsetof(struct rknn_shape, member) }
#define LAST_RDMA(reg, mask, member) \
	{ reg, 1, RKNN_ENABLE_DPU_RDMA, mask, offsetof(struct rknn_shape, member) }

static const struct rknn_agreement rknn_agreements[] = {
	SAME(RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_PROC_PREC, prec),
	SAME(RKNN_CNA_WEIGHT_SIZE1, 0xffffffff, kernel_bytes),
	SAME(RKNN_CNA_WEIGHT_SIZE0, 0xffffffff, weight_bytes),
	/* What the DMA loads is what the convolution reads. */
	SAME(RKNN_CNA_FC_DATA_SIZE0, RKNN_FC_DATA_SIZE0_HEIGHT, y.in),
	SAME(RKNN_CNA_FC_DATA_SIZE1, 0x0000ffff, channels),

	SAME(RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_PROC_PREC, prec),
	SAME(RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_DW_EN, depthwise),
	LAST(RKNN_CORE_DATAOUT_SIZE_0, 0x0000ffff, x.out),
	LAST(RKNN_CORE_DATAOUT_SIZE_0, 0xffff0000, y.out),
	LAST(RKNN_CORE_DATAOUT_SIZE_1, 0x0000ffff, out_channels),

	SAME(RKNN_DPU_FEATURE_MODE_CFG, RKNN_DPU_FEATURE_MODE_MODE, mode),
	SAME(RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_IN, prec),
	SAME(RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC, prec),
	LAST(RKNN_DPU_DATA_CUBE_WIDTH, 0x00001fff, x.out),
	LAST(RKNN_DPU_DATA_CUBE_HEIGHT, 0x00001fff, y.out),
	LAST(RKNN_DPU_DATA_CUBE_CHANNEL, 0x00001fff, out_channels),
	SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_0, size_e),
	SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_1, size_e),
	SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_2, size_e),
	LAST(RKNN_DPU_WDMA_SIZE_0, 0x00001fff, out_channels),
	LAST(RKNN_DPU_WDMA_SIZE_1, 0x00001fff, x.out),
	LAST(RKNN_DPU_WDMA_SIZE_1, 0x1fff0000, y.out),

	LAST_RDMA(RKNN_RDMA_DATA_CUBE_WIDTH, 0x00001fff, x.out),
	LAST_RDMA(RKNN_RDMA_DATA_CUBE_HEIGHT, 0x00001fff, y.out),
	LAST_RDMA(RKNN_RDMA_DATA_CUBE_CHANNEL, 0x00001fff, out_channels),
	SAME_RDMA(RKNN_RDMA_FEATURE_MODE_CFG, RKNN_RDMA_MODE_MODE, mode),
};

static bool rknn_agrees(const struct rknn_task *task,
			const struct rknn_shape *shape,
			const struct rknn_agreement *rule)
{
	u32 value = *(const u32 *)((const char *)shape + rule->member);

	if (rule->block && !(task->enable & rule->block))
		return true;
	return rknn_get(task, rule->reg, rule->mask) == value - rule->less;
}

static u16 rknn_decode_type(const struct rknn_task *task,
			    struct rknn_shape *shape)
{
	u32 out = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_OUT);
	const struct npu_isa_chip *chip = task->chip;
	u32 group;
	size_t i;

	shape->mode = rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_MODE);
	shape->depthwise = shape->mode == RKNN_MODE_DEPTHWISE;
	if (!shape->depthwise && shape->mode != RKNN_MODE_DIRECT)
		return RKNN_CNA_CONV_CON1;

	shape->prec = rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_IN_PREC);
	for (i = 0; i < chip->type_count; i++)
		if (chip->types[i].in == shape->prec && chip->types[i].out == out)
			shape->type = &chip->types[i];
	if (!shape->type)
		return RKNN_DPU_DATA_FORMAT;

	group = shape->depthwise ? shape->type->depthwise_group :
				   shape->type->group;
	if (!group)
		return RKNN_CNA_CONV_CON1;
	shape->size_e = group * shape->type->out_bits / 8 / RKNN_ATOM_BYTES - 1;
	return 0;
}

static void rknn_decode_axis(const struct rknn_task *task,
			     struct rknn_axis *axis, u32 stride, u32 atrous)
{
	axis->stride = rknn_get(task, RKNN_CNA_CONV_CON3, stride);
	axis->window = (axis->kernel - 1) *
		       (rknn_get(task, RKNN_CNA_CONV_CON3, atrous) + 1) + 1;
}

static u16 rknn_decode_sizes(const struct rknn_task *task,
			     struct rknn_shape *shape)
{
	u32 atomics = rknn_get(task, RKNN_CNA_DATA_SIZE3, 0xffffffff);
	struct rknn_axis *x = &shape->x, *y = &shape->y;

	x->in = rknn_get(task, RKNN_CNA_DATA_SIZE0, RKNN_DATA_SIZE0_WIDTH);
	y->in = rknn_get(task, RKNN_CNA_DATA_SIZE0, RKNN_DATA_SIZE0_HEIGHT);
	x->pad = rknn_get(task, RKNN_CNA_PAD_CON0, RKNN_PAD_CON0_LEFT);
	y->pad = rknn_get(task, RKNN_CNA_PAD_CON0, RKNN_PAD_CON0_TOP);
	x->kernel = rknn_get(task, RKNN_CNA_WEIGHT_SIZE2,
			     RKNN_WEIGHT_SIZE2_WIDTH);
	y->kernel = rknn_get(task, RKNN_CNA_WEIGHT_SIZE2,
			     RKNN_WEIGHT_SIZE2_HEIGHT);
	if (!x->kernel || !y->kernel)
		return RKNN_CNA_WEIGHT_SIZE2;
	rknn_decode_axis(task, x, RKNN_CONV_CON3_X_STRIDE,
			 RKNN_CONV_CON3_X_ATROUS);
	rknn_decode_axis(task, y, RKNN_CONV_CON3_Y_STRIDE,
			 RKNN_CONV_CON3_Y_ATROUS);

	x->out = rknn_get(task, RKNN_CNA_DATA_SIZE2, 0xffffffff);
	if (!x->out)
		return RKNN_CNA_DATA_SIZE2;
	if (!atomics || atomics % x->out)
		return RKNN_CNA_DATA_SIZE3;
	y->out = atomics / x->out;
	return 0;
}

/*
 * Kernels need not fill their last group, but the blocks behind count whole
 * groups; a partial one is computed, but the task never ends (measured).
 * Assumed of depthwise: one kernel, of which each channel has its own part, and
 * as many output channels as input channels.
 */
static u16 rknn_decode_channels(const struct rknn_task *task,
				struct rknn_shape *shape)
{
	const struct rknn_type *type = shape->type;
	u32 real = rknn_get(task, RKNN_CNA_DATA_SIZE1,
			    RKNN_DATA_SIZE1_CHANNEL_REAL) + 1;
	u64 bytes;

	shape->channels = rknn_get(task, RKNN_CNA_DATA_SIZE1,
				   RKNN_DATA_SIZE1_CHANNEL);
	if (shape->channels * type->bits % (RKNN_ATOM_BYTES * 8) ||
	    real > shape->channels)
		return RKNN_CNA_DATA_SIZE1;

	shape->kernels = rknn_get(task, RKNN_CNA_WEIGHT_SIZE2,
				  RKNN_WEIGHT_SIZE2_KERNELS);
	if (!shape->kernels || (shape->depthwise && shape->kernels != 1))
		return RKNN_CNA_WEIGHT_SIZE2;
	shape->out_channels = shape->depthwise ?
		ALIGN(shape->channels, type->depthwise_group) :
		ALIGN(shape->kernels, type->group);
	if (rknn_get(task, RKNN_DPU_DATA_CUBE_CHANNEL,
		     RKNN_DATA_CUBE_CHANNEL_REAL) >= shape->out_channels)
		return RKNN_DPU_DATA_CUBE_CHANNEL;

	/* At most 31 * 31 taps of 65535 channels of 4 bytes. */
	shape->kernel_bytes = shape->x.kernel * shape->y.kernel *
			      (shape->channels * type->bits / 8);
	bytes = (u64)shape->kernels * shape->kernel_bytes;
	if (bytes > U32_MAX)
		return RKNN_CNA_WEIGHT_SIZE0;
	shape->weight_bytes = bytes;
	return 0;
}

/*
 * Columns that no window reaches, for which Mesa's driver widens inputs to 16:
 * those of one channel, and those of 8 columns that have to do with an
 * addition. Both take operands from memory, as all of its convolutions do.
 */
static bool rknn_is_widened(const struct rknn_task *task,
			    const struct rknn_axis *x)
{
	return (task->enable & RKNN_ENABLE_DPU_RDMA) && x->in == 16;
}

/* Input pixels that the windows reach, padding after them included. */
static u32 rknn_axis_reach(const struct rknn_axis *axis)
{
	return (axis->out - 1) * axis->stride + axis->window - axis->pad;
}

/*
 * The padding after the input follows from the number of windows. Assumed: each
 * window must have a pixel of the input, or what is read is padding without
 * end; and as many windows as fit must be asked for, or the rest of the input
 * is waited on.
 */
static bool rknn_axis_ok(const struct rknn_axis *axis, bool widened)
{
	u32 reach;

	if (!axis->in || !axis->stride || axis->pad >= axis->window)
		return false;
	reach = rknn_axis_reach(axis);
	if (reach >= axis->in + axis->window)
		return false;
	return reach + axis->stride > axis->in || widened;
}

static bool rknn_axis_fits(const struct npu_isa_chip *chip,
			   const struct rknn_axis *axis)
{
	return axis->in <= chip->max_size && axis->out <= chip->max_size &&
	       axis->kernel <= chip->max_window &&
	       axis->stride <= chip->max_stride && axis->pad <= chip->max_padding &&
	       axis->window <= (axis->kernel - 1) * chip->max_dilation + 1;
}

/* What QUERY tells of the chip. */
static u16 rknn_check_chip(const struct npu_isa_chip *chip,
			   const struct rknn_shape *shape)
{
	if (shape->depthwise && !(chip->features & DRM_NPU_FEATURE_DEPTHWISE))
		return RKNN_CNA_CONV_CON1;
	if (!rknn_axis_fits(chip, &shape->x))
		return RKNN_CNA_DATA_SIZE2;
	if (!rknn_axis_fits(chip, &shape->y))
		return RKNN_CNA_DATA_SIZE3;
	if (shape->channels > chip->max_channels)
		return RKNN_CNA_DATA_SIZE1;
	if (shape->out_channels > chip->max_kernels)
		return RKNN_CNA_WEIGHT_SIZE2;
	return shape->kernel_bytes > chip->max_kernel_bytes ?
	       RKNN_CNA_WEIGHT_SIZE1 : 0;
}

static bool rknn_is_argb(const struct rknn_task *task)
{
	return rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN);
}

/*
 * Images of 1 to 4 channels, codes 8 to 11, whose pixels lie close together.
 * Assumed: none of the three settings works without the others.
 */
static bool rknn_argb_ok(const struct rknn_task *task)
{
	const u16 con1 = RKNN_CNA_CONV_CON1;
	u32 code = rknn_get(task, con1, RKNN_CONV_CON1_ARGB_IN);
	u32 last = rknn_get(task, RKNN_CNA_DATA_SIZE1,
			    RKNN_DATA_SIZE1_CHANNEL_REAL);

	if (!code)
		return !rknn_get(task, con1, RKNN_CONV_CON1_NONALIGN_DMA);
	return task->chip->features & DRM_NPU_FEATURE_IMAGE &&
	       code == last + 8 && last < 4 &&
	       rknn_get(task, con1, RKNN_CONV_CON1_NONALIGN_DMA) &&
	       rknn_get(task, con1, RKNN_CONV_CON1_LINE_OFF);
}

/*
 * Columns that are not loaded hold what an earlier task has left there. A widened
 * input may be loaded in part, but then no window reaches beyond that part. Atoms
 * of an image may hold more columns than were asked for, which is not relied on.
 */
static bool rknn_dma_width_ok(const struct rknn_task *task,
			      const struct rknn_shape *shape)
{
	u32 width = rknn_get(task, RKNN_CNA_FC_DATA_SIZE0,
			     RKNN_FC_DATA_SIZE0_WIDTH);

	if (width == shape->x.in)
		return true;
	return width && width < shape->x.in &&
	       rknn_is_widened(task, &shape->x) &&
	       rknn_axis_reach(&shape->x) <= width;
}

/*
 * Assumed: a task waits without end for features that do not fit their banks.
 * Entries that are too few make rows overlap; more than needed are published
 * (40 columns of 40 channels), and for images their number in all rows. A tile
 * of one column that just fills its banks ends in garbage (measured).
 */
static u16 rknn_check_features(const struct rknn_task *task,
			       const struct rknn_shape *shape)
{
	u32 banks = rknn_get(task, RKNN_CNA_CBUF_CON0, RKNN_CBUF_CON0_DATA_BANK);
	u32 entries = rknn_get(task, RKNN_CNA_CBUF_CON1, 0xffffffff);
	/* Nothing here can exceed 32 bits, with fields as wide as they are. */
	u32 row = ALIGN(shape->x.in * (shape->channels * shape->type->bits / 8),
			RKNN_CBUF_ENTRY_BYTES);
	u32 bytes;

	if (entries * RKNN_CBUF_ENTRY_BYTES < row)
		return RKNN_CNA_CBUF_CON1;
	if (!rknn_is_argb(task) || entries != shape->x.in * shape->y.in)
		row = entries * RKNN_CBUF_ENTRY_BYTES;

	bytes = row * shape->y.in;
	if (shape->x.in == 1)
		bytes++;
	return bytes > banks * task->chip->cbuf_bank_bytes ? RKNN_CNA_CBUF_CON0 : 0;
}

/*
 * Weights stream through their banks; assumed is that one group must fit at a
 * time, which is what all published streams keep to.
 */
static u16 rknn_check_weights(const struct rknn_task *task,
			      const struct rknn_shape *shape)
{
	u32 banks = rknn_get(task, RKNN_CNA_CBUF_CON0,
			     RKNN_CBUF_CON0_WEIGHT_BANK);
	u32 group = rknn_get(task, RKNN_CNA_CONV_CON2,
			     RKNN_CONV_CON2_KERNEL_GROUP);
	u64 bytes = shape->kernel_bytes;

	if (shape->depthwise)
		bytes = shape->kernel_bytes / shape->channels *
			min_t(u32, shape->channels, shape->type->depthwise_group);
	else
		bytes *= min_t(u32, shape->kernels, shape->type->group);
	if (bytes > banks * task->chip->cbuf_bank_bytes)
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
 * rknn_check_shape() - do all blocks agree about sizes and types?
 * @task: registers, all of them written
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_shape(const struct rknn_task *task)
{
	struct rknn_shape shape = {};
	size_t i;
	u16 reg;

	reg = rknn_decode_type(task, &shape);
	if (!reg)
		reg = rknn_decode_sizes(task, &shape);
	if (!reg)
		reg = rknn_decode_channels(task, &shape);
	if (!reg)
		reg = rknn_check_chip(task->chip, &shape);
	if (reg)
		return reg;

	if (!rknn_argb_ok(task))
		return RKNN_CNA_CONV_CON1;
	if (!rknn_axis_ok(&shape.x, rknn_is_widened(task, &shape.x)))
		return RKNN_CNA_DATA_SIZE2;
	if (!rknn_axis_ok(&shape.y, false))
		return RKNN_CNA_DATA_SIZE3;
	if (!rknn_dma_width_ok(task, &shape))
		return RKNN_CNA_FC_DATA_SIZE0;
	for (i = 0; i < ARRAY_SIZE(rknn_agreements); i++)
		if (!rknn_agrees(task, &shape, &rknn_agreements[i]))
			return rknn_agreements[i].reg;

	reg = rknn_check_features(task, &shape);
	return reg ? reg : rknn_check_weights(task, &shape);
}
