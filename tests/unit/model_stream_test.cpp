/* SPDX-License-Identifier: MIT */
/*
 * Properties of the streams of proven programs: idle blocks, words for no block, omitted registers,
 * deltas, and sizes whose products agree.
 */
#include <cmath>

#include "model_flying.h"
#include "model_matmul.h"

namespace model_test
{
namespace
{

class ModelStream : public testing::Test
{
protected:
	ModelStream() : registers(matmul.registers())
	{
		std::mt19937 rng(1);

		operands = matmul.random(rng);
		matmul.map(npu);
		matmul.store(npu, operands);
	}

	void expect_done(const Stream &stream)
	{
		ASSERT_EQ(npu.run(stream), NPU_MODEL_DONE)
			<< std::hex << npu->error_reg << ' ' << npu->error_value;
		EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
		EXPECT_EQ(npu->stats.tasks, 1u);
		EXPECT_EQ(npu.raw(), 0x100u);
	}

	Matmul matmul{.kind = Kind::fp16, .h = 5, .k = 64, .n = 32};
	Registers registers;
	Operands operands;
	Npu npu;
};

/* The most common form of all: 0x1d, and no engine of DPU_RDMA fetches. */
TEST_F(ModelStream, IdleRdma)
{
	registers[0x5004] = 0;
	registers[0x501c] = 0x1f;
	registers[0x5034] = 1;
	registers[0x5044] = 0x17850;
	expect_done(program(registers, {}, 0x1d));
}

/* Measured: MRDMA that is not off never ends, also if no register says so. */
TEST_F(ModelStream, MrdmaThatIsNotOffHangs)
{
	EXPECT_EQ(npu.run(program(registers, {}, 0x1d)), NPU_MODEL_HUNG);
	EXPECT_EQ(npu->error_reg, 0x5044u);
	EXPECT_EQ(npu.raw(), 0u);
}

/* Target 0x0001 does nothing, in the body and in the tail. */
TEST_F(ModelStream, WordsForNoBlock)
{
	Stream stream = program(registers);

	stream.insert(stream.begin() + 5, command(0x0001, 0x1020, 0xffffffff));
	stream.insert(stream.end() - 2, command(0x0001, 0, 0));
	stream.insert(stream.end() - 1, command(0x0001, 0x0008, 0x7f));
	expect_done(stream);
}

/* Registers that are 0 in every published recipe need not be written. */
TEST_F(ModelStream, ResetValues)
{
	for (auto reg = registers.begin(); reg != registers.end();)
		reg = reg->second ? std::next(reg) : registers.erase(reg);
	/* Registers that only configure the prefetch can be omitted, too. */
	for (const uint32_t reg : {0x1010u, 0x1044u, 0x1078u, 0x1084u, 0x1088u})
		registers.erase(reg);
	EXPECT_LT(registers.size(), 44u);
	expect_done(program(registers));
}

TEST_F(ModelStream, ScaleOfZero)
{
	registers[0x4084] = 0;
	expect_done(program(registers));
}

/* CORE 1 x M and DPU M x 1: row-major in, native out. */
TEST_F(ModelStream, ShapesMayDiffer)
{
	registers[0x4030] = 4;
	registers[0x4034] = 0;
	registers[0x405c] = 4;
	expect_done(program(registers));
	registers[0x4030] = 3;
	EXPECT_EQ(npu.run(program(registers)), NPU_MODEL_HUNG);
}

/* Other things that proven programs write and silicon does not mind. */
TEST_F(ModelStream, ValuesThatDoNotMatter)
{
	registers[0x1010] = 0x50004000;
	registers[0x1030] = 0x1234;
	registers[0x1034] = 0x3c;
	registers[0x1080] = registers[0x1080] | 0xf0000000;
	expect_done(program(registers));
}

/* A column of fp16 that fills its banks exactly. */
TEST_F(ModelStream, ColumnThatFillsItsBanks)
{
	matmul = {.kind = Kind::fp16, .h = 64, .k = 512, .n = 16, .data_banks = 2};
	ASSERT_EQ(matmul.feature_size(), 2u * 32768);
	std::mt19937 rng(2);
	operands = matmul.random(rng);
	matmul.map(npu);
	matmul.store(npu, operands);
	expect_done(program(matmul.registers()));
}

/* Deltas inherit the registers of DPU_RDMA as well, each block from its group. */
TEST(ModelDelta, InheritsRdma)
{
	const Flying flying;
	std::vector<Stream> bodies;
	Npu npu;

	flying.map(npu);
	npu.bus.map(output_base, size_t{6} * 0x1000);
	flying.fill(npu, feature_base, {1});
	flying.fill(npu, operand_base, {2});
	for (uint32_t i = 0; i < 6; i++) {
		Registers registers = flying.with_operand(i % 2 ? 0x10c003c4 : 0x10c203c0);

		registers[0x4020] = output_base + i * 0x1000;
		bodies.push_back(body(registers));
		if (i > 1)
			bodies[i] = {command(0x1001, 0x4020, output_base + i * 0x1000)};
	}
	ASSERT_EQ(npu.run_chain(bodies, std::vector<uint32_t>(6, 0x18)), NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_EQ(npu.bus.get<uint32_t>(output_base + i * 0x1000), i % 2 ? 2u : 3u) << i;
}

/* Only blocks that ran change their group: a DPU task leaves CNA's as it is. */
TEST(ModelDelta, BlocksThatIdleKeepTheirGroup)
{
	const Matmul matmul{.h = 5, .k = 32, .n = 32};
	const Flying flying;
	std::mt19937 rng(3);
	const Operands operands = matmul.random(rng);
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	npu.bus.map(output_base, 0x4000);
	Registers copy = flying.registers();
	copy[0x5018] = output_base;
	copy[0x4020] = output_base + 0x2000;
	/* DPU runs five times and alternates, so the third convolution is its group 0. */
	const Registers second = matmul.registers();
	Registers third = second;
	for (auto reg = third.begin(); reg != third.end();)
		reg = reg->first < 0x4000 ? third.erase(reg) : std::next(reg);
	ASSERT_EQ(npu.run_chain({body(matmul.registers()), body(copy), body(second), body(copy),
				 body(third)},
				{0x0d, 0x18, 0x0d, 0x18, 0x0d}),
		  NPU_MODEL_DONE)
		<< std::hex << npu->error_reg;
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);

	/* One convolution before it leaves the other group of CNA empty. */
	npu_model_reset(npu.get());
	EXPECT_EQ(npu.run_chain({body(second), body(copy), body(third)}, {0x0d, 0x18, 0x0d}),
		  NPU_MODEL_UNSUPPORTED);
	EXPECT_EQ(npu->error_reg, 0x104cu) << "its converter is not off";
}

/* Writing 0x30 goes back to the first group. */
TEST(ModelDelta, ClearsItsPointer)
{
	const Flying flying;
	Registers registers = flying.registers();
	Npu npu;

	flying.map(npu);
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(npu.raw(), 0x100u);
	npu.acknowledge();
	registers[0x4004] = 0x30;
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
		EXPECT_EQ(npu.raw(), 0x100u);
		npu.acknowledge();
	}
}

/* Engines that work on memory alone are bound by the bus. */
TEST(ModelStreamTime, FlyingIsBoundByTheBus)
{
	const npu_model_params &params = npu_model_params_rk3588;
	const Flying flying{.w = 500, .c = 64};
	Npu npu;

	flying.map(npu);
	ASSERT_EQ(flying.run(npu, flying.with_operand(0x10c203c0)), NPU_MODEL_DONE);
	const uint64_t bytes = npu->stats.read_bytes + npu->stats.written_bytes;
	EXPECT_GT(bytes, 3u * 500 * 64 * 4);
	/* 500 pixels of 64 words, an atom a cycle at 1 GHz, beside the bus. */
	EXPECT_NEAR(static_cast<double>(npu->stats.busy_ns),
		    params.task_ns +
			    std::hypot(500.0 * 64 * 4 / 16, static_cast<double>(bytes) * 1000 /
								    params.post_bytes_per_us),
		    2);
	EXPECT_EQ(npu->stats.macs, 0u);
}

/* 9 taps and 2 slices of 2 groups over 100 pixels: 3600 cycles at 1 GHz. */
TEST(ModelStreamTime, TapsTakeCycles)
{
	npu_model_params params = npu_model_params_rk3588;
	const Convolve conv{.w = 10, .h = 10, .c = 64, .n = 64};

	params.core_bytes_per_us = params.total_bytes_per_us = 1000000000;
	Npu npu(0, params);
	conv.map(npu);
	ASSERT_EQ(npu.run(program(conv.registers())), NPU_MODEL_DONE);
	EXPECT_EQ(npu->stats.busy_ns, params.task_ns + 3600);
	EXPECT_EQ(npu->stats.macs, 100u * 9 * 64 * 64);
}

/* An atom a cycle, also where a table is looked up; here of words, at a slow clock. */
TEST(ModelStreamTime, PostProcessingTakesCycles)
{
	npu_model_params params = npu_model_params_rk3588;
	const Flying flying{.w = 100, .c = 64};
	Registers registers = flying.registers();

	params.clock_hz = 100000000;
	params.post_bytes_per_us = params.total_bytes_per_us = 1000000000;
	registers[0x4070] = 0x302;
	Npu npu(0, params);
	flying.map(npu);
	ASSERT_EQ(flying.run(npu, registers), NPU_MODEL_DONE);
	EXPECT_EQ(npu->stats.busy_ns, params.task_ns + 100 * 64 * 4 / 16 * 10);
}

/* A timing-only run makes the same accesses and counts the same bytes. */
TEST(ModelStreamTime, TimingAlone)
{
	const auto stats = [](bool timing_only) {
		npu_model_params params = npu_model_params_rk3588;
		const Flying flying{p_fp16, p_fp16, p_fp16};

		params.timing_only = timing_only;
		Npu npu(0, params);
		flying.map(npu);
		EXPECT_EQ(flying.run(npu, flying.with_operand(0x108202c0)), NPU_MODEL_DONE);
		return npu->stats;
	};
	const npu_model_stats both[] = {stats(false), stats(true)};

	EXPECT_EQ(both[0].busy_ns, both[1].busy_ns);
	EXPECT_EQ(both[0].read_bytes, both[1].read_bytes);
	EXPECT_EQ(both[0].written_bytes, both[1].written_bytes);
}

} /* namespace */
} /* namespace model_test */
