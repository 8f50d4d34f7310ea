// SPDX-License-Identifier: GPL-2.0-only
/* Lanes that are cut into slices: where, and what becomes of the rest. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_slice.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT
#define LATENCY		DRM_NPU_CLASS_LATENCY
#define US		((u32)NSEC_PER_USEC)

/**
 * struct npu_slice_case - a lane, and where it is cut
 */
struct npu_slice_case {
	/** @name: What is special about it. */
	const char *name;
	/** @costs: Cost of each task in microseconds; negative if it continues. */
	int costs[8];
	/** @slice_ns: How long a slice may take. */
	u64 slice_ns;
	/** @slices: Number of tasks of each slice. */
	u32 slices[8];
};

static const struct npu_slice_case npu_slice_lanes_cut[] = {
	{ "as many as fit", { 400, 400, 400, 400, 400 }, 1000 * US, { 2, 2, 1 } },
	{ "just as long", { 500, 500, 500, 500 }, 1000 * US, { 2, 2 } },
	{ "one at least", { 3000, 3000, 10 }, 1000 * US, { 1, 1, 1 } },
	{ "all", { 1, 1, 1, 1 }, 1000 * US, { 4 } },
	{ "no limit", { 9000, 9000, 9000 }, U64_MAX, { 3 } },
	{ "what belongs together", { 600, -600, -600, 600, 300, 300 }, 1000 * US, { 3, 2, 1 } },
	{ "one after what belongs together", { 100, -100, 900, -1 }, 1000 * US, { 2, 2 } },
	{ "cut within, but not before", { 900, 50, -50, -50, 50 }, 1000 * US, { 4, 1 } },
};

KUNIT_ARRAY_PARAM_DESC(npu_slice, npu_slice_lanes_cut, name);

/* Where a lane is cut. */
static void npu_slice_sizes(struct kunit *test)
{
	const struct npu_slice_case *param = test->param_value;
	struct npu_job_task tasks[ARRAY_SIZE(param->costs)];
	struct npu_job_lane lane = { .tasks = tasks };
	u32 first = 0, i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = (struct npu_job_task) {
			.cost_ns = abs(param->costs[i]) * US,
			.continues = param->costs[i] < 0,
		};
		lane.task_count += !!param->costs[i];
	}
	npu_slice_prepare(&lane);
	for (i = 0; first < lane.task_count; i++) {
		KUNIT_EXPECT_EQ_MSG(test, npu_slice_tasks(&lane, first, param->slice_ns),
				    param->slices[i], "slice %u", i);
		first += max(param->slices[i], 1u);
	}
	KUNIT_EXPECT_EQ(test, param->slices[i], 0);
}

/* What a slice took is spread over its tasks, and no others. */
static void npu_slice_learns(struct kunit *test)
{
	static const struct {
		u32 costs[2];
		u64 device_ns;
		u32 learnt[2];
	} cases[] = {
		/* More is believed at once. */
		{ { 1000, 3000 }, 16000, { 4000, 12000 } },
		{ { 1000, 1000 }, 3000, { 1500, 1500 } },
		/* Less by half. */
		{ { 4000, 4000 }, 4000, { 3000, 3000 } },
		{ { 4000, 8000 }, 0, { 2000, 4000 } },
		/* Near enough. */
		{ { 4000, 4000 }, 10000, { 4000, 4000 } },
		{ { 4000, 4000 }, 6000, { 4000, 4000 } },
		/* Nothing is free, nothing costs more than there are bits. */
		{ { 150, 100 }, 0, { 100, 100 } },
		{ { 0, 0 }, 0, { 100, 100 } },
		{ { 0, 0 }, 5000, { 100, 100 } },
		{ { U32_MAX, U32_MAX }, U64_MAX, { 3221225471, 3221225471 } },
		{ { U32_MAX, 100 }, U64_MAX, { U32_MAX, 100 } },
		{ { 100, 100 }, U64_MAX, { 104857600, 104857600 } },
	};
	struct npu_job_task tasks[4];
	struct npu_job_lane lane = { .tasks = tasks, .task_count = 4 };
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (j = 0; j < 4; j++)
			tasks[j].cost_ns = 777;
		tasks[1].cost_ns = cases[i].costs[0];
		tasks[2].cost_ns = cases[i].costs[1];
		npu_slice_prepare(&lane);
		npu_slice_learn(&lane, 1, 2, cases[i].device_ns);
		/* To a thousandth. */
		for (j = 0; j < 2; j++)
			KUNIT_EXPECT_LE_MSG(test, abs_diff(npu_slice_cost(&lane, 1 + j, 1),
							   (u64)cases[i].learnt[j]),
					    cases[i].learnt[j] / 1000, "case %u", i);
		KUNIT_EXPECT_EQ(test, npu_slice_cost(&lane, 0, 1), 777);
		KUNIT_EXPECT_EQ(test, npu_slice_cost(&lane, 3, 1), 777);
	}
	/* However wrong an estimate is, it becomes right. */
	tasks[0].cost_ns = U32_MAX;
	npu_slice_prepare(&lane);
	for (i = 0; i < 30; i++)
		npu_slice_learn(&lane, 0, 1, 6 * US);
	KUNIT_EXPECT_GE(test, npu_slice_cost(&lane, 0, 1), 5 * US);
	KUNIT_EXPECT_LE(test, npu_slice_cost(&lane, 0, 1), 8 * US);
}

