/* SPDX-License-Identifier: MIT */
/*
 * Published measurements of RK3588 boards, each as what the model runs to be compared
 * with it.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <npu/task.h>

namespace silicon
{

/// What a job costs besides the device's time: that of the system calls, the interrupt
/// and the thread that waits.
enum class Host : std::uint8_t {
	/// Nothing: the figure is of an operation inside a job.
	none,
	/// A job of the vendor's driver, waited for.
	vendor,
	/// A job of mainline's rocket: the interrupt where the system puts it, the
	/// address space attached and detached.
	rocket,
	/// The same with interrupt and client on one big core, and kept attached.
	rocket_pinned,
};

/// The board's memory.
enum class Memory : std::uint8_t {
	lpddr4x,
	lpddr5,
};

/// Jobs that run one after another, all alike.
struct Step {
	/// Tasks of each core; the cores run side by side.
	std::vector<npu::Lane> lanes;
	std::uint32_t times = 1;
};

using Program = std::vector<Step>;

/// A published figure.
struct Row {
	std::string what;
	std::uint32_t clock_mhz = 0;
	std::uint32_t cores = 0;
	/// Microseconds; or, with @ref baseline, the baseline's time over the program's.
	double silicon = 0;
	/// The publication: repository, commit and file as far as they are known.
	const char *source = nullptr;
	Program program;
	std::optional<Program> baseline = std::nullopt;
	Host host = Host::none;
	Memory memory = Memory::lpddr4x;
	/// Why the model's time is more than 1.5 times silicon's, or less than that share
	/// of it; null if it is not.
	const char *explanation = nullptr;
};

/// A published figure that has no row, and why.
struct Omission {
	const char *what;
	const char *why;
};

/// All rows, in a fixed order: parameters are fitted on those with even indexes.
std::vector<Row> rows();

/// Measurements that do not state what a row needs.
const std::vector<Omission> &omissions();

} // namespace silicon
