/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "module_parameter.h"
#include "qos_plot.h"
#include "qos_report.h"
#include "qos_run.h"
#include "qos_statistics.h"
#include "qos_trace.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

using namespace qos;

constexpr std::uint64_t ms = 1'000'000;
constexpr std::array<std::uint32_t, 3> client_counts{1, 2, 4};

const Behaviour prefill_client{.name = "prefill", .program = prefill};

/// Periods of about 33 and 10 ms, whose phases drift against each other.
const std::array<Behaviour, 2> latency_clients{{
	{.name = "vision",
	 .program = vision,
	 .sched_class = SchedClass::latency,
	 .period_ns = 33'333'333,
	 .offset_ns = 7 * ms},
	{.name = "audio",
	 .program = audio,
	 .sched_class = SchedClass::latency,
	 .period_ns = 10 * ms,
	 .offset_ns = 3 * ms},
}};

/// A client without hints: ten inferences a second through mainline's rocket ioctls.
const Behaviour rocket_client{.name = "rocket",
			      .program = network,
			      .period_ns = 100 * ms,
			      .offset_ns = 7 * ms,
			      .rocket = true};

std::vector<Behaviour> contention(std::uint32_t clients)
{
	std::vector<Behaviour> behaviours(latency_clients.begin(), latency_clients.end());

	behaviours.insert(behaviours.end(), clients, prefill_client);
	return behaviours;
}

/// Numbers the prefill clients.
std::vector<Behaviour> named(std::vector<Behaviour> behaviours)
{
	int number = 0;

	for (Behaviour &behaviour : behaviours)
		if (behaviour.name == prefill_client.name)
			behaviour.name += " " + std::to_string(++number);
	return behaviours;
}

/// Runs the scenarios one after the other and collects the report.
class Qos
{
public:
	Qos(const Runner &runner, const ModuleParameter &fcfs, std::uint64_t duration_ns)
		: runner_(runner), fcfs_(fcfs), duration_ns_(duration_ns)
	{
	}

	Result<Report> measure();
	/// Write the plots of a report to @p directory; @p time is as in plot_latency().
	Result<void> plot(const Report &report, const std::string &directory,
			  const std::string &time) const;

private:
	/// Time after which all clients have been served under either policy.
	std::uint64_t settled(const Outcome &outcome) const
	{
		return outcome.begin_ns + std::min(1000 * ms, duration_ns_ / 4);
	}
	Result<double> latency(const std::string &policy, std::uint32_t clients);
	Result<void> latencies();
	Result<void> rocket_latency(const std::string &policy, std::uint32_t clients,
				    double alone_us);
	Result<void> rocket_latencies();
	Result<double> shares(std::span<const double> weights);
	Result<void> deadlines(const Behaviour &beside);
	Result<void> longest_task();

	const Runner &runner_;
	const ModuleParameter &fcfs_;
	std::uint64_t duration_ns_;
	Report report_;
};

/// \return device time of all work for each nanosecond
Result<double> Qos::latency(const std::string &policy, std::uint32_t clients)
{
	if (auto set = fcfs_.set(policy == "fcfs" ? "1" : "0"); !set)
		return forward(set);
	auto outcome = runner_.run(contention(clients), duration_ns_);
	if (!outcome)
		return forward(outcome);
	const std::uint64_t begin = settled(*outcome);
	for (std::size_t i = 0; i < latency_clients.size(); i++) {
		Row row{.policy = policy,
			.clients = clients,
			.workload = latency_clients[i].name,
			.added_us = {}};

		for (const Sample &sample : outcome->clients[i]->samples())
			if (sample.queued_ns >= begin)
				row.added_us.push_back(sample.added_us());
		report_.rows.push_back(std::move(row));
	}
	return outcome->throughput();
}

