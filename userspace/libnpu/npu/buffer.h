/* SPDX-License-Identifier: MIT */
/*
 * Memory that both the CPU and the NPU see.
 */
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npu/device.h"
#include "npu/error.h"
#include "npu/unique_fd.h"

namespace npu
{

/// A buffer, mapped for the CPU. Moves, does not copy.
class Buffer
{
public:
	struct Options {
		/// The device may read it only: a job that writes there is refused.
		bool read_only = false;
		/// The CPU sees it through its caches: fast to read, but ranges have
		/// to be handed over with sync_for_cpu() and sync_for_device(). Else
		/// reads may be slow, and there is nothing to hand over.
		bool cached = false;
	};

	/// A buffer of @p size bytes, filled with zeros.
	/// \retval EINVAL @p size is 0
	/// \retval E2BIG @p size is above the device's limit
	/// \retval ENOSPC no room in the device's address space
	/// \retval ENOMEM no memory
	static Result<Buffer> create(const Device &device, std::size_t size,
				     const Options &options);
	static Result<Buffer> create(const Device &device, std::size_t size)
	{
		return create(device, size, Options());
	}

	/// The memory behind @p dma_buf, which stays the caller's and may be closed
	/// after it. Jobs on such a buffer wait for, and add to, its fences.
	/// Around what the CPU does with it goes DMA_BUF_IOCTL_SYNC on the dma-buf.
	/// \retval EBADF, EINVAL @p dma_buf is no dma-buf, or not one that can be
	/// imported
	/// \retval ENOSPC no room in the device's address space
	static Result<Buffer> import(const Device &device, int dma_buf);

	Buffer() = default;
	~Buffer();
	Buffer(Buffer &&other) noexcept;
	Buffer &operator=(Buffer &&other) noexcept;
	Buffer(const Buffer &) = delete;
	Buffer &operator=(const Buffer &) = delete;

	/// The buffer's bytes; of the size asked for, rounded up to pages. Empty
	/// for an imported one whose exporter does not let the CPU write to it.
	std::span<std::byte> bytes() const { return bytes_; }
	std::size_t size() const { return size_; }
	/// Address that command streams use.
	std::uint32_t address() const { return address_; }
	/// GEM handle, for calls of the DRM core.
	std::uint32_t handle() const { return handle_; }

	/// The bytes from @p offset on as @p count elements.
	/// \pre they lie within bytes() and @p offset is aligned for T
	template <typename T>
	std::span<T> as(std::size_t offset, std::size_t count) const
	{
		const auto part = bytes_.subspan(offset, count * sizeof(T));
		return {reinterpret_cast<T *>(part.data()), count};
	}

	/// A dma-buf of the buffer, for other devices and other processes.
	Result<UniqueFd> export_dma_buf() const;

	/// Work to wait for.
	enum class Use : std::uint8_t {
		/// Whatever reads or writes the buffer.
		any,
		/// Only what writes to it, so that it can be read.
		write,
	};

	/// Wait until no job that was submitted before uses the buffer.
	/// \retval EBUSY it is in use and @p deadline has passed already
	/// \retval ETIMEDOUT it still is at @p deadline
	Result<void> wait(std::chrono::steady_clock::time_point deadline =
				  std::chrono::steady_clock::time_point::max(),
			  Use use = Use::any) const;

	/// Hand @p length bytes from @p offset on to the CPU, after the device has
	/// written there; of a cached buffer, for others it does nothing. Waits for no
	/// job.
	/// \retval EINVAL the range is empty or not inside the buffer
	/// \retval EOPNOTSUPP it is imported: DMA_BUF_IOCTL_SYNC does it
	Result<void> sync_for_cpu(std::size_t offset, std::size_t length) const;
	/// The same, to the device, after the CPU has written there.
	Result<void> sync_for_device(std::size_t offset, std::size_t length) const;

	/// What is asked for a buffer; see enum drm_npu_residency.
	enum class Residency : std::uint8_t {
		/// To be in system memory.
		none = DRM_NPU_RESIDENCY_NONE,
		/// To be on the chip while there is room.
		prefer = DRM_NPU_RESIDENCY_PREFER,
		/// To be on the chip, and to stay.
		pin = DRM_NPU_RESIDENCY_PIN,
	};

	/// Say where the buffer is to be. Its address, its contents and bytes()
	/// stay the same; it moves between slices. @p region is its index. Of what is preferred,
	/// that with the lowest @p priority has to leave first. For anything but a preference this
	/// waits for the jobs of this open file that run. \retval EOPNOTSUPP the device has no
	/// on-chip memory \retval ENOSPC no room to pin it, or it is larger than that memory
	/// \retval EBUSY it is imported or exported
	Result<void> set_residency(Residency residency, std::uint8_t priority = 0,
				   std::uint32_t region = chip_region) const;

	/// What the kernel knows; see the kernel-doc of the record.
	Result<drm_npu_query_buffer> info() const;

private:
	void release();
	Result<void> sync(std::size_t offset, std::size_t length,
			  drm_npu_sync_direction direction) const;

	std::shared_ptr<Driver> driver_;
	std::span<std::byte> bytes_;
	std::size_t size_ = 0;
	std::uint32_t handle_ = 0;
	std::uint32_t address_ = 0;
};

} // namespace npu
