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
	/* It has a slice when it has waited for long enough, then waits again. */
	explicit Cut(unsigned tasks = 200)
		: product(device, short_shape), job(create_job(device, {cut_lane(product, tasks)})),
		  context(create_context(device, hints(background)))
	{
		endless = std::make_unique<Endless>(other);
		CHECK_OK(submit(device, context, {job, job}));
		wait_running(device, context, 1);
	}

	/// Others were not disturbed.
	void check_others() const
	{
		CHECK(endless->goes_on());
		CHECK_EQ(other.state(endless->context).failed_jobs, 0);
		endless->stop();
		check_works(other);
	}

	Device device, other;
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
	CHECK(cut.endless->goes_on());
	/* The next is not concerned. */
	CHECK_EQ(look_at(cut.device, cut.context, 2).error, 0);
	CHECK_OK(set_class(cut.device, cut.context, latency));
	CHECK_EQ(wait_ended(cut.device, cut.context, 2).error, 0);
	cut.product.check();
	drm_npu_query_context state = cut.device.state(cut.context);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.guilty_jobs, 0);
	cut.check_others();
}

/* What has begun is left to end, what has not is cancelled. */
SUBTEST(sched_cut_destroy)
{
	leak::Check leak;
	{
		Cut cut(3);
		Syncobj third(cut.device);

		CHECK_OK(submit(cut.device, cut.context, {cut.job}, {{}, {third.sync()}}));
		CHECK_OK(cut.device.destroy_context(cut.context));
		CHECK_OK(cut.device.destroy_job(cut.job));
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
		Sockets sockets;
		pid_t pid = fork_run([&] {
			Device device;
			Product product(device, short_shape);
			std::uint32_t job = create_job(device, {cut_lane(product, 1000)});

			for (std::uint32_t sched_class : {latency, throughput, background}) {
				std::uint32_t context = create_context(device, hints(sched_class));

				CHECK_OK(submit(device, context, {job, job}, {}, nullptr, 1));
			}
			send_byte(sockets.first);
			pause();
		});
		receive_byte(sockets.second);
		Endless endless(other);
		kill_child(pid);
		endless.wait_slices(other.state(endless.context).slices + 2);
		CHECK_EQ(other.state(endless.context).failed_jobs, 0);
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
	drm_npu_job_wait end = wait_ended(cut.device, cut.context, 2);
	CHECK_EQ(end.error, 0);
	CHECK_EQ(wait_ended(cut.device, cut.context, 1).started_ns, args.started_ns);
	CHECK(end.started_ns >= look_at(cut.device, cut.context, 1).ended_ns);
	cut.check_others();
}

/* It still uses its buffers. */
SUBTEST(sched_cut_buffer)
{
	Cut cut(10);

	CHECK_ERR(wait_buffer(cut.device, cut.product.out.handle(), 0), EBUSY);
	CHECK_OK(set_class(cut.device, cut.context, latency));
	CHECK_OK(wait_buffer(cut.device, cut.product.out.handle(), never));
	CHECK_EQ(look_at(cut.device, cut.context, 2).state, DRM_NPU_JOB_ENDED);
	cut.product.check();
	cut.check_others();
}

/* A slice that is not the first hangs: the job ends there. */
SUBTEST(sched_cut_hang)
{
	Device device, other;
	Product product(device, slow_shape), next(device, {}, 2), after(other);
	std::uint32_t context = create_context(device, hints(throughput));
	std::uint32_t waiting = create_context(other, hints(background));
	std::uint32_t good = create_job(device, {{next.task()}});

	/* Fails early where nothing can be injected. */
	Injection hang(inject_hang, 0);
	CHECK_OK(submit(device, context, {create_job(device, {cut_lane(product, 500)})}));
	CHECK_OK(submit(device, context, {good}));
	wait_running(device, context, 1);
	hang.again();
	CHECK_OK(submit(other, waiting, {create_job(other, {cut_lane(after, 3)})}));
	CHECK_EQ(wait_ended(device, context, 1).error, ETIMEDOUT);
	CHECK_EQ(hang.left(), 0);
	drm_npu_query_context state = device.state(context);
	CHECK_EQ(state.guilty_jobs, 1);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.failed_errno, ETIMEDOUT);
	/* What came before has counted, what follows was not started. */
	CHECK(state.slices >= 2);
	CHECK(state.tasks >= 1 && state.tasks < 500);
	/* All others go on. */
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	CHECK_EQ(wait_ended(other, waiting, 1).error, 0);
	next.check();
	after.check();
	CHECK_EQ(other.state(waiting).guilty_jobs, 0);
}

