// SPDX-License-Identifier: GPL-2.0-only
/*
 * One core: start, interrupt, reset, power.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/io.h>

#include "../../include/rknn/rknn_regs.h"
#include "npu_rk3588.h"

/* The hardware asks for no more; mainline's driver has the same. */
#define NPU_RK3588_RESET_US	10
/* What a core raises when memory does not answer. */
#define NPU_RK3588_INT_DMA	0x00003000

/* Registers of the windows that are mapped; the block is in bits 15:12. */
static void __iomem *npu_rk3588_reg(const struct npu_rk3588_core *core, u32 reg)
{
	void __iomem *window = core->pc;

	switch (reg >> 12) {
	case 1:
		window = core->cna;
		break;
	case 3:
		window = core->core;
		break;
	case 4:
		window = core->dpu;
		break;
	}
	return window + (reg & 0xfff);
}

static u32 npu_rk3588_read(const struct npu_rk3588_core *core, u32 reg)
{
	return readl(npu_rk3588_reg(core, reg));
}

/* Nothing but the start is in need of order. */
static void npu_rk3588_write(const struct npu_rk3588_core *core, u32 reg,
			     u32 value)
{
	writel_relaxed(value, npu_rk3588_reg(core, reg));
}

/**
 * npu_rk3588_setup() - set what every start relies on
 * @core: the core, which has lost its registers: it was without power or reset
 *
 * Each access of a register takes as long as many instructions, so what neither
 * a start nor a stream changes is set here.
 */
void npu_rk3588_setup(struct npu_rk3588_core *core)
{
	npu_rk3588_write(core, RKNN_PC_BASE_ADDRESS,
			 RKNN_PC_BASE_ADDRESS_SLAVE);
	/* Streams may set it, but only to this, so that no client depends on it. */
	npu_rk3588_write(core, RKNN_DPU_S_POINTER, RKNN_S_POINTER_PING_PONG);
	npu_rk3588_write(core, RKNN_PC_TASK_DMA_BASE_ADDR, 0);
	npu_rk3588_write(core, RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_CLEARABLE);
	/* Each start sets what it needs, if that is something else. */
	core->ends = RKNN_INT_DPU;
	npu_rk3588_write(core, RKNN_PC_INTERRUPT_MASK, core->ends);
}

/* S_POINTER is state of the hardware too: mainline sets it for each start. */
static u64 npu_rk3588_kick(void *hw, unsigned int index,
			   const struct npu_hw_lane *lane)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	u32 pointer = RKNN_S_POINTER_PING_PONG |
		      RKNN_S_POINTER_CORE(core->number);

	/* Without its IOMMU it would see all memory: let it hang. */
	if (READ_ONCE(core->broken))
		return lane->stream;
	npu_rk3588_write(core, RKNN_PC_BASE_ADDRESS,
			 RKNN_PC_BASE_ADDRESS_SLAVE);
	npu_rk3588_write(core, RKNN_CNA_S_POINTER, pointer);
	npu_rk3588_write(core, RKNN_CORE_S_POINTER, pointer);
	npu_rk3588_write(core, RKNN_PC_BASE_ADDRESS, lane->stream);
	npu_rk3588_write(core, RKNN_PC_REGISTER_AMOUNTS,
			 (lane->stream_words + 1) / 2 - 1);
	npu_rk3588_write(core, RKNN_PC_TASK_CON,
			 RKNN_PC_TASK_CON_RESERVED |
			 RKNN_PC_TASK_CON_COUNT_CLEAR |
			 RKNN_PC_TASK_CON_PP_EN | lane->task_count);
	if (core->ends != RKNN_INT_END(lane->enable)) {
		WRITE_ONCE(core->ends, RKNN_INT_END(lane->enable));
		npu_rk3588_write(core, RKNN_PC_INTERRUPT_MASK, core->ends);
	}
	WRITE_ONCE(core->tasks, lane->task_count);
	/* After all that the streams and the buffers were filled with. */
	writel(1, npu_rk3588_reg(core, RKNN_PC_OPERATION_ENABLE));
	return lane->stream;
}

