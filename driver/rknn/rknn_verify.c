// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifier of RKNN command streams.
 *
 * Register groups keep their values over tasks, jobs and clients, so a stream
 * must write every register that its blocks use: then no task depends on what
 * another client has left. What a register may hold is a mask of its fields;
 * addresses must lie in buffers of the client, and the IOMMU catches what runs
 * out of them. Registers that are not listed are not for clients; among them
 * S_POINTER of CNA and CORE, which the start of a lane sets, and MAC_GATING,
 * which hangs the core.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/bsearch.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "../core/npu_isa.h"
#include "npu_accel.h"
#include "rknn.h"
#include "rknn_regs.h"

enum rknn_rule_kind {
	/* Bits outside of the mask must be zero. */
	RKNN_RULE_MASK,
	/* The value must be the mask. */
	RKNN_RULE_FIXED,
	/* As FIXED, but the stream need not write it. */
	RKNN_RULE_FIXED_OPTIONAL,
	/* An address. */
	RKNN_RULE_ADDRESS,
};

struct rknn_rule {
	u16 reg;
	u8 kind;
	u32 mask;
};

#define MASK(reg, mask)		{ reg, RKNN_RULE_MASK, mask }
#define FIXED(reg, value)	{ reg, RKNN_RULE_FIXED, value }
#define OPTIONAL(reg, value)	{ reg, RKNN_RULE_FIXED_OPTIONAL, value }
#define ADDRESS(reg)		{ reg, RKNN_RULE_ADDRESS, 0 }

