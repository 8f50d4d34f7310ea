// SPDX-License-Identifier: GPL-2.0-only
/*
 * CNA: features and weights from memory into the convolution buffer.
 *
 * Layout of the data banks, which only the reuse flags can make visible: pixels
 * follow each other without gaps, each with all its channels; those of an image
 * have the channels that memory has. Weights follow from the first weight bank
 * on as they are in memory, all of them if they fit, else one group of output
 * channels at a time.
 */
#include "npu_model_priv.h"

/* Address of the atoms of pixel row @y, channel surface @surface. */
static __u32 feature_row_addr(const struct npu_model_conv *conv, __u32 surface,
			      __u32 y)
{
	__u32 atoms;

	if (conv->line_off)
		atoms = surface * (conv->width + conv->surf_atoms) +
			y * conv->line_atoms;
	else
		atoms = surface * (4 * conv->width + conv->surf_atoms) +
			(y >> 2) * conv->line_atoms + (y & 3) * conv->width;
	return conv->feature_addr + atoms * RKNN_ATOM_BYTES;
}

/* How many pixel rows from @y on follow each other in memory. */
static __u32 rows_together(const struct npu_model_conv *conv, __u32 y)
{
	__u32 rows = conv->line_off ? 1 : 4;

	if (conv->line_atoms == rows * conv->width)
		return conv->height - y;
	return rows - y % rows;
}

/*
 * Read as many atoms as lie together of surface @surface from pixel @pixel on,
 * and spread them over their pixels. Returns how many, 0 after a fault.
 */
static __u32 load_run(struct npu_model_core *core,
		      const struct npu_model_conv *conv, __u32 surface,
		      __u32 pixel, __u32 pixels)
{
	__u32 y = pixel / conv->width, x = pixel % conv->width;
	__u32 addr = feature_row_addr(conv, surface, y) + x * RKNN_ATOM_BYTES;
	__u32 most = sizeof(core->stage) / RKNN_ATOM_BYTES;
	__u32 run = rows_together(conv, y) * conv->width - x;
	__u8 *to = core->cbuf + pixel * conv->pixel_bytes +
		   surface * RKNN_ATOM_BYTES;
	__u32 i;

	if (run > pixels - pixel)
		run = pixels - pixel;
	if (run > most)
		run = most;

	if (npu_model_bus_read(core, addr, core->stage, run * RKNN_ATOM_BYTES))
		return 0;
	if (core->params.timing_only)
		return run;
	for (i = 0; i < run; i++, to += conv->pixel_bytes)
		__builtin_memcpy(to, core->stage + i * RKNN_ATOM_BYTES,
				 RKNN_ATOM_BYTES);
	return run;
}

/* One channel of an image through its converter, int8. */
static __s32 convert(const struct npu_model_core *core, __u32 byte,
		     __u32 channel)
{
	__u32 con0 = npu_model_get(core, RKNN_CNA_CVT_CON0);
	__u32 cvt = npu_model_get(core, RKNN_CNA_CVT_CON1 + 4 * channel);
	__u32 lanes = npu_model_get(core, RKNN_CNA_CVT_CON5);
	__u32 shift = (con0 >> (4 + 6 * channel)) & 0x3f;
	__s32 value = con0 & RKNN_CVT_CON0_SIGNED ? (__s8)byte : (__s32)byte;
	__s32 scale = (__s16)(cvt >> 16), offset = (__s16)cvt;
	__s64 result;

	/*
	 * Assumed: the bit that turns the converter off is about other inputs,
	 * since a program for a sibling sets it and converts. One that changes
	 * nothing is not asked about the sign.
	 */
	if (!((lanes >> channel) & 1) ||
	    (con0 & RKNN_CVT_CON0_OFF && scale == 1 && !offset && !shift))
		return (__s8)byte;
	if (con0 & RKNN_CVT_CON0_ADD_FIRST)
		result = (__s64)(value + offset) * scale;
	else
		result = (__s64)value * scale;
	/* Half up is half even, but for ties that are below the even integer. */
	if (con0 & RKNN_CVT_CON0_HALF_UP && shift && shift < 32)
		result = (result + (1ll << (shift - 1))) >> shift;
	else
		result = npu_model_round_shift(result, shift, 0);
	if (!(con0 & RKNN_CVT_CON0_ADD_FIRST))
		result += offset;
	return npu_model_clamp(result, NPU_MODEL_S8_MIN, NPU_MODEL_S8_MAX);
}

