/* SPDX-License-Identifier: MIT */
/*
 * Random streams. Whatever their contents, the model ends, raises an interrupt if and only if it is
 * done, and does not access the bus after a fault. Most useful in a build with sanitizers.
 */
#include "model_flying.h"
#include "model_matmul.h"

namespace model_test
{
namespace
{

class ModelFuzz : public testing::Test
{
protected:
	/* Small tensors, so that most random addresses are unmapped. */
	ModelFuzz()
	{
		npu.bus.map(feature_base, 0x40000);
		npu.bus.map(weight_base, 0x40000);
		npu.bus.map(output_base, 0x80000);
	}

	uint32_t below(uint32_t end) { return static_cast<uint32_t>(rng()) % end; }

	/* A value that probably hits a limit. */
	uint32_t odd_value(uint32_t old)
	{
		switch (below(8)) {
		case 0:
			return static_cast<uint32_t>(rng());
		case 1:
			return 0;
		case 2:
			return ~0u;
		case 3:
			return old ^ 1u << below(32);
		case 4:
			return old + 1;
		case 5:
			return old - 1;
		case 6:
			return static_cast<uint32_t>(rng()) >> below(32);
		default:
			return old * 2;
		}
	}

	Matmul random_matmul()
	{
		const Kind kinds[] = {Kind::int8, Kind::fp16, Kind::fp16_to_fp16};
		const bool image = below(2);
		const bool rows = !image && below(2);

		return {.kind = kinds[below(3)],
			.w = image ? 1 + below(9) : 1,
			.h = 1 + below(9),
			.k = 16 * (1 + below(12)),
			.n = 32 * (1 + below(4)),
			.line_off = rows || below(2),
			.rows_in = rows,
			.rows_out = !image && below(2),
			.data_banks = 1 + below(12),
			.weight_banks = 1 + below(12)};
	}

	/* A convolution of any kind and precision. */
	Convolve random_convolve()
	{
		const std::pair<Prec, Prec> types[] = {
			{p_int8, p_int8},   {p_int8, p_int32}, {p_int4, p_int16},
			{p_int16, p_int32}, {p_fp16, p_fp16},  {p_fp16, p_fp32},
			{p_bf16, p_fp32},   {p_tf32, p_fp32},  {p_int8, p_fp16}};
		const auto [in, out] = types[below(9)];
		Convolve conv{.in = in,
			      .out = out,
			      .w = 5 + below(12),
			      .h = 5 + below(12),
			      .c = 1 + below(80),
			      .n = 1 + below(70),
			      .kw = 1 + below(4),
			      .kh = 1 + below(4),
			      .sx = 1 + below(3),
			      .sy = 1 + below(3),
			      .dx = 1 + below(2),
			      .dy = 1 + below(2),
			      .left = below(4),
			      .top = below(4),
			      .right = below(4),
			      .bottom = below(4),
			      .pad = static_cast<uint32_t>(rng())};

		if (below(4) == 0) {
			conv.sx = conv.sy = 1;
			conv.up = 2u << below(3);
		} else if (below(4) == 0 && (in == p_int8 || in == p_fp16)) {
			conv.c = 1 + below(4);
			conv.image = true;
		} else if (below(3) == 0 && (in == p_int8 || in == p_fp16 || in == p_bf16)) {
			conv.depthwise = true;
		}
		return conv;
	}

	/* Registers of every engine, beside those of a task. */
	void add_noise(Registers &registers)
	{
		const uint32_t often[] = {0x4040, 0x4044, 0x4048, 0x4050, 0x4054, 0x4060, 0x4064,
					  0x4068, 0x4070, 0x4074, 0x4078, 0x4080, 0x4084, 0x4088,
					  0x4108, 0x410c, 0x4110, 0x4114, 0x4118, 0x411c, 0x4120,
					  0x4124, 0x501c, 0x5028, 0x5034, 0x5040, 0x5044, 0x504c,
					  0x301c, 0x3010, 0x1184, 0x104c};

		for (uint32_t words = below(8); words; words--) {
			const uint32_t reg = often[below(std::size(often))];

			registers[reg] = odd_value(registers[reg]);
		}
		for (const auto &[reg, base] :
		     {std::pair{0x5018u, feature_base}, std::pair{0x5020u, weight_base},
		      std::pair{0x502cu, weight_base}, std::pair{0x5038u, feature_base}})
			if (!registers.contains(reg))
				registers[reg] = base;
	}

