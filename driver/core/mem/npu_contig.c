// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of buffers for devices without an IOMMU.
 *
 * Such a device addresses memory as the DMA API does, so a buffer must be one piece.
 * It comes from the DMA API, which knows what the device reaches and whether memory
 * is reserved for it, and then takes the place of the pages of the shmem object:
 * mmap(), vmap and PRIME work as for all buffers.
 *
 * Memory that is reserved for the device (CMA) is not charged to control groups.
 */
#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem_shmem_helper.h>

#include "../../compat.h"
#include "npu_bo.h"
#include "npu_contig.h"

/* The pages of @sgt, which has @count of them, or %NULL. */
static struct page **npu_contig_pages(struct sg_table *sgt, size_t count)
{
	struct sg_page_iter iter;
	struct page **pages;
	size_t i = 0;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return NULL;
	for_each_sgtable_page(sgt, &iter, 0)
		if (i < count)
			pages[i++] = sg_page_iter_page(&iter);
	return pages;
}

/**
 * npu_contig_alloc() - give a new buffer memory of one piece, filled with zeros
 * @bo: the buffer, which has no pages yet and is not published
 *
 * Return: 0, -ENOMEM or -ENODEV.
 */
int npu_contig_alloc(struct npu_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct device *dev = obj->dev->dev;
	struct page **pages = NULL;
	struct sg_table *sgt;
	int ret = -ENOMEM;
	int idx;

	if (!drm_dev_enter(obj->dev, &idx))
		return -ENODEV;
	sgt = dma_alloc_noncontiguous(dev, obj->size, DMA_BIDIRECTIONAL,
				      GFP_KERNEL_ACCOUNT | __GFP_NOWARN, 0);
	if (sgt)
		pages = npu_contig_pages(sgt, obj->size >> PAGE_SHIFT);
	if (pages) {
		/* The zeros may still be in the CPU's caches. */
		dma_sync_sgtable_for_device(dev, sgt, DMA_BIDIRECTIONAL);
		bo->base.sgt = sgt;
		npu_shmem_set_pages(&bo->base, pages);
		ret = 0;
	} else if (sgt) {
		dma_free_noncontiguous(dev, obj->size, sgt, DMA_BIDIRECTIONAL);
	}
	drm_dev_exit(idx);
	return ret;
}

/**
 * npu_contig_free() - undo npu_contig_alloc(), if it succeeded
 * @bo: the buffer, which has no references any more
 */
void npu_contig_free(struct npu_bo *bo)
{
	struct drm_gem_object *obj = &bo->base.base;
	struct page **pages;

	/* Imported memory is the exporter's. */
	if (obj->import_attach || !bo->base.pages)
		return;
	pages = npu_shmem_take_pages(&bo->base);
	dma_free_noncontiguous(obj->dev->dev, obj->size, bo->base.sgt,
			       DMA_BIDIRECTIONAL);
	bo->base.sgt = NULL;
	kvfree(pages);
}

/**
 * npu_contig_address() - where a device without an IOMMU sees memory
 * @sgt: the memory, mapped for the device
 * @size: its bytes
 * @addr: receives the address
 *
 * Return: 0, or -EOPNOTSUPP unless it is whole pages of one piece.
 */
int npu_contig_address(struct sg_table *sgt, u64 size, u64 *addr)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 next;

	*addr = sg_dma_address(sgt->sgl);
	next = *addr;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_address(sg) != next)
			return -EOPNOTSUPP;
		next += sg_dma_len(sg);
	}
	return IS_ALIGNED(*addr, PAGE_SIZE) && next == *addr + size ? 0 : -EOPNOTSUPP;
}
