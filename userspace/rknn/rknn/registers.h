/* SPDX-License-Identifier: MIT */
/*
 * Registers of an RKNN core (RK3588) that the generator writes, and limits of
 * the hardware. Offsets and field positions: RK3588 TRM part 1, chapter 36.
 * Where another source says what a register must hold, it is named.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace npu::rknn
{

/// A word of a command stream: a register write.
constexpr std::uint64_t command(std::uint16_t reg, std::uint32_t value)
{
	/* The target of a register is its block, bits 15:12, as one bit, plus 1. */
	const std::uint64_t target = (0x100U << (reg >> 12U)) + 1U;

	return target << 48U | std::uint64_t{value} << 16U | reg;
}

/// Blocks of a convolution: CNA, CORE and DPU, as PC_OPERATION_ENABLE has them.
constexpr std::uint32_t enable_convolution = 0x0d;
/// The same and DPU_RDMA, which fetches operands of the DPU (Mesa).
constexpr std::uint32_t enable_convolution_operands = 0x1d;
/// DPU and DPU_RDMA: the DPU works on memory alone (vendor's elementwise streams).
constexpr std::uint32_t enable_flying = 0x18;
/// PPU and PPU_RDMA: pooling from memory to memory (vendor's pooling streams).
constexpr std::uint32_t enable_pooling = 0x60;

