/* SPDX-License-Identifier: MIT */
/*
 * A start of a core: which words it fetches and executes, how it ends, and the state of the
 * interrupt registers.
 */
#include "model_matmul.h"

namespace model_test
{
namespace
{

class ModelPc : public testing::Test
{
protected:
	ModelPc()
	{
		std::mt19937 rng(1);

		operands = matmul.random(rng);
		matmul.map(npu);
		matmul.store(npu, operands);
	}

	/* Check that the run ended well and that the results are right. */
	void expect_done(npu_model_status status)
	{
		ASSERT_EQ(status, NPU_MODEL_DONE)
			<< std::hex << npu->error_reg << ' ' << npu->error_value;
		EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
		EXPECT_TRUE(npu.irq());
	}

	void expect_quiet(npu_model_status status, npu_model_status should)
	{
		EXPECT_EQ(status, should);
		EXPECT_FALSE(npu.irq());
		EXPECT_EQ(npu.raw() & 0x300, 0u);
		EXPECT_EQ(npu->stats.tasks, 0u);
	}

	Matmul matmul{.h = 5, .k = 64, .n = 32};
	Operands operands;
	Npu npu;
};

TEST_F(ModelPc, FetchesTwiceAmountsPlusTwoWords)
{
	const Stream stream = program(matmul.registers());

	expect_done(npu.run(stream));
	EXPECT_EQ(npu.bus.bytes(false, code_base, 0x10000), 16ull * (amounts(stream.size()) + 1));
	ASSERT_FALSE(npu.bus.log.empty());
	EXPECT_EQ(npu.bus.log.front().addr, code_base);
}

TEST_F(ModelPc, FetchEndsBeforeTheEnableWord)
{
	Stream stream = program(matmul.registers());

	if (stream.size() % 2)
		stream.insert(stream.begin(), 0);
	npu.place(stream);
	expect_quiet(npu.start(code_base, amounts(stream.size()) - 1), NPU_MODEL_HUNG);
}

TEST_F(ModelPc, FetchOfOddStreamTakesOneWordMore)
{
	Stream stream = program(matmul.registers());

	if (stream.size() % 2 == 0)
		stream.insert(stream.begin(), 0);
	/* A mapping that holds the stream but not the other half of its last unit. */
	npu.bus.map(0x50000000, stream.size() * 8);
	npu.place(stream, 0x50000000);
	expect_quiet(npu.start(0x50000000, amounts(stream.size())), NPU_MODEL_FAULT);

	npu.bus.map(0x50000000, stream.size() * 8 + 8);
	npu.place(stream, 0x50000000);
	expect_done(npu.start(0x50000000, amounts(stream.size())));
}

TEST_F(ModelPc, WordsAfterTheEnableWordDoNothing)
{
	Stream stream = program(matmul.registers());

	/* Any of these would change or stop the run if it were executed. */
	stream.push_back(command(0x1001, 0x4020, 0xdead0000));
	stream.push_back(command(0x7777, 0x1020, 1));
	stream.push_back(command(0x0081, 0x0008, 0x0d));
	stream.push_back(0xffffffffffffffff);
	expect_done(npu.run(stream));
	EXPECT_EQ(npu->stats.tasks, 1u);

	/* The register after the enable word is unchanged for the next run in that group. */
	Registers registers = matmul.registers();
	registers.erase(0x4020);
	expect_done(npu.run(program(matmul.registers())));
	npu.bus.map(output_base, matmul.output_size());
	expect_done(npu.run(program(registers)));
}

TEST_F(ModelPc, ZeroWordsDoNothing)
{
	Stream stream;

	for (const uint64_t word : program(matmul.registers()))
		stream.insert(stream.end(), {0, word, 0});
	expect_done(npu.run(stream));
}

TEST_F(ModelPc, UnknownTargetHangs)
{
	for (const uint32_t target : {0x0401u, 0x0200u, 0x8000u, 0xffffu, 0x0002u}) {
		Stream stream = program(matmul.registers());

		stream.insert(stream.begin() + 7, command(target, 0x1020, 1));
		expect_quiet(npu.run(stream), NPU_MODEL_HUNG);
	}
}

/*
 * The core has other blocks. Writes to their registers do not stop a run whose enable word leaves
 * them out; a model without these blocks may refuse it.
 */
TEST_F(ModelPc, OtherBlocksAreNotUnknown)
{
	for (const auto &[target, reg] : {std::pair{0x2001u, 0x501cu}, std::pair{0x4001u, 0x600cu},
					  std::pair{0x8001u, 0x700cu}}) {
		Stream stream = program(matmul.registers());

		stream.insert(stream.begin(), command(target, reg, 1));
		const npu_model_status status = npu.run(stream);
		EXPECT_TRUE(status == NPU_MODEL_DONE || status == NPU_MODEL_UNSUPPORTED)
			<< std::hex << target << " ends with " << status;
	}
}

TEST_F(ModelPc, WrongEnableHangs)
{
	/* Subsets of the three blocks wait for each other. */
	for (const uint32_t enable : {0x01u, 0x04u, 0x05u, 0x08u, 0x09u, 0x0cu})
		expect_quiet(npu.run(program(matmul.registers(), {}, enable)), NPU_MODEL_HUNG);
}

/* A model without these blocks must not report their work as done. */
TEST_F(ModelPc, OtherBlocksDoNotPass)
{
	for (const uint32_t enable : {0x18u, 0x1du, 0x60u, 0x7fu}) {
		EXPECT_NE(npu.run(program(matmul.registers(), {}, enable)), NPU_MODEL_DONE);
		EXPECT_EQ(npu.raw() & 0x300, 0u);
		EXPECT_FALSE(npu.irq());
	}
}

TEST_F(ModelPc, NothingEnabledHangs)
{
	expect_quiet(npu.run(body(matmul.registers())), NPU_MODEL_HUNG);
}

TEST_F(ModelPc, SlaveModeDoesNotFetch)
{
	const Stream stream = program(matmul.registers());

	npu.place(stream);
	expect_quiet(npu.start(code_base | 1, amounts(stream.size())), NPU_MODEL_HUNG);
	EXPECT_TRUE(npu.bus.log.empty());
}

/* Bits 31:4 are the address. */
TEST_F(ModelPc, BaseHasSixteenByteUnits)
{
	const Stream stream = program(matmul.registers());

	npu.place(stream, code_base + 0x30);
	expect_done(npu.start(code_base + 0x3e, amounts(stream.size())));
	EXPECT_EQ(npu.bus.log.front().addr, code_base + 0x30);
}

TEST_F(ModelPc, NotStarted)
{
	const Stream stream = program(matmul.registers());

	npu.place(stream);
	npu.prepare(code_base, amounts(stream.size()), 1);
	expect_quiet(npu_model_run(npu.get()), NPU_MODEL_HUNG);
	npu.write(0x0008, 0);
	expect_quiet(npu_model_run(npu.get()), NPU_MODEL_HUNG);
	/* Each start is one run. */
	npu.write(0x0008, 1);
	expect_done(npu_model_run(npu.get()));
	EXPECT_EQ(npu_model_run(npu.get()), NPU_MODEL_HUNG);
}

TEST_F(ModelPc, NoTasksNoInterrupt)
{
	const Stream stream = program(matmul.registers());

	npu.place(stream);
	expect_quiet(npu.start(code_base, amounts(stream.size()), 0), NPU_MODEL_HUNG);
	/* The start was consumed: a later change of the number starts nothing. */
	npu.write(0x0030, 1);
	EXPECT_EQ(npu_model_run(npu.get()), NPU_MODEL_HUNG);
}

TEST_F(ModelPc, StartReadsBackAsZero)
{
	const Stream stream = program(matmul.registers());

	npu.place(stream);
	npu.prepare(code_base, amounts(stream.size()), 1);
	EXPECT_EQ(npu.read(0x0008), 0u);
	npu.write(0x0008, 1);
	EXPECT_EQ(npu.read(0x0008), 0u);
	expect_done(npu_model_run(npu.get()));
	EXPECT_EQ(npu.read(0x0008), 0u);
}

TEST_F(ModelPc, InterruptRegisters)
{
	EXPECT_EQ(npu.read(0x002c), 0xc0000000u);
	EXPECT_EQ(npu.read(0x0028), 0u);
	expect_done(npu.run(program(matmul.registers())));
	/* Group 0 of the DPU ran. */
	EXPECT_EQ(npu.read(0x002c), 0xc0000100u);
	EXPECT_EQ(npu.read(0x0028), 0x100u);
	EXPECT_EQ(npu.read(0x0020), 0x300u);

	/* The mask only gates interrupts; their status persists. */
	npu.write(0x0020, 0x200);
	EXPECT_EQ(npu.read(0x0028), 0u);
	EXPECT_FALSE(npu.irq());
	EXPECT_EQ(npu.read(0x002c), 0xc0000100u);
	npu.write(0x0020, 0x100);
	EXPECT_TRUE(npu.irq());

	/* Clearing only affects the written bits. */
	npu.write(0x0024, 0x1feff);
	EXPECT_TRUE(npu.irq());
	npu.write(0x0024, 0x100);
	EXPECT_FALSE(npu.irq());
	EXPECT_EQ(npu.read(0x002c), 0xc0000000u);
	npu.write(0x0020, 0x1ffff);
	EXPECT_EQ(npu.read(0x0028), 0u);
}

TEST_F(ModelPc, RawAccumulatesUntilCleared)
{
	const Stream stream = program(matmul.registers());

	npu.write(0x0020, 0);
	npu.place(stream);
	for (int i = 0; i < 2; i++) {
		npu.write(0x0010, code_base);
		npu.write(0x0014, amounts(stream.size()));
		npu.write(0x0030, 1);
		npu.write(0x0008, 1);
		ASSERT_EQ(npu_model_run(npu.get()), NPU_MODEL_DONE);
		EXPECT_FALSE(npu.irq());
	}
	EXPECT_EQ(npu.raw(), 0x300u);
	npu.write(0x0020, 0x300);
	EXPECT_TRUE(npu.irq());
	npu.acknowledge();
	EXPECT_EQ(npu.raw(), 0u);
	EXPECT_FALSE(npu.irq());
}

/* Runs alternate between the groups, and so between their interrupt bits. */
TEST_F(ModelPc, BitsAlternate)
{
	const Stream stream = program(matmul.registers());

	for (int i = 0; i < 6; i++) {
		expect_done(npu.run(stream));
		EXPECT_EQ(npu.raw(), i % 2 ? 0x200u : 0x100u) << i;
		npu.acknowledge();
	}
}

TEST_F(ModelPc, ResetForgetsAllButStatistics)
{
	const Stream stream = program(matmul.registers());

	expect_done(npu.run(stream));
	const npu_model_stats before = npu->stats;
	npu_model_reset(npu.get());
	EXPECT_EQ(npu.read(0x002c), 0xc0000000u);
	EXPECT_EQ(npu.read(0x0020), 0u);
	EXPECT_FALSE(npu.irq());
	EXPECT_EQ(npu->stats.tasks, before.tasks);
	EXPECT_EQ(npu->stats.busy_ns, before.busy_ns);
	EXPECT_EQ(npu->stats.read_bytes, before.read_bytes);
	EXPECT_EQ(npu_model_run(npu.get()), NPU_MODEL_HUNG) << "nothing was started";

	/* The first group again, without old register values. */
	Registers registers = matmul.registers();
	registers.erase(0x4020);
	registers.erase(0x1020);
	EXPECT_NE(npu.run(program(registers)), NPU_MODEL_DONE);
	npu_model_reset(npu.get());
	expect_done(npu.run(stream));
	EXPECT_EQ(npu.raw(), 0x100u);
}

TEST_F(ModelPc, PointersNeedTheirCore)
{
	for (const uint32_t reg : {0x1004u, 0x3004u}) {
		for (uint32_t core = 0; core < 3; core++) {
			for (uint32_t bits = 0; bits < 4; bits++) {
				Npu other(core);
				Registers registers = matmul.registers();

				matmul.map(other);
				matmul.store(other, operands);
				registers[0x1004] = registers[0x3004] = 0xe | core << 28;
				registers[reg] = 0xe | bits << 28;
				EXPECT_EQ(other.run(program(registers)),
					  bits == core ? NPU_MODEL_DONE : NPU_MODEL_HUNG);
				EXPECT_EQ(other.irq(), bits == core);
			}
		}
	}
}

/* Pointers that the driver wrote before the start apply, too. */
TEST_F(ModelPc, PointersFromTheHost)
{
	Registers registers = matmul.registers();

	registers.erase(0x1004);
	registers.erase(0x3004);
	expect_done(npu.run(program(registers)));
}

/* MAC_GATING has bit 24 set after reset; clearing it stops the array for ever. */
TEST_F(ModelPc, MacGatingHangs)
{
	Registers registers = matmul.registers();

	registers[0x300c] = 0x07800800;
	expect_done(npu.run(program(registers)));
	npu_model_reset(npu.get());
	registers[0x300c] = 0x06800800;
	EXPECT_EQ(npu.run(program(registers)), NPU_MODEL_HUNG);
	EXPECT_FALSE(npu.irq());
}

/* AMOUNTS has 16 bits. A model may refuse large ones, but must not hang. */
TEST_F(ModelPc, LongFetches)
{
	Stream stream = program(matmul.registers());

	npu.bus.map(0x50000000, 0x200000);
	npu.place(stream, 0x50000000);
	expect_done(npu.start(0x50000000, 0x3ff));
	for (const uint32_t amount : {0x400u, 0xfffu, 0xffffu})
		EXPECT_NE(npu.start(0x50000000, amount), NPU_MODEL_HUNG) << amount;
}

TEST_F(ModelPc, CommandOfAnotherBlockIsIgnored)
{
	Stream stream = program(matmul.registers());

	/* Offset of the CNA, target of the DPU. */
	stream.insert(stream.end() - 4, command(0x1001, 0x1020, 0));
	expect_done(npu.run(stream));
}

} /* namespace */
} /* namespace model_test */
