/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for jobs and buffers. */
#ifndef NPU_WAIT_H
#define NPU_WAIT_H

struct drm_device;
struct drm_file;

int npu_job_wait_ioctl(struct drm_device *dev, void *data,
		       struct drm_file *file);
int npu_job_cancel_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file);
int npu_bo_wait_ioctl(struct drm_device *dev, void *data,
		      struct drm_file *file);

#endif /* NPU_WAIT_H */
