/* SPDX-License-Identifier: MIT */
#include <bit>

#include "blocks.h"
#include "rknn/convolution.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Emits the tiles of a plan.
class Emitter
{
public:
	Emitter(const ConvolutionPlan &plan, const ConvolutionAddresses &addresses)
		: plan_(plan), c_(plan.convolution()), addresses_(addresses),
		  precision_(precision_of(c_.type))
	{
	}

	Task emit(const ConvolutionTile &tile) const
	{
		Stream stream;

		cna(tile).emit(stream);
		core(tile).emit(stream);
		dpu(tile).emit(stream);
		rdma(tile).emit(stream);
		return {stream.take(), enable_convolution_operands};
	}

private:
	Cna cna(const ConvolutionTile &tile) const;
	Core core(const ConvolutionTile &tile) const;
	Dpu dpu(const ConvolutionTile &tile) const;
	Rdma rdma(const ConvolutionTile &tile) const;

	void requantise(const Requantisation &requantisation, Dpu &dpu) const;
	void activate(std::uint32_t ceiling, Dpu &dpu) const;
	void add(const Requantisation &requantisation, Dpu &dpu) const;

	std::uint32_t width() const { return plan_.output().shape().width; }
	std::uint32_t bytes() const { return element_bytes(c_.type); }
	bool records() const { return !plan_.requantisations().front().factors.empty(); }

	const ConvolutionPlan &plan_;
	const Convolution &c_;
	const ConvolutionAddresses &addresses_;
	Precision precision_;
};

Cna Emitter::cna(const ConvolutionTile &tile) const
{
	/* Depthwise tasks read as many channels as they write. */
	const std::uint32_t channels = c_.depthwise ? tile.channels : plan_.kernel_channels();
	const std::uint32_t window = c_.kernel.width * c_.kernel.height * bytes();
	Cna cna;

	cna.conv_con1 = conv_precision(c_.type) | (c_.depthwise ? conv_depthwise : 0);
	/* Rows of the task plus those of the kernel; affects the prefetch (ALLB). */
	cna.grains = tile.in_height + (c_.kernel.height - 1) * c_.dilation.height + 1;
	cna.conv_con3 = c_.stride.width | c_.stride.height << 3U | (c_.dilation.width - 1) << 16U |
			(c_.dilation.height - 1) << 21U;
	cna.width = c_.input.width;
	cna.height = tile.in_height;
	cna.channels = channels;
	cna.out_width = width();
	cna.out_height = tile.out_height;
	cna.kernels = c_.depthwise ? 1 : tile.channels;
	cna.kernel_width = c_.kernel.width;
	cna.kernel_height = c_.kernel.height;
	cna.kernel_bytes = window * channels;
	cna.data_banks = tile.data_banks;
	cna.reuse = tile.weight_reuse ? cbuf_weight_reuse : 0;
	cna.entries = feature_entries(c_.input.width, channels * bytes());
	cna.pad_left = c_.pads.left;
	cna.pad_top = tile.pad_top;
	/* The hardware reads one byte for each lane (measured, GN). */
	if (c_.type == Type::int8)
		cna.pad_value =
			(static_cast<std::uint32_t>(c_.input_quantisation.zero_point) & 0xffU) *
			0x01010101U;
	cna.features =
		addresses_.input + plan_.input().offset(c_.depthwise ? tile.channel : 0, tile.in_y);
	cna.weights = addresses_.weights +
		      tile.channel * window * (c_.depthwise ? 1 : plan_.kernel_channels());
	cna.line_atoms = 4 * c_.input.width;
	cna.surface_atoms = plan_.input().surface_atoms() - 4 * c_.input.width;
	return cna;
}

Core Emitter::core(const ConvolutionTile &tile) const
{
	Core core;

	core.misc_cfg = code(precision_) << 8U | (c_.depthwise ? core_depthwise : 0) |
			(c_.type == Type::int8 ? core_sums : 0);
	core.width = width();
	core.height = tile.out_height;
	core.channels = tile.channels;
	return core;
}

Dpu Emitter::dpu(const ConvolutionTile &tile) const
{
	const Requantisation &requantisation = plan_.requantisations()[tile.requantisation];
	const std::uint32_t group =
		c_.depthwise ? 4 * plan_.output().atom_channels() : kernel_group(c_.type);
	Dpu dpu;

	dpu.feature_mode = c_.depthwise ? dpu_from_depthwise : dpu_from_core;
	dpu.data_format = data_format(precision_, precision_, precision_);
	dpu.destination = addresses_.output + plan_.output().offset(tile.channel, tile.out_y);
	dpu.surface_bytes = plan_.output().surface_atoms() * atom_bytes;
	dpu.group_surfaces = group / plan_.output().atom_channels();
	dpu.width = width();
	dpu.height = tile.out_height;
	dpu.channels = tile.channels;
	dpu.bs_cfg = stage_alu_add | stage_alu_memory | stage_mul_off | stage_relu_off;
	if (c_.type == Type::int8)
		requantise(requantisation, dpu);
	else
		dpu.out_scale = out_cvt_fp16;
	if (c_.residual)
		add(requantisation, dpu);
	if (c_.activation != Activation::none)
		activate(requantisation.ceiling, dpu);
	return dpu;
}

