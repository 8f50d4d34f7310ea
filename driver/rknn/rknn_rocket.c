// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of mainline's rocket driver. SUBMIT copies, verifies and links a job as
 * JOB_CREATE does, unless it is cached (rknn_rocket_job.c), and queues it in a
 * context of the file, with the implicit fences of the buffers that it lists
 * (rknn_rocket_batch.c).
 *
 * Mainline answers 0 for a job that it refuses, and so must we; but here the
 * fence of such a job carries the error.
 */
#include <linux/dma-resv.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_utils.h>

#include "../core/exec/npu_context.h"
#include "../core/exec/npu_dispatch.h"
#include "../core/include/npu_device.h"
#include "../core/mem/npu_bo.h"
#include "../core/mem/npu_sync.h"
#include "../core/mem/npu_vm.h"
#include "npu_accel.h"
#include "rknn_rocket.h"
#include "rknn_rocket_batch.h"
#include "rocket_accel.h"

/* Mainline has no bound; this is beyond what its clients need. */
#define RKNN_ROCKET_MAX_JOBS	65536

/* The context of the calls, or an ERR_PTR(). It lives until the file is closed. */
static struct npu_context *rknn_rocket_context(struct npu_file *nfile)
{
	struct npu_context *ctx;

	mutex_lock(&nfile->lock);
	ctx = nfile->compat;
	if (!ctx)
		ctx = npu_context_create(nfile, npu_core_mask(nfile->npu),
					 NPU_MAX_QUEUED,
					 DRM_NPU_CLASS_THROUGHPUT, 0);
	if (!IS_ERR(ctx))
		nfile->compat = ctx;
	mutex_unlock(&nfile->lock);
	return ctx;
}

/* Tell the log of jobs that went wrong since it was told last. */
static void rknn_rocket_report(struct npu_file *nfile)
{
	u32 error = 0;
	u64 failed = npu_compat_failed(nfile, &error);

	/* Some other thread may tell of them. */
	if (atomic64_xchg(&nfile->compat_told, failed) < failed)
		dev_notice_ratelimited(nfile->npu->drm.dev,
				       "%s[%d]: %llu rocket jobs refused or failed so far, error %u\n",
				       current->comm, task_tgid_nr(current),
				       failed, error);
}

/**
 * rknn_rocket_submit_ioctl() - %DRM_IOCTL_ROCKET_SUBMIT
 * @dev: the device
 * @data: a &struct drm_rocket_submit
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_submit_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct drm_rocket_submit *args = data;
	struct rknn_rocket_batch *batch;
	struct drm_rocket_job *jobs;
	int ret = 0, queued;
	u32 i;

	if (!args->job_count)
		return 0;
	if (args->job_struct_size < sizeof(*jobs) || args->reserved)
		return -EINVAL;
	if (args->job_struct_size > NPU_MAX_STRIDE ||
	    args->job_count > RKNN_ROCKET_MAX_JOBS)
		return -E2BIG;

	jobs = kvmalloc_array(args->job_count, sizeof(*jobs),
			      GFP_KERNEL_ACCOUNT);
	batch = kvzalloc(struct_size(batch, groups,
				     min(args->job_count,
					 RKNN_ROCKET_BATCH_JOBS)),
			 GFP_KERNEL_ACCOUNT);
	if (!jobs || !batch) {
		ret = -ENOMEM;
		goto out_free;
	}
	for (i = 0; i < args->job_count && !ret; i++) {
		if (copy_from_user(&jobs[i], u64_to_user_ptr(args->jobs) +
				   (size_t)i * args->job_struct_size,
				   sizeof(jobs[i])))
			ret = -EFAULT;
		cond_resched();
	}
	if (ret)
		goto out_free;
	batch->file = file;
	batch->ctx = rknn_rocket_context(nfile);
	if (IS_ERR(batch->ctx)) {
		ret = PTR_ERR(batch->ctx);
		goto out_free;
	}
	for (i = 0; i < args->job_count && !ret; i++)
		ret = fatal_signal_pending(current) ? -EINTR :
		      rknn_rocket_batch_add(batch, &jobs[i]);
	/* Jobs before one that fails the call are still queued. */
	queued = rknn_rocket_batch_queue(batch);
	ret = ret ?: queued;
	rknn_rocket_batch_fini(batch);
	rknn_rocket_report(nfile);
out_free:
	kvfree(batch);
	kvfree(jobs);
	return ret;
}

/**
 * rknn_rocket_create_bo_ioctl() - %DRM_IOCTL_ROCKET_CREATE_BO
 * @dev: the device
 * @data: a &struct drm_rocket_create_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_create_bo_ioctl(struct drm_device *dev, void *data,
				struct drm_file *file)
{
	struct drm_rocket_create_bo *args = data;
	struct drm_npu_query_buffer info;
	int ret;

	if (!args->size)
		return -EINVAL;
	if (args->size > npu_max_buffer_size(to_npu_device(dev)))
		return -E2BIG;
	ret = npu_bo_create_handle(file, args->size, DRM_NPU_BO_CACHED, &info,
				   &args->handle);
	if (ret)
		return ret;
	args->dma_address = info.address;
	args->offset = info.mmap_offset;
	return 0;
}

/**
 * rknn_rocket_prep_bo_ioctl() - %DRM_IOCTL_ROCKET_PREP_BO
 * @dev: the device
 * @data: a &struct drm_rocket_prep_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_prep_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file)
{
	struct drm_rocket_prep_bo *args = data;
	unsigned long timeout = drm_timeout_abs_to_jiffies(args->timeout_ns);
	struct drm_gem_object *obj;
	long ret;

	if (args->reserved)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_READ, true,
				    timeout);
	if (ret > 0)
		ret = npu_sync_bo(to_npu_bo(obj), 0, obj->size, true);
	else if (!ret)
		ret = timeout ? -ETIMEDOUT : -EBUSY;
	drm_gem_object_put(obj);
	rknn_rocket_report(file->driver_priv);
	return ret;
}

/**
 * rknn_rocket_fini_bo_ioctl() - %DRM_IOCTL_ROCKET_FINI_BO
 * @dev: the device
 * @data: a &struct drm_rocket_fini_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_fini_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file)
{
	struct drm_rocket_fini_bo *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->reserved)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = npu_sync_bo(to_npu_bo(obj), 0, obj->size, false);
	drm_gem_object_put(obj);
	return ret;
}
