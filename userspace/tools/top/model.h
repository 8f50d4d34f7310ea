/* SPDX-License-Identifier: MIT */
/*
 * The activity of the device between two samples.
 */
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sample.h"

namespace npu::top
{

/// The sort key of the process table.
enum class Order : std::uint8_t {
	load,
	memory,
	queue,
	missed,
	pid,
};
inline constexpr std::array<const char *, 5> order_names{"load", "memory", "queue", "missed",
							 "pid"};

/// The sort key that follows @p order, cyclically.
Order next_order(Order order);

/// A process between two samples.
struct Row {
	pid_t pid = 0;
	std::string user;
	std::string command;
	/// Parts of the device's time, 0 to 1, of all work and by class.
	double load = 0;
	std::array<double, class_count> class_load{};
	/// Bytes by region.
	std::map<std::string, Memory> memory;
	std::uint64_t contexts = 0;
	std::uint64_t queued = 0;
	std::uint64_t jobs = 0;
	std::uint64_t failed = 0;
	std::uint64_t missed = 0;
	double jobs_per_second = 0;
	bool banned = false;

	std::uint64_t resident(const std::string &region) const;
};

/// A region of memory.
struct Region {
	std::string name;
	std::uint64_t size = 0;
	std::uint64_t used = 0;
};

/// The device and its processes between two samples.
struct Snapshot {
	std::string name;
	bool is_virtual = false;
	/// Time between the samples, by the device's clock.
	std::uint64_t interval_ns = 0;
	/// The utilisation of each core, 0 to 1.
	std::vector<double> cores;
	std::vector<Region> regions;
	std::uint64_t clock_hz = 0;
	std::uint64_t max_clock_hz = 0;
	std::optional<std::int64_t> temperature;
	std::uint64_t queued = 0;
	std::uint64_t jobs = 0;
	double jobs_per_second = 0;
	std::uint64_t failed = 0;
	std::uint64_t missed = 0;
	std::uint64_t hangs = 0;
	std::uint64_t faults = 0;
	std::uint64_t resets = 0;
	std::vector<Row> rows;
	std::uint64_t hidden = 0;
};

/// The activity from @p before to @p after. Files opened in between count from 0; files closed in
/// between are omitted.
Snapshot compare(const Sample &before, const Sample &after);

/// Sorts the processes by @p order in descending order, pids in ascending order.
void sort(Snapshot &snapshot, Order order);

} // namespace npu::top
