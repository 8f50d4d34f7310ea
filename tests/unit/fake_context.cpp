/* SPDX-License-Identifier: MIT */
#include "fake_context.h"

#include <cerrno>
#include <cstddef>

namespace npu::test
{

FakeContext::FakeContext(const drm_npu_context_create &args)
	: page_(std::make_shared<drm_npu_context_page>())
{
	page_->version = DRM_NPU_PAGE_VERSION;
	page_->job_count = DRM_NPU_PAGE_JOBS;
	page_->job_stride = sizeof(page_->jobs[0]);
	page_->jobs_offset = offsetof(drm_npu_context_page, jobs);
	stats_.core_mask = args.core_mask;
	stats_.max_queued = args.max_queued;
	stats_.sched_class = args.sched_class;
	stats_.weight = args.weight;
}

void FakeContext::set(const drm_npu_context_set &args)
{
	if (args.flags & DRM_NPU_CONTEXT_SET_CLASS)
		stats_.sched_class = args.sched_class;
	if (args.flags & DRM_NPU_CONTEXT_SET_WEIGHT)
		stats_.weight = args.weight;
}

std::uint64_t FakeContext::queue()
{
	drm_npu_job_wait job{};

	job.state = DRM_NPU_JOB_QUEUED;
	job.queued_ns = now_++;
	jobs_.push_back(job);
	return ++stats_.submitted_seqno;
}

void FakeContext::end(const FakeResult &result)
{
	const std::uint64_t seqno = ++stats_.completed_seqno;
	drm_npu_job_wait &job = jobs_[seqno - 1];
	drm_npu_page_job &told = page_->jobs[seqno % DRM_NPU_PAGE_JOBS];

	job.state = DRM_NPU_JOB_ENDED;
	job.error = static_cast<std::uint32_t>(result.error);
	job.started_ns = now_++;
	job.ended_ns = now_++;
	job.device_ns = result.device_ns;
	job.read_bytes = result.read_bytes;
	stats_.device_ns += result.device_ns;
	stats_.read_bytes += result.read_bytes;
	if (result.error == EFAULT) {
		job.fault_flags = DRM_NPU_JOB_FAULT_TASK | DRM_NPU_JOB_FAULT_ADDRESS;
		job.fault_lane = 1;
		job.fault_task = 2;
		job.fault_task_count = 3;
		job.fault_address = 0x4000;
	}
	if (result.error) {
		stats_.failed_jobs++;
		stats_.failed_seqno = seqno;
		stats_.failed_errno = job.error;
		page_->failed_seqno = seqno;
	}
	told = {
		.seqno = seqno,
		.queued_ns = job.queued_ns,
		.started_ns = job.started_ns,
		.ended_ns = job.ended_ns,
		.device_ns = job.device_ns,
		.error = job.error,
		.pad = 0,
		.reserved = {},
	};
	page_->completed_seqno = seqno;
}

int FakeContext::wait(drm_npu_job_wait &args) const
{
	if (!args.seqno || args.seqno > jobs_.size())
		return -ENOENT;
	const drm_npu_job_wait &job = jobs_[args.seqno - 1];
	args.state = job.state;
	args.error = job.state == DRM_NPU_JOB_ENDED ? job.error : 0;
	args.queued_ns = job.queued_ns;
	args.started_ns = job.started_ns;
	args.ended_ns = job.ended_ns;
	args.device_ns = job.device_ns;
	args.read_bytes = job.read_bytes;
	args.fault_flags = job.fault_flags;
	args.fault_lane = job.fault_lane;
	args.fault_task = job.fault_task;
	args.fault_task_count = job.fault_task_count;
	args.fault_address = job.fault_address;
	return 0;
}

int FakeContext::cancel(drm_npu_job_cancel &args)
{
	if (!args.first_seqno || args.first_seqno > args.last_seqno)
		return -EINVAL;
	if (args.last_seqno > jobs_.size())
		return -ENOENT;
	args.cancelled = 0;
	for (std::uint64_t seqno = args.first_seqno; seqno <= args.last_seqno; seqno++) {
		drm_npu_job_wait &job = jobs_[seqno - 1];

		if (job.state == DRM_NPU_JOB_ENDED)
			continue;
		job.error = ECANCELED;
		args.cancelled++;
	}
	return 0;
}

void FakeContext::ban()
{
	stats_.flags = DRM_NPU_CONTEXT_BANNED;
	page_->flags = DRM_NPU_CONTEXT_BANNED;
}

} // namespace npu::test
