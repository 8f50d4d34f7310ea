/* SPDX-License-Identifier: MIT */
/// The calls of mainline's rocket driver.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <linux/dma-buf.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmabuf.h"
#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "process.h"
#include "program.h"
#include "rocket_client.h"
#include "sram.h"

using namespace rocket;

SUBTEST(rocket_create)
{
	Device device;
	leak::Check leak;

	for (std::uint32_t size : {1u, 4096u, 4097u, 1u << 20}) {
		igt::Note note("size " + std::to_string(size));
		Bo bo(device, size);
		const auto *bytes = bo.as<std::uint8_t>();
		const std::uint64_t rounded = (std::uint64_t{size} + 4095) / 4096 * 4096;

		CHECK(bo.handle());
		/* An address of 0 is one that a stream without one would write to. */
		CHECK(bo.address());
		CHECK_EQ(bo.address() % 4096, 0);
		CHECK(bo.args().dma_address + rounded <= 1ull << 32);
		CHECK_EQ(bo.args().size, size);
		CHECK(std::all_of(bytes, bytes + rounded, [](auto b) { return !b; }));
		/* A buffer of rocket's calls is a buffer like any other. */
		drm_npu_query_buffer record = device.buffer(bo.handle());
		CHECK_EQ(record.size, rounded);
		CHECK_EQ(record.address, bo.args().dma_address);
		CHECK_EQ(record.mmap_offset, bo.args().offset);
	}
	leak.done();
}

SUBTEST(rocket_create_bad)
{
	Device device;
	leak::Check leak;

	for (std::uint32_t size : {0u, ~0u, 0xfffff000u}) {
		igt::Note note("size " + std::to_string(size));
		drm_rocket_create_bo args{size, poison, poison, poison};
		int result = call(device.fd(), DRM_IOCTL_ROCKET_CREATE_BO, &args);

		CHECK_ERR(result, size ? E2BIG : EINVAL);
		CHECK_EQ(args.size, size);
		CHECK_EQ(args.handle, poison);
		CHECK_EQ(args.dma_address, poison);
		CHECK_EQ(args.offset, poison);
	}
	leak.done();
}

SUBTEST(rocket_prep)
{
	Device device, other;
	Gate gate(device);
	Bo bo(device, 4096);
	Fd dma_buf = export_buffer(device.fd(), bo.handle());

	for (std::int64_t timeout :
	     {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1}, INT64_MIN, never})
		CHECK_OK(prep(device, bo.handle(), timeout));
	import_fence(dma_buf, gate.export_file(), DMA_BUF_SYNC_WRITE);
	for (std::int64_t timeout : {std::int64_t{0}, std::int64_t{-1}, now_ns(), INT64_MIN})
		CHECK_ERR(prep(device, bo.handle(), timeout), EBUSY);
	const std::int64_t end = now_ns() + ms_to_ns(60);
	CHECK_ERR(prep(device, bo.handle(), end), ETIMEDOUT);
	CHECK(has_come(end));
	gate.open();
	CHECK_OK(prep(device, bo.handle(), never));

	for (unsigned bit = 0; bit < 32; bit++) {
		CHECK_ERR(prep(device, bo.handle(), 0, 1u << bit), EINVAL);
		CHECK_ERR(fini(device, bo.handle(), 1u << bit), EINVAL);
	}
	for (std::uint32_t handle : {0u, bo.handle() + 1, ~0u}) {
		CHECK_ERR(prep(device, handle, 0), ENOENT);
		CHECK_ERR(prep(device, handle, never), ENOENT);
		CHECK_ERR(fini(device, handle), ENOENT);
	}
	CHECK_ERR(prep(other, bo.handle(), 0), ENOENT);
	CHECK_ERR(fini(other, bo.handle()), ENOENT);
	/* With or without the other, in any order, as often as one likes. */
	CHECK_OK(fini(device, bo.handle()));
	CHECK_OK(fini(device, bo.handle()));
	CHECK_OK(prep(device, bo.handle(), 0));
}

SUBTEST(rocket_submit)
{
	leak::Check leak;
	{
		Device device;
		Client client(device);

		client.check_good();
		client.product.features.as<std::uint8_t>()[3] ^= 0x55;
		client.check_good();
		/* Streams are read at each submit, and not after it. */
		client.write(client.product.task());
		client.product.clear();
		CHECK_OK(client.submit());
		std::fill_n(client.code.as<std::uint64_t>(), 200, ~0ull);
		CHECK_EQ(client.status(), 1);
		client.product.check();
		client.check_refused(EINVAL);
	}
	leak.done();
}

