/* SPDX-License-Identifier: MIT */
#include "dmabuf.h"

#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "igt.h"

int export_buffer(int fd, std::uint32_t handle, std::uint32_t flags, Fd &dma_buf)
{
	drm_prime_handle args{handle, flags, -1};
	int result = call(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	if (result)
		CHECK_EQ(args.fd, -1);
	else
		dma_buf = Fd(args.fd);
	return result;
}

Fd export_buffer(int fd, std::uint32_t handle)
{
	Fd dma_buf;

	CHECK_OK(export_buffer(fd, handle, DRM_CLOEXEC | DRM_RDWR, dma_buf));
	CHECK(dma_buf.get() >= 0);
	return dma_buf;
}

int import_buffer(int fd, int dma_buf, std::uint32_t &handle)
{
	drm_prime_handle args{handle, 0, dma_buf};
	int result = call(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	handle = args.handle;
	return result;
}

Mapping::Mapping(const Fd &dma_buf, std::size_t size)
	: size_(size), map_(map_file(dma_buf.get(), size, 0, PROT_READ | PROT_WRITE))
{
	CHECK(map_);
}

Mapping::~Mapping()
{
	munmap(map_, size_);
}

Imported::Imported(const Device &device, const Fd &dma_buf) : fd_(device.fd())
{
	CHECK_OK(import_buffer(fd_, dma_buf.get(), handle_));
	CHECK(handle_);
	record_ = device.buffer(handle_);
}

Imported::~Imported()
{
	if (handle_)
		close_handle(fd_, handle_);
}

void Imported::close()
{
	CHECK_OK(close_handle(fd_, handle_));
	handle_ = 0;
}

Fd udmabuf(std::size_t size)
{
	Fd device(open("/dev/udmabuf", O_RDWR | O_CLOEXEC));

	if (device.get() < 0)
		igt::skip("needs /dev/udmabuf: root, and a kernel with CONFIG_UDMABUF");
	Fd memory(memfd_create("conformance", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	CHECK(memory.get() >= 0);
	CHECK_OK(ftruncate(memory.get(), static_cast<off_t>(size)));
	CHECK_OK(fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK));

	udmabuf_create args{};
	args.memfd = static_cast<std::uint32_t>(memory.get());
	args.flags = UDMABUF_FLAGS_CLOEXEC;
	args.size = size;
	Fd dma_buf(ioctl(device.get(), UDMABUF_CREATE, &args));
	CHECK(dma_buf.get() >= 0);
	return dma_buf;
}

Fd system_heap(std::size_t size)
{
	Fd heap(open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
	dma_heap_allocation_data args{};

	if (heap.get() < 0)
		igt::skip("needs /dev/dma_heap/system: root, and a kernel with "
			  "CONFIG_DMABUF_HEAPS_SYSTEM");
	args.len = size;
	args.fd_flags = O_RDWR | O_CLOEXEC;
	CHECK_OK(call(heap.get(), DMA_HEAP_IOCTL_ALLOC, &args));
	return Fd(static_cast<int>(args.fd));
}

std::unique_ptr<VgemBuffer> need_vgem(std::uint32_t size)
{
	std::unique_ptr<VgemBuffer> buffer = VgemBuffer::create(size);

	if (!buffer)
		igt::skip("needs the module vgem (modprobe vgem) and the right to open its node");
	return buffer;
}
