// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts: creation, look-up, end. What they do is the dispatcher's business.
 */
#include <linux/dma-fence.h>
#include <linux/slab.h>

#include "npu_context.h"
#include "npu_device.h"
#include "npu_sched.h"
#include "npu_vm.h"

static void npu_context_release(struct kref *ref)
{
	struct npu_context *ctx = container_of(ref, struct npu_context, ref);

	spin_lock_irq(&ctx->npu->sched_lock);
	list_del(&ctx->link);
	spin_unlock_irq(&ctx->npu->sched_lock);
	atomic_dec(&ctx->npu->context_objects);
	npu_vm_put(ctx->vm);
	kvfree(ctx);
}

/**
 * npu_context_get() - take a reference
 * @ctx: the context
 *
 * Return: @ctx.
 */
struct npu_context *npu_context_get(struct npu_context *ctx)
{
	kref_get(&ctx->ref);
	return ctx;
}

/**
 * npu_context_put() - drop a reference; may sleep
 * @ctx: the context
 */
void npu_context_put(struct npu_context *ctx)
{
	kref_put(&ctx->ref, npu_context_release);
}

/**
 * npu_context_find() - look up an id
 * @nfile: the file
 * @id: the id
 *
 * Return: the context with a reference for the caller, or %NULL.
 */
struct npu_context *npu_context_find(struct npu_file *nfile, u32 id)
{
	struct npu_context *ctx;

	xa_lock(&nfile->contexts);
	ctx = xa_load(&nfile->contexts, id);
	if (ctx)
		npu_context_get(ctx);
	xa_unlock(&nfile->contexts);
	return ctx;
}

/**
 * npu_context_create_ioctl() - %DRM_IOCTL_NPU_CONTEXT_CREATE
 * @dev: the device
 * @data: a &struct drm_npu_context_create
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_context_create_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file)
{
	struct npu_device *npu = to_npu_device(dev);
	struct drm_npu_context_create *args = data;
	struct npu_file *nfile = file->driver_priv;
	u32 max_queued = args->max_queued ?: NPU_MAX_QUEUED;
	struct npu_context *ctx;
	int ret;

	if (args->flags || args->core_mask & ~npu_core_mask(npu) ||
	    max_queued > NPU_MAX_QUEUED)
		return -EINVAL;

	ctx = kvzalloc(struct_size(ctx, slots, 2 * max_queued),
		       GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return -ENOMEM;
	ctx->slot_count = 2 * max_queued;
	kref_init(&ctx->ref);
	ctx->npu = npu;
	ctx->vm = npu_vm_get(nfile->vm);
	ctx->core_mask = args->core_mask ?: npu_core_mask(npu);
	ctx->max_queued = max_queued;
	ctx->fence_context = dma_fence_context_alloc(1);
	ctx->stats.core_mask = ctx->core_mask;
	INIT_LIST_HEAD(&ctx->ready_link);
	INIT_LIST_HEAD(&ctx->signal_link);
	INIT_LIST_HEAD(&ctx->retire_link);
	atomic_inc(&npu->context_objects);
	spin_lock_irq(&npu->sched_lock);
	list_add_tail(&ctx->link, &npu->contexts);
	spin_unlock_irq(&npu->sched_lock);

	ret = xa_alloc(&nfile->contexts, &args->context_id, ctx,
		       XA_LIMIT(1, NPU_MAX_CONTEXTS), GFP_KERNEL_ACCOUNT);
	if (ret) {
		npu_context_put(ctx);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	return 0;
}

/**
 * npu_context_destroy_ioctl() - %DRM_IOCTL_NPU_CONTEXT_DESTROY
 * @dev: the device
 * @data: a &struct drm_npu_context_destroy
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_context_destroy_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file)
{
	struct drm_npu_context_destroy *args = data;
	struct npu_file *nfile = file->driver_priv;
	struct npu_context *ctx;

	if (args->pad)
		return -EINVAL;
	ctx = xa_erase(&nfile->contexts, args->context_id);
	if (!ctx)
		return -ENOENT;
	npu_sched_kill(ctx, false);
	npu_context_put(ctx);
	return 0;
}

/**
 * npu_contexts_release() - end all contexts of a file that is closed
 * @nfile: the file
 */
void npu_contexts_release(struct npu_file *nfile)
{
	struct npu_context *ctx;
	unsigned long id;

	xa_for_each(&nfile->contexts, id, ctx) {
		npu_sched_kill(ctx, true);
		npu_context_put(ctx);
	}
	xa_destroy(&nfile->contexts);
}