SUBTEST(rocket_submit_args)
{
	Device device;
	Client client(device);

	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.product.clear();
	leak::Check leak;
	const drm_rocket_submit good = client.args;
	auto check = [&](int error) {
		CHECK_ERR(call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &client.args), error);
		CHECK_OK(prep(device, client.product.out.handle(), 0));
		client.product.check_untouched();
		client.args = good;
	};

	for (unsigned bit = 0; bit < 64; bit++) {
		client.args.reserved = 1ull << bit;
		check(EINVAL);
	}
	for (std::uint32_t size : {0u, 1u, 8u, 39u}) {
		client.args.job_struct_size = size;
		check(EINVAL);
	}
	for (std::uint32_t size : {4097u, 1u << 20, ~0u}) {
		client.args.job_struct_size = size;
		check(E2BIG);
	}
	for (std::uint64_t pointer : {0ull, 8ull, 0x7ffffffff000ull, ~0ull - 4095}) {
		client.args.jobs = pointer;
		check(EFAULT);
	}
	/* An empty SUBMIT succeeds. */
	client.args.job_count = 0;
	check(0);
	client.args.job_count = 0;
	client.args.jobs = 8;
	check(0);
	leak.done();
	client.check_good();
}

/* A later header has longer structures; what this kernel does not know is at their end. */
SUBTEST(rocket_strides)
{
	Device device;
	Client client(device);
	struct LongTask {
		drm_rocket_task known;
		std::uint64_t more;
	} tasks[2] = {{client.tasks[0], 0}, {client.tasks[0], 0}};
	struct {
		drm_rocket_job known;
		std::uint64_t more[3];
	} jobs[2]{};

	CHECK_OK(client.submit());
	client.job.tasks = reinterpret_cast<std::uintptr_t>(tasks);
	client.job.task_count = 2;
	client.job.task_struct_size = sizeof(LongTask);
	jobs[0].known = jobs[1].known = client.job;
	client.args.jobs = reinterpret_cast<std::uintptr_t>(jobs);
	client.args.job_count = 2;
	client.args.job_struct_size = sizeof(jobs[0]);
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.product.clear();
	CHECK_OK(call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &client.args));
	CHECK_EQ(client.status(), 1);
	client.product.check();
}

/* The errno of what is wrong with a job is in the fence of its results. */
SUBTEST(rocket_refused_streams)
{
	Device device;
	Client client(device);
	const Task good = client.product.task();
	const std::uint32_t words = client.tasks[0].regcmd_count;

	Task task = good;
	task.commands[3] = command(0x0201, 0x1ffc, 0);
	client.write(task);
	client.check_refused(EINVAL);
	/* An address of nothing, one of another file's, and the stream itself. */
	Device other;
	Buffer theirs(other, 64 << 20);
	for (std::uint32_t address : {16u, theirs.address() + (60 << 20)}) {
		task = good;
		set(task, dpu_dst_addr, address);
		client.write(task);
		client.check_refused(EINVAL);
	}
	client.write(good);
	client.check_good();
	for (const drm_rocket_task &bad :
	     std::initializer_list<drm_rocket_task>{{client.code.address(), 0},
						    {client.code.address() + 4, words},
						    {client.code.address() + (1 << 14) - 64, words},
						    {client.code.address(), (1 << 11) + 1},
						    {client.code.address(), ~0u},
						    {0, words},
						    {~0u - 63, words}}) {
		igt::Note note("regcmd " + std::to_string(bad.regcmd - client.code.address()) +
			       ", count " + std::to_string(bad.regcmd_count));
		client.tasks = {bad};
		client.point();
		/* Too long is a matter of limits, which may come first. */
		client.check_refused(EINVAL, E2BIG);
		/* The good before the bad does not run either. */
		client.write(good);
		client.tasks.push_back(bad);
		client.point();
		client.check_refused(EINVAL, E2BIG);
	}
	client.write(good);
	client.check_good();
}

