/* SPDX-License-Identifier: MIT */
/*
 * Reports and progress messages of the backend.
 */
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <new>
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

/// Formats @p report; no newline at the end.
std::string write_report(const Report &report, Options::Log log);

/// Prints "npu: @p text" and a newline on standard error.
void say(const std::string &text);

/// Calls @p function on behalf of ggml, which expects no exceptions. Prints a line and returns
/// @p otherwise if memory is exhausted.
template <typename T, std::invocable Function>
T guarded(T otherwise, const Function &function) noexcept
{
	try {
		return function();
	} catch (const std::bad_alloc &) {
		std::fputs("npu: memory is exhausted\n", stderr);
		return otherwise;
	}
}

/// On a terminal, prints over its last line how much of a long operation is @p done.
void show_progress(const char *what, std::uint64_t done, std::uint64_t total);

} // namespace npu::ggml
