/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc/PID/fdinfo tells of an open file. */
#ifndef NPU_FDINFO_H
#define NPU_FDINFO_H

struct drm_file;
struct drm_printer;

void npu_show_fdinfo(struct drm_printer *p, struct drm_file *file);

#endif /* NPU_FDINFO_H */
