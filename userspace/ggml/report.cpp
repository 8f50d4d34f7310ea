/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <iomanip>
#include <sstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace npu::ggml
{

namespace
{

double milliseconds(std::uint64_t ns)
{
	return static_cast<double>(ns) / 1e6;
}

double share(std::uint64_t part, std::uint64_t other)
{
	const auto all = static_cast<double>(part + other);

	return all > 0 ? static_cast<double>(part) / all : 0;
}

} // namespace

std::string write_report(const Report &report, Options::Log log)
{
	if (log == Options::Log::json) {
		const nlohmann::json json{
			{"npu_macs", report.npu_macs},
			{"cpu_macs", report.cpu_macs},
			{"npu_share", share(report.npu_macs, report.cpu_macs)},
			{"npu_rows", report.npu_rows},
			{"cpu_rows", report.cpu_rows},
			{"declined_products", report.declined},
			{"submits", report.submits},
			{"packed_bytes", report.packed_bytes},
			{"address_spaces", report.spaces},
			{"device_bytes", report.device_bytes},
			{report.modelled ? "modelled_device_ms" : "device_ms",
			 milliseconds(report.device_ns)},
			{"wait_ms", milliseconds(report.wait_ns)},
		};
		return json.dump();
	}
	std::ostringstream text;
	text << std::fixed << std::setprecision(1) << 100 * share(report.npu_macs, report.cpu_macs)
	     << " % of " << static_cast<double>(report.npu_macs + report.cpu_macs) / 1e9
	     << " G multiply-accumulates on the NPU, "
	     << 100 * share(report.npu_rows, report.cpu_rows) << " % of rows; " << report.submits
	     << " submits, " << static_cast<double>(report.device_bytes) / 1e6 << " MB, "
	     << milliseconds(report.device_ns) << (report.modelled ? " ms modelled" : " ms")
	     << " device time, " << milliseconds(report.wait_ns) << " ms waiting; weights "
	     << static_cast<double>(report.packed_bytes) / 1e6 << " MB";
	if (report.declined)
		text << "; " << report.declined
		     << " products ran on the CPU alone, for want of packed weights";
	return text.str();
}

void say(const std::string &text)
{
	const std::string line = "npu: " + text + "\n";

	/* A single write, so that lines of other threads do not interleave. */
	std::fwrite(line.data(), 1, line.size(), stderr);
	std::fflush(stderr);
}

void show_progress(const char *what, std::uint64_t done, std::uint64_t total)
{
	if (!isatty(STDERR_FILENO))
		return;
	std::fprintf(stderr, "\rnpu: %s %.0f %%%s", what, 100 * share(done, total - done),
		     done == total ? "\n" : "");
	std::fflush(stderr);
}

} // namespace npu::ggml
