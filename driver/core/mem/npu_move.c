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
 * Movers (npu_mover.c) wait for slices without any lock. Clients wait for movers
 * with npu_bo.lock only.
 */
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>

#include <drm/drm_gem.h>
#include <drm/drm_vma_manager.h>

#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_sync.h"
#include "npu_trace_move.h"
#include "npu_vm.h"

/* Blocks that are looked at before others may have the lock. */
#define NPU_RESIDENCY_BATCH	16
/* How often to look which files are active while something is outside. */
#define NPU_RESIDENCY_PERIOD	HZ

static struct npu_bo *npu_residency_bo(struct npu_residency *residency)
{
	return container_of(residency, struct npu_bo, residency);
}

/**
 * npu_residency_refill() - look for blocks that fit now
 * @npu: the device
 */
void npu_residency_refill(struct npu_device *npu)
{
	mod_delayed_work(npu->mem->queue, &npu->mem->sram_work, 0);
}

/* Copy the pages to the chip, or back. */
static void npu_residency_copy(struct npu_bo *bo, bool in)
{
	struct npu_device *npu = npu_bo_device(bo);
	const struct npu_sram_block *block = &bo->residency.block;
	u32 index = bo->residency.sram->index;
	struct sg_table *sgt = bo->base.sgt;
	u32 i;

	npu_sync_before_copy(bo);
	for (i = 0; i < block->count; i++) {
		void *chip = npu->desc.sram[index].vaddr +
			     ((size_t)block->pages[i] << PAGE_SHIFT);
		void *page = kmap_local_page(bo->base.pages[i]);

		memcpy(in ? chip : page, in ? page : chip, PAGE_SIZE);
		kunmap_local(page);
		cond_resched();
	}
	dma_sync_sgtable_for_device(npu->drm.dev, sgt, DMA_BIDIRECTIONAL);
}

/* Move @bo, which no job uses just now. */
static void npu_residency_move(struct npu_bo *bo, bool in)
{
	struct npu_residency *residency = &bo->residency;
	struct drm_gem_object *obj = &bo->base.base;
	struct npu_sram *sram = residency->sram;
	u64 started_ns = ktime_get_ns();

	lockdep_assert_held(sram->lock);
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
	trace_npu_move(obj, in, started_ns, ktime_get_ns());
}

/**
 * npu_residency_leave() - take a buffer's place on the chip
 * @bo: the buffer, which no slice uses; without a place it stays as it is
 */
void npu_residency_leave(struct npu_bo *bo)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_device *npu = npu_bo_device(bo);

	lockdep_assert_held(&npu->mem->sram_lock);
	if (!residency->block.placed)
		return;
	if (residency->inside)
		npu_residency_move(bo, false);
	residency->slept = false;
	npu_sram_remove(residency->sram, &residency->block);
	/* Not at once: the block that needed the pages takes them first. */
	npu_residency_refill(npu);
}

/* Have @victim leave for another. The lock is dropped meanwhile. */
static int npu_residency_evict(struct npu_device *npu,
			       struct npu_sram_block *victim, const bool *cancelled)
{
	struct npu_residency *residency = npu_block_residency(victim);
	struct npu_bo *bo = npu_residency_bo(residency);
	struct npu_vm *vm = npu_vm_get(residency->mapping->vm);
	int ret;

	lockdep_assert_held(&npu->mem->sram_lock);
	drm_gem_object_get(&bo->base.base);
	mutex_unlock(&npu->mem->sram_lock);

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, cancelled);
	mutex_lock(&npu->mem->sram_lock);
	if (!ret && victim->placed && victim->want == DRM_NPU_RESIDENCY_PREFER) {
		npu_residency_leave(bo);
		residency->sram->evictions++;
	}
	mutex_unlock(&npu->mem->sram_lock);
	npu_gate_open(&vm->gate);

	drm_gem_object_put(&bo->base.base);
	npu_vm_put(vm);
	mutex_lock(&npu->mem->sram_lock);
	return ret;
}

