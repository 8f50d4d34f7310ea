/* SPDX-License-Identifier: MIT */
/// Files whose jobs hang or fault too often.
#include <cerrno>

#include <sys/mman.h>

#include "igt.h"
#include "injection.h"
#include "leak.h"
#include "program.h"

namespace
{

struct Fixture {
	Device device;
	Product product{device};
	std::uint32_t good = create_job(device, {{product.task()}});
	std::uint32_t bad = create_job(device, {{faulting(product)}});
	std::uint32_t context = device.context();
	std::uint32_t limit = device.limits().max_guilty;

	/* Fails @count times in a row. */
	void misbehave(std::uint32_t count) const
	{
		for (std::uint32_t i = 0; i < count; i++) {
			std::uint64_t seqno = 0;

			CHECK_OK(submit(device, context, {bad}, {}, &seqno));
			CHECK_EQ(wait_ended(device, context, seqno).error, EFAULT);
		}
	}

	void check_banned() const
	{
		drm_npu_query_context state = device.state(context);
		Syncobj done(device);
		std::uint64_t seqno = poison;
		leak::Check leak;

		CHECK_EQ(state.flags, DRM_NPU_CONTEXT_BANNED);
		CHECK_ERR(submit(device, context, {good}, {{}, {done.sync()}}, &seqno), EIO);
		CHECK_EQ(seqno, poison);
		CHECK(!done.has_fence());
		CHECK_EQ(device.state(context).submitted_seqno, state.submitted_seqno);
		leak.done();
	}
};

} // namespace

SUBTEST(ban_faults)
{
	Fixture f;

	f.misbehave(f.limit - 1);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.flags, 0);
	CHECK_EQ(state.guilty_jobs, f.limit - 1);
	CHECK_EQ(run(f.device, f.context, f.good), 1);
	/* Good jobs in between do not make up for it. */
	f.misbehave(1);
	CHECK_EQ(f.device.state(f.context).guilty_jobs, f.limit);
	f.check_banned();
}

SUBTEST(ban_hangs)
{
	Fixture f;
	Hang hang;

	for (std::uint32_t i = 0; i < f.limit; i++) {
		CHECK_EQ(f.device.state(f.context).flags, 0);
		CHECK_EQ(hang.run(f.device, f.context, f.good), -ETIMEDOUT);
	}
	CHECK_EQ(f.device.state(f.context).guilty_jobs, f.limit);
	f.check_banned();
	check_works(Device());
}

/* Queued jobs of a banned file end with ECANCELED, blocked or not, and never run. */
SUBTEST(ban_queued)
{
	Fixture f;
	Gate start(f.device), gate(f.device);
	Syncobj last(f.device), blocked(f.device);
	std::uint64_t seqno = 0;

	f.misbehave(f.limit - 1);
	CHECK_OK(submit(f.device, f.context, {f.bad, f.good, f.good},
			{{start.sync()}, {last.sync()}}, &seqno));
	CHECK_OK(submit(f.device, f.context, {f.good}, {{gate.sync()}, {blocked.sync()}}));
	start.open();
	/* The fence has the error of the first that failed. */
	CHECK_EQ(final_status(last), -EFAULT);
	CHECK_EQ(final_status(blocked), -ECANCELED);
	CHECK_EQ(wait_ended(f.device, f.context, seqno - 2).error, EFAULT);
	CHECK_EQ(wait_ended(f.device, f.context, seqno - 1).error, ECANCELED);
	CHECK_EQ(wait_ended(f.device, f.context, seqno).error, ECANCELED);
	CHECK_EQ(wait_ended(f.device, f.context, seqno + 1).error, ECANCELED);
	drm_npu_query_context state = f.device.state(f.context);
	CHECK_EQ(state.completed_seqno, seqno + 1);
	CHECK_EQ(state.tasks, 0);
	/* Being cancelled is no guilt. */
	CHECK_EQ(state.guilty_jobs, f.limit);
	f.product.check_untouched();
	f.check_banned();
}

