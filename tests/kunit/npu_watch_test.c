// SPDX-License-Identifier: GPL-2.0-only
/* When a core is taken to hang. */
#include <kunit/test.h>

#include "../../driver/core/exec/npu_watch.h"

#define TIMEOUT	100ul

/* Every case at some time, and where the clock wraps around. */
static const struct npu_watch_time {
	const char *name;
	unsigned long now;
} npu_watch_times[] = {
	{ "from zero", 0 },
	{ "in between", 123456 },
	{ "deadline wraps", 0ul - TIMEOUT / 2 },
	{ "limit wraps", 0ul - 2 * TIMEOUT },
	{ "last moment", ULONG_MAX },
	{ "becomes negative", LONG_MAX },
};

KUNIT_ARRAY_PARAM_DESC(npu_watch, npu_watch_times, name);

/* Before the deadline nothing is looked at. */
static void npu_watch_early(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	unsigned long now = start->now;
	struct npu_watch watch;

	npu_watch_start(&watch, TIMEOUT, 4, 7, now);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 7, now), NPU_WATCH_EARLY);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 8, now + TIMEOUT - 1),
			NPU_WATCH_EARLY);
	/* It has not taken notice of that progress. */
	KUNIT_EXPECT_EQ(test, watch.progress, 7);
	KUNIT_EXPECT_EQ(test, watch.deadline, now + TIMEOUT);
}

/* Progress gives another timeout, counted from the look. */
static void npu_watch_busy(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	unsigned long now = start->now;
	struct npu_watch watch;

	npu_watch_start(&watch, TIMEOUT, 4, 7, now);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 8, now + TIMEOUT),
			NPU_WATCH_BUSY);
	KUNIT_EXPECT_EQ(test, watch.deadline, now + 2 * TIMEOUT);
	/* Any other number is progress. */
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 3, now + 2 * TIMEOUT + 10),
			NPU_WATCH_BUSY);
	KUNIT_EXPECT_EQ(test, watch.deadline, now + 3 * TIMEOUT + 10);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 3, now + 3 * TIMEOUT + 9),
			NPU_WATCH_EARLY);
}

/* Without progress it hangs. */
static void npu_watch_hung(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	unsigned long now = start->now;
	struct npu_watch watch;

	npu_watch_start(&watch, TIMEOUT, 4, 7, now);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 7, now + TIMEOUT),
			NPU_WATCH_HUNG);
	npu_watch_start(&watch, TIMEOUT, 4, 7, now);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 8, now + TIMEOUT + 1),
			NPU_WATCH_BUSY);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 8, now + 2 * TIMEOUT + 1),
			NPU_WATCH_HUNG);
}

/* A lane that is always busy ends after the timeouts of all its tasks. */
static void npu_watch_limit(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	unsigned long now = start->now;
	struct npu_watch watch;

	npu_watch_start(&watch, TIMEOUT, 3, 0, now);
	KUNIT_EXPECT_EQ(test, watch.limit, now + 3 * TIMEOUT);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 1, now + TIMEOUT + 10),
			NPU_WATCH_BUSY);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 2, now + 2 * TIMEOUT + 10),
			NPU_WATCH_BUSY);
	/* The last look is at the limit, not a timeout later. */
	KUNIT_EXPECT_EQ(test, watch.deadline, now + 3 * TIMEOUT);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 3, now + 3 * TIMEOUT - 1),
			NPU_WATCH_EARLY);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 3, now + 3 * TIMEOUT),
			NPU_WATCH_HUNG);
}

/* One task has one timeout, and so has none. */
static void npu_watch_few_tasks(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	struct npu_watch watch;
	u32 tasks;

	for (tasks = 0; tasks < 2; tasks++) {
		npu_watch_start(&watch, TIMEOUT, tasks, 0, start->now);
		KUNIT_EXPECT_EQ(test, watch.limit, start->now + TIMEOUT);
		KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 1, start->now + TIMEOUT),
				NPU_WATCH_HUNG);
	}
}

/* Many tasks do not make it endless. */
static void npu_watch_many_tasks(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	static const u32 tasks[] = { 16, 17, 4095, U32_MAX };
	struct npu_watch watch;
	unsigned int i;

	npu_watch_start(&watch, TIMEOUT, 15, 0, start->now);
	KUNIT_EXPECT_EQ(test, watch.limit, start->now + 15 * TIMEOUT);
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		npu_watch_start(&watch, TIMEOUT, tasks[i], 0, start->now);
		KUNIT_EXPECT_EQ(test, watch.limit, start->now + 16 * TIMEOUT);
	}
}

/* A limit that is too far away is as far as the clock can tell. */
static void npu_watch_saturates(struct kunit *test)
{
	const struct npu_watch_time *start = test->param_value;
	unsigned long now = start->now;
	struct npu_watch watch;

	npu_watch_start(&watch, MAX_JIFFY_OFFSET / 2, U32_MAX, 0, now);
	KUNIT_EXPECT_EQ(test, watch.limit, now + MAX_JIFFY_OFFSET);
	KUNIT_EXPECT_TRUE(test, time_after(watch.limit, now));
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 1, now + MAX_JIFFY_OFFSET / 2),
			NPU_WATCH_BUSY);
	/* The product just fits, but not with a sign. */
	npu_watch_start(&watch, BIT(58), U32_MAX, 0, now);
	KUNIT_EXPECT_EQ(test, watch.limit, now + MAX_JIFFY_OFFSET);
	KUNIT_EXPECT_EQ(test, npu_watch_look(&watch, 0, now + 1), NPU_WATCH_EARLY);
}

static struct kunit_case npu_watch_cases[] = {
	KUNIT_CASE_PARAM(npu_watch_early, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_busy, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_hung, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_limit, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_few_tasks, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_many_tasks, npu_watch_gen_params),
	KUNIT_CASE_PARAM(npu_watch_saturates, npu_watch_gen_params),
	{}
};

static struct kunit_suite npu_watch_suite = {
	.name = "npu_watch",
	.test_cases = npu_watch_cases,
};

kunit_test_suite(npu_watch_suite);
