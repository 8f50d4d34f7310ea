// SPDX-License-Identifier: GPL-2.0-only
/* Buffers that are shared: whom their fences keep waiting. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-resv.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_implicit.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/exec/npu_share.h"
#include "../../driver/core/exec/npu_submit.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* A buffer with a handle in @file, as far as sharing cares. */
static struct npu_bo *npu_share_bo_of(struct npu_fake_file *file)
{
	struct npu_bo *bo = npu_fake_bo(file, PAGE_SIZE);
	u32 handle;

	KUNIT_ASSERT_EQ(file->fake->test,
			drm_gem_handle_create(&file->drm, &bo->base.base, &handle), 0);
	return bo;
}

/* @job uses @bo, as if its streams did. */
static void npu_share_use(struct npu_fake_file *file, struct npu_job *job,
			  struct npu_bo *bo, bool writes)
{
	struct kunit *test = file->fake->test;
	struct npu_mapping *mapping = npu_bo_get_mapping(bo, file->npu.vm);
	unsigned long index;

	KUNIT_ASSERT_NOT_NULL(test, mapping);
	index = mapping->node.start >> PAGE_SHIFT;
	KUNIT_ASSERT_EQ(test, xa_insert(&job->used, index, mapping, GFP_KERNEL), 0);
	if (writes)
		xa_set_mark(&job->used, index, NPU_JOB_WRITES);
}

static int npu_share_export(struct npu_bo *bo)
{
	int ret;

	mutex_lock(&bo->lock);
	ret = npu_share_bo(bo);
	mutex_unlock(&bo->lock);
	return ret;
}

static unsigned int npu_share_fences(struct kunit *test, struct npu_bo *bo,
				     enum dma_resv_usage usage)
{
	struct dma_fence **fences = NULL;
	unsigned int count = 0, i;

	KUNIT_EXPECT_EQ(test, dma_resv_get_fences(bo->base.base.resv, usage,
						  &count, &fences), 0);
	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
	return count;
}

/*
 * Exporting leaves the fences of the contexts that use the buffer with it, as
 * fences of writers if it is written to.
 */
static void npu_share_export_busy(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_file *stranger = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_context *idle = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *other = npu_fake_context(stranger, 2, 8, THROUGHPUT);
	struct npu_bo *bo = npu_share_bo_of(file);
	struct npu_job *writer = npu_fake_job(file, 1);
	struct npu_job *reader = npu_fake_job(file, 1);
	struct npu_job *neither = npu_fake_job(file, 1);
	struct dma_resv *resv = bo->base.base.resv;
	u64 shares = npu_vm_shares(file->npu.vm);
	const struct npu_request stale = {
		.jobs = &neither,
		.count = 1,
		.shares = shares,
	};
	u64 seqno;

	npu_share_use(file, writer, bo, true);
	npu_share_use(file, reader, bo, false);
	npu_fake_queue(fake, a, writer);
	npu_fake_queue(fake, a, neither);
	npu_fake_queue(fake, b, reader);
	npu_fake_queue(fake, idle, neither);
	npu_fake_queue(fake, other, npu_fake_job(stranger, 1));
	KUNIT_EXPECT_EQ(test, npu_share_export(bo), 0);
	KUNIT_EXPECT_TRUE(test, bo->shared);
	KUNIT_EXPECT_EQ(test, npu_vm_shares(file->npu.vm), shares + 1);
	KUNIT_EXPECT_EQ(test, npu_vm_shares(stranger->npu.vm), 0);
	KUNIT_EXPECT_EQ(test, npu_share_fences(test, bo, DMA_RESV_USAGE_WRITE), 1);
	KUNIT_EXPECT_EQ(test, npu_share_fences(test, bo, DMA_RESV_USAGE_READ), 2);
	/* Once is enough. */
	KUNIT_EXPECT_EQ(test, npu_share_export(bo), 0);
	KUNIT_EXPECT_EQ(test, npu_vm_shares(file->npu.vm), shares + 1);
	/* Who has looked before does so again. */
	KUNIT_EXPECT_EQ(test, npu_queue_jobs(idle, &stale, &seqno), -ESTALE);

	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
	npu_fake_end(fake, 1, 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(resv, DMA_RESV_USAGE_READ));
	npu_fake_end(fake, 1, 0);
}

/*
 * A file looks for shared buffers as long as it has any, those that only a job
 * still refers to included, and no longer.
 */
