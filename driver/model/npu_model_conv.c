// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the registers of CNA and CORE to a convolution.
 *
 * Fields are masked to their width, so sizes that are too large wrap as they do
 * in hardware. Settings that are not modelled are refused by name. Settings
 * under which the blocks wait for each other hang; where no measurement says
 * what happens, the comment says what is assumed.
 */
#include "npu_model_priv.h"

static const struct npu_model_field conv_fields[] = {
	{ RKNN_CNA_CONV_CON1, ~(RKNN_CONV_CON1_MODE | RKNN_CONV_CON1_IN_PREC |
				RKNN_CONV_CON1_PROC_PREC | RKNN_CONV_CON1_ARGB_IN |
				RKNN_CONV_CON1_DECONV | RKNN_CONV_CON1_LINE_OFF |
				RKNN_CONV_CON1_NONALIGN_DMA), 0 },
	/* Cores that work on one task together. */
	{ RKNN_CNA_CONV_CON3, RKNN_CONV_CON3_NN_MODE, 0 },
	{ RKNN_CNA_DATA_SIZE3, RKNN_DATA_SIZE3_SURF_MODE, 0 },
	{ RKNN_CNA_CBUF_CON0, RKNN_CBUF_CON0_FC_DATA_BANK, 0 },
	/* Weights that are multiplied with zeros are not skipped. */
	{ RKNN_CNA_FC_CON0, RKNN_FC_CON0_SKIP_EN, 0 },
	/* Compressed weights. */
	{ RKNN_CNA_DCOMP_CTRL, ~0u, 0 },
	{ 0, 0, 0 }
};

/* What the precisions differ in. */
static const struct precision {
	/* RKNN_PREC_*. */
	__u8 code;
	/* Bits of an element; 0 ends the table. */
	__u8 bits;
	/* Kernels side by side. */
	__u8 group;
	/* Channels of a slice. */
	__u8 lanes;
	/* Channels side by side in a depthwise convolution; 0 if unknown. */
	__u8 depthwise;
} precisions[] = {
	{ RKNN_PREC_INT8, 8, 32, 32, 64 },
	{ RKNN_PREC_INT16, 16, 16, 32, 0 },
	{ RKNN_PREC_FP16, 16, 16, 32, 32 },
	{ RKNN_PREC_BF16, 16, 16, 32, 32 },
	{ RKNN_PREC_INT4, 4, 64, 32, 0 },
	{ RKNN_PREC_TF32, 32, 16, 16, 0 },
	{ 0, 0, 0, 0, 0 }
};

static const struct precision *find_precision(__u32 code)
{
	const struct precision *precision;

	for (precision = precisions; precision->bits; precision++)
		if (precision->code == code)
			return precision;
	return (void *)0;
}

static enum npu_model_status decode_mode(struct npu_model_core *core,
					 struct npu_model_conv *conv)
{
	__u32 con1 = npu_model_get(core, RKNN_CNA_CONV_CON1);
	__u32 misc = npu_model_get(core, RKNN_CORE_MISC_CFG);
	__u32 clip = npu_model_get(core, RKNN_CORE_CLIP_TRUNCATE);
	__u32 code = (con1 & RKNN_CONV_CON1_IN_PREC) >> 4;
	__u32 mode = con1 & RKNN_CONV_CON1_MODE;
	const struct precision *precision = find_precision(code);

	if (!precision || code != (con1 & RKNN_CONV_CON1_PROC_PREC) >> 7 ||
	    (mode != RKNN_MODE_DIRECT && mode != RKNN_MODE_DEPTHWISE))
		return npu_model_stop(core, RKNN_CNA_CONV_CON1,
				      NPU_MODEL_UNSUPPORTED);
	conv->depthwise = mode == RKNN_MODE_DEPTHWISE;
	if (code != (misc & RKNN_CORE_MISC_PROC_PREC) >> 8 ||
	    !!(misc & RKNN_CORE_MISC_DW_EN) != conv->depthwise)
		return npu_model_stop(core, RKNN_CORE_MISC_CFG,
				      NPU_MODEL_UNSUPPORTED);
	if (conv->depthwise && !precision->depthwise)
		return npu_model_stop(core, RKNN_CNA_CONV_CON1,
				      NPU_MODEL_UNSUPPORTED);

