// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: shmem objects, mapped for the device as long as a file has a handle
 * or a job refers to them.
 *
 * A buffer that is imported or exported is shared for the rest of its life, and
 * from then on every submit looks after its fences (npu_implicit.c).
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>

#include "npu_bo.h"
#include "../include/npu_device.h"
#include "../exec/npu_share.h"
#include "npu_vm.h"
#include "npu_accel.h"

static struct npu_mapping *npu_bo_find_mapping(struct npu_bo *bo,
					       struct npu_vm *vm)
{
	struct npu_mapping *mapping;

	lockdep_assert_held(&bo->lock);
	list_for_each_entry(mapping, &bo->mappings, link)
		if (mapping->vm == vm)
			return mapping;
	return NULL;
}

/**
 * npu_bo_get_mapping() - the mapping of a buffer that a file has a handle of
 * @bo: the buffer
 * @vm: address space of the file
 *
 * Return: the mapping with a reference for the caller, or %NULL.
 */
struct npu_mapping *npu_bo_get_mapping(struct npu_bo *bo, struct npu_vm *vm)
{
	struct npu_mapping *mapping;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, vm);
	/* The handles have a reference. */
	if (mapping)
		kref_get(&mapping->ref);
	mutex_unlock(&bo->lock);
	return mapping;
}

/* A handle is made: the file's mapping goes with its first. */
static int npu_gem_open(struct drm_gem_object *obj, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_bo *bo = to_npu_bo(obj);
	struct npu_mapping *mapping;
	int ret = 0;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, nfile->vm);
	if (!mapping) {
		mapping = npu_mapping_create(nfile->vm, bo, !bo->read_only);
		if (IS_ERR(mapping)) {
			ret = PTR_ERR(mapping);
			goto out_unlock;
		}
		list_add(&mapping->link, &bo->mappings);
		if (bo->shared)
			npu_vm_note_shared(nfile->vm);
	}
	mapping->handles++;
out_unlock:
	mutex_unlock(&bo->lock);
	return ret;
}

static void npu_gem_close(struct drm_gem_object *obj, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_bo *bo = to_npu_bo(obj);
	struct npu_mapping *mapping;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, nfile->vm);
	if (!drm_WARN_ON(obj->dev, !mapping) && !--mapping->handles)
		list_del_init(&mapping->link);
	else
		mapping = NULL;
	mutex_unlock(&bo->lock);

	if (mapping)
		npu_mapping_put(mapping);
}

static void npu_gem_free(struct drm_gem_object *obj)
{
	struct npu_device *npu = to_npu_device(obj->dev);
	struct npu_bo *bo = to_npu_bo(obj);

	drm_WARN_ON(obj->dev, !list_empty(&bo->mappings));
	if (!obj->import_attach)
		atomic64_sub(obj->size, &npu->used);
	atomic_dec(&npu->buffer_objects);
	mutex_destroy(&bo->lock);
	drm_gem_shmem_free(&bo->base);
}

static struct dma_buf *npu_gem_export(struct drm_gem_object *obj, int flags)
{
	struct npu_bo *bo = to_npu_bo(obj);
	int ret;

	ret = mutex_lock_interruptible(&bo->lock);
	if (ret)
		return ERR_PTR(ret);
	ret = npu_residency_share(bo);
	if (!ret)
		ret = npu_share_bo(bo);
	mutex_unlock(&bo->lock);
	return ret ? ERR_PTR(ret) : drm_gem_prime_export(obj, flags);
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
	struct npu_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->base.base.funcs = &npu_gem_funcs;
	/*
	 * Caches are written back when the pages are mapped for the device
	 * (npu_mapping_fill()), and nothing gets into them from then on.
	 */
	bo->base.map_wc = to_npu_device(dev)->desc.noncoherent;
	mutex_init(&bo->lock);
	INIT_LIST_HEAD(&bo->mappings);
	npu_residency_prepare(&bo->residency);
	return &bo->base.base;
}

/**
 * npu_bo_create() - new buffer, filled with zeros
 * @npu: the device
 * @size: bytes
 *
 * Return: the buffer with one reference, or an ERR_PTR().
 */
struct npu_bo *npu_bo_create(struct npu_device *npu, u64 size)
{
	struct drm_gem_shmem_object *shmem;

