/* SPDX-License-Identifier: MIT */
/*
 * Activations that follow an operation in the same pass.
 */
#pragma once

#include <cstdint>

#include <npu/error.h>

#include "rknn/quantisation.h"

namespace npu::rknn
{

enum class Activation : std::uint8_t {
	none,
	/// max(v, 0)
	relu,
	/// min(max(v, 0), 6). Its upper bound has a comparator of its own, which is
	/// in the manual, but which no published stream uses; where int8 results
	/// saturate at 6 or below, it stays off.
	relu6,
};

/// The upper bound that @p activation puts on values of @p unit whose results are
/// @p output; 0 if it puts none, or results saturate at it.
/// \retval ERANGE the bound is no number of 32 bits
Result<std::uint32_t> ceiling_of(Activation activation, double unit, const Quantisation &output);

} // namespace npu::rknn
