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
 * which hangs the core. What registers say together is left to rknn_shape.c and
 * rknn_operand.c.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "../core/include/npu_isa.h"
#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"
#include "rknn_regs.h"

enum rknn_rule_kind {
	/* A value, which each stream must write. */
	RKNN_RULE_VALUE,
	/* As VALUE, but the stream need not write it. */
	RKNN_RULE_OPTIONAL,
	/* An address. */
	RKNN_RULE_ADDRESS,
	/* An address, or 0 if the engine that reads there does not run. */
	RKNN_RULE_OPERAND,
};

/**
 * struct rknn_rule - what a register may hold
 */
struct rknn_rule {
	/** @reg: The register. */
	u16 reg;
	/** @kind: A &enum rknn_rule_kind. */
	u8 kind;
	/** @mask: Bits that may be set. */
	u32 mask;
	/** @set: Bits that must be set. */
	u32 set;
};

#define MASK(reg, mask)		{ reg, RKNN_RULE_VALUE, mask, 0 }
#define ZERO(reg)		{ reg, RKNN_RULE_VALUE, 0, 0 }
#define BITS(reg, mask, set)	{ reg, RKNN_RULE_VALUE, mask, set }
/* Groups of registers take turns. */
#define POINTER(reg) \
	{ reg, RKNN_RULE_OPTIONAL, RKNN_S_POINTER_PING_PONG, \
	  RKNN_S_POINTER_PING_PONG }
#define ADDRESS(reg) \
	{ reg, RKNN_RULE_ADDRESS, ~(RKNN_ATOM_BYTES - 1u), 0 }
#define OPERAND(reg) \
	{ reg, RKNN_RULE_OPERAND, ~(RKNN_ATOM_BYTES - 1u), 0 }

