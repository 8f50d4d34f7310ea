/* SPDX-License-Identifier: MIT */
/*
 * Elementwise operations: from memory alone, beside a convolution, and as the
 * accumulation over K; and the programs that hang silicon.
 */
#include "model_flying.h"
#include "model_matmul.h"

namespace model_test
{
namespace
{

/* Published forms; bit 21 is EQUAL_EN, bit 8 bypasses the operand's converter. */
constexpr uint32_t ew_int8 = 0x10400380 | 0x40, ew_int16 = 0x10800380 | 0x40,
		   ew_int32 = 0x10c00380 | 0x40;
constexpr uint32_t op_max = 0x200000, op_min = 0x210000, op_add = 0x20000, op_minus = 0x40000,
		   op_mul = 4;

uint32_t one(const Flying &flying, uint32_t ew_cfg, uint32_t a, uint32_t b)
{
	Npu npu;

	flying.map(npu);
	flying.fill(npu, feature_base, {a});
	flying.fill(npu, operand_base, {b});
	EXPECT_EQ(flying.run(npu, flying.with_operand(ew_cfg)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	for (uint32_t pixel = 0; pixel < flying.pixels(); pixel++)
		for (uint32_t i = 0; i < flying.c; i++)
			EXPECT_EQ(flying.result(npu, pixel, i), flying.result(npu, 0, 0));
	EXPECT_EQ(npu.raw(), 0x100u);
	return flying.result(npu, 0, 0);
}

/* Measured: add and minus saturate at the width of the result. */
TEST(ModelEw, IntegersSaturate)
{
	const Flying f8{p_int8, p_int8, p_int8}, f16{p_int16, p_int16, p_int16}, f32;

	EXPECT_EQ(one(f8, ew_int8 | op_add, 100, 27), 127u);
	EXPECT_EQ(one(f8, ew_int8 | op_add, 100, 28), 127u);
	EXPECT_EQ(one(f8, ew_int8 | op_add, 0x80, 0xff), 0xffffff80u);
	EXPECT_EQ(one(f8, ew_int8 | op_minus, 5, 7), 0xfffffffeu);
	EXPECT_EQ(one(f8, ew_int8 | op_minus, 0x80, 1), 0xffffff80u);
	EXPECT_EQ(one(f8, ew_int8 | op_mul, 0x80, 0x80), 127u);
	EXPECT_EQ(one(f8, ew_int8 | op_mul, 11, 0xf5), 0xffffff87u);
	EXPECT_EQ(one(f16, ew_int16 | op_add, 0x7000, 0x7000), 0x7fffu);
	EXPECT_EQ(one(f16, ew_int16 | op_minus, 0x8000, 1), 0xffff8000u);
	EXPECT_EQ(one(f16, ew_int16 | op_mul, 0x100, 0x100), 0x7fffu);
	EXPECT_EQ(one(f16, ew_int16 | op_mul, 0x80, 0xff00), 0xffff8000u);
	EXPECT_EQ(one(f32, ew_int32 | op_add, 0x7fffffff, 1), 0x7fffffffu);
	EXPECT_EQ(one(f32, ew_int32 | op_add, 0x80000000, 0xffffffff), 0x80000000u);
	EXPECT_EQ(one(f32, ew_int32 | op_minus, 3, 0xfffffffe), 5u);
}

TEST(ModelEw, IntegersCompare)
{
	const Flying f8{p_int8, p_int8, p_int8}, f32;

	EXPECT_EQ(one(f8, ew_int8 | op_max, 0x80, 0x7f), 0x7fu);
	EXPECT_EQ(one(f8, ew_int8 | op_min, 0x80, 0x7f), 0xffffff80u);
	EXPECT_EQ(one(f32, ew_int32 | op_max, 0xfffffff0, 5), 5u);
	EXPECT_EQ(one(f32, ew_int32 | op_min, 0xfffffff0, 5), 0xfffffff0u);
}

/* Measured: the second factor of int32 is its low 16 bits, with their sign. */
TEST(ModelEw, SecondFactorHas16Bits)
{
	const Flying f32;

	EXPECT_EQ(one(f32, ew_int32 | op_mul, 1000, 0x00010003), 3000u);
	EXPECT_EQ(one(f32, ew_int32 | op_mul, 1000, 0x0000ffff), 0xfffffc18u);
}

/*
 * The published fp16 forms: 1.5 and -2.25 (0x3e00, 0xc080). Their sum is -0.75,
 * their product -3.375.
 */
TEST(ModelEw, Halves)
{
	const Flying flying{p_fp16, p_fp16, p_fp16};

	EXPECT_EQ(one(flying, 0x108202c0, 0x3e00, 0xc080), 0xba00u);
	EXPECT_EQ(one(flying, 0x108402c0, 0x3e00, 0xc080), 0x4380u);
	EXPECT_EQ(one(flying, 0x108002c0, 0x3e00, 0xc080), 0x3e00u);
	EXPECT_EQ(one(flying, 0x108102c0, 0x3e00, 0xc080), 0xc080u);
	EXPECT_EQ(one(flying, 0x108003c4, 0x3e00, 0xc080), 0xc2c0u);
	/* 1 / 3 rounds to 0x3555. */
	EXPECT_EQ(one(flying, 0x108302c0, 0x3c00, 0x4200), 0x3555u);
	EXPECT_EQ(one(flying, 0x108303c0, 0x3c00, 0x4200), 0x3555u);
	EXPECT_EQ(one(flying, 0x108202c0, 0x7bff, 0x7bff), 0x7c00u);
	/* Without a second operand. */
	EXPECT_EQ(one(flying, 0x108502c0, 0xc080, 0), 0x4080u);
	EXPECT_EQ(one(flying, 0x108602c0, 0xc080, 0), 0x4080u);
	EXPECT_EQ(one(flying, 0x108702c0, 0xc080, 0), 0xc200u);
	EXPECT_EQ(one(flying, 0x108802c0, 0xc080, 0), 0xc000u);
	EXPECT_EQ(one(flying, 0x108702c0, 0x3800, 0), 0u);
	EXPECT_EQ(one(flying, 0x108802c0, 0x3800, 0), 0x3c00u);
}

/* The square of the vendor's norm: fp16 to bf16. 3 * 3 is 0x4110. */
TEST(ModelEw, SquareToBf16)
{
	const Flying flying{p_fp16, p_bf16, p_fp16};

	EXPECT_EQ(flying.registers().at(0x4010), 0x68000002u);
	EXPECT_EQ(one(flying, 0x108003c4, 0x4200, 0x4200), 0x4110u);
}

/* Measured: fp32 is multiplied with the fp16 in the low half of each word. */
TEST(ModelEw, WideTimesHalf)
{
	const Flying flying{p_fp32, p_fp32, p_fp32};

	EXPECT_EQ(one(flying, 0x10c003c4, float_bits(3.0F), 0xffff3e00), float_bits(4.5F));
	EXPECT_EQ(one(flying, 0x10c203c0, float_bits(3.0F), float_bits(1e-3F)), float_bits(3.001F));
}

/* More pixels and channels than are computed at a time, all different. */
TEST(ModelEw, EveryElement)
{
	const Flying flying{.w = 37, .h = 11, .c = 100};
	std::mt19937 rng(1);
	Npu npu;

	flying.map(npu);
	std::vector<uint32_t> a, b;
	for (uint32_t i = 0; i < flying.pixels() * flying.c; i++) {
		a.push_back(static_cast<uint32_t>(rng()) >> 2);
		b.push_back(static_cast<uint32_t>(rng()) >> 2);
		flying.put(npu, feature_base, i / 100, i % 100, a[i]);
		flying.put(npu, operand_base, i / 100, i % 100, b[i]);
	}
	ASSERT_EQ(flying.run(npu, flying.with_operand(ew_int32 | op_minus)), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < flying.pixels() * flying.c; i++)
		ASSERT_EQ(flying.result(npu, i / 100, i % 100), a[i] - b[i]) << i;
}

/* One operand for each channel: ERDMA mode 0, dense. */
TEST(ModelEw, OperandOfEachChannel)
{
	const Flying flying{.in = p_fp16, .out = p_fp16, .proc = p_fp16, .w = 3, .c = 40};
	std::vector<uint16_t> values(40, 0x3c00);
	Npu npu;

	values[33] = 0x4000;
	flying.map(npu);
	flying.fill(npu, feature_base, {0x3c00});
	npu.bus.map(operand_base, 80);
	npu.bus.put(operand_base, std::span<const uint16_t>(values));
	ASSERT_EQ(flying.run(npu, flying.with_operand(0x008202c0)), NPU_MODEL_DONE);
	EXPECT_EQ(flying.result(npu, 2, 32), 0x4000u);
	EXPECT_EQ(flying.result(npu, 2, 33), 0x4200u);
}

/* Measured of programs with two buffers from memory. */
TEST(ModelEw, ProgramsThatHang)
{
	const Flying flying{p_fp16, p_fp16, p_fp16};
	const auto status = [&](uint32_t ew_cfg, const Registers &changes) {
		Registers registers = flying.with_operand(ew_cfg);
		Npu npu;

		for (const auto &[reg, value] : changes)
			registers[reg] = value;
		flying.map(npu);
		const npu_model_status is = flying.run(npu, registers);
		EXPECT_EQ(npu.raw() != 0, is == NPU_MODEL_DONE);
		return is;
	};

	EXPECT_EQ(status(0x108202c0, {}), NPU_MODEL_DONE);
	/* COMB_USE 1 and 5 never complete, 4 is exact. */
	EXPECT_EQ(status(0x108202c0, {{0x5044, 0x17d41}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x5044, 0x17941}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x5044, 0x17c41}}), NPU_MODEL_DONE);
	/* A product with the converter live; a sum without it spoils half. */
	EXPECT_EQ(status(0x108002c4, {}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108203c0, {}), NPU_MODEL_UNSUPPORTED);
	/* fp16 results without FP32TOFP16. */
	EXPECT_EQ(status(0x108202c0, {{0x4084, 1}}), NPU_MODEL_HUNG);
	/* MRDMA or ERDMA off; the blocks disagree; DPU waits for CORE. */
	EXPECT_EQ(status(0x108202c0, {{0x5044, 0x17851}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x5034, 1}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x500c, 5}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x5014, 39}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x4058, 63}}), NPU_MODEL_HUNG);
	EXPECT_EQ(status(0x108202c0, {{0x400c, 0x1e4}}), NPU_MODEL_HUNG);
	/* Un-pooling is refused by name. */
	EXPECT_EQ(status(0x108202c0, {{0x5048, 0x1000}}), NPU_MODEL_UNSUPPORTED);
}

