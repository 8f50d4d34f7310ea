/* SPDX-License-Identifier: MIT */
/*
 * Converts activations to the layout that the NPU reads, and results back, in one pass each:
 * quantises into atoms, and gathers from atoms and scales. Vectorised for the CPU at run time.
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

/// Size of the blocks that rotate() mixes: the largest power of two that divides @p k, at most 256.
std::uint32_t rotation_block(std::uint32_t k);
/// Factor by which rotate() increases the length of a row.
float rotation_length(std::uint32_t k);

/// Multiplies each block of @p x by a Hadamard matrix with columns of random signs; @p out may be
/// @p x.
/// The dot product of two rotated rows is @p block times that of the rows. Outliers and a common
/// mean are spread over their block, where they cost less precision.
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
/// Stores two parts of 8 bits, x * factor = 128 * high + low, clamped to -16256 to 16256.
void store_int8x2(std::span<const float> x, float factor, FeatureRow high, FeatureRow low);
/// Stores fp16, and the fp16 of the rounding error.
void store_fp16(std::span<const float> x, float factor, FeatureRow high, FeatureRow low);

/// Results of a job: atoms of four channels, [slice][channel / 4][row]. If rows have two parts, the
/// low parts follow the high ones.
template <typename T>
struct Results {
	const T *values;
	/// Rows of the job, counting both parts.
	std::uint32_t rows;
	std::uint32_t slices;
	/// Numbers of a slice.
	std::size_t slice_step;
};

/// Destination of scaled results: channel c of row r goes to y[r * stride + c].
struct Scaled {
	float *y;
	std::size_t stride;
	/// Rows of y.
	std::uint32_t m;
	/// One factor per row, and one scale per channel.
	const float *row_factors;
	const float *scales;
};

/// Adds up the slices of channels @p first to @p last and scales them.
/// \pre first is a multiple of 4; results has to.m rows
void load_int8(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to);
/// As load_int8() for rows of two parts, 128 * high + low.
/// \pre results has 2 * to.m rows
void load_int8x2(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		 const Scaled &to);
/// As load_int8x2() for high + low, without scales of channels.
void load_fp16(const Results<float> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to);

} // namespace npu
