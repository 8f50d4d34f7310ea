/* SPDX-License-Identifier: MIT */
#include "fence_state.h"

#include <cerrno>

#include <fcntl.h>

#include "driver_shared.h"
#include "internals.h"
#include "job_wait.h"
#include "syncobj.h"

namespace npu
{

namespace
{

Result<UniqueFd> duplicate(int fd)
{
	UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));

	if (!copy.valid())
		return fail(errno, "cannot duplicate file descriptor " + std::to_string(fd));
	return copy;
}

/// A fence of another driver, or one whose origin is not known.
class ImportedFence final : public Fence::State
{
public:
	ImportedFence(std::shared_ptr<Driver> driver, UniqueFd sync_file)
		: driver_(std::move(driver)), sync_file_(std::move(sync_file))
	{
	}

	Result<UniqueFd> fd() const override { return duplicate(sync_file_.get()); }

	WaitResult<JobStatus> wait(Deadline deadline) const override
	{
		const int ready = driver_->wait_readable(sync_file_.get(), deadline);

		if (ready < 0)
			return fail(-ready, "cannot wait for a fence");
		if (!ready)
			return {WaitState::timed_out,
				fail(ETIME, "a fence has not signalled").error()};
		auto status = sync_file_status(*driver_, sync_file_.get());
		if (!status)
			return forward(status);
		const JobStatus ended{.state = JobState::ended,
				      .error = *status < 0 ? -*status : 0};
		if (ended.error)
			return {WaitState::failed,
				fail(ended.error, "a fence has signalled an error").error(), ended};
		return ended;
	}

private:
	std::shared_ptr<Driver> driver_;
	UniqueFd sync_file_;
};

} // namespace

Result<PooledSyncobj> PooledSyncobj::take(std::shared_ptr<Driver> driver)
{
	auto handle = driver->shared().syncobjs.take(*driver);

	if (!handle)
		return forward(handle);
	return PooledSyncobj(std::move(driver), *handle);
}

PooledSyncobj::~PooledSyncobj()
{
	if (handle_ && !driver_->inherited())
		driver_->shared().syncobjs.put(*driver_, handle_);
}

SubmitFence::SubmitFence(const std::shared_ptr<ContextState> &context, PooledSyncobj syncobj,
			 std::size_t jobs)
	: driver_(context->share_driver()), context_(context), syncobj_(std::move(syncobj)),
	  jobs_(jobs)
{
}

Result<UniqueFd> SubmitFence::fd() const
{
	return syncobj_to_sync_file(*driver_, syncobj_.handle());
}

std::uint32_t SubmitFence::handle_in(const Driver &driver) const
{
	return &driver == driver_.get() ? syncobj_.handle() : 0;
}

/// The status of the last job, once the fence has signalled.
JobStatus SubmitFence::details() const
{
	if (const auto context = context_.lock())
		if (auto status =
			    job_status(*driver_, context->id(), seqno_, Deadline::immediately());
		    status && status->ended())
			return *status;
	return {.state = JobState::ended};
}

WaitResult<JobStatus> SubmitFence::wait(Deadline deadline) const
{
	if (auto signalled = syncobj_wait(*driver_, syncobj_.handle(), 0, deadline); !signalled) {
		const std::string job = "job " + std::to_string(seqno_);

		if (signalled.timed_out())
			return {WaitState::timed_out, fail(ETIME, job + " has not ended").error()};
		return fail(signalled.error().code, "cannot wait for " + job);
	}
	JobStatus status = details();
	/* The status covers the last job only, and is lost with the context: ask the fence. */
	if (jobs_ > 1 || !status.queued_ns) {
		auto sync_file = fd();
		if (!sync_file)
			return forward(sync_file);
		auto told = sync_file_status(*driver_, sync_file->get());
		if (!told)
			return forward(told);
		status.error = *told < 0 ? -*told : 0;
	}
	return end_of(seqno_, status);
}

std::uint32_t Internals::handle(const Fence &fence, const Driver &driver)
{
	return fence.state_ ? fence.state_->handle_in(driver) : 0;
}

Result<Fence> Fence::import(std::shared_ptr<Driver> driver, int fd)
{
	auto status = sync_file_status(*driver, fd);
	if (!status)
		return forward(status);
	auto copy = duplicate(fd);
	if (!copy)
		return forward(copy);
	return Fence(std::make_shared<const ImportedFence>(std::move(driver), std::move(*copy)));
}

Result<UniqueFd> Fence::fd() const
{
	if (!state_)
		return fail(EINVAL, "there is no fence");
	return state_->fd();
}

WaitResult<JobStatus> Fence::wait(Deadline deadline) const
{
	if (!state_)
		return fail(EINVAL, "there is no fence to wait for");
	return state_->wait(deadline);
}

std::uint64_t Fence::seqno() const
{
	return state_ ? state_->seqno() : 0;
}

} // namespace npu
