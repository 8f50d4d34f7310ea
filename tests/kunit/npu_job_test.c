// SPDX-License-Identifier: GPL-2.0-only
/* Jobs under construction: what their tasks cost, and which are refused for it. */
#include <linux/slab.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/include/npu_isa.h"
#include "npu_accel.h"
#include "npu_fake.h"

#define US		((u32)NSEC_PER_USEC)

/* A dialect with streams of one command: the cost of the task, and this bit. */
#define NPU_JOB_CONTINUES	BIT_ULL(63)

static size_t npu_job_toy_state_size(void)
{
	return sizeof(u64);
}

static void npu_job_toy_begin(void *state, const struct npu_isa_chip *chip)
{
	*(u64 *)state = 0;
}

static u32 npu_job_toy_words(u32 count)
{
	return count;
}

static int npu_job_toy_verify(void *state, const struct npu_isa_stream *stream,
			      struct npu_isa_fault *fault)
{
	*(u64 *)state = *(const u64 *)stream->commands;
	return 0;
}

static u32 npu_job_toy_emit(const void *state, void *commands)
{
	*(u64 *)commands = *(const u64 *)state;
	return 1;
}

static void npu_job_toy_describe(const void *state, struct npu_isa_task *task)
{
	u64 command = *(const u64 *)state;

	task->continues = command & NPU_JOB_CONTINUES;
	task->macs = command & ~NPU_JOB_CONTINUES;
}

static void npu_job_toy_link(void *stream, u32 words, u32 enable, u64 next,
			     u32 next_words)
{
}

static const struct npu_isa_ops npu_job_toy = {
	.word_bytes = sizeof(u64),
	.max_lane_tasks = 8,
	.max_task_commands = 1,
	.max_stream_commands = 1,
	.state_size = npu_job_toy_state_size,
	.begin = npu_job_toy_begin,
	.stream_words = npu_job_toy_words,
	.verify = npu_job_toy_verify,
	.emit = npu_job_toy_emit,
	.describe = npu_job_toy_describe,
	.link = npu_job_toy_link,
};

/**
 * struct npu_job_case - a lane, and whether it is accepted
 */
struct npu_job_case {
	/** @name: What is special about it. */
	const char *name;
	/** @costs: Modelled microseconds of each task; negative if it continues. */
	int costs[8];
	/** @estimate_ns: What the client says that each task costs. */
	u32 estimate_ns;
	/** @refused: Number of the task that is refused, from 1, or 0. */
	u32 refused;
};

static const struct npu_job_case npu_job_lanes_uncut[] = {
	{ "a task as long as the limit", { 4000 }, 0, 0 },
	{ "a task beyond the limit", { 100, 4001 }, 0, 2 },
	{ "as long as the limit together", { 1000, -1000, -2000, 4000 }, 0, 0 },
	{ "beyond the limit together", { 100, 2000, -1000, -1000, -1 }, 0, 5 },
	{ "cut in time", { 3000, -1000, 3000, -1000, 3000 }, 0, 0 },
	/* No task takes less than 3 us, whatever the model says. */
	{ "tasks of no cost", { 3990, -1, -1, -1, -1 }, 0, 5 },
	{ "only the client thinks so", { 1000, -1000, -1000 }, U32_MAX, 0 },
};

KUNIT_ARRAY_PARAM_DESC(npu_job_uncut, npu_job_lanes_uncut, name);

/* Build a job of one lane in the toy dialect. */
static int npu_job_toy_build(struct npu_fake_file *file,
			     const struct npu_job_case *lane,
			     struct npu_job_builder *builder,
			     struct npu_isa_fault *fault)
{
	struct kunit *test = file->fake->test;
	u64 *copy = kvcalloc(8, sizeof(*copy), GFP_KERNEL);
	u32 count = 0, i;