void Emitter::requantise(const Requantisation &requantisation, Dpu &dpu) const
{
	dpu.ow_cfg = 0;
	dpu.ow_op = static_cast<std::uint32_t>(-c_.weight_zero_point) & 0xffffU;
	if (records()) {
		dpu.bs_cfg &= ~stage_mul_off;
		dpu.bs_mul = stage_mul(0, requantisation.shift) | stage_mul_memory;
		/* Negative products have a shift field of their own (measured, GN). */
		dpu.data_format |= requantisation.shift << 4U;
	}
	dpu.out_offset = static_cast<std::uint32_t>(c_.output_quantisation.zero_point);
	dpu.out_scale = requantisation.output.factor;
	dpu.out_shift = requantisation.output.shift;
}

/// ReLU of BN, or of EW after an addition.
void Emitter::activate(std::uint32_t ceiling, Dpu &dpu) const
{
	const bool bounded =
		c_.activation == Activation::relu6 && (c_.type == Type::fp16 || ceiling);
	const std::uint32_t bound =
		c_.type == Type::fp16 ? std::bit_cast<std::uint32_t>(6.0F) : ceiling;

	if (c_.residual) {
		dpu.ew_cfg = (dpu.ew_cfg & ~ew_relu_off) | (bounded ? ew_relux : 0);
		dpu.ew_relux = bounded ? bound : 0;
	} else {
		dpu.bn_cfg = stage_alu_off | stage_mul_off | (bounded ? stage_relux : 0);
		dpu.bn_relux = bounded ? bound : 0;
	}
}

/// The residual, converted to the unit of the sums.
void Emitter::add(const Requantisation &requantisation, Dpu &dpu) const
{
	dpu.ew_cfg = ew_memory(precision_, static_cast<std::uint32_t>(EwAlgorithm::add)
						   << ew_algorithm) |
		     ew_relu_off;
	if (c_.type == Type::fp16)
		return;
	dpu.ew_cfg |= ew_cvt_add_first;
	dpu.ew_cvt_offset = static_cast<std::uint32_t>(-c_.residual_quantisation.zero_point);
	dpu.ew_cvt_scale = requantisation.residual.factor | requantisation.residual.shift << 16U;
}

Rdma Emitter::rdma(const ConvolutionTile &tile) const
{
	const Layout &output = plan_.output();
	const std::uint32_t surface = output.surface_atoms();
	Rdma rdma;

	rdma.width = width();
	rdma.height = tile.out_height;
	rdma.channels = tile.channels;
	rdma.brdma_cfg = records() ? brdma_records : brdma_alu;
	/* A record has 64 bytes for eight channels; biases alone have four bytes each. */
	rdma.bs_operands = addresses_.bias + tile.channel * (records() ? 8U : 4U);
	rdma.feature_mode =
		rdma_bursts | rdma_precision(precision_) | (c_.depthwise ? rdma_depthwise : 0);
	if (!c_.residual) {
		rdma.feature_mode |= rdma_main_off;
		return rdma;
	}
	/* MRDMA and ERDMA take turns: each skips the other's surface. */
	rdma.feature_mode |= rdma_both_ew;
	rdma.source = addresses_.residual + output.offset(tile.channel, tile.out_y);
	rdma.ew_operand = rdma.source + surface * atom_bytes;
	rdma.erdma_cfg = erdma_per_pixel(precision_);
	rdma.ew_surface_atoms = surface;
	rdma.notch_atoms = 2 * surface - width() * tile.out_height;
	rdma.ew_notch_atoms = rdma.notch_atoms;
	return rdma;
}

} // namespace

std::vector<Lane> emit(const ConvolutionPlan &plan, const ConvolutionAddresses &addresses)
{
	const Emitter emitter(plan, addresses);
	std::vector<Lane> lanes;

	for (const auto &tiles : plan.lanes()) {
		Lane &lane = lanes.emplace_back();
		for (const ConvolutionTile &tile : tiles)
			lane.push_back(emitter.emit(tile));
	}
	return lanes;
}

} // namespace npu::rknn
