/* SPDX-License-Identifier: MIT */
/*
 * Statistics and goals of npu-bench qos.
 */
#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "qos_report.h"
#include "qos_statistics.h"
#include "qos_trace.h"

namespace npu::bench::qos
{
namespace
{

TEST(QosPercentile, IsTheNearestRank)
{
	const std::vector<double> values{50, 15, 40, 20, 35};

	EXPECT_EQ(percentile(values, 5), 15);
	EXPECT_EQ(percentile(values, 30), 20);
	EXPECT_EQ(percentile(values, 40), 20);
	EXPECT_EQ(percentile(values, 50), 35);
	EXPECT_EQ(percentile(values, 100), 50);
	EXPECT_EQ(percentile({7}, 99), 7);
}

TEST(QosPercentile, LeavesOneInAHundredOut)
{
	std::vector<double> values(100, 1);

	values[42] = 1000;
	EXPECT_EQ(percentile(values, 99), 1);
	values[43] = 1000;
	EXPECT_EQ(percentile(values, 99), 1000);
}

TEST(QosShares, TellTheLargestErrorOfAShare)
{
	EXPECT_DOUBLE_EQ(share_error(std::array{1.0, 2.0, 4.0}, std::array{25.0, 50.0, 100.0}), 0);
	EXPECT_DOUBLE_EQ(share_error(std::array{1.0, 1.0, 1.0}, std::array{1.0, 1.0, 2.0}),
			 1.0 / 3);
	EXPECT_DOUBLE_EQ(share_error(std::array{0.0, 2.0}, std::array{1.0, 1.0}), 1);
}

TEST(QosTrace, ReadsSlicesOnly)
{
	std::istringstream trace(
		"# tracer: nop\n"
		"     npu-virt1-70      [000] d..1.     3.141592: npu_slice: npu_virt.0: core=1 "
		"client=12 context=31 seqno=7 lane=2 first=8 tasks=3 started=1000 ended=2500 "
		"device_ns=1400\n"
		"     npu-virt1-70      [000] d..1.     3.141593: npu_move: core=1 client=12 "
		"started=1 ended=2\n"
		"     npu-virt1-70      [000] d..1.     3.141594: npu_slice: npu_virt.0: core=1\n");
	const std::vector<Slice> slices = read_slices(trace);

	ASSERT_EQ(slices.size(), 1u);
	EXPECT_EQ(slices[0].core, 1u);
	EXPECT_EQ(slices[0].client, 12u);
	EXPECT_EQ(slices[0].started_ns, 1000u);
	EXPECT_EQ(slices[0].ended_ns, 2500u);
}

/// A report that just meets all goals.
Report good()
{
	Report report;

	for (const std::uint32_t clients : {1U, 4U}) {
		report.rows.push_back({"fcfs", clients, "vision", {150000}});
		report.rows.push_back({"hints", clients, "vision", {1000}});
		report.rows.push_back({"hints", clients, "audio", {3000}});
		report.throughputs.push_back({.clients = clients, .fcfs = 2.0, .hints = 1.94});
	}
	report.deadlines.push_back({"background", 0.9, 10, 10});
	report.equal_share_error = 0.02;
	report.weighted_share_error = 0.05;
	report.slice_us = 1000;
	report.task_us = 2000;
	return report;
}

/// Number of goals that @p report misses.
int missed(const Report &report)
{
	const auto json = nlohmann::json::parse(report.json());
	int count = 0;

	for (const auto &goal : json["goals"])
		count += !goal["met"].get<bool>();
	return count;
}

TEST(QosReport, JudgesEachGoal)
{
	EXPECT_EQ(missed(good()), 0);

	Report report = good();
	/* With one client. */
	report.rows[2].added_us = {3001};
	EXPECT_EQ(missed(report), 1);

	report = good();
	/* First come first served with four: 49 times ours. */
	report.rows[3].added_us = {147000};
	EXPECT_EQ(missed(report), 1);

	report = good();
	report.throughputs[0].hints = 1.93;
	EXPECT_EQ(missed(report), 1);

	report = good();
	report.equal_share_error = 0.021;
	EXPECT_EQ(missed(report), 1);

	report = good();
	report.weighted_share_error = 0.051;
	EXPECT_EQ(missed(report), 1);

	report = good();
	report.deadlines.push_back({"throughput", 0.9, 10, 9});
	EXPECT_EQ(missed(report), 1);
}

TEST(QosReport, SaysWhatIsWorst)
{
	Report report = good();

	report.throughputs[1].hints = 1.0;
	report.deadlines.push_back({"throughput", 0.9, 10, 9});
	const auto json = nlohmann::json::parse(report.json());

	EXPECT_DOUBLE_EQ(json["throughput_ratio"].get<double>(), 0.5);
	EXPECT_DOUBLE_EQ(json["deadlines_met"].get<double>(), 0.9);
	EXPECT_EQ(json["rows"].size(), 6u);
	EXPECT_DOUBLE_EQ(json["rows"][0]["p99_us"].get<double>(), 150000);
}

} // namespace
} // namespace npu::bench::qos