/* Measured: with ORIG 0 only lane 0 of each atom is right. */
TEST(ModelEw, OriginalChannels)
{
	const Flying flying{.in = p_fp16, .out = p_fp16, .proc = p_fp16, .c = 16};
	Registers registers = flying.with_operand(0x108202c0);
	Npu npu;

	flying.map(npu);
	flying.fill(npu, feature_base, {0x3c00});
	flying.fill(npu, operand_base, {0x3c00});
	registers[0x403c] = 15;
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < 16; i++)
		EXPECT_EQ(flying.result(npu, 1, i) == 0x4000u, i % 8 == 0) << i;
}

/*
 * The accumulation over K as measured: a task after each slice adds its partial
 * sum in place, in the same chain; the last gives fp32.
 */
TEST(ModelEw, AccumulatesOverK)
{
	Matmul whole{.w = 6, .h = 1, .k = 96, .n = 32};
	std::mt19937 rng(5);
	const Operands operands = whole.random(rng);
	const Flying add{.w = 6, .c = 32};
	std::vector<Stream> bodies;
	std::vector<uint32_t> enables;
	Npu npu;

	whole.map(npu);
	whole.store(npu, operands);
	npu.bus.map(operand_base, whole.output_size());
	for (uint32_t slice = 0; slice < 3; slice++) {
		Matmul part = whole;

		part.k = 32;
		part.features += slice * 2 * 6 * 16;
		part.weights += slice * 32 * 32;
		part.output = slice ? operand_base : output_base;
		bodies.push_back(body(part.registers()));
		enables.push_back(0x0d);
		if (!slice)
			continue;
		Registers registers = add.with_operand(0x10c203c0);
		registers[0x5018] = output_base;
		registers[0x5044] = 0x27881;
		if (slice == 2)
			registers[0x4010] = 5u << 29 | 4 << 26 | 4;
		bodies.push_back(body(registers));
		enables.push_back(0x18);
	}
	ASSERT_EQ(npu.run_chain(bodies, enables), NPU_MODEL_DONE);
	for (uint32_t p = 0; p < 6; p++)
		for (uint32_t i = 0; i < 32; i++)
			EXPECT_EQ(whole.result(npu, p, i),
				  float_bits(static_cast<float>(
					  static_cast<int32_t>(whole.expected(operands, p, i)))));
}

