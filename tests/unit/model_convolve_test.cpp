/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of every kind and precision against a plain reference.
 */
#include "model_convolve.h"

namespace model_test
{
namespace
{

uint32_t expected(const Convolve &conv, const std::vector<uint32_t> &x,
		  const std::vector<uint32_t> &k, uint32_t pixel, uint32_t kernel)
{
	if (conv.is_float()) {
		const float sum = conv.float_sum(x, k, pixel, kernel);

		return conv.out == p_fp16 ? float_to_half(sum) : float_bits(sum);
	}
	const int64_t sum = conv.sum(x, k, pixel, kernel);
	switch (conv.out) {
	case p_int8:
		return static_cast<uint32_t>(std::clamp<int64_t>(sum, -128, 127));
	case p_int16:
		return static_cast<uint32_t>(std::clamp<int64_t>(sum, -32768, 32767)) & 0xffff;
	case p_fp32:
		return float_bits(static_cast<float>(static_cast<int32_t>(sum)));
	case p_fp16:
		return float_to_half(static_cast<float>(sum));
	default:
		return static_cast<uint32_t>(std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX));
	}
}

void expect_right(const Convolve &conv, uint32_t seed, const Registers &changes = {})
{
	std::mt19937 rng(seed);
	const std::vector<uint32_t> x = conv.features(rng), k = conv.weights(rng);
	Registers registers = conv.registers();
	uint32_t wrong = 0;
	Npu npu;

	for (const auto &[reg, value] : changes)
		registers[reg] = value;
	conv.map(npu);
	conv.store(npu, x, k);
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE)
		<< std::hex << "register " << npu->error_reg << " value " << npu->error_value
		<< " fault " << npu->fault_addr;
	EXPECT_TRUE(npu.irq());
	for (uint32_t pixel = 0; pixel < conv.pixels(); pixel++) {
		for (uint32_t i = 0; i < conv.kernels(); i++) {
			const uint32_t is = conv.result(npu, pixel, i);
			const uint32_t should = expected(conv, x, k, pixel, i);

			if (is == should || wrong++)
				continue;
			ADD_FAILURE() << "pixel " << pixel << " kernel " << i << ": is " << std::hex
				      << is << ", should be " << should;
		}
	}
	EXPECT_EQ(wrong, 0u) << conv.w << 'x' << conv.h << 'x' << conv.c << " k " << conv.kw << 'x'
			     << conv.kh << " s " << conv.sx << 'x' << conv.sy << " d " << conv.dx
			     << " n " << conv.n << " seed " << seed;
}

/* Any shape that fits, with kernels, strides, dilation and padding of all sizes. */
Convolve random_shape(std::mt19937 &rng, Prec in, Prec out)
{
	const auto below = [&](uint32_t end) {
		return static_cast<uint32_t>(rng()) % end;
	};
	Convolve conv{.in = in, .out = out};

	for (;;) {
		conv.w = 1 + below(13);
		conv.h = 1 + below(13);
		conv.c = 1 + below(100);
		conv.n = 1 + below(80);
		conv.kw = 1 + below(5);
		conv.kh = 1 + below(5);
		conv.sx = 1 + below(3);
		conv.sy = 1 + below(3);
		conv.dx = 1 + below(2);
		conv.dy = 1 + below(3);
		conv.left = below(3);
		conv.top = below(3);
		conv.right = below(3);
		conv.bottom = below(3);
		if (conv.w + conv.left + conv.right > (conv.kw - 1) * conv.dx &&
		    conv.h + conv.top + conv.bottom > (conv.kh - 1) * conv.dy)
			return conv;
	}
}

class ModelConvolve : public testing::TestWithParam<std::pair<Prec, Prec>>
{
};

TEST_P(ModelConvolve, AnyShape)
{
	const auto [in, out] = GetParam();
	std::mt19937 rng(7);

	for (uint32_t i = 0; i < 60 && !HasFailure(); i++)
		expect_right(random_shape(rng, in, out), i);
}

