/* SPDX-License-Identifier: MIT */
/*
 * The cost of creating jobs.
 */
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <npu/device.h>
#include <npu/error.h>

namespace npu::bench
{

/// A row for jobs of one lane with this many tasks.
struct CreateRow {
	std::uint32_t tasks;
	/// Commands of a task, as the client writes them.
	std::uint32_t commands;
	/// Time to create and destroy a job, the median of all rounds.
	double ns_per_job;
	double ns_per_task;
};

/// Measure jobs of 1 to 4095 tasks, each round for about @p time.
Result<std::vector<CreateRow>> measure_create(const Device &device, std::uint32_t rounds,
					      std::chrono::milliseconds time);

} // namespace npu::bench
