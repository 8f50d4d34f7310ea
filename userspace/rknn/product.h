/* SPDX-License-Identifier: MIT */
/*
 * The product of a tile, for generators that append tasks to it.
 */
#pragma once

#include <cstdint>

#include <npu/task.h>

#include "blocks.h"
#include "rknn/matmul.h"

namespace npu::rknn
{

/// Multiplies @p tile and writes the results, in format @p out, to part @p part of the results. A
/// part has the size of the results of one slice.
Task emit_product(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
		  const Addresses &addresses, std::uint32_t part, Precision out);

} // namespace npu::rknn
