// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verifier of RKNN command streams.
 *
 * Each word must write a register of the tables in rknn_table.c, and only bits that
 * are there. Addresses must lie in buffers of the client, and the IOMMU catches
 * what runs out of them. What the registers say together is left to the files of
 * the blocks. The hardware is not given the words of the client but a stream of
 * the same meaning; see rknn_lane.c.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>

#include "../core/include/npu_isa.h"
#include "npu_accel.h"
#include "rknn.h"
#include "rknn_lane.h"
#include "../../include/rknn/rknn_regs.h"
#include "rknn_table.h"
#include "rknn_verify.h"

/**
 * rknn_verify_state_size() - &npu_isa_ops.state_size
 *
 * Return: bytes that rknn_verify() keeps between the tasks of a lane.
 */
size_t rknn_verify_state_size(void)
{
	return sizeof(struct rknn_lane);
}

/**
 * rknn_verify_begin() - &npu_isa_ops.begin
 * @data: a &struct rknn_lane
 * @chip: the chip that the lane is for
 */
void rknn_verify_begin(void *data, const struct npu_isa_chip *chip)
{
	rknn_lane_init(data, chip);
}

static int rknn_refuse(struct npu_isa_fault *fault, u32 command, u16 reg,
		       enum drm_npu_fault_reason reason)
{
	fault->command = command;
	fault->reg = reg;
	fault->reason = reason;
	return -EINVAL;
}

/* Refuse what register @reg says: the command that wrote it, if the task has. */
static int rknn_refuse_reg(const struct rknn_lane *lane,
			   const struct npu_isa_stream *stream, u16 reg,
			   enum drm_npu_fault_reason reason,
			   struct npu_isa_fault *fault)
{
	u32 written = lane->written[lane->numbers[rknn_slot(reg)] - 1];

	return rknn_refuse(fault, written ? written - 1 : stream->count, reg,
			   reason);
}

/**
 * rknn_is_dropped() - is a word none of a task's own?
 * @command: the word
 *
 * Links are the kernel's, and so is what precedes a start.
 *
 * Return: whether it is left out of the stream that the hardware is given.
 */
bool rknn_is_dropped(u64 command)
{
	u16 reg = RKNN_CMD_REG(command);

	switch (RKNN_CMD_TARGET(command)) {
	case RKNN_TARGET_NONE:
	case RKNN_TARGET_SYNC:
		return true;
	case RKNN_TARGET_PC:
		return reg == RKNN_PC_BASE_ADDRESS ||
		       reg == RKNN_PC_REGISTER_AMOUNTS;
	default:
		return !command;
	}
}

static bool rknn_is_block(u16 target)
{
	switch (target) {
	case RKNN_TARGET_CNA:
	case RKNN_TARGET_CORE:
	case RKNN_TARGET_DPU:
	case RKNN_TARGET_DPU_RDMA:
	case RKNN_TARGET_PPU:
	case RKNN_TARGET_PPU_RDMA:
		return true;
	default:
		return false;
	}
}

static u64 rknn_command(const struct npu_isa_stream *stream, u32 index)
{
	return ((const u64 *)stream->commands)[index];
}

static int rknn_use(const struct npu_isa_stream *stream, u16 reg, u32 address,
		    u32 index, struct npu_isa_fault *fault)
{
	/* Where operands end is left to the IOMMU. */
	int ret = stream->use(stream->data, address, 1,
			      reg == RKNN_DPU_DST_BASE_ADDR ||
			      reg == RKNN_PPU_DST_BASE_ADDR);

	return ret == -EINVAL ?
	       rknn_refuse(fault, index, reg, DRM_NPU_FAULT_ADDRESS) : ret;
}

/* The kernel has groups alternate; a stream may say so, or stop it for itself. */
static bool rknn_write_pointer(struct rknn_lane *lane, u32 block, u32 value)
{
	value &= RKNN_S_POINTER_BITS;
	if (value && value != RKNN_S_POINTER_PING_PONG &&
	    value != RKNN_S_POINTER_CLEAR)
		return false;
	lane->alternates[block] = value == RKNN_S_POINTER_PING_PONG;
	return true;
}

/* @value of the register with @number, as the hardware is to be given it. */
static u32 rknn_kept(const struct rknn_rule *rule, u32 value)
{
	/* As many rows at a time as the field has room for. */
	if (rule->reg == RKNN_CNA_CONV_CON2 &&
	    value & RKNN_CONV_CON2_GRAINS_HIGH)
		value |= RKNN_CONV_CON2_FEATURE_GRAINS;
	return value & ~rule->drop;
}

