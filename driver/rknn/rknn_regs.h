/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a Rockchip RKNN core as in the RK3588, and the words of its
 * command streams.
 *
 * Names and positions follow chapter 36 of the RK3588 TRM, part 1. Offsets are
 * relative to the register window of the core; bits 15:12 select the block.
 */
#ifndef RKNN_REGS_H
#define RKNN_REGS_H

/* A command: target in bits 63:48, value in 47:16, register offset in 15:0. */
#define RKNN_CMD_TARGET(cmd)	((cmd) >> 48)
#define RKNN_CMD_VALUE(cmd)	(((cmd) >> 16) & 0xffffffffu)
#define RKNN_CMD_REG(cmd)	((cmd) & 0xffffu)
#define RKNN_CMD(target, reg, value) \
	(((unsigned long long)(target) << 48) | \
	 ((unsigned long long)((value) & 0xffffffffu) << 16) | (reg))

#define RKNN_TARGET_PC		0x0101
#define RKNN_TARGET_CNA		0x0201
#define RKNN_TARGET_CORE	0x0801
#define RKNN_TARGET_DPU		0x1001
#define RKNN_TARGET_DPU_RDMA	0x2001
#define RKNN_TARGET_PPU		0x4001
#define RKNN_TARGET_PPU_RDMA	0x8001
/* Must precede the word that starts the blocks. */
#define RKNN_TARGET_SYNC	0x0041
/* Write of PC_OPERATION_ENABLE as a bitmap of blocks. */
#define RKNN_TARGET_ENABLE	0x0081

/* Bits of a %RKNN_TARGET_ENABLE word. */
#define RKNN_ENABLE_CNA		0x01
#define RKNN_ENABLE_CORE	0x04
#define RKNN_ENABLE_DPU		0x08
#define RKNN_ENABLE_CONV	(RKNN_ENABLE_CNA | RKNN_ENABLE_CORE | RKNN_ENABLE_DPU)

/* PC: command fetch and interrupts */
#define RKNN_PC_VERSION			0x0000
#define RKNN_PC_VERSION_NUM		0x0004
#define RKNN_PC_OPERATION_ENABLE	0x0008
#define RKNN_PC_BASE_ADDRESS		0x0010
#define   RKNN_PC_BASE_ADDRESS_SLAVE	0x00000001
#define RKNN_PC_REGISTER_AMOUNTS	0x0014
#define RKNN_PC_INTERRUPT_MASK		0x0020
#define RKNN_PC_INTERRUPT_CLEAR		0x0024
#define RKNN_PC_INTERRUPT_STATUS	0x0028
#define RKNN_PC_INTERRUPT_RAW_STATUS	0x002c
#define   RKNN_INT_DPU_0		0x00000100
#define   RKNN_INT_DPU_1		0x00000200
#define   RKNN_INT_DPU			(RKNN_INT_DPU_0 | RKNN_INT_DPU_1)
#define   RKNN_INT_CLEARABLE		0x0001ffff
#define RKNN_PC_TASK_CON		0x0030
#define   RKNN_PC_TASK_CON_NUMBER_MASK	0x00000fff
#define   RKNN_PC_TASK_CON_PP_EN	0x00001000
#define   RKNN_PC_TASK_CON_COUNT_CLEAR	0x00002000
#define   RKNN_PC_TASK_CON_RESERVED	0x00004000
#define RKNN_PC_TASK_DMA_BASE_ADDR	0x0034
#define RKNN_PC_TASK_STATUS		0x003c

/* Every block has the same ping-pong pointer register. */
#define RKNN_S_POINTER_PP_EN		0x00000002
#define RKNN_S_POINTER_EXEC_PP_EN	0x00000004
#define RKNN_S_POINTER_PP_MODE		0x00000008
#define RKNN_S_POINTER_PING_PONG \
	(RKNN_S_POINTER_PP_EN | RKNN_S_POINTER_EXEC_PP_EN | RKNN_S_POINTER_PP_MODE)