#define NPU_SLICE_LONG		4095u

/* Where a lane is to be cut, found task by task. */
static u32 npu_slice_expected(const struct npu_job_lane *lane, u32 first, u64 slice_ns)
{
	u64 ns = npu_slice_cost(lane, first, 1);
	u32 next = first + 1;

	for (; next < lane->task_count; next++) {
		ns = npu_slice_cost(lane, first, next + 1 - first);
		if (ns > slice_ns && !lane->tasks[next].continues)
			break;
	}
	return next - first;
}

/*
 * A lane of thousands of tasks is cut as a short one is, and what is learnt of its
 * parts is learnt by few factors: those of all other tasks are never looked at.
 */
static void npu_slice_long(struct kunit *test)
{
	struct npu_job_lane lane = { .task_count = NPU_SLICE_LONG };
	u32 first, count, factors = 0, i;
	u64 ns;

	lane.tasks = kunit_kcalloc(test, NPU_SLICE_LONG, sizeof(*lane.tasks), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lane.tasks);
	for (i = 0; i < NPU_SLICE_LONG; i++) {
		lane.tasks[i].cost_ns = 3000 + i * 7919 % 50000;
		lane.tasks[i].continues = i % 5 == 3;
	}
	npu_slice_prepare(&lane);
	/* One of each block has the factor. */
	for (i = 0; i < NPU_SLICE_LONG; i++)
		if (i % 64)
			lane.tasks[i].factor = 0;
	for (first = 0; first < NPU_SLICE_LONG; first += count) {
		count = npu_slice_tasks(&lane, first, 1000 * US);
		KUNIT_ASSERT_EQ(test, count, npu_slice_expected(&lane, first, 1000 * US));
		/* All takes three times as long as was estimated. */
		for (i = first, ns = 0; i < first + count; i++)
			ns += 3 * lane.tasks[i].cost_ns;
		npu_slice_learn(&lane, first, count, ns);
		KUNIT_EXPECT_GE(test, npu_slice_cost(&lane, first, count), ns * 3 / 4);
		KUNIT_EXPECT_LE(test, npu_slice_cost(&lane, first, count), ns * 5 / 4);
	}
	for (i = 0; i < NPU_SLICE_LONG; i++)
		factors += !!lane.tasks[i].factor;
	KUNIT_EXPECT_EQ(test, factors, 64);
	/* All that is left if it is all free. */
	for (i = 0; i < 64; i++)
		npu_slice_learn(&lane, 0, NPU_SLICE_LONG, 0);
	KUNIT_EXPECT_EQ(test, npu_slice_tasks(&lane, 5, 1000 * US), NPU_SLICE_LONG - 5);
	KUNIT_EXPECT_EQ(test, npu_slice_cost(&lane, 0, NPU_SLICE_LONG), 100 * NPU_SLICE_LONG);
}

/* A job of one lane, whose tasks cost 400 us each: two are a slice. */
static struct npu_job *npu_slice_job(struct npu_fake_file *file, u32 tasks)
{
	struct npu_job *job = npu_fake_job_of(file, 1, &tasks);
	u32 i;

	for (i = 0; i < tasks; i++)
		job->lanes[0].tasks[i].cost_ns = 400 * US;
	npu_slice_prepare(&job->lanes[0]);
	return job;
}

/**
 * struct npu_slice_user - a core, a job that is cut, and what comes in between
 */
struct npu_slice_user {
	/** @fake: A device of two cores. */
	struct npu_fake *fake;
	/** @file: A file. */
	struct npu_fake_file *file;
	/** @ctx: A context for the first of them. */
	struct npu_context *ctx;
	/** @urgent: Latency work for the same core. */
	struct npu_context *urgent;
	/** @job: Five tasks of 400 us. */
	struct npu_job *job;
	/** @next: Another job. */
	struct npu_job *next;
	/** @quick: A job for @urgent. */
	struct npu_job *quick;
};

