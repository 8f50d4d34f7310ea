/* SPDX-License-Identifier: MIT */
#include <array>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <vector>

#include <nlohmann/json.hpp>

#include <engine/engine.h>
#include <npu/device.h>

#include "bench.h"
#include "module_parameter.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

/// Products with the same activations, in one submit.
struct Step {
	std::uint32_t k;
	std::vector<std::uint32_t> n;
};

struct Model {
	const char *name;
	std::uint32_t layers;
	std::vector<Step> layer;
	Step head;
};

/// From the models' configurations: Q, K and V; the output projection; gate and
/// up; down.
const std::array<Model, 2> models{{
	{"stories260K",
	 5,
	 {{64, {64, 32, 32}}, {64, {64}}, {64, {172, 172}}, {172, {64}}},
	 {64, {512}}},
	{"Qwen2.5-1.5B",
	 28,
	 {{1536, {1536, 256, 256}}, {1536, {1536}}, {1536, {8960, 8960}}, {8960, {1536}}},
	 {1536, {151936}}},
}};

/// Cost of a token, or of a part of one.
struct Cost {
	double us = 0;
	double dram_bytes = 0;
	double sram_bytes = 0;
	/// Bytes of weights that reside in SRAM.
	double sram_weights = 0;

	void add(const Cost &other, double times)
	{
		us += other.us * times;
		dram_bytes += other.dram_bytes * times;
		sram_bytes += other.sram_bytes * times;
	}
};

struct Row {
	std::string model;
	std::string residency;
	std::uint32_t load;
	Cost cost;
};

Result<std::vector<Linear>> make(const Device &device, const Step &step)
{
	std::vector<Linear> layers;

	for (const std::uint32_t n : step.n) {
		/* The time does not depend on the values. */
		const std::vector<float> rows(std::size_t{n} * step.k);
		auto layer = Linear::create(device, rows, n, step.k, Precision::int8);
		if (!layer)
			return forward(layer);
		layers.push_back(std::move(*layer));
	}
	return layers;
}

/// One row times @p layers.
Result<void> multiply(Engine &engine, const std::vector<Linear> &layers)
{
	const std::vector<float> x(layers.front().k());
	std::vector<const Linear *> chosen;
	std::vector<std::vector<float>> results;
	std::vector<std::span<float>> y;

	for (const Linear &layer : layers) {
		chosen.push_back(&layer);
		results.emplace_back(layer.n());
	}
	y.assign(results.begin(), results.end());
	if (auto done = engine.multiply(chosen, 1, x, y); !done)
		return forward(done);
	return {};
}

/// Waits until no more buffers move, which happens between slices.
Result<void> settle(const Device &device)
{
	std::uint64_t moves = 0;

	for (;;) {
		auto regions = device.regions();
		if (!regions)
			return forward(regions);
		if (regions->size() <= chip_region)
			return {};
		const std::uint64_t now = (*regions)[chip_region].moves;
		if (moves == now + 1)
			return {};
		moves = now + 1;
		usleep(20000);
	}
}

Result<Cost> measure(Engine &engine, const std::vector<Linear> &layers)
{
	/* The first run records the job and moves the preferred buffers. */
	if (auto done = multiply(engine, layers); !done)
		return forward(done);
	if (auto done = settle(engine.device()); !done)
		return forward(done);
	auto before = engine.statistics();
	if (!before)
		return forward(before);
	if (auto done = multiply(engine, layers); !done)
		return forward(done);
	auto after = engine.statistics();
	if (!after)
		return forward(after);

	Cost cost;
	cost.us = static_cast<double>(after->device_ns - before->device_ns) / 1e3;
	cost.sram_bytes = static_cast<double>(after->sram_bytes - before->sram_bytes);
	cost.dram_bytes = static_cast<double>(after->read_bytes - before->read_bytes +
					      after->written_bytes - before->written_bytes) -
			  cost.sram_bytes;
	for (const Linear &layer : layers) {
		auto info = layer.buffer().info();
		if (!info)
			return forward(info);
		if (info->region == chip_region)
			cost.sram_weights += static_cast<double>(layer.layout().bytes());
	}
	return cost;
}

