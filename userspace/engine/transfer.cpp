/* SPDX-License-Identifier: MIT */
/*
 * Highway compiles this file once for each instruction set and picks one at run time.
 */
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transfer.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "engine/numeric.h"
#include "transfer.h"

HWY_BEFORE_NAMESPACE();
namespace npu::HWY_NAMESPACE
{
namespace
{

namespace hn = hwy::HWY_NAMESPACE;

/// Results of an atom.
constexpr std::uint32_t atom_results = 4;

using Atom = hn::CappedTag<float, atom_results>;
template <typename Tag>
using Ints = hn::RebindToSigned<Tag>;

RowRange Range(std::span<const float> x)
{
	const hn::ScalableTag<float> d;
	const Ints<decltype(d)> ints;
	const std::size_t lanes = hn::Lanes(d);
	/* Without its sign bit, a float is ordered as the integer of its bits. Infinities and
	 * NaNs are above all finite numbers. */
	const auto no_sign = hn::Set(ints, 0x7fffffff);
	auto most = hn::Zero(ints);
	const auto bits_at = [&](std::size_t at) {
		return hn::And(hn::BitCast(ints, hn::LoadU(d, x.data() + at)), no_sign);
	};
	std::size_t i = 0;

	for (; i + 4 * lanes <= x.size(); i += 4 * lanes) {
		const auto first = hn::Max(bits_at(i), bits_at(i + lanes));
		const auto second = hn::Max(bits_at(i + 2 * lanes), bits_at(i + 3 * lanes));

		most = hn::Max(most, hn::Max(first, second));
	}
	std::int32_t bits = hn::GetLane(hn::MaxOfLanes(ints, most));
	for (; i < x.size(); i++)
		bits = std::max(bits, std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff);
	const auto largest = std::bit_cast<float>(bits);
	return {.most = largest, .finite = std::isfinite(largest)};
}

/// Numbers that are rotated, or scaled, at a time.
constexpr std::size_t wide = HWY_CAP_GE256 ? 8 : 4;
using Wide = hn::CappedTag<float, wide>;

/// The first steps of the transform: sums and differences within a vector.
HWY_INLINE hn::Vec<Wide> steps_within(hn::Vec<Wide> value)
{
#if HWY_TARGET != HWY_SCALAR
	const Wide d;
	HWY_ALIGN constexpr float ones[] = {1, -1, 1, -1, 1, -1, 1, -1};
	HWY_ALIGN constexpr float twos[] = {1, 1, -1, -1, 1, 1, -1, -1};

	value = hn::MulAdd(value, hn::LoadU(d, ones), hn::Shuffle2301(value));
	value = hn::MulAdd(value, hn::LoadU(d, twos), hn::Shuffle1032(value));
#if HWY_CAP_GE256
	HWY_ALIGN constexpr float fours[] = {1, 1, 1, 1, -1, -1, -1, -1};

	value = hn::MulAdd(value, hn::LoadU(d, fours), hn::SwapAdjacentBlocks(value));
#endif
#endif
	return value;
}

template <typename V>
HWY_INLINE void sum_and_difference(V &a, V &b)
{
	const V sum = hn::Add(a, b);

	b = hn::Sub(a, b);
	a = sum;
}

/// Three steps in registers: sums and differences of vectors @p half apart, then of vectors
/// 2 * @p half apart, then of vectors 4 * @p half apart. load() returns the vectors from @p at
/// on.
template <typename Load>
HWY_INLINE void three_steps(const Load &load, float *to, std::size_t at, std::size_t half)
{
	const Wide d;
	auto v0 = load(at);
	auto v1 = load(at + half);
	auto v2 = load(at + 2 * half);
	auto v3 = load(at + 3 * half);
	auto v4 = load(at + 4 * half);
	auto v5 = load(at + 5 * half);
	auto v6 = load(at + 6 * half);
	auto v7 = load(at + 7 * half);

	sum_and_difference(v0, v1);
	sum_and_difference(v2, v3);
	sum_and_difference(v4, v5);
	sum_and_difference(v6, v7);
	sum_and_difference(v0, v2);
	sum_and_difference(v1, v3);
	sum_and_difference(v4, v6);
	sum_and_difference(v5, v7);
	sum_and_difference(v0, v4);
	sum_and_difference(v1, v5);
	sum_and_difference(v2, v6);
	sum_and_difference(v3, v7);
	hn::StoreU(v0, d, to + at);
	hn::StoreU(v1, d, to + at + half);
	hn::StoreU(v2, d, to + at + 2 * half);
	hn::StoreU(v3, d, to + at + 3 * half);
	hn::StoreU(v4, d, to + at + 4 * half);
	hn::StoreU(v5, d, to + at + 5 * half);
	hn::StoreU(v6, d, to + at + 6 * half);
	hn::StoreU(v7, d, to + at + 7 * half);
}

template <typename Load>
HWY_INLINE void two_steps(const Load &load, float *to, std::size_t at, std::size_t half)
{
	const Wide d;
	auto v0 = load(at);
	auto v1 = load(at + half);
	auto v2 = load(at + 2 * half);
	auto v3 = load(at + 3 * half);

	sum_and_difference(v0, v1);
	sum_and_difference(v2, v3);
	sum_and_difference(v0, v2);
	sum_and_difference(v1, v3);
	hn::StoreU(v0, d, to + at);
	hn::StoreU(v1, d, to + at + half);
	hn::StoreU(v2, d, to + at + 2 * half);
	hn::StoreU(v3, d, to + at + 3 * half);
}

template <typename Load>
HWY_INLINE void one_step(const Load &load, float *to, std::size_t at, std::size_t half)
{
	const Wide d;
	auto v0 = load(at);
	auto v1 = load(at + half);

	sum_and_difference(v0, v1);
	hn::StoreU(v0, d, to + at);
	hn::StoreU(v1, d, to + at + half);
}

/// log2(@p Vectors) steps over a block, the first between vectors @p half apart.
template <std::size_t Vectors, typename Load>
HWY_INLINE void steps(const Load &load, float *to, std::size_t size, std::size_t half)
{
	const Wide d;

	for (std::size_t first = 0; first < size; first += Vectors * half)
		for (std::size_t at = first; at < first + half; at += hn::Lanes(d)) {
			if constexpr (Vectors == 8)
				three_steps(load, to, at, half);
			else if constexpr (Vectors == 4)
				two_steps(load, to, at, half);
			else if constexpr (Vectors == 2)
				one_step(load, to, at, half);
			else
				hn::StoreU(load(at), d, to + at);
		}
}

/// Signs of the numbers of a block, drawn once: without them numbers of the same sign would
/// add up in the first of their block.
constexpr std::uint64_t sign_bits[] = {0x9e3779b97f4a7c15, 0xf39cc0605cedc834, 0x1082276bf3a27251,
				       0xf86c6a11d0c18e95};
constexpr std::size_t most_block = 64 * std::size(sign_bits);

consteval std::array<float, most_block> make_signs()
{
	std::array<float, most_block> signs{};

	for (std::size_t i = 0; i < most_block; i++)
		signs[i] = sign_bits[i / 64] >> (i % 64) & 1 ? -1.0F : 1.0F;
	return signs;
}

constexpr auto signs = make_signs();

/// Rotates blocks of a constant size, at least that of a vector. A block stays in the cache
/// until it is done.
template <std::size_t Block>
void rotate_blocks(std::span<const float> x, float *to)
{
	const Wide d;
	const std::size_t lanes = hn::Lanes(d);
	const auto first_steps = static_cast<unsigned int>(std::countr_zero(Block / lanes)) % 3;
	const auto *const end = x.data() + x.size();

	for (const float *from = x.data(); from < end; from += Block, to += Block) {
		const auto turned = [&](std::size_t i) {
			return steps_within(
				hn::Mul(hn::LoadU(d, from + i), hn::LoadU(d, signs.data() + i)));
		};
		const auto again = [&](std::size_t i) {
			return hn::LoadU(d, to + i);
		};

		if (first_steps == 2)
			steps<4>(turned, to, Block, lanes);
		else if (first_steps == 1)
			steps<2>(turned, to, Block, lanes);
		else
			steps<1>(turned, to, Block, lanes);
		for (std::size_t half = lanes << first_steps; half < Block; half *= 8)
			steps<8>(again, to, Block, half);
	}
}

/// Rotates blocks that are smaller than a vector.
void rotate_small(std::span<const float> x, float *to, std::size_t block)
{
	for (std::size_t i = 0; i < x.size(); i++)
		to[i] = x[i] * signs[i % block];
	for (std::size_t half = 1; half < block; half *= 2)
		for (std::size_t i = 0; i < x.size(); i++)
			if (!(i & half)) {
				const float sum = to[i] + to[i + half];

				to[i + half] = to[i] - to[i + half];
				to[i] = sum;
			}
}

void Rotate(std::span<const float> x, std::span<float> out, std::uint32_t block)
{
	switch (block) {
	case 256:
		return rotate_blocks<256>(x, out.data());
	case 128:
		return rotate_blocks<128>(x, out.data());
	case 64:
		return rotate_blocks<64>(x, out.data());
	case 32:
		return rotate_blocks<32>(x, out.data());
	case 16:
		return rotate_blocks<16>(x, out.data());
	case 8:
		return rotate_blocks<8>(x, out.data());
	default:
		return rotate_small(x, out.data(), block);
	}
}

/// Loads the numbers at @p at; a vector wider than an atom also takes the next atom of the row.
template <typename T, typename Tag>
HWY_INLINE hn::Vec<Tag> load_atom(Tag d, [[maybe_unused]] const Results<T> &results, const T *at)
{
#if HWY_CAP_GE256
	if constexpr (hn::MaxLanes(d) > atom_results) {
		const hn::Half<Tag> half;
		const T *next = at + std::size_t{results.rows} * atom_results;

		return hn::Combine(d, hn::LoadU(half, next), hn::LoadU(half, at));
	}
#endif
	return hn::LoadU(d, at);
}

/// The sum of the numbers at @p at over all slices; @p Single asserts that there is one slice.
template <bool Single, typename T, typename Tag>
HWY_INLINE hn::Vec<Tag> sum_slices(Tag d, const Results<T> &results, const T *at)
{
	auto sum = load_atom(d, results, at);

	if constexpr (!Single) {
		const std::size_t step = results.slice_step;
		std::uint32_t rest = results.slices - 1;

		for (; rest >= 2; rest -= 2) {
			sum = hn::Add(sum, load_atom(d, results, at + step));
			at += 2 * step;
			sum = hn::Add(sum, load_atom(d, results, at));
		}
		if (rest)
			sum = hn::Add(sum, load_atom(d, results, at + step));
	}
	return sum;
}

/// Writes channels @p first to @p last of row @p row and of the Rows - 1 rows after it, whose atoms
/// follow. value(d, results, at, factor, scales) computes the channels whose numbers begin at @c
/// at.
template <std::size_t Rows, typename T, typename Value>
HWY_INLINE void load_rows(const Results<T> results, std::size_t row, std::size_t first,
			  std::size_t last, const Scaled to, const Value &value)
{
	const Wide d;
	const Atom atom;
	const T *at = results.values + first * results.rows + row * atom_results;
	const std::size_t step = std::size_t{results.rows} * atom_results;
	/* A local copy: stores to y cannot alias it. */
	std::array<float, Rows> factors;
	std::copy_n(to.row_factors + row, Rows, factors.begin());
	float *y = to.y + row * to.stride;
	std::size_t channel = first;
	const auto write = [&](auto tag, std::size_t i, float *out, const float *scales) {
		const auto scale = hn::LoadU(tag, scales);

		hn::StoreU(value(tag, results, at + i, hn::Set(tag, factors[0]), scale), tag, out);
		if constexpr (Rows > 1) {
			const auto other = [&](std::size_t n) {
				hn::StoreU(value(tag, results, at + i + n * atom_results,
						 hn::Set(tag, factors[n]), scale),
					   tag, out + n * to.stride);
			};
			other(1);
			other(2);
			other(3);
		}
	};

	for (; channel + wide <= last; channel += wide, at += wide / atom_results * step)
		for (std::size_t i = 0; i < wide; i += hn::Lanes(d))
			write(d, i, y + channel + i, to.scales + channel + i);
	for (; channel + atom_results <= last; channel += atom_results, at += step)
		for (std::size_t i = 0; i < atom_results; i += hn::Lanes(atom))
			write(atom, i, y + channel + i, to.scales + channel + i);
	for (std::size_t n = 0; channel < last && n < Rows; n++, at += atom_results) {
		HWY_ALIGN float scales[atom_results] = {};
		HWY_ALIGN float values[atom_results];

		std::copy(to.scales + channel, to.scales + last, scales);
		for (std::size_t i = 0; i < atom_results; i += hn::Lanes(atom))
			hn::Store(value(atom, results, at + i, hn::Set(atom, factors[n]),
					hn::Load(atom, scales + i)),
				  atom, values + i);
		std::copy(values, values + (last - channel), y + n * to.stride + channel);
	}
}

/// As load_rows() for all rows. Processes some channels of all rows at a time, so that cache lines
/// are read and written as a whole.
template <typename T, typename Value>
HWY_INLINE void load_atoms(const Results<T> &results, std::uint32_t first, std::uint32_t last,
			   const Scaled &to, const Value &value)
{
	const std::size_t piece = to.m > 1 ? 32 * atom_results : last - first;

	for (std::size_t begin = first; begin < last; begin += piece) {
		const std::size_t end = std::min<std::size_t>(begin + piece, last);
		std::size_t row = 0;

		for (; row + 4 <= to.m; row += 4)
			load_rows<4>(results, row, begin, end, to, value);
		for (; row < to.m; row++)
			load_rows<1>(results, row, begin, end, to, value);
	}
}

template <bool Single>
void load_int8_rows(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		    const Scaled &to)
{
	load_atoms(results, first, last, to,
		   [](auto d, const auto &from, const std::int32_t *at, auto factor, auto scale) {
			   const auto sum = sum_slices<Single>(Ints<decltype(d)>(), from, at);

			   return hn::Mul(hn::ConvertTo(d, sum), hn::Mul(factor, scale));
		   });
}

void LoadInt8(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
	      const Scaled &to)
{
	if (results.slices == 1)
		load_int8_rows<true>(results, first, last, to);
	else
		load_int8_rows<false>(results, first, last, to);
}

void LoadInt8x2(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		const Scaled &to)
{
	const std::size_t half = std::size_t{to.m} * atom_results;

	load_atoms(
		results, first, last, to,
		[half](auto d, const auto &from, const std::int32_t *at, auto factor, auto scale) {
			const Ints<decltype(d)> ints;
			const auto high = sum_slices<false>(ints, from, at);
			const auto low = sum_slices<false>(ints, from, at + half);
			const auto sum = hn::MulAdd(hn::ConvertTo(d, high), hn::Set(d, 128.0F),
						    hn::ConvertTo(d, low));

			return hn::Mul(sum, hn::Mul(factor, scale));
		});
}

void LoadFp16(const Results<float> &results, std::uint32_t first, std::uint32_t last,
	      const Scaled &to)
{
	const std::size_t half = std::size_t{to.m} * atom_results;

	load_atoms(results, first, last, to,
		   [half](auto d, const auto &from, const float *at, auto factor, auto) {
			   const auto high = sum_slices<false>(d, from, at);
			   const auto low = sum_slices<false>(d, from, at + half);

			   return hn::Mul(hn::Add(high, low), factor);
		   });
}

/// Quantises one atom of sixteen numbers.
HWY_INLINE void store_atom(const float *x, float factor, std::byte *out)
{
	const Wide d;
	const hn::RebindToUnsigned<decltype(d)> words;
	const hn::Rebind<std::uint8_t, decltype(d)> bytes;
	/*
	 * The addition rounds the product to an integer, which ends up in the last bits of the sum.
	 */
	const auto to_last_bits = hn::Set(d, 0x1.8p23F);
	auto *to = reinterpret_cast<std::uint8_t *>(out);

	for (std::size_t i = 0; i < 16; i += hn::Lanes(d)) {
		const auto value = hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor));
		const auto bits = hn::BitCast(words, hn::Add(value, to_last_bits));

