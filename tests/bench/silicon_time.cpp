/* SPDX-License-Identifier: MIT */
#include "silicon_time.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "machine.h"

namespace silicon
{

namespace
{

double host_us(const Parameters &parameters, Host host)
{
	switch (host) {
	case Host::none:
		break;
	case Host::vendor:
		return parameters.vendor_us;
	case Host::rocket:
		return parameters.rocket_us;
	case Host::rocket_pinned:
		return parameters.pinned_us;
	}
	return 0;
}

/// Device time of a run of @p step in microseconds.
double step_us(const npu_model_params &params, const Step &step)
{
	const auto cores = static_cast<std::uint32_t>(step.lanes.size());
	npu::test::Machine machine(params);
	std::uint64_t longest = 0;

	for (std::uint32_t i = 0; i < cores; i++) {
		const npu_model_status status = machine.run(i, step.lanes[i], cores);
		const npu_model_core &core = machine.core(i);

		if (status != NPU_MODEL_DONE)
			throw std::runtime_error("the model ended with status " +
						 std::to_string(status) + " at register " +
						 std::to_string(core.error_reg));
		longest = std::max<std::uint64_t>(longest, core.stats.busy_ns);
	}
	return static_cast<double>(longest) / 1000;
}

double program_us(const Parameters &parameters, const Row &row, const Program &program)
{
	npu_model_params params = parameters.device;
	double us = 0;

	params.clock_hz = std::uint64_t{row.clock_mhz} * 1000000;
	params.timing_only = 1;
	if (row.memory == Memory::lpddr5)
		params.total_bytes_per_us =
			static_cast<std::uint32_t>(parameters.lpddr5_bytes_per_us);
	for (const Step &step : program)
		us += step.times * (step_us(params, step) + host_us(parameters, row.host));
	return us;
}

/// A parameter of the device.
struct DeviceKnob {
	const char *name;
	std::uint32_t npu_model_params::*member;
};

constexpr std::array device_knobs{
	DeviceKnob{"core_bytes_per_us", &npu_model_params::core_bytes_per_us},
	DeviceKnob{"post_bytes_per_us", &npu_model_params::post_bytes_per_us},
	DeviceKnob{"total_bytes_per_us", &npu_model_params::total_bytes_per_us},
	DeviceKnob{"task_ns", &npu_model_params::task_ns},
};

/// A parameter of the system around the device.
struct Knob {
	const char *name;
	double Parameters::*member;
};

constexpr std::array knobs{
	Knob{"lpddr5_bytes_per_us", &Parameters::lpddr5_bytes_per_us},
	Knob{"vendor_us", &Parameters::vendor_us},
	Knob{"rocket_us", &Parameters::rocket_us},
	Knob{"pinned_us", &Parameters::pinned_us},
};

/// The function that the fit minimises.
double loss(const Parameters &parameters, std::span<const Row> rows)
{
	double sum = 0;

	for (std::size_t i = 0; i < rows.size(); i++)
		if (fitted(i))
			sum += std::log(factor(modelled(parameters, rows[i]), rows[i]));
	return sum;
}

/// All parameter sets that differ from @p from in one parameter by @p step.
std::vector<Parameters> neighbours(const Parameters &from, double step)
{
	std::vector<Parameters> list;

	for (const double by : {step, 1 / step}) {
		for (const DeviceKnob &knob : device_knobs) {
			Parameters changed = from;
			std::uint32_t &value = changed.device.*knob.member;

			value = static_cast<std::uint32_t>(std::lround(value * by));
			list.push_back(changed);
		}
		for (const Knob &knob : knobs) {
			Parameters changed = from;

			changed.*knob.member *= by;
			list.push_back(changed);
		}
	}
	return list;
}

/// The smallest value that share @p share of @p list does not exceed.
double quantile(std::vector<double> list, double share)
{
	std::ranges::sort(list);
	return list[static_cast<std::size_t>(std::ceil(share * static_cast<double>(list.size())) -
					     1)];
}

} // namespace

std::vector<Value> values(const Parameters &parameters)
{
	std::vector<Value> list;

	for (const DeviceKnob &knob : device_knobs)
		list.push_back({knob.name, static_cast<double>(parameters.device.*knob.member)});
	for (const Knob &knob : knobs)
		list.push_back({knob.name, parameters.*knob.member});
	return list;
}

double modelled(const Parameters &parameters, const Row &row)
{
	const double us = program_us(parameters, row, row.program);

	return row.baseline ? program_us(parameters, row, *row.baseline) / us : us;
}

Parameters fit(Parameters start, std::span<const Row> rows)
{
	double least = loss(start, rows);

	for (const double step : {1.2, 1.08, 1.03, 1.01})
		for (bool better = true; better;) {
			better = false;
			for (const Parameters &changed : neighbours(start, step)) {
				const double now = loss(changed, rows);

				if (now >= least)
					continue;
				least = now;
				start = changed;
				better = true;
				break;
			}
		}
	return start;
}

double factor(double model, const Row &row)
{
	return std::max(model / row.silicon, row.silicon / model);
}

Verdict judge(std::span<const Row> rows, std::span<const double> model)
{
	std::vector<double> errors, factors;

	for (std::size_t i = 0; i < rows.size(); i++) {
		if (fitted(i))
			continue;
		errors.push_back(std::abs(model[i] / rows[i].silicon - 1));
		factors.push_back(factor(model[i], rows[i]));
	}
	return {quantile(errors, 0.5), quantile(factors, 0.9)};
}

} // namespace silicon
