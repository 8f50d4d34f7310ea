/* SPDX-License-Identifier: MIT */
/*
 * Attention, on the CPU; vectorised, with the instruction set chosen at run time.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace npu::llm
{

/// Elements that a head of @p size takes where attention works on it: whole vectors.
constexpr std::uint32_t padded_head(std::uint32_t size)
{
	constexpr std::uint32_t most_lanes = 16;

	return (size + most_lanes - 1) / most_lanes * most_lanes;
}

/// Keys and values of a layer as fp16, each head's positions one after the other.
class KvCache
{
public:
	KvCache() = default;
	KvCache(std::uint32_t heads, std::uint32_t head_size, std::uint32_t context);

	/// Stores the keys and values of all heads for @p position.
	/// \pre keys and values have heads * head_size elements
	void put(std::uint32_t position, std::span<const float> keys,
		 std::span<const float> values);

	/// padded_head() elements of each position of @p head.
	std::span<const std::uint16_t> keys(std::uint32_t head) const;
	std::span<const std::uint16_t> values(std::uint32_t head) const;

	std::size_t bytes() const { return 2 * keys_.size() * sizeof(std::uint16_t); }

private:
	std::uint32_t head_size_ = 0;
	std::size_t head_elements_ = 0;
	std::vector<std::uint16_t> keys_;
	std::vector<std::uint16_t> values_;
};

/// Write to @p out the mean of the first @p positions rows of @p values, weighted by the
/// softmax of the products of @p query and the rows of @p keys, times @p scale.
/// \pre query and out have a padded_head() elements, zeros beyond the head, and keys and
/// values have as many for each position; positions is not 0
void attend(std::span<const float> query, std::span<const std::uint16_t> keys,
	    std::span<const std::uint16_t> values, std::uint32_t positions, float scale,
	    std::span<float> out);

} // namespace npu::llm
