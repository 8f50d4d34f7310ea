/* SPDX-License-Identifier: MIT */
/*
 * Matrix products and 1x1 convolutions in every layout: address rules of the
 * features, of the results, exactness of int8.
 */
#include "model_matmul.h"

namespace model_test
{
namespace
{

void expect_exact(const Matmul &matmul, uint32_t seed)
{
	std::mt19937 rng(seed);
	const Operands operands = matmul.random(rng);
	Npu npu(matmul.core);

	matmul.map(npu);
	matmul.store(npu, operands);
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE)
		<< std::hex << "register " << npu->error_reg << " value " << npu->error_value;
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
	EXPECT_TRUE(npu.irq());
	/* Every result once, and nothing else. */
	EXPECT_EQ(npu.bus.bytes(true, matmul.output, matmul.output_size()), matmul.output_size());
	EXPECT_EQ(npu->stats.written_bytes, matmul.output_size());
}

enum class Shape { fours, lines, native, rows_in, rows_out, rows };

class Layout : public testing::TestWithParam<std::tuple<Kind, Shape, uint32_t>>
{
protected:
	static Matmul matmul(uint32_t k, uint32_t n)
	{
		const auto [kind, shape, m] = GetParam();
		Matmul matmul{.kind = kind, .h = m, .k = k, .n = n};

		if (shape == Shape::native) {
			matmul.w = m;
			matmul.h = 1;
		}
		matmul.line_off =
			shape == Shape::lines || shape == Shape::rows_in || shape == Shape::rows;
		matmul.rows_in = shape == Shape::rows_in || shape == Shape::rows;
		matmul.rows_out = shape == Shape::rows_out || shape == Shape::rows;
		return matmul;
	}
};

TEST_P(Layout, OneSliceOneGroup)
{
	const Matmul shape = matmul(32, 32);

	expect_exact(shape, 1);
}

TEST_P(Layout, SlicesAndGroups)
{
	const Matmul shape = matmul(160, 96);

	expect_exact(shape, 2);
}

/* The last 16 channels are a slice of their own. */
TEST_P(Layout, HalfSlice)
{
	const Matmul shape = matmul(48, 64);

	expect_exact(shape, 3);
}

INSTANTIATE_TEST_SUITE_P(
	Model, Layout,
	testing::Combine(testing::Values(Kind::int8, Kind::fp16, Kind::fp16_to_fp16),
			 testing::Values(Shape::fours, Shape::lines, Shape::native, Shape::rows_in,
					 Shape::rows_out, Shape::rows),
			 testing::Values(1u, 2u, 3u, 4u, 5u, 36u, 128u)));

/* Group mode with rows that are not a multiple of four, and more columns. */
TEST(ModelConv, ImagesInFours)
{
	for (uint32_t h : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 11u})
		for (uint32_t w : {1u, 2u, 3u, 5u, 16u})
			expect_exact({.w = w, .h = h, .k = 64, .n = 32}, h * 100 + w);
}

TEST(ModelConv, ImagesInLines)
{
	for (uint32_t h : {1u, 2u, 5u, 7u})
		for (uint32_t w : {2u, 3u, 5u, 16u})
			expect_exact({.kind = Kind::fp16,
				      .w = w,
				      .h = h,
				      .k = 64,
				      .n = 32,
				      .line_off = true},
				     h * 100 + w);
}

/* More positions than any accumulator buffer holds at a time. */
TEST(ModelConv, ManyPositions)
{
	expect_exact({.h = 600, .k = 32, .n = 64}, 1);
	expect_exact({.w = 37, .h = 23, .k = 32, .n = 32}, 2);
	expect_exact({.kind = Kind::fp16, .w = 700, .h = 1, .k = 64, .n = 32}, 3);
	expect_exact({.h = 2047, .k = 32, .n = 32, .rows_out = true}, 4);
}

