/* SPDX-License-Identifier: MIT */
/*
 * The generator against exact reference arithmetic, through the model.
 */
#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <set>
#include <span>

#include <gtest/gtest.h>

#include <rknn/matmul.h>
#include <rknn/registers.h>
#include <rknn/rknn_regs.h>

#include "exact.h"
#include "machine.h"
#include "shapes.h"

namespace npu::rknn
{

using test::Shape;
using test::shapes;

namespace
{

/// Runs @p weights (n rows of k) and @p features on the model.
template <typename Operand, typename Sum>
std::vector<Sum> multiply(Type type, const Shape &shape, const std::vector<Operand> &features,
			  const std::vector<Operand> &weights)
{
	const WeightLayout layout(type, shape.k, shape.n);
	const Plan plan = plan_matmul({&layout, 1}, shape.m, test::Machine::core_count);
	test::Machine machine;
	Addresses addresses;

	addresses.features = machine.allocate(feature_bytes(layout, shape.m));
	addresses.weights = machine.allocate(layout.bytes());
	addresses.results = machine.allocate(result_bytes(layout, shape.m));
	pack_features(layout, shape.m, std::as_bytes(std::span(features)),
		      machine.memory(addresses.features));
	pack_weights(layout, std::as_bytes(std::span(weights)), machine.memory(addresses.weights));

	for (std::uint32_t core = 0; core < plan.lanes.size(); core++) {
		Lane lane;
		for (const Tile &tile : plan.lanes[core])
			lane.push_back(
				{emit(layout, shape.m, tile, addresses), enable_convolution});
		const npu_model_status status = machine.run(core, lane);
		EXPECT_EQ(status, NPU_MODEL_DONE) << std::hex << machine.core(core).error_reg
						  << " = " << machine.core(core).error_value
						  << " fault at " << machine.core(core).fault_addr;
		EXPECT_NE(npu_model_irq(&machine.core(core)), 0U);
	}

	std::vector<Sum> partial(result_bytes(layout, shape.m) / sizeof(Sum));
	std::memcpy(partial.data(), machine.memory(addresses.results).data(),
		    partial.size() * sizeof(Sum));
	std::vector<Sum> rows(std::size_t{shape.m} * shape.n);
	gather_results(layout, shape.m, partial, rows);
	return rows;
}

std::string name(const Shape &shape)
{
	return std::to_string(shape.m) + " x " + std::to_string(shape.k) + " x " +
	       std::to_string(shape.n);
}

/// Properties of the tiles of a plan. Each one exercises its own path of the generator; the tests
/// below depend on all of them.
struct Tiling {
	bool slices = false;
	bool rows = false;
	bool channels = false;
	bool reuse = false;
	std::set<std::size_t> lanes;
	std::set<std::uint32_t> banks;
};

Tiling tilings(Type type)
{
	Tiling seen;

	for (const Shape &shape : shapes()) {
		const WeightLayout layout(type, shape.k, shape.n);
		const Plan plan = plan_matmul({&layout, 1}, shape.m, test::Machine::core_count);

		seen.slices |= layout.slices() > 1;
		seen.lanes.insert(plan.lanes.size());
		for (const auto &lane : plan.lanes)
			for (const Tile &tile : lane) {
				seen.rows |= tile.m < shape.m;
				seen.channels |= tile.n < layout.padded_n();
				seen.reuse |= tile.data_reuse;
				seen.banks.insert(tile.data_banks);
			}
	}
	return seen;
}

TEST(Matmul, ShapesReachEveryKindOfTile)
{
	for (const Type type : {Type::int8, Type::fp16}) {
		const Tiling seen = tilings(type);

		EXPECT_TRUE(seen.slices);
		EXPECT_TRUE(seen.rows);
		EXPECT_TRUE(seen.channels);
		EXPECT_TRUE(seen.reuse);
		EXPECT_EQ(seen.lanes, (std::set<std::size_t>{1, 2, 3}));
		EXPECT_EQ(*seen.banks.begin(), 1U);
		EXPECT_GE(*seen.banks.rbegin(), 9U);
	}
}

TEST(Matmul, Int8IsExact)
{
	std::mt19937 random(2);

	for (const Shape &shape : shapes()) {
		SCOPED_TRACE(name(shape));
		std::vector<std::int8_t> a(std::size_t{shape.m} * shape.k);
		std::vector<std::int8_t> b(std::size_t{shape.n} * shape.k);
		for (auto *operand : {&a, &b})
			for (std::int8_t &value : *operand)
				value = static_cast<std::int8_t>(random());
		const auto c = multiply<std::int8_t, std::int32_t>(Type::int8, shape, a, b);

		std::size_t wrong = 0;
		for (std::size_t row = 0; row < shape.m; row++)
			for (std::size_t column = 0; column < shape.n; column++) {
				std::int32_t sum = 0;
				for (std::size_t i = 0; i < shape.k; i++)
					sum += a[row * shape.k + i] * b[column * shape.k + i];
				wrong += c[row * shape.n + column] != sum;
			}
		ASSERT_EQ(wrong, 0U);
	}
}

TEST(Matmul, Fp16FollowsTheRuleOf32)
{
	std::mt19937 random(3);

	for (const Shape &shape : shapes()) {
		SCOPED_TRACE(name(shape));
		std::vector<std::uint16_t> a(std::size_t{shape.m} * shape.k);
		std::vector<std::uint16_t> b(std::size_t{shape.n} * shape.k);
		for (auto *operand : {&a, &b})
			for (std::uint16_t &value : *operand) {
				/* Finite; mostly of middling size, sometimes of any. */
				const auto bits = static_cast<std::uint16_t>(random());
				const bool any = random() % 8 == 0;
				value = any && (bits & 0x7c00) != 0x7c00
						? bits
						: static_cast<std::uint16_t>((bits & 0x83ff) |
									     0x3000 |
									     (bits & 0x0c00));
			}
		const auto c = multiply<std::uint16_t, float>(Type::fp16, shape, a, b);
		const WeightLayout layout(Type::fp16, shape.k, shape.n);

		std::size_t wrong = 0;
		for (std::size_t row = 0; row < shape.m; row++)
			for (std::size_t column = 0; column < shape.n; column++)
				wrong += std::bit_cast<std::uint32_t>(c[row * shape.n + column]) !=
					 std::bit_cast<std::uint32_t>(test::dot_fp16(
						 layout,
						 std::span(a).subspan(row * shape.k, shape.k),
						 std::span(b).subspan(column * shape.k, shape.k)));
		ASSERT_EQ(wrong, 0U);
	}
}

TEST(Plan, CoversEverythingOnceAndKeepsTheHardwaresLimits)
{
	for (const Type type : {Type::int8, Type::fp16})
		for (const Shape &shape : shapes()) {
			SCOPED_TRACE(name(shape));
			const WeightLayout layout(type, shape.k, shape.n);
			const Plan plan = plan_matmul({&layout, 1}, shape.m, 3);
			std::uint64_t area = 0;
			std::uint64_t macs = 0;

			EXPECT_LE(plan.lanes.size(), 3U);
			for (const auto &lane : plan.lanes) {
				EXPECT_FALSE(lane.empty());
				EXPECT_FALSE(lane.front().data_reuse);
				for (const Tile &tile : lane) {
					const std::uint64_t k = layout.slice_begin(tile.slice + 1) -
								layout.slice_begin(tile.slice);
					const std::uint64_t row =
						(k * element_bytes(type) + 63) / 64 * 64;
					const std::uint64_t group =
						kernel_group(type) * k * element_bytes(type);

					EXPECT_LE(tile.m, 1022U);
					EXPECT_LE(tile.n, 8144U);
					EXPECT_EQ(tile.n % kernel_group(type), 0U);
					/*
					 * Features never fill their banks exactly, and leave room
					 * for a kernel group, which takes at least two banks of
					 * fp16.
					 */
					EXPECT_LE(tile.data_banks, type == Type::fp16 ? 10U : 11U);
					EXPECT_LT(tile.m * row,
						  std::uint64_t{tile.data_banks} * 32768);
					EXPECT_LE(group, (12 - tile.data_banks) * 32768ULL);
					area += std::uint64_t{tile.m} * tile.n * k;
				}
			}
			EXPECT_EQ(area,
				  std::uint64_t{shape.m} * layout.padded_n() * layout.padded_k());
			macs = std::uint64_t{shape.m} * shape.n * shape.k;
			EXPECT_EQ(plan.cost.macs, macs);
		}
}

TEST(Plan, Fp16WeightsHaveTwoBanks)
{
	const WeightLayout layout(Type::fp16, 512, 64);
	const Plan plan = plan_matmul({&layout, 1}, 700, 1);

	/* The kernel group would fit in one bank, which would leave room for more rows. */
	ASSERT_GT(plan.lanes.front().size(), 1U);
	for (const Tile &tile : plan.lanes.front())
		EXPECT_LE(tile.data_banks, 10U);
}

TEST(Plan, SharesOutEvenly)
{
	const std::vector<WeightLayout> qkv{
		{Type::int8, 192, 192}, {Type::int8, 192, 96}, {Type::int8, 192, 96}};
	const Plan plan = plan_matmul(qkv, 1, 3);

	ASSERT_EQ(plan.lanes.size(), 3U);
	for (const auto &lane : plan.lanes) {
		std::uint32_t channels = 0;
		for (std::size_t i = 0; i < lane.size(); i++) {
			channels += lane[i].n;
			/* The layers share their features. */
			EXPECT_EQ(lane[i].data_reuse, i > 0);
		}
		EXPECT_EQ(channels, 128U);
	}
}

TEST(Plan, ReusedFeaturesSaveTheirBytes)
{
	const WeightLayout layout(Type::int8, 512, 3 * 8128 * 2);
	const Plan plan = plan_matmul({&layout, 1}, 64, 3);
	const std::uint64_t weights = layout.bytes();
	const std::uint64_t results = result_bytes(layout, 64);

	EXPECT_EQ(plan.cost.bytes, weights + results + 3 * feature_bytes(layout, 64));
}

/*
 * Tasks that share features cannot be cut, and the kernel limits their time: 4 ms at 10.6 GB/s and
 * 1024 products per cycle of 1 GHz. The head of Qwen2.5-1.5B would exceed it.
 */
TEST(Plan, SharedFeaturesLeavePlacesToCut)
{
	for (const std::uint32_t m : {1U, 8U, 128U}) {
		SCOPED_TRACE(m);
		const WeightLayout layout(Type::int8, 1536, 151936);
		const Plan plan = plan_matmul({&layout, 1}, m, 3);
		bool reuse = false;

		for (const auto &lane : plan.lanes) {
			std::uint64_t bytes = 0;
			std::uint64_t macs = 0;

			for (const Tile &tile : lane) {
				if (!tile.data_reuse)
					bytes = macs = 0;
				reuse |= tile.data_reuse;
				bytes += std::uint64_t{tile.n} * 1536 +
					 std::uint64_t{tile.m} * (1536 + tile.n * 4);
				macs += std::uint64_t{tile.m} * tile.n * 1536;
				EXPECT_LE(bytes, 42'000'000U);
				EXPECT_LE(macs, 4'000'000'000U);
			}
		}
		EXPECT_TRUE(reuse);
	}
}

TEST(Registers, CommandsNameTheBlockOfTheirRegister)
{
	EXPECT_EQ(command(RKNN_CNA_CONV_CON1, 0x1234),
		  RKNN_CMD(RKNN_TARGET_CNA, RKNN_CNA_CONV_CON1, 0x1234));
	EXPECT_EQ(command(RKNN_CORE_MISC_CFG, 0xffffffff),
		  RKNN_CMD(RKNN_TARGET_CORE, RKNN_CORE_MISC_CFG, 0xffffffff));
	EXPECT_EQ(command(RKNN_DPU_SURFACE_ADD, 0),
		  RKNN_CMD(RKNN_TARGET_DPU, RKNN_DPU_SURFACE_ADD, 0));
	EXPECT_EQ(command(RKNN_RDMA_WEIGHT, 1),
		  RKNN_CMD(RKNN_TARGET_DPU_RDMA, RKNN_RDMA_WEIGHT, 1));
	EXPECT_EQ(command(RKNN_PPU_MISC, 1), RKNN_CMD(RKNN_TARGET_PPU, RKNN_PPU_MISC, 1));
	EXPECT_EQ(command(RKNN_PPU_RDMA_DATA_FORMAT, 1),
		  RKNN_CMD(RKNN_TARGET_PPU_RDMA, RKNN_PPU_RDMA_DATA_FORMAT, 1));
	EXPECT_EQ(command(RKNN_PPU_MISC, 1), 0x4001000000010000U | RKNN_PPU_MISC);
}

} // namespace

} // namespace npu::rknn
