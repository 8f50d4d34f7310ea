/* SPDX-License-Identifier: MIT */
/*
 * The convolution buffer keeps the data of the last task. With reuse flags, a task computes right
 * results from matching data, and wrong ones from stale data.
 */
#include "model_matmul.h"

namespace model_test
{
namespace
{

constexpr uint32_t data_reuse = 1u << 12;
constexpr uint32_t weight_reuse = 1u << 13;

class ModelReuse : public testing::TestWithParam<Kind>
{
protected:
	ModelReuse()
	{
		std::mt19937 rng(1);

		for (int i = 0; i < 2; i++) {
			matmul[i] = {.kind = GetParam(), .h = 7, .k = 128, .n = 64};
			matmul[i].features += static_cast<uint32_t>(i) << 16;
			matmul[i].weights += static_cast<uint32_t>(i) << 16;
			matmul[i].output += static_cast<uint32_t>(i) << 16;
			matmul[i].map(npu);
			operands[i] = matmul[i].random(rng);
			matmul[i].store(npu, operands[i]);
		}
	}

	/* Run task 0 unchanged, then task 1 with @flags in CBUF_CON0. */
	npu_model_status run(uint32_t flags)
	{
		Registers second = matmul[1].registers();

		second[0x1040] |= flags;
		return npu.run_chain({body(matmul[0].registers()), body(second)});
	}

	uint64_t reads(uint32_t base) const { return npu.bus.bytes(false, base, 0x10000); }

