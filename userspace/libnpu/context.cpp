/* SPDX-License-Identifier: MIT */
#include "npu/context.h"

#include <cerrno>
#include <limits>
#include <utility>

namespace npu
{

namespace
{

/// @p timeout from now on CLOCK_MONOTONIC, which the kernel compares with.
std::int64_t deadline(std::chrono::nanoseconds timeout)
{
	constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
	/* libstdc++'s steady clock is CLOCK_MONOTONIC. */
	const std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
					 std::chrono::steady_clock::now().time_since_epoch())
					 .count();

	return timeout.count() > never - now ? never : now + timeout.count();
}

} // namespace

Result<void> Fence::wait(std::chrono::nanoseconds timeout) const
{
	drm_syncobj_timeline_wait wait{};
	const std::uint32_t handle = syncobj_;
	const std::uint64_t point = seqno_;

	wait.handles = reinterpret_cast<std::uintptr_t>(&handle);
	wait.points = reinterpret_cast<std::uintptr_t>(&point);
	wait.timeout_nsec = deadline(timeout);
	wait.count_handles = 1;
	if (const int ret = driver_->ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &wait))
		return fail(-ret, "cannot wait for job " + std::to_string(seqno_));

	auto state = query<drm_npu_query_context>(*driver_, DRM_NPU_QUERY_CONTEXT, context_);
	if (!state)
		return forward(state);
	if (state->failed_seqno == seqno_)
		return fail(static_cast<int>(state->failed_errno),
			    "job " + std::to_string(state->failed_seqno) + " failed");
	return {};
}

Result<Context> Context::create(const Device &device, const Options &options)
{
	drm_npu_context_create args{};
	drm_syncobj_create syncobj{};
	Context context;

	args.core_mask = options.core_mask;
	args.max_queued = options.max_queued;
	if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_CONTEXT_CREATE, &args))
		return fail(-ret, "cannot create a context");
	context.driver_ = device.share_driver();
	context.id_ = args.context_id;

	if (const int ret = device.driver().ioctl(DRM_IOCTL_SYNCOBJ_CREATE, &syncobj))
		return fail(-ret, "cannot create the syncobj of a context");
	context.syncobj_ = syncobj.handle;
	return context;
}

Context::~Context()
{
	release();
}

Context::Context(Context &&other) noexcept
	: driver_(std::move(other.driver_)), id_(std::exchange(other.id_, 0)),
	  syncobj_(std::exchange(other.syncobj_, 0)), submitted_(std::exchange(other.submitted_, 0))
{
}

Context &Context::operator=(Context &&other) noexcept
{
	std::swap(driver_, other.driver_);
	std::swap(id_, other.id_);
	std::swap(syncobj_, other.syncobj_);
	std::swap(submitted_, other.submitted_);
	return *this;
}

void Context::release()
{
	if (syncobj_) {
		drm_syncobj_destroy args{};
		args.handle = syncobj_;
		driver_->ioctl(DRM_IOCTL_SYNCOBJ_DESTROY, &args);
	}
	if (id_) {
		drm_npu_context_destroy args{};
		args.context_id = id_;
		driver_->ioctl(DRM_IOCTL_NPU_CONTEXT_DESTROY, &args);
	}
}

Result<Fence> Context::submit(const Job &job)
{
	drm_npu_submit_job entry{};
	drm_npu_sync out{};
	drm_npu_job_submit args{};

	entry.job_id = job.id();
	out.handle = syncobj_;
	out.point = submitted_ + 1;
	args.context_id = id_;
	args.jobs = reinterpret_cast<std::uintptr_t>(&entry);
	args.job_count = 1;
	args.job_stride = sizeof(entry);
	args.out_syncs = reinterpret_cast<std::uintptr_t>(&out);
	args.out_sync_count = 1;
	args.sync_stride = sizeof(out);
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_JOB_SUBMIT, &args))
		return fail(-ret, "cannot submit a job");

	submitted_ = args.seqno;
	return fence(args.seqno);
}

Fence Context::fence(std::uint64_t seqno) const
{
	Fence fence;

	/* Every job has one point of the timeline, so points are sequence numbers. */
	fence.driver_ = driver_.get();
	fence.context_ = id_;
	fence.syncobj_ = syncobj_;
	fence.seqno_ = seqno;
	return fence;
}

Result<drm_npu_query_context> Context::statistics() const
{
	return query<drm_npu_query_context>(*driver_, DRM_NPU_QUERY_CONTEXT, id_);
}

} // namespace npu