/* A convolution whose result has an operand of two engines added. */
struct Fused {
	explicit Fused(uint32_t ew_cfg)
		: conv{.in = p_fp16, .out = p_fp16, .w = 7, .h = 2, .n = 64},
		  registers(conv.registers())
	{
		const uint32_t step = conv.pixels() * 16;

		registers[0x4070] = ew_cfg;
		registers[0x5004] = 0xe;
		registers[0x500c] = conv.ow() - 1;
		registers[0x5010] = conv.oh() - 1;
		registers[0x5014] = 63;
		registers[0x5018] = operand_base;
		registers[0x501c] = 1;
		registers[0x5034] = 0x40000008;
		registers[0x5038] = operand_base + step;
		registers[0x5040] = step;
		registers[0x5044] = 0x17d40;
		registers[0x504c] = step;
		registers[0x506c] = step;
	}

	Convolve conv;
	Registers registers;
};

/*
 * Surfaces of the operand are @spacing pixels apart.
 * Measured: MRDMA brings even surfaces, ERDMA odd ones, each goes on by its own
 * pixels and the notch. Sums of fp16: conv + operand, rounded to fp32 and then to
 * fp16.
 */
void expect_sum(const Fused &fused, uint32_t spacing)
{
	const Convolve &conv = fused.conv;
	std::mt19937 rng(6);
	const std::vector<uint32_t> x = conv.features(rng), k = conv.weights(rng);
	std::vector<uint16_t> operand(size_t{spacing} * 64);
	Npu npu;

	for (uint16_t &half : operand)
		half = random_half(rng, 10, 18);
	conv.map(npu);
	conv.store(npu, x, k);
	npu.bus.map(operand_base, operand.size() * 2);
	npu.bus.put(operand_base, std::span<const uint16_t>(operand));
	ASSERT_EQ(npu.run(program(fused.registers, {}, 0x1d)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	for (uint32_t pixel = 0; pixel < conv.pixels(); pixel++) {
		for (uint32_t i = 0; i < 64; i++) {
			const auto other = static_cast<float>(
				half_value(operand[(i / 8 * spacing + pixel) * 8 + i % 8]));

			EXPECT_EQ(conv.result(npu, pixel, i),
				  float_to_half(conv.float_sum(x, k, pixel, i) + other));
		}
	}
}

TEST(ModelEw, AddsToAConvolution)
{
	Fused fused(0x108202c0);

	expect_sum(fused, 14);
	/* Another proven program has a notch of both surfaces. */
	fused.registers[0x504c] *= 2;
	fused.registers[0x506c] *= 2;
	expect_sum(fused, 14);
	/* Two rows of a tensor of three have that notch too: 14 + 28 is 2 * 21. */
	fused.registers[0x5038] = operand_base + 21 * 16;
	fused.registers[0x5040] = 21 * 16;
	expect_sum(fused, 21);
}

/* Measured: one engine alone hangs beside a column; so does MRDMA by itself. */
TEST(ModelEw, OneEngineBesideAConvolution)
{
	Fused fused(0x108202c0);
	Npu npu;

	fused.conv.map(npu);
	npu.bus.map(operand_base, size_t{fused.conv.pixels()} * 144);
	fused.registers[0x5044] = 0x17850;
	EXPECT_EQ(npu.run(program(fused.registers, {}, 0x1d)), NPU_MODEL_DONE);
	fused.registers[0x500c] = 0;
	fused.registers[0x5010] = fused.conv.pixels() - 1;
	EXPECT_EQ(npu.run(program(fused.registers, {}, 0x1d)), NPU_MODEL_HUNG);
	fused.registers[0x5044] = 0x17840;
	EXPECT_EQ(npu.run(program(fused.registers, {}, 0x1d)), NPU_MODEL_HUNG);
}

/*
 * Mesa's residual add of int8: (byte + 0x80 - Z) * scale >> shift is added to the
 * sum. Z 138, scale 3, shift 1: byte 20 is (20 - 10) * 3 / 2 = 15; byte 21 is the
 * tie 16.5 -> 16; byte 23 the tie 19.5 -> 20.
 */
TEST(ModelEw, AddsConvertedBytes)
{
	const Convolve conv{.out = p_int8,
			    .w = 3,
			    .h = 1,
			    .n = 32,
			    .kw = 1,
			    .kh = 1,
			    .left = 0,
			    .top = 0,
			    .right = 0,
			    .bottom = 0};
	Registers registers = conv.registers();
	const std::vector<uint32_t> x(size_t{3} * 32, 1);
	std::vector<uint32_t> k(size_t{32} * 32, 0);
	std::vector<int8_t> operand(96, 20);
	Npu npu;

	for (uint32_t i = 0; i < 32; i++)
		k[i * 32] = 100;
	operand[16 + 2] = 21;
	operand[48 + 16 + 3] = 23;
	conv.map(npu);
	conv.store(npu, x, k);
	npu.bus.map(operand_base, operand.size());
	npu.bus.put(operand_base, std::span<const int8_t>(operand));
	registers[0x4070] = 0x904202c0;
	registers[0x4074] = 0x80u - 138;
	registers[0x4078] = 1 << 16 | 3;
	registers[0x500c] = 2;
	registers[0x5014] = 31;
	registers[0x5018] = operand_base;
	registers[0x501c] = 1;
	registers[0x5034] = 0x40000004;
	registers[0x5038] = operand_base + 48;
	registers[0x5040] = 48;
	registers[0x5044] = 0x7d00;
	registers[0x504c] = 48;
	registers[0x506c] = 48;
	ASSERT_EQ(npu.run(program(registers, {}, 0x1d)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	EXPECT_EQ(conv.result(npu, 0, 0), 115u);
	EXPECT_EQ(conv.result(npu, 1, 2), 116u);
	EXPECT_EQ(conv.result(npu, 1, 19), 120u);
}

} /* namespace */
} /* namespace model_test */
