/* SPDX-License-Identifier: MIT */
/*
 * The look-up table: how it is loaded, what is between its entries and outside,
 * and what becomes of it in a chain.
 */
#include <cmath>

#include "model_flying.h"

namespace model_test
{
namespace
{

/* Words that write @entries to a table from entry @first on. */
void load(Stream &stream, bool lo, uint32_t first, const std::vector<int16_t> &entries)
{
	stream.push_back(command(0x1001, 0x4100, 1u << 17 | (lo ? 1u << 16 : 0) | first));
	for (const int16_t entry : entries)
		stream.push_back(command(0x1001, 0x4104, static_cast<uint16_t>(entry)));
}

/* LE below 0, LO above, an entry every 32 units: as measured programs have it. */
Registers with_lut(const Flying &flying)
{
	Registers registers = flying.registers();

	/* Neither operation nor ReLU. */
	registers[0x4070] = 0x302;
	registers[0x4108] = 0x68;
	registers[0x410c] = 5 << 16 | 5 << 8;
	registers[0x4110] = static_cast<uint32_t>(-16384);
	registers[0x4114] = 0;
	registers[0x4118] = 0;
	registers[0x411c] = 16384;
	return registers;
}

/* Entries of a straight line with a slope, and a step that shows which table. */
std::vector<int16_t> line(int32_t start, int32_t step)
{
	std::vector<int16_t> entries;

	for (int32_t i = 0; i <= 512; i++)
		entries.push_back(static_cast<int16_t>(start + step * i));
	return entries;
}

class ModelLut : public testing::Test
{
protected:
	ModelLut()
	{
		/* LE runs from -5120 to 0, LO from 1000 to 21480. */
		load(tables, false, 0, line(-5120, 10));
		load(tables, true, 0, line(1000, 40));
	}

	std::vector<int32_t> look_up(const std::vector<int32_t> &inputs)
	{
		std::vector<int32_t> results;
		std::vector<uint32_t> values;

		for (const int32_t input : inputs)
			values.push_back(static_cast<uint32_t>(input));
		flying.c = static_cast<uint32_t>(inputs.size());
		Registers all = with_lut(flying);
		for (const auto &[reg, value] : changes)
			all[reg] = value;
		flying.map(npu);
		flying.fill(npu, feature_base, values);
		Stream stream = tables;
		const Stream rest = body(all);
		stream.insert(stream.end(), rest.begin(), rest.end());
		finish(stream, {}, 0x18);
		EXPECT_EQ(npu.run(stream), NPU_MODEL_DONE) << std::hex << npu->error_reg;
		for (uint32_t i = 0; i < flying.c; i++)
			results.push_back(static_cast<int32_t>(flying.result(npu, 0, i)));
		return results;
	}

