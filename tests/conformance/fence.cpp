/* SPDX-License-Identifier: MIT */
/// In-fences, out-fences and the errors they carry.
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
};

} // namespace

SUBTEST(fence_in_blocks)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj done(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {done.sync()}}));
	CHECK_EQ(final_status(done, 200), 0);
	CHECK_EQ(f.device.state(f.context).completed_seqno, 0);
	f.product.check_untouched();
	gate.open();
	CHECK_EQ(final_status(done), 1);
	f.product.check();
}

SUBTEST(fence_in_signalled)
{
	Fixture f;
	Syncobj ready(f.device, true), done(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{ready.sync()}, {done.sync()}}));
	CHECK_EQ(final_status(done), 1);
	f.product.check();
}

/* The header: EINVAL for an in-sync that has no fence yet. */
SUBTEST(fence_in_none)
{
	Fixture f;
	Syncobj none(f.device), done(f.device);
	leak::Check leak;

	CHECK_ERR(submit(f.device, f.context, {f.job}, {{none.sync()}, {done.sync()}}), EINVAL);
	CHECK(!done.has_fence());
	CHECK_EQ(f.device.state(f.context).submitted_seqno, 0);
	leak.done();
}

SUBTEST(fence_in_no_point)
{
	Fixture f;
	Syncobj timeline(f.device), done(f.device);

	timeline.signal(5);
	CHECK_ERR(submit(f.device, f.context, {f.job}, {{timeline.sync(6)}, {done.sync()}}),
		  EINVAL);
	CHECK(!done.has_fence());
	CHECK_OK(submit(f.device, f.context, {f.job}, {{timeline.sync(3)}, {done.sync()}}));
	CHECK_EQ(final_status(done), 1);
}

SUBTEST(fence_in_several)
{
	Fixture f;
	Gate a(f.device), b(f.device), c(f.device);
	Syncobj ready(f.device, true), done(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job},
			{{a.sync(), ready.sync(), b.sync(), c.sync(), a.sync()}, {done.sync()}}));
	for (Gate *gate : {&b, &a, &c}) {
		CHECK_EQ(final_status(done, 50), 0);
		f.product.check_untouched();
		gate->open();
	}
	CHECK_EQ(final_status(done), 1);
	f.product.check();
}

SUBTEST(fence_out_binary)
{
	Fixture f;
	Syncobj a(f.device), b(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {a.sync(), b.sync()}}));
	CHECK_OK(a.wait(patience::ms()));
	CHECK_OK(b.wait(patience::ms()));
	f.product.check();
}

/* A binary syncobj gets a new fence each time. */
SUBTEST(fence_out_replaced)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj done(f.device, true);

	CHECK_EQ(final_status(done), 1);
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {done.sync()}}));
	CHECK_EQ(final_status(done, 20), 0);
	gate.open();
	CHECK_EQ(final_status(done), 1);
}

SUBTEST(fence_out_timeline)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj timeline(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {timeline.sync(10)}}));
	CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {timeline.sync(20)}}));
	CHECK_ERR(timeline.wait(50, 10), ETIME);
	CHECK_EQ(timeline.value(), 0);
	gate.open();
	CHECK_OK(timeline.wait(patience::ms(), 10));
	CHECK_OK(timeline.wait(patience::ms(), 20));
	CHECK_EQ(timeline.value(), 20);
	f.product.check();
}

/* One timeline orders contexts that know nothing of each other. */
SUBTEST(fence_timeline_chain)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj timeline(f.device);

	for (std::uint64_t i = 1; i <= 20; i++) {
		Syncs syncs{{i == 1 ? gate.sync() : timeline.sync(i - 1)}, {timeline.sync(i)}};

		CHECK_OK(submit(f.device, f.device.context(), {f.job}, syncs));
	}
	CHECK_ERR(timeline.wait(50, 1), ETIME);
	gate.open();
	CHECK_OK(timeline.wait(patience::ms(), 20));
	f.product.check();
}

