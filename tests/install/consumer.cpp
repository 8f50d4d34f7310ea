/* SPDX-License-Identifier: MIT */
/*
 * An application on the installed libraries. Without a device it says so, which is how
 * the test sees that it was linked and runs.
 */
#include <iostream>
#include <vector>

#include <engine/engine.h>
#include <rknn/convolution.h>

int main()
{
	constexpr std::uint32_t n = 64;
	constexpr std::uint32_t k = 96;
	constexpr std::uint32_t m = 3;
	const std::vector<float> weights(std::size_t{n} * k, 0.5F);
	const std::vector<float> x(std::size_t{m} * k, 1.0F);
	std::vector<float> y(std::size_t{m} * n);
	npu::rknn::Convolution convolution;

	convolution.input = {224, 224, 3};
	convolution.output_channels = 32;
	convolution.kernel = {3, 3};
	if (auto plan = npu::rknn::plan_convolution(convolution, 3); !plan) {
		std::cout << plan.error().message << '\n';
		return 1;
	}
	auto device = npu::Device::open();
	if (!device) {
		std::cout << "no device: " << device.error().message << '\n';
		return 3;
	}
	auto layer = npu::Linear::create(*device, weights, n, k, npu::Precision::int8);
	auto engine = npu::Engine::create(*device);
	if (!layer || !engine)
		return 1;
	const npu::Linear *const layers[] = {&*layer};
	const std::span<float> results[] = {y};
	if (auto done = engine->multiply(layers, m, x, results); !done) {
		std::cout << done.error().message << '\n';
		return 1;
	}
	std::cout << "y[0] = " << y[0] << '\n';
	return y[0] > 47.9F && y[0] < 48.1F ? 0 : 1;
}
