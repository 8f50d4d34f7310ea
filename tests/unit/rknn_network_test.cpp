/* SPDX-License-Identifier: MIT */
/*
 * Operations of all kinds in one chain, in memory that is filled with garbage: the padding that an
 * operation leaves must not affect the next one.
 */
#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rknn/convolution.h>
#include <rknn/elementwise.h>
#include <rknn/lut.h>
#include <rknn/pooling.h>

#include "machine.h"
#include "model_reference.h"
#include "operation.h"

namespace npu::rknn
{

namespace
{

/// One operation between maps, which are numbered; the first is the input.
struct Step {
	std::vector<std::size_t> from;
	Layout to;
	/// The tasks, of the addresses of the operands, a scratch map and the results.
	std::function<Lane(std::span<const std::uint32_t>, std::uint32_t, std::uint32_t)> emit;
};

/// A network, whose weights are in the machine.
class Network
{
public:
	Network(Type type, const Shape &input) : type_(type), input_(type, input) {}

	void convolve(std::size_t from, Convolution c, std::size_t residual = 0);
	void pool(std::size_t from, Pooling p);
	void add(std::size_t a, std::size_t b);
	void activate(std::size_t from, Function function);

	/// Runs all operations in one chain, on maps filled with garbage.
	std::vector<std::byte> chained(std::span<const std::byte> input);
	/// Runs them one by one, on maps with zeroed padding.
	std::vector<std::byte> apart(std::span<const std::byte> input);

	const Layout &last() const { return steps_.back().to; }

private:
	const Layout &layout(std::size_t map) const { return map ? steps_[map - 1].to : input_; }
	std::uint32_t garbage(const Layout &layout)
	{
		const std::uint32_t address = machine_.allocate(layout.bytes());

		/* NaNs in fp16. */
		std::ranges::fill(machine_.memory(address), std::byte{0xff});
		return address;
	}
	static std::size_t bytes(const Layout &layout)
	{
		return std::size_t{layout.pixels()} * layout.shape().channels *
		       element_bytes(layout.type());
	}

