// SPDX-License-Identifier: GPL-2.0-only
/*
 * CNA: which convolution a task asks for, and whether it can end.
 *
 * Each block counts by itself what passes through it, and one that expects more
 * than it is fed waits for ever. So all sizes are derived from the input and the
 * kernels, and every register that repeats one must say the same.
 *
 * What is not known for certain is refused unless a published stream does it; the
 * comments say what was assumed.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"

/* With a step of 2, deconvolutions of more padding are wrong (measured). */
#define RKNN_DECONV_MAX_PAD	11

static const struct rknn_agreement rknn_cna_agreements[] = {
	RKNN_SAME(RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_PROC_PREC, prec),
	RKNN_SAME(RKNN_CNA_WEIGHT_SIZE0, RKNN_ALL, weight_bytes),
	/* What the DMA loads is what the convolution reads. */
	RKNN_SAME(RKNN_CNA_FC_DATA_SIZE0, RKNN_FC_DATA_SIZE0_HEIGHT, y.in),
	RKNN_SAME(RKNN_CNA_FC_DATA_SIZE1, 0x0000ffff, channels),
};

static u16 rknn_decode_type(const struct rknn_task *task,
			    struct rknn_shape *shape)
{
	u32 out = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_OUT);
	const struct npu_isa_chip *chip = task->chip;
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

	shape->group = shape->depthwise ? shape->type->depthwise_group :
					  shape->type->group;
	if (!shape->group)
		return RKNN_CNA_CONV_CON1;
	shape->size_e = shape->group * shape->type->out_bits / 8 /
			RKNN_ATOM_BYTES - 1;
	return 0;
}

static bool rknn_is_deconv(const struct rknn_task *task)
{
	return rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_DECONV);
}

static void rknn_decode_axis(const struct rknn_task *task,
			     struct rknn_axis *axis, u32 stride, u32 atrous,
			     u32 deconv)
{
	axis->stride = rknn_get(task, RKNN_CNA_CONV_CON3, stride);
	axis->window = (axis->kernel - 1) *
		       (rknn_get(task, RKNN_CNA_CONV_CON3, atrous) + 1) + 1;
	axis->spread = rknn_is_deconv(task) ?
		       rknn_get(task, RKNN_CNA_CONV_CON3, deconv) + 1 : 1;
}

static u16 rknn_decode_sizes(const struct rknn_task *task,
			     struct rknn_shape *shape)
{
	u32 atomics = rknn_get(task, RKNN_CNA_DATA_SIZE3, RKNN_ALL);
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
			 RKNN_CONV_CON3_X_ATROUS, RKNN_CONV_CON3_DECONV_X);
	rknn_decode_axis(task, y, RKNN_CONV_CON3_Y_STRIDE,
			 RKNN_CONV_CON3_Y_ATROUS, RKNN_CONV_CON3_DECONV_Y);

	x->out = rknn_get(task, RKNN_CNA_DATA_SIZE2, RKNN_ALL);
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
	shape->out_channels = ALIGN(shape->depthwise ? shape->channels :
						       shape->kernels,
				    shape->group);

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
	return rknn_starts(task, RKNN_ENABLE_DPU_RDMA) && x->in == 16;
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
 * is waited on. Deconvolutions see zeros between the pixels.
 */
static bool rknn_axis_ok(const struct rknn_axis *axis, bool widened)
{
	u32 reach, in;

	if (!axis->in || !axis->stride || axis->pad >= axis->window)
		return false;
	in = (axis->in - 1) * axis->spread + 1;
	reach = rknn_axis_reach(axis);
	if (reach >= in + axis->window)
		return false;
	return reach + axis->stride > in || widened;
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

static bool rknn_deconv_axis_ok(const struct rknn_axis *axis)
{
	if (axis->spread != 2 && axis->spread != 4 && axis->spread != 8)
		return false;
	return axis->stride == 1 && axis->window == axis->kernel &&
	       (axis->spread != 2 || axis->pad <= RKNN_DECONV_MAX_PAD);
}

/*
 * Deconvolutions are direct convolutions of an input with zeros in between. Steps
 * of 2, 4 and 8 are known to work, of convolutions without steps or dilation. The
 * steps mean nothing to other convolutions.
 */
static u16 rknn_check_deconv(const struct rknn_task *task,
			     const struct rknn_shape *shape)
{
	if (!rknn_is_deconv(task))
		return 0;
	if (shape->depthwise ||
	    !(task->chip->features & DRM_NPU_FEATURE_DECONVOLUTION) ||
	    rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN))
		return RKNN_CNA_CONV_CON1;
	return rknn_deconv_axis_ok(&shape->x) && rknn_deconv_axis_ok(&shape->y) ?
	       0 : RKNN_CNA_CONV_CON3;
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

/* The converter is known to work for images of int8 alone. */
static bool rknn_cvt_ok(const struct rknn_task *task,
			const struct rknn_shape *shape)
{
	return rknn_get(task, RKNN_CNA_CVT_CON0, RKNN_CVT_CON0_OFF) ||
	       (shape->prec == RKNN_PREC_INT8 &&
		rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN));
}

