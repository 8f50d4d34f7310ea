// SPDX-License-Identifier: GPL-2.0-only
/*
 * CORE and DPU: whether they count what they are fed, and whether the stages of
 * the post-processing are set to something that is known to end.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"

static const struct rknn_agreement rknn_core_agreements[] = {
	RKNN_SAME(RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_PROC_PREC, prec),
	RKNN_SAME(RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_DW_EN, depthwise),
};

static const struct rknn_agreement rknn_dpu_agreements[] = {
	RKNN_SAME(RKNN_DPU_FEATURE_MODE_CFG, RKNN_DPU_FEATURE_MODE_MODE, mode),
	RKNN_SAME(RKNN_DPU_FEATURE_MODE_CFG, RKNN_DPU_FEATURE_MODE_FLYING, flying),
	RKNN_SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_0, size_e),
	RKNN_SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_1, size_e),
	RKNN_SAME(RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_SIZE_E_2, size_e),
};

/* What DPU alone makes of tensors, one bit for each precision code of results. */
static const u8 rknn_dpu_results[8] = {
	[RKNN_PREC_INT8] = 1 << RKNN_PREC_INT8 | 1 << RKNN_PREC_INT16 |
			   1 << RKNN_PREC_INT32,
	[RKNN_PREC_INT16] = 1 << RKNN_PREC_INT8 | 1 << RKNN_PREC_INT16 |
			    1 << RKNN_PREC_INT32,
	[RKNN_PREC_FP16] = 1 << RKNN_PREC_FP16 | 1 << RKNN_PREC_FP32 |
			   1 << RKNN_PREC_BF16 | 1 << RKNN_PREC_INT16,
	[RKNN_PREC_BF16] = 1 << RKNN_PREC_BF16 | 1 << RKNN_PREC_FP16 |
			   1 << RKNN_PREC_FP32,
	[RKNN_PREC_INT32] = 1 << RKNN_PREC_INT32 | 1 << RKNN_PREC_FP32 |
			    1 << RKNN_PREC_INT8 | 1 << RKNN_PREC_INT16,
	[RKNN_PREC_FP32] = 1 << RKNN_PREC_FP32 | 1 << RKNN_PREC_FP16 |
			   1 << RKNN_PREC_BF16,
};

static bool rknn_is_float(u32 prec)
{
	return prec == RKNN_PREC_FP16 || prec == RKNN_PREC_BF16 ||
	       prec == RKNN_PREC_FP32 || prec == RKNN_PREC_TF32;
}

/* Blocks count pixels, in whichever shape they are told them. */
static bool rknn_counts(const struct rknn_shape *shape, u32 width, u32 height)
{
	return (u64)width * height == (u64)shape->x.out * shape->y.out;
}

/*
 * Groups are computed as a whole. A task of integers never ends unless the blocks
 * behind count whole groups too (measured), which those of floats need not.
 */
static bool rknn_channels_ok(const struct rknn_shape *shape, u32 channels)
{
	if (channels == shape->out_channels)
		return true;
	return !shape->flying && rknn_is_float(shape->prec) &&
	       ALIGN(channels, shape->group) == shape->out_channels;
}

/**
 * rknn_check_core() - does CORE agree with the convolution?
 * @task: registers
 * @shape: the convolution
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_core(const struct rknn_task *task, const struct rknn_shape *shape)
{
	/* Assumed: a sum of inputs that CORE does not make is waited for. */
	if (!rknn_get(task, RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_OD_BYPASS) &&
	    !rknn_get(task, RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_QD_EN))
		return RKNN_CORE_MISC_CFG;
	if (!rknn_counts(shape,
			 rknn_get(task, RKNN_CORE_DATAOUT_SIZE_0, 0x0000ffff) + 1,
			 rknn_get(task, RKNN_CORE_DATAOUT_SIZE_0, 0xffff0000) + 1))
		return RKNN_CORE_DATAOUT_SIZE_0;
	if (!rknn_channels_ok(shape, rknn_get(task, RKNN_CORE_DATAOUT_SIZE_1,
					      RKNN_ALL) + 1))
		return RKNN_CORE_DATAOUT_SIZE_1;
	return rknn_check_agreements(task, shape, rknn_core_agreements,
				     ARRAY_SIZE(rknn_core_agreements));
}

/**
 * rknn_decode_dpu() - what DPU alone is asked for
 * @task: registers
 * @shape: zeros; receives the sizes and the types
 *
 * Return: 0, or the register that asks for what cannot be done.
 */