/* The file alone is banned, and all that only looks goes on. */
SUBTEST(ban_others)
{
	Fixture f;
	Device other;

	f.misbehave(f.limit);
	f.check_banned();
	check_works(other);
	CHECK_EQ(look_at(f.device, f.context, 1).error, EFAULT);
	std::uint32_t cancelled = poison;
	CHECK_OK(cancel(f.device, f.context, 1, f.limit, &cancelled));
	CHECK_EQ(cancelled, 0);
	CHECK_OK(wait_buffer(f.device, f.product.out.handle(), never));
	CHECK_OK(f.device.destroy_context(f.context));
	CHECK_ERR(submit(f.device, f.context, {f.good}), ENOENT);
}

/* Guilt of all contexts counts, and new ones are no way out. */
SUBTEST(ban_contexts)
{
	Fixture f;
	Device other;
	drm_npu_context_create args{};
	std::uint32_t idle = f.device.context();

	for (std::uint32_t i = 0; i < f.limit; i++) {
		CHECK_EQ(f.device.state(idle).flags, 0);
		if (i) {
			CHECK_OK(f.device.destroy_context(f.context));
			f.context = f.device.context();
		}
		f.misbehave(1);
		CHECK_EQ(f.device.state(f.context).guilty_jobs, 1);
	}
	f.check_banned();
	CHECK_EQ(f.device.state(idle).flags, DRM_NPU_CONTEXT_BANNED);
	CHECK_EQ(f.device.state(idle).guilty_jobs, 0);
	CHECK_ERR(submit(f.device, idle, {f.good}), EIO);
	args.context_id = poison;
	CHECK_ERR(f.device.create(args), EIO);
	CHECK_EQ(args.context_id, poison);
	check_works(other);
}

SUBTEST(ban_page)
{
	Fixture f;
	drm_npu_context_create args{};

	CHECK_OK(f.device.create(args));
	f.context = args.context_id;
	void *map = map_file(f.device.fd(), 4096, args.page_offset, PROT_READ);
	CHECK(map);
	const auto *page = static_cast<const volatile drm_npu_context_page *>(map);
	CHECK_EQ(page->flags, 0);
	f.misbehave(f.limit - 1);
	CHECK_EQ(page->flags, 0);
	f.misbehave(1);
	f.check_banned();
	CHECK_EQ(page->flags, DRM_NPU_CONTEXT_BANNED);
	munmap(map, 4096);
}

/* A job is guilty once, however many of its lanes go wrong. */
SUBTEST(ban_counts_jobs)
{
	Fixture f;
	std::uint32_t cores = f.device.info().core_count;
	std::uint32_t job = create_job(f.device, std::vector<Lane>(cores, {faulting(f.product)}));

	CHECK_EQ(run(f.device, f.context, job), -EFAULT);
	CHECK_EQ(f.device.state(f.context).guilty_jobs, 1);
}

/* An error that came from elsewhere is no guilt either. */
SUBTEST(ban_not_by_in_fence)
{
	Fixture f;
	Syncobj failed(f.device);
	std::uint32_t victim = f.device.context();

	CHECK_OK(submit(f.device, f.context, {f.bad}, {{}, {failed.sync()}}));
	CHECK_EQ(final_status(failed), -EFAULT);
	for (std::uint32_t i = 0; i < f.limit + 1; i++)
		CHECK_OK(submit(f.device, victim, {f.good}, {{failed.sync()}, {}}));
	CHECK_EQ(wait_ended(f.device, victim, f.limit + 1).error, EFAULT);
	drm_npu_query_context state = f.device.state(victim);
	CHECK_EQ(state.failed_jobs, f.limit + 1);
	CHECK_EQ(state.guilty_jobs, 0);
	CHECK_EQ(state.flags, 0);
	CHECK_EQ(run(f.device, victim, f.good), 1);
}
