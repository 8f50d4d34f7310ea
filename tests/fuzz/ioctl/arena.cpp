/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

namespace fuzz
{

namespace
{

constexpr std::uint8_t canary = 0xc5;
constexpr std::size_t canary_size = 256;
constexpr std::size_t page = 4096;
constexpr std::size_t pitch = Arena::slot_size + page;
constexpr std::size_t arena_size = Arena::slot_count * pitch + 3 * page;
constexpr std::uintptr_t first_address = 0x2000'0000'0000;

std::uint8_t *map(std::uintptr_t address, std::size_t size, int protection, int fd)
{
	void *result = mmap(reinterpret_cast<void *>(address), size, protection,
			    (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_FIXED, fd, 0);

	if (result == MAP_FAILED)
		throw std::system_error(errno, std::generic_category(), "mmap");
	return static_cast<std::uint8_t *>(result);
}

bool is_canary(std::span<const std::uint8_t> bytes)
{
	return std::ranges::all_of(bytes, [](std::uint8_t b) { return b == canary; });
}

} // namespace

Arena::Arena(unsigned thread)
{
	/* A pointer with one flipped bit never points to another arena. */
	std::uintptr_t place = thread << 1 | (static_cast<unsigned>(std::popcount(thread)) & 1);
	std::uintptr_t address = first_address + (place << 24);
	int fd = memfd_create("arena", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, page))
		throw std::system_error(errno, std::generic_category(), "memfd_create");
	base_ = map(address, arena_size, PROT_NONE, -1);
	for (std::size_t i = 0; i < slot_count; i++) {
		map(address + i * pitch, slot_size, PROT_READ | PROT_WRITE, -1);
		std::memset(slot(i), canary, slot_size);
	}
	writable_ = map(address + slot_count * pitch, page, PROT_READ | PROT_WRITE, fd);
	readable_ = map(address + slot_count * pitch + page, page, PROT_READ, fd);
	close(fd);
}

Arena::~Arena()
{
	munmap(base_, arena_size);
}

std::uint8_t *Arena::slot(std::size_t index) const
{
	return base_ + index * pitch;
}

Arena::Used &Arena::take(std::size_t size, bool edge)
{
	std::size_t index = used_.size();

	if (index == slot_count)
		throw std::length_error("a call with too many blocks");
	std::uint8_t *begin = slot(index), *end = begin + slot_size;
	/* The end of a block that does not fit is in inaccessible memory. */
	edge = edge || size > slot_size - 2 * canary_size;
	size = std::min(size, slot_size - canary_size);

	std::uint8_t *data = edge ? end - size : begin + canary_size;
	std::memset(data - canary_size, canary, canary_size);
	std::memset(data, 0, size);
	if (!edge)
		std::memset(data + size, canary, canary_size);
	used_.push_back({{data, size}, index, false, {}});
	return used_.back();
}

Block Arena::block(std::size_t size, bool edge)
{
	return take(size, edge).block;
}

Block Arena::output(std::size_t size, bool edge)
{
	Used &used = take(size, edge);

	used.output = true;
	std::memset(used.block.data, canary, used.block.size);
	return used.block;
}

void Arena::seal()
{
	for (Used &used : used_)
		used.copy.assign(used.block.data, used.block.data + used.block.size);
}

void Arena::restore()
{
	for (const Used &used : used_)
		std::ranges::copy(used.copy, used.block.data);
}

std::string Arena::check(const std::vector<bool> &writable) const
{
	for (const Used &used : used_) {
		const std::uint8_t *end = used.block.data + used.block.size;
		auto after = static_cast<std::size_t>(slot(used.slot) + slot_size - end);
		std::string where = "block " + std::to_string(used.slot);

		if (!is_canary({used.block.data - canary_size, canary_size}))
			return where + " was written to before its begin";
		if (!is_canary({end, std::min(after, canary_size)}))
			return where + " was written to behind its end";
		if (used.output)
			continue;
		for (std::size_t i = 0; i < used.block.size; i++) {
			bool may = !used.slot && i < writable.size() && writable[i];

			if (!may && used.block.data[i] != used.copy[i])
				return where + " was changed at byte " + std::to_string(i);
		}
	}
	return {};
}

std::string Arena::text(std::size_t words) const
{
	std::string all;

	for (const Used &used : used_) {
		char word[32];

		std::snprintf(word, sizeof(word), " [%zu:", used.block.size);
		all += word;
		for (std::size_t i = 0; i < used.block.size && i < words * 4; i += 4) {
			std::uint32_t value = 0;

			std::memcpy(&value, used.block.data + i,
				    std::min<std::size_t>(4, used.block.size - i));
			std::snprintf(word, sizeof(word), " %x", value);
			all += word;
		}
		all += used.block.size > words * 4 ? " ...]" : "]";
	}
	return all;
}

std::uint64_t Arena::read_only(const Block &block)
{
	std::memcpy(writable_, block.data, std::min(block.size, page));
	return reinterpret_cast<std::uintptr_t>(readable_);
}

std::uint64_t Arena::forbidden() const
{
	/* Behind the slot that is rarely used: a call may write to the memory before it. */
	return reinterpret_cast<std::uintptr_t>(slot(slot_count - 1) + slot_size);
}

} // namespace fuzz
