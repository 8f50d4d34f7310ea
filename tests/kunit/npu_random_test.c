// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dispatcher against a reference: after each of thousands of random steps
 * every core must have the slice that the reference says, and every job its end.
 */
#include <linux/prandom.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_client.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_slice.h"
#include "../../driver/core/exec/npu_submit.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"
#include "npu_reference.h"

#define FENCES		4
#define SUBMITS		(NPU_REF_CONTEXTS * NPU_REF_QUEUED)
#define JOBS		6
#define TASKS		12
#define STEPS		4000

/**
 * struct model_submit - jobs that are submitted together, with syncs
 */
struct model_submit {
	/** @ref: What the reference knows. */
	struct npu_ref_submit ref;
	/** @real: The driver's, referenced, or %NULL if this is free. */
	struct npu_submit *real;
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
	struct npu_ref_context *owners[SUBMITS];
	/** @count: How many. */
	u32 count;
};

/**
 * struct model_context - a context
 */
struct model_context {
	/** @ref: What the reference knows. */
	struct npu_ref_context *ref;
	/** @real: The driver's, referenced, or %NULL if this is free. */
	struct npu_context *real;
	/** @id: Its id in the file. */
	u32 id;
	/** @checked: All ends up to this one have been compared. */
	u64 checked;
};

/**
 * struct model - a device and the reference
 */
struct model {
	/** @test: The test. */
	struct kunit *test;
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @ref: The reference. */
	struct npu_ref ref;
	/** @files: Files. */
	struct npu_fake_file *files[NPU_REF_FILES];
	/** @jobs: Jobs of each file. */
	struct npu_job *jobs[NPU_REF_FILES][JOBS];
	/** @rnd: Random numbers. */
	struct rnd_state rnd;
	/** @contexts: Contexts. */
	struct model_context contexts[NPU_REF_CONTEXTS];
	/** @submits: Submits. */
	struct model_submit submits[SUBMITS];
	/** @fences: Fences. */
	struct model_fence fences[FENCES];
};

