// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPU_RDMA: whether each stage of the post-processing is fed what it takes.
 *
 * DPU's stages take operands from registers or from an engine of DPU_RDMA: BS
 * from BRDMA, BN from NRDMA, EW from ERDMA and MRDMA. A stage without its engine
 * waits for ever, and an engine without a stage never gets rid of its data: the
 * latter is measured for MRDMA and assumed for the others.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"

/* COMB_USE: MRDMA and ERDMA both feed EW, with every other surface. */
#define RKNN_COMB_USE_EW	5
/* Without CORE, MRDMA feeds the stages and ERDMA feeds EW. */
#define RKNN_COMB_USE_MAIN_EW	4

static const struct rknn_agreement rknn_rdma_agreements[] = {
	RKNN_SAME(RKNN_RDMA_FEATURE_MODE_CFG, RKNN_RDMA_MODE_MODE, mode),
	RKNN_SAME(RKNN_RDMA_FEATURE_MODE_CFG, RKNN_RDMA_MODE_FLYING, flying),
};

static u32 rknn_rdma(const struct rknn_task *task, u16 reg, u32 mask)
{
	return rknn_starts(task, RKNN_ENABLE_DPU_RDMA) ?
	       rknn_get(task, reg, mask) : 0;
}

/* What BRDMA or NRDMA reads for its stage. */
static u32 rknn_stage_use(const struct rknn_task *task, u16 reg)
{
	u32 cfg = rknn_rdma(task, reg, RKNN_ALL);

	return cfg & RKNN_BRDMA_CFG_OFF ? 0 : cfg;
}

static bool rknn_erdma_runs(const struct rknn_task *task)
{
	return rknn_starts(task, RKNN_ENABLE_DPU_RDMA) &&
	       !rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DISABLE);
}

static bool rknn_mrdma_runs(const struct rknn_task *task)
{
	return rknn_starts(task, RKNN_ENABLE_DPU_RDMA) &&
	       !rknn_get(task, RKNN_RDMA_FEATURE_MODE_CFG,
			 RKNN_RDMA_MODE_MRDMA_DISABLE);
}

/* BS and BN are alike: does a stage add, or multiply with, what an engine reads? */
static bool rknn_stage_adds(const struct rknn_task *task, u16 cfg)
{
	return !rknn_get(task, cfg, RKNN_DPU_BYPASS) &&
	       !rknn_get(task, cfg, RKNN_DPU_ALU_BYPASS) &&
	       rknn_get(task, cfg, RKNN_DPU_ALU_SRC);
}

static bool rknn_stage_multiplies(const struct rknn_task *task, u16 cfg,
				  u16 mul_cfg)
{
	return !rknn_get(task, cfg, RKNN_DPU_BYPASS) &&
	       !rknn_get(task, cfg, RKNN_DPU_MUL_BYPASS) &&
	       rknn_get(task, mul_cfg, RKNN_DPU_MUL_SRC);
}

/* Whether CORE's sum of inputs, times an operand of each channel, is added. */
static bool rknn_adds_inputs(const struct rknn_task *task)
{
	return rknn_starts(task, RKNN_ENABLE_CORE) &&
	       !rknn_get(task, RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_OD_BYPASS) &&
	       rknn_get(task, RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_OW_SRC);
}

/*
 * A dense bias or factor has one operand a channel, a record has three: what is
 * added, what the sum of inputs is multiplied with, and what BS multiplies with.
 */
static u16 rknn_check_bs(const struct rknn_task *task)
{
	bool adds = rknn_stage_adds(task, RKNN_DPU_BS_CFG);
	bool multiplies = rknn_stage_multiplies(task, RKNN_DPU_BS_CFG,
						RKNN_DPU_BS_MUL_CFG);
	bool inputs = rknn_adds_inputs(task);
	bool fed;

	switch (rknn_stage_use(task, RKNN_RDMA_BRDMA_CFG)) {
	case 0:
		fed = !adds && !multiplies && !inputs;
		break;
	case RKNN_BRDMA_CFG_BIAS:
		fed = adds && !multiplies && !inputs;
		break;
	case RKNN_BRDMA_CFG_MUL:
		fed = !adds && multiplies && !inputs;
		break;
	case RKNN_BRDMA_CFG_RECORD:
		fed = adds || multiplies || inputs;
		break;
	default:
		return RKNN_RDMA_BRDMA_CFG;
	}
	return fed ? 0 : RKNN_DPU_BS_CFG;
}

