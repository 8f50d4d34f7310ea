/* SPDX-License-Identifier: MIT */
/*
 * Speed on the host of the hardware model and of packing, each against what it
 * is compared with in the same run.
 */
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "machine.h"

namespace
{

using npu::rknn::Type;

constexpr std::uint32_t k = 1024;
constexpr std::uint32_t n = 1024;

/// One core of the model multiplies m rows.
void run_model(benchmark::State &state, Type type)
{
	const auto m = static_cast<std::uint32_t>(state.range(0));
	const npu::rknn::WeightLayout layout(type, k, n);
	const npu::rknn::Plan plan = npu::rknn::plan_matmul({&layout, 1}, m, 1);
	npu::test::Machine machine;
	npu::rknn::Addresses addresses;

	addresses.features = machine.allocate(npu::rknn::feature_bytes(layout, m));
	addresses.weights = machine.allocate(layout.bytes());
	addresses.results = machine.allocate(npu::rknn::result_bytes(layout, m));
	/* Bytes that make middling fp16 as well as int8. */
	for (const std::uint32_t address : {addresses.features, addresses.weights})
		for (std::size_t i = 0; std::byte & byte : machine.memory(address))
			byte = static_cast<std::byte>(i++ % 2 ? 0x30 + i % 16 : i * 37 % 256);

	npu::Lane lane;
	for (const npu::rknn::Tile &tile : plan.lanes.front())
		lane.push_back({npu::rknn::emit(layout, m, tile, addresses),
				npu::rknn::enable_convolution});
	for (auto _ : state)
		if (machine.run(0, lane) != NPU_MODEL_DONE)
			state.SkipWithError("the model did not finish");
	state.counters["macs_per_second"] = benchmark::Counter(
		static_cast<double>(plan.cost.macs), benchmark::Counter::kIsIterationInvariantRate);
}

void model_int8(benchmark::State &state)
{
	run_model(state, Type::int8);
}

void model_fp16(benchmark::State &state)
{
	run_model(state, Type::fp16);
}

/// Weights, larger than the caches of a core; and activations of a prefill.
constexpr std::uint32_t weight_rows = 8192;
constexpr std::uint32_t weight_bytes = 4096;
constexpr std::uint32_t feature_rows = 512;
constexpr std::uint32_t feature_bytes = 8192;

void copy(benchmark::State &state, std::size_t size)
{
	const std::vector<std::byte> from(size, std::byte{1});
	std::vector<std::byte> to(size);

	for (auto _ : state) {
		std::memcpy(to.data(), from.data(), size);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

void pack_weights(benchmark::State &state, Type type)
{
	const std::uint32_t bytes = npu::rknn::element_bytes(type);
	const npu::rknn::WeightLayout layout(type, weight_bytes / bytes, weight_rows);
	const std::vector<std::byte> from(layout.bytes(), std::byte{1});
	std::vector<std::byte> to(from.size());

	for (auto _ : state) {
		npu::rknn::pack_weights(layout, from, to);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}

void pack_features(benchmark::State &state, Type type)
{
	const std::uint32_t bytes = npu::rknn::element_bytes(type);
	const npu::rknn::WeightLayout layout(type, feature_bytes / bytes, 32);
	const std::vector<std::byte> from(std::size_t{feature_rows} * feature_bytes, std::byte{1});
	std::vector<std::byte> to(from.size());

	for (auto _ : state) {
		npu::rknn::pack_features(layout, feature_rows, from, to);
		benchmark::ClobberMemory();
	}
	state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
}

BENCHMARK_CAPTURE(copy, weights, std::size_t{weight_rows} * weight_bytes);
BENCHMARK_CAPTURE(copy, features, std::size_t{feature_rows} * feature_bytes);
BENCHMARK_CAPTURE(pack_weights, int8, Type::int8);
BENCHMARK_CAPTURE(pack_weights, fp16, Type::fp16);
BENCHMARK_CAPTURE(pack_features, int8, Type::int8);
BENCHMARK_CAPTURE(pack_features, fp16, Type::fp16);
BENCHMARK(model_int8)->Arg(1)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(model_fp16)->Arg(1)->Arg(64)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
