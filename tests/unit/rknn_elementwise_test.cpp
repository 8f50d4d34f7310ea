/* SPDX-License-Identifier: MIT */
/*
 * Elementwise operations against plain arithmetic, through the model.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/elementwise.h>

#include "machine.h"
#include "model_reference.h"
#include "operation.h"

namespace npu::rknn
{

namespace
{

using test::pick;
using test::pick_of;
using Operation = Elementwise::Operation;

/// A shape of a few thousand elements at most.
Shape random_shape(std::mt19937 &random)
{
	return {pick(random, 1, 24), pick(random, 1, 24),
		pick_of(random, {1U, 3U, 8U, 16U, 17U, 32U, 33U, 64U, 65U})};
}

std::size_t size_of(const Shape &shape)
{
	return std::size_t{shape.width} * shape.height * shape.channels;
}

/// Runs the operation on @p a and @p b on the model.
template <typename T>
std::vector<T> compute(const Elementwise &operation, std::span<const T> a, std::span<const T> b,
		       std::uint32_t cores)
{
	const Layout layout(operation.type, operation.shape);
	test::Machine machine;
	const ElementwiseAddresses addresses{.a = machine.allocate(layout.bytes()),
					     .b = machine.allocate(layout.bytes()),
					     .output = machine.allocate(layout.bytes())};
	std::vector<T> results(size_of(operation.shape));

	pack(layout, std::as_bytes(a), machine.memory(addresses.a));
	pack(layout, std::as_bytes(b), machine.memory(addresses.b));
	const auto lanes = emit(operation, addresses, cores);
	EXPECT_TRUE(lanes) << lanes.error().message;
	if (!lanes)
		return results;
	test::run(machine, *lanes);
	unpack(layout, machine.memory(addresses.output),
	       std::as_writable_bytes(std::span(results)));
	return results;
}

template <typename Number>
Number apply(Operation operation, Number a, Number b)
{
	switch (operation) {
	case Operation::add:
		return a + b;
	case Operation::subtract:
		return a - b;
	case Operation::multiply:
		return a * b;
	case Operation::maximum:
		return std::max(a, b);
	case Operation::minimum:
		break;
	}
	return std::min(a, b);
}

constexpr std::initializer_list<Operation> operations{Operation::add, Operation::subtract,
						      Operation::multiply, Operation::maximum,
						      Operation::minimum};

/// In integers, as rknn/elementwise.h has it.
std::int64_t quantised(const Elementwise &operation, const ElementwiseIntegers &integers,
		       std::int64_t a, std::int64_t b)
{
	auto v = apply<std::int64_t>(operation.operation,
				     (a - operation.a.zero_point) * integers.factor_a,
				     (b - operation.b.zero_point) * integers.factor_b);

	if (operation.activation != Activation::none)
		v = std::max<std::int64_t>(v, 0);
	if (integers.ceiling)
		v = std::min<std::int64_t>(v, integers.ceiling);
	return test::clamp_int8(
		test::divide_even(v * integers.output.factor, integers.output.shift) +
		operation.output.zero_point);
}

/// In real numbers, in steps of the output.
double exact(const Elementwise &operation, std::int32_t a, std::int32_t b)
{
	const Quantisation &out = operation.output;
	auto v = apply<double>(operation.operation,
			       (a - operation.a.zero_point) * double{operation.a.scale},
			       (b - operation.b.zero_point) * double{operation.b.scale});

	if (operation.activation != Activation::none)
		v = std::max(v, 0.0);
	if (operation.activation == Activation::relu6)
		v = std::min(v, 6.0);
	return std::clamp(v / out.scale + out.zero_point, -128.0, 127.0);
}

Elementwise random_operation(std::mt19937 &random)
{
	const auto zero = [&] {
		return static_cast<std::int32_t>(random() % 256) - 128;
	};
	const auto scale = [&] {
		return 0.01F * static_cast<float>(pick(random, 1, 20));
	};
	Elementwise operation;

	operation.operation = pick_of(random, operations);
	operation.shape = random_shape(random);
	operation.activation =
		pick_of(random, {Activation::none, Activation::relu, Activation::relu6});
	operation.a = {scale(), zero()};
	operation.b = {scale(), zero()};
	operation.output = {scale(), zero()};
	if (operation.operation == Operation::maximum || operation.operation == Operation::minimum)
		operation.b.scale = operation.a.scale;
	return operation;
}

TEST(Elementwise, Int8IsExact)
{
	std::mt19937 random(31);

	for (std::uint32_t i = 0; i < 240; i++) {
		const Elementwise operation = random_operation(random);
		SCOPED_TRACE(i);
		const auto a = test::random_int8(random, size_of(operation.shape));
		const auto b = test::random_int8(random, size_of(operation.shape));
		const auto numbers = integers(operation);
		ASSERT_TRUE(numbers) << numbers.error().message;
		const auto results = compute<std::int8_t>(operation, a, b, 1 + i % 3);
		std::size_t wrong = 0;
		double worst = 0;

		for (std::size_t at = 0; at < results.size(); at++) {
			wrong += results[at] != quantised(operation, *numbers, a[at], b[at]);
			worst = std::max(worst,
					 std::abs(results[at] - exact(operation, a[at], b[at])));
		}
		ASSERT_EQ(wrong, 0U);
		/* Half a step, and what a factor loses that is 20 times the smaller. */
		ASSERT_LE(worst, 0.6);
	}
}

