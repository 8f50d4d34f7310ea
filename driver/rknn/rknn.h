/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the RKNN dialect share. */
#ifndef RKNN_H
#define RKNN_H

#include <linux/types.h>

#include "../../include/rknn/rknn_regs.h"
#include "rknn_table.h"

struct drm_npu_query_register;
struct npu_isa_chip;
struct npu_isa_fault;
struct npu_isa_ops;
struct npu_isa_task;
struct npu_isa_stream;
struct rknn_type;

/**
 * struct rknn_task - the registers that a task starts with
 */
struct rknn_task {
	/** @chip: The chip that it is for. */
	const struct npu_isa_chip *chip;
	/** @regs: Values of all registers, by their numbers. */
	const u32 *regs;
	/** @numbers: Number of each register, by its slot. */
	const u8 *numbers;
	/** @enable: Blocks to start. */
	u32 enable;
};

/**
 * struct rknn_axis - one direction of a convolution
 */
struct rknn_axis {
	/** @in: Input pixels. */
	u32 in;
	/** @out: Output pixels. */
	u32 out;
	/** @kernel: Taps of a kernel. */
	u32 kernel;
	/** @window: Input pixels from its first tap to its last. */
	u32 window;
	/** @stride: Input pixels from one window to the next. */
	u32 stride;
	/** @spread: Distance of input pixels, 1 if not a deconvolution. */
	u32 spread;
	/** @pad: Padding before the first input pixel. */
	u32 pad;
};

/**
 * struct rknn_shape - what the blocks of a task must agree about
 */
struct rknn_shape {
	/** @type: Operands and results of a convolution. */
	const struct rknn_type *type;
	/** @prec: Precision code of the operands. */
	u32 prec;
	/** @depthwise: 1 if each channel has its kernel, else 0. */
	u32 depthwise;
	/** @mode: Code of that, in several registers. */
	u32 mode;
	/** @flying: 1 if DPU is fed from memory, 0 if from CORE. */
	u32 flying;
	/** @x: The columns. */
	struct rknn_axis x;
	/** @y: The rows. */
	struct rknn_axis y;
	/** @channels: Input channels, padded to whole atoms. */
	u32 channels;
	/** @kernels: Number of kernels. */
	u32 kernels;
	/** @kernel_bytes: Bytes of a kernel. */
	u32 kernel_bytes;
	/** @weight_bytes: Bytes of all of them. */
	u32 weight_bytes;
	/** @group: Kernels, or channels if depthwise, side by side. */
	u32 group;
	/** @out_channels: Output channels, padded to whole groups. */
	u32 out_channels;
	/** @size_e: Output surfaces of a group, less 1. */
	u32 size_e;
};

/**
 * struct rknn_agreement - a field that repeats what another says
 */
struct rknn_agreement {
	/** @reg: Register. */
	u16 reg;
	/** @less: What the field is less than the member. */
	u8 less;
	/** @mask: Field. */
	u32 mask;
	/** @member: Offset of the member in &struct rknn_shape. */
	size_t member;
};

#define RKNN_SAME(reg, mask, member) \
	{ reg, 0, mask, offsetof(struct rknn_shape, member) }
#define RKNN_LAST(reg, mask, member) \
	{ reg, 1, mask, offsetof(struct rknn_shape, member) }

#define RKNN_ALL	0xffffffffu

/**
 * rknn_mask_shift() - place of a field
 * @mask: its bits, not 0
 *
 * Return: how far it lies from bit 0.
 */
static inline u32 rknn_mask_shift(u32 mask)
{
	return __builtin_ctz(mask);
}

/**
 * rknn_slot() - where a register is in tables that are looked up often
 * @reg: a register of blocks 0 to 7, in their first 512 bytes
 *
 * Return: the slot, below %RKNN_SLOTS; others may have the same.
 */
static inline u32 rknn_slot(u16 reg)
{
	return ((reg >> 12) & 7) << 7 | ((reg >> 2) & 0x7f);
}

#define RKNN_SLOTS	(8 * 0x200 / 4)

/**
 * rknn_get() - value of a field
 * @task: registers
 * @reg: a register of the table
 * @mask: the field in it
 *
 * Return: the value.
 */
static inline u32 rknn_get(const struct rknn_task *task, u16 reg, u32 mask)
{
	return (task->regs[task->numbers[rknn_slot(reg)] - 1] & mask) >>
	       rknn_mask_shift(mask);
}

/* Whether @task starts any of @blocks. */
static inline bool rknn_starts(const struct rknn_task *task, u32 blocks)
{
	return task->enable & blocks;
}

extern const struct npu_isa_ops npu_isa_rknn;

u16 rknn_check_agreements(const struct rknn_task *task,
			  const struct rknn_shape *shape,
			  const struct rknn_agreement *rules, size_t count);
u16 rknn_check_cna(const struct rknn_task *task, struct rknn_shape *shape);
u16 rknn_check_cbuf(const struct rknn_task *task, const struct rknn_shape *shape);
bool rknn_check_reuse(const struct rknn_task *task, const struct rknn_task *before);
u16 rknn_check_core(const struct rknn_task *task, const struct rknn_shape *shape);
u16 rknn_decode_dpu(const struct rknn_task *task, struct rknn_shape *shape);
u16 rknn_check_dpu(const struct rknn_task *task, const struct rknn_shape *shape);
bool rknn_ew_takes_operand(const struct rknn_task *task);
u16 rknn_check_rdma(const struct rknn_task *task, const struct rknn_shape *shape);
bool rknn_operand_used(const struct rknn_task *task, u16 reg);
u16 rknn_check_ppu(const struct rknn_task *task);
bool rknn_register_name(u32 reg, struct drm_npu_query_register *record);

#endif /* RKNN_H */
