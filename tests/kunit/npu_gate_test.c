// SPDX-License-Identifier: GPL-2.0-only
/* No slice of an address space runs while its gate is closed. */
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_mem.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* Waits that are not cancelled. */
static const bool never;

/* Nothing begins, whatever is queued before and after, until all let go. */
static void npu_gate_test_begins_nothing(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_vm *vm = file->npu.vm;

	npu_gate_close(&vm->gate);
	npu_gate_close(&vm->gate);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	NPU_EXPECT_IDLE(fake, 0);
	NPU_EXPECT_IDLE(fake, 1);
	KUNIT_EXPECT_EQ(test, npu_gate_wait(&vm->gate, &never), 0);
	npu_gate_open(&vm->gate);
	npu_fake_settle(fake);
	NPU_EXPECT_IDLE(fake, 0);
	npu_gate_open(&vm->gate);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	NPU_EXPECT_RUNS(fake, 1, job, 0);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(a, 1));
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(b, 1));
}

/* A slice inside ends; what is left of its job waits, too, and then goes on. */
static void npu_gate_test_lets_end(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *wide = npu_fake_job(file, 2);
	struct npu_job *next = npu_fake_job(file, 1);
	struct npu_vm *vm = file->npu.vm;

	npu_fake_queue(fake, ctx, wide);
	npu_fake_queue(fake, ctx, next);
	NPU_EXPECT_RUNS(fake, 0, wide, 0);
	npu_gate_close(&vm->gate);
	npu_fake_end(fake, 0, 0);
	/* The second lane had no core yet. */
	NPU_EXPECT_IDLE(fake, 0);
	KUNIT_EXPECT_FALSE(test, npu_fake_completed(ctx, 1));
	KUNIT_EXPECT_EQ(test, npu_gate_wait(&vm->gate, &never), 0);
	npu_gate_open(&vm->gate);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, wide, 1);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 1));
	NPU_EXPECT_RUNS(fake, 0, next, 0);
	npu_fake_end(fake, 0, 0);
}

/* Other files have the cores meanwhile. */
static void npu_gate_test_one_file(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *held = npu_fake_open(fake);
	struct npu_fake_file *other = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(held, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(other, 1, 8, THROUGHPUT);
	struct npu_job *first = npu_fake_job(held, 1);
	struct npu_job *second = npu_fake_job(other, 1);

	npu_gate_close(&held->npu.vm->gate);
	npu_fake_queue(fake, a, first);
	npu_fake_queue(fake, b, second);
	NPU_EXPECT_RUNS(fake, 0, second, 0);
	npu_gate_open(&held->npu.vm->gate);
	npu_fake_end(fake, 0, 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, first, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(a, 1));
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(b, 1));
}

/**
 * struct npu_gate_test_waiter - a thread that waits
 */
struct npu_gate_test_waiter {
	/** @work: What it does. */
	struct work_struct work;
	/** @vm: What it waits for. */
	struct npu_vm *vm;
	/** @cancelled: It need not wait any more. */
	bool cancelled;
	/** @still: It has been told that no slice runs. */
	bool still;
};

static void npu_gate_test_wait(struct work_struct *work)
{
	struct npu_gate_test_waiter *waiter =
		container_of(work, struct npu_gate_test_waiter, work);

	WRITE_ONCE(waiter->still, !npu_gate_wait(&waiter->vm->gate,
						 &waiter->cancelled));
}

/* A gate that opens before the slices inside have ended lets others in. */
static void npu_gate_test_opens_early(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_file *other = npu_fake_open(fake);
	struct npu_context *blocker = npu_fake_context(other, 2, 8, THROUGHPUT);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *single = npu_fake_job(other, 1);
	struct npu_job *wide = npu_fake_job(file, 2);
	struct npu_vm *vm = file->npu.vm;

	npu_fake_queue(fake, blocker, single);
	npu_fake_queue(fake, ctx, wide);
	NPU_EXPECT_RUNS(fake, 0, wide, 0);
	npu_gate_close(&vm->gate);
	npu_fake_end(fake, 1, 0);
	NPU_EXPECT_IDLE(fake, 1);
	npu_gate_open(&vm->gate);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 1, wide, 1);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
}

/* The end of the last slice inside wakes up waiters. */
static void npu_gate_test_wakes(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_gate_test_waiter waiter = { .vm = file->npu.vm };

	INIT_WORK_ONSTACK(&waiter.work, npu_gate_test_wait);
	npu_fake_queue(fake, a, job);
	npu_fake_queue(fake, b, job);
	npu_gate_close(&waiter.vm->gate);
	schedule_work(&waiter.work);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(waiter.still));
	npu_fake_end(fake, 1, -ETIMEDOUT);
	flush_work(&waiter.work);
	KUNIT_EXPECT_TRUE(test, waiter.still);
	destroy_work_on_stack(&waiter.work);
	npu_gate_open(&waiter.vm->gate);
}

/* A wait can be cancelled while the slice still runs. */
static void npu_gate_test_cancelled(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_gate_test_waiter waiter = { .vm = file->npu.vm };

	INIT_WORK_ONSTACK(&waiter.work, npu_gate_test_wait);
	npu_fake_queue(fake, ctx, job);
	npu_gate_close(&waiter.vm->gate);
	schedule_work(&waiter.work);
	WRITE_ONCE(waiter.cancelled, true);
	wake_up_all(&fake->npu->mem->still);
	flush_work(&waiter.work);
	KUNIT_EXPECT_FALSE(test, waiter.still);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	destroy_work_on_stack(&waiter.work);
	npu_gate_open(&waiter.vm->gate);
	npu_fake_end(fake, 0, 0);
}

/* The device may go while a gate is closed. */
static void npu_gate_test_unplug(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_gate_close(&file->npu.vm->gate);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -ENODEV);
	KUNIT_EXPECT_EQ(test, npu_gate_wait(&file->npu.vm->gate, &never), 0);
	npu_gate_open(&file->npu.vm->gate);
}

static struct kunit_case npu_gate_test_cases[] = {
	KUNIT_CASE(npu_gate_test_begins_nothing),
	KUNIT_CASE(npu_gate_test_lets_end),
	KUNIT_CASE(npu_gate_test_one_file),
	KUNIT_CASE(npu_gate_test_opens_early),
	KUNIT_CASE(npu_gate_test_wakes),
	KUNIT_CASE(npu_gate_test_cancelled),
	KUNIT_CASE(npu_gate_test_unplug),
	{}
};

static struct kunit_suite npu_gate_test_suite = {
	.name = "npu_gate",
	.test_cases = npu_gate_test_cases,
};

kunit_test_suite(npu_gate_test_suite);
