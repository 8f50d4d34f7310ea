/* SPDX-License-Identifier: MIT */
#include "fake_syncs.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/sync_file.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace npu::test
{

namespace
{

template <typename T>
T *user(std::uint64_t pointer)
{
	return reinterpret_cast<T *>(static_cast<std::uintptr_t>(pointer));
}

FakeFencePtr signalled_fence()
{
	return std::make_shared<FakeFence>(FakeFence{.signalled = true, .error = 0});
}

} // namespace

std::uint64_t inode_of(int fd)
{
	struct stat about{};

	return ::fstat(fd, &about) ? 0 : about.st_ino;
}

int FakeSyncs::create_file(FakeFencePtr fence)
{
	const int fd = ::memfd_create("sync_file", MFD_CLOEXEC);

	add_file(fd, std::move(fence));
	return fd;
}

void FakeSyncs::add_file(int fd, FakeFencePtr fence)
{
	files_[inode_of(fd)] = std::move(fence);
}

FakeFencePtr FakeSyncs::file_fence(int fd) const
{
	const auto found = files_.find(inode_of(fd));

	return found == files_.end() ? nullptr : found->second;
}

/// The fence of a binary syncobj, or the first one of a timeline at or after @p point.
FakeFencePtr FakeSyncs::fence_of(std::uint32_t handle, std::uint64_t point) const
{
	const auto found = syncobjs_.find(handle);

	if (found == syncobjs_.end())
		return nullptr;
	if (!point)
		return found->second.fence;
	const auto at = found->second.points.lower_bound(point);
	return at == found->second.points.end() ? nullptr : at->second;
}

bool FakeSyncs::find(std::uint64_t address, std::uint32_t count,
		     std::vector<FakeFencePtr> &fences) const
{
	for (std::uint32_t i = 0; i < count; i++) {
		const drm_npu_sync &sync = user<drm_npu_sync>(address)[i];

		fences.push_back(fence_of(sync.handle, sync.point));
		if (!fences.back())
			return false;
	}
	return true;
}

bool FakeSyncs::attach(std::uint64_t address, std::uint32_t count, const FakeFencePtr &fence)
{
	for (std::uint32_t i = 0; i < count; i++)
		if (!syncobjs_.contains(user<drm_npu_sync>(address)[i].handle))
			return false;
	for (std::uint32_t i = 0; i < count; i++) {
		const drm_npu_sync &sync = user<drm_npu_sync>(address)[i];
		Syncobj &syncobj = syncobjs_.at(sync.handle);

		if (sync.point)
			syncobj.points[sync.point] = fence;
		else
			syncobj.fence = fence;
	}
	return true;
}

int FakeSyncs::create(drm_syncobj_create &args)
{
	args.handle = next_++;
	syncobjs_[args.handle].fence =
		args.flags & DRM_SYNCOBJ_CREATE_SIGNALED ? signalled_fence() : nullptr;
	return 0;
}

int FakeSyncs::to_fd(drm_syncobj_handle &args)
{
	const auto found = syncobjs_.find(args.handle);

	if (found == syncobjs_.end())
		return -EINVAL;
	if (args.flags & DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE) {
		if (!found->second.fence)
			return -EINVAL;
		args.fd = create_file(found->second.fence);
		return 0;
	}
	args.fd = ::memfd_create("syncobj", MFD_CLOEXEC);
	exported_[inode_of(args.fd)] = args.handle;
	return 0;
}

int FakeSyncs::from_fd(drm_syncobj_handle &args)
{
	if (args.flags & DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE) {
		auto fence = file_fence(args.fd);

		if (!fence || !syncobjs_.contains(args.handle))
			return -EINVAL;
		syncobjs_.at(args.handle).fence = std::move(fence);
		return 0;
	}
	const auto found = exported_.find(inode_of(args.fd));
	if (found == exported_.end())
		return -EINVAL;
	/* A new syncobj with the same fence, but without sharing later fences: enough for tests. */
	args.handle = next_++;
	syncobjs_[args.handle] = syncobjs_.at(found->second);
	return 0;
}

int FakeSyncs::wait(const drm_syncobj_wait &args)
{
	const std::uint32_t handle = *user<std::uint32_t>(args.handles);

	if (!syncobjs_.contains(handle))
		return -ENOENT;
	const auto fence = fence_of(handle, 0);
	return fence && fence->signalled ? 0 : -ETIME;
}

int FakeSyncs::wait_point(const drm_syncobj_timeline_wait &args)
{
	const std::uint32_t handle = *user<std::uint32_t>(args.handles);

	if (!syncobjs_.contains(handle))
		return -ENOENT;
	const auto fence = fence_of(handle, *user<std::uint64_t>(args.points));
	return fence && fence->signalled ? 0 : -ETIME;
}

int FakeSyncs::set(const drm_syncobj_array &args, FakeFencePtr fence)
{
	const auto found = syncobjs_.find(*user<std::uint32_t>(args.handles));

	if (found == syncobjs_.end())
		return -ENOENT;
	if (!fence)
		found->second.points.clear();
	found->second.fence = std::move(fence);
	return 0;
}

int FakeSyncs::signal_point(const drm_syncobj_timeline_array &args)
{
	const auto found = syncobjs_.find(*user<std::uint32_t>(args.handles));

	if (found == syncobjs_.end())
		return -ENOENT;
	found->second.points[*user<std::uint64_t>(args.points)] = signalled_fence();
	return 0;
}

int FakeSyncs::query_point(const drm_syncobj_timeline_array &args)
{
	const auto found = syncobjs_.find(*user<std::uint32_t>(args.handles));

	if (found == syncobjs_.end())
		return -ENOENT;
	*user<std::uint64_t>(args.points) = 0;
	for (const auto &[point, fence] : found->second.points)
		if (fence->signalled)
			*user<std::uint64_t>(args.points) = point;
	return 0;
}

std::optional<int> FakeSyncs::ioctl(unsigned long request, void *argument)
{
	switch (request) {
	case DRM_IOCTL_SYNCOBJ_CREATE:
		return create(*static_cast<drm_syncobj_create *>(argument));
	case DRM_IOCTL_SYNCOBJ_DESTROY:
		return syncobjs_.erase(static_cast<drm_syncobj_destroy *>(argument)->handle)
			       ? 0
			       : -EINVAL;
	case DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD:
		return to_fd(*static_cast<drm_syncobj_handle *>(argument));
	case DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE:
		return from_fd(*static_cast<drm_syncobj_handle *>(argument));
	case DRM_IOCTL_SYNCOBJ_WAIT:
		return wait(*static_cast<drm_syncobj_wait *>(argument));
	case DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT:
		return wait_point(*static_cast<drm_syncobj_timeline_wait *>(argument));
	case DRM_IOCTL_SYNCOBJ_SIGNAL:
		return set(*static_cast<drm_syncobj_array *>(argument), signalled_fence());
	case DRM_IOCTL_SYNCOBJ_RESET:
		return set(*static_cast<drm_syncobj_array *>(argument), nullptr);
	case DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL:
		return signal_point(*static_cast<drm_syncobj_timeline_array *>(argument));
	case DRM_IOCTL_SYNCOBJ_QUERY:
		return query_point(*static_cast<drm_syncobj_timeline_array *>(argument));
	default:
		return std::nullopt;
	}
}

std::optional<int> FakeSyncs::file_ioctl(int fd, unsigned long request, void *argument)
{
	if (request != SYNC_IOC_FILE_INFO)
		return std::nullopt;
	const auto fence = file_fence(fd);
	if (!fence)
		return inode_of(fd) ? -ENOTTY : -EBADF;
	static_cast<sync_file_info *>(argument)->status =
		fence->error ? -fence->error : fence->signalled;
	return 0;
}

} // namespace npu::test
