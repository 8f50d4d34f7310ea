/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Quantised numbers and their conversion on the device.
 */
#pragma once

#include <cstdint>

#include <npu/error.h>

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// An int8 q represents scale * (q - zero_point).
struct Quantisation {
	/// Value of a step; positive and finite.
	float scale = 1;
	/// The int8 that represents 0: -128 to 127.
	std::int32_t zero_point = 0;

	/// Same scale and zero point.
	bool operator==(const Quantisation &) const = default;
};

/// A factor of the device's converters, factor / 2^shift.
struct Multiplier {
	/// 1 to 32767; the register has a sign, so that 32768 would be negative.
	std::uint32_t factor = 1;
	/// 0 to 63.
	std::uint32_t shift = 0;

	/// Same factor and shift, not only the same quotient.
	bool operator==(const Multiplier &) const = default;
};

/// The multiplier next to @p value: 15 bits of it.
/// \retval ERANGE value is not positive, or too small or too large
Result<Multiplier> multiplier(double value);

/// Check a quantisation, which errors call @p what.
/// \retval EINVAL the zero point is not an int8, or the scale not a positive number
Result<void> check_quantisation(const Quantisation &quantisation, const char *what);

} // namespace npu::rknn
#pragma GCC visibility pop