static void npu_share_no_longer(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_mapping *mapping;
	struct npu_bo *bo;
	u64 shares;

	KUNIT_EXPECT_FALSE(test, npu_vm_has_shared(file->npu.vm));
	bo = npu_share_bo_of(file);
	KUNIT_EXPECT_EQ(test, npu_share_export(bo), 0);
	KUNIT_EXPECT_TRUE(test, npu_vm_has_shared(file->npu.vm));
	shares = npu_vm_shares(file->npu.vm);
	mapping = npu_bo_get_mapping(bo, file->npu.vm);
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	drm_gem_handle_delete(&file->drm, 1);
	/* This stands for a job. */
	KUNIT_EXPECT_TRUE(test, npu_vm_has_shared(file->npu.vm));
	npu_mapping_put(mapping);
	KUNIT_EXPECT_FALSE(test, npu_vm_has_shared(file->npu.vm));
	KUNIT_EXPECT_EQ(test, npu_vm_shares(file->npu.vm), shares);
}

/**
 * struct npu_share_holder - a thread that has a buffer locked
 */
struct npu_share_holder {
	/** @work: The thread's work. */
	struct work_struct work;
	/** @resv: The reservation of the buffer. */
	struct dma_resv *resv;
	/** @waiter: The thread that wants it. */
	struct task_struct *waiter;
	/** @locked: It has it. */
	struct completion locked;
	/** @leave: It is to let go as soon as @waiter sleeps. */
	struct completion leave;
	/** @end: @waiter does not wait any more. */
	struct completion end;
};

static void npu_share_hold(struct work_struct *work)
{
	struct npu_share_holder *holder =
		container_of(work, struct npu_share_holder, work);

	dma_resv_lock(holder->resv, NULL);
	complete(&holder->locked);
	wait_for_completion(&holder->leave);
	while (READ_ONCE(holder->waiter->__state) != TASK_UNINTERRUPTIBLE &&
	       !completion_done(&holder->end))
		usleep_range(1000, 2000);
	dma_resv_unlock(holder->resv);
}

/* Lock the buffers of @implicit, and find out what to wait for. */
static int npu_share_lock(struct npu_implicit *implicit, u64 own_context,
			  bool interruptible)
{
	return npu_implicit_lock(implicit, interruptible) ?:
	       npu_implicit_collect(implicit, own_context);
}

/*
 * With a signal pending, a lock that another thread has is waited for if it must
 * be, and given up otherwise; in both cases all are locked or none.
 */
static void npu_share_lock_signal(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_share_holder holder;
	struct npu_implicit implicit = {};
	struct npu_bo *bos[3];
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = npu_share_bo_of(file);
		KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit, &bos[i]->base.base,
						       true), 0);
	}
	holder.resv = bos[1]->base.base.resv;
	holder.waiter = current;
	init_completion(&holder.locked);
	init_completion(&holder.leave);
	init_completion(&holder.end);
	INIT_WORK_ONSTACK(&holder.work, npu_share_hold);
	queue_work(system_long_wq, &holder.work);
	wait_for_completion(&holder.locked);

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 1);
	ret = npu_share_lock(&implicit, 0, true);
	KUNIT_EXPECT_TRUE(test, ret == -EINTR || ret == -ERESTARTSYS);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bos[0]->base.base.resv));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bos[2]->base.base.resv));
	complete(&holder.leave);
	ret = npu_share_lock(&implicit, 0, false);
	complete(&holder.end);
	KUNIT_EXPECT_EQ(test, ret, 0);
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(bos[i]->base.base.resv));
	npu_implicit_unlock(&implicit);
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bos[i]->base.base.resv));
	flush_signals(current);
	disallow_signal(SIGUSR1);
	flush_work(&holder.work);
	destroy_work_on_stack(&holder.work);
	npu_implicit_fini(&implicit);
}

/* A buffer that nobody uses leaves nothing behind. */
static void npu_share_export_idle(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_share_bo_of(file);

	npu_fake_context(file, 1, 8, THROUGHPUT);
	KUNIT_EXPECT_EQ(test, npu_share_export(bo), 0);
	KUNIT_EXPECT_EQ(test, npu_share_fences(test, bo, DMA_RESV_USAGE_BOOKKEEP), 0);
}

/* Leave the fence of somebody else with @bo. */
static void npu_share_add(struct kunit *test, struct npu_bo *bo,
			  struct npu_fake_fence *fence, enum dma_resv_usage usage)
{
	struct dma_resv *resv = bo->base.base.resv;

	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);
}

