/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The door to the kernel. Applications need it only to put a device of their own behind
 * the library, as tests do.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "npu/deadline.h"
#include "npu/error.h"

#pragma GCC visibility push(default)
namespace npu
{

/// What a mapping allows.
enum class MapAccess : std::uint8_t {
	/// Read the bytes.
	read,
	/// Read and write the bytes.
	read_write,
};

/// What the library asks of an open device file. Calls may come from any thread.
///
/// fork: the child shares the open file with its parent, so that closing a handle there
/// would close it for both. Objects of the library remember the process that opened the
/// device; in another their destructors only release memory and mappings of their own.
/// A child must open the device again and must not use inherited objects otherwise.
class Driver
{
public:
	/// Remembers the process that it is made in, for inherited().
	Driver();
	/// Runs when the last object of the device has gone.
	virtual ~Driver();
	Driver(const Driver &) = delete;
	Driver &operator=(const Driver &) = delete;

	/// ioctl(2), repeated when interrupted.
	/// @return 0 or a negative errno
	virtual int ioctl(unsigned long request, void *argument) = 0;

	/// Map @p size bytes of the device file, shared.
	/// @return the bytes, empty with a negative errno in @p error
	virtual std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
					 int &error) = 0;

	/// Map @p size bytes of dma-buf @p fd, shared, readable and writable.
	/// @return the bytes, empty with a negative errno in @p error
	virtual std::span<std::byte> map_dma_buf(int fd, std::size_t size, int &error) = 0;

	/// Undo map() or map_dma_buf().
	virtual void unmap(std::span<std::byte> bytes) = 0;

	/// ioctl() of another file: a dma-buf or a sync_file.
	/// @return 0 or a negative errno
	virtual int file_ioctl(int fd, unsigned long request, void *argument);

	/// Wait until @p fd is readable, as a sync_file is that has signalled.
	/// @return 1 if it is, 0 if @p deadline came first, or a negative errno
	virtual int wait_readable(int fd, Deadline deadline);

	/// The open device file, which stays the driver's; -1 if there is none.
	virtual int fd() const { return -1; }

	/// Whether this process inherited the driver by fork.
	bool inherited() const;

	class [[gnu::visibility("hidden")]] Shared;
	/// What the objects of an open device share; for the library itself.
	Shared &shared() { return *shared_; }

private:
	std::unique_ptr<Shared> shared_;
};

/// Open the device file @p path; if empty, the first NPU there is: an accel
/// node, or a render node of a kernel without accel nodes.
/// @retval ENODEV no NPU, or @p path is none
/// @retval EACCES no permission
Result<std::shared_ptr<Driver>> open_driver(const std::string &path = {});

} // namespace npu
#pragma GCC visibility pop
