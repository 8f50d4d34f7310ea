// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: shmem objects, mapped for the device as long as a file has a handle
 * or a job refers to them.
 */
#include <linux/slab.h>

#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "npu_bo.h"
#include "npu_device.h"
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
		mapping = npu_mapping_create(nfile->vm, bo, true);
		if (IS_ERR(mapping)) {
			ret = PTR_ERR(mapping);
			goto out_unlock;
		}
		list_add(&mapping->link, &bo->mappings);
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
	atomic64_sub(obj->size, &npu->used);
	atomic_dec(&npu->buffer_objects);
	mutex_destroy(&bo->lock);
	drm_gem_shmem_free(&bo->base);
}

static const struct drm_gem_object_funcs npu_gem_funcs = {
	.free = npu_gem_free,
	.open = npu_gem_open,
	.close = npu_gem_close,
	.print_info = drm_gem_shmem_object_print_info,
	.pin = drm_gem_shmem_object_pin,
	.unpin = drm_gem_shmem_object_unpin,
	.get_sg_table = drm_gem_shmem_object_get_sg_table,
	.vmap = drm_gem_shmem_object_vmap,
	.vunmap = drm_gem_shmem_object_vunmap,
	.mmap = drm_gem_shmem_object_mmap,
	.vm_ops = &drm_gem_shmem_vm_ops,
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
	mutex_init(&bo->lock);
	INIT_LIST_HEAD(&bo->mappings);
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

	shmem = drm_gem_shmem_create(&npu->drm, size);
	if (IS_ERR(shmem))
		return ERR_CAST(shmem);
	atomic64_add(shmem->base.size, &npu->used);
	atomic_inc(&npu->buffer_objects);
	return to_npu_bo(&shmem->base);
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
	struct npu_device *npu = to_npu_device(dev);
	struct npu_file *nfile = file->driver_priv;
	struct drm_npu_bo_create *args = data;
	struct npu_mapping *mapping;
	struct npu_bo *bo;
	int ret;

	if (!args->size || args->flags || args->region || args->pad)
		return -EINVAL;
	if (args->size > npu_max_buffer_size(npu))
		return -E2BIG;

	bo = npu_bo_create(npu, args->size);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = drm_gem_handle_create(file, &bo->base.base, &args->handle);
	if (ret)
		goto out_put;

	/* Another thread may have closed the handle already: it has guessed. */
	mutex_lock(&bo->lock);
	mapping = npu_bo_find_mapping(bo, nfile->vm);
	args->address = mapping ? mapping->node.start : 0;
	mutex_unlock(&bo->lock);

	args->size = bo->base.base.size;
	args->mmap_offset = drm_vma_node_offset_addr(&bo->base.base.vma_node);
out_put:
	npu_bo_put(bo);
	return ret;
}
