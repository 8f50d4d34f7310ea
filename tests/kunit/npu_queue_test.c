// SPDX-License-Identifier: GPL-2.0-only
/* Queues: what they take, what they tell, when they let go. */
#include <linux/completion.h>
#include <linux/mm.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_client.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_submit.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

static struct npu_submit *npu_queue_submit(struct kunit *test,
					   struct npu_context *ctx)
{
	struct npu_submit *submit = npu_submit_alloc(ctx, 0);

	KUNIT_ASSERT_NOT_NULL(test, submit);
	return submit;
}

/* A queue takes as many jobs as it was made for, and changes nothing else. */
static void npu_queue_limits(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *jobs[5];
	unsigned int i;
	u64 seqno = 99;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = npu_fake_job(file, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 5, NULL, &seqno), -E2BIG);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 3, NULL, &seqno), 0);
	KUNIT_EXPECT_EQ(test, seqno, 3);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 2, NULL, &seqno), -EBUSY);
	KUNIT_EXPECT_EQ(test, ctx->submitted, 3);
	KUNIT_EXPECT_EQ(test, seqno, 3);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 1, NULL, &seqno), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 1, NULL, &seqno), -EBUSY);
	npu_fake_settle(fake);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 2, NULL, &seqno), -EBUSY);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 1, NULL, &seqno), 0);
	KUNIT_EXPECT_EQ(test, seqno, 5);
	for (i = 0; i < 4; i++)
		npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, ctx->completed, 5);
}

/**
 * struct npu_queue_blocker - keeps the thread that signals from doing so
 */
struct npu_queue_blocker {
	/** @work: Work for that thread. */
	struct kthread_work work;
	/** @end: When it may go on. */
	struct completion end;
};

static void npu_queue_block(struct kthread_work *work)
{
	struct npu_queue_blocker *blocker =
		container_of(work, struct npu_queue_blocker, work);

	wait_for_completion(&blocker->end);
}

/* Where jobs that have ended still fill the slots, it takes none. */
static void npu_queue_again(struct kunit *test)
{
	struct npu_queue_blocker *blocker;
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 2, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	const struct npu_hw_result result = { .device_ns = 1 };
	unsigned int i;
	u64 seqno;

	/* The thread leaves it before the test ends. */
	blocker = kunit_kzalloc(test, sizeof(*blocker), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, blocker);
	kthread_init_work(&blocker->work, npu_queue_block);
	init_completion(&blocker->end);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	kthread_queue_work(fake->npu->exec->signaller, &blocker->work);
	for (i = 0; i < 4; i++) {
		struct npu_submit *submit = npu_queue_submit(test, ctx);

		KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
		npu_submit_put(submit);
		npu_fake_end_with(fake, 0, &result);
	}
	KUNIT_EXPECT_EQ(test, ctx->completed, 5);
	KUNIT_EXPECT_EQ(test, ctx->signalled, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -EAGAIN);
	KUNIT_EXPECT_EQ(test, ctx->submitted, 5);
	complete(&blocker->end);
	npu_signal_flush(fake->npu);
	KUNIT_EXPECT_EQ(test, ctx->retired, 5);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), 0);
	KUNIT_EXPECT_EQ(test, seqno, 6);
	npu_fake_end(fake, 0, 0);
}

/* A submit that does not know of a shared buffer has to begin anew. */
static void npu_queue_stale(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	const struct npu_request request = {
		.jobs = &job,
		.count = 1,
		.shares = npu_vm_shares(ctx->vm) + 1,
	};
	u64 seqno;

	KUNIT_EXPECT_EQ(test, npu_queue_jobs(ctx, &request, &seqno), -ESTALE);
	KUNIT_EXPECT_EQ(test, ctx->submitted, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 0);
}

/* Of several reasons the one that lasts is told. */
static void npu_queue_errors(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 1, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	u64 seqno;

	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -EBUSY);
	spin_lock_irq(&fake->npu->exec->lock);
	ctx->client->banned = true;
	spin_unlock_irq(&fake->npu->exec->lock);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -EIO);
	npu_queue_kill(ctx, false);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -ENOENT);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -ENODEV);
}

