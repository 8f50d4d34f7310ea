/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers. */
#ifndef NPU_BO_H
#define NPU_BO_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

#include "../include/npu_device.h"
#include "npu_residency.h"

struct drm_npu_query_buffer;
struct iosys_map;
struct npu_mapping;
struct npu_vm;

/**
 * struct npu_bo - a buffer
 */
struct npu_bo {
	/** @base: The GEM object. */
	struct drm_gem_shmem_object base;
	/** @read_only: The device may only read it. */
	bool read_only;
	/** @cached: It was made with %DRM_NPU_BO_CACHED. */
	bool cached;
	/** @lock: Protects the rest and &npu_mapping.handles. */
	struct mutex lock;
	/** @shared: Has been imported or exported; its fences count. */
	bool shared;
	/** @mappings: Mappings that belong to handles. */
	struct list_head mappings;
	/** @residency: Where it is; has a lock of its own. */
	struct npu_residency residency;
};

#define to_npu_bo(obj) container_of(to_drm_gem_shmem_obj(obj), struct npu_bo, base)

static inline struct npu_device *npu_bo_device(const struct npu_bo *bo)
{
	return to_npu_device(bo->base.base.dev);
}

struct npu_bo *npu_bo_alloc(struct npu_device *npu);
void npu_bo_free(struct npu_bo *bo);
struct npu_bo *npu_bo_create(struct npu_device *npu, u64 size);
int npu_bo_create_handle(struct drm_file *file, u64 size, u32 flags,
			 struct drm_npu_query_buffer *info, u32 *handle);
void npu_bo_describe(struct npu_bo *bo, struct npu_vm *vm,
		     struct drm_npu_query_buffer *info);
int npu_bo_open(struct npu_bo *bo, struct npu_vm *vm);
struct npu_mapping *npu_bo_close(struct npu_bo *bo, struct npu_vm *vm);
void npu_bo_put(struct npu_bo *bo);
void npu_bo_write(struct npu_bo *bo, u64 offset, const void *src, size_t bytes);
void npu_bo_read(struct npu_bo *bo, const struct iosys_map *map, u64 offset,
		 void *dst, size_t bytes);
struct npu_mapping *npu_bo_get_mapping(struct npu_bo *bo, struct npu_vm *vm);

#endif /* NPU_BO_H */
