// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer becomes shared. Jobs that were submitted before have left no fence with
 * it, so the fence of the newest job of each context that uses it is added now.
 * Later submits find that a buffer has become shared and look for it.
 */
#include <linux/dma-resv.h>
#include <linux/slab.h>

#include "../include/npu_device.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_vm.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_share.h"
#include "npu_submit.h"

/*
 * Leave the fence of the newest job of @ctx with the buffer, if a job uses it:
 * that job itself may have no fence any more.
 */
static int npu_share_fence(struct dma_resv *resv, struct npu_context *ctx,
			   const struct npu_mapping *mapping)
{
	bool writes = npu_queue_last_use(ctx, mapping, true);
	struct npu_submit *submit;
	struct dma_fence *fence;
	int ret;

	if (!writes && !npu_queue_last_use(ctx, mapping, false))
		return 0;
	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;
	submit = npu_submit_alloc(ctx, 0);
	if (!submit)
		return -ENOMEM;
	fence = npu_queue_tail(ctx, submit);
	if (fence != &submit->fence)
		npu_submit_free(submit);
	if (fence)
		dma_resv_add_fence(resv, fence, writes ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	dma_fence_put(fence);
	return 0;
}

/**
 * npu_share_bo() - a buffer is exported
 * @bo: the buffer, whose lock is held
 *
 * Return: 0 or -ENOMEM.
 */
int npu_share_bo(struct npu_bo *bo)
{
	struct dma_resv *resv = bo->base.base.resv;
	struct npu_mapping *mapping;
	struct npu_context *ctx;
	int ret;

	lockdep_assert_held(&bo->lock);
	if (bo->shared)
		return 0;
	/* The handle has just been closed, and with it the way to find jobs. */
	if (list_empty(&bo->mappings))
		return -ENOENT;
	WRITE_ONCE(bo->shared, true);

	/* Only one file can have it: that which exports it. */
	list_for_each_entry(mapping, &bo->mappings, link) {
		npu_mapping_note_shared(mapping, true);
		ctx = npu_context_next(mapping->vm->client, NULL);
		while (ctx) {
			dma_resv_lock(resv, NULL);
			ret = npu_share_fence(resv, ctx, mapping);
			dma_resv_unlock(resv);
			if (ret) {
				npu_context_put(ctx);
				goto err_not_shared;
			}
			ctx = npu_context_next(mapping->vm->client, ctx);
		}
	}
	return 0;

err_not_shared:
	npu_mapping_note_shared(mapping, false);
	WRITE_ONCE(bo->shared, false);
	return ret;
}
