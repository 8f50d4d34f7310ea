/* SPDX-License-Identifier: MIT */
/// In-fences, out-fences and the errors they carry.
#include <cerrno>

#include <poll.h>

#include <xf86drm.h>

#include "igt.h"
#include "leak.h"
#include "program.h"

namespace
{

/* A job whose results go past the end of everything, which ends with EFAULT. */
std::uint32_t create_faulting(const Device &device, const Product &product)
{
	Task task = product.task();

	/* The second row of features lies 2 GiB away. */
	set(task, cna_dma_con1, 0x08000000);
	return create_job(device, {{task}});
}

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
	CHECK_OK(a.wait(20000));
	CHECK_OK(b.wait(20000));
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
	std::uint32_t handle = timeline.handle();
	std::uint64_t value = 0;

	CHECK_OK(submit(f.device, f.context, {f.job}, {{gate.sync()}, {timeline.sync(10)}}));
	CHECK_OK(submit(f.device, f.context, {f.job}, {{}, {timeline.sync(20)}}));
	CHECK_ERR(timeline.wait(50, 10), ETIME);
	CHECK_OK(drmSyncobjQuery(f.device.fd(), &handle, &value, 1));
	CHECK_EQ(value, 0);
	gate.open();
	CHECK_OK(timeline.wait(20000, 10));
	CHECK_OK(timeline.wait(20000, 20));
	CHECK_OK(drmSyncobjQuery(f.device.fd(), &handle, &value, 1));
	CHECK_EQ(value, 20);
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
	CHECK_OK(timeline.wait(20000, 20));
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
	std::uint32_t bad = create_faulting(f.device, f.product);
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
	std::uint32_t bad = create_faulting(f.device, f.product);
	Syncobj timeline(f.device), after(f.device);

	CHECK_OK(submit(f.device, f.context, {bad}, {{}, {timeline.sync(1)}}));
	CHECK_OK(timeline.wait(20000, 1));
	CHECK_OK(submit(f.device, f.device.context(), {f.job},
			{{timeline.sync(1)}, {after.sync()}}));
	CHECK_EQ(final_status(after), -EFAULT);
	f.product.check_untouched();
}

SUBTEST(fence_error_timeline_later)
{
	Fixture f;
	Gate gate(f.device);
	std::uint32_t bad = create_faulting(f.device, f.product);
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
	std::uint32_t bad = create_faulting(f.device, f.product);
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
