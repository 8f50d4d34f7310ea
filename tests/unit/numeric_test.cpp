/* SPDX-License-Identifier: MIT */
/*
 * The CPU's half of a layer: rounding, tails, and every instruction set alike.
 */
#include <algorithm>
#include <bit>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <engine/numeric.h>

#include "random_floats.h"
#include "transfer.h"

namespace npu
{

namespace
{

/// Restricts Highway to one instruction set until the end of the scope.
class InstructionSet
{
public:
	explicit InstructionSet(std::int64_t target) { choose(target); }
	~InstructionSet() { choose(0); }
	InstructionSet(const InstructionSet &) = delete;
	InstructionSet &operator=(const InstructionSet &) = delete;

private:
	static void choose(std::int64_t target)
	{
		hwy::SetSupportedTargetsForTest(target);
		hwy::GetChosenTarget().Update(hwy::SupportedTargets());
	}
};

/// The results of all functions, except sums, for the same numbers.
struct Outputs {
	float most = 0;
	std::vector<std::int8_t> quantised;
	std::vector<std::int8_t> high;
	std::vector<std::int8_t> low;
	/// Back from fp16, since the sign of a zero does not matter.
	std::vector<float> half;
	std::vector<float> half_high;
	std::vector<float> half_low;
	std::vector<float> scaled;
	std::vector<float> scaled_split;
	std::vector<float> rotated;
	float range = 0;
};

void expect_same(const Outputs &is, const Outputs &should)
{
	EXPECT_EQ(is.most, should.most);
	EXPECT_EQ(is.quantised, should.quantised);
	EXPECT_EQ(is.high, should.high);
	EXPECT_EQ(is.low, should.low);
	EXPECT_EQ(is.half, should.half);
	EXPECT_EQ(is.half_high, should.half_high);
	EXPECT_EQ(is.half_low, should.half_low);
	EXPECT_EQ(is.scaled, should.scaled);
	EXPECT_EQ(is.scaled_split, should.scaled_split);
	EXPECT_EQ(is.rotated, should.rotated);
	EXPECT_EQ(is.range, should.most);
}

Outputs outputs(std::span<const float> x)
{
	const std::size_t size = x.size();
	const auto to = [=]<typename T>(std::vector<T> &values) {
		values.resize(size);
		return std::span(values);
	};
	Outputs out;
	std::vector<std::int32_t> high(size);
	std::vector<std::int32_t> low(size);
	std::vector<std::uint16_t> bits(size);
	std::vector<std::uint16_t> bits_low(size);

	for (std::size_t i = 0; i < size; i++) {
		high[i] = static_cast<std::int32_t>(x[i] * 0x1p20F);
		low[i] = static_cast<std::int32_t>(x[size - 1 - i] * 0x1p20F);
	}
	out.most = max_abs(x);
	quantise(x, 40.0F, to(out.quantised));
	quantise_split(x, 4000.0F, to(out.high), to(out.low));
	to_fp16(x, 1.0F, bits);
	from_fp16(bits, to(out.half));
	to_fp16_split(x, 4096.0F, bits, bits_low);
	from_fp16(bits, to(out.half_high));
	from_fp16(bits_low, to(out.half_low));
	/* Results of one row; those of two halves are atoms of high and low in turn. */
	std::vector<std::int32_t> pairs;
	const auto channels = static_cast<std::uint32_t>(size);
	const float factor = 0.37F;
	high.resize((size + 3) / 4 * 4);
	low.resize(high.size());
	for (std::size_t i = 0; i < high.size(); i += 4) {
		pairs.insert(pairs.end(), high.data() + i, high.data() + i + 4);
		pairs.insert(pairs.end(), low.data() + i, low.data() + i + 4);
	}
	load_int8({high.data(), 1, 1, high.size()}, 0, channels,
		  {to(out.scaled).data(), size, 1, &factor, x.data()});
	load_int8x2({pairs.data(), 2, 1, pairs.size()}, 0, channels,
		    {to(out.scaled_split).data(), size, 1, &factor, x.data()});
	out.rotated.assign(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(size / 32 * 32));
	rotate(out.rotated, out.rotated, 32);
	out.range = row_range(x).most;
	return out;
}

/*
 * A model must generate the same text on all processors. Only the order of additions in sums may
 * differ.
 */
TEST(Numeric, InstructionSetsRoundAlike)
{
	std::cout << "Highway's target: " << simd_target() << '\n';
	const std::int64_t all = hwy::SupportedTargets() & HWY_TARGETS;
	auto x = test::random_floats(1003, 11);
	const auto y = test::random_floats(1003, 12);
	/* Ties, ends of the range, and numbers that are subnormal as fp16. */
	for (int i = 0; i < 200; i++) {
		x.push_back(static_cast<float>(2 * i - 199) / 80.0F);
		x.push_back((i % 2 ? -1.0F : 1.0F) * 0x1p-26F * static_cast<float>(i));
	}
	const Outputs expected = outputs(x);
	const float sum = dot(std::span(x).first(y.size()), y);
	unsigned int sets = 0;

	for (std::int64_t rest = all; rest; rest &= rest - 1) {
		const std::int64_t target = rest & -rest;
		const InstructionSet chosen(target);

		SCOPED_TRACE(hwy::TargetName(target));
		EXPECT_STREQ(simd_target(), hwy::TargetName(target));
		expect_same(outputs(x), expected);
		EXPECT_NEAR(dot(std::span(x).first(y.size()), y), sum, 1e-3F);
		std::vector<float> added = y;
		add_scaled(std::span(x).first(y.size()), 0.5F, added);
		for (std::size_t i = 0; i < y.size(); i++)
			EXPECT_NEAR(added[i], 0.5F * x[i] + y[i], 1e-6F);
		sets++;
	}
	EXPECT_EQ(sets, static_cast<unsigned int>(std::popcount(static_cast<std::uint64_t>(all))));
	/* Every processor of these two has vectors. */
#if defined(__aarch64__)
	EXPECT_THAT(simd_target(), testing::AnyOf("NEON", "NEON_WITHOUT_AES", "SVE", "SVE2"));
#elif defined(__x86_64__)
	EXPECT_THAT(simd_target(), testing::ContainsRegex("^(SSE|AVX)"));
#endif
}

TEST(Numeric, TailsAreRoundedLikeTheRest)
{
	for (std::size_t size = 0; size < 70; size++) {
		const auto x = test::random_floats(size, 9);
		std::vector<std::int8_t> quantised(size);
		std::vector<std::int8_t> high(size);
		std::vector<std::int8_t> low(size);
		std::vector<std::uint16_t> half(size);
		std::vector<float> back(size);
		float most = 0;

		quantise(x, 40.0F, quantised);
		quantise_split(x, 4000.0F, high, low);
		to_fp16(x, 1.0F, half);
		from_fp16(half, back);
		for (std::size_t i = 0; i < size; i++) {
			const float clamped = std::clamp(x[i] * 40.0F, -127.0F, 127.0F);
			EXPECT_EQ(quantised[i], std::nearbyint(clamped));
			const float wide = std::clamp(x[i] * 4000.0F, -16256.0F, 16256.0F);
			EXPECT_EQ(128 * high[i] + low[i], std::nearbyint(wide));
			EXPECT_NEAR(back[i], x[i], std::abs(x[i]) / 2048);
			most = std::max(most, std::abs(x[i]));
		}
		EXPECT_EQ(max_abs(x), most);
	}
}

TEST(Numeric, SplitFp16KeepsTwentyTwoBits)
{
	const auto x = test::random_floats(1000, 10);
	std::vector<std::uint16_t> high(x.size());
	std::vector<std::uint16_t> low(x.size());
	std::vector<float> a(x.size());
	std::vector<float> b(x.size());

	to_fp16_split(x, 4096.0F, high, low);
	from_fp16(high, a);
	from_fp16(low, b);
	for (std::size_t i = 0; i < x.size(); i++)
		EXPECT_NEAR((a[i] + b[i]) / 4096.0F, x[i], std::abs(x[i]) * 0x1p-21F + 0x1p-36F);
}

} // namespace

} // namespace npu
