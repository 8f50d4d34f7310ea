/* SPDX-License-Identifier: MIT */
/*
 * Pooling of int8 and fp16: published programs, rounding as measured, padding,
 * and which bits it raises.
 */
#include <cmath>

#include "model_convolve.h"

namespace model_test
{
namespace
{

enum Method : uint32_t { average, maximum, minimum };

struct Pool {
	Prec prec = p_int8;
	Method method = maximum;
	uint32_t w = 8, h = 8, c = 16;
	uint32_t kw = 2, kh = 2, sx = 2, sy = 2;
	uint32_t left = 0, top = 0, right = 0, bottom = 0;

	uint32_t bytes() const { return prec == p_int8 ? 1 : 2; }
	uint32_t per_atom() const { return 16 / bytes(); }
	uint32_t ow() const { return (w + left + right - kw) / sx + 1; }
	uint32_t oh() const { return (h + top + bottom - kh) / sy + 1; }
	uint32_t surfaces() const { return (c + per_atom() - 1) / per_atom(); }

	uint32_t reciprocal(uint32_t k) const
	{
		if (method != average)
			return 0;
		return prec == p_int8 ? 0x10000 / k
				      : float_to_half(65536.0F / static_cast<float>(k));
	}

	Registers registers() const
	{
		return {
			{0x6004, 0xe},
			{0x600c, w - 1},
			{0x6010, h - 1},
			{0x6014, c - 1},
			{0x6018, ow() - 1},
			{0x601c, oh() - 1},
			{0x6020, c - 1},
			{0x6024, 0x10 | method},
			{0x6034, (kw - 1) | (kh - 1) << 8 | (sx - 1) << 16 | (sy - 1) << 20},
			{0x6038, reciprocal(kw)},
			{0x603c, reciprocal(kh)},
			{0x6040, left | top << 4 | right << 8 | bottom << 12},
			{0x6044, method != maximum ? 0u
				 : prec == p_int8  ? 0x0007ff80u
						   : 0xfc00u},
			{0x6070, output_base},
			{0x607c, ow() * oh() * 16},
			{0x6084, (ow() * oh() * 16) | prec},
			{0x60dc, 3},
			{0x7004, 0xe},
			{0x700c, w - 1},
			{0x7010, h - 1},
			{0x7014, c - 1},
			{0x701c, feature_base},
			{0x7024, w * 16},
			{0x7028, w * h * 16},
			{0x7030, prec == p_int8 ? 1u : 2u},
		};
	}

	uint32_t offset(uint32_t x, uint32_t y, uint32_t columns, uint32_t rows,
			uint32_t channel) const
	{
		return ((channel / per_atom() * rows + y) * columns + x) * 16 +
		       channel % per_atom() * bytes();
	}

	void map(Npu &npu) const
	{
		npu.bus.map(feature_base, surfaces() * w * h * 16);
		npu.bus.map(output_base, surfaces() * ow() * oh() * 16);
	}

	void put(Npu &npu, uint32_t x, uint32_t y, uint32_t channel, uint32_t value) const
	{
		std::memcpy(npu.bus.find(feature_base + offset(x, y, w, h, channel), bytes()),
			    &value, bytes());
	}

	int32_t get(Npu &npu, uint32_t x, uint32_t y, uint32_t channel) const
	{
		const uint32_t addr = output_base + offset(x, y, ow(), oh(), channel);

		return prec == p_int8 ? npu.bus.get<int8_t>(addr) : npu.bus.get<uint16_t>(addr);
	}