SUBTEST(rocket_refused_jobs)
{
	Device device;
	Client client(device);

	client.job.task_count = 0;
	client.check_refused(EINVAL);
	client.point();
	for (std::uint32_t size : {0u, 4u, 7u}) {
		client.job.task_struct_size = size;
		client.check_refused(EINVAL);
	}
	client.point();
	client.job.tasks = 8;
	client.check_refused(EFAULT);
	client.point();
	client.check_good();
	for (std::uint32_t handle : {0u, 1000u, ~0u}) {
		std::vector<std::uint32_t> in = client.in;

		client.in.push_back(handle);
		client.check_refused(ENOENT);
		client.in = in;
	}
	client.check_good();
	/* A handle that is no good among the results: nobody can be told. */
	client.product.clear();
	client.out = {client.product.out.handle(), ~0u};
	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	usleep(20000);
	client.product.check_untouched();
	client.out = {client.product.out.handle()};
	client.check_good();
}

/* Too many buffers are an error of the call, whichever list they are in. */
SUBTEST(rocket_many_buffers)
{
	Device device;
	Client client(device);
	std::uint32_t most = device.limits().max_submit_shared;
	std::vector<Buffer> buffers;
	std::vector<std::uint32_t> handles;

	for (std::uint32_t i = 0; i < most; i++) {
		buffers.emplace_back(device, 1);
		handles.push_back(buffers.back().handle());
	}
	for (bool out : {false, true}) {
		std::vector<std::uint32_t> &list = out ? client.out : client.in;
		const std::vector<std::uint32_t> good = list;
		std::size_t others = client.in.size() + client.out.size();

		list.insert(list.end(), handles.begin(), handles.end());
		client.product.clear();
		CHECK_ERR(client.submit(), E2BIG);
		CHECK_OK(prep(device, client.product.out.handle(), never));
		client.product.check_untouched();
		list.resize(good.size() + most - others);
		/* One twice is one. */
		list.push_back(list.back());
		client.check_good();
		list = good;
	}
}

/* One job is refused, the others of the call are not. */
SUBTEST(rocket_refused_alone)
{
	Device device;
	Client a(device), b(device), c(device);
	drm_rocket_job jobs[3];

	b.job.task_count = 0;
	/* Each fills its job in; one call does the work of all. */
	for (Client *client : {&a, &b, &c}) {
		CHECK_OK(client->submit());
		CHECK_OK(prep(device, client->product.out.handle(), never));
		client->product.clear();
	}
	jobs[0] = a.job;
	jobs[1] = b.job;
	jobs[2] = c.job;
	a.args.jobs = reinterpret_cast<std::uintptr_t>(jobs);
	a.args.job_count = 3;
	Gate gate(device);
	Client blocker(device);
	blocker.block(gate);
	CHECK_OK(call(device.fd(), DRM_IOCTL_ROCKET_SUBMIT, &a.args));
	Fd files[] = {a.fence(), b.fence(), c.fence()};
	gate.open();
	CHECK_EQ(final_status(files[0]), 1);
	CHECK_EQ(final_status(files[1]), -EINVAL);
	CHECK_EQ(final_status(files[2]), 1);
	a.product.check();
	b.product.check_untouched();
	c.product.check();
}

/* Mainline answers -EALREADY, and tells nobody. */
SUBTEST(rocket_same_handle_twice)
{
	Device device;
	Client client(device);

	client.in.push_back(client.product.out.handle());
	client.check_good();
	client.in.push_back(client.in[0]);
	client.out.push_back(client.out[0]);
	client.check_good();
	/* None at all: the stream says what it needs, as Mesa's jobs rely on. */
	client.in.clear();
	client.check_good();
}

