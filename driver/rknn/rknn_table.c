// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of each block that clients may write, and their bits.
 *
 * Registers that are not listed are not for clients; among them are
 * OPERATION_ENABLE of each block and MAC_GATING, which hangs the core. Bits that
 * are not listed are reserved, or belong to functions that are not verified.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>

#include "../../include/rknn/rknn_regs.h"
#include "rknn_table.h"

/* The text is that of the argument, so no macro passes it on to another. */
#define MASK(reg, mask)		{ reg, RKNN_RULE_VALUE, mask, 0, 0, #reg }
#define DROP(reg, mask, drop)	{ reg, RKNN_RULE_VALUE, mask, drop, 0, #reg }
#define RESET(reg, mask, reset)	{ reg, RKNN_RULE_VALUE, mask, 0, reset, #reg }
#define ZERO(reg)		{ reg, RKNN_RULE_VALUE, 0, 0, 0, #reg }
#define EXTENT(reg, mask)	{ reg, RKNN_RULE_EXTENT, mask, 0, 0, #reg }
#define TABLE(reg, kind, mask)	{ reg, kind, mask, 0, 0, #reg }
#define POINTER(reg, cores) \
	{ reg, RKNN_RULE_POINTER, RKNN_S_POINTER_BITS | (cores), 0, 0, #reg }
#define ADDRESS(reg) \
	{ reg, RKNN_RULE_ADDRESS, ~(RKNN_ATOM_BYTES - 1u), 0, 0, #reg }
#define OPERAND(reg) \
	{ reg, RKNN_RULE_OPERAND, ~(RKNN_ATOM_BYTES - 1u), 0, 0, #reg }

static const struct rknn_rule rknn_cna_rules[] = {
	POINTER(RKNN_CNA_S_POINTER, RKNN_S_POINTER_CORE(3)),
	MASK(RKNN_CNA_CONV_CON1, 0x6001f3ff),
	/*
	 * Bits 31:28 say how a layer is split over cores; each core computes the
	 * same without them. Bit 14 is part of the rows to fetch at a time, which
	 * the hardware counts with ten bits. Among the low bits is a reset.
	 */
	DROP(RKNN_CNA_CONV_CON2, RKNN_CONV_CON2_FEATURE_GRAINS |
				 RKNN_CONV_CON2_GRAINS_HIGH |
				 RKNN_CONV_CON2_KERNEL_GROUP |
				 RKNN_CONV_CON2_SPLIT,
	     RKNN_CONV_CON2_SPLIT | RKNN_CONV_CON2_GRAINS_HIGH),
	/* NN_MODE couples cores; nobody knows how to use it. */
	MASK(RKNN_CNA_CONV_CON3, RKNN_CONV_CON3_X_STRIDE |
				 RKNN_CONV_CON3_Y_STRIDE |
				 RKNN_CONV_CON3_DECONV_X |
				 RKNN_CONV_CON3_DECONV_Y |
				 RKNN_CONV_CON3_X_ATROUS |
				 RKNN_CONV_CON3_Y_ATROUS),
	MASK(RKNN_CNA_DATA_SIZE0, 0x07ff07ff),
	MASK(RKNN_CNA_DATA_SIZE1, 0xffffffff),
	MASK(RKNN_CNA_DATA_SIZE2, 0x000007ff),
	MASK(RKNN_CNA_DATA_SIZE3, 0x003fffff),
	MASK(RKNN_CNA_WEIGHT_SIZE0, 0xffffffff),
	MASK(RKNN_CNA_WEIGHT_SIZE1, 0x0007ffff),
	MASK(RKNN_CNA_WEIGHT_SIZE2, 0x1f1f3fff),
	/* FC_DATA_BANK corrupts results. */
	MASK(RKNN_CNA_CBUF_CON0, RKNN_CBUF_CON0_DATA_BANK |
				 RKNN_CBUF_CON0_WEIGHT_BANK |
				 RKNN_CBUF_CON0_DATA_REUSE |
				 RKNN_CBUF_CON0_WEIGHT_REUSE),
	MASK(RKNN_CNA_CBUF_CON1, 0x00003fff),
	MASK(RKNN_CNA_CVT_CON0, 0x0fffffff),
	MASK(RKNN_CNA_CVT_CON1, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON2, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON3, 0xffffffff),
	MASK(RKNN_CNA_CVT_CON4, 0xffffffff),
	ZERO(RKNN_CNA_FC_CON0),
	ZERO(RKNN_CNA_FC_CON1),
	MASK(RKNN_CNA_PAD_CON0, 0x000000ff),
	ADDRESS(RKNN_CNA_FEATURE_DATA_ADDR),
	ZERO(RKNN_CNA_FC_CON2),
	MASK(RKNN_CNA_DMA_CON0, 0x000f000f),
	MASK(RKNN_CNA_DMA_CON1, 0x0fffffff),
	/* A signed number of 28 bits, which streams extend to 32. */
	DROP(RKNN_CNA_DMA_CON2, 0xffffffff, 0xf0000000),
	EXTENT(RKNN_CNA_FC_DATA_SIZE0, 0x07ff07ff),
	MASK(RKNN_CNA_FC_DATA_SIZE1, 0x0000ffff),
	/* Weights are dense: the format of compressed ones is not verified. */
	ZERO(RKNN_CNA_DCOMP_CTRL),
	ZERO(RKNN_CNA_DCOMP_REGNUM),
	ADDRESS(RKNN_CNA_DCOMP_ADDR0),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x04),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x08),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x0c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x10),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x14),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x18),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x1c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x20),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x24),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x28),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x2c),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x30),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x34),
	ZERO(RKNN_CNA_DCOMP_AMOUNT0 + 0x38),
	ZERO(RKNN_CNA_DCOMP_AMOUNT15),
	MASK(RKNN_CNA_CVT_CON5, 0x0000ffff),
	MASK(RKNN_CNA_PAD_CON1, 0xffffffff),
};

