// SPDX-License-Identifier: GPL-2.0-only
/* Moves of a file: one at a time, in a worker, and whom they keep waiting. */
#include <linux/completion.h>
#include <linux/kthread.h>

#include <kunit/test.h>

#include "../../driver/core/mem/npu_mover.h"

/**
 * struct mover_move - a move of the tests
 */
struct mover_move {
	/** @base: The move. */
	struct npu_move base;
	/** @t: Its test. */
	struct mover_test *t;
	/** @runs: How often it has been run. */
	unsigned int runs;
	/** @out: Whether the newest run was to system memory. */
	bool out;
	/** @blocks: Waits until it is cancelled. */
	bool blocks;
	/** @result: What a run returns, unless it is cancelled. */
	int result;
};

/**
 * struct mover_test - a mover and what has happened to it
 */
struct mover_test {
	/** @test: The test. */
	struct kunit *test;
	/** @mover: The mover. */
	struct npu_mover mover;
	/** @still: Its waits. */
	wait_queue_head_t still;
	/** @queue: Its workqueue. */
	struct workqueue_struct *queue;
	/** @begun: A run that blocks has begun. */
	struct completion begun;
	/** @running: Runs at present. */
	atomic_t running;
	/** @moves: The moves. */
	struct mover_move moves[3];
	/** @order: Which were run, in order. */
	struct mover_move *order[8];
	/** @count: Number of @order. */
	unsigned int count;
	/** @wrong: A run was not alone, or in a thread of a client. */
	bool wrong;
};

static int mover_run(struct npu_move *base, bool out)
{
	struct mover_move *move = container_of(base, struct mover_move, base);
	struct mover_test *t = move->t;
	int ret = move->result;

	if (atomic_inc_return(&t->running) != 1 || !(current->flags & PF_WQ_WORKER) ||
	    t->count == ARRAY_SIZE(t->order))
		t->wrong = true;
	else
		t->order[t->count++] = move;
	move->runs++;
	move->out = out;
	if (move->blocks) {
		complete(&t->begun);
		wait_event(t->still, READ_ONCE(base->cancelled));
		ret = -ECANCELED;
	}
	atomic_dec(&t->running);
	return ret;
}

static void mover_fini(void *data)
{
	struct mover_test *t = data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t->moves); i++)
		npu_mover_cancel(&t->mover, &t->moves[i].base);
	npu_mover_fini(&t->mover);
	destroy_workqueue(t->queue);
	KUNIT_EXPECT_FALSE(t->test, t->wrong);
}

static struct mover_test *mover_create(struct kunit *test)
{
	struct mover_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	init_waitqueue_head(&t->still);
	init_completion(&t->begun);
	for (i = 0; i < ARRAY_SIZE(t->moves); i++) {
		INIT_LIST_HEAD(&t->moves[i].base.link);
		t->moves[i].t = t;
	}
	t->queue = alloc_workqueue("npu-mover-test", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->queue);
	npu_mover_init(&t->mover, t->queue, &t->still, mover_run);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mover_fini, t), 0);
	return t;
}

/* A call returns what its run does; posted moves run too, each once. */
static void npu_mover_calls(struct kunit *test)
{
	struct mover_test *t = mover_create(test);

	t->moves[0].result = -ENOSPC;
	KUNIT_EXPECT_EQ(test, npu_mover_call(&t->mover, &t->moves[0].base, false), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, t->moves[0].out);
	t->moves[0].result = 0;
	KUNIT_EXPECT_EQ(test, npu_mover_call(&t->mover, &t->moves[0].base, true), 0);
	KUNIT_EXPECT_TRUE(test, t->moves[0].out);
	npu_mover_post(&t->mover, &t->moves[1].base);
	flush_work(&t->mover.work);
	KUNIT_EXPECT_EQ(test, t->moves[0].runs, 2);
	KUNIT_EXPECT_EQ(test, t->moves[1].runs, 1);
	KUNIT_EXPECT_FALSE(test, t->moves[1].out);
}

/* However many are posted, one thread runs them, in order. */
static void npu_mover_one_at_a_time(struct kunit *test)
{
	struct mover_test *t = mover_create(test);

	t->moves[0].blocks = true;
	npu_mover_post(&t->mover, &t->moves[0].base);
	wait_for_completion(&t->begun);
	npu_mover_post(&t->mover, &t->moves[1].base);
	npu_mover_post(&t->mover, &t->moves[2].base);
	npu_mover_post(&t->mover, &t->moves[1].base);
	KUNIT_EXPECT_EQ(test, t->moves[1].runs, 0);
	npu_mover_cancel(&t->mover, &t->moves[0].base);
	flush_work(&t->mover.work);
	KUNIT_ASSERT_EQ(test, t->count, 3);
	KUNIT_EXPECT_PTR_EQ(test, t->order[1], &t->moves[1]);
	KUNIT_EXPECT_PTR_EQ(test, t->order[2], &t->moves[2]);
}

/* A call ends a run of the same move, and goes ahead of what is queued. */
static void npu_mover_call_goes_first(struct kunit *test)
{
	struct mover_test *t = mover_create(test);

	t->moves[0].blocks = true;
	npu_mover_post(&t->mover, &t->moves[0].base);
	wait_for_completion(&t->begun);
	npu_mover_post(&t->mover, &t->moves[1].base);
	WRITE_ONCE(t->moves[0].blocks, false);
	KUNIT_EXPECT_EQ(test, npu_mover_call(&t->mover, &t->moves[0].base, true), 0);
	KUNIT_EXPECT_EQ(test, t->moves[0].runs, 2);
	flush_work(&t->mover.work);
	KUNIT_ASSERT_EQ(test, t->count, 3);
	KUNIT_EXPECT_PTR_EQ(test, t->order[1], &t->moves[0]);
	KUNIT_EXPECT_TRUE(test, t->moves[0].out);
	KUNIT_EXPECT_PTR_EQ(test, t->order[2], &t->moves[1]);
}

/* What is queued and cancelled is not run. */
static void npu_mover_cancels_queued(struct kunit *test)
{
	struct mover_test *t = mover_create(test);

	t->moves[0].blocks = true;
	npu_mover_post(&t->mover, &t->moves[0].base);
	wait_for_completion(&t->begun);
	npu_mover_post(&t->mover, &t->moves[1].base);
	npu_mover_cancel(&t->mover, &t->moves[1].base);
	npu_mover_cancel(&t->mover, &t->moves[0].base);
	flush_work(&t->mover.work);
	KUNIT_EXPECT_EQ(test, t->moves[1].runs, 0);
	/* It can be used again. */
	KUNIT_EXPECT_EQ(test, npu_mover_call(&t->mover, &t->moves[1].base, false), 0);
	KUNIT_EXPECT_EQ(test, t->moves[1].runs, 1);
}

static struct kunit_case npu_mover_cases[] = {
	KUNIT_CASE(npu_mover_calls),
	KUNIT_CASE(npu_mover_one_at_a_time),
	KUNIT_CASE(npu_mover_call_goes_first),
	KUNIT_CASE(npu_mover_cancels_queued),
	{}
};

static struct kunit_suite npu_mover_suite = {
	.name = "npu_mover",
	.test_cases = npu_mover_cases,
};

kunit_test_suite(npu_mover_suite);
