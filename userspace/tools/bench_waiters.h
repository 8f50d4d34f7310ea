/* SPDX-License-Identifier: MIT */
/*
 * How long interrupts are off when a job ends for which many threads wait.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/device.h>
#include <npu/error.h>

namespace npu::bench
{

/// Threads that wait for a job, and what its end has taken with interrupts off.
struct WaitersRow {
	std::uint32_t threads;
	/// The longest, and the median of all rounds.
	std::uint64_t longest_ns;
	std::uint64_t median_ns;
};

/// Measure with each of the numbers of @p threads, some rounds of each. Needs the driver's
/// files in debugfs.
/// \retval ENOENT, EACCES the files cannot be had
Result<std::vector<WaitersRow>> measure_waiters(const Device &device, std::uint32_t rounds,
						const std::vector<std::uint32_t> &threads);

} // namespace npu::bench
