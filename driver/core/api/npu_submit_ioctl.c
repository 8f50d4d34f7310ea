// SPDX-License-Identifier: GPL-2.0-only
/*
 * JOB_SUBMIT: everything that can fail or sleep comes before the dispatcher's
 * lock is taken; nothing after it fails.
 */
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_syncobj.h>

#include "../exec/npu_context.h"
#include "../exec/npu_dispatch.h"
#include "../exec/npu_implicit.h"
#include "../exec/npu_job.h"
#include "../exec/npu_submit.h"
#include "../include/npu_device.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"

/* Submits up to this size need no allocation for their list of jobs. */
#define NPU_INLINE_JOBS		16u

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

static void npu_in_fences_put(struct dma_fence **fences, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		dma_fence_put(fences[i]);
	kfree(fences);
}

/* The fences of the in-syncs, referenced. */
static struct dma_fence **
npu_in_fences_find(struct drm_file *file, const struct drm_npu_job_submit *args)
{
	struct dma_fence **fences;
	int ret;
	u32 i;

	if (!args->in_sync_count)
		return NULL;
	fences = kcalloc(args->in_sync_count, sizeof(*fences), GFP_KERNEL);
	if (!fences)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < args->in_sync_count; i++) {
		struct drm_npu_sync sync;

		ret = npu_copy_sync(&sync, args->in_syncs, i, args->sync_stride);
		if (!ret)
			ret = drm_syncobj_find_fence(file, sync.handle,
						     sync.point, 0, &fences[i]);
		if (ret) {
			fences[i] = NULL;
			npu_in_fences_put(fences, args->in_sync_count);
			return ERR_PTR(ret);
		}
	}
	return fences;
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

/* Copy @count jobs from the array at @user. */
static int npu_copy_jobs(struct drm_npu_submit_job *jobs, u64 user, u32 stride,
			 u32 count)
{
	u32 i;
	int ret;

	if (stride == sizeof(*jobs))
		return copy_from_user(jobs, u64_to_user_ptr(user),
				      count * sizeof(*jobs)) ? -EFAULT : 0;
	for (i = 0; i < count; i++) {
		ret = copy_struct_from_user(&jobs[i], sizeof(*jobs),
					    u64_to_user_ptr(user) +
					    (size_t)i * stride, stride);
		if (ret)
			return ret;
	}
	return 0;
}

static int npu_submit_find_jobs(struct npu_file *nfile, struct npu_job **jobs,
				const struct drm_npu_job_submit *args)
{
	struct drm_npu_submit_job chunk[NPU_INLINE_JOBS];
	u32 done, i, count;
	int ret;

	for (done = 0; done < args->job_count; done += count) {
		count = min(args->job_count - done, NPU_INLINE_JOBS);
		ret = npu_copy_jobs(chunk, args->jobs +
				    (u64)done * args->job_stride,
				    args->job_stride, count);
		if (ret)
			return ret;
		for (i = 0; i < count; i++)
			if (chunk[i].flags)
				return -EINVAL;
		ret = npu_jobs_find(nfile, jobs + done, chunk, count);
		if (ret)
			return ret;
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

/* The shared buffers that @jobs use; no more than that is ordered implicitly. */
static int npu_submit_find_shared(struct npu_implicit *implicit,
				  struct npu_job **jobs, u32 count)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		if (i && jobs[i] == jobs[i - 1])
			continue;
		ret = npu_implicit_add_job(implicit, jobs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Queue @jobs, whose references the queue takes over on success. Returns what
 * npu_queue_jobs() returns, among others. Must not touch user memory: it may
 * be a mapping of a buffer whose reservation is locked here.
 */
static int npu_submit_try(struct npu_context *ctx, struct npu_job **jobs,
			  struct drm_npu_job_submit *args,
			  struct dma_fence **in_fences,
			  struct npu_out_sync *outs)
{
	struct npu_request request = {
		.jobs = jobs,
		.count = args->job_count,
		.shares = npu_vm_shares(ctx->vm),
		.deadline_ns = args->deadline_ns,
	};
	struct npu_submit *submit = NULL;
	struct npu_implicit implicit = {};
	bool cookie;
	int ret;
	u32 i;

	if (npu_vm_has_shared(ctx->vm)) {
		ret = npu_submit_find_shared(&implicit, jobs, args->job_count);
		if (!ret && implicit.count)
			ret = npu_implicit_lock(&implicit, true);
		if (!ret)
			ret = npu_implicit_collect(&implicit,
						   ctx->fence_context);
		if (ret)
			goto out_fini;
	}
	if (args->in_sync_count || args->out_sync_count || implicit.count) {
		submit = npu_submit_alloc(ctx, args->in_sync_count +
					       implicit.fence_count);
		ret = -ENOMEM;
		if (!submit)
			goto out_fini;
		for (i = 0; i < args->in_sync_count; i++)
			npu_submit_depend(submit, dma_fence_get(in_fences[i]),
					  false);
		npu_submit_depend_implicit(submit, &implicit);
	}

	cookie = dma_fence_begin_signalling();
	request.submit = submit;
	ret = npu_queue_jobs(ctx, &request, &args->seqno);
	if (!ret && submit) {
		npu_implicit_attach(&implicit, &submit->fence);
		npu_out_syncs_attach(outs, args->out_sync_count, &submit->fence);
		npu_submit_put(submit);
		submit = NULL;
	}
	dma_fence_end_signalling(cookie);
	npu_submit_free(submit);
out_fini:
	npu_implicit_fini(&implicit);
	return ret;
}

static int npu_submit_queue(struct npu_context *ctx, struct npu_job **jobs,
			    struct drm_npu_job_submit *args,
			    struct drm_file *file)
{
	struct dma_fence **in_fences;
	struct npu_out_sync *outs;
	int ret;

	outs = npu_out_syncs_find(file, args);
	if (IS_ERR(outs))
		return PTR_ERR(outs);
	in_fences = npu_in_fences_find(file, args);
	if (IS_ERR(in_fences)) {
		ret = PTR_ERR(in_fences);
		goto out_free;
	}
	do {
		ret = npu_submit_try(ctx, jobs, args, in_fences, outs);
		if (ret == -EAGAIN &&
		    npu_queue_wait_room(ctx, args->job_count, false)) {
			ret = -EINTR;
			break;
		}
	} while (ret == -EAGAIN || ret == -ESTALE);
	if (ret == -EDQUOT)
		ret = -EBUSY;
	npu_in_fences_put(in_fences, args->in_sync_count);
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