	conv->precision = code;
	conv->is_float = npu_model_is_float(code);
	conv->bits = precision->bits;
	conv->group = conv->depthwise ? precision->depthwise : precision->group;
	conv->slice_lanes = conv->depthwise ? conv->group : precision->lanes;
	conv->line_off = !!(con1 & RKNN_CONV_CON1_LINE_OFF);
	conv->pend = !conv->is_float && misc & RKNN_CORE_MISC_QD_EN &&
		     !(npu_model_get(core, RKNN_DPU_BS_OW_CFG) &
		       RKNN_BS_OW_CFG_OD_BYPASS);
	conv->clip_shift = clip & RKNN_CLIP_TRUNCATE_SHIFT;
	conv->clip_half_up = !!(clip & RKNN_CLIP_TRUNCATE_HALF_UP);
	return NPU_MODEL_DONE;
}

/* Images of 1 to 4 channels have codes 8 to 11. */
static enum npu_model_status decode_image(struct npu_model_core *core,
					  struct npu_model_conv *conv)
{
	__u32 con1 = npu_model_get(core, RKNN_CNA_CONV_CON1);
	__u32 argb = (con1 & RKNN_CONV_CON1_ARGB_IN) >> 12;
	__u32 off = npu_model_get(core, RKNN_CNA_CVT_CON0) & RKNN_CVT_CON0_OFF;

	conv->image = argb ? argb - 7 : 0;
	/* Pixels that are packed, and rows that start anywhere, come together. */
	if (argb > 11 || (argb && argb < 8) ||
	    !argb != !(con1 & RKNN_CONV_CON1_NONALIGN_DMA) ||
	    (argb && (!conv->line_off || conv->depthwise || conv->bits < 8)))
		return npu_model_stop(core, RKNN_CNA_CONV_CON1,
				      NPU_MODEL_UNSUPPORTED);
	/* The converter has only been measured on packed int8 images. */
	if (!off && (!argb || conv->bits != 8))
		return npu_model_stop(core, RKNN_CNA_CVT_CON0,
				      NPU_MODEL_UNSUPPORTED);
	return NPU_MODEL_DONE;
}

static __s32 deconv_stride(__u32 field)
{
	/* The hardware ignores other strides (measured). */
	return field == 1 || field == 3 || field == 7 ? (__s32)field + 1 : 1;
}

static enum npu_model_status decode_window(struct npu_model_core *core,
					   struct npu_model_conv *conv)
{
	__u32 con1 = npu_model_get(core, RKNN_CNA_CONV_CON1);
	__u32 con3 = npu_model_get(core, RKNN_CNA_CONV_CON3);
	__u32 size2 = npu_model_get(core, RKNN_CNA_WEIGHT_SIZE2);
	__u32 size3 = npu_model_get(core, RKNN_CNA_DATA_SIZE3);
	__u32 pad = npu_model_get(core, RKNN_CNA_PAD_CON0);

	conv->stride_x = con3 & RKNN_CONV_CON3_X_STRIDE;
	conv->stride_y = (con3 & RKNN_CONV_CON3_Y_STRIDE) >> 3;
	if (!conv->stride_x || !conv->stride_y)
		return npu_model_stop(core, RKNN_CNA_CONV_CON3,
				      NPU_MODEL_UNSUPPORTED);
	conv->dilation_x = ((con3 & RKNN_CONV_CON3_X_ATROUS) >> 16) + 1;
	conv->dilation_y = ((con3 & RKNN_CONV_CON3_Y_ATROUS) >> 21) + 1;
	conv->up_x = 1;
	conv->up_y = 1;
	if (con1 & RKNN_CONV_CON1_DECONV) {
		conv->up_x = deconv_stride((con3 & RKNN_CONV_CON3_DECONV_X) >> 8);
		conv->up_y = deconv_stride((con3 & RKNN_CONV_CON3_DECONV_Y) >> 11);
	}
	conv->pad_left = (pad & RKNN_PAD_CON0_LEFT) >> 4;
	conv->pad_top = pad & RKNN_PAD_CON0_TOP;
	conv->kernel_width = (size2 & RKNN_WEIGHT_SIZE2_WIDTH) >> 24;
	conv->kernel_height = (size2 & RKNN_WEIGHT_SIZE2_HEIGHT) >> 16;
	conv->kernels = size2 & RKNN_WEIGHT_SIZE2_KERNELS;
	if (!conv->kernel_width || !conv->kernel_height || !conv->kernels)
		return npu_model_stop(core, RKNN_CNA_WEIGHT_SIZE2,
				      NPU_MODEL_HUNG);

