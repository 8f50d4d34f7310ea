// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPU: conversion of results, and where they go.
 *
 * Results of 32 bits are not converted. Others are scaled, shifted and rounded;
 * of integers this gives an integer, which is then converted if the result is a
 * float.
 */
#include "npu_model_priv.h"

/* Output channels that an fp16 convolution computes side by side. */
#define FP16_LANES	16

static __s64 convert_int(const struct npu_model_cvt *cvt, __s32 value)
{
	if (cvt->add_first)
		return npu_model_round_shift(((__s64)value + cvt->offset) *
					     cvt->scale, cvt->shift, cvt->away);
	return npu_model_round_shift((__s64)value * cvt->scale, cvt->shift,
				     cvt->away) + cvt->offset;
}

/* The same for floats, with an exponent of its own instead of the shift. */
static __u32 convert_float(const struct npu_model_cvt *cvt, __u32 bits)
{
	__s32 exponent = -(__s32)cvt->minus_exp;
	__u32 scale, offset;

	if (cvt->scale == 1 && !cvt->offset && !exponent)
		return bits;
	scale = npu_model_fp32_from_s64(cvt->scale, exponent);
	offset = npu_model_fp32_from_s64(cvt->offset, 0);
	if (cvt->add_first)
		return npu_model_fp32_mul(npu_model_fp32_add(bits, offset), scale);
	return npu_model_fp32_add(npu_model_fp32_mul(bits, scale), offset);
}

static __s64 float_to_int(const struct npu_model_cvt *cvt, __u32 bits)
{
	__s32 exponent = -(__s32)cvt->shift;
	__u32 offset;

	if (!cvt->add_first)
		return npu_model_fp32_to_int(bits, cvt->scale, exponent,
					     cvt->away) + cvt->offset;
	offset = npu_model_fp32_from_s64(cvt->offset, 0);
	return npu_model_fp32_to_int(npu_model_fp32_add(bits, offset), cvt->scale,
				     exponent, cvt->away);
}

/* One result; its low bytes are what is written. */
static __u32 result(const struct npu_model_dpu *dpu, __u32 value)
{
	__s64 integer;

	switch (dpu->out) {
	case RKNN_PREC_INT32:
		if (!dpu->is_float)
			return value;
		return npu_model_sat32(npu_model_fp32_to_int(value, 1, 0, 0));
	case RKNN_PREC_FP32:
		return dpu->is_float ? value :
				       npu_model_fp32_from_s64((__s32)value, 0);
	case RKNN_PREC_FP16:
		if (dpu->is_float)
			return npu_model_fp32_to_fp16(convert_float(&dpu->cvt,
								    value));
		/* The largest fp16 is well below what fp32 holds exactly. */
		integer = convert_int(&dpu->cvt, value);
		return npu_model_fp32_to_fp16(npu_model_fp32_from_s64(integer, 0));
	case RKNN_PREC_BF16:
		return npu_model_fp32_to_bf16(convert_float(&dpu->cvt, value));
	default:
		integer = dpu->is_float ? float_to_int(&dpu->cvt, value) :
					  convert_int(&dpu->cvt, value);
		if (dpu->out == RKNN_PREC_INT8)
			return npu_model_clamp(integer, NPU_MODEL_S8_MIN,
					       NPU_MODEL_S8_MAX);
		return npu_model_clamp(integer, NPU_MODEL_S16_MIN,
				       NPU_MODEL_S16_MAX);
	}
}

/*
 * Arrange the results of @count pixels as the surfaces they go to, in
 * core->stage: surface after surface, in each an atom a pixel.
 */
