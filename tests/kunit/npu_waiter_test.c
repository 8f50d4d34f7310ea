// SPDX-License-Identifier: GPL-2.0-only
/* Threads that wait for jobs: what their number costs where interrupts are off. */
#include <linux/completion.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_waiter.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/**
 * struct npu_waiter_pause - keeps a thread of the device from doing anything
 */
struct npu_waiter_pause {
	/** @work: What the thread does instead. */
	struct kthread_work work;
	/** @end: Until when. */
	struct completion end;
};

static void npu_waiter_pause_work(struct kthread_work *work)
{
	wait_for_completion(&container_of(work, struct npu_waiter_pause, work)->end);
}

/* @count waiters of this thread for job @seqno. */
static struct npu_waiter *npu_waiter_many(struct kunit *test, struct npu_context *ctx,
					  u64 seqno, unsigned int count)
{
	struct npu_waiter *waiters;
	unsigned int i;

	waiters = kunit_kcalloc(test, count, sizeof(*waiters), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, waiters);
	for (i = 0; i < count; i++) {
		spin_lock_irq(&ctx->npu->exec->lock);
		KUNIT_EXPECT_TRUE(test, npu_waiter_begin(&waiters[i], ctx, seqno));
		spin_unlock_irq(&ctx->npu->exec->lock);
	}
	return waiters;
}

static unsigned int npu_waiter_ended(const struct npu_waiter *waiters,
				     unsigned int count)
{
	unsigned int ended = 0, i;

	for (i = 0; i < count; i++)
		ended += waiters[i].ended;
	return ended;
}

static const unsigned int npu_waiter_counts[] = { 1, 100, 10000 };

static void npu_waiter_desc(const unsigned int *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *count);
}

KUNIT_ARRAY_PARAM(npu_waiter, npu_waiter_counts, npu_waiter_desc);

/* However many wait, the interrupt wakes a few, and its thread the others. */
static void npu_waiter_interrupt(struct kunit *test)
{
	unsigned int count = *(const unsigned int *)test->param_value;
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	const struct npu_hw_result result = { .tasks = 1, .device_ns = 5 };
	struct npu_waiter_pause pause;
	struct npu_waiter *first, *second;
	unsigned int i;

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	first = npu_waiter_many(test, ctx, 1, count);
	second = npu_waiter_many(test, ctx, 2, count);
	init_completion(&pause.end);
	kthread_init_work(&pause.work, npu_waiter_pause_work);
	kthread_queue_work(fake->npu->exec->signaller, &pause.work);

	npu_fake_end_with(fake, 0, &result);
	KUNIT_EXPECT_EQ(test, npu_waiter_ended(first, count), min(count, NPU_WAITER_WAKES));
	/* The next slice has started meanwhile. */
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_EQ(test, ctx->completed, 1);
	complete(&pause.end);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_waiter_ended(first, count), count);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_EQ(test, first[i].slot.device_ns, 5);
	KUNIT_EXPECT_EQ(test, ctx->retired, 1);
	/* Nobody has looked at those that wait for the other job. */
	KUNIT_EXPECT_EQ(test, npu_waiter_ended(second, count), 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_waiter_ended(second, count), count);
	KUNIT_EXPECT_EQ(test, ctx->retired, 2);
}

/* At a time the thread wakes no more than the interrupt does. */
static void npu_waiter_pass(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_waiter *waiters;
	unsigned int i;
	bool more;

	KUNIT_EXPECT_LE(test, NPU_WAITER_WAKES, 16);
	npu_fake_queue(fake, ctx, job);
	waiters = npu_waiter_many(test, ctx, 1, 3 * NPU_WAITER_WAKES);
	for (i = 1; i <= 3; i++) {
		spin_lock_irq(&fake->npu->exec->lock);
		more = npu_waiters_wake(ctx, npu_context_slot(ctx, 1));
		spin_unlock_irq(&fake->npu->exec->lock);
		KUNIT_EXPECT_EQ(test, more, i < 3);
		KUNIT_EXPECT_EQ(test, npu_waiter_ended(waiters, 3 * NPU_WAITER_WAKES),
				i * NPU_WAITER_WAKES);
	}
	npu_fake_end(fake, 0, 0);
}

/* A waiter that gives up is forgotten, and has seen how far the job is. */
static void npu_waiter_gives_up(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_waiter *waiters;

	npu_fake_queue(fake, ctx, job);
	waiters = npu_waiter_many(test, ctx, 1, 2);
	KUNIT_EXPECT_EQ(test, npu_waiter_end(&waiters[0], 0), -ETIME);
	KUNIT_EXPECT_FALSE(test, waiters[0].ended);
	KUNIT_EXPECT_EQ(test, waiters[0].slot.started_ns, NPU_FAKE_NOW);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, waiters[0].ended);
	KUNIT_EXPECT_EQ(test, npu_waiter_end(&waiters[1], 0), 0);
	/* An ended job is not waited for. */
	spin_lock_irq(&fake->npu->exec->lock);
	KUNIT_EXPECT_FALSE(test, npu_waiter_begin(&waiters[0], ctx, 1));
	spin_unlock_irq(&fake->npu->exec->lock);
	KUNIT_EXPECT_TRUE(test, waiters[0].ended);
}

static struct kunit_case npu_waiter_cases[] = {
	KUNIT_CASE_PARAM(npu_waiter_interrupt, npu_waiter_gen_params),
	KUNIT_CASE(npu_waiter_pass),
	KUNIT_CASE(npu_waiter_gives_up),
	{}
};

static struct kunit_suite npu_waiter_suite = {
	.name = "npu_waiter",
	.test_cases = npu_waiter_cases,
};

kunit_test_suite(npu_waiter_suite);
