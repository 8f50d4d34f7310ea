/* SPDX-License-Identifier: MIT */
/// User memory for the arguments of one call, between canaries and pages that
/// cannot be touched.
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

/// One thread's memory. It lies at the same addresses in every run.
class Arena
{
public:
	static constexpr std::size_t slot_size = 32 << 10;
	static constexpr std::size_t slot_count = 24;

	explicit Arena(unsigned thread);
	~Arena();
	Arena(const Arena &) = delete;
	Arena &operator=(const Arena &) = delete;

	/// Forgets the blocks of the call before.
	void begin() { used_.clear(); }
	/// A block filled with zeros; of more than a slot, only the end of one. It
	/// ends at a page that cannot be touched if @edge.
	Block block(std::size_t size, bool edge);
	/// The same for what the call writes to; filled with canaries.
	Block output(std::size_t size, bool edge);

	/// Saves the contents of the blocks.
	void seal();
	/// Restores the contents that seal() saved.
	void restore();
	/// Describes illegal writes; empty if there are none. In the first block, the
	/// argument, the bytes in @writable may have changed.
	std::string check(const std::vector<bool> &writable) const;
	/// The blocks in hexadecimal words, at most @words of each.
	std::string text(std::size_t words) const;

	/// An address that can be read and not written, with a copy of @block.
	std::uint64_t read_only(const Block &block);
	/// An address that cannot be touched.
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
	/// The same page twice, once to be written and once to be read.
	std::uint8_t *writable_, *readable_;
	std::vector<Used> used_;
};

} // namespace fuzz
