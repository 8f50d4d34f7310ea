/* SPDX-License-Identifier: MIT */
/*
 * Activations by look-up table against the functions themselves, through the model.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/lut.h>

#include "machine.h"
#include "model_reference.h"
#include "operation.h"

namespace npu::rknn
{

namespace
{

using test::pick;
using test::pick_of;

constexpr std::initializer_list<Function> functions{Function::sigmoid, Function::tanh,
						    Function::silu, Function::gelu};

/// The functions as a textbook has them.
double reference(Function function, double x)
{
	switch (function) {
	case Function::sigmoid:
		return 1 / (1 + std::exp(-x));
	case Function::tanh:
		return (std::exp(x) - std::exp(-x)) / (std::exp(x) + std::exp(-x));
	case Function::silu:
		return x / (1 + std::exp(-x));
	case Function::gelu:
		break;
	}
	return x * (1 + std::erf(x / std::numbers::sqrt2)) / 2;
}

Shape random_shape(std::mt19937 &random)
{
	return {pick(random, 1, 20), pick(random, 1, 20),
		pick_of(random, {1U, 3U, 8U, 16U, 17U, 40U, 64U})};
}

std::size_t size_of(const Shape &shape)
{
	return std::size_t{shape.width} * shape.height * shape.channels;
}

template <typename T>
std::vector<T> compute(const TableActivation &activation, std::span<const T> input,
		       std::uint32_t cores)
{
	const Layout layout(activation.type, activation.shape);
	test::Machine machine;
	const TableAddresses addresses{machine.allocate(layout.bytes()),
				       machine.allocate(layout.bytes()),
				       machine.allocate(layout.bytes())};
	std::vector<T> results(size_of(activation.shape));

	pack(layout, std::as_bytes(input), machine.memory(addresses.input));
	const auto lanes = emit(activation, addresses, cores);
	EXPECT_TRUE(lanes) << lanes.error().message;
	if (!lanes)
		return results;
	test::run(machine, *lanes);
	unpack(layout, machine.memory(addresses.output),
	       std::as_writable_bytes(std::span(results)));
	return results;
}

TEST(TableActivation, Int8IsTheNearest)
{
	std::mt19937 random(51);

	for (std::uint32_t i = 0; i < 200; i++) {
		const auto zero = [&] {
			return static_cast<std::int32_t>(random() % 256) - 128;
		};
		const TableActivation activation{
			.function = pick_of(random, functions),
			.type = Type::int8,
			.shape = random_shape(random),
			.input = {0.01F * static_cast<float>(pick(random, 1, 10)), zero()},
			.output = {0.01F * static_cast<float>(pick(random, 1, 10)), zero()}};
		SCOPED_TRACE(i);
		const auto input = test::random_int8(random, size_of(activation.shape));
		const auto results = compute<std::int8_t>(activation, input, 1 + i % 3);
		double worst = 0;

		for (std::size_t at = 0; at < results.size(); at++) {
			const double x = double{activation.input.scale} *
					 (input[at] - activation.input.zero_point);
			const double y =
				reference(activation.function, x) / activation.output.scale +
				activation.output.zero_point;
			worst = std::max(worst,
					 std::abs(results[at] - std::clamp(y, -128.0, 127.0)));
		}
		ASSERT_LE(worst, 0.5 + 1e-6);
	}
}

TEST(TableActivation, Fp16IsClose)
{
	std::mt19937 random(52);

	for (std::uint32_t i = 0; i < 200; i++) {
		const TableActivation activation{.function = pick_of(random, functions),
						 .type = Type::fp16,
						 .shape = random_shape(random)};
		SCOPED_TRACE(static_cast<int>(activation.function));
		std::vector<std::uint16_t> input(size_of(activation.shape));
		/* Up to 64 of both signs, and 0. */
		for (std::uint16_t &value : input)
			value = random() % 50 ? model_test::random_half(random, 5, 20) : 0;
		const auto results = compute<std::uint16_t>(activation, input, 1 + i % 3);
		double worst = 0;

		for (std::size_t at = 0; at < results.size(); at++) {
			const double x = model_test::half_value(input[at]);
			const double y = reference(activation.function, x);
			/* A step of the table of a factor, and the rounding to fp16. */
			const double steps =
				std::ldexp(std::max(1.0, std::abs(x)), -15) + std::abs(y) / 2048;

			worst = std::max(worst,
					 std::abs(model_test::half_value(results[at]) - y) / steps);
		}
		ASSERT_LE(worst, 2.0);
	}
}

TEST(TableActivation, LargeMapsAreCutIntoTasks)
{
	std::mt19937 random(53);
	const TableActivation activation{.function = Function::silu,
					 .type = Type::int8,
					 .shape = {100, 90, 17},
					 .input = {0.05F, 0},
					 .output = {0.05F, 0}};
	const auto input = test::random_int8(random, size_of(activation.shape));
	const auto lanes = emit(activation, {}, 1);
	const auto results = compute<std::int8_t>(activation, input, 1);

	ASSERT_TRUE(lanes);
	/* The table in two tasks, of which the second does a part already. */
	EXPECT_EQ(lanes->front().size(), 1U + (100 * 90 + 1023) / 1024);
	for (std::size_t at = 0; at < results.size(); at++)
		ASSERT_NEAR(results[at], reference(Function::silu, 0.05 * input[at]) / 0.05, 0.51);
}

/// Tables have no zeros: the device decodes them as large numbers, which the model does not.
TEST(TableActivation, Fp16TablesHaveNoZero)
{
	for (const Function function : functions) {
		const Table table =
			table_of(TableActivation{.function = function, .type = Type::fp16});

		for (std::size_t i = 0; i < Table::entries; i++) {
			EXPECT_GT(table.positive[i], 0);
			/* Interpolation between two entries does not cross zero either. */
			if (function == Function::tanh)
				EXPECT_LT(table.negative[i], 0);
			else
				EXPECT_GT(table.negative[i], 0);
		}
	}
}

TEST(TableActivation, StreamsHaveRoomInATask)
{
	for (const Type type : {Type::int8, Type::fp16}) {
		const auto lanes = emit(TableActivation{.type = type, .shape = {4, 4, 64}}, {}, 1);

		ASSERT_TRUE(lanes);
		for (const Task &task : lanes->front())
			EXPECT_LE(task.commands.size(), 1000U);
	}
}

TEST(TableActivation, RefusesWhatMakesNoSense)
{
	EXPECT_FALSE(emit(TableActivation{.shape = {0, 1, 1}}, {}, 1));
	EXPECT_FALSE(emit(TableActivation{}, {}, 0));
	EXPECT_FALSE(emit(TableActivation{.input = {-1, 0}}, {}, 1));
}

} // namespace

} // namespace npu::rknn
