/* SPDX-License-Identifier: MIT */
/*
 * Post-processing of a convolution: bias, CPEND, BS, BN, ReLU and requantisation,
 * with results worked out by hand from what was measured on silicon.
 */
#include "model_flying.h"

namespace model_test
{
namespace
{

/* A kernel of 1 in its own channel: every sum is its input. */
class ModelDpu : public testing::Test
{
protected:
	ModelDpu() : registers(conv.registers()), weights(size_t{32} * 32, 0)
	{
		for (uint32_t i = 0; i < 32; i++)
			weights[i * 32 + i] = 1;
		conv.map(npu);
		npu.bus.map(bias_base, 0x1000);
	}

	/* Results of channels 0 on, of one pixel with these inputs. */
	std::vector<int32_t> run(const std::vector<int32_t> &inputs, uint32_t enable = 0x0d)
	{
		std::vector<uint32_t> x(32, 0);
		std::vector<int32_t> results;

		for (size_t i = 0; i < inputs.size(); i++)
			x[i] = static_cast<uint32_t>(inputs[i]);
		conv.store(npu, x, weights);
		status = npu.run(program(registers, {}, enable));
		EXPECT_EQ(status, NPU_MODEL_DONE) << std::hex << npu->error_reg;
		for (uint32_t i = 0; i < inputs.size(); i++)
			results.push_back(static_cast<int32_t>(conv.result(npu, 0, i)));
		return results;
	}

	/* A record of 64 bytes for 8 channels: A, B and C, the same for all. */
	void put_records(int32_t a, int16_t b, int16_t c)
	{
		for (uint32_t i = 0; i < 32; i++) {
			const uint32_t record = bias_base + i / 8 * 64;

			npu.bus.put(record + i % 8 * 4, std::span<const int32_t>(&a, 1));
			npu.bus.put(record + 32 + i % 8 * 2, std::span<const int16_t>(&b, 1));
			npu.bus.put(record + 48 + i % 8 * 2, std::span<const int16_t>(&c, 1));
		}
	}

	/* Operands from BRDMA; MRDMA is off, or the task would never end. */
	void use_brdma(uint32_t use)
	{
		registers[0x5004] = 0xe;
		registers[0x5014] = 31;
		registers[0x501c] = use;
		registers[0x5020] = bias_base;
		registers[0x5034] = 1;
		registers[0x5044] = 0x7810;
	}