static u32 model_random(struct model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static u32 model_file(struct model *m, const struct npu_ref_file *file)
{
	return file - m->ref.files;
}

static void model_pass(struct model *m, u64 ns)
{
	npu_fake_pass(m->fake, ns);
	m->ref.now += ns;
}

/* What could not be attached, if there is something, ends. */
static void model_fail_attach(struct model *m)
{
	struct npu_ref_core *core;

	if (m->ref.failing < 0 || !m->ref.cores[m->ref.failing].fails)
		return;
	core = &m->ref.cores[m->ref.failing];
	m->ref.failing = -1;
	core->attached = NULL;
	npu_ref_end(&m->ref, core, 0, -EIO);
}

static void model_forgive_attach(struct model *m)
{
	if (m->ref.failing >= 0)
		m->fake->cores[m->ref.failing].attach_error = 0;
	m->ref.failing = -1;
}

/* Steps: the driver does something, then the reference. */

static struct model_submit *model_new_submit(struct model *m,
					     struct model_context *ctx, u32 jobs)
{
	struct model_submit *submit = m->submits;
	u32 i, count = 0, wanted = model_random(m, 3);

	while (submit->real)
		submit++;
	*submit = (struct model_submit) {
		.ref.jobs = jobs,
		.real = npu_submit_alloc(ctx->real, FENCES),
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
		fence->owners[fence->count++] = ctx->ref;
		submit->ref.pending++;
		count++;
	}
	return submit;
}

static void model_step_queue(struct model *m, struct model_context *ctx)
{
	u32 file = model_file(m, ctx->ref->file), i;
	struct npu_ref_context *ref = ctx->ref;
	struct model_submit *submit = NULL;
	struct npu_job *jobs[3];
	struct npu_request request = {
		.jobs = jobs,
		.count = 1 + model_random(m, 3),
	};
	int ret, expected = 0;
	u64 seqno;

	for (i = 0; i < request.count; i++)
		jobs[i] = m->jobs[file][model_random(m, JOBS)];
	if (!model_random(m, 3))
		request.deadline_ns = m->ref.now + model_random(m, 20) * NSEC_PER_MSEC;
	if (npu_ref_banned(ref))
		expected = -EIO;
	else if (ref->submitted - ref->completed + request.count > NPU_REF_QUEUED)
		expected = -EBUSY;
	else if (model_random(m, 2))
		submit = model_new_submit(m, ctx, request.count);
	request.submit = submit ? submit->real : NULL;
	ret = npu_fake_request(ctx->real, &request, &seqno);
	KUNIT_ASSERT_EQ(m->test, ret, expected);
	if (ret)
		return;
	for (i = 0; i < request.count; i++)
		*npu_ref_job(ref, ++ref->submitted) = (struct npu_ref_job) {
			.job = jobs[i],
			.submit = submit ? &submit->ref : NULL,
			.deadline = request.deadline_ns,
			.queued = m->ref.now,
		};
	KUNIT_EXPECT_EQ(m->test, seqno, ref->submitted);
	npu_ref_advance(&m->ref, ref);
	npu_ref_run(&m->ref);
}

static void model_step_end(struct model *m)
{
	static const int errors[] = { -EIO, -EFAULT };
	u32 i = model_random(m, m->ref.core_count);
	struct npu_ref_core *core = &m->ref.cores[i];
	struct npu_hw_result result = {};

	if (!core->ctx)
		return;
	model_forgive_attach(m);
	if (!model_random(m, 25))
		result.error = errors[model_random(m, ARRAY_SIZE(errors))];
	if (model_random(m, 4))
		result.device_ns = 1 + NSEC_PER_USEC *
				   model_random(m, 1200 * core->tasks);
	/* It may have waited for its interrupt. */
	model_pass(m, result.device_ns ?: model_random(m, 3 * NSEC_PER_MSEC));
	if (!result.error)
		result.tasks = core->tasks;
	npu_fake_end_with(m->fake, i, &result);
	npu_fake_settle(m->fake);
	npu_ref_end(&m->ref, core, result.error ? 0 : result.device_ns,
		    result.error);
}

static void model_step_hang(struct model *m)
{
	u32 i = model_random(m, m->ref.core_count);

	if (!m->ref.cores[i].ctx)
		return;
	model_forgive_attach(m);
	npu_fake_look(m->fake, i);
	npu_ref_end(&m->ref, &m->ref.cores[i], 0, -ETIMEDOUT);
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
		struct npu_ref_submit *submit = &fence->submits[i]->ref;

		/* It may have been cancelled. */
		if (!fence->submits[i])
			continue;
		if (!submit->in_error)
			submit->in_error = error;
		if (!--submit->pending) {
			npu_ref_advance(&m->ref, fence->owners[i]);
			npu_ref_run(&m->ref);
		}
	}
	fence->real = NULL;
	fence->count = 0;
}

static void model_cancel(struct model *m, struct npu_ref_context *ctx, u64 first,
			 u64 last)
{
	u64 seqno;

	for (seqno = max(first, ctx->completed + 1); seqno <= last; seqno++)
		if (!npu_ref_job(ctx, seqno)->error)
			npu_ref_job(ctx, seqno)->error = -ECANCELED;
	if (first <= ctx->completed + 1 && last > ctx->completed)
		npu_ref_unready(&m->ref, ctx);
	npu_ref_advance(&m->ref, ctx);
}

static void model_step_cancel(struct model *m, struct model_context *ctx)
{
	u64 completed = ctx->ref->completed, submitted = ctx->ref->submitted;
	u64 first, last;
	u32 count = 99;

	if (!submitted)
		return;
	last = submitted - model_random(m, min(submitted, 4ull));
	first = last - model_random(m, min(last, 3ull));
	model_forgive_attach(m);
	KUNIT_EXPECT_EQ(m->test, npu_queue_cancel(ctx->real, first, last, &count), 0);
	if (last > completed) {
		KUNIT_EXPECT_EQ(m->test, count, last - max(first - 1, completed));
		model_cancel(m, ctx->ref, first, last);
	} else {
		KUNIT_EXPECT_EQ(m->test, count, 0);
	}
	npu_ref_run(&m->ref);
}

