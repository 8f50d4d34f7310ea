/* SPDX-License-Identifier: MIT */
/*
 * Parses the driver's trace points in the text format of tracefs.
 */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace npu::trace
{

/// A slice: work that a core was started with.
struct Slice {
	std::uint32_t core = 0;
	std::uint64_t client = 0;
	std::uint64_t context = 0;
	std::uint64_t seqno = 0;
	std::uint32_t lane = 0;
	std::uint32_t first = 0;
	std::uint32_t tasks = 0;
	std::uint64_t started_ns = 0;
	std::uint64_t ended_ns = 0;
	std::uint64_t device_ns = 0;
	std::uint64_t read_bytes = 0;
	std::uint64_t written_bytes = 0;
	std::uint64_t sram_bytes = 0;
	std::uint64_t start_ns = 0;
	std::uint64_t memory_ns = 0;
	std::uint64_t sram_ns = 0;
	int error = 0;
	std::string label;
};

/// A job that has ended.
struct Job {
	pid_t pid = 0;
	std::uint64_t client = 0;
	std::uint64_t context = 0;
	std::uint64_t seqno = 0;
	std::uint64_t queued_ns = 0;
	/// 0 if the job did not start.
	std::uint64_t started_ns = 0;
	std::uint64_t ended_ns = 0;
	std::uint64_t device_ns = 0;
	std::uint64_t macs = 0;
	std::uint32_t tasks = 0;
	int error = 0;
	std::string label;
};

/// A buffer that was moved to or from SRAM.
struct Move {
	std::uint64_t buffer = 0;
	std::uint64_t bytes = 0;
	bool to_chip = false;
	std::uint64_t started_ns = 0;
	std::uint64_t ended_ns = 0;
};

/// Everything that was recorded, in the order of the kernel's buffer.
struct Events {
	std::vector<Slice> slices;
	std::vector<Job> jobs;
	std::vector<Move> moves;
	/// Events lost because the buffer was full.
	std::uint64_t lost = 0;

	/// Parses @p line and appends its event; ignores other lines.
	void add(std::string_view line);
};

} // namespace npu::trace
