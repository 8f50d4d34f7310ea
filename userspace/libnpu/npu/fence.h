/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The end of submitted work, to wait for, to poll and to pass on.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "npu/deadline.h"
#include "npu/device.h"
#include "npu/error.h"
#include "npu/status.h"
#include "npu/unique_fd.h"
#include "npu/wait.h"

#pragma GCC visibility push(default)
namespace npu
{

struct [[gnu::visibility("hidden")]] Internals;

/// The end of a submit, or of work of another driver. A value: copies share the fence,
/// which owns what it needs and outlives the Context and the Device it came from.
///
/// An application that has an event loop watches fd() there and calls wait() with
/// Deadline::immediately() when it is readable; see examples/event_loop.cpp.
///
/// Thread safety: all calls may come from any thread. fork: see Driver; fd() works in the
/// child if it was called before.
class Fence
{
public:
	/// The fence of the sync_file @p fd, which stays the caller's and may be closed.
	/// @retval EBADF @p fd is no open file descriptor
	/// @retval EINVAL @p fd is no sync_file
	static Result<Fence> import(const Device &device, int fd)
	{
		return import(device.share_driver(), fd);
	}
	/// As import(), for @p driver, the one behind a device.
	static Result<Fence> import(std::shared_ptr<Driver> driver, int fd);

	/// No fence: waiting for it fails with EINVAL.
	Fence() = default;

	/// A sync_file of the fence, which becomes readable (POLLIN) when it signals. The
	/// caller owns it, and it is of no use after that.
	/// @retval EMFILE, ENFILE too many open files
	Result<UniqueFd> fd() const;

	/// Wait until the work has ended or @p deadline has come. If it ended with an
	/// error, so does this: after a submit of several jobs with that of the first that
	/// failed: EFAULT, ETIMEDOUT, EOPNOTSUPP, ECANCELED, ENODEV, EIO.
	/// @return what the last job of the submit took. Times are 0 where the kernel does
	/// not tell any more: of work of others, and once the context has gone
	WaitResult<JobStatus> wait(Deadline deadline = Deadline::never()) const;

	/// Sequence number of the last job of the submit in its context; 0 for other work.
	std::uint64_t seqno() const;

	class [[gnu::visibility("hidden")]] State;

private:
	friend class Context;
	friend struct Internals;

	explicit Fence(std::shared_ptr<const State> state) : state_(std::move(state)) {}

	std::shared_ptr<const State> state_;
};

} // namespace npu
#pragma GCC visibility pop
