/* SPDX-License-Identifier: MIT */
#include "buffer_state.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <linux/dma-buf.h>

#include "driver_shared.h"
#include "npu/raw.h"

namespace npu
{

namespace
{

constexpr std::size_t cache_line = 64;

/// Advice for a dma-buf that the kernel refuses.
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

void close_handle(Driver &driver, std::uint32_t handle)
{
	drm_gem_close args{};

	args.handle = handle;
	driver.ioctl(DRM_IOCTL_GEM_CLOSE, &args);
}

std::string bytes_text(std::uint64_t size)
{
	return std::to_string(size) + " bytes";
}

} // namespace

Buffer::State::~State()
{
	if (!mapping_.empty())
		driver_->unmap(mapping_);
	/* After fork() the handle belongs to the parent, and the mutex may have been held. */
	if (!handle_ || driver_->inherited())
		return;
	HandleUses &handles = driver_->shared().handles;
	const std::scoped_lock lock(handles.mutex());
	if (handles.drop(handle_))
		close_handle(*driver_, handle_);
}

/// Takes a reference to @p handle, or closes it if memory is short. The caller holds the lock.
void Buffer::State::own(std::uint32_t handle)
{
	try {
		driver_->shared().handles.add(handle);
	} catch (...) {
		close_handle(*driver_, handle);
		throw;
	}
	handle_ = handle;
}

/// Stores the device address and the size of the buffer.
Result<void> Buffer::State::place(std::uint64_t address, std::uint64_t size)
{
	if (address > std::numeric_limits<std::uint32_t>::max())
		return fail(EOVERFLOW, "the device address of a buffer has more than 32 bits");
	address_ = static_cast<std::uint32_t>(address);
	size_ = size;
	return {};
}

Result<std::uint64_t> Buffer::State::create(std::size_t size, const Options &options)
{
	drm_npu_bo_create args{};

	args.size = size;
	args.flags = (options.read_only ? DRM_NPU_BO_READ_ONLY : 0) |
		     (options.cached ? DRM_NPU_BO_CACHED : 0) |
		     (options.residency == Residency::pin ? DRM_NPU_BO_PIN : 0);
	args.region = options.residency == Residency::none ? 0 : options.region;
	{
		HandleUses &handles = driver_->shared().handles;
		const std::scoped_lock lock(handles.mutex());

		if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_BO_CREATE, &args))
			return fail(-ret, "cannot create a buffer of " + bytes_text(size));
		own(args.handle);
	}
	if (auto placed = place(args.address, args.size); !placed)
		return forward(placed);
	return args.mmap_offset;
}

Result<void> Buffer::State::map(std::uint64_t offset)
{
	int error = 0;

	mapping_ = driver_->map(size_, offset, MapAccess::read_write, error);
	if (error)
		return fail(-error, "cannot map a buffer of " + bytes_text(size_));
	bytes_ = mapping_;
	return {};
}

Result<void> Buffer::State::import(int dma_buf, const ImportOptions &options)
{
	drm_prime_handle args{};

	args.fd = dma_buf;
	{
		HandleUses &handles = driver_->shared().handles;
		const std::scoped_lock lock(handles.mutex());

		if (const int ret = driver_->ioctl(DRM_IOCTL_PRIME_FD_TO_HANDLE, &args))
			return fail(-ret, "cannot import dma-buf " + std::to_string(dma_buf) +
						  import_advice(-ret));
		own(args.handle);
	}

	auto info = query<drm_npu_query_buffer>(*driver_, DRM_NPU_QUERY_BUFFER, handle_);
	if (!info)
		return forward(info);
	if (auto placed = place(info->address, info->size); !placed)
		return placed;
	if (info->mmap_offset) {
		/* The dma-buf was exported from this device. */
		if (auto mapped = map(info->mmap_offset); !mapped)
			return mapped;
	} else {
		int error = 0;

		dma_buf_ = UniqueFd(::fcntl(dma_buf, F_DUPFD_CLOEXEC, 0));
		if (!dma_buf_.valid())
			return fail(errno, "cannot duplicate dma-buf " + std::to_string(dma_buf));
		/*
		 * Mapping may fail: not every exporter implements mmap, and the device does not
		 * need it.
		 */
		mapping_ = driver_->map_dma_buf(dma_buf, size_, error);
		bytes_ = mapping_;
	}
	return narrow(options.offset, options.size);
}

Result<void> Buffer::State::narrow(std::size_t offset, std::size_t size)
{
	if (size == std::numeric_limits<std::size_t>::max() && offset < size_)
		size = size_ - offset;
	if (!has(offset, size))
		return fail(EINVAL, bytes_text(size) + " from byte " + std::to_string(offset) +
					    " on do not lie within a dma-buf of " +
					    bytes_text(size_));
	address_ += static_cast<std::uint32_t>(offset);
	offset_ = offset;
	size_ = size;
	if (!mapping_.empty())
		bytes_ = mapping_.subspan(offset, size);
	return {};
}

Result<void> Buffer::State::sync(std::size_t offset, std::size_t length,
				 std::uint32_t direction) const
{
	drm_npu_bo_sync args{};

	if (handle_ && !has(offset, length))
		return fail(EINVAL, "cannot synchronise " + bytes_text(length) + " from byte " +
					    std::to_string(offset) + " on of a buffer of " +
					    bytes_text(size_));
	args.handle = handle_;
	args.direction = direction;
	args.offset = offset_ + offset;
	args.length = length;
	if (const int ret = driver_->ioctl(DRM_IOCTL_NPU_BO_SYNC, &args))
		return fail(-ret, "cannot synchronise " + bytes_text(length) + " of a buffer of " +
					  bytes_text(size_));
	return {};
}

Result<void> Buffer::State::sync_dma_buf(Direction direction, std::uint64_t step) const
{
	dma_buf_sync args{};

	args.flags = step | (direction != Direction::write ? DMA_BUF_SYNC_READ : 0) |
		     (direction != Direction::read ? DMA_BUF_SYNC_WRITE : 0);
	if (const int ret = driver_->file_ioctl(dma_buf(), DMA_BUF_IOCTL_SYNC, &args))
		return fail(-ret, "cannot synchronise an imported buffer of " + bytes_text(size_));
	return {};
}

Result<void> Buffer::State::begin(Direction direction, std::size_t offset, std::size_t length) const
{
	if (dma_buf_.valid())
		return sync_dma_buf(direction, DMA_BUF_SYNC_START);
	/* Cache lines that are overwritten as a whole need no invalidation first. */
	if (direction == Direction::write && (offset_ + offset) % cache_line == 0 &&
	    length % cache_line == 0)
		return {};
	return sync(offset, length, DRM_NPU_SYNC_FOR_CPU);
}

Result<void> Buffer::State::end(Direction direction, std::size_t offset, std::size_t length) const
{
	if (dma_buf_.valid())
		return sync_dma_buf(direction, DMA_BUF_SYNC_END);
	if (direction == Direction::read)
		return {};
	return sync(offset, length, DRM_NPU_SYNC_FOR_DEVICE);
}

} // namespace npu