/* Rows of packed pixels: LINE counts pixels. */
static enum npu_model_status load_image(struct npu_model_core *core,
					const struct npu_model_conv *conv)
{
	__u32 row_bytes = conv->width * conv->pixel_bytes;
	__u32 y, i;

	for (y = 0; y < conv->height; y++) {
		__u8 *row = core->cbuf + y * row_bytes;
		__u32 addr = conv->feature_addr +
			     y * conv->line_atoms * conv->pixel_bytes;

		if (npu_model_bus_read(core, addr, row, row_bytes))
			return NPU_MODEL_FAULT;
		if (core->params.timing_only || conv->bits != 8)
			continue;
		for (i = 0; i < row_bytes; i++)
			row[i] = convert(core, row[i], i % conv->image);
	}
	return NPU_MODEL_DONE;
}

/* Channels beyond those that memory has are padding (measured). */
static void pad_channels(struct npu_model_core *core,
			 const struct npu_model_conv *conv)
{
	__u32 first = (conv->real_channels * conv->bits + 7) / 8;
	__u32 half = conv->real_channels * conv->bits % 8;
	__u32 pixels = conv->width * conv->height;
	__u32 pixel, i;

	for (pixel = 0; pixel < pixels; pixel++) {
		__u8 *bytes = core->cbuf + pixel * conv->pixel_bytes;

		if (half)
			bytes[first - 1] = (bytes[first - 1] & 0x0f) |
					   (core->pad[0] & 0xf0);
		for (i = first; i < conv->pixel_bytes; i++)
			bytes[i] = core->pad[i % sizeof(core->pad)];
	}
}

enum npu_model_status npu_model_load_features(struct npu_model_core *core,
					      const struct npu_model_conv *conv)
{
	__u32 pixels = conv->width * conv->height;
	__u32 surface, pixel, run, y;

	if (conv->data_reuse)
		return NPU_MODEL_DONE;
	if (conv->image)
		return load_image(core, conv);

	if (conv->width == 1 && feature_row_addr(conv, 1, 0) ==
				conv->feature_addr + RKNN_ATOM_BYTES) {
		/* The channels of a row lie together, as in a row-major matrix. */
		for (y = 0; y < conv->height; y++)
			if (npu_model_bus_read(core, feature_row_addr(conv, 0, y),
					       core->cbuf + y * conv->pixel_bytes,
					       conv->pixel_bytes))
				return NPU_MODEL_FAULT;
	} else {
		for (surface = 0; surface * RKNN_ATOM_BYTES < conv->pixel_bytes;
		     surface++) {
			for (pixel = 0; pixel < pixels; pixel += run) {
				run = load_run(core, conv, surface, pixel, pixels);
				if (!run)
					return NPU_MODEL_FAULT;
			}
		}
	}
	if (conv->real_channels < conv->channels && !core->params.timing_only)
		pad_channels(core, conv);
	return NPU_MODEL_DONE;
}

int npu_model_load_weights(struct npu_model_core *core,
			   const struct npu_model_conv *conv, __u32 group,
			   const __u8 **weights)
{
	__u32 total = conv->depthwise ? conv->kernel_bytes :
					conv->kernels * conv->kernel_bytes;
	__u32 taps = conv->kernel_width * conv->kernel_height;
	__u8 *bank = core->cbuf + conv->data_bytes;
	__u32 offset, bytes;

	bytes = conv->depthwise ? conv->group * taps * conv->bits / 8 :
				  conv->group * conv->kernel_bytes;
	offset = group * bytes;
	/* All of them lie in their banks if they fit, and can be reused. */
	if (conv->weight_reuse || total <= conv->weight_bytes)
		bank += offset;
	*weights = bank;
	if (bytes > total - offset)
		bytes = total - offset;
	if (conv->weight_reuse)
		return 0;
	return npu_model_bus_read(core, conv->weight_addr + offset, bank, bytes);
}
