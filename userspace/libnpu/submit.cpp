/* SPDX-License-Identifier: MIT */
#include "submit.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <variant>
#include <vector>

#include "internals.h"
#include "npu/raw.h"
#include "syncobj.h"

namespace npu
{

namespace
{

/// Advice for a submit that the kernel refuses.
const char *submit_advice(int code)
{
	switch (code) {
	case EBUSY:
		return " (the queue is full; wait for an earlier job)";
	case E2BIG:
		return " (more jobs or syncs than the device's limits, or than the context's queue "
		       "holds)";
	case EIO:
		return " (jobs of this device handle hung or faulted too often and it is banned; "
		       "open the device again)";
	case ENOENT:
		return " (a job, a syncobj or the context is not of this device handle)";
	default:
		return "";
	}
}

/// The deadline in the kernel's format. 0 means none, so that the earliest one is 1.
std::uint64_t submit_deadline(Deadline deadline)
{
	if (deadline.is_never())
		return 0;
	return static_cast<std::uint64_t>(std::max<std::int64_t>(deadline.monotonic_ns(), 1));
}

/// The in- and out-syncs of a submit, in the kernel's format.
class Syncs
{
public:
	explicit Syncs(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}

	Result<void> add(const Syncobj &syncobj) { return add(syncobj, 0); }
	Result<void> add(const TimelinePoint &at)
	{
		if (!at.point)
			return fail(EINVAL, "point 0 of a timeline; points begin at 1");
		return add(at.syncobj, at.point);
	}
	Result<void> add(const SyncFile &file)
	{
		auto syncobj = PooledSyncobj::take(driver_);

		if (!syncobj)
			return forward(syncobj);
		if (auto done = syncobj_from_sync_file(*driver_, syncobj->handle(), file.fd); !done)
			return done;
		entries_.push_back({.handle = syncobj->handle(), .flags = 0, .point = 0});
		imported_.push_back(std::move(*syncobj));
		return {};
	}
	Result<void> add(const Fence &fence);

	template <typename Sync>
	Result<void> add_all(std::span<const Sync> syncs)
	{
		for (const Sync &sync : syncs) {
			auto done = std::visit([&](const auto &one) { return add(one); }, sync);

			if (!done)
				return done;
		}
		return {};
	}
	void add_handle(std::uint32_t handle)
	{
		entries_.push_back({.handle = handle, .flags = 0, .point = 0});
	}

	std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(entries_.data()); }
	std::uint32_t count() const { return static_cast<std::uint32_t>(entries_.size()); }

private:
	Result<void> add(const Syncobj &syncobj, std::uint64_t point)
	{
		const std::uint32_t handle = Internals::handle(syncobj, *driver_);

		if (!handle)
			return fail(
				EINVAL,
				"a syncobj of a submit belongs to another Device than the context");
		entries_.push_back({.handle = handle, .flags = 0, .point = point});
		return {};
	}

	std::shared_ptr<Driver> driver_;
	std::vector<drm_npu_sync> entries_;
	std::vector<PooledSyncobj> imported_;
};

Result<void> Syncs::add(const Fence &fence)
{
	if (const std::uint32_t handle = Internals::handle(fence, *driver_)) {
		add_handle(handle);
		return {};
	}
	auto file = fence.fd();
	if (!file)
		return forward(file);
	return add(SyncFile{file->get()});
}

/// The job entries of a submit; up to four need no allocation.
class Entries
{
public:
	Result<void> fill(std::span<const Job *const> jobs, const Driver &driver)
	{
		if (jobs.size() > few_.size())
			many_.resize(jobs.size());
		entries_ = many_.empty() ? std::span(few_).first(jobs.size()) : std::span(many_);
		for (std::size_t i = 0; i < jobs.size(); i++) {
			if (!jobs[i] || Internals::driver(*jobs[i]) != &driver)
				return fail(EINVAL, "job " + std::to_string(i) +
							    " of a submit is not of its device "
							    "handle");
			entries_[i].job_id = jobs[i]->id();
		}
		return {};
	}
	std::span<const drm_npu_submit_job> all() const { return entries_; }

private:
	std::array<drm_npu_submit_job, 4> few_{};
	std::vector<drm_npu_submit_job> many_;
	std::span<drm_npu_submit_job> entries_;
};

} // namespace

Result<std::uint64_t> submit_jobs(const ContextState &context, std::span<const Job *const> jobs,
				  const SubmitOptions &options, std::uint32_t fence)
{
	drm_npu_job_submit args{};
	Syncs in(context.share_driver());
	Syncs out(context.share_driver());
	Entries entries;

	if (jobs.size() > std::numeric_limits<std::uint32_t>::max())
		return fail(E2BIG, "cannot submit more than 2^32 - 1 jobs at once");
	if (auto done = entries.fill(jobs, context.driver()); !done)
		return forward(done);
	if (auto done = in.add_all(options.in); !done)
		return forward(done);
	if (auto done = out.add_all(options.out); !done)
		return forward(done);
	if (fence)
		out.add_handle(fence);
	args.context_id = context.id();
	args.jobs = reinterpret_cast<std::uintptr_t>(entries.all().data());
	args.job_count = static_cast<std::uint32_t>(entries.all().size());
	args.job_stride = sizeof(drm_npu_submit_job);
	args.in_syncs = in.address();
	args.in_sync_count = in.count();
	args.out_syncs = out.address();
	args.out_sync_count = out.count();
	args.sync_stride = in.count() || out.count() ? sizeof(drm_npu_sync) : 0;
	args.deadline_ns = submit_deadline(options.deadline);
	if (const int ret = context.driver().ioctl(DRM_IOCTL_NPU_JOB_SUBMIT, &args))
		return fail(-ret, "cannot submit " + std::to_string(jobs.size()) +
					  (jobs.size() == 1 ? " job" : " jobs") +
					  submit_advice(-ret));
	return args.seqno;
}

} // namespace npu
