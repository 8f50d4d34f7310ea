// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command fetch, chains, register groups and interrupts.
 *
 * A start reads 2 * (AMOUNTS + 1) words at BASE. Words up to the enable word
 * set registers, the enable word runs the blocks, words after it are fetched
 * but not executed. If TASK_CON asks for more tasks, the next stream is where
 * the stream redirected BASE to; without a redirect the counter sticks and no
 * interrupt comes. One interrupt follows the last task.
 */
#include "npu_model_priv.h"

/* What the raw status shows when nothing is raised, as read on silicon. */
#define INT_RAW_IDLE		0xc0000000u
/* Of what 16 bits of AMOUNTS can ask for, the model has room for this. */
#define FETCH_WORDS_MAX		(2 * 0x400)
/* Clearing bit 24 of MAC_GATING hangs the core (measured). */
#define MAC_GATING_RESET	0x07800800
/* A link needs both, or the counter of tasks sticks (measured). */
#define REDIRECT_BASE		1
#define REDIRECT_AMOUNTS	2
#define REDIRECT_WHOLE		(REDIRECT_BASE | REDIRECT_AMOUNTS)

static const __u32 block_pointer[NPU_MODEL_BLOCKS] = {
	[NPU_MODEL_CNA] = RKNN_CNA_S_POINTER,
	[NPU_MODEL_CORE] = RKNN_CORE_S_POINTER,
	[NPU_MODEL_DPU] = RKNN_DPU_S_POINTER,
	[NPU_MODEL_RDMA] = RKNN_RDMA_S_POINTER,
	[NPU_MODEL_PPU] = RKNN_PPU_S_POINTER,
	[NPU_MODEL_PPU_RDMA] = RKNN_PPU_RDMA_S_POINTER,
};

static enum npu_model_status hung(struct npu_model_core *core, __u32 reg,
				  __u32 value)
{
	core->error_reg = reg;
	core->error_value = value;
	return NPU_MODEL_HUNG;
}

void npu_model_init(struct npu_model_core *core, __u32 index,
		    const struct npu_model_bus *bus,
		    const struct npu_model_params *params)
{
	__builtin_memset(core, 0, sizeof(*core));
	core->index = index;
	core->active_cores = 1;
	core->bus = *bus;
	core->params = *params;
	npu_model_reset(core);
}

void npu_model_reset(struct npu_model_core *core)
{
	__u32 group;

	core->pc_base = RKNN_PC_BASE_ADDRESS_SLAVE;
	core->pc_amounts = 0;
	core->pc_task_con = 0;
	core->int_mask = 0;
	core->int_raw = 0;
	core->started = 0;
	core->redirected = 0;
	__builtin_memset(core->regs, 0, sizeof(core->regs));
	__builtin_memset(core->s_pointer, 0, sizeof(core->s_pointer));
	__builtin_memset(core->group, 0, sizeof(core->group));
	__builtin_memset(core->lut, 0, sizeof(core->lut));
	core->lut_access = 0;
	for (group = 0; group < 2; group++)
		core->regs[NPU_MODEL_CORE][group]
			  [(RKNN_CORE_MAC_GATING & 0x1ff) >> 2] =
			MAC_GATING_RESET;
}

__u32 npu_model_irq(const struct npu_model_core *core)
{
	return core->int_raw & core->int_mask;
}

__u32 npu_model_read_reg(const struct npu_model_core *core, __u32 reg)
{
	switch (reg) {
	case RKNN_PC_BASE_ADDRESS:
		return core->pc_base;
	case RKNN_PC_REGISTER_AMOUNTS:
		return core->pc_amounts;
	case RKNN_PC_INTERRUPT_MASK:
		return core->int_mask;
	case RKNN_PC_INTERRUPT_STATUS:
		return npu_model_irq(core);
	case RKNN_PC_INTERRUPT_RAW_STATUS:
		return core->int_raw | INT_RAW_IDLE;
	case RKNN_PC_TASK_CON:
		return core->pc_task_con;
	default:
		/* Also OPERATION_ENABLE, which reads 0 after a start. */
		return 0;
	}
}

static void write_block(struct npu_model_core *core, __u32 reg, __u32 value)
{
	enum npu_model_block block = npu_model_block_of(reg);
	__u32 group;

	if (block == NPU_MODEL_BLOCKS || (reg & 0xfff) > 0x1fc)
		return;

	if (reg == block_pointer[block]) {
		core->s_pointer[block] = value;
		if (value & RKNN_S_POINTER_CLEAR)
			core->group[block] = 0;
		return;
	}
	/* Tables have no groups. */
	if (reg == RKNN_DPU_LUT_ACCESS_CFG)
		core->lut_access = value;
	else if (reg == RKNN_DPU_LUT_ACCESS_DATA)
		npu_model_lut_write(core, value);
	/* Writes go to the group that the next task runs. */
	group = core->group[block];
	core->regs[block][group][(reg & 0x1ff) >> 2] = value;
}

