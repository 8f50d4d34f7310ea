/* SPDX-License-Identifier: MIT */
/*
 * Highway compiles this file once for each instruction set and selects one at run time. Tails use
 * partial vectors, so that rounding does not depend on an element's position.
 */
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "numeric.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "engine/numeric.h"

#include <cassert>

HWY_BEFORE_NAMESPACE();
namespace npu::HWY_NAMESPACE
{
namespace
{

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Halves = hn::Rebind<hwy::float16_t, Floats>;
using Bytes = hn::Rebind<std::int8_t, Floats>;

/// Calls @p body with the offset of each vector and its number of valid lanes.
template <typename Body>
HWY_INLINE void for_each_vector(std::size_t size, const Body &body)
{
	const std::size_t lanes = hn::Lanes(Floats());
	std::size_t i = 0;

	for (; i + lanes <= size; i += lanes)
		body(i, lanes);
	if (i < size)
		body(i, size - i);
}

template <typename Tag, typename T>
HWY_INLINE hn::Vec<Tag> load(Tag tag, const T *from, std::size_t count)
{
	if (count == hn::Lanes(tag))
		return hn::LoadU(tag, from);
	HWY_ALIGN T padded[hn::MaxLanes(tag)] = {};
	for (std::size_t i = 0; i < count; i++)
		padded[i] = from[i];
	return hn::Load(tag, padded);
}

template <typename Tag, typename T>
HWY_INLINE void store(hn::Vec<Tag> value, Tag tag, T *to, std::size_t count)
{
	if (count == hn::Lanes(tag)) {
		hn::StoreU(value, tag, to);
		return;
	}
	HWY_ALIGN T padded[hn::MaxLanes(tag)];
	hn::Store(value, tag, padded);
	for (std::size_t i = 0; i < count; i++)
		to[i] = padded[i];
}

float MaxAbs(std::span<const float> x)
{
	const Floats d;
	auto most = hn::Zero(d);

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		most = hn::Max(most, hn::Abs(load(d, x.data() + i, count)));
	});
	return hn::GetLane(hn::MaxOfLanes(d, most));
}

float Dot(std::span<const float> a, std::span<const float> b)
{
	const Floats d;
	auto sum = hn::Zero(d);

	for_each_vector(a.size(), [&](std::size_t i, std::size_t count) {
		sum = hn::MulAdd(load(d, a.data() + i, count), load(d, b.data() + i, count), sum);
	});
	return hn::GetLane(hn::SumOfLanes(d, sum));
}

void AddScaled(std::span<const float> x, float factor, std::span<float> y)
{
	const Floats d;
	const auto f = hn::Set(d, factor);

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		const auto sum =
			hn::MulAdd(f, load(d, x.data() + i, count), load(d, y.data() + i, count));
		store(sum, d, y.data() + i, count);
	});
}

HWY_INLINE hn::Vec<Ints> scaled(std::span<const float> x, std::size_t i, std::size_t count,
				float factor, float most)
{
	const Floats d;
	const auto value = hn::Mul(load(d, x.data() + i, count), hn::Set(d, factor));

	return hn::NearestInt(hn::Clamp(value, hn::Set(d, -most), hn::Set(d, most)));
}

void Quantise(std::span<const float> x, float factor, std::span<std::int8_t> out)
{
	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		const auto value = scaled(x, i, count, factor, 127.0F);
		store(hn::DemoteTo(Bytes(), value), Bytes(), out.data() + i, count);
	});
}

void QuantiseSplit(std::span<const float> x, float factor, std::span<std::int8_t> high,
		   std::span<std::int8_t> low)
{
	const Ints d;

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		const auto value = scaled(x, i, count, factor, 16256.0F);
		const auto h = hn::ShiftRight<7>(hn::Add(value, hn::Set(d, 64)));
		const auto l = hn::Sub(value, hn::ShiftLeft<7>(h));
		store(hn::DemoteTo(Bytes(), h), Bytes(), high.data() + i, count);
		store(hn::DemoteTo(Bytes(), l), Bytes(), low.data() + i, count);
	});
}

HWY_INLINE hwy::float16_t *as_half(std::uint16_t *bits)
{
	return reinterpret_cast<hwy::float16_t *>(bits);
}