/// A token of @p model. Creates layers until one has no weights in SRAM; the remaining layers cost
/// the same.
Result<Cost> token(const Device &device, const Model &model, const SramUse &use)
{
	auto engine = Engine::create(device, {.sram = use});
	if (!engine)
		return forward(engine);

	/* Keep all layers: destroying one would free its SRAM. */
	std::vector<std::vector<Linear>> made;
	Cost cost;
	/* First, since the head determines the size of the activation buffers. */
	auto head = make(device, model.head);
	if (!head)
		return forward(head);
	made.push_back(std::move(*head));
	if (auto done = multiply(*engine, made.front()); !done)
		return forward(done);
	for (std::uint32_t i = 0; i < model.layers; i++) {
		Cost layer;

		for (const Step &step : model.layer) {
			auto linears = make(device, step);
			if (!linears)
				return forward(linears);
			made.push_back(std::move(*linears));
			auto one = measure(*engine, made.back());
			if (!one)
				return forward(one);
			layer.add(*one, 1);
			layer.sram_weights += one->sram_weights;
		}
		if (layer.sram_weights == 0) {
			cost.add(layer, model.layers - i);
			break;
		}
		cost.add(layer, 1);
		cost.sram_weights += layer.sram_weights;
	}
	auto last = measure(*engine, made.front());
	if (!last)
		return forward(last);
	cost.add(*last, 1);
	cost.sram_weights += last->sram_weights;
	return cost;
}

/// Whether the default is never slower than no SRAM.
bool never_slower(const std::vector<Row> &rows)
{
	for (const Row &off : rows)
		for (const Row &on : rows)
			if (off.residency == "off" && on.residency == "auto" &&
			    off.model == on.model && off.load == on.load &&
			    on.cost.us > off.cost.us)
				return false;
	return true;
}

void print(const std::vector<Row> &rows)
{
	std::cout << "| model | residency | DRAM load | DRAM bytes a token | SRAM bytes a token | "
		     "weights in SRAM | modelled us a token |\n|---|---|---|---|---|---|---|\n"
		  << std::fixed << std::setprecision(0);
	for (const Row &row : rows)
		std::cout << "| " << row.model << " | " << row.residency << " | " << row.load
			  << " % | " << row.cost.dram_bytes << " | " << row.cost.sram_bytes << " | "
			  << row.cost.sram_weights << " | " << std::setprecision(2) << row.cost.us
			  << std::setprecision(0) << " |\n";
	std::cout << "\nOn-chip memory does not help much: a language model's weights are a "
		     "thousand\n"
		     "times larger, and are read once a token. On silicon, matrix products on an\n"
		     "idle bus were measured to gain nothing (rockchip-npu-notes,\n"
		     "perf/sram-nbuf.md). Its bandwidth is assumed, not measured.\n";
}

nlohmann::ordered_json to_json(const std::vector<Row> &rows)
{
	nlohmann::ordered_json json;

	json["rows"] = nlohmann::ordered_json::array();
	for (const Row &row : rows)
		json["rows"].push_back({{"model", row.model},
					{"residency", row.residency},
					{"dram_load", row.load},
					{"dram_bytes_per_token", row.cost.dram_bytes},
					{"sram_bytes_per_token", row.cost.sram_bytes},
					{"sram_weights", row.cost.sram_weights},
					{"us_per_token", row.cost.us}});
	json["never_slower"] = never_slower(rows);
	return json;
}

Result<std::vector<Row>> measure_all(const SramOptions &options)
{
	std::vector<Row> rows;
	auto device = Device::open(options.device);
	if (!device)
		return forward(device);
	if (!device->is_virtual())
		return fail(EINVAL, device->name() + " is no virtual NPU, and only the virtual "
						     "one takes a load from this benchmark; give "
						     "--device");
	auto load = ModuleParameter::create("npu_virt", "load_percent");
	if (!load)
		return forward(load);

	std::vector<std::string> residencies{"off", "auto"};
	if (!options.bytes.empty())
		residencies.push_back(options.bytes);
	for (const Model &model : models)
		for (const std::uint32_t percent : options.loads) {
			if (std::string(model.name).find(options.model) == std::string::npos)
				continue;
			if (auto set = (*load)->set(std::to_string(percent)); !set)
				return forward(set);
			for (const std::string &residency : residencies) {
				auto use = SramUse::from(residency);
				if (!use)
					return forward(use);
				auto cost = token(*device, model, *use);
				if (!cost)
					return forward(cost);
				rows.push_back({model.name, residency, percent, *cost});
			}
		}
	return rows;
}

} // namespace

int sram(const SramOptions &options)
{
	constexpr auto name = "npu-bench sram";
	auto rows = measure_all(options);

	if (!rows)
		return tool::report(name, rows.error());
	const std::string json = to_json(*rows).dump(2);
	if (options.json)
		std::cout << json << '\n';
	else
		print(*rows);
	if (!options.out.empty() && !(std::ofstream(options.out) << json << std::flush)) {
		std::cerr << name << ": cannot write " << options.out << '\n';
		return tool::exit_failed;
	}
	return never_slower(*rows) ? 0 : tool::exit_failed;
}

} // namespace npu::bench
