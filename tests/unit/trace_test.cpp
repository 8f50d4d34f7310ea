/* SPDX-License-Identifier: MIT */
/// npu-trace: parsing of trace lines, the generated trace, and sums by layer.
#include <cerrno>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "trace/chrome.h"
#include "trace/events.h"

namespace
{

using namespace npu::trace;
using nlohmann::json;
using testing::IsEmpty;
using testing::SizeIs;

/* Lines in the format of tracefs. */
const std::string slice_line =
	"      npu-virt0-71      [000] d..1.     3.141593: npu_slice: npu_virt.0: core=1 client=12 "
	"context=77 seqno=3 lane=2 first=4 tasks=5 started=1000 ended=3500 device_ns=2400 error=0 "
	"read=100 written=50 sram=20 start_ns=300 memory_ns=200 sram_ns=10 label=blk.0 attn=q";
const std::string job_line =
	"          <idle>-0       [001] d.h2.     3.141600: npu_job: npu_virt.0: pid=321 client=12 "
	"context=77 seqno=3 class=1 lanes=3 tasks=15 queued=400 started=1000 ended=3600 deadline=0 "
	"device_ns=2400 macs=123456 error=-110 label=";
const std::string move_line =
	"   kworker/u8:1-44      [000] .....     3.2: npu_move: npu_virt.0: buffer=8192 bytes=4096 "
	"to=chip started=500 ended=900";

Events parse(const std::vector<std::string> &lines)
{
	Events events;

	for (const std::string &line : lines)
		events.add(line);
	return events;
}

TEST(TraceEvents, Slice)
{
	const Events events = parse({slice_line});

	ASSERT_THAT(events.slices, SizeIs(1));
	const Slice &slice = events.slices[0];
	EXPECT_EQ(slice.core, 1);
	EXPECT_EQ(slice.client, 12);
	EXPECT_EQ(slice.context, 77);
	EXPECT_EQ(slice.seqno, 3);
	EXPECT_EQ(slice.lane, 2);
	EXPECT_EQ(slice.first, 4);
	EXPECT_EQ(slice.tasks, 5);
	EXPECT_EQ(slice.started_ns, 1000);
	EXPECT_EQ(slice.ended_ns, 3500);
	EXPECT_EQ(slice.device_ns, 2400);
	EXPECT_EQ(slice.read_bytes, 100);
	EXPECT_EQ(slice.written_bytes, 50);
	EXPECT_EQ(slice.sram_bytes, 20);
	EXPECT_EQ(slice.start_ns, 300);
	EXPECT_EQ(slice.memory_ns, 200);
	EXPECT_EQ(slice.sram_ns, 10);
	EXPECT_EQ(slice.label, "blk.0 attn=q");
}

TEST(TraceEvents, JobAndMove)
{
	const Events events = parse({job_line, move_line});

	ASSERT_THAT(events.jobs, SizeIs(1));
	EXPECT_EQ(events.jobs[0].pid, 321);
	EXPECT_EQ(events.jobs[0].queued_ns, 400);
	EXPECT_EQ(events.jobs[0].started_ns, 1000);
	EXPECT_EQ(events.jobs[0].ended_ns, 3600);
	EXPECT_EQ(events.jobs[0].macs, 123456);
	EXPECT_EQ(events.jobs[0].tasks, 15);
	EXPECT_EQ(events.jobs[0].error, -110);
	EXPECT_EQ(events.jobs[0].label, "");
	ASSERT_THAT(events.moves, SizeIs(1));
	EXPECT_TRUE(events.moves[0].to_chip);
	EXPECT_EQ(events.moves[0].bytes, 4096);
	EXPECT_EQ(events.moves[0].buffer, 8192);
	EXPECT_EQ(events.moves[0].started_ns, 500);
}

/* Other events, truncated lines and labels that look like events are ignored. */
TEST(TraceEvents, Others)
{
	const std::string marks = slice_line + " npu_job: x: pid=1 label= npu_move: y: z";
	Events events = parse({"", "# tracer: nop", slice_line.substr(0, 120),
			       "npu_slice:", "a npu_slice: b", "a npu_slice: b: core=x", marks,
			       "  sched_switch: prev_comm=x"});

	ASSERT_THAT(events.slices, SizeIs(1));
	EXPECT_EQ(events.slices[0].label, "blk.0 attn=q npu_job: x: pid=1 label= npu_move: y: z");
	EXPECT_THAT(events.jobs, IsEmpty());
	EXPECT_THAT(events.moves, IsEmpty());
	EXPECT_EQ(events.lost, 0);
	events.add("CPU:1 [LOST 30 EVENTS]");
	events.add("CPU:0 [LOST 5 EVENTS]");
	events.add("CPU:0 [LOST many EVENTS]");
	EXPECT_EQ(events.lost, 35);
}

/* Slices that failed before their start did not occupy a core. */
TEST(TraceEvents, NotStarted)
{
	std::string line = slice_line;

	line.replace(line.find("started=1000"), 12, "started=0");
	EXPECT_THAT(parse({line}).slices, IsEmpty());
}

Slice slice(std::uint32_t core, std::uint64_t begin, std::uint64_t end, const std::string &label)
{
	Slice made;

	made.core = core;
	made.context = 7;
	made.seqno = begin;
	made.started_ns = begin;
	made.ended_ns = end;
	made.device_ns = end - begin;
	made.read_bytes = 1000;
	made.start_ns = 1;
	made.label = label;
	return made;
}

Job job(std::uint64_t seqno, std::uint64_t queued, std::uint64_t started, std::uint64_t ended,
	const std::string &label, int error = 0)
{
	Job made;

	made.pid = 5;
	made.client = 3;
	made.context = 7;
	made.seqno = seqno;
	made.queued_ns = queued;
	made.started_ns = started;
	made.ended_ns = ended;
	made.macs = 10;
	made.tasks = 2;
	made.error = error;
	made.label = label;
	return made;
}

/// Jobs on two cores, one job that did not start, and moves; some of zero duration.
Events busy()
{
	Events events;

	events.slices = {slice(0, 100, 200, "a"), slice(0, 200, 200, "b"), slice(1, 150, 400, "a"),
			 slice(0, 200, 300, "")};
	events.jobs = {job(1, 50, 100, 400, "a"), job(2, 60, 200, 200, "b"),
		       job(3, 60, 200, 300, ""), job(4, 70, 0, 410, "b", -125),
		       job(5, 410, 0, 410, "b", -125)};
	events.moves = {
		{.buffer = 1, .bytes = 2, .to_chip = true, .started_ns = 10, .ended_ns = 20},
		{.buffer = 1, .bytes = 2, .to_chip = false, .started_ns = 20, .ended_ns = 20}};
	events.lost = 4;
	return events;
}

json written(const Events &events)
{
	std::ostringstream out;

	write_chrome(out, events);
	return json::parse(out.str());
}

/* Times of a track never decrease, a core has one slice at a time, and jobs that begin end. */
void check_tracks(const json &trace)
{
	std::map<std::pair<std::uint64_t, std::uint64_t>, double> busy_until;
	std::map<std::pair<std::uint64_t, std::uint64_t>, double> last;
	std::map<std::string, std::string> open;

	for (const json &event : trace["traceEvents"]) {
		const std::string phase = event["ph"];
		const std::pair track(event["pid"].get<std::uint64_t>(),
				      event["tid"].get<std::uint64_t>());

		ASSERT_TRUE(event["name"].is_string());
		if (phase == "M")
			continue;
		EXPECT_GE(event["ts"].get<double>(), last[track]);
		last[track] = event["ts"];
		if (phase == "X") {
			/* In microseconds; times are whole nanoseconds. */
			EXPECT_GE(event["ts"].get<double>(), busy_until[track] - 1e-4);
			EXPECT_GE(event["dur"].get<double>(), 0);
			busy_until[track] = event["ts"].get<double>() + event["dur"].get<double>();
		} else if (phase == "b") {
			EXPECT_TRUE(open.emplace(event["id"], event["name"]).second);
		} else {
			ASSERT_EQ(phase, "e");
			EXPECT_EQ(open.at(event["id"]), event["name"].get<std::string>());
			open.erase(event["id"]);
		}
	}
	EXPECT_THAT(open, IsEmpty());
}

TEST(TraceChrome, Tracks)
{
	const json trace = written(busy());
	std::set<std::string> threads;

	check_tracks(trace);
	EXPECT_EQ(trace["otherData"]["lost_events"], 4);
	for (const json &event : trace["traceEvents"])
		if (event["name"] == "thread_name")
			threads.insert(event["args"]["name"]);
	EXPECT_EQ(threads, (std::set<std::string>{"core 0", "core 1", "moves", "context 7"}));
	for (const json &event : trace["traceEvents"])
		if (event["ph"] == "X" && event["tid"] == 2) {
			EXPECT_EQ(event["ts"], 0.15);
			EXPECT_EQ(event["dur"], 0.25);
		}
}

TEST(TraceChrome, Nothing)
{
	const json trace = written({});

	check_tracks(trace);
	std::stringstream text;
	write_chrome(text, {});
	const auto layers = read_layers(text);
	ASSERT_TRUE(layers);
	EXPECT_THAT(*layers, IsEmpty());
}

TEST(TraceChrome, StrangeLabel)
{
	Events events;

	events.slices = {slice(0, 1, 2, "\"quoted\" \xff\xfe \\")};
	check_tracks(written(events));
}

TEST(TraceReport, Layers)
{
	std::stringstream text;

	write_chrome(text, busy());
	const auto layers = read_layers(text);
	ASSERT_TRUE(layers);
	ASSERT_THAT(*layers, SizeIs(3));
	const Layer &a = (*layers)[0];
	EXPECT_EQ(a.label, "a");
	EXPECT_EQ(a.jobs, 1);
	EXPECT_EQ(a.device_ns, 350);
	EXPECT_EQ(a.wait_ns, 50);
	EXPECT_EQ(a.macs, 10);
	EXPECT_EQ(a.tasks, 2);
	EXPECT_EQ(a.read_bytes, 2000);
	EXPECT_EQ(a.start_ns, 2);
	EXPECT_EQ((*layers)[1].label, "");
	const Layer &b = (*layers)[2];
	EXPECT_EQ(b.label, "b");
	EXPECT_EQ(b.jobs, 3);
	EXPECT_EQ(b.failed, 2);
	EXPECT_EQ(b.wait_ns, 140 + 340);
	EXPECT_EQ(b.device_ns, 0);
}

/* Other kinds of files are rejected. */
TEST(TraceReport, NoTrace)
{
	for (const char *text :
	     {"", "hello", "{", "[]", R"({"traceEvents":3})", R"({"traceEvents":[3]})",
	      R"({"traceEvents":[{"ph":"X","args":{"label":7}}]})",
	      R"({"traceEvents":[{"ph":"b","args":{"label":"a","macs":"x"}}]})"}) {
		std::istringstream in(text);
		const auto layers = read_layers(in);

		ASSERT_FALSE(layers) << text;
		EXPECT_EQ(layers.error().code, EINVAL);
	}
	/* Traces of other programs have no labels. */
	std::istringstream other(
		R"({"traceEvents":[{"ph":"B","args":{}},{"ph":"X"},{"ph":"X","args":{}}]})");
	const auto layers = read_layers(other);
	ASSERT_TRUE(layers);
	EXPECT_THAT(*layers, IsEmpty());
}

} // namespace
