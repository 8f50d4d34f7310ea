// SPDX-License-Identifier: GPL-2.0-only
/* Submits: fences to wait for, and the fence of the last job. */
#include <linux/dma-fence-chain.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "../include/npu_device.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_implicit.h"
#include "npu_submit.h"

static const char *npu_fence_get_driver_name(struct dma_fence *fence)
{
	return container_of(fence, struct npu_submit, fence)->driver;
}

static const char *npu_fence_get_timeline_name(struct dma_fence *fence)
{
	return "npu-context";
}

static void npu_submit_free_rcu(struct rcu_head *rcu)
{
	struct dma_fence *fence = container_of(rcu, struct dma_fence, rcu);

	kfree(container_of(fence, struct npu_submit, fence));
	/*
	 * Taken in npu_submit_init_fence(): a fence may outlive its device. The
	 * module's exit waits until this function has returned.
	 */
	module_put(THIS_MODULE);
}

static void npu_fence_release(struct dma_fence *fence)
{
	/* So that no grace period ends, and lets the module go, before it is left. */
	rcu_read_lock();
	call_rcu(&fence->rcu, npu_submit_free_rcu);
	rcu_read_unlock();
}

static void npu_fence_set_deadline(struct dma_fence *fence, ktime_t deadline)
{
	struct npu_submit *submit = container_of(fence, struct npu_submit, fence);
	unsigned long flags;

	/* The context is there until the fence has signalled, under this lock. */
	spin_lock_irqsave(&submit->lock, flags);
	if (!test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		npu_queue_hasten(submit, max(ktime_to_ns(deadline), 1));
	spin_unlock_irqrestore(&submit->lock, flags);
}

static const struct dma_fence_ops npu_fence_ops = {
	.get_driver_name = npu_fence_get_driver_name,
	.get_timeline_name = npu_fence_get_timeline_name,
	.release = npu_fence_release,
	.set_deadline = npu_fence_set_deadline,
};

/**
 * npu_submit_alloc() - new submit
 * @ctx: its context
 * @dependency_count: in-fences that there must be room for
 *
 * Return: the submit, or %NULL.
 */
struct npu_submit *npu_submit_alloc(struct npu_context *ctx,
				    u32 dependency_count)
{
	struct npu_submit *submit;

	submit = kzalloc(sizeof(*submit), GFP_KERNEL_ACCOUNT);
	if (!submit)
		return NULL;
	if (dependency_count) {
		submit->dependencies = kvcalloc(dependency_count,
						sizeof(*submit->dependencies),
						GFP_KERNEL_ACCOUNT);
		if (!submit->dependencies) {
			kfree(submit);
			return NULL;
		}
	}
	spin_lock_init(&submit->lock);
	submit->ctx = ctx;
	submit->driver = ctx->npu->drm.driver->name;
	/* npu_queue_jobs() drops it. */
	atomic_set(&submit->pending, 1);
	return submit;
}

/**
 * npu_submit_free() - free a submit that was never queued
 * @submit: the submit, or %NULL
 */
void npu_submit_free(struct npu_submit *submit)
{
	if (submit)
		npu_submit_forget(submit);
	kfree(submit);
}

/**
 * npu_submit_init_fence() - the submit is queued: from now on it is a fence
 * @submit: the submit
 * @seqno: sequence number of its last job
 */
void npu_submit_init_fence(struct npu_submit *submit, u64 seqno)
{
	__module_get(THIS_MODULE);
	dma_fence_init(&submit->fence, &npu_fence_ops, &submit->lock,
		       submit->ctx->fence_context, seqno);
}

/**
 * npu_submit_put() - drop a reference
 * @submit: the submit, which has been queued
 */
void npu_submit_put(struct npu_submit *submit)
{
	dma_fence_put(&submit->fence);
}

/**
 * npu_submit_forget() - let go of the in-fences
 * @submit: the submit, which has ended or was never queued
 *
 * After it no callback runs or will run.
 */
void npu_submit_forget(struct npu_submit *submit)
{
	u32 i;

	for (i = 0; i < submit->dependency_count; i++) {
		struct npu_dependency *dependency = &submit->dependencies[i];

		dma_fence_remove_callback(dependency->fence, &dependency->cb);
		dma_fence_put(dependency->fence);
	}
	submit->dependency_count = 0;
	kvfree(submit->dependencies);
	submit->dependencies = NULL;
}

static void npu_dependency_done(struct npu_dependency *dependency, int status)
{
	struct npu_submit *submit = dependency->submit;

	if (status < 0 && !dependency->implicit)
		cmpxchg(&submit->in_error, 0, status);
	if (atomic_dec_and_test(&submit->pending))
		npu_queue_wake(submit->ctx);
}

static void npu_dependency_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	/* A point of a timeline is a chain, which does not carry errors. */
	struct dma_fence *payload = dma_fence_chain_contained(fence);

	/* The lock of @fence is held. */
	npu_dependency_done(container_of(cb, struct npu_dependency, cb),
			    payload == fence ?
			    dma_fence_get_status_locked(fence) :
			    dma_fence_get_status(payload));
}

/**
 * npu_submit_depend() - wait for a fence
 * @submit: the submit, which is not queued yet
 * @fence: the fence, whose reference is taken over
 * @implicit: it orders, but its error is not the submit's
 */
void npu_submit_depend(struct npu_submit *submit, struct dma_fence *fence,
		       bool implicit)
{
	u32 index = submit->dependency_count++;
	struct npu_dependency *dependency = &submit->dependencies[index];

	dependency->submit = submit;
	dependency->fence = fence;
	dependency->implicit = implicit;
	atomic_inc(&submit->pending);
	if (dma_fence_add_callback(fence, &dependency->cb, npu_dependency_cb))
		npu_dependency_done(dependency,
				    dma_fence_get_status(dma_fence_chain_contained(fence)));
}

/**
 * npu_submit_depend_implicit() - wait for the implicit fences
 * @submit: the submit, which is not queued yet and has room for them
 * @implicit: whose they are; it has none afterwards
 */
void npu_submit_depend_implicit(struct npu_submit *submit,
				struct npu_implicit *implicit)
{
	u32 i;

	for (i = 0; i < implicit->fence_count; i++)
		npu_submit_depend(submit, implicit->fences[i], true);
	implicit->fence_count = 0;
}

