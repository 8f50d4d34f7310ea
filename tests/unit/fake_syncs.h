/* SPDX-License-Identifier: MIT */
/*
 * Syncobjs and sync_files of the device without a kernel. Their fences signal when the
 * device or a test says so, never while somebody waits.
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
	/// Positive errno, 0 if the work ended well.
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
	/// Answer a call of the DRM core. @return nullopt if it is another
	std::optional<int> ioctl(unsigned long request, void *argument);
	/// Answer a call on a sync_file. @return nullopt if it is another
	std::optional<int> file_ioctl(int fd, unsigned long request, void *argument);

	/// A descriptor of a sync_file of @p fence.
	int create_file(FakeFencePtr fence);
	/// The fence of sync_file @p fd, nullptr if it is none.
	FakeFencePtr file_fence(int fd) const;

	/// The fences of @p count syncs at @p address. @return false if one has none
	bool find(std::uint64_t address, std::uint32_t count,
		  std::vector<FakeFencePtr> &fences) const;
	/// Give @p count syncs at @p address @p fence. @return false if one does not exist
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
	/// By the inode of their file, which copies of a descriptor share.
	std::map<std::uint64_t, FakeFencePtr> files_;
	std::map<std::uint64_t, std::uint32_t> exported_;
	std::uint32_t next_ = 1000;
};

/// The inode of @p fd, 0 if it is closed.
std::uint64_t inode_of(int fd);

} // namespace npu::test
