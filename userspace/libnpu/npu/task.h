/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a core runs: command streams, one after the other.
 */
#pragma once

#include <cstdint>
#include <vector>

#pragma GCC visibility push(default)
namespace npu
{

/// A command stream; its commands are copied when the job is created.
struct Task {
	/// 64 bit commands of the device's dialect.
	std::vector<std::uint64_t> commands;
	/// Hardware blocks to start.
	std::uint32_t enable = 0;
	/// Estimate of its device time in nanoseconds; 0 if not known.
	std::uint32_t cost_ns = 0;
};

/// Tasks that run on one core, in order.
using Lane = std::vector<Task>;

} // namespace npu
#pragma GCC visibility pop