static void npu_slice_start(struct kunit *test, struct npu_slice_user *user)
{
	user->fake = npu_fake_create(test, 2);
	user->file = npu_fake_open(user->fake);
	user->ctx = npu_fake_context(user->file, 1, 8, THROUGHPUT);
	user->urgent = npu_fake_context(user->file, 1, 8, LATENCY);
	user->job = npu_slice_job(user->file, 5);
	user->next = npu_slice_job(user->file, 2);
	user->quick = npu_fake_job(user->file, 1);
	npu_fake_queue(user->fake, user->ctx, user->job);
}

/* The job pauses after its first slice: something else has the core. */
static void npu_slice_pause(struct npu_slice_user *user)
{
	npu_fake_queue(user->fake, user->urgent, user->quick);
	npu_fake_work(user->fake, 0, 800 * US);
	NPU_EXPECT_RUNS(user->fake, 0, user->quick, 0);
}

/* All tasks of a lane run, in order, each once; the job is one job. */
static void npu_slice_order(struct kunit *test)
{
	struct npu_slice_user user;
	const struct npu_slot *slot;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.next);
	slot = npu_context_slot(user.ctx, 1);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 0, 2);
	npu_fake_work(user.fake, 0, 700 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 2);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(user.ctx, 1));
	npu_fake_work(user.fake, 0, 900 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 4, 1);
	npu_fake_work(user.fake, 0, 400 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, slot->device_ns, 2000 * US);
	KUNIT_EXPECT_EQ(test, slot->ended_ns - slot->started_ns, 2000 * US);
	KUNIT_EXPECT_EQ(test, user.ctx->stats.slices, 4);
	KUNIT_EXPECT_EQ(test, user.ctx->stats.tasks, 5);
	KUNIT_EXPECT_EQ(test, user.ctx->stats.device_ns, 2000 * US);
	/* The next begins at its beginning. */
	NPU_EXPECT_SLICE(user.fake, 0, user.next, 0, 0, 2);
	npu_fake_work(user.fake, 0, 800 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 2), 0);
}

/* What was measured counts when the job runs again. */
static void npu_slice_measured(struct kunit *test)
{
	struct npu_slice_user user;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.job);
	npu_fake_work(user.fake, 0, 3200 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 2);
	npu_fake_work(user.fake, 0, 800 * US);
	npu_fake_work(user.fake, 0, 400 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 0, 1);
	npu_fake_work(user.fake, 0, 1600 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 1, 1);
	npu_fake_work(user.fake, 0, 1600 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 2);
}

/* The parameter counts, and without a limit lanes are whole. */
static void npu_slice_parameters(struct kunit *test)
{
	struct npu_slice_user user;

	npu_slice_start(test, &user);
	user.fake->policy.slice_us = 1600;
	npu_fake_work(user.fake, 0, 800 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 3);
	npu_fake_work(user.fake, 0, 1200 * US);
	user.fake->policy.slice_us = 0;
	npu_fake_queue(user.fake, user.ctx, user.job);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 0, 5);
	npu_fake_work(user.fake, 0, 2000 * US);
	user.fake->policy.slice_us = 1000;
	user.fake->policy.fcfs = true;
	npu_fake_queue(user.fake, user.ctx, user.job);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 0, 5);
	npu_fake_work(user.fake, 0, 2000 * US);
}

/* The rest of a lane goes to whichever core is there for it. */
static void npu_slice_other_core(struct kunit *test)
{
	struct npu_slice_user user;
	struct npu_context *ctx;

	npu_slice_start(test, &user);
	npu_fake_work(user.fake, 0, 800 * US);
	npu_fake_work(user.fake, 0, 800 * US);
	npu_fake_work(user.fake, 0, 400 * US);
	ctx = npu_fake_context(user.file, 3, 8, THROUGHPUT);
	npu_fake_queue(user.fake, ctx, user.job);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 0, 2);
	npu_slice_pause(&user);
	NPU_EXPECT_SLICE(user.fake, 1, user.job, 0, 2, 2);
	npu_fake_work(user.fake, 0, 10 * US);
	npu_fake_work(user.fake, 1, 800 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 4, 1);
	NPU_EXPECT_IDLE(user.fake, 1);
	npu_fake_work(user.fake, 0, 400 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.tasks, 5);
}

/*
 * Each lane is cut for itself, and its time is that of its slices. That with most
 * tasks left goes first.
 */
