/* SPDX-License-Identifier: MIT */
#include "rknn/matmul.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Settings that depend on the type of the operands.
struct TypeSettings {
	/// CONV_CON1: input and processing precision (TRM).
	std::uint32_t conv_con1;
	/// MISC_CFG: processing precision (TRM).
	std::uint32_t misc_cfg;
	/// DATA_FORMAT: output, input and processing precision (TRM).
	std::uint32_t data_format;
};

constexpr TypeSettings settings(Type type)
{
	return type == Type::int8 ? TypeSettings{0, 0, 0x80000000}
				  : TypeSettings{0x120, 0x200, 0xa8000002};
}

/// CVT_CON0: no conversion of the input (all open streams).
constexpr std::uint32_t cvt_bypass = 0xb;
/// CVT_CON1 to 4: scale 1, offset 0.
constexpr std::uint32_t cvt_identity = 0x10000;
/// CONV_CON3: strides of 1.
constexpr std::uint32_t stride_one = 0x9;
/// DMA_CON0: bursts (all open streams).
constexpr std::uint32_t dma_burst = 0x000f000f;
/// S_POINTER: register groups take turns (all open streams).
constexpr std::uint32_t ping_pong = 0xe;
/// FEATURE_MODE_CFG: from CORE, to memory, longest bursts.
constexpr std::uint32_t feature_mode = 0x1e4;
/// BS_CFG and BN_CFG: everything bypassed; EW_CFG likewise (TRM).
constexpr std::uint32_t bypass_bs_bn = 0x53;
constexpr std::uint32_t bypass_ew = 0x383;
/// BS_OW_CFG: no sum of inputs is added to the result.
constexpr std::uint32_t od_bypass = 0x2;

/// A stream under construction.
class Stream
{
public:
	Stream() { words_.reserve(112); }

	void set(std::uint16_t reg, std::uint32_t value) { words_.push_back(command(reg, value)); }

	void set_range(std::uint16_t first, std::uint16_t last, std::uint32_t value)
	{
		for (std::uint32_t reg = first; reg <= last; reg += 4)
			set(static_cast<std::uint16_t>(reg), value);
	}

	std::vector<std::uint64_t> take() { return std::move(words_); }

private:
	std::vector<std::uint64_t> words_;
};

/// Features are one column of rows; channels are K.
void emit_cna(Stream &stream, const WeightLayout &weights, std::uint32_t m, const Tile &tile,
	      const Addresses &addresses)
{
	const std::uint32_t bytes = element_bytes(weights.type());
	const std::uint32_t begin = weights.slice_begin(tile.slice);
	const std::uint32_t k = weights.slice_begin(tile.slice + 1) - begin;
	const std::uint32_t weight_banks = cbuf_banks - tile.data_banks;
	const std::uint32_t size = 1U << 16U | tile.m;

	stream.set(reg::cna_conv_con1, settings(weights.type()).conv_con1);
	/* FEATURE_GRAINS: rows + 1, as in open matmul streams; affects prefetch. */
	stream.set(reg::cna_conv_con2, (tile.m + 1) << 4U);
	stream.set(reg::cna_conv_con3, stride_one);
	stream.set(reg::cna_data_size0, size);
	stream.set(reg::cna_data_size1, (k - 1) << 16U | k);
	stream.set(reg::cna_data_size2, 1);
	stream.set(reg::cna_data_size3, tile.m);
	stream.set(reg::cna_weight_size0, tile.n * k * bytes);
	stream.set(reg::cna_weight_size1, k * bytes);
	stream.set(reg::cna_weight_size2, 1U << 24U | 1U << 16U | tile.n);
	stream.set(reg::cna_cbuf_con0,
		   tile.data_banks | weight_banks << 4U | (tile.data_reuse ? cbuf_data_reuse : 0U));
	/* Entries of a row, 64 bytes each. */
	stream.set(reg::cna_cbuf_con1, (k * bytes + 63) / 64);
	stream.set(reg::cna_cvt_con0, cvt_bypass);
	stream.set_range(reg::cna_cvt_con1, reg::cna_cvt_con4, cvt_identity);
	stream.set(reg::cna_fc_con0, 0);
	stream.set(reg::cna_fc_con1, 0);
	stream.set(reg::cna_pad_con0, 0);
	stream.set(reg::cna_feature_data_addr,
		   addresses.features + begin * bytes * m + tile.m0 * atom_bytes);
	stream.set(reg::cna_fc_con2, 0);
	stream.set(reg::cna_dma_con0, dma_burst);
	/*
	 * Rows in fours: a step of four atoms. A surface adds the rest of its m
	 * atoms, a negative number below four rows.
	 */
	stream.set(reg::cna_dma_con1, 4);
	stream.set(reg::cna_dma_con2, (m - 4) & 0x0fffffffU);
	stream.set(reg::cna_fc_data_size0, size);
	stream.set(reg::cna_fc_data_size1, k);
	stream.set(reg::cna_dcomp_ctrl, 0);
	stream.set(reg::cna_dcomp_regnum, 0);
	stream.set(reg::cna_dcomp_addr0,
		   static_cast<std::uint32_t>(addresses.weights + weights.slice_offset(tile.slice) +
					      std::size_t{tile.n0} * k * bytes));
	stream.set_range(reg::cna_dcomp_amount0, reg::cna_dcomp_amount15, 0);
	stream.set(reg::cna_cvt_con5, 0);
	stream.set(reg::cna_pad_con1, 0);
}