TEST(Elementwise, PlainIntegersSaturate)
{
	std::mt19937 random(32);

	for (const Operation kind : operations)
		for (int i = 0; i < 8; i++) {
			Elementwise operation;

			operation.operation = kind;
			operation.shape = random_shape(random);
			const auto a = test::random_int8(random, size_of(operation.shape));
			const auto b = test::random_int8(random, size_of(operation.shape));
			const auto results = compute<std::int8_t>(operation, a, b, 2);
			std::size_t wrong = 0;

			for (std::size_t at = 0; at < results.size(); at++)
				wrong += results[at] !=
					 test::clamp_int8(apply<int>(kind, a[at], b[at]));
			ASSERT_EQ(wrong, 0U) << static_cast<int>(kind);
		}
}

/// Maps of more pixels and channels than a task takes.
TEST(Elementwise, LargeMapsAreExact)
{
	std::mt19937 random(33);

	for (const Shape &shape : {Shape{1, 1, 2100}, Shape{130, 90, 5}, Shape{40, 20, 100}}) {
		const Elementwise operation{.shape = shape};
		const auto a = test::random_int8(random, size_of(shape));
		const auto b = test::random_int8(random, size_of(shape));
		const auto lanes = emit(operation, {}, 1);
		const auto results = compute<std::int8_t>(operation, a, b, 1);
		std::size_t wrong = 0;

		ASSERT_TRUE(lanes);
		EXPECT_GT(lanes->front().size(), 1U);
		for (std::size_t at = 0; at < results.size(); at++)
			wrong += results[at] != test::clamp_int8(a[at] + b[at]);
		ASSERT_EQ(wrong, 0U);
	}
}

TEST(Elementwise, Fp16FollowsFp32)
{
	std::mt19937 random(34);

	for (std::uint32_t i = 0; i < 200; i++) {
		Elementwise operation = random_operation(random);
		operation.type = Type::fp16;
		SCOPED_TRACE(i);
		std::vector<std::uint16_t> a(size_of(operation.shape));
		std::vector<std::uint16_t> b(a.size());
		for (auto *operand : {&a, &b})
			for (std::uint16_t &value : *operand)
				/* From 2^-7 to 2^8, of both signs. */
				value = static_cast<std::uint16_t>((random() & 0x83ff) |
								   pick(random, 8, 22) << 10U);
		const auto results = compute<std::uint16_t>(operation, a, b, 1 + i % 3);
		std::size_t wrong = 0;

		for (std::size_t at = 0; at < results.size(); at++) {
			auto v = apply<float>(operation.operation,
					      static_cast<float>(model_test::half_value(a[at])),
					      static_cast<float>(model_test::half_value(b[at])));
			if (operation.activation != Activation::none)
				v = std::max(v, 0.0F);
			if (operation.activation == Activation::relu6)
				v = std::min(v, 6.0F);
			/* Zeros may differ in sign. */
			wrong += model_test::half_value(results[at]) !=
				 model_test::half_value(model_test::float_to_half(v));
		}
		ASSERT_EQ(wrong, 0U) << static_cast<int>(operation.operation);
	}
}

TEST(Elementwise, NamesWhatItRefuses)
{
	const auto refused = [](const Elementwise &operation, int code, const char *what) {
		const auto lanes = emit(operation, {}, 1);

		ASSERT_FALSE(lanes);
		EXPECT_EQ(lanes.error().code, code);
		EXPECT_NE(lanes.error().message.find(what), std::string::npos)
			<< lanes.error().message;
	};

	refused({.shape = {0, 1, 1}}, EINVAL, "a size is 0");
	refused({.operation = Operation::maximum, .a = {1, 0}, .b = {2, 0}}, EINVAL,
		"different scales");
	refused({.a = {1, 0}, .b = {1e-6F, 0}}, ERANGE, "scales differ");
	refused({.b = {1, -129}}, EINVAL, "second operand");
	EXPECT_FALSE(emit(Elementwise{}, {}, 0));
}

} // namespace

} // namespace npu::rknn