/* Sorted by register. */
static const struct rknn_rule rknn_rules[] = {
	MASK(RKNN_CNA_CONV_CON1, 0x6001f3ff),
	MASK(RKNN_CNA_CONV_CON2, 0x00ff3ff7),
	/* NN_MODE couples cores; nobody knows how to use it. */
	MASK(RKNN_CNA_CONV_CON3, 0x03ff3f3f),
	MASK(RKNN_CNA_DATA_SIZE0, 0x07ff07ff),
	MASK(RKNN_CNA_DATA_SIZE1, 0xffffffff),
	MASK(RKNN_CNA_DATA_SIZE2, 0x000007ff),
	MASK(RKNN_CNA_DATA_SIZE3, 0x003fffff),
	MASK(RKNN_CNA_WEIGHT_SIZE0, 0xffffffff),
	MASK(RKNN_CNA_WEIGHT_SIZE1, 0x0007ffff),
	MASK(RKNN_CNA_WEIGHT_SIZE2, 0x1f1f3fff),
	/* FC_DATA_BANK corrupts results. */
	MASK(RKNN_CNA_CBUF_CON0, RKNN_CBUF_CON0_DATA_BANK |
				 RKNN_CBUF_CON0_WEIGHT_BANK |
				 RKNN_CBUF_CON0_DATA_REUSE |
				 RKNN_CBUF_CON0_WEIGHT_REUSE),
	MASK(RKNN_CNA_CBUF_CON1, 0x00003fff),
	MASK(RKNN_CNA_CVT_CON0, 0x0fffffff),
	MASK(RKNN_CNA_CVT_CON1, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON2, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON3, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON4, 0xffffffff),
	FIXED(RKNN_CNA_FC_CON0, 0),
	FIXED(RKNN_CNA_FC_CON1, 0),
	MASK(RKNN_CNA_PAD_CON0, 0x000000ff),
	ADDRESS(RKNN_CNA_FEATURE_DATA_ADDR),
	FIXED(RKNN_CNA_FC_CON2, 0),
	MASK(RKNN_CNA_DMA_CON0, 0x000f000f),
	MASK(RKNN_CNA_DMA_CON1, 0x0fffffff),
	MASK(RKNN_CNA_DMA_CON2, 0x0fffffff),
	MASK(RKNN_CNA_FC_DATA_SIZE0, 0x07ff07ff),
	MASK(RKNN_CNA_FC_DATA_SIZE1, 0x0000ffff),
	/* Weights are dense: the format of compressed ones is not verified. */
	FIXED(RKNN_CNA_DCOMP_CTRL, 0),
	FIXED(RKNN_CNA_DCOMP_REGNUM, 0),
	ADDRESS(RKNN_CNA_DCOMP_ADDR0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x04, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x08, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x0c, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x10, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x14, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x18, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x1c, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x20, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x24, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x28, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x2c, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x30, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x34, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT0 + 0x38, 0),
	FIXED(RKNN_CNA_DCOMP_AMOUNT15, 0),
	MASK(RKNN_CNA_CVT_CON5, 0x0000ffff),
	MASK(RKNN_CNA_PAD_CON1, 0xffffffff),

	MASK(RKNN_CORE_MISC_CFG, 0x00000703),
	MASK(RKNN_CORE_DATAOUT_SIZE_0, 0x1fff1fff),
	MASK(RKNN_CORE_DATAOUT_SIZE_1, 0x00001fff),
	MASK(RKNN_CORE_CLIP_TRUNCATE, 0x0000005f),
	FIXED(RKNN_CORE_UNNAMED_3030, 0),

	OPTIONAL(RKNN_DPU_S_POINTER, RKNN_S_POINTER_PING_PONG),
	/* Results go to memory: no PPU is started to take them. */
	MASK(RKNN_DPU_FEATURE_MODE_CFG, 0x000001fc),
	MASK(RKNN_DPU_DATA_FORMAT, 0xffffffff),
	MASK(RKNN_DPU_OFFSET_PEND, 0x0000ffff),
	ADDRESS(RKNN_DPU_DST_BASE_ADDR),
	MASK(RKNN_DPU_DST_SURF_STRIDE, 0xfffffff0),
	MASK(RKNN_DPU_DATA_CUBE_WIDTH, 0x00001fff),
	MASK(RKNN_DPU_DATA_CUBE_HEIGHT, 0x00001fff),
	MASK(RKNN_DPU_DATA_CUBE_NOTCH, 0x1fff1fff),
	MASK(RKNN_DPU_DATA_CUBE_CHANNEL, 0x1fff1fff),
	MASK(RKNN_DPU_BS_CFG, 0x000fffff),
	MASK(RKNN_DPU_BS_ALU_CFG, 0xffffffff),
	MASK(RKNN_DPU_BS_MUL_CFG, 0xffff3f01),
	MASK(RKNN_DPU_BS_RELUX_CMP, 0xffffffff),
	MASK(RKNN_DPU_BS_OW_CFG, 0x080007ff),
	MASK(RKNN_DPU_BS_OW_OP, 0x0000ffff),
	MASK(RKNN_DPU_WDMA_SIZE_0, 0x00001fff),
	MASK(RKNN_DPU_WDMA_SIZE_1, 0x1fff1fff),
	MASK(RKNN_DPU_BN_CFG, 0x000fffff),
	MASK(RKNN_DPU_BN_ALU_CFG, 0xffffffff),
	MASK(RKNN_DPU_BN_MUL_CFG, 0xffff3f01),
	MASK(RKNN_DPU_BN_RELUX_CMP, 0xffffffff),
	MASK(RKNN_DPU_EW_CFG, 0xffffffff),
	MASK(RKNN_DPU_EW_CVT_OFFSET, 0xffffffff),
	MASK(RKNN_DPU_EW_CVT_SCALE, 0xffffffff),
	MASK(RKNN_DPU_EW_RELUX_CMP, 0xffffffff),
	MASK(RKNN_DPU_OUT_CVT_OFFSET, 0xffffffff),
	MASK(RKNN_DPU_OUT_CVT_SCALE, 0x0001ffff),
	MASK(RKNN_DPU_OUT_CVT_SHIFT, 0xc00fffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x04, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x08, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x0c, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x10, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x14, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x18, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_7, 0xffffffff),
	MASK(RKNN_DPU_SURFACE_ADD, 0xfffffff0),
	FIXED(RKNN_DPU_UNNAMED_40C4, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x04, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x08, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x0c, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x10, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x14, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x18, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x1c, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x20, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x24, 0),
	FIXED(RKNN_DPU_LUT_ACCESS_CFG + 0x28, 0),
	FIXED(RKNN_DPU_LUT_LAST, 0),
};

