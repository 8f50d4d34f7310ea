/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "igt.h"

void set(Task &task, std::uint32_t reg, std::uint32_t value)
{
	task.commands[index_of(task, reg)] = command(target_of(reg), reg, value);
}

std::uint32_t index_of(const Task &task, std::uint32_t reg)
{
	auto it = std::ranges::find_if(task.commands,
				       [=](std::uint64_t c) { return (c & 0xffff) == reg; });

	CHECK(it != task.commands.end());
	return static_cast<std::uint32_t>(it - task.commands.begin());
}

int create_job(const Device &device, const std::vector<Lane> &lanes, drm_npu_job_create &args)
{
	std::vector<drm_npu_lane> raw_lanes;
	std::vector<std::vector<drm_npu_task>> raw_tasks;

	for (const Lane &lane : lanes) {
		std::vector<drm_npu_task> &tasks = raw_tasks.emplace_back();

		for (const Task &task : lane) {
			drm_npu_task &raw = tasks.emplace_back();

			raw = {};
			raw.commands = reinterpret_cast<std::uintptr_t>(task.commands.data());
			raw.command_count = static_cast<std::uint32_t>(task.commands.size());
			raw.enable = task.enable;
			raw.cost_ns = task.cost_ns;
		}
		raw_lanes.push_back({reinterpret_cast<std::uintptr_t>(tasks.data()),
				     static_cast<std::uint32_t>(tasks.size()),
				     sizeof(drm_npu_task)});
	}
	args.lanes = reinterpret_cast<std::uintptr_t>(raw_lanes.data());
	args.lane_count = static_cast<std::uint32_t>(raw_lanes.size());
	args.lane_stride = sizeof(drm_npu_lane);
	return call(device.fd(), DRM_IOCTL_NPU_JOB_CREATE, &args);
}

std::uint32_t create_job(const Device &device, const std::vector<Lane> &lanes, std::uint32_t region)
{
	drm_npu_job_create args{};

	args.region = region;
	int result = create_job(device, lanes, args);

	if (result) {
		igt::Note where("fault_lane " + std::to_string(args.fault_lane) + ", task " +
				std::to_string(args.fault_task) + ", command " +
				std::to_string(args.fault_command) + ", reason " +
				std::to_string(args.fault_reason));
		CHECK_OK(result);
	}
	CHECK(args.job_id);
	return args.job_id;
}

Task matmul(const Shape &shape, std::uint32_t features, std::uint32_t weights, std::uint32_t out)
{
	const std::uint32_t m = shape.m, k = shape.k, n = shape.n;
	const std::uint32_t surface = m * 16;
	const std::uint32_t bank = 32768;
	const std::uint32_t data_banks = (m * k + bank - 1) / bank;
	/* 7 + 1 output atoms of 16 bytes a group of 32 kernels; the low bits bypass. */
	const std::uint32_t atoms = 7;
	Task task;
	auto write = [&](std::uint32_t reg, std::uint32_t value) {
		task.commands.push_back(command(target_of(reg), reg, value));
	};

	/* A row of the matrix is an image row of one pixel. */
	write(0x100c, 0x20000000);
	write(0x1010, 0x00000010);
	write(0x1014, 0x9);
	write(0x1020, 1 << 16 | m);
	write(0x1024, (k - 1) << 16 | k);
	write(0x1028, 1);
	write(0x102c, m);
	write(cna_weight_size0, n * k);
	write(0x1034, k);
	write(0x1038, 0x01010000 | n);
	write(cna_cbuf_con0, (12 - data_banks) << 4 | data_banks);
	write(0x1044, (k + 63) / 64);
	write(cna_cvt_con0, 0xb);
	for (std::uint32_t reg = 0x1050; reg <= 0x105c; reg += 4)
		write(reg, 0x10000);
	write(0x1060, 0);
	write(0x1064, 0);
	write(0x1068, 0);
	write(cna_feature_addr, features);
	write(0x1074, 0);
	write(0x1078, 0x000f000f);
	write(cna_dma_con1, k / 16);
	write(0x1080, 0);
	write(0x1084, 1 << 16 | m);
	write(0x1088, k);
	write(0x1100, 0);
	write(0x1104, 0);
	write(cna_weight_addr, weights);
	for (std::uint32_t reg = 0x1140; reg <= 0x117c; reg += 4)
		write(reg, 0);
	write(0x1180, 0);
	write(0x1184, 0);

	write(0x3010, 1);
	write(0x3014, (m - 1) << 16);
	write(0x3018, n - 1);
	write(0x301c, 0);
	write(0x3030, 0);

	write(0x400c, 0x1e4);
	write(0x4010, 0x80000000);
	write(0x4014, 0);
	write(dpu_dst_addr, out);
	write(0x4024, surface);
	write(0x4030, 0);
	write(0x4034, m - 1);
	write(0x4038, 0);
	write(0x403c, (n - 1) << 16 | (n - 1));
	write(0x4040, 0x53);
	for (std::uint32_t reg = 0x4044; reg <= 0x404c; reg += 4)
		write(reg, 0);
	write(0x4050, (atoms << 6 | atoms << 3 | atoms) << 2 | 2);
	write(0x4054, 0);
	write(0x4058, n - 1);
	write(0x405c, (m - 1) << 16);
	write(0x4060, 0x53);
	for (std::uint32_t reg = 0x4064; reg <= 0x406c; reg += 4)
		write(reg, 0);
	write(0x4070, 0x383);
	write(0x4074, 0);
	write(0x4078, 1);
	write(0x407c, 0);
	write(0x4080, 0);
	write(0x4084, 1);
	write(0x4088, 0);
	for (std::uint32_t reg = 0x4090; reg <= 0x40ac; reg += 4)
		write(reg, 0);
	write(0x40c0, surface * (atoms + 1));
	write(0x40c4, 0);
	for (std::uint32_t reg = 0x4100; reg <= 0x412c; reg += 4)
		write(reg, 0);
	return task;
}

