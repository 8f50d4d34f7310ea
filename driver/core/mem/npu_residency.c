// SPDX-License-Identifier: GPL-2.0-only
/*
 * Residency: what is asked for a buffer, and by whom.
 *
 * Only buffers of one file move. One that becomes shared goes to system memory
 * first, since other devices and their drivers have its addresses.
 */
#include <linux/capability.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>

#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_dmem.h"
#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_vm.h"

static unsigned int sram_file_pin_percent = 25;
module_param(sram_file_pin_percent, uint, 0444);
MODULE_PARM_DESC(sram_file_pin_percent, "How much of the on-chip memory a file may pin (default 25)");

static unsigned int sram_pin_percent = 50;
module_param(sram_pin_percent, uint, 0444);
MODULE_PARM_DESC(sram_pin_percent, "How much of the on-chip memory may be pinned in all (default 50)");

static unsigned int sram_idle_ms = 10000;
module_param(sram_idle_ms, uint, 0644);
MODULE_PARM_DESC(sram_idle_ms, "A file that has run nothing for so long has no share of the on-chip memory (default 10000)");

/**
 * npu_residency_refresh() - find out which files are active
 * @sram: the region whose users they are
 *
 * A file is active if one of its slices has run lately. One that asks for the first
 * time counts as active for as long, so that it need not run before its buffers are
 * in their places.
 */
void npu_residency_refresh(struct npu_sram *sram)
{
	u64 now = get_jiffies_64(), idle = msecs_to_jiffies(READ_ONCE(sram_idle_ms));
	u64 since = now > idle ? now - idle : 1;
	struct npu_sram_user *user;

	lockdep_assert_held(sram->lock);
	list_for_each_entry(user, &sram->wanting, link) {
		struct npu_vm *vm = container_of(user - sram->index,
						 struct npu_vm, sram[0]);

		npu_sram_activate(sram, user, user->since > since ||
				  npu_gate_used_since(&vm->gate, since));
	}
}

/**
 * npu_residency_want() - npu_sram_ask(), and the control group has its say
 * @bo: the buffer
 * @want: the residency
 * @priority: its priority
 * @privileged: limits do not count
 *
 * Return: 0, -ENOSPC, or -EAGAIN if the control group has no room.
 */
int npu_residency_want(struct npu_bo *bo, enum drm_npu_residency want,
		       u32 priority, bool privileged)
{
	struct npu_sram_block *block = &bo->residency.block;
	struct npu_sram *sram = bo->residency.sram;
	int ret = 0;

	lockdep_assert_held(sram->lock);
	if (block->want == DRM_NPU_RESIDENCY_NONE &&
	    want != DRM_NPU_RESIDENCY_NONE)
		ret = npu_dmem_charge(bo);
	if (ret)
		return ret;
	if (!block->user->since)
		block->user->since = get_jiffies_64();
	ret = npu_sram_ask(sram, block, want, priority, privileged);
	npu_residency_refresh(sram);
	if (block->want == DRM_NPU_RESIDENCY_NONE)
		npu_dmem_uncharge(bo);
	if (sram->again)
		npu_residency_refill(npu_bo_device(bo));
	return ret;
}

static int npu_residency_init_sram(struct npu_mem *mem, u32 index)
{
	u64 pages = mem->npu->desc.sram[index].size >> PAGE_SHIFT;
	struct npu_sram *sram = &mem->sram[index];
	int ret;

	ret = npu_sram_init(sram, &mem->sram_lock, index,
			    min_t(u64, pages, S32_MAX));
	if (ret)
		return ret;
	npu_sram_limit(sram, sram_file_pin_percent, sram_pin_percent);
	/* Last: from then on, control groups may reclaim. */
	ret = npu_dmem_init(mem, index);
	if (ret)
		npu_sram_fini(sram);
	return ret;
}

/**
 * npu_residency_init() - prepare the on-chip memory
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_residency_init(struct npu_device *npu)
{
	struct npu_mem *mem = npu->mem;
	int ret;

	INIT_DELAYED_WORK(&mem->sram_work, npu_residency_fill);
	while (mem->sram_count < NPU_MAX_SRAMS &&
	       npu->desc.sram[mem->sram_count].size >= PAGE_SIZE) {
		ret = npu_residency_init_sram(mem, mem->sram_count);
		if (ret) {
			npu_residency_fini(npu);
			return ret;
		}
		mem->sram_count++;
	}
	return 0;
}

/**
 * npu_residency_fini() - undo npu_residency_init()
 * @npu: the device, which has no buffers any more
 */
void npu_residency_fini(struct npu_device *npu)
{
	struct npu_mem *mem = npu->mem;
	u32 i;

	for (i = 0; i < mem->sram_count; i++)
		npu_dmem_fini(mem, i);
	cancel_delayed_work_sync(&mem->sram_work);
	for (i = 0; i < mem->sram_count; i++)
		npu_sram_fini(&mem->sram[i]);
}

/**
 * npu_residency_prepare() - a new buffer, for which nothing is asked
 * @residency: its residency
 */
void npu_residency_prepare(struct npu_residency *residency)
{
	INIT_LIST_HEAD(&residency->block.link);
	INIT_LIST_HEAD(&residency->move.link);
}

