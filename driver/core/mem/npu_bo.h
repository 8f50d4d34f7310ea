/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers. */
#ifndef NPU_BO_H
#define NPU_BO_H

#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_gem_shmem_helper.h>

#include "npu_residency.h"

struct dma_buf_attachment;
struct drm_npu_query_buffer;
struct npu_device;
struct npu_mapping;
struct npu_vm;
struct sg_table;

/**
 * struct npu_bo - a buffer
 */
struct npu_bo {
	/** @base: The GEM object. */
	struct drm_gem_shmem_object base;
	/** @read_only: The device may only read it. */
	bool read_only;
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

struct drm_gem_object *npu_gem_create_object(struct drm_device *dev,
					     size_t size);
struct drm_gem_object *
npu_gem_import_sg_table(struct drm_device *dev, struct dma_buf_attachment *attach,
			struct sg_table *sgt);
struct npu_bo *npu_bo_create(struct npu_device *npu, u64 size);
int npu_bo_create_handle(struct drm_file *file, u64 size, bool read_only,
			 struct drm_npu_query_buffer *info, u32 *handle);
int npu_bo_query(struct drm_file *file, u32 handle,
		 struct drm_npu_query_buffer *info);
void npu_bo_put(struct npu_bo *bo);
void npu_bo_write(struct npu_bo *bo, u64 offset, const void *src, size_t bytes);
struct npu_mapping *npu_bo_get_mapping(struct npu_bo *bo, struct npu_vm *vm);

int npu_bo_create_ioctl(struct drm_device *dev, void *data,
			struct drm_file *file);

#endif /* NPU_BO_H */
