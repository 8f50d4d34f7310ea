/* SPDX-License-Identifier: MIT */
/// The ends of jobs that are cut: well, or in the middle, or never begun.
#include <cerrno>
#include <memory>

#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "process.h"
#include "sched_fixture.h"

namespace
{

constexpr std::uint32_t latency = DRM_NPU_CLASS_LATENCY;
constexpr std::uint32_t throughput = DRM_NPU_CLASS_THROUGHPUT;
constexpr std::uint32_t background = DRM_NPU_CLASS_BACKGROUND;

/// A job that has begun, then lost its core to others.
struct Cut {
	explicit Cut(unsigned tasks = 200)
		: product(device, short_shape), job(create_job(device, {cut_lane(product, tasks)})),
		  context(create_context(device, hints(background)))
	{
		CHECK_OK(submit(device, context, {job, job}));
		wait_running(device, context, 1);
		endless = std::make_unique<Endless>(other);
		/* Between two slices the core goes to the better class. */
		hold.pass(1);
		CHECK(patience::comes([&] { return endless->slices() == 1; }));
		CHECK_EQ(device.state(context).slices, 1);
	}

	/// Others were not disturbed, and have the core until now.
	void check_others() const
	{
		CHECK(endless->goes_on());
		CHECK_EQ(other.state(endless->context).failed_jobs, 0);
		hold.open();
		endless->stop();
		check_works(other);
	}

	/// Returns when a job of the context has ended.
	void wait(std::uint64_t seqno) const
	{
		hold.until([&] { return has_ended(device, context, seqno); });
	}

	Device device, other;
	Hold hold{one_core};
	Product product;
	std::uint32_t job, context;
	std::unique_ptr<Endless> endless;
};

} // namespace

SUBTEST(sched_cut_cancel)
{
	Cut cut;
	std::uint32_t cancelled = 0;

	CHECK_EQ(look_at(cut.device, cut.context, 1).state, DRM_NPU_JOB_RUNNING);
	CHECK_OK(cancel(cut.device, cut.context, 1, 1, &cancelled));
	CHECK_EQ(cancelled, 1);
	CHECK_EQ(wait_ended(cut.device, cut.context, 1).error, ECANCELED);
	CHECK_EQ(cut.endless->slices(), 1);
	/* The next is not concerned. */
	CHECK_EQ(look_at(cut.device, cut.context, 2).error, 0);
	CHECK_OK(set_class(cut.device, cut.context, latency));
	cut.wait(2);
	CHECK_EQ(wait_ended(cut.device, cut.context, 2).error, 0);
	cut.product.check();
	drm_npu_query_context state = cut.device.state(cut.context);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.guilty_jobs, 0);
	cut.check_others();
}

/* A job that has begun is left to end; jobs that have not are cancelled. */
SUBTEST(sched_cut_destroy)
{
	leak::Check leak;
	{
		Cut cut(3);
		Syncobj third(cut.device);

		CHECK_OK(submit(cut.device, cut.context, {cut.job}, {{}, {third.sync()}}));
		CHECK_OK(cut.device.destroy_context(cut.context));
		CHECK_OK(cut.device.destroy_job(cut.job));
		cut.hold.until(
			[&] { return !wait_buffer(cut.device, cut.product.out.handle(), 0); });
		CHECK_OK(wait_buffer(cut.device, cut.product.out.handle(), never));
		CHECK_EQ(final_status(third), -ECANCELED);
		cut.product.check();
		cut.check_others();
	}
	leak.done();
}

SUBTEST(sched_cut_close)
{
	leak::Check leak;
	{
		Cut cut;
		Syncobj done(cut.device);

		CHECK_OK(submit(cut.device, cut.context, {cut.job}, {{}, {done.sync()}}));
		Fd fence = done.export_file();
		CHECK_EQ(file_status(fence), 0);
		/* Mappings of buffers keep the file open. */
		cut.product.features.unmap();
		cut.product.weights.unmap();
		cut.product.out.unmap();
		cut.device.close();
		CHECK_EQ(final_status(fence), -ECANCELED);
		cut.check_others();
	}
	leak.done();
}

/* The same without any notice. */
SUBTEST(sched_cut_kill)
{
	leak::Check leak;
	{
		Device other;
		Hold hold(one_core);
		Sockets sockets;
		pid_t pid = fork_run([&] {
			Device device;
			Product product(device, short_shape);
			std::uint32_t job = create_job(device, {cut_lane(product, 1000)});

			/* Each begins before a better one comes, and is cut then. */
			for (std::uint32_t sched_class : {background, throughput, latency}) {
				std::uint32_t context = create_context(device, hints(sched_class));

				CHECK_OK(submit(device, context, {job, job}, {}, nullptr, 1));
				hold.until([&] {
					return look_at(device, context, 1).state !=
					       DRM_NPU_JOB_QUEUED;
				});
			}
			send_byte(sockets.first);
			pause();
		});
		receive_byte(sockets.second);
		Endless endless(other);
		kill_child(pid);
		hold.until([&] { return endless.slices() >= 2; });
		CHECK_EQ(other.state(endless.context).failed_jobs, 0);
		hold.open();
		endless.stop();
		check_works(other);
	}
	leak.done();
}

