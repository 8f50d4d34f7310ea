// SPDX-License-Identifier: GPL-2.0-only
/* Jobs that do not end well: they fail, are cancelled, killed, banned. */
#include <kunit/test.h>

#include "../../driver/core/exec/npu_client.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_submit.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* A job that fails does not stop the next; the first error is the submit's. */
static void npu_end_first_error_of_submit(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *jobs[] = {
		npu_fake_job(file, 1), npu_fake_job(file, 1),
		npu_fake_job(file, 1), npu_fake_job(file, 1),
	};
	static const int errors[] = { 0, -EIO, -EFAULT, 0 };
	struct npu_submit *submit = npu_submit_alloc(ctx, 0);
	unsigned int i;
	u64 seqno;

	KUNIT_ASSERT_NOT_NULL(test, submit);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, jobs, 4, submit, &seqno), 0);
	npu_fake_settle(fake);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), 0);
		NPU_EXPECT_RUNS(fake, 0, jobs[i], 0);
		npu_fake_end(fake, 0, errors[i]);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, i + 1), errors[i]);
	}
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), -EIO);
	npu_submit_put(submit);
}

/* The error of a submit is not the next one's. */
static void npu_end_error_stays(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *bad = npu_submit_alloc(ctx, 0);
	struct npu_submit *good = npu_submit_alloc(ctx, 0);
	u64 seqno;

	KUNIT_ASSERT_NOT_NULL(test, bad);
	KUNIT_ASSERT_NOT_NULL(test, good);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, bad, &seqno), 0);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, good, &seqno), 0);
	npu_fake_settle(fake);
	npu_fake_end(fake, 0, -EIO);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&bad->fence), -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&good->fence), 1);
	npu_submit_put(bad);
	npu_submit_put(good);
}

/* After a lane has failed no other lane of the job starts. */
static void npu_end_rest_of_lanes(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 3);
	struct npu_job *next = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, next);
	npu_fake_end(fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EIO);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 2);
	NPU_EXPECT_RUNS(fake, 0, next, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
}

/* Lanes that run when another fails run on; then the job ends. */
static void npu_end_lanes_that_run(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *other = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 3);
	struct npu_job *next = npu_fake_job(file, 1);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, next);
	npu_fake_queue(fake, other, job);
	npu_fake_end(fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, fake->cores[1].resets, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 1);
	/* Not the third lane, nor the next job, but another context's. */
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	NPU_EXPECT_RUNS(fake, 1, wide, 1);
	npu_fake_end(fake, 1, -EFAULT);
	/* The first error stays, the fault counts. */
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EIO);
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 1);
	NPU_EXPECT_RUNS(fake, 1, next, 0);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
}

/* The dispatcher skips jobs that were cancelled in the queue. */
static void npu_end_cancel_queued(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *jobs[5];
	unsigned int i;
	u32 count = 99;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = npu_fake_job(file, 1);
		npu_fake_queue(fake, ctx, jobs[i]);
	}
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 2, 4, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 3);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, jobs[0], 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	/* In order: not before the one that runs. */
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 1);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	for (i = 2; i <= 4; i++)
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, i), -ECANCELED);
	NPU_EXPECT_RUNS(fake, 0, jobs[4], 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 5), 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.failed_jobs, 3);
}

/* A job that is cancelled while it runs ends its slice, and is charged for it. */
static void npu_end_cancel_running(struct kunit *test)
{
	static const u32 counts[] = { 2, 1, 1 };
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *other = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *ctx = npu_fake_context(file, 6, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_job *wide = npu_fake_job_of(file, 3, counts);
	u32 count;

	fake->policy.slice_us = 1;
	npu_fake_queue(fake, other, job);
	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 1, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 1);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 1);
	NPU_EXPECT_SLICE(fake, 1, wide, 0, 0, 1);
	NPU_EXPECT_RUNS(fake, 2, wide, 1);
	npu_fake_work(fake, 1, 700);
	/* No other slice of it is started, nor the job behind it before its end. */
	NPU_EXPECT_IDLE(fake, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 1);
	npu_fake_work(fake, 2, 800);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake->cores[1].resets + fake->cores[2].resets, 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.busy_ns, 1500);
	KUNIT_EXPECT_EQ(test, file->npu.client->stats.busy_ns, 1500);
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 0);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_running(fake, 1) + npu_fake_running(fake, 2),
			npu_fake_token(job, 0));
	npu_fake_end(fake, npu_fake_running(fake, 1) ? 1 : 2, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
	npu_fake_end(fake, 0, 0);
}

