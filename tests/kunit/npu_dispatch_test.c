// SPDX-License-Identifier: GPL-2.0-only
/* Which core gets which lane, and when. */
#include <linux/jiffies.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_client.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* The jobs of a context run one by one, also if cores are idle. */
static void npu_dispatch_order(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 7, 8, THROUGHPUT);
	struct npu_job *jobs[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i] = npu_fake_job(file, 1);
		KUNIT_EXPECT_EQ(test, npu_fake_queue(fake, ctx, jobs[i]), i + 1);
	}
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		NPU_EXPECT_RUNS(fake, 0, jobs[i], 0);
		NPU_EXPECT_IDLE(fake, 1);
		NPU_EXPECT_IDLE(fake, 2);
		KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, i + 1));
		npu_fake_end(fake, 0, 0);
		KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, i + 1));
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, i + 1), 0);
	}
	NPU_EXPECT_IDLE(fake, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 3);
}

/* A job may be submitted again before it has ended. */
static void npu_dispatch_same_job(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	NPU_EXPECT_RUNS(fake, 1, job, 0);
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(b, 1));
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(a, 1));
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(a, 2));
}

/* All that a core is told about its lane. */
static void npu_dispatch_kick(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	static const u32 task_counts[] = { 1, 17 };
	struct npu_job *job = npu_fake_job_of(file, 2, task_counts);
	/* The one with most to do goes first. */
	const struct npu_hw_lane *lane = &fake->cores[0].lane;

	job->lanes[1].tasks->stream += 0x40;
	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_EQ(test, lane->stream, job->lanes[1].tasks->stream);
	KUNIT_EXPECT_EQ(test, lane->stream_words, job->lanes[1].tasks->stream_words);
	KUNIT_EXPECT_EQ(test, lane->task_count, 17);
	KUNIT_EXPECT_EQ(test, lane->job_lanes, 2);
	KUNIT_EXPECT_EQ(test, fake->cores[1].lane.task_count, 1);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
}

/* The lanes of a job run side by side; the next job waits for all of them. */
static void npu_dispatch_lanes(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 7, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 3);
	struct npu_job *next = npu_fake_job(file, 1);
	static const unsigned int order[] = { 2, 0, 1 };
	unsigned int i;

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, next);
	for (i = 0; i < 3; i++)
		NPU_EXPECT_RUNS(fake, i, wide, i);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
		KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 1);
		npu_fake_end(fake, order[i], 0);
	}
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 1));
	NPU_EXPECT_RUNS(fake, 0, next, 0);
	npu_fake_end(fake, 0, 0);
}

/* More lanes than cores: each core that gets free takes the next. */
static void npu_dispatch_lanes_of_few_cores(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 6, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 3);

	npu_fake_queue(fake, ctx, job);
	NPU_EXPECT_IDLE(fake, 0);
	NPU_EXPECT_RUNS(fake, 1, job, 0);
	NPU_EXPECT_RUNS(fake, 2, job, 1);
	npu_fake_end(fake, 2, 0);
	NPU_EXPECT_IDLE(fake, 0);
	NPU_EXPECT_RUNS(fake, 2, job, 2);
	npu_fake_end(fake, 2, 0);
	NPU_EXPECT_IDLE(fake, 2);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 1));
}

/* Contexts run side by side, each on the cores of its mask. */
static void npu_dispatch_masks(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *last = npu_fake_context(file, 4, 8, THROUGHPUT);
	struct npu_context *upper = npu_fake_context(file, 6, 8, THROUGHPUT);
	struct npu_context *all = npu_fake_context(file, 7, 8, THROUGHPUT);
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);
	struct npu_job *c = npu_fake_job(file, 1);
	struct npu_job *d = npu_fake_job(file, 1);

	npu_fake_queue(fake, last, a);
	NPU_EXPECT_IDLE(fake, 0);
	NPU_EXPECT_IDLE(fake, 1);
	NPU_EXPECT_RUNS(fake, 2, a, 0);
	npu_fake_queue(fake, upper, b);
	NPU_EXPECT_RUNS(fake, 1, b, 0);
	npu_fake_queue(fake, last, d);
	npu_fake_queue(fake, all, c);
	NPU_EXPECT_RUNS(fake, 0, c, 0);
	/* A context that may use core 2 only waits for it. */
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
	NPU_EXPECT_IDLE(fake, 0);
	NPU_EXPECT_IDLE(fake, 1);
	npu_fake_end(fake, 2, 0);
	NPU_EXPECT_RUNS(fake, 2, d, 0);
	npu_fake_end(fake, 2, 0);
}

