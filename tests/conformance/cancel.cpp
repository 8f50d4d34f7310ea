/* SPDX-License-Identifier: MIT */
/// JOB_CANCEL: jobs that wait, jobs that run, ranges of them.
#include <algorithm>
#include <atomic>
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

struct Fixture {
	Device device;
	Product product{device};
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();

	void submit(std::size_t count = 1, const Syncs &syncs = {}) const
	{
		CHECK_OK(::submit(device, context, std::vector(count, job), syncs));
	}

	/* Cancels and tells how many were there to be cancelled. */
	std::uint32_t cancel(std::uint64_t first, std::uint64_t last) const
	{
		std::uint32_t cancelled = poison;

		CHECK_OK(::cancel(device, context, first, last, &cancelled));
		return cancelled;
	}

	void check_refused(drm_npu_job_cancel args, int error) const
	{
		leak::Check leak;

		args.cancelled = poison;
		CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_JOB_CANCEL, &args), error);
		CHECK_EQ(args.cancelled, poison);
		leak.done();
	}

	void check_error(std::uint64_t seqno, std::uint32_t error) const
	{
		igt::Note note("seqno " + std::to_string(seqno));

		CHECK_EQ(wait_ended(device, context, seqno).error, error);
	}
};

drm_npu_job_cancel of(std::uint32_t context, std::uint64_t first, std::uint64_t last)
{
	drm_npu_job_cancel args{};

	args.context_id = context;
	args.first_seqno = first;
	args.last_seqno = last;
	return args;
}

} // namespace

/* The gate stays closed: it is not waited for. */
SUBTEST(cancel_blocked)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj done(f.device);

	f.submit(1, {{gate.sync()}, {done.sync()}});
	CHECK_EQ(final_status(done, 20), 0);
	CHECK_EQ(f.cancel(1, 1), 1);
	CHECK_EQ(final_status(done), -ECANCELED);
	f.check_error(1, ECANCELED);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.completed_seqno, 1);
	CHECK_EQ(state.failed_seqno, 1);
	CHECK_EQ(state.failed_jobs, 1);
	CHECK_EQ(state.failed_errno, ECANCELED);
	CHECK_EQ(state.guilty_jobs, 0);
	CHECK_EQ(state.tasks, 0);
	gate.open();
	usleep(20000);
	f.product.check_untouched();
	/* The queue goes on. */
	f.submit();
	f.check_error(2, 0);
	f.product.check();
}

/* Cancelled jobs end when it is their turn, so those before them run first. */
SUBTEST(cancel_behind)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj first(f.device), second(f.device), third(f.device);

	f.submit(1, {{gate.sync()}, {first.sync()}});
	f.submit(1, {{}, {second.sync()}});
	f.submit(1, {{}, {third.sync()}});
	CHECK_EQ(f.cancel(2, 2), 1);
	CHECK_EQ(final_status(second, 50), 0);
	CHECK_EQ(look_at(f.device, f.context, 2).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(final_status(first), 1);
	CHECK_EQ(final_status(second), -ECANCELED);
	CHECK_EQ(final_status(third), 1);
	CHECK_EQ(f.device.state(f.context).tasks, 2);
	CHECK_EQ(look_at(f.device, f.context, 2).started_ns, 0);
	f.product.check();
}

SUBTEST(cancel_range)
{
	Fixture f;
	Gate gate(f.device);

	f.submit(1, {{gate.sync()}, {}});
	f.submit(9);
	CHECK_EQ(f.cancel(4, 6), 3);
	gate.open();
	for (std::uint64_t seqno = 1; seqno <= 10; seqno++)
		f.check_error(seqno, seqno >= 4 && seqno <= 6 ? ECANCELED : 0);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.failed_jobs, 3);
	CHECK_EQ(state.failed_seqno, 6);
	CHECK_EQ(state.tasks, 7);
}

