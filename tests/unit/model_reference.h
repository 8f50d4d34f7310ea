/* SPDX-License-Identifier: MIT */
/*
 * Reference arithmetic: fixed point wide enough to be exact, the rounding of
 * the compiler's own library, and a table of every half.
 */
#ifndef MODEL_REFERENCE_H
#define MODEL_REFERENCE_H

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace model_test
{

// Only a typedef may follow __extension__.
__extension__ typedef __int128 int128; // NOLINT(modernize-use-using)

inline uint32_t float_bits(float value)
{
	return std::bit_cast<uint32_t>(value);
}

/* A finite half as a multiple of 2^-24, which all of them are. */
inline int64_t half_fixed(uint16_t bits)
{
	const int exponent = bits >> 10 & 0x1f;
	int64_t value = bits & 0x3ff;

	if (exponent)
		value = (value + 1024) << (exponent - 1);
	return bits & 0x8000 ? -value : value;
}

inline double half_value(uint16_t bits)
{
	/* 41 bits at most, so exact. */
	return std::ldexp(static_cast<double>(half_fixed(bits)), -24);
}

/*
 * The half nearest to @value, ties to even: the first of the halves in order
 * that is not below, or its neighbour. Infinity stands where 65536 would be.
 */
inline uint16_t float_to_half(float value)
{
	static const std::vector<double> halves = [] {
		std::vector<double> all;

		for (uint16_t bits = 0; bits < 0x7c00; bits++)
			all.push_back(half_value(bits));
		all.push_back(65536.0);
		return all;
	}();
	const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
	const double magnitude = std::fabs(static_cast<double>(value));
	const auto above = std::ranges::lower_bound(halves, magnitude);

	if (std::isnan(value))
		return sign | 0x7e00;
	if (above == halves.end())
		return sign | 0x7c00;

	auto bits = static_cast<uint16_t>(above - halves.begin());
	if (bits && *above != magnitude) {
		const double up = *above - magnitude;
		const double down = magnitude - halves[bits - 1u];

		if (down < up || (down == up && (bits & 1)))
			bits--;
	}
	return sign | bits;
}

/* The exact sum of products, in units of 2^-48. */
inline int128 dot_exact(std::span<const uint16_t> a, std::span<const uint16_t> b)
{
	int128 sum = 0;

	for (size_t i = 0; i < a.size(); i++)
		sum += static_cast<int128>(half_fixed(a[i])) * half_fixed(b[i]);
	return sum;
}

/* Nearest float, ties to even; the conversion of the compiler's library. */
inline float to_float(int128 sum)
{
	return std::ldexp(static_cast<float>(sum), -48);
}

/*
 * What was measured on silicon: every aligned group of 32 products is summed
 * exactly and rounded once; groups are added in order by float additions from 0.
 */
inline float dot_fp16(std::span<const uint16_t> a, std::span<const uint16_t> b)
{
	float sum = 0;

	for (size_t i = 0; i < a.size(); i += 32) {
		const size_t lanes = std::min<size_t>(32, a.size() - i);

		sum += to_float(dot_exact(a.subspan(i, lanes), b.subspan(i, lanes)));
	}
	return sum;
}

inline int32_t dot_int8(std::span<const uint16_t> a, std::span<const uint16_t> b)
{
	int64_t sum = 0;

	for (size_t i = 0; i < a.size(); i++)
		sum += static_cast<int64_t>(static_cast<int8_t>(a[i])) * static_cast<int8_t>(b[i]);
	return static_cast<int32_t>(sum);
}

/* A random half, its exponent field in [low, high]; 0 is subnormal or zero. */
template <typename Rng>
uint16_t random_half(Rng &rng, uint32_t low, uint32_t high)
{
	const auto bits = static_cast<uint32_t>(rng());
	const uint32_t exponent = low + (bits >> 16) % (high - low + 1);

	return static_cast<uint16_t>((bits & 0x83ff) | exponent << 10);
}

} /* namespace model_test */

#endif /* MODEL_REFERENCE_H */