u16 rknn_decode_dpu(const struct rknn_task *task, struct rknn_shape *shape)
{
	u32 out = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_OUT);

	if (!(task->chip->features & DRM_NPU_FEATURE_STANDALONE))
		return RKNN_DPU_FEATURE_MODE_CFG;
	shape->flying = 1;
	shape->group = 1;
	shape->x.out = rknn_get(task, RKNN_DPU_DATA_CUBE_WIDTH, RKNN_ALL) + 1;
	shape->y.out = rknn_get(task, RKNN_DPU_DATA_CUBE_HEIGHT, RKNN_ALL) + 1;
	shape->out_channels = rknn_get(task, RKNN_DPU_DATA_CUBE_CHANNEL,
				       0x00001fff) + 1;
	shape->size_e = rknn_get(task, RKNN_DPU_BS_OW_CFG,
				 RKNN_BS_OW_CFG_SIZE_E_0);
	shape->prec = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_IN);
	return rknn_dpu_results[shape->prec] & 1 << out ? 0 :
							  RKNN_DPU_DATA_FORMAT;
}

/*
 * All of DPU computes in one type. CORE's results of tf32 are fp32, and streams
 * call them by either name.
 */
static u16 rknn_check_format(const struct rknn_task *task,
			     const struct rknn_shape *shape)
{
	u32 in = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_IN);
	u32 proc = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC);
	u32 out = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_OUT);
	bool half = rknn_get(task, RKNN_DPU_OUT_CVT_SCALE,
			     RKNN_OUT_CVT_FP32_TO_FP16);

	if (in != proc || (in != shape->prec &&
			   (shape->prec != RKNN_PREC_TF32 || in != RKNN_PREC_FP32)))
		return RKNN_DPU_DATA_FORMAT;
	if (!rknn_is_float(proc))
		return 0;
	/* fp16 results that are not asked for here hang the task (measured). */
	if (out == RKNN_PREC_FP16)
		return half ? 0 : RKNN_DPU_OUT_CVT_SCALE;
	return half && out == RKNN_PREC_FP32 ? RKNN_DPU_OUT_CVT_SCALE : 0;
}

/* The cube that DPU takes, and what its writer is told of it, unless nothing. */
static u16 rknn_check_cube(const struct rknn_task *task,
			   const struct rknn_shape *shape)
{
	u32 last = rknn_get(task, RKNN_DPU_WDMA_SIZE_0, RKNN_ALL);
	u32 notch = rknn_get(task, RKNN_DPU_DATA_CUBE_NOTCH, RKNN_ALL);

	if (!rknn_counts(shape,
			 rknn_get(task, RKNN_DPU_DATA_CUBE_WIDTH, RKNN_ALL) + 1,
			 rknn_get(task, RKNN_DPU_DATA_CUBE_HEIGHT, RKNN_ALL) + 1))
		return RKNN_DPU_DATA_CUBE_WIDTH;
	if (!rknn_channels_ok(shape, rknn_get(task, RKNN_DPU_DATA_CUBE_CHANNEL,
					      0x00001fff) + 1))
		return RKNN_DPU_DATA_CUBE_CHANNEL;
	if (rknn_get(task, RKNN_DPU_DATA_CUBE_CHANNEL,
		     RKNN_DATA_CUBE_CHANNEL_REAL) >= shape->out_channels)
		return RKNN_DPU_DATA_CUBE_CHANNEL;
	/* Results go astray if one half says something else (measured). */
	if (notch >> 16 != (notch & 0xffff))
		return RKNN_DPU_DATA_CUBE_NOTCH;
	if (!last && !rknn_get(task, RKNN_DPU_WDMA_SIZE_1, RKNN_ALL))
		return 0;
	if (!rknn_channels_ok(shape, last + 1))
		return RKNN_DPU_WDMA_SIZE_0;
	return rknn_counts(shape,
			   rknn_get(task, RKNN_DPU_WDMA_SIZE_1, 0x00001fff) + 1,
			   rknn_get(task, RKNN_DPU_WDMA_SIZE_1, 0x1fff0000) + 1) ?
	       0 : RKNN_DPU_WDMA_SIZE_1;
}

static bool rknn_algorithm_ok(u32 algorithm)
{
	return algorithm == RKNN_ALU_MAX || algorithm == RKNN_ALU_MIN ||
	       algorithm == RKNN_ALU_ADD || algorithm == RKNN_ALU_MINUS;
}

/* BS or BN: which functions are known. */
static bool rknn_stage_ok(const struct rknn_task *task, u16 cfg)
{
	/* After a reset, which leaves 0, it is assumed to do nothing. */
	if (!rknn_get(task, cfg, RKNN_ALL) ||
	    rknn_get(task, cfg, RKNN_DPU_BYPASS))
		return true;
	if (rknn_get(task, cfg, RKNN_DPU_MUL_PRELU))
		return false;
	return rknn_get(task, cfg, RKNN_DPU_ALU_BYPASS) ||
	       rknn_algorithm_ok(rknn_get(task, cfg, RKNN_DPU_ALU_ALGO));
}

