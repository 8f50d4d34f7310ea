/* SPDX-License-Identifier: MIT */
#include "qos_work.h"

#include <algorithm>
#include <utility>

#include <rknn/matmul.h>
#include <rknn/registers.h>

namespace npu::bench::qos
{

Program vision_for(std::uint64_t ns)
{
	constexpr std::uint64_t layer_ns = 303'000;
	Program program = vision;

	program.layers = static_cast<std::uint32_t>(std::max(ns / layer_ns, std::uint64_t{1}));
	return program;
}

Result<Work> Work::create(const Device &device, const Program &program)
{
	std::vector<rknn::WeightLayout> layouts;
	std::size_t features = 0, weights = 0, results = 0;

	for (const Product &product : program.layer) {
		const auto &layout = layouts.emplace_back(rknn::Type::int8, product.k, product.n);
		features = std::max(features, rknn::feature_bytes(layout, program.rows));
		weights = std::max(weights, layout.bytes());
		results = std::max(results, rknn::result_bytes(layout, program.rows));
	}

	Work work;
	const std::pair<Buffer *, std::size_t> buffers[] = {
		{&work.features_, features}, {&work.weights_, weights}, {&work.results_, results}};
	for (const auto &[buffer, size] : buffers) {
		auto made = Buffer::create(device, size);
		if (!made)
			return forward(made);
		*buffer = std::move(*made);
	}

	std::vector<Lane> lanes(program.lanes);
	const rknn::Addresses addresses{.features = work.features_.address(),
					.weights = work.weights_.address(),
					.results = work.results_.address()};
	for (const rknn::WeightLayout &layout : layouts) {
		const rknn::Plan plan =
			rknn::plan_matmul({&layout, 1}, program.rows, program.lanes);

		for (std::size_t i = 0; i < plan.lanes.size(); i++)
			for (const rknn::Tile &tile : plan.lanes[i])
				lanes[i].push_back({.commands = rknn::emit(layout, program.rows,
									   tile, addresses),
						    .enable = rknn::enable_convolution});
	}
	for (Lane &lane : lanes) {
		const Lane layer = lane;

		for (std::uint32_t i = 1; i < program.layers; i++)
			lane.insert(lane.end(), layer.begin(), layer.end());
		work.lane_tasks_ = std::max(work.lane_tasks_, lane.size());
	}
	auto job = Job::create(device, lanes);
	if (!job)
		return forward(job);
	work.job_ = std::move(*job);
	return work;
}

} // namespace npu::bench::qos
