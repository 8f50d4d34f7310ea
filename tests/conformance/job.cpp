/* SPDX-License-Identifier: MIT */
/// JOB_CREATE and JOB_DESTROY, but for the verifier.
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

int create(const Device &device, drm_npu_job_create &args)
{
	return call(device.fd(), DRM_IOCTL_NPU_JOB_CREATE, &args);
}

/* A job in the form that the call takes, to be spoilt in one place. */
struct Raw {
	explicit Raw(const Product &product, std::uint32_t lane_count = 1)
		: program(product.task()), lanes(lane_count)
	{
		task.commands = reinterpret_cast<std::uintptr_t>(program.commands.data());
		task.command_count = static_cast<std::uint32_t>(program.commands.size());
		task.enable = enable_conv;
		for (drm_npu_lane &lane : lanes)
			lane = {reinterpret_cast<std::uintptr_t>(&task), 1, sizeof(task)};
		args.lanes = reinterpret_cast<std::uintptr_t>(lanes.data());
		args.lane_count = lane_count;
		args.lane_stride = sizeof(drm_npu_lane);
	}

	void check_refused(const Device &device, int error)
	{
		leak::Check leak;

		args.job_id = poison;
		CHECK_ERR(create(device, args), error);
		CHECK_EQ(args.job_id, poison);
		if (error == EINVAL) {
			CHECK_EQ(args.fault_reason, DRM_NPU_FAULT_NONE);
			CHECK_EQ(args.fault_lane, 0);
			CHECK_EQ(args.fault_task, 0);
			CHECK_EQ(args.fault_command, 0);
		}
		leak.done();
	}

	Task program;
	drm_npu_task task{};
	std::vector<drm_npu_lane> lanes;
	drm_npu_job_create args{};
};

constexpr std::uint64_t bad_pointers[] = {0, 8, 0x7ffffffff000, ~0ull - 4095};

} // namespace

SUBTEST(job_matmul)
{
	Device device;
	const Shape shapes[] = {{4, 32, 32}, {1, 32, 32}, {7, 64, 96}, {33, 512, 64}, {4, 32, 64}};

	for (const Shape &shape : shapes) {
		igt::Note note(std::to_string(shape.m) + "x" + std::to_string(shape.k) + "x" +
			       std::to_string(shape.n));
		Product product(device, shape);
		std::uint32_t job = create_job(device, {{product.task()}});

		CHECK_EQ(run(device, device.context(), job), 1);
		product.check();
	}
}

SUBTEST(job_again)
{
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});

	for (int i = 0; i < 50; i++) {
		product.clear();
		product.features.as<std::uint8_t>()[i] ^= 0x81;
		CHECK_EQ(run(device, context, job), 1);
		product.check();
	}
}

/* The streams are copied: what becomes of the client's does not matter. */
SUBTEST(job_copied)
{
	Device device;
	Product product(device);
	Raw raw(product);

	CHECK_OK(create(device, raw.args));
	raw.program.commands.assign(raw.program.commands.size(), ~0ull);
	raw.task = {};
	raw.lanes[0] = {};
	CHECK_EQ(run(device, device.context(), raw.args.job_id), 1);
	product.check();
}

SUBTEST(job_counts)
{
	Device device;
	Product product(device);
	drm_npu_query_limits limits = device.limits();

	Raw no_lanes(product);
	no_lanes.args.lane_count = 0;
	no_lanes.check_refused(device, EINVAL);
	Raw no_tasks(product);
	no_tasks.lanes[0].task_count = 0;
	no_tasks.check_refused(device, EINVAL);
	Raw no_commands(product);
	no_commands.task.command_count = 0;
	no_commands.check_refused(device, EINVAL);

	/* A pointer that faults shows that counts are looked at first. */
	for (std::uint32_t count : {limits.max_lanes + 1, 0x80000000u, ~0u}) {
		Raw raw(product, 1);
		raw.args.lane_count = count;
		raw.args.lanes = 8;
		raw.check_refused(device, E2BIG);
	}
	for (std::uint32_t count : {limits.max_lane_tasks + 1, 0x80000000u, ~0u}) {
		Raw raw(product);
		raw.lanes[0].task_count = count;
		raw.lanes[0].tasks = 8;
		raw.check_refused(device, E2BIG);
	}
	for (std::uint32_t count : {limits.max_task_commands + 1, 0x80000000u, ~0u}) {
		Raw raw(product);
		raw.task.command_count = count;
		raw.task.commands = 8;
		raw.check_refused(device, E2BIG);
	}
}

