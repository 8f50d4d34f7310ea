/* SPDX-License-Identifier: MIT */
#include "chrome.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace npu::trace
{

namespace
{

using nlohmann::ordered_json;

/* Process ids in the trace; clients have the ids after these. */
constexpr std::uint64_t cores_process = 1;
constexpr std::uint64_t moves_process = 2;
constexpr std::uint64_t first_client_process = 10;

/// The format's timestamps are in microseconds.
double us(std::uint64_t ns)
{
	return static_cast<double>(ns) / 1000;
}

std::string name_of(const std::string &label, std::uint64_t context, std::uint64_t seqno)
{
	return label.empty() ? "job " + std::to_string(context) + ":" + std::to_string(seqno)
			     : label;
}

/// An event of a track, to be sorted by time.
struct Event {
	std::uint64_t ns;
	ordered_json json;
};

/// Adds a span on a thread: one event with a duration, since some programs that read traces
/// match beginnings and ends by more than their names.
void add_span(std::vector<Event> &events, std::uint64_t begin, std::uint64_t end,
	      const ordered_json &track, const std::string &name, const ordered_json &args)
{
	ordered_json json = track;

	json["name"] = name;
	json["ph"] = "X";
	json["ts"] = us(begin);
	json["dur"] = us(end - std::min(begin, end));
	json["args"] = args;
	events.push_back({.ns = begin, .json = json});
}

/// Adds the begin and end events of a span that may overlap with others.
void add_async(std::vector<Event> &events, std::uint64_t begin, std::uint64_t end,
	       const ordered_json &track, const std::string &name, const std::string &id,
	       const ordered_json &args)
{
	ordered_json json = track;

	json["name"] = name;
	json["cat"] = "job";
	json["id"] = id;
	json["ph"] = "b";
	json["ts"] = us(begin);
	json["args"] = args;
	events.push_back({.ns = begin, .json = json});
	json.erase("args");
	json["ph"] = "e";
	json["ts"] = us(end);
	events.push_back({.ns = end, .json = json});
}

ordered_json track(std::uint64_t process, std::uint64_t thread)
{
	return {{"pid", process}, {"tid", thread}};
}

ordered_json metadata(const char *what, std::uint64_t process, std::uint64_t thread,
		      const std::string &name)
{
	ordered_json json = track(process, thread);

	json["ph"] = "M";
	json["name"] = what;
	json["args"] = {{"name", name}};
	return json;
}

ordered_json slice_args(const Slice &slice)
{
	return {{"label", slice.label},
		{"client", slice.client},
		{"context", slice.context},
		{"seqno", slice.seqno},
		{"lane", slice.lane},
		{"first_task", slice.first},
		{"tasks", slice.tasks},
		{"device_ns", slice.device_ns},
		{"read_bytes", slice.read_bytes},
		{"written_bytes", slice.written_bytes},
		{"sram_bytes", slice.sram_bytes},
		{"start_ns", slice.start_ns},
		{"memory_stall_ns", slice.memory_ns},
		{"sram_stall_ns", slice.sram_ns},
		{"error", slice.error}};
}

ordered_json job_args(const Job &job, std::uint64_t wait_ns)
{
	return {{"label", job.label},         {"seqno", job.seqno}, {"wait_ns", wait_ns},
		{"device_ns", job.device_ns}, {"macs", job.macs},   {"tasks", job.tasks},
		{"error", job.error}};
}

void add_slices(std::vector<Event> &events, std::vector<ordered_json> &names,
		const std::vector<Slice> &slices)
{
	std::set<std::uint32_t> cores;

	for (const Slice &slice : slices) {
		add_span(events, slice.started_ns, slice.ended_ns,
			 track(cores_process, slice.core + 1),
			 name_of(slice.label, slice.context, slice.seqno), slice_args(slice));
		cores.insert(slice.core);
	}
	names.push_back(metadata("process_name", cores_process, 0, "NPU"));
	for (const std::uint32_t core : cores)
		names.push_back(metadata("thread_name", cores_process, core + 1,
					 std::string("core ") + std::to_string(core)));
}

void add_moves(std::vector<Event> &events, std::vector<ordered_json> &names,
	       const std::vector<Move> &moves)
{
	if (moves.empty())
		return;
	for (const Move &move : moves)
		add_span(events, move.started_ns, move.ended_ns, track(moves_process, 1),
			 move.to_chip ? "to the chip" : "to system memory",
			 {{"buffer", move.buffer}, {"bytes", move.bytes}});
	names.push_back(metadata("process_name", moves_process, 0, "moves of buffers"));
	names.push_back(metadata("thread_name", moves_process, 1, "moves"));
}

void add_jobs(std::vector<Event> &events, std::vector<ordered_json> &names,
	      const std::vector<Job> &jobs)
{
	std::map<std::uint64_t, pid_t> clients;
	std::set<std::pair<std::uint64_t, std::uint64_t>> contexts;

	for (const Job &job : jobs) {
		const std::uint64_t process = first_client_process + job.client;
		const ordered_json where = track(process, job.context);
		const std::string id =
			std::to_string(job.context) + ":" + std::to_string(job.seqno);
		const std::uint64_t begin = job.started_ns ? job.started_ns : job.ended_ns;

		clients[job.client] = job.pid;
		contexts.emplace(process, job.context);
		if (job.queued_ns < begin)
			add_async(events, job.queued_ns, begin, where, "wait", id,
				  ordered_json::object());
		add_async(events, begin, job.ended_ns, where,
			  name_of(job.label, job.context, job.seqno), id,
			  job_args(job, begin - job.queued_ns));
	}
	for (const auto &[client, pid] : clients)
		names.push_back(metadata("process_name", first_client_process + client, 0,
					 std::string("process ") + std::to_string(pid) +
						 ", client " + std::to_string(client)));
	for (const auto &[process, context] : contexts)
		names.push_back(metadata("thread_name", process, context,
					 std::string("context ") + std::to_string(context)));
}

/// Sums the events of each label.
class Layers
{
public:
	void add(const ordered_json &event)
	{
		const std::string phase = event.value("ph", "");

		if ((phase != "X" && phase != "b") || !event.contains("args") ||
		    !event["args"].contains("label"))
			return;
		const ordered_json &args = event["args"];
		Layer &layer = layers_[args.value("label", "")];

		if (phase == "b") {
			layer.jobs++;
			layer.failed += args.value("error", 0) != 0;
			layer.wait_ns += number(args, "wait_ns");
			layer.macs += number(args, "macs");
			layer.tasks += number(args, "tasks");
			return;
		}
		layer.device_ns += number(args, "device_ns");
		layer.read_bytes += number(args, "read_bytes");
		layer.written_bytes += number(args, "written_bytes");
		layer.start_ns += number(args, "start_ns");
		layer.memory_ns += number(args, "memory_stall_ns");
		layer.sram_ns += number(args, "sram_stall_ns");
	}

	std::vector<Layer> sorted() const
	{
		std::vector<Layer> list;

		for (const auto &[label, layer] : layers_) {
			list.push_back(layer);
			list.back().label = label;
		}
		std::ranges::sort(list, [](const Layer &a, const Layer &b) {
			return a.device_ns != b.device_ns ? a.device_ns > b.device_ns
							  : a.label < b.label;
		});
		return list;
	}

private:
	static std::uint64_t number(const ordered_json &args, const char *key)
	{
		return args.value(key, std::uint64_t{0});
	}

	std::map<std::string, Layer> layers_;
};

} // namespace

void write_chrome(std::ostream &out, const Events &events)
{
	std::vector<Event> list;
	std::vector<ordered_json> names;

	add_slices(list, names, events.slices);
	add_moves(list, names, events.moves);
	add_jobs(list, names, events.jobs);
	/* Sort by time; events of the same time keep their order. */
	std::vector<std::pair<std::uint64_t, std::size_t>> order;
	order.reserve(list.size());
	for (std::size_t i = 0; i < list.size(); i++)
		order.emplace_back(list[i].ns, i);
	std::ranges::sort(order);

	const char *between = "\n";
	out << R"({"displayTimeUnit":"ns","otherData":{"lost_events":)" << events.lost
	    << "},\"traceEvents\":[";
	const auto put = [&](const ordered_json &json) {
		out << between << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
		between = ",\n";
	};
	for (const ordered_json &json : names)
		put(json);
	for (const auto &[ns, i] : order)
		put(list[i].json);
	out << "\n]}\n";
}

Result<std::vector<Layer>> read_layers(std::istream &in)
{
	const ordered_json json = ordered_json::parse(in, nullptr, false);
	Layers layers;

	if (!json.is_object() || !json.contains("traceEvents") || !json["traceEvents"].is_array())
		return fail(EINVAL, "this is no trace; make one with npu-trace record");
	try {
		for (const ordered_json &event : json["traceEvents"])
			layers.add(event);
	} catch (const nlohmann::json::exception &) {
		return fail(EINVAL, "this trace is not one of npu-trace record");
	}
	return layers.sorted();
}

} // namespace npu::trace
