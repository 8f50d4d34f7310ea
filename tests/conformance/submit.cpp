/* SPDX-License-Identifier: MIT */
/// JOB_SUBMIT: what it refuses, and that refusing changes nothing.
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

/* A submit in the form that the call takes, to be spoilt in one place. */
struct Raw {
	explicit Raw(const Device &d)
		: device(d), product(d), job(create_job(d, {{product.task()}})),
		  context(d.context()), in(d, true), out(d), jobs{{job, 0}}, ins{in.sync()},
		  outs{out.sync()}
	{
		args.context_id = context;
		args.job_count = args.in_sync_count = args.out_sync_count = 1;
		args.job_stride = sizeof(drm_npu_submit_job);
		args.sync_stride = sizeof(drm_npu_sync);
		point();
	}

	/* Again after the arrays have changed their size. */
	void point()
	{
		args.jobs = reinterpret_cast<std::uintptr_t>(jobs.data());
		args.in_syncs = reinterpret_cast<std::uintptr_t>(ins.data());
		args.out_syncs = reinterpret_cast<std::uintptr_t>(outs.data());
	}

	int go() { return call(device.fd(), DRM_IOCTL_NPU_JOB_SUBMIT, &args); }

	void check_refused(int error)
	{
		leak::Check leak;

		args.seqno = poison;
		CHECK_ERR(go(), error);
		CHECK_EQ(args.seqno, poison);
		CHECK(!out.has_fence());
		CHECK_EQ(device.state(context).submitted_seqno, 0);
		product.check_untouched();
		leak.done();
	}

	void check_good()
	{
		CHECK_OK(go());
		CHECK_EQ(args.seqno, args.job_count);
		CHECK_EQ(final_status(out), 1);
		product.check();
	}

	const Device &device;
	Product product;
	std::uint32_t job, context;
	Syncobj in, out;
	std::vector<drm_npu_submit_job> jobs;
	std::vector<drm_npu_sync> ins, outs;
	drm_npu_job_submit args{};
};

} // namespace

SUBTEST(submit_good)
{
	Device device;
	Raw raw(device);

	raw.check_good();
}

SUBTEST(submit_no_syncs)
{
	Device device;
	Raw raw(device);

	/* Without syncs their stride and pointers do not matter. */
	raw.args.in_sync_count = raw.args.out_sync_count = raw.args.sync_stride = 0;
	raw.args.in_syncs = raw.args.out_syncs = 8;
	CHECK_OK(raw.go());
	CHECK_EQ(raw.args.seqno, 1);
	CHECK(patience::comes([&] { return device.state(raw.context).completed_seqno == 1; }));
	raw.product.check();
}

SUBTEST(submit_ids)
{
	Device device;
	Raw raw(device);

	for (std::uint32_t id : {0u, raw.context + 1, ~0u}) {
		raw.args.context_id = id;
		raw.check_refused(ENOENT);
	}
	raw.args.context_id = raw.context;
	for (std::uint32_t id : {0u, raw.job + 1, ~0u}) {
		raw.jobs = {{raw.job, 0}, {id, 0}};
		raw.args.job_count = 2;
		raw.point();
		raw.check_refused(ENOENT);
	}
	raw.args.job_count = 1;
	raw.check_good();
}

SUBTEST(submit_counts)
{
	Device device;
	Raw raw(device);
	drm_npu_query_limits limits = device.limits();

	raw.args.job_count = 0;
	raw.check_refused(EINVAL);
	for (std::uint32_t count : {limits.max_submit_jobs + 1, 0x80000000u, ~0u}) {
		raw.args.job_count = count;
		raw.args.jobs = 8;
		raw.check_refused(E2BIG);
	}
	raw.point();
	raw.args.job_count = 1;
	for (std::uint32_t count : {limits.max_submit_syncs + 1, 0x80000000u, ~0u}) {
		raw.args.in_sync_count = count;
		raw.check_refused(E2BIG);
		raw.args.in_sync_count = 1;
		raw.args.out_sync_count = count;
		raw.check_refused(E2BIG);
		raw.args.out_sync_count = 1;
	}
	raw.check_good();
}

