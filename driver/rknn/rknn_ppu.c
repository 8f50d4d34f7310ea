// SPDX-License-Identifier: GPL-2.0-only
/*
 * PPU and PPU_RDMA: pooling from memory to memory. Assumed, as of all blocks: one
 * that expects more than it is fed waits for ever.
 */
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn.h"
#include "rknn_chip.h"

/**
 * struct rknn_pool_axis - the registers of one direction
 */
struct rknn_pool_axis {
	/** @fed: Pixels that PPU_RDMA reads, less 1. */
	u16 fed;
	/** @in: Pixels that PPU takes, less 1. */
	u16 in;
	/** @out: Windows, less 1. */
	u16 out;
	/** @kernel: Pixels of a window, less 1, in KERNEL_CFG. */
	u32 kernel;
	/** @stride: From one window to the next, less 1, in KERNEL_CFG. */
	u32 stride;
	/** @before: Padding before the first pixel, in PADDING_CFG. */
	u32 before;
	/** @after: Padding after the last, in PADDING_CFG. */
	u32 after;
};

static const struct rknn_pool_axis rknn_pool_axes[] = {
	{ RKNN_PPU_RDMA_CUBE_WIDTH, RKNN_PPU_CUBE_IN_WIDTH,
	  RKNN_PPU_CUBE_OUT_WIDTH, 0x0000000f, 0x000f0000, 0x00000007,
	  0x00000700 },
	{ RKNN_PPU_RDMA_CUBE_HEIGHT, RKNN_PPU_CUBE_IN_HEIGHT,
	  RKNN_PPU_CUBE_OUT_HEIGHT, 0x00000f00, 0x00f00000, 0x00000070,
	  0x00007000 },
};

/* Windows that lie in the padding alone have nothing to pool. */
static u16 rknn_check_pool_axis(const struct rknn_task *task,
				const struct rknn_pool_axis *axis)
{
	u32 in = rknn_get(task, axis->in, RKNN_ALL) + 1;
	u32 out = rknn_get(task, axis->out, RKNN_ALL) + 1;
	u32 kernel = rknn_get(task, RKNN_PPU_KERNEL_CFG, axis->kernel) + 1;
	u32 stride = rknn_get(task, RKNN_PPU_KERNEL_CFG, axis->stride) + 1;
	u32 before = rknn_get(task, RKNN_PPU_PADDING, axis->before);
	u32 after = rknn_get(task, RKNN_PPU_PADDING, axis->after);

	if (rknn_get(task, axis->fed, RKNN_ALL) + 1 != in)
		return axis->fed;
	if (before >= kernel || after >= kernel)
		return RKNN_PPU_PADDING;
	if (before + in + after < kernel)
		return RKNN_PPU_KERNEL_CFG;
	return (before + in + after - kernel) / stride + 1 == out ? 0 : axis->out;
}

/* int8 has one code in PPU and another in PPU_RDMA (measured). */
static bool rknn_pool_type_ok(const struct rknn_task *task)
{
	u32 fed = rknn_get(task, RKNN_PPU_RDMA_DATA_FORMAT, RKNN_ALL);

	switch (rknn_get(task, RKNN_PPU_DATA_FORMAT, RKNN_PPU_FORMAT_PROC)) {
	case RKNN_PREC_INT8:
		return fed == RKNN_PPU_RDMA_FORMAT_INT8;
	case RKNN_PREC_FP16:
		return fed == RKNN_PPU_RDMA_FORMAT_FP16;
	default:
		return false;
	}
}

/**
 * rknn_check_ppu() - do PPU and PPU_RDMA agree, and can they end?
 * @task: registers
 *
 * Return: 0, or the register that says something else than the rest.
 */
u16 rknn_check_ppu(const struct rknn_task *task)
{
	u32 channels = rknn_get(task, RKNN_PPU_CUBE_IN_CHANNEL, RKNN_ALL);
	u16 reg;

	if (!(task->chip->features & DRM_NPU_FEATURE_POOLING) ||
	    !rknn_get(task, RKNN_PPU_OPERATION_MODE, RKNN_PPU_MODE_FLYING) ||
	    rknn_get(task, RKNN_PPU_OPERATION_MODE, RKNN_PPU_MODE_METHOD) >
	    RKNN_PPU_METHOD_MIN)
		return RKNN_PPU_OPERATION_MODE;
	if (!rknn_pool_type_ok(task))
		return RKNN_PPU_RDMA_DATA_FORMAT;
	if (rknn_get(task, RKNN_PPU_RDMA_CUBE_CHANNEL, RKNN_ALL) != channels)
		return RKNN_PPU_RDMA_CUBE_CHANNEL;
	if (rknn_get(task, RKNN_PPU_CUBE_OUT_CHANNEL, RKNN_ALL) != channels)
		return RKNN_PPU_CUBE_OUT_CHANNEL;
	reg = rknn_check_pool_axis(task, &rknn_pool_axes[0]);
	return reg ? reg : rknn_check_pool_axis(task, &rknn_pool_axes[1]);
}
