// SPDX-License-Identifier: GPL-2.0-only
/* Floating point with integers; see npu_model_float.h. */
#include "npu_model_float.h"
#include "npu_model_round.h"

/* What npu_model_fp32_to_int() saturates at. */
#define INT_LIMIT	0x1000000000000ll

static __u32 is_nan(__u32 bits)
{
	return npu_model_fp32_magnitude(bits) > FP32_INF;
}

__u32 npu_model_fp32_mul(__u32 a, __u32 b)
{
	__u32 sign = (a ^ b) & FP32_SIGN, zero;
	__u64 product;

	if (is_nan(a) || is_nan(b))
		return FP32_NAN;
	zero = npu_model_fp32_is_zero(a) || npu_model_fp32_is_zero(b);
	if (npu_model_fp32_magnitude(a) == FP32_INF ||
	    npu_model_fp32_magnitude(b) == FP32_INF)
		return zero ? FP32_NAN : sign | FP32_INF;
	if (zero)
		return sign;
	product = npu_model_fp32_significand(a) * npu_model_fp32_significand(b);
	return npu_model_fp32_pack(sign, product, npu_model_fp32_exponent(a) +
				   npu_model_fp32_exponent(b), 0);
}

__u32 npu_model_fp32_div(__u32 a, __u32 b)
{
	__u32 sign = (a ^ b) & FP32_SIGN;
	__u64 dividend, divisor, quotient;

	if (is_nan(a) || is_nan(b))
		return FP32_NAN;
	if (npu_model_fp32_magnitude(a) == FP32_INF)
		return npu_model_fp32_magnitude(b) == FP32_INF ? FP32_NAN : sign | FP32_INF;
	if (npu_model_fp32_magnitude(b) == FP32_INF)
		return sign;
	if (npu_model_fp32_is_zero(b))
		return npu_model_fp32_is_zero(a) ? FP32_NAN : sign | FP32_INF;
	if (npu_model_fp32_is_zero(a))
		return sign;
	dividend = (__u64)npu_model_fp32_significand(a) << 32;
	divisor = npu_model_fp32_significand(b);
	quotient = dividend / divisor;
	return npu_model_fp32_pack(sign, quotient,
				   npu_model_fp32_exponent(a) - npu_model_fp32_exponent(b) - 32,
				   quotient * divisor != dividend);
}

__s32 npu_model_fp32_key(__u32 bits)
{
	return bits & FP32_SIGN ? -(__s32)npu_model_fp32_magnitude(bits) : (__s32)bits;
}

__s64 npu_model_fp32_to_int(__u32 bits, __s32 scale, __s32 exponent, __u32 away)
{
	__s64 value;

	if (npu_model_fp32_is_zero(bits) || npu_model_fp32_magnitude(bits) > FP32_INF || !scale)
		return 0;
	value = npu_model_fp32_significand(bits) * scale;
	if (bits & FP32_SIGN)
		value = -value;
	exponent += npu_model_fp32_exponent(bits);
	/* Now within 2^56; all beyond the limit is the limit. */
	if (npu_model_fp32_magnitude(bits) == FP32_INF || exponent > 48)
		return value < 0 ? -INT_LIMIT : INT_LIMIT;
	if (exponent < 0)
		value = npu_model_round_shift(value, -exponent, away);
	else if (value <= INT_LIMIT >> exponent && value >= -(INT_LIMIT >> exponent))
		value *= 1ll << exponent;
	else
		value = value < 0 ? -INT_LIMIT : INT_LIMIT;
	return npu_model_clamp(value, -INT_LIMIT, INT_LIMIT);
}

__u32 npu_model_fp32_to_fp16(__u32 bits)
{
	__u32 sign = (bits >> 16) & 0x8000;
	__u32 magnitude = npu_model_fp32_magnitude(bits);
	__s32 exponent = (__s32)(magnitude >> 23) - 127;
	__u32 mantissa = npu_model_fp32_significand(bits);
	__u32 shift = 13, half, rest;

	if (magnitude > FP32_INF)
		return sign | 0x7e00;
	if (exponent > 15)
		return sign | 0x7c00;
	if (exponent < -25)
		return sign;
	if (exponent < -14)
		shift += -14 - exponent;

	half = mantissa >> shift;
	rest = mantissa & ((1u << shift) - 1);
	if (rest > 1u << (shift - 1) || (rest == 1u << (shift - 1) && (half & 1)))
		half++;
	/* A carry goes on into the exponent, up to infinity. */
	if (exponent >= -14)
		half += (__u32)(exponent + 14) << 10;
	return sign | half;
}

__u32 npu_model_fp32_to_bf16(__u32 bits)
{
	__u32 bf16 = bits >> 16, rest = bits & 0xffff;

	if (npu_model_fp32_magnitude(bits) > FP32_INF)
		return bf16 | 0x40;
	if (rest > 0x8000 || (rest == 0x8000 && (bf16 & 1)))
		bf16++;
	return bf16;
}

__u32 npu_model_fp32_from_fp16(__u32 half)
{
	__u32 sign = (half & 0x8000) << 16;
	__u32 exponent = (half >> 10) & 0x1f;
	__u32 mantissa = half & 0x3ff;

	if (exponent == 0x1f)
		return mantissa ? FP32_NAN : sign | FP32_INF;
	if (!exponent)
		return mantissa ? npu_model_fp32_pack(sign, mantissa, -24, 0) : sign;
	return sign | (exponent + 112) << 23 | mantissa << 13;
}