/* A slice that does not end is reset, and its client is to blame, cancelled or not. */
static void npu_end_cancel_hung(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	u32 count;

	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 1, &count), 0);
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 1);
}

/* Ranges: what has ended does not count, what is to come is refused. */
static void npu_end_cancel_range(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	u32 count = 99;
	unsigned int i;

	for (i = 0; i < 4; i++)
		npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 5, &count), -ENOENT);
	KUNIT_EXPECT_EQ(test, count, 99);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 2, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 4, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 2);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 3), -ECANCELED);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 4), -ECANCELED);
	NPU_EXPECT_IDLE(fake, 0);
	/* The context goes on. */
	npu_fake_queue(fake, ctx, job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
}

static void npu_end_cancel_first(struct npu_fake *fake, unsigned int core)
{
	u32 count;

	KUNIT_EXPECT_EQ(fake->test, npu_queue_cancel(fake->data, 1, 1, &count), 0);
	KUNIT_EXPECT_EQ(fake->test, count, 1);
}

/* A job cancelled while its address space is attached is never kicked. */
static void npu_end_cancel_attaching(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);

	fake->data = ctx;
	fake->during_attach = npu_end_cancel_first;
	npu_fake_queue(fake, ctx, a);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	npu_fake_queue(fake, ctx, b);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	/* The address space was attached nevertheless. */
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 1);
	npu_fake_end(fake, 0, 0);
}

/* A job that is cancelled before its core is reset ends with ECANCELED, as the call reports. */
static void npu_end_cancel_failing(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	fake->data = ctx;
	fake->during_reset = npu_end_cancel_first;
	npu_fake_end(fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	KUNIT_EXPECT_EQ(test, ctx->completed, 1);
}

/* A context whose id goes finishes what runs. */
static void npu_end_kill(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 2);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, job);
	npu_queue_kill(ctx, false);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	NPU_EXPECT_RUNS(fake, 0, wide, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, wide, 1);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -ECANCELED);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 2);
}

/* A file that is closed starts no more of what runs. */
static void npu_end_kill_running(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *idle = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 2);

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, wide);
	npu_queue_kill(ctx, true);
	npu_queue_kill(idle, true);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 1);
	npu_fake_end(fake, 1, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[1].resets, 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.busy_ns, 2 * NPU_FAKE_LANE_NS);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -ECANCELED);
	KUNIT_EXPECT_EQ(test, ctx->retired, 2);
}

/* The queue keeps a context whose id is gone. */
static void npu_end_last_reference(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_context *ctx;

	ctx = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_queue_kill(ctx, false);
	npu_context_put(ctx);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->npu->context_objects), 1);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake->npu->context_objects), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&job->ref), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->npu->exec->contexts));
}

/* A client that hangs or faults too often is banned, alone. */
static void npu_end_ban(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_file *others = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *other = npu_fake_context(others, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_job *good = npu_fake_job(others, 1);
	unsigned int i;
	u64 seqno;

	for (i = 0; i < NPU_MAX_GUILTY + 2; i++)
		npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, other, good);
	for (i = 0; i < NPU_MAX_GUILTY; i++) {
		KUNIT_EXPECT_EQ(test, ctx->stats.flags, 0);
		KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, i);
		npu_fake_end(fake, 0, i % 2 ? -EFAULT : -ETIMEDOUT);
	}
	KUNIT_EXPECT_EQ(test, ctx->stats.flags, DRM_NPU_CONTEXT_BANNED);
	NPU_EXPECT_RUNS(fake, 0, good, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_IDLE(fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, NPU_MAX_GUILTY + 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, NPU_MAX_GUILTY + 2), -ECANCELED);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, &job, 1, NULL, &seqno), -EIO);
	KUNIT_EXPECT_EQ(test, npu_fake_error(other, 1), 0);
	KUNIT_EXPECT_EQ(test, other->stats.flags, 0);
	npu_fake_queue(fake, other, good);
	NPU_EXPECT_RUNS(fake, 0, good, 0);
	npu_fake_end(fake, 0, 0);
}

