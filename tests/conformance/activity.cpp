/* SPDX-License-Identifier: MIT */
/// QUERY of what the device does for all files, and of what each core has done.
#include <cerrno>
#include <vector>

#include "igt.h"
#include "injection.h"
#include "program.h"

namespace
{

drm_npu_query_activity activity(const Device &device)
{
	drm_npu_query_activity record{};

	CHECK_OK(device.query(DRM_NPU_QUERY_ACTIVITY, 0, &record, sizeof(record)));
	return record;
}

drm_npu_query_core core(const Device &device, std::uint32_t index)
{
	drm_npu_query_core record{};

	CHECK_OK(device.query(DRM_NPU_QUERY_CORE, index, &record, sizeof(record)));
	return record;
}

} // namespace

SUBTEST(activity_jobs)
{
	Device device, other;
	Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	const drm_npu_query_activity before = activity(other);
	std::uint64_t seqno = 0;

	CHECK_EQ(run(device, context, job), 1);
	CHECK_OK(submit(device, context, {job}, {}, &seqno, 1));
	wait_ended(device, context, seqno);
	CHECK_EQ(run(device, context, create_job(device, {{faulting(product)}})), -EFAULT);
	const drm_npu_query_activity after = activity(other);
	CHECK(after.now_ns > before.now_ns);
	CHECK_EQ(after.ended_jobs, before.ended_jobs + 2);
	CHECK_EQ(after.missed_deadlines, before.missed_deadlines + 1);
	CHECK_EQ(after.failed_jobs, before.failed_jobs + 1);
	CHECK_EQ(after.faults, before.faults + 1);
	CHECK_EQ(after.hangs, before.hangs);
	CHECK_EQ(after.resets, before.resets + 1);
	drm_npu_query_activity record{};
	CHECK_ERR(device.query(DRM_NPU_QUERY_ACTIVITY, 1, &record, sizeof(record)), ENOENT);
}

SUBTEST(activity_queue)
{
	Device device, other;
	RunningJob running(device);
	const std::uint32_t context = device.context(one_core);
	const std::uint64_t before = activity(other).queued_jobs;
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {running.job, running.job, running.job}, {}, &seqno));
	CHECK_EQ(activity(other).queued_jobs, before + 3);
	CHECK_OK(cancel(device, context, 1, seqno));
	running.hold.open();
	wait_ended(device, context, seqno);
	CHECK_EQ(activity(other).queued_jobs, before);
}

SUBTEST(activity_files)
{
	Device device;
	const std::uint64_t before = activity(device).files;
	{
		Device second, third;

		CHECK_EQ(activity(device).files, before + 2);
	}
	CHECK_EQ(activity(device).files, before);
	CHECK(before >= 1);
}

/* A core has done what the contexts that are bound to it have had. */
SUBTEST(activity_cores)
{
	Device device;
	Product product(device);
	const std::uint32_t job = create_job(device, {Lane(3, product.task())});
	const std::uint32_t count = device.info().core_count;
	std::vector<drm_npu_query_core> before;

	for (std::uint32_t i = 0; i < count; i++)
		before.push_back(core(device, i));
	for (std::uint32_t i = 0; i < count; i++) {
		const std::uint32_t context = device.context(1u << i);

		CHECK_EQ(run(device, context, job), 1);
		const drm_npu_query_context state = device.state(context);
		CHECK_EQ(core(device, i).busy_ns, before[i].busy_ns + state.busy_ns);
		CHECK_EQ(core(device, i).slices, before[i].slices + state.slices);
		for (std::uint32_t later = i + 1; later < count; later++)
			CHECK_EQ(core(device, later).busy_ns, before[later].busy_ns);
	}
}