SUBTEST(fence_sync_file)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj first(f.device), copy(f.device), second(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {first.sync()}}));
	copy.import_file(first.export_file());
	CHECK_OK(submit(f.device, f.device.context(), {f.job}, {{copy.sync()}, {second.sync()}}));
	Fd file = second.export_file();
	CHECK_EQ(final_status(file, 100), 0);
	gate.open();
	CHECK_EQ(final_status(file), 1);
	CHECK_EQ(final_status(copy), 1);
	f.product.check();
}

/* A fence keeps nothing but itself, and outlives the file that made it. */
SUBTEST(fence_outlives_file)
{
	leak::Check leak;
	Fd file;
	{
		Fixture f;
		Syncobj done(f.device);

		CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {done.sync()}}));
		file = done.export_file();
	}
	CHECK(final_status(file) != 0);
	leak.done();
	CHECK(file_status(file) != 0);
}

SUBTEST(fence_blocked_file_closed)
{
	leak::Check leak;
	Fd file;
	{
		Fixture f;
		Gate gate(f.device);
		Syncobj done(f.device);

		CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {done.sync()}}));
		file = done.export_file();
		for (Buffer *buffer : {&f.product.features, &f.product.weights, &f.product.out})
			buffer->unmap();
		f.device.close();
		CHECK_EQ(final_status(file), -ECANCELED);
	}
	leak.done();
}

SUBTEST(fence_order)
{
	Fixture f;
	Gate gate(f.device);
	std::vector<Syncobj> done;

	for (std::size_t i = 0; i < 20; i++) {
		done.emplace_back(f.device);
		CHECK_OK(submit(f.device, f.context, {f.job},
				i ? Syncs{{}, {done[i].sync()}}
				  : Syncs{{gate.sync()}, {done[i].sync()}}));
	}
	CHECK_EQ(final_status(done[19], 50), 0);
	gate.open();
	/* When one has signalled, so have all before it. */
	for (std::size_t i = 20; i--;) {
		CHECK_EQ(final_status(done[i]), 1);
		for (std::size_t before = 0; before < i; before++)
			CHECK_EQ(file_status(done[before].export_file()), 1);
	}
}

/* A context that waits keeps nobody else from running. */
SUBTEST(fence_blocked_alone)
{
	Fixture f;
	Gate gate(f.device);
	Device other;
	Syncobj done(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {done.sync()}}));
	CHECK_EQ(run(f.device, f.device.context(), f.job), 1);
	check_works(other);
	CHECK_EQ(final_status(done, 10), 0);
	gate.open();
	CHECK_EQ(final_status(done), 1);
}

SUBTEST(fence_error)
{
	Fixture f;
	std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
	Syncobj failed(f.device), after(f.device), last(f.device);

	CHECK_OK(submit(f.device, f.context, {bad}, {{}, {failed.sync()}}));
	CHECK_EQ(final_status(failed), -EFAULT);
	/* The error comes from a fence that has signalled, and one that has not. */
	std::uint32_t other = f.device.context();
	CHECK_OK(submit(f.device, other, {f.job, f.job}, {{failed.sync()}, {after.sync()}}));
	CHECK_EQ(final_status(after), -EFAULT);
	f.product.check_untouched();
	drm_npu_query_context state = f.device.state(other);
	CHECK_EQ(state.completed_seqno, 2);
	CHECK_EQ(state.failed_jobs, 2);
	CHECK_EQ(state.failed_seqno, 2);
	CHECK_EQ(state.failed_errno, EFAULT);
	CHECK_EQ(state.tasks, 0);

	Gate gate(f.device);
	CHECK_OK(submit(f.device, f.context, {bad}, {{gate.sync()}, {failed.sync()}}));
	CHECK_OK(submit(f.device, other, {f.job}, {{failed.sync()}, {last.sync()}}));
	CHECK_EQ(final_status(last, 50), 0);
	gate.open();
	CHECK_EQ(final_status(last), -EFAULT);
	f.product.check_untouched();
	/* Neither context is spoilt. */
	CHECK_EQ(run(f.device, other, f.job), 1);
	CHECK_EQ(run(f.device, f.context, f.job), 1);
}