	Convolve conv{.out = p_int8,
		      .w = 1,
		      .h = 1,
		      .kw = 1,
		      .kh = 1,
		      .left = 0,
		      .top = 0,
		      .right = 0,
		      .bottom = 0};
	Registers registers;
	std::vector<uint32_t> weights;
	npu_model_status status = NPU_MODEL_HUNG;
	Npu npu;
};

/*
 * Measured, both signs and both settings: SCALE 2^14 with SHIFT 15 halves, so
 * odd numbers are ties. They go to the even integer: 1/2 -> 0, 3/2 -> 2,
 * 5/2 -> 2, 7/2 -> 4; with bit 30 away from zero: 1, 2, 3, 4.
 */
TEST_F(ModelDpu, TiesOfRequantisation)
{
	const std::vector<int32_t> in{1, 3, 5, 7, -1, -3, -5, -7, 2, -2, 127, -128};

	registers[0x4084] = 0x4000;
	registers[0x4088] = 15;
	EXPECT_EQ(run(in), (std::vector<int32_t>{0, 2, 2, 4, 0, -2, -2, -4, 1, -1, 64, -64}));
	registers[0x4088] = 15 | 1u << 30;
	EXPECT_EQ(run(in), (std::vector<int32_t>{1, 2, 3, 4, -1, -2, -3, -4, 1, -1, 64, -64}));
}

/* The offset comes after the rounding, and saturation last: 5/2 -> 2 + 100. */
TEST_F(ModelDpu, OffsetAfterRounding)
{
	registers[0x4080] = 100;
	registers[0x4084] = 0x4000;
	registers[0x4088] = 15;
	EXPECT_EQ(run({5, 7, 100, -128}), (std::vector<int32_t>{102, 104, 127, 36}));
	registers[0x4080] = static_cast<uint32_t>(-100);
	EXPECT_EQ(run({5, -60, -100}), (std::vector<int32_t>{-98, -128, -128}));
}

/* Measured: SCALE is signed, 0x8000 is -32768. Shifted by 15 that negates. */
TEST_F(ModelDpu, ScaleIsSigned)
{
	registers[0x4084] = 0x8000;
	registers[0x4088] = 15;
	EXPECT_EQ(run({1, -1, 100, -128}), (std::vector<int32_t>{-1, 1, -100, 127}));
	registers[0x4088] = 16;
	EXPECT_EQ(run({1, 3, -1, 6}), (std::vector<int32_t>{0, -2, 0, -3}));
}

/* SHIFT 0 scales; large shifts leave nothing but the offset. */
TEST_F(ModelDpu, ShiftsOfAllSizes)
{
	registers[0x4084] = 3;
	EXPECT_EQ(run({1, -2, 60, -60}), (std::vector<int32_t>{3, -6, 127, -128}));
	registers[0x4080] = 7;
	for (const uint32_t shift : {31u, 40u, 62u, 63u}) {
		registers[0x4084] = 0x7fff;
		registers[0x4088] = shift;
		EXPECT_EQ(run({127, -128}), (std::vector<int32_t>{7, 7})) << shift;
	}
}

/* Results of 32 bits are not converted: SCALE may be 0. */
TEST_F(ModelDpu, NoConversionOf32Bits)
{
	for (const Prec out : {p_int32, p_fp32}) {
		Convolve wide = conv;

		wide.out = out;
		registers = wide.registers();
		registers[0x4080] = 5;
		registers[0x4084] = 0;
		registers[0x4088] = 3;
		npu.bus.map(output_base, wide.output_size());
		std::swap(conv, wide);
		EXPECT_EQ(run({-7})[0],
			  out == p_int32 ? -7 : static_cast<int32_t>(float_bits(-7.0F)));
	}
}

/* CLIP_TRUNCATE shifts first: half even, or half up with bit 6. */
TEST_F(ModelDpu, ClipTruncate)
{
	registers[0x301c] = 1;
	EXPECT_EQ(run({1, 3, 5, -1, -3, -5}), (std::vector<int32_t>{0, 2, 2, 0, -2, -2}));
	registers[0x301c] = 0x41;
	EXPECT_EQ(run({1, 3, 5, -1, -3, -5}), (std::vector<int32_t>{1, 2, 3, 0, -1, -2}));
}

/* BS_CFG 0x20150: a dense int32 for each channel is added. */
TEST_F(ModelDpu, BiasOfEachChannel)
{
	std::vector<int32_t> bias(32);

	for (int32_t i = 0; i < 32; i++)
		bias[static_cast<size_t>(i)] = 10 * i - 40;
	npu.bus.put(bias_base, std::span<const int32_t>(bias));
	use_brdma(2);
	registers[0x4040] = 0x20150;
	EXPECT_EQ(run({1, 2, 3, 4, 5, 6}, 0x1d), (std::vector<int32_t>{-39, -28, -17, -6, 5, 16}));
}

/*
 * Measured: v = sat32(rne(((acc + A) * C) >> s)), the shift for v >= 0 in
 * BS_MUL[13:8], below 0 in DATA_FORMAT[9:4]. A 1, C 3: acc 4 gives 15, >> 1 is
 * the tie 7.5 -> 8; acc -6 gives -15, >> 2 is -3.75 -> -4; acc -3 gives -6,
 * >> 2 is the tie -1.5 -> -2.
 */
TEST_F(ModelDpu, FactorOfEachChannel)
{
	put_records(1, 0, 3);
	use_brdma(0xe);
	registers[0x4040] = 0x20140;
	registers[0x4048] = 1 << 8 | 1;
	registers[0x4010] |= 2 << 4;
	EXPECT_EQ(run({4, -6, -3, 0}, 0x1d), (std::vector<int32_t>{8, -4, -2, 2}));
}

/* Measured: the product is wide where it is shifted, and saturates where not. */
TEST_F(ModelDpu, WideProduct)
{
	Convolve wide = conv;

	wide.out = p_int32;
	std::swap(conv, wide);
	npu.bus.map(output_base, conv.output_size());
	registers = conv.registers();
	put_records(0x10000000, 0, 0x4000);
	use_brdma(0xe);
	registers[0x4040] = 0x20140;
	registers[0x4048] = 1;
	EXPECT_EQ(run({0}, 0x1d)[0], 0x7fffffff);
	registers[0x4048] = 14 << 8 | 1;
	EXPECT_EQ(run({5}, 0x1d)[0], 0x10000005);
}

/*
 * Measured with OW_SRC: (acc + A + B * S) * C, S the sum of inputs. Inputs of
 * channels 0 to 3 are 1, 2, 3 and 4, so S is 10: channel 1 gives
 * (2 + 1 + 2 * 10) * 3 = 69.
 */
TEST_F(ModelDpu, CpendOfEachChannel)
{
	put_records(1, 2, 3);
	use_brdma(0xe);
	registers[0x3010] |= 1;
	registers[0x4040] = 0x20140;
	registers[0x4048] = 1;
	registers[0x4050] = (registers[0x4050] & ~2u) | 1;
	EXPECT_EQ(run({1, 2, 3, 4}, 0x1d), (std::vector<int32_t>{66, 69, 72, 75}));
}

/* CPEND needs QD_EN, and OD_BYPASS of 0. */
TEST_F(ModelDpu, CpendConstant)
{
	registers[0x4054] = 0xfffe;
	EXPECT_EQ(run({1, 2, 3}), (std::vector<int32_t>{1, 2, 3}));
	registers[0x3010] |= 1;
	EXPECT_EQ(run({1, 2, 3}), (std::vector<int32_t>{1, 2, 3}));
	registers[0x4050] &= ~2u;
	/* -2 times 6. */
	EXPECT_EQ(run({1, 2, 3}), (std::vector<int32_t>{-11, -10, -9}));
}

/*
 * Measured: the sum of inputs covers pads, and channels that are padding. A
 * 3 x 3 kernel over an image of one pixel of value 5 with pads of -2: each of 16
 * channels adds 5 + 8 * -2 = -11 to the sum S, each of 16 channels of padding
 * 9 * -2 = -18, so S = -176 - 288 = -464. A kernel of ones in channel 0 alone has
 * acc = -11; with a factor of -1 it becomes -11 + 464.
 */
TEST(ModelCpend, SumsPads)
{
	const Convolve conv{.w = 1, .h = 1, .c = 20, .pad = 0xfefefefe};
	Registers registers = conv.registers();
	std::vector<uint32_t> k(size_t{32} * 20 * 9, 0);
	Npu npu;

	for (uint32_t tap = 0; tap < 9; tap++)
		k[tap] = 1;
	conv.map(npu);
	conv.store(npu, std::vector<uint32_t>(20, 5), k);
	registers[0x1024] = 15 << 16 | 32;
	registers[0x3010] |= 1;
	registers[0x4050] &= ~2u;
	registers[0x4054] = 0xffff;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	EXPECT_EQ(static_cast<int32_t>(conv.result(npu, 0, 0)), -11 + 464);
	EXPECT_EQ(static_cast<int32_t>(conv.result(npu, 0, 1)), 464);
}

/*
 * The asymmetric recipe of Mesa against its definition: sums of
 * (x - Zi) * (w - Zw), for a border as well. Cubes and weights hold u - 0x80,
 * pads Zi - 0x80, CPEND 0x80 - Zw, the bias takes the rest.
 */
TEST(ModelCpend, AsymmetricWithPads)
{
	const int32_t zi = 100, zw = 140;
	const Convolve conv{
		.w = 4, .h = 3, .c = 16, .n = 32, .pad = 0x01010101u * ((100u - 0x80) & 0xff)};
	Registers registers = conv.registers();
	std::mt19937 rng(3);
	const std::vector<uint32_t> x = conv.features(rng), k = conv.weights(rng);
	std::vector<int32_t> bias(32, 0);
	Npu npu;

	/* bias' = - sum((w - Zw) * (Zi - 0x80)) */
	for (uint32_t n = 0; n < 32; n++)
		for (uint32_t i = 0; i < 16 * 9; i++)
			bias[n] -= (conv.integer(k[n * 144 + i]) + 0x80 - zw) * (zi - 0x80);
	conv.map(npu);
	conv.store(npu, x, k);
	npu.bus.map(bias_base, 128);
	npu.bus.put(bias_base, std::span<const int32_t>(bias));
	registers[0x3010] |= 1;
	registers[0x4040] = 0x20150;
	registers[0x4050] &= ~2u;
	registers[0x4054] = static_cast<uint32_t>(0x80 - zw) & 0xffff;
	registers[0x501c] = 2;
	registers[0x5020] = bias_base;
	registers[0x5034] = 1;
	registers[0x5044] = 0x7810;
	ASSERT_EQ(npu.run(program(registers, {}, 0x1d)), NPU_MODEL_DONE);
	for (uint32_t pixel = 0; pixel < 12; pixel++) {
		for (uint32_t n = 0; n < 32; n++) {
			int32_t sum = 0;

			/* A pad is Zi, so it adds nothing. */
			for (uint32_t tap = 0; tap < 9; tap++) {
				uint32_t column = 0, row = 0;

				if (conv.seen(pixel, tap % 3, tap / 3, column, row) !=
				    Convolve::feature)
					continue;
				for (uint32_t i = 0; i < 16; i++)
					sum += (conv.integer(x[(row * 4 + column) * 16 + i]) +
						0x80 - zi) *
					       (conv.integer(k[conv.weight_index(n, i, tap % 3,
										 tap / 3)]) +
						0x80 - zw);
			}
			ASSERT_EQ(static_cast<int32_t>(conv.result(npu, pixel, n)), sum)
				<< pixel << ' ' << n;
		}
	}
}

/* BN_CFG 0x12 is ReLU alone; bit 7 adds an upper limit. */
TEST_F(ModelDpu, ReluAndItsLimit)
{
	registers[0x4060] = 0x12;
	EXPECT_EQ(run({5, -5, 100, -128}), (std::vector<int32_t>{5, 0, 100, 0}));
	registers[0x4060] = 0x92;
	registers[0x406c] = 60;
	EXPECT_EQ(run({5, -5, 100, 60}), (std::vector<int32_t>{5, 0, 60, 60}));
	registers[0x4060] = 0x53;
	registers[0x4040] = 0x92;
	registers[0x404c] = 6;
	EXPECT_EQ(run({5, -5, 100}), (std::vector<int32_t>{5, 0, 6}));
}

/*
 * Measured: the factor of BN is read as unsigned, 0x3800 is 14336. Of integers,
 * 2 * 14336 shifted by 11 is 14; 0x8000 would be negative if it had a sign.
 */
TEST_F(ModelDpu, FactorOfBnIsUnsigned)
{
	registers[0x4060] = 0x42;
	registers[0x4068] = 0x3800u << 16 | 11 << 8;
	EXPECT_EQ(run({2, 4, 1}), (std::vector<int32_t>{14, 28, 7}));
	registers[0x4068] = 0x8000u << 16 | 15 << 8;
	EXPECT_EQ(run({5}), (std::vector<int32_t>{5}));
}

/* After a reset units are off: streams may leave their registers out. */
TEST_F(ModelDpu, ResetValuesAreOff)
{
	for (const uint32_t reg : {0x4040u, 0x4060u, 0x4070u, 0x4058u, 0x405cu})
		registers.erase(reg);
	EXPECT_EQ(run({5, -5}), (std::vector<int32_t>{5, -5}));
}

/* Operands that nobody brings are waited for. */
TEST_F(ModelDpu, MissingOperandsHang)
{
	const auto expect_hung = [&](uint32_t enable) {
		EXPECT_EQ(npu.run(program(registers, {}, enable)), NPU_MODEL_HUNG);
		EXPECT_EQ(npu.raw(), 0u);
	};

	registers[0x4040] = 0x20150;
	expect_hung(0x0d);
	use_brdma(0x1f);
	expect_hung(0x1d);
	use_brdma(8);
	expect_hung(0x1d);
	/* MRDMA that is neither off nor of use: measured, the task never ends. */
	use_brdma(2);
	registers[0x5044] = 0x7800;
	expect_hung(0x1d);
}

/*
 * BS, BN and ReLU of floats. fp16 2.5 + 0.5 (fp32) = 3, * -1.5 (fp16 0xbe00)
 * = -4.5; BN multiplies first: -4.5 * 2 + 10 = 1.
 */
TEST(ModelDpuFloat, ConstantsOfBothUnits)
{
	const Flying flying{.in = p_fp16, .out = p_fp32, .proc = p_fp16};
	Registers registers = flying.registers();
	Npu npu;

	flying.map(npu);
	flying.fill(npu, feature_base, {0x4100});
	registers[0x4040] = 0x20040;
	registers[0x4044] = float_bits(0.5F);
	registers[0x4048] = 0xbe00u << 16;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 4, 31), float_bits(-4.5F));
	registers[0x4060] = 0x20040;
	registers[0x4064] = float_bits(10.0F);
	registers[0x4068] = 0x4000u << 16;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), float_bits(1.0F));
	/* ReLU in BS: max(-4.5, 0) * 2 + 10. */
	registers[0x4040] = 0x20000;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), float_bits(10.0F));
	/* RELUX, its limit an fp32: 6. */
	registers[0x4060] = 0x92;
	registers[0x406c] = float_bits(2.0F);
	registers[0x4040] = 0x53;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), float_bits(2.0F));
}

