/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <array>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <npu/device.h>
#include <npu/raw.h>

#include "bench.h"
#include "bench_create.h"
#include "bench_waiters.h"
#include "submit_client.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

using Clock = std::chrono::steady_clock;
using Clients = std::vector<std::unique_ptr<SubmitClient>>;

constexpr std::uint32_t most_clients = 4;
/// Jobs of a measurement, a multiple of all batches.
constexpr std::uint32_t job_step = batch_of(Mode::batch64);
constexpr std::uint32_t most_jobs = 1U << 20U;

enum class Path : std::uint8_t {
	prepared,
	rocket,
};

const char *name_of(Path path)
{
	return path == Path::prepared ? "prepared" : "rocket";
}

const char *name_of(Mode mode)
{
	constexpr std::array<const char *, 5> names{"single", "batch16", "batch64", "sync_wait",
						    "sync_page"};

	return names.at(static_cast<std::size_t>(mode));
}

/// A row of the table, with one sample per round.
struct Cell {
	Cell(Path p, Mode m, std::uint32_t c) : path(p), mode(m), clients(c) {}

	Path path;
	Mode mode;
	std::uint32_t clients;
	/// Jobs per client and round; set by calibrate().
	std::uint32_t jobs = job_step;
	std::vector<double> ns_per_job;
	std::vector<double> submit_ns_per_job;
};

/// Name of a cell in the syntax of --only.
std::string name_of(const Cell &cell)
{
	return std::string(name_of(cell.path)) + '/' + name_of(cell.mode) + '/' +
	       std::to_string(cell.clients);
}

std::vector<Cell> all_cells()
{
	std::vector<Cell> cells;

	for (const std::uint32_t clients : {1U, most_clients})
		for (const Mode mode : {Mode::single, Mode::batch16, Mode::batch64, Mode::sync_wait,
					Mode::sync_page}) {
			cells.emplace_back(Path::prepared, mode, clients);
			/* Rocket has no completion page. */
			if (mode != Mode::sync_page)
				cells.emplace_back(Path::rocket, mode, clients);
		}
	return cells;
}

double median(std::vector<double> values)
{
	const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);

	std::ranges::nth_element(values, middle);
	return *middle;
}

/// Nanoseconds of a tick of the processor's counter.
double tick_ns()
{
	constexpr std::chrono::milliseconds span(20);
	const auto began = Clock::now();
	const std::uint64_t first = ticks();

	while (Clock::now() - began < span)
		;
	return std::chrono::duration<double, std::nano>(Clock::now() - began).count() /
	       static_cast<double>(ticks() - first);
}

/// Result of one client in one measurement.
struct Share {
	Clock::time_point began;
	Clock::time_point ended;
	CallTimes times;
	Result<void> result;
};

/// One measurement of a cell, with all its clients in parallel.
struct Sample {
	double wall_ns = 0;
	double submit_ns_per_job = 0;
};

Result<Sample> measure(const Cell &cell, Clients &clients, double ns_per_tick)
{
	std::vector<Share> shares(cell.clients);
	std::barrier start(static_cast<std::ptrdiff_t>(cell.clients));
	const std::uint32_t batch = batch_of(cell.mode);
	const auto work = [&](std::size_t i) {
		Share &share = shares[i];

		share.times.reserve(cell.jobs / batch);
		start.arrive_and_wait();
		share.began = Clock::now();
		share.result = clients[i]->run(cell.mode, cell.jobs, share.times);
		share.ended = Clock::now();
	};
	{
		std::vector<std::jthread> others;

		for (std::size_t i = 1; i < shares.size(); i++)
			others.emplace_back(work, i);
		work(0);
	}

	Sample sample;
	std::vector<double> calls;
	for (Share &share : shares) {
		if (!share.result)
			return forward(share.result);
		for (const std::uint64_t call : share.times.calls())
			calls.push_back(static_cast<double>(call) * ns_per_tick);
	}
	const auto began = std::ranges::min(shares, {}, &Share::began).began;
	const auto ended = std::ranges::max(shares, {}, &Share::ended).ended;
	sample.wall_ns = std::chrono::duration<double, std::nano>(ended - began).count();
	/* The median excludes calls that were preempted by another thread. */
	sample.submit_ns_per_job = median(std::move(calls)) / batch;
	return sample;
}

