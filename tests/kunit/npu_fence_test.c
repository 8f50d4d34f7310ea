// SPDX-License-Identifier: GPL-2.0-only
/* In-fences, out-fences, and what the dispatcher knows of the newest jobs. */
#include <linux/dma-fence-chain.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_submit.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* Queue @job behind @count fences. Returns the submit, of which there is a reference. */
static struct npu_submit *npu_fence_queue(struct npu_fake *fake,
					  struct npu_context *ctx,
					  struct npu_job *job,
					  struct npu_fake_fence **fences,
					  u32 count, bool implicit)
{
	struct npu_submit *submit = npu_submit_alloc(ctx, count);
	u64 seqno;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(fake->test, submit);
	for (i = 0; i < count; i++)
		npu_submit_depend(submit, dma_fence_get(&fences[i]->base), implicit);
	KUNIT_ASSERT_EQ(fake->test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
	npu_fake_settle(fake);
	return submit;
}

/* Only when all in-fences have signalled a job starts; the rest waits behind it. */
static void npu_fence_blocks(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *other = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_fake_fence *fences[] = {
		npu_fake_fence(test), npu_fake_fence(test), npu_fake_fence(test),
	};
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);
	struct npu_job *c = npu_fake_job(file, 1);
	struct npu_submit *submit;

	npu_fake_signal(fences[1], 0);
	submit = npu_fence_queue(fake, ctx, a, fences, 3, false);
	npu_fake_queue(fake, ctx, b);
	npu_fake_queue(fake, other, c);
	NPU_EXPECT_RUNS(fake, 0, c, 0);
	NPU_EXPECT_IDLE(fake, 1);
	npu_fake_signal(fences[2], 0);
	npu_fake_settle(fake);
	NPU_EXPECT_IDLE(fake, 1);
	npu_fake_signal(fences[0], 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 1, a, 0);
	npu_fake_end(fake, 1, 0);
	NPU_EXPECT_RUNS(fake, 1, b, 0);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), 1);
	npu_submit_put(submit);
}

/* Fences that have signalled before do not keep a job waiting. */
static void npu_fence_signalled(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *submit;

	npu_fake_signal(fence, 0);
	submit = npu_fence_queue(fake, ctx, job, &fence, 1, false);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	npu_submit_put(submit);
}

/* The fence may signal while the job is still behind another. */
static void npu_fence_behind(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);
	struct npu_submit *submit;

	npu_fake_queue(fake, ctx, a);
	submit = npu_fence_queue(fake, ctx, b, &fence, 1, false);
	npu_fake_signal(fence, 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, a, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_end(fake, 0, 0);
	npu_submit_put(submit);
}

/* All jobs of a submit end with the error of its in-fence, and none starts. */
static void npu_fence_error(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fences[] = {
		npu_fake_fence(test), npu_fake_fence(test),
	};
	struct npu_job *jobs[] = { npu_fake_job(file, 1), npu_fake_job(file, 1) };
	struct npu_submit *submit = npu_submit_alloc(ctx, 2);
	u64 seqno;

	KUNIT_ASSERT_NOT_NULL(test, submit);
	npu_submit_depend(submit, dma_fence_get(&fences[0]->base), false);
	npu_submit_depend(submit, dma_fence_get(&fences[1]->base), false);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, jobs, 2, submit, &seqno), 0);
	npu_fake_queue(fake, ctx, jobs[0]);
	npu_fake_signal(fences[1], -EIO);
	npu_fake_signal(fences[0], -EFAULT);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EIO);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), -EIO);
	KUNIT_EXPECT_EQ(test, npu_context_slot(ctx, 1)->started_ns, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), -EIO);
	/* The next submit has nothing to do with it. */
	NPU_EXPECT_RUNS(fake, 0, jobs[0], 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 1);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 3), 0);
	npu_submit_put(submit);
}

/* The error of a fence that has signalled before counts as well. */
static void npu_fence_error_before(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *submit;

	npu_fake_signal(fence, -EPIPE);
	submit = npu_fence_queue(fake, ctx, job, &fence, 1, false);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EPIPE);
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 0);
	npu_submit_put(submit);
}

