/* SPDX-License-Identifier: MIT */
/*
 * Rotary positions.
 */
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace npu::llm
{

/// Turns pairs of a head's elements by angles in proportion to the position.
class Rotation
{
public:
	Rotation() = default;

	/// For heads of @p head_size; pair i turns by position * base^(-2 i / head_size),
	/// divided by @p factors[i] if there are any.
	/// \pre head_size is even, factors is empty or has head_size / 2 elements
	Rotation(std::uint32_t head_size, float base, std::span<const float> factors,
		 bool rotates_halves);

	/// Choose the position.
	void set(std::uint32_t position);

	/// Rotate all heads in @p heads.
	void rotate(std::span<float> heads) const;

private:
	bool rotates_halves_ = false;
	std::vector<float> frequencies_;
	std::vector<float> cosines_;
	std::vector<float> sines_;
};

} // namespace npu::llm
