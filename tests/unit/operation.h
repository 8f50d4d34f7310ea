/* SPDX-License-Identifier: MIT */
/*
 * Helpers for tests of the generator's operations: random operands, the device's rounding in plain
 * arithmetic, and running tasks.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <npu/task.h>

#include "machine.h"

namespace npu::test
{

/// A number from @p least to @p most.
inline std::uint32_t pick(std::mt19937 &random, std::uint32_t least, std::uint32_t most)
{
	return least + static_cast<std::uint32_t>(random() % (most - least + 1));
}

/// One of @p list.
template <typename T>
T pick_of(std::mt19937 &random, std::initializer_list<T> list)
{
	return list.begin()[random() % list.size()];
}

/// @p count numbers from all of int8.
inline std::vector<std::int8_t> random_int8(std::mt19937 &random, std::size_t count)
{
	std::vector<std::int8_t> values(count);

	for (std::int8_t &value : values)
		value = static_cast<std::int8_t>(random());
	return values;
}

/// @p value / 2^@p shift to nearest, ties to even.
inline std::int64_t divide_even(std::int64_t value, std::uint32_t shift)
{
	if (!shift)
		return value;
	if (shift > 62)
		return 0;
	const std::int64_t unit = std::int64_t{1} << shift;
	const std::int64_t whole = value >> shift;
	const std::int64_t rest = value - whole * unit;
	const bool up = 2 * rest > unit || (2 * rest == unit && whole % 2 != 0);

	return whole + (up ? 1 : 0);
}

inline std::int64_t clamp_to(std::int64_t value, std::int64_t least, std::int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

inline std::int64_t clamp_int8(std::int64_t value)
{
	return clamp_to(value, -128, 127);
}

inline std::int64_t clamp_int32(std::int64_t value)
{
	return clamp_to(value, INT32_MIN, INT32_MAX);
}

/// Copies @p values to new device memory of @p size bytes.
template <typename T>
std::uint32_t put(Machine &machine, std::span<const T> values)
{
	const std::uint32_t address = machine.allocate(values.size_bytes());

	std::memcpy(machine.memory(address).data(), values.data(), values.size_bytes());
	return address;
}

/// Passes @p lanes through the kernel's verifier, and runs each on its own core.
void run(Machine &machine, std::span<const Lane> lanes);

} // namespace npu::test