/* A wait tells that it runs, whoever has the core, and goes on until its end. */
SUBTEST(sched_cut_wait)
{
	Cut cut(10);
	drm_npu_job_wait args{};

	CHECK_OK(wait_job(cut.device, cut.context, 1, now_ns() + ms_to_ns(30), args));
	CHECK_EQ(args.state, DRM_NPU_JOB_RUNNING);
	CHECK(args.started_ns);
	CHECK_EQ(args.ended_ns, 0);
	CHECK_EQ(look_at(cut.device, cut.context, 2).state, DRM_NPU_JOB_QUEUED);
	CHECK_OK(set_class(cut.device, cut.context, latency));
	cut.wait(2);
	drm_npu_job_wait end = wait_ended(cut.device, cut.context, 2);
	CHECK_EQ(end.error, 0);
	CHECK_EQ(wait_ended(cut.device, cut.context, 1).started_ns, args.started_ns);
	CHECK(end.started_ns >= look_at(cut.device, cut.context, 1).ended_ns);
	cut.check_others();
}

/* The job still uses its buffers. */
SUBTEST(sched_cut_buffer)
{
	Cut cut(10);

	CHECK_ERR(wait_buffer(cut.device, cut.product.out.handle(), 0), EBUSY);
	CHECK_OK(set_class(cut.device, cut.context, latency));
	cut.wait(2);
	CHECK_OK(wait_buffer(cut.device, cut.product.out.handle(), 0));
	CHECK_EQ(look_at(cut.device, cut.context, 2).state, DRM_NPU_JOB_ENDED);
	cut.product.check();
	cut.check_others();
}

/* A slice that is not the first hangs: the job ends there. */
SUBTEST(sched_cut_hang)
{
	Device device, other;
	Product product(device, short_shape), next(device, {}, 2), after(other);
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint32_t waiting = create_context(other, hints(background));
	std::uint32_t good = create_job(device, {{next.task()}});

	/* Fails early where nothing can be injected. */
	Injection hang(inject_hang, 0);
	{
		Hold hold(one_core);

		CHECK_OK(submit(device, context, {create_job(device, {cut_lane(product, 500)})}));
		CHECK_OK(submit(device, context, {good}));
		/* Only when its end is held back has the first slice not hung. */
		hold.wait_held();
		hang.again();
		hold.pass(1);
		hang.wait();
	}
	CHECK_OK(submit(other, waiting, {create_job(other, {cut_lane(after, 3)})}));
	Hold::expire(one_core);
	CHECK_EQ(wait_ended(device, context, 1).error, ETIMEDOUT);
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.guilty_jobs, 1);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.failed_errno, ETIMEDOUT);
	/* All others go on. */
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	CHECK_EQ(wait_ended(other, waiting, 1).error, 0);
	next.check();
	after.check();
	/* Tasks before the cut are counted; tasks after it were not started. */
	state = device.state(context);
	CHECK_EQ(state.slices, 3);
	CHECK_EQ(state.tasks, 2);
	CHECK_EQ(other.state(waiting).guilty_jobs, 0);
}

/* So does one that faults, and the other lanes of its job end with it. */
SUBTEST(sched_cut_fault)
{
	/* More than end, a few at a time, before a thread of the driver gets its turn. */
	constexpr unsigned many = 1000;
	Device device;
	Product product(device, short_shape), next(device, {}, 2);
	std::uint32_t context = create_context(device, hints(throughput, 0, 0));
	Lane bad = cut_lane(product, 1);
	std::vector<Lane> lanes(device.info().core_count, cut_lane(product, many));

	bad.push_back(faulting(product));
	bad.push_back(product.task());
	for (Task &task : bad)
		task.cost_ns = much;
	lanes.back() = bad;
	Hold hold;
	CHECK_OK(submit(device, context, {create_job(device, lanes)}));
	CHECK_OK(submit(device, context, {create_job(device, {{next.task()}})}));
	/* Slices that run when the second of the bad lane faults still end. */
	hold.until([&] { return has_ended(device, context, 1); });
	CHECK_EQ(wait_ended(device, context, 1).error, EFAULT);
	const std::uint64_t tasks = device.state(context).tasks;
	hold.open();
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	next.check();
	CHECK_EQ(device.state(context).guilty_jobs, 1);
	if (lanes.size() > 1)
		CHECK(tasks < many * (lanes.size() - 1));
}

/* The urgent work of one without privileges leaves something to others. */
SUBTEST(sched_latency_flood)
{
	if (!geteuid())
		drop_sys_nice();
	Hold hold(one_core);
	Device flood, other;
	std::vector<std::unique_ptr<Endless>> floods;
	Product product(other, short_shape);
	std::uint32_t context = create_context(other, hints(throughput));

	for (int i = 0; i < 4; i++)
		floods.push_back(std::make_unique<Endless>(flood, hints(latency), 1));
	CHECK_OK(submit(other, context, {create_job(other, {cut_lane(product, 2)})}));
	hold.until([&] { return has_ended(other, context, 1); });
	CHECK_EQ(wait_ended(other, context, 1).error, 0);
	for (const auto &one : floods)
		CHECK(one->goes_on());
	product.check();
}

