/* SPDX-License-Identifier: MIT */
/*
 * Syncobjs and sync_files of the device without a kernel. Their fences only signal when the device
 * or a test signals them, never during a wait.
 */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <npu_accel.h>

namespace npu::test
{

struct FakeFence {
	bool signalled = false;
	/// Positive errno, 0 on success.
	int error = 0;

	void signal(int with)
	{
		signalled = true;
		error = with;
	}
};

using FakeFencePtr = std::shared_ptr<FakeFence>;

class FakeSyncs
{
public:
	/// Implements the syncobj ioctls. @return nullopt for other requests
	std::optional<int> ioctl(unsigned long request, void *argument);
	/// Implements the sync_file ioctls. @return nullopt for other requests
	std::optional<int> file_ioctl(int fd, unsigned long request, void *argument);

	/// Creates a sync_file of @p fence. @return its descriptor
	int create_file(FakeFencePtr fence);
	/// Uses @p fd, which needs an inode of its own, as a sync_file of @p fence.
	void add_file(int fd, FakeFencePtr fence);
	/// The fence of sync_file @p fd, nullptr for other files.
	FakeFencePtr file_fence(int fd) const;

	/// Collects the fences of @p count syncs at @p address. @return false if one has no fence
	bool find(std::uint64_t address, std::uint32_t count,
		  std::vector<FakeFencePtr> &fences) const;
	/// Sets the fence of @p count syncs at @p address. @return false if one does not exist
	bool attach(std::uint64_t address, std::uint32_t count, const FakeFencePtr &fence);

	std::size_t syncobjs() const { return syncobjs_.size(); }

private:
	struct Syncobj {
		FakeFencePtr fence;
		std::map<std::uint64_t, FakeFencePtr> points;
	};

	int create(drm_syncobj_create &args);
	int to_fd(drm_syncobj_handle &args);
	int from_fd(drm_syncobj_handle &args);
	int wait(const drm_syncobj_wait &args);
	int wait_point(const drm_syncobj_timeline_wait &args);
	int set(const drm_syncobj_array &args, FakeFencePtr fence);
	int signal_point(const drm_syncobj_timeline_array &args);
	int query_point(const drm_syncobj_timeline_array &args);
	FakeFencePtr fence_of(std::uint32_t handle, std::uint64_t point) const;

	std::map<std::uint32_t, Syncobj> syncobjs_;
	/// By the inode of the file, which duplicates of a descriptor share.
	std::map<std::uint64_t, FakeFencePtr> files_;
	std::map<std::uint64_t, std::uint32_t> exported_;
	std::uint32_t next_ = 1000;
};

/// The inode of @p fd, 0 if it is closed.
std::uint64_t inode_of(int fd);

} // namespace npu::test
