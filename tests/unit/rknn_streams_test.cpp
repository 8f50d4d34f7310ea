/* SPDX-License-Identifier: MIT */
/*
 * Words of generated streams against words of streams that are proven on silicon:
 * Mesa's convolutions, HAP's sums over K, GC's fp16 operations and the vendor's
 * pooling. The values are theirs, not derived from the headers of the generator.
 */
#include <cstdint>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/convolution.h>
#include <rknn/elementwise.h>
#include <rknn/lut.h>
#include <rknn/matmul.h>
#include <rknn/pooling.h>

namespace npu::rknn
{

namespace
{

using Registers = std::map<std::uint16_t, std::uint32_t>;

Registers registers_of(const Task &task)
{
	Registers registers;

	for (const std::uint64_t command : task.commands)
		registers[static_cast<std::uint16_t>(command)] =
			static_cast<std::uint32_t>(command >> 16U);
	return registers;
}

void expect(const Registers &registers, const Registers &expected)
{
	for (const auto &[reg, value] : expected) {
		ASSERT_TRUE(registers.contains(reg)) << std::hex << reg;
		EXPECT_EQ(registers.at(reg), value) << std::hex << "register " << reg;
	}
}

/// The only task of a convolution.
Registers convolution(const Convolution &c, const ConvolutionAddresses &addresses)
{
	const auto plan = plan_convolution(c, 1);

	if (!plan)
		return {};
	const auto lanes = emit(*plan, addresses);
	EXPECT_EQ(lanes.front().size(), 1U);
	EXPECT_EQ(lanes.front().front().enable, 0x1dU);
	return registers_of(lanes.front().front());
}

TEST(Streams, ConvolutionHasMesasWords)
{
	Convolution c;

	/* A layer of MobileNetV1: 112x112x32, 1x1, zero point 0x80 + 3. */
	c.input = {112, 56, 32};
	c.output_channels = 64;
	c.input_quantisation.zero_point = 3;
	c.weight_zero_point = 10;
	expect(convolution(c, {.input = 0x10000}), {
							   {0x100c, 0},
							   {0x1014, 0x9},
							   {0x1020, 112U << 16U | 56U},
							   {0x1024, 31U << 16U | 32U},
							   {0x1028, 112},
							   {0x102c, 112 * 56},
							   {0x1030, 32 * 64},
							   {0x1034, 32},
							   {0x1038, 0x01010000 | 64},
							   /* A row of 224 half entries. */
							   {0x1044, 56},
							   {0x104c, 0xb},
							   {0x1070, 0x10000},
							   {0x1078, 0x000f000f},
							   {0x107c, 4 * 112},
							   {0x1080, 112 * 56 - 4 * 112},
							   {0x3010, 1},
							   {0x400c, 0x1e4},
							   {0x4010, 0},
							   {0x4024, 112 * 56 * 16},
							   {0x4040, 0x20150},
							   /* SIZE_E 1. */
							   {0x4050, 0x124},
							   /* 0x80 - Zw, where Zw is
							    * 0x80 + 10. */
							   {0x4054, 0xfff6},
							   {0x4060, 0x53},
							   {0x4070, 0x383},
							   {0x40c0, 2 * 112 * 56 * 16},
							   {0x501c, 0x2},
							   {0x5034, 0x1},
							   {0x5044, 0x7810},
							   {0x5068, 0x01010101},
						   });
}

TEST(Streams, DepthwiseHasMesasWords)
{
	Convolution c;

	c.depthwise = true;
	c.input = {28, 28, 64};
	c.output_channels = 64;
	c.kernel = {3, 3};
	c.stride = {2, 2};
	c.pads = {1, 1, 0, 0};
	c.input_quantisation.zero_point = -128;
	expect(convolution(c, {}), {
					   {0x100c, 3},
					   {0x1014, 0x12},
					   {0x1030, 3 * 3 * 64},
					   {0x1034, 3 * 3 * 64},
					   {0x1038, 0x03030001},
					   {0x1068, 0x11},
					   {0x1184, 0x80808080},
					   {0x3010, 3},
					   {0x400c, 0x1fc},
					   /* SIZE_E 3. */
					   {0x4050, 0x36c},
					   {0x40c0, 4 * 14 * 14 * 16},
					   {0x5044, 0x7816},
				   });
}

TEST(Streams, ResidualHasMesasWords)
{
	Convolution c;

	c.input = {14, 14, 32};
	c.output_channels = 32;
	c.residual = true;
	c.residual_quantisation.zero_point = -7;
	expect(convolution(c, {.residual = 0x20000}), {
							      {0x4070, 0x904202c0},
							      {0x4074, 7},
							      {0x5018, 0x20000},
							      {0x5034, 0x40000004},
							      /* The second surface. */
							      {0x5038, 0x20000 + 14 * 14 * 16},
							      {0x5040, 14 * 14 * 16},
							      {0x5044, 0x7d00},
							      {0x504c, 14 * 14 * 16},
							      {0x506c, 14 * 14 * 16},
						      });
	/* Surfaces of a map of 3 x 3 are 12 atoms apart. */
	c.input = {3, 3, 32};
	expect(convolution(c, {}), {{0x5040, 12 * 16}, {0x504c, 15 * 16}, {0x506c, 15 * 16}});
}

TEST(Streams, FactorsOfChannelsHaveGNsWords)
{
	Convolution c;

	c.output_channels = 32;
	c.weight_scales.assign(32, 0.5F);
	c.weight_scales[1] = 0.25F;
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan);
	const std::uint32_t shift = plan->requantisations().front().shift;
	expect(convolution(c, {}), {
					   {0x4040, 0x20140},
					   {0x4048, shift << 8U | 1U},
					   {0x4010, shift << 4U},
					   {0x501c, 0xe},
				   });
	/* Eight channels: int32 A at 0, int16 B at 32, int16 C at 48. */
	std::vector<std::byte> records(plan->bias_bytes());
	std::vector<std::int32_t> bias(32);
	bias[1] = 0x1234;
	bias[9] = 0x4321;
	ASSERT_TRUE(pack_bias(*plan, std::vector<std::int8_t>(32), bias, records));
	EXPECT_EQ(records.size(), 4U * 64);
	EXPECT_EQ(records[4], std::byte{0x34});
	EXPECT_EQ(records[64 + 4], std::byte{0x21});
	EXPECT_EQ(records[48], std::byte{0xff});
	EXPECT_EQ(records[49], std::byte{0x7f});
	EXPECT_EQ(records[51], std::byte{0x40});
}

TEST(Streams, Fp16ConvolutionHasHapsWords)
{
	Convolution c;

	c.type = Type::fp16;
	c.input = {16, 16, 64};
	c.output_channels = 32;
	c.residual = true;
	c.activation = Activation::none;
	expect(convolution(c, {}), {
					   {0x100c, 0x120},
					   {0x3010, 0x200},
					   {0x4010, 0x48000002},
					   /* SIZE_E 1, OD_BYPASS. */
					   {0x4050, 0x126},
					   {0x4070, 0x108202c0},
					   {0x4084, 0x10001},
					   {0x5034, 0x40000008},
					   {0x5044, 0x17d40},
				   });
}

TEST(Streams, SumsOverKHaveHapsWords)
{
	const WeightLayout weights(Type::int8, 4096, 64);
	const Plan plan = plan_matmul({&weights, 1}, 16, 1);
	const Addresses addresses{0x100000, 0x200000, 0x300000};

	ASSERT_EQ(plan.lanes.front().size(), 2U);
	const auto first =
		emit_accumulated(weights, 16, plan.lanes.front()[0], addresses, Sum::fp32);
	const auto last =
		emit_accumulated(weights, 16, plan.lanes.front()[1], addresses, Sum::fp32);
	expect(registers_of(first[0]), {{0x4010, 0x80000000}, {0x4020, 0x300000}});
	expect(registers_of(last[0]), {{0x4010, 0x80000000}, {0x4020, 0x300000 + 64 * 16 * 4}});
	EXPECT_EQ(last[1].enable, 0x18U);
	expect(registers_of(last[1]), {
					      {0x400c, 0x1e5},
					      {0x4010, 0xb0000004},
					      {0x4020, 0x300000},
					      {0x4024, 16 * 16},
					      {0x4040, 0x53},
					      {0x4060, 0x53},
					      {0x4070, 0x10c203c0},
					      {0x5018, 0x300000},
					      {0x5034, 0x4000000c},
					      {0x5038, 0x300000 + 64 * 16 * 4},
					      {0x5040, 16 * 16},
					      {0x5044, 0x27881},
					      {0x504c, 0},
				      });
	/* One slice needs no addition: int8 to fp32 in the output stage. */
	const WeightLayout small(Type::int8, 64, 32);
	const Plan one = plan_matmul({&small, 1}, 1, 1);
	expect(registers_of(emit_accumulated(small, 1, one.lanes[0][0], addresses, Sum::fp32)[0]),
	       {{0x4010, 0xa0000000}, {0x4050, 0x7fe}});
}

Registers elementwise(Elementwise::Operation operation, Type type)
{
	Elementwise e;

	e.operation = operation;
	e.type = type;
	e.shape = {20, 1, 32};
	const auto lanes = emit(e, {.a = 0x1000, .b = 0x2000, .output = 0x3000}, 1);
	EXPECT_TRUE(lanes);
	EXPECT_EQ(lanes->front().front().enable, 0x18U);
	return registers_of(lanes->front().front());
}

TEST(Streams, Fp16OperationsHaveGCsWords)
{
	using Operation = Elementwise::Operation;

	expect(elementwise(Operation::add, Type::fp16), {
								{0x4010, 0x48000002},
								{0x403c, 31U << 16U | 31U},
								{0x4050, 0x126},
								{0x4070, 0x108202c0},
								{0x4084, 0x10001},
								{0x5034, 0x40000008},
							});
	expect(elementwise(Operation::maximum, Type::fp16), {{0x4070, 0x108002c0}});
	expect(elementwise(Operation::minimum, Type::fp16), {{0x4070, 0x108102c0}});
	expect(elementwise(Operation::multiply, Type::fp16), {{0x4070, 0x108003c4}});
	/* COMB_USE 4: bit 0 would hang the task. */
	EXPECT_EQ(elementwise(Operation::add, Type::fp16).at(0x5044) >> 8U & 7U, 4U);
}

TEST(Streams, Int8OperationsAgreeInEveryPrecision)
{
	using Operation = Elementwise::Operation;

	for (const auto &[operation, algorithm] :
	     std::map<Operation, std::uint32_t>{{Operation::add, 2},
						{Operation::subtract, 4},
						{Operation::maximum, 0x20},
						{Operation::minimum, 0x21}}) {
		const Registers registers = elementwise(operation, Type::int8);

		/* DATA_FORMAT, FEATURE_MODE_CFG: int8 everywhere. */
		EXPECT_EQ(registers.at(0x4010), 0U);
		EXPECT_EQ(registers.at(0x5044) & 0x380e0U, 0U);
		/* Operands of 8 bits; the algorithm, with EQUAL_EN if it compares. */
		EXPECT_EQ(registers.at(0x4070) >> 22U & 3U, 1U);
		EXPECT_EQ(registers.at(0x5034), 0x40000004U);
		EXPECT_EQ(registers.at(0x4070) >> 16U & 0x2fU, algorithm);
		/* SIZE_E 0, as in HAP's copies. */
		EXPECT_EQ(registers.at(0x4050), 2U);
		EXPECT_EQ(registers.at(0x4078), 1U);
		EXPECT_EQ(registers.at(0x4084), 1U);
	}
}

Registers pooling(Pooling::Method method, Type type, std::int32_t zero_point = 0)
{
	Pooling p;

	p.method = method;
	p.type = type;
	p.zero_point = zero_point;
	p.input = {12, 10, 16};
	p.kernel = {2, 3};
	p.stride = {1, 2};
	p.pads = {1, 2, 0, 1};
	const auto lanes = emit(p, {.input = 0x1000, .output = 0x2000}, 1);
	EXPECT_TRUE(lanes);
	EXPECT_EQ(lanes->front().front().enable, 0x60U);
	return registers_of(lanes->front().front());
}

TEST(Streams, PoolingHasTheVendorsWords)
{
	expect(pooling(Pooling::Method::maximum, Type::int8),
	       {
		       {0x600c, 11},      {0x6010, 9},           {0x6014, 15},
		       {0x6018, 11},      {0x601c, 5},           {0x6020, 15},
		       {0x6024, 0x11},    {0x6034, 0x00100201},  {0x6038, 0},
		       {0x603c, 0},       {0x6040, 0x1021},      {0x6044, 0x0007ff80},
		       {0x6070, 0x2000},  {0x607c, 12 * 6 * 16}, {0x6084, 12 * 6 * 16},
		       {0x60dc, 3},       {0x700c, 11},          {0x701c, 0x1000},
		       {0x7024, 12 * 16}, {0x7028, 120 * 16},    {0x7030, 1},
	       });
	expect(pooling(Pooling::Method::average, Type::int8),
	       {{0x6024, 0x10}, {0x6038, 0x8000}, {0x603c, 0x5555}, {0x6044, 0}});
	expect(pooling(Pooling::Method::average, Type::fp16), {{0x6038, 0x7800},
							       {0x603c, 0x7555},
							       {0x6044, 0},
							       {0x6084, 12 * 6 * 16 | 2},
							       {0x7030, 2}});
	expect(pooling(Pooling::Method::maximum, Type::fp16), {{0x6044, 0xfc00}});
	expect(pooling(Pooling::Method::minimum, Type::int8), {{0x6024, 0x12}});
	/* The zero point has the width of the vendor's constant. */
	expect(pooling(Pooling::Method::average, Type::int8, -3), {{0x6044, 0x0007fffd}});
}

TEST(Streams, TablesHaveHapsRanges)
{
	const auto lanes = emit(TableActivation{.function = Function::tanh,
						.type = Type::fp16,
						.shape = {4, 4, 32}},
				{}, 1);

	ASSERT_TRUE(lanes);
	ASSERT_EQ(lanes->front().size(), 2U);
	expect(registers_of(lanes->front()[1]), {
							{0x4068, 0x6c000000},
							{0x4070, 0x302},
							{0x4084, 0x10001},
							{0x4108, 0x68},
							{0x410c, 0x00060600},
							{0x4110, 0xffff8000},
							{0x4114, 0},
							{0x4118, 0},
							{0x411c, 0x8000},
						});
	/* 513 entries each, after the word that selects the table. */
	for (const auto &[task, access] :
	     std::map<std::size_t, std::uint32_t>{{0, 0x20000}, {1, 0x30000}}) {
		const auto &commands = lanes->front()[task].commands;

		EXPECT_EQ(commands[0], 0x1001ULL << 48U | std::uint64_t{access} << 16U | 0x4100U);
		for (std::size_t i = 1; i <= 513; i++)
			ASSERT_EQ(commands[i] & 0xffffU, 0x4104U);
		EXPECT_NE(commands[514] & 0xffffU, 0x4104U);
	}
}

} // namespace

} // namespace npu::rknn