/* Padding of the same number in all lanes. */
TEST_P(ModelConvolve, PadValue)
{
	const auto [in, out] = GetParam();
	const uint32_t pads[] = {0x83838383, 0x12341234, 0x40004000, 0x40004000,
				 0,          0,          0x33333333, 0x40000000};
	std::mt19937 rng(8);

	for (uint32_t i = 0; i < 20 && !HasFailure(); i++) {
		Convolve conv = random_shape(rng, in, out);

		conv.pad = pads[in];
		/* Channels that memory does not have would be padding too. */
		conv.c = align(conv.c, conv.c2());
		expect_right(conv, i);
	}
}

INSTANTIATE_TEST_SUITE_P(Model, ModelConvolve,
			 testing::Values(std::pair{p_int8, p_int32}, std::pair{p_int8, p_int8},
					 std::pair{p_int8, p_int16}, std::pair{p_int8, p_fp32},
					 std::pair{p_int8, p_fp16}, std::pair{p_int4, p_int16},
					 std::pair{p_int16, p_int32}, std::pair{p_int16, p_int16},
					 std::pair{p_fp16, p_fp32}, std::pair{p_fp16, p_fp16},
					 std::pair{p_bf16, p_fp32}, std::pair{p_tf32, p_fp32}));

TEST(ModelDepthwise, AnyShape)
{
	std::mt19937 rng(9);

	for (uint32_t i = 0; i < 150 && !HasFailure(); i++) {
		const std::pair<Prec, Prec> types[] = {{p_int8, p_int8},
						       {p_int8, p_int16},
						       {p_fp16, p_fp16},
						       {p_fp16, p_fp32},
						       {p_bf16, p_fp32}};
		const auto [in, out] = types[i % 5];
		Convolve conv = random_shape(rng, in, out);

		conv.depthwise = true;
		conv.c = 1 + static_cast<uint32_t>(rng() % 200);
		expect_right(conv, i);
	}
}

/*
 * Measured: channels come in groups of 64. 32 channels of int8 make results of
 * four surfaces, of which CORE and DPU are told 64 channels; weights are as
 * narrow as the channels are.
 */
TEST(ModelDepthwise, HalfAGroup)
{
	const Convolve conv{.out = p_int8, .w = 5, .h = 5, .c = 32, .depthwise = true};

	EXPECT_EQ(conv.oc(), 64u);
	EXPECT_EQ(conv.registers().at(0x4050), 0x36eu) << "SIZE_E 3";
	expect_right(conv, 1);
	/* Part of a group in the blocks behind never ends (measured). */
	Npu npu;
	Registers registers = conv.registers();
	conv.map(npu);
	registers[0x3018] = 31;
	EXPECT_EQ(npu.run(program(registers)), NPU_MODEL_HUNG);
}

/*
 * Measured shapes of a deconvolution: strides of 2, 4 and 8, output
 * (W - 1) s + k - 2 p, PAD k - 1 - p.
 */
TEST(ModelDeconvolve, StridesOf2And4And8)
{
	uint32_t seed = 0;

	for (const Prec in : {p_int8, p_fp16}) {
		for (const uint32_t up : {2u, 4u, 8u}) {
			for (const uint32_t k : {2u, 3u, 4u, 5u}) {
				for (const uint32_t p : {0u, 1u}) {
					const uint32_t pad = k - 1 - p;
					const Convolve conv{.in = in,
							    .out = in == p_int8 ? p_int32 : p_fp32,
							    .w = 5,
							    .h = 4,
							    .c = 48,
							    .n = 20,
							    .kw = k,
							    .kh = k,
							    .left = pad,
							    .top = pad,
							    .right = pad,
							    .bottom = pad,
							    .up = up};

					ASSERT_EQ(conv.ow(), 4 * up + k - 2 * p);
					expect_right(conv, seed++);
				}
			}
		}
	}
}