/* Whoever finds the end of the lane first gets its tasks, all others 0. */
static unsigned int npu_rk3588_end(struct npu_rk3588_core *core)
{
	return xchg(&core->tasks, 0);
}

/*
 * Has @core ended? Then quieten it. The line is raised by what is raised and not
 * masked, once after the last task of a chain. The raw status tells the same, and
 * what is masked.
 */
static bool npu_rk3588_quieten(struct npu_rk3588_core *core,
			       struct npu_hw_result *result)
{
	u32 raw = npu_rk3588_read(core, RKNN_PC_INTERRUPT_RAW_STATUS);

	if (!(raw & READ_ONCE(core->ends)))
		return false;
	if (raw & NPU_RK3588_INT_DMA)
		result->error = -EFAULT;
	npu_rk3588_write(core, RKNN_PC_OPERATION_ENABLE, 0);
	npu_rk3588_write(core, RKNN_PC_INTERRUPT_CLEAR, RKNN_INT_CLEARABLE);
	return true;
}

/**
 * npu_rk3588_irq() - the interrupt line of a core
 * @irq: the line
 * @data: the core
 *
 * Return: whether the core had raised it.
 */
irqreturn_t npu_rk3588_irq(int irq, void *data)
{
	struct npu_rk3588_core *core = data;
	struct npu_hw_result result = {};

	/* The IOMMU shares the line, and may raise it before we have power. */
	if (!READ_ONCE(core->on) || !npu_rk3588_quieten(core, &result))
		return IRQ_NONE;
	result.tasks = npu_rk3588_end(core);
	if (result.tasks)
		npu_core_done(core->rk->npu, core->index, &result);
	return IRQ_HANDLED;
}

/**
 * npu_rk3588_fault() - the IOMMU has met an address that is not mapped
 * @core: the core
 * @addr: the address
 */
void npu_rk3588_fault(struct npu_rk3588_core *core, u64 addr)
{
	struct npu_hw_result result = {
		.error = -EFAULT,
		.fault.addressed = true,
		.fault.addr = addr,
	};

	dev_dbg(core->dev, "no memory at %#llx\n", addr);
	if (!npu_rk3588_end(core))
		return;
	/*
	 * The IOMMU's driver has the access done again, which is refused again, and
	 * so on until the reset.
	 */
	core->shut = true;
	disable_irq_nosync(core->irq);
	npu_core_done(core->rk->npu, core->index, &result);
}

static bool npu_rk3588_ended(void *hw, unsigned int index,
			     struct npu_hw_result *result)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];

	if (!npu_rk3588_quieten(core, result))
		return false;
	result->tasks = npu_rk3588_end(core);
	/* If it is 0, the interrupt is on its way. */
	return result->tasks;
}

/*
 * Users of the vendor's driver saw starts that were accepted and came to nothing: the
 * counter of tasks, which a start clears, stays 0, and no interrupt comes. Assumed is
 * that it counts tasks that have begun. Should it count those that have ended, then a
 * first task that takes longer than the watchdog waits, which at 200 MHz only one as
 * large as the verifier lets pass does, is cut short by a reset and run again.
 */
static bool npu_rk3588_unbegun(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];

	return READ_ONCE(core->tasks) &&
	       !(npu_rk3588_read(core, RKNN_PC_TASK_STATUS) &
		 RKNN_PC_TASK_CON_NUMBER_MASK) &&
	       !(npu_rk3588_read(core, RKNN_PC_INTERRUPT_RAW_STATUS) &
		 READ_ONCE(core->ends));
}

/*
 * The links of a chain move the base address, from that of the first task, and so
 * each task changes it. There is nothing that is known to change within a task.
 * Should the status be other than 0 from the start, the first look is fooled.
 */