void emit_core(Stream &stream, Type type, const Tile &tile)
{
	stream.set(reg::core_misc_cfg, settings(type).misc_cfg);
	stream.set(reg::core_dataout_size_0, (tile.m - 1) << 16U);
	stream.set(reg::core_dataout_size_1, tile.n - 1);
	stream.set(reg::core_clip_truncate, 0);
	stream.set(reg::core_unnamed_3030, 0);
}

/// Results are surfaces of four channels, m atoms each.
void emit_dpu(Stream &stream, const WeightLayout &weights, std::uint32_t m, const Tile &tile,
	      const Addresses &addresses)
{
	const std::uint32_t surface = m * atom_bytes;
	const std::uint32_t surfaces = kernel_group(weights.type()) / 4;
	const std::uint32_t size_e = surfaces - 1;
	const std::size_t slice = std::size_t{weights.padded_n()} * m * sizeof(std::int32_t);
	const std::size_t offset = tile.slice * slice + std::size_t{tile.n0} / 4 * surface +
				   std::size_t{tile.m0} * atom_bytes;

	stream.set(reg::dpu_s_pointer, ping_pong);
	stream.set(reg::dpu_feature_mode_cfg, feature_mode);
	stream.set(reg::dpu_data_format, settings(weights.type()).data_format);
	stream.set(reg::dpu_offset_pend, 0);
	stream.set(reg::dpu_dst_base_addr, static_cast<std::uint32_t>(addresses.results + offset));
	stream.set(reg::dpu_dst_surf_stride, surface);
	stream.set(reg::dpu_data_cube_width, 0);
	stream.set(reg::dpu_data_cube_height, tile.m - 1);
	stream.set(reg::dpu_data_cube_notch, 0);
	stream.set(reg::dpu_data_cube_channel, (tile.n - 1) << 16U | (tile.n - 1));
	stream.set(reg::dpu_bs_cfg, bypass_bs_bn);
	stream.set(reg::dpu_bs_alu_cfg, 0);
	stream.set(reg::dpu_bs_mul_cfg, 0);
	stream.set(reg::dpu_bs_relux_cmp, 0);
	stream.set(reg::dpu_bs_ow_cfg, size_e << 8U | size_e << 5U | size_e << 2U | od_bypass);
	stream.set(reg::dpu_bs_ow_op, 0);
	stream.set(reg::dpu_wdma_size_0, tile.n - 1);
	stream.set(reg::dpu_wdma_size_1, (tile.m - 1) << 16U);
	stream.set(reg::dpu_bn_cfg, bypass_bs_bn);
	stream.set(reg::dpu_bn_alu_cfg, 0);
	stream.set(reg::dpu_bn_mul_cfg, 0);
	stream.set(reg::dpu_bn_relux_cmp, 0);
	stream.set(reg::dpu_ew_cfg, bypass_ew);
	stream.set(reg::dpu_ew_cvt_offset, 0);
	stream.set(reg::dpu_ew_cvt_scale, 1);
	stream.set(reg::dpu_ew_relux_cmp, 0);
	stream.set(reg::dpu_out_cvt_offset, 0);
	stream.set(reg::dpu_out_cvt_scale, 1);
	stream.set(reg::dpu_out_cvt_shift, 0);
	stream.set_range(reg::dpu_ew_op_value_0, reg::dpu_ew_op_value_7, 0);
	stream.set(reg::dpu_surface_add, surfaces * surface);
	stream.set(reg::dpu_unnamed_40c4, 0);
	stream.set_range(reg::dpu_lut_first, reg::dpu_lut_last, 0);
}

} // namespace

std::vector<std::uint64_t> emit(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
				const Addresses &addresses)
{
	Stream stream;

	emit_cna(stream, weights, m, tile, addresses);
	emit_core(stream, weights.type(), tile);
	emit_dpu(stream, weights, m, tile, addresses);
	return stream.take();
}

} // namespace npu::rknn
