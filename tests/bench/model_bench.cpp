/* SPDX-License-Identifier: MIT */
/*
 * Speed of the hardware model and of packing on the host, each relative to a reference in the same
 * run.
 */
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "machine.h"
#include "model_convolve.h"

namespace
{

using model_test::Convolve;

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
	/* Bytes that are moderate numbers both as fp16 and as int8. */
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

/// Multiplications of @p conv, without those for padding.
double macs(const Convolve &conv)
{
	return static_cast<double>(conv.pixels()) * conv.kw * conv.kh * conv.c *
	       (conv.depthwise ? 1 : conv.n);
}

/// Fills a core's memory with moderate numbers of every precision.
void prepare(model_test::Npu &npu, const Convolve &conv)
{
	conv.map(npu);
	for (const auto &[base, size] : {std::pair{model_test::feature_base, conv.feature_size()},
					 std::pair{model_test::weight_base, conv.weight_size()}}) {
		std::uint8_t *bytes = npu.bus.find(base, size);

		for (std::uint32_t i = 0; i < size; i++)
			bytes[i] = static_cast<std::uint8_t>(i % 2 ? 0x30 + i % 16 : i * 37);
	}
}

void run_convolve(benchmark::State &state, const Convolve &conv)
{
	const model_test::Stream stream = model_test::program(conv.registers());
	model_test::Npu npu;

	prepare(npu, conv);
	for (auto _ : state) {
		npu.bus.log.clear();
		if (npu.run(stream) != NPU_MODEL_DONE)
			state.SkipWithError("the model did not finish");
	}
	state.counters["macs_per_second"] =
		benchmark::Counter(macs(conv), benchmark::Counter::kIsIterationInvariantRate);
}

void convolve_int8(benchmark::State &state)
{
	run_convolve(state, {.out = model_test::p_int8, .w = 28, .h = 14, .c = 128, .n = 128});
}

void convolve_fp16(benchmark::State &state)
{
	run_convolve(state, {.in = model_test::p_fp16,
			     .out = model_test::p_fp16,
			     .w = 28,
			     .h = 14,
			     .c = 64,
			     .n = 64});
}

void depthwise_int8(benchmark::State &state)
{
	run_convolve(state,
		     {.out = model_test::p_int8, .w = 28, .h = 28, .c = 256, .depthwise = true});
}

/// The layers of MobileNetV1 at 224 x 224, divided into strips that fit the buffer: a 3 x 3
/// convolution, then pairs of a depthwise and a 1 x 1 one.
std::vector<Convolve> mobilenet()
{
	constexpr std::uint32_t bytes = 7 * 32768;
	constexpr struct {
		std::uint32_t w, c, n, s;
	} pairs[] = {{112, 32, 64, 1},  {112, 64, 128, 2}, {56, 128, 128, 1}, {56, 128, 256, 2},
		     {28, 256, 256, 1}, {28, 256, 512, 2}, {14, 512, 512, 1}, {14, 512, 512, 1},
		     {14, 512, 512, 1}, {14, 512, 512, 1}, {14, 512, 512, 1}, {14, 512, 1024, 2},
		     {7, 1024, 1024, 1}};
	std::vector<Convolve> layers;
	const auto add = [&](Convolve conv) {
		const std::uint32_t rows =
			std::min(conv.h, bytes / (conv.w * conv.channels()) / conv.sy * conv.sy);
		const std::uint32_t strips = (conv.h + rows - 1) / rows;

		conv.h = rows;
		conv.data_banks = 7;
		layers.insert(layers.end(), strips, conv);
	};

	add({.out = model_test::p_int8,
	     .w = 224,
	     .h = 224,
	     .c = 16,
	     .n = 32,
	     .sx = 2,
	     .sy = 2,
	     .left = 0,
	     .top = 0});
	for (const auto &pair : pairs) {
		add({.out = model_test::p_int8,
		     .w = pair.w,
		     .h = pair.w,
		     .c = pair.c,
		     .sx = pair.s,
		     .sy = pair.s,
		     .depthwise = true});
		add({.out = model_test::p_int8,
		     .w = pair.w / pair.s,
		     .h = pair.w / pair.s,
		     .c = pair.c,
		     .n = pair.n,
		     .kw = 1,
		     .kh = 1,
		     .left = 0,
		     .top = 0,
		     .right = 0,
		     .bottom = 0});
	}
	return layers;
}

void mobilenet_int8(benchmark::State &state)
{
	const std::vector<Convolve> layers = mobilenet();
	std::vector<std::unique_ptr<model_test::Npu>> machines;
	std::vector<model_test::Stream> streams;

	for (const Convolve &conv : layers) {
		machines.push_back(std::make_unique<model_test::Npu>());
		prepare(*machines.back(), conv);
		model_test::Registers registers = conv.registers();
		/* Requantised as layers are, with ReLU. */
		registers[0x4060] = 0x12;
		registers[0x4084] = 0x4001;
		registers[0x4088] = 22;
		streams.push_back(model_test::program(registers));
	}
	for (auto _ : state) {
		for (std::size_t i = 0; i < layers.size(); i++) {
			machines[i]->bus.log.clear();
			if (machines[i]->run(streams[i]) != NPU_MODEL_DONE)
				state.SkipWithError("the model did not finish");
		}
	}
}

/// Weights larger than the caches of a core, and activations of a prefill.
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
BENCHMARK(convolve_int8)->Unit(benchmark::kMillisecond);
BENCHMARK(convolve_fp16)->Unit(benchmark::kMillisecond);
BENCHMARK(depthwise_int8)->Unit(benchmark::kMillisecond);
BENCHMARK(mobilenet_int8)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
