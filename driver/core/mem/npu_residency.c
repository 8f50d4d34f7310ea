// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers move between system memory and the chip.
 *
 * A buffer has its pages of system memory for as long as it lives, so that it
 * can always leave. It moves while the gate of its address space is closed and no
 * slice runs, with its reservation locked, which page faults take: user mappings
 * are torn down, the contents copied, the device's page tables changed. A fault
 * then finds the buffer where it is.
 *
 * Control groups are charged when a residency is asked for, not when a buffer moves
 * in: only the caller can be charged, and moves happen without one.
 *
 * Only buffers of one file move. One that becomes shared goes to system memory
 * first, since other devices and their drivers have its addresses.
 *
 * Of the locks (npu_device.h) none but npu_bo.lock is held while slices are waited
 * for.
 */
#include <linux/capability.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_trace_move.h"
#include "npu_vm.h"

static unsigned int sram_file_pin_percent = 25;
module_param(sram_file_pin_percent, uint, 0444);
MODULE_PARM_DESC(sram_file_pin_percent, "How much of the on-chip memory a file may pin (default 25)");

static unsigned int sram_pin_percent = 50;
module_param(sram_pin_percent, uint, 0444);
MODULE_PARM_DESC(sram_pin_percent, "How much of the on-chip memory may be pinned in all (default 50)");

static struct npu_bo *npu_residency_bo(struct npu_residency *residency)
{
	return container_of(residency, struct npu_bo, residency);
}

static struct npu_residency *npu_block_residency(struct npu_sram_block *block)
{
	return container_of(block, struct npu_residency, block);
}

static struct npu_device *npu_bo_device(struct npu_bo *bo)
{
	return to_npu_device(bo->base.base.dev);
}

/* Charge the control group of the caller, unless that is its limit: -EAGAIN. */
static int npu_residency_charge(struct npu_bo *bo)
{
	struct npu_device *npu = npu_bo_device(bo);

	if (!npu->mem->sram_group)
		return 0;
	return dmem_cgroup_try_charge(npu->mem->sram_group, bo->base.base.size,
				      &bo->residency.charge, NULL);
}

static void npu_residency_uncharge(struct npu_bo *bo)
{
	dmem_cgroup_uncharge(bo->residency.charge, bo->base.base.size);
	bo->residency.charge = NULL;
}

/* npu_sram_ask(), and the control group has its say. */
static int npu_residency_want(struct npu_bo *bo, enum drm_npu_residency want,
			      u32 priority, bool privileged)
{
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	struct npu_sram_block *block = &bo->residency.block;
	int ret = 0;

	lockdep_assert_held(&sram->lock);
	if (block->want == DRM_NPU_RESIDENCY_NONE &&
	    want != DRM_NPU_RESIDENCY_NONE)
		ret = npu_residency_charge(bo);
	if (ret)
		return ret;
	ret = npu_sram_ask(sram, block, want, priority, privileged);
	if (block->want == DRM_NPU_RESIDENCY_NONE)
		npu_residency_uncharge(bo);
	if (sram->again)
		queue_work(system_dfl_wq, &npu_bo_device(bo)->mem->sram_work);
	return ret;
}

/* Copy the pages to the chip, or back. */
static void npu_residency_copy(struct npu_bo *bo, bool in)
{
	struct npu_device *npu = npu_bo_device(bo);
	const struct npu_sram_block *block = &bo->residency.block;
	struct sg_table *sgt = bo->base.sgt;
	u32 i;

	dma_sync_sgtable_for_cpu(npu->drm.dev, sgt, DMA_BIDIRECTIONAL);
	for (i = 0; i < block->count; i++) {
		void *chip = npu->desc.sram.vaddr +
			     ((size_t)block->pages[i] << PAGE_SHIFT);
		void *page = kmap_local_page(bo->base.pages[i]);

		memcpy(in ? chip : page, in ? page : chip, PAGE_SIZE);
		kunmap_local(page);
	}
	dma_sync_sgtable_for_device(npu->drm.dev, sgt, DMA_BIDIRECTIONAL);
}

/* Move @bo, which no job uses just now. */
static void npu_residency_move(struct npu_bo *bo, bool in)
{
	struct npu_residency *residency = &bo->residency;
	struct drm_gem_object *obj = &bo->base.base;
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;

	lockdep_assert_held(&sram->lock);
	dma_resv_lock(obj->resv, NULL);
	drm_vma_node_unmap(&obj->vma_node, obj->dev->anon_inode->i_mapping);
	npu_residency_copy(bo, in);
	residency->inside = in;
	if (residency->mapping)
		npu_mapping_move(residency->mapping,
				 in ? residency->block.pages : NULL);
	dma_resv_unlock(obj->resv);

	sram->moves++;
	sram->moved += residency->block.count;
	trace_npu_move(obj, in);
}

