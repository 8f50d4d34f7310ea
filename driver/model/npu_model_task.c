// SPDX-License-Identifier: GPL-2.0-only
/*
 * One task: which blocks run, with the registers of their groups, and what they
 * leave behind.
 */
#include "npu_model_priv.h"

enum npu_model_status npu_model_check_fields(struct npu_model_core *core,
					     const struct npu_model_field *fields)
{
	for (; fields->reg; fields++)
		if ((npu_model_get(core, fields->reg) & fields->mask) !=
		    fields->value)
			return npu_model_stop(core, fields->reg,
					      NPU_MODEL_UNSUPPORTED);
	return NPU_MODEL_DONE;
}

/* CNA and CORE never finish without the number of their core. */
static enum npu_model_status check_pointers(struct npu_model_core *core)
{
	static const __u32 pointers[] = { RKNN_CNA_S_POINTER, RKNN_CORE_S_POINTER };
	__u32 block;

	for (block = NPU_MODEL_CNA; block <= NPU_MODEL_CORE; block++) {
		if ((core->s_pointer[block] & RKNN_S_POINTER_CORE(3)) ==
		    RKNN_S_POINTER_CORE(core->index))
			continue;
		core->error_reg = pointers[block];
		core->error_value = core->s_pointer[block];
		return NPU_MODEL_HUNG;
	}
	return NPU_MODEL_DONE;
}

static enum npu_model_status run_blocks(struct npu_model_core *core,
					struct npu_model_task *task)
{
	enum npu_model_status status = NPU_MODEL_DONE;

	switch (task->enable) {
	case RKNN_ENABLE_CONV:
	case RKNN_ENABLE_CONV_RDMA:
		status = check_pointers(core);
		if (status == NPU_MODEL_DONE)
			status = npu_model_conv_decode(core, &task->conv);
		if (status == NPU_MODEL_DONE)
			status = npu_model_dpu_decode(core, task);
		return status == NPU_MODEL_DONE ? npu_model_conv_run(core, task) :
						  status;
	case RKNN_ENABLE_FLYING:
		status = npu_model_dpu_decode(core, task);
		return status == NPU_MODEL_DONE ?
			npu_model_flying_run(core, task) : status;
	case RKNN_ENABLE_POOL:
		status = npu_model_ppu_decode(core, &task->ppu);
		return status == NPU_MODEL_DONE ?
			npu_model_ppu_run(core, &task->ppu) : status;
	default:
		core->error_reg = RKNN_PC_OPERATION_ENABLE;
		core->error_value = task->enable;
		/* Blocks that feed each other without memory, but for CORE and DPU. */
		if ((task->enable & RKNN_ENABLE_CONV) == RKNN_ENABLE_CONV ||
		    task->enable & ~(RKNN_ENABLE_CONV_RDMA | RKNN_ENABLE_POOL))
			return NPU_MODEL_UNSUPPORTED;
		/* Blocks that wait for each other wait for ever if one is missing. */
		return NPU_MODEL_HUNG;
	}
}

/* Bits of the enable word by block. */
static const __u32 block_bits[NPU_MODEL_BLOCKS] = {
	[NPU_MODEL_CNA] = RKNN_ENABLE_CNA,
	[NPU_MODEL_CORE] = RKNN_ENABLE_CORE,
	[NPU_MODEL_DPU] = RKNN_ENABLE_DPU,
	[NPU_MODEL_RDMA] = RKNN_ENABLE_DPU_RDMA,
	[NPU_MODEL_PPU] = RKNN_ENABLE_PPU,
	[NPU_MODEL_PPU_RDMA] = RKNN_ENABLE_PPU_RDMA,
};

enum npu_model_status npu_model_task_run(struct npu_model_core *core,
					 __u32 enable)
{
	struct npu_model_task task = { .enable = enable };
	enum npu_model_status status = run_blocks(core, &task);
	__u32 block;

	if (status != NPU_MODEL_DONE)
		return status;
	core->stats.tasks++;
	core->stats.macs += npu_model_macs(&task);
	npu_model_task_time(core, &task);
	core->stats.sram_bytes += core->sram_bytes;

	/* Which group ran is which bit is raised. */
	if (enable & RKNN_ENABLE_DPU)
		core->int_raw |= RKNN_INT_DPU_0 << core->group[NPU_MODEL_DPU];
	if (enable & RKNN_ENABLE_PPU)
		core->int_raw |= RKNN_INT_PPU_0 << core->group[NPU_MODEL_PPU];
	for (block = 0; block < NPU_MODEL_BLOCKS; block++)
		if (enable & block_bits[block] &&
		    core->s_pointer[block] & RKNN_S_POINTER_EXEC_PP_EN)
			core->group[block] ^= 1;
	return NPU_MODEL_DONE;
}
