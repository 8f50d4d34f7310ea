/* SPDX-License-Identifier: MIT */
/// The order of service: classes, then deadlines, then fair shares.
#include <algorithm>
#include <memory>

#include "igt.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t latency = DRM_NPU_CLASS_LATENCY;
constexpr std::uint32_t throughput = DRM_NPU_CLASS_THROUGHPUT;
constexpr std::uint32_t background = DRM_NPU_CLASS_BACKGROUND;

/// SYNC_IOC_SET_DEADLINE, which not every system's headers have.
struct SetDeadline {
	std::uint64_t deadline_ns, pad;
};
constexpr unsigned long sync_ioc_set_deadline = _IOW('>', 5, SetDeadline);

/* Latency before throughput before background. */
int rank(std::uint32_t sched_class)
{
	return sched_class == latency ? 0 : sched_class == throughput ? 1 : 2;
}

/* Well after the test. */
std::uint64_t later(std::uint64_t seconds)
{
	return static_cast<std::uint64_t>(now_ns() + ms_to_ns(1000)) +
	       (3600 + seconds) * 1000000000;
}

} // namespace

SUBTEST(sched_order_class)
{
	Device device;
	std::vector<std::uint32_t> classes = {latency, throughput, background, throughput};

	std::ranges::sort(classes);
	do {
		std::vector<Waiting> waiting;

		for (std::uint32_t one : classes)
			waiting.push_back({hints(one)});
		CHECK(std::ranges::is_sorted(
			start_order(device, waiting), {},
			[](const Waiting &w) { return rank(w.args.sched_class); }));
	} while (std::ranges::next_permutation(classes).found);
}

/* Weights are no classes. */
SUBTEST(sched_order_class_weight)
{
	Device device;
	std::vector<Waiting> order = start_order(
		device, {{hints(background, 100)}, {hints(throughput, 10)}, {hints(latency, 1)}});

	CHECK_EQ(order[0].args.sched_class, latency);
	CHECK_EQ(order[1].args.sched_class, throughput);
	CHECK_EQ(order[2].args.sched_class, background);
}

SUBTEST(sched_order_deadline)
{
	Device device;
	/* None is the last of all. */
	std::vector<std::uint64_t> deadlines = {later(1), later(2), later(3), 0};
	auto place = [](const Waiting &w) {
		return w.deadline_ns - 1;
	};

	for (std::uint32_t sched_class : {latency, throughput, background}) {
		std::ranges::sort(deadlines);
		do {
			std::vector<Waiting> waiting;

			for (std::uint64_t deadline : deadlines)
				waiting.push_back({hints(sched_class), deadline});
			CHECK(std::ranges::is_sorted(start_order(device, waiting), {}, place));
		} while (std::ranges::next_permutation(deadlines).found);
	}
}

/* Times that have passed are as good as any others. */
SUBTEST(sched_order_deadline_passed)
{
	Device device;
	auto now = static_cast<std::uint64_t>(now_ns());
	std::vector<Waiting> order = start_order(device, {{hints(throughput)},
							  {hints(throughput), later(1)},
							  {hints(throughput), now - 1000000},
							  {hints(throughput), 1}});

	CHECK_EQ(order[0].deadline_ns, 1);
	CHECK_EQ(order[1].deadline_ns, now - 1000000);
	CHECK_EQ(order[3].deadline_ns, 0);
}

SUBTEST(sched_order_deadline_class)
{
	Device device;
	std::vector<Waiting> order = start_order(device, {{hints(background), 1},
							  {hints(throughput), 1000000},
							  {hints(latency), later(1)},
							  {hints(throughput)}});

	CHECK_EQ(order[0].args.sched_class, latency);
	CHECK_EQ(order[1].deadline_ns, 1000000);
	CHECK_EQ(order[3].args.sched_class, background);
}

