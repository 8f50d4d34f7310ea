/* SPDX-License-Identifier: MIT */
/*
 * Activations on their way to the NPU and results on their way back, one pass each:
 * quantise and put into atoms, take out of atoms and scale. Vectorised for the machine
 * it runs on.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace npu
{

/// The largest absolute value of a row, and whether all of them are finite numbers.
struct RowRange {
	float most = 0;
	bool finite = true;
};
RowRange row_range(std::span<const float> x);

/// Numbers that rotate() mixes with each other: the largest power of two that divides
/// @p k, at most 256.
std::uint32_t rotation_block(std::uint32_t k);
/// How many times as long it makes them.
float rotation_length(std::uint32_t k);

/// Multiply each block of @p x by a Hadamard matrix with columns of random signs; @p out may be
/// @p x.
/// Sums of products of two rotated rows are @p block times those of the rows, while a few
/// large numbers, or a mean of all, are spread over their block, where they cost less
/// precision.
/// \pre block is a power of two that divides the size of x, at most 256; out is of that size
void rotate(std::span<const float> x, std::span<float> out, std::uint32_t block);

/// One row of features: atom i of 16 bytes is at @c out + i * @c step.
struct FeatureRow {
	std::byte *out;
	std::size_t step;
};

/// x * factor to the nearest integer, ties to even. The last atom is filled up with zeros.
/// \pre The products are within -127.5 and 127.5
void store_int8(std::span<const float> x, float factor, FeatureRow to);
/// As two halves of 15 bits together: 128 * high + low, clamped to -16256 to 16256.
void store_int8x2(std::span<const float> x, float factor, FeatureRow high, FeatureRow low);
/// As fp16 and the fp16 of what rounding to it lost.
void store_fp16(std::span<const float> x, float factor, FeatureRow high, FeatureRow low);

/// Results of a job: atoms of four channels, [slice][channel / 4][row]; of rows in two
/// halves the second follows the first.
template <typename T>
struct Results {
	const T *values;
	/// Rows of the job, both halves.
	std::uint32_t rows;
	std::uint32_t slices;
	/// Numbers of a slice.
	std::size_t slice_step;
};

/// Where scaled results go: channel c of row r to y[r * stride + c].
struct Scaled {
	float *y;
	std::size_t stride;
	/// Rows of y.
	std::uint32_t m;
	/// Factor of each row, and of each channel.
	const float *row_factors;
	const float *scales;
};

/// Add up the slices of channels @p first to @p last and scale them.
/// \pre first is a multiple of 4; results has to.m rows
void load_int8(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to);
/// The same of rows in two halves, 128 * high + low.
/// \pre results has 2 * to.m rows
void load_int8x2(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		 const Scaled &to);
/// The same, high + low; without scales of channels.
void load_fp16(const Results<float> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to);

} // namespace npu
