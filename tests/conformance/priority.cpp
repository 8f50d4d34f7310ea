/* SPDX-License-Identifier: MIT */
/// Priorities of contexts: who may have which, and what they do.
#include <algorithm>
#include <cerrno>
#include <sched.h>

#include <linux/capability.h>
#include <sys/syscall.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

drm_npu_context_create with(std::uint32_t priority, std::uint32_t core_mask = 0)
{
	drm_npu_context_create args{};

	args.priority = priority;
	args.core_mask = core_mask;
	return args;
}

void check_refused(const Device &device, std::uint32_t priority, int error)
{
	leak::Check leak;
	drm_npu_context_create args = with(priority);

	args.context_id = poison;
	args.page_offset = poison;
	CHECK_ERR(device.create(args), error);
	CHECK_EQ(args.context_id, poison);
	CHECK_EQ(args.page_offset, poison);
	leak.done();
}

std::uint32_t create(const Device &device, std::uint32_t priority, std::uint32_t core_mask = 0)
{
	drm_npu_context_create args = with(priority, core_mask);

	CHECK_OK(device.create(args));
	CHECK_EQ(device.state(args.context_id).priority, priority);
	return args.context_id;
}

void drop_sys_nice()
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[2]{};

	CHECK_EQ(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_SYS_NICE);
	CHECK_EQ(syscall(SYS_capset, &header, data), 0);
}

struct Queued {
	std::uint32_t priority;
	std::uint32_t context;
	std::uint64_t started_ns;
};

/*
 * Jobs of different priorities that wait for the same core, submitted in the
 * order given: the order in which they started. Empty if the core was free too
 * early for that to say anything.
 */
std::vector<Queued> start_order(const Device &device, const std::vector<std::uint32_t> &priorities)
{
	Product product(device);
	std::uint32_t blocker = device.context(1);
	RunningJob running(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::vector<Queued> queued;

	for (std::uint32_t priority : priorities)
		queued.push_back({priority, create(device, priority, 1), 0});
	CHECK_OK(submit(device, blocker, {running.job}));
	wait_running(device, blocker, 1);
	for (const Queued &one : queued)
		CHECK_OK(submit(device, one.context, {job}));
	bool blocked = look_at(device, blocker, 1).state == DRM_NPU_JOB_RUNNING;
	CHECK_OK(cancel(device, blocker, 1, 1));
	for (Queued &one : queued) {
		drm_npu_job_wait end = wait_ended(device, one.context, 1);

		CHECK_EQ(end.error, 0);
		one.started_ns = end.started_ns;
		CHECK_OK(device.destroy_context(one.context));
	}
	CHECK_OK(device.destroy_context(blocker));
	if (!blocked)
		return {};
	std::ranges::stable_sort(queued, {}, &Queued::started_ns);
	return queued;
}

/* High before normal before low. */
int rank(std::uint32_t priority)
{
	return priority == DRM_NPU_PRIORITY_HIGH ? 0 : priority == DRM_NPU_PRIORITY_NORMAL ? 1 : 2;
}

void check_order(const Device &device, std::vector<std::uint32_t> priorities)
{
	std::ranges::sort(priorities);
	do {
		std::vector<Queued> order;

		for (int i = 0; i < 10 && order.empty(); i++)
			order = start_order(device, priorities);
		CHECK(!order.empty());
		igt::Note note("submitted as " + std::to_string(priorities[0]) + ", " +
			       std::to_string(priorities[1]) + "...");
		CHECK(std::ranges::is_sorted(order, {},
					     [](const Queued &q) { return rank(q.priority); }));
	} while (std::ranges::next_permutation(priorities).found);
}

} // namespace

SUBTEST(priority_unknown)
{
	Device device;

	for (std::uint32_t priority : {3u, 4u, 0x80000000u, ~0u}) {
		igt::Note note("priority " + std::to_string(priority));
		check_refused(device, priority, EINVAL);
	}
}

SUBTEST(priority_unprivileged)
{
	Device device;

	if (!geteuid())
		drop_sys_nice();
	check_refused(device, DRM_NPU_PRIORITY_HIGH, EACCES);
	create(device, DRM_NPU_PRIORITY_NORMAL);
	create(device, DRM_NPU_PRIORITY_LOW);
}

/* Root of a namespace of one's own is not root. */
SUBTEST(priority_user_namespace)
{
	if (unshare(CLONE_NEWUSER))
		igt::skip("needs user namespaces that this user may make");
	Device device;
	check_refused(device, DRM_NPU_PRIORITY_HIGH, EACCES);
}

SUBTEST(priority_privileged)
{
	need_root();
	Device device;

	create(device, DRM_NPU_PRIORITY_HIGH);
	/* The right is looked at when the context is made, not later. */
	Product product(device);
	std::uint32_t context = create(device, DRM_NPU_PRIORITY_HIGH);
	std::uint32_t job = create_job(device, {{product.task()}});
	drop_sys_nice();
	CHECK_EQ(run(device, context, job), 1);
	product.check();
}

SUBTEST(priority_order)
{
	Device device;

	check_order(device, {DRM_NPU_PRIORITY_NORMAL, DRM_NPU_PRIORITY_LOW, DRM_NPU_PRIORITY_NORMAL,
			     DRM_NPU_PRIORITY_LOW});
}

SUBTEST(priority_order_high)
{
	need_root();
	Device device;

	check_order(device, {DRM_NPU_PRIORITY_NORMAL, DRM_NPU_PRIORITY_LOW, DRM_NPU_PRIORITY_HIGH});
}

/* A context's own jobs keep their order, whatever its priority. */
SUBTEST(priority_own_order)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});

	for (std::uint32_t priority : {DRM_NPU_PRIORITY_LOW, DRM_NPU_PRIORITY_NORMAL}) {
		std::uint32_t context = create(device, priority);

		CHECK_OK(submit(device, context, std::vector(10, job)));
		wait_ended(device, context, 10);
		for (std::uint64_t seqno = 2; seqno <= 10; seqno++)
			CHECK(look_at(device, context, seqno).started_ns >=
			      look_at(device, context, seqno - 1).ended_ns);
	}
}

/* Waiting for a fence, a high priority keeps nobody from the core. */
SUBTEST(priority_blocked_is_no_bar)
{
	need_root();
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t high = create(device, DRM_NPU_PRIORITY_HIGH, 1);
	std::uint32_t low = create(device, DRM_NPU_PRIORITY_LOW, 1);

	CHECK_OK(submit(device, high, {job}, {{gate.sync()}, {}}));
	CHECK_EQ(run(device, low, job), 1);
	CHECK_EQ(look_at(device, high, 1).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(wait_ended(device, high, 1).error, 0);
}