/* Take @bo's place on the chip. */
static void npu_residency_leave(struct npu_bo *bo)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_device *npu = npu_bo_device(bo);

	lockdep_assert_held(&npu->mem->sram.lock);
	if (!residency->block.placed)
		return;
	if (residency->inside)
		npu_residency_move(bo, false);
	residency->slept = false;
	npu_sram_remove(&npu->mem->sram, &residency->block);
	/* Not at once: the block that needed the pages takes them first. */
	queue_work(system_dfl_wq, &npu->mem->sram_work);
}

/* Have @victim leave for another. The lock is dropped meanwhile. */
static int npu_residency_evict(struct npu_device *npu,
			       struct npu_sram_block *victim, const bool *cancelled)
{
	struct npu_residency *residency = npu_block_residency(victim);
	struct npu_bo *bo = npu_residency_bo(residency);
	struct npu_vm *vm = npu_vm_get(residency->mapping->vm);
	int ret;

	lockdep_assert_held(&npu->mem->sram.lock);
	drm_gem_object_get(&bo->base.base);
	mutex_unlock(&npu->mem->sram.lock);

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, cancelled);
	mutex_lock(&npu->mem->sram.lock);
	if (!ret && victim->placed && victim->want == DRM_NPU_RESIDENCY_PREFER) {
		npu_residency_leave(bo);
		npu->mem->sram.evictions++;
	}
	mutex_unlock(&npu->mem->sram.lock);
	npu_gate_open(&vm->gate);

	drm_gem_object_put(&bo->base.base);
	npu_vm_put(vm);
	mutex_lock(&npu->mem->sram.lock);
	return ret;
}

/* Find a place for @bo, which others may have to leave. */
static int npu_residency_place(struct npu_bo *bo, const bool *cancelled)
{
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	struct npu_sram_block *block = &bo->residency.block, *victim;
	int ret = 0;

	lockdep_assert_held(&sram->lock);
	while (!ret && !block->placed) {
		if (block->want == DRM_NPU_RESIDENCY_NONE)
			return -ECANCELED;
		victim = npu_sram_victim(sram, block);
		if (IS_ERR(victim))
			return PTR_ERR(victim);
		if (victim)
			ret = npu_residency_evict(npu_bo_device(bo), victim,
						  cancelled);
		else
			npu_sram_place(sram, block);
	}
	return ret;
}

/*
 * Have @bo move in: between slices of @vm, its file. After an error it may have a
 * place without being there. Signals end it or, where there are none, @cancelled.
 */
static int npu_residency_enter(struct npu_bo *bo, struct npu_vm *vm,
			       const bool *cancelled)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	bool inside;
	int ret;

	mutex_lock(&sram->lock);
	ret = npu_residency_place(bo, cancelled);
	inside = residency->inside;
	mutex_unlock(&sram->lock);
	if (ret || inside)
		return ret;

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, cancelled);
	mutex_lock(&sram->lock);
	/* It may have had to leave before it was in. */
	if (!ret && !residency->block.placed)
		ret = -EAGAIN;
	if (!ret && !residency->inside) {
		if (npu_bo_device(bo)->mem->sram_asleep)
			residency->slept = true;
		else
			npu_residency_move(bo, true);
	}
	mutex_unlock(&sram->lock);
	npu_gate_open(&vm->gate);
	return ret;
}

/* Move in one that prefers to be inside. */
static void npu_residency_work(struct work_struct *work)
{
	struct npu_residency *residency = container_of(work, struct npu_residency,
						       work);
	struct npu_bo *bo = npu_residency_bo(residency);
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	struct npu_mapping *mapping;

	mutex_lock(&sram->lock);
	/* npu_residency_end() waits for us before it goes on. */
	mapping = residency->mapping;
	mutex_unlock(&sram->lock);
	if (mapping)
		npu_residency_enter(bo, mapping->vm, &residency->cancelled);
}

