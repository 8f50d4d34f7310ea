/* SPDX-License-Identifier: MIT */
/*
 * Passes random streams through the kernel's verifier, and runs accepted ones on the model: they
 * must not hang a core, change the kernel's memory, or depend on the state that other clients have
 * left.
 */
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <npu_accel.h>

#include "stream_coverage.h"
#include "stream_machine.h"
#include "stream_source.h"
#include "verifier.h"

namespace
{

using npu::fuzz::Coverage;
using npu::fuzz::Machine;
using npu::fuzz::Outcome;
using npu::fuzz::Source;
using npu::fuzz::Stream;
using npu::test::Fault;
using npu::test::Verifier;

constexpr std::array reasons{"none",  "target",  "register", "value", "address",
			     "reuse", "missing", "enable",   "shape"};
constexpr std::array ends{"done", "hung", "faulted", "not modelled"};

struct Counts {
	std::uint64_t lanes = 0;
	std::uint64_t accepted = 0;
	std::uint64_t reused = 0;
	std::array<std::uint64_t, reasons.size()> refused{};
	std::array<std::uint64_t, ends.size()> ended{};
	/// Counts of registers with settings that the model does not implement.
	std::map<std::uint32_t, std::uint64_t> unmodelled;
};

/// Verifies a lane and stores the streams that the kernel makes of it in @p made.
std::optional<Fault> verify(const std::vector<Stream> &lane, std::vector<Stream> &made)
{
	Verifier verifier([](std::uint64_t address, bool) {
		return Machine::is_clients(address) ? 0 : -EINVAL;
	});

	for (const Stream &stream : lane) {
		if (const auto fault = verifier.verify(stream.commands, stream.enable))
			return fault;
		made.push_back({verifier.emit(), stream.enable});
	}
	return {};
}

void print(const std::vector<Stream> &lane, const Outcome &outcome)
{
	std::printf("ends with %s, register %#x = %#x, fault at %#x\n", ends[outcome.status],
		    outcome.error_reg, outcome.error_value, outcome.fault_addr);
	for (const Stream &stream : lane) {
		std::printf("task, blocks %#x:\n", stream.enable);
		for (const std::uint64_t command : stream.commands)
			std::printf("%016llx\n", static_cast<unsigned long long>(command));
	}
}

/// \return the violation, empty if there is none
std::string try_lane(Machine &machine, const std::vector<Stream> &lane, std::uint32_t index,
		     Counts &counts)
{
	std::vector<Stream> made;

	counts.lanes++;
	if (const auto fault = verify(lane, made)) {
		if (fault->reason == 0 || fault->reason >= reasons.size())
			return "refused for no known reason";
		counts.refused[fault->reason]++;
		return {};
	}
	counts.accepted++;
	for (const Stream &stream : lane)
		for (const std::uint64_t command : stream.commands)
			counts.reused += (command & 0xffff) == 0x1040 && ((command >> 16) & 0x3000);

	/* Run with different leftovers of other clients, and with another register group. */
	const Outcome outcome = machine.run(made, index, 2);
	const Outcome other = machine.run(made, index, 3);
	counts.ended[outcome.status]++;
	if (outcome.status == NPU_MODEL_UNSUPPORTED)
		counts.unmodelled[outcome.error_reg]++;
	if (!machine.complaint().empty() || outcome != other)
		print(lane, outcome);
	if (!machine.complaint().empty())
		return machine.complaint();
	return outcome == other ? "" : "depends on what was left on chip";
}

void print(const Counts &counts)
{
	const auto number = [](std::uint64_t value) {
		return static_cast<unsigned long long>(value);
	};

	std::printf("%llu lanes, %llu accepted, %llu reuses in them\n", number(counts.lanes),
		    number(counts.accepted), number(counts.reused));
	for (std::size_t i = 1; i < reasons.size(); i++)
		std::printf("refused for %s: %llu\n", reasons[i], number(counts.refused[i]));
	for (std::size_t i = 0; i < ends.size(); i++)
		std::printf("%s: %llu\n", ends[i], number(counts.ended[i]));
	for (const auto &[reg, count] : counts.unmodelled)
		std::printf("not modelled, register %#x: %llu\n", reg, number(count));
}

/// Whether all kinds of results occurred, and enough lanes were accepted and completed. Otherwise
/// the run is not meaningful.
bool is_thorough(const Counts &counts, std::uint64_t accepted, std::uint64_t done)
{
	bool all = counts.accepted >= accepted && counts.ended[NPU_MODEL_DONE] >= done &&
		   counts.reused && counts.ended[NPU_MODEL_FAULT];

	for (std::size_t i = 1; i < counts.refused.size(); i++)
		all &= counts.refused[i] != 0;
	return all;
}

struct Options {
	std::uint64_t seed = std::random_device{}();
	unsigned seconds = 60;
	std::optional<std::uint64_t> only;
	std::string replay;
	std::string distil;
};

/// A lane's seed, and its number.
using Place = std::pair<std::uint64_t, std::uint64_t>;

/// Tests lanes one after the other on one machine.
class Run
{
public:
	/// \return whether the lane has no violation; prints it otherwise
	bool lane(Place place)
	{
		const auto [seed, number] = place;
		Source source(seed * 0x9e3779b97f4a7c15 + number);
		const std::vector<Stream> lane = source.lane();
		const std::string wrong = try_lane(machine_, lane, source.below(3), counts_);

		if (!wrong.empty())
			std::printf("lane %llu of seed %llu: %s\n",
				    static_cast<unsigned long long>(number),
				    static_cast<unsigned long long>(seed), wrong.c_str());
		return wrong.empty();
	}

