/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of mainline's rocket driver. */
#ifndef RKNN_ROCKET_H
#define RKNN_ROCKET_H

struct drm_device;
struct drm_file;

int rknn_rocket_create_bo_ioctl(struct drm_device *dev, void *data,
				struct drm_file *file);
int rknn_rocket_submit_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file);
int rknn_rocket_prep_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file);
int rknn_rocket_fini_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file);

#endif /* RKNN_ROCKET_H */