SUBTEST(job_pointers)
{
	Device device;
	Product product(device);

	for (std::uint64_t pointer : bad_pointers) {
		igt::Note note("pointer " + std::to_string(pointer));
		Raw lanes(product), tasks(product), commands(product);

		lanes.args.lanes = pointer;
		lanes.check_refused(device, EFAULT);
		tasks.lanes[0].tasks = pointer;
		tasks.check_refused(device, EFAULT);
		commands.task.commands = pointer;
		commands.check_refused(device, EFAULT);
	}
}

SUBTEST(job_strides_small)
{
	Device device;
	Product product(device);

	for (std::uint32_t stride : {0u, 8u, 15u, 17u, 20u, 1001u, ~0u}) {
		igt::Note note("lane stride " + std::to_string(stride));
		Raw raw(product);

		raw.args.lane_stride = stride;
		raw.check_refused(device, EINVAL);
	}
	for (std::uint32_t stride : {0u, 8u, 16u, 23u, 25u, 28u, ~0u}) {
		igt::Note note("task stride " + std::to_string(stride));
		Raw raw(product);

		raw.lanes[0].task_stride = stride;
		raw.check_refused(device, EINVAL);
	}
}

SUBTEST(job_strides_large)
{
	Device device;
	Product product(device);
	Raw raw(product);
	struct LongLane {
		drm_npu_lane known;
		std::uint64_t more[3];
	} lane{raw.lanes[0], {}};
	struct LongTask {
		drm_npu_task known;
		std::uint64_t more[2];
	} tasks[2] = {{raw.task, {}}, {raw.task, {}}};

	lane.known.tasks = reinterpret_cast<std::uintptr_t>(tasks);
	lane.known.task_count = 2;
	lane.known.task_stride = sizeof(LongTask);
	raw.args.lanes = reinterpret_cast<std::uintptr_t>(&lane);
	raw.args.lane_stride = sizeof(LongLane);
	CHECK_OK(create(device, raw.args));
	CHECK_EQ(run(device, device.context(), raw.args.job_id), 1);
	product.check();

	lane.more[2] = 1ull << 63;
	raw.check_refused(device, E2BIG);
	lane.more[2] = 0;
	lane.more[0] = 1;
	raw.check_refused(device, E2BIG);
	lane.more[0] = 0;
	tasks[1].more[1] = 1ull << 63;
	raw.check_refused(device, E2BIG);
	tasks[1].more[1] = 0;
	tasks[0].more[0] = 1;
	raw.check_refused(device, E2BIG);
}

SUBTEST(job_flags)
{
	Device device;
	Product product(device);

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		Raw flags(product), task_flags(product);

		flags.args.flags = 1u << bit;
		flags.check_refused(device, EINVAL);
		task_flags.task.flags = 1u << bit;
		task_flags.check_refused(device, EINVAL);
	}
}

SUBTEST(job_lanes)
{
	Device device;
	std::uint32_t cores = device.info().core_count;
	std::vector<Product> products;

	for (std::uint32_t i = 0; i < cores; i++)
		products.emplace_back(device, Shape{8 + i, 64, 64}, i + 1);
	for (std::uint32_t count = 1; count <= cores; count++) {
		/* Fewer cores than lanes, too: then they run one after the other. */
		for (std::uint32_t mask = 0; mask < 1u << cores; mask++) {
			igt::Note note(std::to_string(count) + " lanes, mask " +
				       std::to_string(mask));
			std::uint32_t context = device.context(mask);
			std::vector<Lane> lanes;

			for (std::uint32_t i = 0; i < count; i++) {
				products[i].clear();
				lanes.emplace_back(i + 1, products[i].task());
			}
			std::uint32_t job = create_job(device, lanes);
			CHECK_EQ(run(device, context, job), 1);
			for (std::uint32_t i = 0; i < count; i++)
				products[i].check();
			CHECK_EQ(device.state(context).tasks, count * (count + 1) / 2);
		}
	}
}

SUBTEST(job_chain)
{
	Device device;
	Product a(device, {4, 32, 32}, 1), b(device, {9, 64, 32}, 2), c(device, {2, 32, 128}, 3);
	Lane lane;

	for (int i = 0; i < 40; i++)
		for (const Product *product : {&a, &b, &c})
			lane.push_back(product->task());
	std::uint32_t context = device.context();
	CHECK_EQ(run(device, context, create_job(device, {lane})), 1);
	CHECK_EQ(device.state(context).tasks, 120);
	a.check();
	b.check();
	c.check();
}

/* As many tasks, and commands, as QUERY says. */
SUBTEST(job_max_tasks)
{
	Device device;
	Product product(device);
	std::uint32_t tasks = device.limits().max_lane_tasks;
	std::uint32_t context = device.context();

	CHECK_EQ(run(device, context, create_job(device, {Lane(tasks, product.task())})), 1);
	CHECK_EQ(device.state(context).tasks, tasks);
	product.check();
}