/* A task of a job sees what the one before it wrote, linked or not. */
SUBTEST(rocket_tasks)
{
	Device device;
	Client client(device);
	Product second(device, {4, 128, 32});
	Task a = client.product.task(), b = second.task();

	set(a, dpu_dst_addr, second.features.address());
	const std::uint32_t at = 2048;
	std::vector<std::uint64_t> b_words = stream(b);
	const auto amount = static_cast<std::uint32_t>((b_words.size() + 1) / 2 - 1);

	for (bool linked : {false, true}) {
		igt::Note note(linked ? "linked" : "not linked");
		std::vector<std::uint64_t> a_words =
			linked ? stream(a, client.code.address() + at, amount) : stream(a);

		std::ranges::copy(a_words, client.code.as<std::uint64_t>());
		std::ranges::copy(b_words, client.code.as<std::uint64_t>() + at / 8);
		client.tasks = {
			{client.code.address(), static_cast<std::uint32_t>(a_words.size())},
			{client.code.address() + at, static_cast<std::uint32_t>(b_words.size())}};
		client.point();
		client.out = {client.product.out.handle(), second.features.handle(),
			      second.out.handle()};
		client.in = {client.product.features.handle(), client.product.weights.handle(),
			     second.weights.handle()};
		second.clear();
		CHECK_OK(client.submit());
		CHECK_OK(prep(device, second.out.handle(), never));
		CHECK_EQ(client.status(), 1);
		second.check();
	}
}

/* Jobs of a file run in order, though they list nothing in common. */
SUBTEST(rocket_order)
{
	Device device;
	std::vector<std::unique_ptr<Client>> clients;
	std::vector<std::unique_ptr<Product>> products;

	for (std::uint32_t i = 0; i < 20; i++) {
		products.push_back(std::make_unique<Product>(device, Shape{}, i + 1));
		Client &client = *clients.emplace_back(std::make_unique<Client>(device));
		Task task = products[i]->task();

		set(task, dpu_dst_addr, products[0]->out.address());
		client.write(task);
		client.in = {products[i]->features.handle()};
		client.out = {client.product.out.handle()};
	}
	for (const auto &client : clients)
		CHECK_OK(client->submit());
	CHECK_OK(prep(device, clients.back()->out[0], never));
	std::copy_n(products[0]->out.as<std::uint32_t>(), 4 * 32,
		    products.back()->out.as<std::uint32_t>());
	products.back()->check();
	for (const auto &client : clients)
		CHECK_EQ(client->status(), 1);
}

/* Implicit order with all others: PREP waits, and so does the job. */
SUBTEST(rocket_implicit)
{
	Device device;
	Client client(device);
	Gate gate(device);
	Fd in = export_buffer(device.fd(), client.product.features.handle());

	import_fence(in, gate.export_file(), DMA_BUF_SYNC_WRITE);
	CHECK_OK(client.submit());
	CHECK_ERR(prep(device, client.product.out.handle(), 0), EBUSY);
	CHECK_ERR(prep(device, client.product.out.handle(), now_ns() + ms_to_ns(30)), ETIMEDOUT);
	CHECK_ERR(prep(device, client.product.features.handle(), 0), EBUSY);
	CHECK_EQ(client.status(0), 0);
	/* Readers of a buffer have fences, too. */
	CHECK_EQ(final_status(export_fences(in, DMA_BUF_SYNC_WRITE), 0), 0);
	client.product.check_untouched();
	gate.open();
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.product.check();
	CHECK_OK(prep(device, client.product.features.handle(), never));
}

/* A job by one way and a job by the other share what they list. */
SUBTEST(rocket_and_native)
{
	Device device;
	Client client(device);
	Gate gate(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{client.product.task()}});

	CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {}}));
	CHECK_OK(client.submit());
	usleep(30000);
	CHECK_EQ(client.status(0), 0);
	CHECK_ERR(wait_buffer(device, client.product.out.handle(), 0), EBUSY);
	gate.open();
	CHECK_EQ(client.status(), 1);
	CHECK_OK(wait_buffer(device, client.product.out.handle(), never));
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_ENDED);
	client.product.check();
	/* Jobs of rocket's calls are in a context that no other call can name. */
	drm_npu_query_context record{};
	for (std::uint32_t id = 0; id < 200; id++)
		if (id != context)
			CHECK_ERR(device.query(DRM_NPU_QUERY_CONTEXT, id, &record, sizeof(record)),
				  ENOENT);
}

SUBTEST(rocket_two_files)
{
	Device device, other;
	Client client(device), theirs(other);
	Imported mine_there(other, client.dma_buf);
	Task task = theirs.product.task();

	set(task, dpu_dst_addr, mine_there.address());
	theirs.write(task);
	theirs.out = {mine_there.handle()};
	for (int i = 0; i < 20; i++) {
		CHECK_OK(client.submit());
		CHECK_OK(theirs.submit());
	}
	CHECK_OK(prep(device, client.product.out.handle(), never));
	CHECK_OK(prep(other, mine_there.handle(), 0));
	client.product.check();
}

