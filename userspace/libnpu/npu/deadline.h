/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Until when to wait.
 */
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

#pragma GCC visibility push(default)
namespace npu
{

/// A point in time that ends a wait, or by which work should have ended: absolute,
/// CLOCK_MONOTONIC, in nanoseconds. A value; all waits of the library take one.
///
/// @code
/// fence.wait(npu::Deadline::in(std::chrono::milliseconds(20)));
/// @endcode
class Deadline
{
public:
	/// libstdc++'s steady clock is CLOCK_MONOTONIC.
	using Clock = std::chrono::steady_clock;

	/// The time @p at.
	constexpr Deadline(Clock::time_point at) : at_(at) {}

	/// No deadline: a wait for it only ends when what it waits for ends.
	static constexpr Deadline never() { return Clock::time_point::max(); }
	/// A time that has passed: a wait for it only looks.
	static constexpr Deadline immediately() { return Clock::time_point::min(); }
	/// The time @p duration from now; never() where no clock reaches that far.
	static Deadline in(std::chrono::nanoseconds duration)
	{
		const auto now = Clock::now();

		if (duration >= Clock::time_point::max() - now)
			return never();
		return duration <= duration.zero() ? immediately() : Deadline(now + duration);
	}
	/// The time at which CLOCK_MONOTONIC shows @p ns nanoseconds.
	static constexpr Deadline at_ns(std::int64_t ns)
	{
		return Clock::time_point(std::chrono::nanoseconds(ns));
	}

	/// The point in time; never() is Clock::time_point::max().
	constexpr Clock::time_point time() const { return at_; }
	/// Whether it is never().
	constexpr bool is_never() const { return at_ == Clock::time_point::max(); }
	/// As CLOCK_MONOTONIC shows it, in nanoseconds; 0 for what passed before the boot.
	constexpr std::int64_t monotonic_ns() const
	{
		const std::chrono::nanoseconds since_boot = at_.time_since_epoch();

		return std::max<std::int64_t>(0, since_boot.count());
	}

	/// Earlier is less; immediately() is before and never() after all others.
	auto operator<=>(const Deadline &) const = default;

private:
	Clock::time_point at_;
};

} // namespace npu
#pragma GCC visibility pop
