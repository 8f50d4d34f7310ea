/* SPDX-License-Identifier: MIT */
/*
 * What the backend tells its user.
 */
#pragma once

#include <cstdint>
#include <string>

#include "options.h"

namespace npu::ggml
{

/// What a backend has done.
struct Report {
	/// Multiply-accumulates of matrix products on either side.
	std::uint64_t npu_macs = 0;
	std::uint64_t cpu_macs = 0;
	/// Rows of weight matrices that each side took.
	std::uint64_t npu_rows = 0;
	std::uint64_t cpu_rows = 0;
	/// Products with weights that are not packed, for want of room or for what they are.
	std::uint64_t declined = 0;
	std::uint64_t submits = 0;
	/// Bytes of packed weights.
	std::uint64_t packed_bytes = 0;
	/// Address spaces that they are in.
	std::uint64_t spaces = 0;
	/// Bytes that the device read and wrote.
	std::uint64_t device_bytes = 0;
	/// Time of the device, and of the CPU in which it only waited for the device.
	std::uint64_t device_ns = 0;
	std::uint64_t wait_ns = 0;
	/// The device's times are modelled.
	bool modelled = false;
};

/// @p report as @p log wants it; a line without its end, empty for Log::off.
std::string write_report(const Report &report, Options::Log log);

/// Write "npu: @p text" and a line's end to standard error.
void say(const std::string &text);

/// Progress of something that takes long: one line that is written again and again on a
/// terminal, and nothing elsewhere.
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