/* What a context has done is counted. */
static void npu_queue_statistics(struct kunit *test)
{
	static const struct npu_hw_result results[] = {
		{ .tasks = 3, .device_ns = 100, .read_bytes = 10, .written_bytes = 1 },
		{ .tasks = 4, .device_ns = 250, .read_bytes = 20, .written_bytes = 2 },
		{ .tasks = 5, .device_ns = 50, .read_bytes = 40, .written_bytes = 4 },
	};
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 4, THROUGHPUT);
	struct npu_context *other = npu_fake_context(file, 3, 4, THROUGHPUT);
	const struct drm_npu_query_context *stats = &ctx->stats;
	const struct npu_slot *slot = npu_context_slot(ctx, 1);

	npu_fake_queue(fake, ctx, npu_fake_job(file, 2));
	KUNIT_EXPECT_NE(test, slot->queued_ns, 0);
	KUNIT_EXPECT_GE(test, slot->started_ns, slot->queued_ns);
	npu_fake_end_with(fake, 0, &results[0]);
	KUNIT_EXPECT_EQ(test, slot->ended_ns, 0);
	npu_fake_end_with(fake, 1, &results[1]);
	KUNIT_EXPECT_GE(test, slot->ended_ns, slot->started_ns);
	/* The longest lane is the job's time, all lanes together the cores'. */
	KUNIT_EXPECT_EQ(test, stats->device_ns, 250);
	KUNIT_EXPECT_EQ(test, stats->busy_ns, 350);
	KUNIT_EXPECT_EQ(test, stats->tasks, 7);
	KUNIT_EXPECT_EQ(test, stats->read_bytes, 30);
	KUNIT_EXPECT_EQ(test, stats->written_bytes, 3);
	KUNIT_EXPECT_EQ(test, stats->failed_jobs, 0);

	npu_fake_queue(fake, other, npu_fake_job(file, 1));
	npu_fake_end_with(fake, 0, &results[2]);
	KUNIT_EXPECT_EQ(test, other->stats.device_ns, 50);
	KUNIT_EXPECT_EQ(test, stats->device_ns, 250);
	KUNIT_EXPECT_EQ(test, file->npu.client->stats.busy_ns, 400);

	npu_fake_queue(fake, ctx, npu_fake_job(file, 1));
	npu_fake_end(fake, 0, -EIO);
	npu_fake_queue(fake, ctx, npu_fake_job(file, 1));
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, stats->failed_jobs, 1);
	KUNIT_EXPECT_EQ(test, stats->failed_seqno, 2);
	KUNIT_EXPECT_EQ(test, stats->failed_errno, EIO);
}

/* A backend that does not count leaves the time to the clock. */
static void npu_queue_clock(struct kunit *test)
{
	static const struct npu_hw_result result = { .tasks = 1 };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	const struct npu_slot *slot = npu_context_slot(ctx, 1);

	npu_fake_queue(fake, ctx, npu_fake_job(file, 1));
	npu_fake_end_with(fake, 0, &result);
	KUNIT_EXPECT_LE(test, slot->device_ns, slot->ended_ns - slot->started_ns);
	KUNIT_EXPECT_EQ(test, ctx->stats.device_ns, slot->device_ns);
	KUNIT_EXPECT_EQ(test, ctx->stats.busy_ns, slot->device_ns);
}

static void npu_queue_expect_page(struct kunit *test, struct npu_context *ctx,
				  u64 seqno, int error)
{
	const struct drm_npu_context_page *page = page_address(ctx->page);
	const struct drm_npu_page_job *job =
		&page->jobs[seqno % DRM_NPU_PAGE_JOBS];
	const struct npu_slot *slot = npu_context_slot(ctx, seqno);

	KUNIT_EXPECT_EQ(test, job->seqno, seqno);
	KUNIT_EXPECT_EQ(test, job->queued_ns, slot->queued_ns);
	KUNIT_EXPECT_EQ(test, job->started_ns, slot->started_ns);
	KUNIT_EXPECT_EQ(test, job->ended_ns, slot->ended_ns);
	KUNIT_EXPECT_EQ(test, job->device_ns, slot->device_ns);
	KUNIT_EXPECT_EQ(test, job->error, error);
}

/* The completion page tells of the last jobs that have ended, in any way. */
static void npu_queue_page(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 64, THROUGHPUT);
	const struct drm_npu_context_page *page = page_address(ctx->page);
	struct npu_job *job = npu_fake_job(file, 1);
	u32 count;
	u64 seqno;

	KUNIT_EXPECT_EQ(test, page->version, DRM_NPU_PAGE_VERSION);
	KUNIT_EXPECT_EQ(test, page->job_count, DRM_NPU_PAGE_JOBS);
	KUNIT_EXPECT_EQ(test, page->job_stride, sizeof(page->jobs[0]));
	KUNIT_EXPECT_PTR_EQ(test, (const void *)page + page->jobs_offset,
			    (const void *)page->jobs);
	KUNIT_EXPECT_EQ(test, page->sequence, 0);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 0);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 1);
	KUNIT_EXPECT_EQ(test, page->sequence, 2);
	KUNIT_EXPECT_EQ(test, page->failed_seqno, 0);
	npu_fake_end(fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 2);
	KUNIT_EXPECT_EQ(test, page->failed_seqno, 2);
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 4, 4, &count), 0);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 2);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, page->completed_seqno, 4);
	KUNIT_EXPECT_EQ(test, page->failed_seqno, 4);
	npu_queue_expect_page(test, ctx, 1, 0);
	npu_queue_expect_page(test, ctx, 2, EIO);
	npu_queue_expect_page(test, ctx, 3, 0);
	npu_queue_expect_page(test, ctx, 4, ECANCELED);
	KUNIT_EXPECT_EQ(test, page->jobs[4].started_ns, 0);
	KUNIT_EXPECT_EQ(test, page->flags, 0);

	for (seqno = 5; seqno <= DRM_NPU_PAGE_JOBS + 3; seqno++) {
		npu_fake_queue(fake, ctx, job);
		npu_fake_end(fake, 0, 0);
	}
	KUNIT_EXPECT_EQ(test, page->completed_seqno, seqno - 1);
	for (seqno = 4; seqno <= DRM_NPU_PAGE_JOBS + 3; seqno++)
		npu_queue_expect_page(test, ctx, seqno, seqno == 4 ? ECANCELED : 0);
}

