// SPDX-License-Identifier: GPL-2.0-only
/* Power of cores: they rest, wake, and sleep with the system. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* An idle core rests; one that has not lost its power yet starts at once. */
static void npu_power_rest(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	KUNIT_EXPECT_FALSE(test, fake->cores[0].awake);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	/* There is more to do. */
	KUNIT_EXPECT_TRUE(test, fake->cores[0].awake);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, fake->cores[0].awake);

	npu_fake_queue(fake, ctx, job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].wakes, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, npu_fake_iommu(fake, 1));
}

/* One that has lost its power is woken, and keeps its address space. */
static void npu_power_lost(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	fake->cores[0].power = false;
	npu_fake_queue(fake, ctx, job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].wakes, 2);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, npu_fake_iommu(fake, 1));
}

/* Without power the job fails, which is not its context's fault. */
static void npu_power_fails(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	fake->cores[0].power = false;
	fake->cores[0].wake_error = -ENXIO;
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -EIO);
	KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 1);
	/* Nothing was started that would have to be stopped. */
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);

	/* Whatever it had, it gets it anew. */
	npu_fake_queue(fake, ctx, job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 3), 0);
	KUNIT_EXPECT_EQ(test, !!fake->cores[0].vm, npu_fake_iommu(fake, 1));
}

/* A core that does not wake for another file keeps nothing of the one before. */
static void npu_power_wake_fails_for_other(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *one = npu_fake_open(fake);
	struct npu_fake_file *two = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(one, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(two, 1, 8, THROUGHPUT);
	struct npu_job *first = npu_fake_job(one, 1);
	struct npu_job *second = npu_fake_job(two, 1);

	npu_fake_queue(fake, a, first);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_PTR_EQ(test, fake->cores[0].vm, one->npu.vm->hw);
	fake->cores[0].power = false;
	fake->cores[0].wake_error = -ETIMEDOUT;
	npu_fake_queue(fake, b, second);
	KUNIT_EXPECT_EQ(test, npu_fake_error(b, 1), -EIO);
	/* Its address space may be destroyed now. */
	KUNIT_EXPECT_NULL(test, fake->cores[0].vm);
	npu_fake_queue(fake, a, first);
	NPU_EXPECT_RUNS(fake, 0, first, 0);
	npu_fake_end(fake, 0, 0);
}

/* An end that nobody told of is found before the core is taken to hang. */
static void npu_power_lost_interrupt(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_job *next = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, next);
	fake->cores[0].lost = true;
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	NPU_EXPECT_RUNS(fake, 0, next, 0);
	/* The next does hang. */
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
}

/**
 * struct npu_power_suspend - a suspend, in a thread of its own
 */
struct npu_power_suspend {
	/** @work: The thread's work. */
	struct work_struct work;
	/** @npu: The device. */
	struct npu_device *npu;
	/** @done: It is suspended. */
	struct completion done;
};

static void npu_power_suspend_work(struct work_struct *work)
{
	struct npu_power_suspend *suspend =
		container_of(work, struct npu_power_suspend, work);

	npu_device_suspend(suspend->npu);
	complete(&suspend->done);
}

/* What runs ends before the system sleeps; what is queued waits until it wakes. */
static void npu_power_suspend(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_job *next = npu_fake_job(file, 1);
	struct npu_power_suspend suspend = { .npu = fake->npu };

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, next);
	INIT_WORK_ONSTACK(&suspend.work, npu_power_suspend_work);
	init_completion(&suspend.done);
	queue_work(system_long_wq, &suspend.work);
	while (!READ_ONCE(fake->npu->exec->frozen))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_FALSE(test, completion_done(&suspend.done));
	NPU_EXPECT_RUNS(fake, 0, job, 0);

	npu_fake_end(fake, 0, 0);
	wait_for_completion(&suspend.done);
	destroy_work_on_stack(&suspend.work);
	NPU_EXPECT_IDLE(fake, 0);
	KUNIT_EXPECT_FALSE(test, fake->cores[0].awake);
	/* Nor does what comes now start. */
	npu_fake_queue(fake, ctx, next);
	NPU_EXPECT_IDLE(fake, 0);

	npu_device_resume(fake->npu);
	NPU_EXPECT_RUNS(fake, 0, next, 0);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 3), 0);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_power_cases[] = {
	NPU_FAKE_CASE(npu_power_rest),
	NPU_FAKE_CASE(npu_power_lost),
	NPU_FAKE_CASE(npu_power_fails),
	KUNIT_CASE(npu_power_wake_fails_for_other),
	NPU_FAKE_CASE(npu_power_lost_interrupt),
	NPU_FAKE_CASE(npu_power_suspend),
	{}
};

static struct kunit_suite npu_power_suite = {
	.name = "npu_power",
	.test_cases = npu_power_cases,
};

kunit_test_suite(npu_power_suite);
