/* SPDX-License-Identifier: MIT */
/*
 * npu-trace: records which layer each core executed while a program ran.
 */
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tool.h"
#include "trace/chrome.h"
#include "trace/events.h"
#include "trace/program.h"
#include "trace/tracefs.h"

namespace
{

using namespace npu::trace;

constexpr const char *name = "npu-trace";

struct Record {
	std::string out = "npu-trace.json";
	bool tasks = false;
	std::vector<std::string> command;
};

struct Report {
	std::string file;
	bool json = false;
};

int record(const Record &options)
{
	Events events;
	std::unique_ptr<TaskSlices> slices;
	/* Open the output first: do not run a program whose trace cannot be written. */
	std::ofstream out(options.out);
	if (!out)
		return npu::tool::report(name, npu::Error{errno, "cannot write " + options.out});
	auto session = Session::create();
	if (!session)
		return npu::tool::report(name, session.error());
	if (options.tasks) {
		auto created = TaskSlices::create();
		if (!created)
			return npu::tool::report(name, created.error());
		slices = std::move(*created);
	}
	const auto read = [&] {
		return (*session)->read(events);
	};
	auto status = run_program(options.command, read);
	if (!status)
		return npu::tool::report(name, status.error());
	constexpr std::chrono::seconds limit(10);
	const auto ended = wait_for_jobs(limit, read);
	if (!ended)
		return npu::tool::report(name, ended.error());

	write_chrome(out, events);
	if (!out.flush())
		return npu::tool::report(name, npu::Error{EIO, "cannot write " + options.out});
	std::cerr << name << ": " << events.jobs.size() << " jobs, " << events.slices.size()
		  << " slices and " << events.moves.size() << " moves are in " << options.out
		  << "; 'npu-trace report " << options.out
		  << "' sums them up, ui.perfetto.dev and chrome://tracing draw them\n";
	if (!*ended)
		std::cerr << name << ": jobs still run " << limit.count()
			  << " s after the end of the program, and are not in the trace\n";
	if (events.lost)
		std::cerr << name << ": " << events.lost
			  << " events came too fast to be recorded, so the sums are too small\n";
	return *status;
}

double ms(std::uint64_t ns)
{
	return static_cast<double>(ns) / 1e6;
}

double percent(std::uint64_t part, std::uint64_t whole)
{
	return whole ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void print(const std::vector<Layer> &layers)
{
	std::uint64_t total = 0;

	for (const Layer &layer : layers)
		total += layer.device_ns;
	std::cout << "  JOBS FAILED  TASKS  DEVICE ms      %  WAIT ms      GMAC/s  READ MiB  WRITE "
		     "MiB"
		     "  START%   MEM%  SRAM%  LAYER\n"
		  << std::fixed;
	for (const Layer &layer : layers) {
		const double seconds = ms(layer.device_ns) / 1000;
		const auto column = [](int width, int digits) -> std::ostream & {
			return std::cout << std::setw(width) << std::setprecision(digits);
		};

		column(6, 0) << layer.jobs;
		column(7, 0) << layer.failed;
		column(7, 0) << layer.tasks;
		column(11, 3) << ms(layer.device_ns);
		column(7, 1) << percent(layer.device_ns, total);
		column(9, 3) << (layer.jobs ? ms(layer.wait_ns / layer.jobs) : 0);
		column(12, 1) << (seconds > 0 ? static_cast<double>(layer.macs) / 1e9 / seconds
					      : 0);
		column(10, 2) << static_cast<double>(layer.read_bytes) / 1048576;
		column(11, 2) << static_cast<double>(layer.written_bytes) / 1048576;
		column(8, 1) << percent(layer.start_ns, layer.device_ns);
		column(7, 1) << percent(layer.memory_ns, layer.device_ns);
		column(7, 1) << percent(layer.sram_ns, layer.device_ns);
		std::cout << "  " << (layer.label.empty() ? "(no name)" : layer.label) << '\n';
	}
}

void print_json(const std::vector<Layer> &layers)
{
	nlohmann::ordered_json list = nlohmann::ordered_json::array();

	for (const Layer &layer : layers)
		list.push_back({{"label", layer.label},
				{"jobs", layer.jobs},
				{"failed", layer.failed},
				{"tasks", layer.tasks},
				{"wait_ns", layer.wait_ns},
				{"device_ns", layer.device_ns},
				{"macs", layer.macs},
				{"read_bytes", layer.read_bytes},
				{"written_bytes", layer.written_bytes},
				{"start_ns", layer.start_ns},
				{"memory_stall_ns", layer.memory_ns},
				{"sram_stall_ns", layer.sram_ns}});
	std::cout << list.dump(2) << '\n';
}

int report(const Report &options)
{
	std::ifstream in(options.file);
	if (!in)
		return npu::tool::report(name, npu::Error{ENOENT, "cannot read " + options.file});
	auto layers = read_layers(in);
	if (!layers)
		return npu::tool::report(name,
					 npu::Error{layers.error().code,
						    options.file + ": " + layers.error().message});
	if (options.json)
		print_json(*layers);
	else
		print(*layers);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Records what the cores of an NPU do while a program runs.", name);
	Record recording;
	Report reporting;

	app.require_subcommand(1);
	app.footer("Example: sudo npu-trace record -- npu-llm model.gguf --tokens 20\n\n"
		   "Exit status: that of the program, 1 it failed, 2 wrong usage, 3 no device or\n"
		   "no access.");
	CLI::App *r = app.add_subcommand(
		"record",
		"runs a program and writes what the driver's trace points tell meanwhile");
	r->add_option("--out", recording.out, "where to write the trace [npu-trace.json]");
	r->add_flag(
		"--tasks", recording.tasks,
		"start a core for each task that can be cut from the one before, so that each has "
		"its times and bytes; slower");
	r->add_option("command", recording.command, "the program and its arguments, after --")
		->required();
	r->footer("Needs root, as tracefs is for root only. Jobs of all processes are recorded.\n"
		  "A layer is a job's name, which the program gives; see npu_accel.h.\n\n"
		  "Example: sudo npu-trace record --out run.json -- npu-llm model.gguf");
	CLI::App *s = app.add_subcommand("report", "prints the time of each layer of a trace");
	s->add_option("file", reporting.file, "what record has written")->required();
	s->add_flag("--json", reporting.json, "print JSON");
	s->footer("DEVICE is the time of all cores together, WAIT the mean from submit to start.\n"
		  "START%, MEM% and SRAM% are parts of it: start-up of tasks, waits for system\n"
		  "memory and for on-chip memory, where the device counts them.\n\n"
		  "Example: npu-trace report run.json");

	return npu::tool::run(app, argc, argv,
			      [&] { return *r ? record(recording) : report(reporting); });
}
