/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <array>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <npu/device.h>

#include "bench.h"
#include "board_counters.h"
#include "mainline_driver.h"
#include "rocket_rows.h"
#include "submit_client.h"
#include "tool.h"

namespace npu::bench
{

namespace
{

using Clock = std::chrono::steady_clock;
using Clients = std::vector<std::unique_ptr<SubmitClient>>;

/// One file per core.
constexpr std::uint32_t most_files = 3;
/// Jobs of a client and of a measurement are a multiple of the largest batch.
constexpr std::uint32_t job_step = batch_of(Mode::batch64);
constexpr std::uint32_t most_jobs = 1U << 20U;
/// Mainline's driver frees jobs some time after they have ended, which is unsafe once their file is
/// closed: wait before closing.
constexpr std::chrono::milliseconds rest(300);

/// A row of the table to measure.
struct Cell {
	RocketRow::Key key;
	Mode mode;
	/// Jobs per client and round; set by calibrate().
	std::uint32_t jobs = job_step;
};

std::vector<Cell> cells_of(const std::string &driver)
{
	std::vector<Cell> cells;

	for (const std::uint32_t tasks : {1U, 16U})
		for (const Mode mode : {Mode::single, Mode::batch64}) {
			const auto add = [&](std::uint32_t files, std::uint32_t lanes) {
				cells.push_back(
					{{driver, files, lanes, tasks, batch_of(mode)}, mode});
			};

			add(1, 1);
			add(most_files, 1);
			/* A busy file of mainline's driver stays on one core. */
			if (driver == "prepared")
				add(1, most_cores);
		}
	return cells;
}

/// The clients of one driver, created on first use.
class Crowd
{
public:
	explicit Crowd(std::string device) : device_(std::move(device)) {}

	/// The clients of @p key, each with a file of its own.
	Result<Clients *> of(const RocketRow::Key &key)
	{
		Clients &clients = clients_[{key.driver, key.files, key.lanes, key.tasks, 0}];

		if (!clients.empty())
			return &clients;
		for (std::uint32_t file = 0; file < key.files; file++)
			if (auto added = add_file(key, clients); !added)
				return forward(added);
		return &clients;
	}

	/// Checks that the jobs of all clients succeed.
	Result<void> verify()
	{
		for (auto &[key, clients] : clients_)
			for (const auto &client : clients)
				if (auto good = client->verify(); !good)
					return good;
		return {};
	}

private:
	Result<void> add_file(const RocketRow::Key &key, Clients &clients)
	{
		auto driver = key.driver == "rocket" ? open_mainline() : open_driver(device_);
		if (!driver)
			return forward(driver);
		if (key.driver != "prepared")
			return add(rocket_client(std::move(*driver), key.tasks,
						 key.driver == "changing"),
				   clients);
		auto device = Device::create(std::move(*driver));
		if (!device)
			return forward(device);
		return add(prepared_client(*device, key.lanes, key.tasks), clients);
	}

	static Result<void> add(Result<std::unique_ptr<SubmitClient>> client, Clients &clients)
	{
		if (!client)
			return forward(client);
		clients.push_back(std::move(*client));
		return {};
	}

