/* SPDX-License-Identifier: MIT */
/*
 * Times as the kernel takes them.
 */
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace npu
{

/// @p deadline for the kernel, which compares with CLOCK_MONOTONIC.
inline std::int64_t kernel_deadline(std::chrono::steady_clock::time_point deadline)
{
	/* libstdc++'s steady clock is CLOCK_MONOTONIC. */
	const auto since_boot = deadline.time_since_epoch();

	return std::max<std::int64_t>(
		0, std::chrono::duration_cast<std::chrono::nanoseconds>(since_boot).count());
}

/// The time @p timeout from now, or never where that is beyond all times.
inline std::chrono::steady_clock::time_point deadline_after(std::chrono::nanoseconds timeout)
{
	using Clock = std::chrono::steady_clock;
	const auto now = Clock::now();

	return timeout > Clock::time_point::max() - now ? Clock::time_point::max() : now + timeout;
}

} // namespace npu