SUBTEST(job_max_commands)
{
	Device device;
	Product product(device);
	Task task = product.task();

	while (task.commands.size() < device.limits().max_task_commands)
		task.commands.push_back(task.commands[0]);
	CHECK_EQ(run(device, device.context(), create_job(device, {{task, task}})), 1);
	product.check();
}

/* Each count is within its limit, and no other limit is documented. */
SUBTEST(job_max_all)
{
	Device device;
	Product product(device);
	Raw raw(product, device.limits().max_lanes);
	std::vector<drm_npu_task> tasks;

	while (raw.program.commands.size() < device.limits().max_task_commands)
		raw.program.commands.push_back(raw.program.commands[0]);
	raw.task.commands = reinterpret_cast<std::uintptr_t>(raw.program.commands.data());
	raw.task.command_count = static_cast<std::uint32_t>(raw.program.commands.size());
	tasks.assign(device.limits().max_lane_tasks, raw.task);
	for (drm_npu_lane &lane : raw.lanes) {
		lane.tasks = reinterpret_cast<std::uintptr_t>(tasks.data());
		lane.task_count = static_cast<std::uint32_t>(tasks.size());
	}
	/* Each limit is kept, but not the one of their product. */
	raw.check_refused(device, E2BIG);

	const std::uint64_t bytes = (raw.task.command_count + 4 + 7) / 8 * 64ull;
	const std::uint64_t most = device.limits().max_job_bytes / bytes;
	/* One lane has room for just that many tasks. */
	CHECK(most < device.limits().max_lane_tasks);
	raw.args.lane_count = 1;
	raw.lanes[0].task_count = static_cast<std::uint32_t>(most) + 1;
	raw.check_refused(device, E2BIG);
	raw.lanes[0].task_count = static_cast<std::uint32_t>(most);
	CHECK_OK(create(device, raw.args));
}

/* Padding between elements is checked, so strides are bounded. */
SUBTEST(job_strides_huge)
{
	Device device;
	Product product(device);

	for (std::uint32_t stride : {4104u, 1u << 20, 0xfffffff8u}) {
		igt::Note note("stride " + std::to_string(stride));
		Raw lanes(product), tasks(product);

		lanes.args.lane_stride = stride;
		lanes.check_refused(device, E2BIG);
		tasks.lanes[0].task_stride = stride;
		tasks.check_refused(device, E2BIG);
	}
}

SUBTEST(job_destroy)
{
	Device device, other;
	Product product(device);
	leak::Check leak;
	std::uint32_t job = create_job(device, {{product.task()}});
	drm_npu_job_destroy pad{job, 1};

	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_JOB_DESTROY, &pad), EINVAL);
	CHECK_ERR(other.destroy_job(job), ENOENT);
	CHECK_ERR(device.destroy_job(0), ENOENT);
	CHECK_ERR(device.destroy_job(job + 1), ENOENT);
	CHECK_ERR(device.destroy_job(~0u), ENOENT);
	CHECK_OK(device.destroy_job(job));
	CHECK_ERR(device.destroy_job(job), ENOENT);
	leak.done();
}

SUBTEST(job_destroy_queued)
{
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t context = device.context();
	leak::Check leak;
	{
		Syncobj done(device);
		std::uint32_t job = create_job(device, {{product.task()}});

		CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {done.sync()}}));
		CHECK_OK(device.destroy_job(job));
		CHECK_ERR(submit(device, context, {job}), ENOENT);
		gate.open();
		CHECK_EQ(final_status(done), 1);
		product.check();
	}
	leak.done();
}

SUBTEST(job_foreign)
{
	Device device, other;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	CHECK_ERR(submit(other, other.context(), {job}), ENOENT);
	product.check_untouched();
}

/* Many jobs, and their ids, come and go. */
SUBTEST(job_many)
{
	Device device;
	Product product(device);
	leak::Check leak;
	std::vector<std::uint32_t> jobs;

	for (int i = 0; i < 500; i++)
		jobs.push_back(create_job(device, {{product.task()}}));
	for (std::size_t i = 0; i < jobs.size(); i += 2)
		CHECK_OK(device.destroy_job(jobs[i]));
	std::uint32_t context = device.context();
	CHECK_EQ(run(device, context, jobs[1]), 1);
	CHECK_EQ(run(device, context, jobs[499]), 1);
	product.check();
	CHECK_OK(device.destroy_context(context));
	for (std::size_t i = 1; i < jobs.size(); i += 2)
		CHECK_OK(device.destroy_job(jobs[i]));
	leak.done();
}
