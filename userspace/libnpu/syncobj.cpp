/* SPDX-License-Identifier: MIT */
#include "syncobj.h"

#include <cerrno>

#include <drm.h>
#include <linux/sync_file.h>

#include "internals.h"

namespace npu
{

Result<std::uint32_t> syncobj_create(Driver &driver, bool signalled)
{
	drm_syncobj_create args{};

	args.flags = signalled ? DRM_SYNCOBJ_CREATE_SIGNALED : 0;
	if (const int ret = driver.ioctl(DRM_IOCTL_SYNCOBJ_CREATE, &args))
		return fail(-ret, "cannot create a syncobj");
	return args.handle;
}

void syncobj_destroy(Driver &driver, std::uint32_t handle) noexcept
{
	drm_syncobj_destroy args{};

	args.handle = handle;
	driver.ioctl(DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

WaitResult<> syncobj_wait(Driver &driver, std::uint32_t handle, std::uint64_t point,
			  Deadline deadline)
{
	/* Binary syncobjs and timelines have different ioctls. */
	drm_syncobj_wait binary{};
	drm_syncobj_timeline_wait timeline{};

	binary.handles = reinterpret_cast<std::uintptr_t>(&handle);
	binary.count_handles = 1;
	binary.timeout_nsec = deadline.monotonic_ns();
	binary.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;
	timeline.handles = binary.handles;
	timeline.points = reinterpret_cast<std::uintptr_t>(&point);
	timeline.count_handles = binary.count_handles;
	timeline.timeout_nsec = binary.timeout_nsec;
	timeline.flags = binary.flags;
	const int ret = point ? driver.ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &timeline)
			      : driver.ioctl(DRM_IOCTL_SYNCOBJ_WAIT, &binary);
	if (ret == -ETIME)
		return {WaitState::timed_out, fail(ETIME, "a syncobj has not signalled").error()};
	if (ret)
		return fail(-ret, "cannot wait for a syncobj");
	return std::monostate{};
}

Result<UniqueFd> syncobj_to_sync_file(Driver &driver, std::uint32_t handle)
{
	drm_syncobj_handle args{};

	args.handle = handle;
	args.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
	args.fd = -1;
	if (const int ret = driver.ioctl(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args))
		return fail(-ret, std::string("cannot make a sync_file of a syncobj") +
					  (ret == -EINVAL ? " (it has no fence yet)" : ""));
	return UniqueFd(args.fd);
}

Result<void> syncobj_from_sync_file(Driver &driver, std::uint32_t handle, int sync_file)
{
	drm_syncobj_handle args{};

	args.handle = handle;
	args.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
	args.fd = sync_file;
	if (const int ret = driver.ioctl(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args))
		return fail(-ret, "cannot import file descriptor " + std::to_string(sync_file) +
					  " (is it a sync_file?)");
	return {};
}

Result<int> sync_file_status(Driver &driver, int sync_file)
{
	sync_file_info info{};

	const int ret = driver.file_ioctl(sync_file, SYNC_IOC_FILE_INFO, &info);
	if (ret == -ENOTTY || ret == -EBADF || ret == -EINVAL)
		return fail(ret == -ENOTTY ? EINVAL : -ret,
			    "file descriptor " + std::to_string(sync_file) + " is no sync_file");
	if (ret)
		return fail(-ret, "cannot query sync_file " + std::to_string(sync_file));
	return info.status;
}

class Syncobj::State
{
public:
	explicit State(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
	~State()
	{
		if (handle_ && !driver_->inherited())
			syncobj_destroy(*driver_, handle_);
	}
	State(const State &) = delete;
	State &operator=(const State &) = delete;

	Driver &driver() const { return *driver_; }
	std::uint32_t handle() const { return handle_; }
	/// Takes ownership of @p handle.
	void set_handle(std::uint32_t handle) { handle_ = handle; }
	/// Substitute for a missing syncobj.
	static const State &none();

private:
	std::shared_ptr<Driver> driver_;
	std::uint32_t handle_ = 0;
};

const Syncobj::State &Syncobj::State::none()
{
	static const State none(no_driver());

	return none;
}

const Syncobj::State &Syncobj::state() const
{
	return state_ ? *state_ : State::none();
}

std::uint32_t Internals::handle(const Syncobj &syncobj, const Driver &driver)
{
	return &syncobj.state().driver() == &driver ? syncobj.handle() : 0;
}

Result<Syncobj> Syncobj::create(const Device &device, bool signalled)
{
	/* Allocate first, so that no syncobj leaks if memory is short. */
	const auto state = std::make_shared<State>(device.share_driver());

	auto handle = syncobj_create(state->driver(), signalled);
	if (!handle)
		return forward(handle);
	state->set_handle(*handle);
	return Syncobj(state);
}

Result<Syncobj> Syncobj::import(const Device &device, int fd)
{
	const auto state = std::make_shared<State>(device.share_driver());
	drm_syncobj_handle args{};

	args.fd = fd;
	if (const int ret = state->driver().ioctl(DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args))
		return fail(-ret, "cannot import file descriptor " + std::to_string(fd) +
					  " (is it a syncobj?)");
	state->set_handle(args.handle);
	return Syncobj(state);
}

std::uint32_t Syncobj::handle() const
{
	return state().handle();
}

Result<UniqueFd> Syncobj::export_fd() const
{
	drm_syncobj_handle args{};

	args.handle = handle();
	args.fd = -1;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args))
		return fail(-ret, "cannot export a syncobj");
	return UniqueFd(args.fd);
}

Result<UniqueFd> Syncobj::sync_file() const
{
	return syncobj_to_sync_file(state().driver(), handle());
}

WaitResult<> Syncobj::wait(Deadline deadline) const
{
	return syncobj_wait(state().driver(), handle(), 0, deadline);
}

WaitResult<> Syncobj::wait_point(std::uint64_t point, Deadline deadline) const
{
	if (!point)
		return fail(EINVAL, "point 0 of a timeline; points begin at 1");
	return syncobj_wait(state().driver(), handle(), point, deadline);
}

Result<void> Syncobj::signal() const
{
	const std::uint32_t one = handle();
	drm_syncobj_array args{};

	args.handles = reinterpret_cast<std::uintptr_t>(&one);
	args.count_handles = 1;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_SYNCOBJ_SIGNAL, &args))
		return fail(-ret, "cannot signal a syncobj");
	return {};
}

