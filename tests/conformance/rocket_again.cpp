/* SPDX-License-Identifier: MIT */
/// Streams that clients of rocket submit again, changed or not, and many jobs a call.
#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "igt.h"
#include "leak.h"
#include "process.h"
#include "program.h"
#include "rocket_client.h"

using namespace rocket;

namespace
{

/// A number of the file's fdinfo.
std::uint64_t told(const Device &device, const std::string &name)
{
	std::ifstream file("/proc/self/fdinfo/" + std::to_string(device.fd()));
	std::string key;
	std::uint64_t value = 0;

	while (file >> key)
		if (key == name + ":") {
			CHECK(file >> value);
			return value;
		}
	igt::fail(__FILE__, __LINE__, "fdinfo has it", name);
}

std::uint64_t memory(const Device &device)
{
	return told(device, "drm-total-memory");
}

/// Submits jobs with one call.
int submit_all(const Device &device, const std::vector<drm_rocket_job> &jobs)
{
	drm_rocket_submit args{};

	args.jobs = reinterpret_cast<std::uintptr_t>(jobs.data());
	args.job_count = static_cast<std::uint32_t>(jobs.size());
	args.job_struct_size = sizeof(jobs[0]);
	return call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &args);
}

void wait_done(const Client &client)
{
	CHECK_OK(prep(client.device, client.product.out.handle(), never));
}

} // namespace

/* The job is made once: the second submit takes no memory for streams of its own. */
SUBTEST(rocket_again_same)
{
	Device device;
	Client client(device);

	client.check_good();
	const std::uint64_t before = memory(device);
	for (int i = 0; i < 20; i++)
		client.check_good();
	CHECK_EQ(memory(device), before);
	CHECK_EQ(told(device, "npu-jobs"), 21);
	CHECK_EQ(told(device, "npu-compat-failed"), 0);
}

/* A changed stream is run as it is now, whichever word has changed. */
SUBTEST(rocket_again_changed)
{
	Device device;
	Client client(device);
	Product other(device, {}, 2);

	client.check_good();
	client.out.push_back(other.out.handle());
	client.in.push_back(other.features.handle());
	client.in.push_back(other.weights.handle());
	for (int round = 0; round < 4; round++) {
		igt::Note note("round " + std::to_string(round));
		Product &now = round % 2 ? client.product : other;

		client.write(now.task());
		client.product.clear();
		other.clear();
		CHECK_OK(client.submit());
		wait_done(client);
		now.check();
		(round % 2 ? other : client.product).check_untouched();
	}
	CHECK_EQ(told(device, "npu-compat-failed"), 0);
}

/* Of several tasks only the last one's stream is new, and it is to be refused. */
SUBTEST(rocket_again_changed_tail)
{
	Device device;
	Client client(device);
	const std::vector<std::uint64_t> words = stream(client.product.task());
	auto *code = client.code.as<std::uint64_t>();
	const auto count = static_cast<std::uint32_t>(words.size());
	constexpr std::uint32_t tasks = 4, pitch = 256;

	client.tasks.clear();
	for (std::uint32_t i = 0; i < tasks; i++) {
		std::ranges::copy(words, code + static_cast<std::size_t>(i) * pitch);
		client.tasks.push_back({client.code.address() + i * pitch * 8, count});
	}
	client.point();
	client.check_good();
	CHECK_EQ(told(device, "npu-tasks"), tasks);
	code[(tasks - 1) * pitch] = ~std::uint64_t{0};
	client.check_refused(EINVAL);
	code[(tasks - 1) * pitch] = words[0];
	client.check_good();
	/* A list of fewer tasks is another job. */
	client.tasks.pop_back();
	client.point();
	const std::uint64_t before = told(device, "npu-tasks");
	client.check_good();
	CHECK_EQ(told(device, "npu-tasks"), before + tasks - 1);
}

/* The longest stream, which ends before its last word, and one that is longer. */
SUBTEST(rocket_again_longest)
{
	Device device;
	Client client(device);
	/* Words that are not commands. */
	const std::uint32_t most = device.limits().max_task_commands + 16;

	CHECK((most + 1) * 8 <= 1 << 14);
	for (int round = 0; round < 2; round++) {
		client.tasks[0].regcmd_count = most;
		client.check_good();
		client.tasks[0].regcmd_count = most + 1;
		client.check_refused(E2BIG);
	}
}

/* Convolutions of no pixels are left out at the end of a job, and refused before others. */
SUBTEST(rocket_again_idle_tasks)
{
	Device device;
	Client client(device);
	Task idle = client.product.task();
	constexpr std::uint32_t pitch = 256;

	set(idle, 0x102c, 0);
	const std::vector<std::uint64_t> good = stream(client.product.task()), none = stream(idle);
	auto *code = client.code.as<std::uint64_t>();
	std::ranges::copy(good, code);
	std::ranges::copy(none, code + pitch);
	const drm_rocket_task a{client.code.address(), static_cast<std::uint32_t>(good.size())};
	const drm_rocket_task b{client.code.address() + pitch * 8,
				static_cast<std::uint32_t>(none.size())};

	client.tasks = {a, b, b};
	client.point();
	client.check_good();
	CHECK_EQ(told(device, "npu-tasks"), 1);
	client.tasks = {b, a};
	client.point();
	client.check_refused(EINVAL);
	client.tasks = {b};
	client.point();
	client.check_refused(EINVAL);
}

