/* SPDX-License-Identifier: MIT */
/// Classes and weights of new contexts: what is asked for and what is granted.
#include <cerrno>
#include <sched.h>

#include "igt.h"
#include "leak.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t classes[] = {DRM_NPU_CLASS_THROUGHPUT, DRM_NPU_CLASS_LATENCY,
				     DRM_NPU_CLASS_BACKGROUND};
constexpr std::uint32_t weights[] = {0, 1, 99, 100, 101, 5000, DRM_NPU_WEIGHT_MAX};

void check_refused(const Device &device, std::uint32_t sched_class, std::uint32_t weight)
{
	leak::Check leak;
	drm_npu_context_create args = hints(sched_class, weight);

	args.context_id = poison;
	args.page_offset = poison;
	CHECK_ERR(device.create(args), EINVAL);
	CHECK_EQ(args.context_id, poison);
	CHECK_EQ(args.page_offset, poison);
	CHECK_EQ(args.sched_class, sched_class);
	CHECK_EQ(args.weight, weight);
	leak.done();
}

/* The class and weight that a context gets if no more than @most is granted. */
void check_granted(const Device &device, std::uint32_t most)
{
	for (std::uint32_t sched_class : classes)
		for (std::uint32_t weight : weights) {
			igt::Note note("class " + std::to_string(sched_class) + ", weight " +
				       std::to_string(weight));
			std::uint32_t context = create_context(device, hints(sched_class, weight));
			std::uint32_t asked = weight ? weight : DRM_NPU_WEIGHT_DEFAULT;

			CHECK(becomes(device, context, sched_class));
			drm_npu_query_context state = device.state(context);
			CHECK_EQ(state.sched_class, sched_class);
			CHECK_EQ(state.weight, asked);
			CHECK_EQ(state.granted_weight, std::min(asked, most));
			CHECK_EQ(state.pad, 0);
			CHECK_OK(device.destroy_context(context));
		}
}

} // namespace

SUBTEST(sched_defaults)
{
	Device device;
	drm_npu_query_context state = device.state(create_context(device, {}));

	CHECK_EQ(state.sched_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(state.granted_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(state.weight, 100);
	CHECK_EQ(state.granted_weight, 100);
	CHECK_EQ(state.slices, 0);
	CHECK_EQ(state.missed_deadlines, 0);
}

SUBTEST(sched_unknown_class)
{
	Device device;

	for (std::uint32_t sched_class : {3u, 4u, 0x100u, 0x80000000u, ~0u}) {
		igt::Note note("class " + std::to_string(sched_class));
		check_refused(device, sched_class, 0);
	}
}

SUBTEST(sched_weight_limit)
{
	Device device;

	for (std::uint32_t sched_class : classes) {
		create_context(device, hints(sched_class, DRM_NPU_WEIGHT_MAX));
		for (std::uint32_t weight : {DRM_NPU_WEIGHT_MAX + 1u, 0x10000u, 0x80000000u, ~0u}) {
			igt::Note note("weight " + std::to_string(weight));
			check_refused(device, sched_class, weight);
		}
	}
}

SUBTEST(sched_unprivileged)
{
	Device device;

	if (!geteuid())
		drop_sys_nice();
	check_granted(device, DRM_NPU_WEIGHT_DEFAULT);
}

/* Root of a namespace of one's own is not root. */
SUBTEST(sched_user_namespace)
{
	if (unshare(CLONE_NEWUSER))
		igt::skip("needs user namespaces that this user may make");
	check_granted(Device(), DRM_NPU_WEIGHT_DEFAULT);
}

SUBTEST(sched_privileged)
{
	need_root();
	check_granted(Device(), DRM_NPU_WEIGHT_MAX);
}

/* The right is looked at when it is asked, not later. */
SUBTEST(sched_privilege_kept)
{
	need_root();
	Device device;
	Product product(device);
	std::uint32_t context =
		create_context(device, hints(DRM_NPU_CLASS_LATENCY, DRM_NPU_WEIGHT_MAX));

	drop_sys_nice();
	CHECK_EQ(run(device, context, create_job(device, {{product.task()}})), 1);
	CHECK_EQ(device.state(context).granted_weight, DRM_NPU_WEIGHT_MAX);
	CHECK_EQ(device.state(create_context(device, hints(0, 101))).granted_weight,
		 DRM_NPU_WEIGHT_DEFAULT);
}

/* A record that ends before the hints, as an older client's does. */
SUBTEST(sched_short_record)
{
	Device device;
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND, 7));
	drm_npu_query_context record;

	for (std::size_t size : {offsetof(drm_npu_query_context, weight),
				 offsetof(drm_npu_query_context, granted_class)}) {
		std::fill_n(reinterpret_cast<std::uint8_t *>(&record), sizeof(record), 0x55);
		CHECK_OK(device.query(DRM_NPU_QUERY_CONTEXT, context, &record,
				      static_cast<std::uint32_t>(size)));
		CHECK_EQ(record.sched_class, DRM_NPU_CLASS_BACKGROUND);
		CHECK_EQ(record.granted_class, 0x55555555);
		CHECK_EQ(record.granted_weight, 0x55555555);
	}
}

/* The limits are those of the module, as they are now. */
SUBTEST(sched_limits)
{
	Device device;
	auto number = [](const char *name) {
		return std::stoull(Parameter::get(name));
	};
	drm_npu_query_limits limits = device.limits();

	CHECK_EQ(limits.slice_ns, number("slice_us") * 1000);
	CHECK_EQ(limits.latency_percent, number("latency_percent"));
	CHECK_EQ(limits.latency_window_ns, number("latency_window_ms") * 1'000'000);
	CHECK_EQ(limits.starve_ns, number("starve_ms") * 1'000'000);
	CHECK_EQ(limits.max_uncut_ns, number("uncut_us") * 1000);
	CHECK_EQ(limits.max_user_contexts, number("user_contexts"));
	CHECK_EQ(limits.max_user_jobs, number("user_jobs"));
	CHECK(limits.slice_ns && limits.starve_ns && limits.latency_window_ns);
	CHECK(limits.latency_percent && limits.latency_percent <= 100);
}

SUBTEST(sched_limits_change)
{
	Device device;
	Parameter slice("slice_us", "77"), percent("latency_percent", "13"),
		window("latency_window_ms", "3"), starve("starve_ms", "4294967295");
	drm_npu_query_limits limits = device.limits();

	CHECK_EQ(limits.slice_ns, 77'000);
	CHECK_EQ(limits.latency_percent, 13);
	CHECK_EQ(limits.latency_window_ns, 3'000'000);
	CHECK_EQ(limits.starve_ns, 4294967295ull * 1'000'000);
	slice.set("0");
	percent.set("101");
	CHECK_EQ(device.limits().slice_ns, 0);
	CHECK_EQ(device.limits().latency_percent, 100);
	slice.set("77");
	Parameter fcfs("fcfs", "Y");
	CHECK_EQ(device.limits().slice_ns, 0);
}