	std::string device_;
	std::map<RocketRow::Key, Clients> clients_;
};

/// Every client submits @p jobs jobs. \return the time from first to last
Result<double> run_clients(const Clients &clients, Mode mode, std::uint32_t jobs)
{
	std::barrier start(static_cast<std::ptrdiff_t>(clients.size()));
	std::vector<Result<void>> results(clients.size());
	std::vector<Clock::time_point> began(clients.size()), ended(clients.size());
	const auto work = [&](std::size_t i) {
		CallTimes times;

		times.reserve(jobs / batch_of(mode));
		start.arrive_and_wait();
		began[i] = Clock::now();
		results[i] = clients[i]->run(mode, jobs, times);
		ended[i] = Clock::now();
	};
	{
		std::vector<std::jthread> others;

		for (std::size_t i = 1; i < clients.size(); i++)
			others.emplace_back(work, i);
		work(0);
	}
	for (auto &result : results)
		if (!result)
			return forward(result);
	return std::chrono::duration<double>(std::ranges::max(ended) - std::ranges::min(began))
		.count();
}

Result<RocketRow::Sample> measure(const Cell &cell, const Clients &clients)
{
	/* Warm up: power up the cores and load their address spaces. */
	if (auto warm = run_clients(clients, cell.mode, job_step); !warm)
		return forward(warm);
	auto before = read_counters();
	if (!before)
		return forward(before);
	auto seconds = run_clients(clients, cell.mode, cell.jobs);
	auto after = read_counters();
	if (!seconds)
		return forward(seconds);
	if (!after)
		return forward(after);
	return RocketRow::Sample(*seconds, cell.jobs * clients.size(), *after - *before);
}

/// Finds the number of jobs that take about @p wanted seconds.
Result<void> calibrate(Cell &cell, const Clients &clients, double wanted)
{
	for (;;) {
		auto seconds = run_clients(clients, cell.mode, cell.jobs);

		if (!seconds)
			return forward(seconds);
		if (*seconds >= wanted / 2 || cell.jobs >= most_jobs) {
			const double jobs = cell.jobs * wanted / *seconds;
			cell.jobs = std::clamp(static_cast<std::uint32_t>(jobs) / job_step, 1U,
					       most_jobs / job_step) *
				    job_step;
			return {};
		}
		cell.jobs *= 2;
	}
}

/// Name of a cell, as --only takes it.
std::string name_of(const Cell &cell)
{
	std::string name = cell.key.driver;

	for (const std::uint32_t part :
	     {cell.key.files, cell.key.lanes, cell.key.tasks, cell.key.batch})
		name += '/' + std::to_string(part);
	return name;
}

/// The cells that the loaded driver supports.
Result<std::vector<Cell>> find_cells(const RocketOptions &options)
{
	std::vector<Cell> cells;

	if (open_mainline()) {
		cells = cells_of("rocket");
	} else {
		if (auto ours = open_driver(options.device); !ours)
			return forward(ours);
		cells = cells_of("prepared");
		for (const char *calls : {"compat", "changing"}) {
			const auto more = cells_of(calls);
			cells.insert(cells.end(), more.begin(), more.end());
		}
	}
	std::erase_if(cells,
		      [&](const Cell &cell) { return !name_of(cell).starts_with(options.only); });
	return cells;
}

Result<void> run_rounds(const RocketOptions &options, RocketTable &table)
{
	auto cells = find_cells(options);
	if (!cells)
		return forward(cells);
	Crowd crowd(options.device);

	for (Cell &cell : *cells) {
		auto clients = crowd.of(cell.key);
		if (!clients)
			return forward(clients);
		if (auto done = calibrate(cell, **clients, options.milliseconds / 1e3); !done)
			return done;
	}
	for (std::uint32_t round = 0; round < options.rounds; round++)
		for (const Cell &cell : *cells) {
			auto clients = crowd.of(cell.key);
			if (!clients)
				return forward(clients);
			auto sample = measure(cell, **clients);
			if (!sample)
				return forward(sample);
			table.add(cell.key, *sample);
		}
	auto good = crowd.verify();
	std::this_thread::sleep_for(rest);
	return good;
}

} // namespace

int rocket(const RocketOptions &options)
{
	constexpr auto name = "npu-bench rocket";
	RocketTable table;

	if (!options.out.empty()) {
		std::ifstream file(options.out);
		if (file && !table.read(file))
			return tool::report(name, Error{EINVAL, options.out + " is none of mine"});
	}
	if (options.rounds)
		if (auto done = run_rounds(options, table); !done)
			return tool::report(name, done.error());
	const std::string json = table.json();
	if (options.json)
		std::cout << json;
	else
		table.print(std::cout);
	if (options.out.empty())
		return 0;
	std::ofstream file(options.out);
	if (!(file << json << std::flush))
		return tool::report(name, Error{EIO, "cannot write " + options.out});
	return 0;
}

} // namespace npu::bench
