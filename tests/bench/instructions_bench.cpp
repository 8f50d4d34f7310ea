/* SPDX-License-Identifier: MIT */
/*
 * Runs the engine for a token or a prompt under callgrind, on a device that computes nothing: only
 * the engine's own work counts. tests/bench/instructions also builds this with older engines.
 */
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <engine/engine.h>
#include <npu/device.h>
#include <npu_accel.h>
#include <valgrind/callgrind.h>

#include "fake_driver.h"
#include "llm_models.h"

namespace
{

template <typename T>
T need(npu::Result<T> result)
{
	if (!result)
		throw std::runtime_error(result.error().message);
	return std::move(*result);
}

/// Engines from before rotation lack the option.
template <typename Layer>
Layer pack(const npu::Device &device, std::span<const float> rows, std::uint32_t n, std::uint32_t k,
	   bool rotated)
{
	if constexpr (requires(typename Layer::Options options) { options.rotate; }) {
		const auto source = [&](std::uint32_t row, std::span<float> out) {
			std::ranges::copy(rows.subspan(std::size_t{row} * k, k), out.begin());
		};
		return need(Layer::pack(device, source, n, k, {.rotate = rotated}));
	} else {
		if (rotated)
			throw std::runtime_error("this engine does not rotate");
		return need(Layer::create(device, rows, n, k, npu::Precision::int8));
	}
}

/// Products of a model with a common input, and buffers for their results.
struct Step {
	const llm_bench::Group *group;
	std::uint32_t m;
	std::vector<npu::Linear> layers;
	std::vector<const npu::Linear *> all;
	std::vector<float> x;
	std::vector<std::vector<float>> y;
	std::vector<std::span<float>> results;
};

std::vector<Step> make_steps(const npu::Device &device, const llm_bench::Model &model,
			     std::uint32_t m, bool rotated)
{
	std::vector<Step> steps;
	std::vector<float> rows;

	for (const llm_bench::Group &group : model.groups) {
		Step &step = steps.emplace_back();

		step.group = &group;
		step.m = group.last_only ? 1 : m;
		step.x.resize(std::size_t{step.m} * group.k);
		for (std::size_t i = 0; i < step.x.size(); i++)
			step.x[i] = static_cast<float>(i * 37 % 256) - 128;
		step.layers.reserve(group.n.size());
		for (const std::uint32_t n : group.n) {
			rows.assign(std::size_t{n} * group.k, 1);
			step.layers.push_back(pack<npu::Linear>(device, rows, n, group.k, rotated));
			step.y.emplace_back(std::size_t{step.m} * n);
		}
		for (std::size_t i = 0; i < step.layers.size(); i++) {
			step.all.push_back(&step.layers[i]);
			step.results.emplace_back(step.y[i]);
		}
	}
	return steps;
}

void run(npu::Engine &engine, std::span<const Step> steps)
{
	for (const Step &step : steps)
		for (std::uint32_t i = 0; i < step.group->times; i++)
			if (auto done = engine.multiply(step.all, step.m, step.x, step.results);
			    !done)
				throw std::runtime_error(done.error().message);
}

void measure(const std::string &name, std::uint32_t m, bool rotated)
{
	auto driver = std::make_shared<npu::test::FakeDriver>();
	driver->watch(DRM_IOCTL_NPU_JOB_CREATE, [](void *argument) {
		static_cast<drm_npu_job_create *>(argument)->lane_count = 0;
	});
	const npu::Device device = need(npu::Device::create(driver));
	npu::Engine engine = need(npu::Engine::create(device));

	for (const llm_bench::Model &model : llm_bench::models()) {
		if (model.name != name)
			continue;
		const std::vector<Step> steps = make_steps(device, model, m, rotated);

		/* The first run creates plans and buffers. */
		run(engine, steps);
		CALLGRIND_START_INSTRUMENTATION;
		run(engine, steps);
		CALLGRIND_STOP_INSTRUMENTATION;
		return;
	}
	throw std::runtime_error("no model '" + name + "'");
}

} // namespace

int main(int argc, char **argv)
{
	if (argc != 4) {
		std::cerr << "Usage: instructions-bench MODEL ROWS plain|rotated\n"
			     "Example: instructions-bench Qwen2.5-1.5B 128 plain\n";
		return 2;
	}
	try {
		measure(argv[1], static_cast<std::uint32_t>(std::stoul(argv[2])),
			std::string(argv[3]) == "rotated");
	} catch (const std::exception &error) {
		std::cerr << "instructions-bench: " << error.what() << '\n';
		return 1;
	}
	return 0;
}