/*
 * The inverse square root of the vendor's norm, from its captured program: the
 * bits of bf16 as int16, times -1 >> 1 (for both signs), plus 0x5f37. 4.0 is
 * 0x4080: -0x4080 >> 1 = -0x2040, 0x5f37 - 0x2040 = 0x3ef7, about 0.48.
 */
TEST(ModelDpuFloat, InverseSquareRootOfTheVendor)
{
	const Flying flying{.in = p_int16, .out = p_int16, .proc = p_int16, .c = 8};
	Registers registers = flying.registers();
	Npu npu;

	flying.map(npu);
	flying.fill(npu, feature_base, {0x4080});
	registers[0x4010] = 0x24000011;
	registers[0x4040] = 0x42;
	registers[0x4048] = 0xffffu << 16 | 1 << 8;
	registers[0x4060] = 0x20050;
	registers[0x4064] = 0x5f37;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), 0x3ef7u);
}

/* bf16 constants: eps D + sum, times 1/64 twice, as that program has them. */
TEST(ModelDpuFloat, MeanOfSquaresOfTheVendor)
{
	const Flying flying{.in = p_bf16, .out = p_bf16, .proc = p_bf16, .c = 8};
	Registers registers = flying.registers();
	Npu npu;

	flying.map(npu);
	/* 4096 * 2.5 = 10240, as bf16 0x4620. */
	flying.fill(npu, feature_base, {0x4620});
	registers[0x4040] = 0x20040;
	registers[0x4044] = 0x3d27c5ac;
	registers[0x4048] = 0x3c80u << 16;
	registers[0x4060] = 0x42;
	registers[0x4068] = 0x3c80u << 16;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), 0x4020u) << "2.5";
}

