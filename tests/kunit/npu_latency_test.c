// SPDX-License-Identifier: GPL-2.0-only
/* Latency work: its limit, and what it keeps awake. */
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_exec.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_slice.h"
#include "../../driver/core/include/npu_hw.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT
#define LATENCY		DRM_NPU_CLASS_LATENCY
#define BACKGROUND	DRM_NPU_CLASS_BACKGROUND
#define MS		((u64)NSEC_PER_MSEC)

/**
 * struct npu_latency_client - a file with a context that always has work
 */
struct npu_latency_client {
	/** @file: The file. */
	struct npu_fake_file *file;
	/** @ctx: The context. */
	struct npu_context *ctx;
	/** @job: A job of one task. */
	struct npu_job *job;
	/** @first_ms: Time that it was served as latency work. */
	u32 first_ms;
};

static void npu_latency_start(struct npu_fake *fake,
			      struct npu_latency_client *client, u32 sched_class)
{
	client->file = npu_fake_open(fake);
	client->ctx = npu_fake_context(client->file, 1, 4, sched_class);
	client->job = npu_fake_job(client->file, 1);
	client->first_ms = 0;
	/* Address spaces cost nothing. */
	fake->npu->exec->sched.stay_ns = 0;
}

/* The core works for so long, a millisecond at a time. */
static void npu_latency_load(struct npu_fake *fake,
			     struct npu_latency_client *clients, u32 count, u32 ms)
{
	struct npu_core *core = &fake->npu->exec->cores[0];
	u32 i;

	for (; ms; ms--) {
		for (i = 0; i < count; i++)
			while (clients[i].ctx->submitted - clients[i].ctx->completed < 2)
				npu_fake_queue(fake, clients[i].ctx, clients[i].job);
		for (i = 0; i < count; i++)
			if (core->ctx == clients[i].ctx && core->sched.rank == NPU_RANK_LATENCY)
				clients[i].first_ms++;
		npu_fake_work(fake, 0, MS);
	}
}

static u32 npu_latency_granted(struct npu_context *ctx)
{
	u32 granted;

	spin_lock_irq(&ctx->npu->exec->lock);
	granted = npu_context_class(ctx, npu_now(ctx->npu));
	spin_unlock_irq(&ctx->npu->exec->lock);
	return granted;
}

/* A file has its share ahead of others, and no more; the rest as any other. */
static void npu_latency_limit(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client clients[2];

	npu_latency_start(fake, &clients[0], LATENCY);
	npu_latency_start(fake, &clients[1], THROUGHPUT);
	npu_fake_limit(clients[0].ctx);
	fake->policy.latency_percent = 40;
	npu_latency_load(fake, clients, 2, 1);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), LATENCY);
	/* The window at once, then what comes. */
	npu_latency_load(fake, clients, 2, 100);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), THROUGHPUT);
	KUNIT_EXPECT_GE(test, clients[0].first_ms, 60);
	KUNIT_EXPECT_LE(test, clients[0].first_ms, 90);
	clients[0].first_ms = 0;
	npu_latency_load(fake, clients, 2, 1000);
	KUNIT_EXPECT_GE(test, clients[0].first_ms, 380);
	KUNIT_EXPECT_LE(test, clients[0].first_ms, 420);
	/* It comes back when it has been made up for. */
	npu_fake_pass(fake, 10 * MS);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), LATENCY);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[1].ctx), THROUGHPUT);
}

/* Files share it, contexts of a file share what that has. */
static void npu_latency_shared(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client clients[4];
	u32 i;

	for (i = 0; i < 4; i++) {
		npu_latency_start(fake, &clients[i], i == 3 ? THROUGHPUT : LATENCY);
		npu_fake_limit(clients[i].ctx);
	}
	clients[2] = clients[1];
	clients[2].ctx = npu_fake_context(clients[1].file, 1, 4, LATENCY);
	npu_fake_limit(clients[2].ctx);
	npu_latency_load(fake, clients, 4, 300);
	for (i = 0; i < 4; i++)
		clients[i].first_ms = 0;
	/* The third file has a context, but no work, so it has no part. */
	npu_latency_load(fake, clients, 4, 900);
	KUNIT_EXPECT_GE(test, clients[0].first_ms, 215);
	KUNIT_EXPECT_LE(test, clients[0].first_ms, 235);
	KUNIT_EXPECT_GE(test, clients[1].first_ms + clients[2].first_ms, 215);
	KUNIT_EXPECT_LE(test, clients[1].first_ms + clients[2].first_ms, 235);
	KUNIT_EXPECT_EQ(test, clients[3].first_ms, 0);
}

