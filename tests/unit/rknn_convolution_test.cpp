/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of int8 against plain arithmetic, through the model.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/convolution.h>

#include "machine.h"
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
	std::vector<std::int8_t> input;
	std::vector<std::int8_t> weights;
	std::vector<std::int32_t> bias;
	std::vector<std::int8_t> residual;
};

std::string name(const Convolution &c)
{
	std::ostringstream text;

	text << (c.depthwise ? "depthwise " : "") << c.input.width << 'x' << c.input.height << 'x'
	     << c.input.channels << " -> " << c.output_channels << ", kernel " << c.kernel.width
	     << 'x' << c.kernel.height << ", stride " << c.stride.width << ' ' << c.stride.height
	     << ", dilation " << c.dilation.width << ' ' << c.dilation.height << ", pads "
	     << c.pads.left << ' ' << c.pads.top << ' ' << c.pads.right << ' ' << c.pads.bottom
	     << ", scales " << c.weight_scales.size() << ", activation "
	     << static_cast<int>(c.activation) << (c.residual ? ", residual" : "");
	return text.str();
}

std::size_t window(const Convolution &c)
{
	return std::size_t{c.kernel.width} * c.kernel.height * (c.depthwise ? 1 : c.input.channels);
}

/// Fill in scales under which results spread over int8, and random operands.
Case complete(std::mt19937 &random, Convolution c)
{
	const auto zero = [&] {
		return static_cast<std::int32_t>(random() % 256) - 128;
	};
	const Shape output = output_shape(c);
	const auto products = static_cast<float>(window(c));
	Case made;

	c.input_quantisation = {0.02F, zero()};
	c.weight_zero_point = random() % 2 ? zero() / 8 : 0;
	for (float &scale : c.weight_scales)
		scale = 0.01F / static_cast<float>(pick(random, 1, 12));
	c.output_quantisation = {0.02F * 0.01F * 5400 * std::sqrt(products) / 60, zero()};
	c.residual_quantisation = {c.output_quantisation.scale * 0.7F, zero()};

	made.input = test::random_int8(random, std::size_t{c.input.width} * c.input.height *
						       c.input.channels);
	made.weights = test::random_int8(random, window(c) * c.output_channels);
	for (std::uint32_t i = 0; i < c.output_channels; i++)
		made.bias.push_back(static_cast<std::int32_t>(random() % 20001) - 10000);
	if (c.residual)
		made.residual = test::random_int8(random, std::size_t{output.width} *
								  output.height * output.channels);
	made.convolution = c;
	return made;
}

Convolution random_convolution(std::mt19937 &random, bool depthwise)
{
	Convolution c;

	c.depthwise = depthwise;
	c.input = {pick(random, 1, 18), pick(random, 1, 18),
		   pick_of(random, {1U, 3U, 8U, 16U, 17U, 32U, 40U, 48U, 64U, 70U, 130U})};
	c.output_channels = depthwise
				    ? c.input.channels
				    : pick_of(random, {1U, 2U, 16U, 31U, 32U, 33U, 48U, 64U, 100U});
	const std::uint32_t most = pick_of(random, {1U, 3U, 3U, 5U, 7U});
	c.kernel = {pick(random, 1, most), pick(random, 1, most)};
	c.stride = {pick(random, 1, 3), pick(random, 1, 3)};
	c.dilation = {pick(random, 1, 2), pick(random, 1, 2)};
	const std::uint32_t span_x = (c.kernel.width - 1) * c.dilation.width;
	const std::uint32_t span_y = (c.kernel.height - 1) * c.dilation.height;
	c.pads = {pick(random, 0, span_x), pick(random, 0, span_y), pick(random, 0, span_x),
		  pick(random, 0, span_y)};
	c.input.width = std::max(c.input.width, span_x + 1);
	c.input.height = std::max(c.input.height, span_y + 1);
	c.activation = pick_of(random, {Activation::none, Activation::relu, Activation::relu6});
	c.residual = random() % 3 == 0;
	if (random() % 2)
		c.weight_scales.resize(c.output_channels);
	return c;
}

/// The requantisation that the plan has for a channel.
const Requantisation &requantisation_of(const ConvolutionPlan &plan, std::uint32_t channel)
{
	const auto &list = plan.requantisations();

	return *std::ranges::find_if(
		list, [&](const Requantisation &r) { return channel < r.channel + r.channels; });
}

