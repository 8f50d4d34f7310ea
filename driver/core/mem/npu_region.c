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
	const struct npu_residency *residency = &bo->residency;
	struct npu_mem *mem = npu_bo_device(bo)->mem;

	mutex_lock(&mem->sram_lock);
	info->region = residency->inside ? npu_sram_region(residency->sram) : 0;
	info->asked_region = residency->block.want == DRM_NPU_RESIDENCY_NONE ?
			     0 : npu_sram_region(residency->sram);
	info->residency = residency->block.want;
	info->priority = residency->block.priority;
	mutex_unlock(&mem->sram_lock);
}

/**
 * npu_residency_query_region() - report usage of on-chip memory
 * @npu: the device
 * @vm: address space of the file that asks
 * @region: index of a region on the chip
 * @record: receives it
 */
void npu_residency_query_region(struct npu_device *npu, struct npu_vm *vm,
				u32 region,
				struct drm_npu_query_region *record)
{
	struct npu_sram *sram = &npu->mem->sram[region - NPU_REGION_CHIP];
	const struct npu_sram_user *user = &vm->sram[sram->index];

	mutex_lock(sram->lock);
	npu_residency_refresh(sram);
	record->kind = DRM_NPU_REGION_SRAM;
	record->flags = DRM_NPU_REGION_RESIDENCY;
	record->size = (u64)sram->count << PAGE_SHIFT;
	record->used = (u64)sram->used << PAGE_SHIFT;
	record->file_used = (u64)user->used << PAGE_SHIFT;
	record->bandwidth = npu->desc.sram[sram->index].bandwidth;
	record->largest_hole = (u64)npu_sram_largest_hole(sram) << PAGE_SHIFT;
	record->pinned = (u64)sram->pinned << PAGE_SHIFT;
	record->file_pinned = (u64)user->pinned << PAGE_SHIFT;
	record->pin_limit = (u64)sram->file_limit << PAGE_SHIFT;
	record->share = (u64)npu_sram_share(sram) << PAGE_SHIFT;
	record->evictions = sram->evictions;
	record->moves = sram->moves;
	record->moved_bytes = sram->moved << PAGE_SHIFT;
	mutex_unlock(sram->lock);
}
