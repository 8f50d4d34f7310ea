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
using IntAtom = hn::RebindToSigned<Atom>;

RowRange Range(std::span<const float> x)
{
	const hn::ScalableTag<float> d;
	const std::size_t lanes = hn::Lanes(d);
	auto most = hn::Zero(d);
	/* NaNs may hide from a maximum, but not from a sum. */
	auto zero = hn::Zero(d);
	RowRange range;
	float rest = 0;
	std::size_t i = 0;

	for (; i + lanes <= x.size(); i += lanes) {
		const auto value = hn::LoadU(d, x.data() + i);

		most = hn::Max(most, hn::Abs(value));
		zero = hn::MulAdd(value, hn::Zero(d), zero);
	}
	range.most = hn::GetLane(hn::MaxOfLanes(d, most));
	for (; i < x.size(); i++) {
		range.most = std::max(range.most, std::abs(x[i]));
		rest += x[i] * 0.0F;
	}
	range.finite = hn::GetLane(hn::SumOfLanes(d, zero)) + rest == 0.0F;
	return range;
}

/// One step of the transform: sums and differences of numbers @p half apart.
HWY_INLINE void butterflies(float *x, std::size_t size, std::size_t half)
{
	const hn::ScalableTag<float> d;
	const std::size_t lanes = hn::Lanes(d);

	for (std::size_t block = 0; block < size; block += 2 * half) {
		float *a = x + block;
		float *b = a + half;
		std::size_t i = 0;

		for (; i + lanes <= half; i += lanes) {
			const auto first = hn::LoadU(d, a + i);
			const auto second = hn::LoadU(d, b + i);

			hn::StoreU(hn::Add(first, second), d, a + i);
			hn::StoreU(hn::Sub(first, second), d, b + i);
		}
		for (; i < half; i++) {
			const float sum = a[i] + b[i];

			b[i] = a[i] - b[i];
			a[i] = sum;
		}
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

void Rotate(std::span<float> x, std::uint32_t block)
{
	const hn::ScalableTag<float> d;
	const std::size_t lanes = hn::Lanes(d);
	const float factor = 1.0F / std::sqrt(static_cast<float>(block));
	std::size_t i = 0;

	/* A block stays in the cache until it is done. */
	for (std::size_t first = 0; first < x.size(); first += block) {
		for (std::size_t j = 0; j < block; j++)
			x[first + j] *= signs[j];
		for (std::size_t half = 1; half < block; half *= 2)
			butterflies(x.data() + first, block, half);
	}
	for (; i + lanes <= x.size(); i += lanes)
		hn::StoreU(hn::Mul(hn::LoadU(d, x.data() + i), hn::Set(d, factor)), d,
			   x.data() + i);
	for (; i < x.size(); i++)
		x[i] *= factor;
}

/// The sum of all slices of the numbers from @p at on.
template <typename T, typename Tag>
HWY_INLINE hn::Vec<Tag> sum_slices(Tag d, const Results<T> &results, std::size_t at)
{
	auto sum = hn::LoadU(d, results.values + at);

	for (std::uint32_t slice = 1; slice < results.slices; slice++) {
		at += results.slice_step;
		sum = hn::Add(sum, hn::LoadU(d, results.values + at));
	}
	return sum;
}

/// Write value(row, channel, i, scales), which is channels from channel + i on, for all
/// rows of channels @p first to @p last: some channels of all rows at a time, so that
/// cache lines are read and written as a whole.
template <typename Value>
HWY_INLINE void load_atoms(std::uint32_t first, std::uint32_t last, const Scaled &to,
			   const Value &value)
{
	constexpr std::uint32_t piece = 16 * atom_results;
	const Atom d;

	for (std::uint32_t begin = first; begin < last; begin += piece) {
		const std::uint32_t end = std::min(begin + piece, last);

		for (std::uint32_t row = 0; row < to.m; row++) {
			float *y = to.y + row * to.stride;
			std::uint32_t channel = begin;

			for (; channel + atom_results <= end; channel += atom_results)
				for (std::size_t i = 0; i < atom_results; i += hn::Lanes(d))
					hn::StoreU(value(row, channel, i, to.scales + channel + i),
						   d, y + channel + i);
			if (channel == end)
				continue;
			HWY_ALIGN float scales[atom_results] = {};
			HWY_ALIGN float values[atom_results];
			std::copy(to.scales + channel, to.scales + end, scales);
			for (std::size_t i = 0; i < atom_results; i += hn::Lanes(d))
				hn::Store(value(row, channel, i, scales + i), d, values + i);
			std::copy(values, values + (end - channel), y + channel);
		}
	}
}

void LoadInt8(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
	      const Scaled &to)
{
	const Atom d;

	load_atoms(first, last, to,
		   [&](std::size_t row, std::size_t channel, std::size_t i, const float *scales) {
			   const std::size_t at = channel * results.rows + row * atom_results + i;
			   const auto scale =
				   hn::Mul(hn::Set(d, to.row_factors[row]), hn::LoadU(d, scales));

			   return hn::Mul(hn::ConvertTo(d, sum_slices(IntAtom(), results, at)),
					  scale);
		   });
}

void LoadInt8x2(const Results<std::int32_t> &results, std::uint32_t first, std::uint32_t last,
		const Scaled &to)
{
	const Atom d;
	const std::size_t half = std::size_t{to.m} * atom_results;

	load_atoms(first, last, to,
		   [&](std::size_t row, std::size_t channel, std::size_t i, const float *scales) {
			   const std::size_t at = channel * results.rows + row * atom_results + i;
			   const auto high = hn::ConvertTo(d, sum_slices(IntAtom(), results, at));
			   const auto low =
				   hn::ConvertTo(d, sum_slices(IntAtom(), results, at + half));
			   const auto scale =
				   hn::Mul(hn::Set(d, to.row_factors[row]), hn::LoadU(d, scales));

			   return hn::Mul(hn::MulAdd(high, hn::Set(d, 128.0F), low), scale);
		   });
}

void LoadFp16(const Results<float> &results, std::uint32_t first, std::uint32_t last,
	      const Scaled &to)
{
	const Atom d;
	const std::size_t half = std::size_t{to.m} * atom_results;

	load_atoms(first, last, to,
		   [&](std::size_t row, std::size_t channel, std::size_t i, const float *) {
			   const std::size_t at = channel * results.rows + row * atom_results + i;
			   const auto high = sum_slices(d, results, at);
			   const auto low = sum_slices(d, results, at + half);

			   return hn::Mul(hn::Add(high, low), hn::Set(d, to.row_factors[row]));
		   });
}

} // namespace
} // namespace npu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npu
{

HWY_EXPORT(Range);
HWY_EXPORT(Rotate);
HWY_EXPORT(LoadInt8);
HWY_EXPORT(LoadInt8x2);
HWY_EXPORT(LoadFp16);

namespace
{

constexpr std::size_t atom_bytes = 16;

/// Convert @p x by @p convert, elements of T in atoms, some atoms at a time.
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

void rotate(std::span<float> x, std::uint32_t block)
{
	assert(std::has_single_bit(block) && block <= 256 && x.size() % block == 0);
	HWY_DYNAMIC_DISPATCH(Rotate)(x, block);
}

void store_int8(std::span<const float> x, float factor, FeatureRow to)
{
	store_atoms<std::int8_t, 1>(x, {{to}}, [&](std::span<const float> from, auto &parts) {
		quantise(from, factor, std::span(parts[0]).first(from.size()));
	});
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