/* Measured: other strides have no effect, nor has any without the mode bit. */
TEST(ModelDeconvolve, OtherStridesHaveNoEffect)
{
	const Convolve conv{.w = 6, .h = 6};
	const uint32_t con3 = conv.registers().at(0x1014);

	for (const uint32_t field : {2u, 4u, 5u, 6u})
		expect_right(conv, field,
			     {{0x100c, 0x10000}, {0x1014, con3 | field << 8 | field << 11}});
	expect_right(conv, 9, {{0x1014, con3 | 1 << 8 | 1 << 11}});
}

/* Packed pixels of 1 to 4 channels; weights have 8 channels of fp16, 16 of int8. */
TEST(ModelImage, PackedPixels)
{
	uint32_t seed = 0;

	for (const Prec in : {p_fp16, p_int8})
		for (uint32_t c = 1; c <= 4; c++)
			for (const uint32_t w : {1u, 7u, 16u})
				for (const uint32_t s : {1u, 2u})
					expect_right({.in = in,
						      .out = in == p_fp16 ? p_fp16 : p_int32,
						      .w = w,
						      .h = 9,
						      .c = c,
						      .n = 33,
						      .sx = s,
						      .sy = s,
						      .image = true},
						     seed++);
}

/*
 * The converter of an image as published for one channel: unsigned bytes times
 * 16384 >> 14, minus 128. 0, 127, 128, 200 and 255 are -128, -1, 0, 72 and 127;
 * the padding of -128 is not converted. The kernel is 1 x 1 of value 1.
 */
TEST(ModelImage, ConvertsUnsignedBytes)
{
	const Convolve conv{.w = 5,
			    .h = 1,
			    .c = 1,
			    .kw = 1,
			    .kh = 1,
			    .left = 1,
			    .top = 0,
			    .right = 0,
			    .bottom = 0,
			    .image = true};
	Registers registers = conv.registers();
	std::vector<uint32_t> k(32, 0);
	Npu npu;

	k[0] = 1;
	conv.map(npu);
	conv.store(npu, {0, 127, 128, 200, 255}, k);
	registers[0x104c] = 14 << 4 | 14 << 10 | 14 << 16 | 14u << 22;
	for (const uint32_t reg : {0x1050u, 0x1054u, 0x1058u, 0x105cu})
		registers[reg] = 16384 << 16 | 0xff80;
	registers[0x1180] = 0xffff;
	registers[0x1184] = 0x80808080;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	const int32_t should[] = {-128, -128, -1, 0, 72, 127};
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_EQ(static_cast<int32_t>(conv.result(npu, i, 0)), should[i]) << i;
}

/* Each of three channels has a converter; a program for a sibling sets bit 0. */
TEST(ModelImage, ConvertsEachChannel)
{
	const Convolve conv{.w = 2,
			    .h = 1,
			    .c = 3,
			    .kw = 1,
			    .kh = 1,
			    .left = 0,
			    .top = 0,
			    .right = 0,
			    .bottom = 0,
			    .image = true};
	Registers registers = conv.registers();
	std::vector<uint32_t> k(size_t{32} * 3, 0);
	Npu npu;

	for (uint32_t i = 0; i < 3; i++)
		k[i * 3 + i] = 1;
	conv.map(npu);
	conv.store(npu, {0, 200, 7, 255, 128, 9}, k);
	registers[0x104c] = 0x000e38e1;
	registers[0x1050] = registers[0x1054] = 16384 << 16 | 0xff80;
	registers[0x1058] = 8192u << 16 | 1;
	registers[0x1180] = 7;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	/* The third, with a factor of 1/2 and an offset of 1: ties of 3.5 and 4.5. */
	const int32_t should[] = {-128, 72, 5, 127, 0, 5};
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_EQ(static_cast<int32_t>(conv.result(npu, i / 3, i % 3)), should[i]) << i;
}

/*
 * PAD_CON1 by byte lane, as measured: of a direct convolution even channels read
 * byte 0 and odd ones byte 1. Every feature is 0, so the corner of a 3 x 3 kernel
 * of ones sees five pads: channel 0 with kernel 0 gives 5 * 2, channel 1 with
 * kernel 1 gives 5 * 3.
 */
