/* SPDX-License-Identifier: MIT */
/*
 * Published measurements of RK3588 boards, each with the program that the model runs for
 * comparison.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <npu/task.h>

namespace silicon
{

/// Overhead of a job in addition to device time: system calls, the interrupt and the wakeup of the
/// waiting thread.
enum class Host : std::uint8_t {
	/// None: the figure is for an operation within a job.
	none,
	/// A job of the vendor's driver, with a wait.
	vendor,
	/// A job of mainline's rocket, with default interrupt affinity; attaches and detaches the
	/// address space.
	rocket,
	/// As rocket, with interrupt and client on one big core, and without detaching.
	rocket_pinned,
};

/// The board's memory.
enum class Memory : std::uint8_t {
	lpddr4x,
	lpddr5,
};

/// Jobs that run one after another, all alike.
struct Step {
	/// Tasks of each core; the cores run in parallel.
	std::vector<npu::Lane> lanes;
	std::uint32_t times = 1;
};

using Program = std::vector<Step>;

/// A published figure.
struct Row {
	std::string what;
	std::uint32_t clock_mhz = 0;
	std::uint32_t cores = 0;
	/// Microseconds; with @ref baseline, the ratio of the baseline's time to the program's.
	double silicon = 0;
	/// The publication: repository, commit and file as far as they are known.
	const char *source = nullptr;
	Program program;
	std::optional<Program> baseline = std::nullopt;
	Host host = Host::none;
	Memory memory = Memory::lpddr4x;
	/// The reason if the model's time is off by more than a factor of 1.5; null otherwise.
	const char *explanation = nullptr;
};

/// A published figure without a row, and the reason.
struct Omission {
	const char *what;
	const char *why;
};

/// All rows in a fixed order; parameters are fitted to those with even indexes.
std::vector<Row> rows();

/// Measurements that lack information for a row.
const std::vector<Omission> &omissions();

} // namespace silicon
