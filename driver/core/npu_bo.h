/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers. */
#ifndef NPU_BO_H
#define NPU_BO_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

struct npu_device;

/**
 * struct npu_bo - a buffer
 */
struct npu_bo {
	/** @base: The GEM object. */
	struct drm_gem_shmem_object base;
	/** @lock: Protects @mappings and their &npu_mapping.handles. */
	struct mutex lock;
	/** @mappings: Mappings that belong to handles. */
	struct list_head mappings;
};

#define to_npu_bo(obj) container_of(to_drm_gem_shmem_obj(obj), struct npu_bo, base)

struct drm_gem_object *npu_gem_create_object(struct drm_device *dev,
					     size_t size);
struct npu_bo *npu_bo_create(struct npu_device *npu, u64 size);
void npu_bo_put(struct npu_bo *bo);

int npu_bo_create_ioctl(struct drm_device *dev, void *data,
			struct drm_file *file);

#endif /* NPU_BO_H */
