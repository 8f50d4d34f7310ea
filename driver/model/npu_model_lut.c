// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPU: the look-up table.
 *
 * Two tables of 513 entries, LE and LO, each with a range of its own and an
 * entry every 2^select units. Between entries values are interpolated, outside
 * of both ranges they go on with a slope. Tables belong to the core and stay
 * until they are written again.
 */
#include "npu_model_priv.h"

/* Bits of a value below the unit of the tables. */
#define FRACTION	16

/* One table and its range. */
struct table {
	const __s16 *entries;
	/* Fixed point, as values are. */
	__s64 start;
	__s64 end;
	__u32 select;
	__s32 uflow_scale;
	__s32 oflow_scale;
	__u32 uflow_shift;
	__u32 oflow_shift;
};

void npu_model_lut_write(struct npu_model_core *core, __u32 value)
{
	__u32 address = core->lut_access & RKNN_LUT_ACCESS_ADDRESS;
	__u32 lo = !!(core->lut_access & RKNN_LUT_ACCESS_LO);

	if (!(core->lut_access & RKNN_LUT_ACCESS_WRITE))
		return;
	if (address < NPU_MODEL_LUT_ENTRIES)
		core->lut[lo][address] = value;
	core->lut_access &= ~RKNN_LUT_ACCESS_ADDRESS;
	core->lut_access |= (address + 1) & RKNN_LUT_ACCESS_ADDRESS;
}

static void load_table(const struct npu_model_core *core, __u32 lo,
		       struct table *table)
{
	__u32 range = lo ? RKNN_DPU_LUT_LO_START : RKNN_DPU_LUT_LE_START;
	__u32 slope = lo ? RKNN_DPU_LUT_LO_SLOPE_SCALE :
			   RKNN_DPU_LUT_LE_SLOPE_SCALE;
	__u32 info = npu_model_get(core, RKNN_DPU_LUT_INFO);
	__u32 scale = npu_model_get(core, slope);
	__u32 shift = npu_model_get(core, slope + 4);

	table->entries = core->lut[lo];
	table->start = (__s64)(__s32)npu_model_get(core, range) *
		       (1 << FRACTION);
	table->end = (__s64)(__s32)npu_model_get(core, range + 4) *
		     (1 << FRACTION);
	table->select = (lo ? info >> 16 : info >> 8) & 0x1f;
	table->uflow_scale = (__s16)scale;
	table->oflow_scale = (__s16)(scale >> 16);
	table->uflow_shift = shift & 0x1f;
	table->oflow_shift = shift >> 5 & 0x1f;
}

static __s64 interpolate(const struct table *table, __s64 value)
{
	__u32 bits = table->select + FRACTION;
	__s64 offset = value - table->start;
	__s64 index = offset >> bits, rest = offset & ((1ll << bits) - 1);
	__s64 low, high;

	if (index >= NPU_MODEL_LUT_ENTRIES - 1) {
		index = NPU_MODEL_LUT_ENTRIES - 1;
		rest = 0;
	}
	low = table->entries[index];
	if (!rest)
		return low;
	high = table->entries[index + 1];
	/* At most 17 bits times 47. */
	if (bits > FRACTION + 16) {
		rest >>= bits - FRACTION - 16;
		bits = FRACTION + 16;
	}
	return low + npu_model_round_shift((high - low) * rest, bits, 0);
}

static __s64 extend(const struct table *table, __s64 value, __u32 over)
{
	__s64 distance = value - (over ? table->end : table->start);
	__s32 scale = over ? table->oflow_scale : table->uflow_scale;
	__u32 shift = over ? table->oflow_shift : table->uflow_shift;
	__s64 edge = table->entries[over ? NPU_MODEL_LUT_ENTRIES - 1 : 0];

	/* Beyond this a result has long saturated. */
	distance = npu_model_clamp(distance, -(1ll << 46), 1ll << 46);
	return edge + npu_model_round_shift(distance * scale, shift + FRACTION, 0);
}

/* The one of the tables that answers for @value: by range, then priority. */
static __s64 look_up(const struct table *tables, __u32 cfg, __s64 value)
{
	__u32 under[2], over[2], in[2], i, lo;

	for (i = 0; i < 2; i++) {
		under[i] = value < tables[i].start;
		over[i] = value > tables[i].end;
		in[i] = !under[i] && !over[i];
	}
	lo = !!(cfg & RKNN_LUT_CFG_HYBRID_LO);
	if (in[0] != in[1])
		lo = in[1];
	else if (under[0] && under[1])
		lo = !!(cfg & RKNN_LUT_CFG_UFLOW_LO);
	else if (over[0] && over[1])
		lo = !!(cfg & RKNN_LUT_CFG_OFLOW_LO);
	if (in[lo])
		return interpolate(&tables[lo], value);
	return extend(&tables[lo], value, over[lo]);
}

void npu_model_lut_apply(const struct npu_model_core *core, __u32 is_float,
			 __u32 *values, __u32 count)
{
	__u32 cfg = npu_model_get(core, RKNN_DPU_LUT_CFG);
	struct table tables[2];
	__s64 value;
	__u32 i;

	load_table(core, 0, &tables[0]);
	load_table(core, 1, &tables[1]);
	for (i = 0; i < count; i++) {
		value = is_float ?
			npu_model_fp32_to_int(values[i], 1, FRACTION, 0) :
			(__s64)(__s32)values[i] * (1 << FRACTION);
		value = look_up(tables, cfg, value);
		/* Assumed: a slope goes on beyond the 16 bits of entries. */
		values[i] = is_float ? npu_model_fp32_from_s64(value, 0) :
				       (__u32)npu_model_sat32(value);
	}
}