/* An in-sync is an in-sync, on a timeline as well. */
SUBTEST(fence_error_timeline)
{
	Fixture f;
	std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
	Syncobj timeline(f.device), after(f.device);

	CHECK_OK(submit(f.device, f.context, {bad}, {{}, {timeline.sync(1)}}));
	CHECK_OK(timeline.wait(patience::ms(), 1));
	CHECK_OK(submit(f.device, f.device.context(), {f.job},
			{{timeline.sync(1)}, {after.sync()}}));
	CHECK_EQ(final_status(after), -EFAULT);
	f.product.check_untouched();
}

SUBTEST(fence_error_timeline_later)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
	Syncobj timeline(f.device), after(f.device);

	CHECK_OK(submit(f.device, f.context, {bad}, {{gate.sync()}, {timeline.sync(1)}}));
	CHECK_OK(submit(f.device, f.device.context(), {f.job},
			{{timeline.sync(1)}, {after.sync()}}));
	gate.open();
	CHECK_EQ(final_status(after), -EFAULT);
	f.product.check_untouched();
}

/* The fence has the error of the first that failed, though the last went well. */
SUBTEST(fence_error_batch)
{
	Fixture f;
	std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
	Syncobj done(f.device), next(f.device);

	CHECK_OK(submit(f.device, f.context, {f.job, bad, f.job}, {{}, {done.sync()}}));
	CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {next.sync()}}));
	CHECK_EQ(final_status(done), -EFAULT);
	CHECK_EQ(final_status(next), 1);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.failed_jobs, 1);
	CHECK_EQ(state.failed_seqno, 2);
	CHECK_EQ(state.completed_seqno, 4);
	CHECK_EQ(state.tasks, 3);
}

/* A wait for a submit that is yet to come gets its fence. */
SUBTEST(fence_wait_for_submit)
{
	Fixture f;

	for (std::uint64_t point : {0u, 3u}) {
		igt::Note note("point " + std::to_string(point));
		Syncobj done(f.device);
		const std::uint32_t flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT;

		CHECK_ERR(done.wait(20, point), EINVAL);
		CHECK_ERR(done.wait(20, point, flags), ETIME);
		Sleeper sleeper;
		igt::parallel(2, [&](unsigned thread) {
			if (!thread) {
				sleeper.enters();
				CHECK_OK(done.wait(patience::ms(), point, flags));
				f.product.check();
				return;
			}
			sleeper.wait_asleep();
			CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {done.sync(point)}}));
		});
	}
}

/* A wait for availability ends when the fence exists, long before it signals. */
SUBTEST(fence_wait_available)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj timeline(f.device);
	const std::uint32_t flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;

	Sleeper sleeper;
	igt::parallel(2, [&](unsigned thread) {
		if (!thread) {
			sleeper.enters();
			CHECK_OK(timeline.wait(patience::ms(), 4,
					       flags | DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT));
			return;
		}
		sleeper.wait_asleep();
		CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {timeline.sync(4)}}));
	});
	CHECK_ERR(timeline.wait(20, 4), ETIME);
	gate.open();
	CHECK_OK(timeline.wait(patience::ms(), 4));
}

/* Points that come in the wrong order: none is lost, and none signals early. */
SUBTEST(fence_timeline_unordered)
{
	Fixture f;
	Gate a(f.device), b(f.device);
	Syncobj timeline(f.device);
	std::uint32_t second = f.device.context();

	CHECK_OK(submit(f.device, f.context, {f.job}, {{a.sync()}, {timeline.sync(20)}}));
	CHECK_OK(submit(f.device, second, {f.job}, {{b.sync()}, {timeline.sync(10)}}));
	CHECK_ERR(timeline.wait(20, 20), ETIME);
	CHECK_ERR(timeline.wait(20, 10), ETIME);
	b.open();
	wait_ended(f.device, second, 1);
	CHECK_ERR(timeline.wait(20, 20), ETIME);
	a.open();
	CHECK_OK(timeline.wait(patience::ms(), 20));
	CHECK_OK(timeline.wait(patience::ms(), 10));
	CHECK_EQ(run(f.device, f.context, f.job), 1);
}