/// Finds the number of jobs that take about @p target.
Result<void> calibrate(Cell &cell, Clients &clients, std::chrono::milliseconds target)
{
	const double wanted = std::chrono::duration<double, std::nano>(target).count();

	for (;;) {
		auto sample = measure(cell, clients, 1);

		if (!sample)
			return forward(sample);
		if (sample->wall_ns >= wanted / 2 || cell.jobs >= most_jobs) {
			const double jobs = cell.jobs * wanted / sample->wall_ns;
			cell.jobs = std::clamp(static_cast<std::uint32_t>(jobs) / job_step, 1U,
					       most_jobs / job_step) *
				    job_step;
			return {};
		}
		cell.jobs *= 2;
	}
}

/// The cheapest ioctl of the driver: QUERY for the size of a record.
Result<double> null_ioctl_ns(const Device &device)
{
	constexpr int calls = 1000;
	drm_npu_query query{};

	query.type = DRM_NPU_QUERY_DEVICE;
	const auto began = Clock::now();
	for (int i = 0; i < calls; i++) {
		query.size = 0;
		if (const int ret = device.driver().ioctl(DRM_IOCTL_NPU_QUERY, &query))
			return fail(-ret, "DRM_IOCTL_NPU_QUERY");
	}
	return std::chrono::duration<double, std::nano>(Clock::now() - began).count() / calls;
}

/// Limit for the cost of a prepared job, relative to that of a rocket job.
struct Goal {
	Mode prepared;
	Mode rocket;
	double limit;
	/// Also applies to the time in submit calls.
	bool submit;
};

constexpr std::array<Goal, 3> goals{{
	{Mode::batch64, Mode::single, 1.0 / 10, true},
	{Mode::batch64, Mode::batch64, 1.0 / 5, true},
	{Mode::sync_page, Mode::sync_wait, 1.0 / 2, false},
}};

/// The result of a goal.
struct Verdict {
	std::string goal;
	std::string figure;
	std::uint32_t clients;
	double ratio;
	double limit;

	bool met() const { return ratio <= limit; }
};

using Samples = std::vector<double> Cell::*;

/// The cell, or nullptr if --only excludes it.
const Cell *find(std::span<const Cell> cells, Path path, Mode mode, std::uint32_t clients)
{
	const auto found = std::ranges::find_if(cells, [&](const Cell &cell) {
		return cell.path == path && cell.mode == mode && cell.clients == clients;
	});

	return found == cells.end() ? nullptr : &*found;
}

std::vector<Verdict> judge(std::span<const Cell> cells)
{
	std::vector<Verdict> verdicts;
	const auto add = [&](const Goal &goal, std::uint32_t clients, const char *figure,
			     Samples samples) {
		const Cell *ours = find(cells, Path::prepared, goal.prepared, clients);
		const Cell *theirs = find(cells, Path::rocket, goal.rocket, clients);

		if (!ours || !theirs)
			return;
		verdicts.push_back({std::string("prepared ") + name_of(goal.prepared) +
					    " / rocket " + name_of(goal.rocket),
				    figure, clients,
				    median(ours->*samples) / median(theirs->*samples), goal.limit});
	};

	for (const std::uint32_t clients : {1U, most_clients})
		for (const Goal &goal : goals) {
			add(goal, clients, "ns_per_job", &Cell::ns_per_job);
			/* With several clients, other threads preempt long calls. */
			if (goal.submit && clients == 1)
				add(goal, clients, "submit_ns_per_job", &Cell::submit_ns_per_job);
		}
	return verdicts;
}

