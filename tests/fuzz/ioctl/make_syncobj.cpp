/* SPDX-License-Identifier: MIT */
/// Syncobj ioctls of the DRM core.
#include "thread.h"

#include <cerrno>

#include <sys/eventfd.h>

#include "syncobj_eventfd.h"

namespace fuzz
{

namespace
{

/// Limit of handles: the DRM core allocates as many as requested, and the kernel warns about
/// allocations that are too large.
constexpr std::uint32_t max_handles = 65536;

constexpr std::uint32_t wait_flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL |
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT |
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;

} // namespace

Block Thread::syncobj_handles(std::uint32_t count)
{
	std::vector<std::uint32_t> handles;

	for (std::uint32_t i = 0; i < std::min(count, 64u); i++)
		handles.push_back(id(&File::syncobjs, file_->syncobjs.any(random_).id));
	return array(std::span<const std::uint32_t>(handles), 4);
}

Block Thread::syncobj_points(std::uint32_t count)
{
	std::vector<std::uint64_t> points;

	for (std::uint32_t i = 0; i < std::min(count, 64u); i++)
		points.push_back(u64(random_.below(16)));
	return array(std::span<const std::uint64_t>(points), 8);
}

void Thread::syncobj_create()
{
	if (file_->syncobjs.size() >= 16)
		return syncobj_destroy();
	auto &args = argument<drm_syncobj_create>();

	args.flags = flags(random_.chance(60) ? DRM_SYNCOBJ_CREATE_SIGNALED : 0,
			   DRM_SYNCOBJ_CREATE_SIGNALED);
	if (!ioctl(Id::syncobj_create))
		file_->syncobjs.add({args.handle, 0});
}

void Thread::syncobj_destroy()
{
	auto &args = argument<drm_syncobj_destroy>();
	std::uint32_t handle = id(&File::syncobjs, file_->syncobjs.any(random_).id);

	args.handle = handle;
	args.pad = zero();
	if (!ioctl(Id::syncobj_destroy))
		file_->syncobjs.remove(handle);
}

void Thread::syncobj_handle_to_fd()
{
	auto &args = argument<drm_syncobj_handle>();
	bool file = random_.chance(50);

	args.handle = id(&File::syncobjs, file_->syncobjs.any(random_).id);
	args.flags = flags(file ? DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE : 0, 3);
	args.fd = -1;
	args.pad = zero();
	if (!ioctl(Id::syncobj_handle_to_fd))
		world_.fds.add({std::make_shared<Fd>(args.fd),
				file ? FdKind::sync_file : FdKind::syncobj});
}

void Thread::syncobj_fd_to_handle()
{
	auto &args = argument<drm_syncobj_handle>();
	bool file = random_.chance(50);

	if (!file && file_->syncobjs.size() >= 16)
		return syncobj_destroy();
	args.handle = file ? id(&File::syncobjs, file_->syncobjs.any(random_).id) : 0;
	args.flags = flags(file ? DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE : 0, 3);
	args.fd = static_cast<std::int32_t>(u32(
		static_cast<std::uint32_t>(some_fd(file ? FdKind::sync_file : FdKind::syncobj))));
	args.pad = zero();
	bool imports = args.flags & DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
	if (!ioctl(Id::syncobj_fd_to_handle) && !imports)
		file_->syncobjs.add({args.handle, 0});
}

void Thread::syncobj_wait()
{
	auto &args = argument<drm_syncobj_wait>();

	args.count_handles = std::min(u32(1 + random_.below(4)), max_handles);
	args.handles = pointer(syncobj_handles(args.count_handles));
	args.timeout_nsec = until();
	args.flags = flags(random_.below(4), wait_flags);
	args.pad = zero();
	ioctl(Id::syncobj_wait);
}

void Thread::syncobj_timeline_wait()
{
	auto &args = argument<drm_syncobj_timeline_wait>();

	args.count_handles = std::min(u32(1 + random_.below(4)), max_handles);
	args.handles = pointer(syncobj_handles(args.count_handles));
	args.points = pointer(syncobj_points(args.count_handles));
	args.timeout_nsec = until();
	args.flags = flags(random_.below(8), wait_flags);
	args.pad = zero();
	ioctl(Id::syncobj_timeline_wait);
}

void Thread::syncobj_change()
{
	auto &args = argument<drm_syncobj_array>();

	args.count_handles = std::min(u32(1 + random_.below(4)), max_handles);
	args.handles = pointer(syncobj_handles(args.count_handles));
	args.pad = zero();
	ioctl(random_.chance(30) ? Id::syncobj_reset : Id::syncobj_signal);
}

void Thread::syncobj_timeline_signal()
{
	auto &args = argument<drm_syncobj_timeline_array>();

	args.count_handles = std::min(u32(1 + random_.below(4)), max_handles);
	args.handles = pointer(syncobj_handles(args.count_handles));
	args.points = pointer(syncobj_points(args.count_handles));
	args.flags = zero();
	ioctl(Id::syncobj_timeline_signal);
}

void Thread::syncobj_query()
{
	auto &args = argument<drm_syncobj_timeline_array>();

	args.count_handles = std::min(u32(1 + random_.below(4)), max_handles);
	args.handles = pointer(syncobj_handles(args.count_handles));
	args.points = pointer(arena_.output(std::size_t{8} * args.count_handles, edge()), true);
	args.flags = flags(random_.below(2), 1);
	ioctl(Id::syncobj_query);
}

void Thread::syncobj_transfer()
{
	auto &args = argument<drm_syncobj_transfer>();

	args.src_handle = id(&File::syncobjs, file_->syncobjs.any(random_).id);
	args.dst_handle = id(&File::syncobjs, file_->syncobjs.any(random_).id);
	args.src_point = u64(random_.chance(70) ? 0 : random_.below(16));
	args.dst_point = u64(random_.chance(50) ? 0 : random_.below(64));
	args.flags = flags(0, DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT);
	args.pad = zero();
	ioctl(Id::syncobj_transfer);
}

void Thread::syncobj_eventfd()
{
	auto &args = argument<drm_syncobj_eventfd>();
	Fd event(eventfd(0, EFD_CLOEXEC));

	args.handle = id(&File::syncobjs, file_->syncobjs.any(random_).id);
	args.flags =
		flags(random_.chance(50) ? DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE : 0, wait_flags);
	args.point = u64(random_.below(16));
	args.fd = static_cast<std::int32_t>(u32(static_cast<std::uint32_t>(event.get())));
	args.pad = zero();
	ioctl(Id::syncobj_eventfd);
}

} // namespace fuzz