/// The exact sum of a result.
std::int64_t sum_of(const Case &from, std::uint32_t x, std::uint32_t y, std::uint32_t channel)
{
	const Convolution &c = from.convolution;
	std::int64_t sum = from.bias[channel];

	for (std::uint32_t ky = 0; ky < c.kernel.height; ky++)
		for (std::uint32_t kx = 0; kx < c.kernel.width; kx++) {
			const std::uint32_t in_x =
				x * c.stride.width + kx * c.dilation.width - c.pads.left;
			const std::uint32_t in_y =
				y * c.stride.height + ky * c.dilation.height - c.pads.top;

			/* Outside, also where the subtraction went below 0. */
			if (in_x >= c.input.width || in_y >= c.input.height)
				continue;
			const std::size_t tap = ky * c.kernel.width + kx;
			const std::int8_t *pixel =
				&from.input[(std::size_t{in_y} * c.input.width + in_x) *
					    c.input.channels];
			const std::uint32_t channels = c.input.channels;
			const std::int32_t zero_x = c.input_quantisation.zero_point;
			const std::int32_t zero_w = c.weight_zero_point;
			if (c.depthwise) {
				sum += (pixel[channel] - zero_x) *
				       (from.weights[tap * channels + channel] - zero_w);
				continue;
			}
			const std::int8_t *weights =
				&from.weights[channel * window(c) + tap * channels];
			for (std::uint32_t i = 0; i < channels; i++)
				sum += (pixel[i] - zero_x) * (weights[i] - zero_w);
		}
	return sum;
}

/// The result in integers, as rknn/convolution.h has it.
std::int64_t quantised(const Case &from, const ConvolutionPlan &plan, std::int64_t sum,
		       std::uint32_t channel, std::int32_t residual)
{
	const Convolution &c = from.convolution;
	const Requantisation &r = requantisation_of(plan, channel);
	std::int64_t v = sum;

	if (!r.factors.empty())
		v = test::divide_even(sum * r.factors[channel - r.channel], r.shift);
	if (c.residual)
		v += test::divide_even((residual - c.residual_quantisation.zero_point) *
					       std::int64_t{r.residual.factor},
				       r.residual.shift);
	if (c.activation != Activation::none)
		v = std::max<std::int64_t>(v, 0);
	if (c.activation == Activation::relu6 && r.ceiling)
		v = std::min<std::int64_t>(v, r.ceiling);
	return test::clamp_int8(test::divide_even(v * r.output.factor, r.output.shift) +
				c.output_quantisation.zero_point);
}

/// The result in real numbers, in steps of the output.
double exact(const Case &from, std::int64_t sum, std::uint32_t channel, std::int32_t residual)
{
	const Convolution &c = from.convolution;
	const float scale = c.weight_scales[c.weight_scales.size() == 1 ? 0 : channel];
	double value = static_cast<double>(sum) * c.input_quantisation.scale * scale;

	if (c.residual)
		value += (residual - c.residual_quantisation.zero_point) *
			 double{c.residual_quantisation.scale};
	if (c.activation != Activation::none)
		value = std::max(value, 0.0);
	if (c.activation == Activation::relu6)
		value = std::min(value, 6.0);
	return std::clamp(value / c.output_quantisation.scale + c.output_quantisation.zero_point,
			  -128.0, 127.0);
}

/// Runs the convolution on the model.
std::vector<std::int8_t> convolve(const Case &from, const ConvolutionPlan &plan)
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
	const auto packed =
		pack_bias(plan, from.weights, from.bias, machine.memory(addresses.bias));
	EXPECT_TRUE(packed) << packed.error().message;
	if (from.convolution.residual) {
		addresses.residual = machine.allocate(plan.output().bytes());
		pack(plan.output(), std::as_bytes(std::span(from.residual)),
		     machine.memory(addresses.residual));
	}
	test::run(machine, emit(plan, addresses));

	std::vector<std::int8_t> results(std::size_t{output.width} * output.height *
					 output.channels);
	unpack(plan.output(), machine.memory(addresses.output),
	       std::as_writable_bytes(std::span(results)));
	return results;
}

void check(const Case &from, std::uint32_t cores)
{
	SCOPED_TRACE(name(from.convolution));
	const auto plan = plan_convolution(from.convolution, cores);
	ASSERT_TRUE(plan) << plan.error().message;
	const std::vector<std::int8_t> results = convolve(from, *plan);
	const Shape &output = plan->output().shape();
	std::size_t wrong = 0;
	double worst = 0;
	std::size_t i = 0;

	for (std::uint32_t y = 0; y < output.height; y++)
		for (std::uint32_t x = 0; x < output.width; x++)
			for (std::uint32_t channel = 0; channel < output.channels; channel++, i++) {
				const std::int64_t sum = sum_of(from, x, y, channel);
				const std::int32_t residual =
					from.convolution.residual ? from.residual[i] : 0;

				wrong += results[i] !=
					 quantised(from, *plan, sum, channel, residual);
				worst = std::max(
					worst,
					std::abs(results[i] - exact(from, sum, channel, residual)));
			}
	ASSERT_EQ(wrong, 0U) << "of " << results.size();
	/* Half a step of rounding, and what 15 bits of scale leave. */
	ASSERT_LE(worst, 0.6);
}

