// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inner loops of the multiply-accumulate array, with integers only.
 *
 * Integers: exact sums.
 *
 * Floats: every aligned group of 32 products (16 of tf32) is summed exactly and
 * rounded once, to nearest even, to fp32; the groups are added in the order of
 * the weights with fp32 additions that round likewise, starting from 0. Measured
 * bit exact on silicon for fp16, assumed for the others. What silicon does with
 * infinities and NaNs is not known; IEEE rules with one quiet NaN are assumed,
 * and subnormal fp16 are exact.
 */
#include "npu_model_priv.h"

#define LANES		NPU_MODEL_LANES

static inline __s32 dot_int8(const __s8 *x, const __s8 *w, __u32 lanes)
{
	__s32 sum = 0;
	__u32 i;

	for (i = 0; i < lanes; i++)
		sum += x[i] * w[i];
	return sum;
}

void npu_model_mac_int8(const __s8 *x, __u32 stride, __u32 count, const __s8 *w,
			__u32 lanes, __u32 kernels, __u32 pitch, __u32 *acc)
{
	__u32 pixel, kernel;

	for (pixel = 0; pixel < count; pixel++, x += stride, acc += pitch) {
		const __s8 *weights = w;

		/* The constants let the compiler unroll the usual cases. */
		if (lanes == LANES)
			for (kernel = 0; kernel < kernels; kernel++, weights += LANES)
				acc[kernel] += dot_int8(x, weights, LANES);
		else if (lanes == LANES / 2)
			for (kernel = 0; kernel < kernels;
			     kernel++, weights += LANES / 2)
				acc[kernel] += dot_int8(x, weights, LANES / 2);
		else
			for (kernel = 0; kernel < kernels; kernel++, weights += lanes)
				acc[kernel] += dot_int8(x, weights, lanes);
	}
}

static inline void scale_int8(__s32 *acc, const __s8 *x, const __s8 *w,
			      __u32 lanes)
{
	__u32 i;

	for (i = 0; i < lanes; i++)
		acc[i] += (__s16)(x[i] * w[i]);
}

void npu_model_mac_depthwise(const __s8 *x, __u32 stride, __u32 count,
			     const __s8 *w, __u32 lanes, __u32 *acc)
{
	__s32 *sums = (__s32 *)acc;
	__u32 pixel;

	for (pixel = 0; pixel < count;
	     pixel++, x += stride, sums += RKNN_DEPTHWISE_GROUP) {
		if (lanes == RKNN_DEPTHWISE_GROUP)
			scale_int8(sums, x, w, RKNN_DEPTHWISE_GROUP);
		else
			scale_int8(sums, x, w, lanes);
	}
}

static inline __s64 element(const __u8 *from, __u32 bytes, __u32 index)
{
	if (bytes == 1)
		return (__s8)from[index];
	return (__s16)(from[2 * index] | from[2 * index + 1] << 8);
}

void npu_model_mac_wide(const __u8 *x, __u32 stride, __u32 count, const __u8 *w,
			__u32 bytes, __u32 lanes, __u32 kernels, __u32 pitch,
			__s64 *acc)
{
	__u32 pixel, kernel, i;

	for (pixel = 0; pixel < count; pixel++, x += stride, acc += pitch) {
		for (kernel = 0; kernel < kernels; kernel++) {
			__s64 sum = 0;

			for (i = 0; i < lanes; i++)
				sum += element(x, bytes, i) *
				       element(w, bytes, kernel * lanes + i);
			acc[kernel] += sum;
		}
	}
}

/* Wider ranges do not fit 32 bits beside the 11 bits of the significand. */
#define RANGE_MAX	20
/* 2 * 11 bits of significands, 5 bits of 32 lanes, within 63 bits. */
#define RANGE_SUM_MAX	36
/* Of products that differ by more bits, the smaller is cut off. */
#define RANGE_WIDE	90

/* How the bits of a float are laid out. */
struct layout {
	__u32 mantissa;
	__u32 exponent_mask;
	__s32 bias;
};

static inline struct layout layout_of(__u32 precision)
{
	struct layout layout = { 10, 0x1f, 25 };

	if (precision == RKNN_PREC_BF16) {
		layout.mantissa = 7;
		layout.exponent_mask = 0xff;
		layout.bias = 134;
	} else if (precision == RKNN_PREC_TF32) {
		layout.exponent_mask = 0xff;
		layout.bias = 137;
	}
	return layout;
}