/* Find a place for @bo, which others may have to leave. */
static int npu_residency_place(struct npu_bo *bo, const bool *cancelled)
{
	struct npu_sram_block *block = &bo->residency.block, *victim;
	struct npu_sram *sram = bo->residency.sram;
	int ret = 0;

	lockdep_assert_held(sram->lock);
	while (!ret && !block->placed) {
		npu_residency_refresh(sram);
		victim = block->want == DRM_NPU_RESIDENCY_NONE ?
			 ERR_PTR(-ECANCELED) : npu_sram_victim(sram, block);
		if (IS_ERR(victim)) {
			ret = PTR_ERR(victim);
		} else if (victim) {
			npu_sram_claim(sram, block, true);
			ret = npu_residency_evict(npu_bo_device(bo), victim,
						  cancelled);
		} else {
			npu_sram_place(sram, block);
		}
	}
	if (block->claims)
		npu_residency_refill(npu_bo_device(bo));
	npu_sram_claim(sram, block, false);
	return ret;
}

/*
 * Have @bo move in: between slices of @vm, its file. After an error it may have a
 * place without being there.
 */
static int npu_residency_enter(struct npu_bo *bo, struct npu_vm *vm,
			       const bool *cancelled)
{
	struct npu_residency *residency = &bo->residency;
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	bool inside;
	int ret;

	mutex_lock(&mem->sram_lock);
	ret = npu_residency_place(bo, cancelled);
	inside = residency->inside;
	mutex_unlock(&mem->sram_lock);
	if (ret || inside)
		return ret;

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, cancelled);
	mutex_lock(&mem->sram_lock);
	/* It may have had to leave before it was in. */
	if (!ret && !residency->block.placed)
		ret = -EAGAIN;
	if (!ret && !residency->inside) {
		if (mem->sram_asleep)
			residency->slept = true;
		else
			npu_residency_move(bo, true);
	}
	mutex_unlock(&mem->sram_lock);
	npu_gate_open(&vm->gate);
	return ret;
}

/* Nothing is asked for @bo any more; it leaves between slices of @vm. */
static int npu_residency_retreat(struct npu_bo *bo, struct npu_vm *vm,
				 const bool *cancelled)
{
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	int ret;

	npu_gate_close(&vm->gate);
	ret = npu_gate_wait(&vm->gate, cancelled);
	mutex_lock(&mem->sram_lock);
	if (!ret) {
		npu_residency_want(bo, DRM_NPU_RESIDENCY_NONE, 0, false);
		npu_residency_leave(bo);
	}
	mutex_unlock(&mem->sram_lock);
	npu_gate_open(&vm->gate);
	return ret;
}

/**
 * npu_residency_run() - &npu_mover.run
 * @move: the move
 * @out: whether it goes to system memory, to stay
 *
 * Return: 0 or a negative errno.
 */
int npu_residency_run(struct npu_move *move, bool out)
{
	struct npu_residency *residency = container_of(move, struct npu_residency,
						       move);
	struct npu_bo *bo = npu_residency_bo(residency);
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	struct npu_mapping *mapping;
	int ret;

	mutex_lock(&mem->sram_lock);
	/* npu_residency_end() waits for the mover before it goes on. */
	mapping = residency->mapping;
	mutex_unlock(&mem->sram_lock);
	if (!mapping)
		return -ECANCELED;
	if (out)
		return npu_residency_retreat(bo, mapping->vm, &move->cancelled);
	do {
		ret = npu_residency_enter(bo, mapping->vm, &move->cancelled);
	} while (ret == -EAGAIN);
	return ret;
}

/* Have the mover of @block's file move it in. */
static void npu_residency_post(struct npu_sram_block *block)
{
	struct npu_residency *residency = npu_block_residency(block);

	npu_mover_post(&residency->mapping->vm->mover, &residency->move);
}

/* Place blocks that fit, some at a time. Returns whether there may be more. */
static bool npu_residency_fill_free(struct npu_sram *sram)
{
	struct npu_sram_block *block;
	unsigned int i;

	lockdep_assert_held(sram->lock);
	for (i = 0; i < NPU_RESIDENCY_BATCH; i++) {
		block = npu_sram_next(sram);
		if (!block)
			return false;
		npu_sram_place(sram, block);
		npu_residency_post(block);
	}
	return true;
}

/*
 * Have blocks that may evict others try to: all that are outside, once for each
 * time that a client has given something up, some at a time. Returns whether there
 * may be more.
 */