/* CNA and CORE want the number of their core here or never finish. */
#define RKNN_S_POINTER_CORE(core)	((unsigned int)(core) << 28)

/* CNA: feature and weight loading */
#define RKNN_CNA_S_POINTER		0x1004
#define RKNN_CNA_CONV_CON1		0x100c
#define   RKNN_CONV_CON1_MODE		0x0000000f
#define   RKNN_CONV_CON1_IN_PREC	0x00000070
#define   RKNN_CONV_CON1_PROC_PREC	0x00000380
#define   RKNN_CONV_CON1_LINE_OFF	0x20000000
#define RKNN_CNA_CONV_CON2		0x1010
#define RKNN_CNA_CONV_CON3		0x1014
#define RKNN_CNA_DATA_SIZE0		0x1020
#define RKNN_CNA_DATA_SIZE1		0x1024
#define RKNN_CNA_DATA_SIZE2		0x1028
#define RKNN_CNA_DATA_SIZE3		0x102c
#define RKNN_CNA_WEIGHT_SIZE0		0x1030
#define RKNN_CNA_WEIGHT_SIZE1		0x1034
#define RKNN_CNA_WEIGHT_SIZE2		0x1038
#define RKNN_CNA_CBUF_CON0		0x1040
#define   RKNN_CBUF_CON0_DATA_BANK	0x0000000f
#define   RKNN_CBUF_CON0_WEIGHT_BANK	0x000000f0
#define   RKNN_CBUF_CON0_FC_DATA_BANK	0x00000700
#define   RKNN_CBUF_CON0_DATA_REUSE	0x00001000
#define   RKNN_CBUF_CON0_WEIGHT_REUSE	0x00002000
#define RKNN_CNA_CBUF_CON1		0x1044
#define RKNN_CNA_CVT_CON0		0x104c
#define   RKNN_CVT_CON0_BYPASS		0x0000000b
#define RKNN_CNA_CVT_CON1		0x1050
#define RKNN_CNA_CVT_CON2		0x1054
#define RKNN_CNA_CVT_CON3		0x1058
#define RKNN_CNA_CVT_CON4		0x105c
#define   RKNN_CVT_CON_SCALE_ONE	0x00010000
#define RKNN_CNA_FC_CON0		0x1060
#define RKNN_CNA_FC_CON1		0x1064
#define RKNN_CNA_PAD_CON0		0x1068
#define RKNN_CNA_FEATURE_DATA_ADDR	0x1070
#define RKNN_CNA_FC_CON2		0x1074
#define RKNN_CNA_DMA_CON0		0x1078
#define RKNN_CNA_DMA_CON1		0x107c
#define RKNN_CNA_DMA_CON2		0x1080
#define RKNN_CNA_FC_DATA_SIZE0		0x1084
#define RKNN_CNA_FC_DATA_SIZE1		0x1088
#define RKNN_CNA_DCOMP_CTRL		0x1100
#define RKNN_CNA_DCOMP_REGNUM		0x1104
#define RKNN_CNA_DCOMP_ADDR0		0x1110
#define RKNN_CNA_DCOMP_AMOUNT0		0x1140
#define RKNN_CNA_DCOMP_AMOUNT15		0x117c
#define RKNN_CNA_CVT_CON5		0x1180
#define RKNN_CNA_PAD_CON1		0x1184

/* CORE: multiply-accumulate array */
#define RKNN_CORE_S_POINTER		0x3004
#define RKNN_CORE_MAC_GATING		0x300c
#define RKNN_CORE_MISC_CFG		0x3010
#define   RKNN_CORE_MISC_QD_EN		0x00000001
#define   RKNN_CORE_MISC_DW_EN		0x00000002
#define   RKNN_CORE_MISC_PROC_PREC	0x00000700
#define RKNN_CORE_DATAOUT_SIZE_0	0x3014
#define RKNN_CORE_DATAOUT_SIZE_1	0x3018
#define RKNN_CORE_CLIP_TRUNCATE		0x301c
#define RKNN_CORE_UNNAMED_3030		0x3030