void npu_model_write_reg(struct npu_model_core *core, __u32 reg, __u32 value)
{
	switch (reg) {
	case RKNN_PC_OPERATION_ENABLE:
		core->started = value & 1;
		break;
	case RKNN_PC_BASE_ADDRESS:
		core->pc_base = value;
		break;
	case RKNN_PC_REGISTER_AMOUNTS:
		core->pc_amounts = value & 0xffff;
		break;
	case RKNN_PC_INTERRUPT_MASK:
		core->int_mask = value & RKNN_INT_CLEARABLE;
		break;
	case RKNN_PC_INTERRUPT_CLEAR:
		core->int_raw &= ~(value & RKNN_INT_CLEARABLE);
		break;
	case RKNN_PC_TASK_CON:
		core->pc_task_con = value;
		break;
	default:
		write_block(core, reg, value);
		break;
	}
}

static int bus_read(struct npu_model_core *core, __u32 addr, void *dst,
		    __u32 len)
{
	if (core->bus.read(core->bus.host, addr, dst, len)) {
		core->fault_addr = addr;
		return 1;
	}
	core->task_bytes += len;
	core->stats.read_bytes += len;
	return 0;
}

int npu_model_bus_read(struct npu_model_core *core, __u32 addr, void *dst,
		       __u32 len)
{
	return bus_read(core, addr, core->params.timing_only ? (void *)0 : dst, len);
}

int npu_model_bus_write(struct npu_model_core *core, __u32 addr,
			const void *src, __u32 len)
{
	if (core->params.timing_only)
		src = (void *)0;
	if (core->bus.write(core->bus.host, addr, src, len)) {
		core->fault_addr = addr;
		return 1;
	}
	core->task_bytes += len;
	core->stats.written_bytes += len;
	return 0;
}

/* Execute one command; @enable receives the blocks that it starts, or 0. */
static enum npu_model_status execute(struct npu_model_core *core, __u64 cmd,
				     __u32 *enable)
{
	__u32 target = RKNN_CMD_TARGET(cmd);
	__u32 value = RKNN_CMD_VALUE(cmd);
	__u32 reg = RKNN_CMD_REG(cmd);

	*enable = 0;
	if (!cmd || target == RKNN_TARGET_SYNC || target == RKNN_TARGET_NONE)
		return NPU_MODEL_DONE;

	switch (target) {
	case RKNN_TARGET_ENABLE:
		*enable = value;
		return NPU_MODEL_DONE;
	case RKNN_TARGET_PC:
		if (reg == RKNN_PC_BASE_ADDRESS) {
			core->pc_base = value;
			core->redirected |= REDIRECT_BASE;
		} else if (reg == RKNN_PC_REGISTER_AMOUNTS) {
			core->pc_amounts = value & 0xffff;
			core->redirected |= REDIRECT_AMOUNTS;
		}
		return NPU_MODEL_DONE;
	case RKNN_TARGET_CNA:
	case RKNN_TARGET_CORE:
	case RKNN_TARGET_DPU:
	case RKNN_TARGET_DPU_RDMA:
	case RKNN_TARGET_PPU:
	case RKNN_TARGET_PPU_RDMA:
		/* The block of the offset must be the target's, or no one listens. */
		if (target == (0x100u << (reg >> 12)) + 1)
			write_block(core, reg, value);
		return NPU_MODEL_DONE;
	default:
		/* A target that nobody answers stops the fetch. */
		return hung(core, reg, value);
	}
}

/* Fetch and run one stream. */
static enum npu_model_status run_stream(struct npu_model_core *core)
{
	__u32 words = 2 * (core->pc_amounts + 1);
	enum npu_model_status status;
	__u32 i, enable;

	core->task_bytes = 0;
	core->sram_bytes = 0;
	core->redirected = 0;
	if (core->pc_base & RKNN_PC_BASE_ADDRESS_SLAVE)
		return hung(core, RKNN_PC_BASE_ADDRESS, core->pc_base);
	if (words > FETCH_WORDS_MAX) {
		hung(core, RKNN_PC_REGISTER_AMOUNTS, core->pc_amounts);
		return NPU_MODEL_UNSUPPORTED;
	}
	if (bus_read(core, core->pc_base & ~0xfu, core->fetch,
		     words * sizeof(core->fetch[0])))
		return NPU_MODEL_FAULT;

	for (i = 0; i < words; i++) {
		status = execute(core, core->fetch[i], &enable);
		if (status != NPU_MODEL_DONE)
			return status;
		if (enable)
			return npu_model_task_run(core, enable);
	}
	/* Nothing was started, so nothing ends. */
	return hung(core, RKNN_PC_REGISTER_AMOUNTS, core->pc_amounts);
}

enum npu_model_status npu_model_run(struct npu_model_core *core)
{
	__u32 number = core->pc_task_con & RKNN_PC_TASK_CON_NUMBER_MASK;
	enum npu_model_status status = NPU_MODEL_DONE;
	__u32 raw = core->int_raw;
	__u32 i;

	if (!core->started)
		return hung(core, RKNN_PC_OPERATION_ENABLE, 0);
	core->started = 0;
	if (!number)
		return hung(core, RKNN_PC_TASK_CON, core->pc_task_con);

	for (i = 0; i < number; i++) {
		if (i && core->redirected != REDIRECT_WHOLE) {
			status = hung(core, RKNN_PC_BASE_ADDRESS, core->pc_base);
			break;
		}
		status = run_stream(core);
		if (status != NPU_MODEL_DONE)
			break;
	}
	/* Tasks before the one that failed have ended, but not the chain. */
	if (status != NPU_MODEL_DONE)
		core->int_raw = raw;
	return status;
}
