/* SPDX-License-Identifier: MIT */
/// JOB_WAIT: what it reports, when it returns, what it refuses.
#include <array>
#include <cerrno>

#include "igt.h"
#include "leak.h"
#include "process.h"
#include "program.h"

namespace
{

struct Fixture {
	Device device;
	Product product{device};
	std::uint32_t job = create_job(device, {{product.task()}});
	std::uint32_t context = device.context();

	std::uint64_t submit(const Syncs &syncs = {}) const { return submit({job}, syncs); }
	std::uint64_t submit(const std::vector<std::uint32_t> &jobs, const Syncs &syncs = {}) const
	{
		std::uint64_t seqno = 0;

		CHECK_OK(::submit(device, context, jobs, syncs, &seqno));
		return seqno;
	}
};

/* A failed call leaves all outputs as they are. */
void check_refused(const Device &device, drm_npu_job_wait args, int error)
{
	leak::Check leak;

	args.state = args.error = poison;
	args.queued_ns = args.started_ns = args.ended_ns = args.device_ns = poison;
	CHECK_ERR(call(device.fd(), DRM_IOCTL_NPU_JOB_WAIT, &args), error);
	CHECK_EQ(args.state, poison);
	CHECK_EQ(args.error, poison);
	CHECK_EQ(args.queued_ns, poison);
	CHECK_EQ(args.started_ns, poison);
	CHECK_EQ(args.ended_ns, poison);
	CHECK_EQ(args.device_ns, poison);
	leak.done();
}

drm_npu_job_wait of(std::uint32_t context, std::uint64_t seqno)
{
	drm_npu_job_wait args{};

	args.context_id = context;
	args.seqno = seqno;
	return args;
}

void check_queued(const drm_npu_job_wait &args)
{
	CHECK_EQ(args.state, DRM_NPU_JOB_QUEUED);
	CHECK_EQ(args.error, 0);
	CHECK(args.queued_ns);
	CHECK_EQ(args.started_ns, 0);
	CHECK_EQ(args.ended_ns, 0);
	CHECK_EQ(args.device_ns, 0);
}

} // namespace

SUBTEST(wait_ended)
{
	Fixture f;
	const std::int64_t before = now_ns();
	std::uint64_t seqno = f.submit();

	CHECK_EQ(seqno, 1);
	drm_npu_job_wait args = wait_ended(f.device, f.context, seqno);
	const std::int64_t after = now_ns();
	f.product.check();
	CHECK_EQ(args.error, 0);
	CHECK(std::cmp_greater_equal(args.queued_ns, before));
	CHECK(args.started_ns >= args.queued_ns);
	CHECK(args.ended_ns >= args.started_ns);
	CHECK(std::cmp_less_equal(args.ended_ns, after));
	CHECK(args.device_ns);
	CHECK_EQ(args.device_ns, f.device.state(f.context).device_ns);

	/* The same whenever it is asked, with any timeout. */
	for (std::int64_t timeout : {std::int64_t{0}, std::int64_t{1}, INT64_MIN, never}) {
		drm_npu_job_wait again{};

		CHECK_OK(wait_job(f.device, f.context, seqno, timeout, again));
		CHECK_EQ(again.state, DRM_NPU_JOB_ENDED);
		CHECK_EQ(again.queued_ns, args.queued_ns);
		CHECK_EQ(again.started_ns, args.started_ns);
		CHECK_EQ(again.ended_ns, args.ended_ns);
		CHECK_EQ(again.device_ns, args.device_ns);
	}
}

/* Output fields are overwritten, not added to. */
SUBTEST(wait_overwrites)
{
	Fixture f;
	Gate gate(f.device);
	std::uint64_t seqno = f.submit({{gate.sync()}, {}});
	drm_npu_job_wait args{};

	args.state = args.error = poison;
	args.queued_ns = args.started_ns = args.ended_ns = args.device_ns = poison;
	args.core_mask = args.pad = poison;
	CHECK_OK(wait_job(f.device, f.context, seqno, 0, args));
	check_queued(args);
	CHECK_EQ(args.core_mask, 0);
	CHECK_EQ(args.pad, 0);
	CHECK_EQ(args.context_id, f.context);
	CHECK_EQ(args.seqno, seqno);
	CHECK_EQ(args.timeout_ns, 0);
}

/* Times that have passed: 0, those just now, and those before all. */
SUBTEST(wait_past)
{
	Fixture f;
	Gate gate(f.device);
	std::uint64_t seqno = f.submit({{gate.sync()}, {}});

	for (std::int64_t timeout :
	     {std::int64_t{0}, std::int64_t{1}, now_ns(), std::int64_t{-1}, INT64_MIN}) {
		igt::Note note("timeout " + std::to_string(timeout));
		drm_npu_job_wait args{};

		CHECK_OK(wait_job(f.device, f.context, seqno, timeout, args));
		check_queued(args);
	}
	f.product.check_untouched();
}

