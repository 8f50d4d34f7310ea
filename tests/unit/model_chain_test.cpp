/* SPDX-License-Identifier: MIT */
/*
 * Chains of tasks in one kick, and the two groups of registers that tasks take
 * turns with.
 */
#include "model_matmul.h"

namespace model_test
{
namespace
{

/* Products of the same shape with tensors of their own. */
struct Chain {
	explicit Chain(uint32_t count, uint32_t seed = 1)
	{
		std::mt19937 rng(seed);

		for (uint32_t i = 0; i < count; i++) {
			Matmul matmul{.h = 3 + i % 3, .k = 64, .n = 32};

			matmul.features += i << 16;
			matmul.weights += i << 16;
			matmul.output += i << 16;
			matmul.map(npu);
			operands.push_back(matmul.random(rng));
			matmul.store(npu, operands.back());
			matmuls.push_back(matmul);
			bodies.push_back(body(matmul.registers()));
		}
	}

	bool right(uint32_t i) { return matmuls[i].mismatches(npu, operands[i]) == 0; }
	bool written(uint32_t i)
	{
		return npu.bus.bytes(true, matmuls[i].output, matmuls[i].output_size()) != 0;
	}

	Npu npu;
	std::vector<Matmul> matmuls;
	std::vector<Operands> operands;
	std::vector<Stream> bodies;
};

TEST(ModelChain, OneInterruptAfterTheLastTask)
{
	for (const uint32_t count : {1u, 2u, 3u, 5u, 64u}) {
		Chain chain(count);

		ASSERT_EQ(chain.npu.run_chain(chain.bodies), NPU_MODEL_DONE);
		for (uint32_t i = 0; i < count; i++)
			EXPECT_TRUE(chain.right(i)) << i << " of " << count;
		EXPECT_EQ(chain.npu->stats.tasks, count);
		EXPECT_TRUE(chain.npu.irq());
		/* The group in which the last task ran. */
		EXPECT_NE(chain.npu.raw() & (count % 2 ? 0x100 : 0x200), 0u);
		chain.npu.acknowledge();
		EXPECT_FALSE(chain.npu.irq());
	}
}

/* Only the number of tasks ends a chain: further links are not followed. */
TEST(ModelChain, NumberOneIgnoresLinks)
{
	Chain chain(3);

	ASSERT_EQ(chain.npu.run_chain(chain.bodies), NPU_MODEL_DONE);
	chain.npu.acknowledge();
	for (uint32_t i = 0; i < 3; i++)
		chain.matmuls[i].map(chain.npu),
			chain.matmuls[i].store(chain.npu, chain.operands[i]);
	chain.npu.bus.log.clear();
	ASSERT_EQ(chain.npu.start(code_base, amounts(chain.bodies[0].size() + 4), 1),
		  NPU_MODEL_DONE);
	EXPECT_TRUE(chain.right(0));
	EXPECT_FALSE(chain.written(1));
	EXPECT_FALSE(chain.written(2));
	EXPECT_EQ(chain.npu->stats.tasks, 4u);
	EXPECT_TRUE(chain.npu.irq());
}

TEST(ModelChain, DanglingLinkOfTheLastTaskIsHarmless)
{
	Chain chain(2);
	Stream first = chain.bodies[0], second = chain.bodies[1];
	const uint32_t at = code_base + 0x1000;

	finish(second, {0xdeadbee0, 0xffff});
	finish(first, {at, amounts(second.size())});
	chain.npu.place(first);
	chain.npu.place(second, at);
	ASSERT_EQ(chain.npu.start(code_base, amounts(first.size()), 2), NPU_MODEL_DONE);
	EXPECT_TRUE(chain.right(0));
	EXPECT_TRUE(chain.right(1));
	EXPECT_TRUE(chain.npu.irq());
}

/* Tasks before the gap have run, but raise no interrupt. */
TEST(ModelChain, MissingRedirectHangs)
{
	Chain chain(3);
	Stream first = chain.bodies[0], second = chain.bodies[1], third = chain.bodies[2];

	finish(third);
	finish(second, {0, amounts(third.size())});
	finish(first, {code_base + 0x1000, amounts(second.size())});
	chain.npu.place(first);
	chain.npu.place(second, code_base + 0x1000);
	chain.npu.place(third, code_base + 0x2000);
	EXPECT_EQ(chain.npu.start(code_base, amounts(first.size()), 3), NPU_MODEL_HUNG);
	EXPECT_TRUE(chain.right(0));
	EXPECT_TRUE(chain.right(1));
	EXPECT_FALSE(chain.written(2));
	EXPECT_FALSE(chain.npu.irq());
	EXPECT_EQ(chain.npu.raw(), 0u);
}

/* Measured: a chain needs the next AMOUNTS as well as the next BASE. */
TEST(ModelChain, MissingAmountsHangs)
{
	Chain chain(2);
	Stream first = chain.bodies[0], second = chain.bodies[1];

	finish(second);
	finish(first, {code_base + 0x1000, amounts(second.size())});
	first[first.size() - 3] = 0;
	chain.npu.place(first);
	chain.npu.place(second, code_base + 0x1000);
	EXPECT_EQ(chain.npu.start(code_base, amounts(first.size()), 2), NPU_MODEL_HUNG);
	EXPECT_FALSE(chain.npu.irq());
}

/* The next stream is fetched with the length of the link, not of the first. */
TEST(ModelChain, LinkCarriesTheLength)
{
	Chain chain(2);
	Stream first = chain.bodies[0], second = chain.bodies[1];
	const uint32_t at = 0x50000000;

	finish(second);
	for (const uint32_t extra : {0u, 1u, 9u}) {
		Stream linked = first;

		chain.npu.bus.map(at, (second.size() + 1) / 2 * 16 + extra * 16);
		chain.npu.place(second, at);
		chain.npu.bus.log.clear();
		finish(linked, {at, amounts(second.size()) + extra});
		chain.npu.place(linked);
		ASSERT_EQ(chain.npu.start(code_base, amounts(linked.size()), 2), NPU_MODEL_DONE);
		EXPECT_EQ(chain.npu.bus.bytes(false, at, 0x10000),
			  16 * (amounts(second.size()) + extra + 1));
	}
	/* Too short for its enable word. */
	finish(first, {at, amounts(second.size()) - 1});
	chain.npu.place(first);
	EXPECT_EQ(chain.npu.start(code_base, amounts(first.size()), 2), NPU_MODEL_HUNG);
}

TEST(ModelChain, FaultInALaterTaskRaisesNothing)
{
	Chain chain(3);

	chain.npu.bus.unmap(chain.matmuls[1].weights);
	EXPECT_EQ(chain.npu.run_chain(chain.bodies), NPU_MODEL_FAULT);
	EXPECT_EQ(chain.npu->fault_addr, chain.matmuls[1].weights);
	EXPECT_TRUE(chain.right(0));
	EXPECT_FALSE(chain.written(2));
	EXPECT_FALSE(chain.npu.irq());
	EXPECT_EQ(chain.npu.raw(), 0u);
	EXPECT_EQ(chain.npu->stats.tasks, 1u);
}

TEST(ModelChain, RunsAgainAfterAFaultAndReset)
{
	Chain chain(2);

	chain.npu.bus.unmap(chain.matmuls[1].output);
	EXPECT_EQ(chain.npu.run_chain(chain.bodies), NPU_MODEL_FAULT);
	npu_model_reset(chain.npu.get());
	chain.matmuls[1].map(chain.npu);
	chain.matmuls[1].store(chain.npu, chain.operands[1]);
	EXPECT_EQ(chain.npu.run_chain(chain.bodies), NPU_MODEL_DONE);
	EXPECT_TRUE(chain.right(0));
	EXPECT_TRUE(chain.right(1));
	EXPECT_TRUE(chain.npu.irq());
}

/* A later task reads the results of an earlier one. */
TEST(ModelChain, TasksAreSerialised)
{
	Npu npu;
	/* int32 results of 0 to 127 are int8 features of four channels. */
	Matmul first{.h = 4, .k = 32, .n = 32};
	Matmul second{.h = 4, .k = 128, .n = 32};
	Operands one{std::vector<uint16_t>(4 * 32), std::vector<uint16_t>(32 * 32)};
	std::mt19937 rng(2);
	Operands two = second.random(rng);

	for (uint32_t p = 0; p < 4; p++)
		one.a[p * 32] = static_cast<uint16_t>(p + 1);
	for (uint32_t i = 0; i < 32; i++)
		one.b[i * 32] = static_cast<uint16_t>(i);
	second.features = first.output;
	second.weights += 0x10000;
	second.output += 0x10000;
	/* Channel 4 i holds the low byte of result i. */
	for (uint32_t p = 0; p < 4; p++)
		for (uint32_t c = 0; c < 128; c++)
			two.a[p * 128 + c] = static_cast<uint16_t>(c % 4 ? 0 : (p + 1) * (c / 4));
	first.map(npu);
	first.store(npu, one);
	npu.bus.map(second.weights, second.weight_size());
	npu.bus.map(second.output, second.output_size());
	for (uint32_t i = 0; i < 32; i++)
		for (uint32_t c = 0; c < 128; c++)
			second.store_element(npu, second.weights + second.weight_offset(i, c),
					     two.b[i * 128 + c]);
	ASSERT_EQ(npu.run_chain({body(first.registers()), body(second.registers())}),
		  NPU_MODEL_DONE);
	EXPECT_EQ(second.mismatches(npu, two), 0u);
}

/* Tasks that only differ in addresses. */
Stream delta(const Matmul &matmul)
{
	return {command(0x0201, 0x1070, matmul.features), command(0x0201, 0x1110, matmul.weights),
		command(0x1001, 0x4020, matmul.output)};
}

/* Tasks of one shape, as the inheritance of registers wants them. */
struct Same : Chain {
	explicit Same(uint32_t count) : Chain(0)
	{
		std::mt19937 rng(3);

		for (uint32_t i = 0; i < count; i++) {
			Matmul matmul{.h = 5, .k = 32, .n = 32};

			matmul.features += i << 16;
			matmul.weights += i << 16;
			matmul.output += i << 16;
			matmul.map(npu);
			operands.push_back(matmul.random(rng));
			matmul.store(npu, operands.back());
			matmuls.push_back(matmul);
		}
	}
};

TEST(ModelGroups, DeltaInheritsFromTwoTasksAgo)
{
	Same tasks(6);
	std::vector<Stream> bodies;

	for (uint32_t i = 0; i < 6; i++)
		bodies.push_back(i < 2 ? body(tasks.matmuls[i].registers())
				       : delta(tasks.matmuls[i]));
	ASSERT_EQ(tasks.npu.run_chain(bodies), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_TRUE(tasks.right(i)) << i;
}

/* The second task finds the other group empty. */
TEST(ModelGroups, DeltaDoesNotInheritFromTheTaskBefore)
{
	Same tasks(2);

	EXPECT_NE(
		tasks.npu.run_chain({body(tasks.matmuls[0].registers()), delta(tasks.matmuls[1])}),
		NPU_MODEL_DONE);
	EXPECT_FALSE(tasks.npu.irq());
}

/* The third task inherits the address of the first, not of the second. */
TEST(ModelGroups, EachGroupKeepsItsOwn)
{
	Same tasks(3);

	Stream third = delta(tasks.matmuls[2]);
	/* Without its features: it multiplies those of task 0. */
	third.erase(third.begin());
	ASSERT_EQ(tasks.npu.run_chain({body(tasks.matmuls[0].registers()),
				       body(tasks.matmuls[1].registers()), third}),
		  NPU_MODEL_DONE);
	const Operands mixed{tasks.operands[0].a, tasks.operands[2].b};
	EXPECT_EQ(tasks.matmuls[2].mismatches(tasks.npu, mixed), 0u);
}

/* The groups persist over kicks and acknowledgements. */
TEST(ModelGroups, PersistOverKicks)
{
	Same tasks(4);

	for (uint32_t i = 0; i < 4; i++) {
		Stream stream =
			i < 2 ? body(tasks.matmuls[i].registers()) : delta(tasks.matmuls[i]);

		finish(stream);
		ASSERT_EQ(tasks.npu.run(stream), NPU_MODEL_DONE) << i;
		EXPECT_EQ(tasks.npu.raw(), i % 2 ? 0x200u : 0x100u);
		tasks.npu.acknowledge();
		EXPECT_TRUE(tasks.right(i)) << i;
	}
}

/* 0x30 in every block disables ping-pong: the task before is inherited. */
TEST(ModelGroups, WithoutPingPongDeltaInheritsFromTheTaskBefore)
{
	Same tasks(4);
	std::vector<Stream> bodies;

	for (uint32_t i = 0; i < 4; i++) {
		Registers registers = tasks.matmuls[i].registers();

		registers[0x1004] = registers[0x3004] = registers[0x4004] = 0x30;
		bodies.push_back(i ? delta(tasks.matmuls[i]) : body(registers));
	}
	ASSERT_EQ(tasks.npu.run_chain(bodies), NPU_MODEL_DONE);
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_TRUE(tasks.right(i)) << i;
	/* One group, one bit. */
	EXPECT_EQ(tasks.npu.raw(), 0x100u);
}

/* Reuse of a full stream is no delta: nothing may be inherited. */
TEST(ModelGroups, FullStreamsInheritNothing)
{
	Npu npu;
	std::mt19937 rng(4);

	for (int i = 0; i < 40; i++) {
		const Kind kinds[] = {Kind::int8, Kind::fp16, Kind::fp16_to_fp16};
		const bool lines = rng() % 2;
		const Matmul matmul{.kind = kinds[rng() % 3],
				    .h = 1 + static_cast<uint32_t>(rng() % 9),
				    .k = 32 + 32 * static_cast<uint32_t>(rng() % 4),
				    .n = 32 + 32 * static_cast<uint32_t>(rng() % 3),
				    .line_off = lines,
				    .rows_in = lines,
				    .rows_out = rng() % 2 != 0};
		const Operands operands = matmul.random(rng);

		matmul.map(npu);
		matmul.store(npu, operands);
		ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
		ASSERT_EQ(matmul.mismatches(npu, operands), 0u) << i;
		npu.acknowledge();
	}
}

} /* namespace */
} /* namespace model_test */
