/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <algorithm>
#include <cstdio>
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
	if (log == Options::Log::off)
		return {};
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

Progress::Progress(std::string what, std::uint64_t total)
	: what_(std::move(what)), total_(std::max<std::uint64_t>(total, 1)),
	  terminal_(isatty(STDERR_FILENO))
{
}

Progress::~Progress()
{
	if (shown_ >= 0)
		std::fputs("\n", stderr);
}

void Progress::add(std::uint64_t done)
{
	done_ += done;
	const int percent = static_cast<int>(100 * std::min(done_, total_) / total_);
	if (!terminal_ || percent == shown_)
		return;
	shown_ = percent;
	const std::string line = "\rnpu: " + what_ + ' ' + std::to_string(percent) + " %";
	std::fputs(line.c_str(), stderr);
	std::fflush(stderr);
}

} // namespace npu::ggml
