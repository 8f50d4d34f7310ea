// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: shmem objects, mapped for the device as long as a file has a handle
 * or a job refers to them.
 *
 * A buffer that is imported or exported is shared for the rest of its life, and
 * from then on every submit looks after its fences (npu_implicit.c).
 */
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "../include/npu_device.h"
#include "npu_accel.h"
#include "npu_bo.h"
#include "npu_contig.h"
#include "npu_vm.h"

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

/**
 * npu_bo_open() - a file gets a handle of a buffer
 * @bo: the buffer
 * @vm: address space of the file, in which its first handle maps the buffer
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_open(struct npu_bo *bo, struct npu_vm *vm)
{
	struct npu_mapping *mapping;
	int ret = 0;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, vm);
	if (!mapping) {
		mapping = npu_mapping_create(vm, bo, !bo->read_only);
		if (IS_ERR(mapping)) {
			ret = PTR_ERR(mapping);
			goto out_unlock;
		}
		list_add(&mapping->link, &bo->mappings);
		if (bo->shared)
			npu_mapping_note_shared(mapping, true);
	}
	mapping->handles++;
out_unlock:
	mutex_unlock(&bo->lock);
	return ret;
}

/**
 * npu_bo_close() - a file loses a handle of a buffer
 * @bo: the buffer
 * @vm: address space of the file
 *
 * Return: the mapping, whose reference the caller gets, if that was the last
 * handle, else %NULL.
 */
struct npu_mapping *npu_bo_close(struct npu_bo *bo, struct npu_vm *vm)
{
	struct npu_mapping *mapping;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, vm);
	if (!drm_WARN_ON(bo->base.base.dev, !mapping) && !--mapping->handles)
		list_del_init(&mapping->link);
	else
		mapping = NULL;
	mutex_unlock(&bo->lock);
	return mapping;
}

/**
 * npu_bo_free() - free a buffer that has no references any more
 * @bo: the buffer
 */
void npu_bo_free(struct npu_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct npu_device *npu = to_npu_device(obj->dev);

	drm_WARN_ON(obj->dev, !list_empty(&bo->mappings));
	if (!obj->import_attach)
		atomic64_sub(obj->size, &npu->used);
	atomic_dec(&npu->buffer_objects);
	mutex_destroy(&bo->lock);
	if (npu->direct)
		npu_contig_free(bo);
	drm_gem_shmem_free(&bo->base);
}

/**
 * npu_bo_alloc() - the memory of a buffer object
 * @npu: the device
 *
 * Return: an object that DRM is to initialise, or an ERR_PTR().
 */
struct npu_bo *npu_bo_alloc(struct npu_device *npu)
{
	struct npu_bo *bo;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);
	/*
	 * Caches are written back when the pages are mapped for the device
	 * (npu_mapping_fill()), and nothing gets into them from then on, unless
	 * the buffer is made with %DRM_NPU_BO_CACHED.
	 */
	bo->base.map_wc = npu->desc.noncoherent;
	mutex_init(&bo->lock);
	INIT_LIST_HEAD(&bo->mappings);
	npu_residency_prepare(&bo->residency);
	return bo;
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
	struct npu_bo *bo;
	int ret = 0;

	/* Fail early rather than push other tasks to swap. */
	if (size >> PAGE_SHIFT > totalram_pages())
		return ERR_PTR(-ENOMEM);
	shmem = drm_gem_shmem_create(&npu->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	atomic64_add(shmem->base.size, &npu->used);
	atomic_inc(&npu->buffer_objects);
	bo = to_npu_bo(&shmem->base);
	if (npu->direct)
		ret = npu_contig_alloc(bo);
	if (ret) {
		npu_bo_put(bo);
		return ERR_PTR(ret);
	}
	return bo;
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

/* npu_bo_read() of a buffer that is on the chip. */
static void npu_bo_read_chip(struct npu_bo *bo, u64 offset, void *dst,
			     size_t bytes)
{
	const void *chip = npu_bo_device(bo)->desc.sram[bo->residency.sram->index].vaddr;
	const u32 *pages = bo->residency.block.pages;

	while (bytes) {
		size_t part = min_t(size_t, bytes,
				    PAGE_SIZE - offset_in_page(offset));

		memcpy(dst, chip + ((size_t)pages[offset >> PAGE_SHIFT] << PAGE_SHIFT) +
		       offset_in_page(offset), part);
		offset += part;
		dst += part;
		bytes -= part;
	}
}

/**
 * npu_bo_read() - read from a buffer where it is, on the chip too
 * @bo: the buffer
 * @map: where the kernel sees its system memory
 * @offset: first byte
 * @dst: receives it
 * @bytes: how much; the range lies in the buffer
 */
void npu_bo_read(struct npu_bo *bo, const struct iosys_map *map, u64 offset,
		 void *dst, size_t bytes)
{
	struct dma_resv *resv = bo->base.base.resv;

	/* It does not move while its reservation is locked. */
	dma_resv_lock(resv, NULL);
	if (bo->residency.inside)
		npu_bo_read_chip(bo, offset, dst, bytes);
	else
		iosys_map_memcpy_from(dst, map, offset, bytes);
	dma_resv_unlock(resv);
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
 * npu_bo_describe() - describe a buffer of a file
 * @bo: the buffer
 * @vm: address space of the file
 * @info: receives it
 */
void npu_bo_describe(struct npu_bo *bo, struct npu_vm *vm,
		     struct drm_npu_query_buffer *info)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct npu_mapping *mapping;

	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, vm);
	/* Userspace may have guessed the handle and closed it meanwhile. */
	info->address = mapping ? mapping->node.start : 0;
	info->size = obj->size;
	npu_residency_query(bo, info);
	info->flags = (bo->read_only ? DRM_NPU_BO_READ_ONLY : 0) |
		      (bo->cached ? DRM_NPU_BO_CACHED : 0) |
		      (bo->shared ? DRM_NPU_BO_SHARED : 0);
	info->mmap_offset = obj->import_attach ? 0 :
			    drm_vma_node_offset_addr(&obj->vma_node);
	mutex_unlock(&bo->lock);
}

/**
 * npu_bo_create_handle() - new buffer, filled with zeros, with a handle
 * @file: the file
 * @size: bytes
 * @flags: %DRM_NPU_BO_READ_ONLY and %DRM_NPU_BO_CACHED count
 * @info: receives the description
 * @handle: receives the handle
 *
 * Return: 0 or a negative errno.
 */
int npu_bo_create_handle(struct drm_file *file, u64 size, u32 flags,
			 struct drm_npu_query_buffer *info, u32 *handle)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_bo *bo;
	int ret;

	bo = npu_bo_create(nfile->npu, size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	bo->read_only = flags & DRM_NPU_BO_READ_ONLY;
	bo->cached = flags & DRM_NPU_BO_CACHED;
	if (bo->cached)
		bo->base.map_wc = false;

	ret = drm_gem_handle_create(file, &bo->base.base, handle);
	if (!ret)
		npu_bo_describe(bo, nfile->vm, info);
	npu_bo_put(bo);
	return ret;
}