/* Priority comes before age. */
static void npu_dispatch_ranks(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *low = npu_fake_context(file, 1, 8, DRM_NPU_CLASS_BACKGROUND);
	struct npu_context *other = npu_fake_context(file, 1, 8, DRM_NPU_CLASS_BACKGROUND);
	struct npu_context *normal = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *high = npu_fake_context(file, 1, 8, DRM_NPU_CLASS_LATENCY);
	struct npu_job *jobs[6];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = npu_fake_job(file, 1);
	npu_fake_queue(fake, low, jobs[0]);
	npu_fake_queue(fake, low, jobs[5]);
	npu_fake_queue(fake, other, jobs[4]);
	npu_fake_queue(fake, normal, jobs[3]);
	npu_fake_queue(fake, high, jobs[1]);
	npu_fake_queue(fake, high, jobs[2]);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		NPU_EXPECT_RUNS(fake, 0, jobs[i], 0);
		npu_fake_end(fake, 0, 0);
	}
}

/* A job of many lanes gives way, between its lanes, to a higher priority. */
static void npu_dispatch_rank_between_lanes(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *normal = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *high = npu_fake_context(file, 1, 8, DRM_NPU_CLASS_LATENCY);
	struct npu_job *wide = npu_fake_job(file, 2);
	struct npu_job *urgent = npu_fake_job(file, 1);

	npu_fake_queue(fake, normal, wide);
	npu_fake_queue(fake, high, urgent);
	NPU_EXPECT_RUNS(fake, 0, wide, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, urgent, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, wide, 1);
	npu_fake_end(fake, 0, 0);
}

/* Contexts of a priority take turns, in the order they became ready. */
static void npu_dispatch_turns(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx[3];
	struct npu_job *jobs[2][3];
	unsigned int turn, i;

	for (i = 0; i < 3; i++) {
		ctx[i] = npu_fake_context(file, 1, 8, THROUGHPUT);
		for (turn = 0; turn < 2; turn++) {
			jobs[turn][i] = npu_fake_job(file, 1);
			npu_fake_queue(fake, ctx[i], jobs[turn][i]);
		}
	}
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < 3; i++) {
			NPU_EXPECT_RUNS(fake, 0, jobs[turn][i], 0);
			npu_fake_end(fake, 0, 0);
		}
	}
}

/* All jobs of a submit are there at once. */
static void npu_dispatch_batch(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *jobs[8];
	unsigned int i;
	u64 seqno = 0;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = npu_fake_job(file, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx, jobs, 8, NULL, &seqno), 0);
	KUNIT_EXPECT_EQ(test, seqno, 8);
	npu_fake_settle(fake);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		NPU_EXPECT_RUNS(fake, 0, jobs[i], 0);
		npu_fake_end(fake, 0, 0);
	}
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 8));
}

/* A core gets another address space only when it needs another. */
static void npu_dispatch_attach(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *one = npu_fake_open(fake);
	struct npu_fake_file *two = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(one, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(one, 1, 8, THROUGHPUT);
	struct npu_context *c = npu_fake_context(two, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(one, 1);
	struct npu_job *other = npu_fake_job(two, 1);
	const struct npu_fake_core *core = &fake->cores[0];

	KUNIT_EXPECT_EQ(test, core->attaches, 0);
	npu_fake_queue(fake, a, job);
	KUNIT_EXPECT_EQ(test, core->attaches, 1);
	KUNIT_EXPECT_PTR_EQ(test, core->vm, one->npu.vm->hw);
	npu_fake_end(fake, 0, 0);
	npu_fake_queue(fake, b, job);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, core->attaches, 1);
	npu_fake_queue(fake, c, other);
	KUNIT_EXPECT_EQ(test, core->attaches, 2);
	KUNIT_EXPECT_PTR_EQ(test, core->vm, two->npu.vm->hw);
	npu_fake_queue(fake, c, other);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, core->attaches, 2);
	npu_fake_queue(fake, a, job);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, core->attaches, 3);
	KUNIT_EXPECT_EQ(test, fake->cores[1].attaches, 0);
}

