/* SPDX-License-Identifier: MIT */
/// Hardware cost of prepared jobs in steady state, in register accesses and interrupts of the
/// board. The cores must keep their power.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "board.h"
#include "igt.h"
#include "program.h"

namespace
{

/// Jobs per submit: more than the watchdog checks on a core.
constexpr unsigned jobs = 64;
/// Register writes of a start and its end: seven and two.
constexpr unsigned most_writes = 9;

/// A client whose address space is already attached to a core.
struct Client {
	explicit Client(const std::vector<unsigned> &lanes_of_tasks)
		: product(device), context(device.context())
	{
		std::vector<Lane> lanes;

		for (const unsigned tasks : lanes_of_tasks)
			lanes.emplace_back(tasks, product.task());
		job = create_job(device, lanes);
		submit_many();
		check();
	}

	void submit_many()
	{
		product.clear();
		CHECK_OK(
			submit(device, context, std::vector<std::uint32_t>(jobs, job), {}, &seqno));
	}
	void check() const
	{
		CHECK_EQ(wait_ended(device, context, seqno).error, 0);
		product.check();
	}

	Device device;
	Product product;
	std::uint32_t context, job = 0;
	std::uint64_t seqno = 0;
};

struct Counts {
	unsigned starts = board_total("starts");
	unsigned interrupts = board_total("interrupts");
	unsigned commands = board_total("iommu_commands");
	unsigned writes = board_total("writes");
};

/// Checks that a client's jobs need no IOMMU command and one interrupt per start.
void check_steady(Client &client, unsigned starts)
{
	const Counts before;

	client.submit_many();
	client.check();
	const Counts after;
	CHECK_EQ(after.starts - before.starts, starts);
	CHECK_EQ(after.interrupts - before.interrupts, starts);
	CHECK_EQ(after.commands - before.commands, 0);
	CHECK(after.writes - before.writes <= starts * most_writes);
}

} // namespace

SUBTEST(steady_one_task)
{
	Client client({1});

	check_steady(client, jobs);
}

SUBTEST(steady_sixteen_tasks)
{
	Client client({16});

	check_steady(client, jobs);
}

/* One file on all cores. */
SUBTEST(steady_lanes)
{
	Client client({1, 1, 1});
	std::vector<unsigned> before;

	for (unsigned core = 0; core < 3; core++)
		before.push_back(board_count(core, "starts"));
	check_steady(client, 3 * jobs);
	for (unsigned core = 0; core < 3; core++)
		CHECK_EQ(board_count(core, "starts") - before[core], jobs);
}

/* Three contexts of one file run in parallel. */
SUBTEST(steady_three_contexts)
{
	Device device;
	const Product product(device);
	const std::uint32_t job = create_job(device, {{product.task()}});
	std::vector<std::uint32_t> contexts;
	std::uint64_t last_start = 0, first_end = ~0ULL;

	for (unsigned core = 0; core < 3; core++) {
		contexts.push_back(device.context());
		/* The core keeps the address space attached from now on. */
		CHECK_EQ(run(device, contexts.back(), job), 1);
	}
	/* No job ends before all have started. */
	const Hold hold;
	for (const std::uint32_t context : contexts)
		CHECK_OK(submit(device, context, {job}));
	for (const std::uint32_t context : contexts)
		wait_running(device, context, 2);
	hold.open();
	for (const std::uint32_t context : contexts) {
		const drm_npu_job_wait ended = wait_ended(device, context, 2);

		CHECK_EQ(ended.error, 0);
		last_start = std::max<std::uint64_t>(last_start, ended.started_ns);
		first_end = std::min<std::uint64_t>(first_end, ended.ended_ns);
	}
	CHECK(last_start < first_end);
}

/* As many files as cores: each core keeps its address space. */
SUBTEST(steady_three_files)
{
	Client one({1}), two({2}), three({3});
	const Counts before;

	for (Client *client : {&one, &two, &three})
		client->submit_many();
	for (Client *client : {&one, &two, &three})
		client->check();
	const Counts after;
	CHECK_EQ(after.starts - before.starts, 3 * jobs);
	CHECK_EQ(after.interrupts - before.interrupts, 3 * jobs);
	CHECK_EQ(after.commands - before.commands, 0);
}