static int rknn_write(struct rknn_lane *lane, const struct npu_isa_stream *stream,
		      u32 index, u32 number, struct npu_isa_fault *fault)
{
	const struct rknn_rule *rule = lane->rules[number];
	u32 value = RKNN_CMD_VALUE(rknn_command(stream, index));
	bool right = !(value & ~rule->mask);
	int ret;

	switch (rule->kind) {
	case RKNN_RULE_POINTER:
		right = right && rknn_write_pointer(lane, lane->blocks[number],
						    value);
		break;
	case RKNN_RULE_TABLE_ACCESS:
		lane->table_access = value;
		break;
	case RKNN_RULE_TABLE_DATA:
		right = rknn_lut_write(lane, value);
		break;
	case RKNN_RULE_OPERAND:
	case RKNN_RULE_ADDRESS:
		if (!right || (rule->kind == RKNN_RULE_OPERAND && !value))
			break;
		ret = rknn_use(stream, rule->reg, value, index, fault);
		if (ret)
			return ret;
		break;
	}
	if (!right)
		return rknn_refuse(fault, index, rule->reg, DRM_NPU_FAULT_VALUE);
	lane->regs[number] = rknn_kept(rule, value);
	lane->written[number] = index + 1;
	return 0;
}

static int rknn_verify_command(struct rknn_lane *lane,
			       const struct npu_isa_stream *stream, u32 index,
			       struct npu_isa_fault *fault)
{
	u64 command = rknn_command(stream, index);
	u16 reg = RKNN_CMD_REG(command);
	u32 number;

	if (rknn_is_dropped(command))
		return 0;
	if (!rknn_is_block(RKNN_CMD_TARGET(command)))
		return rknn_refuse(fault, index, reg, DRM_NPU_FAULT_TARGET);
	number = lane->numbers[rknn_slot(reg)];
	/* Another register may have the same slot. */
	if (RKNN_CMD_TARGET(command) != RKNN_TARGET(reg) || !number ||
	    lane->rules[number - 1]->reg != reg)
		return rknn_refuse(fault, index, reg, DRM_NPU_FAULT_REGISTER);
	return rknn_write(lane, stream, index, number - 1, fault);
}

static u16 rknn_check_blocks(const struct rknn_task *task)
{
	struct rknn_shape shape = {};
	u16 reg;

	if (task->enable == RKNN_ENABLE_POOL)
		return rknn_check_ppu(task);
	if (task->enable == RKNN_ENABLE_FLYING) {
		reg = rknn_decode_dpu(task, &shape);
	} else {
		reg = rknn_check_cna(task, &shape);
		if (!reg)
			reg = rknn_check_core(task, &shape);
	}
	if (!reg)
		reg = rknn_check_dpu(task, &shape);
	if (!reg)
		reg = rknn_check_rdma(task, &shape);
	/* Last, for it is what the shape is loaded to. */
	if (!reg && !shape.flying)
		reg = rknn_check_cbuf(task, &shape);
	return reg;
}

/* Whether the present task goes to the address in the register with @number. */
static bool rknn_address_used(const struct rknn_task *task,
			      const struct rknn_lane *lane, u32 number)
{
	const struct rknn_rule *rule = lane->rules[number];

	return rknn_starts(task, rknn_blocks[lane->blocks[number]].enable) &&
	       (rule->kind == RKNN_RULE_ADDRESS ||
		rknn_operand_used(task, rule->reg));
}

/* Addresses that the blocks always use must be the lane's own. */
static int rknn_verify_known(const struct rknn_lane *lane,
			     const struct rknn_task *task,
			     const struct npu_isa_stream *stream,
			     struct npu_isa_fault *fault)
{
	u32 i;

	for (i = 0; i < lane->address_count; i++) {
		u32 number = lane->addresses[i];
		const struct rknn_rule *rule = lane->rules[number];

		if (rule->kind == RKNN_RULE_ADDRESS &&
		    rknn_address_used(task, lane, number) &&
		    !rknn_lane_known(lane, number))
			return rknn_refuse(fault, stream->count, rule->reg,
					   DRM_NPU_FAULT_MISSING);
	}
	return 0;
}

/* So must those of engines that run, of which 0 has not been looked at yet. */
static int rknn_verify_operands(const struct rknn_lane *lane,
				const struct rknn_task *task,
				const struct npu_isa_stream *stream,
				struct npu_isa_fault *fault)
{
	u32 i;
	int ret;

	for (i = 0; i < lane->address_count; i++) {
		u32 number = lane->addresses[i];
		u32 written = lane->written[number];
		u16 reg = lane->rules[number]->reg;

		if (lane->regs[number] || !rknn_address_used(task, lane, number))
			continue;
		if (!rknn_lane_known(lane, number))
			return rknn_refuse(fault, stream->count, reg,
					   DRM_NPU_FAULT_MISSING);
		ret = rknn_use(stream, reg, 0,
			       written ? written - 1 : stream->count, fault);
		if (ret)
			return ret;
	}
	return 0;
}

static int rknn_verify_task(struct rknn_lane *lane,
			    const struct npu_isa_stream *stream,
			    struct npu_isa_fault *fault)
{
	const struct rknn_task task = rknn_lane_task(lane);
	struct rknn_task before = task;
	u16 reg;
	int ret;

