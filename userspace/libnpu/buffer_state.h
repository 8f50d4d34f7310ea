/* SPDX-License-Identifier: MIT */
/*
 * What a buffer is to the kernel.
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
	/// No handle yet.
	explicit State(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}
	~State();
	State(const State &) = delete;
	State &operator=(const State &) = delete;

	/// Have the kernel make a buffer. @return where the device file maps it
	Result<std::uint64_t> create(std::size_t size, const Options &options);
	/// Have the handle of @p dma_buf.
	Result<void> import(int dma_buf, const ImportOptions &options);
	/// Map all of the buffer, which is @p offset bytes into the device file.
	Result<void> map(std::uint64_t offset);
	/// Stand for a part of the dma-buf only.
	Result<void> narrow(std::size_t offset, std::size_t size);

	/// Whether @p length bytes from @p offset on are some, and inside.
	bool has(std::size_t offset, std::size_t length) const
	{
		return length && offset < size_ && length <= size_ - offset;
	}
	/// Hand a range over.
	Result<void> sync(std::size_t offset, std::size_t length, std::uint32_t direction) const;
	/// Begin or end what the CPU does with a range.
	Result<void> begin(Direction direction, std::size_t offset, std::size_t length) const;
	Result<void> end(Direction direction, std::size_t offset, std::size_t length) const;
	/// DMA_BUF_IOCTL_SYNC.
	Result<void> sync_dma_buf(Direction direction, std::uint64_t step) const;

	Driver &driver() const { return *driver_; }
	const std::shared_ptr<Driver> &share_driver() const { return driver_; }
	std::span<std::byte> bytes() const { return bytes_; }
	std::size_t size() const { return size_; }
	std::uint32_t handle() const { return handle_; }
	std::uint32_t address() const { return address_; }
	/// Of memory of another device, else negative.
	int dma_buf() const { return dma_buf_.get(); }

private:
	void own(std::uint32_t handle);
	Result<void> place(std::uint64_t address, std::uint64_t size);

	std::shared_ptr<Driver> driver_;
	/// All of the buffer.
	std::span<std::byte> mapping_;
	/// The part that it stands for.
	std::span<std::byte> bytes_;
	std::size_t size_ = 0;
	std::size_t offset_ = 0;
	std::uint32_t handle_ = 0;
	std::uint32_t address_ = 0;
	UniqueFd dma_buf_;
};

} // namespace npu