static void model_step_kill(struct model *m, struct model_context *ctx)
{
	struct npu_fake_file *file = m->files[model_file(m, ctx->ref->file)];
	bool running = model_random(m, 2);

	/* As its file does. */
	xa_erase(&file->npu.contexts, ctx->id);
	model_forgive_attach(m);
	npu_queue_kill(ctx->real, running);
	ctx->ref->killed = true;
	if (running)
		model_cancel(m, ctx->ref, 1, ctx->ref->submitted);
	npu_ref_advance(&m->ref, ctx->ref);
	npu_ref_run(&m->ref);
	npu_context_put(ctx->real);
}

static void model_step_break(struct model *m)
{
	u32 core = model_random(m, m->ref.core_count);

	if (m->ref.failing >= 0 || m->ref.cores[core].ctx)
		return;
	m->ref.failing = core;
	m->fake->cores[core].attach_error = -EIO;
}

static void model_step_change(struct model *m, struct model_context *ctx)
{
	static const u32 weights[] = { 0, 1, 50, 100, 300, 10000 };
	u32 sched_class = model_random(m, DRM_NPU_CLASS_BACKGROUND + 1);
	u32 weight = weights[model_random(m, ARRAY_SIZE(weights))];
	bool privileged = model_random(m, 2);

	npu_queue_change(ctx->real, &sched_class, &weight, privileged);
	npu_ref_change(&m->ref, ctx->ref, sched_class, weight, privileged);
	npu_ref_run(&m->ref);
}

static void model_step_hold(struct model *m)
{
	u32 i = model_random(m, NPU_REF_FILES);
	struct npu_ref_file *file = &m->ref.files[i];
	struct npu_vm *vm = m->files[i]->npu.vm;

	if (file->held) {
		npu_gate_open(&vm->gate);
		npu_ref_release(&m->ref, file);
	} else {
		npu_gate_close(&vm->gate);
		npu_ref_hold(&m->ref, file);
	}
}

/* Files cannot be opened anew here, so one that is banned is pardoned. */
static void model_step_pardon(struct model *m)
{
	u32 i;

	for (i = 0; i < NPU_REF_FILES; i++) {
		struct npu_client *client = m->files[i]->npu.client;

		KUNIT_EXPECT_EQ(m->test, client->guilty, m->ref.files[i].guilty);
		KUNIT_EXPECT_EQ(m->test, client->banned,
				client->guilty >= NPU_MAX_GUILTY);
		if (!client->banned)
			continue;
		client->banned = false;
		client->guilty = 0;
		m->ref.files[i].guilty = 0;
	}
}