static const struct npu_share_access {
	const char *name;
	/** @before: What the fence that is there stands for. */
	enum dma_resv_usage before;
	bool write;
	/** @waits: Whether that has to be waited for. */
	bool waits;
} npu_share_accesses[] = {
	{ "read after read", DMA_RESV_USAGE_READ, false, false },
	{ "read after write", DMA_RESV_USAGE_WRITE, false, true },
	{ "write after read", DMA_RESV_USAGE_READ, true, true },
	{ "write after write", DMA_RESV_USAGE_WRITE, true, true },
	{ "read after bookkeeping", DMA_RESV_USAGE_BOOKKEEP, false, false },
	{ "write after bookkeeping", DMA_RESV_USAGE_BOOKKEEP, true, false },
};

KUNIT_ARRAY_PARAM_DESC(npu_share, npu_share_accesses, name);

/* Who reads waits for writers, who writes for all; each leaves its own fence. */
static void npu_share_order(struct kunit *test)
{
	const struct npu_share_access *access = test->param_value;
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_share_bo_of(file);
	struct npu_fake_fence *before = npu_fake_fence(test);
	struct npu_fake_fence *own = npu_fake_fence(test);
	struct npu_implicit implicit = {};
	unsigned int reads, writes;

	npu_share_add(test, bo, before, access->before);
	reads = npu_share_fences(test, bo, DMA_RESV_USAGE_READ);
	writes = npu_share_fences(test, bo, DMA_RESV_USAGE_WRITE);
	KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit, &bo->base.base, access->write), 0);
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, own->base.context, true), 0);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, access->waits);
	if (implicit.fence_count)
		KUNIT_EXPECT_PTR_EQ(test, implicit.fences[0], &before->base);
	npu_implicit_attach(&implicit, &own->base);
	npu_implicit_fini(&implicit);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bo->base.base.resv));
	KUNIT_EXPECT_EQ(test, npu_share_fences(test, bo, DMA_RESV_USAGE_READ),
			reads + 1);
	KUNIT_EXPECT_EQ(test, npu_share_fences(test, bo, DMA_RESV_USAGE_WRITE),
			writes + access->write);
}

/* Fences of one's own context and those that have signalled are passed over. */
static void npu_share_passed_over(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_share_bo_of(file);
	struct npu_fake_fence *own = npu_fake_fence(test);
	struct npu_fake_fence *over = npu_fake_fence(test);
	struct npu_fake_fence *other = npu_fake_fence(test);
	struct npu_implicit implicit = {};

	npu_share_add(test, bo, own, DMA_RESV_USAGE_WRITE);
	npu_share_add(test, bo, over, DMA_RESV_USAGE_WRITE);
	npu_share_add(test, bo, other, DMA_RESV_USAGE_WRITE);
	npu_fake_signal(over, 0);
	KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit, &bo->base.base, true), 0);
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, own->base.context, true), 0);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, 1);
	if (implicit.fence_count)
		KUNIT_EXPECT_PTR_EQ(test, implicit.fences[0], &other->base);
	npu_implicit_fini(&implicit);
	KUNIT_EXPECT_EQ(test, kref_read(&other->base.refcount), 2);
}

/* A buffer that is used twice is locked once, and written if any use writes. */
static void npu_share_twice(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_fence *before = npu_fake_fence(test);
	struct npu_bo *bos[12];
	struct npu_implicit implicit = {};
	unsigned int i, refs;

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = npu_share_bo_of(file);
	npu_share_add(test, bos[3], before, DMA_RESV_USAGE_READ);
	refs = kref_read(&bos[3]->base.base.refcount);
	for (i = 0; i < 3 * ARRAY_SIZE(bos); i++)
		KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit,
						       &bos[i % 12]->base.base, i == 15), 0);
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, 0, true), 0);
	KUNIT_EXPECT_EQ(test, implicit.count, 12);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, 1);
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_TRUE(test, dma_resv_is_locked(bos[i]->base.base.resv));
	/* It can be locked again. */
	npu_implicit_unlock(&implicit);
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(bos[i]->base.base.resv));
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, 0, true), 0);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, 1);
	npu_implicit_fini(&implicit);
	KUNIT_EXPECT_EQ(test, implicit.count, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&bos[3]->base.base.refcount), refs);
}