	before.regs = lane->before;
	ret = rknn_verify_known(lane, &task, stream, fault);
	if (ret)
		return ret;
	reg = rknn_check_blocks(&task);
	if (reg)
		return rknn_refuse_reg(lane, stream, reg, DRM_NPU_FAULT_SHAPE,
				       fault);
	ret = rknn_verify_operands(lane, &task, stream, fault);
	if (ret)
		return ret;
	lane->continues = false;
	if (!rknn_starts(&task, RKNN_ENABLE_CNA))
		return 0;
	lane->continues = rknn_get(&task, RKNN_CNA_CBUF_CON0,
				   RKNN_CBUF_CON0_DATA_REUSE |
				   RKNN_CBUF_CON0_WEIGHT_REUSE);
	return rknn_check_reuse(&task, lane->convolved ? &before : NULL) ? 0 :
	       rknn_refuse(fault, stream->count, RKNN_CNA_CBUF_CON0,
			   DRM_NPU_FAULT_REUSE);
}

/**
 * rknn_verify() - &npu_isa_ops.verify
 * @data: a &struct rknn_lane
 * @stream: the stream
 * @fault: receives why it is refused
 *
 * Return: 0, -EINVAL, or what &npu_isa_stream.use returned.
 */
int rknn_verify(void *data, const struct npu_isa_stream *stream,
		struct npu_isa_fault *fault)
{
	struct rknn_lane *lane = data;
	int ret;
	u32 i;

	rknn_lane_begin_task(lane, stream->enable);
	for (i = 0; i < stream->count; i++) {
		ret = rknn_verify_command(lane, stream, i, fault);
		if (ret)
			return ret;
	}
	switch (stream->enable) {
	case RKNN_ENABLE_CONV:
	case RKNN_ENABLE_CONV_RDMA:
	case RKNN_ENABLE_FLYING:
	case RKNN_ENABLE_POOL:
		break;
	default:
		return rknn_refuse(fault, i, RKNN_PC_OPERATION_ENABLE,
				   DRM_NPU_FAULT_ENABLE);
	}
	ret = rknn_verify_task(lane, stream, fault);
	if (!ret)
		rknn_lane_end_task(lane);
	return ret;
}

/**
 * rknn_emit() - &npu_isa_ops.emit
 * @data: a &struct rknn_lane
 * @commands: receives the commands of the task that was verified last
 *
 * Return: the number of commands.
 */
u32 rknn_emit(const void *data, void *commands)
{
	return rknn_lane_emit(data, commands);
}

/* Pixels of the cube whose last column and row are in these registers. */
static u64 rknn_pixels(const struct rknn_task *task, u16 width, u16 height)
{
	return (rknn_get(task, width, RKNN_ALL) + 1ull) *
	       (rknn_get(task, height, RKNN_ALL) + 1);
}

/**
 * rknn_describe() - &npu_isa_ops.describe
 * @data: a &struct rknn_lane
 * @task: receives what the task that was verified last is like
 *
 * In a convolution each weight meets each pixel of the result; fp16 has twice the
 * bytes, and a half of the multiply-accumulates a cycle. Other tasks are limited
 * by their operands, of which each number has a byte at least.
 */
void rknn_describe(const void *data, struct npu_isa_task *task)
{
	const struct rknn_lane *lane = data;
	const struct rknn_task rknn = rknn_lane_task(lane);
	u64 weights = rknn_get(&rknn, RKNN_CNA_WEIGHT_SIZE0, RKNN_ALL);

	task->continues = lane->continues;
	task->macs = 0;
	if (rknn_starts(&rknn, RKNN_ENABLE_PPU)) {
		task->bytes = rknn_pixels(&rknn, RKNN_PPU_RDMA_CUBE_WIDTH,
					  RKNN_PPU_RDMA_CUBE_HEIGHT) *
			(rknn_get(&rknn, RKNN_PPU_RDMA_CUBE_CHANNEL, RKNN_ALL) + 1);
	} else if (!rknn_starts(&rknn, RKNN_ENABLE_CNA)) {
		task->bytes = rknn_pixels(&rknn, RKNN_RDMA_DATA_CUBE_WIDTH,
					  RKNN_RDMA_DATA_CUBE_HEIGHT) *
			(rknn_get(&rknn, RKNN_RDMA_DATA_CUBE_CHANNEL, RKNN_ALL) + 1);
	} else {
		task->macs = weights * rknn_pixels(&rknn, RKNN_DPU_DATA_CUBE_WIDTH,
						   RKNN_DPU_DATA_CUBE_HEIGHT);
		task->bytes = rknn_get(&rknn, RKNN_CNA_CBUF_CON0,
				       RKNN_CBUF_CON0_WEIGHT_REUSE) ? 0 : weights;
	}
}
