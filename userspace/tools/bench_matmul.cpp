/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/device.h>
#include <npu/job.h>
#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "bench.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

struct Product {
	const char *op;
	std::uint32_t k;
	std::uint32_t n;
};

/// Matrix products of a layer, and the head, from the models' configurations.
struct Model {
	const char *name;
	std::uint32_t layers;
	std::array<Product, 5> products;
};

constexpr std::string_view head = "head";

constexpr std::array<Model, 3> models{{
	{"Qwen2.5-0.5B",
	 24,
	 {{{"qkv", 896, 1152},
	   {"o", 896, 896},
	   {"gate_up", 896, 9728},
	   {"down", 4864, 896},
	   {"head", 896, 151936}}}},
	{"Qwen2.5-1.5B",
	 28,
	 {{{"qkv", 1536, 2048},
	   {"o", 1536, 1536},
	   {"gate_up", 1536, 17920},
	   {"down", 8960, 1536},
	   {"head", 1536, 151936}}}},
	{"Llama-3.2-1B",
	 16,
	 {{{"qkv", 2048, 3072},
	   {"o", 2048, 2048},
	   {"gate_up", 2048, 16384},
	   {"down", 8192, 2048},
	   {"head", 2048, 128256}}}},
}};

constexpr std::array<std::uint32_t, 3> row_counts{1, 128, 512};

struct Row {
	std::string model;
	std::string op;
	std::uint32_t m;
	std::uint32_t k;
	std::uint32_t n;
	std::string dtype;
	double device_us;
	double peak_share;
	std::string bound;
	std::uint64_t bytes;
};

/// All matrix products of a model for m tokens.
struct Total {
	std::string model;
	std::uint32_t m;
	double device_us;
};

/// Share of the peak that well-shaped products reach on silicon (published: 0.7 to 0.75) and in the
/// model. Products below it are limited by start-up or memory.
constexpr double attainable_share = 0.73;

/// Published measurements on silicon, for comparison.
struct Published {
	const char *what;
	const char *source;
};

constexpr std::array<Published, 3> published{{
	{"decode of Qwen2.5-1.5B w8a8: 59.9 ms a token (16.7 tokens/s), CPU work included",
	 "rknn-llm benchmark, vendor stack, clocks at maximum"},
	{"prefill of 128 tokens of Qwen2.5-1.5B w8a8: 378 ms, CPU work included",
	 "rknn-llm benchmark, vendor stack, clocks at maximum"},
	{"one core, 128 x 1024 x 8192: 1.8 TOPS int8, 0.9 TFLOPS fp16 (88 % of peak)",
	 "clehaxze.tw, vendor matmul API"},
}};

/// Runs one product. Operands are zeros: the time does not depend on their values.
Result<Row> run(const Device &device, Context &context, const Model &model, const Product &product,
		std::uint32_t m, const std::string &dtype)
{
	const rknn::Type type = dtype == "int8" ? rknn::Type::int8 : rknn::Type::fp16;
	const rknn::WeightLayout layout(type, product.k, product.n);
	const auto cores = static_cast<std::uint32_t>(device.cores().size());
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, m, cores);

	auto features = Buffer::create(device, rknn::feature_bytes(layout, m));
	auto weights = Buffer::create(device, layout.bytes());
	auto results = Buffer::create(device, rknn::result_bytes(layout, m));
	for (auto *buffer : {&features, &weights, &results})
		if (!*buffer)
			return forward(*buffer);

	std::vector<Lane> lanes;
	for (const auto &tiles : plan.lanes) {
		Lane &lane = lanes.emplace_back();
		for (const rknn::Tile &tile : tiles)
			lane.push_back({rknn::emit(layout, m, tile,
						   {features->address(), weights->address(),
						    results->address()}),
					rknn::enable_convolution});
	}
	auto job = Job::create(device, lanes);
	if (!job)
		return forward(job);
	auto before = context.statistics();
	if (!before)
		return forward(before);
	auto seqno = context.queue(*job);
	if (!seqno)
		return forward(seqno);
	if (auto done = context.wait(*seqno); !done)
		return forward(done);
	auto after = context.statistics();
	if (!after)
		return forward(after);

	const CoreInfo &core = device.cores().front();
	const double macs_per_cycle =
		(type == rknn::Type::int8 ? core.int8_macs_per_cycle : core.fp16_macs_per_cycle) *
		static_cast<double>(cores);
	const double us = static_cast<double>(after->device_ns - before->device_ns) / 1e3;
	const std::uint64_t bytes = after->read_bytes - before->read_bytes + after->written_bytes -
				    before->written_bytes;
	auto regions = device.regions();
	if (!regions)
		return forward(regions);

	/*
	 * The lower bounds of the time from compute and from memory; the larger one limits the
	 * product.
	 */
	const double compute_us = static_cast<double>(plan.cost.macs) / macs_per_cycle /
				  static_cast<double>(core.clock_hz) * 1e6;
	const double bus_us =
		static_cast<double>(bytes) / static_cast<double>(regions->front().bandwidth) * 1e6;
	const double compute_bound_us = compute_us / attainable_share;
	const double longest_us = std::max(compute_bound_us, bus_us);
	const char *bound = us > 2 * longest_us         ? "start-up"
			    : compute_bound_us > bus_us ? "compute"
							: "memory";
	return Row{model.name, product.op,      m,     product.k, product.n, dtype,
		   us,         compute_us / us, bound, bytes};
}

