// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dispatcher against a model of it: after each of thousands of random steps
 * every core must have the lane that the model says, and every job its end.
 *
 * The model looks for the context that is to be served among all there are, by
 * priority and by when it became ready; it knows no lists.
 */
#include <linux/prandom.h>

#include <kunit/test.h>

#include "../../driver/core/npu_context.h"
#include "../../driver/core/npu_job.h"
#include "../../driver/core/npu_sched.h"
#include "../../driver/core/npu_submit.h"
#include "../../driver/core/npu_vm.h"
#include "npu_fake.h"

#define CONTEXTS	6
#define FENCES		4
#define MAX_QUEUED	6
#define SLOTS		(2 * MAX_QUEUED)
#define SUBMITS		(CONTEXTS * MAX_QUEUED)
#define STEPS		5000

/**
 * struct model_submit - jobs that are submitted together, with syncs
 */
struct model_submit {
	/** @real: The driver's, referenced, or %NULL if this is free. */
	struct npu_submit *real;
	/** @jobs: Jobs that have not ended. */
	u32 jobs;
	/** @pending: In-fences that have not signalled. */
	u32 pending;
	/** @in_error: First error of an in-fence. */
	int in_error;
	/** @out_error: First error of a job. */
	int out_error;
};

/**
 * struct model_fence - an in-fence
 */
struct model_fence {
	/** @real: The fence, or %NULL if this is free. */
	struct npu_fake_fence *real;
	/** @submits: Who waits, in the order they came. */
	struct model_submit *submits[SUBMITS];
	/** @owners: Their contexts. */
	struct model_context *owners[SUBMITS];
	/** @count: How many. */
	u32 count;
};

/**
 * struct model_job - a job in a queue
 */
struct model_job {
	/** @job: The job. */
	struct npu_job *job;
	/** @submit: Its submit, or %NULL. */
	struct model_submit *submit;
	/** @started: Lanes that a core has taken. */
	u32 started;
	/** @ended: Lanes that have ended. */
	u32 ended;
	/** @error: First error. */
	int error;
};

/**
 * struct model_context - a context
 */
struct model_context {
	/** @real: The driver's, referenced, or %NULL if this is free. */
	struct npu_context *real;
	/** @id: Its id in the file, or 0. */
	u32 id;
	/** @file: Its file. */
	struct npu_fake_file *file;
	/** @mask: Cores it may use. */
	u32 mask;
	/** @rank: 0 is served first. */
	u32 rank;
	/** @killed: Its id is gone. */
	bool killed;
	/** @guilty: Jobs that hung or faulted. */
	u32 guilty;
	/** @submitted: Newest job. */
	u64 submitted;
	/** @completed: Newest job that has ended. */
	u64 completed;
	/** @checked: All ends up to this one have been compared. */
	u64 checked;
	/** @ready: The job that is ready, or was when its last lane was taken. */
	u64 ready;
	/** @since: When it became ready. */
	u64 since;
	/** @jobs: The jobs. */
	struct model_job jobs[SLOTS];
};

/**
 * struct model_core - a core
 */
struct model_core {
	/** @ctx: Whose lane it has, or %NULL. */
	struct model_context *ctx;
	/** @token: Which lane that is. */
	u32 token;
	/** @stopping: It is to be reset. */
	bool stopping;
	/** @attached: File whose address space it has, or %NULL. */
	struct npu_fake_file *attached;
	/** @used: Number of the lane that it took last. */
	u32 used;
	/** @fails: Its lane could not be attached. */
	bool fails;
};

/**
 * struct model - the dispatcher
 */
struct model {
	/** @test: The test. */
	struct kunit *test;
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @files: Files. */
	struct npu_fake_file *files[2];
	/** @jobs: A job for each number of lanes, in each file. */
	struct npu_job *jobs[2][NPU_MAX_CORES];
	/** @rnd: Random numbers. */
	struct rnd_state rnd;
	/** @core_count: Number of cores. */
	u32 core_count;
	/** @now: Counts events. */
	u64 now;
	/** @ended: Counts jobs that have ended. */
	u64 ended;
	/** @taken: Lanes that cores have taken. */
	u32 taken;
	/** @failing: The core whose next attach fails, or -1. */
	int failing;
	/** @contexts: Contexts. */
	struct model_context contexts[CONTEXTS];
	/** @submits: Submits. */
	struct model_submit submits[SUBMITS];
	/** @fences: Fences. */
	struct model_fence fences[FENCES];
	/** @cores: Cores. */
	struct model_core cores[NPU_MAX_CORES];
};