SUBTEST(submit_max_counts)
{
	Device device;
	Raw raw(device);
	drm_npu_query_limits limits = device.limits();

	raw.jobs.assign(limits.max_submit_jobs, {raw.job, 0});
	raw.ins.assign(limits.max_submit_syncs, raw.in.sync());
	raw.outs.assign(limits.max_submit_syncs, raw.out.sync());
	raw.args.job_count = limits.max_submit_jobs;
	raw.args.in_sync_count = raw.args.out_sync_count = limits.max_submit_syncs;
	raw.point();
	raw.check_good();
}

SUBTEST(submit_pointers)
{
	Device device;
	Raw raw(device);

	for (std::uint64_t pointer : {0ull, 8ull, 0x7ffffffff000ull, ~0ull - 4095}) {
		igt::Note note("pointer " + std::to_string(pointer));
		raw.args.jobs = pointer;
		raw.check_refused(EFAULT);
		raw.point();
		raw.args.in_syncs = pointer;
		raw.check_refused(EFAULT);
		raw.point();
		raw.args.out_syncs = pointer;
		raw.check_refused(EFAULT);
		raw.point();
	}
	raw.check_good();
}

SUBTEST(submit_strides_small)
{
	Device device;
	Raw raw(device);

	for (std::uint32_t stride : {0u, 4u, 7u, 9u, 12u, ~0u}) {
		igt::Note note("job stride " + std::to_string(stride));
		raw.args.job_stride = stride;
		raw.check_refused(EINVAL);
	}
	raw.args.job_stride = sizeof(drm_npu_submit_job);
	for (std::uint32_t stride : {0u, 8u, 15u, 17u, 20u, ~0u}) {
		igt::Note note("sync stride " + std::to_string(stride));
		raw.args.sync_stride = stride;
		raw.check_refused(EINVAL);
	}
	raw.args.sync_stride = sizeof(drm_npu_sync);
	raw.check_good();
}

SUBTEST(submit_strides_large)
{
	Device device;
	Raw raw(device);
	struct LongJob {
		drm_npu_submit_job known;
		std::uint64_t more[2];
	} jobs[2] = {{{raw.job, 0}, {}}, {{raw.job, 0}, {}}};
	struct LongSync {
		drm_npu_sync known;
		std::uint64_t more;
	} in{raw.in.sync(), 0}, out{raw.out.sync(), 0};

	raw.args.jobs = reinterpret_cast<std::uintptr_t>(jobs);
	raw.args.job_count = 2;
	raw.args.job_stride = sizeof(LongJob);
	raw.args.in_syncs = reinterpret_cast<std::uintptr_t>(&in);
	raw.args.out_syncs = reinterpret_cast<std::uintptr_t>(&out);
	raw.args.sync_stride = sizeof(LongSync);
	for (std::uint64_t *tail : {&jobs[0].more[0], &jobs[1].more[1], &in.more, &out.more}) {
		for (std::uint64_t value : {1ull, 1ull << 63}) {
			*tail = value;
			raw.check_refused(E2BIG);
			*tail = 0;
		}
	}
	raw.check_good();
}

SUBTEST(submit_flags)
{
	Device device;
	Raw raw(device);

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		for (std::uint32_t *field : {&raw.args.flags, &raw.args.pad, &raw.jobs[0].flags,
					     &raw.ins[0].flags, &raw.outs[0].flags}) {
			*field = 1u << bit;
			raw.check_refused(EINVAL);
			*field = 0;
		}
	}
	raw.check_good();
}

SUBTEST(submit_bad_syncobj)
{
	Device device, other;
	Raw raw(device);
	Syncobj foreign(other, true);

	/* Handles of another file are just numbers here. */
	for (std::uint32_t handle : {0u, 1000u, ~0u, foreign.handle() + 500}) {
		igt::Note note("handle " + std::to_string(handle));
		raw.ins[0].handle = handle;
		raw.check_refused(ENOENT);
		raw.ins[0] = raw.in.sync();
		raw.outs = {raw.out.sync(), {handle, 0, 0}};
		raw.args.out_sync_count = 2;
		raw.point();
		raw.check_refused(ENOENT);
		raw.outs = {raw.out.sync(), {handle, 0, 7}};
		raw.point();
		raw.check_refused(ENOENT);
		raw.args.out_sync_count = 1;
		raw.point();
	}
	raw.check_good();
}

