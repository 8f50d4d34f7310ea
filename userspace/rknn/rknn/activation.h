/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Activations that follow an operation in the same pass.
 */
#pragma once

#include <cstdint>

#include <npu/error.h>

#include "rknn/quantisation.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// What follows an operation in the same pass, applied to each value v.
enum class Activation : std::uint8_t {
	/// v itself.
	none,
	/// max(v, 0)
	relu,
	/// min(max(v, 0), 6). The upper bound uses a comparator that the manual
	/// describes and no published stream uses. It stays off where int8 results
	/// saturate at 6 or below.
	relu6,
};

/// The upper bound of @p activation for values in @p unit whose results have the
/// quantisation @p output; 0 if there is no bound, or if results saturate at it.
/// \retval ERANGE the bound exceeds 32 bits
Result<std::uint32_t> ceiling_of(Activation activation, double unit, const Quantisation &output);

} // namespace npu::rknn
#pragma GCC visibility pop
