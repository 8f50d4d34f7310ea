/* SPDX-License-Identifier: MIT */
/// Slices: jobs that are cut between tasks, what they compute and what they cost.
#include <algorithm>
#include <cerrno>

#include "igt.h"
#include "injection.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t latency = DRM_NPU_CLASS_LATENCY;
constexpr std::uint32_t throughput = DRM_NPU_CLASS_THROUGHPUT;
constexpr std::uint32_t background = DRM_NPU_CLASS_BACKGROUND;

constexpr std::uint32_t data_reuse = 1 << 12;
constexpr std::uint32_t weight_reuse = 1 << 13;

/// @task with something kept from the task before.
Task keeping(Task task, std::uint32_t reuse)
{
	task.commands[index_of(task, cna_cbuf_con0)] |= std::uint64_t{reuse} << 16;
	return task;
}

/// How often cores are started for one run of @job; on cores that are held, as far as
/// it takes.
std::uint64_t slices_of(const Device &device, std::uint32_t context, std::uint32_t job,
			const Hold *hold = nullptr)
{
	const drm_npu_query_context before = device.state(context);
	std::uint64_t seqno = 0;

	CHECK_OK(submit(device, context, {job}, {}, &seqno));
	if (hold)
		hold->until([&] { return has_ended(device, context, seqno); });
	CHECK_EQ(wait_ended(device, context, seqno).error, 0);
	return device.state(context).slices - before.slices;
}

/// Products that do not share anything but their size.
std::vector<Product> products(const Device &device, unsigned count, Shape shape = {})
{
	std::vector<Product> made;

	made.reserve(count);
	for (unsigned i = 0; i < count; i++)
		made.emplace_back(device, shape, i + 1);
	return made;
}

/// Has cores of the virtual device take ten times as long.
struct Slow {
	explicit Slow(std::uint32_t core_mask) { CHECK_OK(set_parameter("slow_cores", core_mask)); }
	~Slow() { set_parameter("slow_cores", 0); }
	Slow(const Slow &) = delete;
	Slow &operator=(const Slow &) = delete;
};

/// A client that takes the core again and again.
struct Disturber {
	Disturber() : endless(device) {}

	/// Checks that it had its turns, and that it had not come to its end.
	void check(std::uint64_t turns) const
	{
		CHECK(endless.slices() >= turns);
		CHECK(endless.goes_on());
	}

	Hold hold{one_core};
	Device device;
	Endless endless;
};

} // namespace

/* Work that is urgent waits for a slice of a job, not for the job. */
SUBTEST(sched_slice_latency)
{
	Device device;
	Hold hold(one_core);
	Product product(device, short_shape), urgent(device);
	std::uint32_t job = create_job(device, {cut_lane(product, 500)});
	std::uint32_t small = create_job(device, {{urgent.task()}});
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint32_t first = create_context(device, hints(latency));

	CHECK_OK(submit(device, context, {job}));
	wait_running(device, context, 1);
	for (std::uint64_t i = 1; i <= 5; i++) {
		urgent.clear();
		CHECK_OK(submit(device, first, {small}));
		/* The slice that runs ends, then the urgent job. */
		hold.pass(2);
		CHECK_EQ(wait_ended(device, first, i).error, 0);
		urgent.check();
		CHECK_EQ(device.state(context).slices, i + 1);
	}
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(cancel(device, context, 1, 1));
	CHECK_EQ(wait_ended(device, context, 1).error, ECANCELED);
}

/* The same for another file, whose address space must be attached first. */
SUBTEST(sched_slice_latency_file)
{
	Device device, other;
	Hold hold(one_core);
	Product product(device, short_shape), urgent(other);
	std::uint32_t job = create_job(device, {cut_lane(product, 500)});
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint32_t first = create_context(other, hints(latency));

	CHECK_OK(submit(device, context, {job}));
	wait_running(device, context, 1);
	CHECK_OK(submit(other, first, {create_job(other, {{urgent.task()}})}));
	hold.pass(2);
	CHECK_EQ(wait_ended(other, first, 1).error, 0);
	urgent.check();
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(cancel(device, context, 1, 1));
}

