/* SPDX-License-Identifier: GPL-2.0-only */
/* Hold back the ends of lanes, for tests. */
#ifndef NPU_HOLD_H
#define NPU_HOLD_H

#include <linux/types.h>

struct npu_core;
struct npu_device;

/**
 * struct npu_hold - cores whose lanes do not end
 *
 * Protected by npu_exec.lock.
 */
struct npu_hold {
	/** @cores: The cores, one bit each. */
	u32 cores;
	/** @taken: A file is open that controls the gate. */
	bool taken;
};

bool npu_hold_closed(const struct npu_core *core);
bool npu_hold_holds(struct npu_core *core);
void npu_hold_let_go(struct npu_core *core, u64 now);
int npu_hold_take(struct npu_device *npu);
void npu_hold_release(struct npu_device *npu);
void npu_hold_set(struct npu_device *npu, u32 cores, u32 pass);
void npu_hold_expire(struct npu_device *npu, u32 cores);
void npu_hold_debugfs_init(struct npu_device *npu);

#endif /* NPU_HOLD_H */