void print(std::span<const Cell> cells, double null_ns)
{
	std::cout << std::fixed << std::setprecision(0)
		  << "| path | mode | clients | ns a job | ns in submits a job |\n"
		     "|---|---|---|---|---|\n";
	for (const Cell &cell : cells)
		std::cout << "| " << name_of(cell.path) << " | " << name_of(cell.mode) << " | "
			  << cell.clients << " | " << median(cell.ns_per_job) << " | "
			  << median(cell.submit_ns_per_job) << " |\n";
	std::cout << "\nA null ioctl (QUERY of size 0) takes " << null_ns << " ns.\n"
		  << std::setprecision(3);
	for (const Verdict &verdict : judge(cells))
		std::cout << verdict.goal << ", " << verdict.clients
			  << (verdict.clients == 1 ? " client, " : " clients, ") << verdict.figure
			  << ": " << verdict.ratio << ", " << (verdict.met() ? "met" : "missed")
			  << " (at most " << verdict.limit << ")\n";
}

std::string to_json(const Device &device, std::span<const Cell> cells, double null_ns,
		    const SubmitOptions &options)
{
	nlohmann::ordered_json json;

	json["device"] = device.name();
	json["virtual"] = device.is_virtual();
	json["rounds"] = options.rounds;
	for (const Cell &cell : cells) {
		const auto [least, most] = std::ranges::minmax(cell.ns_per_job);

		json["rows"].push_back({{"path", name_of(cell.path)},
					{"mode", name_of(cell.mode)},
					{"clients", cell.clients},
					{"ns_per_job", median(cell.ns_per_job)},
					{"submit_ns_per_job", median(cell.submit_ns_per_job)},
					{"ns_per_job_min", least},
					{"ns_per_job_max", most},
					{"jobs_per_round", cell.jobs}});
	}
	json["null_ioctl_ns"] = null_ns;
	json["null_ioctl"] = "DRM_IOCTL_NPU_QUERY with size 0";
	for (const Verdict &verdict : judge(cells))
		json["goals"].push_back({{"goal", verdict.goal},
					 {"figure", verdict.figure},
					 {"clients", verdict.clients},
					 {"ratio", verdict.ratio},
					 {"limit", verdict.limit},
					 {"met", verdict.met()}});
	return json.dump(2) + '\n';
}

/// A client on a file of its own.
Result<std::unique_ptr<SubmitClient>> open_client(Path path, const std::string &device_file)
{
	auto driver = open_driver(device_file);
	if (!driver)
		return forward(driver);
	if (path == Path::rocket)
		return rocket_client(std::move(*driver), 1, false);
	auto device = Device::create(std::move(*driver));
	if (!device)
		return forward(device);
	return prepared_client(*device, 1, 1);
}

Result<void> run_rounds(const Device &device, const SubmitOptions &options,
			std::vector<Cell> &cells, std::vector<double> &null_ns)
{
	std::array<Clients, 2> clients;
	const auto clients_of = [&](const Cell &cell) -> Clients & {
		return clients.at(static_cast<std::size_t>(cell.path));
	};

	for (std::uint32_t i = 0; i < most_clients; i++) {
		auto prepared = open_client(Path::prepared, options.device);
		auto rocket = open_client(Path::rocket, options.device);

		if (!prepared)
			return forward(prepared);
		if (!rocket)
			return forward(rocket);
		clients[0].push_back(std::move(*prepared));
		clients[1].push_back(std::move(*rocket));
	}
	/*
	 * On a file of its own, since verify() exports a buffer, and exported buffers take a
	 * different path.
	 */
	auto probe = open_client(Path::rocket, options.device);
	if (!probe)
		return forward(probe);
	if (auto good = (*probe)->verify(); !good)
		return good;

	for (Cell &cell : cells)
		if (auto done = calibrate(cell, clients_of(cell),
					  std::chrono::milliseconds(options.milliseconds));
		    !done)
			return done;
	const double ns_per_tick = tick_ns();
	for (std::uint32_t round = 0; round < options.rounds; round++) {
		auto null = null_ioctl_ns(device);
		if (!null)
			return forward(null);
		null_ns.push_back(*null);
		for (Cell &cell : cells) {
			auto sample = measure(cell, clients_of(cell), ns_per_tick);

			if (!sample)
				return forward(sample);
			cell.ns_per_job.push_back(sample->wall_ns /
						  (double{1} * cell.jobs * cell.clients));
			cell.submit_ns_per_job.push_back(sample->submit_ns_per_job);
		}
	}
	for (const Clients &list : clients)
		for (const auto &client : list)
			if (auto good = client->verify(); !good)
				return good;
	return {};
}

