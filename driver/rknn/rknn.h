/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the RKNN dialect share. */
#ifndef RKNN_H
#define RKNN_H

#include <linux/types.h>

#include "rknn_regs.h"

struct npu_isa_chip;
struct npu_isa_fault;
struct npu_isa_ops;
struct npu_isa_task;
struct npu_isa_stream;

/**
 * struct rknn_task - the registers that a stream has written
 */
struct rknn_task {
	/** @chip: The chip that it is for. */
	const struct npu_isa_chip *chip;
	/** @regs: Their values, in the order of the verifier's rules. */
	const u32 *regs;
	/** @rules: Where the rule of each register is. */
	const u8 *rules;
	/** @enable: Blocks to start. */
	u32 enable;
};

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

extern const struct npu_isa_ops npu_isa_rknn;

u32 rknn_get(const struct rknn_task *task, u16 reg, u32 mask);
u16 rknn_check_shape(const struct rknn_task *task);
u16 rknn_check_operands(const struct rknn_task *task);
bool rknn_operand_used(const struct rknn_task *task, u16 reg);

size_t rknn_verify_state_size(void);
void rknn_verify_begin(void *data, const struct npu_isa_chip *chip);
int rknn_verify(void *data, const struct npu_isa_stream *stream,
		struct npu_isa_fault *fault);
void rknn_describe(const void *data, struct npu_isa_task *task);

#endif /* RKNN_H */