/* A job that is queued does what its stream said when it was submitted. */
SUBTEST(rocket_again_overwritten)
{
	Device device;
	Client client(device);
	Gate gate(device);

	client.check_good();
	client.product.clear();
	client.block(gate);
	std::fill_n(client.code.as<std::uint64_t>(), 64, ~std::uint64_t{0});
	gate.open();
	wait_done(client);
	client.product.check();
	client.check_refused(EINVAL);
}

/* A buffer that a job has used is freed when its handle is closed. */
SUBTEST(rocket_again_closed)
{
	Device device;
	Client client(device);
	const auto round = [&] {
		Client other(device);
		const std::uint64_t failed = told(device, "npu-compat-failed");

		other.check_good();
		other.check_good();
		other.product.features.close();
		/* Neither its handle nor its address is another buffer's yet. */
		CHECK_OK(other.submit());
		wait_done(other);
		CHECK_EQ(told(device, "npu-compat-failed"), failed + 1);
	};

	client.check_good();
	round();
	const std::uint64_t before = memory(device);
	for (int i = 0; i < 3; i++)
		round();
	/*
	 * A round has 28 KiB of buffers. The file keeps stream memory, a page a job, for new
	 * jobs. A job that is not retired yet when the next one is made adds another page.
	 */
	CHECK(memory(device) <= before + 24);
	client.check_good();
}

/* The memory of kept jobs is bounded, however many a client submits. */
SUBTEST(rocket_again_many)
{
	Device device;
	Client client(device);
	const std::vector<std::uint64_t> words = stream(client.product.task());
	const auto count = static_cast<std::uint32_t>(words.size());
	constexpr std::uint64_t most = 32 << 20;
	constexpr std::uint32_t all = 1200, pitch = 256, a_call = 100;
	Bo code(device, all * pitch * 8);
	std::vector<drm_rocket_task> tasks;
	std::vector<drm_rocket_job> jobs;

	for (std::uint32_t i = 0; i < all; i++) {
		std::ranges::copy(words, code.as<std::uint64_t>() + std::size_t{i} * pitch);
		tasks.push_back({code.address() + i * pitch * 8, count});
	}
	const std::uint64_t before = memory(device);
	client.submit();
	for (std::uint32_t i = 0; i < all; i += a_call) {
		jobs.assign(a_call, client.job);
		for (std::uint32_t j = 0; j < a_call; j++)
			jobs[j].tasks = reinterpret_cast<std::uintptr_t>(&tasks[i + j]);
		CHECK_OK(submit_all(device, jobs));
		wait_done(client);
	}
	CHECK(memory(device) <= before + most / 1024);
	CHECK_EQ(told(device, "npu-compat-failed"), 0);
	/* The oldest ones are made anew. */
	client.check_good();
}

/* Jobs of one call, some of them with the same buffers, end as they would alone. */
SUBTEST(rocket_again_mixed)
{
	Device device;
	Client a(device, {16, 64, 64}), b(device, {8, 32, 32}), bad(device);
	Task broken = bad.product.task();
	std::vector<drm_rocket_job> jobs;

	broken.commands.front() = ~std::uint64_t{0};
	a.check_good();
	b.check_good();
	bad.check_good();
	bad.write(broken);
	const std::uint64_t before = told(device, "npu-jobs");
	drm_rocket_job lost = a.job, no_input = b.job;
	const std::uint32_t none = ~0U;
	lost.out_bo_handles = reinterpret_cast<std::uintptr_t>(&none);
	no_input.in_bo_handles = reinterpret_cast<std::uintptr_t>(&none);
	no_input.in_bo_handle_count = 1;
	a.product.clear();
	b.product.clear();
	bad.product.clear();
	for (int i = 0; i < 40; i++)
		jobs.insert(jobs.end(), {a.job, a.job, b.job});
	jobs.insert(jobs.begin() + 10, bad.job);
	jobs.insert(jobs.begin() + 50, no_input);
	jobs.insert(jobs.begin() + 90, lost);
	CHECK_OK(submit_all(device, jobs));
	wait_done(a);
	wait_done(b);
	wait_done(bad);
	a.product.check();
	b.product.check();
	bad.product.check_untouched();
	CHECK_EQ(told(device, "npu-compat-failed"), 3);
	CHECK_EQ(told(device, "npu-jobs"), before + 120);
}

/* A call returns the error of jobs that are queued before another is made. */
SUBTEST(rocket_again_banned)
{
	Device device;
	Client client(device), bad(device), fresh(device);

	client.check_good();
	bad.write(faulting(bad.product));
	for (std::uint32_t i = 0; i < device.limits().max_guilty; i++)
		bad.check_refused(EFAULT);
	CHECK_ERR(fresh.submit(), EIO);
	/* The changed stream needs a new job. */
	fresh.code.as<std::uint64_t>()[0] ^= std::uint64_t{1} << 16;
	CHECK_ERR(submit_all(device, {client.job, fresh.job}), EIO);
	fresh.product.check_untouched();
}

/* Threads that submit, change and close, of one file. */
SUBTEST(rocket_again_threads)
{
	leak::Check leak;
	{
		Device device;

		igt::parallel(4, [&](unsigned) {
			for (int round = 0; round < 5; round++) {
				Client client(device);

				for (int i = 0; i < 5; i++)
					client.check_good();
			}
		});
	}
	leak.done();
}
