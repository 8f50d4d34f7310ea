/* SPDX-License-Identifier: MIT */
/*
 * What a context has done, read without a system call.
 */
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "npu/device.h"
#include "npu/error.h"

namespace npu
{

/// Where a job went wrong, as far as the device tells.
struct JobFault {
	std::uint32_t lane = 0;
	/// The task, or the first of @p task_count of which it was one.
	std::uint32_t task = 0;
	std::uint32_t task_count = 0;
	/// The device address that was refused.
	std::optional<std::uint64_t> address;
};

/// How far a submitted job is. Times are nanoseconds of CLOCK_MONOTONIC.
struct JobStatus {
	drm_npu_job_state state = DRM_NPU_JOB_QUEUED;
	/// Positive errno of a job that has ended, 0 if well.
	int error = 0;
	std::uint64_t queued_ns = 0;
	/// When its first lane was started; 0 if it never was.
	std::uint64_t started_ns = 0;
	/// When its last lane ended; 0 while it has not.
	std::uint64_t ended_ns = 0;
	/// What the device took, the longest lane; modelled on a virtual device.
	std::uint64_t device_ns = 0;
	/// If a lane hung, faulted or could not be run. Not told by the completion page.
	std::optional<JobFault> fault;

	bool ended() const { return state == DRM_NPU_JOB_ENDED; }
};

/// The completion page of a context. A value: copies share the mapping, which
/// also outlives the context.
class CompletionPage
{
public:
	CompletionPage() = default;

	/// All jobs up to this one have ended, and what they wrote is visible.
	std::uint64_t completed() const;
	/// The newest job that ended with an error, 0 if none.
	std::uint64_t failed() const;
	/// The context takes no more jobs.
	bool banned() const;

	/// How job @p seqno ended, if the page still tells of it: it does of the
	/// last DRM_NPU_PAGE_JOBS that ended.
	std::optional<JobStatus> times(std::uint64_t seqno) const;

	/// How long wait() looks at the page before it goes to sleep: about what
	/// going to sleep and waking up take, so that at worst it doubles. 0 where
	/// there is one processor, for nothing else can happen on it meanwhile.
	static std::chrono::nanoseconds default_spin();

	/// Wait until job @p seqno has ended or @p deadline has come, and say how
	/// far it is then. Looks at the page for up to @p spin, which costs no
	/// system call when the job is short, then sleeps in JOB_WAIT. 0 as
	/// @p spin is for a single look.
	/// \retval ENOENT no such job, or none any more, or the context has gone
	Result<JobStatus> wait(std::uint64_t seqno,
			       std::chrono::steady_clock::time_point deadline =
				       std::chrono::steady_clock::time_point::max(),
			       std::chrono::nanoseconds spin = default_spin()) const;

private:
	friend class Context;
	class Mapping;

	bool spin_until(std::uint64_t seqno, std::chrono::nanoseconds spin) const;

	std::shared_ptr<const Mapping> mapping_;
	std::uint32_t context_ = 0;
};

} // namespace npu
