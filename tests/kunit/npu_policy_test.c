// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts are served in the order that the scheduler says; what that order is, and
 * what each client gets in the long run, tests/unit/sched_policy_test.cpp checks.
 */
#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT
#define LATENCY		DRM_NPU_CLASS_LATENCY
#define BACKGROUND	DRM_NPU_CLASS_BACKGROUND
#define MS		((u64)NSEC_PER_MSEC)
#define CLIENTS		6

/**
 * struct npu_client - somebody with work
 */
struct npu_client {
	/** @file: Its file. */
	struct npu_fake_file *file;
	/** @ctx: Its context. */
	struct npu_context *ctx;
	/** @job: Its job, of one task. */
	struct npu_job *job;
	/** @until: Its jobs have to end so long after they are queued, or 0. */
	u64 until;
};

/**
 * struct npu_policy_user - a device and its clients
 */
struct npu_policy_user {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @clients: The clients. */
	struct npu_client clients[CLIENTS];
	/** @count: How many there are. */
	u32 count;
};

static void npu_policy_start(struct kunit *test, struct npu_policy_user *user,
			     u32 cores)
{
	*user = (struct npu_policy_user) { .fake = npu_fake_create(test, cores) };
	/* Address spaces cost nothing. */
	user->fake->npu->exec->sched.stay_ns = 0;
}

/* A client, in a file of its own or in that of another. */
static struct npu_client *npu_policy_client(struct npu_policy_user *user,
					    struct npu_client *other, u32 mask,
					    u32 sched_class, u32 weight)
{
	struct npu_client *client = &user->clients[user->count++];

	client->file = other ? other->file : npu_fake_open(user->fake);
	client->ctx = npu_fake_context(client->file, mask, 8, sched_class);
	client->job = npu_fake_job(client->file, 1);
	npu_queue_change(client->ctx, NULL, &weight, true);
	return client;
}

static void npu_policy_queue(struct npu_policy_user *user,
			     struct npu_client *client)
{
	npu_fake_queue_until(user->fake, client->ctx, client->job,
			     client->until ? user->fake->now + client->until : 0);
}

/* Each of @clients has two jobs, and all cores work, a millisecond at a time. */
static void npu_policy_load(struct npu_policy_user *user,
			    struct npu_client *const *clients, u32 count, u32 ms)
{
	const struct npu_hw_result result = { .tasks = 1, .device_ns = MS };
	struct npu_fake *fake = user->fake;
	u32 i;

	for (; ms; ms--) {
		for (i = 0; i < count; i++)
			while (clients[i]->ctx->submitted - clients[i]->ctx->completed < 2)
				npu_policy_queue(user, clients[i]);
		npu_fake_pass(fake, MS);
		for (i = 0; i < fake->npu->core_count; i++) {
			if (fake->cores[i].running)
				npu_fake_end_with(fake, i, &result);
			npu_fake_settle(fake);
		}
	}
}

/* Milliseconds that a client has had, and begin anew. */
static u32 npu_policy_had(struct npu_client *client)
{
	u32 ms = div_u64(client->ctx->stats.busy_ns, MS);

	client->ctx->stats.busy_ns = 0;
	return ms;
}

static const struct npu_policy_case {
	const char *name;
	bool files;
} npu_policy_both[] = {
	{ "one file", false },
	{ "files", true },
};

KUNIT_ARRAY_PARAM_DESC(npu_policy, npu_policy_both, name);

/* First by class, then by deadline, whatever it is; then in the order they came. */
static void npu_policy_order(struct kunit *test)
{
	const struct npu_policy_case *param = test->param_value;
	static const struct {
		u32 sched_class;
		u32 until_ms;
		u32 turn;
	} cases[CLIENTS] = {
		{ BACKGROUND, 1, 5 },
		{ THROUGHPUT, 0, 3 },
		{ THROUGHPUT, 9, 2 },
		{ THROUGHPUT, 0, 4 },
		{ LATENCY, 0, 1 },
		{ LATENCY, 50, 0 },
	};
	struct npu_client *blocker, *first = NULL;
	struct npu_policy_user user;
	u32 turn, i;

	npu_policy_start(test, &user, 1);
	blocker = npu_policy_client(&user, NULL, 1, LATENCY, 0);
	npu_policy_queue(&user, blocker);
	user.count = 0;
	for (i = 0; i < CLIENTS; i++) {
		struct npu_client *client =
			npu_policy_client(&user, first, 1, cases[i].sched_class, 0);

		if (!param->files)
			first = &user.clients[0];
		client->until = cases[i].until_ms * MS;
		npu_policy_queue(&user, client);
	}
	npu_fake_work(user.fake, 0, MS);
	for (turn = 0; turn < CLIENTS; turn++) {
		for (i = 0; cases[i].turn != turn; i++)
			;
		NPU_EXPECT_RUNS(user.fake, 0, user.clients[i].job, 0);
		npu_fake_work(user.fake, 0, MS);
	}
}