/* Sorted by register. */
static const struct rknn_rule rknn_rules[] = {
	/* Deconvolution has other sizes, which nobody has published. */
	MASK(RKNN_CNA_CONV_CON1, 0x6000f3ff),
	/* Among the low bits is a reset, which all leave alone. */
	MASK(RKNN_CNA_CONV_CON2, RKNN_CONV_CON2_FEATURE_GRAINS |
				 RKNN_CONV_CON2_KERNEL_GROUP),
	/* NN_MODE couples cores; nobody knows how to use it. */
	MASK(RKNN_CNA_CONV_CON3, RKNN_CONV_CON3_X_STRIDE |
				 RKNN_CONV_CON3_Y_STRIDE |
				 RKNN_CONV_CON3_X_ATROUS |
				 RKNN_CONV_CON3_Y_ATROUS),
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
	ZERO(RKNN_CNA_FC_CON0),
	ZERO(RKNN_CNA_FC_CON1),
	MASK(RKNN_CNA_PAD_CON0, 0x000000ff),
	ADDRESS(RKNN_CNA_FEATURE_DATA_ADDR),
	ZERO(RKNN_CNA_FC_CON2),
	MASK(RKNN_CNA_DMA_CON0, 0x000f000f),
	MASK(RKNN_CNA_DMA_CON1, 0x0fffffff),
	MASK(RKNN_CNA_DMA_CON2, 0x0fffffff),
	MASK(RKNN_CNA_FC_DATA_SIZE0, 0x07ff07ff),
	MASK(RKNN_CNA_FC_DATA_SIZE1, 0x0000ffff),
	/* Weights are dense: the format of compressed ones is not verified. */
	ZERO(RKNN_CNA_DCOMP_CTRL),
	ZERO(RKNN_CNA_DCOMP_REGNUM),
	ADDRESS(RKNN_CNA_DCOMP_ADDR0),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x04),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x08),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x0c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x10),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x14),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x18),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x1c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x20),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x24),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x28),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x2c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x30),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x34),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x38),
	ZERO(RKNN_CNA_DCOMP_AMOUNT15),
	MASK(RKNN_CNA_CVT_CON5, 0x0000ffff),
	MASK(RKNN_CNA_PAD_CON1, 0xffffffff),

	MASK(RKNN_CORE_MISC_CFG, 0x00000703),
	MASK(RKNN_CORE_DATAOUT_SIZE_0, 0x1fff1fff),
	MASK(RKNN_CORE_DATAOUT_SIZE_1, 0x00001fff),
	MASK(RKNN_CORE_CLIP_TRUNCATE, 0x0000005f),
	ZERO(RKNN_CORE_UNNAMED_3030),

	POINTER(RKNN_DPU_S_POINTER),
	/* Results go to memory: no PPU is started to take them. */
	BITS(RKNN_DPU_FEATURE_MODE_CFG, 0x000001fc, 0x00000004),
	/* Bit 3 changes the layout of results, nobody knows how. */
	MASK(RKNN_DPU_DATA_FORMAT, 0xfffffff7),
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
	/* Nor is it known what transposition does, bit 27. */
	MASK(RKNN_DPU_BS_OW_CFG, 0x000007ff),
	MASK(RKNN_DPU_BS_OW_OP, 0x0000ffff),
	MASK(RKNN_DPU_WDMA_SIZE_0, 0x00001fff),
	MASK(RKNN_DPU_WDMA_SIZE_1, 0x1fff1fff),
	MASK(RKNN_DPU_BN_CFG, 0x000fffff),
	MASK(RKNN_DPU_BN_ALU_CFG, 0xffffffff),
	MASK(RKNN_DPU_BN_MUL_CFG, 0xffff3f01),
	MASK(RKNN_DPU_BN_RELUX_CMP, 0xffffffff),
	/* Tables are not for clients: they outlive tasks. */
	BITS(RKNN_DPU_EW_CFG, 0xffffffff, RKNN_EW_CFG_LUT_BYPASS),
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
	ZERO(RKNN_DPU_UNNAMED_40C4),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x04),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x08),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x0c),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x10),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x14),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x18),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x1c),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x20),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x24),
	ZERO(RKNN_DPU_LUT_ACCESS_CFG + 0x28),
	ZERO(RKNN_DPU_LUT_LAST),

	POINTER(RKNN_RDMA_S_POINTER),
	MASK(RKNN_RDMA_DATA_CUBE_WIDTH, 0x00001fff),
	MASK(RKNN_RDMA_DATA_CUBE_HEIGHT, 0x00001fff),
	MASK(RKNN_RDMA_DATA_CUBE_CHANNEL, 0x00001fff),
	OPERAND(RKNN_RDMA_SRC_BASE_ADDR),
	MASK(RKNN_RDMA_BRDMA_CFG, 0x0000001f),
	OPERAND(RKNN_RDMA_BS_BASE_ADDR),
	MASK(RKNN_RDMA_NRDMA_CFG, 0x0000001f),
	OPERAND(RKNN_RDMA_BN_BASE_ADDR),
	MASK(RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DISABLE |
				  RKNN_ERDMA_CFG_DATA_SIZE |
				  RKNN_ERDMA_CFG_DATA_MODE),
	OPERAND(RKNN_RDMA_EW_BASE_ADDR),
	MASK(RKNN_RDMA_EW_SURF_STRIDE, 0xffffffff),
	/* Bit 0 takes the main feed from memory, but CORE feeds. */
	MASK(RKNN_RDMA_FEATURE_MODE_CFG, 0x0003fffe),
	ZERO(RKNN_RDMA_SRC_DMA_CFG),
	MASK(RKNN_RDMA_SURF_NOTCH, 0xffffffff),
	ZERO(RKNN_RDMA_PAD_CFG),
	/* Shares of the bus. */
	MASK(RKNN_RDMA_WEIGHT, 0xffffffff),
	MASK(RKNN_RDMA_EW_SURF_NOTCH, 0xffffffff),
};

#define RKNN_RULES	ARRAY_SIZE(rknn_rules)
/* Blocks 0 to 7, with registers in their first 512 bytes. */
#define RKNN_SLOTS	(8 * 0x200 / 4)

/**
 * struct rknn_lane_state - what is known of a lane
 */
