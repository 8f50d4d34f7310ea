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

/// The result of running a job.
struct FakeResult {
	int error = 0;
	std::uint64_t device_ns = 0;
	std::uint64_t read_bytes = 0;
};

class FakeContext
{
public:
	explicit FakeContext(const drm_npu_context_create &args);

	/// Implements CONTEXT_SET, for valid arguments only.
	void set(const drm_npu_context_set &args);
	/// Queue a job. \return its sequence number
	std::uint64_t queue();
	/// Ends the oldest queued job with @p result.
	void end(const FakeResult &result);
	/// Implements JOB_WAIT without waiting, since jobs do not end by themselves.
	int wait(drm_npu_job_wait &args) const;
	/// Implements JOB_CANCEL; cancelled jobs end in order.
	int cancel(drm_npu_job_cancel &args);
	/// The error of the oldest job if it was cancelled, 0 if it may run.
	int next_error() const { return static_cast<int>(jobs_[stats_.completed_seqno].error); }
	void ban();

	const drm_npu_query_context &stats() const { return stats_; }
	/// Shared, since mappings of the page outlive the context.
	const std::shared_ptr<drm_npu_context_page> &page() const { return page_; }

	/// Offset of pages in the device file; buffers have lower offsets.
	static constexpr std::uint64_t page_space = 1ULL << 40U;

private:
	drm_npu_query_context stats_{};
	/// Replies to JOB_WAIT, indexed by sequence number - 1.
	std::vector<drm_npu_job_wait> jobs_;
	std::shared_ptr<drm_npu_context_page> page_;
	std::uint64_t now_ = 1000;
};

} // namespace npu::test
