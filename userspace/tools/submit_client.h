/* SPDX-License-Identifier: MIT */
/*
 * Clients that submit the smallest job again and again, for measuring what a
 * submit costs.
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
	/// The queue is kept busy, one job a call.
	single,
	/// So many a call.
	batch16,
	batch64,
	/// A job at a time, each awaited with a call of the kernel.
	sync_wait,
	/// A job at a time, each awaited on the completion page.
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

/// The processor's counter: no system call, not even where reading the clock is
/// one.
std::uint64_t ticks();

/// How long calls took, in ticks. Room is made before, so adding costs little.
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

	/// Whether jobs end well; a benchmark of refused ones would be too good.
	virtual Result<void> verify() = 0;
};

/// Jobs of @p lanes lanes of @p tasks tasks, made once and submitted through libnpu
/// in a context of their own.
Result<std::unique_ptr<SubmitClient>> prepared_client(const Device &device, std::uint32_t lanes,
						      std::uint32_t tasks);

/// Streams in a buffer and the calls of mainline's rocket driver, for jobs of
/// @p tasks tasks. Each job of a call has a stream of its own, which is the same one each
/// time, unless @p changing.
Result<std::unique_ptr<SubmitClient>> rocket_client(std::shared_ptr<Driver> driver,
						    std::uint32_t tasks, bool changing);

} // namespace npu::bench