/* A context's own jobs keep their order, whatever their deadlines. */
SUBTEST(sched_order_own)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {cut_lane(product, 3)});

	for (std::uint32_t sched_class : {latency, throughput, background}) {
		std::uint32_t context = create_context(device, hints(sched_class));
		Hold hold(one_core);
		Blocker blocker(hold, device);

		for (std::uint64_t i = 0; i < 10; i++)
			CHECK_OK(submit(device, context, {job}, {}, nullptr, later(10 - i)));
		hold.open();
		wait_ended(device, context, 10);
		for (std::uint64_t seqno = 2; seqno <= 10; seqno++)
			CHECK(look_at(device, context, seqno).started_ns >=
			      look_at(device, context, seqno - 1).ended_ns);
		CHECK_EQ(device.state(context).failed_jobs, 0);
	}
}

/* A context that waits for a fence does not hold a core. */
SUBTEST(sched_blocked_is_no_bar)
{
	Device device;
	Gate gate(device);
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t high = create_context(device, hints(latency));
	std::uint32_t low = create_context(device, hints(background));

	CHECK_OK(submit(device, high, {job}, {{gate.sync()}, {}}, nullptr, 1));
	CHECK_EQ(run(device, low, job), 1);
	CHECK_EQ(look_at(device, high, 1).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(wait_ended(device, high, 1).error, 0);
}

SUBTEST(sched_deadline_missed)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = create_context(device, hints(throughput));
	auto missed = [&] {
		return device.state(context).missed_deadlines;
	};
	std::uint64_t last = 0;

	for (std::uint64_t deadline : {std::uint64_t{0}, later(1), ~std::uint64_t{0}}) {
		CHECK_OK(submit(device, context, {job, job}, {}, &last, deadline));
		CHECK_EQ(wait_ended(device, context, last).error, 0);
		CHECK_EQ(missed(), 0);
	}
	/* A deadline is counted for each job of the submit, and all of them run. */
	product.clear();
	CHECK_OK(submit(device, context, {job, job, job}, {}, &last, 1));
	CHECK_EQ(wait_ended(device, context, last).error, 0);
	product.check();
	CHECK_EQ(missed(), 3);
	CHECK_OK(submit(device, context, {job}, {}, &last));
	wait_ended(device, context, last);
	CHECK_EQ(missed(), 3);
}

/* A deadline that passes while the job waits. */
SUBTEST(sched_deadline_passes)
{
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = create_context(device, hints(throughput));
	Hold hold(one_core);
	Blocker blocker(hold, device);
	auto soon = static_cast<std::uint64_t>(now_ns() + ms_to_ns(20));

	CHECK_OK(submit(device, context, {job}, {}, nullptr, soon));
	CHECK_OK(submit(device, context, {job}, {}, nullptr, later(1)));
	usleep(40000);
	hold.open();
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	CHECK_EQ(look_at(device, context, 1).error, 0);
	CHECK_EQ(device.state(context).missed_deadlines, 1);
}

/* An older client's structure ends before the deadline. */
SUBTEST(sched_deadline_short_struct)
{
	Device device;
	Product product(device);
	drm_npu_submit_job entry{create_job(device, {{product.task()}}), 0};
	drm_npu_job_submit args{};
	constexpr unsigned size = offsetof(drm_npu_job_submit, deadline_ns);

	args.context_id = create_context(device, hints(throughput));
	args.jobs = reinterpret_cast<std::uintptr_t>(&entry);
	args.job_count = 1;
	args.job_stride = sizeof(entry);
	args.deadline_ns = 1;
	CHECK_OK(call(device.fd(),
		      _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
			   DRM_COMMAND_BASE + DRM_NPU_JOB_SUBMIT, size),
		      &args));
	CHECK_EQ(args.seqno, 1);
	CHECK_EQ(args.deadline_ns, 1);
	CHECK_EQ(wait_ended(device, args.context_id, 1).error, 0);
	product.check();
	CHECK_EQ(device.state(args.context_id).missed_deadlines, 0);
}

