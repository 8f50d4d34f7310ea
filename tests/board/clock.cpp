/* SPDX-License-Identifier: MIT */
/// The clock follows the class of the work. The device tree has operating points;
/// tests/board/inside has set the governor.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "board.h"
#include "igt.h"
#include "injection.h"
#include "program.h"

namespace
{

/// Long enough for a busy machine.
std::int64_t patience_ns()
{
	return ms_to_ns(patience::ms());
}

/// Reads the NPU's devfreq attribute "cur_freq", "min_freq" or "max_freq".
unsigned long rate(const std::string &file)
{
	unsigned long hz = 0;

	for (const auto &entry : std::filesystem::directory_iterator("/sys/class/devfreq"))
		if (entry.path().extension() == ".npu")
			std::ifstream(entry.path() / file) >> hz;
	CHECK(hz != 0);
	return hz;
}

/// The slowest operating point. min_freq would be the current limit.
unsigned long slowest()
{
	unsigned long hz = 0;

	for (const auto &entry : std::filesystem::directory_iterator("/sys/class/devfreq"))
		if (entry.path().extension() == ".npu")
			std::ifstream(entry.path() / "available_frequencies") >> hz;
	return hz;
}

std::uint32_t context_of(const Device &device, std::uint32_t sched_class)
{
	drm_npu_context_create args{};

	args.sched_class = sched_class;
	CHECK_OK(device.create(args));
	return args.context_id;
}

/// Submits work for all cores repeatedly until @done, for at most @ns.
template <typename Done>
bool work_until(const Device &device, std::uint32_t context, std::uint32_t job, std::int64_t ns,
		const Done &done)
{
	const std::int64_t end = now_ns() + ns;

	while (!done()) {
		if (now_ns() >= end)
			return false;
		CHECK_EQ(run(device, context, job), 1);
	}
	return true;
}

bool at(unsigned long hz)
{
	return rate("cur_freq") == hz;
}

/// A lane for each core, whose tasks are slow enough to be observed.
std::uint32_t wide_job(const Device &device, const Product &product)
{
	return create_job(device,
			  std::vector<Lane>(device.info().core_count, Lane(4, product.task())));
}

} // namespace

/* The governor selects the slowest rate, but latency work gets the fastest one. */
SUBTEST(clock_latency)
{
	const Device device;
	const Product product(device);
	const std::uint32_t job = wide_job(device, product);
	const std::uint32_t context = context_of(device, DRM_NPU_CLASS_LATENCY);
	const unsigned long most = rate("max_freq");

	CHECK(at(slowest()));
	CHECK(work_until(device, context, job, patience_ns(), [&] { return at(most); }));
	CHECK(patience::comes([] { return at(slowest()); }));
}

/* Background work runs at the slowest rate, other work at the fastest. */
SUBTEST(clock_background)
{
	const Device device;
	const Product product(device);
	const std::uint32_t job = wide_job(device, product);
	const Injection longer("slow_us", 2'000);
	const Injection all("slow_cores", 7);
	const unsigned long most = rate("max_freq");
	const std::int64_t second = ms_to_ns(1'000);

	CHECK(work_until(device, context_of(device, DRM_NPU_CLASS_BACKGROUND), job, patience_ns(),
			 [] { return at(slowest()); }));
	CHECK(!work_until(device, context_of(device, DRM_NPU_CLASS_BACKGROUND), job, second,
			  [] { return !at(slowest()); }));
	CHECK(work_until(device, context_of(device, DRM_NPU_CLASS_THROUGHPUT), job, patience_ns(),
			 [&] { return at(most); }));
}

/* In the gap between two layers, the clock is neither lowered nor set again. */
SUBTEST(clock_gap)
{
	constexpr std::int64_t gap_ns = ms_to_ns(60);
	/* Ignore longer gaps, which a busy machine causes. */
	constexpr std::int64_t longest_ns = ms_to_ns(300);
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	int gaps = 0;

	for (int tries = 0; gaps < 5; tries++) {
		if (tries == 200)
			igt::skip("this machine is too busy for gaps of 60 ms");
		CHECK_EQ(run(device, context, job), 1);
		const std::int64_t before = now_ns();
		const unsigned sets = board_value("rate_sets");

		std::this_thread::sleep_for(std::chrono::nanoseconds(gap_ns));
		CHECK_EQ(run(device, context, job), 1);
		if (now_ns() - before > longest_ns)
			continue;
		CHECK_EQ(board_value("rate_sets"), sets);
		gaps++;
	}
}