Product::Product(const Device &device, Shape s, std::uint32_t seed, std::uint32_t flags)
	: shape(s), features(device, s.m * s.k, flags), weights(device, s.n * s.k, flags),
	  out(device, std::uint64_t{s.m} * s.n * 4, flags)
{
	std::uint32_t state = seed;
	auto next = [&] {
		state = state * 1664525 + 1013904223;
		return static_cast<std::uint8_t>(state >> 24);
	};

	std::generate_n(features.as<std::uint8_t>(), s.m * s.k, next);
	std::generate_n(weights.as<std::uint8_t>(), s.n * s.k, next);
	features.to_device();
	weights.to_device();
	clear();
}

Task Product::task() const
{
	return matmul(shape, features.address(), weights.address(), out.address());
}

void Product::clear() const
{
	out.to_cpu();
	std::fill_n(out.as<std::uint32_t>(), shape.m * shape.n, poison);
	out.to_device();
}

void Product::check() const
{
	const auto *a = features.as<std::int8_t>(), *w = weights.as<std::int8_t>();
	const auto *c = out.as<volatile std::int32_t>();

	out.to_cpu();
	for (std::uint32_t row = 0; row < shape.m; row++) {
		for (std::uint32_t n = 0; n < shape.n; n++) {
			/* Groups of 32 kernels, in them slices of 32 channels. */
			const std::int8_t *kernel = w + n / 32 * 32 * shape.k + n % 32 * 32;
			std::int32_t sum = 0;

			for (std::uint32_t k = 0; k < shape.k; k++)
				sum += a[row * shape.k + k] * kernel[k / 32 * 1024 + k % 32];
			std::int32_t got = c[(n / 4 * shape.m + row) * 4 + n % 4];
			if (got != sum) {
				igt::Note where("row " + std::to_string(row) + ", column " +
						std::to_string(n));
				CHECK_EQ(got, sum);
			}
		}
	}
}

void Product::check_untouched() const
{
	const auto *c = out.as<volatile std::uint32_t>();

	out.to_cpu();
	for (std::uint32_t i = 0; i < shape.m * shape.n; i++)
		if (c[i] != poison)
			CHECK_EQ(std::uint32_t{c[i]}, poison);
}

Task faulting(const Product &product)
{
	Task task = product.task();

	/* The second row of features lies far away. */
	set(task, cna_dma_con1, 0x08000000);
	return task;
}