/* The number is significand * 2^exponent, with a subnormal's exponent. */
static inline __s32 exponent_of(__u32 bits, struct layout layout)
{
	__u32 biased = (bits >> layout.mantissa) & layout.exponent_mask;

	return (__s32)(biased ? biased : 1) - layout.bias;
}

static inline __s32 significand_of(__u32 bits, struct layout layout)
{
	__u32 fields = layout.exponent_mask << layout.mantissa;
	__s32 value = bits & ((1u << layout.mantissa) - 1);

	if (bits & fields)
		value |= 1 << layout.mantissa;
	return bits & (fields + (1u << layout.mantissa)) ? -value : value;
}

static inline __u32 is_number(__u32 bits, struct layout layout)
{
	__u32 fields = layout.exponent_mask << layout.mantissa;

	return bits & (fields | ((1u << layout.mantissa) - 1));
}

static inline __u32 load_bits(const __u8 *bytes, __u32 precision, __u32 i)
{
	if (precision != RKNN_PREC_TF32)
		return bytes[2 * i] | bytes[2 * i + 1] << 8;
	/* The low 13 bits are dropped. */
	return (bytes[4 * i + 1] | bytes[4 * i + 2] << 8 |
		(__u32)bytes[4 * i + 3] << 16) >> 5;
}

static inline void slice_load(struct npu_model_slice *slice, const __u8 *bytes,
			      __u32 precision, __u32 lanes)
{
	struct layout layout = layout_of(precision);
	__u32 fields = layout.exponent_mask << layout.mantissa;
	__u32 fraction = (1u << layout.mantissa) - 1;
	__s32 low = 999, high = 0;
	__u32 i;

	if (lanes == LANES)
		for (i = 0; i < LANES; i++)
			slice->bits[i] = load_bits(bytes, precision, i);
	else
		for (i = 0; i < LANES; i++)
			slice->bits[i] = i < lanes ?
				load_bits(bytes, precision, i) : 0;
	/* Without branches, for the compiler to do several lanes at a time. */
	for (i = 0; i < LANES; i++) {
		__u32 bits = slice->bits[i];
		__s32 exponent = (bits & fields) >> layout.mantissa;
		__s32 zero = !(bits & (fields | fraction));

		exponent += !exponent;
		exponent += zero * 500;
		low = exponent < low ? exponent : low;
		exponent -= zero * 1000;
		high = exponent > high ? exponent : high;
	}

	slice->special = high == (__s32)layout.exponent_mask;
	slice->exponent = low - layout.bias;
	slice->range = high > low ? high - low : 0;
	if (slice->special || slice->range > RANGE_MAX) {
		slice->range = 99;
		return;
	}
	for (i = 0; i < LANES; i++) {
		__u32 bits = slice->bits[i];
		__s32 exponent = (bits & fields) >> layout.mantissa;
		__s32 value = (bits & fraction) | (__u32)!!exponent << layout.mantissa;
		__s32 minus = bits >> (layout.mantissa +
				       (layout.exponent_mask > 0x1f ? 8 : 5)) & 1;

		exponent += !exponent;
		/* Of a zero, which any shift leaves 0, it may lie below. */
		value <<= (exponent - low) & 31;
		slice->value[i] = (value ^ -minus) + minus;
	}
}

static __u32 fp32_from_s128(__int128_t sum, __s32 exponent)
{
	__uint128_t magnitude = sum < 0 ? -(__uint128_t)sum :
							(__uint128_t)sum;
	__u32 sign = sum < 0 ? FP32_SIGN : 0;
	__u32 sticky = 0;
	__s32 shift;

	if (!(magnitude >> 64))
		return npu_model_fp32_pack(sign, magnitude, exponent, 0);
	shift = 64 - __builtin_clzll(magnitude >> 64);
	sticky = (magnitude & (((__uint128_t)1 << shift) - 1)) != 0;
	return npu_model_fp32_pack(sign, magnitude >> shift, exponent + shift,
				   sticky);
}

/* Sum of products where one of them is infinite or not a number. */
static __u32 dot_special(const struct npu_model_slice *x,
			 const struct npu_model_slice *w, struct layout layout)
{
	__u32 top = layout.exponent_mask << layout.mantissa;
	__u32 all = top | ((1u << layout.mantissa) - 1);
	__u32 infinite = 0, i;

	for (i = 0; i < LANES; i++) {
		__u32 a = x->bits[i] & all, b = w->bits[i] & all;
		__u32 sign = (x->bits[i] ^ w->bits[i]) & (all + 1);

		if (a > top || b > top)
			return FP32_NAN;
		if (a != top && b != top)
			continue;
		if (!a || !b)
			return FP32_NAN;
		infinite |= sign ? 2 : 1;
	}
	if (infinite == 3)
		return FP32_NAN;
	return infinite == 2 ? FP32_SIGN | FP32_INF : FP32_INF;
}