static u64 npu_rk3588_progress(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	u64 status = npu_rk3588_read(core, RKNN_PC_TASK_STATUS);

	return status << 32 | npu_rk3588_read(core, RKNN_PC_BASE_ADDRESS);
}

/**
 * npu_rk3588_pulse() - assert and deassert the resets of a core
 * @core: the core, which need not be powered
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_pulse(struct npu_rk3588_core *core)
{
	int ret = reset_control_bulk_assert(NPU_RK3588_RESETS, core->resets);

	if (ret)
		return ret;
	udelay(NPU_RK3588_RESET_US);
	return reset_control_bulk_deassert(NPU_RK3588_RESETS, core->resets);
}

/**
 * npu_rk3588_reset() - reset a core, which is powered
 * @core: the core
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_reset(struct npu_rk3588_core *core)
{
	int ret = npu_rk3588_pulse(core);

	if (!ret)
		npu_rk3588_setup(core);
	return ret;
}

static void npu_rk3588_reset_op(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	int ret;

	/*
	 * A handler that has found the end before must not tell it after. None, the
	 * IOMMU's included, may read a register while the reset is asserted.
	 */
	npu_rk3588_end(core);
	disable_irq(core->irq);
	ret = npu_rk3588_reset(core);
	/* The reset takes the IOMMU with it. */
	if (!ret)
		ret = npu_rk3588_reattach(core);
	if (ret) {
		/* The IOMMU may have stopped to translate. */
		WRITE_ONCE(core->broken, true);
		dev_err(core->dev, "reset failed: %d\n", ret);
	}
	if (core->shut) {
		core->shut = false;
		enable_irq(core->irq);
	}
	enable_irq(core->irq);
}

/* Where registers are that may be read, first and last of each block. */
static const u16 npu_rk3588_blocks[][2] = {
	{ RKNN_PC_VERSION, RKNN_PC_TASK_STATUS },
	{ RKNN_CNA_S_POINTER, RKNN_CNA_PAD_CON1 },
	{ RKNN_CORE_S_POINTER, RKNN_CORE_UNNAMED_3030 },
	{ RKNN_DPU_S_POINTER, RKNN_DPU_LUT_LAST },
};

static void npu_rk3588_snapshot(void *hw, unsigned int index,
				struct npu_hw_snapshot *snapshot)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	unsigned int i;
	u32 reg;

	for (i = 0; i < ARRAY_SIZE(npu_rk3588_blocks); i++) {
		for (reg = npu_rk3588_blocks[i][0];
		     reg <= npu_rk3588_blocks[i][1] &&
		     snapshot->count < NPU_SNAPSHOT_REGS; reg += 4) {
			snapshot->regs[snapshot->count].offset = reg;
			snapshot->regs[snapshot->count].value =
				npu_rk3588_read(core, reg);
			snapshot->count++;
		}
	}
}

static void npu_rk3588_alert(void *hw, bool on)
{
	npu_rk3588_devfreq_alert(hw, on);
}

static u64 npu_rk3588_clock_hz_op(void *hw)
{
	return npu_rk3588_clock_hz(hw);
}

const struct npu_hw_ops npu_rk3588_ops = {
	.vm_create = npu_rk3588_vm_create,
	.vm_destroy = npu_rk3588_vm_destroy,
	.vm_map = npu_rk3588_vm_map,
	.vm_move = npu_rk3588_vm_move,
	.vm_unmap = npu_rk3588_vm_unmap,
	.attach = npu_rk3588_attach,
	.reset = npu_rk3588_reset_op,
	.snapshot = npu_rk3588_snapshot,
	.wake = npu_rk3588_wake,
	.wake_now = npu_rk3588_wake_now,
	.rest = npu_rk3588_rest,
	.kick = npu_rk3588_kick,
	.progress = npu_rk3588_progress,
	.unbegun = npu_rk3588_unbegun,
	.ended = npu_rk3588_ended,
	.alert = npu_rk3588_alert,
	.clock_hz = npu_rk3588_clock_hz_op,
};