/* So does one that faults, and the other lanes of its job end with it. */
SUBTEST(sched_cut_fault)
{
	Device device;
	Product product(device, short_shape), next(device, {}, 2);
	std::uint32_t context = create_context(device, hints(throughput, 0, 0));
	Lane bad = cut_lane(product, 1);
	std::vector<Lane> lanes(device.info().core_count, cut_lane(product, 100));

	bad.push_back(faulting(product));
	bad.push_back(product.task());
	for (Task &task : bad)
		task.cost_ns = much;
	lanes.back() = bad;
	CHECK_OK(submit(device, context, {create_job(device, lanes)}));
	CHECK_OK(submit(device, context, {create_job(device, {{next.task()}})}));
	CHECK_EQ(wait_ended(device, context, 1).error, EFAULT);
	CHECK_EQ(wait_ended(device, context, 2).error, 0);
	next.check();
	CHECK_EQ(device.state(context).guilty_jobs, 1);
	if (lanes.size() > 1)
		CHECK(device.state(context).tasks < 100 * (lanes.size() - 1));
}

/* The urgent work of one without privileges leaves something to others. */
SUBTEST(sched_latency_flood)
{
	if (!geteuid())
		drop_sys_nice();
	Device flood, other;
	std::vector<std::unique_ptr<Endless>> floods;
	Product product(other, short_shape);
	std::uint32_t context = create_context(other, hints(throughput));

	for (int i = 0; i < 4; i++)
		floods.push_back(std::make_unique<Endless>(flood, hints(latency), 1));
	CHECK_OK(submit(other, context, {create_job(other, {cut_lane(product, 3)})}));
	CHECK_EQ(wait_ended(other, context, 1).error, 0);
	for (const auto &one : floods)
		CHECK(one->goes_on());
	product.check();
}

/* Who has had too much is served as throughput, for a while. */
SUBTEST(sched_latency_budget)
{
	if (!geteuid())
		drop_sys_nice();
	Device device;
	/* Those who could have latency work share it. */
	std::vector<Device> others(16);
	std::vector<std::uint32_t> ids;
	for (const Device &other : others)
		ids.push_back(create_context(other, hints(latency)));
	std::uint32_t throughput_too = create_context(device, hints(throughput));
	std::uint32_t second = create_context(device, hints(latency));

	CHECK(becomes(device, second, latency));
	Blocker blocker(device, hints(latency));
	CHECK_EQ(device.state(blocker.context).granted_class, latency);
	/* What is stopped counts as the time it has had. */
	usleep(500000);
	CHECK(blocker.release());
	wait_ended(device, blocker.context, 1);
	drm_npu_query_context state = device.state(blocker.context);
	CHECK_EQ(state.sched_class, latency);
	CHECK_EQ(state.granted_class, throughput);
	/* It is the file's, not the context's. */
	CHECK_EQ(device.state(second).granted_class, throughput);
	CHECK_EQ(device.state(throughput_too).granted_class, throughput);
	/* Others are limited together with it, but they do not make up for it. */
	for (std::size_t i = 0; i < others.size(); i++)
		CHECK(becomes(others[i], ids[i], latency));
	CHECK_EQ(device.state(second).granted_class, throughput);
	others.clear();
	CHECK(becomes(device, second, latency));
	CHECK_EQ(device.state(blocker.context).granted_class, latency);
}

/* It counts also if the context is given another class meanwhile. */
SUBTEST(sched_latency_budget_set)
{
	if (!geteuid())
		drop_sys_nice();
	Device device;
	std::vector<Device> others(16);
	for (const Device &other : others)
		create_context(other, hints(latency));
	/* It is limited all the time. */
	CHECK(becomes(device, create_context(device, hints(latency)), latency));
	Blocker blocker(device, hints(latency));

	usleep(500000);
	CHECK_OK(set_class(device, blocker.context, background));
	CHECK(blocker.release());
	wait_ended(device, blocker.context, 1);
	CHECK_OK(set_class(device, blocker.context, latency));
	CHECK_EQ(device.state(blocker.context).granted_class, throughput);
}

/* New files are no way around it. */
SUBTEST(sched_latency_new_file)
{
	/* Over so long that this machine can look twice meanwhile. */
	Parameter window("latency_window_ms", "20000"), percent("latency_percent", "1");

	check_exit(fork_run([] {
		drop_sys_nice();
		{
			Device device;

			CHECK(becomes(device, create_context(device, hints(latency)), latency));
			Blocker blocker(device, hints(latency));
			sleep(2);
			CHECK(blocker.release());
			wait_ended(device, blocker.context, 1);
		}
		Device next;
		CHECK_EQ(next.state(create_context(next, hints(latency))).granted_class,
			 throughput);
	}));
}

/* Who may do so is not limited. */
SUBTEST(sched_latency_privileged)
{
	need_root();
	Device device;
	std::vector<Device> others(16);
	std::vector<std::uint32_t> ids;
	drm_npu_query_context state{};
	Blocker blocker(device, hints(latency));

	for (const Device &other : others)
		ids.push_back(create_context(other, hints(latency)));
	usleep(300000);
	CHECK(blocker.release());
	wait_ended(device, blocker.context, 1);
	state = device.state(blocker.context);
	CHECK_EQ(state.granted_class, latency);
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