SUBTEST(wait_future)
{
	Fixture f;
	Gate gate(f.device);
	std::uint64_t seqno = f.submit({{gate.sync()}, {}});

	/* Running out of time is no error, but the time must have come. */
	for (std::int64_t ms : {1, 60}) {
		const std::int64_t end = now_ns() + ms_to_ns(ms);
		drm_npu_job_wait args{};

		CHECK_OK(wait_job(f.device, f.context, seqno, end, args));
		CHECK(has_come(end));
		check_queued(args);
	}
	gate.open();
	drm_npu_job_wait args{};
	CHECK_OK(wait_job(f.device, f.context, seqno, now_ns() + ms_to_ns(patience::ms()), args));
	CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
	f.product.check();
}

/* The last moment there is: no sum of it may overflow. */
SUBTEST(wait_never)
{
	for (std::int64_t timeout : {never, never - 1, never / 2}) {
		igt::Note note("timeout " + std::to_string(timeout));
		Fixture f;
		Gate gate(f.device);
		std::uint64_t seqno = f.submit({{gate.sync()}, {}});

		Sleeper sleeper;
		igt::parallel(2, [&](unsigned thread) {
			drm_npu_job_wait args{};

			if (thread) {
				sleeper.wait_asleep();
				gate.open();
				return;
			}
			sleeper.enters();
			CHECK_OK(wait_job(f.device, f.context, seqno, timeout, args));
			CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
			CHECK_EQ(args.error, 0);
			f.product.check();
		});
	}
}

SUBTEST(wait_running)
{
	Fixture f;
	RunningJob running(f.device, 1, all_cores);
	std::uint64_t seqno = f.submit({running.job, f.job});

	wait_running(f.device, f.context, seqno - 1);
	drm_npu_job_wait args = look_at(f.device, f.context, seqno - 1);
	CHECK_EQ(args.error, 0);
	CHECK(args.started_ns >= args.queued_ns);
	CHECK_EQ(args.ended_ns, 0);
	check_queued(look_at(f.device, f.context, seqno));

	CHECK_OK(cancel(f.device, f.context, seqno - 1, seqno - 1));
	args = wait_ended(f.device, f.context, seqno - 1);
	CHECK_EQ(args.error, ECANCELED);
	CHECK(args.started_ns);
	CHECK(args.ended_ns >= args.started_ns);
	running.hold.open();
	drm_npu_job_wait next = wait_ended(f.device, f.context, seqno);
	CHECK_EQ(next.error, 0);
	/* Both were queued by one call; one ran after the other. */
	CHECK_EQ(next.queued_ns, args.queued_ns);
	CHECK(next.started_ns >= args.ended_ns);
}

/* A lane has started or has not: both members say the same, at any moment. */
SUBTEST(wait_started)
{
	Device device, other;
	Product product(device), theirs(other);
	std::uint32_t contexts[] = {device.context(1), other.context(1)};
	std::uint32_t jobs[] = {create_job(device, {{product.task()}}),
				create_job(other, {{theirs.task()}})};

	/* Two files take turns on a core, which has to change its address space. */
	for (int i = 0; i < 200; i++) {
		const Device &turn = i % 2 ? other : device;
		std::uint64_t seqno = 0;
		drm_npu_job_wait args{};

		CHECK_OK(submit(turn, contexts[i % 2], {jobs[i % 2]}, {}, &seqno));
		do {
			args = look_at(turn, contexts[i % 2], seqno);
			CHECK_EQ(args.state != DRM_NPU_JOB_QUEUED, args.started_ns != 0);
			CHECK_EQ(args.state == DRM_NPU_JOB_ENDED, args.ended_ns != 0);
		} while (args.state != DRM_NPU_JOB_ENDED);
	}
}

SUBTEST(wait_errors)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t fault = create_job(f.device, {{faulting(f.product)}});
	Syncobj failed(f.device);
	std::uint64_t seqno = f.submit({fault}, {{}, {failed.sync()}});

	CHECK_EQ(wait_ended(f.device, f.context, seqno).error, EFAULT);
	/* Of an in-fence: it has not run, so it never started. */
	seqno = f.submit({{failed.sync()}, {}});
	drm_npu_job_wait args = wait_ended(f.device, f.context, seqno);
	CHECK_EQ(args.error, EFAULT);
	CHECK_EQ(args.started_ns, 0);
	CHECK_EQ(args.device_ns, 0);
	CHECK(args.ended_ns >= args.queued_ns);
	seqno = f.submit({{gate.sync()}, {}});
	CHECK_OK(cancel(f.device, f.context, seqno, seqno));
	args = wait_ended(f.device, f.context, seqno);
	CHECK_EQ(args.error, ECANCELED);
	CHECK_EQ(args.started_ns, 0);
	CHECK_EQ(wait_ended(f.device, f.context, f.submit()).error, 0);
	/* Each keeps its own. */
	CHECK_EQ(wait_ended(f.device, f.context, 1).error, EFAULT);
	CHECK_EQ(wait_ended(f.device, f.context, 3).error, ECANCELED);
}

