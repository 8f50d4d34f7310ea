/* SPDX-License-Identifier: MIT */
/// User memory for the arguments of a call, between canaries and inaccessible pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "random.h"

namespace fuzz
{

/// Memory of a call.
struct Block {
	std::uint8_t *data = nullptr;
	std::size_t size = 0;

	std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(data); }
	std::span<std::uint8_t> bytes() const { return {data, size}; }
};

/// The memory of one thread, at the same addresses in every run.
class Arena
{
public:
	static constexpr std::size_t slot_size = 32 << 10;
	static constexpr std::size_t slot_count = 24;

	explicit Arena(unsigned thread);
	~Arena();
	Arena(const Arena &) = delete;
	Arena &operator=(const Arena &) = delete;

	/// Releases the blocks of the previous call.
	void begin() { used_.clear(); }
	/// Allocates a zeroed block. Blocks larger than a slot only have their end in memory. With
	/// @edge, the block ends at an inaccessible page.
	Block block(std::size_t size, bool edge);
	/// As block(), for memory that the call writes to; filled with canaries.
	Block output(std::size_t size, bool edge);

	/// Saves the contents of the blocks.
	void seal();
	/// Restores the contents that seal() saved.
	void restore();
	/// Describes illegal writes; empty if there are none. In the first block, the
	/// argument, the bytes in @writable may have changed.
	std::string check(const std::vector<bool> &writable) const;
	/// Formats at most @words words of each block in hexadecimal.
	std::string text(std::size_t words) const;

	/// Copies @block to memory that user space cannot write to. @return its address
	std::uint64_t read_only(const Block &block);
	/// An inaccessible address.
	std::uint64_t forbidden() const;

private:
	struct Used {
		Block block;
		std::size_t slot;
		bool output;
		std::vector<std::uint8_t> copy;
	};

	std::uint8_t *slot(std::size_t index) const;
	Used &take(std::size_t size, bool edge);

	std::uint8_t *base_;
	/// A page that is mapped twice, writable and read-only.
	std::uint8_t *writable_, *readable_;
	std::vector<Used> used_;
};

} // namespace fuzz