	*builder = (struct npu_job_builder) {
		.job = npu_job_create(file->fake->npu, 1),
		.vm = file->npu.vm,
		.isa = &npu_job_toy,
		.tasks = kvcalloc(8, sizeof(*builder->tasks), GFP_KERNEL),
		.copy = copy,
	};
	KUNIT_ASSERT_NOT_NULL(test, builder->job);
	KUNIT_ASSERT_NOT_NULL(test, builder->tasks);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	for (i = 0; i < 8 && lane->costs[i]; i++) {
		/* The fake multiplies 1024 times a nanosecond. */
		copy[i] = abs(lane->costs[i]) * 1024ull * US;
		if (lane->costs[i] < 0)
			copy[i] |= NPU_JOB_CONTINUES;
		builder->tasks[i].commands = i;
		builder->tasks[i].command_count = 1;
		builder->tasks[i].cost_ns = lane->estimate_ns;
		count++;
	}
	builder->job->lanes[0].task_count = count;
	return npu_job_build(builder, fault);
}

/* What cannot be cut apart takes no longer than the limit, or is refused. */
static void npu_job_uncut(struct kunit *test)
{
	const struct npu_job_case *lane = test->param_value;
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_isa_fault fault = {};
	struct npu_job_builder builder;
	int ret;

	KUNIT_ASSERT_EQ(test, npu_exec_uncut_ns(), 4000 * US);
	ret = npu_job_toy_build(file, lane, &builder, &fault);
	KUNIT_EXPECT_EQ(test, ret, lane->refused ? -EINVAL : 0);
	KUNIT_EXPECT_EQ(test, fault.reason, lane->refused ? DRM_NPU_FAULT_UNCUT :
						      DRM_NPU_FAULT_NONE);
	if (lane->refused) {
		KUNIT_EXPECT_EQ(test, builder.fault_task, lane->refused - 1);
		/* The stream as a whole. */
		KUNIT_EXPECT_EQ(test, fault.command, 1);
	}
	npu_job_builder_fini(&builder);
	npu_job_put(builder.job);
}

/* A device that may not run as fast as others of its kind takes the same jobs. */
static void npu_job_slow_clock(struct kunit *test)
{
	static const struct npu_job_case fits = { .costs = { 4000 } };
	static const struct npu_job_case over = { .costs = { 4001 } };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_isa_fault fault = {};
	struct npu_job_builder builder;

	fake->npu->desc.core.peak_hz = fake->npu->desc.core.clock_hz;
	fake->npu->desc.core.clock_hz /= 5;
	KUNIT_EXPECT_EQ(test, npu_job_toy_build(file, &fits, &builder, &fault), 0);
	KUNIT_EXPECT_EQ(test, builder.job->tasks[0].cost_ns, 5 * 4000 * US);
	npu_job_builder_fini(&builder);
	npu_job_put(builder.job);
	KUNIT_EXPECT_EQ(test, npu_job_toy_build(file, &over, &builder, &fault),
			-EINVAL);
	npu_job_builder_fini(&builder);
	npu_job_put(builder.job);
}

/* Without a clock or a bandwidth nothing is known but what any task takes. */
static void npu_job_no_rates(struct kunit *test)
{
	static const struct npu_job_case lane = { .costs = { 1000, -5000 } };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_isa_fault fault = {};
	struct npu_job_builder builder;

	fake->npu->desc.core.clock_hz = 0;
	fake->npu->desc.core.bandwidth = 0;
	KUNIT_EXPECT_EQ(test, npu_job_toy_build(file, &lane, &builder, &fault), 0);
	KUNIT_EXPECT_EQ(test, builder.job->tasks[0].cost_ns, 3 * US);
	KUNIT_EXPECT_EQ(test, builder.job->tasks[1].cost_ns, 3 * US);
	npu_job_builder_fini(&builder);
	npu_job_put(builder.job);
}

static struct kunit_case npu_job_cases[] = {
	KUNIT_CASE_PARAM(npu_job_uncut, npu_job_uncut_gen_params),
	KUNIT_CASE(npu_job_slow_clock),
	KUNIT_CASE(npu_job_no_rates),
	{}
};

static struct kunit_suite npu_job_suite = {
	.name = "npu_job",
	.test_cases = npu_job_cases,
};

kunit_test_suite(npu_job_suite);
