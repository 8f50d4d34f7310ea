/* SPDX-License-Identifier: MIT */
/*
 * Counters of a register-level board, and the kernel's context switches.
 */
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <npu/error.h>

namespace npu::bench
{

constexpr std::size_t most_cores = 3;

/// Counts since an unknown beginning, or between two moments.
struct Counters {
	std::uint64_t accesses = 0;
	std::uint64_t iommu_commands = 0;
	std::uint64_t interrupts = 0;
	/// Starts of each core.
	std::array<std::uint64_t, most_cores> starts{};
	/// Context switches of all threads, including kernel threads.
	std::uint64_t switches = 0;
};

/// Read the counters.
/// \retval ENODEV no board, or debugfs is not mounted or not readable
Result<Counters> read_counters();

/// The counts between @p before and @p after.
Counters operator-(const Counters &after, const Counters &before);

} // namespace npu::bench