	Flying flying{.w = 1};
	Registers changes;
	Stream tables;
	Npu npu;
};

/*
 * Linear between entries. -16384 is entry 0 of LE: -5120. -16376 is a quarter of
 * the way to entry 1: -5117.5, a tie, to the even -5118. -1 is 31/32 of the way
 * from -10 to 0: -0.3125. 0 is in both ranges, and bit 6 of the configuration
 * gives it to LO: 1000. 8 is a quarter of the way from 1000 to 1040. 16384 is the
 * last entry.
 */
TEST_F(ModelLut, Interpolates)
{
	EXPECT_EQ(
		look_up({-16384, -16376, -16352, -32, -1, 0, 8, 16, 32, 16384}),
		(std::vector<int32_t>{-5120, -5118, -5110, -10, 0, 1000, 1010, 1020, 1040, 21480}));
	changes[0x4108] = 0x28;
	EXPECT_EQ(look_up({0, 1, -1}), (std::vector<int32_t>{0, 1001, 0}));
}

/*
 * Outside of both ranges: the nearest entry and a slope. Without one, the entry.
 * LE underflow 1 / 2: 100 below the start is 50 less. LO overflow 3 / 4: 100
 * above the end is 75 more. A slope goes on beyond the 16 bits of entries:
 * 21480 + (2^20 - 16384) * 3 / 4 = 795624, -5120 - (2^20 - 16384) / 2 = -521216.
 */
TEST_F(ModelLut, Slopes)
{
	EXPECT_EQ(look_up({-16484, 16484, 1 << 20, -(1 << 20)}),
		  (std::vector<int32_t>{-5120, 21480, 21480, -5120}));
	changes[0x4120] = 1;
	changes[0x4124] = 1;
	changes[0x4128] = 3u << 16;
	changes[0x412c] = 2 << 5;
	EXPECT_EQ(look_up({-16484, 16484, 1 << 20, -(1 << 20)}),
		  (std::vector<int32_t>{-5170, 21555, 795624, -521216}));
}

/* The address goes on by itself, and starts where the access register says. */
TEST_F(ModelLut, LoadsFromAnyEntry)
{
	load(tables, true, 511, {7, 9});
	EXPECT_EQ(look_up({16352, 16368, 16384, 16320}),
		  (std::vector<int32_t>{7, 8, 9, 1000 + 510 * 40}));
	/* Beyond the last entry there is nothing to write to. */
	load(tables, true, 512, {11, 12, 13});
	EXPECT_EQ(look_up({0, 16384}), (std::vector<int32_t>{1000, 11}));
	/* Bit 17 clear reads. */
	tables.push_back(command(0x1001, 0x4100, 1 << 16));
	tables.push_back(command(0x1001, 0x4104, 99));
	EXPECT_EQ(look_up({0}), (std::vector<int32_t>{1000}));
}

/* Tables belong to the core, not to a register group, and outlive a task. */
TEST_F(ModelLut, TablesPersist)
{
	EXPECT_EQ(look_up({8}), (std::vector<int32_t>{1010}));
	tables.clear();
	EXPECT_EQ(look_up({8}), (std::vector<int32_t>{1010}));
	EXPECT_EQ(look_up({8}), (std::vector<int32_t>{1010}));
	npu_model_reset(npu.get());
	EXPECT_EQ(look_up({8}), (std::vector<int32_t>{0}));
}

/*
 * fp16 as measured: the index is x * BN_MUL + BN_ALU, the result (q + OFFSET) *
 * 2^-MINUS_EXP * SCALE. With BN_MUL 2048 (0x6800), x = 0.25 is index 512, entry
 * 16 of LO: 1000 + 640 = 1640; x = 0.2578125 is 528, half way to 1680: 1660.
 * (1640 - 1000) / 2^10 is 0.625, (1660 - 1000) / 2^10 is 0.64453125.
 */
TEST(ModelLutHalf, IndexAndResult)
{
	const Flying flying{.in = p_fp16, .out = p_fp16, .proc = p_fp16, .w = 1, .c = 8};
	Registers registers = with_lut(flying);
	Stream tables;
	Npu npu;

	load(tables, false, 0, line(-5120, 10));
	load(tables, true, 0, line(1000, 40));
	registers[0x4060] = 0x20040;
	registers[0x4064] = 0x80000000;
	registers[0x4068] = 0x6800u << 16;
	registers[0x4080] = static_cast<uint32_t>(-1000);
	registers[0x4088] = 1u << 31 | 10 << 12;
	flying.map(npu);
	flying.fill(npu, feature_base, {0x3400, 0x3420, 0xb400});
	Stream stream = tables;
	const Stream rest = body(registers);
	stream.insert(stream.end(), rest.begin(), rest.end());
	finish(stream, {}, 0x18);
	ASSERT_EQ(npu.run(stream), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), float_to_half(0.625F));
	EXPECT_EQ(flying.result(npu, 0, 1), float_to_half(660.0F / 1024));
	/* -512 is entry 496 of LE: -160, so (-160 - 1000) / 1024. */
	EXPECT_EQ(flying.result(npu, 0, 2), float_to_half(-1160.0F / 1024));
}

/* Sigmoid over +-8 stays within the published error of 1.46e-3. */
TEST(ModelLutHalf, Sigmoid)
{
	const Flying flying{.in = p_fp16, .out = p_fp16, .proc = p_fp16, .w = 1, .c = 1000};
	Registers registers = with_lut(flying);
	std::vector<int16_t> le, lo;
	std::vector<uint32_t> x;
	Stream stream;
	Npu npu;

	for (int32_t i = 0; i <= 512; i++) {
		const double above = 8.0 * i / 512, below = above - 8;

		le.push_back(static_cast<int16_t>(std::lround(16384 / (1 + std::exp(-below)))));
		lo.push_back(static_cast<int16_t>(std::lround(16384 / (1 + std::exp(-above)))));
	}
	load(stream, false, 0, le);
	load(stream, true, 0, lo);
	registers[0x4060] = 0x42;
	registers[0x4068] = 0x6800u << 16;
	registers[0x4088] = 1u << 31 | 14 << 12;
	for (int32_t i = 0; i < 1000; i++)
		x.push_back(float_to_half(static_cast<float>(i - 500) / 62.5F));
	flying.map(npu);
	flying.fill(npu, feature_base, x);
	const Stream rest = body(registers);
	stream.insert(stream.end(), rest.begin(), rest.end());
	finish(stream, {}, 0x18);
	ASSERT_EQ(npu.run(stream), NPU_MODEL_DONE) << std::hex << npu->error_reg;
	for (uint32_t i = 0; i < 1000; i++) {
		const double value = half_value(static_cast<uint16_t>(x[i]));

		EXPECT_NEAR(half_value(static_cast<uint16_t>(flying.result(npu, 0, i))),
			    1 / (1 + std::exp(-value)), 1.46e-3);
	}
}

} /* namespace */
} /* namespace model_test */
