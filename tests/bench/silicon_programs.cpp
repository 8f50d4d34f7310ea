/* SPDX-License-Identifier: MIT */
#include "silicon_programs.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include <flying.h>
#include <rknn/elementwise.h>
#include <rknn/lut.h>
#include <rknn/matmul.h>
#include <rknn/registers.h>

namespace silicon
{

namespace
{

using namespace npu::rknn;
using npu::Lane;

/* Addresses of operands. Only their sizes matter; none exceeds the gaps. */
constexpr std::uint32_t first_map = 0x10000000;
constexpr std::uint32_t second_map = 0x20000000;
constexpr std::uint32_t third_map = 0x30000000;
constexpr std::uint32_t result_map = 0x40000000;
constexpr std::uint32_t weights_map = 0x60000000;
constexpr Addresses product_addresses{
	.features = first_map, .weights = weights_map, .results = result_map};

/// Append the tasks of each core in @p more to those of the same core in @p lanes.
void append(std::vector<Lane> &lanes, std::vector<Lane> more)
{
	lanes.resize(std::max(lanes.size(), more.size()));
	for (std::size_t i = 0; i < more.size(); i++)
		std::ranges::move(more[i], std::back_inserter(lanes[i]));
}

std::vector<Lane> convolve(const Convolution &convolution, std::uint32_t cores,
			   std::uint32_t data_banks)
{
	const auto plan = plan_convolution(convolution, cores, data_banks).value();

	return emit(plan, ConvolutionAddresses{.input = first_map,
					       .weights = weights_map,
					       .bias = third_map,
					       .residual = second_map,
					       .output = result_map});
}

Lane emit_all(const WeightLayout &layout, std::uint32_t m, std::span<const Tile> tiles)
{
	Lane lane;

	for (const Tile &tile : tiles)
		lane.push_back({emit(layout, m, tile, product_addresses), enable_convolution});
	return lane;
}

/// Products with common features, as planned by the engine.
std::vector<Lane> plan_and_emit(Type type, std::uint32_t m, std::uint32_t k,
				std::span<const std::uint32_t> n, std::uint32_t cores)
{
	std::vector<WeightLayout> layouts;
	std::vector<Lane> lanes;

	for (const std::uint32_t columns : n)
		layouts.emplace_back(type, k, columns);
	for (const auto &tiles : plan_matmul(layouts, m, cores).lanes) {
		Lane &lane = lanes.emplace_back();
		for (const Tile &tile : tiles)
			lane.push_back({emit(layouts[tile.matmul], m, tile, product_addresses),
					enable_convolution});
	}
	return lanes;
}

} // namespace

Program convolution(const LineConvolution &c, std::uint32_t cores)
{
	/* The device's rows are the pixels of the line, so that tasks can cut it. */
	const Convolution whole{.type = Type::fp16,
				.input = {1, c.pixels, c.channels},
				.output_channels = c.kernels,
				.kernel = {1, c.taps},
				.stride = {1, c.stride},
				.pads = {.top = c.taps / 2, .bottom = c.taps / 2},
				.residual = c.residual};
	std::vector<Lane> lanes = convolve(whole, cores, vendor_data_banks);

	if (c.gelu)
		append(lanes, emit(TableActivation{.function = Function::sigmoid,
						   .type = Type::fp16,
						   .shape = output_shape(whole)},
				   TableAddresses{.input = result_map, .output = first_map}, cores)
				      .value());
	return {{.lanes = std::move(lanes)}};
}

Program sum(std::uint32_t elements, std::uint32_t cores)
{
	return {{.lanes = emit(Elementwise{.type = Type::fp16,
					   .shape = {64, elements / 64 / 32, 32}},
			       ElementwiseAddresses{
				       .a = first_map, .b = second_map, .output = result_map},
			       cores)
				  .value()}};
}

Program copy(std::uint32_t elements, std::uint32_t cores)
{
	const Layout layout(Type::fp16, {64, elements / 64 / 32, 32});
	std::vector<Lane> lanes;

	for (const auto &runs : runs_of(layout, cores, max_flying_width * 32)) {
		Lane &lane = lanes.emplace_back();
		for (const Run &run : runs) {
			const Flying task{.width = run.pixels,
					  .channels = run.channels,
					  .surface_atoms = layout.surface_atoms(),
					  .atom_channels = layout.atom_channels(),
					  .source = first_map + run.offset(layout),
					  .destination = result_map + run.offset(layout)};
			lane.push_back(emit_flying(flying_dpu(task, Precision::fp16),
						   flying_rdma(task, Precision::fp16)));
		}
	}
	return {{.lanes = std::move(lanes)}};
}

Program product(std::uint32_t m, std::uint32_t k, std::uint32_t n, std::uint32_t cores,
		std::uint32_t data_banks)
{
	std::vector<Lane> lanes;

	for (std::uint32_t core = 0; core < cores; core++) {
		const std::uint32_t columns = (core + 1) * n / cores - core * n / cores;
		lanes.push_back(convolve({.type = Type::int8,
					  .input = {1, m, k},
					  .output_channels = columns},
					 1, data_banks)
					.front());
	}
	return {{.lanes = std::move(lanes)}};
}

Program planned_product(Type type, std::uint32_t m, std::uint32_t k, std::uint32_t n,
			std::uint32_t cores)
{
	return {{.lanes = plan_and_emit(type, m, k, std::array{n}, cores)}};
}

Program tiled_product(std::uint32_t m, std::uint32_t k, std::uint32_t n, const Tiling &tiling)
{
	std::vector<Lane> lanes(1);

	for (std::uint32_t k0 = 0; k0 < k; k0 += tiling.k) {
		const WeightLayout layout(Type::fp16, std::min(tiling.k, k - k0), n);
		const std::uint32_t banks =
			tiling.m * tiling.k * element_bytes(Type::fp16) / cbuf_bank_bytes;
		std::vector<Tile> tiles;
		for (std::uint32_t m0 = 0; m0 < m; m0 += tiling.m)
			for (std::uint32_t n0 = 0; n0 < n; n0 += tiling.n)
				tiles.push_back({.m0 = m0,
						 .m = std::min(tiling.m, m - m0),
						 .n0 = n0,
						 .n = std::min(tiling.n, n - n0),
						 .data_banks = banks});
		append(lanes, {emit_all(layout, m, tiles)});
	}
	return {{.lanes = std::move(lanes)}};
}

Program streams(std::uint32_t count, std::uint32_t k, std::uint32_t n)
{
	constexpr std::uint32_t cores = 3;
	std::vector<Lane> lanes(std::min(count, cores));

	for (std::uint32_t i = 0; i < count; i++)
		std::ranges::move(plan_and_emit(Type::int8, 1, k, std::array{n}, 1).front(),
				  std::back_inserter(lanes[i % lanes.size()]));
	return {{.lanes = std::move(lanes)}};
}

Program decode(const LanguageModel &model, std::uint32_t cores)
{
	const auto step = [cores](std::uint32_t k, std::vector<std::uint32_t> n,
				  std::uint32_t times) {
		return Step{.lanes = plan_and_emit(Type::int8, 1, k, n, cores), .times = times};
	};

	return {step(model.width, {model.query, model.key, model.key}, model.layers),
		step(model.query, {model.width}, model.layers),
		step(model.width, {model.feed_forward, model.feed_forward}, model.layers),
		step(model.feed_forward, {model.width}, model.layers),
		step(model.width, {model.vocabulary}, 1)};
}

Program mobilenet_v1(std::uint32_t cores)
{
	struct Block {
		std::uint32_t size;
		std::uint32_t channels;
		std::uint32_t stride;
		std::uint32_t kernels;
	};
	constexpr std::array<Block, 13> blocks{{{112, 32, 1, 64},
						{112, 64, 2, 128},
						{56, 128, 1, 128},
						{56, 128, 2, 256},
						{28, 256, 1, 256},
						{28, 256, 2, 512},
						{14, 512, 1, 512},
						{14, 512, 1, 512},
						{14, 512, 1, 512},
						{14, 512, 1, 512},
						{14, 512, 1, 512},
						{14, 512, 2, 1024},
						{7, 1024, 1, 1024}}};
	std::vector<Lane> lanes;
	const auto add = [&](const Convolution &layer) {
		append(lanes, convolve(layer, cores, cbuf_banks));
	};
	const auto square = [](std::uint32_t kernel, std::uint32_t stride) {
		return Convolution{.kernel = {kernel, kernel},
				   .stride = {stride, stride},
				   .pads = kernel == 1 ? Pads{}
						       : Pads{stride == 1 ? 1u : 0u,
							      stride == 1 ? 1u : 0u, 1, 1}};
	};

	Convolution first = square(3, 2);
	first.input = {224, 224, 3};
	first.output_channels = 32;
	add(first);
	for (const Block &block : blocks) {
		Convolution depthwise = square(3, block.stride);
		depthwise.input = {block.size, block.size, block.channels};
		depthwise.output_channels = block.channels;
		depthwise.depthwise = true;
		add(depthwise);

		Convolution pointwise = square(1, 1);
		pointwise.input = output_shape(depthwise);
		pointwise.output_channels = block.kernels;
		add(pointwise);
	}
	Convolution classifier = square(1, 1);
	classifier.input = {1, 1, 1024};
	classifier.output_channels = 1001;
	add(classifier);
	return {{.lanes = std::move(lanes)}};
}

} // namespace silicon