static void npu_slice_lanes(struct kunit *test)
{
	static const u32 order[][2] = {
		{ 0, 0 }, { 0, 1 }, { 1, 0 }, { 0, 2 }, { 1, 1 },
	};
	static const u32 counts[] = { 3, 2 };
	struct npu_slice_user user;
	struct npu_context *ctx;
	struct npu_job *wide;
	u32 i;

	npu_slice_start(test, &user);
	ctx = npu_fake_context(user.file, 2, 8, THROUGHPUT);
	wide = npu_fake_job_of(user.file, 2, counts);
	for (i = 0; i < 5; i++)
		wide->tasks[i].cost_ns = 600 * US;
	npu_slice_prepare(&wide->lanes[0]);
	npu_slice_prepare(&wide->lanes[1]);
	npu_fake_queue(user.fake, ctx, wide);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		NPU_EXPECT_SLICE(user.fake, 1, wide, order[i][0], order[i][1], 1);
		npu_fake_work(user.fake, 1, order[i][0] ? 700 * US : 600 * US);
	}
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, ctx->stats.device_ns, 1800 * US);
	KUNIT_EXPECT_EQ(test, ctx->stats.busy_ns, 3200 * US);
}

/* The rest of a lane that fails or hangs is not run, nor is it remembered. */
static void npu_slice_fails(struct kunit *test)
{
	struct npu_slice_user user;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_fake_work(user.fake, 0, 800 * US);
	npu_fake_end(user.fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), -EIO);
	/* It has learnt nothing from it. */
	KUNIT_EXPECT_EQ(test, npu_slice_cost(user.job->lanes, 2, 1), 400 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.next, 0, 0, 2);
	npu_fake_look(user.fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 2), -ETIMEDOUT);
	NPU_EXPECT_SLICE(user.fake, 0, user.next, 0, 0, 2);
	npu_fake_work(user.fake, 0, 800 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 3), 0);
}

/* A job that pauses is cancelled at once, without a reset. */
static void npu_slice_cancel_paused(struct kunit *test)
{
	struct npu_slice_user user;
	u32 count;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_slice_pause(&user);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(user.ctx, 1, 1, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 1);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), -ECANCELED);
	NPU_EXPECT_RUNS(user.fake, 0, user.quick, 0);
	npu_fake_work(user.fake, 0, 10 * US);
	KUNIT_EXPECT_EQ(test, user.fake->cores[0].resets, 0);
	NPU_EXPECT_SLICE(user.fake, 0, user.next, 0, 0, 2);
	npu_fake_work(user.fake, 0, 800 * US);
}

/* Of a job that is cancelled the slice that runs ends, and the rest is not started. */
static void npu_slice_cancel_running(struct kunit *test)
{
	struct npu_slice_user user;
	u32 count;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_fake_work(user.fake, 0, 800 * US);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(user.ctx, 1, 1, &count), 0);
	npu_fake_work(user.fake, 0, 800 * US);
	KUNIT_EXPECT_EQ(test, user.fake->cores[0].resets, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, user.ctx->stats.tasks, 4);
	KUNIT_EXPECT_EQ(test, user.ctx->stats.busy_ns, 1600 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.next, 0, 0, 2);
	npu_fake_work(user.fake, 0, 800 * US);
}

/* Slices without a limit are stopped when their job is cancelled, if they are long. */
static void npu_slice_cancel_unlimited(struct kunit *test)
{
	static const struct {
		unsigned int slice_us;
		u32 tasks;
		bool stopped;
	} limits[] = {
		{ 0, 10, false },
		{ 0, 11, true },
		{ 4500, 11, false },
	};
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_job *after = npu_fake_job(file, 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
		struct npu_job *job = npu_slice_job(file, limits[i].tasks);
		unsigned int resets = fake->cores[0].resets;
		u32 count;

		fake->policy.slice_us = limits[i].slice_us;
		npu_fake_queue(fake, ctx, job);
		NPU_EXPECT_SLICE(fake, 0, job, 0, 0, limits[i].tasks);
		npu_fake_pass(fake, 300 * US);
		KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 1, &count), 0);
		npu_fake_settle(fake);
		KUNIT_EXPECT_EQ(test, fake->cores[0].resets, resets + limits[i].stopped);
		if (!limits[i].stopped)
			npu_fake_work(fake, 0, 100 * US);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
		/* The time that it took is charged, and nobody is to blame. */
		KUNIT_EXPECT_EQ(test, ctx->stats.busy_ns,
				limits[i].stopped ? 300 * US : 100 * US);
		KUNIT_EXPECT_EQ(test, ctx->stats.guilty_jobs, 0);
		KUNIT_EXPECT_EQ(test, npu_context_slot(ctx, 1)->fault.flags, 0);
		npu_fake_queue(fake, ctx, after);
		NPU_EXPECT_RUNS(fake, 0, after, 0);
		npu_fake_end(fake, 0, 0);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
	}
}

