/* SPDX-License-Identifier: MIT */
/*
 * Activations by look-up table as command streams of the DPU alone.
 *
 * The table has 513 entries for negative inputs and 513 for others, between which
 * the device interpolates linearly.
 *
 * int8: each of the 256 inputs has an entry of its own, so each result is the
 * nearest int8 to the exact one. That integers can pass the table is an
 * assumption: published streams have fp16.
 *
 * fp16: the entries are 1/64 apart and cover -8 to 8 (tanh), or 1/32 apart and
 * cover -16 to 16 (the others); beyond, results stay as they are there. Entries
 * have steps of 2^-15 and never are 0, which the device decodes as a large number:
 * the least of their sign stands for it. SiLU and GELU are x times the table's
 * sigmoid or normal distribution, a second pass: one table for all of it is not
 * precise enough.
 *
 * The first two tasks of each lane load the table, which stays in the core for the
 * others: the tasks of a lane must run in order, with nothing else that has a
 * table in between.
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

namespace npu::rknn
{

enum class Function : std::uint8_t {
	sigmoid,
	tanh,
	/// x * sigmoid(x)
	silu,
	/// x * (1 + erf(x / sqrt(2))) / 2
	gelu,
};

/// The function in double precision.
double evaluate(Function function, double x);

struct TableActivation {
	Function function = Function::silu;
	Type type = Type::int8;
	Shape shape = {};
	/// Of int8.
	Quantisation input = {};
	Quantisation output = {};
};

/// Entries up to input 0 and from there on.
struct Table {
	static constexpr std::uint32_t entries = 513;

	std::array<std::int16_t, entries> negative{};
	std::array<std::int16_t, entries> positive{};
};

/// The table of @p activation.
Table table_of(const TableActivation &activation);

/// Device addresses of maps of Layout(type, shape), multiples of 16.
struct TableAddresses {
	std::uint32_t input = 0;
	/// Must not be the input.
	std::uint32_t output = 0;
	/// Of fp16 SiLU and GELU: a map that holds the factors of the second pass.
	std::uint32_t scratch = 0;
};

/// The tasks of each of up to @p cores cores.
/// \retval EINVAL a size or cores are 0, or quantisations make no sense
/// \retval EOPNOTSUPP a map exceeds the device's address space
Result<std::vector<Lane>> emit(const TableActivation &activation, const TableAddresses &addresses,
			       std::uint32_t cores);

} // namespace npu::rknn