	Matmul matmul[2];
	Operands operands[2];
	Npu npu;
};

TEST_P(ModelReuse, SameFeatures)
{
	matmul[1].features = matmul[0].features;
	ASSERT_EQ(run(data_reuse), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[0].mismatches(npu, operands[0]), 0u);
	EXPECT_EQ(matmul[1].mismatches(npu, {operands[0].a, operands[1].b}), 0u);
	EXPECT_EQ(reads(matmul[0].features), matmul[0].feature_size()) << "read once";
}

TEST_P(ModelReuse, SameWeights)
{
	matmul[1].weights = matmul[0].weights;
	ASSERT_EQ(run(weight_reuse), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[0].mismatches(npu, operands[0]), 0u);
	EXPECT_EQ(matmul[1].mismatches(npu, {operands[1].a, operands[0].b}), 0u);
	EXPECT_EQ(reads(matmul[0].weights), matmul[0].weight_size()) << "read once";
}

TEST_P(ModelReuse, StaleFeatures)
{
	ASSERT_EQ(run(data_reuse), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[1].mismatches(npu, {operands[0].a, operands[1].b}), 0u);
	EXPECT_GT(matmul[1].mismatches(npu, operands[1]), 0u);
	EXPECT_EQ(reads(matmul[1].features), 0u);
}

TEST_P(ModelReuse, StaleWeights)
{
	ASSERT_EQ(run(weight_reuse), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[1].mismatches(npu, {operands[1].a, operands[0].b}), 0u);
	EXPECT_GT(matmul[1].mismatches(npu, operands[1]), 0u);
	EXPECT_EQ(reads(matmul[1].weights), 0u);
}

/* A task does not access the memory of reused data, so that its address does not matter. */
TEST_P(ModelReuse, ReusedOperandNeedsNoMapping)
{
	npu.bus.unmap(matmul[1].features);
	ASSERT_EQ(run(data_reuse), NPU_MODEL_DONE);
	npu.acknowledge();
	npu.bus.unmap(matmul[1].weights);
	EXPECT_EQ(run(data_reuse), NPU_MODEL_FAULT);
}

/* Without a flag, data at the same address are loaded again. */
TEST_P(ModelReuse, NoFlagLoadsAgain)
{
	const uint16_t bits = operands[0].a[0];

	ASSERT_EQ(npu.run(program(matmul[0].registers())), NPU_MODEL_DONE);
	operands[0].a[0] = static_cast<uint16_t>(bits ^ 1);
	matmul[0].store(npu, operands[0]);
	ASSERT_EQ(npu.run(program(matmul[0].registers())), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[0].mismatches(npu, operands[0]), 0u);
}

/* Reused data do not reflect later changes of memory. */
TEST_P(ModelReuse, ReuseDoesNotSeeMemory)
{
	const Operands before = operands[0];
	Registers registers = matmul[0].registers();
	std::mt19937 rng(2);

	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	operands[0] = matmul[0].random(rng);
	matmul[0].store(npu, operands[0]);
	registers[0x1040] |= weight_reuse;
	ASSERT_EQ(npu.run(program(registers)), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[0].mismatches(npu, {operands[0].a, before.b}), 0u);
}

/* Another job replaces the data. */
TEST_P(ModelReuse, AnotherJobDestroysTheBuffer)
{
	Registers again = matmul[0].registers();

	again[0x1040] |= weight_reuse;
	ASSERT_EQ(npu.run(program(matmul[0].registers())), NPU_MODEL_DONE);
	ASSERT_EQ(npu.run(program(matmul[1].registers())), NPU_MODEL_DONE);
	ASSERT_EQ(npu.run(program(again)), NPU_MODEL_DONE);
	EXPECT_EQ(matmul[0].mismatches(npu, {operands[0].a, operands[1].b}), 0u);
	EXPECT_GT(matmul[0].mismatches(npu, operands[0]), 0u);
}

/* Features stay while the weights of many groups flow by, and flow again. */
TEST_P(ModelReuse, FeaturesStayUnderStreamedWeights)
{
	std::mt19937 rng(3);
	std::vector<Stream> bodies;
	std::vector<Matmul> matmuls;
	Operands first;

	for (uint32_t i = 0; i < 4; i++) {
		Matmul tile{.kind = GetParam(),
			    .h = 9,
			    .k = 512,
			    .n = 128,
			    .data_banks = 11,
			    .weight_banks = 1};

		tile.features = 0x60000000;
		tile.weights = 0x70000000 + (i << 20);
		tile.output = 0x80000000 + (i << 20);
		tile.map(npu);
		Operands operand = tile.random(rng);
		if (i)
			operand.a = first.a;
		else
			first = operand;
		tile.store(npu, operand);
		Registers registers = tile.registers();
		if (i)
			registers[0x1040] |= data_reuse;
		bodies.push_back(body(registers));
		matmuls.push_back(tile);
	}
	std::mt19937 same(3);
	ASSERT_EQ(npu.run_chain(bodies), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < 4; i++) {
		Operands operand = matmuls[i].random(same);

		operand.a = first.a;
		EXPECT_EQ(matmuls[i].mismatches(npu, operand), 0u) << i;
	}
	EXPECT_EQ(npu.bus.bytes(false, 0x60000000, 0x10000), matmuls[0].feature_size());
}

/* Rows of one large matrix against resident weights. */
TEST_P(ModelReuse, WeightsStayUnderTilesOfRows)
{
	std::mt19937 rng(4);
	const Matmul whole{.kind = GetParam(),
			   .h = 50,
			   .k = 128,
			   .n = 64,
			   .line_off = true,
			   .rows_in = true,
			   .rows_out = true};
	const Operands all = whole.random(rng);
	std::vector<Stream> bodies;

	whole.map(npu);
	whole.store(npu, all);
	for (uint32_t row = 0; row < 50; row += 13) {
		Matmul tile = whole;

		tile.h = std::min(13u, 50 - row);
		tile.features += row * whole.k * whole.in_bytes();
		tile.output += row * whole.n * whole.out_bytes();
		Registers registers = tile.registers();
		if (row)
			registers[0x1040] |= weight_reuse;
		bodies.push_back(body(registers));
	}
	npu.bus.log.clear();
	ASSERT_EQ(npu.run_chain(bodies), NPU_MODEL_DONE);
	EXPECT_EQ(whole.mismatches(npu, all), 0u);
	EXPECT_EQ(reads(whole.weights), whole.weight_size());
}

INSTANTIATE_TEST_SUITE_P(Model, ModelReuse,
			 testing::Values(Kind::int8, Kind::fp16, Kind::fp16_to_fp16));

} /* namespace */
} /* namespace model_test */
