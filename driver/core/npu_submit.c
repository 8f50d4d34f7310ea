// SPDX-License-Identifier: GPL-2.0-only
/*
 * JOB_SUBMIT: everything that can fail or sleep comes before the dispatcher's
 * lock is taken; nothing after it fails.
 */
#include <linux/dma-fence-chain.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_syncobj.h>

#include "npu_accel.h"
#include "npu_context.h"
#include "npu_device.h"
#include "npu_job.h"
#include "npu_sched.h"
#include "npu_submit.h"

/* Submits up to this size need no allocation for their list of jobs. */
#define NPU_INLINE_JOBS		16

/**
 * struct npu_out_sync - a syncobj to be given the fence
 */
struct npu_out_sync {
	/** @syncobj: The syncobj, referenced. */
	struct drm_syncobj *syncobj;
	/** @chain: Node for a timeline, or %NULL. */
	struct dma_fence_chain *chain;
	/** @point: Point of the timeline. */
	u64 point;
};

static const char *npu_fence_get_driver_name(struct dma_fence *fence)
{
	return "rocket";
}

static const char *npu_fence_get_timeline_name(struct dma_fence *fence)
{
	return "npu-context";
}

static void npu_fence_release(struct dma_fence *fence)
{
	struct npu_submit *submit = container_of(fence, struct npu_submit, fence);

	kfree_rcu(submit, fence.rcu);
	/* Taken in npu_submit_queue(): a fence may outlive its device. */
	module_put(THIS_MODULE);
}

static const struct dma_fence_ops npu_fence_ops = {
	.get_driver_name = npu_fence_get_driver_name,
	.get_timeline_name = npu_fence_get_timeline_name,
	.release = npu_fence_release,
};

/**
 * npu_submit_put() - drop a reference
 * @submit: the submit
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

		if (!dependency->fence)
			continue;
		dma_fence_remove_callback(dependency->fence, &dependency->cb);
		dma_fence_put(dependency->fence);
		dependency->fence = NULL;
	}
}

static void npu_dependency_done(struct dma_fence *fence,
				struct npu_dependency *dependency)
{
	struct npu_submit *submit = dependency->submit;
	struct dma_fence *payload = dma_fence_chain_contained(fence);
	int status;

	/* A point of a timeline is a chain, which does not carry errors. */
	status = payload == fence ? dma_fence_get_status_locked(fence) :
				    dma_fence_get_status(payload);
	if (status < 0)
		cmpxchg(&submit->in_error, 0, status);
	if (atomic_dec_and_test(&submit->pending))
		npu_sched_wake(submit->ctx);
}

static void npu_dependency_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	npu_dependency_done(fence, container_of(cb, struct npu_dependency, cb));
}

/* Wait for @fence, whose reference is taken over. */
static void npu_submit_depend(struct npu_submit *submit, u32 index,
			      struct dma_fence *fence)
{
	struct npu_dependency *dependency = &submit->dependencies[index];
	unsigned long flags;

	dependency->submit = submit;
	dependency->fence = fence;
	if (!dma_fence_add_callback(fence, &dependency->cb, npu_dependency_cb))
		return;

	spin_lock_irqsave(fence->lock, flags);
	npu_dependency_done(fence, dependency);
	spin_unlock_irqrestore(fence->lock, flags);
}

static int npu_copy_sync(struct drm_npu_sync *sync, u64 user, u32 index,
			 u32 stride)
{
	int ret;

	ret = copy_struct_from_user(sync, sizeof(*sync), u64_to_user_ptr(user) +
				    (size_t)index * stride, stride);
	if (ret)
		return ret;
	return sync->flags ? -EINVAL : 0;
}

/*
 * Allocate the submit and wait for its in-fences. It cannot start before
 * npu_sched_queue() drops the count that is kept here.
 */
static struct npu_submit *
npu_submit_create(struct npu_context *ctx, struct drm_file *file,
		  const struct drm_npu_job_submit *args)
{
	struct npu_submit *submit;
	int ret;
	u32 i;

	submit = kzalloc(struct_size(submit, dependencies, args->in_sync_count),
			 GFP_KERNEL_ACCOUNT);
	if (!submit)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&submit->lock);
	submit->ctx = ctx;
	submit->dependency_count = args->in_sync_count;
	atomic_set(&submit->pending, args->in_sync_count + 1);

	for (i = 0; i < args->in_sync_count; i++) {
		struct drm_npu_sync sync;
		struct dma_fence *fence;

		ret = npu_copy_sync(&sync, args->in_syncs, i, args->sync_stride);
		if (!ret)
			ret = drm_syncobj_find_fence(file, sync.handle,
						     sync.point, 0, &fence);
		if (ret)
			goto err_forget;
		npu_submit_depend(submit, i, fence);
	}
	return submit;

err_forget:
	npu_submit_forget(submit);
	kfree(submit);
	return ERR_PTR(ret);
}

static void npu_out_syncs_free(struct npu_out_sync *outs, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		dma_fence_chain_free(outs[i].chain);
		if (outs[i].syncobj)
			drm_syncobj_put(outs[i].syncobj);
	}
	kfree(outs);
}

