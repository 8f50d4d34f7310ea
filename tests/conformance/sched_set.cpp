/* SPDX-License-Identifier: MIT */
/// CONTEXT_SET: other classes and weights for contexts that are there.
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t set_both = DRM_NPU_CONTEXT_SET_CLASS | DRM_NPU_CONTEXT_SET_WEIGHT;

void check_hints(const Device &device, std::uint32_t context, std::uint32_t sched_class,
		 std::uint32_t weight)
{
	CHECK(becomes(device, context, sched_class));
	drm_npu_query_context state = device.state(context);

	CHECK_EQ(state.sched_class, sched_class);
	CHECK_EQ(state.weight, weight);
	CHECK_EQ(state.granted_weight, weight);
}

/* A call that is refused leaves the context as it was. */
void check_refused(const Device &device, std::uint32_t context, const drm_npu_context_set &args,
		   int error)
{
	igt::Note note("flags " + std::to_string(args.flags) + ", class " +
		       std::to_string(args.sched_class) + ", weight " +
		       std::to_string(args.weight));
	leak::Check leak;

	CHECK_ERR(set_context(device, args), error);
	check_hints(device, context, DRM_NPU_CLASS_BACKGROUND, 7);
	leak.done();
}

} // namespace

SUBTEST(sched_set_each)
{
	Device device;
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND, 7));

	CHECK_OK(set_class(device, context, DRM_NPU_CLASS_LATENCY));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, 7);
	CHECK_OK(set_class(device, context, DRM_NPU_CLASS_LATENCY));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, 7);
	CHECK_OK(set_weight(device, context, 99));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, 99);
	CHECK_OK(set_weight(device, context, 0));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_OK(set_context(device, {context, set_both, DRM_NPU_CLASS_BACKGROUND, 1}));
	check_hints(device, context, DRM_NPU_CLASS_BACKGROUND, 1);
	CHECK_OK(set_context(device, {context, set_both, 0, 0}));
	check_hints(device, context, DRM_NPU_CLASS_THROUGHPUT, DRM_NPU_WEIGHT_DEFAULT);
}

SUBTEST(sched_set_refused)
{
	Device device;
	std::uint32_t id = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND, 7));

	check_refused(device, id, {id, 0, 0, 0}, EINVAL);
	for (unsigned bit = 2; bit < 32; bit++) {
		check_refused(device, id, {id, 1u << bit, 0, 0}, EINVAL);
		check_refused(device, id, {id, 1u << bit | set_both, 0, 5}, EINVAL);
	}
	for (std::uint32_t sched_class : {3u, 4u, 0x80000000u, ~0u}) {
		check_refused(device, id, {id, DRM_NPU_CONTEXT_SET_CLASS, sched_class, 0}, EINVAL);
		check_refused(device, id, {id, set_both, sched_class, 5}, EINVAL);
	}
	for (std::uint32_t weight : {DRM_NPU_WEIGHT_MAX + 1u, 0x80000000u, ~0u}) {
		check_refused(device, id, {id, DRM_NPU_CONTEXT_SET_WEIGHT, 0, weight}, EINVAL);
		check_refused(device, id, {id, set_both, DRM_NPU_CLASS_LATENCY, weight}, EINVAL);
	}
	/* A field without its flag must be zero. */
	check_refused(device, id, {id, DRM_NPU_CONTEXT_SET_CLASS, DRM_NPU_CLASS_LATENCY, 1},
		      EINVAL);
	check_refused(device, id, {id, DRM_NPU_CONTEXT_SET_WEIGHT, DRM_NPU_CLASS_LATENCY, 1},
		      EINVAL);
}

SUBTEST(sched_set_no_context)
{
	Device device, other;
	std::uint32_t id = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND, 7));

	for (std::uint32_t wrong : {0u, id + 1, ~0u})
		check_refused(device, id, {wrong, set_both, DRM_NPU_CLASS_LATENCY, 5}, ENOENT);
	/* Each file has its own. */
	CHECK_ERR(set_context(other, {id, set_both, DRM_NPU_CLASS_LATENCY, 5}), ENOENT);
	check_hints(device, id, DRM_NPU_CLASS_BACKGROUND, 7);
	CHECK_OK(device.destroy_context(id));
	CHECK_ERR(set_class(device, id, DRM_NPU_CLASS_LATENCY), ENOENT);
}

/* A structure that ends with the flags sets what zeros stand for. */
SUBTEST(sched_set_short_struct)
{
	Device device;
	struct {
		std::uint32_t context_id, flags, sched_class, weight;
	} args{create_context(device, hints(DRM_NPU_CLASS_BACKGROUND, 7)), set_both, poison,
	       poison};

	CHECK_OK(call(device.fd(),
		      _IOC(_IOC_WRITE, DRM_IOCTL_BASE, DRM_COMMAND_BASE + DRM_NPU_CONTEXT_SET, 8),
		      &args));
	check_hints(device, args.context_id, DRM_NPU_CLASS_THROUGHPUT, DRM_NPU_WEIGHT_DEFAULT);
}

SUBTEST(sched_set_bad_pointer)
{
	Device device;

	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_CONTEXT_SET, nullptr), EFAULT);
}

