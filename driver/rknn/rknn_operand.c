// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether each stage of the post-processing is fed what it takes.
 *
 * DPU's stages take operands from registers or from an engine of DPU_RDMA: BS
 * from BRDMA, BN from NRDMA, EW from ERDMA and MRDMA. A stage without its engine
 * waits for ever, and an engine without a stage never gets rid of its data: the
 * latter is measured for MRDMA and assumed for the others.
 */
#include <linux/types.h>

#include "rknn.h"
#include "rknn_regs.h"

/* COMB_USE: MRDMA and ERDMA both feed EW, with every other surface. */
#define RKNN_COMB_USE_EW	5

static u32 rknn_rdma(const struct rknn_task *task, u16 reg, u32 mask)
{
	return task->enable & RKNN_ENABLE_DPU_RDMA ? rknn_get(task, reg, mask) :
						     0;
}

static u32 rknn_brdma_use(const struct rknn_task *task)
{
	u32 cfg = rknn_rdma(task, RKNN_RDMA_BRDMA_CFG, 0xffffffff);

	return cfg == RKNN_BRDMA_CFG_DISABLE ? 0 : cfg;
}

static bool rknn_erdma_runs(const struct rknn_task *task)
{
	return task->enable & RKNN_ENABLE_DPU_RDMA &&
	       !rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DISABLE);
}

static bool rknn_mrdma_runs(const struct rknn_task *task)
{
	return task->enable & RKNN_ENABLE_DPU_RDMA &&
	       !rknn_get(task, RKNN_RDMA_FEATURE_MODE_CFG,
			 RKNN_RDMA_MODE_MRDMA_DISABLE);
}

/* BS and BN are alike: does a stage add, or multiply with, what an engine reads? */
static bool rknn_stage_adds(const struct rknn_task *task, u16 cfg)
{
	return !rknn_get(task, cfg, RKNN_DPU_BYPASS | RKNN_DPU_ALU_BYPASS) &&
	       rknn_get(task, cfg, RKNN_DPU_ALU_SRC);
}

static bool rknn_stage_multiplies(const struct rknn_task *task, u16 cfg,
				  u16 mul_cfg)
{
	return !rknn_get(task, cfg, RKNN_DPU_BYPASS) &&
	       !rknn_get(task, cfg, RKNN_DPU_MUL_BYPASS) &&
	       rknn_get(task, mul_cfg, RKNN_DPU_MUL_SRC);
}

/* Whether CORE's sum of inputs, times a constant or an operand, is added. */
static bool rknn_adds_inputs(const struct rknn_task *task)
{
	return !rknn_get(task, RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_OD_BYPASS);
}

/*
 * A dense bias has one operand a channel, a record has three: what is added,
 * what the sum of inputs is multiplied with, and what BS multiplies with.
 */
static u16 rknn_check_bs(const struct rknn_task *task)
{
	bool adds = rknn_stage_adds(task, RKNN_DPU_BS_CFG);
	bool others = rknn_stage_multiplies(task, RKNN_DPU_BS_CFG,
					    RKNN_DPU_BS_MUL_CFG) ||
		      (rknn_adds_inputs(task) &&
		       rknn_get(task, RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_OW_SRC));

	/* Assumed: a sum that CORE does not make is waited for. */
	if (rknn_adds_inputs(task) &&
	    !rknn_get(task, RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_QD_EN))
		return RKNN_CORE_MISC_CFG;

	switch (rknn_brdma_use(task)) {
	case 0:
		return adds || others ? RKNN_DPU_BS_CFG : 0;
	case RKNN_BRDMA_CFG_BIAS:
		return !adds || others ? RKNN_DPU_BS_CFG : 0;
	case RKNN_BRDMA_CFG_RECORD:
		return !adds && !others ? RKNN_DPU_BS_CFG : 0;
	default:
		return RKNN_RDMA_BRDMA_CFG;
	}
}

/* Operands of BN hang the task (measured), so NRDMA has nothing to read. */
static u16 rknn_check_bn(const struct rknn_task *task)
{
	u32 nrdma = rknn_rdma(task, RKNN_RDMA_NRDMA_CFG, 0xffffffff);

	if (rknn_stage_adds(task, RKNN_DPU_BN_CFG) ||
	    rknn_stage_multiplies(task, RKNN_DPU_BN_CFG, RKNN_DPU_BN_MUL_CFG))
		return RKNN_DPU_BN_CFG;
	return nrdma && nrdma != RKNN_BRDMA_CFG_DISABLE ? RKNN_RDMA_NRDMA_CFG : 0;
}

static bool rknn_ew_runs(const struct rknn_task *task)
{
	return !rknn_get(task, RKNN_DPU_EW_CFG,
			 RKNN_EW_CFG_BYPASS | RKNN_EW_CFG_OP_BYPASS) &&
	       rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_OP_SRC);
}

/*
 * The main feed of EW is CORE, so MRDMA can only help ERDMA. Published streams
 * have both, or neither; ERDMA alone is assumed to work, as it does without
 * CORE.
 */
static u16 rknn_check_ew(const struct rknn_task *task)
{
	const u16 mode = RKNN_RDMA_FEATURE_MODE_CFG;
	u32 prec = rknn_get(task, RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_PROC);
	bool mrdma = rknn_mrdma_runs(task);

	if (rknn_erdma_runs(task) != rknn_ew_runs(task))
		return RKNN_DPU_EW_CFG;
	if (rknn_rdma(task, mode, RKNN_RDMA_MODE_COMB_USE) !=
	    (mrdma ? RKNN_COMB_USE_EW : 0))
		return mode;
	if (!rknn_erdma_runs(task))
		return mrdma ? mode : 0;

	if (rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_DATA_SIZE) !=
	    rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_SIZE) ||
	    rknn_get(task, RKNN_DPU_EW_CFG, RKNN_EW_CFG_DATA_MODE) !=
	    rknn_get(task, RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DATA_MODE))
		return RKNN_RDMA_ERDMA_CFG;
	if (rknn_get(task, mode, RKNN_RDMA_MODE_IN_PREC) != prec ||
	    rknn_get(task, mode, RKNN_RDMA_MODE_PROC_PREC) != prec)
		return mode;
	return 0;
}

/*
 * Engines share the bus by weights, one byte each. Assumed: one that has none is
 * never served.
 */
static u16 rknn_check_shares(const struct rknn_task *task)
{
	u32 shares = rknn_rdma(task, RKNN_RDMA_WEIGHT, 0xffffffff);
	unsigned int shift;

	if (!(task->enable & RKNN_ENABLE_DPU_RDMA))
		return 0;
	for (shift = 0; shift < 32; shift += 8)
		if (!(shares >> shift & 0xff))
			return RKNN_RDMA_WEIGHT;
	return 0;
}

/**
 * rknn_check_operands() - is each stage fed what it takes?
 * @task: registers, all of them written
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_operands(const struct rknn_task *task)
{
	u16 reg = rknn_check_bs(task);

	if (!reg)
		reg = rknn_check_bn(task);
	if (!reg)
		reg = rknn_check_shares(task);
	return reg ? reg : rknn_check_ew(task);
}

/**
 * rknn_operand_used() - does an engine read from its address?
 * @task: registers, all of them written
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
		return rknn_brdma_use(task);
	case RKNN_RDMA_EW_BASE_ADDR:
		return rknn_erdma_runs(task);
	default:
		return false;
	}
}