	Type type_;
	Layout input_;
	std::vector<Step> steps_;
	test::Machine machine_;
	std::mt19937 random_{71};
};

void Network::convolve(std::size_t from, Convolution c, std::size_t residual)
{
	c.type = type_;
	c.input = layout(from).shape();
	c.residual = residual != 0;
	if (c.depthwise)
		c.output_channels = c.input.channels;
	c.input_quantisation = {0.05F, 3};
	c.output_quantisation = {0.05F, -5};
	c.residual_quantisation = {0.04F, 7};
	c.weight_scales = {0.002F};
	c.weight_zero_point = -9;

	const std::size_t count = std::size_t{c.kernel.width} * c.kernel.height *
				  c.output_channels * (c.depthwise ? 1 : c.input.channels);
	const auto plan = plan_convolution(c, 1);
	ASSERT_TRUE(plan) << plan.error().message;
	const std::uint32_t weights = machine_.allocate(plan->weight_bytes());
	const std::uint32_t bias = machine_.allocate(plan->bias_bytes());
	if (type_ == Type::int8) {
		const auto values = test::random_int8(random_, count);
		pack_weights(*plan, std::as_bytes(std::span(values)), machine_.memory(weights));
		ASSERT_TRUE(pack_bias(*plan, values, std::vector<std::int32_t>(c.output_channels),
				      machine_.memory(bias)));
	} else {
		std::vector<std::uint16_t> values(count);
		for (std::uint16_t &value : values)
			value = model_test::random_half(random_, 8, 13);
		pack_weights(*plan, std::as_bytes(std::span(values)), machine_.memory(weights));
		ASSERT_TRUE(pack_bias(*plan, std::vector<float>(c.output_channels, 0.5F),
				      machine_.memory(bias)));
	}

	std::vector<std::size_t> operands{from};
	if (residual)
		operands.push_back(residual);
	steps_.push_back({std::move(operands), plan->output(),
			  [plan, weights, bias](auto maps, std::uint32_t, std::uint32_t to) {
				  return emit(*plan, {.input = maps[0],
						      .weights = weights,
						      .bias = bias,
						      .residual = maps.back(),
						      .output = to})
					  .front();
			  }});
}

void Network::pool(std::size_t from, Pooling p)
{
	p.type = type_;
	p.input = layout(from).shape();
	steps_.push_back({{from},
			  Layout(type_, output_shape(p)),
			  [p](auto maps, std::uint32_t, std::uint32_t to) {
				  return emit(p, {.input = maps[0], .output = to}, 1)->front();
			  }});
}

void Network::add(std::size_t a, std::size_t b)
{
	const Elementwise sum{.type = type_, .shape = layout(a).shape()};

	steps_.push_back(
		{{a, b}, layout(a), [sum](auto maps, std::uint32_t, std::uint32_t to) {
			 return emit(sum, {.a = maps[0], .b = maps[1], .output = to}, 1)->front();
		 }});
}

void Network::activate(std::size_t from, Function function)
{
	const TableActivation table{.function = function,
				    .type = type_,
				    .shape = layout(from).shape(),
				    .input = {0.05F, -5},
				    .output = {0.05F, 3}};

	steps_.push_back(
		{{from}, layout(from), [table](auto maps, std::uint32_t scratch, std::uint32_t to) {
			 return emit(table, {.input = maps[0], .output = to, .scratch = scratch}, 1)
				 ->front();
		 }});
}

std::vector<std::byte> Network::chained(std::span<const std::byte> input)
{
	std::vector<std::uint32_t> maps{garbage(input_)};
	std::vector<std::byte> results(bytes(last()));
	Lane lane;

	pack(input_, input, machine_.memory(maps.front()));
	for (const Step &step : steps_) {
		std::vector<std::uint32_t> operands;

		for (const std::size_t map : step.from)
			operands.push_back(maps[map]);
		maps.push_back(garbage(step.to));
		std::ranges::move(step.emit(operands, garbage(step.to), maps.back()),
				  std::back_inserter(lane));
	}
	test::run(machine_, {{lane}});
	unpack(last(), machine_.memory(maps.back()), results);
	return results;
}

std::vector<std::byte> Network::apart(std::span<const std::byte> input)
{
	std::vector<std::vector<std::byte>> maps{{input.begin(), input.end()}};

	for (const Step &step : steps_) {
		const std::uint32_t to = machine_.allocate(step.to.bytes());
		const std::uint32_t scratch = machine_.allocate(step.to.bytes());
		std::vector<std::uint32_t> operands;

		for (const std::size_t map : step.from) {
			operands.push_back(machine_.allocate(layout(map).bytes()));
			pack(layout(map), maps[map], machine_.memory(operands.back()));
		}
		test::run(machine_, {{step.emit(operands, scratch, to)}});
		maps.emplace_back(bytes(step.to));
		unpack(step.to, machine_.memory(to), maps.back());
	}
	return maps.back();
}

/// Layers of all kinds, with channels that fill no group.
Network network(Type type)
{
	Network net(type, {21, 19, 3});
	Convolution c;

	c.kernel = {3, 3};
	c.stride = {2, 2};
	c.pads = {1, 1, 1, 1};
	c.output_channels = 24;
	c.activation = Activation::relu6;
	net.convolve(0, c);
	c.stride = {1, 1};
	c.depthwise = true;
	net.convolve(1, c);
	c = {};
	c.output_channels = 24;
	net.convolve(2, c, 1);
	net.activate(3, Function::silu);
	net.add(4, 1);
	Pooling p;
	p.kernel = {2, 2};
	p.stride = {2, 2};
	net.pool(5, p);
	c.output_channels = 40;
	net.convolve(6, c);
	net.activate(7, Function::sigmoid);
	p.method = Pooling::Method::average;
	p.kernel = {5, 5};
	net.pool(8, p);
	c.output_channels = 10;
	net.convolve(9, c);
	return net;
}

TEST(Network, Int8IgnoresWhatPaddingHolds)
{
	Network net = network(Type::int8);
	std::mt19937 random(72);
	const auto input = test::random_int8(random, 21 * 19 * 3);
	const auto chained = net.chained(std::as_bytes(std::span(input)));

	EXPECT_EQ(net.last().shape(), (Shape{1, 1, 10}));
	EXPECT_EQ(chained, net.apart(std::as_bytes(std::span(input))));
	/* The result must not be constant, which would test little. */
	EXPECT_NE(std::ranges::min(chained), std::ranges::max(chained));
}

TEST(Network, Fp16IgnoresWhatPaddingHolds)
{
	Network net = network(Type::fp16);
	std::mt19937 random(73);
	std::vector<std::uint16_t> input(21 * 19 * 3);
	for (std::uint16_t &value : input)
		value = model_test::random_half(random, 10, 16);
	const auto chained = net.chained(std::as_bytes(std::span(input)));

	EXPECT_EQ(chained, net.apart(std::as_bytes(std::span(input))));
	/* No NaN has propagated. */
	for (std::size_t i = 1; i < chained.size(); i += 2)
		EXPECT_LT(std::to_integer<int>(chained[i]) & 0x7f, 0x7c);
}

} // namespace

} // namespace npu::rknn