TEST(Convolution, Int8IsExact)
{
	std::mt19937 random(11);

	for (std::uint32_t i = 0; i < 240; i++) {
		check(complete(random, random_convolution(random, false)), 1 + i % 3);
		ASSERT_FALSE(HasFatalFailure());
	}
}

TEST(Convolution, DepthwiseIsExact)
{
	std::mt19937 random(12);

	for (std::uint32_t i = 0; i < 240; i++) {
		check(complete(random, random_convolution(random, true)), 1 + i % 3);
		ASSERT_FALSE(HasFatalFailure());
	}
}

TEST(Convolution, LargestSumsFitBesideFactors)
{
	Case from;
	Convolution &c = from.convolution;

	c.input = {4, 4, 48};
	c.output_channels = 32;
	c.kernel = {3, 3};
	c.weight_scales.assign(32, 0.01F);
	c.weight_scales[1] = 0.002F;
	c.input_quantisation = {0.02F, 127};
	c.weight_zero_point = 127;
	/* Sums of 2^24.8 become 120. */
	c.output_quantisation.scale = 0.0002F * 255 * 255 * 432 * 1.5F / 120;
	from.input.assign(4UL * 4 * 48, -128);
	from.weights.assign(window(c) * 32, -128);
	from.bias.assign(32, 432 << 15);
	check(from, 1);
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan);
	EXPECT_GE(convolve(from, *plan).front(), 118);
}

/// Shapes that do not fit the convolution buffer at once.
std::vector<Convolution> large()
{
	std::vector<Convolution> list;
	Convolution c;

	/* Rows in bands, weights resident. */
	c.input = {160, 80, 64};
	c.output_channels = 32;
	c.kernel = {1, 3};
	c.pads = {0, 1, 0, 1};
	list.push_back(c);
	c.kernel = {3, 3};
	c.pads = {1, 1, 1, 1};
	c.stride = {2, 2};
	c.weight_scales.resize(32);
	list.push_back(c);
	/* Weights that are streamed, for each band again. */
	c = {};
	c.input = {6, 30, 2048};
	c.output_channels = 192;
	list.push_back(c);
	/* A column of features. */
	c = {};
	c.input = {1, 1500, 40};
	c.output_channels = 32;
	c.kernel = {1, 3};
	c.pads = {0, 1, 0, 1};
	list.push_back(c);
	c = {};
	c.depthwise = true;
	c.input = {112, 60, 96};
	c.output_channels = 96;
	c.kernel = {3, 3};
	c.pads = {1, 1, 1, 1};
	c.weight_scales.resize(96);
	list.push_back(c);
	return list;
}

TEST(Convolution, LargeOnesAreExactInBands)
{
	std::mt19937 random(13);
	std::set<std::size_t> tasks;
	std::set<bool> reuse;

	for (const Convolution &c : large()) {
		const Case from = complete(random, c);
		const auto plan = plan_convolution(from.convolution, 1);
		ASSERT_TRUE(plan);
		tasks.insert(plan->lanes().front().size());
		for (const ConvolutionTile &tile : plan->lanes().front())
			reuse.insert(tile.weight_reuse);
		check(from, 1);
		ASSERT_FALSE(HasFatalFailure());
	}
	EXPECT_GT(*tasks.begin(), 1U);
	EXPECT_EQ(reuse, (std::set<bool>{false, true}));
}

TEST(Convolution, ChannelsFarApartGetTasksOfTheirOwn)
{
	Convolution c;

	c.output_channels = 96;
	c.weight_scales.assign(96, 0.01F);
	std::fill_n(c.weight_scales.begin() + 32, 32, 0.0001F);
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan);
	ASSERT_EQ(plan->requantisations().size(), 3U);
	for (const Requantisation &run : plan->requantisations()) {
		EXPECT_EQ(run.channels, 32U);
		for (const std::uint32_t factor : run.factors)
			EXPECT_EQ(factor, 32767U);
	}
}

TEST(ConvolutionPlan, CoversEverythingOnceWithinTheBuffer)
{
	std::mt19937 random(14);
	std::vector<Convolution> list = large();

	for (int i = 0; i < 100; i++)
		list.push_back(random_convolution(random, i % 2));
	for (const Convolution &shape : list) {
		const Convolution c = complete(random, shape).convolution;
		SCOPED_TRACE(name(c));
		const auto plan = plan_convolution(c, 3);
		ASSERT_TRUE(plan);
		std::uint64_t area = 0;

		for (const auto &lane : plan->lanes()) {
			ASSERT_FALSE(lane.empty());
			EXPECT_FALSE(lane.front().weight_reuse);
			for (const ConvolutionTile &tile : lane) {
				const std::uint64_t channels =
					c.depthwise ? tile.channels : plan->kernel_channels();

				area += std::uint64_t{tile.channels} * tile.out_height;
				EXPECT_LE(tile.in_height, 1022U);
				EXPECT_LE(tile.in_y + tile.in_height, c.input.height);
				EXPECT_LE(tile.in_height * c.input.width * channels,
					  tile.data_banks * 32768ULL);
				EXPECT_LT(tile.data_banks, 12U);
				/* Weights that stay have a bank to spare. */
				if (tile.weight_reuse) {
					EXPECT_LE(std::uint64_t{tile.channels} * window(c) + 32768,
						  (12 - tile.data_banks) * 32768ULL);
				}
			}
		}
		EXPECT_EQ(area,
			  std::uint64_t{plan->padded_channels()} * plan->output().shape().height);
	}
}