/* Nor is there more to be had by new files, one after the other. */
static void npu_latency_new_files(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	const u32 throughput = THROUGHPUT;
	struct npu_latency_client clients[2];
	u32 first_ms = 0, i;

	npu_latency_start(fake, &clients[1], THROUGHPUT);
	fake->policy.latency_percent = 40;
	for (i = 0; i < 100; i++) {
		npu_latency_start(fake, &clients[0], LATENCY);
		npu_fake_limit(clients[0].ctx);
		npu_latency_load(fake, clients, 2, 10);
		first_ms += clients[0].first_ms;
		npu_queue_cancel(clients[0].ctx, 1, clients[0].ctx->submitted, &(u32){ 0 });
		npu_fake_settle(fake);
		npu_queue_change(clients[0].ctx, &throughput, NULL, false);
	}
	/*
	 * The window at once, then what comes in a second, less the parts of files
	 * that have just stopped.
	 */
	KUNIT_EXPECT_GE(test, first_ms, 360);
	KUNIT_EXPECT_LE(test, first_ms, 460);
}

/* A long slice of one file is not to keep all others waiting for as long. */
static void npu_latency_long_slice(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client clients[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		npu_latency_start(fake, &clients[i], LATENCY);
		npu_fake_limit(clients[i].ctx);
	}
	npu_fake_queue(fake, clients[0].ctx, clients[0].job);
	npu_fake_work(fake, 0, 10000 * MS);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), THROUGHPUT);
	/* It has used up a window of what all files have. */
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[1].ctx), THROUGHPUT);
	npu_fake_pass(fake, MS);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[1].ctx), LATENCY);
	/* But its own file has to make up for all of it. */
	npu_fake_pass(fake, 19000 * MS);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), THROUGHPUT);
	npu_fake_pass(fake, 2000 * MS);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), LATENCY);
}

/* With privileges there is no limit; without, 0 percent are none. */
static void npu_latency_privileged(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client clients[2];

	npu_latency_start(fake, &clients[0], LATENCY);
	npu_latency_start(fake, &clients[1], THROUGHPUT);
	fake->policy.latency_percent = 0;
	npu_latency_load(fake, clients, 2, 300);
	KUNIT_EXPECT_EQ(test, clients[0].first_ms, 300);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), LATENCY);
	npu_fake_limit(clients[0].ctx);
	KUNIT_EXPECT_EQ(test, npu_latency_granted(clients[0].ctx), THROUGHPUT);
}

/* A job of many lanes is no way around the limit. */
static void npu_latency_lanes(struct kunit *test)
{
	static const u32 counts[] = { 400, 60, 20 };
	struct npu_fake *fake = npu_fake_create(test, 3);
	struct npu_latency_client clients[2];
	struct npu_job *wide;
	u32 i;

	npu_latency_start(fake, &clients[0], LATENCY);
	npu_latency_start(fake, &clients[1], THROUGHPUT);
	npu_fake_limit(clients[0].ctx);
	fake->policy.latency_percent = 10;
	wide = npu_fake_job_of(clients[0].file, 3, counts);
	for (i = 0; i < 480; i++)
		wide->tasks[i].cost_ns = MS;
	for (i = 0; i < 3; i++)
		npu_slice_prepare(&wide->lanes[i]);
	npu_fake_queue(fake, clients[0].ctx, wide);
	npu_fake_queue(fake, clients[1].ctx, clients[1].job);
	/* A tenth of three cores is less than the one that it has. */
	for (i = 0; i < 400 && !npu_fake_completed(clients[1].ctx, 1); i++)
		npu_fake_work(fake, 0, MS);
	KUNIT_EXPECT_GE(test, i, 35);
	KUNIT_EXPECT_LE(test, i, 55);
	KUNIT_EXPECT_EQ(test, npu_fake_error(clients[0].ctx, 1), 1);
}

/* Nor is it to have another class when a slice ends. */
static void npu_latency_class_changes(struct kunit *test)
{
	static const u32 latency = LATENCY, throughput = THROUGHPUT;
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client client;
	u32 i;

	npu_latency_start(fake, &client, LATENCY);
	npu_fake_limit(client.ctx);
	for (i = 0; i < 200; i++) {
		if (npu_latency_granted(client.ctx) != LATENCY)
			break;
		npu_fake_queue(fake, client.ctx, client.job);
		npu_queue_change(client.ctx, &throughput, NULL, false);
		npu_fake_work(fake, 0, MS);
		npu_queue_change(client.ctx, &latency, NULL, false);
	}
	KUNIT_EXPECT_GE(test, i, 50);
	KUNIT_EXPECT_LT(test, i, 200);
}

#define NPU_LATENCY_HOUR	msecs_to_jiffies(3600000)

/*
 * Have the device look whether there was latency work of late, and not look again by
 * itself: the last was an hour ago if @late, else it is an hour until that is forgotten.
 */
