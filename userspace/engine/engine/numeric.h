/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The CPU's half of a linear layer: quantise activations, convert numbers,
 * scale results. Vectorised for the machine it runs on.
 */
#pragma once

#include <cstdint>
#include <span>

#pragma GCC visibility push(default)
namespace npu
{

/// What the functions here were compiled for and run with on this machine, by
/// Highway's name: "AVX2", "NEON" ...
const char *simd_target();

/// Largest absolute value, 0 of nothing.
float max_abs(std::span<const float> x);

/// Sum of a[i] * b[i].
/// \pre of equal size
float dot(std::span<const float> a, std::span<const float> b);

/// y[i] += factor * x[i].
/// \pre of equal size
void add_scaled(std::span<const float> x, float factor, std::span<float> y);

/// out[i] = x[i] * factor to nearest even, clamped to -127 to 127.
/// \pre of equal size
void quantise(std::span<const float> x, float factor, std::span<std::int8_t> out);

/// As quantise(), but to 15 bits: x * factor is 128 * high + low, clamped to
/// -16256 to 16256; high is -127 to 127 and low -64 to 63.
/// \pre of equal size
void quantise_split(std::span<const float> x, float factor, std::span<std::int8_t> high,
		    std::span<std::int8_t> low);

/// fp16 bits of x[i] * factor, to nearest even.
/// \pre of equal size
void to_fp16(std::span<const float> x, float factor, std::span<std::uint16_t> out);

/// As to_fp16(), and in @p low the fp16 of what the rounding lost.
/// \pre of equal size
void to_fp16_split(std::span<const float> x, float factor, std::span<std::uint16_t> high,
		   std::span<std::uint16_t> low);

/// out[i] = fp16 bits x[i].
/// \pre of equal size
void from_fp16(std::span<const std::uint16_t> x, std::span<float> out);

} // namespace npu
#pragma GCC visibility pop