	/* Runs the stream at the start of the code and checks the invariants. */
	npu_model_status check(uint32_t amount, uint32_t tasks)
	{
		npu.bus.log.clear();
		npu->stats.tasks = 0;
		npu.prepare(code_base, amount, tasks);
		/* Enable and clear the interrupts of all blocks that may end a program. */
		npu.write(0x0020, 0xf00);
		npu.write(0x0024, 0xf00);
		npu.write(0x0008, 1);
		const npu_model_status status = npu_model_run(npu.get());

		EXPECT_EQ(npu.irq(), status == NPU_MODEL_DONE);
		if (status == NPU_MODEL_DONE) {
			EXPECT_EQ(npu->stats.tasks, tasks);
		} else {
			EXPECT_LT(npu->stats.tasks, tasks);
			EXPECT_EQ(npu.raw(), 0u);
		}
		for (const Bus::Access &access : npu.bus.log) {
			const bool refused = !npu.bus.find(access.addr, access.len);

			EXPECT_NE(access.len, 0u);
			if (!refused)
				continue;
			/* No access follows a refused one. */
			EXPECT_EQ(&access, &npu.bus.log.back());
			EXPECT_EQ(status, NPU_MODEL_FAULT);
			EXPECT_LT(npu->fault_addr - access.addr, access.len);
		}
		if (status == NPU_MODEL_FAULT) {
			EXPECT_FALSE(npu.bus.log.empty());
			const Bus::Access last = npu.bus.log.back();
			EXPECT_EQ(npu.bus.find(last.addr, last.len), nullptr);
		}
		seen[status]++;
		npu.acknowledge();
		return status;
	}