SUBTEST(rocket_fault)
{
	Device device;
	Client client(device);
	const Task good = client.product.task();

	client.write(faulting(client.product));
	client.check_refused(EFAULT);
	client.write(good);
	client.check_good();
}

SUBTEST(rocket_hang)
{
	Device device;
	Client client(device);
	Injection hang(inject_hang);

	CHECK_OK(client.submit());
	Fd file = client.fence();
	hang.wait();
	Hold::expire();
	CHECK_EQ(final_status(file), -ETIMEDOUT);
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.check_good();
}

/* An error of the one before is not that of the next. */
SUBTEST(rocket_fault_then_good)
{
	Device device;
	Client client(device), blocker(device);
	Gate gate(device);

	blocker.block(gate);
	client.write(faulting(client.product));
	CHECK_OK(client.submit());
	Fd bad = client.fence();
	client.write(client.product.task());
	CHECK_OK(client.submit());
	Fd good = client.fence();
	gate.open();
	CHECK_EQ(final_status(bad), -EFAULT);
	CHECK_EQ(final_status(good), 1);
	client.product.check();
}

/* The header: EIO when the file's jobs have hung or faulted too often. */
SUBTEST(rocket_banned)
{
	Device device, other;
	Client client(device), theirs(other);

	client.check_good();
	client.write(faulting(client.product));
	for (std::uint32_t i = 0; i < device.limits().max_guilty; i++)
		client.check_refused(EFAULT);
	client.write(client.product.task());
	client.product.clear();
	CHECK_ERR(client.submit(), EIO);
	CHECK_OK(prep(device, client.product.out.handle(), 0));
	client.product.check_untouched();
	/* Other files are not, this one's contexts are. */
	theirs.check_good();
	drm_npu_context_create args{};
	CHECK_ERR(device.create(args), EIO);
}

/* An out-of-bounds write of a client who lists what it likes reaches nobody. */
SUBTEST(rocket_unlisted)
{
	Device device;
	Client client(device);
	Product victim(device);
	Task task = client.product.task();

	/* Its own file's buffers are its own business, listed or not. */
	set(task, dpu_dst_addr, victim.out.address());
	client.write(task);
	CHECK_OK(client.submit());
	CHECK_EQ(client.status(), 1);
	CHECK_OK(wait_buffer(device, victim.out.handle(), never));
	std::copy_n(victim.out.as<std::uint32_t>(), 4 * 32, client.product.out.as<std::uint32_t>());
	client.product.check();

	Buffer read_only(device, 4096, DRM_NPU_BO_READ_ONLY);
	set(task, dpu_dst_addr, read_only.address());
	client.write(task);
	client.check_refused(EINVAL);
	for (std::uint32_t i = 0; i < 1024; i++)
		CHECK_EQ(read_only.as<std::uint32_t>()[i], 0);
}

SUBTEST(rocket_signal)
{
	Device device;
	Gate gate(device);
	Bo bo(device, 4096);
	Fd dma_buf = export_buffer(device.fd(), bo.handle());

	import_fence(dma_buf, gate.export_file(), DMA_BUF_SYNC_WRITE);
	drm_rocket_prep_bo args{bo.handle(), 0, never};
	CHECK_ERR(interrupted(device.fd(), DRM_IOCTL_ROCKET_PREP_BO, &args), EINTR);
}

/* Very many jobs are waited with, not refused; who is killed meanwhile goes. */
SUBTEST(rocket_throttled)
{
	leak::Check leak;
	{
		Device device;
		Gate gate(device);
		Fd gate_file = gate.export_file();
		Sockets sockets;
		pid_t pid = fork_run([&] {
			Device own;
			Client client(own);

			import_fence(client.dma_buf, gate_file, DMA_BUF_SYNC_WRITE);
			CHECK_OK(client.submit());
			send_byte(sockets.second);
			for (;;)
				CHECK_OK(client.submit());
		});

		sockets.second.reset();
		receive_byte(sockets.first);
		usleep(500000);
		kill_child(pid);
		check_works(device);
	}
	leak.done();
}

