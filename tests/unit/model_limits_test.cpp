/* SPDX-License-Identifier: MIT */
/*
 * Where hardware stops: fields that wrap, groups and banks that do not fit,
 * addresses that are not mapped, settings that the model refuses.
 */
#include "model_matmul.h"

namespace model_test
{
namespace
{

struct Outcome {
	npu_model_status status;
	uint32_t mismatches;
	bool irq;
	uint32_t raw;
	uint32_t fault_addr;
	uint32_t error_reg;
};

Outcome outcome(const Matmul &matmul, const Registers &registers, uint32_t unmapped = 0)
{
	std::mt19937 rng(1);
	const Operands operands = matmul.random(rng);
	Npu npu;

	matmul.map(npu);
	matmul.store(npu, operands);
	if (unmapped)
		npu.bus.unmap(unmapped);
	Outcome outcome{};
	outcome.status = npu.run(program(registers));
	if (outcome.status == NPU_MODEL_DONE)
		outcome.mismatches = matmul.mismatches(npu, operands);
	outcome.irq = npu.irq();
	outcome.raw = npu.raw();
	outcome.fault_addr = npu->fault_addr;
	outcome.error_reg = npu->error_reg;
	return outcome;
}

Registers with(const Matmul &matmul, const Registers &changes)
{
	Registers registers = matmul.registers();

	for (const auto &[reg, value] : changes)
		registers[reg] = value;
	return registers;
}

void expect_status(const Matmul &matmul, const Registers &changes, npu_model_status status)
{
	const Outcome is = outcome(matmul, with(matmul, changes));

	EXPECT_EQ(is.status, status) << std::hex << is.error_reg;
	if (status != NPU_MODEL_DONE) {
		EXPECT_FALSE(is.irq);
		EXPECT_EQ(is.raw, 0u);
	} else {
		EXPECT_EQ(is.mismatches, 0u);
	}
}

/* Integers that CORE does not count in whole groups; of floats see ModelConvolve. */
TEST(ModelLimits, PartialKernelGroupHangs)
{
	for (const uint32_t n : {1u, 2u, 16u, 31u, 33u, 48u})
		expect_status({.n = n}, {}, NPU_MODEL_HUNG);
	expect_status({.kind = Kind::fp16, .n = 16}, {}, NPU_MODEL_DONE);
	expect_status({.kind = Kind::fp16, .n = 48}, {}, NPU_MODEL_DONE);
}

/* Heights and widths have 11 bits; higher bits are ignored. */
TEST(ModelLimits, SizesWrap)
{
	const Matmul tall{.h = 452}, wide{.w = 452, .h = 1};

	expect_status(tall, {{0x1020, 1 << 16 | 2500}}, NPU_MODEL_DONE);
	expect_status(wide, {{0x1020, 2500 << 16 | 1}, {0x1028, 2500}}, NPU_MODEL_DONE);
	/* 2048 is 0. */
	expect_status({.h = 1}, {{0x1020, 1 << 16 | 2048}}, NPU_MODEL_HUNG);
	expect_status({.h = 1}, {{0x1020, 2048u << 16 | 1}}, NPU_MODEL_HUNG);
}

/* A program for 2500 rows gives anything but 2500 right rows. */
TEST(ModelLimits, TooManyRowsAreNotComputed)
{
	const Matmul matmul{.h = 2500, .data_banks = 10, .weight_banks = 2};
	const Outcome is = outcome(matmul, matmul.registers());

	EXPECT_TRUE(is.status != NPU_MODEL_DONE || is.mismatches > 0);
}

TEST(ModelLimits, LargestHeight)
{
	expect_status({.h = 2047}, {}, NPU_MODEL_DONE);
	expect_status({.w = 2047, .h = 1}, {}, NPU_MODEL_DONE);
}

TEST(ModelLimits, FeaturesMustFitTheirBanks)
{
	/* 64 rows of 2048 bytes are four banks. */
	const Matmul matmul{.h = 64, .k = 2048, .data_banks = 5, .weight_banks = 2};

	expect_status(matmul, {}, NPU_MODEL_DONE);
	expect_status(matmul, {{0x1040, 2 << 4 | 3}}, NPU_MODEL_HUNG);
	expect_status(matmul, {{0x1040, 2 << 4 | 0}}, NPU_MODEL_HUNG);
	expect_status({.h = 81, .k = 2048, .data_banks = 5, .weight_banks = 2}, {}, NPU_MODEL_HUNG);
}

TEST(ModelLimits, OneGroupMustFitTheWeightBanks)
{
	/* A group is 32 * 2048 bytes, two banks. */
	const Matmul int8{.k = 2048, .n = 96, .data_banks = 2, .weight_banks = 2};
	const Matmul fp16{
		.kind = Kind::fp16, .k = 2080, .n = 48, .data_banks = 2, .weight_banks = 3};

	expect_status(int8, {}, NPU_MODEL_DONE);
	expect_status(int8, {{0x1040, 1 << 4 | 2}}, NPU_MODEL_HUNG);
	expect_status(int8, {{0x1040, 0 << 4 | 2}}, NPU_MODEL_HUNG);
	expect_status(fp16, {}, NPU_MODEL_DONE);
	expect_status(fp16, {{0x1040, 2 << 4 | 2}}, NPU_MODEL_HUNG);
}

/* There are twelve banks, which the two together must not exceed. */
TEST(ModelLimits, TwelveBanks)
{
	expect_status({.data_banks = 11, .weight_banks = 1}, {}, NPU_MODEL_DONE);
	expect_status({.data_banks = 1, .weight_banks = 11}, {}, NPU_MODEL_DONE);
	for (const auto &[data, weight] :
	     {std::pair{12u, 1u}, std::pair{7u, 6u}, std::pair{15u, 15u}, std::pair{1u, 12u}}) {
		const Matmul matmul{.data_banks = data, .weight_banks = weight};

		EXPECT_NE(outcome(matmul, matmul.registers()).status, NPU_MODEL_DONE);
	}
}

/* Any other value corrupts results on silicon, so that the model must not compute right ones. */
TEST(ModelLimits, FcDataBankDoesNotPass)
{
	const Matmul matmul;
	const Outcome is = outcome(matmul, with(matmul, {{0x1040, 0x166}}));

	EXPECT_TRUE(is.status != NPU_MODEL_DONE || is.mismatches > 0);
}

/* Blocks with different sizes wait for each other. */
TEST(ModelLimits, BlocksMustAgree)
{
	const Matmul matmul{.w = 3, .h = 5, .k = 64, .n = 64};

	for (const auto &[reg, value] : Registers{
		     {0x1028, 2},
		     {0x102c, 14},
		     {0x3014, 4 << 16 | 3},
		     {0x3014, 3 << 16 | 2},
		     {0x3018, 31},
		     {0x4030, 3},
		     {0x4034, 5},
		     {0x403c, 31 << 16 | 31},
		     {0x4058, 31},
		     {0x405c, 4 << 16 | 3},
	     }) {
		const Outcome is = outcome(matmul, with(matmul, {{reg, value}}));

		EXPECT_EQ(is.status, NPU_MODEL_HUNG) << std::hex << reg;
		EXPECT_FALSE(is.irq);
	}
}

/* With more surfaces per group than SIZE_E, results are wrong. */
TEST(ModelLimits, SizeEMustMatchThePrecision)
{
	for (const Kind kind : {Kind::int8, Kind::fp16, Kind::fp16_to_fp16}) {
		const Matmul matmul{.kind = kind};

		for (const uint32_t size_e : {0u, 1u, 3u, 7u}) {
			const uint32_t cfg = size_e << 8 | size_e << 5 | size_e << 2 | 2;
			const Outcome is = outcome(matmul, with(matmul, {{0x4050, cfg}}));

			if (size_e == matmul.surfaces() - 1) {
				EXPECT_EQ(is.status, NPU_MODEL_DONE);
				EXPECT_EQ(is.mismatches, 0u);
			} else {
				EXPECT_TRUE(is.status != NPU_MODEL_DONE || is.mismatches > 0);
			}
		}
	}
}

TEST(ModelLimits, UnmappedIsAFault)
{
	const Matmul matmul{.h = 5, .k = 64, .n = 64};

	for (const uint32_t base : {matmul.features, matmul.weights, matmul.output}) {
		const Outcome is = outcome(matmul, matmul.registers(), base);

		EXPECT_EQ(is.status, NPU_MODEL_FAULT);
		EXPECT_EQ(is.fault_addr, base);
		EXPECT_FALSE(is.irq);
		EXPECT_EQ(is.raw & 0x300, 0u);
	}
	Npu npu;
	npu.bus.unmap(code_base);
	EXPECT_EQ(npu.start(code_base, 50), NPU_MODEL_FAULT);
	EXPECT_EQ(npu->fault_addr, code_base);
	EXPECT_FALSE(npu.irq());
	EXPECT_EQ(npu.raw(), 0u);
}

/* A tensor that is too short faults at the end of its mapping, or in that access. */
TEST(ModelLimits, FaultAddressOfACutTensor)
{
	const Matmul matmul{.h = 5, .k = 64, .n = 64};
	const uint32_t sizes[] = {matmul.feature_size(), matmul.weight_size(),
				  matmul.output_size()};
	const uint32_t bases[] = {matmul.features, matmul.weights, matmul.output};

	for (int i = 0; i < 3; i++) {
		std::mt19937 rng(1);
		const Operands operands = matmul.random(rng);
		Npu npu;

		matmul.map(npu);
		matmul.store(npu, operands);
		npu.bus.map(bases[i], sizes[i] - 16);
		EXPECT_EQ(npu.run(program(matmul.registers())), NPU_MODEL_FAULT);
		ASSERT_FALSE(npu.bus.log.empty());
		const Bus::Access last = npu.bus.log.back();
		EXPECT_EQ(npu.bus.find(last.addr, last.len), nullptr) << "nothing after a fault";
		EXPECT_GE(npu->fault_addr, last.addr);
		EXPECT_LT(npu->fault_addr, last.addr + last.len);
		EXPECT_EQ(last.write, i == 2);
		EXPECT_FALSE(npu.irq());
	}
}

/* The model refuses, by name, features of the silicon that it does not implement. */
TEST(ModelLimits, NotModelledDoesNotPass)
{
	const std::pair<uint32_t, uint32_t> changes[] = {
		/* modes 1 and 2; precisions that nobody has seen; images of 5 channels */
		{0x100c, 1},
		{0x100c, 2},
		{0x100c, 4 << 4 | 4 << 7},
		{0x100c, 5 << 4 | 5 << 7},
		{0x100c, 0x6000c000},
		/* an image whose rows are aligned, and the other way round */
		{0x100c, 0x20008000},
		{0x100c, 0x40000000},
		/* coupled cores */
		{0x1014, 0x10000009},
		/* zero skipping; compressed weights */
		{0x1060, 1},
		{0x1100, 1},
		{0x117c, 7},
		/* the conversion on the way in, without an image */
		{0x104c, 0},
		/* one precision for the array and another for its neighbours */
		{0x3010, 0x200},
		{0x4010, 0x80000002},
		/* transposed, to the PPU, surfaces in another order */
		{0x4050, 0x080007fe},
		{0x400c, 0x1e2},
		{0x4010, 0x80000008},
		/* PReLU of all three units, operands of EW from registers */
		{0x4040, 0x72},
		{0x4060, 0x72},
		{0x4070, 0x108202e0},
		{0x4070, 0x10820280},
	};

	for (const auto &[reg, value] : changes) {
		const Matmul matmul{.h = 5, .k = 64};
		const Outcome is = outcome(matmul, with(matmul, {{reg, value}}));

		EXPECT_EQ(is.status, NPU_MODEL_UNSUPPORTED) << std::hex << reg << ' ' << value;
		EXPECT_FALSE(is.irq);
		EXPECT_EQ(is.error_reg, reg) << "the register is to be named";
	}
}

/* fp16 results without the conversion to fp16. */
TEST(ModelLimits, HalvesNeedTheirConversion)
{
	const Matmul matmul{.kind = Kind::fp16_to_fp16};
	const Outcome is = outcome(matmul, with(matmul, {{0x4084, 1}}));

	EXPECT_EQ(is.status, NPU_MODEL_UNSUPPORTED);
	EXPECT_EQ(is.error_reg, 0x4084u);
}

/* mc_surf_out, bit 3, lays the surfaces out in another way. */
TEST(ModelLimits, OtherSurfaceOrderDoesNotPass)
{
	EXPECT_NE(outcome({}, with({}, {{0x4010, 0x80000008}})).status, NPU_MODEL_DONE);
}

/* Dense weights have all amounts of the decompressor 0. */
TEST(ModelLimits, CompressedAmountsDoNotPass)
{
	EXPECT_NE(outcome({}, with({}, {{0x1140, 7}})).status, NPU_MODEL_DONE);
}

} /* namespace */
} /* namespace model_test */
