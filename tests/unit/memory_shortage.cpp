/* SPDX-License-Identifier: MIT */
#include "memory_shortage.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace npu::test
{

namespace
{

/// Allocations of this thread until one fails; negative if none does.
thread_local int until_failure = -1;
thread_local Shortage kind = Shortage::once;
thread_local bool failed = false;

/// Counts an allocation. @return whether it fails
bool count_allocation()
{
	if (until_failure < 0)
		return false;
	if (until_failure > 0) {
		until_failure--;
		return false;
	}
	if (kind == Shortage::once)
		until_failure = -1;
	failed = true;
	return true;
}

} // namespace

void start_shortage(int number, Shortage shortage)
{
	failed = false;
	kind = shortage;
	until_failure = number;
}

bool end_shortage()
{
	until_failure = -1;
	return failed;
}

Plenty::Plenty() : before_(std::exchange(until_failure, -1)) {}

Plenty::~Plenty()
{
	until_failure = before_;
}

int RichDriver::ioctl(unsigned long request, void *argument)
{
	const Plenty plenty;

	return FakeDriver::ioctl(request, argument);
}

std::span<std::byte> RichDriver::map(std::size_t size, std::uint64_t offset, MapAccess access,
				     int &error)
{
	const Plenty plenty;

	return FakeDriver::map(size, offset, access, error);
}

std::span<std::byte> RichDriver::map_dma_buf(int fd, std::size_t size, int &error)
{
	const Plenty plenty;

	return FakeDriver::map_dma_buf(fd, size, error);
}

int RichDriver::file_ioctl(int fd, unsigned long request, void *argument)
{
	const Plenty plenty;

	return FakeDriver::file_ioctl(fd, request, argument);
}

int RichDriver::wait_readable(int fd, Deadline deadline)
{
	const Plenty plenty;

	return FakeDriver::wait_readable(fd, deadline);
}

} // namespace npu::test

/* noinline: GCC 12 warns of mismatched free() where it inlines only one of a pair. */
void *operator new(std::size_t size)
{
	if (npu::test::count_allocation())
		throw std::bad_alloc();
	if (void *memory = std::malloc(size ? size : 1))
		return memory;
	throw std::bad_alloc();
}

[[gnu::noinline]] void operator delete(void *memory) noexcept
{
	std::free(memory);
}

[[gnu::noinline]] void operator delete(void *memory, std::size_t /*size*/) noexcept
{
	std::free(memory);
}