#define RKNN_RULES	ARRAY_SIZE(rknn_rules)

/**
 * struct rknn_lane_state - what is known of a lane
 */
struct rknn_lane_state {
	/** @any: A task went before. */
	bool any;
	/** @previous: Registers of that task, in the order of the rules. */
	u32 previous[RKNN_RULES];
	/** @current_regs: Registers of the task that is verified. */
	u32 current_regs[RKNN_RULES];
	/** @written: Which of them the stream has written. */
	bool written[RKNN_RULES];
};

/**
 * rknn_verify_state_size() - &npu_isa_ops.state_size
 *
 * Return: bytes that rknn_verify() keeps between the tasks of a lane.
 */
size_t rknn_verify_state_size(void)
{
	return sizeof(struct rknn_lane_state);
}

static int rknn_rule_cmp(const void *key, const void *elt)
{
	return (int)*(const u16 *)key - ((const struct rknn_rule *)elt)->reg;
}

static const struct rknn_rule *rknn_rule_find(u16 reg)
{
	return bsearch(&reg, rknn_rules, RKNN_RULES, sizeof(rknn_rules[0]),
		       rknn_rule_cmp);
}

static u32 rknn_reg(const u32 *regs, u16 reg)
{
	return regs[rknn_rule_find(reg) - rknn_rules];
}

static bool rknn_same(const struct rknn_lane_state *state, const u16 *regs,
		      size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rknn_reg(state->previous, regs[i]) !=
		    rknn_reg(state->current_regs, regs[i]))
			return false;
	return true;
}

/* What the features in the convolution buffer depend on. */
static const u16 rknn_feature_regs[] = {
	RKNN_CNA_CONV_CON1, RKNN_CNA_CONV_CON2, RKNN_CNA_CONV_CON3,
	RKNN_CNA_DATA_SIZE0, RKNN_CNA_DATA_SIZE1, RKNN_CNA_DATA_SIZE2,
	RKNN_CNA_DATA_SIZE3, RKNN_CNA_DMA_CON0, RKNN_CNA_CBUF_CON1, RKNN_CNA_CVT_CON0,
	RKNN_CNA_CVT_CON1, RKNN_CNA_CVT_CON2, RKNN_CNA_CVT_CON3,
	RKNN_CNA_CVT_CON4, RKNN_CNA_PAD_CON0, RKNN_CNA_FEATURE_DATA_ADDR,
	RKNN_CNA_DMA_CON1, RKNN_CNA_DMA_CON2, RKNN_CNA_FC_DATA_SIZE0,
	RKNN_CNA_FC_DATA_SIZE1, RKNN_CNA_CVT_CON5, RKNN_CNA_PAD_CON1,
};

/* What the weights in the convolution buffer depend on. */
static const u16 rknn_weight_regs[] = {
	RKNN_CNA_CONV_CON1, RKNN_CNA_WEIGHT_SIZE0, RKNN_CNA_WEIGHT_SIZE1,
	RKNN_CNA_WEIGHT_SIZE2, RKNN_CNA_DCOMP_ADDR0,
};

/*
 * On-chip data may be reused only if the task before, which is of the same lane
 * and thus of the same client, has left just that there.
 */
