/* SPDX-License-Identifier: MIT */
/// Counters and labels of jobs.
#include <bit>
#include <cerrno>
#include <cstdint>
#include <string>

#include "device.h"
#include "igt.h"
#include "program.h"
#include "sram.h"

namespace
{

/// Creates a job of one product with a label; answers 0 or a negative errno.
int create_labelled(const Device &device, const Product &product, std::uint64_t label,
		    std::uint32_t &id)
{
	Task task = product.task();
	drm_npu_task raw{};
	drm_npu_lane lane{};
	drm_npu_job_create args{};

	raw.commands = reinterpret_cast<std::uintptr_t>(task.commands.data());
	raw.command_count = static_cast<std::uint32_t>(task.commands.size());
	raw.enable = task.enable;
	lane.tasks = reinterpret_cast<std::uintptr_t>(&raw);
	lane.task_count = 1;
	lane.task_stride = sizeof(raw);
	args.lanes = reinterpret_cast<std::uintptr_t>(&lane);
	args.lane_count = 1;
	args.lane_stride = sizeof(lane);
	args.label = label;
	const int ret = call(device.fd(), DRM_IOCTL_NPU_JOB_CREATE, &args);
	id = args.job_id;
	return ret;
}

int create_labelled(const Device &device, const Product &product, const std::string &label)
{
	std::uint32_t id = 0;
	const int ret = create_labelled(device, product,
					reinterpret_cast<std::uintptr_t>(label.c_str()), id);

	if (!ret)
		CHECK_OK(device.destroy_job(id));
	return ret;
}

drm_npu_job_wait run_job(const Device &device, std::uint32_t context, std::uint32_t job)
{
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {job}, {}, &seqno));
	return wait_ended(device, context, seqno);
}

} // namespace

/* What a job has done is the sum of what its tasks do, each time anew. */
SUBTEST(counters_job)
{
	Device device;
	const std::uint32_t counters = device.info().counters;
	Product product(device, {16, 64, 32});
	const std::uint32_t context = device.context();
	const std::uint32_t one = create_job(device, {{product.task()}});
	const std::uint32_t three =
		create_job(device, {Lane(2, product.task()), Lane(1, product.task())});

	CHECK(counters & DRM_NPU_COUNTER_MACS);
	const drm_npu_job_wait first = run_job(device, context, one);
	const drm_npu_job_wait second = run_job(device, context, three);
	const drm_npu_job_wait again = run_job(device, context, one);
	CHECK_EQ(first.macs, 16 * 64 * 32);
	CHECK_EQ(second.macs, 3 * first.macs);
	/* Of two lanes, each has a core, maybe the same. */
	CHECK_EQ(std::popcount(first.core_mask), 1);
	CHECK(std::popcount(second.core_mask) >= 1 && std::popcount(second.core_mask) <= 2);
	CHECK_EQ(first.read_bytes != 0, (counters & DRM_NPU_COUNTER_BYTES) != 0);
	CHECK_EQ(first.written_bytes != 0, (counters & DRM_NPU_COUNTER_BYTES) != 0);
	CHECK_EQ(second.written_bytes, 3 * first.written_bytes);
	CHECK_EQ(again.read_bytes, first.read_bytes);
	CHECK_EQ(again.written_bytes, first.written_bytes);
	CHECK(first.sram_bytes <= first.read_bytes + first.written_bytes);
	const drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.read_bytes, first.read_bytes + second.read_bytes + again.read_bytes);
	CHECK_EQ(state.written_bytes,
		 first.written_bytes + second.written_bytes + again.written_bytes);
}

