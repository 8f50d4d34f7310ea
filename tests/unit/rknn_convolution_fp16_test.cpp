/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of fp16 against the rule measured on silicon, through the model.
 */
#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/convolution.h>

#include "machine.h"
#include "model_reference.h"
#include "operation.h"

namespace npu::rknn
{

namespace
{

using test::pick;
using test::pick_of;

/// A convolution with its operands.
struct Case {
	Convolution convolution;
	std::vector<std::uint16_t> input;
	std::vector<std::uint16_t> weights;
	std::vector<float> bias;
	std::vector<std::uint16_t> residual;
};

std::size_t window(const Convolution &c)
{
	return std::size_t{c.kernel.width} * c.kernel.height * (c.depthwise ? 1 : c.input.channels);
}

std::vector<std::uint16_t> random_halves(std::mt19937 &random, std::size_t count)
{
	std::vector<std::uint16_t> values(count);

	/* From 2^-7 to 2^4, and some zeros. */
	for (std::uint16_t &value : values)
		value = random() % 16 ? model_test::random_half(random, 8, 18) : 0;
	return values;
}

Case random_case(std::mt19937 &random, bool depthwise)
{
	Case made;
	Convolution &c = made.convolution;

	c.type = Type::fp16;
	c.depthwise = depthwise;
	c.input = {pick(random, 1, 12), pick(random, 1, 12),
		   pick_of(random, {1U, 3U, 8U, 16U, 31U, 32U, 33U, 64U, 70U})};
	c.output_channels =
		depthwise ? c.input.channels : pick_of(random, {1U, 8U, 16U, 17U, 32U, 40U});
	const std::uint32_t most = pick_of(random, {1U, 3U, 3U, 5U});
	c.kernel = {pick(random, 1, most), pick(random, 1, most)};
	c.stride = {pick(random, 1, 2), pick(random, 1, 2)};
	c.dilation = {pick(random, 1, 2), pick(random, 1, 2)};
	const std::uint32_t span_x = (c.kernel.width - 1) * c.dilation.width;
	const std::uint32_t span_y = (c.kernel.height - 1) * c.dilation.height;
	c.pads = {pick(random, 0, span_x), pick(random, 0, span_y), pick(random, 0, span_x),
		  pick(random, 0, span_y)};
	c.input.width = std::max(c.input.width, span_x + 1);
	c.input.height = std::max(c.input.height, span_y + 1);
	c.activation = pick_of(random, {Activation::none, Activation::relu, Activation::relu6});
	c.residual = random() % 3 == 0;

	const Shape output = output_shape(c);
	made.input = random_halves(random,
				   std::size_t{c.input.width} * c.input.height * c.input.channels);
	made.weights = random_halves(random, window(c) * c.output_channels);
	for (std::uint32_t i = 0; i < c.output_channels; i++)
		made.bias.push_back(std::ldexp(static_cast<float>(random() % 2001) - 1000, -8));
	if (c.residual)
		made.residual = random_halves(random, std::size_t{output.width} * output.height *
							      output.channels);
	return made;
}

/// Sums of 32 channels of a window position are exact and rounded to fp32, and
/// added in the order of the weights: 32 channels after the other, in each the
/// positions.
float sum_of(const Case &from, std::uint32_t x, std::uint32_t y, std::uint32_t channel)
{
	const Convolution &c = from.convolution;
	const std::size_t channels = c.input.channels;
	float sum = 0;

	for (std::size_t first = 0; first < (c.depthwise ? 1 : channels); first += 32)
		for (std::uint32_t tap = 0; tap < c.kernel.width * c.kernel.height; tap++) {
			const std::uint32_t in_x = x * c.stride.width +
						   tap % c.kernel.width * c.dilation.width -
						   c.pads.left;
			const std::uint32_t in_y = y * c.stride.height +
						   tap / c.kernel.width * c.dilation.height -
						   c.pads.top;

			/* Outside, also where the subtraction went below 0. */
			if (in_x >= c.input.width || in_y >= c.input.height)
				continue;
			const std::span pixel =
				std::span(from.input)
					.subspan((std::size_t{in_y} * c.input.width + in_x) *
							 channels,
						 channels);
			const std::size_t lanes =
				c.depthwise ? 1 : std::min<std::size_t>(32, channels - first);
			const std::size_t weights =
				c.depthwise ? tap * channels + channel
					    : channel * window(c) + tap * channels + first;
			sum += model_test::to_float(model_test::dot_exact(
				pixel.subspan(c.depthwise ? channel : first, lanes),
				std::span(from.weights).subspan(weights, lanes)));
		}
	return sum;
}

/// Runs the convolution on the model.
std::vector<std::uint16_t> convolve(const Case &from, const ConvolutionPlan &plan)
{
	const Shape &output = plan.output().shape();
	test::Machine machine;
	ConvolutionAddresses addresses;

	addresses.input = machine.allocate(plan.input().bytes());
	addresses.weights = machine.allocate(plan.weight_bytes());
	addresses.bias = machine.allocate(plan.bias_bytes());
	addresses.output = machine.allocate(plan.output().bytes());
	pack(plan.input(), std::as_bytes(std::span(from.input)), machine.memory(addresses.input));
	pack_weights(plan, std::as_bytes(std::span(from.weights)),
		     machine.memory(addresses.weights));
	EXPECT_TRUE(pack_bias(plan, from.bias, machine.memory(addresses.bias)));
	if (from.convolution.residual) {
		addresses.residual = machine.allocate(plan.output().bytes());
		pack(plan.output(), std::as_bytes(std::span(from.residual)),
		     machine.memory(addresses.residual));
	}
	test::run(machine, emit(plan, addresses));

	std::vector<std::uint16_t> results(std::size_t{output.width} * output.height *
					   output.channels);
	unpack(plan.output(), machine.memory(addresses.output),
	       std::as_writable_bytes(std::span(results)));
	return results;
}

void check(const Case &from, std::uint32_t cores)
{
	const Convolution &c = from.convolution;
	const auto plan = plan_convolution(c, cores);
	ASSERT_TRUE(plan) << plan.error().message;
	const std::vector<std::uint16_t> results = convolve(from, *plan);
	const Shape &output = plan->output().shape();
	std::size_t wrong = 0;
	std::size_t i = 0;

	for (std::uint32_t y = 0; y < output.height; y++)
		for (std::uint32_t x = 0; x < output.width; x++)
			for (std::uint32_t channel = 0; channel < output.channels; channel++, i++) {
				float v = sum_of(from, x, y, channel) + from.bias[channel];

				if (c.residual)
					v += static_cast<float>(
						model_test::half_value(from.residual[i]));
				if (c.activation != Activation::none)
					v = std::max(v, 0.0F);
				if (c.activation == Activation::relu6)
					v = std::min(v, 6.0F);
				/* Zeros may differ in sign. */
				wrong += model_test::half_value(results[i]) !=
					 model_test::half_value(model_test::float_to_half(v));
			}
	ASSERT_EQ(wrong, 0U) << "of " << results.size();
}

TEST(ConvolutionFp16, FollowsTheRuleOf32)
{
	std::mt19937 random(61);

	for (std::uint32_t i = 0; i < 200; i++) {
		SCOPED_TRACE(i);
		check(random_case(random, false), 1 + i % 3);
		ASSERT_FALSE(HasFatalFailure());
	}
}

TEST(ConvolutionFp16, DepthwiseAddsInFp32)
{
	std::mt19937 random(62);

	for (std::uint32_t i = 0; i < 200; i++) {
		SCOPED_TRACE(i);
		check(random_case(random, true), 1 + i % 3);
		ASSERT_FALSE(HasFatalFailure());
	}
}

TEST(ConvolutionFp16, WeightsHaveTwoBanks)
{
	Convolution c;

	c.type = Type::fp16;
	c.input = {100, 400, 32};
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan);
	for (const ConvolutionTile &tile : plan->lanes().front())
		EXPECT_LE(tile.data_banks, 10U);
}

TEST(ConvolutionFp16, WritesAllChannelsThatAreRead)
{
	Convolution c;

	c.type = Type::fp16;
	c.output_channels = 5;
	for (const bool depthwise : {false, true}) {
		c.depthwise = depthwise;
		c.input.channels = depthwise ? 5 : 40;
		const auto plan = plan_convolution(c, 1);
		ASSERT_TRUE(plan);
		EXPECT_EQ(plan->padded_channels(), plan->output().read_channels());
	}
}

} // namespace

} // namespace npu::rknn