static struct npu_out_sync *
npu_out_syncs_find(struct drm_file *file, const struct drm_npu_job_submit *args)
{
	struct npu_out_sync *outs;
	int ret;
	u32 i;

	if (!args->out_sync_count)
		return NULL;
	outs = kcalloc(args->out_sync_count, sizeof(*outs), GFP_KERNEL);
	if (!outs)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < args->out_sync_count; i++) {
		struct drm_npu_sync sync;

		ret = npu_copy_sync(&sync, args->out_syncs, i,
				    args->sync_stride);
		if (ret)
			goto err_free;
		ret = -ENOENT;
		outs[i].syncobj = drm_syncobj_find(file, sync.handle);
		if (!outs[i].syncobj)
			goto err_free;
		outs[i].point = sync.point;
		if (!sync.point)
			continue;
		ret = -ENOMEM;
		outs[i].chain = dma_fence_chain_alloc();
		if (!outs[i].chain)
			goto err_free;
	}
	return outs;

err_free:
	npu_out_syncs_free(outs, args->out_sync_count);
	return ERR_PTR(ret);
}

/* Give the fence to the out-syncs. */
static void npu_out_syncs_attach(struct npu_out_sync *outs, u32 count,
				 struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (outs[i].chain)
			drm_syncobj_add_point(outs[i].syncobj, outs[i].chain,
					      fence, outs[i].point);
		else
			drm_syncobj_replace_fence(outs[i].syncobj, fence);
		outs[i].chain = NULL;
	}
}

static int npu_submit_find_jobs(struct npu_file *nfile, struct npu_job **jobs,
				const struct drm_npu_job_submit *args)
{
	u32 i;
	int ret;

	for (i = 0; i < args->job_count; i++) {
		struct drm_npu_submit_job job;

		ret = copy_struct_from_user(&job, sizeof(job),
					    u64_to_user_ptr(args->jobs) +
					    (size_t)i * args->job_stride,
					    args->job_stride);
		if (ret)
			return ret;
		if (job.flags)
			return -EINVAL;
		jobs[i] = npu_job_find(nfile, job.job_id);
		if (!jobs[i])
			return -ENOENT;
	}
	return 0;
}

static int npu_submit_check(const struct drm_npu_job_submit *args)
{
	if (args->flags || args->pad || !args->job_count ||
	    args->job_stride < sizeof(struct drm_npu_submit_job) ||
	    args->job_stride % 8)
		return -EINVAL;
	if ((args->in_sync_count || args->out_sync_count) &&
	    (args->sync_stride < sizeof(struct drm_npu_sync) ||
	     args->sync_stride % 8))
		return -EINVAL;
	if (args->job_stride > NPU_MAX_STRIDE ||
	    args->sync_stride > NPU_MAX_STRIDE)
		return -E2BIG;
	if (args->job_count > NPU_MAX_SUBMIT_JOBS ||
	    args->in_sync_count > NPU_MAX_SUBMIT_SYNCS ||
	    args->out_sync_count > NPU_MAX_SUBMIT_SYNCS)
		return -E2BIG;
	return 0;
}

/* Queue @jobs, whose references the queue takes over if it succeeds. */
static int npu_submit_queue(struct npu_context *ctx, struct npu_job **jobs,
			    struct drm_npu_job_submit *args,
			    struct drm_file *file)
{
	struct npu_submit *submit = NULL;
	struct npu_out_sync *outs;
	int ret;

	outs = npu_out_syncs_find(file, args);
	if (IS_ERR(outs))
		return PTR_ERR(outs);
	if (args->in_sync_count || args->out_sync_count) {
		submit = npu_submit_create(ctx, file, args);
		if (IS_ERR(submit)) {
			ret = PTR_ERR(submit);
			goto out_free;
		}
	}

	for (;;) {
		ret = npu_sched_queue(ctx, jobs, args->job_count, submit,
				      &npu_fence_ops, &args->seqno);
		if (ret != -EAGAIN)
			break;
		npu_sched_flush(ctx->npu);
	}
	if (!submit)
		goto out_free;
	if (ret) {
		npu_submit_forget(submit);
		kfree(submit);
		goto out_free;
	}
	__module_get(THIS_MODULE);
	npu_out_syncs_attach(outs, args->out_sync_count, &submit->fence);
	npu_submit_put(submit);
out_free:
	npu_out_syncs_free(outs, args->out_sync_count);
	return ret;
}

/**
 * npu_job_submit_ioctl() - %DRM_IOCTL_NPU_JOB_SUBMIT
 * @dev: the device
 * @data: a &struct drm_npu_job_submit
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_job_submit_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file)
{
	struct npu_job *inline_jobs[NPU_INLINE_JOBS] = {};
	struct drm_npu_job_submit *args = data;
	struct npu_file *nfile = file->driver_priv;
	struct npu_job **jobs = inline_jobs;
	struct npu_context *ctx;
	int ret;
	u32 i;

	ret = npu_submit_check(args);
	if (ret)
		return ret;
	ctx = npu_context_find(nfile, args->context_id);
	if (!ctx)
		return -ENOENT;
	if (args->job_count > NPU_INLINE_JOBS) {
		jobs = kcalloc(args->job_count, sizeof(*jobs), GFP_KERNEL);
		if (!jobs) {
			ret = -ENOMEM;
			goto out_put;
		}
	}

	ret = npu_submit_find_jobs(nfile, jobs, args);
	if (!ret)
		ret = npu_submit_queue(ctx, jobs, args, file);
	for (i = 0; ret && i < args->job_count && jobs[i]; i++)
		npu_job_put(jobs[i]);
	if (jobs != inline_jobs)
		kfree(jobs);
out_put:
	npu_context_put(ctx);
	return ret;
}
