/* SPDX-License-Identifier: MIT */
/*
 * The product of a tile, for generators that append further tasks.
 */
#pragma once

#include <cstdint>

#include <npu/task.h>

#include "blocks.h"
#include "rknn/matmul.h"

namespace npu::rknn
{

/// Multiply @p tile and put the results, as @p out, in part @p part of the results:
/// parts are as large as the results of one slice.
Task emit_product(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
		  const Addresses &addresses, std::uint32_t part, Precision out);

} // namespace npu::rknn