SUBTEST(wait_ids)
{
	Fixture f;
	Device other;
	std::uint64_t seqno = f.submit();

	wait_ended(f.device, f.context, seqno);
	for (std::uint32_t id : {0u, f.context + 1, ~0u})
		check_refused(f.device, of(id, seqno), ENOENT);
	for (std::uint64_t bad : std::initializer_list<std::uint64_t>{
		     0, seqno + 1, 1ull << 32, seqno + (1ull << 32), ~0ull}) {
		igt::Note note("seqno " + std::to_string(bad));
		check_refused(f.device, of(f.context, bad), ENOENT);
		/* Waiting for what will come is not offered. */
		drm_npu_job_wait args = of(f.context, bad);
		args.timeout_ns = never;
		check_refused(f.device, args, ENOENT);
	}
	check_refused(other, of(f.context, seqno), ENOENT);
	std::uint32_t fresh = f.device.context();
	check_refused(f.device, of(fresh, 1), ENOENT);
	CHECK_OK(f.device.destroy_context(f.context));
	check_refused(f.device, of(f.context, seqno), ENOENT);
}

SUBTEST(wait_flags)
{
	Fixture f;
	std::uint64_t seqno = f.submit();

	for (unsigned bit = 0; bit < 32; bit++) {
		igt::Note note("bit " + std::to_string(bit));
		drm_npu_job_wait args = of(f.context, seqno);

		args.flags = 1u << bit;
		check_refused(f.device, args, EINVAL);
	}
}

/* Clients of an older header have no outputs, and no timeout. */
SUBTEST(wait_short_struct)
{
	Fixture f;
	Gate gate(f.device);
	struct {
		std::uint32_t context_id, flags;
		std::uint64_t seqno;
		std::uint64_t beyond;
	} args{f.context, 0, f.submit({{gate.sync()}, {}}), poison};
	const unsigned long request = _IOC(_IOC_READ | _IOC_WRITE, DRM_IOCTL_BASE,
					   DRM_COMMAND_BASE + DRM_NPU_JOB_WAIT, 16);

	CHECK_OK(call(f.device.fd(), request, &args));
	CHECK_EQ(args.beyond, poison);
	gate.open();
	wait_ended(f.device, f.context, args.seqno);
}

/* At least as many as the queue is long; what else is known is right. */
SUBTEST(wait_old)
{
	Fixture f;

	for (std::uint32_t size : {1u, 2u, 16u}) {
		igt::Note note("size " + std::to_string(size));
		std::uint32_t context = f.device.context(0, size);
		std::uint64_t seqno = 0;

		for (int i = 0; i < 100; i++) {
			CHECK_OK(submit(f.device, context, {f.job}, {}, &seqno));
			wait_ended(f.device, context, seqno);
			for (std::uint64_t s = seqno; s && s + size > seqno; s--)
				CHECK_EQ(look_at(f.device, context, s).state, DRM_NPU_JOB_ENDED);
		}
		std::uint64_t last = 0;
		for (std::uint64_t s = 1; s <= seqno; s++) {
			drm_npu_job_wait args{};
			int result = wait_job(f.device, context, s, never, args);

			if (result == -ENOENT)
				continue;
			CHECK_OK(result);
			CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
			CHECK(args.queued_ns >= last);
			last = args.queued_ns;
		}
		CHECK(last);
	}
}

/* A signal ends the wait, and changes nothing else. */
SUBTEST(wait_signal)
{
	Fixture f;
	Gate gate(f.device);
	drm_npu_job_wait args = of(f.context, f.submit({{gate.sync()}, {}}));

	args.timeout_ns = never;
	CHECK_ERR(interrupted(f.device.fd(), DRM_IOCTL_NPU_JOB_WAIT, &args), EINTR);
	CHECK_EQ(look_at(f.device, f.context, 1).state, DRM_NPU_JOB_QUEUED);
	gate.open();
	CHECK_EQ(wait_ended(f.device, f.context, 1).error, 0);
}