static bool npu_residency_fill_others(struct npu_sram *sram)
{
	struct npu_sram_block *block;
	unsigned int i;

	lockdep_assert_held(sram->lock);
	if (sram->again)
		sram->scan++;
	sram->again = false;
	for (i = 0; i < NPU_RESIDENCY_BATCH; i++) {
		block = list_first_entry_or_null(&sram->outside,
						 struct npu_sram_block, link);
		if (!block || block->scanned == sram->scan)
			return false;
		block->scanned = sram->scan;
		list_move_tail(&block->link, &sram->outside);
		if (!IS_ERR(npu_sram_victim(sram, block)))
			npu_residency_post(block);
	}
	return true;
}

/**
 * npu_residency_fill() - give blocks that fit their places; &npu_mem.sram_work
 * @work: the work
 *
 * The lock is never held for long, however many blocks are outside.
 */
void npu_residency_fill(struct work_struct *work)
{
	struct npu_mem *mem = container_of(work, struct npu_mem, sram_work.work);
	bool more, wanting = false;
	u32 i;

	for (i = 0; i < mem->sram_count; i++) {
		struct npu_sram *sram = &mem->sram[i];

		do {
			mutex_lock(&mem->sram_lock);
			npu_residency_refresh(sram);
			more = npu_residency_fill_free(sram) ||
			       npu_residency_fill_others(sram);
			wanting |= !more && !list_empty(&sram->outside);
			mutex_unlock(&mem->sram_lock);
			cond_resched();
		} while (more);
	}
	/* Files become active and idle without a call. */
	if (wanting)
		queue_delayed_work(mem->queue, &mem->sram_work,
				   NPU_RESIDENCY_PERIOD);
}

/**
 * npu_residency_unplug() - the chip goes away
 * @npu: the device, which starts nothing any more
 *
 * Contents stay visible to clients.
 */
void npu_residency_unplug(struct npu_device *npu)
{
	struct npu_sram_block *block, *next;
	struct npu_mem *mem = npu->mem;
	u32 i;

	mutex_lock(&mem->sram_lock);
	for (i = 0; i < mem->sram_count; i++) {
		/* Nothing fits any more. */
		mem->sram[i].count = 0;
		list_for_each_entry_safe(block, next, &mem->sram[i].inside, link)
			npu_residency_leave(npu_residency_bo(npu_block_residency(block)));
	}
	mutex_unlock(&mem->sram_lock);
}

/* Buffers in @sram keep their pages there, and are in system memory meanwhile. */
static void npu_residency_suspend_sram(struct npu_sram *sram)
{
	struct npu_sram_block *block;

	list_for_each_entry(block, &sram->inside, link) {
		struct npu_residency *residency = npu_block_residency(block);

		/* A placed buffer that is not inside has yet to move in. */
		if (!residency->inside)
			continue;
		npu_residency_move(npu_residency_bo(residency), false);
		residency->slept = true;
	}
}

/**
 * npu_residency_suspend() - the chip goes to sleep, with all that is on it
 * @npu: the device, whose cores are idle and start nothing
 *
 * Deep sleep is assumed to cut the power of on-chip memory.
 */
void npu_residency_suspend(struct npu_device *npu)
{
	struct npu_mem *mem = npu->mem;
	u32 i;

	mutex_lock(&mem->sram_lock);
	mem->sram_asleep = true;
	for (i = 0; i < mem->sram_count; i++)
		npu_residency_suspend_sram(&mem->sram[i]);
	mutex_unlock(&mem->sram_lock);
}

static void npu_residency_resume_sram(struct npu_sram *sram)
{
	struct npu_sram_block *block;

	list_for_each_entry(block, &sram->inside, link) {
		struct npu_residency *residency = npu_block_residency(block);

		if (residency->slept)
			npu_residency_move(npu_residency_bo(residency), true);
		residency->slept = false;
	}
}

/**
 * npu_residency_resume() - the chip is awake again
 * @npu: the device, which starts nothing yet
 */
void npu_residency_resume(struct npu_device *npu)
{
	struct npu_mem *mem = npu->mem;
	u32 i;

	mutex_lock(&mem->sram_lock);
	mem->sram_asleep = false;
	for (i = 0; i < mem->sram_count; i++)
		npu_residency_resume_sram(&mem->sram[i]);
	mutex_unlock(&mem->sram_lock);
}
