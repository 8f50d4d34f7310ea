/* SPDX-License-Identifier: MIT */
/*
 * The gain of sharing each product between CPU and NPU. The times of the NPU are the model's, those
 * of the CPU follow from stated rates, and both share the memory's bandwidth.
 */
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <CLI/CLI.hpp>
#include <engine/share.h>
#include <model/npu_model.h>
#include <nlohmann/json.hpp>
#include <npu/job.h>
#include <rknn/matmul.h>
#include <rknn/registers.h>

#include "llm_models.h"
#include "machine.h"

namespace
{

using namespace llm_bench;

struct Rates {
	/// Bytes of GGUF blocks that four A76 read and multiply per second; rk-llama.cpp's
	/// Gemma3-1B Q4_0 at 28.3 tokens a second needs more, Qwen3.5-2B Q4_K_M less.
	double cpu_bytes = 12e9;
	/// Products of the CPU per second without the memory's limit: Qwen3.5-2B Q4_K_M, 32.4
	/// tokens a second of prompt (SergiioB/portfolio).
	double cpu_macs = 55e9;
	/// Cost of a submit in seconds, in addition to device time.
	double submit = 40e-6;
};

constexpr std::uint32_t cores = 3;
constexpr std::uint32_t step = 32;
constexpr std::uint32_t prompt = 128;
/// Products of a shape after which the share is evaluated: a few tokens.
constexpr int products = 128;

/// Times of one group of products.
class Simulation
{
public:
	Simulation(const Group &group, std::uint32_t m, const Rates &rates)
		: group_(group), m_(group.last_only ? 1 : m), rates_(rates)
	{
	}

	/// The NPU's first row in matrix @p i if its first row in the first matrix is @p first.
	std::uint32_t first_of(std::size_t i, std::uint32_t first) const
	{
		const double part = static_cast<double>(first) / group_.n.front();

		return static_cast<std::uint32_t>(std::lround(part * group_.n[i] / step)) * step;
	}

	double cpu_seconds(std::uint32_t first) const
	{
		const double weights = cpu_rows(first) * group_.k;

		return std::max(weights * group_.bits / 8 / rates_.cpu_bytes,
				weights * m_ / rates_.cpu_macs);
	}

	/// The NPU's time in parallel with the CPU, plus its remaining time after that.
	double npu_seconds(std::uint32_t first)
	{
		const double alone =
			device_seconds(first, npu_model_params_rk3588.total_bytes_per_us);
		const double cpu = cpu_seconds(first);
		if (alone <= 0 || cpu <= 0)
			return alone;
		const double drawn = cpu_rows(first) * group_.k * group_.bits / 8 / cpu / 1e6;
		const auto left = static_cast<std::uint32_t>(
			npu_model_params_rk3588.total_bytes_per_us - drawn);
		const double beside = device_seconds(first, left);

		return beside <= cpu ? beside : cpu + (1 - cpu / beside) * alone;
	}

	double seconds(std::uint32_t first)
	{
		const double npu = npu_seconds(first);

		return std::max(cpu_seconds(first), npu > 0 ? npu + rates_.submit : 0);
	}

	std::uint32_t rows() const { return group_.n.front(); }

private:
	double cpu_rows(std::uint32_t first) const
	{
		double rows = 0;

		for (std::size_t i = 0; i < group_.n.size(); i++)
			rows += std::min(first_of(i, first), group_.n[i]);
		return rows;
	}

	/// Time of the device with @p bandwidth bytes a microsecond for all cores.
	double device_seconds(std::uint32_t first, std::uint32_t bandwidth)
	{
		const auto [known, is_new] = known_.try_emplace({first, bandwidth / 50}, 0);

		if (is_new)
			known->second = run(first, bandwidth);
		return known->second;
	}

	double run(std::uint32_t first, std::uint32_t bandwidth) const
	{
		std::vector<npu::rknn::WeightLayout> layouts;
		std::vector<std::uint32_t> firsts;
		for (std::size_t i = 0; i < group_.n.size(); i++)
			if (first_of(i, first) < group_.n[i]) {
				layouts.emplace_back(npu::rknn::Type::int8, group_.k, group_.n[i]);
				firsts.push_back(first_of(i, first));
			}
		if (layouts.empty())
			return 0;

		npu_model_params params = npu_model_params_rk3588;
		params.timing_only = 1;
		params.total_bytes_per_us = bandwidth;
		npu::test::Machine machine(params);
		const npu::rknn::Plan plan = npu::rknn::plan_matmul(layouts, firsts, m_, cores);
		const auto lanes = static_cast<std::uint32_t>(plan.lanes.size());
		std::uint64_t longest = 0;
		for (std::uint32_t core = 0; core < lanes; core++) {
			npu::Lane lane;

			for (const npu::rknn::Tile &tile : plan.lanes[core])
				lane.push_back({npu::rknn::emit(layouts[tile.matmul], m_, tile,
								{0x10000, 0x20000, 0x30000}),
						npu::rknn::enable_convolution});
			if (machine.run(core, lane, lanes) != NPU_MODEL_DONE)
				throw std::runtime_error("the model refuses a product of " +
							 std::to_string(group_.k));
			longest =
				std::max<std::uint64_t>(longest, machine.core(core).stats.busy_ns);
		}
		return static_cast<double>(longest) / 1e9;
	}