	/* Blocks that expect other amounts than they are fed never finish. */
	conv->out_width = npu_model_get(core, RKNN_CNA_DATA_SIZE2) & 0x7ff;
	conv->pixels = size3 & RKNN_DATA_SIZE3_PIXELS;
	if (!conv->out_width)
		return npu_model_stop(core, RKNN_CNA_DATA_SIZE2, NPU_MODEL_HUNG);
	if (!conv->pixels || conv->pixels % conv->out_width)
		return npu_model_stop(core, RKNN_CNA_DATA_SIZE3, NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_feature(struct npu_model_core *core,
					    struct npu_model_conv *conv)
{
	__u32 size0 = npu_model_get(core, RKNN_CNA_DATA_SIZE0);
	__u32 size1 = npu_model_get(core, RKNN_CNA_DATA_SIZE1);
	__u32 cbuf0 = npu_model_get(core, RKNN_CNA_CBUF_CON0);
	__u32 per_atom = RKNN_ATOM_BYTES * 8 / conv->bits;
	__u32 data_bank = cbuf0 & RKNN_CBUF_CON0_DATA_BANK;

	conv->width = (size0 & RKNN_DATA_SIZE0_WIDTH) >> 16;
	conv->height = size0 & RKNN_DATA_SIZE0_HEIGHT;
	if (!conv->width || !conv->height)
		return npu_model_stop(core, RKNN_CNA_DATA_SIZE0, NPU_MODEL_HUNG);
	conv->channels = size1 & RKNN_DATA_SIZE1_CHANNEL;
	if (!conv->channels)
		return npu_model_stop(core, RKNN_CNA_DATA_SIZE1, NPU_MODEL_HUNG);
	conv->channels = (conv->channels + per_atom - 1) / per_atom * per_atom;
	/* Assumed: 0, which programs leave there, pads nothing. */
	conv->real_channels = (size1 >> 16) ? (size1 >> 16) + 1 : conv->channels;
	conv->pixel_bytes = conv->channels * conv->bits / 8;
	if (conv->image)
		conv->pixel_bytes = conv->image * conv->bits / 8;
	conv->slices = (conv->channels + conv->slice_lanes - 1) / conv->slice_lanes;
	conv->last_lanes = conv->channels -
			   (conv->slices - 1) * conv->slice_lanes;
	/* Weights of an image have one atom of channels. */
	if (conv->image && conv->channels != per_atom)
		return npu_model_stop(core, RKNN_CNA_DATA_SIZE1,
				      NPU_MODEL_UNSUPPORTED);

	conv->data_bytes = data_bank * RKNN_CBUF_BANK_BYTES;
	conv->data_reuse = !!(cbuf0 & RKNN_CBUF_CON0_DATA_REUSE);
	/*
	 * Assumed: the task waits without end for features that do not fit
	 * their banks. Entries of CBUF_CON1 that are too few have not been seen
	 * to matter.
	 */
	if ((__u64)conv->width * conv->height * conv->pixel_bytes >
	    conv->data_bytes)
		return npu_model_stop(core, RKNN_CNA_CBUF_CON0, NPU_MODEL_HUNG);

	conv->feature_addr = npu_model_get(core, RKNN_CNA_FEATURE_DATA_ADDR);
	conv->line_atoms = npu_model_get(core, RKNN_CNA_DMA_CON1) & 0xfffffff;
	/* 28 bits, signed. */
	conv->surf_atoms =
		(__s32)(npu_model_get(core, RKNN_CNA_DMA_CON2) << 4) >> 4;
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_weights(struct npu_model_core *core,
					    struct npu_model_conv *conv)
{
	__u32 cbuf0 = npu_model_get(core, RKNN_CNA_CBUF_CON0);
	__u32 banks = (cbuf0 & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4;
	__u32 taps = conv->kernel_width * conv->kernel_height;
	__u32 out = conv->depthwise ? conv->channels : conv->kernels;
	__u32 count = out < conv->group ? out : conv->group;
	__u64 total, group;

	/* Below 2^31: 31 * 31 taps of 2^16 channels of 4 bytes. */
	conv->kernel_bytes = taps * conv->channels * conv->bits / 8;
	conv->groups = (out + conv->group - 1) / conv->group;
	total = (__u64)conv->kernel_bytes * (conv->depthwise ? 1 : conv->kernels);
	group = conv->depthwise ? count * taps * conv->bits / 8 :
				  (__u64)count * conv->kernel_bytes;

	conv->weight_bytes = banks * RKNN_CBUF_BANK_BYTES;
	conv->weight_reuse = !!(cbuf0 & RKNN_CBUF_CON0_WEIGHT_REUSE);
	conv->weight_addr = npu_model_get(core, RKNN_CNA_DCOMP_ADDR0);
	/*
	 * Weights stream through their banks; one group must fit at a time.
	 * Assumed: more banks than there are, or a group that does not fit, or
	 * reuse of weights that cannot be resident, is waited for without end.
	 */
	if (conv->data_bytes + conv->weight_bytes > RKNN_CBUF_BYTES ||
	    group > conv->weight_bytes ||
	    (conv->weight_reuse && total > conv->weight_bytes))
		return npu_model_stop(core, RKNN_CNA_CBUF_CON0, NPU_MODEL_HUNG);

	/* 2^17 products of two int8 are the most that 32 bits hold. */
	conv->wide = conv->precision == RKNN_PREC_INT16 ||
		     (!conv->is_float && taps * conv->channels > 0x1ffff);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_core(struct npu_model_core *core,
					 struct npu_model_conv *conv)
{
	__u32 size0 = npu_model_get(core, RKNN_CORE_DATAOUT_SIZE_0);
	__u32 size1 = npu_model_get(core, RKNN_CORE_DATAOUT_SIZE_1);
	__u32 channels = (size1 & 0xffff) + 1;

	/* Only the number has to be right, not the shape. */
	if (((size0 & 0x1fff) + 1) * ((size0 >> 16 & 0x1fff) + 1) != conv->pixels)
		return npu_model_stop(core, RKNN_CORE_DATAOUT_SIZE_0,
				      NPU_MODEL_HUNG);
	if ((channels + conv->group - 1) / conv->group != conv->groups)
		return npu_model_stop(core, RKNN_CORE_DATAOUT_SIZE_1,
				      NPU_MODEL_HUNG);
	/*
	 * Integers of a group that CORE does not count as whole are computed,
	 * but the task never ends (measured for int8); floats are exempt.
	 */
	if (!conv->is_float && channels % conv->group)
		return npu_model_stop(core, RKNN_CORE_DATAOUT_SIZE_1,
				      NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

enum npu_model_status npu_model_conv_decode(struct npu_model_core *core,
					    struct npu_model_conv *conv)
{
	enum npu_model_status status = npu_model_check_fields(core, conv_fields);
	__u32 reg;

	/* Weights are dense only if all amounts are 0. */
	for (reg = RKNN_CNA_DCOMP_AMOUNT0;
	     status == NPU_MODEL_DONE && reg <= RKNN_CNA_DCOMP_AMOUNT15; reg += 4)
		if (npu_model_get(core, reg))
			status = npu_model_stop(core, reg, NPU_MODEL_UNSUPPORTED);
	if (!(npu_model_get(core, RKNN_CORE_MAC_GATING) & 0x01000000))
		return npu_model_stop(core, RKNN_CORE_MAC_GATING, NPU_MODEL_HUNG);
	if (status == NPU_MODEL_DONE)
		status = decode_mode(core, conv);
	if (status == NPU_MODEL_DONE)
		status = decode_image(core, conv);
	if (status == NPU_MODEL_DONE)
		status = decode_window(core, conv);
	if (status == NPU_MODEL_DONE)
		status = decode_feature(core, conv);
	if (status == NPU_MODEL_DONE)
		status = decode_weights(core, conv);
	if (status == NPU_MODEL_DONE)
		status = decode_core(core, conv);
	conv->linear = conv->kernel_width == 1 && conv->kernel_height == 1 &&
		       conv->stride_x == 1 && conv->stride_y == 1 &&
		       conv->up_x == 1 && conv->up_y == 1 && !conv->pad_left &&
		       !conv->pad_top && conv->out_width == conv->width &&
		       conv->pixels <= conv->width * conv->height;
	return status;
}
