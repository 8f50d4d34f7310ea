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
	/// Number of tasks in one of which the lane went wrong; 1 where the device tells which.
	std::uint32_t task_count = 0;
	/// The device address that was refused.
	std::optional<std::uint64_t> address;
};

/// What the slices of a job have done so far. A number is 0 where the device does not count;
/// DeviceInfo tells what it counts.
struct JobCounters {
	/// Multiply-accumulates of all tasks, which the kernel has counted in the streams.
	std::uint64_t macs = 0;
	/// Bytes read.
	std::uint64_t read_bytes = 0;
	/// Bytes written.
	std::uint64_t written_bytes = 0;
	/// Part of @ref read_bytes and @ref written_bytes that was on the chip.
	std::uint64_t sram_bytes = 0;
	/// Device time of all lanes, in nanoseconds, that start-up and drain of tasks have
	/// taken.
	std::uint64_t start_ns = 0;
	/// Device time of all lanes, in nanoseconds, in waits for system memory.
	std::uint64_t memory_stall_ns = 0;
	/// Device time of all lanes, in nanoseconds, in waits for on-chip memory.
	std::uint64_t sram_stall_ns = 0;
	/// Cores that its slices have run on, a bit each.
	std::uint32_t core_mask = 0;
};

/// How far a job is.
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
	/// How far it is.
	JobState state = JobState::queued;
	/// Positive errno of a job that has ended, 0 if well.
	int error = 0;
	/// When it was submitted; 0 for a fence of whose job the kernel does not tell any more.
	std::uint64_t queued_ns = 0;
	/// When its first lane was started; 0 if it never was.
	std::uint64_t started_ns = 0;
	/// When its last lane ended; 0 while it has not.
	std::uint64_t ended_ns = 0;
	/// Device time of its longest lane, in nanoseconds; modelled on a virtual device.
	std::uint64_t device_ns = 0;
	/// If a lane hung, faulted or could not be run. Not told by the completion page.
	std::optional<JobFault> fault = std::nullopt;
	/// What its slices have done so far. Not told by the completion page.
	JobCounters counters = {};

	/// Whether it has ended, well or not.
	bool ended() const { return state == JobState::ended; }
};

} // namespace npu
#pragma GCC visibility pop