	double number(uint32_t value) const
	{
		return prec == p_int8 ? static_cast<int8_t>(value)
				      : half_value(static_cast<uint16_t>(value));
	}
};

/* One window of int8 that holds @values, averaged. */
int32_t averaged(uint32_t kw, uint32_t kh, const std::vector<int32_t> &values)
{
	const Pool pool{
		.method = average, .w = kw, .h = kh, .c = 16, .kw = kw, .kh = kh, .sx = 1, .sy = 1};
	Npu npu;

	pool.map(npu);
	for (uint32_t i = 0; i < kw * kh; i++)
		for (uint32_t channel = 0; channel < 16; channel++)
			pool.put(npu, i % kw, i / kw, channel, static_cast<uint32_t>(values[i]));
	EXPECT_EQ(npu.run(program(pool.registers(), {}, 0x60)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	return pool.get(npu, 0, 0, 7);
}

/*
 * Measured: windows whose size has an exact reciprocal round exact halves back
 * towards zero if that leaves an odd number even: 2 / 4 is 0.5 -> 0, 6 / 4 is
 * 1.5 -> 2, 10 / 4 is 2.5 -> 2, and the same below 0.
 */
TEST(ModelPpu, HalvesOfExactReciprocals)
{
	EXPECT_EQ(averaged(2, 2, {2, 0, 0, 0}), 0);
	EXPECT_EQ(averaged(2, 2, {2, 2, 2, 0}), 2);
	EXPECT_EQ(averaged(2, 2, {4, 3, 2, 1}), 2);
	EXPECT_EQ(averaged(2, 2, {4, 4, 4, 2}), 4);
	EXPECT_EQ(averaged(2, 2, {-2, 0, 0, 0}), 0);
	EXPECT_EQ(averaged(2, 2, {-2, -2, -2, 0}), -2);
	EXPECT_EQ(averaged(2, 2, {-4, -3, -2, -1}), -2);
	EXPECT_EQ(averaged(4, 1, {127, 127, 127, 126}), 127);
}

/*
 * Measured: of an even window whose reciprocal is inexact every exact half steps
 * back towards zero. 2 x 3 times 9 / 6 is 1.5 -> 1 and 15 / 6 is 2.5 -> 2, and
 * the same below 0. What is no half goes to the nearest.
 */
TEST(ModelPpu, HalvesOfInexactReciprocals)
{
	EXPECT_EQ(averaged(2, 3, {9, 0, 0, 0, 0, 0}), 1);
	EXPECT_EQ(averaged(2, 3, {15, 0, 0, 0, 0, 0}), 2);
	EXPECT_EQ(averaged(2, 3, {-9, 0, 0, 0, 0, 0}), -1);
	EXPECT_EQ(averaged(2, 3, {-15, 0, 0, 0, 0, 0}), -2);
	EXPECT_EQ(averaged(2, 3, {10, 0, 0, 0, 0, 0}), 2);
	EXPECT_EQ(averaged(3, 3, {4, 0, 0, 0, 0, 0, 0, 0, 0}), 0);
	EXPECT_EQ(averaged(3, 3, {5, 0, 0, 0, 0, 0, 0, 0, 0}), 1);
	EXPECT_EQ(averaged(3, 3, {-5, 0, 0, 0, 0, 0, 0, 0, 0}), -1);
}

/* The published reciprocals: k 2 is 0x7800 of fp16, k 3 is 0x7555. */
TEST(ModelPpu, PublishedReciprocals)
{
	const Pool half{.prec = p_fp16, .method = average, .kw = 2, .kh = 3};
	const Registers registers = half.registers();

	EXPECT_EQ(registers.at(0x6038), 0x7800u);
	EXPECT_EQ(registers.at(0x603c), 0x7555u);
}

/* Any window against its definition; maxima and minima are exact. */
void expect_right(const Pool &pool, uint32_t seed)
{
	std::mt19937 rng(seed);
	std::vector<uint32_t> x(size_t{pool.w} * pool.h * pool.c);
	Npu npu;

	pool.map(npu);
	for (uint32_t i = 0; i < x.size(); i++) {
		x[i] = pool.prec == p_int8 ? static_cast<uint32_t>(rng() & 0xff)
					   : random_half(rng, 10, 18);
		pool.put(npu, i / pool.c % pool.w, i / pool.c / pool.w, i % pool.c, x[i]);
	}
	ASSERT_EQ(npu.run(program(pool.registers(), {}, 0x60)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg << " fault " << npu->fault_addr;
	for (uint32_t i = 0; i < pool.ow() * pool.oh() * pool.c; i++) {
		const uint32_t channel = i % pool.c, ox = i / pool.c % pool.ow(),
			       oy = i / pool.c / pool.ow();
		double sum = 0, low = 1e9, high = -1e9;

		for (uint32_t tap = 0; tap < pool.kw * pool.kh; tap++) {
			const uint32_t at_x = ox * pool.sx + tap % pool.kw - pool.left;
			const uint32_t at_y = oy * pool.sy + tap / pool.kw - pool.top;
			double value = pool.method == maximum ? -1e8 : 0;

			if (at_x < pool.w && at_y < pool.h)
				value = pool.number(x[(at_y * pool.w + at_x) * pool.c + channel]);
			sum += value;
			low = std::min(low, value);
			high = std::max(high, value);
		}
		const double is =
			pool.number(static_cast<uint32_t>(pool.get(npu, ox, oy, channel)));
		if (pool.method == average)
			ASSERT_NEAR(is, sum / (pool.kw * pool.kh),
				    pool.prec == p_int8 ? 0.51 : std::fabs(sum) * 1e-3 + 1e-6);
		else
			ASSERT_EQ(is, pool.method == maximum ? high : low);
	}
}

TEST(ModelPpu, AnyWindow)
{
	std::mt19937 rng(1);
	const auto below = [&](uint32_t end) {
		return static_cast<uint32_t>(rng()) % end;
	};

	for (uint32_t i = 0; i < 200 && !HasFailure(); i++) {
		Pool pool{.prec = i % 2 ? p_int8 : p_fp16,
			  .method = static_cast<Method>(i % 3),
			  .w = 1 + below(20),
			  .h = 1 + below(20),
			  .c = 1 + below(50),
			  .kw = 1 + below(16),
			  .kh = 1 + below(16),
			  .sx = 1 + below(4),
			  .sy = 1 + below(4)};

		pool.left = std::min(7u, pool.kw / 2);
		pool.top = std::min(7u, pool.kh / 2);
		pool.right = pool.left;
		pool.bottom = pool.top;
		if (pool.w + 2 * pool.left >= pool.kw && pool.h + 2 * pool.top >= pool.kh)
			expect_right(pool, i);
	}
	/* More columns than are pooled at a time. */
	expect_right({.w = 700, .h = 3, .kw = 3, .kh = 3, .sx = 1, .sy = 1, .left = 1, .right = 1},
		     999);
}

/* Measured: bits 10 and 11 by group and no other, so mainline waits in vain. */
TEST(ModelPpu, RaisesItsOwnBits)
{
	const Pool pool;
	Npu npu;

	pool.map(npu);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(npu.run(program(pool.registers(), {}, 0x60)), NPU_MODEL_DONE);
		EXPECT_EQ(npu.raw(), i % 2 ? 0x800u : 0x400u);
		EXPECT_FALSE(npu.irq()) << "mainline's mask";
		npu.write(0x0020, 0xc00);
		EXPECT_TRUE(npu.irq());
		npu.acknowledge();
	}
	EXPECT_EQ(npu->stats.tasks, 4u);
	EXPECT_EQ(npu->stats.macs, 0u);
}

/* A convolution and the pooling of its result, in one chain. */
TEST(ModelPpu, PoolsWhatAConvolutionWrote)
{
	const Convolve conv{.out = p_int8, .w = 6, .h = 6, .n = 32};
	const Pool pool{.w = 6, .h = 6, .c = 32};
	Registers registers = pool.registers();
	std::mt19937 rng(2);
	const std::vector<uint32_t> x = conv.features(rng), k = conv.weights(rng);
	Npu npu;

	conv.map(npu);
	conv.store(npu, x, k);
	npu.bus.map(operand_base, 2 * 9 * 16);
	Registers first = conv.registers();
	first[0x4088] = 6;
	registers[0x701c] = output_base;
	registers[0x6070] = operand_base;
	ASSERT_EQ(npu.run_chain({body(first), body(registers)}, {0x0d, 0x60}), NPU_MODEL_DONE);
	EXPECT_EQ(npu.raw(), 0x500u);
	for (uint32_t i = 0; i < 32; i++) {
		int32_t high = -128;

		for (const uint32_t pixel : {14u, 15u, 20u, 21u})
			high = std::max(high, static_cast<int32_t>(conv.result(npu, pixel, i)));
		EXPECT_EQ(npu.bus.get<int8_t>(operand_base + (i / 16 * 9 + 4) * 16 + i % 16), high);
	}
}

/* Measured: int8 with format 0 of PPU_RDMA is misread, but ends. */
TEST(ModelPpu, WrongInputFormat)
{
	const Pool pool;
	Registers registers = pool.registers();
	Npu npu;

	pool.map(npu);
	for (uint32_t i = 0; i < 64; i++)
		pool.put(npu, i % 8, i / 8, 0, 100);
	registers[0x7030] = 0;
	ASSERT_EQ(npu.run(program(registers, {}, 0x60)), NPU_MODEL_DONE);
	EXPECT_NE(pool.get(npu, 1, 1, 0), 100);
}

TEST(ModelPpu, BlocksMustAgree)
{
	const Pool pool;

	for (const auto &[reg, value, should] :
	     {std::tuple{0x700cu, 6u, NPU_MODEL_HUNG}, std::tuple{0x7010u, 8u, NPU_MODEL_HUNG},
	      std::tuple{0x7014u, 31u, NPU_MODEL_HUNG}, std::tuple{0x6020u, 7u, NPU_MODEL_HUNG},
	      /* DPU is to feed it. */
	      std::tuple{0x6024u, 1u, NPU_MODEL_HUNG},
	      std::tuple{0x6024u, 0x40000011u, NPU_MODEL_UNSUPPORTED},
	      std::tuple{0x6084u, 3u, NPU_MODEL_UNSUPPORTED},
	      std::tuple{0x7030u, 3u, NPU_MODEL_UNSUPPORTED}}) {
		Registers registers = pool.registers();
		Npu npu;

		pool.map(npu);
		registers[reg] = value;
		EXPECT_EQ(npu.run(program(registers, {}, 0x60)), should) << std::hex << reg;
		EXPECT_EQ(npu->error_reg, reg);
		EXPECT_EQ(npu.raw(), 0u);
	}
	Npu npu;
	pool.map(npu);
	for (const uint32_t enable : {0x20u, 0x40u})
		EXPECT_EQ(npu.run(program(pool.registers(), {}, enable)), NPU_MODEL_HUNG);
}

} /* namespace */
} /* namespace model_test */