/*
 * As BS, without sums of inputs. Summands from records hang depthwise convolutions
 * of integers (measured).
 */
static u16 rknn_check_bn(const struct rknn_task *task,
			 const struct rknn_shape *shape)
{
	bool adds = rknn_stage_adds(task, RKNN_DPU_BN_CFG);
	bool multiplies = rknn_stage_multiplies(task, RKNN_DPU_BN_CFG,
						RKNN_DPU_BN_MUL_CFG);
	bool fed;

	switch (rknn_stage_use(task, RKNN_RDMA_NRDMA_CFG)) {
	case 0:
		fed = !adds && !multiplies;
		break;
	case RKNN_BRDMA_CFG_BIAS:
		fed = adds && !multiplies;
		break;
	case RKNN_BRDMA_CFG_MUL:
		fed = !adds && multiplies;
		break;
	case RKNN_BRDMA_CFG_RECORD:
		fed = adds ? !shape->depthwise : multiplies;
		break;
	default:
		return RKNN_RDMA_NRDMA_CFG;
	}
	return fed ? 0 : RKNN_DPU_BN_CFG;
}

/* Does EW take an operand from memory? */
static bool rknn_ew_reads(const struct rknn_task *task)
{
	return rknn_ew_takes_operand(task) &&
	       rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_OP_SRC);
}

/* Code of the bytes of an operand in EW_CFG and ERDMA_CFG; 0 for none. */
static u32 rknn_data_size(u32 prec)
{
	switch (prec) {
	case RKNN_PREC_INT8:
		return 1;
	case RKNN_PREC_INT16:
	case RKNN_PREC_FP16:
	case RKNN_PREC_BF16:
		return 2;
	case RKNN_PREC_INT32:
	case RKNN_PREC_FP32:
		return 3;
	default:
		return 0;
	}
}

/*
 * Operands have the type that DPU computes in, or that of the sums of CORE, which
 * they are added to. A factor of fp32 is an fp16 in a word of 32 bits, so sizes
 * need not be those of the type.
 */
static u16 rknn_check_operand_type(const struct rknn_task *task)
{
	const u16 mode = RKNN_RDMA_FEATURE_MODE_CFG;
	u32 prec = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC);
	u32 in = rknn_get(task, mode, RKNN_RDMA_MODE_IN_PREC);
	u32 size = rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_SIZE);

	if (in != rknn_get(task, mode, RKNN_RDMA_MODE_PROC_PREC))
		return mode;
	if (in != prec && (in != RKNN_PREC_INT32 || prec != RKNN_PREC_INT8 ||
			   !rknn_starts(task, RKNN_ENABLE_CORE)))
		return mode;
	if (!rknn_erdma_runs(task))
		return 0;
	if (size != rknn_data_size(in) ||
	    rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_DATA_SIZE) != size ||
	    rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_DATA_MODE) !=
	    rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_MODE))
		return RKNN_RDMA_ERDMA_CFG;
	/* One a channel or one a pixel; others have not been seen. */
	return rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_MODE) > 1 ?
	       RKNN_RDMA_ERDMA_CFG : 0;
}

/*
 * The main feed of EW is CORE, so MRDMA can only help ERDMA. Published streams
 * have both, or neither. ERDMA alone is assumed to work, as it does without CORE,
 * but it hangs on a column (measured).
 */
static u16 rknn_check_fused(const struct rknn_task *task)
{
	const u16 mode = RKNN_RDMA_FEATURE_MODE_CFG;
	bool mrdma = rknn_mrdma_runs(task);

	if (rknn_erdma_runs(task) != rknn_ew_reads(task))
		return RKNN_DPU_EW_CFG;
	if (rknn_rdma(task, mode, RKNN_RDMA_MODE_COMB_USE) !=
	    (mrdma ? RKNN_COMB_USE_EW : 0))
		return mode;
	if (!rknn_erdma_runs(task))
		return mrdma ? mode : 0;
	if (!mrdma && rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_MODE) &&
	    !rknn_get(task, RKNN_RDMA_DATA_CUBE_WIDTH, RKNN_ALL) &&
	    rknn_get(task, RKNN_RDMA_DATA_CUBE_HEIGHT, RKNN_ALL))
		return mode;
	return rknn_check_operand_type(task);
}

