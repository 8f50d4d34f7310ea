/* SPDX-License-Identifier: MIT */
/*
 * The fp16 rule, bit by bit: exact sums of 32 products rounded once, groups
 * added in order as floats, and the way out as halves.
 */
#include <cmath>

#include "model_matmul.h"

namespace model_test
{
namespace
{

/* Runs a product and compares all of it. */
void expect_exact(const Matmul &matmul, const Operands &operands)
{
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
}

/* The result of one row of @a with one kernel @b. */
uint32_t dot(Kind kind, std::vector<uint16_t> a, std::vector<uint16_t> b)
{
	const auto k = static_cast<uint32_t>((a.size() + 31) / 32 * 32);
	const Matmul matmul{.kind = kind, .h = 1, .k = k, .n = 16};
	Npu npu;

	a.resize(k);
	b.resize(size_t{16} * k);
	const Operands operands{a, b};
	matmul.map(npu);
	matmul.store(npu, operands);
	EXPECT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	/* Each test also checks the reference. */
	EXPECT_EQ(matmul.result(npu, 0, 0), matmul.expected(operands, 0, 0));
	/* Kernels of zeros give a zero without sign. */
	EXPECT_EQ(matmul.result(npu, 0, 1), 0u);
	return matmul.result(npu, 0, 0);
}

constexpr uint16_t one = 0x3c00, minus_one = 0xbc00, largest = 0x7bff, smallest = 0x0001;

/* The reference itself, against numbers worked out by hand. */
TEST(ModelFp16, Reference)
{
	EXPECT_EQ(half_value(one), 1.0);
	EXPECT_EQ(half_value(largest), 65504.0);
	EXPECT_EQ(half_value(smallest), std::ldexp(1.0, -24));
	EXPECT_EQ(half_value(0x0400), std::ldexp(1.0, -14));
	EXPECT_EQ(half_value(0x83ff), -1023 * std::ldexp(1.0, -24));
	for (uint32_t bits = 0; bits < 0x7c00; bits++)
		ASSERT_EQ(
			float_to_half(static_cast<float>(half_value(static_cast<uint16_t>(bits)))),
			bits);
	EXPECT_EQ(float_to_half(65519.996f), 0x7bff);
	EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
	EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
	EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);
	EXPECT_EQ(float_to_half(0x1.8p-24f), 0x0002);
	EXPECT_EQ(float_bits(to_float(int128{1} << 48)), 0x3f800000u);
	/* 2^24 + 1 is a tie. */
	EXPECT_EQ(to_float(((int128{1} << 24) + 1) << 48), 0x1p24f);
	EXPECT_EQ(to_float((((int128{1} << 24) + 1) << 48) + 1), 0x1p24f + 2);
	EXPECT_EQ(to_float(-((int128{1} << 24) + 3) << 48), -0x1p24f - 4);
}

TEST(ModelFp16, Zeros)
{
	const uint16_t minus_zero = 0x8000;

	EXPECT_EQ(dot(Kind::fp16, {minus_zero}, {one}), 0u);
	EXPECT_EQ(dot(Kind::fp16, {minus_one, one}, {one, one}), 0u);
	/* Groups that cancel: 1 - 1 as floats. */
	std::vector<uint16_t> a(64), b(64);
	a[0] = b[0] = one;
	a[32] = minus_one;
	b[32] = one;
	EXPECT_EQ(dot(Kind::fp16, a, b), 0u);
	EXPECT_EQ(dot(Kind::fp16_to_fp16, a, b), 0u);
	std::vector<uint16_t> all(64, minus_zero);
	EXPECT_EQ(dot(Kind::fp16, all, std::vector<uint16_t>(64, one)), 0u);
	EXPECT_EQ(dot(Kind::fp16, all, all), 0u);
}

/* Operands that are subnormal count with all their bits. */
TEST(ModelFp16, Subnormals)
{
	EXPECT_EQ(dot(Kind::fp16, {smallest}, {smallest}), float_bits(0x1p-48f));
	EXPECT_EQ(dot(Kind::fp16, {0x83ff}, {one}), float_bits(-1023 * 0x1p-24f));
	EXPECT_EQ(dot(Kind::fp16, {0x03ff, 0x8001}, {0x03ff, 0x0001}),
		  float_bits((1023 * 1023 - 1) * 0x1p-48f));
}

/* One group is exact however far its products lie apart: about 80 bits. */
TEST(ModelFp16, GroupsAreExact)
{
	/* Large terms cancel and leave the smallest there is. */
	EXPECT_EQ(dot(Kind::fp16, {largest, smallest, 0xfbff}, {largest, smallest, largest}),
		  float_bits(0x1p-48f));
	/* A tie that only the smallest product breaks: 2^24 + 1 + 2^-48. */
	EXPECT_EQ(dot(Kind::fp16, {0x6c00, one, smallest}, {0x6c00, one, smallest}),
		  float_bits(0x1p24f + 2));
	EXPECT_EQ(dot(Kind::fp16, {0x6c00, one, 0x8001}, {0x6c00, one, smallest}),
		  float_bits(0x1p24f));
	EXPECT_EQ(dot(Kind::fp16, {0x6c00, one}, {0x6c00, one}), float_bits(0x1p24f));
	/* 2^24 + 3 is a tie that goes up. */
	EXPECT_EQ(dot(Kind::fp16, {0x6c00, 0x4200}, {0x6c00, one}), float_bits(0x1p24f + 4));
}

/* Sums within a group are exact, sums of groups are rounded: the order matters. */
TEST(ModelFp16, GroupsAreRounded)
{
	std::vector<uint16_t> a(96), b(96, one);

	/* 2^24 + 1 - 2^24 in three groups is 0, in one it is 1. */
	a[0] = 0x6c00;
	b[0] = 0x6c00;
	a[32] = one;
	a[64] = 0xec00;
	b[64] = 0x6c00;
	EXPECT_EQ(dot(Kind::fp16, a, b), 0u);
	std::swap(a[32], a[1]);
	std::swap(a[64], a[2]);
	std::swap(b[64], b[2]);
	EXPECT_EQ(dot(Kind::fp16, a, b), float_bits(1.0f));
	/* Groups are aligned: lanes 31 and 32 are not together. */
	std::ranges::fill(a, uint16_t{0});
	std::ranges::fill(b, one);
	a[0] = 0x6c00;
	b[0] = 0x6c00;
	a[31] = one;
	a[32] = one;
	EXPECT_EQ(dot(Kind::fp16, a, b), float_bits(0x1p24f));
	/* In order of the channels: 1 + 1 + 2^24 keeps the 2. */
	std::ranges::fill(a, uint16_t{0});
	std::ranges::fill(b, one);
	a[0] = a[32] = one;
	a[64] = 0x6c00;
	b[64] = 0x6c00;
	EXPECT_EQ(dot(Kind::fp16, a, b), float_bits(0x1p24f + 2));
}

/* Random operands over ranges of exponents from one to all. */
class Exponents : public testing::TestWithParam<std::pair<uint32_t, uint32_t>>
{
};

TEST_P(Exponents, RandomIsBitExact)
{
	const auto [low, high] = GetParam();
	std::mt19937 rng(low * 100 + high);

	for (const Kind kind : {Kind::fp16, Kind::fp16_to_fp16}) {
		for (const uint32_t k : {32u, 48u, 256u}) {
			const Matmul matmul{.kind = kind, .h = 150, .k = k, .n = 48};
			Operands operands{std::vector<uint16_t>(matmul.pixels() * k),
					  std::vector<uint16_t>(matmul.n * k)};

			for (uint16_t &bits : operands.a)
				bits = random_half(rng, low, high);
			for (uint16_t &bits : operands.b)
				bits = random_half(rng, low, high);
			expect_exact(matmul, operands);
		}
	}
}

INSTANTIATE_TEST_SUITE_P(Model, Exponents,
			 testing::Values(std::pair{15u, 15u}, std::pair{10u, 20u},
					 std::pair{0u, 0u}, std::pair{0u, 3u}, std::pair{0u, 18u},
					 std::pair{0u, 20u}, std::pair{1u, 21u}, std::pair{1u, 22u},
					 std::pair{5u, 27u}, std::pair{0u, 30u},
					 std::pair{28u, 30u}));

/* One operand in a narrow range, the other in a wide one. */
TEST(ModelFp16, UnequalRanges)
{
	std::mt19937 rng(7);

	for (uint32_t spread = 0; spread <= 30; spread++) {
		const Matmul matmul{.kind = Kind::fp16, .h = 20, .k = 64, .n = 32};
		Operands operands{std::vector<uint16_t>(20 * 64), std::vector<uint16_t>(32 * 64)};

		for (uint16_t &bits : operands.a)
			bits = random_half(rng, 30 - spread, 30);
		for (uint16_t &bits : operands.b)
			bits = random_half(rng, 0, 16 + spread % 2 * 4);
		expect_exact(matmul, operands);
	}
}

/*
 * All lanes but one at the top: the widest sum that a common exponent of the
 * lanes can need, for every distance of the last lane.
 */
TEST(ModelFp16, WidestSums)
{
	const Matmul matmul{.kind = Kind::fp16, .h = 30, .k = 32, .n = 32};
	Operands operands{std::vector<uint16_t>(30 * 32, largest),
			  std::vector<uint16_t>(32 * 32, largest)};

	for (uint32_t i = 0; i < 30; i++) {
		operands.a[i * 32 + 31] = static_cast<uint16_t>((30 - i) << 10 | 0x155);
		operands.b[i * 32 + 31] = static_cast<uint16_t>((30 - i) << 10 | 0x2ab);
	}
	expect_exact(matmul, operands);
}

/* Sparse operands: zeros must not count as exponents. */
TEST(ModelFp16, SparseIsBitExact)
{
	std::mt19937 rng(8);

	for (const uint32_t density : {1u, 2u, 5u, 30u}) {
		const Matmul matmul{.kind = Kind::fp16, .h = 100, .k = 96, .n = 64};
		Operands operands{std::vector<uint16_t>(100 * 96), std::vector<uint16_t>(64 * 96)};

		for (auto *tensor : {&operands.a, &operands.b})
			for (uint16_t &bits : *tensor)
				bits = rng() % 32 < density
					       ? random_half(rng, 0, 30)
					       : static_cast<uint16_t>(rng() % 2 * 0x8000);
		expect_exact(matmul, operands);
	}
}

/* Each product meets its opposite, but for one in the last place. */
TEST(ModelFp16, Cancellation)
{
	std::mt19937 rng(9);
	const Matmul matmul{.kind = Kind::fp16, .h = 200, .k = 128, .n = 16};
	Operands operands{std::vector<uint16_t>(200 * 128), std::vector<uint16_t>(16 * 128)};

	for (uint32_t n = 0; n < 16; n++)
		for (uint32_t c = 0; c < 128; c += 2)
			operands.b[n * 128 + c] = operands.b[n * 128 + c + 1] =
				random_half(rng, 0, 30);
	for (uint32_t p = 0; p < 200; p++) {
		for (uint32_t c = 0; c < 128; c += 2) {
			const uint16_t bits = random_half(rng, 0, 29);
			const uint16_t other = rng() % 8 ? bits : bits ^ 1;

			operands.a[p * 128 + c] = bits;
			operands.a[p * 128 + c + 1] = other ^ 0x8000;
		}
	}
	expect_exact(matmul, operands);
}

/* Group sums that differ in size by all that float addition distinguishes. */
TEST(ModelFp16, AdditionsOfUnequalGroups)
{
	std::mt19937 rng(10);
	const Matmul matmul{.kind = Kind::fp16, .h = 400, .k = 64, .n = 16};
	Operands operands{std::vector<uint16_t>(400 * 64), std::vector<uint16_t>(16 * 64)};

	for (uint32_t n = 0; n < 16; n++) {
		for (uint32_t c = 0; c < 64; c++) {
			const uint32_t low = c < 32 ? 30 - n : n;

			operands.b[n * 64 + c] = random_half(rng, low, low);
		}
	}
	for (uint32_t p = 0; p < 400; p++)
		for (uint32_t c = 0; c < 64; c++)
			operands.a[p * 64 + c] = random_half(rng, 14, 16);
	expect_exact(matmul, operands);

	/* Powers of two: sums just below one, where the last place halves. */
	for (uint32_t n = 0; n < 16; n++)
		for (uint32_t c = 0; c < 64; c++)
			operands.b[n * 64 + c] = c % 32 == 0 ? one : 0;
	for (uint32_t p = 0; p < 400; p++) {
		operands.a[p * 64] = static_cast<uint16_t>((rng() % 31) << 10);
		operands.a[p * 64 + 32] = static_cast<uint16_t>(0x8000 | rng() % 0x7c00);
	}
	expect_exact(matmul, operands);
}

/* The sum a + b where b is near half of the last place of a. */
TEST(ModelFp16, TiesOfAdditions)
{
	for (const uint16_t tail : {uint16_t{0x0001}, uint16_t{0x0000}, uint16_t{0x8001}}) {
		for (const uint16_t sign : {uint16_t{0}, uint16_t{0x8000}}) {
			for (uint16_t exponent = 1; exponent < 30; exponent++) {
				std::vector<uint16_t> a(64), b(64, one);
				const auto power = static_cast<uint16_t>(exponent << 10);

				/* 2^24 - or + 2^e and a little. */
				a[0] = b[0] = 0x6c00;
				a[32] = power | sign;
				a[33] = tail;
				b[33] = smallest;
				dot(Kind::fp16, a, b);
			}
		}
	}
}

TEST(ModelFp16, HalvesRoundToNearestEven)
{
	const auto halves = [](std::vector<uint16_t> a, std::vector<uint16_t> b) {
		return dot(Kind::fp16_to_fp16, std::move(a), std::move(b));
	};

	/* 1 + 2^-11 and 1 + 3 * 2^-11 are ties. */
	EXPECT_EQ(halves({one, 0x1000}, {one, one}), 0x3c00u);
	EXPECT_EQ(halves({one, 0x1000, smallest}, {one, one, smallest}), 0x3c00u)
		<< "rounded to float first, which loses what would break the tie";
	EXPECT_EQ(halves({one, 0x1000, smallest}, {one, one, 0x4000}), 0x3c01u);
	EXPECT_EQ(halves({one, 0x1600}, {one, one}), 0x3c02u);
	EXPECT_EQ(halves({minus_one, 0x9600}, {one, one}), 0xbc02u);
	/* Overflow from half a place above the largest on. */
	EXPECT_EQ(halves({largest, 0x4b80}, {one, one}), 0x7bffu);
	EXPECT_EQ(halves({largest, 0x4c00}, {one, one}), 0x7c00u);
	EXPECT_EQ(halves({0xfbff, 0xcc00}, {one, one}), 0xfc00u);
	EXPECT_EQ(halves({largest}, {largest}), 0x7c00u);
	/* Subnormal results: halves of the smallest. */
	EXPECT_EQ(halves({smallest}, {0x3800}), 0x0000u);
	EXPECT_EQ(halves({0x0003}, {0x3800}), 0x0002u);
	EXPECT_EQ(halves({smallest}, {0x3801}), 0x0001u);
	EXPECT_EQ(halves({0x03ff}, {one}), 0x03ffu);
	/* Just below the smallest normal, rounds up to it. */
	EXPECT_EQ(halves({0x07ff}, {0x3800}), 0x0400u);
	EXPECT_EQ(halves({0x0400}, {0x3bff}), 0x0400u);
	/* Far below: a zero that keeps its sign. */
	EXPECT_EQ(halves({0x8001}, {smallest}), 0x8000u);
}

/* All that one product of halves can be. */
TEST(ModelFp16, ProductsAsHalves)
{
	const Matmul matmul{.kind = Kind::fp16_to_fp16, .h = 2000, .k = 32, .n = 32};
	std::mt19937 rng(11);

	for (int i = 0; i < 3; i++) {
		Operands operands{std::vector<uint16_t>(2000 * 32), std::vector<uint16_t>(32 * 32)};

		for (uint32_t p = 0; p < 2000; p++)
			operands.a[p * 32] = random_half(rng, 0, 30);
		for (uint32_t n = 0; n < 32; n++)
			operands.b[n * 32] = random_half(rng, 0, 30);
		expect_exact(matmul, operands);
	}
}

/* A host may have cores differ in the last bits of every sixteenth channel. */
TEST(ModelFp16, CoresMayDiffer)
{
	std::mt19937 rng(12);

	for (const Kind kind : {Kind::fp16, Kind::fp16_to_fp16, Kind::int8}) {
		const Matmul matmul{.kind = kind, .h = 4, .k = 64, .n = 64};
		const Operands operands = matmul.random(rng);
		Npu npu;

		npu->fp16_lane0 = 2;
		matmul.map(npu);
		matmul.store(npu, operands);
		ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
		for (uint32_t p = 0; p < matmul.pixels(); p++)
			for (uint32_t i = 0; i < matmul.n; i++)
				ASSERT_EQ(matmul.result(npu, p, i) ^
						  matmul.expected(operands, p, i),
					  matmul.is_fp16() && i % 16 == 0 ? 2u : 0u)
					<< "pixel " << p << ", channel " << i;
	}
	/* Nothing is made of a zero. */
	const Matmul matmul{.kind = Kind::fp16, .h = 1, .k = 32, .n = 16};
	Npu npu;

	npu->fp16_lane0 = 1;
	matmul.map(npu);
	matmul.store(npu, {std::vector<uint16_t>(32), std::vector<uint16_t>(16 * 32)});
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	EXPECT_EQ(matmul.result(npu, 0, 0), 0u);
}

} /* namespace */
} /* namespace model_test */