/* What has begun goes on, in a context that is killed, once its gate is open. */
static void npu_slice_goes_on(struct kunit *test)
{
	static const bool never;
	struct npu_slice_user user;
	struct npu_vm *vm;

	npu_slice_start(test, &user);
	vm = user.file->npu.vm;
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_slice_pause(&user);
	npu_gate_close(&vm->gate);
	npu_queue_kill(user.ctx, false);
	npu_fake_work(user.fake, 0, 10 * US);
	NPU_EXPECT_IDLE(user.fake, 0);
	KUNIT_EXPECT_EQ(test, npu_gate_wait(&vm->gate, &never), 0);
	npu_gate_open(&vm->gate);
	npu_fake_settle(user.fake);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 2);
	npu_fake_work(user.fake, 0, 800 * US);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 4, 1);
	npu_fake_work(user.fake, 0, 400 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 2), -ECANCELED);
	NPU_EXPECT_IDLE(user.fake, 0);
}

/**
 * struct npu_slice_suspend - a suspend, in a thread of its own
 */
struct npu_slice_suspend {
	/** @work: The thread's work. */
	struct work_struct work;
	/** @npu: The device. */
	struct npu_device *npu;
};

static void npu_slice_suspend_work(struct work_struct *work)
{
	npu_device_suspend(container_of(work, struct npu_slice_suspend, work)->npu);
}

/* The system sleeps between two slices. */
static void npu_slice_sleep(struct kunit *test)
{
	struct npu_slice_suspend suspend;
	struct npu_slice_user user;

	npu_slice_start(test, &user);
	suspend.npu = user.fake->npu;
	INIT_WORK_ONSTACK(&suspend.work, npu_slice_suspend_work);
	queue_work(system_long_wq, &suspend.work);
	while (!READ_ONCE(suspend.npu->exec->frozen))
		usleep_range(1000, 2000);
	npu_fake_work(user.fake, 0, 800 * US);
	flush_work(&suspend.work);
	destroy_work_on_stack(&suspend.work);
	NPU_EXPECT_IDLE(user.fake, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), 1);
	npu_device_resume(suspend.npu);
	npu_fake_settle(user.fake);
	NPU_EXPECT_SLICE(user.fake, 0, user.job, 0, 2, 2);
	npu_fake_work(user.fake, 0, 800 * US);
	npu_fake_work(user.fake, 0, 400 * US);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), 0);
}

/* Unplugging ends also what pauses; times do not go back. */
static void npu_slice_unplug(struct kunit *test)
{
	struct npu_slice_user user;
	u64 now;

	npu_slice_start(test, &user);
	npu_fake_queue(user.fake, user.ctx, user.next);
	npu_slice_pause(&user);
	npu_fake_pass(user.fake, 30 * US);
	now = user.fake->now;
	npu_fake_unplug(user.fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.ctx, 2), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_fake_error(user.urgent, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_context_slot(user.ctx, 2)->ended_ns, now);
	KUNIT_EXPECT_EQ(test, user.urgent->stats.busy_ns, 30 * US);
	KUNIT_EXPECT_EQ(test, user.fake->npu->exec->cores[0].busy_ns, 830 * US);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_slice_cases[] = {
	KUNIT_CASE_PARAM(npu_slice_sizes, npu_slice_gen_params),
	NPU_FAKE_CASE(npu_slice_learns),
	NPU_FAKE_CASE(npu_slice_long),
	KUNIT_CASE(npu_slice_order),
	KUNIT_CASE(npu_slice_measured),
	KUNIT_CASE(npu_slice_parameters),
	KUNIT_CASE(npu_slice_other_core),
	NPU_FAKE_CASE(npu_slice_lanes),
	KUNIT_CASE(npu_slice_fails),
	KUNIT_CASE(npu_slice_cancel_paused),
	KUNIT_CASE(npu_slice_cancel_running),
	KUNIT_CASE(npu_slice_cancel_unlimited),
	KUNIT_CASE(npu_slice_goes_on),
	KUNIT_CASE(npu_slice_sleep),
	NPU_FAKE_CASE(npu_slice_unplug),
	{}
};

static struct kunit_suite npu_slice_suite = {
	.name = "npu_slice",
	.test_cases = npu_slice_cases,
};

kunit_test_suite(npu_slice_suite);