/// Per model: the products of a layer times the number of layers, and the head once.
std::vector<Total> add_up(const std::vector<Row> &rows)
{
	std::vector<Total> totals;

	for (const Model &model : models)
		for (const std::uint32_t m : row_counts) {
			double us = 0;

			for (const Row &row : rows) {
				if (row.model != model.name)
					continue;
				if (row.op == head)
					us += row.device_us;
				else if (row.m == m)
					us += row.device_us * model.layers;
			}
			if (us > 0)
				totals.push_back({model.name, m, us});
		}
	return totals;
}

void print(const std::vector<Row> &rows, bool modelled)
{
	std::cout << "| model | op | M | K | N | dtype | " << (modelled ? "modelled " : "")
		  << "device us | share of peak | bound | bytes |\n"
		     "|---|---|---|---|---|---|---|---|---|---|\n"
		  << std::fixed << std::setprecision(1);
	for (const Row &row : rows)
		std::cout << "| " << row.model << " | " << row.op << " | " << row.m << " | "
			  << row.k << " | " << row.n << " | " << row.dtype << " | " << row.device_us
			  << " | " << row.peak_share * 100 << " % | " << row.bound << " | "
			  << row.bytes << " |\n";
	std::cout << "\n| model | tokens at a time | all matrix products, ms |\n|---|---|---|\n";
	for (const Total &total : add_up(rows))
		std::cout << "| " << total.model << " | " << total.m << " | "
			  << total.device_us / 1e3 << " |\n";
	std::cout << "\nPublished for silicon, to hold against:\n";
	for (const Published &entry : published)
		std::cout << "- " << entry.what << " (" << entry.source << ")\n";
}

void print_json(const std::vector<Row> &rows, bool modelled)
{
	nlohmann::ordered_json json;

	json["virtual"] = modelled;
	json["rows"] = nlohmann::ordered_json::array();
	for (const Row &row : rows)
		json["rows"].push_back({{"model", row.model},
					{"op", row.op},
					{"m", row.m},
					{"k", row.k},
					{"n", row.n},
					{"dtype", row.dtype},
					{"device_us", row.device_us},
					{"peak_share", row.peak_share},
					{"bound", row.bound},
					{"bytes", row.bytes}});
	for (const Total &total : add_up(rows))
		json["totals"].push_back(
			{{"model", total.model}, {"m", total.m}, {"device_us", total.device_us}});
	for (const Published &entry : published)
		json["published"].push_back({{"what", entry.what}, {"source", entry.source}});
	std::cout << json.dump(2) << '\n';
}

} // namespace

int matmul(const MatmulOptions &options)
{
	constexpr auto name = "npu-bench matmul";
	std::vector<Row> rows;

	auto device = Device::open(options.device);
	if (!device)
		return tool::report(name, device.error());
	auto context = Context::create(*device);
	if (!context)
		return tool::report(name, context.error());
	for (const Model &model : models) {
		if (std::string(model.name).find(options.model) == std::string::npos)
			continue;
		for (const std::uint32_t m : row_counts)
			for (const Product &product : model.products) {
				/* Prefill needs the head for its last row only. */
				if (m > 1 && product.op == head)
					continue;
				auto row = run(*device, *context, model, product, m, options.dtype);
				if (!row)
					return tool::report(name, row.error());
				rows.push_back(std::move(*row));
			}
	}
	if (options.json)
		print_json(rows, device->is_virtual());
	else
		print(rows, device->is_virtual());
	return 0;
}

} // namespace npu::bench
