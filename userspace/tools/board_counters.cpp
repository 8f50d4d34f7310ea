/* SPDX-License-Identifier: MIT */
#include "board_counters.h"

#include <cerrno>
#include <fstream>
#include <string>

namespace npu::bench
{

namespace
{

constexpr auto board = "/sys/kernel/debug/npu_board/core";

Result<std::uint64_t> read_counter(std::size_t core, const char *name)
{
	const std::string path = board + std::to_string(core) + '/' + name;
	std::int64_t value = 0;

	if (!(std::ifstream(path) >> value))
		return fail(ENODEV,
			    "cannot read " + path +
				    "; is this the board of tests/board, and are you root?");
	return static_cast<std::uint32_t>(value);
}

/// The difference of two values of a 32 bit counter, which may have wrapped.
std::uint64_t since(std::uint64_t after, std::uint64_t before)
{
	return static_cast<std::uint32_t>(after - before);
}

Result<std::uint64_t> read_switches()
{
	std::ifstream file("/proc/stat");
	std::string word;
	std::uint64_t switches = 0;

	while (file >> word)
		if (word == "ctxt" && file >> switches)
			return switches;
	return fail(EIO, "no context switches in /proc/stat");
}

} // namespace

Result<Counters> read_counters()
{
	Counters counters;
	auto switches = read_switches();

	if (!switches)
		return forward(switches);
	counters.switches = *switches;
	for (std::size_t core = 0; core < most_cores; core++) {
		const auto add = [&](const char *name, std::uint64_t &sum) -> Result<void> {
			auto value = read_counter(core, name);

			if (!value)
				return forward(value);
			sum += *value;
			return {};
		};

		for (const char *name : {"reads", "writes"})
			if (auto added = add(name, counters.accesses); !added)
				return forward(added);
		if (auto added = add("iommu_commands", counters.iommu_commands); !added)
			return forward(added);
		if (auto added = add("interrupts", counters.interrupts); !added)
			return forward(added);
		if (auto added = add("starts", counters.starts.at(core)); !added)
			return forward(added);
	}
	return counters;
}

Counters operator-(const Counters &after, const Counters &before)
{
	Counters between;

	between.accesses = since(after.accesses, before.accesses);
	between.iommu_commands = since(after.iommu_commands, before.iommu_commands);
	between.interrupts = since(after.interrupts, before.interrupts);
	for (std::size_t core = 0; core < most_cores; core++)
		between.starts.at(core) = since(after.starts.at(core), before.starts.at(core));
	between.switches = after.switches - before.switches;
	return between;
}

} // namespace npu::bench