static const struct rknn_rule rknn_core_rules[] = {
	POINTER(RKNN_CORE_S_POINTER, RKNN_S_POINTER_CORE(3)),
	MASK(RKNN_CORE_MISC_CFG, 0x00000703),
	MASK(RKNN_CORE_DATAOUT_SIZE_0, 0x1fff1fff),
	MASK(RKNN_CORE_DATAOUT_SIZE_1, 0x00001fff),
	MASK(RKNN_CORE_CLIP_TRUNCATE, 0x0000005f),
	ZERO(RKNN_CORE_UNNAMED_3030),
};

static const struct rknn_rule rknn_dpu_rules[] = {
	POINTER(RKNN_DPU_S_POINTER, 0),
	/* Results go to memory: no PPU is started to take them. */
	MASK(RKNN_DPU_FEATURE_MODE_CFG, 0x000001fd),
	/* Bit 3 changes the layout of results, nobody knows how. */
	MASK(RKNN_DPU_DATA_FORMAT, 0xfffffff7),
	MASK(RKNN_DPU_OFFSET_PEND, 0x0000ffff),
	ADDRESS(RKNN_DPU_DST_BASE_ADDR),
	MASK(RKNN_DPU_DST_SURF_STRIDE, 0xfffffff0),
	MASK(RKNN_DPU_DATA_CUBE_WIDTH, 0x00001fff),
	MASK(RKNN_DPU_DATA_CUBE_HEIGHT, 0x00001fff),
	MASK(RKNN_DPU_DATA_CUBE_NOTCH, 0x1fff1fff),
	MASK(RKNN_DPU_DATA_CUBE_CHANNEL, 0x1fff1fff),
	MASK(RKNN_DPU_BS_CFG, 0x000fffff),
	MASK(RKNN_DPU_BS_ALU_CFG, 0xffffffff),
	MASK(RKNN_DPU_BS_MUL_CFG, 0xffff3f01),
	MASK(RKNN_DPU_BS_RELUX_CMP, 0xffffffff),
	/* Nor is it known what transposition does, bit 27. */
	MASK(RKNN_DPU_BS_OW_CFG, 0x000007ff),
	MASK(RKNN_DPU_BS_OW_OP, 0x0000ffff),
	MASK(RKNN_DPU_WDMA_SIZE_0, 0x00001fff),
	MASK(RKNN_DPU_WDMA_SIZE_1, 0x1fff1fff),
	MASK(RKNN_DPU_BN_CFG, 0x000fffff),
	MASK(RKNN_DPU_BN_ALU_CFG, 0xffffffff),
	MASK(RKNN_DPU_BN_MUL_CFG, 0xffff3f01),
	MASK(RKNN_DPU_BN_RELUX_CMP, 0xffffffff),
	MASK(RKNN_DPU_EW_CFG, 0xffffffff),
	MASK(RKNN_DPU_EW_CVT_OFFSET, 0xffffffff),
	MASK(RKNN_DPU_EW_CVT_SCALE, 0xffffffff),
	MASK(RKNN_DPU_EW_RELUX_CMP, 0xffffffff),
	MASK(RKNN_DPU_OUT_CVT_OFFSET, 0xffffffff),
	MASK(RKNN_DPU_OUT_CVT_SCALE, 0x0001ffff),
	MASK(RKNN_DPU_OUT_CVT_SHIFT, 0xc00fffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x04, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x08, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x0c, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x10, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x14, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_0 + 0x18, 0xffffffff),
	MASK(RKNN_DPU_EW_OP_VALUE_7, 0xffffffff),
	MASK(RKNN_DPU_SURFACE_ADD, 0xfffffff0),
	ZERO(RKNN_DPU_UNNAMED_40C4),
	TABLE(RKNN_DPU_LUT_ACCESS_CFG, RKNN_RULE_TABLE_ACCESS,
	      RKNN_LUT_ACCESS_WRITE | RKNN_LUT_ACCESS_LO |
	      RKNN_LUT_ACCESS_ADDRESS),
	/* Entries have 16 bits, which streams extend to 32. */
	TABLE(RKNN_DPU_LUT_ACCESS_DATA, RKNN_RULE_TABLE_DATA, 0xffffffff),
	MASK(RKNN_DPU_LUT_CFG, 0x000000ff),
	MASK(RKNN_DPU_LUT_INFO, 0x00ffffff),
	MASK(RKNN_DPU_LUT_LE_START, 0xffffffff),
	MASK(RKNN_DPU_LUT_LE_END, 0xffffffff),
	MASK(RKNN_DPU_LUT_LO_START, 0xffffffff),
	MASK(RKNN_DPU_LUT_LO_END, 0xffffffff),
	MASK(RKNN_DPU_LUT_LE_SLOPE_SCALE, 0xffffffff),
	MASK(RKNN_DPU_LUT_LE_SLOPE_SHIFT, 0x000003ff),
	MASK(RKNN_DPU_LUT_LO_SLOPE_SCALE, 0xffffffff),
	MASK(RKNN_DPU_LUT_LO_SLOPE_SHIFT, 0x000003ff),
};

