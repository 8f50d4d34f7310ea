/* SPDX-License-Identifier: MIT */
#include "qos_trace.h"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace npu::bench::qos
{

namespace
{

const std::string tracing = "/sys/kernel/tracing/";
const std::string enable = tracing + "events/npu/npu_slice/enable";

bool write(const std::string &path, const char *text)
{
	return static_cast<bool>(std::ofstream(path) << text << std::flush);
}

/// The number after @p key in @p line.
std::optional<std::uint64_t> field(std::string_view line, std::string_view key)
{
	const auto at = line.find(key);
	std::uint64_t value = 0;

	if (at == std::string_view::npos)
		return {};
	line.remove_prefix(at + key.size());
	if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc())
		return {};
	return value;
}

} // namespace

std::vector<Slice> read_slices(std::istream &trace)
{
	std::vector<Slice> slices;

	for (std::string line; std::getline(trace, line);) {
		const auto core = field(line, " core=");
		const auto client = field(line, " client=");
		const auto started = field(line, " started=");
		const auto ended = field(line, " ended=");

		if (line.find(" npu_slice: ") == std::string::npos || !core || !client ||
		    !started || !ended)
			continue;
		slices.push_back({.core = static_cast<std::uint32_t>(*core),
				  .client = *client,
				  .started_ns = *started,
				  .ended_ns = *ended});
	}
	return slices;
}

Result<std::unique_ptr<SliceTrace>> SliceTrace::create()
{
	if (!std::filesystem::exists(enable))
		return fail(ENODEV,
			    "cannot find " + enable + "; mount tracefs and load this driver's npu");
	/* Opening the trace for writing clears it. */
	if (!write(tracing + "trace", "") || !write(enable, "1"))
		return fail(EACCES, "cannot write " + enable + "; are you root?");
	return std::make_unique<SliceTrace>();
}

SliceTrace::~SliceTrace()
{
	write(enable, "0");
}

std::vector<Slice> SliceTrace::slices() const
{
	std::ifstream trace(tracing + "trace");

	return read_slices(trace);
}

} // namespace npu::bench::qos