/* MRDMA feeds what CORE would have fed. */
static u16 rknn_check_flying(const struct rknn_task *task)
{
	const u16 mode = RKNN_RDMA_FEATURE_MODE_CFG;
	u32 comb = rknn_get(task, mode, RKNN_RDMA_MODE_COMB_USE);

	if (!rknn_mrdma_runs(task))
		return mode;
	if (rknn_erdma_runs(task) != rknn_ew_reads(task))
		return RKNN_DPU_EW_CFG;
	/* Others never end (measured). */
	if (comb && (comb != RKNN_COMB_USE_MAIN_EW || !rknn_erdma_runs(task)))
		return mode;
	/* As do int16 operands of each channel (measured). */
	if (rknn_erdma_runs(task) &&
	    rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC) ==
	    RKNN_PREC_INT16 &&
	    !rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_MODE))
		return RKNN_RDMA_ERDMA_CFG;
	return rknn_check_operand_type(task);
}

/* Without an engine that reads, DPU_RDMA has nothing to count or to share. */
static bool rknn_rdma_reads(const struct rknn_task *task)
{
	return rknn_mrdma_runs(task) || rknn_erdma_runs(task) ||
	       rknn_stage_use(task, RKNN_RDMA_BRDMA_CFG) ||
	       rknn_stage_use(task, RKNN_RDMA_NRDMA_CFG);
}

/*
 * Engines share the bus by weights, one byte each. Assumed: one that has none is
 * never served.
 */
static u16 rknn_check_shares(const struct rknn_task *task)
{
	u32 shares = rknn_get(task, RKNN_RDMA_WEIGHT, RKNN_ALL);
	unsigned int shift;

	for (shift = 0; shift < 32; shift += 8)
		if (!(shares >> shift & 0xff))
			return RKNN_RDMA_WEIGHT;
	return 0;
}

/* Pixels, in any shape, and channels that the engines read. */
static u16 rknn_check_rdma_cube(const struct rknn_task *task,
				const struct rknn_shape *shape)
{
	u64 pixels = (rknn_get(task, RKNN_RDMA_DATA_CUBE_WIDTH, RKNN_ALL) + 1ull) *
		     (rknn_get(task, RKNN_RDMA_DATA_CUBE_HEIGHT, RKNN_ALL) + 1);
	u32 channels = rknn_get(task, RKNN_DPU_DATA_CUBE_CHANNEL, 0x00001fff);

	if (pixels != (u64)shape->x.out * shape->y.out)
		return RKNN_RDMA_DATA_CUBE_WIDTH;
	if (rknn_get(task, RKNN_RDMA_DATA_CUBE_CHANNEL, RKNN_ALL) != channels)
		return RKNN_RDMA_DATA_CUBE_CHANNEL;
	return rknn_check_agreements(task, shape, rknn_rdma_agreements,
				     ARRAY_SIZE(rknn_rdma_agreements));
}

/**
 * rknn_check_rdma() - is each stage of DPU fed what it takes?
 * @task: registers
 * @shape: what DPU is fed
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_rdma(const struct rknn_task *task, const struct rknn_shape *shape)
{
	bool reads = rknn_rdma_reads(task);
	u16 reg = 0;

	if (reads)
		reg = rknn_check_rdma_cube(task, shape);
	if (!reg)
		reg = rknn_check_bs(task);
	if (!reg)
		reg = rknn_check_bn(task, shape);
	if (!reg)
		reg = shape->flying ? rknn_check_flying(task) :
				      rknn_check_fused(task);
	if (!reg && reads)
		reg = rknn_check_shares(task);
	return reg;
}

/**
 * rknn_operand_used() - does an engine read from its address?
 * @task: registers
 * @reg: a register that holds an address of DPU_RDMA
 *
 * Return: whether it does.
 */
bool rknn_operand_used(const struct rknn_task *task, u16 reg)
{
	switch (reg) {
	case RKNN_RDMA_SRC_BASE_ADDR:
		return rknn_mrdma_runs(task);
	case RKNN_RDMA_BS_BASE_ADDR:
		return rknn_stage_use(task, RKNN_RDMA_BRDMA_CFG);
	case RKNN_RDMA_BN_BASE_ADDR:
		return rknn_stage_use(task, RKNN_RDMA_NRDMA_CFG);
	case RKNN_RDMA_EW_BASE_ADDR:
		return rknn_erdma_runs(task);
	default:
		return false;
	}
}
