/* SPDX-License-Identifier: MIT */
#include "npu/buffer.h"

#include <utility>

namespace npu
{

Result<Buffer> Buffer::create(const Device &device, std::size_t size)
{
	drm_npu_bo_create args{};
	Buffer buffer;
	int error = 0;

	args.size = size;
	if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_BO_CREATE, &args))
		return fail(-ret, "cannot create a buffer of " + std::to_string(size) + " bytes");
	buffer.driver_ = device.share_driver();
	buffer.handle_ = args.handle;
	buffer.address_ = static_cast<std::uint32_t>(args.address);
	buffer.bytes_ = buffer.driver_->map(args.size, args.mmap_offset, error);
	if (error)
		return fail(-error, "cannot map a buffer of " + std::to_string(size) + " bytes");
	return buffer;
}

Buffer::~Buffer()
{
	release();
}

Buffer::Buffer(Buffer &&other) noexcept
	: driver_(std::move(other.driver_)), bytes_(std::exchange(other.bytes_, {})),
	  handle_(std::exchange(other.handle_, 0)), address_(std::exchange(other.address_, 0))
{
}

Buffer &Buffer::operator=(Buffer &&other) noexcept
{
	std::swap(driver_, other.driver_);
	std::swap(bytes_, other.bytes_);
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
	drm_gem_close args{};
	args.handle = handle_;
	driver_->ioctl(DRM_IOCTL_GEM_CLOSE, &args);
}

} // namespace npu
