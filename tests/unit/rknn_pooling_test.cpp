/* SPDX-License-Identifier: MIT */
/*
 * Pooling against plain arithmetic, through the model.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/pooling.h>

#include "machine.h"
#include "model_reference.h"
#include "operation.h"

namespace npu::rknn
{

namespace
{

using test::pick;
using test::pick_of;
using Method = Pooling::Method;

Pooling random_pooling(std::mt19937 &random, Type type, std::initializer_list<Method> methods)
{
	Pooling p;

	p.method = pick_of(random, methods);
	p.type = type;
	p.kernel = {pick(random, 2, 5), pick(random, 2, 5)};
	if (random() % 8 == 0)
		p.kernel = {pick(random, 2, 16), pick(random, 2, 16)};
	p.stride = {pick(random, 1, 4), pick(random, 1, 4)};
	p.pads = {pick(random, 0, std::min(p.kernel.width - 1, 7U)),
		  pick(random, 0, std::min(p.kernel.height - 1, 7U)),
		  pick(random, 0, std::min(p.kernel.width - 1, 7U)),
		  pick(random, 0, std::min(p.kernel.height - 1, 7U))};
	p.input = {pick(random, p.kernel.width, 24), pick(random, p.kernel.height, 24),
		   pick_of(random, {1U, 8U, 16U, 17U, 40U, 64U, 70U})};
	if (type == Type::int8)
		p.zero_point = static_cast<std::int32_t>(random() % 256) - 128;
	return p;
}

std::string name(const Pooling &p)
{
	const auto text = [](std::uint32_t a, std::uint32_t b) {
		return std::to_string(a) + "x" + std::to_string(b);
	};

	return "method " + std::to_string(static_cast<int>(p.method)) + ", " +
	       text(p.input.width, p.input.height) + "x" + std::to_string(p.input.channels) +
	       ", window " + text(p.kernel.width, p.kernel.height) + ", stride " +
	       text(p.stride.width, p.stride.height) + ", pads " + text(p.pads.left, p.pads.top) +
	       " " + text(p.pads.right, p.pads.bottom);
}

std::size_t size_of(const Shape &shape)
{
	return std::size_t{shape.width} * shape.height * shape.channels;
}

template <typename T>
std::vector<T> compute(const Pooling &pooling, std::span<const T> input, std::uint32_t cores)
{
	const Layout in(pooling.type, pooling.input);
	const Layout out(pooling.type, output_shape(pooling));
	test::Machine machine;
	const PoolingAddresses addresses{machine.allocate(in.bytes()),
					 machine.allocate(out.bytes())};
	std::vector<T> results(size_of(out.shape()));

	pack(in, std::as_bytes(input), machine.memory(addresses.input));
	const auto lanes = emit(pooling, addresses, cores);
	EXPECT_TRUE(lanes) << lanes.error().message;
	if (!lanes)
		return results;
	test::run(machine, *lanes);
	unpack(out, machine.memory(addresses.output), std::as_writable_bytes(std::span(results)));
	return results;
}

/// Call @p take with the numbers of the window of each result, in order: those
/// outside are @p pad.
template <typename T, typename Take>
void for_windows(const Pooling &p, std::span<const T> input, T pad, const Take &take)
{
	const Shape out = output_shape(p);
	std::vector<T> values;

	for (std::uint32_t y = 0; y < out.height; y++)
		for (std::uint32_t x = 0; x < out.width; x++)
			for (std::uint32_t channel = 0; channel < out.channels; channel++) {
				values.clear();
				for (std::uint32_t i = 0; i < p.kernel.width * p.kernel.height;
				     i++) {
					const std::uint32_t in_x = x * p.stride.width +
								   i % p.kernel.width - p.pads.left;
					const std::uint32_t in_y = y * p.stride.height +
								   i / p.kernel.width - p.pads.top;
					const bool inside =
						in_x < p.input.width && in_y < p.input.height;

					values.push_back(
						inside ? input[(std::size_t{in_y} * p.input.width +
								in_x) * p.input.channels +
							       channel]
						       : pad);
				}
				take(values);
			}
}

TEST(Pooling, Int8MaximumAndMinimumAreExact)
{
	std::mt19937 random(41);

	for (std::uint32_t i = 0; i < 200; i++) {
		const Pooling p =
			random_pooling(random, Type::int8, {Method::maximum, Method::minimum});
		SCOPED_TRACE(name(p));
		const bool most = p.method == Method::maximum;
		const auto input = test::random_int8(random, size_of(p.input));
		const auto results = compute<std::int8_t>(p, input, 1 + i % 3);
		std::size_t at = 0;
		std::size_t wrong = 0;

		for_windows<std::int8_t>(p, input, most ? -128 : 127, [&](const auto &values) {
			wrong += results[at++] !=
				 (most ? std::ranges::max(values) : std::ranges::min(values));
		});
		ASSERT_EQ(wrong, 0U);
	}
}

TEST(Pooling, Int8AveragesFollowTheReciprocals)
{
	std::mt19937 random(42);

	for (std::uint32_t i = 0; i < 200; i++) {
		const Pooling p = random_pooling(random, Type::int8, {Method::average});
		SCOPED_TRACE(name(p));
		const auto input = test::random_int8(random, size_of(p.input));
		const auto results = compute<std::int8_t>(p, input, 1 + i % 3);
		const std::int64_t factor =
			std::int64_t{65536 / p.kernel.width} * (65536 / p.kernel.height);
		std::size_t at = 0;
		std::size_t wrong = 0;
		double worst = 0;

		for_windows<std::int8_t>(
			p, input, static_cast<std::int8_t>(p.zero_point), [&](const auto &values) {
				std::int64_t sum = 0;
				for (const std::int8_t value : values)
					sum += value;
				wrong += results[at] != test::divide_even(sum * factor, 32);
				worst = std::max(worst, std::abs(results[at] -
								 static_cast<double>(sum) /
									 static_cast<double>(
										 values.size())));
				at++;
			});
		ASSERT_EQ(wrong, 0U);
		ASSERT_LE(worst, 0.52);
	}
}

std::vector<std::uint16_t> random_halves(std::mt19937 &random, std::size_t count)
{
	std::vector<std::uint16_t> values(count);

	for (std::uint16_t &value : values)
		value = model_test::random_half(random, 8, 20);
	return values;
}

TEST(Pooling, Fp16MaximumAndMinimumAreExact)
{
	std::mt19937 random(43);

	for (std::uint32_t i = 0; i < 200; i++) {
		const Pooling p =
			random_pooling(random, Type::fp16, {Method::maximum, Method::minimum});
		SCOPED_TRACE(name(p));
		const bool most = p.method == Method::maximum;
		const auto input = random_halves(random, size_of(p.input));
		const auto results = compute<std::uint16_t>(p, input, 1 + i % 3);
		const auto less = [](std::uint16_t a, std::uint16_t b) {
			return model_test::half_value(a) < model_test::half_value(b);
		};
		std::size_t at = 0;
		std::size_t wrong = 0;

		/* Beyond all of the input. */
		for_windows<std::uint16_t>(
			p, input, most ? 0xfbff : 0x7bff, [&](const auto &values) {
				wrong += results[at++] != (most ? std::ranges::max(values, less)
								: std::ranges::min(values, less));
			});
		ASSERT_EQ(wrong, 0U);
	}
}

