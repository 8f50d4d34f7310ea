/* SPDX-License-Identifier: MIT */
/// Threads, processes, and processes that die.
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "dmabuf.h"
#include "igt.h"
#include "leak.h"
#include "process.h"
#include "program.h"

SUBTEST(stress_threads)
{
	leak::Check leak;

	igt::parallel(4, [](unsigned thread) {
		Device device;
		Product product(device, {4 + thread, 64, 32}, thread + 1);
		std::uint32_t context = device.context();

		for (int i = 0; i < 60; i++) {
			std::uint32_t job = create_job(device, {Lane(1 + thread, product.task())});

			product.clear();
			product.features.as<std::uint8_t>()[i]++;
			CHECK_EQ(run(device, context, job), 1);
			product.check();
			CHECK_OK(device.destroy_job(job));
		}
	});
	leak.done();
}

/* Threads of one file share its ids and its address space. */
SUBTEST(stress_threads_one_file)
{
	leak::Check leak;
	{
		Device device;

		igt::parallel(4, [&](unsigned thread) {
			for (int i = 0; i < 40; i++) {
				Product product(device, {4 + thread, 32, 32}, thread + 1);
				std::uint32_t context = device.context();
				std::uint32_t job = create_job(device, {{product.task()}});
				Syncobj done(device);

				CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}));
				CHECK_OK(device.destroy_job(job));
				CHECK_EQ(final_status(done), 1);
				product.check();
				CHECK_OK(device.destroy_context(context));
			}
		});
	}
	leak.done();
}

/* One context, fed from all sides: the queue is full at times, never wrong. */
SUBTEST(stress_threads_one_context)
{
	Device device;
	Product product(device);
	std::uint32_t context = device.context(0, 4);
	std::uint32_t job = create_job(device, {{product.task()}});

	igt::parallel(4, [&](unsigned) {
		for (int i = 0; i < 100; i++) {
			Syncobj done(device);
			int result;

			do {
				result = submit(device, context, {job, job}, {{}, {done.sync()}});
			} while (result == -EBUSY && !usleep(200));
			CHECK_OK(result);
			CHECK_EQ(final_status(done), 1);
		}
	});
	CHECK_EQ(device.state(context).completed_seqno, 800);
	CHECK_EQ(device.state(context).failed_jobs, 0);
	product.check();
}

/* Ids that another thread guesses and destroys at any time. */
SUBTEST(stress_guessed_ids)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);

		igt::parallel(4, [&](unsigned thread) {
			for (std::uint32_t i = 0; i < 300; i++) {
				std::uint32_t guess = i % 8 + 1;

				if (thread == 0) {
					device.destroy_context(guess);
				} else if (thread == 1) {
					device.destroy_job(guess);
				} else {
					drm_npu_context_create context{};
					drm_npu_job_create job{};

					CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_CONTEXT_CREATE,
						      &context));
					CHECK_OK(create_job(device, {{product.task()}}, job));
					int result = submit(device, context.context_id,
							    {job.job_id, job.job_id});
					CHECK(result == 0 || result == -ENOENT);
					device.destroy_context(context.context_id);
					device.destroy_job(job.job_id);
				}
			}
		});
	}
	leak.done();
	Device device;
	check_works(device);
}

SUBTEST(stress_killed)
{
	leak::Check leak;

	for (unsigned i = 0; i < 6; i++) {
		Sockets ready;
		pid_t pid = fork_run([&] {
			Device device;
			Product product(device, slow_shape);
			std::uint32_t cores = device.info().core_count;
			std::uint32_t job =
				create_job(device, std::vector<Lane>(cores, slow_lane(product)));

			for (int context = 0; context < 4; context++)
				CHECK_OK(submit(device, device.context(), {job, job, job, job}));
			send_byte(ready.second);
			for (;;) {
				Syncobj done(device);

				submit(device, 1, {job}, {{}, {done.sync()}});
				usleep(1000);
			}
		});
		ready.second.reset();
		receive_byte(ready.first);
		usleep(i * 7000);
		kill_child(pid);
	}
	Device device;
	check_works(device);
	device.close();
	leak.done();
}

/* A file that is inherited is the same file; its end is the last close. */
SUBTEST(stress_fork)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{product.task()}});

		check_exit(fork_run([&] {
			CHECK_EQ(run(device, context, job), 1);
			/* Shared mappings show the results here as well. */
			product.check();
			check_works(device);
		}));
		product.check();
		product.clear();
		CHECK_EQ(device.state(context).completed_seqno, 1);
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
	leak.done();
}

SUBTEST(stress_fd_passing)
{
	leak::Check leak;
	Sockets sockets;
	pid_t pid = fork_run([&] {
		Device device;
		std::uint32_t context = device.context();

		CHECK_EQ(context, 1);
		send_fd(sockets.second, device.fd());
	});
	sockets.second.reset();
	Device device{receive_fd(sockets.first)};
	check_exit(pid);

	/* Its objects are still there, though who made them is not. */
	{
		Product product(device);

		CHECK_EQ(run(device, 1, create_job(device, {{product.task()}})), 1);
		product.check();
	}
	device.close();
	leak.done();
}

/* A signal storm disturbs calls, but none is lost or done twice. */
SUBTEST(stress_signals)
{
	interruptible();
	pid_t parent = getpid();
	pid_t pid = fork_run([=] {
		while (!kill(parent, SIGUSR1))
			usleep(500);
	});
	Device device;
	Product product(device);
	std::uint32_t context = device.context();

	for (std::uint64_t i = 1; i <= 200; i++) {
		Syncobj done(device);
		std::uint64_t seqno = 0;
		std::uint32_t job = create_job(device, {{product.task()}});

		CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}, &seqno));
		CHECK_EQ(seqno, i);
		CHECK_OK(done.wait(patience::ms()));
		CHECK_OK(device.destroy_job(job));
	}
	kill_child(pid);
	product.check();
}

