/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of mainline's rocket driver. */
#ifndef NPU_ROCKET_H
#define NPU_ROCKET_H

struct drm_device;
struct drm_file;

int npu_rocket_create_bo_ioctl(struct drm_device *dev, void *data,
			       struct drm_file *file);
int npu_rocket_submit_ioctl(struct drm_device *dev, void *data,
			    struct drm_file *file);
int npu_rocket_prep_bo_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file);
int npu_rocket_fini_bo_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file);

#endif /* NPU_ROCKET_H */