TEST(ModelConv, MatchesNativeConstantOfH1)
{
	/* The constant as published: 0x10000000 - 3 M. */
	const Matmul matmul{.w = 36, .h = 1, .k = 64};

	EXPECT_EQ(matmul.registers().at(0x1080), 0x10000000u - 3 * 36);
}

/* Strides as a tensor with gaps has them, by the address rule itself. */
void expect_strided(bool line_off, uint32_t line, int32_t surf)
{
	const Matmul matmul{.w = 3, .h = 7, .k = 48, .n = 32, .line_off = line_off};
	std::mt19937 rng(5);
	const Operands operands = matmul.random(rng);
	Registers registers = matmul.registers();
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	npu.bus.map(feature_base, 0x8000);
	for (uint32_t c = 0; c < matmul.k; c++) {
		for (uint32_t y = 0; y < matmul.h; y++) {
			for (uint32_t x = 0; x < matmul.w; x++) {
				const int64_t in_surface =
					line_off ? int64_t{y} * line + x
						 : int64_t{y / 4} * line + y % 4 * 3 + x;
				const int64_t surface = (line_off ? 3 : 12) + int64_t{surf};
				const int64_t atom = c / 16 * surface + in_surface;
				const auto addr = static_cast<uint32_t>(feature_base + 0x4000 +
									atom * 16 + c % 16);

				matmul.store_element(npu, addr,
						     operands.a[(y * 3 + x) * matmul.k + c]);
			}
		}
	}
	registers[0x1070] = feature_base + 0x4000;
	registers[0x107c] = line;
	registers[0x1080] = static_cast<uint32_t>(surf) & 0x0fffffff;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
}

TEST(ModelConv, StridesWithGaps)
{
	/* Fours 13 atoms apart, surfaces 40. */
	expect_strided(false, 13, 40 - 12);
	expect_strided(true, 5, 50 - 3);
	/* Surfaces that lie one below the other in memory. */
	expect_strided(false, 14, -64 - 12);
	expect_strided(true, 4, -40 - 3);
}

/* Bits above the field of 28 are not part of the stride. */
TEST(ModelConv, SurfaceStrideHas28Bits)
{
	const Matmul matmul{.h = 3, .k = 64};
	std::mt19937 rng(6);
	const Operands operands = matmul.random(rng);
	Registers registers = matmul.registers();
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	registers[0x1080] |= 0x50000000;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
}

/* A tile of a taller tensor: full strides, fewer rows, result in the middle. */
TEST(ModelConv, TileOfTallerOutput)
{
	const Matmul matmul{.w = 4, .h = 4, .k = 32, .n = 64};
	const uint32_t total = 4 * 10 * 16, top = 4 * 3 * 16;
	std::mt19937 rng(7);
	const Operands operands = matmul.random(rng);
	Registers registers = matmul.registers();
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	npu.bus.map(output_base, total * 16);
	registers[0x4020] = output_base + top;
	registers[0x4024] = total;
	registers[0x40c0] = 8 * total;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	for (uint32_t surface = 0; surface < 16; surface++) {
		for (uint32_t atom = 0; atom < 40; atom++) {
			const uint32_t addr = output_base + surface * total + atom * 16;
			const bool inside = atom >= 12 && atom < 28;

			for (uint32_t i = 0; i < 4; i++) {
				const auto value = npu.bus.get<uint32_t>(addr + i * 4);
				const uint32_t should =
					inside ? matmul.expected(operands, atom - 12,
								 surface * 4 + i)
					       : 0xa5a5a5a5;

				ASSERT_EQ(value, should) << surface << ' ' << atom;
			}
		}
	}
}