namespace
{

/// Far more than any budget.
constexpr useconds_t long_us = 300'000;

/// Has a file take so long for latency work. From then on budgets grow so slowly that it
/// takes a minute, or more, to make up for it.
void overdraw(const Device &device, const Parameter &percent, useconds_t us = long_us,
	      void (*change)(const Device &, std::uint32_t) = nullptr)
{
	Hold hold(one_core);
	Blocker blocker(hold, device, hints(latency));

	CHECK_EQ(device.state(blocker.context).granted_class, latency);
	percent.set("1");
	/* A job that is cancelled is charged the time that it was held. */
	usleep(us);
	if (change)
		change(device, blocker.context);
	blocker.stop();
}

} // namespace

/* Files that exceed their latency budget are demoted to throughput until it is repaid. */
SUBTEST(sched_latency_budget)
{
	Parameter percent("latency_percent", "50");
	drop_sys_nice();
	Device device;
	/* Files with a latency context share the budget. */
	std::vector<Device> others(16);
	std::vector<std::uint32_t> ids;
	for (const Device &other : others)
		ids.push_back(create_context(other, hints(latency)));
	std::uint32_t throughput_too = create_context(device, hints(throughput));
	std::uint32_t second = create_context(device, hints(latency));

	CHECK(becomes(device, second, latency));
	overdraw(device, percent);
	drm_npu_query_context state = device.state(second);
	CHECK_EQ(state.sched_class, latency);
	/* The budget belongs to the file, not to the context. */
	CHECK_EQ(state.granted_class, throughput);
	CHECK_EQ(device.state(throughput_too).granted_class, throughput);
	/* Other files are limited as well, but do not repay its debt. */
	for (std::size_t i = 0; i < others.size(); i++)
		CHECK(becomes(others[i], ids[i], latency));
	CHECK_EQ(device.state(second).granted_class, throughput);
	percent.set("100");
	others.clear();
	CHECK(becomes(device, second, latency));
}

/* A debt also counts if the context changes its class meanwhile. */
SUBTEST(sched_latency_budget_set)
{
	Parameter percent("latency_percent", "50");
	drop_sys_nice();
	Device device;
	std::vector<Device> others(16);
	for (const Device &other : others)
		create_context(other, hints(latency));
	std::uint32_t second = create_context(device, hints(latency));

	/* The budget applies from the beginning. */
	CHECK(becomes(device, second, latency));
	overdraw(device, percent, long_us, [](const Device &d, std::uint32_t context) {
		CHECK_OK(set_class(d, context, background));
	});
	CHECK_EQ(device.state(second).granted_class, throughput);
}

/* New files are no way around it. */
SUBTEST(sched_latency_new_file)
{
	Parameter percent("latency_percent", "50");
	/* There is little budget, then room for a large debt of all files together. */
	Parameter window("latency_window_ms", "1");

	check_exit(fork_run([&] {
		{
			Device device;

			drop_sys_nice();
			CHECK(becomes(device, create_context(device, hints(latency)), latency));
			percent.set("1");
			window.set("600000");
			overdraw(device, percent, 2'000'000);
		}
		Device next;
		CHECK_EQ(next.state(create_context(next, hints(latency))).granted_class,
			 throughput);
	}));
}

/* Files with CAP_SYS_NICE are not limited. */
SUBTEST(sched_latency_privileged)
{
	Parameter percent("latency_percent", "50");
	Device device;
	std::vector<Device> others(16);
	for (const Device &other : others)
		create_context(other, hints(latency));
	std::uint32_t second = create_context(device, hints(latency));

	overdraw(device, percent);
	CHECK_EQ(device.state(second).granted_class, latency);
}

/* No share at all, and all of it. */
SUBTEST(sched_latency_percent)
{
	Device device;
	Product product(device);
	Parameter percent("latency_percent", "0");
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t mine = create_context(device, hints(latency));

	CHECK_EQ(device.state(mine).granted_class, latency);
	pid_t pid = fork_run([&] {
		drop_sys_nice();
		Device own;
		Product other(own);
		std::uint32_t context = create_context(own, hints(latency));

		CHECK_EQ(own.state(context).sched_class, latency);
		CHECK_EQ(own.state(context).granted_class, throughput);
		CHECK_EQ(run(own, context, create_job(own, {{other.task()}})), 1);
		other.check();
	});
	check_exit(pid);
	percent.set("100");
	check_exit(fork_run([&] {
		drop_sys_nice();
		Device own;

		CHECK(becomes(own, create_context(own, hints(latency)), latency));
	}));
	CHECK_EQ(run(device, mine, job), 1);
}