/* Point after point of one submit, and a leap. */
SUBTEST(fence_timeline_many)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj timeline(f.device);
	std::vector<drm_npu_sync> outs;

	for (std::uint64_t point = 1; point <= f.device.limits().max_submit_syncs; point++)
		outs.push_back(timeline.sync(point));
	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, outs}));
	CHECK_EQ(timeline.value(), 0);
	gate.open();
	CHECK_OK(timeline.wait(patience::ms(), outs.size()));
	CHECK_EQ(timeline.value(), outs.size());
	CHECK_OK(submit(f.device, f.context, {f.job, f.job}, {{}, {timeline.sync(100)}}));
	/* A point between two others signals with the later one. */
	CHECK_OK(timeline.wait(patience::ms(), 99));
	CHECK_EQ(timeline.value(), 100);
}

/* From job to sync_file to job to sync_file, in files that share nothing else. */
SUBTEST(fence_sync_file_both_ways)
{
	Fixture f;
	Device other;
	Product theirs(other);
	Gate gate(f.device);
	Syncobj first(f.device), in(other), out(other), back(f.device), last(f.device);
	std::uint32_t their_job = create_job(other, {{theirs.task()}});

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {first.sync()}}));
	in.import_file(first.export_file());
	CHECK_OK(submit(other, other.context(), {their_job}, {{in.sync()}, {out.sync()}}));
	back.import_file(out.export_file());
	CHECK_OK(submit(f.device, f.context, {f.job}, {{back.sync()}, {last.sync()}}));
	CHECK_EQ(final_status(last, 50), 0);
	theirs.check_untouched();
	gate.open();
	CHECK_EQ(final_status(last), 1);
	CHECK_EQ(final_status(out), 1);
	theirs.check();
	f.product.check();
}

/* An error goes on through a sync_file, and through a point that was copied. */
SUBTEST(fence_error_sync_file)
{
	Fixture f;
	Device other;
	Product theirs(other);
	std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
	std::uint32_t their_job = create_job(other, {{theirs.task()}});
	Gate gate(f.device);
	Syncobj failed(f.device), copy(f.device), in(other), out(other);

	CHECK_OK(submit(f.device, f.context, {bad}, {{gate.sync()}, {failed.sync(2)}}));
	copy.transfer(failed, 2);
	in.import_file(copy.export_file());
	CHECK_OK(submit(other, other.context(), {their_job}, {{in.sync()}, {out.sync()}}));
	gate.open();
	CHECK_EQ(final_status(out), -EFAULT);
	theirs.check_untouched();
	f.product.check_untouched();
}

/* Of several in-syncs all count, in any order; so does the error of any. */
SUBTEST(fence_error_among_several)
{
	for (int place = 0; place < 3; place++) {
		igt::Note note("place " + std::to_string(place));
		Fixture f;
		std::uint32_t bad = create_job(f.device, {{faulting(f.product)}});
		Gate gate(f.device);
		Syncobj good(f.device), failed(f.device), after(f.device);
		std::vector<drm_npu_sync> in{good.sync(), gate.sync()};

		CHECK_OK(submit(f.device, f.device.context(), {f.job}, {{}, {good.sync()}}));
		CHECK_OK(submit(f.device, f.device.context(), {bad}, {{}, {failed.sync()}}));
		in.insert(in.begin() + place, failed.sync());
		CHECK_EQ(final_status(good), 1);
		f.product.clear();
		CHECK_OK(submit(f.device, f.context, {f.job}, {in, {after.sync()}}));
		gate.open();
		CHECK_EQ(final_status(after), -EFAULT);
		f.product.check_untouched();
	}
}

/* A syncobj that is in and out of one submit: it waits for what was in it. */
SUBTEST(fence_in_and_out)
{
	Fixture f;
	Gate gate(f.device);
	Syncobj both(f.device);

	both.import_file(gate.export_file());
	CHECK_OK(submit(f.device, f.context, {f.job}, {{both.sync()}, {both.sync()}}));
	CHECK_EQ(final_status(both, 50), 0);
	gate.open();
	CHECK_EQ(final_status(both), 1);
	f.product.check();
}