/* Guilt counts for the file, so that its other contexts are banned as well. */
static void npu_end_ban_file(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx[NPU_MAX_GUILTY + 1], *running;
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_job *wide = npu_fake_job(file, 2);
	unsigned int i;
	u64 seqno;

	running = npu_fake_context(file, 2, 8, THROUGHPUT);
	npu_fake_queue(fake, running, wide);
	npu_fake_queue(fake, running, job);
	for (i = 0; i < NPU_MAX_GUILTY; i++) {
		ctx[i] = npu_fake_context(file, 1, 8, THROUGHPUT);
		npu_fake_queue(fake, ctx[i], job);
	}
	ctx[i] = npu_fake_context(file, 1, 32, THROUGHPUT);
	for (i = 0; i < 32; i++)
		npu_fake_queue(fake, ctx[NPU_MAX_GUILTY], job);
	for (i = 0; i < NPU_MAX_GUILTY; i++) {
		KUNIT_EXPECT_EQ(test, running->stats.flags, 0);
		npu_fake_end(fake, 0, -EFAULT);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx[i], 1), -EFAULT);
		KUNIT_EXPECT_EQ(test, ctx[i]->stats.guilty_jobs, 1);
	}
	/* However many it has queued. */
	NPU_EXPECT_IDLE(fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx[i], 32), -ECANCELED);
	KUNIT_EXPECT_EQ(test, ctx[i]->stats.flags, DRM_NPU_CONTEXT_BANNED);
	KUNIT_EXPECT_EQ(test, ctx[i]->stats.guilty_jobs, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx[i], &job, 1, NULL, &seqno), -EIO);
	KUNIT_EXPECT_EQ(test, PTR_ERR(npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0)),
			-EIO);
	/* Jobs that have begun go on. */
	npu_fake_end(fake, 1, 0);
	NPU_EXPECT_RUNS(fake, 1, wide, 1);
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(running, 1), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(running, 2), -ECANCELED);
}

/* Destroyed contexts count while a job of theirs that has begun is not done. */
static void npu_end_context_limit(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *contexts[NPU_MAX_CONTEXTS + 1], *more;
	static const u32 two = 2;
	struct npu_job *job = npu_fake_job_of(file, 1, &two);
	unsigned int i;

	fake->policy.slice_us = 1;
	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		contexts[i] = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, contexts[i]);
		npu_fake_queue(fake, contexts[i], job);
	}
	/* Each begins, and none ends. */
	for (i = 0; i < ARRAY_SIZE(contexts); i++)
		npu_fake_work(fake, 0, NPU_FAKE_LANE_NS);
	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		KUNIT_EXPECT_EQ(test, npu_fake_error(contexts[i], 1), 1);
		npu_queue_kill(contexts[i], false);
		npu_context_put(contexts[i]);
	}
	more = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(more), -ENOSPC);
	/* When the first has ended, there is room for another. */
	npu_fake_work(fake, 0, NPU_FAKE_LANE_NS);
	more = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(more));
	if (!IS_ERR_OR_NULL(more))
		npu_context_put(more);
	for (i = 1; i < ARRAY_SIZE(contexts); i++)
		npu_fake_work(fake, 0, NPU_FAKE_LANE_NS);
	KUNIT_EXPECT_EQ(test, file->npu.client->context_count, 0);
}

/* Errors that no context caused count as no guilt. */
static void npu_end_no_guilt(struct kunit *test)
{
	static const int errors[] = { -EIO, -ENOMEM, -ECANCELED };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		npu_fake_queue(fake, ctx, job);
		npu_fake_end(fake, 0, errors[i]);
	}
	for (i = 0; i < NPU_MAX_GUILTY; i++) {
		struct npu_fake_fence *fence = npu_fake_fence(test);
		struct npu_submit *submit = npu_submit_alloc(ctx, 1);
		u64 seqno;

		KUNIT_ASSERT_NOT_NULL(test, submit);
		npu_submit_depend(submit, dma_fence_get(&fence->base), false);
		KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
		npu_submit_put(submit);
		npu_fake_signal(fence, -EFAULT);
		npu_fake_settle(fake);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, seqno), -EFAULT);
	}
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.flags, 0);
}

