/* SPDX-License-Identifier: MIT */
/*
 * The smallest possible job, with which benchmarks measure the overhead of the driver.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <rknn/matmul.h>

namespace npu::bench::small_job
{

/// A row with one group of kernels.
constexpr std::uint32_t channels = 32;

/// The parts of one buffer that the job uses.
constexpr std::uint32_t weights_offset = 0;
constexpr std::uint32_t features_offset = 1024;
constexpr std::uint32_t results_offset = 2048;
constexpr std::uint32_t buffer_bytes = 4096;

/// The stream of a task, with operands in one buffer and results in another.
inline std::vector<std::uint64_t> stream(std::uint32_t operands, std::uint32_t results)
{
	const rknn::WeightLayout layout(rknn::Type::int8, channels, channels);
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, 1, 1);

	return rknn::emit(layout, 1, plan.lanes.front().front(),
			  {.features = operands + features_offset,
			   .weights = operands + weights_offset,
			   .results = results + results_offset});
}

} // namespace npu::bench::small_job