SUBTEST(cancel_all)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t count = f.device.limits().max_queued;
	std::uint32_t batch = std::min(count, f.device.limits().max_submit_jobs);
	std::uint32_t submitted = 0;

	for (; submitted + batch <= count; submitted += batch)
		f.submit(batch, {{gate.sync()}, {}});
	CHECK_EQ(f.cancel(1, submitted), submitted);
	f.check_error(submitted, ECANCELED);
	CHECK_EQ(f.device.state(f.context).completed_seqno, submitted);
	f.product.check_untouched();
	f.submit();
	f.check_error(submitted + 1, 0);
}

SUBTEST(cancel_running)
{
	Fixture f;
	Device other;
	RunningJob running(f.device, 1, all_cores);
	leak::Check leak;

	for (std::uint64_t seqno = 1; seqno < 10; seqno += 2) {
		running.hold.close();
		CHECK_OK(submit(f.device, f.context, {running.job, f.job}));
		wait_running(f.device, f.context, seqno);
		CHECK_EQ(f.cancel(seqno, seqno), 1);
		f.check_error(seqno, ECANCELED);
		CHECK(look_at(f.device, f.context, seqno).started_ns);
		running.hold.open();
		f.check_error(seqno + 1, 0);
		f.product.check();
		f.product.clear();
	}
	leak.done();
	check_works(f.device);
	check_works(other);
}

/* All lanes stop, those that run and those that no core has taken yet. */
SUBTEST(cancel_lanes)
{
	Fixture f;
	std::uint32_t cores = f.device.info().core_count;
	RunningJob running(f.device, cores, all_cores);

	for (std::uint32_t mask = 1; mask < 1u << cores; mask++) {
		igt::Note note("mask " + std::to_string(mask));
		std::uint32_t context = f.device.context(mask);
		std::uint32_t cancelled = 0;

		running.hold.close();
		CHECK_OK(submit(f.device, context, {running.job}));
		wait_running(f.device, context, 1);
		CHECK_OK(cancel(f.device, context, 1, 1, &cancelled));
		CHECK_EQ(cancelled, 1);
		CHECK_EQ(wait_ended(f.device, context, 1).error, ECANCELED);
		/* Its cores are free at once, not when their lanes have ended. */
		running.hold.open();
		CHECK_EQ(run(f.device, context, f.job), 1);
	}
	f.product.check();
}

/* A job that never started took no time; one that started took no more than it ran. */
SUBTEST(cancel_device_time)
{
	Device device, other;
	Product theirs(other);
	RunningJob running(device);
	std::uint32_t context = device.context(1), their_context = other.context(1);
	std::uint32_t their_job = create_job(other, {{theirs.task()}});

	for (std::uint64_t seqno = 1; seqno <= 100; seqno++) {
		/* The core changes its address space, which takes a moment. */
		running.hold.open();
		CHECK_EQ(run(other, their_context, their_job), 1);
		running.hold.close();
		CHECK_OK(submit(device, context, {running.job}));
		if (seqno % 3 == 0)
			usleep(static_cast<useconds_t>(50 * (seqno % 20)));
		CHECK_OK(cancel(device, context, seqno, seqno));
		drm_npu_job_wait args = wait_ended(device, context, seqno);
		CHECK_EQ(args.error, ECANCELED);
		CHECK(args.device_ns <= args.ended_ns - args.queued_ns);
		if (!args.started_ns)
			CHECK_EQ(args.device_ns, 0);
	}
}