static bool rknn_ew_is_unary(u32 algorithm)
{
	return algorithm == RKNN_ALU_ABS || algorithm == RKNN_ALU_NEG ||
	       algorithm == RKNN_ALU_FLOOR || algorithm == RKNN_ALU_CEIL;
}

/**
 * rknn_ew_takes_operand() - does EW have an operation of two operands?
 * @task: registers
 *
 * Return: whether it waits for the second one, from wherever it comes.
 */
bool rknn_ew_takes_operand(const struct rknn_task *task)
{
	const u16 cfg = RKNN_DPU_EW_CFG;

	/* After a reset, which leaves 0, it is assumed to do nothing, as BS and BN. */
	if (!rknn_get(task, cfg, RKNN_ALL) ||
	    rknn_get(task, cfg, RKNN_EW_CFG_BYPASS) ||
	    rknn_get(task, cfg, RKNN_EW_CFG_OP_BYPASS))
		return false;
	return rknn_get(task, cfg, RKNN_EW_CFG_OP_MUL) ||
	       !rknn_ew_is_unary(rknn_get(task, cfg, RKNN_EW_CFG_ALGO));
}

/* Which operations there are of the type that DPU computes in. */
static bool rknn_ew_operation_ok(const struct rknn_task *task)
{
	u32 algorithm = rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_ALGO);
	u32 proc = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC);

	if (rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_OP_MUL))
		return true;
	switch (algorithm) {
	case RKNN_ALU_ABS:
	case RKNN_ALU_NEG:
		return true;
	case RKNN_ALU_DIV:
	case RKNN_ALU_FLOOR:
	case RKNN_ALU_CEIL:
		return rknn_is_float(proc);
	default:
		return rknn_algorithm_ok(algorithm);
	}
}

/*
 * Operands of EW come from memory. Of fp16, factors that go through the converter
 * hang the task, and summands that do not lack half of the elements (measured);
 * bf16 is assumed to be alike, and divisors to be right either way.
 */
static bool rknn_ew_operand_ok(const struct rknn_task *task)
{
	const u16 cfg = RKNN_DPU_EW_CFG;
	bool converted = !rknn_get(task, cfg, RKNN_EW_CFG_CVT_BYPASS);
	bool factors = rknn_get(task, cfg, RKNN_EW_CFG_OP_MUL);
	u32 proc = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC);

	if (!rknn_get(task, cfg, RKNN_EW_CFG_OP_SRC))
		return false;
	if (proc != RKNN_PREC_FP16 && proc != RKNN_PREC_BF16)
		return true;
	if (!factors && rknn_get(task, cfg, RKNN_EW_CFG_ALGO) == RKNN_ALU_DIV)
		return true;
	return converted != factors;
}

/* Which functions are known, and that each has its operand. */
static u16 rknn_check_ew(const struct rknn_task *task)
{
	const u16 cfg = RKNN_DPU_EW_CFG;

	if (!rknn_get(task, cfg, RKNN_EW_CFG_LUT_BYPASS) &&
	    !(task->chip->features & DRM_NPU_FEATURE_TABLE))
		return cfg;
	/* As BS and BN. */
	if (!rknn_get(task, cfg, RKNN_ALL) ||
	    rknn_get(task, cfg, RKNN_EW_CFG_BYPASS))
		return 0;
	if (rknn_get(task, cfg, RKNN_EW_CFG_PRELU) ||
	    rknn_get(task, cfg, RKNN_EW_CFG_BINARY))
		return cfg;
	if (rknn_get(task, cfg, RKNN_EW_CFG_OP_BYPASS))
		return 0;
	if (!rknn_ew_operation_ok(task))
		return cfg;
	return !rknn_ew_takes_operand(task) || rknn_ew_operand_ok(task) ? 0 : cfg;
}

/**
 * rknn_check_dpu() - does DPU agree with what it is fed, and can it end?
 * @task: registers
 * @shape: what it is fed
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_dpu(const struct rknn_task *task, const struct rknn_shape *shape)
{
	u16 reg = rknn_check_format(task, shape);

	/* To memory, and not to PPU. */
	if (!reg && rknn_get(task, RKNN_DPU_FEATURE_MODE_CFG,
			     RKNN_DPU_FEATURE_MODE_OUTPUT) != 2)
		reg = RKNN_DPU_FEATURE_MODE_CFG;
	if (!reg)
		reg = rknn_check_agreements(task, shape, rknn_dpu_agreements,
					    ARRAY_SIZE(rknn_dpu_agreements));
	if (!reg)
		reg = rknn_check_cube(task, shape);
	if (!reg && !rknn_stage_ok(task, RKNN_DPU_BS_CFG))
		reg = RKNN_DPU_BS_CFG;
	if (!reg && !rknn_stage_ok(task, RKNN_DPU_BN_CFG))
		reg = RKNN_DPU_BN_CFG;
	return reg ? reg : rknn_check_ew(task);
}
