/* SPDX-License-Identifier: MIT */
#include "flying.h"

#include <algorithm>

#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Channels of a group when MRDMA feeds the DPU: HAP's int8 copies have one atom a
/// group (SIZE_E 0).
constexpr std::uint32_t flying_group = 16;

} // namespace

std::vector<std::vector<Run>> runs_of(const Layout &layout, std::uint32_t cores,
				      std::uint32_t elements)
{
	const std::uint32_t pixels = layout.pixels();
	const std::uint32_t channels = layout.read_channels();
	const std::uint32_t per_task = std::min(channels, max_flying_channels);
	const std::uint32_t width = std::clamp(elements / per_task, 1U, max_flying_width);
	const std::uint32_t lanes = std::min(cores, pixels);
	std::vector<std::vector<Run>> list(lanes);

	for (std::uint32_t lane = 0; lane < lanes; lane++) {
		const auto end =
			static_cast<std::uint32_t>(std::uint64_t{pixels} * (lane + 1) / lanes);

		for (auto at = static_cast<std::uint32_t>(std::uint64_t{pixels} * lane / lanes);
		     at < end; at += width)
			for (std::uint32_t channel = 0; channel < channels; channel += per_task)
				list[lane].push_back({at, std::min(width, end - at), channel,
						      std::min(per_task, channels - channel)});
	}
	return list;
}

Dpu flying_dpu(const Flying &task, Precision precision)
{
	Dpu dpu;

	dpu.feature_mode = dpu_flying;
	dpu.data_format = data_format(precision, precision, precision);
	dpu.destination = task.destination;
	dpu.surface_bytes = task.surface_atoms * atom_bytes;
	dpu.group_surfaces = flying_group / task.atom_channels;
	dpu.width = task.width;
	dpu.channels = task.channels;
	/* fp16 results hang the core without the conversion (measured, GN). */
	if (precision == Precision::fp16)
		dpu.out_scale = out_cvt_fp16;
	return dpu;
}

Rdma flying_rdma(const Flying &task, Precision precision)
{
	Rdma rdma;

	rdma.width = task.width;
	rdma.channels = task.channels;
	rdma.source = task.source;
	rdma.feature_mode = rdma_bursts | rdma_precision(precision) | rdma_flying;
	rdma.notch_atoms = task.surface_atoms - task.width;
	return rdma;
}

void set_operand(Rdma &rdma, const Flying &task, Precision precision, std::uint32_t address)
{
	rdma.erdma_cfg = erdma_per_pixel(precision);
	rdma.ew_operand = address;
	rdma.ew_surface_atoms = task.surface_atoms;
	rdma.ew_notch_atoms = task.surface_atoms - task.width;
	/* Measured values differ: COMB_USE is 4 for fp16 (GN), 0 for integers (HAP). */
	if (precision == Precision::fp16)
		rdma.feature_mode |= rdma_apart;
}

Task emit_flying(const Dpu &dpu, const Rdma &rdma)
{
	Stream stream;

	dpu.emit(stream);
	rdma.emit(stream);
	return {stream.take(), enable_flying};
}

} // namespace npu::rknn