	std::mt19937 rng{12345};
	std::map<npu_model_status, uint32_t> seen;
	Npu npu;
};

/* Valid programs with a few changed registers. */
TEST_F(ModelFuzz, ChangedRegisters)
{
	for (int i = 0; i < 20000 && !HasFailure(); i++) {
		Registers registers = random_matmul().registers();

		for (uint32_t changes = below(4); changes; changes--) {
			auto reg = registers.begin();

			std::advance(reg, below(static_cast<uint32_t>(registers.size())));
			reg->second = odd_value(reg->second);
		}
		const Stream stream = program(registers);
		npu.place(stream);
		check(amounts(stream.size()), 1);
	}
	/* Each kind of end must occur, or the test would cover little. */
	EXPECT_GT(seen[NPU_MODEL_DONE], 1000u);
	EXPECT_GT(seen[NPU_MODEL_HUNG], 1000u);
	EXPECT_GT(seen[NPU_MODEL_FAULT], 100u);
	EXPECT_GT(seen[NPU_MODEL_UNSUPPORTED], 100u);
}

/*
 * Sizes that agree with each other in all blocks, at any values: what a checker
 * of single registers lets through.
 */
TEST_F(ModelFuzz, AgreeingSizes)
{
	for (int i = 0; i < 20000 && !HasFailure(); i++) {
		Matmul matmul = random_matmul();

		if (below(4) == 0)
			matmul.h = 1 + below(2100) / (1 + below(100));
		if (below(4) == 0)
			matmul.w = 1 + below(2100) / (1 + below(100));
		if (below(4) == 0)
			matmul.k = 8 * (1 + below(8191) / (1 + below(300)));
		if (below(8) == 0)
			matmul.n = 16 * (1 + below(1100) / (1 + below(100)));
		matmul.data_banks = below(16);
		matmul.weight_banks = below(16);
		Registers registers = matmul.registers();
		if (below(2))
			registers[0x1040] |= below(4) << 12;
		if (below(4) == 0)
			registers[0x1044] = odd_value(registers[0x1044]);
		if (below(4) == 0)
			registers[0x107c] = odd_value(registers[0x107c]);
		if (below(4) == 0)
			registers[0x1080] = odd_value(registers[0x1080]);
		for (const uint32_t reg : {0x1070u, 0x1110u, 0x4020u})
			if (below(8) == 0)
				registers[reg] += below(0x80000) - 0x20000;
		const Stream stream = program(registers);
		npu.place(stream);
		check(amounts(stream.size()), 1);
	}
	EXPECT_GT(seen[NPU_MODEL_DONE], 1000u);
}

/* All operations that the model computes, mostly with wrong settings. */
TEST_F(ModelFuzz, EveryBlock)
{
	const uint32_t ew_forms[] = {0x383,      0x108202c0, 0x108003c4, 0x10c203c0,
				     0x10400340, 0x904202c0, 0x302,      0x008202c0};

	npu.bus.map(operand_base, 0x40000);
	for (int i = 0; i < 3000 && !HasFailure(); i++) {
		uint32_t enable = below(2) ? 0x0d : 0x1d;
		Registers registers;

		if (below(3)) {
			registers = random_convolve().registers();
		} else {
			const Prec types[] = {p_int8, p_int16, p_fp16, p_bf16, p_int32, p_fp32};
			const Prec in = types[below(6)];
			const Flying flying{.in = in,
					    .out = below(2) ? in : types[below(6)],
					    .proc = in,
					    .w = 1 + below(40),
					    .h = 1 + below(20),
					    .c = 1 + below(70)};

			registers = flying.with_operand(ew_forms[below(8)]);
			enable = 0x18;
		}
		if (below(2))
			registers[0x4070] = ew_forms[below(8)];
		if (below(2))
			registers[0x5044] = registers[0x5044] | (below(2) ? 0x10 : 0x500);
		if (below(2))
			add_noise(registers);
		for (uint32_t changes = below(3); changes; changes--) {
			auto reg = registers.begin();

			std::advance(reg, below(static_cast<uint32_t>(registers.size())));
			reg->second = odd_value(reg->second);
		}
		const Stream stream = program(registers, {}, enable);
		npu.place(stream);
		check(amounts(stream.size()), 1);
	}
	EXPECT_GT(seen[NPU_MODEL_DONE], 300u);
	EXPECT_GT(seen[NPU_MODEL_HUNG], 300u);
	EXPECT_GT(seen[NPU_MODEL_FAULT], 100u);
	EXPECT_GT(seen[NPU_MODEL_UNSUPPORTED], 300u);
}

/* Pooling of any size and at any addresses. */
TEST_F(ModelFuzz, Pooling)
{
	for (int i = 0; i < 1500 && !HasFailure(); i++) {
		const uint32_t w = below(30), h = below(30), c = below(64);
		const uint32_t fp16 = below(2);
		Registers registers{{0x600c, w},
				    {0x6010, h},
				    {0x6014, c},
				    {0x6018, below(40)},
				    {0x601c, below(20)},
				    {0x6020, c},
				    {0x6024, 0x10 | below(3)},
				    {0x6034, static_cast<uint32_t>(rng())},
				    {0x6038, static_cast<uint32_t>(rng())},
				    {0x603c, static_cast<uint32_t>(rng())},
				    {0x6040, static_cast<uint32_t>(rng())},
				    {0x6044, static_cast<uint32_t>(rng())},
				    {0x6070, output_base},
				    {0x607c, 0x2000},
				    {0x6084, fp16 ? 2u : 0u},
				    {0x700c, w},
				    {0x7010, h},
				    {0x7014, c},
				    {0x701c, feature_base},
				    {0x7024, 16 * (w + 1)},
				    {0x7028, 16 * (w + 1) * (h + 1)},
				    {0x7030, fp16 ? 2 : below(2)}};

		for (uint32_t changes = below(3); changes; changes--) {
			auto reg = registers.begin();

			std::advance(reg, below(static_cast<uint32_t>(registers.size())));
			reg->second = odd_value(reg->second);
		}
		const Stream stream = program(registers, {}, 0x60);
		npu.place(stream);
		check(amounts(stream.size()), 1);
	}
	EXPECT_GT(seen[NPU_MODEL_DONE], 100u);
	EXPECT_GT(seen[NPU_MODEL_HUNG], 10u);
	EXPECT_GT(seen[NPU_MODEL_FAULT], 10u);
}

/* Any registers with any values, in short chains, with words of noise between. */
TEST_F(ModelFuzz, Noise)
{
	const uint32_t targets[] = {0x0101, 0x0201, 0x0801, 0x1001, 0x0041,
				    0x0081, 0x2001, 0x4001, 0x8001, 0};

	for (int i = 0; i < 20000 && !HasFailure(); i++) {
		Stream stream = body(random_matmul().registers());

		for (uint32_t words = below(6); words; words--) {
			const uint32_t target = below(30) ? targets[below(4)] : targets[below(10)];
			const uint32_t block = target_of(0x1000) == target   ? 0x1000
					       : target_of(0x3000) == target ? 0x3000
					       : target_of(0x4000) == target ? 0x4000
									     : 0;
			const uint32_t reg = below(4) ? block + below(0x80) * 4 : below(0x10000);
			const uint64_t word = command(target, reg, odd_value(0x20000000));

			stream.insert(stream.begin() + below(static_cast<uint32_t>(stream.size())),
				      word);
		}
		const uint32_t next = below(8) ? code_base : static_cast<uint32_t>(rng());
		finish(stream, {next, below(8) ? amounts(stream.size() + 4) : below(0x10000)});
		npu.place(stream);
		check(below(16) ? amounts(stream.size()) : below(0x800), 1 + below(3));
	}
	EXPECT_GT(seen[NPU_MODEL_DONE], 100u);
}

/* Words of random bits. */
TEST_F(ModelFuzz, RandomWords)
{
	for (int i = 0; i < 2000 && !HasFailure(); i++) {
		Stream stream(2 + below(64));

		for (uint64_t &word : stream)
			word = uint64_t{static_cast<uint32_t>(rng())} << 32 |
			       static_cast<uint32_t>(rng());
		npu.place(stream);
		check(below(0x10000), 1 + below(4095));
	}
}

/* Host accesses to any register of the window. */
TEST_F(ModelFuzz, HostRegisters)
{
	for (int i = 0; i < 200000; i++) {
		const uint32_t reg = below(2) ? below(0x10000) : below(0x40);

		npu.write(reg, odd_value(below(2) ? 0 : code_base));
		npu.read(below(0x10000));
		if (below(16) == 0)
			npu_model_run(npu.get());
	}
	npu_model_reset(npu.get());
	const Matmul matmul{.h = 5, .k = 64};
	const Operands operands = matmul.random(rng);
	matmul.map(npu);
	matmul.store(npu, operands);
	ASSERT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_DONE);
	EXPECT_EQ(matmul.mismatches(npu, operands), 0u);
}

} /* namespace */
} /* namespace model_test */
