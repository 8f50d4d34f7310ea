/* SPDX-License-Identifier: MIT */
/*
 * Ordered queues and waiting for them.
 */
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "npu/device.h"
#include "npu/error.h"
#include "npu/job.h"

namespace npu
{

/// The end of a job. A value; must not outlive its Context.
class Fence
{
public:
	Fence() = default;

	/// Wait until the job has ended.
	/// \retval ETIME not within @p timeout
	/// \retval EFAULT, ETIMEDOUT, EOPNOTSUPP, ENODEV and others: what the
	/// job ended with
	Result<void> wait(std::chrono::nanoseconds timeout = std::chrono::hours(24)) const;

	/// Sequence number of the job in its context.
	std::uint64_t seqno() const { return seqno_; }

private:
	friend class Context;

	Driver *driver_ = nullptr;
	std::uint32_t context_ = 0;
	std::uint32_t syncobj_ = 0;
	std::uint64_t seqno_ = 0;
};

/// A queue: its jobs run one after the other, the lanes of each side by side.
/// Moves, does not copy.
class Context
{
public:
	struct Options {
		/// Cores to use, one bit each; 0 means all.
		std::uint32_t core_mask = 0;
		/// Unfinished jobs at a time; 0 means the device's limit.
		std::uint32_t max_queued = 0;
	};

	/// \retval EINVAL a core that does not exist, or too many jobs
	/// \retval ENOSPC no room for more contexts
	static Result<Context> create(const Device &device, const Options &options);
	static Result<Context> create(const Device &device) { return create(device, Options()); }

	Context() = default;
	~Context();
	Context(Context &&other) noexcept;
	Context &operator=(Context &&other) noexcept;
	Context(const Context &) = delete;
	Context &operator=(const Context &) = delete;

	/// Queue @p job.
	/// \retval EBUSY the queue is full; wait for an earlier fence
	/// \retval ENODEV the device is gone
	Result<Fence> submit(const Job &job);

	/// The fence of the job with sequence number @p seqno.
	Fence fence(std::uint64_t seqno) const;

	/// State and statistics; see the kernel-doc of the record.
	Result<drm_npu_query_context> statistics() const;

private:
	void release();

	std::shared_ptr<Driver> driver_;
	std::uint32_t id_ = 0;
	std::uint32_t syncobj_ = 0;
	std::uint64_t submitted_ = 0;
};

} // namespace npu