/* The first known location of a fault is kept with the job. */
static void npu_end_fault(struct kunit *test)
{
	static const u32 counts[] = { 1, 6 };
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job_of(file, 2, counts);
	const struct npu_fault *fault = &npu_context_slot(ctx, 1)->fault;
	struct npu_hw_result result = { .error = -EFAULT };

	fake->policy.slice_us = 3;
	npu_fake_queue(fake, ctx, job);
	/* The lane that is longest goes first. */
	NPU_EXPECT_SLICE(fake, 0, job, 1, 0, 3);
	npu_fake_work(fake, 0, 3 * NPU_FAKE_LANE_NS);
	NPU_EXPECT_SLICE(fake, 0, job, 1, 3, 3);
	result.fault.located = true;
	result.fault.task = 2;
	result.fault.addressed = true;
	result.fault.addr = 0x1234567890ull;
	npu_fake_end_with(fake, 0, &result);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, fault->flags,
			DRM_NPU_JOB_FAULT_TASK | DRM_NPU_JOB_FAULT_ADDRESS);
	KUNIT_EXPECT_EQ(test, fault->lane, 1);
	KUNIT_EXPECT_EQ(test, fault->task, 5);
	KUNIT_EXPECT_EQ(test, fault->task_count, 1);
	KUNIT_EXPECT_EQ(test, fault->addr, 0x1234567890ull);
	/* The first counts. */
	npu_fake_end(fake, 1, -EFAULT);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, fault->lane, 1);

	/* Of a slice that hangs it is one of its tasks. */
	npu_fake_queue(fake, ctx, job);
	npu_fake_look(fake, 0);
	fault = &npu_context_slot(ctx, 2)->fault;
	KUNIT_EXPECT_EQ(test, fault->flags, DRM_NPU_JOB_FAULT_TASK);
	KUNIT_EXPECT_EQ(test, fault->lane, 1);
	KUNIT_EXPECT_EQ(test, fault->task, 0);
	KUNIT_EXPECT_EQ(test, fault->task_count, 3);
	KUNIT_EXPECT_EQ(test, fault->addr, 0);
	npu_fake_end(fake, 1, 0);

	npu_fake_queue(fake, ctx, npu_fake_job(file, 1));
	npu_fake_end(fake, npu_fake_running(fake, 1) ? 1 : 0, 0);
	KUNIT_EXPECT_EQ(test, npu_context_slot(ctx, 3)->fault.flags, 0);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_end_cases[] = {
	NPU_FAKE_CASE(npu_end_first_error_of_submit),
	NPU_FAKE_CASE(npu_end_error_stays),
	NPU_FAKE_CASE(npu_end_rest_of_lanes),
	NPU_FAKE_CASE(npu_end_lanes_that_run),
	NPU_FAKE_CASE(npu_end_cancel_queued),
	NPU_FAKE_CASE(npu_end_cancel_running),
	NPU_FAKE_CASE(npu_end_cancel_hung),
	NPU_FAKE_CASE(npu_end_cancel_range),
	KUNIT_CASE(npu_end_cancel_attaching),
	NPU_FAKE_CASE(npu_end_cancel_failing),
	NPU_FAKE_CASE(npu_end_kill),
	NPU_FAKE_CASE(npu_end_kill_running),
	NPU_FAKE_CASE(npu_end_last_reference),
	NPU_FAKE_CASE(npu_end_ban),
	NPU_FAKE_CASE(npu_end_ban_file),
	NPU_FAKE_CASE(npu_end_context_limit),
	NPU_FAKE_CASE(npu_end_no_guilt),
	KUNIT_CASE(npu_end_fault),
	{}
};

static struct kunit_suite npu_end_suite = {
	.name = "npu_end",
	.test_cases = npu_end_cases,
};

kunit_test_suite(npu_end_suite);