/* Jobs of other contexts go on. */
SUBTEST(cancel_others_unaffected)
{
	Fixture f;
	Device other;
	Product product(other), long_product(f.device, {}, 9);
	std::uint32_t theirs = other.context(), mine = f.device.context();
	std::uint32_t held = f.device.context(one_core);
	std::uint32_t their_job = create_job(other, {{product.task()}});
	std::uint32_t slow = create_job(f.device, {slow_lane(long_product, 20)});
	RunningJob running(f.device);

	for (int i = 0; i < 5; i++) {
		std::uint64_t seqno = 0, their_seqno = 0, my_seqno = 0;

		running.hold.close();
		CHECK_OK(submit(f.device, held, {running.job}, {}, &seqno));
		CHECK_OK(submit(f.device, mine, {slow}, {}, &my_seqno));
		CHECK_OK(submit(other, theirs, {their_job}, {}, &their_seqno));
		CHECK_OK(cancel(f.device, held, seqno, seqno));
		CHECK_EQ(wait_ended(f.device, held, seqno).error, ECANCELED);
		running.hold.open();
		CHECK_EQ(wait_ended(f.device, mine, my_seqno).error, 0);
		CHECK_EQ(wait_ended(other, theirs, their_seqno).error, 0);
	}
	long_product.check();
	product.check();
	CHECK_EQ(other.state(theirs).failed_jobs, 0);
	CHECK_EQ(f.device.state(mine).failed_jobs, 0);
}

SUBTEST(cancel_ended)
{
	Fixture f;
	Gate gate(f.device);

	f.submit(3);
	f.check_error(3, 0);
	CHECK_EQ(f.cancel(1, 3), 0);
	CHECK_EQ(f.cancel(2, 2), 0);
	f.check_error(2, 0);
	CHECK_EQ(f.device.state(f.context).failed_jobs, 0);
	/* Jobs that have ended are not counted as cancelled. */
	f.submit(2, {{gate.sync()}, {}});
	CHECK_EQ(f.cancel(1, 5), 2);
	f.check_error(5, ECANCELED);
	f.check_error(3, 0);
	CHECK_EQ(f.cancel(1, 5), 0);
	CHECK_EQ(f.device.state(f.context).failed_jobs, 2);
}

SUBTEST(cancel_twice)
{
	Fixture f;
	Gate gate(f.device);

	f.submit(1, {{gate.sync()}, {}});
	f.submit(1);
	CHECK_EQ(f.cancel(2, 2), 1);
	/* The job has not ended yet. */
	CHECK_EQ(f.cancel(2, 2), 1);
	gate.open();
	f.check_error(1, 0);
	f.check_error(2, ECANCELED);
}

SUBTEST(cancel_bad)
{
	Fixture f;
	Device other;
	Gate gate(f.device);

	f.submit(1, {{gate.sync()}, {}});
	f.submit(1);
	for (std::uint32_t id : {0u, f.context + 1, ~0u})
		f.check_refused(of(id, 1, 1), ENOENT);
	f.check_refused(of(f.context, 0, 0), EINVAL);
	f.check_refused(of(f.context, 0, 2), EINVAL);
	f.check_refused(of(f.context, 2, 1), EINVAL);
	for (std::uint64_t last :
	     std::initializer_list<std::uint64_t>{3, 1ull << 32, (1ull << 32) + 1, ~0ull}) {
		igt::Note note("last " + std::to_string(last));
		f.check_refused(of(f.context, 1, last), ENOENT);
		f.check_refused(of(f.context, last, last), ENOENT);
	}
	for (unsigned bit = 0; bit < 32; bit++) {
		drm_npu_job_cancel args = of(f.context, 1, 2);

		args.flags = 1u << bit;
		f.check_refused(args, EINVAL);
		args.flags = 0;
		args.pad = 1u << bit;
		f.check_refused(args, EINVAL);
	}
	CHECK_ERR(cancel(other, f.context, 1, 1), ENOENT);
	/* None of these calls has cancelled a job. */
	gate.open();
	f.check_error(1, 0);
	f.check_error(2, 0);
}

