/* SPDX-License-Identifier: MIT */
#include "sync.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>

#include "igt.h"

Syncobj::Syncobj(const Device &device, bool signalled) : fd_(device.fd())
{
	drm_syncobj_create args{};

	args.flags = signalled ? DRM_SYNCOBJ_CREATE_SIGNALED : 0;
	CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_CREATE, &args));
	handle_ = args.handle;
}

Syncobj::~Syncobj()
{
	drm_syncobj_destroy args{handle_, 0};

	if (handle_)
		call(fd_, DRM_IOCTL_SYNCOBJ_DESTROY, &args);
}

int Syncobj::export_file(Fd &file) const
{
	drm_syncobj_handle args{};

	args.handle = handle_;
	args.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
	args.fd = -1;
	int result = call(fd_, DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &args);
	if (!result)
		file = Fd(args.fd);
	return result;
}

bool Syncobj::has_fence() const
{
	Fd file;

	return !export_file(file);
}

void Syncobj::signal(std::uint64_t point) const
{
	if (point) {
		drm_syncobj_timeline_array args{};

		args.handles = reinterpret_cast<std::uintptr_t>(&handle_);
		args.points = reinterpret_cast<std::uintptr_t>(&point);
		args.count_handles = 1;
		CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &args));
	} else {
		drm_syncobj_array args{};

		args.handles = reinterpret_cast<std::uintptr_t>(&handle_);
		args.count_handles = 1;
		CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_SIGNAL, &args));
	}
}

int Syncobj::wait(unsigned ms, std::uint64_t point, std::uint32_t flags) const
{
	drm_syncobj_timeline_wait args{};

	args.handles = reinterpret_cast<std::uintptr_t>(&handle_);
	args.points = reinterpret_cast<std::uintptr_t>(&point);
	args.count_handles = 1;
	args.flags = flags;
	args.timeout_nsec = now_ns() + ms_to_ns(ms);
	return call(fd_, DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT, &args);
}

std::uint64_t Syncobj::value() const
{
	drm_syncobj_timeline_array args{};
	std::uint64_t point = 0;

	args.handles = reinterpret_cast<std::uintptr_t>(&handle_);
	args.points = reinterpret_cast<std::uintptr_t>(&point);
	args.count_handles = 1;
	CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_QUERY, &args));
	return point;
}

Fd Syncobj::export_file() const
{
	Fd file;

	CHECK_OK(export_file(file));
	return file;
}

void Syncobj::import_file(const Fd &file) const
{
	drm_syncobj_handle args{};

	args.handle = handle_;
	args.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
	args.fd = file.get();
	CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &args));
}

void Syncobj::transfer(const Syncobj &from, std::uint64_t point) const
{
	drm_syncobj_transfer args{};

	args.src_handle = from.handle();
	args.src_point = point;
	args.dst_handle = handle_;
	CHECK_OK(call(fd_, DRM_IOCTL_SYNCOBJ_TRANSFER, &args));
}

int file_status(const Fd &file)
{
	sync_file_info info{};

	CHECK_OK(call(file.get(), SYNC_IOC_FILE_INFO, &info));
	return info.status;
}

int final_status(const Fd &file, unsigned ms)
{
	pollfd poll_fd{file.get(), POLLIN, 0};

	poll(&poll_fd, 1, static_cast<int>(ms));
	return file_status(file);
}

int final_status(const Syncobj &syncobj, unsigned ms)
{
	return final_status(syncobj.export_file(), ms);
}

namespace
{

/* The kernel has no header of it for user space. */
struct SoftFence {
	std::uint32_t value;
	char name[32];
	std::int32_t fence;
};
constexpr unsigned long soft_create = _IOWR('W', 0, SoftFence);
constexpr unsigned long soft_advance = _IOW('W', 1, std::uint32_t);

} // namespace

std::unique_ptr<SoftTimeline> SoftTimeline::open()
{
	Fd fd(::open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC));

	if (fd.get() < 0)
		return nullptr;
	return std::unique_ptr<SoftTimeline>(new SoftTimeline(std::move(fd)));
}

Fd SoftTimeline::fence(std::uint32_t value) const
{
	SoftFence args{value, "gate", -1};

	CHECK_OK(call(fd_.get(), soft_create, &args));
	return Fd(args.fence);
}

void SoftTimeline::advance(std::uint32_t by) const
{
	call(fd_.get(), soft_advance, &by);
}

/* vgem attaches a fence to its buffer, whose dma-buf gives it away as a sync_file. */
Gate::Gate(const Device &device) : syncobj_(device)
{
	vgem_ = VgemBuffer::create(32 * 32 * 4);
	if (vgem_) {
		fence_ = vgem_->attach_fence(true);
		syncobj_.import_file(export_fences(vgem_->dma_buf(), DMA_BUF_SYNC_READ));
		vgem_->close_handle();
		return;
	}
	soft_ = SoftTimeline::open();
	if (!soft_)
		igt::skip("needs the module vgem (modprobe vgem), or root and a kernel with "
			  "CONFIG_SW_SYNC");
	syncobj_.import_file(soft_->fence(1));
}

void Gate::open()
{
	if (std::exchange(open_, true))
		return;
	if (vgem_ && fence_)
		vgem_->signal_fence(fence_);
	if (soft_)
		soft_->advance(1);
}