static u32 model_random(struct model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static struct model_job *model_job(struct model_context *ctx, u64 seqno)
{
	return &ctx->jobs[seqno % SLOTS];
}

static bool model_banned(const struct model_context *ctx)
{
	return ctx->guilty >= NPU_MAX_GUILTY;
}

static void model_complete(struct model *m, struct model_context *ctx)
{
	struct model_job *head = model_job(ctx, ++ctx->completed);

	m->ended++;
	if (head->started && (head->error == -EFAULT || head->error == -ETIMEDOUT))
		ctx->guilty++;
	if (!head->submit)
		return;
	head->submit->jobs--;
	if (!head->submit->out_error)
		head->submit->out_error = head->error;
}

/* End what cannot run; then the oldest job is ready, or waits. */
static void model_advance(struct model *m, struct model_context *ctx)
{
	while (ctx->completed < ctx->submitted) {
		struct model_job *head = model_job(ctx, ctx->completed + 1);

		if (head->started > head->ended)
			return;
		if (!head->error && !head->started) {
			if (ctx->killed || model_banned(ctx))
				head->error = -ECANCELED;
			else if (head->submit && !head->submit->pending)
				head->error = head->submit->in_error;
		}
		if (!head->error) {
			if (ctx->ready <= ctx->completed &&
			    !(head->submit && head->submit->pending)) {
				ctx->ready = ctx->completed + 1;
				ctx->since = ++m->now;
			}
			return;
		}
		model_complete(m, ctx);
	}
}

static bool model_can_start(struct model_context *ctx, u32 core)
{
	struct model_job *head = model_job(ctx, ctx->completed + 1);

	return ctx->real && ctx->mask & BIT(core) &&
	       ctx->completed < ctx->submitted &&
	       ctx->ready == ctx->completed + 1 && !head->error &&
	       head->started < head->job->lane_count;
}

/* Is @a before @b, of its rank, for a core that has the address space of @file? */
static bool model_before(const struct model_context *a,
			 const struct model_context *b,
			 const struct npu_fake_file *file)
{
	bool fits_a = a->file == file, fits_b = b->file == file;

	if (a->rank != b->rank)
		return a->rank < b->rank;
	return fits_a != fits_b ? fits_a : a->since < b->since;
}

static struct model_context *model_pick(struct model *m, u32 core)
{
	struct model_context *best = NULL;
	u32 i;

	for (i = 0; i < CONTEXTS; i++) {
		struct model_context *ctx = &m->contexts[i];

		if (model_can_start(ctx, core) &&
		    (!best || model_before(ctx, best, m->cores[core].attached)))
			best = ctx;
	}
	return best;
}

static void model_start(struct model *m, u32 i, struct model_context *ctx)
{
	struct model_job *head = model_job(ctx, ctx->completed + 1);
	struct model_core *core = &m->cores[i];

	core->ctx = ctx;
	core->used = ++m->taken;
	core->token = npu_fake_token(head->job, head->started);
	head->started++;
	if (core->attached == ctx->file)
		return;
	core->attached = ctx->file;
	core->fails = m->failing == i;
}

/* Cores that fit come first, then the one that is not missed. */
static void model_run(struct model *m)
{
	struct model_context *ctx;
	u32 i, best, least;

	for (i = 0; i < m->core_count; i++) {
		ctx = m->cores[i].ctx ? NULL : model_pick(m, i);
		if (ctx && ctx->file == m->cores[i].attached)
			model_start(m, i, ctx);
	}
	do {
		best = m->core_count;
		for (i = 0; i < m->core_count; i++) {
			struct model_core *core = &m->cores[i];
			u32 used = core->attached ? core->used : 0;

			if (!core->ctx && model_pick(m, i) &&
			    (best == m->core_count || used < least)) {
				best = i;
				least = used;
			}
		}
		if (best < m->core_count)
			model_start(m, best, model_pick(m, best));
	} while (best < m->core_count);
}

static void model_end_lane(struct model *m, struct model_core *core, int error)
{
	struct model_context *ctx = core->ctx;
	struct model_job *head = model_job(ctx, ctx->completed + 1);

	core->ctx = NULL;
	core->token = 0;
	core->stopping = false;
	head->ended++;
	if (!head->error)
		head->error = error;
	if (head->ended == head->started &&
	    (head->error || head->ended == head->job->lane_count)) {
		model_complete(m, ctx);
		model_advance(m, ctx);
	}
	model_run(m);
}

/* The lane that could not be attached, if there is one, ends. */
static void model_fail_attach(struct model *m)
{
	struct model_core *core;

	if (m->failing < 0 || !m->cores[m->failing].fails)
		return;
	core = &m->cores[m->failing];
	m->failing = -1;
	core->fails = false;
	core->attached = NULL;
	model_end_lane(m, core, -EIO);
}

static void model_forgive_attach(struct model *m)
{
	if (m->failing >= 0)
		m->fake->cores[m->failing].attach_error = 0;
	m->failing = -1;
}

/* Steps: the driver does something, then the model. */

static struct model_submit *model_new_submit(struct model *m,
					     struct model_context *ctx, u32 jobs)
{
	struct model_submit *submit = m->submits;
	u32 i, count = 0, wanted = model_random(m, 3);

	while (submit->real)
		submit++;
	*submit = (struct model_submit) {
		.real = npu_submit_alloc(ctx->real, FENCES),
		.jobs = jobs,
	};
	KUNIT_ASSERT_NOT_NULL(m->test, submit->real);
	for (i = 0; i < FENCES && count < wanted; i++) {
		struct model_fence *fence = &m->fences[i];

		if (model_random(m, 2))
			continue;
		if (!fence->real)
			fence->real = npu_fake_fence(m->test);
		npu_submit_depend(submit->real, dma_fence_get(&fence->real->base), false);
		fence->submits[fence->count] = submit;
		fence->owners[fence->count++] = ctx;
		submit->pending++;
		count++;
	}
	return submit;
}

static void model_step_queue(struct model *m, struct model_context *ctx)
{
	u32 count = 1 + model_random(m, 3), which = ctx->file == m->files[1], i;
	struct npu_job *jobs[3];
	struct model_submit *submit = NULL;
	u64 seqno;
	int ret, expected = 0;

	for (i = 0; i < count; i++)
		jobs[i] = m->jobs[which][model_random(m, 3) ? 0 :
					 model_random(m, m->core_count)];
	if (model_banned(ctx))
		expected = -EIO;
	else if (ctx->submitted - ctx->completed + count > MAX_QUEUED)
		expected = -EBUSY;
	else if (model_random(m, 2))
		submit = model_new_submit(m, ctx, count);
	ret = npu_fake_try(ctx->real, jobs, count, submit ? submit->real : NULL,
			   &seqno);
	KUNIT_ASSERT_EQ(m->test, ret, expected);
	if (ret)
		return;
	for (i = 0; i < count; i++)
		*model_job(ctx, ++ctx->submitted) = (struct model_job) {
			.job = jobs[i],
			.submit = submit,
		};
	KUNIT_EXPECT_EQ(m->test, seqno, ctx->submitted);
	model_advance(m, ctx);
	model_run(m);
}

static void model_step_end(struct model *m)
{
	static const int errors[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, -EIO, -EFAULT };
	u32 i = model_random(m, m->core_count);
	int error = errors[model_random(m, ARRAY_SIZE(errors))];

	if (!m->cores[i].ctx)
		return;
	model_forgive_attach(m);
	npu_fake_end(m->fake, i, error);
	model_end_lane(m, &m->cores[i], error);
}

static void model_step_hang(struct model *m)
{
	u32 i = model_random(m, m->core_count);

	if (!m->cores[i].ctx)
		return;
	model_forgive_attach(m);
	npu_fake_look(m->fake, i);
	model_end_lane(m, &m->cores[i], -ETIMEDOUT);
}

static void model_step_signal(struct model *m)
{
	struct model_fence *fence = &m->fences[model_random(m, FENCES)];
	int error = model_random(m, 5) ? 0 : -EPIPE;
	u32 i;

	if (!fence->real)
		return;
	/* The thread that attaches may come in between. */
	model_forgive_attach(m);
	npu_fake_signal(fence->real, error);
	for (i = 0; i < fence->count; i++) {
		struct model_submit *submit = fence->submits[i];

		/* It may have been cancelled. */
		if (!submit)
			continue;
		if (!submit->in_error)
			submit->in_error = error;
		if (!--submit->pending) {
			model_advance(m, fence->owners[i]);
			model_run(m);
		}
	}
	fence->real = NULL;
	fence->count = 0;
}

/*
 * Cores that are reset at the same time end their lanes in whatever order their
 * threads come to it: let one go after the other.
 */
static void model_hold_cores(struct model *m)
{
	u32 i;

	model_forgive_attach(m);
	for (i = 0; i < m->core_count; i++)
		mutex_lock_nested(&m->fake->npu->cores[i].hw_lock, i);
}

static void model_release_cores(struct model *m)
{
	u32 i;

	for (i = 0; i < m->core_count; i++) {
		struct npu_core *core = &m->fake->npu->cores[i];

		mutex_unlock(&core->hw_lock);
		kthread_flush_worker(core->worker);
		if (m->cores[i].stopping)
			model_end_lane(m, &m->cores[i], -ECANCELED);
	}
}

static void model_cancel(struct model *m, struct model_context *ctx, u64 first,
			 u64 last)
{
	u64 seqno;
	u32 i;

	for (seqno = max(first, ctx->completed + 1); seqno <= last; seqno++)
		if (!model_job(ctx, seqno)->error)
			model_job(ctx, seqno)->error = -ECANCELED;
	if (first <= ctx->completed + 1 && last > ctx->completed)
		for (i = 0; i < m->core_count; i++)
			m->cores[i].stopping |= m->cores[i].ctx == ctx;
	model_advance(m, ctx);
	model_run(m);
}

static void model_step_cancel(struct model *m, struct model_context *ctx)
{
	u64 completed = ctx->completed, first, last;
	u32 count = 99;

	if (!ctx->submitted)
		return;
	last = ctx->submitted - model_random(m, min(ctx->submitted, 4ull));
	first = last - model_random(m, min(last, 3ull));
	model_hold_cores(m);
	KUNIT_EXPECT_EQ(m->test, npu_sched_cancel(ctx->real, first, last, &count), 0);
	if (last > completed) {
		KUNIT_EXPECT_EQ(m->test, count, last - max(first - 1, completed));
		model_cancel(m, ctx, first, last);
	} else {
		KUNIT_EXPECT_EQ(m->test, count, 0);
	}
	model_release_cores(m);
}

static void model_step_kill(struct model *m, struct model_context *ctx)
{
	bool running = model_random(m, 2);

	/* As its file does. */
	xa_erase(&ctx->file->npu.contexts, ctx->id);
	model_hold_cores(m);
	npu_sched_kill(ctx->real, running);
	ctx->killed = true;
	if (running)
		model_cancel(m, ctx, 1, ctx->submitted);
	model_advance(m, ctx);
	model_run(m);
	model_release_cores(m);
	npu_context_put(ctx->real);
}

static void model_step_break(struct model *m)
{
	u32 core = model_random(m, m->core_count);

	if (m->failing >= 0 || m->cores[core].ctx)
		return;
	m->failing = core;
	m->fake->cores[core].attach_error = -EIO;
}

static void model_new_context(struct model *m, struct model_context *ctx)
{
	static const u32 priorities[] = {
		DRM_NPU_PRIORITY_HIGH, DRM_NPU_PRIORITY_NORMAL, DRM_NPU_PRIORITY_LOW,
	};
	struct npu_fake_file *file = m->files[model_random(m, 2)];
	u32 rank = model_random(m, 3);
	u32 mask = model_random(m, npu_core_mask(m->fake->npu)) + 1;

	*ctx = (struct model_context) { .file = file, .mask = mask, .rank = rank };
	ctx->real = npu_context_create(&file->npu, mask, MAX_QUEUED, priorities[rank]);
	KUNIT_ASSERT_NOT_NULL(m->test, ctx->real);
	KUNIT_ASSERT_EQ(m->test, xa_alloc(&file->npu.contexts, &ctx->id, ctx->real,
					  xa_limit_31b, GFP_KERNEL), 0);
	npu_context_get(ctx->real);
}

static void model_step(struct model *m)
{
	struct model_context *ctx = &m->contexts[model_random(m, CONTEXTS)];
	u32 what = model_random(m, 100);

	if (!ctx->real)
		model_new_context(m, ctx);
	if (what < 30 && !ctx->killed)
		model_step_queue(m, ctx);
	else if (what < 75)
		model_step_end(m);
	else if (what < 85)
		model_step_signal(m);
	else if (what < 92)
		model_step_cancel(m, ctx);
	else if (what < 95)
		model_step_hang(m);
	else if (what < 97)
		model_step_break(m);
	else if ((what < 98 || model_banned(ctx)) && !ctx->killed)
		model_step_kill(m, ctx);
	model_fail_attach(m);
	npu_fake_settle(m->fake);
}

/* Forget a submit that has ended, after a look at its fence. */
static void model_compare_submit(struct model *m, struct model_submit *submit)
{
	u32 i, j;

	KUNIT_EXPECT_EQ(m->test, dma_fence_get_status(&submit->real->fence),
			submit->jobs ? 0 : submit->out_error ?: 1);
	if (submit->jobs)
		return;
	for (i = 0; i < FENCES; i++)
		for (j = 0; j < m->fences[i].count; j++)
			if (m->fences[i].submits[j] == submit)
				m->fences[i].submits[j] = NULL;
	npu_submit_put(submit->real);
	submit->real = NULL;
}

static void model_compare_context(struct model *m, struct model_context *ctx)
{
	struct npu_context *real = ctx->real;

	KUNIT_EXPECT_EQ(m->test, real->submitted, ctx->submitted);
	KUNIT_EXPECT_EQ(m->test, real->completed, ctx->completed);
	KUNIT_EXPECT_EQ(m->test, real->retired, ctx->completed);
	KUNIT_EXPECT_EQ(m->test, real->stats.guilty_jobs, ctx->guilty);
	while (ctx->checked < ctx->completed) {
		ctx->checked++;
		KUNIT_EXPECT_EQ(m->test, npu_fake_error(real, ctx->checked),
				model_job(ctx, ctx->checked)->error);
	}
	if (ctx->killed && ctx->completed == ctx->submitted) {
		npu_context_put(real);
		ctx->real = NULL;
	}
}

static bool model_compare(struct model *m, u32 step)
{
	u32 i;

	for (i = 0; i < m->core_count; i++) {
		struct npu_fake_file *attached = m->cores[i].attached;

		KUNIT_EXPECT_EQ_MSG(m->test, npu_fake_running(m->fake, i),
				    m->cores[i].token, "core %u, step %u", i, step);
		KUNIT_EXPECT_PTR_EQ(m->test, m->fake->cores[i].vm,
				    attached ? attached->npu.vm->hw : NULL);
	}
	for (i = 0; i < SUBMITS; i++)
		if (m->submits[i].real)
			model_compare_submit(m, &m->submits[i]);
	for (i = 0; i < CONTEXTS; i++)
		if (m->contexts[i].real)
			model_compare_context(m, &m->contexts[i]);
	return m->test->status == KUNIT_SUCCESS;
}

/* Let go of all that the model refers to. */
static void model_fini(void *data)
{
	struct model *m = data;
	u32 i;

	for (i = 0; i < SUBMITS; i++)
		if (m->submits[i].real)
			npu_submit_put(m->submits[i].real);
	for (i = 0; i < CONTEXTS; i++)
		if (m->contexts[i].real)
			npu_context_put(m->contexts[i].real);
}

static const struct npu_random_run {
	const char *name;
	u64 seed;
	u32 cores;
} npu_random_runs[] = {
	{ "one core", 1, 1 },
	{ "two cores", 2, 2 },
	{ "three cores", 3, 3 },
	{ "eight cores", 4, 8 },
};

KUNIT_ARRAY_PARAM_DESC(npu_random, npu_random_runs, name);

static void npu_random_steps(struct kunit *test)
{
	const struct npu_random_run *run = test->param_value;
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 i, lanes, step;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->core_count = run->cores;
	m->failing = -1;
	m->fake = npu_fake_create(test, run->cores);
	prandom_seed_state(&m->rnd, run->seed);
	for (i = 0; i < ARRAY_SIZE(m->files); i++) {
		m->files[i] = npu_fake_open(m->fake);
		for (lanes = 1; lanes <= run->cores; lanes++)
			m->jobs[i][lanes - 1] = npu_fake_job(m->files[i], lanes);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, model_fini, m), 0);

	for (step = 0; step < STEPS; step++) {
		model_step(m);
		if (!model_compare(m, step))
			break;
	}
	/* It has done something. */
	KUNIT_EXPECT_GT(test, m->ended, STEPS / 8);
	kunit_info(test, "%llu jobs ended in %u steps\n", m->ended, step);
}

static struct kunit_case npu_random_cases[] = {
	KUNIT_CASE_PARAM_ATTR(npu_random_steps, npu_random_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite npu_random_suite = {
	.name = "npu_random",
	.test_cases = npu_random_cases,
};

kunit_test_suite(npu_random_suite);
