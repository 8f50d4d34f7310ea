/* SPDX-License-Identifier: GPL-2.0-only */
/* Hangs, faults and resets of a device, for who manages the machine. */
#ifndef NPU_ERRORS_H
#define NPU_ERRORS_H

#include <linux/types.h>

struct drm_ras_node;
struct npu_device;

/**
 * enum npu_error - what is counted
 */
enum npu_error {
	/** @NPU_ERROR_HANG: Slices that made no progress in time. */
	NPU_ERROR_HANG,
	/** @NPU_ERROR_FAULT: Slices that used an address they may not use. */
	NPU_ERROR_FAULT,
	/** @NPU_ERROR_RESET: Resets of cores, whatever the reason. */
	NPU_ERROR_RESET,
	/** @NPU_ERROR_COUNT: How many there are. */
	NPU_ERROR_COUNT,
};

/**
 * struct npu_errors - error counters of a device
 */
struct npu_errors {
	/** @counts: By &enum npu_error; protected by npu_exec.lock. */
	u32 counts[NPU_ERROR_COUNT];
	/** @node: Reports them through DRM RAS, or %NULL while it does not. */
	struct drm_ras_node *node;
};

void npu_errors_count(struct npu_device *npu, enum npu_error error);
void npu_errors_register(struct npu_device *npu);
void npu_errors_unregister(struct npu_device *npu);
void npu_errors_exit(void);
void npu_errors_debugfs_init(struct npu_device *npu);

#endif /* NPU_ERRORS_H */