/* One fence is enough for each timeline, however many buffers it is left with. */
static void npu_share_merge_fences(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_fence *a = npu_fake_fence(test);
	struct npu_fake_fence *b = npu_fake_fence(test);
	struct npu_implicit implicit = {};
	unsigned int i, refs;

	for (i = 0; i < 3; i++) {
		struct npu_bo *bo = npu_share_bo_of(file);

		npu_share_add(test, bo, a, DMA_RESV_USAGE_WRITE);
		if (i == 1)
			npu_share_add(test, bo, b, DMA_RESV_USAGE_WRITE);
		KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit, &bo->base.base, true), 0);
	}
	refs = kref_read(&a->base.refcount);
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, 0, true), 0);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, 2);
	KUNIT_EXPECT_EQ(test, kref_read(&a->base.refcount), refs + 1);
	npu_implicit_fini(&implicit);
	KUNIT_EXPECT_EQ(test, kref_read(&a->base.refcount), refs);
}

/* Of what a job uses only what is shared counts, as the job uses it. */
static void npu_share_of_job(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_implicit implicit = {};
	struct npu_bo *bos[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = npu_share_bo_of(file);
		npu_share_use(file, job, bos[i], i == 1);
	}
	KUNIT_EXPECT_EQ(test, npu_implicit_add_job(&implicit, job), 0);
	KUNIT_EXPECT_EQ(test, implicit.count, 0);
	KUNIT_EXPECT_EQ(test, npu_share_export(bos[1]), 0);
	KUNIT_EXPECT_EQ(test, npu_share_export(bos[2]), 0);
	KUNIT_EXPECT_EQ(test, npu_implicit_add_job(&implicit, job), 0);
	KUNIT_EXPECT_EQ(test, implicit.count, 2);
	for (i = 0; i < implicit.count; i++) {
		KUNIT_EXPECT_PTR_NE(test, implicit.uses[i].obj, &bos[0]->base.base);
		KUNIT_EXPECT_EQ(test, implicit.uses[i].write,
				implicit.uses[i].obj == &bos[1]->base.base);
	}
	npu_implicit_fini(&implicit);
}

/* A submit waits for implicit fences and takes them over. */
static void npu_share_submit(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_fake_fence *before = npu_fake_fence(test);
	struct npu_bo *bo = npu_share_bo_of(file);
	struct npu_job *job = npu_fake_job(file, 1);
	struct npu_implicit implicit = {};
	struct npu_submit *submit;
	u64 seqno;

	npu_share_add(test, bo, before, DMA_RESV_USAGE_WRITE);
	KUNIT_ASSERT_EQ(test, npu_implicit_add(&implicit, &bo->base.base, false), 0);
	KUNIT_ASSERT_EQ(test, npu_share_lock(&implicit, ctx->fence_context, true), 0);
	submit = npu_submit_alloc(ctx, implicit.fence_count);
	KUNIT_ASSERT_NOT_NULL(test, submit);
	npu_submit_depend_implicit(submit, &implicit);
	KUNIT_EXPECT_EQ(test, implicit.fence_count, 0);
	KUNIT_ASSERT_EQ(test, npu_fake_try(ctx, &job, 1, submit, &seqno), 0);
	npu_implicit_attach(&implicit, &submit->fence);
	npu_implicit_fini(&implicit);
	npu_submit_put(submit);
	npu_fake_settle(fake);
	NPU_EXPECT_IDLE(fake, 0);
	npu_fake_signal(before, 0);
	npu_fake_settle(fake);
	NPU_EXPECT_RUNS(fake, 0, job, 0);
	KUNIT_EXPECT_FALSE(test, dma_resv_test_signaled(bo->base.base.resv,
							DMA_RESV_USAGE_READ));
	npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_TRUE(test, dma_resv_test_signaled(bo->base.base.resv,
						       DMA_RESV_USAGE_READ));
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_share_cases[] = {
	NPU_FAKE_CASE(npu_share_export_busy),
	NPU_FAKE_CASE(npu_share_no_longer),
	NPU_FAKE_CASE(npu_share_lock_signal),
	NPU_FAKE_CASE(npu_share_export_idle),
	KUNIT_CASE_PARAM(npu_share_order, npu_share_gen_params),
	NPU_FAKE_CASE(npu_share_passed_over),
	NPU_FAKE_CASE(npu_share_twice),
	NPU_FAKE_CASE(npu_share_merge_fences),
	NPU_FAKE_CASE(npu_share_of_job),
	NPU_FAKE_CASE(npu_share_submit),
	{}
};

static struct kunit_suite npu_share_suite = {
	.name = "npu_share",
	.test_cases = npu_share_cases,
};

kunit_test_suite(npu_share_suite);
