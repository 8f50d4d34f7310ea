/* SPDX-License-Identifier: MIT */
/// CONTEXT_CREATE and CONTEXT_DESTROY.
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

drm_npu_context_create with(std::uint32_t flags, std::uint32_t core_mask = 0,
			    std::uint32_t max_queued = 0)
{
	drm_npu_context_create args{};

	args.flags = flags;
	args.core_mask = core_mask;
	args.max_queued = max_queued;
	return args;
}

void check_refused(const Device &device, drm_npu_context_create args, int error)
{
	leak::Check leak;

	args.context_id = poison;
	args.page_offset = poison;
	CHECK_ERR(device.create(args), error);
	CHECK_EQ(args.context_id, poison);
	CHECK_EQ(args.page_offset, poison);
	leak.done();
}

} // namespace

SUBTEST(context_limit)
{
	Device device, other;
	std::uint32_t limit = device.limits().max_contexts;
	std::vector<std::uint32_t> ids;

	for (std::uint32_t i = 0; i < limit; i++)
		ids.push_back(device.context());
	check_refused(device, {}, ENOSPC);
	/* Each file has its own limit, and what is given back can be had again. */
	other.context();
	CHECK_OK(device.destroy_context(ids[limit / 2]));
	device.context();
	check_refused(device, {}, ENOSPC);
}

SUBTEST(context_destroy_twice)
{
	Device device, other;
	leak::Check leak;
	std::uint32_t id = device.context();

	CHECK_ERR(other.destroy_context(id), ENOENT);
	CHECK_ERR(device.destroy_context(0), ENOENT);
	CHECK_ERR(device.destroy_context(id + 1), ENOENT);
	CHECK_ERR(device.destroy_context(~0u), ENOENT);
	CHECK_OK(device.destroy_context(id));
	CHECK_ERR(device.destroy_context(id), ENOENT);
	leak.done();
}

SUBTEST(context_destroy_pad)
{
	Device device;
	drm_npu_context_destroy args{device.context(), 1};

	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_CONTEXT_DESTROY, &args), EINVAL);
	CHECK_OK(device.destroy_context(args.context_id));
}

SUBTEST(context_foreign)
{
	Device device, other;
	Product product(other);
	std::uint32_t id = device.context();
	std::uint32_t job = create_job(other, {{product.task()}});
	drm_npu_query_context record{};

	CHECK_ERR(other.query(DRM_NPU_QUERY_CONTEXT, id, &record, sizeof(record)), ENOENT);
	CHECK_ERR(submit(other, id, {job}), ENOENT);
	CHECK_EQ(device.state(id).submitted_seqno, 0);
}

SUBTEST(context_core_mask)
{
	Device device;
	std::uint32_t cores = device.info().core_count, all = (1u << cores) - 1;

	for (std::uint32_t mask = 0; mask <= all; mask++) {
		igt::Note note("mask " + std::to_string(mask));
		CHECK_EQ(device.state(device.context(mask)).core_mask, mask ? mask : all);
	}
	for (std::uint32_t bit = cores; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		check_refused(device, with(0, 1u << bit), EINVAL);
		check_refused(device, with(0, 1u << bit | 1), EINVAL);
	}
}

SUBTEST(context_flags)
{
	Device device;

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		check_refused(device, with(1u << bit), EINVAL);
	}
}

SUBTEST(context_max_queued)
{
	Device device;
	std::uint32_t limit = device.limits().max_queued;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	for (std::uint32_t queued : {0u, 1u, 2u, limit}) {
		igt::Note note("max_queued " + std::to_string(queued));
		std::uint32_t context = device.context(0, queued);
		std::uint32_t most = queued ? queued : limit;

		CHECK_EQ(device.state(context).max_queued, most);
		if (most < device.limits().max_submit_jobs)
			CHECK_ERR(submit(device, context, std::vector(most + 1, job)), E2BIG);
		Syncobj done(device);
		CHECK_OK(submit(device, context, std::vector(most, job), {{}, {done.sync()}}));
		CHECK_EQ(final_status(done), 1);
	}
	check_refused(device, with(0, 0, limit + 1), EINVAL);
	check_refused(device, with(0, 0, ~0u), EINVAL);
}