/* The error goes where the fence goes. */
SUBTEST(cancel_error_travels)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj timeline(f.device), after(f.device);
	std::uint32_t second = f.device.context();

	f.submit(1, {{gate.sync()}, {timeline.sync(7)}});
	CHECK_OK(submit(f.device, second, {f.job}, {{timeline.sync(7)}, {after.sync()}}));
	CHECK_EQ(f.cancel(1, 1), 1);
	CHECK_OK(timeline.wait(patience::ms(), 7));
	CHECK_EQ(final_status(after), -ECANCELED);
	CHECK_EQ(wait_ended(f.device, second, 1).error, ECANCELED);
	f.product.check_untouched();
}

/* The fence of a submit has the error of the first of its jobs that failed. */
SUBTEST(cancel_batch)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj done(f.device);

	f.submit(5, {{gate.sync()}, {done.sync()}});
	CHECK_EQ(f.cancel(3, 3), 1);
	CHECK_EQ(final_status(done, 20), 0);
	gate.open();
	CHECK_EQ(final_status(done), -ECANCELED);
	f.check_error(5, 0);
	CHECK_EQ(f.device.state(f.context).tasks, 4);
}

/* Cancelling a job does not count as guilt of its file. */
SUBTEST(cancel_is_no_guilt)
{
	Fixture f;
	RunningJob running(f.device, 1, all_cores);
	std::uint64_t count = f.device.limits().max_guilty + 2;

	for (std::uint64_t seqno = 1; seqno <= count; seqno++) {
		CHECK_OK(submit(f.device, f.context, {running.job}));
		wait_running(f.device, f.context, seqno);
		CHECK_EQ(f.cancel(seqno, seqno), 1);
		f.check_error(seqno, ECANCELED);
	}
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.guilty_jobs, 0);
	CHECK_EQ(state.flags, 0);
	CHECK_EQ(state.failed_jobs, count);
	running.hold.open();
	CHECK_EQ(run(f.device, f.context, f.job), 1);
}

/* The in-fence of a cancelled job may signal at the same moment, or never. */
SUBTEST(cancel_races)
{
	leak::Check leak;
	{
		Fixture f;

		for (std::uint64_t seqno = 1; seqno <= 60; seqno++) {
			Gate gate(f.device);
			Syncobj done(f.device);

			f.submit(1, {{gate.sync()}, {done.sync()}});
			igt::parallel(2, [&](unsigned thread) {
				if (thread)
					gate.open();
				else
					CHECK(f.cancel(seqno, seqno) <= 1);
			});
			int status = final_status(done);
			CHECK(status == 1 || status == -ECANCELED);
			f.check_error(seqno, status == 1 ? 0 : ECANCELED);
		}
	}
	leak.done();
}

/* Some submit, some cancel whatever there is: all jobs end, each once. */
SUBTEST(cancel_storm)
{
	leak::Check leak;
	{
		Fixture f;
		std::atomic<bool> done = false;

		igt::parallel(4, [&](unsigned thread) {
			if (thread < 2) {
				while (!done) {
					std::uint64_t last =
						f.device.state(f.context).submitted_seqno;

					if (last)
						CHECK_OK(::cancel(f.device, f.context, last / 2 + 1,
								  last));
					usleep(500);
				}
				return;
			}
			for (int i = 0; i < 200; i++) {
				Syncobj end(f.device);

				int result = ::submit(f.device, f.context, {f.job, f.job},
						      {{}, {end.sync()}});
				if (result == -EBUSY)
					continue;
				CHECK_OK(result);
				int status = final_status(end);
				if (status != 1)
					CHECK_EQ(status, -ECANCELED);
			}
			done = true;
		});
		drm_npu_query_context state = f.device.state(f.context);
		CHECK_EQ(state.completed_seqno, state.submitted_seqno);
		/* Of jobs that are cancelled while they run, the task may still end. */
		CHECK(state.tasks <= state.submitted_seqno);
		CHECK(state.tasks + state.failed_jobs >= state.submitted_seqno);
		f.product.clear();
		CHECK_EQ(run(f.device, f.context, f.job), 1);
		f.product.check();
	}
	leak.done();
}