/*
 * The exponential without a table, as measured on a board: fp16 to int16 with
 * BS MUL 0x65c5 (1477 = 1024 / ln 2), BN ALU 15300.624 and ReLU. Of 1:
 * 16777.624 -> 16778, whose bits as fp16 are 0x418a, 2.77. Of -20: below 0.
 */
TEST(ModelDpuFloat, ExponentialByRounding)
{
	const Flying flying{.in = p_fp16, .out = p_int16, .proc = p_fp16, .c = 8};
	Registers registers = flying.registers();
	Npu npu;

	flying.map(npu);
	flying.fill(npu, feature_base, {0x3c00, 0xcd00, 0x4f00});
	EXPECT_EQ(registers[0x4010], 0x28000002u);
	registers[0x4040] = 0x42;
	registers[0x4048] = 0x65c5u << 16;
	registers[0x4060] = 0x20010;
	registers[0x4064] = float_bits(15300.624F);
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), 16778u);
	EXPECT_EQ(flying.result(npu, 0, 1), 0u);
	EXPECT_EQ(flying.result(npu, 0, 2), 0x7fffu) << "28 saturates";
}

/* Measured: one task a row, BS_MUL an fp16, notch to the next surface's row. */
TEST(ModelDpuFloat, ScaleOfARow)
{
	const Flying flying{.in = p_fp32, .out = p_fp32, .proc = p_fp32, .w = 1, .c = 8};
	const uint32_t rows = 3;
	Registers registers = flying.registers();
	Npu npu;

	npu.bus.map(feature_base, 2 * rows * 16);
	npu.bus.map(output_base, flying.size(p_fp32));
	for (uint32_t i = 0; i < 2 * rows * 4; i++) {
		const auto value = static_cast<float>(i);
		npu.bus.put(feature_base + 4 * i, std::span<const float>(&value, 1));
	}
	EXPECT_EQ(registers[0x4010], 0xb4000005u);
	registers[0x5018] = feature_base + 16;
	registers[0x504c] = (rows - 1) << 4;
	registers[0x4040] = 0x42;
	registers[0x4048] = 0x3800u << 16;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 0, 0), float_bits(2.0F));
	EXPECT_EQ(flying.result(npu, 0, 7), float_bits(9.5F));
}