/* There may be room: place blocks that fit, and let the others try to evict. */
static void npu_residency_fill(struct work_struct *work)
{
	struct npu_mem *mem = container_of(work, struct npu_mem, sram_work);
	struct npu_sram_block *block;

	mutex_lock(&mem->sram.lock);
	for (;;) {
		block = npu_sram_next(&mem->sram);
		if (!block)
			break;
		npu_sram_place(&mem->sram, block);
		queue_work(system_dfl_wq, &npu_block_residency(block)->work);
	}
	/* Once for each time that a client has given something up. */
	if (mem->sram.again)
		list_for_each_entry(block, &mem->sram.outside, link)
			if (!IS_ERR(npu_sram_victim(&mem->sram, block)))
				queue_work(system_dfl_wq,
					   &npu_block_residency(block)->work);
	mem->sram.again = false;
	mutex_unlock(&mem->sram.lock);
}

/**
 * npu_residency_init() - prepare the on-chip memory
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_residency_init(struct npu_device *npu)
{
	u64 pages = npu->desc.sram.size >> PAGE_SHIFT;

	INIT_WORK(&npu->mem->sram_work, npu_residency_fill);
	npu->mem->sram_group = npu_cgroup_register_region(&npu->drm, "sram",
							  pages << PAGE_SHIFT);
	if (IS_ERR(npu->mem->sram_group))
		return PTR_ERR(npu->mem->sram_group);
	if (npu_sram_init(&npu->mem->sram, min_t(u64, pages, S32_MAX)))
		return -ENOMEM;
	npu_sram_limit(&npu->mem->sram, sram_file_pin_percent,
		       sram_pin_percent);
	return 0;
}

/**
 * npu_residency_fini() - undo npu_residency_init()
 * @npu: the device, which has no buffers any more
 */
void npu_residency_fini(struct npu_device *npu)
{
	cancel_work_sync(&npu->mem->sram_work);
	npu_sram_fini(&npu->mem->sram);
}

/**
 * npu_residency_unplug() - the chip goes away
 * @npu: the device, which starts nothing any more
 *
 * Contents stay visible to clients.
 */
void npu_residency_unplug(struct npu_device *npu)
{
	struct npu_sram *sram = &npu->mem->sram;
	struct npu_sram_block *block, *next;

	mutex_lock(&sram->lock);
	/* Nothing fits any more. */
	sram->count = 0;
	list_for_each_entry_safe(block, next, &sram->inside, link)
		npu_residency_leave(npu_residency_bo(npu_block_residency(block)));
	mutex_unlock(&sram->lock);
}

/**
 * npu_residency_suspend() - the chip goes to sleep, with all that is on it
 * @npu: the device, whose cores are idle and start nothing
 *
 * Buffers on the chip keep their pages there, and are in system memory meanwhile:
 * deep sleep is assumed to cut the power of on-chip memory.
 */
void npu_residency_suspend(struct npu_device *npu)
{
	struct npu_sram *sram = &npu->mem->sram;
	struct npu_sram_block *block;

	mutex_lock(&sram->lock);
	npu->mem->sram_asleep = true;
	list_for_each_entry(block, &sram->inside, link) {
		struct npu_residency *residency = npu_block_residency(block);

		/* A placed buffer that is not inside has yet to move in. */
		if (!residency->inside)
			continue;
		npu_residency_move(npu_residency_bo(residency), false);
		residency->slept = true;
	}
	mutex_unlock(&sram->lock);
}

/**
 * npu_residency_resume() - the chip is awake again
 * @npu: the device, which starts nothing yet
 */
void npu_residency_resume(struct npu_device *npu)
{
	struct npu_sram *sram = &npu->mem->sram;
	struct npu_sram_block *block;

	mutex_lock(&sram->lock);
	npu->mem->sram_asleep = false;
	list_for_each_entry(block, &sram->inside, link) {
		struct npu_residency *residency = npu_block_residency(block);

		if (residency->slept)
			npu_residency_move(npu_residency_bo(residency), true);
		residency->slept = false;
	}
	mutex_unlock(&sram->lock);
}

/**
 * npu_residency_prepare() - a new buffer, for which nothing is asked
 * @residency: its residency
 */
void npu_residency_prepare(struct npu_residency *residency)
{
	INIT_LIST_HEAD(&residency->block.link);
	INIT_WORK(&residency->work, npu_residency_work);
}

