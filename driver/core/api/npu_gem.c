// SPDX-License-Identifier: GPL-2.0-only
/* Buffers as GEM objects, BO_CREATE, BO_RESIDENCY, BO_SYNC and PRIME export. */
#include <linux/sched/signal.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_prime.h>

#include "../exec/npu_share.h"
#include "../include/npu_device.h"
#include "../include/npu_family.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_residency.h"
#include "../mem/npu_sync.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"

static int npu_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;

	return npu_bo_open(to_npu_bo(obj), nfile->vm);
}

static void npu_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	const struct npu_family *family = nfile->npu->desc.family;
	struct npu_mapping *mapping = npu_bo_close(to_npu_bo(obj), nfile->vm);

	if (!mapping)
		return;
	if (family->forget)
		family->forget(nfile, mapping);
	npu_mapping_put(mapping);
}

static void npu_gem_free(struct drm_gem_object *obj)
{
	npu_bo_free(to_npu_bo(obj));
}

/*
 * The DRM core holds drm_device.object_name_lock, which handles of all clients
 * need, so nothing is waited for here: npu_prime_handle_to_fd() has done that.
 */
static struct dma_buf *npu_gem_export(struct drm_gem_object *obj, int flags)
{
	if (!READ_ONCE(to_npu_bo(obj)->shared))
		return ERR_PTR(-ESTALE);
	return drm_gem_prime_export(obj, flags);
}

/* Have the buffer of a handle where other devices can use it, to stay there. */
static int npu_bo_share(struct drm_file *file, u32 handle)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	struct npu_bo *bo;
	int ret;

	if (!obj)
		return -ENOENT;
	bo = to_npu_bo(obj);
	ret = mutex_lock_interruptible(&bo->lock);
	if (ret)
		goto out_put;
	ret = npu_residency_share(bo);
	if (!ret)
		ret = npu_share_bo(bo);
	mutex_unlock(&bo->lock);
out_put:
	drm_gem_object_put(obj);
	return ret;
}

/**
 * npu_prime_handle_to_fd() - &drm_driver.prime_handle_to_fd
 * @dev: the device
 * @file: the file
 * @handle: handle of the buffer to export
 * @flags: flags of the new descriptor
 * @fd: receives it
 *
 * A buffer on the chip moves to system memory first, which waits for slices, and
 * must not do so under the locks that the DRM core holds.
 *
 * Return: 0 or a negative errno.
 */
int npu_prime_handle_to_fd(struct drm_device *dev, struct drm_file *file,
			   u32 handle, u32 flags, int *fd)
{
	int ret;

	do {
		ret = npu_bo_share(file, handle);
		if (!ret)
			ret = drm_gem_prime_handle_to_fd(dev, file, handle,
							 flags, fd);
		/* Another thread has given the handle to a new buffer. */
	} while (ret == -ESTALE && !fatal_signal_pending(current));
	return ret;
}

static const struct drm_gem_object_funcs npu_gem_funcs = {
	.free = npu_gem_free,
	.open = npu_gem_open,
	.close = npu_gem_close,
	.export = npu_gem_export,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &npu_gem_vm_ops,
};

/**
 * npu_gem_create_object() - &drm_driver.gem_create_object
 * @dev: the device
 * @size: bytes
 *
 * Return: an object that is not initialised yet, or an ERR_PTR().
 */
struct drm_gem_object *npu_gem_create_object(struct drm_device *dev,
					     size_t size)
{
	struct npu_bo *bo = npu_bo_alloc(to_npu_device(dev));

	if (IS_ERR(bo))
		return ERR_CAST(bo);
	bo->base.base.funcs = &npu_gem_funcs;
	return &bo->base.base;
}

/**
 * npu_gem_import_sg_table() - &drm_driver.gem_prime_import_sg_table
 * @dev: the device
 * @attach: the attachment
 * @sgt: the memory
 *
 * Return: the buffer, or an ERR_PTR().
 */
struct drm_gem_object *
npu_gem_import_sg_table(struct drm_device *dev,
			struct dma_buf_attachment *attach,
			struct sg_table *sgt)
{
	struct npu_device *npu = to_npu_device(dev);
	struct drm_gem_object *obj;

	obj = drm_gem_shmem_prime_import_sg_table(dev, attach, sgt);
	if (IS_ERR(obj))
		return obj;
	/* No lock: the object is not published yet. */
	to_npu_bo(obj)->shared = true;
	atomic_inc(&npu->buffer_objects);
	return obj;
}

/**
 * npu_bo_query() - describe the buffer of a handle
 * @file: the file
 * @handle: its handle
 * @info: receives it
 *
 * Return: 0 or -ENOENT.
 */