Result<void> Syncobj::signal_point(std::uint64_t point) const
{
	const std::uint32_t one = handle();
	drm_syncobj_timeline_array args{};

	args.handles = reinterpret_cast<std::uintptr_t>(&one);
	args.points = reinterpret_cast<std::uintptr_t>(&point);
	args.count_handles = 1;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &args))
		return fail(-ret, "cannot signal point " + std::to_string(point) + " of a syncobj");
	return {};
}

Result<void> Syncobj::reset() const
{
	const std::uint32_t one = handle();
	drm_syncobj_array args{};

	args.handles = reinterpret_cast<std::uintptr_t>(&one);
	args.count_handles = 1;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_SYNCOBJ_RESET, &args))
		return fail(-ret, "cannot reset a syncobj");
	return {};
}

Result<std::uint64_t> Syncobj::point() const
{
	const std::uint32_t one = handle();
	drm_syncobj_timeline_array args{};
	std::uint64_t point = 0;

	args.handles = reinterpret_cast<std::uintptr_t>(&one);
	args.points = reinterpret_cast<std::uintptr_t>(&point);
	args.count_handles = 1;
	if (const int ret = state().driver().ioctl(DRM_IOCTL_SYNCOBJ_QUERY, &args))
		return fail(-ret, "cannot ask for the point of a syncobj");
	return point;
}

} // namespace npu