static void npu_latency_look(struct npu_fake *fake, bool late)
{
	struct npu_device *npu = fake->npu;

	cancel_delayed_work_sync(&npu->exec->alert_work);
	spin_lock_irq(&npu->exec->lock);
	npu->exec->alert_last = late ? jiffies - NPU_LATENCY_HOUR :
			  jiffies + NPU_LATENCY_HOUR;
	spin_unlock_irq(&npu->exec->lock);
	schedule_delayed_work(&npu->exec->alert_work, 0);
	flush_delayed_work(&npu->exec->alert_work);
	cancel_delayed_work_sync(&npu->exec->alert_work);
}

/* Latency work keeps cores awake, and for a while after it. */
static void npu_latency_alert(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client client;

	npu_latency_start(fake, &client, LATENCY);
	npu_fake_queue(fake, client.ctx, client.job);
	flush_delayed_work(&fake->npu->exec->alert_work);
	KUNIT_EXPECT_TRUE(test, fake->alert);
	KUNIT_EXPECT_EQ(test, fake->alerts, 1);
	/* However long it runs. */
	npu_latency_look(fake, true);
	KUNIT_EXPECT_TRUE(test, fake->npu->exec->alert);
	npu_fake_work(fake, 0, MS);
	KUNIT_EXPECT_TRUE(test, fake->cores[0].awake);
	/* Another one is nothing new. */
	npu_fake_queue(fake, client.ctx, client.job);
	npu_fake_work(fake, 0, MS);
	npu_latency_look(fake, false);
	KUNIT_EXPECT_EQ(test, fake->alerts, 1);
	KUNIT_EXPECT_TRUE(test, fake->cores[0].awake);

	npu_latency_look(fake, true);
	KUNIT_EXPECT_FALSE(test, fake->alert);
	KUNIT_EXPECT_EQ(test, fake->alerts, 2);
	KUNIT_EXPECT_FALSE(test, fake->cores[0].awake);
	npu_fake_queue(fake, client.ctx, client.job);
	flush_delayed_work(&fake->npu->exec->alert_work);
	KUNIT_EXPECT_EQ(test, fake->alerts, 3);
	npu_fake_work(fake, 0, MS);
}

/* Other work does not, nor does what has no budget. */
static void npu_latency_no_alert(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client clients[2];

	npu_latency_start(fake, &clients[0], LATENCY);
	npu_latency_start(fake, &clients[1], THROUGHPUT);
	fake->policy.latency_percent = 0;
	npu_fake_limit(clients[0].ctx);
	npu_latency_load(fake, clients, 2, 10);
	npu_fake_work(fake, 0, MS);
	npu_fake_work(fake, 0, MS);
	npu_fake_work(fake, 0, MS);
	flush_delayed_work(&fake->npu->exec->alert_work);
	KUNIT_EXPECT_EQ(test, fake->alerts, 0);
	KUNIT_EXPECT_FALSE(test, fake->cores[0].awake);
}

/* Background work is no reason to raise a clock. */
static void npu_latency_busy(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_latency_client client;
	static const u32 background = BACKGROUND;

	npu_latency_start(fake, &client, THROUGHPUT);
	npu_fake_queue(fake, client.ctx, client.job);
	npu_fake_pass(fake, 3 * MS);
	KUNIT_EXPECT_EQ(test, npu_core_busy_ns(fake->npu, 0), 3 * MS);
	npu_fake_work(fake, 0, MS);
	npu_fake_pass(fake, 3 * MS);
	KUNIT_EXPECT_EQ(test, npu_core_busy_ns(fake->npu, 0), 4 * MS);
	npu_queue_change(client.ctx, &background, NULL, true);
	npu_fake_queue(fake, client.ctx, client.job);
	npu_fake_pass(fake, 3 * MS);
	KUNIT_EXPECT_EQ(test, npu_core_busy_ns(fake->npu, 0), 4 * MS);
	npu_fake_work(fake, 0, MS);
	KUNIT_EXPECT_EQ(test, npu_core_busy_ns(fake->npu, 0), 4 * MS);
	KUNIT_EXPECT_EQ(test, client.ctx->stats.busy_ns, 2 * MS);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_latency_cases[] = {
	NPU_FAKE_CASE(npu_latency_limit),
	NPU_FAKE_CASE(npu_latency_shared),
	NPU_FAKE_CASE(npu_latency_new_files),
	NPU_FAKE_CASE(npu_latency_long_slice),
	NPU_FAKE_CASE(npu_latency_privileged),
	NPU_FAKE_CASE(npu_latency_lanes),
	NPU_FAKE_CASE(npu_latency_class_changes),
	NPU_FAKE_CASE(npu_latency_alert),
	NPU_FAKE_CASE(npu_latency_no_alert),
	NPU_FAKE_CASE(npu_latency_busy),
	{}
};

static struct kunit_suite npu_latency_suite = {
	.name = "npu_latency",
	.test_cases = npu_latency_cases,
};

kunit_test_suite(npu_latency_suite);
