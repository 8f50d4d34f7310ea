// SPDX-License-Identifier: GPL-2.0-only
/*
 * The multiply-accumulate array, with integers only.
 *
 * int8: exact sums in 32 bits, which wrap as the accumulator does when it is
 * read as 32 bits.
 *
 * fp16: every aligned group of 32 products is summed exactly and rounded once,
 * to nearest even, to fp32; the groups are added in the order of the channels
 * with fp32 additions that round likewise, starting from 0. Measured bit exact
 * on silicon. What silicon does with infinities and NaNs is not known; IEEE
 * rules with one quiet NaN are assumed, and subnormal operands are exact.
 */
#include "npu_model_priv.h"

#define LANES		NPU_MODEL_LANES
#define FP32_NAN	0x7fc00000u
#define FP32_INF	0x7f800000u
#define FP32_SIGN	0x80000000u

static __s32 dot_int8(const __s8 *x, const __s8 *w, __u32 lanes)
{
	__s32 sum = 0;
	__u32 i;

	for (i = 0; i < lanes; i++)
		sum += x[i] * w[i];
	return sum;
}

void npu_model_mac_int8(const struct npu_model_task *task, const __u8 *pixels,
			__u32 pixel_stride, __u32 count, const __u8 *weights,
			__u32 *acc)
{
	__u32 kernels = task->group_kernels;
	__u32 slice, pixel, kernel;

	__builtin_memset(acc, 0, sizeof(*acc) * count * kernels);
	for (slice = 0; slice < task->slices; slice++) {
		__u32 lanes = slice + 1 < task->slices ? LANES : task->last_lanes;
		const __s8 *x = (const __s8 *)pixels + slice * LANES;
		__u32 *sum = acc;

		for (pixel = 0; pixel < count; pixel++) {
			const __s8 *w = (const __s8 *)weights;

			/* The constant lets the compiler unroll the usual case. */
			if (lanes == LANES)
				for (kernel = 0; kernel < kernels; kernel++, w += LANES)
					*sum++ += dot_int8(x, w, LANES);
			else
				for (kernel = 0; kernel < kernels; kernel++, w += lanes)
					*sum++ += dot_int8(x, w, lanes);
			x += pixel_stride;
		}
		weights += kernels * lanes;
	}
}

/* Wider ranges do not fit 32 bits beside the 11 bits of the significand. */
#define RANGE_MAX	20
/* 2 * 11 bits of significands, 5 bits of 32 lanes, within 63 bits. */
#define RANGE_SUM_MAX	36

/* fp16 is significand * 2^exponent, with the exponent that a subnormal has. */
static __s32 half_exponent(__u32 half)
{
	__u32 biased = (half >> 10) & 0x1f;

	return (__s32)(biased ? biased : 1) - 25;
}

static __s32 half_significand(__u32 half)
{
	__s32 value = half & 0x3ff;

	if (half & 0x7c00)
		value |= 0x400;
	return half & 0x8000 ? -value : value;
}

static void slice_load(struct npu_model_slice *slice, const __u8 *bytes, __u32 lanes)
{
	__s32 low = 99, high = -99;
	__u32 i;

	slice->special = 0;
	for (i = 0; i < LANES; i++) {
		__u32 half = i < lanes ? bytes[2 * i] | bytes[2 * i + 1] << 8 : 0;
		__s32 exponent = half_exponent(half);

		slice->half[i] = half;
		if (!(half & 0x7fff))
			continue;
		slice->special |= (half & 0x7c00) == 0x7c00;
		low = exponent < low ? exponent : low;
		high = exponent > high ? exponent : high;
	}

	slice->exponent = low;
	slice->range = high >= low ? high - low : 0;
	if (slice->special || slice->range > RANGE_MAX) {
		slice->range = 99;
		return;
	}
	for (i = 0; i < LANES; i++) {
		__u32 half = slice->half[i];

		/* A zero's own exponent may lie below the common one. */
		slice->value[i] = half & 0x7fff ?
			half_significand(half) * (1 << (half_exponent(half) - low)) :
			0;
	}
}

/* Round magnitude * 2^exponent, which is in the range of normal fp32. */
static __u32 round_fp32(__u32 sign, __u64 magnitude, __s32 exponent, __u32 sticky)
{
	__s32 shift = 40 - __builtin_clzll(magnitude);
	__u64 rest, half;
	__u32 mantissa;

	if (shift <= 0) {
		mantissa = magnitude << -shift;
	} else {
		mantissa = magnitude >> shift;
		rest = magnitude & ((1ull << shift) - 1);
		half = 1ull << (shift - 1);
		if (rest > half || (rest == half && (sticky || (mantissa & 1))))
			mantissa++;
	}
	/* A carry out of the mantissa adds one to the exponent, as it should. */
	return sign + ((__u32)(exponent + shift + 150 - 1) << 23) + mantissa;
}

static __u32 fp32_from_s64(__s64 sum, __s32 exponent)
{
	if (!sum)
		return 0;
	return sum < 0 ? round_fp32(FP32_SIGN, -(__u64)sum, exponent, 0) :
			 round_fp32(0, sum, exponent, 0);
}