/* Mainline frees what such a client's jobs still use when it goes. */
SUBTEST(rocket_closed_busy)
{
	for (int i = 0; i < 10; i++) {
		leak::Check leak;
		{
			Device device;
			Client client(device, slow_shape);

			CHECK_OK(client.submit());
			CHECK_OK(client.submit());
		}
		leak.done();
	}
	Device device;
	check_works(device);
}

/* A stream is read where it is, on the chip too. */
SUBTEST(rocket_stream_on_chip)
{
	Device device;
	need_sram(device);
	Client client(device);

	/* Neither what was there before, nor what is left in system memory. */
	std::fill_n(client.code.as<std::uint8_t>(), 1 << 14, std::uint8_t{0});
	CHECK_OK(pin(device, client.code.handle()));
	client.write(client.product.task());
	client.product.clear();
	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.product.check();
	/* And so it is when it comes back. */
	CHECK_OK(evict(device, client.code.handle()));
	client.product.clear();
	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	client.product.check();
}

/* The calls cannot tell of errors, but the file's fdinfo does. */
SUBTEST(rocket_failures_counted)
{
	Device device;
	Client client(device);
	auto failures = [&] {
		std::ifstream file("/proc/self/fdinfo/" + std::to_string(device.fd()));
		std::string key;
		std::uint64_t value = 0;

		while (file >> key)
			if (key == "npu-compat-failed:") {
				CHECK(file >> value);
				return value;
			}
		igt::fail(__FILE__, __LINE__, "fdinfo has npu-compat-failed", "");
	};

	CHECK_EQ(failures(), 0);
	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	CHECK_EQ(failures(), 0);
	/* One job that is refused, and one whose failure cannot be reported. */
	Task bad = client.product.task();
	bad.commands.front() = ~std::uint64_t{0};
	client.write(bad);
	CHECK_OK(client.submit());
	CHECK_OK(prep(device, client.product.out.handle(), never));
	CHECK_EQ(failures(), 1);
	client.write(client.product.task());
	client.out = {~0u};
	CHECK_OK(client.submit());
	CHECK_EQ(failures(), 2);
}

namespace
{

/// Whether the kernel's log has a line with @first and, at its end, @last.
bool logged(std::string_view first, std::string_view last)
{
	constexpr int read_all = 3;
	std::string text(1 << 16, 0);
	const int bytes = klogctl(read_all, text.data(), static_cast<int>(text.size()));

	if (bytes < 0)
		igt::skip("the kernel's log cannot be read");
	text.resize(static_cast<std::size_t>(bytes));
	std::istringstream lines(text);
	for (std::string line; std::getline(lines, line);)
		if (line.contains(first) && line.ends_with(last))
			return true;
	return false;
}

/// @client's job is refused, and the log says why with a line that ends in @why.
void check_named(const Device &device, Client &client, std::string_view why)
{
	const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
	const std::string line = "[" + std::to_string(getpid()) + "]: rocket job refused: task 0,";
	igt::Note note{std::string(why)};

	/* The log takes so many lines at a time, and other tests may have had them. */
	for (;;) {
		CHECK_OK(client.submit());
		CHECK_OK(prep(device, client.product.out.handle(), never));
		if (logged(line, why))
			return;
		CHECK(std::chrono::steady_clock::now() < deadline);
		std::this_thread::sleep_for(std::chrono::milliseconds(200));
	}
}

} // namespace

/* The calls cannot tell of what is refused, but the kernel's log names it. */
SUBTEST(rocket_refused_named)
{
	Device device;
	Client client(device);
	Task bad = client.product.task();

	bad.commands[index_of(bad, 0x4010)] |= std::uint64_t{1} << (16 + 3);
	client.write(bad);
	check_named(device, client, ", DPU register DATA_FORMAT at 0x4010: value out of bounds");
	/* Blocks that nobody starts together, a stream without a start, and none. */
	bad = client.product.task();
	bad.enable = 0x7d;
	client.write(bad);
	check_named(device, client,
		    ", PC register OPERATION_ENABLE at 0x0008: starts no known set of blocks");
	const std::uint32_t count = client.tasks.front().regcmd_count;
	client.code.as<std::uint64_t>()[count - 1] = 0;
	check_named(device, client,
		    " command " + std::to_string(count) + ": starts no known set of blocks");
	client.write(client.product.task());
	client.tasks.front().regcmd = ~7u;
	check_named(device, client, " command 0: address in no buffer");
}
