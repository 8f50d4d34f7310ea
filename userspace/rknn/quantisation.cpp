/* SPDX-License-Identifier: MIT */
#include "rknn/quantisation.h"

#include <cerrno>
#include <cmath>
#include <limits>
#include <string>

namespace npu::rknn
{

namespace
{

/// Bits of a factor: the register has 16, one of which is a sign (measured, GN).
constexpr int factor_bits = 15;
/// Largest shift: 6 bits of OUT_CVT_SHIFT and of EW_CVT_SCALE (TRM).
constexpr int max_shift = 63;

} // namespace

Result<Multiplier> multiplier(double value)
{
	if (!(value > 0) || !std::isfinite(value))
		return fail(ERANGE, "a multiplier must be a positive number");

	/* value = fraction * 2^exponent, fraction from 0.5 to 1. */
	int exponent = 0;
	const double fraction = std::frexp(value, &exponent);
	auto factor = static_cast<std::uint32_t>(std::lround(std::ldexp(fraction, factor_bits)));
	int shift = factor_bits - exponent;

	if (factor == 1U << factor_bits) {
		factor >>= 1U;
		shift--;
	}
	if (shift < 0)
		return fail(ERANGE, "multiplier " + std::to_string(value) + " is above 32767");
	for (; shift > max_shift && factor; shift--)
		factor >>= 1U;
	if (!factor)
		return fail(ERANGE,
			    "a multiplier is below 2^-63, the smallest that the device has");
	return Multiplier{factor, static_cast<std::uint32_t>(shift)};
}

Result<void> check_quantisation(const Quantisation &quantisation, const char *what)
{
	using Limits = std::numeric_limits<std::int8_t>;

	if (!(quantisation.scale > 0) || !std::isfinite(quantisation.scale))
		return fail(EINVAL,
			    std::string("the scale of the ") + what + " must be a positive number");
	if (quantisation.zero_point < Limits::min() || quantisation.zero_point > Limits::max())
		return fail(EINVAL,
			    std::string("the zero point of the ") + what + " must be an int8");
	return {};
}

} // namespace npu::rknn
