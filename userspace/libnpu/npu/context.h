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
#include "npu/page.h"

namespace npu
{

/// The end of a job. A value; must not outlive its Context.
class Fence
{
public:
	Fence() = default;

	/// Wait until the job has ended.
	/// \retval ETIME not within @p timeout
	/// \retval ENOENT it ended too long ago; see Context::wait()
	/// \retval EFAULT, ETIMEDOUT, EOPNOTSUPP, ECANCELED, ENODEV and others:
	/// what the job ended with
	Result<void> wait(std::chrono::nanoseconds timeout = std::chrono::hours(24)) const;

	/// Sequence number of the job in its context.
	std::uint64_t seqno() const { return seqno_; }

private:
	friend class Context;

	Driver *driver_ = nullptr;
	std::uint32_t context_ = 0;
	std::uint64_t seqno_ = 0;
};

/// Which context gets a core first.
enum class Priority : std::uint8_t {
	low,
	normal,
	/// Before all others; needs CAP_SYS_NICE.
	high,
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
		Priority priority = Priority::normal;
	};

	/// \retval EINVAL a core that does not exist, or too many jobs
	/// \retval EACCES high priority without CAP_SYS_NICE
	/// \retval ENOSPC no room for more contexts
	static Result<Context> create(const Device &device, const Options &options);
	static Result<Context> create(const Device &device) { return create(device, Options()); }

	Context() = default;
	~Context();
	Context(Context &&other) noexcept;
	Context &operator=(Context &&other) noexcept;
	Context(const Context &) = delete;
	Context &operator=(const Context &) = delete;

	/// Queue @p jobs, in their order, all or none; a job may be there more than
	/// once. Many at a time cost little more than one. \return the last's fence
	/// \retval EBUSY the queue is full; wait for an earlier job
	/// \retval E2BIG more jobs than a submit, or the queue, may have
	/// \retval EIO the context is banned
	/// \retval ENODEV the device is gone
	Result<Fence> submit(std::span<const Job *const> jobs);
	/// Queue @p job.
	Result<Fence> submit(const Job &job);

	/// The fence of the job with sequence number @p seqno.
	Fence fence(std::uint64_t seqno) const;

	/// Wait until job @p seqno has ended or @p deadline has come, and say how
	/// far it is then. Neither running out of time nor a job that failed makes
	/// the call fail. The newest max_queued that have ended can be asked for.
	/// \retval ENOENT not submitted, or ended too long ago
	Result<JobStatus> wait(std::uint64_t seqno,
			       std::chrono::steady_clock::time_point deadline =
				       std::chrono::steady_clock::time_point::max()) const;

	/// End jobs @p first to @p last with ECANCELED: those that wait at their
	/// turn, those that run soon. \return how many had not ended
	/// \retval ENOENT @p last was not submitted
	/// \retval EINVAL @p first is 0 or above @p last
	Result<std::uint32_t> cancel(std::uint64_t first, std::uint64_t last);

	/// Map the completion page.
	Result<CompletionPage> page() const;

	/// State and statistics; see the kernel-doc of the record.
	Result<drm_npu_query_context> statistics() const;

private:
	Result<Fence> queue(std::span<const drm_npu_submit_job> jobs);
	void release();

	std::shared_ptr<Driver> driver_;
	std::uint64_t page_offset_ = 0;
	std::uint32_t id_ = 0;
};

} // namespace npu
