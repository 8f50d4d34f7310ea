/* SPDX-License-Identifier: MIT */
/*
 * Measures how long interrupts are off when a job with many waiters ends.
 */
#pragma once

#include <cstdint>
#include <vector>

#include <npu/device.h>
#include <npu/error.h>

namespace npu::bench
{

/// Number of threads that wait for a job, and the time with interrupts off at its end.
struct WaitersRow {
	std::uint32_t threads;
	/// The longest, and the median of all rounds.
	std::uint64_t longest_ns;
	std::uint64_t median_ns;
};

/// Measures several rounds for each number in @p threads. Needs the driver's debugfs files.
/// \retval ENOENT, EACCES these files are missing or not accessible
Result<std::vector<WaitersRow>> measure_waiters(const Device &device, std::uint32_t rounds,
						const std::vector<std::uint32_t> &threads);

} // namespace npu::bench
