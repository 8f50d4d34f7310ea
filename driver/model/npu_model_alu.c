// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPU: the arithmetic of BS, BN and EW.
 *
 * Integers have 32 bits between units and saturate at the end of each; within a
 * unit nothing is cut off. Floats are fp32.
 */
#include "npu_model_priv.h"

static inline __s64 alu_int(enum npu_model_alu op, __s64 a, __s64 b)
{
	switch (op) {
	case NPU_MODEL_ALU_MAX:
		return a > b ? a : b;
	case NPU_MODEL_ALU_MIN:
		return a < b ? a : b;
	case NPU_MODEL_ALU_ADD:
		return a + b;
	case NPU_MODEL_ALU_MINUS:
		return a - b;
	case NPU_MODEL_ALU_ABS:
		return a < 0 ? -a : a;
	case NPU_MODEL_ALU_NEG:
		return -a;
	case NPU_MODEL_ALU_MUL:
		/* The second factor has 16 bits (measured of int32). */
		return a * (__s16)b;
	default:
		return a;
	}
}

/* To the integer below, or above. */
static __u32 floor_fp32(__u32 bits, __u32 up)
{
	__u32 exponent = bits >> 23 & 0xff, sign = bits & FP32_SIGN, mask;
	__u32 outwards = !sign == !!up;

	/* Integers already, and what is not a number. */
	if (exponent >= 150)
		return bits;
	if (exponent < 127)
		return sign | (outwards && !npu_model_fp32_is_zero(bits) ?
			       0x3f800000 : 0);
	mask = (1u << (150 - exponent)) - 1;
	if (!(bits & mask))
		return bits;
	/* A carry goes on into the exponent. */
	if (outwards)
		bits += mask + 1;
	return bits & ~mask;
}

static __u32 alu_float(enum npu_model_alu op, __u32 a, __u32 b)
{
	switch (op) {
	case NPU_MODEL_ALU_MAX:
		return npu_model_fp32_key(a) >= npu_model_fp32_key(b) ? a : b;
	case NPU_MODEL_ALU_MIN:
		return npu_model_fp32_key(a) <= npu_model_fp32_key(b) ? a : b;
	case NPU_MODEL_ALU_ADD:
		return npu_model_fp32_add(a, b);
	case NPU_MODEL_ALU_MINUS:
		return npu_model_fp32_add(a, b ^ FP32_SIGN);
	case NPU_MODEL_ALU_DIV:
		return npu_model_fp32_div(a, b);
	case NPU_MODEL_ALU_ABS:
		return a & ~FP32_SIGN;
	case NPU_MODEL_ALU_NEG:
		return a ^ FP32_SIGN;
	case NPU_MODEL_ALU_FLOOR:
		return floor_fp32(a, 0);
	case NPU_MODEL_ALU_CEIL:
		return floor_fp32(a, 1);
	case NPU_MODEL_ALU_MUL:
		return npu_model_fp32_mul(a, b);
	default:
		return a;
	}
}

/* Integer ReLU with an optional upper limit. */
static inline __s64 relu_int(__s64 value, __u32 relux, __u32 limit)
{
	if (value < 0)
		return 0;
	return relux && value > (__s32)limit ? (__s32)limit : value;
}

static __u32 relu_float(__u32 bits, __u32 relux, __u32 limit)
{
	if (bits & FP32_SIGN)
		return 0;
	return relux && npu_model_fp32_key(bits) > npu_model_fp32_key(limit) ?
		limit : bits;
}

static __s64 mul_int(const struct npu_model_unit *unit, __s64 value, __s32 factor)
{
	value *= factor;
	return npu_model_round_shift(value, value < 0 ? unit->shift_neg :
							unit->shift, 0);
}

static void unit_int(const struct npu_model_unit *unit, __u32 *values,
		     __u32 count, __u32 lanes, const __u32 *alu,
		     const __u32 *mul)
{
	__u32 i, lane;

	for (i = 0; i < count; i++, values += lanes) {
		for (lane = 0; lane < lanes; lane++) {
			__s64 value = (__s32)values[lane];

			if (unit->mul && unit->mul_first)
				value = mul_int(unit, value, mul[lane]);
			value = alu_int(unit->alu, value, (__s32)alu[lane]);
			if (unit->mul && !unit->mul_first)
				value = mul_int(unit, value, mul[lane]);
			if (unit->relu)
				value = relu_int(value, unit->relux, unit->limit);
			values[lane] = npu_model_sat32(value);
		}
	}
}

static void unit_float(const struct npu_model_unit *unit, __u32 *values,
		       __u32 count, __u32 lanes, const __u32 *alu,
		       const __u32 *mul)
{
	__u32 i, lane;

	for (i = 0; i < count; i++, values += lanes) {
		for (lane = 0; lane < lanes; lane++) {
			__u32 value = values[lane];

			if (unit->mul && unit->mul_first)
				value = npu_model_fp32_mul(value, mul[lane]);
			value = alu_float(unit->alu, value, alu[lane]);
			if (unit->mul && !unit->mul_first)
				value = npu_model_fp32_mul(value, mul[lane]);
			if (unit->relu)
				value = relu_float(value, unit->relux,
						   unit->limit);
			values[lane] = value;
		}
	}
}

