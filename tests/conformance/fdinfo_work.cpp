/* SPDX-License-Identifier: MIT */
/// fdinfo: what a client has done by class, what it has queued, and what its jobs use.
#include <cerrno>
#include <string>

#include "fdinfo_file.h"
#include "igt.h"
#include "injection.h"
#include "sched_fixture.h"
#include "sram.h"

namespace
{

std::uint64_t told(const Device &device, const std::string &key)
{
	return fdinfo_amount(read_fdinfo(device.fd()), key);
}

std::uint64_t run_as(const Device &device, std::uint32_t sched_class, std::uint32_t job)
{
	drm_npu_context_create args{};

	args.sched_class = sched_class;
	const std::uint32_t context = create_context(device, args);
	CHECK_EQ(run(device, context, job), 1);
	const std::uint64_t busy_ns = device.state(context).busy_ns;
	CHECK_OK(device.destroy_context(context));
	return busy_ns;
}

} // namespace

/* The time of each class is what its contexts have had, and together all there is. */
SUBTEST(fdinfo_classes)
{
	constexpr std::pair<std::uint32_t, const char *> classes[] = {
		{DRM_NPU_CLASS_BACKGROUND, "npu-time-background"},
		{DRM_NPU_CLASS_THROUGHPUT, "npu-time-throughput"},
		{DRM_NPU_CLASS_LATENCY, "npu-time-latency"},
	};
	Device device;
	Product product(device);
	const std::uint32_t job = create_job(device, {Lane(2, product.task())});
	std::uint64_t sum = 0;

	for (const auto &[sched_class, key] : classes) {
		const igt::Note note(key);

		CHECK_EQ(told(device, key), 0);
		const std::uint64_t busy_ns = run_as(device, sched_class, job);
		CHECK(busy_ns > 0);
		CHECK_EQ(told(device, key), busy_ns);
		sum += busy_ns;
		CHECK_EQ(told(device, "drm-engine-npu"), sum);
	}
}

/* Jobs count as queued, and their memory as active, until they have ended. */
SUBTEST(fdinfo_queue)
{
	Device device, other;
	RunningJob running(device);
	Product product(device);
	Buffer unused(device, 1 << 20);
	const std::uint32_t first = device.context(one_core), second = device.context(one_core);
	const std::uint32_t waiting = create_job(device, {{product.task()}});
	std::uint64_t first_seqno = 0, second_seqno = 0;

	CHECK_EQ(told(device, "npu-jobs-queued"), 0);
	CHECK_EQ(told(device, "npu-contexts"), 2);
	CHECK_EQ(told(device, "drm-active-memory"), 0);

	CHECK_OK(submit(device, first, {running.job}, {}, &first_seqno));
	wait_running(device, first, first_seqno);
	const std::uint64_t one = told(device, "drm-active-memory");
	CHECK(one >= running.product.features.size() + running.product.weights.size() +
			     running.product.out.size());
	/* The same job again uses nothing more. */
	CHECK_OK(submit(device, second, {running.job, running.job}));
	CHECK_EQ(told(device, "drm-active-memory"), one);
	CHECK_OK(submit(device, second, {waiting}, {}, &second_seqno));
	CHECK_EQ(told(device, "npu-jobs-queued"), 4);
	const std::uint64_t both = told(device, "drm-active-memory");
	CHECK(both >= one + product.features.size() + product.weights.size() + product.out.size());
	CHECK(both <= told(device, "drm-total-memory") - unused.size());
	CHECK_EQ(told(other, "npu-jobs-queued"), 0);
	CHECK_EQ(told(other, "drm-active-memory"), 0);

	running.hold.open();
	wait_ended(device, first, first_seqno);
	wait_ended(device, second, second_seqno);
	CHECK_EQ(told(device, "npu-jobs-queued"), 0);
	CHECK_EQ(told(device, "drm-active-memory"), 0);
	CHECK_EQ(told(device, "npu-jobs"), 4);
	CHECK_OK(device.destroy_context(first));
	CHECK_OK(device.destroy_context(second));
	CHECK(patience::comes([&] { return told(device, "npu-contexts") == 0; }));
}

SUBTEST(fdinfo_deadlines)
{
	Device device;
	Product product(device);
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{product.task()}});
	std::uint64_t seqno = 0;

	for (const std::uint64_t deadline :
	     {std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{0}}) {
		CHECK_OK(submit(device, context, {job}, {}, &seqno, deadline));
		wait_ended(device, context, seqno);
		CHECK_EQ(told(device, "npu-missed-deadlines"), 1);
	}
}

/* Failed jobs are counted, those that are to blame too. */
SUBTEST(fdinfo_failures)
{
	Device device;
	Product product(device);
	const drm_npu_query_limits limits = device.limits();
	const std::uint32_t context = device.context();
	const std::uint32_t job = create_job(device, {{faulting(product)}});

	for (std::uint32_t i = 0; i < limits.max_guilty; i++) {
		CHECK_EQ(told(device, "npu-banned"), 0);
		CHECK_EQ(told(device, "npu-jobs-guilty"), i);
		CHECK_EQ(run(device, context, job), -EFAULT);
		CHECK_EQ(told(device, "npu-jobs-failed"), i + 1);
	}
	CHECK_EQ(told(device, "npu-banned"), 1);
	CHECK_EQ(told(device, "npu-jobs-guilty"), limits.max_guilty);
	CHECK_EQ(told(device, "npu-jobs"), 0);
}

/* Bytes are those of the contexts, and stay when these go. */
SUBTEST(fdinfo_bytes)
{
	Device device;
	Product product(device);
	const std::uint32_t context = device.context();

	CHECK_EQ(run(device, context, create_job(device, {{product.task()}})), 1);
	const drm_npu_query_context state = device.state(context);
	CHECK_OK(device.destroy_context(context));
	CHECK_EQ(told(device, "npu-read"), state.read_bytes);
	CHECK_EQ(told(device, "npu-written"), state.written_bytes);
	CHECK_EQ(told(device, "npu-sram"), state.sram_bytes);
}

/* A buffer on the chip counts there, and keeps its place in system memory. */
SUBTEST(fdinfo_sram)
{
	Device device;
	need_sram(device);
	const std::uint64_t before = told(device, "drm-total-memory");
	Pattern pattern(device, 8192);

	CHECK_EQ(told(device, "drm-resident-sram"), 0);
	CHECK_OK(pin(device, pattern.handle()));
	CHECK_EQ(told(device, "drm-resident-sram"), pattern.buffer.size());
	CHECK_EQ(told(device, "drm-total-sram"), pattern.buffer.size());
	CHECK_EQ(told(device, "drm-shared-sram"), 0);
	CHECK_EQ(told(device, "drm-active-sram"), 0);
	CHECK_EQ(told(device, "drm-total-memory"), before + pattern.buffer.size());
	CHECK_OK(evict(device, pattern.handle()));
	CHECK_EQ(told(device, "drm-resident-sram"), 0);
}
