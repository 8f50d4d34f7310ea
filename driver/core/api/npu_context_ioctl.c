// SPDX-License-Identifier: GPL-2.0-only
/* CONTEXT_CREATE, CONTEXT_SET, CONTEXT_DESTROY, and the page of a context. */
#include <linux/capability.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "../exec/npu_client.h"
#include "../exec/npu_context.h"
#include "../exec/npu_dispatch.h"
#include "../include/npu_device.h"
#include "npu_api.h"

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
	struct npu_context *ctx;
	int ret;

	if (args->flags || args->core_mask & ~npu_core_mask(npu) ||
	    args->max_queued > NPU_MAX_QUEUED ||
	    args->sched_class > DRM_NPU_CLASS_BACKGROUND ||
	    args->weight > DRM_NPU_WEIGHT_MAX)
		return -EINVAL;

	ctx = npu_context_create(nfile, args->core_mask ?: npu_core_mask(npu),
				 args->max_queued ?: NPU_MAX_QUEUED,
				 args->sched_class, args->weight);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = xa_alloc(&nfile->contexts, &args->context_id, ctx,
		       XA_LIMIT(1, NPU_MAX_CONTEXTS), GFP_KERNEL_ACCOUNT);
	if (ret) {
		npu_context_put(ctx);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	args->page_offset = (u64)args->context_id << PAGE_SHIFT;
	return 0;
}

/**
 * npu_context_set_ioctl() - %DRM_IOCTL_NPU_CONTEXT_SET
 * @dev: the device
 * @data: a &struct drm_npu_context_set
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_context_set_ioctl(struct drm_device *dev, void *data,
			  struct drm_file *file)
{
	struct drm_npu_context_set *args = data;
	bool set_class = args->flags & DRM_NPU_CONTEXT_SET_CLASS;
	bool set_weight = args->flags & DRM_NPU_CONTEXT_SET_WEIGHT;
	struct npu_context *ctx;

	if (!args->flags ||
	    args->flags & ~(DRM_NPU_CONTEXT_SET_CLASS |
			    DRM_NPU_CONTEXT_SET_WEIGHT) ||
	    (!set_class && args->sched_class) ||
	    (!set_weight && args->weight) ||
	    args->sched_class > DRM_NPU_CLASS_BACKGROUND ||
	    args->weight > DRM_NPU_WEIGHT_MAX)
		return -EINVAL;
	ctx = npu_context_find(file->driver_priv, args->context_id);
	if (!ctx)
		return -ENOENT;
	npu_queue_change(ctx, set_class ? &args->sched_class : NULL,
			 set_weight ? &args->weight : NULL,
			 capable(CAP_SYS_NICE));
	npu_context_put(ctx);
	return 0;
}

static vm_fault_t npu_page_fault(struct vm_fault *vmf)
{
	vmf->page = vmf->vma->vm_private_data;
	get_page(vmf->page);
	return 0;
}

static void npu_page_open(struct vm_area_struct *vma)
{
	get_page(vma->vm_private_data);
}

static void npu_page_close(struct vm_area_struct *vma)
{
	put_page(vma->vm_private_data);
}

/* The page outlives its context, and the unplugging that unmaps everything. */
static const struct vm_operations_struct npu_page_vm_ops = {
	.fault = npu_page_fault,
	.open = npu_page_open,
	.close = npu_page_close,
};

/**
 * npu_context_mmap() - map the page of a context
 * @nfile: the file
 * @vma: where to; its offset is the context's id
 *
 * Return: 0 or a negative errno.
 */
int npu_context_mmap(struct npu_file *nfile, struct vm_area_struct *vma)
{
	struct npu_context *ctx;

	if (drm_dev_is_unplugged(&nfile->npu->drm))
		return -ENODEV;
	if (vma_pages(vma) != 1)
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	ctx = npu_context_find(nfile, vma->vm_pgoff);
	if (!ctx)
		return -EINVAL;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	get_page(ctx->page);
	vma->vm_private_data = ctx->page;
	vma->vm_ops = &npu_page_vm_ops;
	npu_context_put(ctx);
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
	npu_queue_kill(ctx, false);
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

	/* Includes contexts without an id whose jobs still run. */
	for (ctx = npu_context_next(nfile->client, NULL); ctx;
	     ctx = npu_context_next(nfile->client, ctx))
		npu_queue_kill(ctx, true);
	xa_for_each(&nfile->contexts, id, ctx)
		npu_context_put(ctx);
	if (nfile->compat)
		npu_context_put(nfile->compat);
	xa_destroy(&nfile->contexts);
}
