/* SPDX-License-Identifier: MIT */
/*
 * Clients that submit the smallest job repeatedly, to measure the cost of a submit.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <npu/device.h>
#include <npu/error.h>

namespace npu::bench
{

/// How a client submits.
enum class Mode : std::uint8_t {
	/// Keep the queue full, one job per call.
	single,
	/// Keep the queue full, 16 or 64 jobs per call.
	batch16,
	batch64,
	/// One job at a time; wait with an ioctl.
	sync_wait,
	/// One job at a time; wait on the completion page.
	sync_page,
};

/// Jobs that a call submits.
constexpr std::uint32_t batch_of(Mode mode)
{
	switch (mode) {
	case Mode::batch16:
		return 16;
	case Mode::batch64:
		return 64;
	default:
		return 1;
	}
}

/// Reads the CPU's cycle counter without a system call, even where reading the clock needs one.
std::uint64_t ticks();

/// Durations of calls in ticks. reserve() keeps add() cheap.
class CallTimes
{
public:
	void reserve(std::size_t count) { calls_.reserve(count); }
	void clear() { calls_.clear(); }
	void add(std::uint64_t began) { calls_.push_back(ticks() - began); }
	const std::vector<std::uint64_t> &calls() const { return calls_; }

private:
	std::vector<std::uint64_t> calls_;
};

/// A client with a queue of its own.
class SubmitClient
{
public:
	virtual ~SubmitClient() = default;

	/// Submit @p jobs jobs, a multiple of the batch, and wait for the last.
	virtual Result<void> run(Mode mode, std::uint32_t jobs, CallTimes &times) = 0;

	/// Checks that jobs succeed: a benchmark of rejected jobs would be too fast.
	virtual Result<void> verify() = 0;
};

/// Jobs of @p lanes lanes of @p tasks tasks, created once and submitted through libnpu in their own
/// context.
Result<std::unique_ptr<SubmitClient>> prepared_client(const Device &device, std::uint32_t lanes,
						      std::uint32_t tasks);

/// Jobs of @p tasks tasks, submitted through mainline's rocket ioctls. Each job of a call has its
/// own stream, which is the same in each call unless @p changing.
Result<std::unique_ptr<SubmitClient>> rocket_client(std::shared_ptr<Driver> driver,
						    std::uint32_t tasks, bool changing);

} // namespace npu::bench