SUBTEST(counters_stalls)
{
	Device device;
	Product product(device, {16, 64, 32});
	const std::uint32_t context = device.context();
	const std::uint32_t one = create_job(device, {{product.task()}});
	const drm_npu_job_wait first = run_job(device, context, one);

	if (!(device.info().counters & DRM_NPU_COUNTER_STALLS)) {
		CHECK_EQ(first.start_ns, 0);
		CHECK_EQ(first.memory_stall_ns, 0);
		CHECK_EQ(first.sram_stall_ns, 0);
		return;
	}
	CHECK(first.start_ns > 0);
	CHECK(first.memory_stall_ns > 0);
	CHECK_EQ(first.sram_stall_ns, 0);
	CHECK(first.start_ns + first.memory_stall_ns <= first.device_ns);
	const std::uint32_t four = create_job(device, {Lane(4, product.task())});
	CHECK_EQ(run_job(device, context, four).start_ns, 4 * first.start_ns);
}

SUBTEST(counters_cores)
{
	Device device;
	Product product(device, {16, 64, 32});
	const std::uint32_t job = create_job(device, {Lane(3, product.task())});

	for (std::uint32_t core = 0; core < device.info().core_count; core++) {
		const drm_npu_job_wait ended = run_job(device, device.context(1U << core), job);

		CHECK_EQ(ended.core_mask, 1U << core);
		CHECK_EQ(ended.pad, 0);
	}
}

/* Nothing is counted of a job that has not run. */
SUBTEST(counters_queued)
{
	Device device;
	RunningJob running(device);
	Product product(device);
	const std::uint32_t context = device.context(one_core);
	const std::uint32_t job = create_job(device, {{product.task()}});
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {running.job, job}, {}, &seqno));
	wait_running(device, context, seqno - 1);
	drm_npu_job_wait args = look_at(device, context, seqno);
	CHECK_EQ(args.state, DRM_NPU_JOB_QUEUED);
	CHECK_EQ(args.read_bytes, 0);
	CHECK_EQ(args.start_ns, 0);
	CHECK_EQ(args.core_mask, 0);
	CHECK_OK(cancel(device, context, seqno, seqno));
	running.hold.open();
	args = wait_ended(device, context, seqno);
	CHECK_EQ(args.error, ECANCELED);
	CHECK_EQ(args.read_bytes, 0);
	CHECK_EQ(args.written_bytes, 0);
	CHECK_EQ(args.core_mask, 0);
}

/* A client that was built before there were counters gets what it knows. */
SUBTEST(counters_old_client)
{
	Device device;
	Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	struct {
		drm_npu_job_wait args;
		std::uint32_t after;
	} wait{};
	constexpr auto old_size = offsetof(drm_npu_job_wait, macs);
	constexpr unsigned long old_wait =
		(DRM_IOCTL_NPU_JOB_WAIT &
		 ~(static_cast<unsigned long>(_IOC_SIZEMASK) << _IOC_SIZESHIFT)) |
		old_size << _IOC_SIZESHIFT;
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {job}, {}, &seqno));
	wait.args.context_id = context;
	wait.args.seqno = seqno;
	wait.args.timeout_ns = never;
	wait.args.macs = poison;
	CHECK_OK(call(device.fd(), old_wait, &wait.args));
	CHECK_EQ(wait.args.state, DRM_NPU_JOB_ENDED);
	CHECK(wait.args.device_ns > 0);
	CHECK_EQ(wait.args.macs, poison);
}

SUBTEST(counters_label)
{
	Device device;
	Product product(device);
	const std::size_t limit = device.limits().max_label;
	std::uint32_t id = 0;

	CHECK(limit >= 16);
	CHECK_OK(create_labelled(device, product, "blk.0.attn_q.weight"));
	CHECK_OK(create_labelled(device, product, ""));
	CHECK_OK(create_labelled(device, product, "caf\xc3\xa9 \xe5\xb1\x82"));
	CHECK_OK(create_labelled(device, product, std::string(limit - 1, 'x')));
	CHECK_ERR(create_labelled(device, product, std::string(limit, 'x')), E2BIG);
	CHECK_ERR(create_labelled(device, product, std::string(10 * limit, 'x')), E2BIG);
	/* They would end the lines that readers of traces rely on. */
	for (const char *text : {"a\nb", "\t", "\x1b[2J", "\x7f"})
		CHECK_ERR(create_labelled(device, product, text), EINVAL);
	CHECK_ERR(create_labelled(device, product, 8, id), EFAULT);
}
