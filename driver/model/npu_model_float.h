/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Floating point with integers.
 *
 * A number is handed around as the bits of an fp32. Results are rounded to
 * nearest, ties to even. Subnormal fp32 are taken for 0 and never result, which
 * is assumed; subnormal fp16 are exact on the way in. There is one NaN.
 */
#ifndef NPU_MODEL_FLOAT_H
#define NPU_MODEL_FLOAT_H

#include <linux/types.h>

#define FP32_SIGN	0x80000000u
#define FP32_INF	0x7f800000u
#define FP32_NAN	0x7fc00000u

/* The fp32 nearest to @magnitude * 2^@exponent; @sticky: and a little more. */
static inline __u32 npu_model_fp32_pack(__u32 sign, __u64 magnitude,
					__s32 exponent, __u32 sticky)
{
	__s32 shift, biased;
	__u64 rest, half;
	__u32 mantissa;

	if (!magnitude)
		return 0;
	shift = 40 - __builtin_clzll(magnitude);
	biased = exponent + shift + 150;
	if (shift <= 0) {
		mantissa = magnitude << -shift;
	} else {
		mantissa = magnitude >> shift;
		rest = magnitude & ((1ull << shift) - 1);
		half = 1ull << (shift - 1);
		if (rest > half || (rest == half && (sticky || (mantissa & 1))))
			mantissa++;
	}
	if (biased < 1)
		return sign;
	if (biased > 254)
		return sign | FP32_INF;
	/* A carry out of the mantissa adds one to the exponent, as it should. */
	return sign + ((__u32)(biased - 1) << 23) + mantissa;
}

/* The fp32 nearest to @value * 2^@exponent. */
static inline __u32 npu_model_fp32_from_s64(__s64 value, __s32 exponent)
{
	return value < 0 ?
		npu_model_fp32_pack(FP32_SIGN, -(__u64)value, exponent, 0) :
		npu_model_fp32_pack(0, value, exponent, 0);
}

static inline __u32 npu_model_fp32_magnitude(__u32 bits)
{
	return bits & ~FP32_SIGN;
}

/* Zeros and what is taken for them. */
static inline __u32 npu_model_fp32_is_zero(__u32 bits)
{
	return !(bits & FP32_INF);
}

static inline __s64 npu_model_fp32_significand(__u32 bits)
{
	return (bits & 0x7fffff) | 0x800000;
}

static inline __s32 npu_model_fp32_exponent(__u32 bits)
{
	return (__s32)((bits >> 23) & 0xff) - 150;
}

/* The sum of two numbers. Here, for the inner loops are made of it. */
static inline __u32 npu_model_fp32_add(__u32 a, __u32 b)
{
	__s32 distance;
	__s64 ma, mb;
	__u32 swap;

	if (npu_model_fp32_magnitude(a) < npu_model_fp32_magnitude(b)) {
		swap = a;
		a = b;
		b = swap;
	}
	if ((a & FP32_INF) == FP32_INF) {
		if (npu_model_fp32_magnitude(a) > FP32_INF ||
		    (npu_model_fp32_magnitude(b) == FP32_INF && a != b))
			return FP32_NAN;
		return a;
	}
	if (npu_model_fp32_is_zero(b))
		return npu_model_fp32_is_zero(a) ? 0 : a;

	distance = npu_model_fp32_exponent(a) - npu_model_fp32_exponent(b);
	/* Less than half of the last place cannot change the larger one. */
	if (distance > 26)
		return a;
	ma = npu_model_fp32_significand(a) << distance;
	mb = npu_model_fp32_significand(b);
	return npu_model_fp32_from_s64((a & FP32_SIGN ? -ma : ma) +
				       (b & FP32_SIGN ? -mb : mb),
				       npu_model_fp32_exponent(b));
}

/**
 * npu_model_fp32_mul() - multiply two numbers
 * @a: a number
 * @b: a number
 *
 * Return: bits of the product.
 */
__u32 npu_model_fp32_mul(__u32 a, __u32 b);

/**
 * npu_model_fp32_div() - divide two numbers
 * @a: the dividend
 * @b: the divisor
 *
 * Return: bits of the quotient.
 */
__u32 npu_model_fp32_div(__u32 a, __u32 b);

/**
 * npu_model_fp32_key() - put numbers in order
 * @bits: a number
 *
 * Return: an integer that compares as the number does.
 */
__s32 npu_model_fp32_key(__u32 bits);

/**
 * npu_model_fp32_to_int() - scale a number and round it to an integer
 * @bits: the number
 * @scale: factor
 * @exponent: and a power of two
 * @away: ties go away from 0 rather than to the even integer
 *
 * Return: the integer, within +-2^48; 0 for what is not a number.
 */
__s64 npu_model_fp32_to_int(__u32 bits, __s32 scale, __s32 exponent, __u32 away);

/**
 * npu_model_fp32_to_fp16() - convert
 * @bits: bits of the fp32
 *
 * Return: bits of the fp16.
 */
__u32 npu_model_fp32_to_fp16(__u32 bits);

/**
 * npu_model_fp32_to_bf16() - convert
 * @bits: bits of the fp32
 *
 * Return: bits of the bf16.
 */
__u32 npu_model_fp32_to_bf16(__u32 bits);

/**
 * npu_model_fp32_from_fp16() - convert
 * @half: bits of the fp16
 *
 * Return: bits of the fp32.
 */
__u32 npu_model_fp32_from_fp16(__u32 half);

#endif /* NPU_MODEL_FLOAT_H */