static __u32 fp32_from_s128(__int128_t sum, __s32 exponent)
{
	__uint128_t magnitude = sum < 0 ? -(__uint128_t)sum :
							(__uint128_t)sum;
	__u32 sign = sum < 0 ? FP32_SIGN : 0;
	__u32 sticky = 0;
	__s32 shift;

	if (!(magnitude >> 64))
		return magnitude ? round_fp32(sign, magnitude, exponent, 0) : 0;
	shift = 64 - __builtin_clzll(magnitude >> 64);
	sticky = (magnitude & (((__uint128_t)1 << shift) - 1)) != 0;
	return round_fp32(sign, magnitude >> shift, exponent + shift, sticky);
}

/* Sum of products where one of them is infinite or not a number. */
static __u32 dot_special(const struct npu_model_slice *x, const struct npu_model_slice *w)
{
	__u32 infinite = 0, i;

	for (i = 0; i < LANES; i++) {
		__u32 a = x->half[i] & 0x7fff, b = w->half[i] & 0x7fff;
		__u32 sign = (x->half[i] ^ w->half[i]) & 0x8000;

		if (a > 0x7c00 || b > 0x7c00)
			return FP32_NAN;
		if (a != 0x7c00 && b != 0x7c00)
			continue;
		if (!a || !b)
			return FP32_NAN;
		infinite |= sign ? 2 : 1;
	}
	if (infinite == 3)
		return FP32_NAN;
	return infinite == 2 ? FP32_SIGN | FP32_INF : FP32_INF;
}

/* Sum of the products of two slices, rounded once. */
static __u32 dot_fp16(const struct npu_model_slice *x, const struct npu_model_slice *w)
{
	__int128_t wide = 0;
	__s64 sum = 0;
	__u32 i;

	if (x->range + w->range <= RANGE_SUM_MAX) {
		for (i = 0; i < LANES; i++)
			sum += (__s64)x->value[i] * w->value[i];
		return fp32_from_s64(sum, x->exponent + w->exponent);
	}
	if (x->special || w->special)
		return dot_special(x, w);

	/* The smallest product is 2^-48. */
	for (i = 0; i < LANES; i++) {
		__s64 product = (__s64)half_significand(x->half[i]) *
				half_significand(w->half[i]);

		/* Multiplied, since shifting a negative number is undefined. */
		wide += (__int128_t)product *
			((__int128_t)1 << (half_exponent(x->half[i]) +
					 half_exponent(w->half[i]) + 48));
	}
	return fp32_from_s128(wide, -48);
}

/* Sum of two fp32, to nearest even; numbers are 0, normal, or special. */
static __u32 add_fp32(__u32 a, __u32 b)
{
	__s32 ea, eb;
	__s64 ma, mb;
	__u32 swap;

	if ((a & ~FP32_SIGN) < (b & ~FP32_SIGN)) {
		swap = a;
		a = b;
		b = swap;
	}
	if ((a & FP32_INF) == FP32_INF) {
		if ((a & ~FP32_SIGN) > FP32_INF ||
		    ((b & ~FP32_SIGN) == FP32_INF && a != b))
			return FP32_NAN;
		return a;
	}
	if (!(b & ~FP32_SIGN))
		return a & ~FP32_SIGN ? a : 0;

	ea = (a >> 23) & 0xff;
	eb = (b >> 23) & 0xff;
	/* Less than half of the last place cannot change the larger one. */
	if (ea - eb > 26)
		return a;
	ma = (__s64)((a & 0x7fffff) | 0x800000) << (ea - eb);
	mb = (b & 0x7fffff) | 0x800000;
	return fp32_from_s64((a & FP32_SIGN ? -ma : ma) +
			     (b & FP32_SIGN ? -mb : mb), eb - 150);
}

void npu_model_mac_fp16(const struct npu_model_task *task, const __u8 *pixels,
			__u32 pixel_stride, __u32 count, const __u8 *weights,
			__u32 *acc, struct npu_model_slice *w)
{
	__u32 kernels = task->group_kernels;
	__u32 slice, pixel, kernel;
	struct npu_model_slice x;

	__builtin_memset(acc, 0, sizeof(*acc) * count * kernels);
	for (slice = 0; slice < task->slices; slice++) {
		__u32 lanes = slice + 1 < task->slices ? LANES : task->last_lanes;
		const __u8 *pixel_bytes = pixels + slice * LANES * 2;
		__u32 *sum = acc;

		for (kernel = 0; kernel < kernels; kernel++)
			slice_load(&w[kernel], weights + kernel * lanes * 2, lanes);
		for (pixel = 0; pixel < count; pixel++) {
			slice_load(&x, pixel_bytes, lanes);
			for (kernel = 0; kernel < kernels; kernel++, sum++)
				*sum = add_fp32(*sum, dot_fp16(&x, &w[kernel]));
			pixel_bytes += pixel_stride;
		}
		weights += kernels * lanes * 2;
	}
}

__u32 npu_model_fp32_to_fp16(__u32 bits)
{
	__u32 sign = (bits >> 16) & 0x8000;
	__u32 magnitude = bits & ~FP32_SIGN;
	__s32 exponent = (__s32)(magnitude >> 23) - 127;
	__u32 mantissa = (magnitude & 0x7fffff) | 0x800000;
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
