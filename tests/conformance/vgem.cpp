/* SPDX-License-Identifier: MIT */
#include "vgem.h"

#include <fcntl.h>
#include <glob.h>
#include <linux/dma-buf.h>

#include <drm_mode.h>

#include "igt.h"

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
		if (fd.get() >= 0 && driver_name(fd.get()) == "vgem")
			break;
		fd.reset();
	}
	globfree(&found);
	return fd;
}

} // namespace

std::unique_ptr<VgemBuffer> VgemBuffer::create(std::uint32_t size)
{
	Fd vgem = open_vgem();
	drm_mode_create_dumb dumb{};
	drm_prime_handle prime{};

	if (vgem.get() < 0)
		return nullptr;
	std::unique_ptr<VgemBuffer> buffer(new VgemBuffer(std::move(vgem)));
	dumb.width = size / 4;
	dumb.height = 1;
	dumb.bpp = 32;
	CHECK_OK(call(buffer->vgem_.get(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb));
	buffer->handle_ = dumb.handle;
	prime.handle = dumb.handle;
	prime.flags = DRM_CLOEXEC | DRM_RDWR;
	CHECK_OK(call(buffer->vgem_.get(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime));
	buffer->dma_buf_ = Fd(prime.fd);
	return buffer;
}

VgemBuffer::~VgemBuffer()
{
	if (handle_)
		::close_handle(vgem_.get(), handle_);
}

void VgemBuffer::import(const Fd &dma_buf)
{
	drm_prime_handle prime{0, 0, dma_buf.get()};

	close_handle();
	CHECK_OK(call(vgem_.get(), DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime));
	handle_ = prime.handle;
}

std::uint32_t VgemBuffer::attach_fence(bool write) const
{
	VgemFenceAttach args{handle_, write ? vgem_fence_write : 0, 0, 0};

	CHECK_OK(call(vgem_.get(), vgem_attach, &args));
	return args.out_fence;
}

void VgemBuffer::signal_fence(std::uint32_t fence) const
{
	VgemFenceSignal args{fence, 0};

	call(vgem_.get(), vgem_signal, &args);
}

void VgemBuffer::close_handle()
{
	CHECK_OK(::close_handle(vgem_.get(), handle_));
	handle_ = 0;
}

Fd export_fences(const Fd &dma_buf, std::uint32_t flags)
{
	dma_buf_export_sync_file args{flags, -1};

	CHECK_OK(call(dma_buf.get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &args));
	return Fd(args.fd);
}

void import_fence(const Fd &dma_buf, const Fd &file, std::uint32_t flags)
{
	dma_buf_import_sync_file args{flags, file.get()};

	CHECK_OK(call(dma_buf.get(), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &args));
}