/* NOTCH follows every row, so an image can lie in a wider one. */
TEST(ModelConv, NotchAfterEveryRow)
{
	const Matmul matmul{.w = 3, .h = 5, .k = 32, .n = 32};
	std::mt19937 rng(8);
	const Operands operands = matmul.random(rng);
	Registers registers = matmul.registers();
	const uint32_t row = 3 + 4, surface_bytes = 5 * row * 16;
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	npu.bus.map(output_base, surface_bytes * 8);
	registers[0x4024] = surface_bytes;
	registers[0x4038] = 4 << 16 | 4;
	registers[0x40c0] = 8 * surface_bytes;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	for (uint32_t n = 0; n < 32; n++)
		for (uint32_t y = 0; y < 5; y++)
			for (uint32_t x = 0; x < row; x++)
				ASSERT_EQ(npu.bus.get<uint32_t>(output_base +
								n / 4 * surface_bytes +
								(y * row + x) * 16 + n % 4 * 4),
					  x < 3 ? matmul.expected(operands, y * 3 + x, n)
						: 0xa5a5a5a5);
}

void expect_int8(uint32_t k, uint16_t a, uint16_t b, int32_t result)
{
	const Matmul matmul{.h = 3, .k = k, .n = 32, .data_banks = 4, .weight_banks = 8};
	const Operands operands{std::vector<uint16_t>(matmul.pixels() * k, a),
				std::vector<uint16_t>(matmul.n * k, b)};
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	for (uint32_t p = 0; p < matmul.pixels(); p++)
		for (uint32_t i = 0; i < matmul.n; i++)
			ASSERT_EQ(static_cast<int32_t>(matmul.result(npu, p, i)), result);
}

TEST(ModelConv, Int8Extremes)
{
	expect_int8(32, 0x80, 0x80, 32 * 16384);
	expect_int8(8192, 0x80, 0x80, 8192 * 16384);
	expect_int8(8192, 0x80, 0x7f, -8192 * 16256);
	expect_int8(8192, 0x7f, 0x7f, 8192 * 16129);
	expect_int8(8192, 0xff, 0xff, 8192);
	expect_int8(4096, 0, 0x80, 0);
}

TEST(ModelConv, LongestRows)
{
	expect_exact({.h = 5, .k = 8192, .n = 64, .data_banks = 2, .weight_banks = 10}, 9);
	expect_exact({.kind = Kind::fp16,
		      .h = 3,
		      .k = 8192,
		      .n = 32,
		      .data_banks = 2,
		      .weight_banks = 10},
		     10);
}

/* Weights that do not all fit flow through, one group after the other. */
TEST(ModelConv, StreamedWeights)
{
	const Matmul matmul{.h = 5, .k = 512, .n = 512, .data_banks = 11, .weight_banks = 1};

	ASSERT_GT(matmul.weight_size(), 32768u);
	expect_exact(matmul, 11);
	expect_exact({.kind = Kind::fp16,
		      .h = 300,
		      .k = 512,
		      .n = 256,
		      .data_banks = 10,
		      .weight_banks = 1},
		     12);
}

/* Addresses above 2 GiB, and a tensor that ends at the top of memory. */
TEST(ModelConv, HighAddresses)
{
	Matmul matmul{.h = 5, .k = 64, .n = 32, .features = 0xf0000000, .weights = 0xa0000000};

	matmul.output = 0u - matmul.output_size();
	expect_exact(matmul, 13);
}

TEST(ModelConv, EveryCoreComputesTheSame)
{
	for (uint32_t core = 0; core < 3; core++)
		expect_exact({.h = 5, .k = 64, .n = 64, .core = core}, 14);
}

/* Both published int8 recipes: QD_EN and OD_BYPASS do not matter while OW_OP is 0. */
TEST(ModelConv, PublishedInt8Recipes)
{
	const Matmul matmul{.h = 4, .k = 64};
	std::mt19937 rng(15);
	const Operands operands = matmul.random(rng);

	for (const auto &[misc, ow_cfg] : {std::pair{0u, 0x7feu}, std::pair{1u, 0x7fcu}}) {
		Registers registers = matmul.registers();
		Npu npu;

		matmul.map(npu);
		matmul.store(npu, operands);
		registers[0x3010] = misc;
		registers[0x4050] = ow_cfg;
		ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
		EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
	}
}

} /* namespace */
} /* namespace model_test */
