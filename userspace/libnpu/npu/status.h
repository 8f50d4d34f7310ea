/* SPDX-License-Identifier: MIT */
/**
 * @file
 * How far a job is, and what it took.
 */
#pragma once

#include <cstdint>
#include <optional>

#pragma GCC visibility push(default)
namespace npu
{

/// Where a job went wrong, as far as the device tells.
struct JobFault {
	/// The lane that went wrong first.
	std::uint32_t lane = 0;
	/// The task, or the first of @ref task_count of which it was one.
	std::uint32_t task = 0;
	std::uint32_t task_count = 0;
	/// The device address that was refused.
	std::optional<std::uint64_t> address;
};

/// What the slices of a job have done so far. A number is 0 where the device does not count;
/// DeviceInfo tells what it counts.
struct JobCounters {
	/// Multiply-accumulates of all tasks.
	std::uint64_t macs = 0;
	/// Bytes read and written; @ref sram_bytes of both were on the chip.
	std::uint64_t read_bytes = 0;
	std::uint64_t written_bytes = 0;
	std::uint64_t sram_bytes = 0;
	/// Device time of all lanes, in nanoseconds, that went into start-up and drain of tasks,
	/// and into waits for system memory and for on-chip memory.
	std::uint64_t start_ns = 0;
	std::uint64_t memory_stall_ns = 0;
	std::uint64_t sram_stall_ns = 0;
	/// Cores that its slices have run on, a bit each.
	std::uint32_t core_mask = 0;
};

enum class JobState : std::uint8_t {
	/// No lane has started.
	queued,
	/// A lane has started.
	running,
	/// It has ended, well or not.
	ended,
};

/// How far a submitted job is. Times are nanoseconds of CLOCK_MONOTONIC.
struct JobStatus {
	JobState state = JobState::queued;
	/// Positive errno of a job that has ended, 0 if well.
	int error = 0;
	std::uint64_t queued_ns = 0;
	/// When its first lane was started; 0 if it never was.
	std::uint64_t started_ns = 0;
	/// When its last lane ended; 0 while it has not.
	std::uint64_t ended_ns = 0;
	/// Device time of its longest lane, in nanoseconds; modelled on a virtual device.
	std::uint64_t device_ns = 0;
	/// If a lane hung, faulted or could not be run. Not told by the completion page.
	std::optional<JobFault> fault = std::nullopt;
	/// Not told by the completion page.
	JobCounters counters = {};

	bool ended() const { return state == JobState::ended; }
};

} // namespace npu
#pragma GCC visibility pop
