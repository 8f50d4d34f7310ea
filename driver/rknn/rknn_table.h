/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers of each block that clients may write. */
#ifndef RKNN_TABLE_H
#define RKNN_TABLE_H

#include <linux/types.h>

/* What a register is to the verifier. */
enum rknn_rule_kind {
	/* A value. */
	RKNN_RULE_VALUE,
	/* An address that the block reads or writes whenever it runs. */
	RKNN_RULE_ADDRESS,
	/* An address, or 0 if the engine that reads there does not run. */
	RKNN_RULE_OPERAND,
	/* The choice of a register group, which is the kernel's. */
	RKNN_RULE_POINTER,
	/* Columns and rows that CNA loads; the kernel has it load whole images. */
	RKNN_RULE_EXTENT,
	/* Where the next entry of a lookup table goes, and an entry. */
	RKNN_RULE_TABLE_ACCESS,
	RKNN_RULE_TABLE_DATA,
};

/**
 * struct rknn_rule - what a register may hold
 */
struct rknn_rule {
	/** @reg: The register. */
	u16 reg;
	/** @kind: A &enum rknn_rule_kind. */
	u8 kind;
	/** @mask: Bits that may be set. */
	u32 mask;
	/** @drop: Those of @mask that the hardware is not given. */
	u32 drop;
	/** @reset: Value until it is written. */
	u32 reset;
	/** @name: Its constant in rknn_regs.h. */
	const char *name;
};

enum rknn_block_index {
	RKNN_BLOCK_CNA,
	RKNN_BLOCK_CORE,
	RKNN_BLOCK_DPU,
	RKNN_BLOCK_DPU_RDMA,
	RKNN_BLOCK_PPU,
	RKNN_BLOCK_PPU_RDMA,
	RKNN_BLOCKS,
};

/**
 * struct rknn_block - a block and its registers
 */
struct rknn_block {
	/** @name: Its name in the TRM. */
	const char *name;
	/** @prefix: What the constants of its registers begin with. */
	const char *prefix;
	/** @rules: Its registers, in ascending order. */
	const struct rknn_rule *rules;
	/** @count: Number of @rules. */
	u32 count;
	/** @enable: Its bit in PC_OPERATION_ENABLE. */
	u32 enable;
	/** @pointer: Value of S_POINTER that streams set; 0 if the start sets it. */
	u32 pointer;
};

/* Room for the registers of all blocks, numbered from 0. */
#define RKNN_RULES_MAX	200
/* And for those that are addresses. */
#define RKNN_ADDRESSES_MAX	16

extern const struct rknn_block rknn_blocks[RKNN_BLOCKS];

#endif /* RKNN_TABLE_H */
