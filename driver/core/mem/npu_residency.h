/* SPDX-License-Identifier: GPL-2.0-only */
/* Where buffers are: in system memory or on the chip. */
#ifndef NPU_RESIDENCY_H
#define NPU_RESIDENCY_H

#include <linux/container_of.h>
#include <linux/mm_types.h>

#include "npu_mover.h"
#include "npu_sram.h"

struct dmem_cgroup_pool_state;
struct drm_npu_query_buffer;
struct drm_npu_query_region;
struct npu_bo;
struct npu_device;
struct npu_mapping;
struct npu_vm;

/**
 * struct npu_residency - where a buffer is
 *
 * Protected by npu_mem.sram_lock, but for @inside and @move.
 */
struct npu_residency {
	/** @block: Its pages on the chip. */
	struct npu_sram_block block;
	/**
	 * @sram: The region that was asked for last, or %NULL. Changes only while
	 * the buffer is not wanted and has no pages there.
	 */
	struct npu_sram *sram;
	/** @mapping: Its mapping, as long as anything is asked for. */
	struct npu_mapping *mapping;
	/** @charge: The control group charged for it while it is wanted, or %NULL. */
	struct dmem_cgroup_pool_state *charge;
	/** @inside: It is there; also protected by its reservation lock. */
	bool inside;
	/** @slept: It goes back to its place on the chip when the system wakes. */
	bool slept;
	/** @move: Has the mover of its file move it. */
	struct npu_move move;
};

static inline struct npu_residency *
npu_block_residency(struct npu_sram_block *block)
{
	return container_of(block, struct npu_residency, block);
}

extern const struct vm_operations_struct npu_gem_vm_ops;
void npu_fault_debugfs_init(struct npu_device *npu);

int npu_residency_init(struct npu_device *npu);
void npu_residency_fini(struct npu_device *npu);
void npu_residency_unplug(struct npu_device *npu);
void npu_residency_suspend(struct npu_device *npu);
void npu_residency_resume(struct npu_device *npu);

int npu_residency_run(struct npu_move *move, bool out);
void npu_residency_fill(struct work_struct *work);
void npu_residency_refill(struct npu_device *npu);
void npu_residency_leave(struct npu_bo *bo);

void npu_residency_refresh(struct npu_sram *sram);
int npu_residency_want(struct npu_bo *bo, enum drm_npu_residency want,
		       u32 priority, bool privileged);
void npu_residency_prepare(struct npu_residency *residency);
int npu_residency_share(struct npu_bo *bo);
void npu_residency_end(struct npu_mapping *mapping);
int npu_residency_ask(struct npu_bo *bo, struct npu_mapping *mapping,
		      u32 region, enum drm_npu_residency want, u32 priority);
void npu_residency_query(struct npu_bo *bo, struct drm_npu_query_buffer *info);
void npu_residency_query_region(struct npu_device *npu, struct npu_vm *vm,
				u32 region,
				struct drm_npu_query_region *record);

#endif /* NPU_RESIDENCY_H */
