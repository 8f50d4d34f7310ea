/* SPDX-License-Identifier: MIT */
/*
 * A multilayer perceptron: two layers with an activation in the same pass, prepared once
 * and run on four inputs at a time. Its weights compute the exclusive or of two bits.
 *
 * Usage: npu-example-mlp
 *
 * Prints the four results. Exit status: 0 done, 1 it failed or a result is wrong.
 */
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <span>

#include <engine/operation.h>

namespace
{

using npu::forward;
using npu::Result;

/// A layer is a convolution of 1x1 windows: pixels are inputs, channels are features.
npu::Convolution layer(std::uint32_t inputs, std::uint32_t outputs,
		       std::span<const std::int8_t> weights, std::span<const std::int32_t> bias)
{
	npu::Convolution layer;

	layer.shape.input = {.width = 4, .height = 1, .channels = inputs};
	layer.shape.output_channels = outputs;
	layer.weights = std::as_bytes(weights);
	layer.bias = bias;
	return layer;
}

Result<std::array<std::int8_t, 4>> run(std::span<const std::int8_t> bits)
{
	auto device = npu::Device::open();
	if (!device)
		return forward(device);
	auto context = npu::Context::create(*device);
	if (!context)
		return forward(context);

	/* hidden = max(0, {a + b, a + b - 1}); result = hidden[0] - 2 * hidden[1] */
	const std::array<std::int8_t, 4> to_hidden{1, 1, 1, 1};
	const std::array<std::int32_t, 2> hidden_bias{0, -1};
	const std::array<std::int8_t, 2> to_result{1, -2};
	const std::array<std::int32_t, 1> result_bias{0};
	npu::Convolution first = layer(2, 2, to_hidden, hidden_bias);
	first.shape.activation = npu::rknn::Activation::relu;
	const npu::Convolution second = layer(2, 1, to_result, result_bias);

	auto input_layouts = npu::input_layouts(first);
	auto hidden_layout = npu::output_layout(first);
	auto result_layout = npu::output_layout(second);
	if (!input_layouts)
		return forward(input_layouts);
	if (!hidden_layout)
		return forward(hidden_layout);
	if (!result_layout)
		return forward(result_layout);
	auto input = npu::Tensor::create(*device, input_layouts->front());
	auto hidden = npu::Tensor::create(*device, *hidden_layout);
	auto result = npu::Tensor::create(*device, *result_layout);
	if (!input || !hidden || !result)
		return npu::fail(ENOMEM, "cannot make tensors");

	const npu::Step steps[] = {{first, {*input}, *hidden}, {second, {*hidden}, *result}};
	auto plan = npu::Plan::create(*device, steps);
	if (!plan)
		return forward(plan);
	if (auto written = input->write(bits); !written)
		return forward(written);
	if (auto ran = plan->run(*context, npu::Deadline::in(std::chrono::minutes(1))); !ran)
		return forward(ran);
	std::array<std::int8_t, 4> values{};
	if (auto read = result->read(std::span<std::int8_t>(values)); !read)
		return forward(read);
	return values;
}

} // namespace

int main()
{
	constexpr std::array<std::int8_t, 8> bits{0, 0, 0, 1, 1, 0, 1, 1};
	const auto values = run(bits);

	if (!values) {
		std::cerr << values.error().message << '\n';
		return 1;
	}
	for (std::size_t i = 0; i < values->size(); i++)
		std::cout << +bits[2 * i] << " xor " << +bits[2 * i + 1] << " = " << +(*values)[i]
			  << '\n';
	return *values == std::array<std::int8_t, 4>{0, 1, 1, 0} ? 0 : 1;
}