/* Implicit fences order, but their errors are somebody else's. */
static void npu_fence_implicit(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *submit;

	submit = npu_fence_queue(fake, ctx, job, &fence, 1, true);
	NPU_EXPECT_IDLE(fake, 0);
	npu_fake_signal(fence, -EIO);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), 1);
	npu_submit_put(submit);
}

/* A point of a timeline hands on the error of what it stands for. */
static void npu_fence_chain(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *job = npu_fake_job(file, 1);
	unsigned int i;
	u64 seqno;

	/* Before and after it has signalled. */
	for (i = 0; i < 2; i++) {
		struct dma_fence_chain *chain = dma_fence_chain_alloc();
		struct npu_submit *submit = npu_submit_alloc(ctx, 1);

		KUNIT_ASSERT_NOT_NULL(test, chain);
		KUNIT_ASSERT_NOT_NULL(test, submit);
		dma_fence_chain_init(chain, NULL, dma_fence_get(&fence->base), 1);
		npu_submit_depend(submit, dma_fence_get(&chain->base), false);
		KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
		npu_submit_put(submit);
		if (!i)
			npu_fake_signal(fence, -EREMOTE);
		/* An interrupt of its own hands it on. */
		dma_fence_wait(&chain->base, false);
		npu_fake_settle(fake);
		KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, i + 1), -EREMOTE);
		dma_fence_put(&chain->base);
	}
	KUNIT_EXPECT_EQ(test, fake->cores[0].kicks, 0);
}

/* A job that waits for a fence can be cancelled; the fence may come later. */
static void npu_fence_cancel(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *a = npu_fake_job(file, 1);
	struct npu_job *b = npu_fake_job(file, 1);
	struct npu_submit *submit;
	u32 count;

	submit = npu_fence_queue(fake, ctx, a, &fence, 1, false);
	npu_fake_queue(fake, ctx, b);
	KUNIT_EXPECT_EQ(test, npu_queue_cancel(ctx, 1, 1, &count), 0);
	KUNIT_EXPECT_EQ(test, count, 1);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), -ECANCELED);
	/* It waits for nothing any more. */
	KUNIT_EXPECT_EQ(test, kref_read(&fence->base.refcount), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->base.cb_list));
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_signal(fence, -EIO);
	npu_fake_settle(fake);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 2), 0);
	KUNIT_EXPECT_EQ(test, fake->cores[0].resets, 0);
	npu_submit_put(submit);
}

/* Killing and unplugging do not wait for fences. */
static void npu_fence_kill(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *other = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *killed, *unplugged;

	killed = npu_fence_queue(fake, ctx, job, &fence, 1, false);
	unplugged = npu_fence_queue(fake, other, job, &fence, 1, false);
	npu_queue_kill(ctx, false);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&killed->fence), -ECANCELED);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&unplugged->fence), 0);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&unplugged->fence), -ENODEV);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->base.refcount), 1);
	npu_fake_signal(fence, 0);
	npu_submit_put(killed);
	npu_submit_put(unplugged);
}

/* A submit that is not queued lets go of its fences. */
static void npu_fence_free(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *fence = npu_fake_fence(test);
	struct npu_submit *submit = npu_submit_alloc(ctx, 1);

	KUNIT_ASSERT_NOT_NULL(test, submit);
	npu_submit_depend(submit, dma_fence_get(&fence->base), false);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->base.refcount), 2);
	npu_submit_free(submit);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->base.refcount), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->base.cb_list));
	npu_submit_free(NULL);
}