Result<void> Qos::latencies()
{
	for (const std::uint32_t clients : client_counts) {
		auto fcfs = latency("fcfs", clients);
		if (!fcfs)
			return forward(fcfs);
		auto hints = latency("hints", clients);
		if (!hints)
			return forward(hints);
		report_.throughputs.push_back({.clients = clients, .fcfs = *fcfs, .hints = *hints});
	}
	return {};
}

Result<void> Qos::rocket_latency(const std::string &policy, std::uint32_t clients, double alone_us)
{
	std::vector<Behaviour> behaviours(clients + 1, prefill_client);
	Row row{.policy = policy,
		.clients = clients,
		.workload = rocket_client.name,
		.added_us = {}};

	behaviours.front() = rocket_client;
	if (auto set = fcfs_.set(policy == "fcfs" ? "1" : "0"); !set)
		return set;
	auto outcome = runner_.run(behaviours, duration_ns_);
	if (!outcome)
		return forward(outcome);
	const std::uint64_t begin = settled(*outcome);
	for (const Sample &sample : outcome->clients.front()->samples())
		if (sample.queued_ns >= begin)
			row.added_us.push_back(sample.added_us() - alone_us);
	report_.rocket_rows.push_back(std::move(row));
	return {};
}

Result<void> Qos::rocket_latencies()
{
	auto alone = runner_.run({rocket_client}, rocket_client.period_ns);

	if (!alone)
		return forward(alone);
	const double alone_us = alone->clients.front()->samples().front().added_us();
	for (const std::uint32_t clients : client_counts)
		for (const char *policy : {"fcfs", "hints"})
			if (auto done = rocket_latency(policy, clients, alone_us); !done)
				return done;
	return {};
}

/// Runs prefill clients with @p weights for a second. \return the largest error of a share
Result<double> Qos::shares(std::span<const double> weights)
{
	std::vector<Behaviour> behaviours(weights.size(), prefill_client);

	for (std::size_t i = 0; i < weights.size(); i++)
		behaviours[i].weight = static_cast<std::uint32_t>(weights[i]);
	auto outcome = runner_.run(behaviours, 1000 * ms);
	if (!outcome)
		return forward(outcome);
	const std::vector<double> got(outcome->busy_ns.begin(), outcome->busy_ns.end());
	return share_error(got, weights);
}

/// Sixteen clients ask for nearly 90 % of the device. Each submits a job per period, whose deadline
/// is the next period, beside a client that takes all remaining time.
Result<void> Qos::deadlines(const Behaviour &beside)
{
	constexpr std::array<std::uint64_t, 8> periods{20, 25, 30, 40, 50, 60, 80, 100};
	constexpr double share = 0.91 * 3 / 16;
	std::vector<Behaviour> behaviours;

	for (std::size_t i = 0; i < 2 * periods.size(); i++) {
		const std::uint64_t period = periods[i / 2] * ms;
		const auto job_ns = static_cast<std::uint64_t>(static_cast<double>(period) * share);

		behaviours.push_back({.name = "periodic",
				      .program = vision_for(job_ns),
				      .period_ns = period,
				      .offset_ns = i * ms,
				      .deadlines = true});
	}
	behaviours.push_back(beside);
	auto outcome = runner_.run(behaviours, duration_ns_);
	if (!outcome)
		return forward(outcome);

	Deadlines entry{.beside = beside.name};
	for (const auto &client : outcome->clients) {
		const std::uint64_t period = client->behaviour().period_ns;
		if (!period)
			continue;
		std::uint64_t due = outcome->begin_ns + client->behaviour().offset_ns;
		for (const Sample &sample : client->samples()) {
			due += period;
			entry.jobs++;
			entry.met += sample.ended_ns <= due;
		}
		entry.demand += static_cast<double>(client->samples().front().device_ns) /
				static_cast<double>(period) / 3;
	}
	report_.deadlines.push_back(entry);
	return {};
}

