/* SPDX-License-Identifier: MIT */
/*
 * Contexts of two classes: large products run in a background context, and a small one with a
 * deadline in a latency context, which does not wait for the large ones.
 *
 * Usage: npu-example-classes
 *
 * Prints how many of the large products had ended when the small one had, and device times
 * (modelled on a virtual device). Exit status: 0 done, 1 it failed.
 */
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <vector>

#include <engine/operation.h>

namespace
{

using npu::forward;
using npu::Result;

constexpr std::size_t large_products = 8;

/// A product of @p m rows with a square matrix of @p size, both zeros.
Result<npu::Plan> product(const npu::Device &device, std::uint32_t m, std::uint32_t size)
{
	const std::vector<std::byte> weights(std::size_t{size} * size);
	const npu::MatrixProduct product{npu::rknn::Type::int8, m, size, size, weights};
	auto rows = npu::input_layouts(product);
	if (!rows)
		return forward(rows);
	auto sums = npu::output_layout(product);
	if (!sums)
		return forward(sums);
	auto input = npu::Tensor::create(device, rows->front());
	if (!input)
		return forward(input);
	auto output = npu::Tensor::create(device, *sums);
	if (!output)
		return forward(output);
	const npu::Step steps[] = {{product, {*input}, *output}};
	return npu::Plan::create(device, steps);
}

Result<npu::Context> context(const npu::Device &device, npu::SchedClass sched_class)
{
	npu::Context::Options options;

	options.sched_class = sched_class;
	return npu::Context::create(device, options);
}

Result<void> run()
{
	auto device = npu::Device::open();
	if (!device)
		return forward(device);
	auto background = context(*device, npu::SchedClass::background);
	auto latency = context(*device, npu::SchedClass::latency);
	if (!background)
		return forward(background);
	if (!latency)
		return forward(latency);
	auto large = product(*device, 128, 1024);
	auto little = product(*device, 1, 64);
	if (!large)
		return forward(large);
	if (!little)
		return forward(little);

	std::vector<npu::Fence> fences;
	for (std::size_t i = 0; i < large_products; i++) {
		auto fence = large->submit(*background);

		if (!fence)
			return forward(fence);
		fences.push_back(std::move(*fence));
	}
	using namespace std::chrono_literals;
	auto first = little->submit(*latency, {.deadline = npu::Deadline::in(5ms)});
	if (!first)
		return forward(first);
	auto done = first->wait();
	if (!done)
		return forward(done);
	std::size_t ended = 0;
	for (const npu::Fence &fence : fences)
		if (fence.wait(npu::Deadline::immediately()).ended())
			ended++;
	std::cout << "small product: " << done->device_ns << " ns, after " << ended << " of "
		  << large_products << " large ones\n";
	for (const npu::Fence &fence : fences) {
		auto waited = fence.wait();

		if (!waited)
			return forward(waited);
		std::cout << "large product: " << waited->device_ns << " ns\n";
	}
	return {};
}

} // namespace

int main()
{
	if (const auto done = run(); !done) {
		std::cerr << done.error().message << '\n';
		return 1;
	}
	return 0;
}