SUBTEST(context_fresh)
{
	Device device;
	drm_npu_query_context state = device.state(device.context());

	CHECK_EQ(state.submitted_seqno, 0);
	CHECK_EQ(state.completed_seqno, 0);
	CHECK_EQ(state.failed_seqno, 0);
	CHECK_EQ(state.failed_jobs, 0);
	CHECK_EQ(state.failed_errno, 0);
	CHECK_EQ(state.device_ns, 0);
	CHECK_EQ(state.tasks, 0);
	CHECK_EQ(state.flags, 0);
	CHECK_EQ(state.sched_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(state.granted_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(state.weight, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_EQ(state.granted_weight, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_EQ(state.slices, 0);
	CHECK_EQ(state.missed_deadlines, 0);
	CHECK_EQ(state.guilty_jobs, 0);
	CHECK_EQ(state.max_queued, device.limits().max_queued);
}

SUBTEST(context_statistics)
{
	Device device;
	Product product(device);
	std::uint32_t context = device.context();
	std::uint32_t job = create_job(device, {Lane(3, product.task())});

	CHECK_EQ(run(device, context, job), 1);
	CHECK_EQ(run(device, context, job), 1);
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.submitted_seqno, 2);
	CHECK_EQ(state.completed_seqno, 2);
	CHECK_EQ(state.failed_jobs, 0);
	CHECK_EQ(state.tasks, 6);
	CHECK(state.device_ns);
	CHECK_EQ(state.busy_ns, state.device_ns);
	/* Each time a slice is started, no more than a task. */
	CHECK(state.slices >= 2 && state.slices <= 6);
	if (device.info().flags & DRM_NPU_DEVICE_VIRTUAL) {
		CHECK_EQ(state.written_bytes, 6 * 4 * 32 * 4);
		CHECK(state.read_bytes >= 6 * (4 * 32 + 32 * 32));
	}
}

SUBTEST(context_destroy_queued)
{
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	leak::Check leak;
	std::uint32_t context = device.context();
	{
		Syncobj first(device), second(device);

		CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {first.sync()}}));
		CHECK_OK(submit(device, context, {job, job}, {{}, {second.sync()}}));
		Fd first_file = first.export_file(), second_file = second.export_file();
		CHECK_EQ(final_status(second_file, 50), 0);
		CHECK_EQ(file_status(first_file), 0);
		CHECK_OK(device.destroy_context(context));
		/* The gate is still closed. */
		CHECK_EQ(final_status(first_file), -ECANCELED);
		CHECK_EQ(final_status(second_file), -ECANCELED);
	}
	product.check_untouched();
	leak.done();
	gate.open();
	CHECK_ERR(submit(device, context, {job}), ENOENT);
	usleep(20000);
	product.check_untouched();
}

/* The job that runs is left to end; jobs queued behind it are cancelled. */
SUBTEST(context_destroy_running)
{
	Device device;
	Product product(device, slow_shape);
	std::uint32_t job = create_job(device, {slow_lane(product)});
	leak::Check leak;
	std::uint32_t context = device.context();
	{
		Syncobj first(device), second(device);

		CHECK_OK(submit(device, context, {job}, {{}, {first.sync()}}));
		CHECK_OK(submit(device, context, {job}, {{}, {second.sync()}}));
		CHECK_OK(device.destroy_context(context));
		CHECK_EQ(final_status(first), 1);
		CHECK_EQ(final_status(second), -ECANCELED);
		product.check();
	}
	leak.done();
}

/* An older client's structure ends with the id. */
SUBTEST(context_short_struct)
{
	Device device;
	struct {
		std::uint32_t flags, core_mask, max_queued, context_id;
	} args{0, 0, 3, 0};

	CHECK_OK(call(device.fd(), DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_CREATE, args),
		      &args));
	CHECK(args.context_id);
	drm_npu_query_context state = device.state(args.context_id);
	CHECK_EQ(state.max_queued, 3);
	CHECK_EQ(state.sched_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(state.weight, DRM_NPU_WEIGHT_DEFAULT);
}

/* Ids come back, but not at once with what was known of their last owner. */
SUBTEST(context_id_reuse)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	for (int i = 0; i < 300; i++) {
		std::uint32_t context = device.context();

		CHECK_EQ(device.state(context).submitted_seqno, 0);
		CHECK_OK(submit(device, context, {job}));
		CHECK_OK(device.destroy_context(context));
	}
}