/* Deadlines are no means to get more. */
static void npu_policy_credit(struct kunit *test)
{
	struct npu_client *clients[2];
	struct npu_policy_user user;
	u32 had;

	npu_policy_start(test, &user, 1);
	clients[0] = npu_policy_client(&user, NULL, 1, THROUGHPUT, 0);
	clients[1] = npu_policy_client(&user, NULL, 1, THROUGHPUT, 0);
	clients[0]->until = 1;
	npu_policy_load(&user, clients, 2, 60);
	/* They count at first. */
	KUNIT_EXPECT_GE(test, npu_policy_had(clients[0]), 50);
	npu_policy_load(&user, clients, 2, 600);
	had = npu_policy_had(clients[0]);
	KUNIT_EXPECT_LE(test, had, 400);
	KUNIT_EXPECT_GE(test, had, 290);
	KUNIT_EXPECT_EQ(test, clients[0]->ctx->stats.missed_deadlines,
			clients[0]->ctx->completed);
	KUNIT_EXPECT_EQ(test, clients[1]->ctx->stats.missed_deadlines, 0);
}

/* A class and a weight hold for all that no core has been given. */
static void npu_policy_change_hints(struct kunit *test)
{
	static const u32 latency = LATENCY, background = BACKGROUND, weight = 300;
	struct npu_client *one, *two;
	struct npu_policy_user user;
	struct npu_device *npu;

	npu_policy_start(test, &user, 1);
	npu = user.fake->npu;
	one = npu_policy_client(&user, NULL, 1, THROUGHPUT, 0);
	two = npu_policy_client(&user, NULL, 1, THROUGHPUT, 0);
	npu_policy_queue(&user, one);
	npu_policy_queue(&user, one);
	npu_policy_queue(&user, two);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_THROUGHPUT].weight, 200);

	/* One runs; it is active as what it is now. */
	npu_queue_change(one->ctx, &background, &weight, true);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_THROUGHPUT].weight, 100);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_BACKGROUND].weight, 300);
	npu_queue_change(two->ctx, &latency, NULL, true);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_THROUGHPUT].weight, 0);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_LATENCY].weight, 100);
	npu_queue_change(one->ctx, &latency, NULL, true);
	KUNIT_EXPECT_EQ(test, npu->exec->sched.fair[NPU_RANK_LATENCY].weight, 400);
	/* Two waits. */
	npu_queue_change(two->ctx, &background, NULL, true);
	npu_fake_work(user.fake, 0, MS);
	NPU_EXPECT_RUNS(user.fake, 0, one->job, 0);
	npu_queue_change(two->ctx, NULL, &weight, false);
	KUNIT_EXPECT_EQ(test, two->ctx->stats.weight, 300);
	KUNIT_EXPECT_EQ(test, two->ctx->stats.granted_weight, DRM_NPU_WEIGHT_DEFAULT);
	npu_fake_work(user.fake, 0, MS);
	NPU_EXPECT_RUNS(user.fake, 0, two->job, 0);
	npu_fake_work(user.fake, 0, MS);
}

/* First come, first served, by those who are there already too. */
static void npu_policy_fcfs(struct kunit *test)
{
	struct npu_client *clients[4];
	struct npu_policy_user user;
	struct npu_fake *fake;
	u32 i;

	npu_policy_start(test, &user, 1);
	fake = user.fake;
	clients[0] = npu_policy_client(&user, NULL, 1, THROUGHPUT, 0);
	clients[1] = npu_policy_client(&user, NULL, 1, BACKGROUND, 0);
	clients[2] = npu_policy_client(&user, NULL, 1, THROUGHPUT, 10);
	clients[3] = npu_policy_client(&user, NULL, 1, LATENCY, 0);
	for (i = 0; i < 4; i++) {
		clients[3 - i]->until = (10 - i) * MS;
		npu_fake_pass(fake, 1);
		npu_policy_queue(&user, clients[i]);
	}
	fake->policy.fcfs = true;
	npu_fake_pass(fake, 1);
	npu_policy_queue(&user, clients[0]);
	for (i = 0; i < 5; i++) {
		NPU_EXPECT_RUNS(fake, 0, clients[i % 4]->job, 0);
		npu_fake_work(fake, 0, MS);
	}

	npu_policy_queue(&user, clients[0]);
	for (i = 1; i < 4; i++)
		npu_policy_queue(&user, clients[i]);
	fake->policy.fcfs = false;
	npu_fake_work(fake, 0, MS);
	NPU_EXPECT_RUNS(fake, 0, clients[3]->job, 0);
	npu_fake_work(fake, 0, MS);
	NPU_EXPECT_RUNS(fake, 0, clients[2]->job, 0);
	npu_fake_work(fake, 0, MS);
	NPU_EXPECT_RUNS(fake, 0, clients[1]->job, 0);
	npu_fake_work(fake, 0, MS);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_policy_cases[] = {
	KUNIT_CASE_PARAM(npu_policy_order, npu_policy_gen_params),
	NPU_FAKE_CASE(npu_policy_credit),
	NPU_FAKE_CASE(npu_policy_change_hints),
	NPU_FAKE_CASE(npu_policy_fcfs),
	{}
};

static struct kunit_suite npu_policy_suite = {
	.name = "npu_policy",
	.test_cases = npu_policy_cases,
};

kunit_test_suite(npu_policy_suite);