/* Sum of products that 64 bits do not hold. */
static __u32 dot_wide(const struct npu_model_slice *x,
		      const struct npu_model_slice *w, struct layout layout)
{
	__s32 top = -9999, exponent;
	__int128_t wide = 0;
	__s64 product;
	__u32 i;

	if (x->special || w->special)
		return dot_special(x, w, layout);
	for (i = 0; i < LANES; i++) {
		exponent = exponent_of(x->bits[i], layout) +
			   exponent_of(w->bits[i], layout);
		if (is_number(x->bits[i], layout) &&
		    is_number(w->bits[i], layout) && exponent > top)
			top = exponent;
	}
	for (i = 0; i < LANES; i++) {
		product = (__s64)significand_of(x->bits[i], layout) *
			  significand_of(w->bits[i], layout);
		exponent = exponent_of(x->bits[i], layout) +
			   exponent_of(w->bits[i], layout) - top + RANGE_WIDE;
		/* Multiplied, since shifting a negative number is undefined. */
		if (product && exponent >= 0)
			wide += (__int128_t)product * ((__int128_t)1 << exponent);
	}
	return fp32_from_s128(wide, top - RANGE_WIDE);
}

/* Sum of the products of two slices, rounded once. */
static inline __u32 dot_float(const struct npu_model_slice *x,
			      const struct npu_model_slice *w,
			      struct layout layout)
{
	__s64 sum = 0;
	__u32 i;

	if (x->range + w->range > RANGE_SUM_MAX)
		return dot_wide(x, w, layout);
	for (i = 0; i < LANES; i++)
		sum += (__s64)x->value[i] * w->value[i];
	return npu_model_fp32_from_s64(sum, x->exponent + w->exponent);
}

void npu_model_slices_load(struct npu_model_slice *slices, const __u8 *w,
			   __u32 precision, __u32 lanes, __u32 kernels)
{
	__u32 bytes = lanes * npu_model_bytes(precision), i;

	for (i = 0; i < kernels; i++, w += bytes)
		if (precision == RKNN_PREC_FP16)
			slice_load(&slices[i], w, RKNN_PREC_FP16, lanes);
		else
			slice_load(&slices[i], w, precision, lanes);
}

static inline void mac_float(const struct npu_model_slice *slices,
			     const __u8 *x, __u32 precision, __u32 stride,
			     __u32 count, __u32 lanes, __u32 kernels,
			     __u32 pitch, __u32 *acc)
{
	struct layout layout = layout_of(precision);
	struct npu_model_slice pixel;
	__u32 kernel, dot;

	for (; count; count--, x += stride, acc += pitch) {
		slice_load(&pixel, x, precision, lanes);
		for (kernel = 0; kernel < kernels; kernel++) {
			dot = dot_float(&pixel, &slices[kernel], layout);
			acc[kernel] = npu_model_fp32_add(acc[kernel], dot);
		}
	}
}

void npu_model_mac_float(const struct npu_model_slice *slices, const __u8 *x,
			 __u32 precision, __u32 stride, __u32 count, __u32 lanes,
			 __u32 kernels, __u32 pitch, __u32 *acc)
{
	/* The constant lets the compiler fold the layout of the usual case. */
	if (precision == RKNN_PREC_FP16)
		mac_float(slices, x, RKNN_PREC_FP16, stride, count, lanes,
			  kernels, pitch, acc);
	else
		mac_float(slices, x, precision, stride, count, lanes, kernels,
			  pitch, acc);
}

void npu_model_depthwise_float(const __u8 *x, __u32 stride, __u32 count,
			       const __u8 *w, __u32 precision, __u32 lanes,
			       __u32 pitch, __u32 *acc)
{
	__u32 i, a, b;

	for (; count; count--, x += stride, acc += pitch) {
		for (i = 0; i < lanes; i++) {
			a = load_bits(x, precision, i);
			b = load_bits(w, precision, i);
			if (precision == RKNN_PREC_BF16) {
				a <<= 16;
				b <<= 16;
			} else {
				a = npu_model_fp32_from_fp16(a);
				b = npu_model_fp32_from_fp16(b);
			}
			acc[i] = npu_model_fp32_add(acc[i],
						    npu_model_fp32_mul(a, b));
		}
	}
}
