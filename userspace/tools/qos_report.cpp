/* SPDX-License-Identifier: MIT */
#include "qos_report.h"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "qos_statistics.h"

namespace npu::bench::qos
{

namespace
{

using Json = nlohmann::ordered_json;

/* The goals. */
constexpr double least_gain = 50;
constexpr double least_rocket_gain = 10;
constexpr double least_throughput = 0.97;
constexpr double most_equal_error = 0.02;
constexpr double most_weighted_error = 0.05;

double most(const std::vector<double> &values)
{
	return std::ranges::max(values);
}

} // namespace

double Report::worst_p99(const std::string &policy, std::uint32_t clients) const
{
	double worst = 0;

	for (const Row &row : rows)
		if (row.policy == policy && row.clients == clients)
			worst = std::max(worst, percentile(row.added_us, 99));
	return worst;
}

double Report::rocket_gain() const
{
	double least = std::numeric_limits<double>::max();

	for (const Row &fcfs : rocket_rows)
		for (const Row &ours : rocket_rows)
			if (fcfs.policy == "fcfs" && ours.policy != "fcfs" &&
			    fcfs.clients == ours.clients)
				least = std::min(least, percentile(fcfs.added_us, 99) /
								percentile(ours.added_us, 99));
	return least;
}

double Report::throughput_ratio() const
{
	double least = std::numeric_limits<double>::max();

	for (const Throughput &throughput : throughputs)
		least = std::min(least, throughput.ratio());
	return least;
}

double Report::deadlines_met() const
{
	double least = 1;

	for (const Deadlines &entry : deadlines)
		least = std::min(least, entry.fraction());
	return least;
}

std::vector<Report::Goal> Report::judge() const
{
	std::vector<Goal> goals;
	const auto at_most = [&](std::string what, double value, double limit) {
		goals.push_back({std::move(what), value, limit, value <= limit});
	};
	const auto at_least = [&](std::string what, double value, double limit) {
		goals.push_back({std::move(what), value, limit, value >= limit});
	};
	std::uint32_t clients = 0;

	for (const Throughput &throughput : throughputs) {
		clients = throughput.clients;
		at_most("p99 added latency in us, prefill clients: " + std::to_string(clients),
			worst_p99("hints", clients), slice_us + task_us);
	}
	at_least("p99 of first come first served to ours, prefill clients: " +
			 std::to_string(clients),
		 worst_p99("fcfs", clients) / worst_p99("hints", clients), least_gain);
	if (!rocket_rows.empty())
		at_least("p99 of first come first served to ours, rocket's calls without hints",
			 rocket_gain(), least_rocket_gain);
	at_least("throughput of ours to first come first served", throughput_ratio(),
		 least_throughput);
	at_most("error of equal shares", equal_share_error, most_equal_error);
	at_most("error of shares by weights 1:2:4", weighted_share_error, most_weighted_error);
	at_least("deadlines met", deadlines_met(), 1);
	return goals;
}

std::string Report::json() const
{
	Json json;

	for (const std::vector<Row> *list : {&rows, &rocket_rows})
		for (const Row &row : *list)
			json["rows"].push_back({{"policy", row.policy},
						{"clients", row.clients},
						{"workload", row.workload},
						{"p50_us", percentile(row.added_us, 50)},
						{"p99_us", percentile(row.added_us, 99)},
						{"max_us", most(row.added_us)},
						{"jobs", row.added_us.size()}});
	json["throughput_ratio"] = throughput_ratio();
	json["equal_share_error"] = equal_share_error;
	json["weighted_share_error"] = weighted_share_error;
	json["deadlines_met"] = deadlines_met();
	json["slice_us"] = slice_us;
	json["task_us"] = task_us;
	for (const Throughput &throughput : throughputs)
		json["throughputs"].push_back({{"clients", throughput.clients},
					       {"fcfs", throughput.fcfs},
					       {"hints", throughput.hints}});
	for (const Deadlines &entry : deadlines)
		json["deadlines"].push_back({{"beside", entry.beside},
					     {"demand", entry.demand},
					     {"jobs", entry.jobs},
					     {"met", entry.met}});
	for (const Goal &goal : judge())
		json["goals"].push_back({{"goal", goal.what},
					 {"value", goal.value},
					 {"limit", goal.limit},
					 {"met", goal.met}});
	return json.dump(2) + '\n';
}

void Report::print(std::ostream &out) const
{
	out << "| policy | prefill clients | workload | jobs | p50 us | p99 us | max us |\n"
	       "|---|---|---|---|---|---|---|\n"
	    << std::fixed << std::setprecision(0);
	for (const std::vector<Row> *list : {&rows, &rocket_rows})
		for (const Row &row : *list)
			out << "| " << row.policy << " | " << row.clients << " | " << row.workload
			    << " | " << row.added_us.size() << " | " << percentile(row.added_us, 50)
			    << " | " << percentile(row.added_us, 99) << " | " << most(row.added_us)
			    << " |\n";
	out << std::setprecision(4)
	    << "\n| prefill clients | cores busy, fcfs | cores busy, hints |\n|---|---|---|\n";
	for (const Throughput &throughput : throughputs)
		out << "| " << throughput.clients << " | " << throughput.fcfs << " | "
		    << throughput.hints << " |\n";
	out << "\n| deadlines beside | demand | jobs | met |\n|---|---|---|---|\n";
	for (const Deadlines &entry : deadlines)
		out << "| " << entry.beside << " | " << entry.demand << " | " << entry.jobs << " | "
		    << entry.met << " |\n";
	out << '\n';
	for (const Goal &goal : judge())
		out << goal.what << ": " << goal.value << ", " << (goal.met ? "met" : "missed")
		    << " (" << goal.limit << ")\n";
}

} // namespace npu::bench::qos