/* A core stays with its address space, but not for ever. */
static void npu_dispatch_stay(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *one = npu_fake_open(fake);
	struct npu_fake_file *two = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(one, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(two, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(one, 1);
	struct npu_job *other = npu_fake_job(two, 1);
	unsigned int i;

	for (i = 0; i < 3; i++)
		npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, other);
	npu_fake_queue(fake, b, other);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 1);
	fake->npu->exec->sched.stay_ns = 0;
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, other, 0);
	fake->npu->exec->sched.stay_ns = U64_MAX;
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, other, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 2);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 3);
}

/* A context goes where its address space is, or none. */
static void npu_dispatch_spread(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *one = npu_fake_open(fake);
	struct npu_fake_file *two = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(one, 3, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(two, 3, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(one, 1);
	struct npu_job *other = npu_fake_job(two, 1);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		npu_fake_queue(fake, a, job);
		NPU_EXPECT_RUNS(fake, 0, job, 0);
		npu_fake_end(fake, 0, 0);
		npu_fake_queue(fake, b, other);
		NPU_EXPECT_RUNS(fake, 1, other, 0);
		npu_fake_end(fake, 1, 0);
	}
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[1].attaches, 1);
	/* No core is kept idle for it. */
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, npu_fake_context(one, 3, 8, THROUGHPUT), job);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	NPU_EXPECT_RUNS(fake, 1, job, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[1].attaches, 2);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
}

/* An address space that goes is taken from the cores that have it. */
static void npu_dispatch_detach(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_vm *vm = npu_vm_create(fake->npu);
	struct npu_client *own = file->npu.client;
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_client *client;
	struct npu_context *ctx;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	client = npu_client_create(vm, 2);
	KUNIT_ASSERT_NOT_NULL(test, client);
	file->npu.client = client;
	ctx = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
	file->npu.client = own;
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_PTR_EQ(test, fake->cores[0].vm, vm->hw);
	npu_queue_kill(ctx, true);
	npu_fake_settle(fake);
	npu_context_put(ctx);
	npu_client_put(client);
	npu_vm_put(vm);
	KUNIT_EXPECT_NULL(test, fake->cores[0].vm);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 2);
	KUNIT_EXPECT_EQ(test, fake->cores[1].attaches, 0);
	KUNIT_EXPECT_EQ(test, fake->vms, 1);
}

/* A lane whose address space cannot be attached ends; the next tries again. */
static void npu_dispatch_attach_failure(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);

	fake->cores[0].attach_error = -EIO;
	npu_fake_queue(fake, ctx, a);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EIO);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	npu_fake_queue(fake, ctx, b);
	KUNIT_EXPECT_EQ(test, fake->cores[0].attaches, 2);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
}

/* A core that has failed is reset; what others run goes on. */
static void npu_dispatch_reset_one(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *bad = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_context *good = npu_fake_context(file, 5, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 2);
	struct npu_job *fails = npu_fake_job(file, 1);
	struct npu_job *next = npu_fake_job(file, 1);

	npu_fake_queue(fake, good, wide);
	npu_fake_queue(fake, bad, fails);
	npu_fake_queue(fake, bad, next);
	npu_fake_end(fake, 1, -EFAULT);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[1].resets, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[2].resets, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(bad, 1), -EFAULT);
	NPU_EXPECT_RUNS(fake, 0, wide, 0);
	NPU_EXPECT_RUNS(fake, 1, next, 0);
	NPU_EXPECT_RUNS(fake, 2, wide, 1);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
	npu_fake_end(fake, 2, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(good, 1), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(bad, 2), 0);
}

static void npu_dispatch_end_late(struct npu_fake *fake, unsigned int core)
{
	static const struct npu_hw_result result = { .tasks = 1 };

	npu_core_done(fake->npu, core, &result);
}

