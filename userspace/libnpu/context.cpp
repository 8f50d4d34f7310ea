/* SPDX-License-Identifier: MIT */
#include "npu/context.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "context_state.h"
#include "internals.h"
#include "job_wait.h"
#include "page_mapping.h"
#include "records.h"
#include "submit.h"

namespace npu
{

namespace
{

/// Advice for a context that the kernel refuses.
const char *create_advice(int code)
{
	switch (code) {
	case EINVAL:
		return " (a core that does not exist, more queued jobs than the limit, or more "
		       "weight)";
	case ENOSPC:
		return " (the limit of contexts per open file is reached)";
	case EIO:
		return " (jobs of this device handle hung or faulted too often and it is banned; "
		       "open the device again)";
	default:
		return "";
	}
}

/// Substitute for a missing context: all its calls fail with ENODEV.
const std::shared_ptr<ContextState> &no_context()
{
	static const auto none = std::make_shared<ContextState>(no_driver());

	return none;
}

const std::shared_ptr<ContextState> &or_none(const std::shared_ptr<ContextState> &state)
{
	return state ? state : no_context();
}

Result<void> set(const ContextState &context, drm_npu_context_set args)
{
	args.context_id = context.id();
	if (const int ret = context.driver().ioctl(DRM_IOCTL_NPU_CONTEXT_SET, &args))
		return fail(-ret,
			    std::string("cannot change a context") +
				    (ret == -EINVAL ? " (the weight is above the device's limit)"
						    : ""));
	return {};
}

} // namespace

ContextState::~ContextState()
{
	if (!id_ || driver_->inherited())
		return;
	drm_npu_context_destroy args{};
	args.context_id = id_;
	driver_->ioctl(DRM_IOCTL_NPU_CONTEXT_DESTROY, &args);
}

Result<Context> Context::create(const Device &device, const Options &options)
{
	drm_npu_context_create args{};
	Context context;

	/* Allocate first, so that no context leaks if memory is short. */
	context.state_ = std::make_shared<ContextState>(device.share_driver());

	args.core_mask = options.core_mask;
	args.max_queued = options.max_queued;
	args.sched_class = std::to_underlying(options.sched_class);
	args.weight = options.weight;
	if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_CONTEXT_CREATE, &args))
		return fail(-ret, std::string("cannot create a context") + create_advice(-ret));
	context.state_->set(args.context_id, args.page_offset);
	return context;
}

Result<std::uint64_t> Context::queue(std::span<const Job *const> jobs, const SubmitOptions &options)
{
	return submit_jobs(*or_none(state_), jobs, options, 0);
}

Result<std::uint64_t> Context::queue(const Job &job, const SubmitOptions &options)
{
	const Job *const one = &job;

	return queue({&one, 1}, options);
}

Result<Fence> Context::submit(std::span<const Job *const> jobs, const SubmitOptions &options)
{
	const auto &context = or_none(state_);
	auto syncobj = PooledSyncobj::take(context->share_driver());

	if (!syncobj)
		return forward(syncobj);
	/* Allocate before the submit, which cannot be undone. */
	const auto fence = std::make_shared<SubmitFence>(context, std::move(*syncobj), jobs.size());
	auto seqno = submit_jobs(*context, jobs, options, fence->handle());
	if (!seqno)
		return forward(seqno);
	fence->set_seqno(*seqno);
	return Fence(fence);
}

Result<Fence> Context::submit(const Job &job, const SubmitOptions &options)
{
	const Job *const one = &job;

	return submit({&one, 1}, options);
}

Result<void> Context::set_class(SchedClass sched_class)
{
	drm_npu_context_set args{};

	args.flags = DRM_NPU_CONTEXT_SET_CLASS;
	args.sched_class = std::to_underlying(sched_class);
	return set(*or_none(state_), args);
}

Result<void> Context::set_weight(std::uint32_t weight)
{
	drm_npu_context_set args{};

	args.flags = DRM_NPU_CONTEXT_SET_WEIGHT;
	args.weight = weight;
	return set(*or_none(state_), args);
}

WaitResult<JobStatus> Context::wait(std::uint64_t seqno, Deadline deadline) const
{
	const ContextState &context = *or_none(state_);

	return job_wait(context.driver(), context.id(), seqno, deadline);
}

Result<std::uint32_t> Context::cancel(std::uint64_t first, std::uint64_t last)
{
	drm_npu_job_cancel args{};

	args.context_id = id();
	args.first_seqno = first;
	args.last_seqno = last;
	if (const int ret = or_none(state_)->driver().ioctl(DRM_IOCTL_NPU_JOB_CANCEL, &args))
		return fail(-ret, "cannot cancel jobs " + std::to_string(first) + " to " +
					  std::to_string(last) +
					  (ret == -ENOENT ? " (not all were submitted)" : ""));
	return args.cancelled;
}

Result<CompletionPage> Context::page() const
{
	const ContextState &context = *or_none(state_);
	CompletionPage page;
	int error = 0;

	/* Allocate first, so that no mapping leaks if memory is short. */
	const auto mapping =
		std::make_shared<CompletionPage::Mapping>(context.share_driver(), context.id());
	const auto bytes = context.driver().map(sizeof(drm_npu_context_page), context.page_offset(),
						MapAccess::read, error);
	if (error)
		return fail(-error, "cannot map the completion page of a context");
	mapping->set(bytes);
	page.mapping_ = mapping;
	if (page.mapping_->page().version != DRM_NPU_PAGE_VERSION)
		return fail(EPROTO, "the kernel's completion pages are of version " +
					    std::to_string(page.mapping_->page().version) +
					    ", this library knows " +
					    std::to_string(DRM_NPU_PAGE_VERSION));
	return page;
}

Result<ContextStatistics> Context::statistics() const
{
	auto record = query<drm_npu_query_context>(or_none(state_)->driver(), DRM_NPU_QUERY_CONTEXT,
						   id());

	if (!record)
		return forward(record);
	return typed(*record);
}

std::uint32_t Context::id() const
{
	return state_ ? state_->id() : 0;
}

} // namespace npu