namespace reg
{
constexpr std::uint16_t cna_conv_con1 = 0x100c;
constexpr std::uint16_t cna_conv_con2 = 0x1010;
constexpr std::uint16_t cna_conv_con3 = 0x1014;
constexpr std::uint16_t cna_data_size0 = 0x1020;
constexpr std::uint16_t cna_data_size1 = 0x1024;
constexpr std::uint16_t cna_data_size2 = 0x1028;
constexpr std::uint16_t cna_data_size3 = 0x102c;
constexpr std::uint16_t cna_weight_size0 = 0x1030;
constexpr std::uint16_t cna_weight_size1 = 0x1034;
constexpr std::uint16_t cna_weight_size2 = 0x1038;
constexpr std::uint16_t cna_cbuf_con0 = 0x1040;
constexpr std::uint16_t cna_cbuf_con1 = 0x1044;
constexpr std::uint16_t cna_cvt_con0 = 0x104c;
constexpr std::uint16_t cna_cvt_con1 = 0x1050;
constexpr std::uint16_t cna_cvt_con4 = 0x105c;
constexpr std::uint16_t cna_fc_con0 = 0x1060;
constexpr std::uint16_t cna_fc_con1 = 0x1064;
constexpr std::uint16_t cna_pad_con0 = 0x1068;
constexpr std::uint16_t cna_feature_data_addr = 0x1070;
constexpr std::uint16_t cna_fc_con2 = 0x1074;
constexpr std::uint16_t cna_dma_con0 = 0x1078;
constexpr std::uint16_t cna_dma_con1 = 0x107c;
constexpr std::uint16_t cna_dma_con2 = 0x1080;
constexpr std::uint16_t cna_fc_data_size0 = 0x1084;
constexpr std::uint16_t cna_fc_data_size1 = 0x1088;
constexpr std::uint16_t cna_dcomp_ctrl = 0x1100;
constexpr std::uint16_t cna_dcomp_regnum = 0x1104;
constexpr std::uint16_t cna_dcomp_addr0 = 0x1110;
constexpr std::uint16_t cna_dcomp_amount0 = 0x1140;
constexpr std::uint16_t cna_dcomp_amount15 = 0x117c;
constexpr std::uint16_t cna_cvt_con5 = 0x1180;
constexpr std::uint16_t cna_pad_con1 = 0x1184;
constexpr std::uint16_t core_misc_cfg = 0x3010;
constexpr std::uint16_t core_dataout_size_0 = 0x3014;
constexpr std::uint16_t core_dataout_size_1 = 0x3018;
constexpr std::uint16_t core_clip_truncate = 0x301c;
/// Not in the TRM; every known stream writes 0.
constexpr std::uint16_t core_unnamed_3030 = 0x3030;
constexpr std::uint16_t dpu_s_pointer = 0x4004;
constexpr std::uint16_t dpu_feature_mode_cfg = 0x400c;
constexpr std::uint16_t dpu_data_format = 0x4010;
constexpr std::uint16_t dpu_offset_pend = 0x4014;
constexpr std::uint16_t dpu_dst_base_addr = 0x4020;
constexpr std::uint16_t dpu_dst_surf_stride = 0x4024;
constexpr std::uint16_t dpu_data_cube_width = 0x4030;
constexpr std::uint16_t dpu_data_cube_height = 0x4034;
constexpr std::uint16_t dpu_data_cube_notch = 0x4038;
constexpr std::uint16_t dpu_data_cube_channel = 0x403c;
constexpr std::uint16_t dpu_bs_cfg = 0x4040;
constexpr std::uint16_t dpu_bs_alu_cfg = 0x4044;
constexpr std::uint16_t dpu_bs_mul_cfg = 0x4048;
constexpr std::uint16_t dpu_bs_relux_cmp = 0x404c;
constexpr std::uint16_t dpu_bs_ow_cfg = 0x4050;
constexpr std::uint16_t dpu_bs_ow_op = 0x4054;
constexpr std::uint16_t dpu_wdma_size_0 = 0x4058;
constexpr std::uint16_t dpu_wdma_size_1 = 0x405c;
constexpr std::uint16_t dpu_bn_cfg = 0x4060;
constexpr std::uint16_t dpu_bn_alu_cfg = 0x4064;
constexpr std::uint16_t dpu_bn_mul_cfg = 0x4068;
constexpr std::uint16_t dpu_bn_relux_cmp = 0x406c;
constexpr std::uint16_t dpu_ew_cfg = 0x4070;
constexpr std::uint16_t dpu_ew_cvt_offset = 0x4074;
constexpr std::uint16_t dpu_ew_cvt_scale = 0x4078;
constexpr std::uint16_t dpu_ew_relux_cmp = 0x407c;
constexpr std::uint16_t dpu_out_cvt_offset = 0x4080;
constexpr std::uint16_t dpu_out_cvt_scale = 0x4084;
constexpr std::uint16_t dpu_out_cvt_shift = 0x4088;
constexpr std::uint16_t dpu_ew_op_value_0 = 0x4090;
constexpr std::uint16_t dpu_ew_op_value_7 = 0x40ac;
constexpr std::uint16_t dpu_surface_add = 0x40c0;
/// Not in the TRM; every known stream writes 0.
constexpr std::uint16_t dpu_unnamed_40c4 = 0x40c4;
constexpr std::uint16_t dpu_lut_first = 0x4100;
constexpr std::uint16_t dpu_lut_access_cfg = 0x4100;
constexpr std::uint16_t dpu_lut_access_data = 0x4104;
constexpr std::uint16_t dpu_lut_cfg = 0x4108;
constexpr std::uint16_t dpu_lut_info = 0x410c;
constexpr std::uint16_t dpu_lut_le_start = 0x4110;
constexpr std::uint16_t dpu_lut_le_end = 0x4114;
constexpr std::uint16_t dpu_lut_lo_start = 0x4118;
constexpr std::uint16_t dpu_lut_lo_end = 0x411c;
constexpr std::uint16_t dpu_lut_le_slope_scale = 0x4120;
constexpr std::uint16_t dpu_lut_le_slope_shift = 0x4124;
constexpr std::uint16_t dpu_lut_lo_slope_scale = 0x4128;
constexpr std::uint16_t dpu_lut_lo_slope_shift = 0x412c;
constexpr std::uint16_t dpu_lut_last = 0x412c;
constexpr std::uint16_t rdma_s_pointer = 0x5004;
constexpr std::uint16_t rdma_data_cube_width = 0x500c;
constexpr std::uint16_t rdma_data_cube_height = 0x5010;
constexpr std::uint16_t rdma_data_cube_channel = 0x5014;
constexpr std::uint16_t rdma_src_base_addr = 0x5018;
constexpr std::uint16_t rdma_brdma_cfg = 0x501c;
constexpr std::uint16_t rdma_bs_base_addr = 0x5020;
constexpr std::uint16_t rdma_nrdma_cfg = 0x5028;
constexpr std::uint16_t rdma_bn_base_addr = 0x502c;
constexpr std::uint16_t rdma_erdma_cfg = 0x5034;
constexpr std::uint16_t rdma_ew_base_addr = 0x5038;
constexpr std::uint16_t rdma_ew_surf_stride = 0x5040;
constexpr std::uint16_t rdma_feature_mode_cfg = 0x5044;
constexpr std::uint16_t rdma_src_dma_cfg = 0x5048;
constexpr std::uint16_t rdma_surf_notch = 0x504c;
constexpr std::uint16_t rdma_pad_cfg = 0x5064;
constexpr std::uint16_t rdma_weight = 0x5068;
constexpr std::uint16_t rdma_ew_surf_notch = 0x506c;
constexpr std::uint16_t ppu_s_pointer = 0x6004;
constexpr std::uint16_t ppu_data_cube_in_width = 0x600c;
constexpr std::uint16_t ppu_data_cube_in_height = 0x6010;
constexpr std::uint16_t ppu_data_cube_in_channel = 0x6014;
constexpr std::uint16_t ppu_data_cube_out_width = 0x6018;
constexpr std::uint16_t ppu_data_cube_out_height = 0x601c;
constexpr std::uint16_t ppu_data_cube_out_channel = 0x6020;
constexpr std::uint16_t ppu_operation_mode_cfg = 0x6024;
constexpr std::uint16_t ppu_pooling_kernel_cfg = 0x6034;
constexpr std::uint16_t ppu_recip_kernel_width = 0x6038;
constexpr std::uint16_t ppu_recip_kernel_height = 0x603c;
constexpr std::uint16_t ppu_pooling_padding_cfg = 0x6040;
constexpr std::uint16_t ppu_padding_value_1 = 0x6044;
constexpr std::uint16_t ppu_padding_value_2 = 0x6048;
constexpr std::uint16_t ppu_dst_base_addr = 0x6070;
constexpr std::uint16_t ppu_dst_surf_stride = 0x607c;
constexpr std::uint16_t ppu_data_format = 0x6084;
constexpr std::uint16_t ppu_misc_ctrl = 0x60dc;
constexpr std::uint16_t ppu_rdma_s_pointer = 0x7004;
constexpr std::uint16_t ppu_rdma_cube_in_width = 0x700c;
constexpr std::uint16_t ppu_rdma_cube_in_height = 0x7010;
constexpr std::uint16_t ppu_rdma_cube_in_channel = 0x7014;
constexpr std::uint16_t ppu_rdma_src_base_addr = 0x701c;
constexpr std::uint16_t ppu_rdma_src_line_stride = 0x7024;
constexpr std::uint16_t ppu_rdma_src_surf_stride = 0x7028;
constexpr std::uint16_t ppu_rdma_data_format = 0x7030;
} // namespace reg

