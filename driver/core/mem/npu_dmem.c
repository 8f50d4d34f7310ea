// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dmem control group limits how much on-chip memory its processes want.
 *
 * A control group is charged when a residency is asked for, not when a buffer moves
 * in: only the caller can be charged, and the mover of the file moves it. So a
 * group whose limit is lowered has to give up what it wants: buffers that it
 * prefers go to system memory, and are charged to it no more.
 */
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/lockdep.h>
#include <linux/sprintf.h>

#include <drm/drm_gem.h>

#include "../../compat.h"
#include "npu_bo.h"
#include "npu_dmem.h"
#include "npu_mem.h"
#include "npu_vm.h"

/* Is @block preferred, and charged to @pool or to a group below it? */
static bool npu_dmem_may_reclaim(struct dmem_cgroup_pool_state *pool,
				 struct npu_sram_block *block)
{
	struct dmem_cgroup_pool_state *charge = npu_block_residency(block)->charge;

	return block->want == DRM_NPU_RESIDENCY_PREFER && charge &&
	       dmem_cgroup_state_evict_valuable(pool, charge, true, NULL);
}

/* The block in @blocks with the lowest priority, of these that asked for first. */
static struct npu_sram_block *
npu_dmem_worst(struct list_head *blocks, struct dmem_cgroup_pool_state *pool)
{
	struct npu_sram_block *block, *worst = NULL;

	list_for_each_entry(block, blocks, link) {
		cond_resched();
		if (!npu_dmem_may_reclaim(pool, block))
			continue;
		if (!worst || block->priority < worst->priority ||
		    (block->priority == worst->priority &&
		     block->asked < worst->asked))
			worst = block;
	}
	return worst;
}

/*
 * Choose the buffer to reclaim: those that are not on the chip cost nothing.
 * Returns its mapping with a reference, %NULL if the buffer is on its way out
 * already, or ERR_PTR(-ENOSPC) if there is none.
 */
static struct npu_mapping *npu_dmem_choose(struct npu_sram *sram,
					   struct dmem_cgroup_pool_state *pool)
{
	struct npu_mapping *mapping = ERR_PTR(-ENOSPC);
	struct npu_sram_block *block;

	mutex_lock(sram->lock);
	block = npu_dmem_worst(&sram->outside, pool) ?:
		npu_dmem_worst(&sram->inside, pool);
	if (block) {
		mapping = npu_block_residency(block)->mapping;
		if (!kref_get_unless_zero(&mapping->ref))
			mapping = NULL;
	}
	mutex_unlock(sram->lock);
	return mapping;
}

/* Has the file of @bo not given it up meanwhile? The lock of @bo is held. */
static bool npu_dmem_still_may(struct npu_sram *sram, struct npu_bo *bo,
			       struct dmem_cgroup_pool_state *pool)
{
	bool may;

	lockdep_assert_held(&bo->lock);
	mutex_lock(sram->lock);
	may = bo->residency.sram == sram &&
	      npu_dmem_may_reclaim(pool, &bo->residency.block);
	mutex_unlock(sram->lock);
	return may;
}

/*
 * &dmem_cgroup_ops.reclaim: move one buffer to system memory, to stay, as if its file
 * had asked for it. Called until @pool is within its limit, which is exceeded by
 * @target_bytes, or until there is an error. Pinned buffers stay where they are.
 */
static int npu_dmem_reclaim(struct dmem_cgroup_pool_state *pool,
			    u64 target_bytes, void *priv)
{
	struct npu_sram *sram = priv;
	struct npu_mapping *mapping;
	struct npu_bo *bo;
	int ret;

	mapping = npu_dmem_choose(sram, pool);
	if (IS_ERR_OR_NULL(mapping))
		return PTR_ERR(mapping);
	bo = mapping->bo;
	ret = mutex_lock_interruptible(&bo->lock);
	if (!ret) {
		if (npu_dmem_still_may(sram, bo, pool))
			ret = npu_mover_call(&mapping->vm->mover,
					     &bo->residency.move, true);
		mutex_unlock(&bo->lock);
	}
	npu_mapping_put(mapping);
	return ret;
}

static const struct dmem_cgroup_ops npu_dmem_ops = {
	.reclaim = npu_dmem_reclaim,
};

/**
 * npu_dmem_init() - let control groups limit a region
 * @mem: the memory of the device
 * @index: number of the region among those on the chip
 *
 * Return: 0 or a negative errno.
 */
int npu_dmem_init(struct npu_mem *mem, u32 index)
{
	const struct dmem_cgroup_init init = {
		.size = mem->npu->desc.sram[index].size & PAGE_MASK,
		.ops = &npu_dmem_ops,
		.reclaim_priv = &mem->sram[index],
	};
	struct dmem_cgroup_region *group;
	char name[16] = "sram";

	if (index)
		snprintf(name, sizeof(name), "sram%u", index + 1);
	group = npu_cgroup_register_region(&mem->npu->drm, name, &init);
	if (IS_ERR(group))
		return PTR_ERR(group);
	mem->sram_group[index] = group;
	return 0;
}

/**
 * npu_dmem_fini() - undo npu_dmem_init(); waits for reclaim
 * @mem: the memory of the device, which has no buffers any more
 * @index: number of the region
 */
void npu_dmem_fini(struct npu_mem *mem, u32 index)
{
	dmem_cgroup_unregister_region(mem->sram_group[index]);
}

/**
 * npu_dmem_charge() - charge the control group of the caller for a buffer
 * @bo: the buffer, which is about to be wanted in its region
 *
 * Return: 0, -EAGAIN if the group has no room, or another negative errno.
 */
int npu_dmem_charge(struct npu_bo *bo)
{
	struct npu_mem *mem = npu_bo_device(bo)->mem;
	struct dmem_cgroup_region *group;

	lockdep_assert_held(&mem->sram_lock);
	group = mem->sram_group[bo->residency.sram->index];
	if (!group)
		return 0;
	return dmem_cgroup_try_charge(group, bo->base.base.size,
				      &bo->residency.charge, NULL);
}

/**
 * npu_dmem_uncharge() - undo npu_dmem_charge()
 * @bo: the buffer; does nothing if no group is charged for it
 */
void npu_dmem_uncharge(struct npu_bo *bo)
{
	lockdep_assert_held(&npu_bo_device(bo)->mem->sram_lock);
	dmem_cgroup_uncharge(bo->residency.charge, bo->base.base.size);
	bo->residency.charge = NULL;
}
