/* SPDX-License-Identifier: MIT */
/*
 * The door to the kernel. Tests put a device of their own behind it.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "npu/error.h"

namespace npu
{

/// What libnpu asks of an open device file. Calls may come from any thread.
class Driver
{
public:
	virtual ~Driver() = default;

	/// ioctl(2), repeated when interrupted.
	/// \return 0 or a negative errno
	virtual int ioctl(unsigned long request, void *argument) = 0;

	/// Map @p size bytes, shared, readable and writable.
	/// \return the bytes, empty with a negative errno in @p error
	virtual std::span<std::byte> map(std::size_t size, std::uint64_t offset, int &error) = 0;

	/// Undo map().
	virtual void unmap(std::span<std::byte> bytes) = 0;
};

/// Open the device file @p path; if empty, the first NPU there is: an accel
/// node, or a render node of a kernel without accel nodes.
/// \retval ENODEV no NPU, or @p path is none
/// \retval EACCES no permission
Result<std::shared_ptr<Driver>> open_driver(const std::string &path = {});

} // namespace npu