/// Bits of CBUF_CON0 (TRM).
constexpr std::uint32_t cbuf_data_reuse = 1U << 12U;
constexpr std::uint32_t cbuf_weight_reuse = 1U << 13U;

/// Convolution buffer of a core: 12 banks of 32 KiB (open matmul drivers, Mesa).
constexpr std::uint32_t cbuf_banks = 12;
constexpr std::uint32_t cbuf_bank_bytes = 32768;

/// What CBUF_CON1 counts: half of an entry of the convolution buffer (Mesa).
constexpr std::uint32_t cbuf_entry_bytes = 64;

/// Memory layouts consist of atoms of 16 bytes (TRM).
constexpr std::uint32_t atom_bytes = 16;

/// Input channels are taken 32 at a time (weight layout of the vendor's matmul
/// header); a dimension K is padded to it.
constexpr std::uint32_t channel_slice = 32;

/// Rows of a task: FEATURE_GRAINS has 10 bits and holds rows + 1 (TRM).
constexpr std::uint32_t max_task_rows = 1022;

/// Output channels of a task: the DPU counts with 13 bits (TRM), and 8144 is
/// the most that is known to work with fp16; the largest multiple of both
/// kernel groups below it.
constexpr std::uint32_t max_task_channels = 8128;

} // namespace npu::rknn
