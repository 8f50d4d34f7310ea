/* SPDX-License-Identifier: MIT */
/// What clients make the kernel keep is charged to their memory control group.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include <sys/wait.h>

#include "control_group.h"
#include "igt.h"
#include "process.h"
#include "program.h"

namespace
{

constexpr std::uint64_t page = 4096;

constexpr char reason[] = "needs a kernel with CONFIG_MEMCG, such as that of tests/vm/run";

/// Bytes of kernel memory, without pages of buffers.
std::uint64_t kept(const ControlGroup &group)
{
	/* Reading it takes in what processors have counted for themselves. */
	return group.number("memory.stat", "kernel");
}

/// Runs @run in @group, in a process of its own.
void run_in(const ControlGroup &group, const std::function<void()> &run)
{
	check_exit(fork_run([&] {
		group.enter();
		run();
	}));
}

/// Bytes that are charged for each of @count results of @make.
std::uint64_t charge_of(const ControlGroup &group, std::uint64_t count,
			const std::function<void()> &make)
{
	const std::uint64_t before = kept(group);

	for (std::uint64_t i = 0; i < count; i++)
		make();
	const std::uint64_t after = kept(group);
	CHECK(after > before);
	return (after - before) / count;
}

} // namespace

/* Contexts have a page, slots for jobs and more. */
SUBTEST(memcg_contexts)
{
	const ControlGroup group("memory", reason);

	run_in(group, [&] {
		Device device;
		const std::uint64_t bytes =
			charge_of(group, device.limits().max_contexts, [&] { device.context(); });

		/* A job that may be asked for takes a state, an error and four times. */
		CHECK(bytes >= page + device.limits().max_queued * std::uint64_t{40});
	});
}

/* A job keeps a list of the buffers that it uses, wherever those are. */
SUBTEST(memcg_job_uses)
{
	const ControlGroup group("memory", reason);

	run_in(group, [&] {
		constexpr std::uint64_t apart = 64 * page, jobs = 200, uses = 48;
		Device device;
		const Product product(device);
		std::vector<Buffer> buffers;
		Lane far, near;

		while (buffers.size() < uses)
			buffers.emplace_back(device, apart);
		for (const Buffer &buffer : buffers) {
			Task task = product.task();

			near.push_back(task);
			set(task, dpu_dst_addr, buffer.address());
			far.push_back(task);
		}
		const std::uint64_t few =
			charge_of(group, jobs, [&] { create_job(device, {near}); });
		const std::uint64_t many =
			charge_of(group, jobs, [&] { create_job(device, {far}); });
		/* Of a list with one entry in 64 each takes a node of some 500 bytes. */
		CHECK(many >= few + uses * 400);
	});
}

/* Ids are kept in trees. */
SUBTEST(memcg_buffers)
{
	const ControlGroup group("memory", reason);

	run_in(group, [&] {
		Device device;
		const std::uint64_t bytes = charge_of(group, 1000, [&] {
			drm_npu_bo_create args{};

			args.size = page;
			CHECK_OK(call(device.fd(), DRM_IOCTL_NPU_BO_CREATE, &args));
		});

		/* The buffer, its mapping and its file. */
		CHECK(bytes >= 1000);
	});
}

/* Beyond its limit a client gets nothing, whatever it asks for. */
SUBTEST(memcg_limit)
{
	const ControlGroup group("memory", reason);
	constexpr std::uint64_t limit = 16 << 20;
	Sockets sockets;

	CHECK(group.write("memory.max", std::to_string(limit)));
	const pid_t pid = fork_run([&] {
		group.enter();
		std::vector<Device> devices;

		/* Far more than fits, and each is known to be charged. */
		while (devices.size() < 200) {
			devices.emplace_back();
			for (std::uint32_t i = devices.back().limits().max_contexts; i; i--) {
				drm_npu_context_create args{};
				const int result = devices.back().create(args);

				if (result == -ENOMEM)
					return;
				CHECK_OK(result);
			}
		}
		igt::fail(__FILE__, __LINE__, "creating contexts fails at memory.max", "");
	});
	int status = 0;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	/* The kernel may kill it instead of answering ENOMEM. */
	CHECK((WIFEXITED(status) && !WEXITSTATUS(status)) ||
	      (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	CHECK(group.number("memory.events", "max") > 0);
}
