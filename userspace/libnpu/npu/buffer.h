/* SPDX-License-Identifier: MIT */
/*
 * Memory that both the CPU and the NPU see.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npu/device.h"
#include "npu/error.h"

namespace npu
{

/// A buffer, mapped for the CPU. Moves, does not copy.
class Buffer
{
public:
	/// A buffer of @p size bytes, filled with zeros.
	/// \retval EINVAL @p size is 0
	/// \retval E2BIG @p size is above the device's limit
	/// \retval ENOSPC no room in the device's address space
	/// \retval ENOMEM no memory
	static Result<Buffer> create(const Device &device, std::size_t size);

	Buffer() = default;
	~Buffer();
	Buffer(Buffer &&other) noexcept;
	Buffer &operator=(Buffer &&other) noexcept;
	Buffer(const Buffer &) = delete;
	Buffer &operator=(const Buffer &) = delete;

	/// The buffer's bytes; of the size asked for, rounded up to pages.
	std::span<std::byte> bytes() const { return bytes_; }
	std::size_t size() const { return bytes_.size(); }
	/// Address that command streams use.
	std::uint32_t address() const { return address_; }

	/// The bytes from @p offset on as @p count elements.
	/// \pre they lie within the buffer and @p offset is aligned for T
	template <typename T>
	std::span<T> as(std::size_t offset, std::size_t count) const
	{
		const auto part = bytes_.subspan(offset, count * sizeof(T));
		return {reinterpret_cast<T *>(part.data()), count};
	}

private:
	void release();

	std::shared_ptr<Driver> driver_;
	std::span<std::byte> bytes_;
	std::uint32_t handle_ = 0;
	std::uint32_t address_ = 0;
};

} // namespace npu