TEST(ModelPad, LanesOfADirectConvolution)
{
	const Convolve conv{.w = 3, .h = 3, .n = 4, .pad = 0x7f7f0302};
	std::vector<uint32_t> k(size_t{4} * 32 * 9, 0);
	Npu npu;

	for (uint32_t kernel = 0; kernel < 4; kernel++)
		for (uint32_t tap = 0; tap < 9; tap++)
			k[conv.weight_index(kernel, kernel, tap % 3, tap / 3)] = 1;
	conv.map(npu);
	conv.store(npu, std::vector<uint32_t>(size_t{9} * 32, 0), k);
	ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
	for (uint32_t kernel = 0; kernel < 4; kernel++) {
		EXPECT_EQ(conv.result(npu, 0, kernel), kernel % 2 ? 15u : 10u);
		EXPECT_EQ(conv.result(npu, 4, kernel), 0u) << "the middle sees no pad";
	}
}

/*
 * Measured of a depthwise convolution: odd channels of the first 32 of a group
 * of 64 read byte 1. All others read byte 0. The corner sees five pads.
 */
TEST(ModelPad, LanesOfADepthwiseConvolution)
{
	const Convolve conv{
		.out = p_int8, .w = 3, .h = 3, .c = 128, .depthwise = true, .pad = 0x7f7f0302};
	Npu npu;

	conv.map(npu);
	conv.store(npu, std::vector<uint32_t>(size_t{9} * 128, 0),
		   std::vector<uint32_t>(size_t{9} * 128, 1));
	ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
	for (uint32_t channel = 0; channel < 128; channel++)
		EXPECT_EQ(conv.result(npu, 0, channel),
			  channel % 2 && channel % 64 < 32 ? 15u : 10u)
			<< channel;
}

/* Partial groups of floats complete, whether or not CORE counts whole groups. */
TEST(ModelConvolve, PartialGroupsOfFloats)
{
	for (const Prec out : {p_fp16, p_fp32})
		for (const uint32_t n : {24u, 8u, 40u, 120u})
			expect_right({.in = p_fp16, .out = out, .n = n, .channels_out = n}, n);
}

/*
 * Measured: int4 results of 16 bits are clamped, per task. 32 * 8 * 8 * 16 slices
 * is 32768, one more than fits; 32 * -8 * 7 * 19 is -34048.
 */
TEST(ModelConvolve, Int4Saturates)
{
	Convolve conv{.in = p_int4,
		      .out = p_int16,
		      .w = 2,
		      .h = 1,
		      .c = 512,
		      .n = 64,
		      .kw = 1,
		      .kh = 1,
		      .left = 0,
		      .top = 0,
		      .right = 0,
		      .bottom = 0};

	for (const auto &[c, a, b, should] :
	     {std::tuple{512u, 8u, 8u, 0x7fffu}, std::tuple{480u, 8u, 8u, 30720u},
	      std::tuple{608u, 8u, 7u, 0x8000u}, std::tuple{32u, 15u, 7u, 0xff20u}}) {
		Npu npu;

		conv.c = c;
		conv.map(npu);
		conv.store(npu, std::vector<uint32_t>(size_t{2} * c, a),
			   std::vector<uint32_t>(size_t{64} * c, b));
		ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
		EXPECT_EQ(conv.result(npu, 1, 63), should);
	}
}

/*
 * Measured: int16 accumulates in more than 32 bits and saturates to int32 at the
 * end. 4 * 32767^2 is 0xfffc0004; with 2 * 32767^2 taken off, the rest is
 * 0x7ffe0002 exactly.
 */
