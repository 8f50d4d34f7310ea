// SPDX-License-Identifier: GPL-2.0-only
/* What QUERY reports of on-chip memory. */
#include <drm/drm_device.h>

#include "npu_bo.h"
#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_vm.h"

/**
 * npu_residency_query() - report where a buffer is
 * @bo: the buffer
 * @info: receives it
 */
void npu_residency_query(struct npu_bo *bo, struct drm_npu_query_buffer *info)
{
	struct npu_sram *sram = &to_npu_device(bo->base.base.dev)->mem->sram;

	mutex_lock(&sram->lock);
	info->region = bo->residency.inside ? NPU_REGION_CHIP : 0;
	info->asked_region = bo->residency.block.want == DRM_NPU_RESIDENCY_NONE ?
			     0 : NPU_REGION_CHIP;
	info->residency = bo->residency.block.want;
	info->priority = bo->residency.block.priority;
	mutex_unlock(&sram->lock);
}

/**
 * npu_residency_query_region() - report usage of on-chip memory
 * @npu: the device
 * @vm: address space of the file that asks
 * @record: receives it
 */
void npu_residency_query_region(struct npu_device *npu, struct npu_vm *vm,
				struct drm_npu_query_region *record)
{
	struct npu_sram *sram = &npu->mem->sram;

	mutex_lock(&sram->lock);
	npu_residency_refresh(npu);
	record->kind = DRM_NPU_REGION_SRAM;
	record->flags = DRM_NPU_REGION_RESIDENCY;
	record->size = (u64)sram->count << PAGE_SHIFT;
	record->used = (u64)sram->used << PAGE_SHIFT;
	record->file_used = (u64)vm->sram.used << PAGE_SHIFT;
	record->bandwidth = npu->desc.sram.bandwidth;
	record->largest_hole = (u64)npu_sram_largest_hole(sram) << PAGE_SHIFT;
	record->pinned = (u64)sram->pinned << PAGE_SHIFT;
	record->file_pinned = (u64)vm->sram.pinned << PAGE_SHIFT;
	record->pin_limit = (u64)sram->file_limit << PAGE_SHIFT;
	record->share = (u64)npu_sram_share(sram) << PAGE_SHIFT;
	record->evictions = sram->evictions;
	record->moves = sram->moves;
	record->moved_bytes = sram->moved << PAGE_SHIFT;
	mutex_unlock(&sram->lock);
}