struct rknn_lane_state {
	/** @chip: The chip that it is for. */
	const struct npu_isa_chip *chip;
	/** @any: A task went before. */
	bool any;
	/** @rules: Number of the rule of each register, counted from 1; or 0. */
	u8 rules[RKNN_SLOTS];
	/** @previous: Registers of that task, in the order of the rules. */
	u32 previous[RKNN_RULES];
	/** @current_regs: Registers of the task that is verified. */
	u32 current_regs[RKNN_RULES];
	/** @written: The command that wrote each last, counted from 1; or 0. */
	u32 written[RKNN_RULES];
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

static u32 rknn_slot(u16 reg)
{
	return ((reg >> 12) & 7) << 7 | ((reg >> 2) & 0x7f);
}

/**
 * rknn_verify_begin() - &npu_isa_ops.begin
 * @data: a &struct rknn_lane_state
 * @chip: the chip that the lane is for
 *
 * Registers are looked up often, so the lane has a table of where their rules are.
 */
void rknn_verify_begin(void *data, const struct npu_isa_chip *chip)
{
	struct rknn_lane_state *state = data;
	size_t i;

	memset(state, 0, sizeof(*state));
	state->chip = chip;
	/* All but 0 are numbers. */
	static_assert(RKNN_RULES <= U8_MAX);
	for (i = 0; i < RKNN_RULES; i++)
		state->rules[rknn_slot(rknn_rules[i].reg)] = i + 1;
}

static const struct rknn_rule *rknn_rule_find(const u8 *rules, u16 reg)
{
	u32 number = rules[rknn_slot(reg)];

	/* Another register may have the same slot. */
	if (!number || rknn_rules[number - 1].reg != reg)
		return NULL;
	return &rknn_rules[number - 1];
}

/* Of a register that has a rule. */
static u32 rknn_reg(const u8 *rules, const u32 *regs, u16 reg)
{
	return regs[rules[rknn_slot(reg)] - 1];
}

/**
 * rknn_get() - value of a field
 * @task: registers
 * @reg: a register that has a rule
 * @mask: the field in it
 *
 * Return: the value.
 */
u32 rknn_get(const struct rknn_task *task, u16 reg, u32 mask)
{
	return (rknn_reg(task->rules, task->regs, reg) & mask) >> rknn_mask_shift(mask);
}

static bool rknn_same(const struct rknn_lane_state *state, const u16 *regs,
		      size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rknn_reg(state->rules, state->previous, regs[i]) !=
		    rknn_reg(state->rules, state->current_regs, regs[i]))
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
	u32 now = rknn_reg(state->rules, state->current_regs, RKNN_CNA_CBUF_CON0);
	u32 before = rknn_reg(state->rules, state->previous, RKNN_CNA_CBUF_CON0);
	bool data = now & RKNN_CBUF_CON0_DATA_REUSE;
	bool weights = now & RKNN_CBUF_CON0_WEIGHT_REUSE;
	u32 weight_bytes = ((now & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4) *
			   state->chip->cbuf_bank_bytes;

	if (!data && !weights)
		return true;
	/* The hardware reuses one operand at a time. */
	if (!state->any || (data && weights) || ((now ^ before) & banks))
		return false;
	if (data)
		return rknn_same(state, rknn_feature_regs,
				 ARRAY_SIZE(rknn_feature_regs));
	return rknn_reg(state->rules, state->current_regs, RKNN_CNA_WEIGHT_SIZE0) <=
	       weight_bytes &&
	       rknn_same(state, rknn_weight_regs, ARRAY_SIZE(rknn_weight_regs));
}

static bool rknn_banks_ok(const struct rknn_lane_state *state)
{
	u32 con0 = rknn_reg(state->rules, state->current_regs, RKNN_CNA_CBUF_CON0);
	u32 data = con0 & RKNN_CBUF_CON0_DATA_BANK;
	u32 weights = (con0 & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4;

	return data && weights && data + weights <= state->chip->cbuf_banks;
}

static int rknn_refuse(struct npu_isa_fault *fault, u32 command,
		       enum drm_npu_fault_reason reason)
{
	fault->command = command;
	fault->reason = reason;
	return -EINVAL;
}

static int rknn_use(const struct npu_isa_stream *stream, u16 reg, u32 address,
		    u32 index, struct npu_isa_fault *fault)
{
	int ret = stream->use(stream->data, address,
			      reg == RKNN_DPU_DST_BASE_ADDR);

	return ret == -EINVAL ?
	       rknn_refuse(fault, index, DRM_NPU_FAULT_ADDRESS) : ret;
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

	if (!command)
		return 0;
	/* Links and starts are the kernel's, so PC is no target either. */
	if (target != RKNN_TARGET_CNA && target != RKNN_TARGET_CORE &&
	    target != RKNN_TARGET_DPU && target != RKNN_TARGET_DPU_RDMA)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_TARGET);
	if (target != (0x100 << (reg >> 12)) + 1)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_REGISTER);
	rule = rknn_rule_find(state->rules, reg);
	if (!rule)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_REGISTER);

	if (value & ~rule->mask || ~value & rule->set)
		return rknn_refuse(fault, index, DRM_NPU_FAULT_VALUE);
	if (rule->kind == RKNN_RULE_ADDRESS ||
	    (rule->kind == RKNN_RULE_OPERAND && value)) {
		ret = rknn_use(stream, reg, value, index, fault);
		if (ret)
			return ret;
	}
	state->current_regs[rule - rknn_rules] = value;
	state->written[rule - rknn_rules] = index + 1;
	return 0;
}