TEST(Pooling, Fp16AveragesAreClose)
{
	std::mt19937 random(44);

	for (std::uint32_t i = 0; i < 200; i++) {
		const Pooling p = random_pooling(random, Type::fp16, {Method::average});
		SCOPED_TRACE(name(p));
		const auto input = random_halves(random, size_of(p.input));
		const auto results = compute<std::uint16_t>(p, input, 1 + i % 3);
		std::size_t at = 0;
		double worst = 0;

		for_windows<std::uint16_t>(p, input, 0, [&](const auto &values) {
			double sum = 0;
			double most = 0;
			for (const std::uint16_t value : values) {
				sum += model_test::half_value(value);
				most = std::max(most, std::abs(model_test::half_value(value)));
			}
			const double average = sum / static_cast<double>(values.size());
			worst = std::max(worst,
					 std::abs(model_test::half_value(results[at++]) - average) /
						 most);
		});
		/* The reciprocals and the result have 11 bits each. */
		ASSERT_LE(worst, 3.0 / 2048);
	}
}

TEST(Pooling, NamesWhatTheHardwareCannotDo)
{
	const auto refused = [](const Pooling &pooling, int code, const char *what) {
		const auto lanes = emit(pooling, {}, 1);

		ASSERT_FALSE(lanes);
		EXPECT_EQ(lanes.error().code, code);
		EXPECT_NE(lanes.error().message.find(what), std::string::npos)
			<< lanes.error().message;
	};
	Pooling p;

	p.input = {32, 32, 16};
	p.kernel = {17, 2};
	refused(p, EOPNOTSUPP, "window is above 16");
	p.kernel = {16, 16};
	p.pads.left = 8;
	refused(p, EOPNOTSUPP, "padding is above 7");
	p.kernel = {2, 2};
	p.pads.left = 2;
	refused(p, EINVAL, "as large as the window");
	p.pads.left = 0;
	p.stride.height = 17;
	refused(p, EOPNOTSUPP, "stride is above 16");
	p.stride.height = 0;
	refused(p, EINVAL, "a size is 0");
	p.stride.height = 1;
	p.input.height = 1;
	refused(p, EINVAL, "larger than the padded input");
	p.kernel.height = 1;
	p.type = Type::fp16;
	p.method = Method::average;
	refused(p, EOPNOTSUPP, "1 wide or high");
	p.type = Type::int8;
	p.zero_point = 200;
	refused(p, EINVAL, "zero point");
}

} // namespace

} // namespace npu::rknn