/* The page tells of a ban. */
static void npu_queue_page_ban(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	const struct drm_npu_context_page *page = page_address(ctx->page);
	struct npu_job *job = npu_fake_job(file, 1);
	unsigned int i;

	for (i = 0; i < NPU_MAX_GUILTY; i++) {
		KUNIT_EXPECT_EQ(test, page->flags, 0);
		npu_fake_queue(fake, ctx, job);
		npu_fake_end(fake, 0, -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, page->flags, DRM_NPU_CONTEXT_BANNED);
}

/* A job that others refer to is done with at once, where there is no fence. */
static void npu_queue_retire_at_once(struct kunit *test)
{
	static const struct npu_hw_result result = { .device_ns = 1 };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, refcount_read(&job->ref), 3);
	KUNIT_EXPECT_EQ(test, refcount_read(&ctx->ref), 2);
	npu_fake_end_with(fake, 0, &result);
	KUNIT_EXPECT_EQ(test, ctx->retired, 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&job->ref), 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&ctx->ref), 2);
	npu_fake_end_with(fake, 0, &result);
	KUNIT_EXPECT_EQ(test, ctx->retired, 2);
	KUNIT_EXPECT_EQ(test, refcount_read(&job->ref), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&ctx->ref), 1);
}

/* The last reference to a job goes where it may sleep. */
static void npu_queue_retire_last(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *mine = npu_fake_job(file, 1);
	struct npu_job *job = npu_fake_job(file, 1);
	const struct npu_hw_result result = { .device_ns = 1 };

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, mine);
	npu_fake_forget_job(file, job);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->npu->job_objects), 2);
	npu_fake_end_with(fake, 0, &result);
	npu_fake_end_with(fake, 0, &result);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, ctx->signalled, 2);
	KUNIT_EXPECT_EQ(test, ctx->retired, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->npu->job_objects), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&mine->ref), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&ctx->ref), 1);
}

/* Slots are used again and again. */
static void npu_queue_wrap(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 3, THROUGHPUT);
	struct npu_job *keep = npu_fake_job(file, 1);
	unsigned int i;
	u64 seqno;

	for (i = 1; i <= 40; i++) {
		struct npu_submit *submit = NULL;
		struct npu_job *job = i % 3 ? npu_fake_job(file, 1) : keep;

		if (i % 2)
			submit = npu_queue_submit(test, ctx);
		KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
		KUNIT_EXPECT_EQ(test, seqno, i);
		if (submit)
			npu_submit_put(submit);
		npu_fake_settle(fake);
		NPU_EXPECT_RUNS(fake, 0, job, 0);
		if (job != keep)
			npu_fake_forget_job(file, job);
		npu_fake_end(fake, 0, i % 7 ? 0 : -EIO);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, i), i % 7 ? 0 : -EIO);
		KUNIT_EXPECT_EQ(test, ctx->retired, i);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->npu->job_objects), 1);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_queue_cases[] = {
	NPU_FAKE_CASE(npu_queue_limits),
	NPU_FAKE_CASE(npu_queue_again),
	NPU_FAKE_CASE(npu_queue_stale),
	NPU_FAKE_CASE(npu_queue_errors),
	NPU_FAKE_CASE(npu_queue_statistics),
	NPU_FAKE_CASE(npu_queue_clock),
	NPU_FAKE_CASE(npu_queue_page),
	NPU_FAKE_CASE(npu_queue_page_ban),
	NPU_FAKE_CASE(npu_queue_retire_at_once),
	NPU_FAKE_CASE(npu_queue_retire_last),
	NPU_FAKE_CASE(npu_queue_wrap),
	{}
};

static struct kunit_suite npu_queue_suite = {
	.name = "npu_queue",
	.test_cases = npu_queue_cases,
};

kunit_test_suite(npu_queue_suite);
