/* SPDX-License-Identifier: MIT */
#include "blocks.h"

#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// CVT_CON0: no conversion of the input (all open streams).
constexpr std::uint32_t cvt_bypass = 0xb;
/// CVT_CON1 to 4: scale 1, offset 0.
constexpr std::uint32_t cvt_identity = 0x10000;
/// DMA_CON0: bursts (all open streams).
constexpr std::uint32_t dma_burst = 0x000f000f;
/// DMA_CON2 has 28 bits, with a sign (TRM).
constexpr std::uint32_t dma_con2_mask = 0x0fffffff;
/// S_POINTER: register groups take turns (all open streams).
constexpr std::uint32_t ping_pong = 0xe;
/// RDMA_WEIGHT: what every stream with this block writes (Mesa).
constexpr std::uint32_t rdma_weights = 0x01010101;

} // namespace

void Cna::emit(Stream &stream) const
{
	const std::uint32_t size = width << 16U | height;

	stream.set(RKNN_CNA_CONV_CON1, conv_con1);
	stream.set(RKNN_CNA_CONV_CON2, grains << 4U);
	stream.set(RKNN_CNA_CONV_CON3, conv_con3);
	stream.set(RKNN_CNA_DATA_SIZE0, size);
	stream.set(RKNN_CNA_DATA_SIZE1, (channels - 1) << 16U | channels);
	stream.set(RKNN_CNA_DATA_SIZE2, out_width);
	stream.set(RKNN_CNA_DATA_SIZE3, out_width * out_height);
	stream.set(RKNN_CNA_WEIGHT_SIZE0, kernels * kernel_bytes);
	stream.set(RKNN_CNA_WEIGHT_SIZE1, kernel_bytes);
	stream.set(RKNN_CNA_WEIGHT_SIZE2, kernel_width << 24U | kernel_height << 16U | kernels);
	stream.set(RKNN_CNA_CBUF_CON0, data_banks | (cbuf_banks - data_banks) << 4U | reuse);
	stream.set(RKNN_CNA_CBUF_CON1, entries);
	stream.set(RKNN_CNA_CVT_CON0, cvt_bypass);
	stream.set_range(RKNN_CNA_CVT_CON1, RKNN_CNA_CVT_CON4, cvt_identity);
	stream.set(RKNN_CNA_FC_CON0, 0);
	stream.set(RKNN_CNA_FC_CON1, 0);
	stream.set(RKNN_CNA_PAD_CON0, pad_left << 4U | pad_top);
	stream.set(RKNN_CNA_FEATURE_DATA_ADDR, features);
	stream.set(RKNN_CNA_FC_CON2, 0);
	stream.set(RKNN_CNA_DMA_CON0, dma_burst);
	stream.set(RKNN_CNA_DMA_CON1, line_atoms);
	stream.set(RKNN_CNA_DMA_CON2, surface_atoms & dma_con2_mask);
	stream.set(RKNN_CNA_FC_DATA_SIZE0, size);
	stream.set(RKNN_CNA_FC_DATA_SIZE1, channels);
	stream.set(RKNN_CNA_DCOMP_CTRL, 0);
	stream.set(RKNN_CNA_DCOMP_REGNUM, 0);
	stream.set(RKNN_CNA_DCOMP_ADDR0, weights);
	stream.set_range(RKNN_CNA_DCOMP_AMOUNT0, RKNN_CNA_DCOMP_AMOUNT15, 0);
	stream.set(RKNN_CNA_CVT_CON5, 0);
	stream.set(RKNN_CNA_PAD_CON1, pad_value);
}

void Core::emit(Stream &stream) const
{
	stream.set(RKNN_CORE_MISC_CFG, misc_cfg);
	stream.set(RKNN_CORE_DATAOUT_SIZE_0, (height - 1) << 16U | (width - 1));
	stream.set(RKNN_CORE_DATAOUT_SIZE_1, channels - 1);
	stream.set(RKNN_CORE_CLIP_TRUNCATE, 0);
	stream.set(RKNN_CORE_UNNAMED_3030, 0);
}