		hn::StoreU(hn::TruncateTo(bytes, bits), bytes, to + i);
	}
}

void StoreInt8(std::span<const float> x, float factor, FeatureRow to)
{
	constexpr std::size_t atom = 16;
	std::size_t i = 0;

	for (; i + atom <= x.size(); i += atom, to.out += to.step)
		store_atom(x.data() + i, factor, to.out);
	if (i == x.size())
		return;
	float rest[atom] = {};
	std::copy(x.begin() + static_cast<std::ptrdiff_t>(i), x.end(), rest);
	store_atom(rest, factor, to.out);
}

} // namespace
} // namespace npu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npu
{

HWY_EXPORT(Range);
HWY_EXPORT(Rotate);
HWY_EXPORT(StoreInt8);
HWY_EXPORT(LoadInt8);
HWY_EXPORT(LoadInt8x2);
HWY_EXPORT(LoadFp16);

namespace
{

constexpr std::size_t atom_bytes = 16;

/// Converts @p x with @p convert to atoms of T, some atoms at a time.
template <typename T, std::size_t Parts, typename Convert>
void store_atoms(std::span<const float> x, const std::array<FeatureRow, Parts> &to,
		 const Convert &convert)
{
	constexpr std::size_t atom = atom_bytes / sizeof(T);
	constexpr std::size_t piece = 8 * atom;
	std::array<std::array<T, piece>, Parts> parts;

	for (std::size_t first = 0; first < x.size(); first += piece) {
		const std::size_t count = std::min(piece, x.size() - first);

		if (count < piece)
			parts = {};
		convert(x.subspan(first, count), parts);
		for (std::size_t part = 0; part < Parts; part++) {
			std::byte *out = to[part].out + first / atom * to[part].step;

			for (std::size_t i = 0; i < count; i += atom, out += to[part].step)
				std::memcpy(out, parts[part].data() + i, atom_bytes);
		}
	}
}

} // namespace

RowRange row_range(std::span<const float> x)
{
	return HWY_DYNAMIC_DISPATCH(Range)(x);
}

std::uint32_t rotation_block(std::uint32_t k)
{
	constexpr std::uint32_t most = 256;

	return std::min(k & (~k + 1), most);
}

float rotation_length(std::uint32_t k)
{
	return std::sqrt(static_cast<float>(rotation_block(k)));
}

void rotate(std::span<const float> x, std::span<float> out, std::uint32_t block)
{
	assert(std::has_single_bit(block) && block <= 256 && x.size() % block == 0 &&
	       out.size() == x.size());
	HWY_DYNAMIC_DISPATCH(Rotate)(x, out, block);
}

void store_int8(std::span<const float> x, float factor, FeatureRow to)
{
	HWY_DYNAMIC_DISPATCH(StoreInt8)(x, factor, to);
}

void store_int8x2(std::span<const float> x, float factor, FeatureRow high, FeatureRow low)
{
	store_atoms<std::int8_t, 2>(
		x, {{high, low}}, [&](std::span<const float> from, auto &parts) {
			quantise_split(from, factor, std::span(parts[0]).first(from.size()),
				       std::span(parts[1]).first(from.size()));
		});
}

void store_fp16(std::span<const float> x, float factor, FeatureRow high, FeatureRow low)
{
	store_atoms<std::uint16_t, 2>(
		x, {{high, low}}, [&](std::span<const float> from, auto &parts) {
			to_fp16_split(from, factor, std::span(parts[0]).first(from.size()),
				      std::span(parts[1]).first(from.size()));
		});
}

void load_int8(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to)
{
	HWY_DYNAMIC_DISPATCH(LoadInt8)(results, first, last, to);
}

void load_int8x2(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		 const Scaled &to)
{
	HWY_DYNAMIC_DISPATCH(LoadInt8x2)(results, first, last, to);
}

void load_fp16(const Results<float> &results, std::uint32_t first, std::uint32_t last,
	       const Scaled &to)
{
	HWY_DYNAMIC_DISPATCH(LoadFp16)(results, first, last, to);
}

} // namespace npu
#endif // HWY_ONCE