/* A deadline that is set on the fence of a job is one of the job. */
SUBTEST(sched_deadline_fence)
{
	const Hold hold(one_core);
	Device device;
	Product product(device);
	std::uint32_t job = create_job(device, {{product.task()}});
	Blocker blocker(hold, device);
	std::uint32_t first = create_context(device, hints(throughput));
	std::uint32_t second = create_context(device, hints(throughput));
	Syncobj done(device);

	CHECK_OK(submit(device, first, {job}));
	CHECK_OK(submit(device, second, {job}, {{}, {done.sync()}}));
	Fd file = done.export_file();
	SetDeadline deadline{static_cast<std::uint64_t>(now_ns()), 0};
	CHECK_OK(call(file.get(), sync_ioc_set_deadline, &deadline));
	hold.open();
	drm_npu_job_wait hastened = wait_ended(device, second, 1);
	CHECK(hastened.started_ns < wait_ended(device, first, 1).started_ns);
	CHECK_EQ(device.state(second).missed_deadlines, 1);
	CHECK_EQ(device.state(first).missed_deadlines, 0);
}

/* A file that is ahead of its share gains nothing by deadlines. */
SUBTEST(sched_deadline_greedy)
{
	Device greedy, other;
	/* Elsewhere the slices of the other may take as long as the greedy one had. */
	need_virtual(greedy);
	Product product(other, short_shape);
	std::uint32_t job = create_job(other, {cut_lane(product, 20)});
	std::uint32_t context = create_context(other, hints(throughput));
	Hold hold(one_core);
	Blocker blocker(hold, greedy);
	drm_npu_query_context state{};

	/* A job that is cancelled is charged the time that it was held. */
	usleep(200000);
	CHECK_OK(submit(other, context, {job}));
	Product mine(greedy, short_shape);
	std::uint32_t many = create_context(greedy, hints(throughput));
	std::uint32_t endless = create_job(greedy, {slow_lane(mine, 1000)});
	CHECK_OK(submit(greedy, many, std::vector(100, endless), {}, nullptr, 1));
	blocker.stop();
	hold.until([&] { return has_ended(other, context, 1); });
	CHECK_EQ(wait_ended(other, context, 1).error, 0);
	state = greedy.state(many);
	CHECK(state.completed_seqno < state.submitted_seqno);
	CHECK_OK(cancel(greedy, many, 1, state.submitted_seqno));
	product.check();
}

/* A file's share does not grow with the number of its contexts. */
SUBTEST(sched_fair_files)
{
	Device first, second;
	Hold hold(one_core);
	Endless one(first);
	std::vector<std::unique_ptr<Endless>> more;
	std::vector<std::uint32_t> contexts;
	std::vector<std::uint64_t> slices;

	for (int i = 0; i < 8; i++) {
		more.push_back(std::make_unique<Endless>(second));
		contexts.push_back(more.back()->context);
		slices.push_back(more.back()->slices());
	}
	Shares had = shares(hold, first, {one.context}, second, contexts, 40'000'000);
	igt::Note note(std::to_string(had.first) + " and " + std::to_string(had.second) + " ns");
	CHECK(had.first >= had.second / 2);
	CHECK(had.second >= had.first / 2);
	/* Each of them has got its part. */
	for (std::size_t i = 0; i < contexts.size(); i++)
		CHECK(more[i]->slices() > slices[i]);
}

/* Contexts of a file share by their weights. */
SUBTEST(sched_fair_contexts)
{
	Device device;
	Hold hold(one_core);
	Endless heavy(device, hints(throughput, 100)), light(device, hints(throughput, 25));
	Shares had = shares(hold, device, {heavy.context}, device, {light.context});
	igt::Note note(std::to_string(had.first) + " and " + std::to_string(had.second) + " ns");

	CHECK(had.second && had.first >= 2 * had.second);
	CHECK(had.first <= 10 * had.second);
}