	/* Before the memory of all others is swapped out in vain. */
	if (size >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);
	shmem = drm_gem_shmem_create(&npu->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	atomic64_add(shmem->base.size, &npu->used);
	atomic_inc(&npu->buffer_objects);
	return to_npu_bo(&shmem->base);
}

/**
 * npu_bo_write() - write to memory that a device has mapped, but no client
 * @bo: the buffer
 * @offset: first byte
 * @src: what to write
 * @bytes: how much
 *
 * It takes no mapping for the kernel, which would cost more than the rest of a
 * small job. But it goes through the caches, which are to be synced afterwards.
 */
void npu_bo_write(struct npu_bo *bo, u64 offset, const void *src, size_t bytes)
{
	while (bytes) {
		size_t part = min_t(size_t, bytes,
				    PAGE_SIZE - offset_in_page(offset));

		memcpy_to_page(bo->base.pages[offset >> PAGE_SHIFT],
			       offset_in_page(offset), src, part);
		offset += part;
		src += part;
		bytes -= part;
	}
}

/**
 * npu_bo_put() - drop a reference
 * @bo: the buffer
 */
void npu_bo_put(struct npu_bo *bo)
{
	drm_gem_object_put(&bo->base.base);
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
	/* Nobody else knows it yet. */
	to_npu_bo(obj)->shared = true;
	atomic_inc(&npu->buffer_objects);
	return obj;
}

/* What there is to know about a buffer of @nfile. */
static void npu_bo_describe(struct npu_bo *bo, struct npu_file *nfile,
			    struct drm_npu_query_buffer *info)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct npu_mapping *mapping;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, nfile->vm);
	/* Another thread may have closed the handle already: it has guessed. */
	info->address = mapping ? mapping->node.start : 0;
	info->size = obj->size;
	npu_residency_query(bo, info);
	info->flags = (bo->read_only ? DRM_NPU_BO_READ_ONLY : 0) |
		      (bo->shared ? DRM_NPU_BO_SHARED : 0);
	info->mmap_offset = obj->import_attach ? 0 :
			    drm_vma_node_offset_addr(&obj->vma_node);
	mutex_unlock(&bo->lock);
}

/**
 * npu_bo_create_handle() - new buffer, filled with zeros, with a handle
 * @file: the file
 * @size: bytes
 * @read_only: whether the device may only read it
 * @info: receives what there is to know
 * @handle: receives the handle
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_create_handle(struct drm_file *file, u64 size, bool read_only,
			 struct drm_npu_query_buffer *info, u32 *handle)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_bo *bo;
	int ret;

	bo = npu_bo_create(nfile->npu, size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	bo->read_only = read_only;

	ret = drm_gem_handle_create(file, &bo->base.base, handle);
	if (!ret)
		npu_bo_describe(bo, nfile, info);
	npu_bo_put(bo);
	return ret;
}

/**
 * npu_bo_query() - what there is to know about a buffer
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

	if (!obj)
		return -ENOENT;
	npu_bo_describe(to_npu_bo(obj), file->driver_priv, info);
	drm_gem_object_put(obj);
	return 0;
}

/* Have a new buffer where it is wanted. */
static int npu_bo_ask(struct drm_file *file, u32 handle, bool pin)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_mapping *mapping = NULL;
	struct drm_gem_object *obj;
	int ret = -ENOENT;

	/* Another thread may have closed the handle already: it has guessed. */
	obj = drm_gem_object_lookup(file, handle);
	if (obj)
		mapping = npu_bo_get_mapping(to_npu_bo(obj), nfile->vm);
	if (mapping) {
		ret = npu_residency_ask(to_npu_bo(obj), mapping,
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
	const u32 known = DRM_NPU_BO_READ_ONLY | DRM_NPU_BO_PIN;
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

	ret = npu_bo_create_handle(file, args->size,
				   args->flags & DRM_NPU_BO_READ_ONLY, &info,
				   &handle);
	if (!ret && args->region)
		ret = npu_bo_ask(file, handle, args->flags & DRM_NPU_BO_PIN);
	if (ret)
		return ret;
	args->handle = handle;
	args->size = info.size;
	args->address = info.address;
	args->mmap_offset = info.mmap_offset;
	return 0;
}
