/* SPDX-License-Identifier: MIT */
/// Hardware cost of prepared jobs in steady state, in counts of the board.
/// The cores must keep their power meanwhile.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "board.h"
#include "igt.h"
#include "program.h"

namespace
{

/// Of a submit, and more than the watchdog sees of a core.
constexpr unsigned jobs = 64;
/// Registers that a start and its end write: seven and two.
constexpr unsigned most_writes = 9;

/// A client whose core has its address space already.
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

/// A client's jobs: none asks anything of an IOMMU, each start has one interrupt.
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

/* From one file, all cores. */
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

/* From one file, by queues of its own: all of them are under way at the same time. */
SUBTEST(steady_three_contexts)
{
	Device device;
	const Product product(device);
	const std::uint32_t job = create_job(device, {{product.task()}});
	std::vector<std::uint32_t> contexts;
	std::uint64_t last_start = 0, first_end = ~0ULL;

	for (unsigned core = 0; core < 3; core++) {
		contexts.push_back(device.context());
		/* The core keeps the address space from now on. */
		CHECK_EQ(run(device, contexts.back(), job), 1);
	}
	/* None ends before all have begun. */
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

/* As many as there are cores: each keeps its own. */
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