TEST(ModelConvolve, Int16SaturatesAtTheEnd)
{
	const Convolve conv{.in = p_int16,
			    .out = p_int32,
			    .w = 1,
			    .h = 1,
			    .c = 8,
			    .n = 16,
			    .kw = 1,
			    .kh = 1,
			    .left = 0,
			    .top = 0,
			    .right = 0,
			    .bottom = 0};
	std::vector<uint32_t> k(size_t{16} * 8, 0);
	Npu npu;

	for (uint32_t i = 0; i < 4; i++) {
		k[i] = 0x7fff;                 /* kernel 0: 4 products */
		k[8 + i] = 0x8001;             /* kernel 1: the same below 0 */
		k[2 * 8 + i] = 0x7fff;         /* kernel 2: 4 products */
		k[2 * 8 + 4 + i / 2] = 0x8001; /* minus 2 */
	}
	conv.map(npu);
	conv.store(npu, std::vector<uint32_t>(8, 0x7fff), k);
	ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
	EXPECT_EQ(conv.result(npu, 0, 0), 0x7fffffffu);
	EXPECT_EQ(conv.result(npu, 0, 1), 0x80000000u);
	EXPECT_EQ(conv.result(npu, 0, 2), 0x7ffe0002u);
}

/*
 * The reduction of int4 partial sums as measured on a board: int16, a kernel two
 * wide and as high as there are waves, stride 2 by 1, 8 channels, 16 on the left
 * tap and 1 on the right: rows of (3, 5) and (-2, 7) give 16 * 1 + 12 = 28.
 */
TEST(ModelConvolve, ReducesNibbleSums)
{
	const Convolve conv{.in = p_int16,
			    .out = p_int32,
			    .w = 2,
			    .h = 2,
			    .c = 8,
			    .n = 8,
			    .kw = 2,
			    .kh = 2,
			    .sx = 2,
			    .left = 0,
			    .top = 0,
			    .right = 0,
			    .bottom = 0};
	std::vector<uint32_t> x(size_t{4} * 8), k(size_t{8} * 8 * 4, 0);
	const uint32_t values[] = {3, 5, 0xfffe, 7};
	Npu npu;

	for (uint32_t i = 0; i < 32; i++)
		x[i] = values[i / 8];
	for (uint32_t i = 0; i < 8; i++)
		for (uint32_t y = 0; y < 2; y++)
			for (uint32_t column = 0; column < 2; column++)
				k[conv.weight_index(i, i, column, y)] = column ? 1 : 16;
	conv.map(npu);
	conv.store(npu, x, k);
	EXPECT_EQ(conv.registers().at(0x100c), 0x90u);
	EXPECT_EQ(conv.registers().at(0x4010), 0x84000001u);
	ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < 8; i++)
		EXPECT_EQ(conv.result(npu, 0, i), 28u);
}

/* Infinities and subnormals of every float, by IEEE's rules. */
TEST(ModelConvolve, SpecialNumbers)
{
	struct Case {
		Prec in;
		uint32_t a, b, should;
	};
	const Case cases[] = {
		{p_bf16, 0x7f80, 0x3f80, 0x7f800000},
		{p_bf16, 0xff80, 0x3f80, 0xff800000},
		{p_bf16, 0x7fc0, 0x3f80, 0x7fc00000},
		{p_bf16, 0x7f00, 0x7f00, 0x7f800000},
		{p_bf16, 0x0080, 0x3f00, 0},
		{p_tf32, 0x7f800000, 0x3f800000, 0x7f800000},
		{p_tf32, 0x3f801fff, 0x3f800000, 0x3f800000},
		{p_fp16, 1, 1, 0x27800000},
		{p_fp16, 0x7c00, 0, 0x7fc00000},
	};

	for (const Case &test : cases) {
		const Convolve conv{.in = test.in,
				    .out = p_fp32,
				    .w = 1,
				    .h = 1,
				    .c = 16,
				    .n = 16,
				    .kw = 1,
				    .kh = 1,
				    .left = 0,
				    .top = 0,
				    .right = 0,
				    .bottom = 0};
		std::vector<uint32_t> x(16, 0), k(size_t{16} * 16, 0);
		Npu npu;

		x[3] = test.a;
		k[3] = test.b;
		conv.map(npu);
		conv.store(npu, x, k);
		ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
		EXPECT_EQ(conv.result(npu, 0, 0), test.should) << std::hex << test.a;
	}
}

} /* namespace */
} /* namespace model_test */
