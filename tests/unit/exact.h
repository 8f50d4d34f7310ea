/* SPDX-License-Identifier: MIT */
/*
 * Exact arithmetic of a matrix product as the generator lays it out.
 */
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <rknn/matmul.h>

#include "model_reference.h"

namespace npu::test
{

/// The fp16 product of row @p a and row @p b in a product laid out as @p layout:
/// the rule measured on silicon in each slice of K, and then a float addition for
/// each further slice.
inline float dot_fp16(const rknn::WeightLayout &layout, std::span<const std::uint16_t> a,
		      std::span<const std::uint16_t> b)
{
	float total = 0;

	for (std::uint32_t slice = 0; slice < layout.slices(); slice++) {
		const std::uint32_t begin = layout.slice_begin(slice);
		const std::uint32_t end = std::min(layout.slice_begin(slice + 1), layout.k());
		const float sum = model_test::dot_fp16(a.subspan(begin, end - begin),
						       b.subspan(begin, end - begin));

		total = slice ? total + sum : sum;
	}
	return total;
}

} // namespace npu::test
