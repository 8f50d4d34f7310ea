/* SPDX-License-Identifier: MIT */
/*
 * A command stream under construction.
 */
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "rknn/registers.h"

namespace npu::rknn
{

class Stream
{
public:
	Stream() { words_.reserve(160); }

	void set(std::uint16_t reg, std::uint32_t value) { words_.push_back(command(reg, value)); }

	/// Write @p value to all registers from @p first to @p last.
	void set_range(std::uint16_t first, std::uint16_t last, std::uint32_t value)
	{
		for (std::uint32_t reg = first; reg <= last; reg += 4)
			set(static_cast<std::uint16_t>(reg), value);
	}

	std::vector<std::uint64_t> take() { return std::move(words_); }

private:
	std::vector<std::uint64_t> words_;
};

} // namespace npu::rknn