/* A failed submit does not take away the fence that a syncobj has. */
SUBTEST(submit_keeps_fence)
{
	Device device;
	Gate gate(device);
	Raw raw(device);

	CHECK_OK(submit(device, device.context(), {raw.job}, {{gate.sync()}, {raw.out.sync()}}));
	CHECK_EQ(final_status(raw.out, 20), 0);
	raw.jobs[0].job_id = ~0u;
	CHECK_ERR(raw.go(), ENOENT);
	CHECK_EQ(final_status(raw.out, 20), 0);
	gate.open();
	CHECK_EQ(final_status(raw.out), 1);
}

/* Jobs of a batch run in order: each overwrites what the one before has left. */
SUBTEST(submit_batch_order)
{
	Device device;
	std::vector<Product> products;
	std::vector<std::uint32_t> jobs;
	Buffer scratch(device, 4096);

	/* The results of the last must stay, of 64 with the same destination. */
	for (std::uint32_t i = 0; i < 64; i++) {
		Product &product = products.emplace_back(device, Shape{}, i + 1);
		Task task = product.task();

		set(task, dpu_dst_addr, products[0].out.address());
		jobs.push_back(create_job(device, {{task}}));
	}
	std::uint32_t context = device.context();
	for (int round = 0; round < 10; round++) {
		Syncobj done(device);
		std::uint64_t seqno = 0;

		CHECK_OK(submit(device, context, jobs, {{}, {done.sync()}}, &seqno));
		CHECK_EQ(seqno, (round + 1) * 64);
		CHECK_EQ(final_status(done), 1);
		std::copy_n(products[0].out.as<std::uint32_t>(), 4 * 32,
			    products[63].out.as<std::uint32_t>());
		products[63].check();
		products[0].clear();
	}
	CHECK_EQ(device.state(context).completed_seqno, 640);
}

/* Each job of a chain takes what the one before has written. */
SUBTEST(submit_dependent)
{
	Device device;
	std::uint32_t context = device.context();
	Product first(device), second(device, {4, 128, 32});
	Task a = first.task(), b = second.task();

	/* 4 rows of 32 sums, as bytes, are features of 4 rows of 128. */
	set(a, dpu_dst_addr, second.features.address());
	std::vector<std::uint32_t> jobs{create_job(device, {{a}}), create_job(device, {{b}})};
	for (std::uint32_t i = 0; i < 20; i++) {
		Syncobj done(device);

		first.features.as<std::uint8_t>()[i]++;
		second.clear();
		CHECK_OK(submit(device, context, jobs, {{}, {done.sync()}}));
		CHECK_EQ(final_status(done), 1);
		second.check();
	}
}

SUBTEST(submit_busy)
{
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context(0, 8);
	Syncobj first(device), last(device), untouched(device);

	CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {first.sync()}}));
	CHECK_OK(submit(device, context, std::vector(6, job), {{}, {last.sync()}}));
	leak::Check leak;
	std::uint64_t seqno = poison;
	CHECK_ERR(submit(device, context, {job, job}, {{}, {untouched.sync()}}, &seqno), EBUSY);
	CHECK_EQ(seqno, poison);
	CHECK(!untouched.has_fence());
	CHECK_EQ(device.state(context).submitted_seqno, 7);
	CHECK_ERR(submit(device, context, std::vector(9, job), {{}, {untouched.sync()}}), E2BIG);
	CHECK(!untouched.has_fence());
	CHECK_OK(submit(device, context, {job}));
	CHECK_ERR(submit(device, context, {job}, {{}, {untouched.sync()}}), EBUSY);
	leak.done();

	/* Other contexts have queues of their own. */
	CHECK_EQ(run(device, device.context(), job), 1);
	gate.open();
	CHECK_EQ(final_status(last), 1);
	CHECK_EQ(run(device, context, job), 1);
	CHECK_EQ(device.state(context).submitted_seqno, 9);
	CHECK_EQ(device.state(context).failed_jobs, 0);
}

/* The queue is as long as it says, over and over. */
SUBTEST(submit_wraps)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	for (std::uint32_t size : {1u, 2u, 3u, 16u}) {
		igt::Note note("size " + std::to_string(size));
		std::uint32_t context = device.context(0, size);

		for (int i = 0; i < 100; i++) {
			Syncobj done(device);

			CHECK_OK(submit(device, context, std::vector(size, job),
					{{}, {done.sync()}}));
			CHECK_EQ(final_status(done), 1);
		}
		CHECK_EQ(device.state(context).completed_seqno, 100 * size);
	}
	product.check();
}