static bool rknn_required(const struct rknn_rule *rule, u32 enable)
{
	if (rule->kind == RKNN_RULE_OPTIONAL)
		return false;
	return (enable & RKNN_ENABLE_DPU_RDMA) ||
	       rule->reg >> 12 != RKNN_RDMA_S_POINTER >> 12;
}

/* What registers say together. All that the blocks use have been written. */
static int rknn_verify_task(const struct rknn_lane_state *state,
			    const struct npu_isa_stream *stream,
			    struct npu_isa_fault *fault)
{
	const struct rknn_task task = {
		.chip = state->chip,
		.regs = state->current_regs,
		.rules = state->rules,
		.enable = stream->enable,
	};
	u16 reg;
	size_t i;
	int ret;

	if (!rknn_banks_ok(state))
		return rknn_refuse(fault, stream->count, DRM_NPU_FAULT_VALUE);
	reg = rknn_check_shape(&task);
	if (!reg)
		reg = rknn_check_operands(&task);
	if (reg)
		return rknn_refuse(fault,
				   rknn_reg(state->rules, state->written, reg) - 1,
				   DRM_NPU_FAULT_SHAPE);
	/* Others have been looked at when they were written. */
	for (i = 0; i < RKNN_RULES; i++) {
		if (rknn_rules[i].kind != RKNN_RULE_OPERAND ||
		    !rknn_operand_used(&task, rknn_rules[i].reg) ||
		    state->current_regs[i])
			continue;
		ret = rknn_use(stream, rknn_rules[i].reg, 0,
			       state->written[i] - 1, fault);
		if (ret)
			return ret;
	}
	if (!rknn_reuse_ok(state))
		return rknn_refuse(fault, stream->count, DRM_NPU_FAULT_REUSE);
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

	if (stream->enable != RKNN_ENABLE_CONV &&
	    stream->enable != RKNN_ENABLE_CONV_RDMA)
		return rknn_refuse(fault, i, DRM_NPU_FAULT_ENABLE);
	for (rule = 0; rule < RKNN_RULES; rule++)
		if (!state->written[rule] &&
		    rknn_required(&rknn_rules[rule], stream->enable))
			return rknn_refuse(fault, i, DRM_NPU_FAULT_MISSING);
	ret = rknn_verify_task(state, stream, fault);
	if (ret)
		return ret;

	memcpy(state->previous, state->current_regs, sizeof(state->previous));
	state->any = true;
	return 0;
}

/**
 * rknn_describe() - &npu_isa_ops.describe
 * @data: a &struct rknn_lane_state
 * @task: receives what the task that was verified last is like
 *
 * Each weight meets each pixel of the result; fp16 has twice the bytes, and a
 * half of the multiply-accumulates a cycle.
 */
void rknn_describe(const void *data, struct npu_isa_task *task)
{
	const struct rknn_lane_state *state = data;
	const struct rknn_task rknn = {
		.chip = state->chip,
		.regs = state->previous,
		.rules = state->rules,
	};
	u32 con0 = rknn_get(&rknn, RKNN_CNA_CBUF_CON0, U32_MAX);
	u64 bytes = rknn_get(&rknn, RKNN_CNA_WEIGHT_SIZE0, U32_MAX);
	u64 width = rknn_get(&rknn, RKNN_DPU_DATA_CUBE_WIDTH, 0x1fff) + 1;
	u64 height = rknn_get(&rknn, RKNN_DPU_DATA_CUBE_HEIGHT, 0x1fff) + 1;

	task->continues = con0 & (RKNN_CBUF_CON0_DATA_REUSE |
				  RKNN_CBUF_CON0_WEIGHT_REUSE);
	task->macs = width * height * bytes;
	task->bytes = con0 & RKNN_CBUF_CON0_WEIGHT_REUSE ? 0 : bytes;
}