/* Privileges are those of the caller. */
SUBTEST(sched_set_unprivileged)
{
	Device device;
	std::uint32_t heavy = create_context(device, hints(DRM_NPU_CLASS_THROUGHPUT, 5000));

	if (!geteuid()) {
		CHECK_EQ(device.state(heavy).granted_weight, 5000);
		CHECK_OK(set_weight(device, heavy, 6000));
		CHECK_EQ(device.state(heavy).granted_weight, 6000);
		CHECK_OK(set_weight(device, heavy, 5000));
		drop_sys_nice();
	}
	CHECK_OK(set_class(device, heavy, DRM_NPU_CLASS_BACKGROUND));
	CHECK_EQ(device.state(heavy).weight, 5000);
	CHECK_EQ(device.state(heavy).granted_weight, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_OK(set_weight(device, heavy, DRM_NPU_WEIGHT_MAX));
	CHECK_EQ(device.state(heavy).weight, DRM_NPU_WEIGHT_MAX);
	CHECK_EQ(device.state(heavy).granted_weight, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_OK(set_weight(device, heavy, 50));
	check_hints(device, heavy, DRM_NPU_CLASS_BACKGROUND, 50);
}

/* Queued jobs are served by the new class and weight. */
SUBTEST(sched_set_queued)
{
	Device device;
	std::vector<Waiting> order = start_order(
		device,
		{{hints(DRM_NPU_CLASS_BACKGROUND)},
		 {hints(DRM_NPU_CLASS_THROUGHPUT)},
		 {hints(DRM_NPU_CLASS_LATENCY)}},
		[](const Device &d, std::vector<Waiting> &waiting) {
			for (Waiting &one : waiting) {
				one.args.sched_class = (one.args.sched_class + 1) % 3;
				CHECK_OK(set_class(d, one.context, one.args.sched_class));
			}
		});

	CHECK_EQ(order[0].args.sched_class, DRM_NPU_CLASS_LATENCY);
	CHECK_EQ(order[1].args.sched_class, DRM_NPU_CLASS_THROUGHPUT);
	CHECK_EQ(order[2].args.sched_class, DRM_NPU_CLASS_BACKGROUND);
}

/* A job that runs goes on with its new class, from its next slice on. */
SUBTEST(sched_set_running)
{
	Device device;
	Product product(device, short_shape);
	std::uint32_t job = create_job(device, {cut_lane(product, 200)});
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND));

	Hold hold(one_core);
	CHECK_OK(submit(device, context, {job}));
	wait_running(device, context, 1);
	Endless other(device);
	/* Background work gets few slices beside throughput work. */
	hold.pass(10);
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(set_class(device, context, DRM_NPU_CLASS_LATENCY));
	hold.until([&] { return has_ended(device, context, 1); });
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK(other.goes_on());
	product.check();
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, DRM_NPU_WEIGHT_DEFAULT);
	CHECK_EQ(device.state(context).tasks, 200);
}

/* The opposite: what ran first stands back. */
SUBTEST(sched_set_running_back)
{
	constexpr unsigned tasks = 20;
	Device device;
	Hold hold(one_core);
	Endless first(device, hints(DRM_NPU_CLASS_LATENCY));
	Product product(device, short_shape);
	std::uint32_t job = create_job(device, {cut_lane(product, tasks)});
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_THROUGHPUT));

	hold.pass(2);
	CHECK_OK(set_class(device, first.context, DRM_NPU_CLASS_BACKGROUND));
	CHECK_OK(submit(device, context, {job}));
	/* At worst the background has a slice for each, when it has waited long. */
	CHECK(hold.until([&] { return has_ended(device, context, 1); }) <= 2 * tasks + 4);
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK(first.goes_on());
	product.check();
}

/* Contexts that wait for a fence. */
SUBTEST(sched_set_waiting)
{
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND));

	CHECK_OK(submit(device, context, {job}, {{gate.sync()}, {}}));
	CHECK_OK(set_context(device, {context, set_both, DRM_NPU_CLASS_LATENCY, 3}));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, 3);
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	product.check();
}

SUBTEST(sched_set_banned)
{
	Device device;
	Product product(device);
	std::uint32_t bad = create_job(device, {{faulting(product)}});
	std::uint32_t context = create_context(device, hints(DRM_NPU_CLASS_BACKGROUND));

	for (std::uint32_t i = 1; i <= device.limits().max_guilty; i++) {
		CHECK_OK(submit(device, context, {bad}));
		CHECK_EQ(wait_ended(device, context, i).error, EFAULT);
	}
	CHECK_EQ(device.state(context).flags, DRM_NPU_CONTEXT_BANNED);
	CHECK_OK(set_context(device, {context, set_both, DRM_NPU_CLASS_LATENCY, 3}));
	check_hints(device, context, DRM_NPU_CLASS_LATENCY, 3);
	/* The context stays banned. */
	CHECK_EQ(device.state(context).flags, DRM_NPU_CONTEXT_BANNED);
	CHECK_ERR(submit(device, context, {create_job(device, {{product.task()}})}), EIO);
}

/* Hints that change all the time while jobs run lose none. */
SUBTEST(sched_set_always)
{
	leak::Check leak;
	{
		Device device;
		Product product(device);
		std::uint32_t job = create_job(device, {cut_lane(product, 8)});
		std::vector<std::uint32_t> contexts;

		for (int i = 0; i < 3; i++)
			contexts.push_back(create_context(device, {}));
		igt::parallel(6, [&](unsigned thread) {
			std::uint32_t context = contexts[thread % 3];

			for (std::uint32_t i = 0; i < 100; i++) {
				if (thread < 3)
					CHECK_OK(submit(device, context, {job, job}));
				CHECK_OK(set_context(device,
						     {context, set_both, (i + thread) % 3, 1 + i}));
				if (thread < 3)
					wait_ended(device, context, 2 * i + 2);
			}
		});
		for (std::uint32_t context : contexts) {
			drm_npu_query_context state = device.state(context);

			CHECK_EQ(state.completed_seqno, 200);
			CHECK_EQ(state.failed_jobs, 0);
			CHECK_EQ(state.tasks, 200 * 8);
			CHECK_EQ(run(device, context, job), 1);
		}
		product.check();
	}
	leak.done();
}