/*
 * The number of columns that are loaded when the stream asks for @width. Assumed:
 * CNA loads an image by whole atoms. Mesa's tests of one channel and few columns,
 * which pass on silicon, rely on all sixteen columns of an atom.
 */
static u32 rknn_loaded_columns(const struct rknn_task *task,
			       const struct rknn_shape *shape, u32 width)
{
	u32 bits = (rknn_get(task, RKNN_CNA_DATA_SIZE1,
			     RKNN_DATA_SIZE1_CHANNEL_REAL) + 1) *
		   shape->type->bits;

	if (!rknn_get(task, RKNN_CNA_CONV_CON1, RKNN_CONV_CON1_ARGB_IN))
		return width;
	return ALIGN(width * bits, RKNN_ATOM_BYTES * 8) / bits;
}

/*
 * Columns that are not loaded hold what an earlier task has left there. A widened
 * input may be loaded in part, but then no window reaches beyond that part.
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
	       rknn_axis_reach(&shape->x) <=
	       rknn_loaded_columns(task, shape, width);
}

/*
 * Published programs give the bytes of a kernel in bytes, in fours or in atoms, and
 * get the same results.
 */
static bool rknn_kernel_bytes_ok(const struct rknn_task *task,
				 const struct rknn_shape *shape)
{
	u32 bytes = rknn_get(task, RKNN_CNA_WEIGHT_SIZE1, RKNN_ALL);

	return bytes == shape->kernel_bytes || bytes == shape->kernel_bytes / 4 ||
	       bytes == shape->kernel_bytes / RKNN_ATOM_BYTES;
}

static u16 rknn_decode_cna(const struct rknn_task *task, struct rknn_shape *shape)
{
	u16 reg = rknn_decode_type(task, shape);

	if (!reg)
		reg = rknn_decode_sizes(task, shape);
	if (!reg)
		reg = rknn_decode_channels(task, shape);
	if (!reg)
		reg = rknn_check_chip(task->chip, shape);
	return reg ? reg : rknn_check_deconv(task, shape);
}

/**
 * rknn_check_agreements() - do registers repeat what others say?
 * @task: registers
 * @shape: what they are to repeat
 * @rules: which
 * @count: number of @rules
 *
 * Return: 0, or the first register that says something else.
 */
u16 rknn_check_agreements(const struct rknn_task *task,
			  const struct rknn_shape *shape,
			  const struct rknn_agreement *rules, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		u32 value = *(const u32 *)((const char *)shape + rules[i].member);

		if (rknn_get(task, rules[i].reg, rules[i].mask) !=
		    value - rules[i].less)
			return rules[i].reg;
	}
	return 0;
}

/**
 * rknn_check_cna() - which convolution is asked for, and can it be computed?
 * @task: registers
 * @shape: zeros; receives the convolution
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_cna(const struct rknn_task *task, struct rknn_shape *shape)
{
	u16 reg = rknn_decode_cna(task, shape);

	if (reg)
		return reg;
	if (!rknn_argb_ok(task))
		return RKNN_CNA_CONV_CON1;
	if (!rknn_cvt_ok(task, shape))
		return RKNN_CNA_CVT_CON0;
	if (!rknn_axis_ok(&shape->x, rknn_is_widened(task, &shape->x)))
		return RKNN_CNA_DATA_SIZE2;
	if (!rknn_axis_ok(&shape->y, false))
		return RKNN_CNA_DATA_SIZE3;
	if (!rknn_dma_width_ok(task, shape))
		return RKNN_CNA_FC_DATA_SIZE0;
	if (!rknn_kernel_bytes_ok(task, shape))
		return RKNN_CNA_WEIGHT_SIZE1;
	return rknn_check_agreements(task, shape, rknn_cna_agreements,
				     ARRAY_SIZE(rknn_cna_agreements));
}