SUBTEST(wait_killed)
{
	leak::Check leak;
	Sockets ready;
	pid_t pid = fork_run([&] {
		Fixture f;
		Gate gate(f.device);
		std::uint64_t seqno = f.submit({{gate.sync()}, {}});

		send_byte(ready.second);
		wait_ended(f.device, f.context, seqno);
	});

	ready.second.reset();
	receive_byte(ready.first);
	usleep(20000);
	kill_child(pid);
	leak.done();
}

/* All who wait for a job, or for different ones, are told. */
SUBTEST(wait_threads)
{
	Fixture f;
	Gate gate(f.device);
	std::vector<std::uint64_t> seqnos;

	for (int i = 0; i < 4; i++)
		seqnos.push_back(f.submit(i ? Syncs{} : Syncs{{gate.sync()}, {}}));
	std::array<Sleeper, 8> sleepers;
	igt::parallel(9, [&](unsigned thread) {
		if (thread == 8) {
			for (const Sleeper &sleeper : sleepers)
				sleeper.wait_asleep();
			gate.open();
			return;
		}
		sleepers[thread].enters();
		CHECK_EQ(wait_ended(f.device, f.context, seqnos[thread % 4]).error, 0);
		CHECK(f.device.state(f.context).completed_seqno >= seqnos[thread % 4]);
	});
}

/*
 * A waiter gets the result of its job, however many jobs have come and ended
 * before he has a look; and those who wait for a later one sleep on.
 */
SUBTEST(wait_overtaken)
{
	Fixture f;
	std::uint32_t context = f.device.context(0, 1);
	std::uint64_t first = 1;

	for (int round = 0; round < 10; round++) {
		Gate gate(f.device);
		std::uint64_t seqno = first;

		CHECK_OK(submit(f.device, context, {f.job}, {{gate.sync()}, {}}));
		std::array<Sleeper, 5> sleepers;
		igt::parallel(5, [&](unsigned thread) {
			if (thread) {
				drm_npu_job_wait args{};

				sleepers[thread].enters();
				CHECK_OK(wait_job(f.device, context, first, never, args));
				CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
				CHECK_EQ(args.error, 0);
				CHECK(args.ended_ns >= args.started_ns);
				CHECK(args.started_ns >= args.queued_ns);
				return;
			}
			/* The result of a job that has ended is kept for its waiters. */
			for (std::size_t i = 1; i < sleepers.size(); i++)
				sleepers[i].wait_asleep();
			gate.open();
			for (int i = 0; i < 50; i++) {
				int result;

				do
					result = submit(f.device, context, {f.job}, {}, &seqno);
				while (result == -EBUSY);
				CHECK_OK(result);
			}
		});
		wait_ended(f.device, context, seqno);
		first = seqno + 1;
	}
}

/* Waiters learn that the context is gone, and how the job ended. */
SUBTEST(wait_context_destroyed)
{
	Fixture f;
	Gate gate(f.device);
	std::uint64_t seqno = f.submit({{gate.sync()}, {}});

	Sleeper sleeper;
	igt::parallel(2, [&](unsigned thread) {
		if (thread) {
			sleeper.wait_asleep();
			CHECK_OK(f.device.destroy_context(f.context));
			return;
		}
		sleeper.enters();
		CHECK_EQ(wait_ended(f.device, f.context, seqno).error, ECANCELED);
	});
	f.product.check_untouched();
}

/* Jobs end in order: when one has, so have all before it. */
SUBTEST(wait_order)
{
	Fixture f;
	std::uint64_t last = 0;

	for (int round = 0; round < 5; round++)
		last = f.submit(std::vector(20, f.job));
	wait_ended(f.device, f.context, last);
	std::uint64_t ended = 0;
	for (std::uint64_t seqno = 1; seqno <= last; seqno++) {
		drm_npu_job_wait args = look_at(f.device, f.context, seqno);

		CHECK_EQ(args.state, DRM_NPU_JOB_ENDED);
		CHECK(args.started_ns >= ended);
		ended = args.ended_ns;
	}
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.completed_seqno, last);
}

/* The longest lane, and the end of the last. */
SUBTEST(wait_lanes)
{
	Fixture f;
	std::uint32_t cores = f.device.info().core_count;
	std::vector<Lane> lanes;

	if (cores < 2)
		igt::skip("needs two cores");
	for (std::uint32_t i = 0; i < cores; i++)
		lanes.emplace_back(i ? 1 : 40, f.product.task());
	std::uint64_t seqno = f.submit({create_job(f.device, lanes)});
	drm_npu_job_wait args = wait_ended(f.device, f.context, seqno);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(args.device_ns, state.device_ns);
	CHECK(args.device_ns < state.busy_ns);
}