/* DPU: post-processing and write-back */
#define RKNN_DPU_S_POINTER		0x4004
#define RKNN_DPU_FEATURE_MODE_CFG	0x400c
#define   RKNN_DPU_FEATURE_MODE_CONV	0x000001e4
#define RKNN_DPU_DATA_FORMAT		0x4010
#define RKNN_DPU_OFFSET_PEND		0x4014
#define RKNN_DPU_DST_BASE_ADDR		0x4020
#define RKNN_DPU_DST_SURF_STRIDE	0x4024
#define RKNN_DPU_DATA_CUBE_WIDTH	0x4030
#define RKNN_DPU_DATA_CUBE_HEIGHT	0x4034
#define RKNN_DPU_DATA_CUBE_NOTCH	0x4038
#define RKNN_DPU_DATA_CUBE_CHANNEL	0x403c
#define RKNN_DPU_BS_CFG			0x4040
#define   RKNN_DPU_BYPASS_ALL		0x00000053
#define RKNN_DPU_BS_ALU_CFG		0x4044
#define RKNN_DPU_BS_MUL_CFG		0x4048
#define RKNN_DPU_BS_RELUX_CMP		0x404c
#define RKNN_DPU_BS_OW_CFG		0x4050
#define   RKNN_BS_OW_CFG_OD_BYPASS	0x00000002
#define RKNN_DPU_BS_OW_OP		0x4054
#define RKNN_DPU_WDMA_SIZE_0		0x4058
#define RKNN_DPU_WDMA_SIZE_1		0x405c
#define RKNN_DPU_BN_CFG			0x4060
#define RKNN_DPU_BN_ALU_CFG		0x4064
#define RKNN_DPU_BN_MUL_CFG		0x4068
#define RKNN_DPU_BN_RELUX_CMP		0x406c
#define RKNN_DPU_EW_CFG			0x4070
#define   RKNN_DPU_EW_BYPASS		0x00000383
#define RKNN_DPU_EW_CVT_OFFSET		0x4074
#define RKNN_DPU_EW_CVT_SCALE		0x4078
#define RKNN_DPU_EW_RELUX_CMP		0x407c
#define RKNN_DPU_OUT_CVT_OFFSET		0x4080
#define RKNN_DPU_OUT_CVT_SCALE		0x4084
#define   RKNN_OUT_CVT_FP32_TO_FP16	0x00010000
#define RKNN_DPU_OUT_CVT_SHIFT		0x4088
#define RKNN_DPU_EW_OP_VALUE_0		0x4090
#define RKNN_DPU_EW_OP_VALUE_7		0x40ac
#define RKNN_DPU_SURFACE_ADD		0x40c0
#define RKNN_DPU_UNNAMED_40C4		0x40c4
#define RKNN_DPU_LUT_ACCESS_CFG		0x4100
#define RKNN_DPU_LUT_LAST		0x412c

/* Precision codes of CONV_CON1, MISC_CFG and DATA_FORMAT */
#define RKNN_PREC_INT8			0
#define RKNN_PREC_FP16			2
#define RKNN_PREC_INT32			4
#define RKNN_PREC_FP32			5

/* Resources of a core */
#define RKNN_CBUF_BANKS			12
#define RKNN_CBUF_BANK_BYTES		32768
#define RKNN_CBUF_BYTES			(RKNN_CBUF_BANKS * RKNN_CBUF_BANK_BYTES)
/* A feature or output atom, the unit of the layouts in memory. */
#define RKNN_ATOM_BYTES			16
/* Streams start on this boundary. */
#define RKNN_STREAM_ALIGN		64

/* Input channels that the array takes at a time, and kernels side by side. */
#define RKNN_CHANNEL_SLICE		32
#define RKNN_KERNEL_GROUP_INT8		32
#define RKNN_KERNEL_GROUP_FP16		16

#endif /* RKNN_REGS_H */
