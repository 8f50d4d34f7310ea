/* SPDX-License-Identifier: MIT */
/// Repeated faults on the board: the guilty job fails with the right error, all other jobs succeed.
#include <cerrno>

#include "board.h"
#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "program.h"

namespace
{

constexpr unsigned rounds = 5;

struct Fault {
	const char *parameter;
	/// Error of the faulting job, or 0.
	int error;
	/// Whether each fault resets a core.
	bool resets;
};

/// Injects faults into the jobs of one file, while another file submits work.
void repeat(const Fault &fault)
{
	const leak::Check leak;
	{
		Device other;
		const Product theirs(other);
		const std::uint32_t their = other.context();
		const std::uint32_t their_job = create_job(other, {{theirs.task()}});
		const unsigned before = board_total("resets");
		const Injection injection(fault.parameter, 0);

		for (unsigned i = 0; i < rounds; i++) {
			const igt::Note note("round " + std::to_string(i));
			Device device;
			const Product product(device);
			/* A new file each round: bans are not under test here. */
			const std::uint32_t mine = device.context();
			const std::uint32_t job = create_job(device, {{product.task()}});

			theirs.clear();
			injection.again();
			CHECK_OK(submit(device, mine, {job, job}));
			injection.wait();
			for (int n = 0; n < 4; n++)
				CHECK_OK(submit(other, their, {their_job}));
			CHECK_EQ(wait_ended(device, mine, 1).error, fault.error);
			CHECK_EQ(wait_ended(device, mine, 2).error, 0);
			product.check();
			CHECK_EQ(device.state(mine).guilty_jobs, fault.error ? 1 : 0);
			CHECK_EQ(wait_ended(other, their, 4 * (i + 1)).error, 0);
			theirs.check();
		}
		CHECK_EQ(other.state(their).failed_jobs, 0);
		CHECK_EQ(board_total("resets") - before, fault.resets ? rounds : 0);
	}
	leak.done();
}

} // namespace

SUBTEST(fault_stuck)
{
	repeat({inject_hang, ETIMEDOUT, true});
}

SUBTEST(fault_iommu)
{
	repeat({inject_fault, EFAULT, true});
}

/* The lost interrupt is noticed when the watchdog checks for a hang. */
SUBTEST(fault_lost)
{
	repeat({"inject_lost", 0, false});
}

SUBTEST(fault_spurious)
{
	repeat({"inject_spurious", 0, false});
}

/* The interrupt line is shared: a core without power must not access its registers. */
SUBTEST(fault_spurious_without_power)
{
	Device device;
	const Injection injection("inject_spurious", 0);
	const unsigned before = board_total("wrong");

	for (unsigned i = 0; i < rounds; i++) {
		check_works(device);
		injection.again();
		injection.wait();
	}
	CHECK_EQ(board_total("wrong"), before);
	check_works(device);
}

/*
 * The hardware ignores the first start and accepts the second. No context is guilty. The watchdog
 * of running tasks is longer than this test may take.
 */
SUBTEST(fault_no_start)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});

	for (unsigned i = 0; i < rounds; i++) {
		const igt::Note note("round " + std::to_string(i));
		const Injection injection("inject_no_start", 1);
		const unsigned starts = board_total("starts");

		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
		CHECK_EQ(board_total("starts") - starts, 2);
	}
	CHECK_EQ(device.state(context).guilty_jobs, 0);
	CHECK_EQ(device.state(context).failed_jobs, 0);
}

/* The hardware ignores the second start as well, which counts as a hang. */
SUBTEST(fault_no_second_start)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	const Injection injection("inject_no_start", 2);

	CHECK_EQ(run(device, context, job), -ETIMEDOUT);
	CHECK_EQ(device.state(context).guilty_jobs, 1);
	product.clear();
	CHECK_EQ(run(device, context, job), 1);
	product.check();
}

/* Ignored starts of all lanes of a job, with jobs of another file in parallel. */
SUBTEST(fault_no_start_lanes)
{
	Device device, other;
	const Product product(device), theirs(other);
	const std::uint32_t cores = device.info().core_count;
	const std::uint32_t context = device.context(), their = other.context();
	const std::uint32_t job =
		create_job(device, std::vector<Lane>(cores, {product.task(), product.task()}));
	const std::uint32_t their_job = create_job(other, {{theirs.task()}});

	for (unsigned i = 0; i < rounds; i++) {
		const Injection injection("inject_no_start", cores);

		product.clear();
		theirs.clear();
		CHECK_OK(submit(device, context, {job}));
		CHECK_OK(submit(other, their, {their_job, their_job}));
		CHECK_EQ(wait_ended(device, context, i + 1).error, 0);
		CHECK_EQ(wait_ended(other, their, 2 * (i + 1)).error, 0);
		product.check();
		theirs.check();
	}
}

/* The hardware prefetches beyond a stream that ends at the end of a page. */
SUBTEST(fault_fetch_ahead)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const unsigned before = board_total("faults");

	for (unsigned tasks = 1; tasks <= 64; tasks *= 2) {
		const std::uint32_t job = create_job(device, {Lane(tasks, product.task())});

		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
	CHECK_EQ(board_total("faults"), before);
}

/* The IOMMU repeats the refused access until the core is reset. */
SUBTEST(fault_iommu_replay)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const unsigned before = board_total("replays"), wrong = board_total("wrong");

	CHECK_EQ(run(device, context, create_job(device, {{faulting(product)}})), -EFAULT);
	CHECK(board_total("replays") - before <= 1);
	CHECK_EQ(board_total("wrong"), wrong);
	CHECK_EQ(run(device, context, create_job(device, {{product.task()}})), 1);
	product.check();
}

/* One slow core, then all of them. */
SUBTEST(fault_slow)
{
	Device device;
	const std::uint32_t cores = device.info().core_count;
	const Product product(device);
	const std::uint32_t job =
		create_job(device, std::vector<Lane>(cores, {product.task(), product.task()}));
	const std::uint32_t context = device.context();
	const unsigned before = board_total("resets");

	const Injection longer("slow_us", 5000);
	for (const unsigned slow : {1U, (1U << cores) - 1}) {
		const Injection injection("slow_cores", slow);

		for (unsigned i = 0; i < rounds; i++) {
			product.clear();
			CHECK_EQ(run(device, context, job), 1);
			product.check();
		}
	}
	CHECK_EQ(board_total("resets"), before);
}

/*
 * A job takes longer than a single task may. At the check its progress equals the end of the
 * previous job, which must not count as a hang.
 */
SUBTEST(fault_slow_again)
{
	Device device;
	const Product product(device);
	const std::uint32_t context = device.context(1);
	const std::uint32_t job = create_job(device, {Lane(4, product.task())});
	const unsigned before = board_total("resets");

	/* The last task runs from 0.9 to 1.2 times the watchdog's interval. */
	const Injection longer("slow_us", watchdog_ms() * 300);
	for (unsigned i = 0; i < rounds; i++) {
		const Injection injection("slow_cores", 7);

		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
	CHECK_EQ(board_total("resets"), before);
}

/* A wrong program, rather than an injected fault. */
SUBTEST(fault_iommu_by_program)
{
	Device other;
	const unsigned before = board_total("faults");

	for (unsigned i = 0; i < rounds; i++) {
		Device device;
		const Product product(device);
		const std::uint32_t context = device.context();

		CHECK_EQ(run(device, context, create_job(device, {{faulting(product)}})), -EFAULT);
		CHECK_EQ(run(device, context, create_job(device, {{product.task()}})), 1);
		product.check();
		check_works(other);
	}
	CHECK_EQ(board_total("faults") - before, rounds);
}