	/// Ends a run, of random lanes or of chosen ones, without violations.
	bool finish(bool random) const
	{
		const bool thorough =
			random ? is_thorough(counts_, counts_.lanes / 5, counts_.lanes / 10)
			       : is_thorough(counts_, 1, 1);

		print(counts_);
		if (!thorough)
			std::printf("too little of something came up\n");
		return thorough;
	}

private:
	Machine machine_;
	Counts counts_;
};

/// Replays the lanes in a file of lines "SEED LANE"; lines with # are comments.
bool replay(const std::string &path)
{
	std::ifstream file(path);
	std::string line;
	Run run;

	while (std::getline(file, line)) {
		Place place;

		if (line.starts_with('#'))
			continue;
		if (!(std::istringstream(line) >> place.first >> place.second)) {
			std::printf("%s: '%s' is no seed and lane\n", path.c_str(), line.c_str());
			return false;
		}
		if (!run.lane(place))
			return false;
	}
	return run.finish(false);
}

/// Tests new lanes for the given time, and for a minimum number. Lanes that reach new code are
/// appended to the file, if any.
bool fuzz(const Options &options)
{
	/* Every kind of refusal and of end occurs several times in this many lanes. */
	constexpr std::uint64_t least_lanes = 20'000;
	const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
	std::ofstream distilled;
	Coverage coverage;
	Run run;

	std::printf("stream-fuzz: seed %llu, %u s\n", static_cast<unsigned long long>(options.seed),
		    options.seconds);
	if (!options.distil.empty()) {
		distilled.open(options.distil);
		distilled << "# SPDX-License-Identifier: MIT\n"
			     "# What stream-fuzz --replay tries: seeds and lanes, as --distil "
			     "chose them.\n";
	}
	for (std::uint64_t i = 0; i < least_lanes || std::chrono::steady_clock::now() < end; i++) {
		Coverage::begin();
		if (!run.lane({options.seed, i}))
			return false;
		if (distilled.is_open() && coverage.grew())
			distilled << options.seed << ' ' << i << '\n';
	}
	return run.finish(true);
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Random command streams through the verifier and the model.");
	Options options;

	app.add_option("--seconds", options.seconds, "How long")->capture_default_str();
	app.add_option("--seed", options.seed, "Of the random choice; a new one if not given");
	app.add_option("--lane", options.only, "Try this lane of the seed only");
	auto *replayed =
		app.add_option("--replay", options.replay, "Try the lanes of this file only")
			->check(CLI::ExistingFile);
	app.add_option("--distil", options.distil,
		       "Write to this file which lanes reach what none before has")
		->excludes(replayed);
	app.footer("Exit status: 0 all is right, 1 something is not, others wrong usage.\n"
		   "\n"
		   "Example:\n  stream-fuzz --seconds 300 --seed 7");
	CLI11_PARSE(app, argc, argv);

	if (!options.distil.empty() && !Coverage::works()) {
		std::printf("--distil needs the build of scripts/sanitize address\n");
		return 1;
	}
	if (options.only)
		return Run().lane({options.seed, *options.only}) ? 0 : 1;
	return (options.replay.empty() ? fuzz(options) : replay(options.replay)) ? 0 : 1;
}