static void arrange(struct npu_model_core *core, const struct npu_model_dpu *dpu,
		    __u32 surfaces, __u32 count)
{
	__u32 per_atom = RKNN_ATOM_BYTES / dpu->out_bytes;
	__u32 raw = dpu->out_bytes == 4 &&
		    dpu->is_float == (dpu->out == RKNN_PREC_FP32);
	__u32 surface, pixel, i;
	__u8 *to = core->stage;

	for (surface = 0; surface < surfaces; surface++) {
		const __u32 *from = core->acc + surface * per_atom;

		for (pixel = 0; pixel < count; pixel++, from += dpu->group) {
			if (raw) {
				__builtin_memcpy(to, from, RKNN_ATOM_BYTES);
				to += RKNN_ATOM_BYTES;
				continue;
			}
			for (i = 0; i < per_atom; i++) {
				__u32 bits = result(dpu, from[i]);

				*to++ = bits;
				if (dpu->out_bytes > 1)
					*to++ = bits >> 8;
				if (dpu->out_bytes > 2) {
					*to++ = bits >> 16;
					*to++ = bits >> 24;
				}
			}
		}
	}
}

/* Invert bits of a result, unless it is zero, infinite or not a number. */
static void invert(__u8 *at, __u32 bytes, __u32 bits)
{
	__u32 value = at[0] | at[1] << 8, exponent = 0x7c00;

	if (bytes == 4) {
		value |= at[2] << 16 | (__u32)at[3] << 24;
		exponent = 0x7f800000;
	}
	if (value << (32 - 8 * bytes + 1) && (value & exponent) != exponent)
		at[0] ^= bits;
}

/* Change the last bits of what fp16 has made, where the cores of the chip do. */
static void disturb(struct npu_model_core *core, const struct npu_model_dpu *dpu,
		    __u32 surfaces, __u32 count)
{
	__u32 per_atom = RKNN_ATOM_BYTES / dpu->out_bytes;
	__u32 surface, pixel;

	for (surface = 0; surface < surfaces; surface++) {
		if (surface * per_atom % FP16_LANES)
			continue;
		for (pixel = 0; pixel < count; pixel++)
			invert(core->stage + (surface * count + pixel) *
					     RKNN_ATOM_BYTES,
			       dpu->out_bytes, core->fp16_lane0);
	}
}

/* Write an atom of each of @count pixels from @pixel on to one surface. */
static int write_surface(struct npu_model_core *core,
			 const struct npu_model_dpu *dpu, __u32 base,
			 const __u8 *atoms, __u32 pixel, __u32 count)
{
	__u32 row_atoms = dpu->width + dpu->dst_notch;
	__u32 done, run, x, y;

	for (done = 0; done < count; done += run) {
		y = (pixel + done) / dpu->width;
		x = (pixel + done) % dpu->width;
		run = dpu->dst_notch ? dpu->width - x : count - done;
		if (run > count - done)
			run = count - done;
		if (npu_model_bus_write(core,
					base + (y * row_atoms + x) * RKNN_ATOM_BYTES,
					atoms + done * RKNN_ATOM_BYTES,
					run * RKNN_ATOM_BYTES))
			return 1;
	}
	return 0;
}

int npu_model_store(struct npu_model_core *core,
		    const struct npu_model_dpu *dpu, __u32 first, __u32 pixel,
		    __u32 count)
{
	__u32 per_atom = RKNN_ATOM_BYTES / dpu->out_bytes;
	__u32 base = dpu->dst_addr + first / dpu->group * dpu->dst_group;
	__u32 left = (dpu->channels - first + per_atom - 1) / per_atom;
	__u32 surfaces = dpu->surfaces < left ? dpu->surfaces : left;
	__u32 surface;

	if (!core->params.timing_only)
		arrange(core, dpu, surfaces, count);
	if (!core->params.timing_only && core->fp16_lane0 && dpu->fp16_sums)
		disturb(core, dpu, surfaces, count);
	for (surface = 0; surface < surfaces; surface++)
		if (write_surface(core, dpu, base + surface * dpu->dst_surf,
				  core->stage + surface * count * RKNN_ATOM_BYTES,
				  pixel, count))
			return 1;
	return 0;
}