void Dpu::emit(Stream &stream, bool clear_lut) const
{
	/* SIZE_E: atoms of a kernel group less 1, three times (measured, GN). */
	const std::uint32_t size_e = group_surfaces - 1;

	stream.set(RKNN_DPU_S_POINTER, ping_pong);
	stream.set(RKNN_DPU_FEATURE_MODE_CFG, feature_mode);
	stream.set(RKNN_DPU_DATA_FORMAT, data_format);
	stream.set(RKNN_DPU_OFFSET_PEND, 0);
	stream.set(RKNN_DPU_DST_BASE_ADDR, destination);
	stream.set(RKNN_DPU_DST_SURF_STRIDE, surface_bytes);
	stream.set(RKNN_DPU_DATA_CUBE_WIDTH, width - 1);
	stream.set(RKNN_DPU_DATA_CUBE_HEIGHT, height - 1);
	stream.set(RKNN_DPU_DATA_CUBE_NOTCH, 0);
	stream.set(RKNN_DPU_DATA_CUBE_CHANNEL, (channels - 1) << 16U | (channels - 1));
	stream.set(RKNN_DPU_BS_CFG, bs_cfg);
	stream.set(RKNN_DPU_BS_ALU_CFG, bs_alu);
	stream.set(RKNN_DPU_BS_MUL_CFG, bs_mul);
	stream.set(RKNN_DPU_BS_RELUX_CMP, bs_relux);
	stream.set(RKNN_DPU_BS_OW_CFG, size_e << 8U | size_e << 5U | size_e << 2U | ow_cfg);
	stream.set(RKNN_DPU_BS_OW_OP, ow_op);
	stream.set(RKNN_DPU_WDMA_SIZE_0, channels - 1);
	stream.set(RKNN_DPU_WDMA_SIZE_1, (height - 1) << 16U | (width - 1));
	stream.set(RKNN_DPU_BN_CFG, bn_cfg);
	stream.set(RKNN_DPU_BN_ALU_CFG, bn_alu);
	stream.set(RKNN_DPU_BN_MUL_CFG, bn_mul);
	stream.set(RKNN_DPU_BN_RELUX_CMP, bn_relux);
	stream.set(RKNN_DPU_EW_CFG, ew_cfg);
	stream.set(RKNN_DPU_EW_CVT_OFFSET, ew_cvt_offset);
	stream.set(RKNN_DPU_EW_CVT_SCALE, ew_cvt_scale);
	stream.set(RKNN_DPU_EW_RELUX_CMP, ew_relux);
	stream.set(RKNN_DPU_OUT_CVT_OFFSET, out_offset);
	stream.set(RKNN_DPU_OUT_CVT_SCALE, out_scale);
	stream.set(RKNN_DPU_OUT_CVT_SHIFT, out_shift);
	stream.set_range(RKNN_DPU_EW_OP_VALUE_0, RKNN_DPU_EW_OP_VALUE_7, 0);
	stream.set(RKNN_DPU_SURFACE_ADD, group_surfaces * surface_bytes);
	stream.set(RKNN_DPU_UNNAMED_40C4, 0);
	if (clear_lut)
		stream.set_range(RKNN_DPU_LUT_ACCESS_CFG, RKNN_DPU_LUT_LAST, 0);
}

void Rdma::emit(Stream &stream) const
{
	stream.set(RKNN_RDMA_S_POINTER, ping_pong);
	stream.set(RKNN_RDMA_DATA_CUBE_WIDTH, width - 1);
	stream.set(RKNN_RDMA_DATA_CUBE_HEIGHT, height - 1);
	stream.set(RKNN_RDMA_DATA_CUBE_CHANNEL, channels - 1);
	stream.set(RKNN_RDMA_SRC_BASE_ADDR, source);
	stream.set(RKNN_RDMA_BRDMA_CFG, brdma_cfg);
	stream.set(RKNN_RDMA_BS_BASE_ADDR, bs_operands);
	stream.set(RKNN_RDMA_NRDMA_CFG, 0);
	stream.set(RKNN_RDMA_BN_BASE_ADDR, 0);
	stream.set(RKNN_RDMA_ERDMA_CFG, erdma_cfg);
	stream.set(RKNN_RDMA_EW_BASE_ADDR, ew_operand);
	stream.set(RKNN_RDMA_EW_SURF_STRIDE, ew_surface_atoms * atom_bytes);
	stream.set(RKNN_RDMA_FEATURE_MODE_CFG, feature_mode);
	stream.set(RKNN_RDMA_SRC_DMA_CFG, 0);
	stream.set(RKNN_RDMA_SURF_NOTCH, notch_atoms * atom_bytes);
	stream.set(RKNN_RDMA_PAD_CFG, 0);
	stream.set(RKNN_RDMA_WEIGHT, rdma_weights);
	stream.set(RKNN_RDMA_EW_SURF_NOTCH, ew_notch_atoms * atom_bytes);
}

} // namespace npu::rknn