TEST(ConvolutionPlan, WeightsThatStayHaveABankToSpare)
{
	const auto reuses = [](std::uint32_t kernels) {
		Convolution c;

		c.input = {4, 400, 1024};
		c.output_channels = kernels;
		const auto plan = plan_convolution(c, 1);
		EXPECT_TRUE(plan);
		EXPECT_GT(plan->lanes().front().size(), 1U);
		return plan->lanes().front()[1].weight_reuse;
	};

	/* 10 banks, and 11, of 12, of which features need one. */
	EXPECT_TRUE(reuses(320));
	EXPECT_FALSE(reuses(352));
}

/// The error of planning a valid convolution after @p change.
template <typename Change>
Error refused(const Change &change)
{
	Convolution c;

	c.input = {16, 16, 16};
	c.output_channels = 16;
	c.kernel = {3, 3};
	change(c);
	const auto plan = plan_convolution(c, 1);
	EXPECT_FALSE(plan);
	return plan ? Error{} : plan.error();
}

TEST(ConvolutionPlan, NamesWhatTheHardwareCannotDo)
{
	const auto says = [](const Error &error, int code, const char *what) {
		EXPECT_EQ(error.code, code) << error.message;
		EXPECT_NE(error.message.find(what), std::string::npos) << error.message;
	};

	says(refused([](Convolution &c) { c.input.channels = 0; }), EINVAL, "a size is 0");
	says(refused([](Convolution &c) { c.kernel.width = 32; }), EOPNOTSUPP, "kernel width 32");
	says(refused([](Convolution &c) { c.stride.height = 8; }), EOPNOTSUPP, "stride in y 8");
	says(refused([](Convolution &c) { c.dilation.width = 33; }), EOPNOTSUPP, "dilation in x");
	says(refused([](Convolution &c) { c.pads.top = 3; }), EINVAL, "as large as the kernel");
	says(refused([](Convolution &c) { c.input.height = 2; }), EINVAL, "larger than the padded");
	says(refused([](Convolution &c) { c.input.width = 2048; }), EOPNOTSUPP, "input width");
	says(refused([](Convolution &c) {
		     c.input.width = 2000;
		     c.input.channels = 128;
	     }),
	     EOPNOTSUPP, "convolution buffer");
	says(refused([](Convolution &c) { c.input.channels = 60000; }), EOPNOTSUPP, "bytes of a");
	says(refused([](Convolution &c) {
		     c.kernel = {1, 1};
		     c.input = {1, 1, 65473};
	     }),
	     EOPNOTSUPP, "input channels 65473");
	says(refused([](Convolution &c) {
		     c.depthwise = true;
		     c.output_channels = 32;
	     }),
	     EINVAL, "channels in and out");
	says(refused([](Convolution &c) { c.weight_scales.resize(3); }), EINVAL, "weight scale");
	says(refused([](Convolution &c) { c.input_quantisation.zero_point = 128; }), EINVAL,
	     "zero point of the input");
	says(refused([](Convolution &c) { c.output_quantisation.scale = -1; }), EINVAL,
	     "scale of the output");
	says(refused([](Convolution &c) { c.output_quantisation.scale = 1e-9F; }), ERANGE,
	     "above 32767");
}

TEST(ConvolutionPlan, RefusesABiasThatDoesNotFit)
{
	Convolution c;
	c.weight_scales = {0.5F, 0.25F};
	c.output_channels = 2;
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan);
	std::vector<std::byte> room(plan->bias_bytes());
	const std::vector<std::int8_t> weights{1, 1};

	EXPECT_TRUE(pack_bias(*plan, weights, std::vector<std::int32_t>{32768, -32768}, room));
	const auto refused = pack_bias(*plan, weights, std::vector<std::int32_t>{0, 32769}, room);
	ASSERT_FALSE(refused);
	EXPECT_EQ(refused.error().code, ERANGE);
	EXPECT_NE(refused.error().message.find("channel 1"), std::string::npos);
	EXPECT_FALSE(pack_bias(*plan, std::vector<float>{0, 0}, room));
}

} // namespace

} // namespace npu::rknn
