/* SPDX-License-Identifier: MIT */
/*
 * Random streams through the kernel's verifier, and what it accepts through the
 * model: nothing that is accepted may hang a core, change what is the kernel's,
 * or depend on what other clients have left on chip.
 */
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <string>

#include <CLI/CLI.hpp>

#include <npu_accel.h>

#include "stream_machine.h"
#include "stream_source.h"
#include "verifier.h"

namespace
{

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
};

std::optional<Fault> verify(const std::vector<Stream> &lane)
{
	Verifier verifier([](std::uint64_t address, bool) {
		return Machine::is_clients(address) ||
				       /* For operands, which the model does not read. */
				       address >> 29 == 0x50000000 >> 29
			       ? 0
			       : -EINVAL;
	});

	for (const Stream &stream : lane)
		if (const auto fault = verifier.verify(stream.commands, stream.enable))
			return fault;
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

/// \return what is wrong with it, nothing if all is right
std::string try_lane(Machine &machine, const std::vector<Stream> &lane, std::uint32_t index,
		     Counts &counts)
{
	counts.lanes++;
	if (const auto fault = verify(lane)) {
		if (fault->reason == 0 || fault->reason >= reasons.size())
			return "refused for no known reason";
		counts.refused[fault->reason]++;
		return {};
	}
	counts.accepted++;
	for (const Stream &stream : lane)
		for (const std::uint64_t command : stream.commands)
			counts.reused += (command & 0xffff) == 0x1040 && ((command >> 16) & 0x3000);

	/* What other clients leave differs, and so does the group that is next. */
	const Outcome outcome = machine.run(lane, index, 2);
	const Outcome other = machine.run(lane, index, 3);
	counts.ended[outcome.status]++;
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
}

/// Whether enough of everything came up for the rest to mean something.
bool is_thorough(const Counts &counts)
{
	bool all = counts.accepted >= counts.lanes / 5 &&
		   counts.ended[NPU_MODEL_DONE] >= counts.lanes / 10 && counts.reused &&
		   counts.ended[NPU_MODEL_FAULT];

	for (std::size_t i = 1; i < counts.refused.size(); i++)
		all &= counts.refused[i] != 0;
	return all;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Random command streams through the verifier and the model.");
	std::uint64_t seed = std::random_device{}();
	std::optional<std::uint64_t> only;
	unsigned seconds = 60;

	app.add_option("--seconds", seconds, "How long")->capture_default_str();
	app.add_option("--seed", seed, "Of the random choice; a new one if not given");
	app.add_option("--lane", only, "Try this lane of the seed only");
	app.footer("Example:\n  stream-fuzz --seconds 300 --seed 7");
	CLI11_PARSE(app, argc, argv);

	std::printf("stream-fuzz: seed %llu, %u s\n", static_cast<unsigned long long>(seed),
		    seconds);
	const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
	Machine machine;
	Counts counts;
	for (std::uint64_t i = only.value_or(0); std::chrono::steady_clock::now() < end; i++) {
		Source source(seed * 0x9e3779b97f4a7c15 + i);
		const std::vector<Stream> lane = source.lane();
		const std::string wrong = try_lane(machine, lane, source.below(3), counts);

		if (!wrong.empty()) {
			std::printf("lane %llu of seed %llu: %s\n",
				    static_cast<unsigned long long>(i),
				    static_cast<unsigned long long>(seed), wrong.c_str());
			return 1;
		}
		if (only)
			return 0;
	}
	print(counts);
	if (!is_thorough(counts)) {
		std::printf("too little of something came up\n");
		return 1;
	}
	return 0;
}
