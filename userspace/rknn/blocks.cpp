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

	stream.set(reg::cna_conv_con1, conv_con1);
	stream.set(reg::cna_conv_con2, grains << 4U);
	stream.set(reg::cna_conv_con3, conv_con3);
	stream.set(reg::cna_data_size0, size);
	stream.set(reg::cna_data_size1, (channels - 1) << 16U | channels);
	stream.set(reg::cna_data_size2, out_width);
	stream.set(reg::cna_data_size3, out_width * out_height);
	stream.set(reg::cna_weight_size0, kernels * kernel_bytes);
	stream.set(reg::cna_weight_size1, kernel_bytes);
	stream.set(reg::cna_weight_size2, kernel_width << 24U | kernel_height << 16U | kernels);
	stream.set(reg::cna_cbuf_con0, data_banks | (cbuf_banks - data_banks) << 4U | reuse);
	stream.set(reg::cna_cbuf_con1, entries);
	stream.set(reg::cna_cvt_con0, cvt_bypass);
	stream.set_range(reg::cna_cvt_con1, reg::cna_cvt_con4, cvt_identity);
	stream.set(reg::cna_fc_con0, 0);
	stream.set(reg::cna_fc_con1, 0);
	stream.set(reg::cna_pad_con0, pad_left << 4U | pad_top);
	stream.set(reg::cna_feature_data_addr, features);
	stream.set(reg::cna_fc_con2, 0);
	stream.set(reg::cna_dma_con0, dma_burst);
	stream.set(reg::cna_dma_con1, line_atoms);
	stream.set(reg::cna_dma_con2, surface_atoms & dma_con2_mask);
	stream.set(reg::cna_fc_data_size0, size);
	stream.set(reg::cna_fc_data_size1, channels);
	stream.set(reg::cna_dcomp_ctrl, 0);
	stream.set(reg::cna_dcomp_regnum, 0);
	stream.set(reg::cna_dcomp_addr0, weights);
	stream.set_range(reg::cna_dcomp_amount0, reg::cna_dcomp_amount15, 0);
	stream.set(reg::cna_cvt_con5, 0);
	stream.set(reg::cna_pad_con1, pad_value);
}

void Core::emit(Stream &stream) const
{
	stream.set(reg::core_misc_cfg, misc_cfg);
	stream.set(reg::core_dataout_size_0, (height - 1) << 16U | (width - 1));
	stream.set(reg::core_dataout_size_1, channels - 1);
	stream.set(reg::core_clip_truncate, 0);
	stream.set(reg::core_unnamed_3030, 0);
}

void Dpu::emit(Stream &stream, bool clear_lut) const
{
	/* SIZE_E: atoms of a kernel group less 1, three times (measured, GN). */
	const std::uint32_t size_e = group_surfaces - 1;

	stream.set(reg::dpu_s_pointer, ping_pong);
	stream.set(reg::dpu_feature_mode_cfg, feature_mode);
	stream.set(reg::dpu_data_format, data_format);
	stream.set(reg::dpu_offset_pend, 0);
	stream.set(reg::dpu_dst_base_addr, destination);
	stream.set(reg::dpu_dst_surf_stride, surface_bytes);
	stream.set(reg::dpu_data_cube_width, width - 1);
	stream.set(reg::dpu_data_cube_height, height - 1);
	stream.set(reg::dpu_data_cube_notch, 0);
	stream.set(reg::dpu_data_cube_channel, (channels - 1) << 16U | (channels - 1));
	stream.set(reg::dpu_bs_cfg, bs_cfg);
	stream.set(reg::dpu_bs_alu_cfg, bs_alu);
	stream.set(reg::dpu_bs_mul_cfg, bs_mul);
	stream.set(reg::dpu_bs_relux_cmp, bs_relux);
	stream.set(reg::dpu_bs_ow_cfg, size_e << 8U | size_e << 5U | size_e << 2U | ow_cfg);
	stream.set(reg::dpu_bs_ow_op, ow_op);
	stream.set(reg::dpu_wdma_size_0, channels - 1);
	stream.set(reg::dpu_wdma_size_1, (height - 1) << 16U | (width - 1));
	stream.set(reg::dpu_bn_cfg, bn_cfg);
	stream.set(reg::dpu_bn_alu_cfg, bn_alu);
	stream.set(reg::dpu_bn_mul_cfg, bn_mul);
	stream.set(reg::dpu_bn_relux_cmp, bn_relux);
	stream.set(reg::dpu_ew_cfg, ew_cfg);
	stream.set(reg::dpu_ew_cvt_offset, ew_cvt_offset);
	stream.set(reg::dpu_ew_cvt_scale, ew_cvt_scale);
	stream.set(reg::dpu_ew_relux_cmp, ew_relux);
	stream.set(reg::dpu_out_cvt_offset, out_offset);
	stream.set(reg::dpu_out_cvt_scale, out_scale);
	stream.set(reg::dpu_out_cvt_shift, out_shift);
	stream.set_range(reg::dpu_ew_op_value_0, reg::dpu_ew_op_value_7, 0);
	stream.set(reg::dpu_surface_add, group_surfaces * surface_bytes);
	stream.set(reg::dpu_unnamed_40c4, 0);
	if (clear_lut)
		stream.set_range(reg::dpu_lut_first, reg::dpu_lut_last, 0);
}

void Rdma::emit(Stream &stream) const
{
	stream.set(reg::rdma_s_pointer, ping_pong);
	stream.set(reg::rdma_data_cube_width, width - 1);
	stream.set(reg::rdma_data_cube_height, height - 1);
	stream.set(reg::rdma_data_cube_channel, channels - 1);
	stream.set(reg::rdma_src_base_addr, source);
	stream.set(reg::rdma_brdma_cfg, brdma_cfg);
	stream.set(reg::rdma_bs_base_addr, bs_operands);
	stream.set(reg::rdma_nrdma_cfg, 0);
	stream.set(reg::rdma_bn_base_addr, 0);
	stream.set(reg::rdma_erdma_cfg, erdma_cfg);
	stream.set(reg::rdma_ew_base_addr, ew_operand);
	stream.set(reg::rdma_ew_surf_stride, ew_surface_atoms * atom_bytes);
	stream.set(reg::rdma_feature_mode_cfg, feature_mode);
	stream.set(reg::rdma_src_dma_cfg, 0);
	stream.set(reg::rdma_surf_notch, notch_atoms * atom_bytes);
	stream.set(reg::rdma_pad_cfg, 0);
	stream.set(reg::rdma_weight, rdma_weights);
	stream.set(reg::rdma_ew_surf_notch, ew_notch_atoms * atom_bytes);
}

} // namespace npu::rknn
