/* SPDX-License-Identifier: MIT */
/*
 * Sums over slices of K that the device forms, against plain arithmetic, through
 * the model.
 */
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "machine.h"
#include "operation.h"
#include "shapes.h"

namespace npu::rknn
{

namespace
{

using test::pick;
using test::pick_of;
using test::Shape;

/// Shapes of one to three slices, and of more rows and channels than an addition
/// takes.
std::vector<Shape> accumulated_shapes()
{
	std::mt19937 random(21);
	std::vector<Shape> list;

	for (int i = 0; i < 200; i++)
		list.push_back({pick_of(random, {1U, 2U, 3U, 4U, 5U, 7U, 12U}),
				i % 4 ? pick(random, 2049, 4500) : pick(random, 1, 300),
				pick(random, 1, 70)});
	for (const std::uint32_t m : {127U, 128U, 129U, 300U})
		list.push_back({m, 2100, 33});
	list.push_back({2, 2100, 2100});
	list.push_back({1, 9000, 64});
	return list;
}

/// Runs @p weights (n rows of k) and @p features on the model.
template <typename T>
std::vector<T> multiply(const Shape &shape, std::span<const std::int8_t> features,
			std::span<const std::int8_t> weights, Sum sum)
{
	const WeightLayout layout(Type::int8, shape.k, shape.n);
	const Plan plan = plan_matmul({&layout, 1}, shape.m, test::Machine::core_count);
	test::Machine machine;
	Addresses addresses;
	std::vector<Lane> lanes;

	addresses.features = machine.allocate(feature_bytes(layout, shape.m));
	addresses.weights = machine.allocate(layout.bytes());
	addresses.results = machine.allocate(accumulated_bytes(layout, shape.m));
	pack_features(layout, shape.m, std::as_bytes(features), machine.memory(addresses.features));
	pack_weights(layout, std::as_bytes(weights), machine.memory(addresses.weights));
	for (const auto &tiles : plan.lanes) {
		Lane &lane = lanes.emplace_back();
		for (const Tile &tile : tiles)
			for (Task &task : emit_accumulated(layout, shape.m, tile, addresses, sum))
				lane.push_back(std::move(task));
	}
	test::run(machine, lanes);

	std::vector<T> sums(std::size_t{layout.padded_n()} * shape.m);
	std::memcpy(sums.data(), machine.memory(addresses.results).data(), sums.size() * sizeof(T));
	std::vector<T> rows(std::size_t{shape.m} * shape.n);
	unpack_sums(layout, shape.m, std::span<const T>(sums), std::span(rows));
	return rows;
}

/// Compare what the model gives as T with exact sums of @p features and @p weights.
template <typename T>
void check(const Shape &shape, std::span<const std::int8_t> features,
	   std::span<const std::int8_t> weights, Sum kind)
{
	const std::vector<T> rows = multiply<T>(shape, features, weights, kind);
	std::size_t wrong = 0;

	for (std::size_t row = 0; row < shape.m; row++)
		for (std::size_t column = 0; column < shape.n; column++) {
			std::int32_t sum = 0;
			for (std::size_t i = 0; i < shape.k; i++)
				sum += features[row * shape.k + i] * weights[column * shape.k + i];
			/* A conversion rounds to nearest. */
			wrong += rows[row * shape.n + column] != static_cast<T>(sum);
		}
	ASSERT_EQ(wrong, 0U) << shape.m << " x " << shape.k << " x " << shape.n;
}

TEST(Accumulate, SumsAreExact)
{
	std::mt19937 random(22);

	for (const Shape &shape : accumulated_shapes()) {
		const auto a = test::random_int8(random, std::size_t{shape.m} * shape.k);
		const auto b = test::random_int8(random, std::size_t{shape.n} * shape.k);

		if (random() % 2)
			check<std::int32_t>(shape, a, b, Sum::int32);
		else
			check<float>(shape, a, b, Sum::fp32);
		ASSERT_FALSE(HasFatalFailure());
	}
}

TEST(Accumulate, SumsAboveTwentyFourBitsBecomeTheNearestFloat)
{
	const Shape shape{3, 5000, 40};
	std::mt19937 random(23);
	std::vector<std::int8_t> a(std::size_t{shape.m} * shape.k, -127);
	std::vector<std::int8_t> b(std::size_t{shape.n} * shape.k, -127);

	/* Sums of about 8 * 10^7, whose last bits are not all 0. */
	for (std::size_t i = 0; i < b.size(); i += 100)
		b[i] = static_cast<std::int8_t>(random());
	check<float>(shape, a, b, Sum::fp32);
}

TEST(Accumulate, ResultsOfOneSliceNeedNoAddition)
{
	const WeightLayout one(Type::int8, 2048, 32);
	const WeightLayout two(Type::int8, 2049, 32);
	const Plan plan = plan_matmul({&two, 1}, 4, 1);

	EXPECT_EQ(accumulated_bytes(one, 4), 4U * 32 * 4);
	EXPECT_EQ(accumulated_bytes(two, 4), 2U * 4 * 32 * 4);
	EXPECT_EQ(emit_accumulated(two, 4, plan.lanes[0][0], {}, Sum::fp32).size(), 1U);
	const auto tasks = emit_accumulated(two, 4, plan.lanes[0][1], {}, Sum::fp32);
	ASSERT_EQ(tasks.size(), 2U);
	EXPECT_EQ(tasks[1].enable, enable_flying);
}

TEST(Accumulate, RefusesWhatDoesNotFitIn32Bits)
{
	const auto refused = can_accumulate({Type::int8, 131072, 1});

	EXPECT_TRUE(can_accumulate({Type::int8, 131071, 1}));
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, EOPNOTSUPP);
	EXPECT_NE(refused.error().message.find("131072"), std::string::npos);
	EXPECT_FALSE(can_accumulate({Type::fp16, 32, 1}));
}

} // namespace

} // namespace npu::rknn