static const struct rknn_rule rknn_rdma_rules[] = {
	POINTER(RKNN_RDMA_S_POINTER, 0),
	MASK(RKNN_RDMA_DATA_CUBE_WIDTH, 0x00001fff),
	MASK(RKNN_RDMA_DATA_CUBE_HEIGHT, 0x00001fff),
	MASK(RKNN_RDMA_DATA_CUBE_CHANNEL, 0x00001fff),
	OPERAND(RKNN_RDMA_SRC_BASE_ADDR),
	MASK(RKNN_RDMA_BRDMA_CFG, 0x0000001f),
	OPERAND(RKNN_RDMA_BS_BASE_ADDR),
	MASK(RKNN_RDMA_NRDMA_CFG, 0x0000001f),
	OPERAND(RKNN_RDMA_BN_BASE_ADDR),
	MASK(RKNN_RDMA_ERDMA_CFG, RKNN_ERDMA_CFG_DISABLE |
				  RKNN_ERDMA_CFG_DATA_SIZE |
				  RKNN_ERDMA_CFG_DATA_MODE),
	OPERAND(RKNN_RDMA_EW_BASE_ADDR),
	MASK(RKNN_RDMA_EW_SURF_STRIDE, 0xffffffff),
	MASK(RKNN_RDMA_FEATURE_MODE_CFG, 0x0003ffff),
	/* Un-pooling. */
	ZERO(RKNN_RDMA_SRC_DMA_CFG),
	MASK(RKNN_RDMA_SURF_NOTCH, 0xffffffff),
	ZERO(RKNN_RDMA_PAD_CFG),
	/* Shares of the bus. */
	RESET(RKNN_RDMA_WEIGHT, 0xffffffff, 0x01010101),
	MASK(RKNN_RDMA_EW_SURF_NOTCH, 0xffffffff),
};