/* One submit may wait for another, of whatever context. */
static void npu_fence_of_other(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 3, 8, THROUGHPUT);
	struct npu_job *first = npu_fake_job(file, 1);
	struct npu_job *second = npu_fake_job(file, 1);
	struct npu_submit *submit, *waits;
	u64 seqno;

	submit = npu_fence_queue(fake, a, first, NULL, 0, false);
	waits = npu_submit_alloc(b, 1);
	KUNIT_ASSERT_NOT_NULL(test, waits);
	npu_submit_depend(waits, dma_fence_get(&submit->fence), false);
	KUNIT_ASSERT_EQ(test, npu_fake_try(b, &second, 1, waits, &seqno), 0);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, submit->fence.seqno, 1);
	KUNIT_EXPECT_NE(test, submit->fence.context, waits->fence.context);
	NPU_EXPECT_RUNS(fake, 0, first, 0);
	NPU_EXPECT_IDLE(fake, 1);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, second, 0);
	npu_fake_end(fake, 0, 0);
	npu_submit_put(submit);
	npu_submit_put(waits);
}

/* The tail is the fence of the newest job, which is given one if it has none. */
static void npu_fence_tail(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *spare = npu_submit_alloc(ctx, 0);
	struct npu_submit *other = npu_submit_alloc(ctx, 0);
	struct dma_fence *fence, *again;

	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_NULL(test, npu_queue_tail(ctx, spare));
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	fence = npu_queue_tail(ctx, spare);
	KUNIT_EXPECT_PTR_EQ(test, fence, &spare->fence);
	KUNIT_EXPECT_EQ(test, fence->seqno, 2);
	again = npu_queue_tail(ctx, other);
	KUNIT_EXPECT_PTR_EQ(test, again, fence);
	dma_fence_put(again);

	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	npu_fake_end(fake, 0, -EIO);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(fence), -EIO);
	KUNIT_EXPECT_EQ(test, kref_read(&fence->refcount), 1);
	dma_fence_put(fence);
	KUNIT_EXPECT_NULL(test, npu_queue_tail(ctx, other));
	npu_submit_free(other);
	KUNIT_EXPECT_EQ(test, ctx->retired, 2);
}

/* The newest unfinished job that uses a buffer, and that writes to it. */
static void npu_fence_last_use(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_mapping *mapping = npu_fake_map(file, npu_fake_bo(file, PAGE_SIZE), true);
	struct npu_mapping *unused = npu_fake_map(file, npu_fake_bo(file, PAGE_SIZE), true);
	unsigned long index = mapping->node.start >> PAGE_SHIFT;
	struct npu_job *writes = npu_fake_job(file, 1);
	struct npu_job *reads = npu_fake_job(file, 1);
	struct npu_job *neither = npu_fake_job(file, 1);

	kref_get(&mapping->ref);
	KUNIT_ASSERT_EQ(test, xa_insert(&reads->used, index, mapping, GFP_KERNEL), 0);
	kref_get(&mapping->ref);
	KUNIT_ASSERT_EQ(test, xa_insert(&writes->used, index, mapping, GFP_KERNEL), 0);
	xa_set_mark(&writes->used, index, NPU_JOB_WRITES);

	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, false), 0);
	npu_fake_queue(fake, ctx, writes);
	npu_fake_queue(fake, ctx, reads);
	npu_fake_queue(fake, ctx, neither);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, false), 2);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, true), 1);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, unused, false), 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, false), 2);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, true), 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_queue_last_use(ctx, mapping, false), 0);
	npu_fake_end(fake, 0, 0);
}

/*
 * A fence keeps the module until nothing that its release calls can be running any
 * more.
 */
static void npu_fence_module(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 4, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_submit *submit;
	int before;
	u64 seqno;

	rcu_barrier();
	before = module_refcount(THIS_MODULE);
	submit = npu_submit_alloc(ctx, 1);
	KUNIT_ASSERT_NOT_NULL(test, submit);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
	npu_fake_settle(fake);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	rcu_read_lock();
	npu_submit_put(submit);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	rcu_read_unlock();
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
}