Lane slow_lane(const Product &product, unsigned tasks)
{
	return Lane(tasks, product.task());
}

RunningJob::RunningJob(const Device &device, std::uint32_t lanes, std::uint32_t cores)
	: hold(cores), product(device),
	  job(create_job(device, std::vector<Lane>(lanes, {product.task()})))
{
}

int submit(const Device &device, std::uint32_t context, const std::vector<std::uint32_t> &jobs,
	   const Syncs &syncs, std::uint64_t *seqno, std::uint64_t deadline_ns)
{
	std::vector<drm_npu_submit_job> raw;
	drm_npu_job_submit args{};

	for (std::uint32_t job : jobs)
		raw.push_back({job, 0});
	args.context_id = context;
	args.jobs = reinterpret_cast<std::uintptr_t>(raw.data());
	args.job_count = static_cast<std::uint32_t>(raw.size());
	args.job_stride = sizeof(drm_npu_submit_job);
	args.in_syncs = reinterpret_cast<std::uintptr_t>(syncs.in.data());
	args.in_sync_count = static_cast<std::uint32_t>(syncs.in.size());
	args.out_syncs = reinterpret_cast<std::uintptr_t>(syncs.out.data());
	args.out_sync_count = static_cast<std::uint32_t>(syncs.out.size());
	args.sync_stride = sizeof(drm_npu_sync);
	args.seqno = seqno ? *seqno : 0;
	args.deadline_ns = deadline_ns;
	int result = call(device.fd(), DRM_IOCTL_NPU_JOB_SUBMIT, &args);
	if (seqno)
		*seqno = args.seqno;
	return result;
}

int wait_job(const Device &device, std::uint32_t context, std::uint64_t seqno,
	     std::int64_t timeout_ns, drm_npu_job_wait &args)
{
	args.context_id = context;
	args.seqno = seqno;
	args.timeout_ns = timeout_ns;
	return call(device.fd(), DRM_IOCTL_NPU_JOB_WAIT, &args);
}

int cancel(const Device &device, std::uint32_t context, std::uint64_t first, std::uint64_t last,
	   std::uint32_t *cancelled)
{
	drm_npu_job_cancel args{};

	args.context_id = context;
	args.first_seqno = first;
	args.last_seqno = last;
	args.cancelled = cancelled ? *cancelled : 0;
	int result = call(device.fd(), DRM_IOCTL_NPU_JOB_CANCEL, &args);
	if (cancelled)
		*cancelled = args.cancelled;
	return result;
}

int wait_buffer(const Device &device, std::uint32_t handle, std::int64_t timeout_ns,
		std::uint32_t flags)
{
	drm_npu_bo_wait args{handle, flags, timeout_ns};

	return call(device.fd(), DRM_IOCTL_NPU_BO_WAIT, &args);
}

drm_npu_job_wait wait_ended(const Device &device, std::uint32_t context, std::uint64_t seqno)
{
	drm_npu_job_wait args{};

	CHECK_OK(wait_job(device, context, seqno, never, args));
	CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
	return args;
}

drm_npu_job_wait look_at(const Device &device, std::uint32_t context, std::uint64_t seqno)
{
	drm_npu_job_wait args{};

	CHECK_OK(wait_job(device, context, seqno, 0, args));
	return args;
}

bool has_ended(const Device &device, std::uint32_t context, std::uint64_t seqno)
{
	return look_at(device, context, seqno).state == DRM_NPU_JOB_ENDED;
}

void wait_running(const Device &device, std::uint32_t context, std::uint64_t seqno)
{
	CHECK(patience::comes(
		[&] { return look_at(device, context, seqno).state != DRM_NPU_JOB_QUEUED; }));
	CHECK_EQ(look_at(device, context, seqno).state, DRM_NPU_JOB_RUNNING);
}

int run(const Device &device, std::uint32_t context, std::uint32_t job)
{
	Syncobj done(device);

	CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}));
	return final_status(done);
}

void check_works(const Device &device)
{
	Product product(device, {}, 77);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {{product.task()}});

	CHECK_EQ(run(device, context, job), 1);
	product.check();
	CHECK_OK(device.destroy_job(job));
	CHECK_OK(device.destroy_context(context));
}