/* Calls that wait are interrupted all the time, and still come to an end. */
SUBTEST(stress_signals_waiting)
{
	interruptible();
	pid_t parent = getpid();
	pid_t pid = fork_run([=] {
		while (!kill(parent, SIGUSR1))
			usleep(500);
	});
	Device device;
	Product product(device, slow_shape);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {slow_lane(product, 2)});

	for (std::uint64_t seqno = 1; seqno <= 20; seqno++) {
		CHECK_OK(submit(device, context, {job}));
		CHECK_EQ(wait_ended(device, context, seqno).error, 0);
		CHECK_OK(wait_buffer(device, product.out.handle(), never));
	}
	kill_child(pid);
	product.check();
	CHECK_EQ(device.state(context).completed_seqno, 20);
}

/* Leaves without closing anything, while all is busy. */
SUBTEST(stress_exit)
{
	leak::Check leak;

	for (unsigned i = 0; i < 6; i++)
		check_exit(fork_run([&] {
			Device device;
			Product product(device, slow_shape);
			std::uint32_t cores = device.info().core_count;
			std::uint32_t job =
				create_job(device, std::vector<Lane>(cores, slow_lane(product)));

			for (int context = 0; context < 4; context++)
				CHECK_OK(submit(device, device.context(), {job, job, job, job}));
			usleep(i * 7000);
			_exit(0);
		}));
	Device device;
	check_works(device);
	device.close();
	leak.done();
}

/* A parent's buffers are a child's as well, while the parent's jobs run. */
SUBTEST(stress_fork_busy)
{
	leak::Check leak;
	{
		Device device;
		Product product(device, slow_shape);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {slow_lane(product, 4)});

		for (std::uint64_t i = 1; i <= 10; i++) {
			CHECK_OK(submit(device, context, {job}));
			pid_t pid = fork_run([&] {
				CHECK_EQ(wait_ended(device, context, i).error, 0);
				product.check();
			});
			check_exit(pid);
		}
		CHECK_EQ(device.state(context).completed_seqno, 10);
	}
	leak.done();
}

/* As many jobs as a file may have; then none, until one goes. */
SUBTEST(stress_exhaust_jobs)
{
	/* With lockdep and KASAN so many jobs take more than a minute. */
	if (!access("/proc/lockdep", F_OK))
		igt::skip("the kernel has lockdep: a stock kernel runs this");
	if (!geteuid())
		igt::skip("users have the same limit: run without privileges");
	leak::Check leak;
	{
		Device device;
		Product product(device);
		std::vector<std::uint32_t> jobs;
		const std::uint32_t limit = device.limits().max_jobs;

		while (jobs.size() < limit)
			jobs.push_back(create_job(device, {{product.task()}}));
		drm_npu_job_create args{};
		args.job_id = poison;
		CHECK_ERR(create_job(device, {{product.task()}}, args), ENOSPC);
		CHECK_EQ(args.job_id, poison);
		CHECK_OK(device.destroy_job(jobs[limit / 2]));
		CHECK_EQ(run(device, device.context(), create_job(device, {{product.task()}})), 1);
		CHECK_ERR(create_job(device, {{product.task()}}, args), ENOSPC);
		product.check();
	}
	leak.done();
}

/* Descriptors run out: whatever hands one out says so and leaves nothing. */
SUBTEST(stress_exhaust_descriptors)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);
		std::uint32_t context = device.context();
		std::uint32_t job = create_job(device, {{product.task()}});
		Syncobj done(device);
		rlimit limit{};

		CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}));
		wait_ended(device, context, 1);
		CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
		rlimit none{0, limit.rlim_max};
		CHECK_OK(setrlimit(RLIMIT_NOFILE, &none));
		drm_prime_handle args{product.out.handle(), DRM_CLOEXEC, -1};
		CHECK_ERR(call(device.fd(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &args), EMFILE);
		CHECK_EQ(args.fd, -1);
		CHECK(!done.has_fence());
		/* A submit that needs no file descriptor succeeds. */
		CHECK_OK(submit(device, context, {job}));
		CHECK_EQ(wait_ended(device, context, 2).error, 0);
		CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
		CHECK(done.has_fence());
	}
	leak.done();
}

/* All at once in one file: what is cancelled, shared, waited for, destroyed. */
SUBTEST(stress_mixed)
{
	leak::Check leak;
	{
		Device device;

		igt::parallel(4, [&](unsigned thread) {
			for (std::uint32_t i = 0; i < 30; i++) {
				Product product(device, {4, 32, 32}, thread + 1);
				std::uint32_t context = device.context();
				std::uint32_t job = create_job(device, {{product.task()}});
				Syncobj done(device);
				std::uint64_t seqno = 0;

				CHECK_OK(submit(device, context, {job, job}, {{}, {done.sync()}},
						&seqno));
				CHECK_EQ(seqno, 2);
				if (i % 5 == 1)
					CHECK_OK(cancel(device, context, 1, 2));
				if (i % 5 == 2)
					export_buffer(device.fd(), product.out.handle());
				if (i % 5 == 3)
					CHECK_OK(wait_buffer(device, product.out.handle(), never));
				CHECK_OK(device.destroy_job(job));
				if (i % 5 == 4)
					CHECK_OK(device.destroy_context(context));
				int status = final_status(done);
				if (i % 5 != 1 && i % 5 != 4)
					CHECK_EQ(status, 1);
				else
					CHECK(status == 1 || status == -ECANCELED);
				if (status == 1)
					product.check();
				if (i % 5 != 4)
					CHECK_OK(device.destroy_context(context));
			}
		});
	}
	leak.done();
}