/* Deadlines of a fence are those of its jobs, if they are earlier. */
static void npu_fence_deadline(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *first = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *second = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *a = npu_fake_job(file, 1), *b = npu_fake_job(file, 1);
	struct npu_job *pair[] = { b, b };
	struct npu_submit *submit = npu_submit_alloc(second, 1);
	ktime_t late = ns_to_ktime(NPU_FAKE_NOW + 9000);
	ktime_t soon = ns_to_ktime(NPU_FAKE_NOW + 7000);
	u64 seqno;

	KUNIT_ASSERT_NOT_NULL(test, submit);
	npu_fake_queue(fake, first, a);
	npu_fake_queue_until(fake, first, a, NPU_FAKE_NOW + 8000);
	npu_fake_queue_until(fake, second, b, NPU_FAKE_NOW + 8500);
	KUNIT_ASSERT_EQ(test, npu_fake_try(second, pair, 2, submit, &seqno), 0);
	npu_fake_settle(fake);
	dma_fence_set_deadline(&submit->fence, late);
	dma_fence_set_deadline(&submit->fence, soon);
	dma_fence_set_deadline(&submit->fence, late);
	/* The job before them has its own. */
	KUNIT_EXPECT_EQ(test, npu_context_slot(second, 1)->deadline_ns, NPU_FAKE_NOW + 8500);
	KUNIT_EXPECT_EQ(test, npu_context_slot(second, 2)->deadline_ns, ktime_to_ns(soon));
	KUNIT_EXPECT_EQ(test, npu_context_slot(second, 3)->deadline_ns, ktime_to_ns(soon));
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, a, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	/* From now on it is the first of its queue, and goes before the other. */
	npu_fake_queue_until(fake, first, a, NPU_FAKE_NOW + 7500);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, b, 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, a, 0);
	KUNIT_EXPECT_EQ(test, dma_fence_get_status(&submit->fence), 1);
	/* Too late: nothing happens. */
	dma_fence_set_deadline(&submit->fence, ns_to_ktime(1));
	npu_fake_end(fake, 0, 0);
	npu_submit_put(submit);
}

/* A job that is ready is sorted anew at once; a deadline in the past is one, too. */
static void npu_fence_deadline_ready(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx[3];
	struct npu_job *job[3];
	struct npu_submit *submit;
	unsigned int i;
	u64 seqno;

	for (i = 0; i < 3; i++) {
		ctx[i] = npu_fake_context(file, 1, 8, THROUGHPUT);
		job[i] = npu_fake_job(file, 1);
	}
	submit = npu_submit_alloc(ctx[2], 1);
	KUNIT_ASSERT_NOT_NULL(test, submit);
	npu_fake_queue(fake, ctx[0], job[0]);
	npu_fake_queue_until(fake, ctx[1], job[1], NPU_FAKE_NOW + 1);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx[2], &job[2], 1, submit, &seqno), 0);
	dma_fence_set_deadline(&submit->fence, ns_to_ktime(-5));
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, job[2], 0);
	npu_fake_end(fake, 0, 0);
	NPU_EXPECT_RUNS(fake, 0, job[1], 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, ctx[2]->stats.missed_deadlines, 1);
	npu_submit_put(submit);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_fence_cases[] = {
	NPU_FAKE_CASE(npu_fence_blocks),
	NPU_FAKE_CASE(npu_fence_signalled),
	NPU_FAKE_CASE(npu_fence_behind),
	NPU_FAKE_CASE(npu_fence_error),
	NPU_FAKE_CASE(npu_fence_error_before),
	NPU_FAKE_CASE(npu_fence_implicit),
	NPU_FAKE_CASE(npu_fence_chain),
	NPU_FAKE_CASE(npu_fence_cancel),
	NPU_FAKE_CASE(npu_fence_kill),
	NPU_FAKE_CASE(npu_fence_free),
	NPU_FAKE_CASE(npu_fence_of_other),
	NPU_FAKE_CASE(npu_fence_tail),
	NPU_FAKE_CASE(npu_fence_last_use),
	NPU_FAKE_CASE(npu_fence_module),
	NPU_FAKE_CASE(npu_fence_deadline),
	NPU_FAKE_CASE(npu_fence_deadline_ready),
	{}
};

static struct kunit_suite npu_fence_suite = {
	.name = "npu_fence",
	.test_cases = npu_fence_cases,
};

kunit_test_suite(npu_fence_suite);