static void model_new_context(struct model *m, struct model_context *ctx)
{
	u32 i = model_random(m, NPU_REF_FILES);
	struct npu_fake_file *file = m->files[i];
	u32 mask = model_random(m, npu_core_mask(m->fake->npu)) + 1;

	if (m->files[i]->npu.client->banned)
		return model_step_pardon(m);
	*ctx->ref = (struct npu_ref_context) {
		.file = &m->ref.files[i],
		.born = ++m->ref.born,
		.mask = mask,
	};
	ctx->checked = 0;
	ctx->real = npu_context_create(&file->npu, mask, NPU_REF_QUEUED, 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(m->test, ctx->real);
	KUNIT_ASSERT_EQ(m->test, xa_alloc(&file->npu.contexts, &ctx->id, ctx->real,
					  xa_limit_31b, GFP_KERNEL), 0);
	npu_context_get(ctx->real);
	model_step_change(m, ctx);
}

static void model_step(struct model *m)
{
	struct model_context *ctx = &m->contexts[model_random(m, NPU_REF_CONTEXTS)];
	u32 what = model_random(m, 1000);

	if (!ctx->real)
		model_new_context(m, ctx);
	if (!ctx->real)
		return;
	if (what < 300 && !ctx->ref->killed)
		model_step_queue(m, ctx);
	else if (what < 800)
		model_step_end(m);
	else if (what < 860)
		model_step_signal(m);
	else if (what < 900)
		model_step_cancel(m, ctx);
	else if (what < 910)
		model_step_hang(m);
	else if (what < 925)
		model_step_break(m);
	else if (what < 940)
		model_pass(m, model_random(m, 6 * NSEC_PER_MSEC));
	else if (what < 955)
		model_step_hold(m);
	else if (what < 985)
		model_step_change(m, ctx);
	else if (what < 990)
		m->fake->policy.fcfs = !model_random(m, 4);
	else if (what < 992)
		model_step_pardon(m);
	else if (!ctx->ref->killed)
		model_step_kill(m, ctx);
	npu_fake_settle(m->fake);
	model_fail_attach(m);
	npu_fake_settle(m->fake);
}

/* Forget a submit that has ended, after a look at its fence. */
static void model_compare_submit(struct model *m, struct model_submit *submit)
{
	u32 i, j;

	KUNIT_EXPECT_EQ(m->test, dma_fence_get_status(&submit->real->fence),
			submit->ref.jobs ? 0 : submit->ref.out_error ?: 1);
	if (submit->ref.jobs)
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
	struct npu_ref_context *ref = ctx->ref;
	struct npu_context *real = ctx->real;

	KUNIT_EXPECT_EQ(m->test, real->submitted, ref->submitted);
	KUNIT_EXPECT_EQ(m->test, real->completed, ref->completed);
	KUNIT_EXPECT_EQ(m->test, real->retired, ref->completed);
	KUNIT_EXPECT_EQ(m->test, real->stats.guilty_jobs, ref->guilty);
	/* All of what has ended, each once. */
	KUNIT_EXPECT_EQ(m->test, real->stats.tasks, ref->tasks);
	while (ctx->checked < ref->completed) {
		const struct npu_ref_job *job = npu_ref_job(ref, ++ctx->checked);
		u32 i;

		KUNIT_EXPECT_EQ(m->test, npu_fake_error(real, ctx->checked), job->error);
		for (i = 0; i < job->job->lane_count && !job->error; i++)
			KUNIT_EXPECT_EQ(m->test, job->next[i], job->job->lanes[i].task_count);
	}
	if (ref->killed && ref->completed == ref->submitted) {
		npu_context_put(real);
		ctx->real = NULL;
		ref->file = NULL;
	}
}

static void model_compare_core(struct model *m, u32 i, u32 step)
{
	const struct npu_ref_core *core = &m->ref.cores[i];
	const struct npu_fake_core *fake = &m->fake->cores[i];
	struct kunit *test = m->test;

	KUNIT_EXPECT_EQ_MSG(test, fake->running, !!core->ctx,
			    "core %u, step %u", i, step);
	KUNIT_EXPECT_PTR_EQ(test, fake->vm, core->attached ?
			    m->files[model_file(m, core->attached)]->npu.vm->hw : NULL);
	if (core->ctx) {
		const struct model_context *ctx =
			&m->contexts[core->ctx - m->ref.contexts];
		const struct npu_ref_job *head =
			npu_ref_job(core->ctx, core->ctx->completed + 1);
		const struct npu_job_task *task =
			&head->job->lanes[core->lane].tasks[core->first];

		KUNIT_EXPECT_PTR_EQ_MSG(test, m->fake->npu->exec->cores[i].ctx, ctx->real,
					"core %u, step %u", i, step);
		KUNIT_EXPECT_EQ(test, fake->lane.stream_words, task->stream_words);
		KUNIT_EXPECT_EQ(test, fake->lane.stream, task->stream);
		KUNIT_EXPECT_EQ(test, fake->lane.task_count, core->tasks);
		KUNIT_EXPECT_FALSE(test, core->first && task->continues);
	} else {
		/* It has nothing to do. */
		KUNIT_EXPECT_FALSE(test, npu_ref_waits(&m->ref, i));
	}
}

static bool model_compare(struct model *m, u32 step)
{
	u32 i;

	for (i = 0; i < m->ref.core_count; i++)
		model_compare_core(m, i, step);
	for (i = 0; i < SUBMITS; i++)
		if (m->submits[i].real)
			model_compare_submit(m, &m->submits[i]);
	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		if (m->contexts[i].real)
			model_compare_context(m, &m->contexts[i]);
	return m->test->status == KUNIT_SUCCESS;
}

/* Let go of all that the model refers to. */
static void model_fini(void *data)
{
	struct model *m = data;
	u32 i;

	for (i = 0; i < NPU_REF_FILES; i++)
		if (m->ref.files[i].held)
			npu_gate_open(&m->files[i]->npu.vm->gate);
	for (i = 0; i < SUBMITS; i++)
		if (m->submits[i].real)
			npu_submit_put(m->submits[i].real);
	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		if (m->contexts[i].real)
			npu_context_put(m->contexts[i].real);
}

static const struct npu_random_run {
	const char *name;
	u64 seed;
	u32 cores;
	struct npu_sched_params policy;
	u64 stay_ns;
} npu_random_runs[] = {
	{ "one core", 1, 1, { 1000, 50, 100, 500 }, 500 * NSEC_PER_USEC },
	{ "two cores", 2, 2, { 1000, 20, 10, 30 }, 5 * NSEC_PER_MSEC },
	{ "three cores", 3, 3, { 1000, 50, 100, 500 }, 500 * NSEC_PER_USEC },
	{ "three cores, small bounds", 4, 3, { 300, 10, 5, 8 }, U64_MAX },
	{ "three cores, whole lanes", 5, 3, { 0, 100, 20, 20 }, 0 },
	{ "eight cores", 6, 8, { 2000, 30, 50, 100 }, 2 * NSEC_PER_MSEC },
};

KUNIT_ARRAY_PARAM_DESC(npu_random, npu_random_runs, name);

static struct npu_job *model_job(struct model *m, struct npu_fake_file *file)
{
	u32 counts[NPU_MAX_CORES], lanes = 1, i, j;
	struct npu_job *job;

	if (model_random(m, 2))
		lanes += model_random(m, m->ref.core_count);
	for (i = 0; i < lanes; i++)
		counts[i] = 1 + model_random(m, TASKS);
	job = npu_fake_job_of(file, lanes, counts);
	for (i = 0; i < lanes; i++) {
		for (j = 0; j < counts[i]; j++) {
			struct npu_job_task *task = &job->lanes[i].tasks[j];

			task->cost_ns = 1000 + model_random(m, 700 * NSEC_PER_USEC);
			task->continues = j && !model_random(m, 4);
		}
		npu_slice_prepare(&job->lanes[i]);
	}
	return job;
}

static void npu_random_start(struct model *m, const struct npu_random_run *run)
{
	/* So that virtual times do not fit into 64 bits after a while. */
	const s64 time = -40ll * NSEC_PER_MSEC;
	enum npu_rank rank;
	u32 i, j;

	m->fake = npu_fake_create(m->test, run->cores);
	m->fake->policy = run->policy;
	m->fake->npu->exec->sched.stay_ns = run->stay_ns;
	/* Cores that are stopped together end in any order; the reference has one. */
	m->fake->npu->exec->cancel_ns = U64_MAX;
	m->ref.policy = &m->fake->policy;
	m->ref.stay_ns = run->stay_ns;
	m->ref.core_count = run->cores;
	m->ref.failing = -1;
	m->ref.now = m->fake->now;
	prandom_seed_state(&m->rnd, run->seed);
	for (rank = 0; rank < NPU_RANKS; rank++) {
		m->ref.mean[rank] = time;
		m->fake->npu->exec->sched.fair[rank].time = time;
	}
	for (i = 0; i < NPU_REF_CONTEXTS; i++)
		m->contexts[i].ref = &m->ref.contexts[i];
	for (i = 0; i < NPU_REF_FILES; i++) {
		m->files[i] = npu_fake_open(m->fake);
		for (j = 0; j < JOBS; j++)
			m->jobs[i][j] = model_job(m, m->files[i]);
		for (rank = 0; rank < NPU_RANKS; rank++) {
			struct npu_ref_share *share = &m->ref.files[i].shares[rank];
			struct npu_group *group = &m->files[i]->npu.client->sched.groups[rank];

			share->time = time;
			share->lowest = time;
			group->time = time;
			group->turn = time;
		}
	}
}

static void npu_random_steps(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 step;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	npu_random_start(m, test->param_value);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, model_fini, m), 0);

	for (step = 0; step < STEPS; step++) {
		model_step(m);
		if (!model_compare(m, step))
			break;
	}
	/* It has done something. */
	KUNIT_EXPECT_GT(test, m->ref.ended, STEPS / 12);
	kunit_info(test, "%llu jobs, %llu slices in %u steps\n", m->ref.ended,
		   m->ref.taken, step);
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