/* Measured: BN and BS with a factor of each channel; of fp32, halves in words. */
TEST(ModelDpuFloat, FactorOfEachChannel)
{
	const Flying wide{.in = p_fp32, .out = p_fp32, .proc = p_fp32, .c = 8};
	const Flying half{.in = p_fp16, .out = p_fp16, .proc = p_fp16, .c = 8};
	Npu npu;

	npu.bus.map(bias_base, 64);
	std::vector<uint32_t> words(8, 0x3c00);
	words[3] = 0x4200;
	npu.bus.put(bias_base, std::span<const uint32_t>(words));
	Registers registers = wide.registers();
	registers[0x4060] = 0x42;
	registers[0x4068] = 1;
	registers[0x5028] = 8;
	registers[0x502c] = bias_base;
	wide.map(npu);
	wide.fill(npu, feature_base, {float_bits(1.25F)});
	ASSERT_EQ(wide.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(wide.result(npu, 1, 2), float_bits(1.25F));
	EXPECT_EQ(wide.result(npu, 1, 3), float_bits(3.75F));

	std::vector<uint16_t> halves(8, 0x3c00);
	halves[5] = 0xc000;
	npu.bus.put(bias_base, std::span<const uint16_t>(halves));
	registers = half.registers();
	registers[0x4040] = 0x42;
	registers[0x4048] = 1;
	registers[0x501c] = 8;
	registers[0x5020] = bias_base;
	half.map(npu);
	half.fill(npu, feature_base, {0x3e00});
	ASSERT_EQ(half.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(half.result(npu, 2, 4), 0x3e00u);
	EXPECT_EQ(half.result(npu, 2, 5), 0xc200u);
}

} /* namespace */
} /* namespace model_test */