/* Nothing is asked for @bo any more; it leaves between slices of @vm. */
static int npu_residency_retreat(struct npu_bo *bo, struct npu_vm *vm,
				 u32 priority)
{
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	int ret;

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, NULL);
	mutex_lock(&sram->lock);
	if (!ret) {
		npu_residency_want(bo, DRM_NPU_RESIDENCY_NONE, priority, false);
		npu_residency_leave(bo);
	}
	mutex_unlock(&sram->lock);
	npu_gate_open(&vm->gate);
	return ret;
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
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	struct npu_vm *vm = NULL;
	int ret = 0;

	lockdep_assert_held(&bo->lock);
	mutex_lock(&sram->lock);
	if (residency->block.want == DRM_NPU_RESIDENCY_PIN)
		ret = -EBUSY;
	else if (residency->mapping)
		vm = npu_vm_get(residency->mapping->vm);
	mutex_unlock(&sram->lock);
	if (vm) {
		ret = npu_residency_retreat(bo, vm, 0);
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
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;

	mutex_lock(&sram->lock);
	if (residency->mapping != mapping) {
		mutex_unlock(&sram->lock);
		return;
	}
	residency->mapping = NULL;
	npu_residency_want(bo, DRM_NPU_RESIDENCY_NONE, 0, false);
	/* User mappings may outlive the handle. */
	npu_residency_leave(bo);
	mutex_unlock(&sram->lock);

	/* It may be waiting for slices of others. */
	WRITE_ONCE(residency->cancelled, true);
	wake_up_all(&npu_bo_device(bo)->mem->still);
	cancel_work_sync(&residency->work);
	residency->cancelled = false;
	kvfree(residency->block.pages);
	residency->block.pages = NULL;
}

/* Make @bo known to the region, unless it is. */
static int npu_residency_begin(struct npu_bo *bo, struct npu_mapping *mapping)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	u64 count = bo->base.base.size >> PAGE_SHIFT;
	u32 *pages;

	lockdep_assert_held(&bo->lock);
	if (residency->mapping)
		return 0;
	if (count > sram->count)
		return -ENOSPC;
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	mutex_lock(&sram->lock);
	residency->block.user = &mapping->vm->sram;
	residency->block.count = count;
	residency->block.pages = pages;
	residency->mapping = mapping;
	mutex_unlock(&sram->lock);
	return 0;
}

/* Ask for @bo to be inside, and see to it. */
static int npu_residency_advance(struct npu_bo *bo, struct npu_vm *vm,
				 enum drm_npu_residency want, u32 priority)
{
	struct npu_sram *sram = &npu_bo_device(bo)->mem->sram;
	struct npu_sram_block *block = &bo->residency.block, before;
	bool privileged = capable(CAP_SYS_RESOURCE);
	int ret;

	mutex_lock(&sram->lock);
	before = *block;
	ret = npu_residency_want(bo, want, priority, privileged);
	mutex_unlock(&sram->lock);
	/* Its control group may have no more: it stays where it is. */
	if (ret == -EAGAIN)
		return want == DRM_NPU_RESIDENCY_PREFER ? 0 : -ENOSPC;
	if (ret)
		return ret;
	if (want == DRM_NPU_RESIDENCY_PREFER) {
		queue_work(system_dfl_wq, &bo->residency.work);
		return 0;
	}
	do {
		ret = npu_residency_enter(bo, vm, NULL);
	} while (ret == -EAGAIN);
	if (ret) {
		mutex_lock(&sram->lock);
		npu_residency_want(bo, before.want, before.priority, true);
		block->asked = before.asked;
		if (!bo->residency.inside)
			npu_residency_leave(bo);
		mutex_unlock(&sram->lock);
	}
	return ret;
}

/**
 * npu_residency_ask() - say where a buffer is to be
 * @bo: the buffer
 * @mapping: its mapping, which the caller has a reference of
 * @want: where
 * @priority: its priority
 *
 * Return: 0 or a negative errno, with all as it was.
 */
int npu_residency_ask(struct npu_bo *bo, struct npu_mapping *mapping,
		      enum drm_npu_residency want, u32 priority)
{
	int ret;

	ret = mutex_lock_interruptible(&bo->lock);
	if (ret)
		return ret;
	if (bo->shared)
		ret = -EBUSY;
	else if (want == DRM_NPU_RESIDENCY_NONE && !bo->residency.mapping)
		ret = 0;
	else
		ret = npu_residency_begin(bo, mapping);
	if (!ret && bo->residency.mapping)
		ret = want == DRM_NPU_RESIDENCY_NONE ?
		      npu_residency_retreat(bo, mapping->vm, priority) :
		      npu_residency_advance(bo, mapping->vm, want, priority);
	mutex_unlock(&bo->lock);
	return ret;
}

