// SPDX-License-Identifier: GPL-2.0-only
/*
 * JOB_WAIT, JOB_CANCEL and BO_WAIT: no fence is needed to know when a job has
 * ended, only its sequence number.
 */
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include <drm/drm_utils.h>

#include "../exec/npu_client.h"
#include "../exec/npu_context.h"
#include "../exec/npu_dispatch.h"
#include "../exec/npu_exec.h"
#include "../exec/npu_waiter.h"
#include "../include/npu_device.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"

static void npu_wait_counters(struct drm_npu_job_wait *args,
			      const struct npu_slot *slot)
{
	args->macs = slot->macs;
	args->read_bytes = slot->counters.read_bytes;
	args->written_bytes = slot->counters.written_bytes;
	args->sram_bytes = slot->counters.sram_bytes;
	args->start_ns = slot->counters.start_ns;
	args->memory_stall_ns = slot->counters.memory_ns;
	args->sram_stall_ns = slot->counters.sram_ns;
	args->core_mask = slot->counters.core_mask;
	args->pad = 0;
}

/**
 * npu_job_wait_ioctl() - %DRM_IOCTL_NPU_JOB_WAIT
 * @dev: the device
 * @data: a &struct drm_npu_job_wait
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_job_wait_ioctl(struct drm_device *dev, void *data,
		       struct drm_file *file)
{
	struct drm_npu_job_wait *args = data;
	const struct npu_slot *slot;
	struct npu_waiter waiter;
	struct npu_context *ctx;
	bool waits = false;
	int ret = -ENOENT;

	if (args->flags)
		return -EINVAL;
	ctx = npu_context_find(file->driver_priv, args->context_id);
	if (!ctx)
		return -ENOENT;

	spin_lock_irq(&ctx->npu->exec->lock);
	if (args->seqno && args->seqno <= ctx->submitted &&
	    ctx->submitted - args->seqno < ctx->slot_count) {
		waits = npu_waiter_begin(&waiter, ctx, args->seqno);
		ret = 0;
	}
	spin_unlock_irq(&ctx->npu->exec->lock);
	if (ret)
		goto out_put;
	if (waits)
		ret = npu_waiter_end(&waiter, args->timeout_ns);
	if (ret && ret != -ETIME)
		goto out_put;

	ret = 0;
	slot = &waiter.slot;
	args->state = waiter.ended ? DRM_NPU_JOB_ENDED :
		      slot->started_ns ? DRM_NPU_JOB_RUNNING :
		      DRM_NPU_JOB_QUEUED;
	/* A cancelled job has its error before it ends. */
	args->error = waiter.ended ? -slot->error : 0;
	args->queued_ns = slot->queued_ns;
	args->started_ns = slot->started_ns;
	args->ended_ns = slot->ended_ns;
	args->device_ns = slot->device_ns;
	args->fault_flags = waiter.ended ? slot->fault.flags : 0;
	args->fault_lane = waiter.ended ? slot->fault.lane : 0;
	args->fault_task = waiter.ended ? slot->fault.task : 0;
	args->fault_task_count = waiter.ended ? slot->fault.task_count : 0;
	args->fault_address = waiter.ended ? slot->fault.addr : 0;
	npu_wait_counters(args, slot);
out_put:
	npu_context_put(ctx);
	return ret;
}

/**
 * npu_job_cancel_ioctl() - %DRM_IOCTL_NPU_JOB_CANCEL
 * @dev: the device
 * @data: a &struct drm_npu_job_cancel
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_job_cancel_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file)
{
	struct drm_npu_job_cancel *args = data;
	struct npu_context *ctx;
	int ret;

	if (args->flags || args->pad || !args->first_seqno ||
	    args->first_seqno > args->last_seqno)
		return -EINVAL;
	ctx = npu_context_find(file->driver_priv, args->context_id);
	if (!ctx)
		return -ENOENT;
	ret = npu_queue_cancel(ctx, args->first_seqno, args->last_seqno,
			       &args->cancelled);
	npu_context_put(ctx);
	return ret;
}

/**
 * struct npu_last_use - the newest job of a context that uses a buffer
 */
