/* SPDX-License-Identifier: MIT */
/*
 * Tasks of the DPU alone: MRDMA feeds it from memory ("flying").
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/task.h>

#include "blocks.h"
#include "rknn/tensor.h"

namespace npu::rknn
{

/// Most pixels in a row of such a task: wider ones corrupt results (measured, GN).
constexpr std::uint32_t max_flying_width = 4096;
/// Most channels of such a task (HAP).
constexpr std::uint32_t max_flying_channels = 1024;

/// A run of pixels and channels of a feature map.
struct Run {
	std::uint32_t pixel = 0;
	std::uint32_t pixels = 0;
	std::uint32_t channel = 0;
	std::uint32_t channels = 0;

	/// Byte offset of the run in a map of @p layout.
	std::uint32_t offset(const Layout &layout) const
	{
		return layout.offset(channel, 0) + pixel * atom_bytes;
	}
};

/// Share out the pixels of @p layout to up to @p cores cores, in runs of at most
/// @p elements elements.
std::vector<std::vector<Run>> runs_of(const Layout &layout, std::uint32_t cores,
				      std::uint32_t elements);

/// The size and addresses of a task.
struct Flying {
	/// One row of pixels: nothing taller is measured with integers (GN).
	std::uint32_t width = 0;
	std::uint32_t channels = 0;
	/// Atoms between surfaces of all operands.
	std::uint32_t surface_atoms = 0;
	/// Channels of an atom of the results.
	std::uint32_t atom_channels = 0;
	std::uint32_t source = 0;
	std::uint32_t destination = 0;
};

/// DPU and DPU_RDMA without any arithmetic, in @p precision.
Dpu flying_dpu(const Flying &task, Precision precision);
Rdma flying_rdma(const Flying &task, Precision precision);

/// Have ERDMA fetch the second operand at @p address.
void set_operand(Rdma &rdma, const Flying &task, Precision precision, std::uint32_t address);

Task emit_flying(const Dpu &dpu, const Rdma &rdma);

} // namespace npu::rknn
