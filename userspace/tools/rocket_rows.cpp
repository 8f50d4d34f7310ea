/* SPDX-License-Identifier: MIT */
#include "rocket_rows.h"

#include <algorithm>
#include <iomanip>
#include <utility>

#include <nlohmann/json.hpp>

namespace npu::bench
{

namespace
{

using Key = RocketRow::Key;
using Sample = RocketRow::Sample;
using Json = nlohmann::ordered_json;

/// Names of the figures in the JSON.
constexpr std::array<std::pair<const char *, double Sample::*>, 5> figures{{
	{"jobs_per_s", &Sample::jobs_per_s},
	{"irqs_per_job", &Sample::irqs},
	{"iommu_cmds_per_job", &Sample::iommu_commands},
	{"mmio_per_job", &Sample::accesses},
	{"context_switches_per_job", &Sample::switches},
}};

double middle(std::vector<double> values)
{
	const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);

	std::ranges::nth_element(values, at);
	return *at;
}

template <typename Figure>
double median_of(const std::vector<Sample> &samples, const Figure &figure)
{
	std::vector<double> values;

	std::ranges::transform(samples, std::back_inserter(values),
			       [&](const Sample &sample) { return std::invoke(figure, sample); });
	return middle(std::move(values));
}

/// The mean number of starts of each core. Jobs may run on any core, so that no single sample is
/// typical.
std::array<double, most_cores> mean_starts(const std::vector<Sample> &samples)
{
	std::array<double, most_cores> sums{};

	for (const Sample &sample : samples)
		std::ranges::transform(sums, sample.starts, sums.begin(), std::plus<>());
	for (double &sum : sums)
		sum /= static_cast<double>(samples.size());
	return sums;
}

/// The smallest share of a core in all starts.
double least_share(const Sample &sample)
{
	double sum = 0;

	for (const double starts : sample.starts)
		sum += starts;
	return std::ranges::min(sample.starts) / sum;
}

Json to_json(const Sample &sample)
{
	Json json;

	for (const auto &[name, figure] : figures)
		json[name] = sample.*figure;
	json["starts_per_core"] = sample.starts;
	return json;
}

Sample to_sample(const Json &json)
{
	Sample sample;

	for (const auto &[name, figure] : figures)
		json.at(name).get_to(sample.*figure);
	json.at("starts_per_core").get_to(sample.starts);
	return sample;
}

} // namespace

RocketRow::Sample::Sample(double seconds, std::uint64_t jobs, const Counters &counters)
{
	const auto a_job = [&](std::uint64_t count) {
		return static_cast<double>(count) / static_cast<double>(jobs);
	};

	jobs_per_s = static_cast<double>(jobs) / seconds;
	irqs = a_job(counters.interrupts);
	iommu_commands = a_job(counters.iommu_commands);
	accesses = a_job(counters.accesses);
	switches = a_job(counters.switches);
	std::ranges::transform(counters.starts, starts.begin(), a_job);
}

void RocketTable::add(const Key &key, const Sample &sample)
{
	rows_[key].push_back(sample);
}

bool RocketTable::read(std::istream &in)
{
	try {
		const Json json = Json::parse(in);

		for (const Json &row : json.at("rows")) {
			const Key key{row.at("driver"), row.at("files"), row.at("lanes"),
				      row.at("tasks"), row.at("batch")};

			for (const Json &sample : row.at("samples"))
				add(key, to_sample(sample));
		}
	} catch (const Json::exception &) {
		return false;
	}
	return true;
}

double RocketTable::median(const Key &key, const Figure &figure) const
{
	const auto found = rows_.find(key);

	return found == rows_.end() ? -1 : median_of(found->second, figure);
}

std::vector<RocketTable::Verdict> RocketTable::judge() const
{
	std::vector<Verdict> verdicts;
	const auto at_least = [&](std::string goal, double value, double limit) {
		if (value >= 0)
			verdicts.push_back({std::move(goal), value, limit, value >= limit});
	};
	const auto at_most = [&](std::string goal, double value, double limit) {
		if (value >= 0)
			verdicts.push_back({std::move(goal), value, limit, value <= limit});
	};
	const auto faster = [&](const char *driver, std::uint32_t tasks, double limit) {
		const double ours = median({driver, 1, 1, tasks, 64}, &Sample::jobs_per_s);
		const double theirs = median({"rocket", 1, 1, tasks, 64}, &Sample::jobs_per_s);

		if (theirs > 0)
			at_least("jobs/s of " + std::string(driver) +
					 " to rocket, 64 a call, tasks: " + std::to_string(tasks),
				 ours / theirs, limit);
	};

	faster("prepared", 1, 5);
	faster("prepared", 16, 10);
	faster("compat", 1, 1.2);
	faster("compat", 16, 3);
	for (const std::uint32_t tasks : {1U, 16U}) {
		const Key key{"prepared", 1, 1, tasks, 64};
		const std::string of = ", tasks: " + std::to_string(tasks);

		at_most("interrupts of a prepared job" + of, median(key, &Sample::irqs), 1);
		at_most("IOMMU commands of a prepared job, one file" + of,
			median(key, &Sample::iommu_commands), 0);
	}
	at_least("least share of a core in the starts, prepared, one file, jobs of three lanes",
		 median({"prepared", 1, 3, 16, 64}, least_share), 0.33);
	return verdicts;
}

std::string RocketTable::json() const
{
	Json json;

	for (const auto &[key, samples] : rows_) {
		Json row{{"driver", key.driver},
			 {"files", key.files},
			 {"tasks", key.tasks},
			 {"batch", key.batch},
			 {"lanes", key.lanes}};
		Sample medians;

		for (const auto &[name, figure] : figures)
			medians.*figure = median_of(samples, figure);
		medians.starts = mean_starts(samples);
		row.update(to_json(medians));
		for (const Sample &sample : samples)
			row["samples"].push_back(to_json(sample));
		json["rows"].push_back(std::move(row));
	}
	for (const Verdict &verdict : judge())
		json["goals"].push_back({{"goal", verdict.goal},
					 {"value", verdict.value},
					 {"limit", verdict.limit},
					 {"met", verdict.met}});
	return json.dump(2) + '\n';
}

void RocketTable::print(std::ostream &out) const
{
	out << "| driver | files | lanes | tasks | jobs a call | jobs/s | interrupts "
	       "| IOMMU commands | register accesses | context switches | starts of each core |\n"
	       "|---|---|---|---|---|---|---|---|---|---|---|\n"
	    << std::fixed;
	for (const auto &[key, samples] : rows_) {
		out << "| " << key.driver << " | " << key.files << " | " << key.lanes << " | "
		    << key.tasks << " | " << key.batch << std::setprecision(0);
		for (const auto &[name, figure] : figures)
			out << " | " << median_of(samples, figure) << std::setprecision(2);
		out << " |";
		for (const double starts : mean_starts(samples))
			out << ' ' << starts;
		out << " |\n";
	}
	out << "\nCounts are a job's.\n";
	for (const Verdict &verdict : judge())
		out << verdict.goal << ": " << verdict.value << ", "
		    << (verdict.met ? "met" : "missed") << " (" << verdict.limit << ")\n";
}

} // namespace npu::bench