static void do_unit(struct npu_model_core *core, const struct npu_model_dpu *dpu,
		    const struct npu_model_unit *unit, __u32 count,
		    enum npu_model_channel alu, enum npu_model_channel mul)
{
	if (!unit->alu && !unit->mul && !unit->relu)
		return;
	if (dpu->is_float)
		unit_float(unit, core->acc, count, dpu->group, core->channel[alu],
			   core->channel[mul]);
	else
		unit_int(unit, core->acc, count, dpu->group, core->channel[alu],
			 core->channel[mul]);
}

static __s64 convert_operand(const struct npu_model_cvt *cvt, __s64 value)
{
	if (cvt->add_first)
		return npu_model_round_shift((value + cvt->offset) * cvt->scale,
					     cvt->shift, cvt->away);
	return npu_model_round_shift(value * cvt->scale, cvt->shift, cvt->away) +
	       cvt->offset;
}

static void ew_int(const struct npu_model_ew *ew, __u32 *values, __u32 count,
		   const __u32 *operands)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		__s64 value = (__s32)values[i], other = (__s32)operands[i];

		if (ew->convert)
			other = npu_model_sat32(convert_operand(&ew->cvt, other));
		value = alu_int(ew->op, value, other);
		if (ew->op == NPU_MODEL_ALU_MUL)
			value = npu_model_round_shift(value, value < 0 ?
						      ew->trunc_neg : ew->trunc,
						      0);
		if (ew->relu)
			value = relu_int(value, ew->relux, ew->limit);
		values[i] = npu_model_sat32(value);
	}
}

static void ew_float(const struct npu_model_ew *ew, __u32 *values, __u32 count,
		     const __u32 *operands)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		values[i] = alu_float(ew->op, values[i], operands[i]);
		if (ew->relu)
			values[i] = relu_float(values[i], ew->relux, ew->limit);
	}
}

/*
 * Lanes of an atom beyond the original channels get no operand: with none but
 * one, only lane 0 of each is right (measured).
 */
static void drop_lanes(struct npu_model_core *core,
		       const struct npu_model_dpu *dpu, __u32 count)
{
	__u32 per_atom = RKNN_ATOM_BYTES / dpu->other.bytes, i;

	if (!dpu->flying || dpu->orig >= per_atom || dpu->orig >= dpu->channels)
		return;
	for (i = 0; i < count * dpu->group; i++)
		if (i % per_atom >= dpu->orig)
			core->operand[i] = 0;
}

/* Fetch what EW takes for each pixel. */
static int load_operands(struct npu_model_core *core,
			 const struct npu_model_dpu *dpu, __u32 first,
			 __u32 pixel, __u32 count)
{
	__u32 i;

	if (!dpu->ew.bytes)
		return 0;
	if (dpu->ew.per_pixel) {
		if (npu_model_surfaces_load(core, dpu, &dpu->other, first, pixel,
					    count, core->operand))
			return 1;
	} else {
		for (i = 0; i < count; i++)
			__builtin_memcpy(core->operand + i * dpu->group,
					 core->channel[NPU_MODEL_EW],
					 dpu->group * sizeof(core->operand[0]));
	}
	drop_lanes(core, dpu, count);
	return 0;
}

int npu_model_dpu_block(struct npu_model_core *core,
			const struct npu_model_dpu *dpu, __u32 first,
			__u32 pixel, __u32 count)
{
	const struct npu_model_ew *ew = &dpu->ew;
	__u32 values = count * dpu->group;

	if (load_operands(core, dpu, first, pixel, count))
		return 1;
	if (core->params.timing_only)
		return npu_model_store(core, dpu, first, pixel, count);

	do_unit(core, dpu, &dpu->bs, count, NPU_MODEL_BS_ALU, NPU_MODEL_BS_MUL);
	do_unit(core, dpu, &dpu->bn, count, NPU_MODEL_BN_ALU, NPU_MODEL_BN_MUL);
	if (ew->op || ew->relu) {
		if (dpu->is_float)
			ew_float(ew, core->acc, values, core->operand);
		else
			ew_int(ew, core->acc, values, core->operand);
	}
	if (ew->lut)
		npu_model_lut_apply(core, dpu->is_float, core->acc, values);
	return npu_model_store(core, dpu, first, pixel, count);
}

enum npu_model_status npu_model_flying_run(struct npu_model_core *core,
					   const struct npu_model_task *task)
{
	const struct npu_model_dpu *dpu = &task->dpu;
	__u32 first, pixel, count;

	for (first = 0; first < dpu->channels; first += dpu->group) {
		if (npu_model_channels_load(core, dpu, first))
			return NPU_MODEL_FAULT;
		for (pixel = 0; pixel < dpu->pixels; pixel += count) {
			count = dpu->pixels - pixel;
			if (count > NPU_MODEL_POSITIONS)
				count = NPU_MODEL_POSITIONS;
			if (npu_model_surfaces_load(core, dpu, &dpu->main, first,
						    pixel, count, core->acc) ||
			    npu_model_dpu_block(core, dpu, first, pixel, count))
				return NPU_MODEL_FAULT;
		}
	}
	return NPU_MODEL_DONE;
}
