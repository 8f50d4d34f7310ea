/* SPDX-License-Identifier: MIT */
/*
 * The table of npu-bench rocket: medians of all measurements, including those of earlier runs with
 * another driver.
 */
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "board_counters.h"

namespace npu::bench
{

struct RocketRow {
	/// The configuration that a row measures.
	struct Key {
		/// "rocket", "compat", "changing" or "prepared"
		std::string driver;
		std::uint32_t files = 1;
		/// Lanes of a job, which run on different cores.
		std::uint32_t lanes = 1;
		/// Tasks of a lane.
		std::uint32_t tasks = 1;
		/// Jobs of a call.
		std::uint32_t batch = 1;

		auto operator<=>(const Key &) const = default;
	};

	/// The figures of one measurement, per job.
	struct Sample {
		Sample() = default;
		Sample(double seconds, std::uint64_t jobs, const Counters &counters);

		double jobs_per_s = 0;
		double irqs = 0;
		double iommu_commands = 0;
		double accesses = 0;
		double switches = 0;
		std::array<double, most_cores> starts{};
	};
};

class RocketTable
{
public:
	/// Reads the output of json().
	/// \return false for other input
	bool read(std::istream &in);

	void add(const RocketRow::Key &key, const RocketRow::Sample &sample);

	/// Rows, goals, and the samples that they come from.
	std::string json() const;

	void print(std::ostream &out) const;

private:
	using Figure = std::function<double(const RocketRow::Sample &)>;

	/// A goal against what was measured.
	struct Verdict {
		std::string goal;
		double value;
		double limit;
		bool met;
	};

	/// The median, or a negative number if it was not measured.
	double median(const RocketRow::Key &key, const Figure &figure) const;
	std::vector<Verdict> judge() const;

	std::map<RocketRow::Key, std::vector<RocketRow::Sample>> rows_;
};

} // namespace npu::bench
