/* SPDX-License-Identifier: GPL-2.0-only */
/* Shifts that round, and saturation. */
#ifndef NPU_MODEL_ROUND_H
#define NPU_MODEL_ROUND_H

#include <linux/types.h>

#define NPU_MODEL_S8_MIN	(-0x80)
#define NPU_MODEL_S8_MAX	0x7f
#define NPU_MODEL_S16_MIN	(-0x8000)
#define NPU_MODEL_S16_MAX	0x7fff
#define NPU_MODEL_S32_MIN	(-0x7fffffff - 1)
#define NPU_MODEL_S32_MAX	0x7fffffff

static inline __s64 npu_model_clamp(__s64 value, __s64 low, __s64 high)
{
	return value < low ? low : value > high ? high : value;
}

static inline __s32 npu_model_sat32(__s64 value)
{
	return npu_model_clamp(value, NPU_MODEL_S32_MIN, NPU_MODEL_S32_MAX);
}

/* @value / 2^@shift to nearest; ties away from 0, or to the even integer. */
static inline __s64 npu_model_round_shift(__s64 value, __u32 shift, __u32 away)
{
	__s64 floor, rest, half;

	if (!shift)
		return value;
	/* Nothing that is shifted has more than 62 bits. */
	if (shift > 62)
		return 0;
	floor = value >> shift;
	rest = value & ((1ll << shift) - 1);
	half = 1ll << (shift - 1);
	if (rest > half || (rest == half && (away ? value >= 0 : floor & 1)))
		floor++;
	return floor;
}

#endif /* NPU_MODEL_ROUND_H */
