/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of clients. */
#ifndef NPU_API_H
#define NPU_API_H

#include <linux/types.h>

struct dma_buf_attachment;
struct drm_device;
struct drm_file;
struct drm_gem_object;
struct drm_npu_query_buffer;
struct drm_npu_submit_job;
struct npu_context;
struct npu_file;
struct npu_job;
struct sg_table;
struct vm_area_struct;

struct drm_gem_object *npu_gem_create_object(struct drm_device *dev,
					     size_t size);
struct drm_gem_object *
npu_gem_import_sg_table(struct drm_device *dev, struct dma_buf_attachment *attach,
			struct sg_table *sgt);
int npu_prime_handle_to_fd(struct drm_device *dev, struct drm_file *file,
			   u32 handle, u32 flags, int *fd);
int npu_bo_query(struct drm_file *file, u32 handle,
		 struct drm_npu_query_buffer *info);

struct npu_context *npu_context_find(struct npu_file *nfile, u32 id);
void npu_contexts_release(struct npu_file *nfile);
int npu_context_mmap(struct npu_file *nfile, struct vm_area_struct *vma);

int npu_jobs_find(struct npu_file *nfile, struct npu_job **jobs,
		  const struct drm_npu_submit_job *ids, u32 count);
void npu_jobs_release(struct npu_file *nfile);

int npu_query_ioctl(struct drm_device *dev, void *data,
		    struct drm_file *file);
int npu_bo_create_ioctl(struct drm_device *dev, void *data,
			struct drm_file *file);
int npu_bo_residency_ioctl(struct drm_device *dev, void *data,
			   struct drm_file *file);
int npu_bo_sync_ioctl(struct drm_device *dev, void *data,
		      struct drm_file *file);
int npu_bo_wait_ioctl(struct drm_device *dev, void *data,
		      struct drm_file *file);
int npu_context_create_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file);
int npu_context_set_ioctl(struct drm_device *dev, void *data,
			  struct drm_file *file);
int npu_context_destroy_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file);
int npu_job_create_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file);
int npu_job_destroy_ioctl(struct drm_device *dev, void *data,
			  struct drm_file *file);
int npu_job_submit_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file);
int npu_job_wait_ioctl(struct drm_device *dev, void *data,
		       struct drm_file *file);
int npu_job_cancel_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file);

#endif /* NPU_API_H */
