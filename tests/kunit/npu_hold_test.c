// SPDX-License-Identifier: GPL-2.0-only
/* The gate of debugfs: lanes end when it lets them, and only then. */
#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_hold.h"
#include "../../driver/core/exec/npu_job.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* A core keeps a lane that has ended; when the gate opens, the next lane starts. */
static void npu_hold_keeps(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_hold_set(fake->npu, 1, 0);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(a, 1));
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 1);
	/* Other cores have nothing to do with it. */
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(b, 1));

	npu_hold_set(fake->npu, 0, 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(a, 1));
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 2);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(a, 2));
}

/* So many lanes may end as the gate lets pass, those held back included. */
static void npu_hold_passes(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	unsigned int i;

	npu_hold_set(fake->npu, 1, 0);
	for (i = 0; i < 5; i++)
		npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_hold_set(fake->npu, 1, 3);
	npu_fake_settle(fake);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 1));
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 3));
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 4));
	KUNIT_EXPECT_EQ(test, fake->npu->exec->cores[0].pass, 0);
	npu_hold_set(fake->npu, 0, 0);
	npu_fake_settle(fake);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 5));
}

/* A lane that fails keeps its error, and its core is reset when it may end. */
static void npu_hold_error(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_hold_set(fake->npu, 1, 0);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, -EFAULT);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
	npu_hold_set(fake->npu, 0, 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EFAULT);
}

/* What is cancelled need not wait; its end is nobody else's. */
static void npu_hold_cancel(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	u32 cancelled;

	npu_hold_set(fake->npu, 1, 0);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 1, &cancelled), 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	/* The second runs, and has not ended. */
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_hold_set(fake->npu, 0, 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 2));
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
}

/* The watchdog waits for the gate, and looks anew when it is open. */
static void npu_hold_watchdog(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_hold_set(fake->npu, 1, 0);
	npu_fake_queue(fake, ctx, job);
	npu_hold_expire(fake->npu, 1);
	npu_fake_settle(fake);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_hold_set(fake->npu, 0, 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
	npu_hold_expire(fake->npu, 1);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 1);
}

/* Patience ends with the lanes of the cores that are named, and no others. */
static void npu_hold_expires(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	/* Progress is no excuse; an idle core has nothing to lose. */
	fake->cores[1].progress++;
	npu_hold_expire(fake->npu, 6);
	npu_fake_settle(fake);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(a, 1));
	KUNIT_EXPECT_EQ(test, npu_fake_error(b, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake->cores[2].resets, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(a, 1), 0);
}

/* The device may go while a lane is held back, and the gate be opened then. */
static void npu_hold_unplug(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_hold_set(fake->npu, 1, 0);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ENODEV);
	npu_hold_release(fake->npu);
	KUNIT_EXPECT_EQ(test, fake->npu->exec->hold.cores, 0);
}

/* One controls it; whoever comes next finds it open. */
static void npu_hold_one(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);

	KUNIT_EXPECT_EQ(test, npu_hold_take(fake->npu), 0);
	npu_hold_set(fake->npu, 1, 5);
	KUNIT_EXPECT_EQ(test, npu_hold_take(fake->npu), -EBUSY);
	KUNIT_EXPECT_EQ(test, fake->npu->exec->hold.cores, 1);
	npu_hold_release(fake->npu);
	KUNIT_EXPECT_EQ(test, npu_hold_take(fake->npu), 0);
	KUNIT_EXPECT_EQ(test, fake->npu->exec->hold.cores, 0);
	KUNIT_EXPECT_EQ(test, fake->npu->exec->cores[0].pass, 0);
	npu_hold_release(fake->npu);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_hold_cases[] = {
	NPU_FAKE_CASE(npu_hold_keeps),
	NPU_FAKE_CASE(npu_hold_passes),
	NPU_FAKE_CASE(npu_hold_error),
	NPU_FAKE_CASE(npu_hold_cancel),
	NPU_FAKE_CASE(npu_hold_watchdog),
	NPU_FAKE_CASE(npu_hold_expires),
	NPU_FAKE_CASE(npu_hold_unplug),
	NPU_FAKE_CASE(npu_hold_one),
	{}
};

static struct kunit_suite npu_hold_suite = {
	.name = "npu_hold",
	.test_cases = npu_hold_cases,
};

kunit_test_suite(npu_hold_suite);