/* A deadline does it too, among equals. */
SUBTEST(sched_slice_deadline)
{
	Device device;
	Hold hold(one_core);
	Product product(device, short_shape), urgent(device);
	std::uint32_t job = create_job(device, {cut_lane(product, 500)});
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint32_t first = create_context(device, hints(throughput));

	CHECK_OK(submit(device, context, {job}));
	wait_running(device, context, 1);
	CHECK_OK(
		submit(device, first, {create_job(device, {cut_lane(urgent, 5)})}, {}, nullptr, 1));
	hold.until([&] { return has_ended(device, first, 1); });
	CHECK_EQ(wait_ended(device, first, 1).error, 0);
	CHECK_EQ(look_at(device, context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(cancel(device, context, 1, 1));
	urgent.check();
}

/* A job that is cut has the results of one that is not. */
SUBTEST(sched_slice_results)
{
	Device device;
	std::vector<Product> cut = products(device, 12, short_shape);
	std::vector<Product> whole = products(device, 12, short_shape);
	Lane cut_tasks, whole_tasks;
	std::uint32_t context = create_context(device, hints(throughput));

	for (unsigned i = 0; i < cut.size(); i++) {
		cut_tasks.push_back(cut_lane(cut[i], 1).front());
		whole_tasks.push_back(whole[i].task());
	}
	CHECK_EQ(slices_of(device, context, create_job(device, {whole_tasks})), 1);
	drm_npu_query_context before = device.state(context);
	CHECK_EQ(slices_of(device, context, create_job(device, {cut_tasks})), cut.size());
	drm_npu_query_context after = device.state(context);
	for (unsigned i = 0; i < cut.size(); i++) {
		const auto *a = cut[i].out.as<std::uint32_t>();
		const auto *b = whole[i].out.as<std::uint32_t>();

		cut[i].check();
		CHECK(std::equal(a, a + short_shape.m * short_shape.n, b));
	}
	/* It counts as much. */
	CHECK_EQ(after.tasks, 2 * before.tasks);
	CHECK_EQ(after.read_bytes, 2 * before.read_bytes);
	CHECK_EQ(after.written_bytes, 2 * before.written_bytes);
	CHECK(after.device_ns > before.device_ns);
	CHECK_EQ(after.busy_ns, after.device_ns);
	CHECK_EQ(look_at(device, context, 2).device_ns, after.device_ns - before.device_ns);
}

/* A task finds data of its own job on the chip, whichever context had the core between. */
SUBTEST(sched_slice_reuse)
{
	Disturber disturber;
	Device device;
	std::vector<Product> all = products(device, 6);
	Lane lane;

	for (unsigned i = 0; i < all.size(); i++) {
		/* The features of the first three times all weights, then the opposite. */
		Product &base = all[i < 3 ? 0 : 3];
		Task task = all[i].task();

		if (i == 1 || i == 2) {
			std::copy_n(base.features.as<std::uint8_t>(), 4 * 32,
				    all[i].features.as<std::uint8_t>());
			set(task, cna_feature_addr, base.features.address());
			task = keeping(task, data_reuse);
		} else if (i > 3) {
			std::copy_n(base.weights.as<std::uint8_t>(), 32 * 32,
				    all[i].weights.as<std::uint8_t>());
			set(task, cna_weight_addr, base.weights.address());
			task = keeping(task, weight_reuse);
		}
		task.cost_ns = much;
		lane.push_back(task);
	}
	for (int i = 0; i < 10; i++) {
		std::uint32_t job = create_job(device, {lane});
		std::uint32_t context = create_context(device, hints(throughput));

		for (Product &product : all)
			product.clear();
		/* The lane is cut only where no data is kept on the chip. */
		CHECK_EQ(slices_of(device, context, job, &disturber.hold), 2);
		for (Product &product : all)
			product.check();
		CHECK_OK(device.destroy_context(context));
		CHECK_OK(device.destroy_job(job));
	}
	disturber.check(1);
}

/* The lanes of a job are cut each for itself. */
SUBTEST(sched_slice_lanes)
{
	Device device;
	std::uint32_t cores = device.info().core_count;
	std::vector<Product> all = products(device, 3 * cores, short_shape);
	std::vector<Lane> lanes(cores);
	Disturber disturber;

	for (unsigned i = 0; i < all.size(); i++)
		lanes[i % cores].push_back(cut_lane(all[i], 1).front());
	/* They need not be of one length. */
	lanes[0].push_back(lanes[0].front());
	std::uint32_t context = create_context(device, hints(throughput, 0, 0));
	CHECK_EQ(slices_of(device, context, create_job(device, lanes), &disturber.hold),
		 all.size() + 1);
	for (const Product &product : all)
		product.check();
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.tasks, all.size() + 1);
	CHECK(state.busy_ns >= state.device_ns);
	disturber.check(1);
}

/* More lanes than cores that the context may use. */
SUBTEST(sched_slice_lanes_one_core)
{
	Device device;
	std::uint32_t cores = device.info().core_count;
	std::vector<Product> all = products(device, 4 * cores);
	std::vector<Lane> lanes(cores);

	for (unsigned i = 0; i < all.size(); i++)
		lanes[i % cores].push_back(cut_lane(all[i], 1).front());
	std::uint32_t context = create_context(device, hints(throughput));
	CHECK_EQ(slices_of(device, context, create_job(device, lanes)), all.size());
	for (const Product &product : all)
		product.check();
	CHECK_EQ(device.state(context).tasks, all.size());
}

/* One job in several contexts, cut at different places. */
SUBTEST(sched_slice_shared_job)
{
	Device device;
	std::vector<Product> all = products(device, 16);
	Lane lane;

	for (const Product &product : all)
		lane.push_back(cut_lane(product, 1).front());
	std::uint32_t job = create_job(device, {lane});
	std::vector<std::uint32_t> contexts;
	for (std::uint32_t i = 0; i < 6; i++) {
		contexts.push_back(create_context(device, hints(i % 3, 1 + i, 0)));
		CHECK_OK(submit(device, contexts[i], std::vector(10, job)));
	}
	for (std::uint32_t context : contexts) {
		CHECK_EQ(wait_ended(device, context, 10).error, 0);
		CHECK_EQ(device.state(context).failed_jobs, 0);
		CHECK_EQ(device.state(context).tasks, 10 * all.size());
	}
	for (const Product &product : all)
		product.check();
}

/* All costs are taken, and none changes what is computed. */
SUBTEST(sched_cost_any)
{
	Device device;
	std::uint32_t context = create_context(device, hints(throughput));

	for (std::uint32_t cost :
	     {0u, 1u, 1000u, 999'999u, 1'000'000u, 1'000'001u, 0x80000000u, ~0u}) {
		igt::Note note("cost " + std::to_string(cost));
		Product product(device);
		Lane lane(5, product.task());

		for (Task &task : lane)
			task.cost_ns = cost;
		CHECK_EQ(run(device, context, create_job(device, {lane})), 1);
		product.check();
	}
}

/* A client that says too much gets what it needs, after a while. */
SUBTEST(sched_cost_too_much)
{
	Device device;
	/* Of hardware, or a board that computes, no two runs take the same time. */
	need_virtual(device);
	Product product(device);
	std::uint32_t job = create_job(device, {cut_lane(product, 16)});
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint64_t before = slices_of(device, context, job), now = before;

	CHECK_EQ(before, 16);
	for (int i = 0; i < 30; i++) {
		now = slices_of(device, context, job);
		CHECK(now <= before);
		before = now;
	}
	CHECK(now <= 4);
	product.check();
}

/* Declaring too low a cost gains nothing: here each task takes ten times as long. */
SUBTEST(sched_cost_too_little)
{
	need_root();
	Device device;
	need_virtual(device);
	Product product(device);
	Task cheap = product.task();
	cheap.cost_ns = 1;
	std::uint32_t job = create_job(device, {Lane(1000, cheap)});
	std::uint32_t context = create_context(device, hints(throughput));
	Slow slow(one_core);

	std::uint64_t first = slices_of(device, context, job);
	slices_of(device, context, job);
	std::uint64_t last = slices_of(device, context, job);
	drm_npu_query_context before = device.state(context);
	CHECK_EQ(run(device, context, job), 1);
	drm_npu_query_context after = device.state(context);
	std::uint64_t slices = after.slices - before.slices;
	igt::Note note(std::to_string(first) + ", then " + std::to_string(last) + " slices");
	CHECK(last >= 5 * first);
	/* In the mean, and but for what is not believed to be wrong. */
	CHECK(after.device_ns - before.device_ns <= slices * device.limits().slice_ns * 3 / 2);
	product.check();
}

/* Without a limit, a core gets all of a lane, whatever it costs. */
SUBTEST(sched_slice_no_limit)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {cut_lane(product, 16)});
	std::uint32_t context = create_context(device, hints(throughput));
	Parameter slice("slice_us", "0");

	CHECK_EQ(slices_of(device, context, job), 1);
	slice.set("1");
	CHECK_EQ(slices_of(device, context, job), 16);
	product.check();
}

/* First come, first served: hints say nothing, jobs are not cut. */
SUBTEST(sched_slice_fcfs)
{
	Device device;
	Parameter fcfs("fcfs", "Y");
	Product product(device);
	std::vector<Waiting> order = start_order(
		device, {{hints(background)}, {hints(throughput), 1}, {hints(latency)}});

	CHECK_EQ(order[0].args.sched_class, background);
	CHECK_EQ(order[1].args.sched_class, throughput);
	CHECK_EQ(order[2].args.sched_class, latency);
	CHECK_EQ(slices_of(device, create_context(device, hints(throughput)),
			   create_job(device, {cut_lane(product, 16)})),
		 1);
	product.check();
}
