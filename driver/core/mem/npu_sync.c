// SPDX-License-Identifier: GPL-2.0-only
/*
 * Caches: buffers that the CPU sees cached, on a device that does not see the
 * caches.
 *
 * User space says which side uses a range next (BO_SYNC). Pages on the chip are
 * never cached, and buffers without %DRM_NPU_BO_CACHED are write-combined, so that
 * nothing is to be done for those.
 */
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/scatterlist.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <kunit/static_stub.h>

#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_sync.h"

/**
 * npu_sync_dma() - hand memory of one piece to the CPU or to a device
 * @dev: the device
 * @addr: DMA address
 * @size: bytes
 * @for_cpu: to the CPU, else to the device
 */
void npu_sync_dma(struct device *dev, dma_addr_t addr, size_t size, bool for_cpu)
{
	KUNIT_STATIC_STUB_REDIRECT(npu_sync_dma, dev, addr, size, for_cpu);
	if (for_cpu)
		dma_sync_single_for_cpu(dev, addr, size, DMA_BIDIRECTIONAL);
	else
		dma_sync_single_for_device(dev, addr, size, DMA_BIDIRECTIONAL);
}

/* Does the CPU see system memory of @bo through caches that the device does not? */
static bool npu_sync_needed(const struct npu_bo *bo)
{
	return npu_bo_device(bo)->desc.noncoherent && !bo->base.map_wc;
}

static void npu_sync_range(struct npu_bo *bo, u64 offset, u64 length, bool for_cpu)
{
	struct device *dev = bo->base.base.dev->dev;
	struct scatterlist *sg;
	unsigned int i;

	dma_resv_assert_held(bo->base.base.resv);
	for_each_sgtable_dma_sg(bo->base.sgt, sg, i) {
		u64 part = sg_dma_len(sg);

		if (!length)
			break;
		if (offset >= part) {
			offset -= part;
			continue;
		}
		part = min(part - offset, length);
		npu_sync_dma(dev, sg_dma_address(sg) + offset, part, for_cpu);
		length -= part;
		offset = 0;
		cond_resched();
	}
}

/**
 * npu_sync_bo() - hand a range of a buffer to the CPU or to the device
 * @bo: the buffer, which is mapped for the device
 * @offset: first byte
 * @length: bytes; the range lies in the buffer
 * @for_cpu: to the CPU, else to the device
 *
 * The buffer does not move meanwhile. Memory of another driver is left to that.
 *
 * Return: 0 or -ENODEV.
 */
int npu_sync_bo(struct npu_bo *bo, u64 offset, u64 length, bool for_cpu)
{
	struct drm_gem_object *obj = &bo->base.base;
	int idx;

	if (obj->import_attach || !npu_sync_needed(bo))
		return 0;
	/* The pages are mapped for the device that is there. */
	if (!drm_dev_enter(obj->dev, &idx))
		return -ENODEV;
	dma_resv_lock(obj->resv, NULL);
	if (!bo->residency.inside)
		npu_sync_range(bo, offset, length, for_cpu);
	dma_resv_unlock(obj->resv);
	drm_dev_exit(idx);
	return 0;
}

/**
 * npu_sync_before_copy() - have all that the CPU and the device wrote in memory
 * @bo: the buffer, whose reservation is locked and which no slice uses
 *
 * The CPU's copy of it is current then. A client that has not handed over what it
 * wrote does not lose it because the kernel moves the buffer.
 */
void npu_sync_before_copy(struct npu_bo *bo)
{
	struct device *dev = bo->base.base.dev->dev;

	dma_resv_assert_held(bo->base.base.resv);
	if (npu_sync_needed(bo))
		dma_sync_sgtable_for_device(dev, bo->base.sgt, DMA_BIDIRECTIONAL);
	dma_sync_sgtable_for_cpu(dev, bo->base.sgt, DMA_BIDIRECTIONAL);
}