constexpr auto name = "npu-bench submit";

/// Prints the results, and writes them to the file of --out.
int report(const SubmitOptions &options, const std::string &json)
{
	if (options.json)
		std::cout << json;
	if (options.out.empty())
		return 0;
	std::ofstream file(options.out);
	if (!(file << json << std::flush))
		return tool::report(name, Error{EIO, "cannot write " + options.out});
	return 0;
}

int waiters(const Device &device, const SubmitOptions &options)
{
	auto rows = measure_waiters(device, options.rounds, options.threads);
	nlohmann::ordered_json json;

	if (!rows)
		return tool::report(name, rows.error());
	for (const WaitersRow &row : *rows)
		json["rows"].push_back({{"threads", row.threads},
					{"longest_ns", row.longest_ns},
					{"median_ns", row.median_ns}});
	if (!options.json) {
		std::cout << "| threads in JOB_WAIT | ns with interrupts off, longest | median |\n"
			     "|---|---|---|\n";
		for (const WaitersRow &row : *rows)
			std::cout << "| " << row.threads << " | " << row.longest_ns << " | "
				  << row.median_ns << " |\n";
	}
	return report(options, json.dump(2) + '\n');
}

int create(const Device &device, const SubmitOptions &options)
{
	auto rows = measure_create(device, options.rounds,
				   std::chrono::milliseconds(options.milliseconds));
	nlohmann::ordered_json json;

	if (!rows)
		return tool::report(name, rows.error());
	for (const CreateRow &row : *rows)
		json["rows"].push_back({{"tasks", row.tasks},
					{"commands", row.commands},
					{"ns_per_job", row.ns_per_job},
					{"ns_per_task", row.ns_per_task}});
	if (!options.json) {
		std::cout << "| tasks | commands of a task | us a job | us a task |\n"
			     "|---|---|---|---|\n"
			  << std::fixed << std::setprecision(2);
		for (const CreateRow &row : *rows)
			std::cout << "| " << row.tasks << " | " << row.commands << " | "
				  << row.ns_per_job / 1000 << " | " << row.ns_per_task / 1000
				  << " |\n";
	}
	return report(options, json.dump(2) + '\n');
}

} // namespace

int submit(const SubmitOptions &options)
{
	std::vector<Cell> cells = all_cells();
	std::vector<double> null_ns;

	std::erase_if(cells,
		      [&](const Cell &cell) { return !name_of(cell).starts_with(options.only); });
	if (cells.empty())
		return tool::report(name, Error{EINVAL, "no row begins with " + options.only});
	auto device = Device::open(options.device);
	if (!device)
		return tool::report(name, device.error());
	if (options.waiters)
		return waiters(*device, options);
	if (options.create)
		return create(*device, options);
	if (auto done = run_rounds(*device, options, cells, null_ns); !done)
		return tool::report(name, done.error());
	if (!options.json)
		print(cells, median(null_ns));
	return report(options, to_json(*device, cells, median(null_ns), options));
}

} // namespace npu::bench
