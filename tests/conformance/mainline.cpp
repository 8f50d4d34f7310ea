/* SPDX-License-Identifier: MIT */
/// What clients of mainline's rocket driver rely on, on that driver or on ours: the table
/// in docs/rocket.md.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <linux/dma-buf.h>

#include "dmabuf.h"
#include "igt.h"
#include "mainline_client.h"
#include "process.h"

using namespace mainline;

SUBTEST(mainline_version)
{
	const PatientFile file;
	int major = -1;

	CHECK_EQ(driver_name(file.fd(), &major), std::string("rocket"));
	/* Clients take 1.0 for another contract. */
	CHECK_EQ(major, 0);
}

SUBTEST(mainline_create)
{
	const PatientFile file;

	for (std::uint32_t size : {4096u, 8192u, 1u << 20}) {
		igt::Note note("size " + std::to_string(size));
		const Bo bo(file.fd(), size), other(file.fd(), size);
		const auto *bytes = bo.as<std::uint8_t>();

		CHECK(bo.handle());
		CHECK_EQ(bo.args().dma_address % 4096, 0);
		CHECK(bo.args().dma_address + size <= 1ull << 32);
		CHECK(other.args().dma_address >= bo.args().dma_address + size ||
		      bo.args().dma_address >= other.args().dma_address + size);
		CHECK(std::all_of(bytes, bytes + size, [](auto byte) { return !byte; }));
	}
}

SUBTEST(mainline_prep)
{
	const PatientFile file, other;
	const Bo bo(file.fd());

	for (std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, never}) {
		CHECK_OK(prep(file.fd(), bo.handle(), timeout));
		CHECK_OK(fini(file.fd(), bo.handle()));
	}
	CHECK_ERR(prep(file.fd(), bo.handle(), 0, 1), EINVAL);
	CHECK_ERR(fini(file.fd(), bo.handle(), 1), EINVAL);
	for (std::uint32_t handle : {0u, bo.handle() + 1, ~0u}) {
		CHECK_ERR(prep(file.fd(), handle), ENOENT);
		CHECK_ERR(fini(file.fd(), handle), ENOENT);
	}
	CHECK_ERR(prep(other.fd(), bo.handle()), ENOENT);
}

/* Timeouts are times of CLOCK_MONOTONIC. */
SUBTEST(mainline_prep_timeout)
{
	const PatientFile file;
	const Bo bo(file.fd());
	const auto vgem = need_vgem(4096);
	const std::uint32_t fence = vgem->attach_fence(true);

	import_fence(export_buffer(file.fd(), bo.handle()),
		     export_fences(vgem->dma_buf(), DMA_BUF_SYNC_READ), DMA_BUF_SYNC_WRITE);
	for (std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, now_ns(), INT64_MIN})
		CHECK_ERR(prep(file.fd(), bo.handle(), timeout), EBUSY);
	const std::int64_t end = now_ns() + ms_to_ns(60);
	CHECK_ERR(prep(file.fd(), bo.handle(), end), ETIMEDOUT);
	CHECK(has_come(end));
	vgem->signal_fence(fence);
	CHECK_OK(prep(file.fd(), bo.handle()));
}

SUBTEST(mainline_one_task)
{
	const PatientFile file;

	Client(file.fd()).run(1);
}

SUBTEST(mainline_sixteen_tasks)
{
	const PatientFile file;

	Client(file.fd()).run(16);
}

SUBTEST(mainline_two_files)
{
	const PatientFile first, second;
	Client one(first.fd()), two(second.fd(), 3);

	for (int i = 0; i < 10; i++) {
		one.run(1);
		two.run(2);
	}
}

SUBTEST(mainline_processes)
{
	std::vector<pid_t> children;

	for (std::int8_t weight = 1; weight <= 3; weight++)
		children.push_back(fork_run([weight] {
			const PatientFile file;
			Client client(file.fd(), weight);

			for (int i = 0; i < 10; i++)
				client.run(1);
		}));
	for (const pid_t child : children)
		check_exit(child);
}

/* Sizes tell where the next structure is; what follows a known one is ignored. */
SUBTEST(mainline_strides)
{
	struct WideTask {
		drm_rocket_task task;
		std::uint64_t more;
	};
	struct WideJob {
		drm_rocket_job job;
		std::uint64_t more[3];
	};
	const PatientFile file;
	Client client(file.fd());
	drm_rocket_submit args{};

	client.clear();
	drm_rocket_job job = client.job(1);
	const auto task =
		*reinterpret_cast<const drm_rocket_task *>(static_cast<std::uintptr_t>(job.tasks));
	const WideTask tasks[2] = {{task, ~0ull}, {task, ~0ull}};
	job.tasks = reinterpret_cast<std::uintptr_t>(tasks);
	job.task_count = 2;
	job.task_struct_size = sizeof(WideTask);
	const WideJob jobs[2] = {{job, {~0ull, ~0ull, ~0ull}}, {job, {~0ull, ~0ull, ~0ull}}};
	args.jobs = reinterpret_cast<std::uintptr_t>(jobs);
	args.job_count = 2;
	args.job_struct_size = sizeof(WideJob);
	CHECK_OK(call(file.fd(), DRM_IOCTL_ROCKET_SUBMIT, &args));
	client.check();
	client.run(1);
}

