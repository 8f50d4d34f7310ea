/* SPDX-License-Identifier: MIT */
/// Threads, processes, and processes that die.
#include <cerrno>
#include <csignal>
#include <cstring>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

/// A child that must do without assertions' exceptions crossing fork().
template <typename F>
pid_t fork_run(const F &run)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	alarm(50);
	int status = 1;
	try {
		run();
		status = 0;
	} catch (...) {
		status = 1;
	}
	_exit(status);
}

void check_exit(pid_t pid)
{
	int status = 0;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

void send_fd(int socket, int fd)
{
	char byte = 0;
	iovec data{&byte, 1};
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
	msghdr message{};

	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(socket, &message, 0), 1);
}

int receive_fd(int socket)
{
	char byte = 0;
	iovec data{&byte, 1};
	alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
	msghdr message{};
	int fd = -1;

	message.msg_iov = &data;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	CHECK_EQ(recvmsg(socket, &message, 0), 1);
	CHECK(CMSG_FIRSTHDR(&message));
	std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

} // namespace

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
		int ready[2];

		CHECK_OK(pipe(ready));
		pid_t pid = fork_run([&] {
			Device device;
			Product product(device, slow_shape);
			std::uint32_t cores = device.info().core_count;
			std::uint32_t job =
				create_job(device, std::vector<Lane>(cores, slow_lane(product)));

			for (int context = 0; context < 4; context++)
				CHECK_OK(submit(device, device.context(), {job, job, job, job}));
			CHECK_EQ(write(ready[1], "x", 1), 1);
			for (;;) {
				Syncobj done(device);

				submit(device, 1, {job}, {{}, {done.sync()}});
				usleep(1000);
			}
		});
		char byte;
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		usleep(i * 7000);
		CHECK_OK(kill(pid, SIGKILL));
		CHECK_EQ(waitpid(pid, nullptr, 0), pid);
		close(ready[0]);
		close(ready[1]);
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
	int sockets[2];

	CHECK_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid_t pid = fork_run([&] {
		Device device;
		std::uint32_t context = device.context();

		CHECK_EQ(context, 1);
		send_fd(sockets[1], device.fd());
	});
	Device device{Fd(receive_fd(sockets[0]))};
	check_exit(pid);
	close(sockets[0]);
	close(sockets[1]);

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
	struct sigaction action{};
	action.sa_handler = [](int) {
	};
	CHECK_OK(sigaction(SIGUSR1, &action, nullptr));
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
		CHECK_OK(done.wait(20000));
		CHECK_OK(device.destroy_job(job));
	}
	kill(pid, SIGKILL);
	waitpid(pid, nullptr, 0);
	product.check();
}
