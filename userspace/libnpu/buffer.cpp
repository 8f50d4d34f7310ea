/* SPDX-License-Identifier: MIT */
#include "npu/buffer.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>

#include "deadline.h"

namespace npu
{

namespace
{

/// What to do about a dma-buf that is refused.
const char *import_advice(int code)
{
	switch (code) {
	case EBADF:
		return " (it is no open file descriptor)";
	case EINVAL:
	case ENOTTY:
		return " (is it a dma-buf, and of at least a page?)";
	case ENOSPC:
		return " (the device's address space is full; free buffers)";
	default:
		return "";
	}
}

} // namespace

Result<Buffer> Buffer::create(const Device &device, std::size_t size, const Options &options)
{
	drm_npu_bo_create args{};
	Buffer buffer;
	int error = 0;

	args.size = size;
	args.flags = (options.read_only ? DRM_NPU_BO_READ_ONLY : 0) |
		     (options.cached ? DRM_NPU_BO_CACHED : 0);
	buffer.driver_ = device.share_driver();
	{
		HandleUses &handles = buffer.driver_->handles();
		const std::scoped_lock lock(handles.mutex());

		if (const int ret = buffer.driver_->ioctl(DRM_IOCTL_NPU_BO_CREATE, &args))
			return fail(-ret,
				    "cannot create a buffer of " + std::to_string(size) + " bytes");
		handles.add(args.handle);
	}
	buffer.handle_ = args.handle;
	buffer.size_ = args.size;
	buffer.address_ = static_cast<std::uint32_t>(args.address);
	buffer.bytes_ = buffer.driver_->map(args.size, args.mmap_offset, Access::read_write, error);
	if (error)
		return fail(-error, "cannot map a buffer of " + std::to_string(size) + " bytes");
	return buffer;
}

Result<Buffer> Buffer::import(const Device &device, int dma_buf)
{
	drm_prime_handle args{};
	Buffer buffer;
	int error = 0;

	args.fd = dma_buf;
	buffer.driver_ = device.share_driver();
	{
		HandleUses &handles = buffer.driver_->handles();
		const std::scoped_lock lock(handles.mutex());

		if (const int ret = buffer.driver_->ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, &args))
			return fail(-ret, "cannot import dma-buf " + std::to_string(dma_buf) +
						  import_advice(-ret));
		handles.add(args.handle);
	}
	buffer.handle_ = args.handle;

	auto info = buffer.info();
	if (!info)
		return forward(info);
	buffer.size_ = info->size;
	buffer.address_ = static_cast<std::uint32_t>(info->address);
	if (info->mmap_offset) {
		/* It was exported from this device. */
		buffer.bytes_ = buffer.driver_->map(info->size, info->mmap_offset,
						    Access::read_write, error);
		if (error)
			return fail(-error, "cannot map an imported buffer of " +
						    std::to_string(info->size) + " bytes");
	} else {
		/* Not every exporter maps; the device can use the buffer all the same. */
		buffer.bytes_ = buffer.driver_->map_dma_buf(dma_buf, info->size, error);
	}
	return buffer;
}

Buffer::~Buffer()
{
	release();
}

Buffer::Buffer(Buffer &&other) noexcept
	: driver_(std::move(other.driver_)), bytes_(std::exchange(other.bytes_, {})),
	  size_(std::exchange(other.size_, 0)), handle_(std::exchange(other.handle_, 0)),
	  address_(std::exchange(other.address_, 0))
{
}

Buffer &Buffer::operator=(Buffer &&other) noexcept
{
	std::swap(driver_, other.driver_);
	std::swap(bytes_, other.bytes_);
	std::swap(size_, other.size_);
	std::swap(handle_, other.handle_);
	std::swap(address_, other.address_);
	return *this;
}

void Buffer::release()
{
	if (!handle_)
		return;
	if (!bytes_.empty())
		driver_->unmap(bytes_);
	HandleUses &handles = driver_->handles();
	const std::scoped_lock lock(handles.mutex());
	if (!handles.drop(handle_))
		return;
	drm_gem_close args{};
	args.handle = handle_;
	driver_->ioctl(DRM_IOCTL_GEM_CLOSE, &args);
}

Result<UniqueFd> Buffer::export_dma_buf() const
{
	drm_prime_handle args{};

	args.handle = handle_;
	args.flags = DRM_CLOEXEC | DRM_RDWR;
	if (const int ret = driver_->ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, &args))
		return fail(-ret, "cannot export a buffer of " + std::to_string(size_) + " bytes");
	return UniqueFd(args.fd);
}

Result<void> Buffer::wait(std::chrono::steady_clock::time_point deadline, Use use) const
{
	drm_npu_bo_wait args{};

	args.handle = handle_;
	args.flags = use == Use::write ? DRM_NPU_BO_WAIT_WRITES : 0;
	args.timeout_ns = kernel_deadline(deadline);
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_BO_WAIT, &args))
		return fail(-ret,
			    "cannot wait for a buffer of " + std::to_string(size_) + " bytes");
	return {};
}

Result<void> Buffer::sync(std::size_t offset, std::size_t length,
			  drm_npu_sync_direction direction) const
{
	drm_npu_bo_sync args{};

	args.handle = handle_;
	args.direction = direction;
	args.offset = offset;
	args.length = length;
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_BO_SYNC, &args))
		return fail(-ret, "cannot hand over " + std::to_string(length) +
					  " bytes of a buffer of " + std::to_string(size_) +
					  " bytes");
	return {};
}

Result<void> Buffer::sync_for_cpu(std::size_t offset, std::size_t length) const
{
	return sync(offset, length, DRM_NPU_SYNC_FOR_CPU);
}

Result<void> Buffer::sync_for_device(std::size_t offset, std::size_t length) const
{
	return sync(offset, length, DRM_NPU_SYNC_FOR_DEVICE);
}

Result<void> Buffer::set_residency(Residency residency, std::uint8_t priority,
				   std::uint32_t region) const
{
	drm_npu_bo_residency args{};

	args.handle = handle_;
	args.residency = static_cast<std::uint32_t>(residency);
	args.region = region;
	args.priority = priority;
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_BO_RESIDENCY, &args))
		return fail(-ret, "cannot have a buffer of " + std::to_string(size_) +
					  " bytes in on-chip memory");
	return {};
}

Result<drm_npu_query_buffer> Buffer::info() const
{
	return query<drm_npu_query_buffer>(*driver_, DRM_NPU_QUERY_BUFFER, handle_);
}

} // namespace npu