/* A core without progress is reset; an end that comes too late is none. */
static void npu_dispatch_hang(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_core *core = &fake->npu->exec->cores[0];
	/* So that there is time between the deadline and the limit. */
	static const u32 task_counts[] = { 3 };
	struct npu_job *a = npu_fake_job_of(file, 1, task_counts);
	struct npu_job *b = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, a);
	npu_fake_queue(fake, ctx, b);
	fake->cores[0].progress++;
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	NPU_EXPECT_RUNS(fake, 0, a, 0);
	KUNIT_EXPECT_TRUE(test, time_after(core->watch.deadline, jiffies));
	KUNIT_EXPECT_TRUE(test, core->watched);

	fake->during_reset = npu_dispatch_end_late;
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, ctx->stats.tasks, 0);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
}

/* A watchdog that is on its way finds no lane, or a newer one. */
static void npu_dispatch_watchdog_of_old(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_core *core = &fake->npu->exec->cores[0];
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_fake_look(fake, 0);
	KUNIT_EXPECT_FALSE(test, core->watched);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);

	npu_fake_queue(fake, ctx, job);
	KUNIT_EXPECT_TRUE(test, core->watched);
	/* Its deadline is an hour away. */
	kthread_mod_delayed_work(core->worker, &core->watchdog, 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_TRUE(test, core->watched);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
}

/* An end that nobody has asked for changes nothing. */
static void npu_dispatch_stray_end(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_dispatch_end_late(fake, 0);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_dispatch_end_late(fake, 0);
	KUNIT_EXPECT_EQ(test, ctx->completed, 1);
	KUNIT_EXPECT_EQ(test, ctx->stats.tasks, 1);
}

/* Unplugging ends what runs and what waits, and nothing is called after it. */
static void npu_dispatch_unplugged(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 3);
	struct npu_job *job = npu_fake_job(file, 1);
	u64 seqno;

	npu_fake_queue(fake, a, wide);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[1].kicks, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 1);
	KUNIT_EXPECT_EQ(test, fake->cores[1].resets, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(a, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_fake_error(a, 2), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_fake_error(b, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, a->retired, 2);
	KUNIT_EXPECT_EQ(test, b->retired, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_try(a, &job, 1, NULL, &seqno), -ENODEV);
	KUNIT_EXPECT_EQ(test, fake->vms, 0);
}

/* A core that fails while it is unplugged is reset once. */
static void npu_dispatch_unplug_failed(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	const struct npu_hw_result result = { .error = -EFAULT };
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	/* Its thread may come to it before or after unplugging begins. */
	npu_fake_end_with(fake, 0, &result);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -ENODEV);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_dispatch_cases[] = {
	NPU_FAKE_CASE(npu_dispatch_order),
	NPU_FAKE_CASE(npu_dispatch_same_job),
	KUNIT_CASE(npu_dispatch_kick),
	NPU_FAKE_CASE(npu_dispatch_lanes),
	NPU_FAKE_CASE(npu_dispatch_lanes_of_few_cores),
	NPU_FAKE_CASE(npu_dispatch_masks),
	NPU_FAKE_CASE(npu_dispatch_ranks),
	NPU_FAKE_CASE(npu_dispatch_rank_between_lanes),
	NPU_FAKE_CASE(npu_dispatch_turns),
	NPU_FAKE_CASE(npu_dispatch_batch),
	KUNIT_CASE(npu_dispatch_attach),
	KUNIT_CASE(npu_dispatch_stay),
	KUNIT_CASE(npu_dispatch_spread),
	KUNIT_CASE(npu_dispatch_detach),
	KUNIT_CASE(npu_dispatch_attach_failure),
	NPU_FAKE_CASE(npu_dispatch_reset_one),
	NPU_FAKE_CASE(npu_dispatch_hang),
	NPU_FAKE_CASE(npu_dispatch_watchdog_of_old),
	NPU_FAKE_CASE(npu_dispatch_stray_end),
	NPU_FAKE_CASE(npu_dispatch_unplugged),
	NPU_FAKE_CASE(npu_dispatch_unplug_failed),
	{}
};

static struct kunit_suite npu_dispatch_suite = {
	.name = "npu_dispatch",
	.test_cases = npu_dispatch_cases,
};

kunit_test_suite(npu_dispatch_suite);
