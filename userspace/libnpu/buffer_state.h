/* SPDX-License-Identifier: MIT */
/*
 * The handle and the mapping behind a Buffer, and its ioctls.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npu/buffer.h"

namespace npu
{

class Buffer::State
{
public:
	/// A state without a handle: create() or import() has to follow.
	explicit State(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
	~State();
	State(const State &) = delete;
	State &operator=(const State &) = delete;

	/// Creates a buffer object. @return its mmap offset in the device file
	Result<std::uint64_t> create(std::size_t size, const Options &options);
	/// Imports @p dma_buf.
	Result<void> import(int dma_buf, const ImportOptions &options);
	/// Maps the whole buffer at mmap offset @p offset.
	Result<void> map(std::uint64_t offset);
	/// Limits the buffer to a part of the dma-buf.
	Result<void> narrow(std::size_t offset, std::size_t size);

	/// Whether the range is not empty and lies within the buffer.
	bool has(std::size_t offset, std::size_t length) const
	{
		return length && offset < size_ && length <= size_ - offset;
	}
	/// Transfers ownership of a range between the CPU and the device.
	Result<void> sync(std::size_t offset, std::size_t length, std::uint32_t direction) const;
	/// Begins or ends CPU access to a range.
	Result<void> begin(Direction direction, std::size_t offset, std::size_t length) const;
	Result<void> end(Direction direction, std::size_t offset, std::size_t length) const;
	/// Calls DMA_BUF_IOCTL_SYNC on the imported dma-buf.
	Result<void> sync_dma_buf(Direction direction, std::uint64_t step) const;

	Driver &driver() const { return *driver_; }
	const std::shared_ptr<Driver> &share_driver() const { return driver_; }
	std::span<std::byte> bytes() const { return bytes_; }
	std::size_t size() const { return size_; }
	std::uint32_t handle() const { return handle_; }
	std::uint32_t address() const { return address_; }
	/// The dma-buf of a buffer imported from another device, else negative.
	int dma_buf() const { return dma_buf_.get(); }

private:
	void own(std::uint32_t handle);
	Result<void> place(std::uint64_t address, std::uint64_t size);

	std::shared_ptr<Driver> driver_;
	/// The whole buffer.
	std::span<std::byte> mapping_;
	/// The part that narrow() has left.
	std::span<std::byte> bytes_;
	std::size_t size_ = 0;
	std::size_t offset_ = 0;
	std::uint32_t handle_ = 0;
	std::uint32_t address_ = 0;
	UniqueFd dma_buf_;
};

} // namespace npu