Result<void> Qos::longest_task()
{
	for (const Product &product : prefill.layer) {
		Behaviour alone = prefill_client;
		alone.program.layer = {product};
		alone.program.layers = 1;

		auto outcome = runner_.run({alone}, 10 * ms);
		if (!outcome)
			return forward(outcome);
		const Client &client = *outcome->clients.front();
		report_.task_us = std::max(report_.task_us,
					   static_cast<double>(client.samples().front().device_ns) /
						   1e3 / static_cast<double>(client.lane_tasks()));
	}
	return {};
}

Result<Report> Qos::measure()
{
	if (auto done = longest_task(); !done)
		return forward(done);
	if (auto done = latencies(); !done)
		return forward(done);
	if (auto done = rocket_latencies(); !done)
		return forward(done);
	auto equal = shares(std::array{100.0, 100.0, 100.0});
	if (!equal)
		return forward(equal);
	report_.equal_share_error = *equal;
	auto weighted = shares(std::array{25.0, 50.0, 100.0});
	if (!weighted)
		return forward(weighted);
	report_.weighted_share_error = *weighted;
	for (const SchedClass beside : {SchedClass::background, SchedClass::throughput}) {
		Behaviour hog = prefill_client;
		hog.sched_class = beside;
		hog.name = beside == SchedClass::background ? "background" : "throughput";
		if (auto done = deadlines(hog); !done)
			return forward(done);
	}
	return report_;
}

Result<void> Qos::plot(const Report &report, const std::string &directory,
		       const std::string &time) const
{
	std::ofstream latency(directory + "/qos-latency.gp");
	std::ofstream timeline(directory + "/qos-timeline.gp");

	plot_latency(latency, report.rows, time);
	auto trace = SliceTrace::create();
	if (!trace)
		return forward(trace);
	auto outcome = runner_.run(named(contention(2)), 200 * ms);
	if (!outcome)
		return forward(outcome);
	plot_timeline(timeline, outcome->clients, (*trace)->slices(), outcome->begin_ns + 98 * ms,
		      40 * ms, time);
	if (!latency.flush() || !timeline.flush())
		return fail(EIO, "cannot write to " + directory);
	return {};
}

/// Drops CAP_SYS_NICE, so that the limits of latency work and of weights apply.
Result<void> give_up_privilege()
{
	__user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};

	if (::syscall(SYS_capget, &header, sets.data()))
		return fail(errno, "cannot read capabilities");
	sets[0].effective &= ~(1U << CAP_SYS_NICE);
	if (::syscall(SYS_capset, &header, sets.data()))
		return fail(errno, "cannot give up CAP_SYS_NICE");
	return {};
}

Result<Report> measure_all(const QosOptions &options)
{
	if (auto done = give_up_privilege(); !done)
		return forward(done);
	std::optional<ModelClock> clock;
	auto device = Device::open(options.device);

	if (!device)
		return forward(device);
	if (options.clock == "model") {
		auto opened = ModelClock::open();
		if (!opened)
			return forward(opened);
		clock = std::move(*opened);
	}
	auto fcfs = ModuleParameter::create("npu", "fcfs");
	if (!fcfs)
		return forward(fcfs);
	const Runner runner(options.device, std::move(clock));
	Qos qos(runner, **fcfs, options.milliseconds * ms);
	auto report = qos.measure();
	if (!report)
		return report;
	report->slice_us = static_cast<double>(device->limits().slice_ns) / 1e3;
	if (!options.plot.empty())
		if (auto done = qos.plot(*report, options.plot,
					 options.clock == "model" ? "modelled"
								  : "by the clock of the host");
		    !done)
			return forward(done);
	return report;
}

} // namespace

int qos_benchmark(const QosOptions &options)
{
	constexpr auto name = "npu-bench qos";
	auto report = measure_all(options);

	if (!report)
		return tool::report(name, report.error());
	const std::string json = report->json();
	if (options.json)
		std::cout << json;
	else
		report->print(std::cout);
	if (!options.out.empty() && !(std::ofstream(options.out) << json << std::flush)) {
		std::cerr << name << ": cannot write " << options.out << '\n';
		return tool::exit_failed;
	}
	return 0;
}

} // namespace npu::bench
