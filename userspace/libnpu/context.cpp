/* SPDX-License-Identifier: MIT */
#include "npu/context.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "deadline.h"
#include "job_wait.h"
#include "page_mapping.h"

namespace npu
{

namespace
{

/// What to do about a context that is refused.
const char *create_advice(int code)
{
	switch (code) {
	case EINVAL:
		return " (a core that does not exist, more queued jobs than the limit, or more "
		       "weight)";
	case ENOSPC:
		return " (the file has as many as it may have)";
	default:
		return "";
	}
}

/// As the kernel wants it: 0 is none, so what has passed long ago is 1.
std::uint64_t submit_deadline(Context::Deadline deadline)
{
	if (deadline == Context::no_deadline)
		return 0;
	const auto since = std::chrono::nanoseconds(deadline.time_since_epoch());
	return static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 1));
}

/// What to do about jobs that are refused.
const char *submit_advice(int code)
{
	switch (code) {
	case EBUSY:
		return " (the queue is full; wait for an earlier job)";
	case E2BIG:
		return " (more than a submit, or the context's queue, may have)";
	case EIO:
		return " (jobs of this device handle hung or faulted too often and it is banned; "
		       "open the device again)";
	default:
		return "";
	}
}

} // namespace

Result<void> Fence::wait(std::chrono::nanoseconds timeout) const
{
	auto status = job_wait(*driver_, context_, seqno_, deadline_after(timeout));

	if (!status)
		return forward(status);
	if (!status->ended())
		return fail(ETIME, "job " + std::to_string(seqno_) + " has not ended");
	if (status->error)
		return fail(status->error, "job " + std::to_string(seqno_) + " failed");
	return {};
}

Result<Context> Context::create(const Device &device, const Options &options)
{
	drm_npu_context_create args{};
	Context context;

	args.core_mask = options.core_mask;
	args.max_queued = options.max_queued;
	args.sched_class = std::to_underlying(options.sched_class);
	args.weight = options.weight;
	if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_CONTEXT_CREATE, &args))
		return fail(-ret, std::string("cannot create a context") + create_advice(-ret));
	context.driver_ = device.share_driver();
	context.id_ = args.context_id;
	context.page_offset_ = args.page_offset;
	return context;
}

Context::~Context()
{
	release();
}

Context::Context(Context &&other) noexcept
	: driver_(std::move(other.driver_)), page_offset_(std::exchange(other.page_offset_, 0)),
	  id_(std::exchange(other.id_, 0))
{
}

Context &Context::operator=(Context &&other) noexcept
{
	std::swap(driver_, other.driver_);
	std::swap(page_offset_, other.page_offset_);
	std::swap(id_, other.id_);
	return *this;
}

void Context::release()
{
	if (!id_)
		return;
	drm_npu_context_destroy args{};
	args.context_id = id_;
	driver_->ioctl(DRM_IOCTL_NPU_CONTEXT_DESTROY, &args);
}

Result<Fence> Context::queue(std::span<const drm_npu_submit_job> jobs, Deadline deadline)
{
	drm_npu_job_submit args{};

	args.context_id = id_;
	args.jobs = reinterpret_cast<std::uintptr_t>(jobs.data());
	args.job_count = static_cast<std::uint32_t>(jobs.size());
	args.job_stride = sizeof(jobs.front());
	args.deadline_ns = submit_deadline(deadline);
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_JOB_SUBMIT, &args))
		return fail(-ret, "cannot submit " + std::to_string(jobs.size()) +
					  (jobs.size() == 1 ? " job" : " jobs") +
					  submit_advice(-ret));
	return fence(args.seqno);
}

Result<Fence> Context::submit(std::span<const Job *const> jobs, Deadline deadline)
{
	std::vector<drm_npu_submit_job> entries;

	entries.reserve(jobs.size());
	for (const Job *job : jobs)
		entries.push_back({.job_id = job->id(), .flags = 0});
	return queue(entries, deadline);
}

Result<Fence> Context::submit(const Job &job, Deadline deadline)
{
	const drm_npu_submit_job entry{.job_id = job.id(), .flags = 0};

	return queue({&entry, 1}, deadline);
}

Result<void> Context::set(const drm_npu_context_set &args)
{
	drm_npu_context_set copy = args;

	copy.context_id = id_;
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_CONTEXT_SET, &copy))
		return fail(-ret, std::string("cannot change a context") +
					  (ret == -EINVAL ? " (too much weight)" : ""));
	return {};
}

Result<void> Context::set_class(SchedClass sched_class)
{
	drm_npu_context_set args{};

	args.flags = DRM_NPU_CONTEXT_SET_CLASS;
	args.sched_class = std::to_underlying(sched_class);
	return set(args);
}

Result<void> Context::set_weight(std::uint32_t weight)
{
	drm_npu_context_set args{};

	args.flags = DRM_NPU_CONTEXT_SET_WEIGHT;
	args.weight = weight;
	return set(args);
}

Fence Context::fence(std::uint64_t seqno) const
{
	Fence fence;

	fence.driver_ = driver_.get();
	fence.context_ = id_;
	fence.seqno_ = seqno;
	return fence;
}

Result<JobStatus> Context::wait(std::uint64_t seqno,
				std::chrono::steady_clock::time_point deadline) const
{
	return job_wait(*driver_, id_, seqno, deadline);
}

Result<std::uint32_t> Context::cancel(std::uint64_t first, std::uint64_t last)
{
	drm_npu_job_cancel args{};

	args.context_id = id_;
	args.first_seqno = first;
	args.last_seqno = last;
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_JOB_CANCEL, &args))
		return fail(-ret, "cannot cancel jobs " + std::to_string(first) + " to " +
					  std::to_string(last) +
					  (ret == -ENOENT ? " (not all were submitted)" : ""));
	return args.cancelled;
}

Result<CompletionPage> Context::page() const
{
	CompletionPage page;
	int error = 0;

	const auto bytes =
		driver_->map(sizeof(drm_npu_context_page), page_offset_, Access::read, error);
	if (error)
		return fail(-error, "cannot map the completion page of a context");
	page.mapping_ = std::make_shared<const CompletionPage::Mapping>(driver_, bytes);
	if (page.mapping_->page().version != DRM_NPU_PAGE_VERSION)
		return fail(EPROTO, "the kernel's completion pages are of version " +
					    std::to_string(page.mapping_->page().version) +
					    ", this library knows " +
					    std::to_string(DRM_NPU_PAGE_VERSION));
	page.context_ = id_;
	return page;
}

Result<drm_npu_query_context> Context::statistics() const
{
	return query<drm_npu_query_context>(*driver_, DRM_NPU_QUERY_CONTEXT, id_);
}

} // namespace npu