static bool rknn_reuse_ok(const struct rknn_lane_state *state)
{
	const u32 banks = RKNN_CBUF_CON0_DATA_BANK | RKNN_CBUF_CON0_WEIGHT_BANK;
	u32 now = rknn_reg(state->current_regs, RKNN_CNA_CBUF_CON0);
	u32 before = rknn_reg(state->previous, RKNN_CNA_CBUF_CON0);
	bool data = now & RKNN_CBUF_CON0_DATA_REUSE;
	bool weights = now & RKNN_CBUF_CON0_WEIGHT_REUSE;
	u32 weight_bytes = ((now & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4) *
			   RKNN_CBUF_BANK_BYTES;

	if (!data && !weights)
		return true;
	/* The hardware reuses one operand at a time. */
	if (!state->any || (data && weights) || ((now ^ before) & banks))
		return false;
	if (data)
		return rknn_same(state, rknn_feature_regs,
				 ARRAY_SIZE(rknn_feature_regs));
	return rknn_reg(state->current_regs, RKNN_CNA_WEIGHT_SIZE0) <=
	       weight_bytes &&
	       rknn_same(state, rknn_weight_regs, ARRAY_SIZE(rknn_weight_regs));
}

static bool rknn_banks_ok(const struct rknn_lane_state *state)
{
	u32 con0 = rknn_reg(state->current_regs, RKNN_CNA_CBUF_CON0);
	u32 data = con0 & RKNN_CBUF_CON0_DATA_BANK;
	u32 weights = (con0 & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4;

	return data && weights && data + weights <= RKNN_CBUF_BANKS;
}

static int rknn_refuse(struct npu_isa_fault *fault, u32 command,
		       enum drm_npu_fault_reason reason)
{
	fault->command = command;
	fault->reason = reason;
	return -EINVAL;
}

static int rknn_verify_command(struct rknn_lane_state *state,
			       const struct npu_isa_stream *stream, u32 index,
			       struct npu_isa_fault *fault)
{
	u64 command = stream->commands[index];
	u16 target = RKNN_CMD_TARGET(command);
	u32 value = RKNN_CMD_VALUE(command);
	u16 reg = RKNN_CMD_REG(command);
	const struct rknn_rule *rule;
	int ret;

	/* Links and starts are the kernel's, so PC is no target either. */
	if (target != RKNN_TARGET_CNA && target != RKNN_TARGET_CORE &&
	    target != RKNN_TARGET_DPU)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_TARGET);
	if (target != (0x100 << (reg >> 12)) + 1)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_REGISTER);
	rule = rknn_rule_find(reg);
	if (!rule)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_REGISTER);

	switch (rule->kind) {
	case RKNN_RULE_MASK:
		if (value & ~rule->mask)
			return rknn_refuse(fault, index, DRM_NPU_FAULT_VALUE);
		break;
	case RKNN_RULE_FIXED:
	case RKNN_RULE_FIXED_OPTIONAL:
		if (value != rule->mask)
			return rknn_refuse(fault, index, DRM_NPU_FAULT_VALUE);
		break;
	case RKNN_RULE_ADDRESS:
		if (value % RKNN_ATOM_BYTES)
			return rknn_refuse(fault, index, DRM_NPU_FAULT_VALUE);
		ret = stream->use(stream->data, value,
				  reg == RKNN_DPU_DST_BASE_ADDR);
		if (ret == -EINVAL)
			return rknn_refuse(fault, index, DRM_NPU_FAULT_ADDRESS);
		if (ret)
			return ret;
		break;
	}
	state->current_regs[rule - rknn_rules] = value;
	state->written[rule - rknn_rules] = true;
	return 0;
}

/**
 * rknn_verify() - &npu_isa_ops.verify
 * @data: a &struct rknn_lane_state
 * @stream: the stream
 * @fault: receives why it is refused
 *
 * Return: 0, -EINVAL, or what &npu_isa_stream.use returned.
 */
int rknn_verify(void *data, const struct npu_isa_stream *stream,
		struct npu_isa_fault *fault)
{
	struct rknn_lane_state *state = data;
	size_t rule;
	int ret;
	u32 i;

	memset(state->written, 0, sizeof(state->written));
	for (i = 0; i < stream->count; i++) {
		ret = rknn_verify_command(state, stream, i, fault);
		if (ret)
			return ret;
	}

	if (stream->enable != RKNN_ENABLE_CONV)
		return rknn_refuse(fault, i, DRM_NPU_FAULT_ENABLE);
	for (rule = 0; rule < RKNN_RULES; rule++)
		if (!state->written[rule] &&
		    rknn_rules[rule].kind != RKNN_RULE_FIXED_OPTIONAL)
			return rknn_refuse(fault, i, DRM_NPU_FAULT_MISSING);
	if (!rknn_banks_ok(state))
		return rknn_refuse(fault, i, DRM_NPU_FAULT_VALUE);
	if (!rknn_reuse_ok(state))
		return rknn_refuse(fault, i, DRM_NPU_FAULT_REUSE);

	memcpy(state->previous, state->current_regs, sizeof(state->previous));
	state->any = true;
	return 0;
}