int npu_bo_query(struct drm_file *file, u32 handle,
		 struct drm_npu_query_buffer *info)
{
	struct drm_gem_object *obj = drm_gem_object_lookup(file, handle);
	struct npu_file *nfile = file->driver_priv;

	if (!obj)
		return -ENOENT;
	npu_bo_describe(to_npu_bo(obj), nfile->vm, info);
	drm_gem_object_put(obj);
	return 0;
}

/* Have a new buffer in @region, where it is wanted. */
static int npu_bo_ask(struct drm_file *file, u32 handle, u32 region, bool pin)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_mapping *mapping = NULL;
	struct drm_gem_object *obj;
	int ret = -ENOENT;

	/* Userspace may have guessed the handle and closed it meanwhile. */
	obj = drm_gem_object_lookup(file, handle);
	if (obj)
		mapping = npu_bo_get_mapping(to_npu_bo(obj), nfile->vm);
	if (mapping) {
		ret = npu_residency_ask(to_npu_bo(obj), mapping, region,
					pin ? DRM_NPU_RESIDENCY_PIN :
					DRM_NPU_RESIDENCY_PREFER, 0);
		npu_mapping_put(mapping);
		if (ret)
			drm_gem_handle_delete(file, handle);
	}
	if (obj)
		drm_gem_object_put(obj);
	return ret;
}

/**
 * npu_bo_create_ioctl() - %DRM_IOCTL_NPU_BO_CREATE
 * @dev: the device
 * @data: a &struct drm_npu_bo_create
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_create_ioctl(struct drm_device *dev, void *data,
			struct drm_file *file)
{
	const u32 known = DRM_NPU_BO_READ_ONLY | DRM_NPU_BO_PIN |
			  DRM_NPU_BO_CACHED;
	struct npu_device *npu = to_npu_device(dev);
	struct drm_npu_query_buffer info;
	struct drm_npu_bo_create *args = data;
	u32 handle;
	int ret;

	if (!args->size || args->flags & ~known || args->pad ||
	    args->region >= npu_region_count(npu) ||
	    (args->flags & DRM_NPU_BO_PIN && !args->region))
		return -EINVAL;
	if (args->size > npu_max_buffer_size(npu))
		return -E2BIG;

	ret = npu_bo_create_handle(file, args->size, args->flags, &info,
				   &handle);
	if (!ret && args->region)
		ret = npu_bo_ask(file, handle, args->region,
				 args->flags & DRM_NPU_BO_PIN);
	if (ret)
		return ret;
	args->handle = handle;
	args->size = info.size;
	args->address = info.address;
	args->mmap_offset = info.mmap_offset;
	return 0;
}

/**
 * npu_bo_residency_ioctl() - %DRM_IOCTL_NPU_BO_RESIDENCY
 * @dev: the device
 * @data: a &struct drm_npu_bo_residency
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_residency_ioctl(struct drm_device *dev, void *data,
			   struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct drm_npu_bo_residency *args = data;
	struct npu_mapping *mapping;
	struct drm_gem_object *obj;
	int ret = -ENOENT;

	if (args->residency > DRM_NPU_RESIDENCY_PIN ||
	    args->priority >= NPU_SRAM_PRIORITIES ||
	    !args->region || args->pad)
		return -EINVAL;
	if (!to_npu_device(dev)->mem->sram_count)
		return -EOPNOTSUPP;
	if (args->region >= npu_region_count(to_npu_device(dev)))
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	mapping = npu_bo_get_mapping(to_npu_bo(obj), nfile->vm);
	if (mapping) {
		ret = npu_residency_ask(to_npu_bo(obj), mapping, args->region,
					args->residency, args->priority);
		npu_mapping_put(mapping);
	}
	drm_gem_object_put(obj);
	return ret;
}

/**
 * npu_bo_sync_ioctl() - %DRM_IOCTL_NPU_BO_SYNC
 * @dev: the device
 * @data: a &struct drm_npu_bo_sync
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_sync_ioctl(struct drm_device *dev, void *data,
		      struct drm_file *file)
{
	struct drm_npu_bo_sync *args = data;
	struct drm_gem_object *obj;
	int ret = -EINVAL;

	if (args->direction > DRM_NPU_SYNC_FOR_DEVICE || args->pad)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	if (obj->import_attach)
		ret = -EOPNOTSUPP;
	else if (args->length && args->offset < obj->size &&
		 args->length <= obj->size - args->offset)
		ret = npu_sync_bo(to_npu_bo(obj), args->offset, args->length,
				  args->direction == DRM_NPU_SYNC_FOR_CPU);
	drm_gem_object_put(obj);
	return ret;
}
