/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What orders jobs with other work: syncobjs, points of timelines and sync_files.
 */
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "npu/deadline.h"
#include "npu/device.h"
#include "npu/error.h"
#include "npu/fence.h"
#include "npu/unique_fd.h"
#include "npu/wait.h"

#pragma GCC visibility push(default)
namespace npu
{

struct [[gnu::visibility("hidden")]] Internals;

/// A syncobj of the DRM core, binary or a timeline as it is used: a container for a
/// fence, or for one at each point of a timeline. A value: copies share the syncobj,
/// which is destroyed with the last and outlives the Device.
///
/// Thread safety: all calls may come from any thread. fork: see Driver.
class Syncobj
{
public:
	/// A syncobj without a fence, or one that has @p signalled.
	static Result<Syncobj> create(const Device &device, bool signalled = false);
	/// The syncobj of another process behind @p fd, which stays the caller's.
	/// @retval EINVAL @p fd is no syncobj
	static Result<Syncobj> import(const Device &device, int fd);

	/// None: each call answers ENODEV.
	Syncobj() = default;

	/// The syncobj as a file descriptor, for import() in other processes.
	Result<UniqueFd> export_fd() const;
	/// The fence that a binary syncobj has now as a sync_file, to poll.
	/// @retval EINVAL it has none yet
	Result<UniqueFd> sync_file() const;

	/// Wait for the fence of a binary syncobj, also if it has none yet. The wait ends
	/// well even if the fence signals an error, which Fence::wait() tells.
	WaitResult<> wait(Deadline deadline = Deadline::never()) const;
	/// The same of @p point of a timeline.
	/// @retval EINVAL @p point is 0
	WaitResult<> wait_point(std::uint64_t point, Deadline deadline = Deadline::never()) const;

	/// Give a binary syncobj a fence that has signalled.
	Result<void> signal() const;
	/// Signal @p point of a timeline, and all before it.
	Result<void> signal_point(std::uint64_t point) const;
	/// Take the fence away, or all points.
	Result<void> reset() const;
	/// The last point of a timeline that has signalled.
	Result<std::uint64_t> point() const;

	/// Its handle in the open device, for calls of the DRM core; 0 if it is none.
	std::uint32_t handle() const;

private:
	friend struct Internals;
	class [[gnu::visibility("hidden")]] State;

	const State &state() const;
	explicit Syncobj(std::shared_ptr<const State> state) : state_(std::move(state)) {}

	std::shared_ptr<const State> state_;
};

/// A point of a timeline.
struct TimelinePoint {
	/// The timeline.
	Syncobj syncobj;
	/// The point, above 0.
	std::uint64_t point = 0;
};

/// A sync_file, which stays the caller's.
struct SyncFile {
	/// Its file descriptor; -1 is none.
	int fd = -1;
};

/// What jobs wait for before the first starts.
using InSync = std::variant<Syncobj, TimelinePoint, SyncFile, Fence>;

/// What signals when the last of some jobs has ended. A sync_file of that is Fence::fd().
using OutSync = std::variant<Syncobj, TimelinePoint>;

} // namespace npu
#pragma GCC visibility pop
