/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Activations by look-up table as command streams of the DPU alone.
 *
 * The table has 513 entries for negative inputs and 513 for others, between which
 * the device interpolates linearly.
 *
 * int8: each of the 256 inputs has an entry of its own, so each result is the
 * nearest int8 to the exact one.
 *
 * fp16: the entries are 1/64 apart and cover -8 to 8 (tanh), or 1/32 apart and
 * cover -16 to 16 (the others); outside, the outermost entry applies. Entries have
 * steps of 2^-15 and are never 0, which the device decodes as a large number: the
 * smallest entry of either sign stands for 0. SiLU and GELU multiply x by the table's
 * sigmoid or normal distribution in a second pass, because a single table is not
 * precise enough.
 *
 * The first two tasks of each lane load the table, which stays in the core for the
 * rest of the lane. Do not interleave the tasks with those of another table.
 *
 * Evidence: loading, ranges and fp16 results are measured (GN, HAP). Assumed: that
 * the table serves integers, too.
 */
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/quantisation.h"
#include "rknn/tensor.h"
#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// The function of a table.
enum class Function : std::uint8_t {
	/// 1 / (1 + exp(-x))
	sigmoid,
	/// The hyperbolic tangent of x.
	tanh,
	/// x * sigmoid(x)
	silu,
	/// x * (1 + erf(x / sqrt(2))) / 2
	gelu,
};

/// The function in double precision.
double evaluate(Function function, double x);

/// A function of each element of a map.
struct TableActivation {
	/// The function.
	Function function = Function::silu;
	/// Type of the map and of the results.
	Type type = Type::int8;
	/// Shape of the map and of the results.
	Shape shape = {};
	/// Scale and zero point of the map; of int8 only.
	Quantisation input = {};
	/// Scale and zero point of the results; of int8 only.
	Quantisation output = {};
};

/// Entries for inputs up to 0 and for inputs from 0 on.
struct Table {
	/// Entries of a half. Both halves have one for input 0.
	static constexpr std::uint32_t entries = 513;

	/// Entries of inputs up to 0, in ascending order of the inputs: the last is that of 0.
	std::array<std::int16_t, entries> negative{};
	/// Entries of inputs from 0 on: the first is that of 0.
	std::array<std::int16_t, entries> positive{};
};

/// The table of @p activation.
Table table_of(const TableActivation &activation);

/// Device addresses of maps of Layout(type, shape), multiples of 16.
struct TableAddresses {
	/// The map.
	std::uint32_t input = 0;
	/// The results. Must not be the input.
	std::uint32_t output = 0;
	/// A map for the factors of the second pass of fp16 SiLU and GELU.
	std::uint32_t scratch = 0;
};

/// The tasks of each of up to @p cores cores.
/// \retval EINVAL a size or the number of cores is 0, or a quantisation is invalid
/// \retval EOPNOTSUPP a map exceeds the device's address space
Result<std::vector<Lane>> emit(const TableActivation &activation, const TableAddresses &addresses,
			       std::uint32_t cores);

} // namespace npu::rknn
#pragma GCC visibility pop
