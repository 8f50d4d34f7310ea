/* SPDX-License-Identifier: MIT */
/// Syncobjs, sync_files and fences that signal when told to.
#include <cerrno>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <glob.h>
#include <linux/dma-buf.h>
#include <linux/sync_file.h>
#include <poll.h>

#include <xf86drm.h>

#include "igt.h"
#include "program.h"

namespace
{

std::int64_t deadline(unsigned ms)
{
	timespec now{};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return std::int64_t{now.tv_sec} * 1000000000 + now.tv_nsec + std::int64_t{ms} * 1000000;
}

} // namespace

Syncobj::Syncobj(const Device &device, bool signalled) : fd_(device.fd())
{
	CHECK_OK(drmSyncobjCreate(fd_, signalled ? DRM_SYNCOBJ_CREATE_SIGNALED : 0, &handle_));
}

Syncobj::~Syncobj()
{
	if (handle_)
		drmSyncobjDestroy(fd_, handle_);
}

bool Syncobj::has_fence() const
{
	int file = -1;
	int result = drmSyncobjExportSyncFile(fd_, handle_, &file);

	if (result)
		return false;
	close(file);
	return true;
}

void Syncobj::signal(std::uint64_t point) const
{
	std::uint32_t handle = handle_;

	CHECK_OK(point ? drmSyncobjTimelineSignal(fd_, &handle, &point, 1)
		       : drmSyncobjSignal(fd_, &handle, 1));
}

int Syncobj::wait(unsigned ms, std::uint64_t point) const
{
	std::uint32_t handle = handle_;
	int result =
		point ? drmSyncobjTimelineWait(fd_, &handle, &point, 1, deadline(ms), 0, nullptr)
		      : drmSyncobjWait(fd_, &handle, 1, deadline(ms), 0, nullptr);

	/* drmSyncobjTimelineWait() and its sister differ in what they answer. */
	return result < 0 && result == -1 ? -errno : result;
}

Fd Syncobj::export_file() const
{
	int file = -1;

	CHECK_OK(drmSyncobjExportSyncFile(fd_, handle_, &file));
	return Fd(file);
}

void Syncobj::import_file(const Fd &file) const
{
	CHECK_OK(drmSyncobjImportSyncFile(fd_, handle_, file.get()));
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

/* From vgem_drm.h, which not every distribution ships. */
struct VgemFenceAttach {
	std::uint32_t handle, flags, out_fence, pad;
};
struct VgemFenceSignal {
	std::uint32_t fence, flags;
};
constexpr std::uint32_t vgem_fence_write = 1;
constexpr unsigned long vgem_attach = DRM_IOWR(DRM_COMMAND_BASE + 1, VgemFenceAttach);
constexpr unsigned long vgem_signal = DRM_IOW(DRM_COMMAND_BASE + 2, VgemFenceSignal);

Fd open_vgem()
{
	glob_t found{};
	Fd fd;

	/* The primary node, since only it makes buffers. */
	glob("/dev/dri/card*", 0, nullptr, &found);
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		fd = Fd(open(found.gl_pathv[i], O_RDWR | O_CLOEXEC));
		drmVersionPtr version = fd.get() < 0 ? nullptr : drmGetVersion(fd.get());
		bool ok = version && !std::strcmp(version->name, "vgem");

		drmFreeVersion(version);
		if (ok)
			break;
		fd.reset();
	}
	globfree(&found);
	if (fd.get() < 0)
		igt::skip("needs the module vgem");
	return fd;
}

} // namespace

/* vgem attaches a fence to its buffer, whose dma-buf gives it away as a sync_file. */
Gate::Gate(const Device &device) : vgem_(open_vgem()), syncobj_(device)
{
	VgemFenceAttach attach{};
	dma_buf_export_sync_file file{};
	drm_mode_create_dumb buffer{};
	int raw = -1;

	buffer.width = 32;
	buffer.height = 32;
	buffer.bpp = 32;
	CHECK_OK(call(vgem_.get(), DRM_IOCTL_MODE_CREATE_DUMB, &buffer));
	const std::uint32_t handle = buffer.handle;
	CHECK_OK(drmPrimeHandleToFD(vgem_.get(), handle, DRM_CLOEXEC | DRM_RDWR, &raw));
	Fd dma_buf(raw);
	attach.handle = handle;
	attach.flags = vgem_fence_write;
	CHECK_OK(call(vgem_.get(), vgem_attach, &attach));
	fence_ = attach.out_fence;

	file.flags = DMA_BUF_SYNC_READ;
	CHECK_OK(call(dma_buf.get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &file));
	syncobj_.import_file(Fd(file.fd));
	CHECK_OK(close_handle(vgem_.get(), handle));
}

void Gate::open()
{
	VgemFenceSignal args{};

	if (!fence_)
		return;
	args.fence = fence_;
	call(vgem_.get(), vgem_signal, &args);
	fence_ = 0;
}
