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

/// What matters to the jobs of a context; see &enum drm_npu_class.
enum class SchedClass : std::uint8_t {
	/// Work done in the long run.
	throughput = DRM_NPU_CLASS_THROUGHPUT,
	/// Short work that is to end soon: first, as long as it takes no more than
	/// its part of the device.
	latency = DRM_NPU_CLASS_LATENCY,
	/// What others leave.
	background = DRM_NPU_CLASS_BACKGROUND,
};

/// A queue: its jobs run one after the other, the lanes of each side by side.
/// Moves, does not copy.
class Context
{
public:
	/// When jobs should have ended.
	using Deadline = std::chrono::steady_clock::time_point;
	/// It does not matter when.
	static constexpr Deadline no_deadline = Deadline::max();

	struct Options {
		/// Cores to use, one bit each; 0 means all.
		std::uint32_t core_mask = 0;
		/// Unfinished jobs at a time; 0 means the device's limit.
		std::uint32_t max_queued = 0;
		SchedClass sched_class = SchedClass::throughput;
		/// Share in proportion to others, up to DRM_NPU_WEIGHT_MAX; 0 means
		/// DRM_NPU_WEIGHT_DEFAULT, and without CAP_SYS_NICE no more is granted.
		std::uint32_t weight = 0;
	};

	/// \retval EINVAL a core that does not exist, too many jobs, too much weight
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
	/// once. Many at a time cost little more than one. Jobs with a @p deadline go
	/// before others of their class. \return the last's fence
	/// \retval EBUSY the queue is full; wait for an earlier job
	/// \retval E2BIG more jobs than a submit, or the queue, may have
	/// \retval EIO the device handle is banned: its jobs hung or faulted too often
	/// \retval ENODEV the device is gone
	Result<Fence> submit(std::span<const Job *const> jobs, Deadline deadline = no_deadline);
	/// Queue @p job.
	Result<Fence> submit(const Job &job, Deadline deadline = no_deadline);

	/// Another class, for all that no core has yet.
	Result<void> set_class(SchedClass sched_class);
	/// Another weight; see Options::weight.
	/// \retval EINVAL more than DRM_NPU_WEIGHT_MAX
	Result<void> set_weight(std::uint32_t weight);

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
	/// turn, those that run when the slices that cores have of them end.
	/// \return how many had not ended
	/// \retval ENOENT @p last was not submitted
	/// \retval EINVAL @p first is 0 or above @p last
	Result<std::uint32_t> cancel(std::uint64_t first, std::uint64_t last);

	/// Map the completion page.
	Result<CompletionPage> page() const;

	/// State and statistics; see the kernel-doc of the record.
	Result<drm_npu_query_context> statistics() const;

private:
	Result<Fence> queue(std::span<const drm_npu_submit_job> jobs, Deadline deadline);
	Result<void> set(const drm_npu_context_set &args);
	void release();

	std::shared_ptr<Driver> driver_;
	std::uint64_t page_offset_ = 0;
	std::uint32_t id_ = 0;
};

} // namespace npu