/// @p value, rounded to an fp16 to nearest even. DemoteTo() rounds so where the
/// processor converts; elsewhere Highway may cut the bits off.
HWY_INLINE hn::Vec<Floats> rounded_to_half(hn::Vec<Floats> value)
{
#if HWY_TARGET == HWY_SSE2 || HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 ||                 \
	HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
	const Floats d;
	const hn::RebindToUnsigned<Floats> bits;
	const auto raw = hn::BitCast(bits, value);
	const auto odd = hn::And(hn::ShiftRight<13>(raw), hn::Set(bits, 1));
	const auto sum = hn::Add(raw, hn::Add(odd, hn::Set(bits, 0xfff)));
	const auto normal = hn::BitCast(d, hn::And(sum, hn::Set(bits, ~0x1fffU)));
	/* Subnormal halves are multiples of 2^-24, the last bit of a float at 0.5. */
	const auto half = hn::CopySign(hn::Set(d, 0.5F), value);
	const auto small = hn::CopySign(hn::Sub(hn::Add(value, half), half), value);

	return hn::IfThenElse(hn::Lt(hn::Abs(value), hn::Set(d, 0x1p-14F)), small, normal);
#else
	return value;
#endif
}

void ToFp16(std::span<const float> x, float factor, std::span<std::uint16_t> out)
{
	const Floats d;
	const auto f = hn::Set(d, factor);

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		const auto value = rounded_to_half(hn::Mul(load(d, x.data() + i, count), f));
		store(hn::DemoteTo(Halves(), value), Halves(), as_half(out.data() + i), count);
	});
}

void ToFp16Split(std::span<const float> x, float factor, std::span<std::uint16_t> high,
		 std::span<std::uint16_t> low)
{
	const Floats d;
	const auto f = hn::Set(d, factor);

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		const auto value = hn::Mul(load(d, x.data() + i, count), f);
		const auto h = hn::DemoteTo(Halves(), rounded_to_half(value));
		const auto rest = rounded_to_half(hn::Sub(value, hn::PromoteTo(d, h)));
		store(h, Halves(), as_half(high.data() + i), count);
		store(hn::DemoteTo(Halves(), rest), Halves(), as_half(low.data() + i), count);
	});
}

void FromFp16(std::span<const std::uint16_t> x, std::span<float> out)
{
	const Floats d;
	const auto *from = reinterpret_cast<const hwy::float16_t *>(x.data());

	for_each_vector(x.size(), [&](std::size_t i, std::size_t count) {
		store(hn::PromoteTo(d, load(Halves(), from + i, count)), d, out.data() + i, count);
	});
}

const char *TargetName()
{
	return hwy::TargetName(HWY_TARGET);
}

} // namespace
} // namespace npu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npu
{

HWY_EXPORT(MaxAbs);
HWY_EXPORT(Dot);
HWY_EXPORT(AddScaled);
HWY_EXPORT(Quantise);
HWY_EXPORT(QuantiseSplit);
HWY_EXPORT(ToFp16);
HWY_EXPORT(ToFp16Split);
HWY_EXPORT(FromFp16);
HWY_EXPORT(TargetName);

const char *simd_target()
{
	return HWY_DYNAMIC_DISPATCH(TargetName)();
}

float max_abs(std::span<const float> x)
{
	return HWY_DYNAMIC_DISPATCH(MaxAbs)(x);
}

float dot(std::span<const float> a, std::span<const float> b)
{
	assert(a.size() == b.size());
	return HWY_DYNAMIC_DISPATCH(Dot)(a, b);
}

void add_scaled(std::span<const float> x, float factor, std::span<float> y)
{
	assert(x.size() == y.size());
	HWY_DYNAMIC_DISPATCH(AddScaled)(x, factor, y);
}

void quantise(std::span<const float> x, float factor, std::span<std::int8_t> out)
{
	assert(x.size() == out.size());
	HWY_DYNAMIC_DISPATCH(Quantise)(x, factor, out);
}

void quantise_split(std::span<const float> x, float factor, std::span<std::int8_t> high,
		    std::span<std::int8_t> low)
{
	assert(x.size() == high.size() && x.size() == low.size());
	HWY_DYNAMIC_DISPATCH(QuantiseSplit)(x, factor, high, low);
}

void to_fp16(std::span<const float> x, float factor, std::span<std::uint16_t> out)
{
	assert(x.size() == out.size());
	HWY_DYNAMIC_DISPATCH(ToFp16)(x, factor, out);
}

void to_fp16_split(std::span<const float> x, float factor, std::span<std::uint16_t> high,
		   std::span<std::uint16_t> low)
{
	assert(x.size() == high.size() && x.size() == low.size());
	HWY_DYNAMIC_DISPATCH(ToFp16Split)(x, factor, high, low);
}

void from_fp16(std::span<const std::uint16_t> x, std::span<float> out)
{
	assert(x.size() == out.size());
	HWY_DYNAMIC_DISPATCH(FromFp16)(x, out);
}

} // namespace npu
#endif // HWY_ONCE
