/* SPDX-License-Identifier: MIT */
/// Clients that exit while their last job runs. Mainline's driver frees memory that such a job
/// uses.
#include <functional>

#include "igt.h"
#include "leak.h"
#include "mainline_client.h"
#include "process.h"

namespace
{

constexpr unsigned rounds = 50;
/// Enough tasks for the job to outlive its client.
constexpr unsigned tasks = 64;

/// Submits a job through rocket's or our ioctls, and leaves by @leave without waiting.
void submit_rocket(const std::function<void()> &leave)
{
	const Fd file = mainline::open_device();
	mainline::Client client(file.get());

	client.job(tasks);
	CHECK_OK(client.submit());
	leave();
}

void submit_ours(const std::function<void()> &leave)
{
	const Device device;
	const Product product(device);
	const std::uint32_t job = create_job(device, {Lane(tasks, product.task())});

	CHECK_OK(submit(device, device.context(), {job, job}));
	leave();
}

void return_at_once() {}

/// Runs in a child process, which exits without closing or unmapping anything.
void go_in_child(const std::function<void(const std::function<void()> &leave)> &work, bool killed)
{
	const Sockets ready;
	const pid_t pid = fork_run([&] {
		work([&] {
			if (!killed)
				_exit(0);
			send_byte(ready.second);
			pause();
		});
	});

	if (killed) {
		receive_byte(ready.first);
		kill_child(pid);
	} else {
		check_exit(pid);
	}
}

void repeat(const std::function<void()> &go)
{
	const leak::Check leak;

	for (unsigned i = 0; i < rounds; i++) {
		const igt::Note note("round " + std::to_string(i));

		go();
	}
	leak.done();
	check_works(Device());
}

} // namespace

SUBTEST(close_rocket)
{
	repeat([] { submit_rocket(return_at_once); });
}

SUBTEST(close_ours)
{
	repeat([] { submit_ours(return_at_once); });
}

SUBTEST(close_exit_rocket)
{
	repeat([] { go_in_child(submit_rocket, false); });
}

SUBTEST(close_exit_ours)
{
	repeat([] { go_in_child(submit_ours, false); });
}

SUBTEST(close_killed_rocket)
{
	repeat([] { go_in_child(submit_rocket, true); });
}

SUBTEST(close_killed_ours)
{
	repeat([] { go_in_child(submit_ours, true); });
}

/* A client that exits does not disturb another one. */
SUBTEST(close_beside_others)
{
	Device device;
	const Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});

	repeat([&] {
		product.clear();
		CHECK_OK(submit(device, context, {job, job, job}));
		submit_rocket(return_at_once);
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	});
}