/* The call fails where it does not get to the jobs; it does not tell what they miss. */
SUBTEST(mainline_refused)
{
	const PatientFile file;
	Client client(file.fd());
	drm_rocket_submit nothing{};

	client.clear();
	CHECK_OK(call(file.fd(), DRM_IOCTL_ROCKET_SUBMIT, &nothing));
	client.job(1);
	CHECK_ERR(client.submit(sizeof(drm_rocket_job) - 1), EINVAL);
	CHECK_ERR(client.submit(sizeof(drm_rocket_job), 1), EINVAL);
	client.job(0);
	CHECK_OK(client.submit());
	client.job(1).task_struct_size = sizeof(drm_rocket_task) - 1;
	CHECK_OK(client.submit());
	client.job(1).tasks = 0;
	CHECK_OK(client.submit());
	client.job(1).out_bo_handle_count = 2;
	CHECK_OK(client.submit());
	nothing.job_count = 1;
	nothing.job_struct_size = sizeof(drm_rocket_job);
	CHECK_ERR(call(file.fd(), DRM_IOCTL_ROCKET_SUBMIT, &nothing), EFAULT);
	client.check_untouched();
	client.run(1);
}

/* The jobs of a file run in the order in which they were submitted. */
SUBTEST(mainline_order)
{
	const PatientFile file;
	Client one(file.fd(), 1), two(file.fd(), 2);

	two.write_to(one.out());
	for (int i = 0; i < 10; i++) {
		igt::Note note("round " + std::to_string(i));
		Client &first = i % 2 ? one : two, &last = i % 2 ? two : one;

		one.clear();
		first.job(16);
		CHECK_OK(first.submit());
		last.job(1);
		CHECK_OK(last.submit());
		last.check();
	}
}

/* Results of a job are visible through a dma-buf, also after its handle is closed. */
SUBTEST(mainline_exported)
{
	const PatientFile file;
	auto out = std::make_unique<Bo>(file.fd());
	Client client(file.fd());

	client.write_to(*out);
	client.clear();
	const Fd dma_buf = export_buffer(file.fd(), out->handle());
	const Mapping mapping(dma_buf, 4096);
	client.job(1);
	CHECK_OK(client.submit());
	CHECK(file_status(export_fences(dma_buf, DMA_BUF_SYNC_READ)) >= 0);
	client.check();
	out.reset();
	CHECK_EQ(std::uint32_t{mapping.as<volatile std::uint32_t>()[0]}, 64);
}

/* The largest of four pixels, by the PPU alone. */
SUBTEST(mainline_pool)
{
	struct Setting {
		std::uint32_t reg;
		std::uint32_t value;
	};
	const PatientFile file;
	need_ours(file.fd(), "jobs that end in the PPU time out");
	const Bo in(file.fd()), out(file.fd()), code(file.fd());
	const Setting settings[] = {{0x600c, 7},     {0x6010, 7},        {0x6014, 0xf},
				    {0x6018, 3},     {0x601c, 3},        {0x6020, 0xf},
				    {0x6024, 0x11},  {0x6034, 0x110101}, {0x6070, out.address()},
				    {0x607c, 0x100}, {0x60dc, 3},        {0x700c, 7},
				    {0x7010, 7},     {0x7014, 0xf},      {0x701c, in.address()},
				    {0x7024, 0x80},  {0x7028, 0x400},    {0x7030, 1}};
	std::vector<std::uint64_t> words;

	for (const Setting &setting : settings)
		words.push_back(command(target_of(setting.reg), setting.reg, setting.value));
	words.insert(words.end(), {0, command(0x0101, 0x0014, 0), command(0x0041, 0, 0),
				   command(0x0081, 0x0008, 0x60)});
	std::ranges::copy(words, code.as<std::uint64_t>());
	/* 8 x 8 pixels of 16 channels, each with the number of its column. */
	for (int i = 0; i < 1024; i++)
		in.as<std::int8_t>()[i] = static_cast<std::int8_t>(i / 16 % 8);
	code.fini();
	in.fini();

	const drm_rocket_task task{code.address(), static_cast<std::uint32_t>(words.size())};
	const std::uint32_t from[] = {in.handle(), code.handle()}, to = out.handle();
	drm_rocket_job job{};
	job.tasks = reinterpret_cast<std::uintptr_t>(&task);
	job.task_count = 1;
	job.task_struct_size = sizeof(task);
	job.in_bo_handles = reinterpret_cast<std::uintptr_t>(from);
	job.in_bo_handle_count = static_cast<std::uint32_t>(std::size(from));
	job.out_bo_handles = reinterpret_cast<std::uintptr_t>(&to);
	job.out_bo_handle_count = 1;
	drm_rocket_submit args{};
	args.jobs = reinterpret_cast<std::uintptr_t>(&job);
	args.job_count = 1;
	args.job_struct_size = sizeof(job);
	CHECK_OK(call(file.fd(), DRM_IOCTL_ROCKET_SUBMIT, &args));
	out.prep();
	for (int x = 0; x < 4; x++)
		CHECK_EQ(int{out.as<volatile std::int8_t>()[x * 16]}, 2 * x + 1);
}

/* A client that goes at any point, with jobs under way, and with a buffer that lives on. */
SUBTEST(mainline_goes)
{
	need_ours(open_device().get(), "memory of a file is used after it is closed (3)");
	for (int i = 0; i < 8; i++) {
		igt::Note note("round " + std::to_string(i));
		const Sockets sockets;
		const pid_t child = fork_run([&] {
			const Fd file = open_device();
			Client client(file.get());

			client.job(16);
			for (int jobs = 0; jobs < i; jobs++)
				CHECK_OK(client.submit());
			send_fd(sockets.first,
				export_buffer(file.get(), client.out().handle()).get());
			for (;;)
				CHECK_OK(client.submit());
		});
		const Fd dma_buf = receive_fd(sockets.second);
		kill_child(child);
		const Mapping mapping(dma_buf, 4096);
		CHECK(final_status(export_fences(dma_buf, DMA_BUF_SYNC_READ)));
		const PatientFile other;
		Client(other.fd()).run(1);
	}
}
