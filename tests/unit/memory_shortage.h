/* SPDX-License-Identifier: MIT */
/*
 * Replaces operator new of the program by one that fails on demand.
 */
#pragma once

#include "fake_driver.h"

namespace npu::test
{

enum class Shortage {
	/// Only that allocation fails.
	once,
	/// That allocation and all later ones fail.
	lasting,
};

/// Makes this thread's allocation @p number from now on, counted from 0, throw std::bad_alloc.
void start_shortage(int number, Shortage shortage);
/// Makes allocations succeed again. @return whether one has failed
bool end_shortage();

/// While it exists, this thread's allocations succeed and are not counted.
class Plenty
{
public:
	Plenty();
	~Plenty();
	Plenty(const Plenty &) = delete;
	Plenty &operator=(const Plenty &) = delete;

private:
	int before_;
};

/// A device without a kernel whose own allocations succeed.
class RichDriver final : public FakeDriver
{
public:
	int ioctl(unsigned long request, void *argument) override;
	std::span<std::byte> map(std::size_t size, std::uint64_t offset, MapAccess access,
				 int &error) override;
	std::span<std::byte> map_dma_buf(int fd, std::size_t size, int &error) override;
	int file_ioctl(int fd, unsigned long request, void *argument) override;
	int wait_readable(int fd, Deadline deadline) override;
};

} // namespace npu::test