	const Group &group_;
	std::uint32_t m_;
	const Rates &rates_;
	std::map<std::tuple<std::uint32_t, std::uint32_t>, double> known_;
};

/// Milliseconds of a token, or of a prompt.
struct Times {
	double cpu = 0;
	double npu = 0;
	double mix = 0;
	double best = 0;
	double device_alone = 0;
	/// Part of the rows that the NPU takes.
	double share = 0;
};

Times measure(const Model &model, std::uint32_t m, const Rates &rates)
{
	Times times;
	double weights = 0;

	for (const Group &group : model.groups) {
		Simulation simulation(group, m, rates);
		npu::RowShare share(simulation.rows(), step, rates.submit);
		const std::uint32_t rows = simulation.rows();
		double best = simulation.seconds(0);

		for (int product = 0; product < products; product++) {
			const std::uint32_t first = share.split();

			share.learn(first, simulation.cpu_seconds(first),
				    simulation.npu_seconds(first));
		}
		/* Every cut of a small matrix, about a thousand of a large one. */
		const std::uint32_t stride = (rows / 1024 / step + 1) * step;
		for (std::uint32_t first = stride; first < rows; first += stride)
			best = std::min(best, simulation.seconds(first));
		const std::uint32_t found = share.best();
		best = std::min({best, simulation.seconds(rows), simulation.seconds(found)});
		times.cpu += 1e3 * group.times * simulation.seconds(rows);
		times.npu += 1e3 * group.times * simulation.seconds(0);
		times.device_alone += 1e3 * group.times * simulation.npu_seconds(0);
		times.mix += 1e3 * group.times * simulation.seconds(found);
		times.best += 1e3 * group.times * best;
		double all = 0;
		for (const std::uint32_t n : group.n)
			all += n;
		weights += group.times * all * group.k;
		times.share += group.times * all * group.k * (rows - found) / rows;
	}
	times.share /= weights;
	return times;
}

nlohmann::ordered_json row(const Model &model, const char *phase, const Times &times,
			   double published)
{
	nlohmann::ordered_json json{{"model", model.name},
				    {"phase", phase},
				    {"cpu_only", times.cpu},
				    {"npu_only", times.npu},
				    {"mix", times.mix},
				    {"best", times.best},
				    {"device_alone", times.device_alone},
				    {"share", times.share},
				    {"published", nullptr},
				    {"published_of", model.published.source},
				    {"unit", "ms"}};
	char text[16] = "-";

	if (published > 0) {
		json["published"] = published;
		std::snprintf(text, sizeof(text), "%.1f", published);
	}
	std::printf("%-13s %-8s %8.1f %8.1f %8.1f %8.1f %6.2f %6.3f %5.0f %% %8s\n",
		    std::string(model.name).c_str(), phase, times.cpu, times.npu, times.mix,
		    times.best, std::min(times.cpu, times.npu) / times.mix, times.mix / times.best,
		    100 * times.share, text);
	return json;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Simulates decode and prefill of language models, with each product shared\n"
		     "between CPU and NPU: the NPU's times are the timing model's, the CPU's\n"
		     "follow from rates. Norms, attention and sampling are left out.");
	Rates rates;
	std::string out;

	app.add_option("--cpu-gbps", rates.cpu_bytes, "What the CPU reads of weights, GB/s")
		->transform([](const std::string &text) { return text + "e9"; })
		->default_str("12");
	app.add_option("--out", out, "Writes the figures there, as JSON");
	app.footer("Example:\n  llm-bench --cpu-gbps 10 --out llm.json");
	CLI11_PARSE(app, argc, argv);

	try {
		nlohmann::ordered_json rows = nlohmann::ordered_json::array();

		std::printf("%-13s %-8s %8s %8s %8s %8s %6s %6s %7s %8s\n", "modelled, ms", "phase",
			    "CPU", "NPU", "both", "best", "gain", "/best", "share", "RKLLM");
		for (const Model &model : models()) {
			const double decode = model.published.npu_decode;

			rows.push_back(row(model, "decode", measure(model, 1, rates),
					   decode > 0 ? 1000 / decode : 0));
			rows.push_back(row(model, "prefill", measure(model, prompt, rates),
					   model.published.npu_prefill_ms));
		}
		std::printf(
			"\nNPU: the timing model that `make bench-silicon` compares with silicon,\n"
			"three cores, int8 weights. CPU: %.1f GB/s of Q4_K_M blocks, %.0f G\n"
			"multiply-accumulates a second. Both share 27.2 GB/s of memory. RKLLM:\n"
			"published, on silicon, of the same or a similar model:\n",
			rates.cpu_bytes / 1e9, rates.cpu_macs / 1e9);
		for (const Model &model : models())
			std::printf(
				"  %-13s %s%s\n", std::string(model.name).c_str(),
				std::string(model.published.source).c_str(),
				model.published.cpu_decode > 0
					? (", CPU " +
					   std::to_string(model.published.cpu_decode).substr(0, 4) +
					   " tokens/s")
						  .c_str()
					: "");
		if (!out.empty() &&
		    !(std::ofstream(out) << nlohmann::ordered_json{{"rows", rows}}.dump(2) << '\n'))
			throw std::runtime_error("cannot write '" + out + "'");
	} catch (const std::exception &error) {
		std::cerr << "llm-bench: " << error.what() << '\n';
		return 1;
	}
	return 0;
}
