/* SPDX-License-Identifier: MIT */
/// Loss of power while there is work: in system suspend, and permanently.
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "board.h"
#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "program.h"
#include "sram.h"

namespace
{

void write_file(const std::string &path, const std::string &text)
{
	std::ofstream file(path);

	CHECK(file << text << std::flush);
}

/// Suspends the system up to the power domains, and resumes it.
void suspend_system()
{
	need_root();
	write_file("/sys/power/pm_test", "platform");
	write_file("/sys/power/state", "freeze");
}

} // namespace

/* Suspend waits for running jobs and keeps queued ones; no job fails. */
SUBTEST(power_suspend_busy)
{
	const Device device;
	const std::uint32_t cores = device.info().core_count;
	const Product product(device, slow_shape);
	const std::uint32_t job = create_job(device, {slow_lane(product)});

	for (int round = 0; round < 3; round++) {
		std::vector<std::uint32_t> contexts;

		product.clear();
		for (unsigned core = 0; core < cores; core++) {
			contexts.push_back(device.context(1U << core));
			CHECK_OK(submit(device, contexts.back(), {job, job, job, job}));
		}
		for (const std::uint32_t context : contexts)
			wait_running(device, context, 1);
		const unsigned before = board_total("power_offs");
		suspend_system();
		/* Without the suspend, queued work would have kept the cores powered. */
		CHECK(board_total("power_offs") >= before + cores);
		for (const std::uint32_t context : contexts) {
			CHECK_EQ(wait_ended(device, context, 4).error, 0);
			CHECK_EQ(device.state(context).failed_jobs, 0);
		}
		product.check();
	}
}

/* The contents of SRAM survive, although it loses its power. */
SUBTEST(power_suspend_sram)
{
	const Device device;
	const std::uint64_t size = need_sram(device).size / 8;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}}, on_chip);
	Pattern pinned(device, size), preferred(device, size, 2);

	CHECK_OK(pin(device, pinned.handle()));
	CHECK_OK(pin(device, product.weights.handle()));
	CHECK_OK(prefer(device, preferred.handle()));
	CHECK(gets_inside(device, preferred.handle()));
	for (std::uint32_t round = 0; round < 3; round++) {
		suspend_system();
		CHECK(inside(device, pinned.handle()));
		CHECK(inside(device, preferred.handle()));
		pinned.check();
		preferred.check();
		pinned.fill(round);
		preferred.fill(round + 1);
		product.clear();
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
	CHECK_OK(evict(device, pinned.handle()));
	CHECK(!inside(device, pinned.handle()));
	pinned.check();
}

/* A core hangs while the system suspends. */
SUBTEST(power_suspend_stuck)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	const Injection hang(inject_hang);

	CHECK_OK(submit(device, context, {job, job}));
	hang.wait();
	suspend_system();
	CHECK_EQ(wait_ended(device, context, 1).error, ETIMEDOUT);
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	product.check();
}

/* Jobs whose handles and buffers are closed before the suspend still complete. */
SUBTEST(power_suspend_closed)
{
	const char *rounds = std::getenv("SUSPENDS");
	const leak::Check leak;

	for (long round = rounds ? std::strtol(rounds, nullptr, 10) : 3; round > 0; round--) {
		const igt::Note note("rounds left: " + std::to_string(round));
		const Device device;
		Product product(device, slow_shape);
		const std::uint32_t context = device.context();
		const std::uint32_t job = create_job(device, {slow_lane(product)});
		const Syncobj last(device);

		product.clear();
		CHECK_OK(submit(device, context, {job, job}, {{}, {last.sync()}}));
		wait_running(device, context, 1);
		CHECK_OK(device.destroy_job(job));
		for (Buffer *buffer : {&product.features, &product.weights, &product.out})
			buffer->close();
		suspend_system();
		CHECK_EQ(final_status(last), 1);
		product.check();
	}
	leak.done();
}

/* Jobs on cores that cannot be powered fail with EIO; no context is guilty. */
SUBTEST(power_lost)
{
	const Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});

	CHECK_EQ(run(device, context, job), 1);
	/* Idle cores lose their power after a delay. */
	CHECK(patience::comes([] { return !board_total("powered"); }));
	CHECK_OK(set_parameter("no_power", 7));
	product.clear();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(run(device, context, job), -EIO);
	product.check_untouched();
	CHECK_EQ(device.state(context).guilty_jobs, 0);
	CHECK_EQ(device.state(context).flags, 0);
}