struct npu_last_use {
	/** @ctx: The context, referenced. */
	struct npu_context *ctx;
	/** @seqno: The job. */
	u64 seqno;
};

/* Wait for a job. Returns 0, -ETIME or -ERESTARTSYS. */
static int npu_wait_completed(struct npu_context *ctx, u64 seqno,
			      s64 deadline_ns)
{
	struct npu_waiter waiter;
	bool waits;

	spin_lock_irq(&ctx->npu->exec->lock);
	waits = npu_waiter_begin(&waiter, ctx, seqno);
	spin_unlock_irq(&ctx->npu->exec->lock);
	return waits ? npu_waiter_end(&waiter, deadline_ns) : 0;
}

/* Wait for the jobs of @client that use @mapping now. */
static int npu_wait_mapping(struct npu_client *client,
			    const struct npu_mapping *mapping, bool writes,
			    s64 deadline_ns)
{
	struct npu_last_use *uses = NULL, *more;
	struct npu_context *ctx;
	size_t count = 0, i;
	int ret = 0;

	/* Collect all first: jobs submitted while this waits do not count. */
	for (ctx = npu_context_next(client, NULL); ctx;
	     ctx = npu_context_next(client, ctx)) {
		u64 seqno = npu_queue_last_use(ctx, mapping, writes);

		if (!seqno)
			continue;
		more = krealloc_array(uses, count + 1, sizeof(*uses),
				      GFP_KERNEL_ACCOUNT);
		if (!more) {
			npu_context_put(ctx);
			ret = -ENOMEM;
			break;
		}
		uses = more;
		uses[count].ctx = npu_context_get(ctx);
		uses[count++].seqno = seqno;
	}
	for (i = 0; i < count; i++) {
		if (!ret)
			ret = npu_wait_completed(uses[i].ctx, uses[i].seqno,
						 deadline_ns);
		npu_context_put(uses[i].ctx);
	}
	kfree(uses);
	return ret;
}

/* Wait for the fences that @bo has now. */
static int npu_wait_fences(struct npu_bo *bo, bool writes, s64 deadline_ns)
{
	struct dma_fence *fence;
	long left;
	int ret;

	ret = dma_resv_get_singleton(bo->base.base.resv,
				     writes ? DMA_RESV_USAGE_WRITE :
				     DMA_RESV_USAGE_READ, &fence);
	if (ret || !fence)
		return ret;
	/* Late jiffies catch up, so a timeout in jiffies may be short. */
	do {
		left = dma_fence_wait_timeout(fence, true,
					      drm_timeout_abs_to_jiffies(deadline_ns));
	} while (!left && ktime_to_ns(ktime_get()) < deadline_ns);
	dma_fence_put(fence);
	if (left < 0)
		return left;
	return left ? 0 : -ETIME;
}

/**
 * npu_bo_wait_ioctl() - %DRM_IOCTL_NPU_BO_WAIT
 * @dev: the device
 * @data: a &struct drm_npu_bo_wait
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_wait_ioctl(struct drm_device *dev, void *data,
		      struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct drm_npu_bo_wait *args = data;
	bool writes = args->flags & DRM_NPU_BO_WAIT_WRITES;
	bool poll = args->timeout_ns <= ktime_to_ns(ktime_get());
	struct npu_mapping *mapping;
	struct drm_gem_object *obj;
	int ret = 0;

	if (args->flags & ~DRM_NPU_BO_WAIT_WRITES)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;

	mapping = npu_bo_get_mapping(to_npu_bo(obj), nfile->vm);
	if (mapping) {
		ret = npu_wait_mapping(nfile->client, mapping, writes,
				       args->timeout_ns);
		npu_mapping_put(mapping);
	}
	if (!ret && READ_ONCE(to_npu_bo(obj)->shared))
		ret = npu_wait_fences(to_npu_bo(obj), writes, args->timeout_ns);
	drm_gem_object_put(obj);
	if (ret == -ETIME)
		ret = poll ? -EBUSY : -ETIMEDOUT;
	return ret;
}