/* Files share by the largest weight that they use. */
SUBTEST(sched_fair_weights)
{
	Device first, second;
	Hold hold(one_core);
	Endless heavy(first, hints(throughput, 100)), light(second, hints(throughput, 25)),
		lighter(second, hints(throughput, 1));
	Shares had = shares(hold, first, {heavy.context}, second, {light.context, lighter.context});
	igt::Note note(std::to_string(had.first) + " and " + std::to_string(had.second) + " ns");

	CHECK(had.second && had.first >= 2 * had.second);
	CHECK(had.first <= 12 * had.second);
}

/* A weight that is changed counts from then on. */
SUBTEST(sched_fair_weight_set)
{
	Device device;
	Hold hold(one_core);
	Endless heavy(device, hints(throughput, 25)), light(device, hints(throughput, 100));

	CHECK_OK(set_weight(device, heavy.context, 100));
	CHECK_OK(set_weight(device, light.context, 25));
	Shares had = shares(hold, device, {heavy.context}, device, {light.context});
	igt::Note note(std::to_string(had.first) + " and " + std::to_string(had.second) + " ns");
	CHECK(had.second && had.first >= 2 * had.second);
}

/* Service in one class does not count against a context in another class. */
SUBTEST(sched_fair_class_change)
{
	Device device;
	need_virtual(device);
	Product product(device, short_shape);
	Hold hold(one_core);
	Blocker blocker(hold, device, hints(latency, 1));
	std::uint32_t context = blocker.context;

	/* With a weight of 1, this counts as a hundred times as much. */
	usleep(300000);
	blocker.stop();
	/* With a small weight, little device time is a lot. */
	Endless other(device, hints(throughput, 5));
	CHECK_OK(set_context(device,
			     {context, DRM_NPU_CONTEXT_SET_CLASS | DRM_NPU_CONTEXT_SET_WEIGHT,
			      throughput, 100}));
	CHECK_OK(submit(device, context, {create_job(device, {cut_lane(product, 20)})}));
	hold.until([&] { return has_ended(device, context, 2); });
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	CHECK(other.goes_on());
	/* At most what a context of weight 100 has in 100 ms is remembered; and some slices. */
	CHECK(device.state(other.context).busy_ns <= 100'000'000 * 5 / 100 + 5'000'000);
}

/* Work without end keeps none of another class waiting without end. */
SUBTEST(sched_starve_background)
{
	Device device, other;
	Hold hold(one_core);
	Endless endless(other);
	Product product(device, short_shape);
	std::uint32_t job = create_job(device, {cut_lane(product, 2)});
	std::uint32_t context = create_context(device, hints(background));

	CHECK_OK(submit(device, context, {job}));
	hold.until([&] { return has_ended(device, context, 1); });
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK(endless.goes_on());
	product.check();
}

/* Nor if others of its file go on elsewhere. */
SUBTEST(sched_starve_one_core)
{
	Device device, other;

	if (device.info().core_count < 2)
		igt::skip("needs two cores");
	Hold hold(3);
	Endless endless(other), elsewhere(device, hints(background, 0, 2));
	Product product(device, short_shape);
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = create_context(device, hints(background));

	CHECK_OK(submit(device, context, {job}));
	hold.until([&] { return has_ended(device, context, 1); });
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK(endless.goes_on());
	CHECK(elsewhere.goes_on());
	product.check();
}

SUBTEST(sched_starve_throughput)
{
	Device device, other;
	Hold hold(one_core);
	Endless endless(other, hints(latency));
	Product product(device, short_shape);
	std::uint32_t job = create_job(device, {cut_lane(product, 2)});
	std::uint32_t context = create_context(device, hints(throughput));

	CHECK_OK(submit(device, context, {job}));
	hold.until([&] { return has_ended(device, context, 1); });
	CHECK_EQ(wait_ended(device, context, 1).error, 0);
	CHECK(endless.goes_on());
	product.check();
}
