// SPDX-License-Identifier: GPL-2.0-only
/* Starts that the hardware takes no notice of. */
#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "npu_fake.h"

/* A context whose job has been started. */
struct npu_begin {
	struct npu_fake *fake;
	struct npu_context *ctx;
	struct npu_job *job;
	struct npu_core *core;
};

static void npu_begin_start(struct kunit *test, struct npu_begin *begin)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);

	npu_fake_may_not_begin(fake);
	begin->fake = fake;
	begin->core = &fake->npu->exec->cores[0];
	begin->ctx = npu_fake_context(file, 1, 8, DRM_NPU_CLASS_THROUGHPUT);
	begin->job = npu_fake_job(file, 1);
	fake->cores[0].unbegun = true;
	npu_fake_queue(fake, begin->ctx, begin->job);
	NPU_EXPECT_RUNS(fake, 0, begin->job, 0);
}

/* Have the watchdog look at a start that is @age old. */
static void npu_begin_look(struct npu_begin *begin, unsigned long age)
{
	struct npu_core *core = begin->core;

	spin_lock_irq(&core->npu->exec->lock);
	core->kicked = jiffies - age;
	core->watched = true;
	kthread_mod_delayed_work(core->worker, &core->watchdog, 0);
	spin_unlock_irq(&core->npu->exec->lock);
	npu_fake_settle(begin->fake);
}

/* The core is reset and started again: one slice, and no guilt of the context. */
static void npu_begin_again(struct kunit *test)
{
	struct npu_begin begin;
	struct npu_fake_core *core;

	npu_begin_start(test, &begin);
	core = &begin.fake->cores[0];
	npu_begin_look(&begin, HZ);
	KUNIT_EXPECT_EQ(test, core->resets, 1);
	KUNIT_EXPECT_EQ(test, core->kicks, 2);
	NPU_EXPECT_RUNS(begin.fake, 0, begin.job, 0);
	npu_fake_end(begin.fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(begin.ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, begin.ctx->stats.slices, 1);
	KUNIT_EXPECT_EQ(test, begin.ctx->stats.guilty_jobs, 0);
	KUNIT_EXPECT_EQ(test, begin.ctx->stats.busy_ns, NPU_FAKE_LANE_NS);
}

/* The second start is the last: whether it hangs is what the watchdog finds. */
static void npu_begin_never(struct kunit *test)
{
	struct npu_begin begin;
	struct npu_fake_core *core;

	npu_begin_start(test, &begin);
	core = &begin.fake->cores[0];
	npu_begin_look(&begin, HZ);
	npu_begin_look(&begin, HZ);
	KUNIT_EXPECT_EQ(test, core->resets, 1);
	KUNIT_EXPECT_EQ(test, core->kicks, 2);
	spin_lock_irq(&begin.core->npu->exec->lock);
	npu_core_expire(begin.core);
	spin_unlock_irq(&begin.core->npu->exec->lock);
	npu_fake_settle(begin.fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(begin.ctx, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, core->kicks, 2);
}

/* The next job of the core has two starts as well. */
static void npu_begin_next_job(struct kunit *test)
{
	struct npu_begin begin;
	unsigned int i;

	npu_begin_start(test, &begin);
	for (i = 1; i <= 3; i++) {
		npu_begin_look(&begin, HZ);
		KUNIT_EXPECT_EQ(test, begin.fake->cores[0].kicks, 2 * i);
		npu_fake_end(begin.fake, 0, 0);
		KUNIT_EXPECT_EQ(test, npu_fake_error(begin.ctx, i), 0);
		npu_fake_queue(begin.fake, begin.ctx, begin.job);
	}
	npu_fake_end(begin.fake, 0, 0);
}

/* A slice that has begun is left alone, even if it does not look so later. */
static void npu_begin_begun(struct kunit *test)
{
	struct npu_begin begin;

	npu_begin_start(test, &begin);
	begin.fake->cores[0].unbegun = false;
	npu_begin_look(&begin, HZ);
	begin.fake->cores[0].unbegun = true;
	npu_begin_look(&begin, HZ);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].kicks, 1);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].resets, 0);
	npu_fake_end(begin.fake, 0, 0);
}

/* A chain that has moved on has begun, whatever the counter of tasks says. */
static void npu_begin_progress(struct kunit *test)
{
	struct npu_begin begin;

	npu_begin_start(test, &begin);
	begin.fake->cores[0].progress++;
	npu_begin_look(&begin, HZ);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].kicks, 1);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].resets, 0);
	npu_fake_end(begin.fake, 0, 0);
}

static void npu_begin_cancel(struct npu_fake *fake, unsigned int core)
{
	u32 count;

	KUNIT_EXPECT_EQ(fake->test, npu_queue_cancel(fake->data, 1, 1, &count), 0);
	KUNIT_EXPECT_EQ(fake->test, count, 1);
}

/* A job that is cancelled while its core is reset is not started again. */
static void npu_begin_cancelled(struct kunit *test)
{
	struct npu_begin begin;

	npu_begin_start(test, &begin);
	begin.fake->data = begin.ctx;
	begin.fake->during_reset = npu_begin_cancel;
	npu_begin_look(&begin, HZ);
	KUNIT_EXPECT_EQ(test, npu_fake_error(begin.ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].kicks, 1);
	KUNIT_EXPECT_EQ(test, begin.fake->cores[0].resets, 1);
}

static struct kunit_case npu_begin_cases[] = {
	KUNIT_CASE(npu_begin_again),
	KUNIT_CASE(npu_begin_never),
	KUNIT_CASE(npu_begin_next_job),
	KUNIT_CASE(npu_begin_begun),
	KUNIT_CASE(npu_begin_progress),
	KUNIT_CASE(npu_begin_cancelled),
	{ }
};

static struct kunit_suite npu_begin_suite = {
	.name = "npu_begin",
	.test_cases = npu_begin_cases,
};

kunit_test_suite(npu_begin_suite);
