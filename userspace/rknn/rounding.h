/* SPDX-License-Identifier: MIT */
/*
 * Rounding up to multiples.
 */
#pragma once

#include <cstdint>

namespace npu::rknn
{

constexpr std::uint32_t align(std::uint32_t value, std::uint32_t to)
{
	return (value + to - 1) / to * to;
}

constexpr std::uint32_t divide_up(std::uint32_t value, std::uint32_t by)
{
	return (value + by - 1) / by;
}

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by)
{
	return (value + by - 1) / by;
}

} // namespace npu::rknn
