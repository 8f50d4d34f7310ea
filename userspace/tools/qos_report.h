/* SPDX-License-Identifier: MIT */
/*
 * The results of npu-bench qos, and its goals.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace npu::bench::qos
{

/// Added latency of a workload.
struct Row {
	/// "fcfs" or "hints".
	std::string policy;
	/// Number of prefill clients in the background.
	std::uint32_t clients = 0;
	std::string workload;
	/// Added latency of each job in microseconds.
	std::vector<double> added_us;
};

/// Device time of all clients per nanosecond.
struct Throughput {
	std::uint32_t clients = 0;
	double fcfs = 0;
	double hints = 0;

	double ratio() const { return hints / fcfs; }
};

/// Jobs with deadlines, and how many were met.
struct Deadlines {
	/// The background load.
	std::string beside;
	/// The share of the device that the jobs need.
	double demand = 0;
	std::size_t jobs = 0;
	std::size_t met = 0;

	double fraction() const { return static_cast<double>(met) / static_cast<double>(jobs); }
};

struct Report {
	std::vector<Row> rows;
	/// Rows of a client that uses rocket's ioctls, without hints.
	std::vector<Row> rocket_rows;
	std::vector<Throughput> throughputs;
	std::vector<Deadlines> deadlines;
	double equal_share_error = 0;
	double weighted_share_error = 0;
	double slice_us = 0;
	/// The longest task of prefill.
	double task_us = 0;

	std::string json() const;
	void print(std::ostream &out) const;

private:
	struct Goal {
		std::string what;
		double value;
		double limit;
		bool met;
	};

	/// The worst p99 of latency work with @p policy and @p clients.
	double worst_p99(const std::string &policy, std::uint32_t clients) const;
	/// The smallest ratio of p99 under fcfs to p99 under our policy, for the rocket client.
	double rocket_gain() const;
	double throughput_ratio() const;
	double deadlines_met() const;
	std::vector<Goal> judge() const;
};

} // namespace npu::bench::qos
