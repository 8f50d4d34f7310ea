/* SPDX-License-Identifier: MIT */
/*
 * A context of the device without a kernel: its jobs, statistics and page.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <npu_accel.h>

namespace npu::test
{

/// What running a job has come to.
struct FakeResult {
	int error = 0;
	std::uint64_t device_ns = 0;
	std::uint64_t read_bytes = 0;
};

class FakeContext
{
public:
	explicit FakeContext(const drm_npu_context_create &args);

	/// Answer CONTEXT_SET, which asks for nothing unknown.
	void set(const drm_npu_context_set &args);
	/// Queue a job. \return its sequence number
	std::uint64_t queue();
	/// The oldest job that has not ended ends with @p result.
	void end(const FakeResult &result);
	/// Answer JOB_WAIT: jobs do not end by themselves, so there is no waiting.
	int wait(drm_npu_job_wait &args) const;
	/// Answer JOB_CANCEL; jobs to cancel end at their turn.
	int cancel(drm_npu_job_cancel &args);
	/// The error that the oldest job is to end with, 0 if it may run.
	int next_error() const { return static_cast<int>(jobs_[stats_.completed_seqno].error); }
	void ban();

	const drm_npu_query_context &stats() const { return stats_; }
	/// Shared, since mappings of it outlive the context.
	const std::shared_ptr<drm_npu_context_page> &page() const { return page_; }

	/// Where pages are in the device file; buffers are below.
	static constexpr std::uint64_t page_space = 1ULL << 40U;

private:
	drm_npu_query_context stats_{};
	/// As JOB_WAIT reports them, by sequence number less 1.
	std::vector<drm_npu_job_wait> jobs_;
	std::shared_ptr<drm_npu_context_page> page_;
	std::uint64_t now_ = 1000;
};

} // namespace npu::test
