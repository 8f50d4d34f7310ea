/* SPDX-License-Identifier: MIT */
#include "silicon.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "silicon_programs.h"

namespace silicon
{

namespace
{

constexpr std::uint32_t vendor_mhz = 1000;

/* Sources: repositories of github.com, with file and commit where they are stated. */
constexpr const char *encoder = "gregordinary/rockchip-npu-notes@c7382af, "
				"perf/data/rknn-encoder/perf-detail-*.txt";
constexpr const char *notes = "gregordinary/rockchip-npu-notes@3e891b0, decode-gemv";
constexpr const char *tiles = "gregordinary/rockchip-npu-notes, asymmetric-tile";
constexpr const char *ork = "oRKLLM/ork-driver, README and examples/test_npubw.c";
constexpr const char *campaign = "marfrit/rk-llama.cpp, docs/rknpu2-campaign-results.md";
constexpr const char *rkllm = "airockchip/rknn-llm@878f936, benchmark.md";
constexpr const char *librocketnpu = "widgetii/orangepi5plus-npu@8824479, "
				     "librocketnpu/BENCHMARKS.md";
constexpr const char *mobilenet_200 = "report of an RK3588S whose NPU stayed at 200 MHz";

/// A figure of the encoder's table for one clock and number of cores.
struct Figure {
	std::uint32_t clock_mhz;
	std::uint32_t cores;
	double us;
};

void add_convolutions(std::vector<Row> &rows)
{
	struct Layer {
		const char *what;
		LineConvolution convolution;
		std::vector<Figure> figures;
	};
	/* GELU layers run on one core, whatever the vendor's runtime is configured to use. */
	const std::array<Layer, 6> layers{
		{{"convolution 1x1 512 to 1536, 1000 pixels",
		  {.pixels = 1000, .channels = 512, .kernels = 1536},
		  {{1000, 1, 2333},
		   {600, 1, 2637},
		   {300, 1, 4843},
		   {1000, 3, 1097},
		   {600, 3, 1258}}},
		 {"convolution 1x1 512 to 512 with addition, 1000 pixels",
		  {.pixels = 1000, .channels = 512, .kernels = 512, .residual = true},
		  {{1000, 1, 841}, {600, 1, 1047}, {300, 1, 1789}, {1000, 3, 490}, {600, 3, 571}}},
		 {"convolution 1x1 2048 to 512 with addition, 1000 pixels",
		  {.pixels = 1000, .channels = 2048, .kernels = 512, .residual = true},
		  {{1000, 1, 12110},
		   {600, 1, 12147},
		   {300, 1, 12510},
		   {1000, 3, 4350},
		   {600, 3, 4390}}},
		 {"convolution 1x1 512 to 2048 with GELU, 1000 pixels",
		  {.pixels = 1000, .channels = 512, .kernels = 2048, .gelu = true},
		  {{1000, 1, 4650}, {600, 1, 5006}, {300, 1, 7998}}},
		 {"convolution 3x1 80 to 512 with GELU, 2000 pixels",
		  {.pixels = 2000, .channels = 80, .kernels = 512, .taps = 3, .gelu = true},
		  {{1000, 1, 1719}, {600, 1, 1807}, {300, 1, 2616}}},
		 {"convolution 3x1 stride 2 512 to 512 with GELU, 2000 pixels",
		  {.pixels = 2000,
		   .channels = 512,
		   .kernels = 512,
		   .taps = 3,
		   .stride = 2,
		   .gelu = true},
		  {{1000, 1, 5282}, {600, 1, 5310}, {300, 1, 5761}}}}};

	for (const Layer &layer : layers)
		for (const Figure &figure : layer.figures)
			rows.push_back({.what = layer.what,
					.clock_mhz = figure.clock_mhz,
					.cores = figure.cores,
					.silicon = figure.us,
					.source = encoder,
					.program = convolution(layer.convolution, figure.cores)});
}

void add_elementwise(std::vector<Row> &rows)
{
	struct Operation {
		const char *what;
		Program (*make)(std::uint32_t elements, std::uint32_t cores);
		std::uint32_t elements;
		std::vector<Figure> figures;
	};
	constexpr std::uint32_t mib = 1U << 20U;
	/* A common factor takes the time of a copy: one map in, one out. */
	const std::array<Operation, 3> operations{
		{{"fp16 map of 1 MiB times a constant",
		  copy,
		  mib / 2,
		  {{1000, 1, 280}, {600, 1, 280}, {300, 1, 345}}},
		 {"fp16 sum of two maps of 1 MiB",
		  sum,
		  mib / 2,
		  {{1000, 1, 444}, {600, 1, 445}, {300, 1, 455}, {1000, 3, 200}, {600, 3, 200}}},
		 {"copy of an fp16 map of 3 MiB",
		  copy,
		  3 * mib / 2,
		  {{1000, 1, 836}, {600, 1, 868}, {300, 1, 960}}}}};

	for (const Operation &operation : operations)
		for (const Figure &figure : operation.figures)
			rows.push_back(
				{.what = operation.what,
				 .clock_mhz = figure.clock_mhz,
				 .cores = figure.cores,
				 .silicon = figure.us,
				 .source = encoder,
				 .program = operation.make(operation.elements, figure.cores)});
}

void add_submits(std::vector<Row> &rows)
{
	const Program nothing = planned_product(Type::fp16, 1, 32, 16, 1);
	const Program middling = planned_product(Type::fp16, 64, 256, 512, 1);

	for (const auto &[what, program, host, us] :
	     {std::tuple{"rocket, an empty job", nothing, Host::rocket, 52.0},
	      {"rocket, an empty job, pinned", nothing, Host::rocket_pinned, 27.5},
	      {"rocket, fp16 [64,256] x [256,512]", middling, Host::rocket, 109.0},
	      {"rocket, fp16 [64,256] x [256,512], pinned", middling, Host::rocket_pinned, 96.0}})
		rows.push_back({.what = what,
				.clock_mhz = 600,
				.cores = 1,
				.silicon = us,
				.source = notes,
				.program = program,
				.host = host});

	struct Small {
		std::uint32_t m;
		std::uint32_t k;
		double us;
	};
	for (const Small &small : {Small{1, 2048, 80}, Small{16, 2048, 80.6}, Small{32, 2048, 87.8},
				   Small{36, 2048, 93}, Small{1, 3584, 98}})
		rows.push_back({.what = "vendor's driver, int8 [" + std::to_string(small.m) + "," +
					std::to_string(small.k) + "] x [" +
					std::to_string(small.k) + ",128]",
				.clock_mhz = vendor_mhz,
				.cores = 1,
				.silicon = small.us,
				.source = ork,
				.program = planned_product(Type::int8, small.m, small.k, 128, 1),
				.host = Host::vendor});
}

void add_products(std::vector<Row> &rows)
{
	constexpr double stream_mb = 3.145728;

	for (const auto &[count, gb_per_s] :
	     {std::pair{1U, 8.62}, {2U, 12.74}, {3U, 15.05}, {6U, 19.87}})
		rows.push_back({.what = std::to_string(count) +
					" chained streams of int8 weights [1024,3072], one row",
				.clock_mhz = vendor_mhz,
				.cores = std::min(count, 3U),
				.silicon = count * stream_mb / gb_per_s * 1000,
				.source = ork,
				.program = streams(count, 1024, 3072),
				.host = Host::vendor,
				.explanation = count == 3
						       ? "on the same board six streams reach 19.9 "
							 "GB/s; what keeps three from it is not "
							 "known"
						       : nullptr});
	for (const auto &[cores, tops] : {std::pair{1U, 0.69}, {3U, 1.83}})
		rows.push_back({.what = "int8 [4096,4096] x [4096,4096]",
				.clock_mhz = vendor_mhz,
				.cores = cores,
				.silicon = 2.0 * 4096 * 4096 * 4096 / tops / 1e6,
				.source = campaign,
				.program = product(4096, 4096, 4096, cores, half_data_banks),
				.host = Host::vendor,
				.memory = Memory::lpddr5});
	for (const auto &[m, k, n, gain] :
	     {std::tuple{512U, 2048U, 2048U, 1.158}, {2048U, 4096U, 4096U, 1.092}})
		rows.push_back(
			{.what = "fp16 [" + std::to_string(m) + "," + std::to_string(k) + "] x [" +
				 std::to_string(k) + "," + std::to_string(n) +
				 "], gain of tiles 256/128/512 over 256/256/384",
			 .clock_mhz = 600,
			 .cores = 1,
			 .silicon = gain,
			 .source = tiles,
			 .program = tiled_product(m, k, n, {.m = 256, .n = 128, .k = 512}),
			 .baseline = tiled_product(m, k, n, {.m = 256, .n = 256, .k = 384})});
}

void add_models(std::vector<Row> &rows)
{
	struct Model {
		const char *what;
		LanguageModel sizes;
		double tokens_per_second;
	};
	/* Layers, width, query, key, feed-forward and vocabulary, from the authors. */
	const std::array<Model, 7> models{
		{{"Qwen2 0.5B", {24, 896, 896, 128, 4864, 151936}, 41.58},
		 {"Qwen3 0.6B", {28, 1024, 2048, 1024, 3072, 151936}, 32.91},
		 {"TinyLlama 1.1B", {22, 2048, 2048, 256, 5632, 32000}, 24.43},
		 {"Qwen2.5 1.5B", {28, 1536, 1536, 256, 8960, 151936}, 16.69},
		 {"Gemma2 2B", {26, 2304, 2048, 1024, 9216, 256000}, 10.37},
		 {"Phi3 3.8B", {32, 3072, 3072, 3072, 8192, 32064}, 7.45},
		 {"ChatGLM3 6B", {28, 4096, 4096, 256, 13696, 65024}, 4.98}}};

	for (const Model &model : models)
		rows.push_back({.what = std::string("decode of ") + model.what + ", w8a8, a token",
				.clock_mhz = vendor_mhz,
				.cores = 3,
				.silicon = 1e6 / model.tokens_per_second,
				.source = rkllm,
				.program = decode(model.sizes, 3),
				.host = Host::vendor});
	for (const auto &[mhz, cores, us, source] : {std::tuple{200U, 1U, 8110.0, mobilenet_200},
						     {200U, 3U, 3690.0, mobilenet_200},
						     {1000U, 3U, 2180.0, librocketnpu}})
		rows.push_back(
			{.what = "MobileNetV1 1.0 224, int8, vendor's runtime",
			 .clock_mhz = mhz,
			 .cores = cores,
			 .silicon = us,
			 .source = source,
			 .program = mobilenet_v1(cores),
			 .host = Host::vendor,
			 .explanation = mhz == 1000 ? "how the vendor's runtime lets three cores "
						      "share 28 short layers, and wait for each "
						      "other, is not published"
						    : nullptr});
}

} // namespace

std::vector<Row> rows()
{
	std::vector<Row> rows;

	add_convolutions(rows);
	add_elementwise(rows);
	add_submits(rows);
	add_products(rows);
	add_models(rows);
	return rows;
}

const std::vector<Omission> &omissions()
{
	static const std::vector<Omission> list{
		{"encoder: exNorm 1000x512 (1711 us)",
		 "the operations it is made of are not stated"},
		{"encoder: the whole network (403.5 ms)", "its list of operations is not stated"},
		{"int8 GEMV on 3 cores, 28 GB/s", "its shape is not stated"},
		{"matmul at 128x1024x8192 (0.9 TFLOPS, 1.8 and 4 TOPS)", "no clock is stated"},
		{"W4A8 128x11008x4096 (4.0 ms)", "neither clock nor number of cores is stated"},
		{"fp16 of one core at 200 and 600 MHz (56.5 and 75.3 GFLOPS)",
		 "its shape is not stated; the CPU's part is in it"},
		{"int8 with K = 15360, 14 times slower",
		 "a limit of the vendor's library, not of the hardware"},
		{"gains of accumulation over K, of DATA_REUSE and of WEIGHT_REUSE",
		 "no shape is stated"},
		{"the cost of row-major results by pitch",
		 "the model does not know how memory is interleaved"},
		{"jobs/s of large matmuls on 1 to 4 files", "no shape is stated"},
		{"time to the first of 64 tokens (RKLLM)", "the CPU's part is in it"},
		{"MobileNetV1 of rocket (10.8 to 11.2 ms), of one core (2.6 ms), YOLOv5s, SSD, "
		 "ResNet50",
		 "no clock is stated, or the CPU's part is in it"},
		{"single operations of the vendor's runtime (35 to 120 us)", "no shape is stated"},
	};

	return list;
}

} // namespace silicon
