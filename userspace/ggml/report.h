/* SPDX-License-Identifier: MIT */
/*
 * Reports and progress messages of the backend.
 */
#pragma once

#include <cstdint>
#include <string>

#include "options.h"

namespace npu::ggml
{

/// Statistics of a backend.
struct Report {
	/// Multiply-accumulates of matrix products on the NPU and on the CPU.
	std::uint64_t npu_macs = 0;
	std::uint64_t cpu_macs = 0;
	/// Rows of weight matrices that the NPU and the CPU took.
	std::uint64_t npu_rows = 0;
	std::uint64_t cpu_rows = 0;
	/// Products whose weights are not packed, because of the budget or of their numbers.
	std::uint64_t declined = 0;
	std::uint64_t submits = 0;
	/// Bytes of packed weights.
	std::uint64_t packed_bytes = 0;
	/// Address spaces that hold packed weights.
	std::uint64_t spaces = 0;
	/// Bytes that the device read and wrote.
	std::uint64_t device_bytes = 0;
	/// Time of the device, and time that the CPU waited for it without other work.
	std::uint64_t device_ns = 0;
	std::uint64_t wait_ns = 0;
	/// The device's times are modelled.
	bool modelled = false;
};

/// Formats @p report; no newline at the end, empty for Log::off.
std::string write_report(const Report &report, Options::Log log);

/// Prints "npu: @p text" and a newline on standard error.
void say(const std::string &text);

/// Progress of a long operation: a line that is rewritten on a terminal; not shown elsewhere.
class Progress
{
public:
	Progress(std::string what, std::uint64_t total);
	~Progress();
	Progress(const Progress &) = delete;
	Progress &operator=(const Progress &) = delete;
	void add(std::uint64_t done);

private:
	std::string what_;
	std::uint64_t total_;
	std::uint64_t done_ = 0;
	int shown_ = -1;
	bool terminal_;
};

} // namespace npu::ggml
