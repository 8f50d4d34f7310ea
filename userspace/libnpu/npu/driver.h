/* SPDX-License-Identifier: MIT */
/*
 * The door to the kernel. Tests put a device of their own behind it.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "npu/error.h"

namespace npu
{

/// What a mapping allows.
enum class Access : std::uint8_t {
	read,
	read_write,
};

/// How many buffers share a GEM handle. The kernel gives a file one handle for
/// a buffer however often it is imported, and one GEM_CLOSE ends it for all.
class HandleUses
{
public:
	/// Held from before a handle is taken or closed until it is counted.
	std::mutex &mutex() { return mutex_; }
	/// Count one more use of @p handle.
	void add(std::uint32_t handle) { uses_[handle]++; }
	/// Count one less. \return whether it was the last
	bool drop(std::uint32_t handle)
	{
		const auto found = uses_.find(handle);

		if (--found->second)
			return false;
		uses_.erase(found);
		return true;
	}

private:
	std::mutex mutex_;
	std::map<std::uint32_t, std::size_t> uses_;
};

/// What libnpu asks of an open device file. Calls may come from any thread.
class Driver
{
public:
	virtual ~Driver() = default;

	/// ioctl(2), repeated when interrupted.
	/// \return 0 or a negative errno
	virtual int ioctl(unsigned long request, void *argument) = 0;

	/// Map @p size bytes of the device file, shared.
	/// \return the bytes, empty with a negative errno in @p error
	virtual std::span<std::byte> map(std::size_t size, std::uint64_t offset, Access access,
					 int &error) = 0;

	/// Map @p size bytes of dma-buf @p fd, shared, readable and writable.
	/// \return the bytes, empty with a negative errno in @p error
	virtual std::span<std::byte> map_dma_buf(int fd, std::size_t size, int &error) = 0;

	/// Undo map() or map_dma_buf().
	virtual void unmap(std::span<std::byte> bytes) = 0;

	HandleUses &handles() { return handles_; }

private:
	HandleUses handles_;
};

/// Open the device file @p path; if empty, the first NPU there is: an accel
/// node, or a render node of a kernel without accel nodes.
/// \retval ENODEV no NPU, or @p path is none
/// \retval EACCES no permission
Result<std::shared_ptr<Driver>> open_driver(const std::string &path = {});

} // namespace npu