/**
 * npu_residency_share() - a buffer is about to be shared
 * @bo: the buffer, whose lock is held
 *
 * Return: 0 once it is in system memory to stay, -EBUSY if it is pinned, or
 * -ERESTARTSYS.
 */
int npu_residency_share(struct npu_bo *bo)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	struct npu_vm *vm = NULL;
	int ret = 0;

	lockdep_assert_held(&bo->lock);
	mutex_lock(&mem->sram_lock);
	if (residency->block.want == DRM_NPU_RESIDENCY_PIN)
		ret = -EBUSY;
	else if (residency->mapping)
		vm = npu_vm_get(residency->mapping->vm);
	mutex_unlock(&mem->sram_lock);
	if (vm) {
		ret = npu_mover_call(&vm->mover, &residency->move, true);
		npu_vm_put(vm);
	}
	return ret;
}

/**
 * npu_residency_end() - the last handle is closed and no job is left
 * @mapping: the mapping, which the device does not see any more
 */
void npu_residency_end(struct npu_mapping *mapping)
{
	struct npu_bo *bo = mapping->bo;
	struct npu_residency *residency = &bo->residency;
	struct npu_mem *mem = npu_bo_device(bo)->mem;

	mutex_lock(&mem->sram_lock);
	if (residency->mapping != mapping) {
		mutex_unlock(&mem->sram_lock);
		return;
	}
	residency->mapping = NULL;
	npu_residency_want(bo, DRM_NPU_RESIDENCY_NONE, 0, false);
	/* User mappings may outlive the handle. */
	npu_residency_leave(bo);
	mutex_unlock(&mem->sram_lock);

	/* The mover may be waiting for slices of other files. */
	npu_mover_cancel(&mapping->vm->mover, &residency->move);
	kvfree(residency->block.pages);
	residency->block.pages = NULL;
}

/*
 * Make @bo known to @sram, unless it is. Of another region it has to be given up
 * first.
 */
static int npu_residency_begin(struct npu_bo *bo, struct npu_mapping *mapping,
			       struct npu_sram *sram)
{
	struct npu_residency *residency = &bo->residency;
	u64 count = bo->base.base.size >> PAGE_SHIFT;
	u32 *pages = residency->block.pages;
	int ret = 0;

	lockdep_assert_held(&bo->lock);
	if (residency->mapping && residency->sram == sram)
		return 0;
	if (count > sram->count)
		return -ENOSPC;
	if (!pages)
		pages = kvmalloc_array(count, sizeof(*pages),
				       GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	mutex_lock(sram->lock);
	residency->block.pages = pages;
	if (residency->block.want != DRM_NPU_RESIDENCY_NONE ||
	    residency->block.placed) {
		ret = -EBUSY;
	} else {
		residency->block.user = &mapping->vm->sram[sram->index];
		residency->block.count = count;
		residency->mapping = mapping;
		residency->sram = sram;
	}
	mutex_unlock(sram->lock);
	return ret;
}

/* Ask for @bo to be inside, and see to it. */
static int npu_residency_advance(struct npu_bo *bo, struct npu_vm *vm,
				 enum drm_npu_residency want, u32 priority)
{
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	struct npu_sram_block *block = &bo->residency.block, before;
	bool privileged = capable(CAP_SYS_RESOURCE);
	int ret;

	mutex_lock(&mem->sram_lock);
	before = *block;
	ret = npu_residency_want(bo, want, priority, privileged);
	mutex_unlock(&mem->sram_lock);
	/* Its control group may have no more: it stays where it is. */
	if (ret == -EAGAIN)
		return want == DRM_NPU_RESIDENCY_PREFER ? 0 : -ENOSPC;
	if (ret)
		return ret;
	if (want == DRM_NPU_RESIDENCY_PREFER) {
		npu_mover_post(&vm->mover, &bo->residency.move);
		return 0;
	}
	ret = npu_mover_call(&vm->mover, &bo->residency.move, false);
	if (ret) {
		mutex_lock(&mem->sram_lock);
		npu_residency_want(bo, before.want, before.priority, true);
		block->asked = before.asked;
		if (!bo->residency.inside)
			npu_residency_leave(bo);
		mutex_unlock(&mem->sram_lock);
	}
	return ret;
}

/**
 * npu_residency_ask() - say where a buffer is to be
 * @bo: the buffer
 * @mapping: its mapping, which the caller has a reference of
 * @region: index of a region on the chip
 * @want: whether it is wanted there; if not, it leaves whatever region it is in
 * @priority: its priority
 *
 * Return: 0 or a negative errno, with all as it was.
 */
int npu_residency_ask(struct npu_bo *bo, struct npu_mapping *mapping,
		      u32 region, enum drm_npu_residency want, u32 priority)
{
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	int ret;

	ret = mutex_lock_interruptible(&bo->lock);
	if (ret)
		return ret;
	if (bo->shared) {
		ret = -EBUSY;
	} else if (want != DRM_NPU_RESIDENCY_NONE) {
		ret = npu_residency_begin(bo, mapping,
					  &mem->sram[region - NPU_REGION_CHIP]);
		if (!ret)
			ret = npu_residency_advance(bo, mapping->vm, want,
						    priority);
	} else if (bo->residency.mapping) {
		ret = npu_mover_call(&mapping->vm->mover, &bo->residency.move,
				     true);
	}
	mutex_unlock(&bo->lock);
	return ret;
}
