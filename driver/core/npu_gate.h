/* SPDX-License-Identifier: GPL-2.0-only */
/* Hold back the ends of lanes, for tests. */
#ifndef NPU_GATE_H
#define NPU_GATE_H

#include <linux/types.h>

struct npu_core;
struct npu_device;

/**
 * struct npu_gate - cores whose lanes do not end
 *
 * Protected by npu_device.sched_lock.
 */
struct npu_gate {
	/** @cores: The cores, one bit each. */
	u32 cores;
	/** @taken: A file is open that controls the gate. */
	bool taken;
};

bool npu_gate_closed(const struct npu_core *core);
bool npu_gate_holds(struct npu_core *core);
int npu_gate_take(struct npu_device *npu);
void npu_gate_release(struct npu_device *npu);
void npu_gate_set(struct npu_device *npu, u32 cores, u32 pass);
void npu_gate_expire(struct npu_device *npu, u32 cores);
void npu_gate_debugfs_init(struct npu_device *npu);

#endif /* NPU_GATE_H */