static const struct rknn_rule rknn_ppu_rules[] = {
	POINTER(RKNN_PPU_S_POINTER, 0),
	MASK(RKNN_PPU_CUBE_IN_WIDTH, 0x00001fff),
	MASK(RKNN_PPU_CUBE_IN_HEIGHT, 0x00001fff),
	MASK(RKNN_PPU_CUBE_IN_CHANNEL, 0x00001fff),
	MASK(RKNN_PPU_CUBE_OUT_WIDTH, 0x00001fff),
	MASK(RKNN_PPU_CUBE_OUT_HEIGHT, 0x00001fff),
	MASK(RKNN_PPU_CUBE_OUT_CHANNEL, 0x00001fff),
	/* The index of the maximum, notches and counts have not been seen. */
	MASK(RKNN_PPU_OPERATION_MODE, RKNN_PPU_MODE_FLYING | RKNN_PPU_MODE_METHOD),
	MASK(RKNN_PPU_KERNEL_CFG, 0x00ff0f0f),
	MASK(RKNN_PPU_RECIP_WIDTH, 0x0001ffff),
	MASK(RKNN_PPU_RECIP_HEIGHT, 0x0001ffff),
	MASK(RKNN_PPU_PADDING, 0x00007777),
	MASK(RKNN_PPU_PAD_VALUE_1, 0xffffffff),
	MASK(RKNN_PPU_PAD_VALUE_2, 0x00000007),
	ADDRESS(RKNN_PPU_DST_BASE_ADDR),
	MASK(RKNN_PPU_DST_SURF_STRIDE, 0xfffffff0),
	MASK(RKNN_PPU_DATA_FORMAT, 0xfffffff7),
	MASK(RKNN_PPU_MISC, 0x0000000f),
};

static const struct rknn_rule rknn_ppu_rdma_rules[] = {
	POINTER(RKNN_PPU_RDMA_S_POINTER, 0),
	MASK(RKNN_PPU_RDMA_CUBE_WIDTH, 0x00001fff),
	MASK(RKNN_PPU_RDMA_CUBE_HEIGHT, 0x00001fff),
	MASK(RKNN_PPU_RDMA_CUBE_CHANNEL, 0x00001fff),
	ADDRESS(RKNN_PPU_RDMA_SRC_BASE_ADDR),
	MASK(RKNN_PPU_RDMA_LINE_STRIDE, 0xfffffff0),
	MASK(RKNN_PPU_RDMA_SURF_STRIDE, 0xfffffff0),
	MASK(RKNN_PPU_RDMA_DATA_FORMAT, 0x00000003),
};

#define RKNN_RULES \
	(ARRAY_SIZE(rknn_cna_rules) + ARRAY_SIZE(rknn_core_rules) + \
	 ARRAY_SIZE(rknn_dpu_rules) + ARRAY_SIZE(rknn_rdma_rules) + \
	 ARRAY_SIZE(rknn_ppu_rules) + ARRAY_SIZE(rknn_ppu_rdma_rules))

/* CNA and CORE have the number of the core in S_POINTER, which the start knows. */
const struct rknn_block rknn_blocks[RKNN_BLOCKS] = {
	[RKNN_BLOCK_CNA] = {
		.name = "CNA",
		.prefix = "RKNN_CNA_",
		.rules = rknn_cna_rules,
		.count = ARRAY_SIZE(rknn_cna_rules) +
			 BUILD_BUG_ON_ZERO(RKNN_RULES > RKNN_RULES_MAX),
		.enable = RKNN_ENABLE_CNA,
	},
	[RKNN_BLOCK_CORE] = {
		.name = "CORE",
		.prefix = "RKNN_CORE_",
		.rules = rknn_core_rules,
		.count = ARRAY_SIZE(rknn_core_rules),
		.enable = RKNN_ENABLE_CORE,
	},
	[RKNN_BLOCK_DPU] = {
		.name = "DPU",
		.prefix = "RKNN_DPU_",
		.rules = rknn_dpu_rules,
		.count = ARRAY_SIZE(rknn_dpu_rules),
		.enable = RKNN_ENABLE_DPU,
		.pointer = RKNN_S_POINTER_PING_PONG,
	},
	[RKNN_BLOCK_DPU_RDMA] = {
		.name = "DPU_RDMA",
		.prefix = "RKNN_RDMA_",
		.rules = rknn_rdma_rules,
		.count = ARRAY_SIZE(rknn_rdma_rules),
		.enable = RKNN_ENABLE_DPU_RDMA,
		.pointer = RKNN_S_POINTER_PING_PONG,
	},
	[RKNN_BLOCK_PPU] = {
		.name = "PPU",
		.prefix = "RKNN_PPU_",
		.rules = rknn_ppu_rules,
		.count = ARRAY_SIZE(rknn_ppu_rules),
		.enable = RKNN_ENABLE_PPU,
		.pointer = RKNN_S_POINTER_PING_PONG,
	},
	[RKNN_BLOCK_PPU_RDMA] = {
		.name = "PPU_RDMA",
		.prefix = "RKNN_PPU_RDMA_",
		.rules = rknn_ppu_rdma_rules,
		.count = ARRAY_SIZE(rknn_ppu_rdma_rules),
		.enable = RKNN_ENABLE_PPU_RDMA,
		.pointer = RKNN_S_POINTER_PING_PONG,
	},
};
