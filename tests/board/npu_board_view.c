// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory as the CPU and as the device sees it.
 *
 * On hardware, the caches of the CPU lie between the two: the device sees what the
 * CPU wrote once the cache lines have been cleaned, and the CPU sees what the device
 * wrote once they have been invalidated. With two_views=1, pages that are mapped for
 * a device behave as if caches did neither by themselves. The page is what the CPU
 * sees, a page behind it is the memory that the device sees, and only the DMA API
 * copies from one to the other, one cache line at a time. A driver or a client that
 * leaves out a sync sees stale data each time.
 *
 * Nothing here knows how user space maps a page, so that write-combined buffers
 * behave like cached ones: clients have to hand over all their buffers.
 *
 * Page tables of the IOMMUs stay as they are. On-chip memory is not mapped by the
 * DMA API, and has one view.
 */
#include <linux/device/bus.h>
#include <linux/dma-map-ops.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "npu_board.h"

static bool two_views;
module_param(two_views, bool, 0444);
MODULE_PARM_DESC(two_views, "The CPU and the device see what the other wrote only after a sync of the DMA API (default off)");

/* The CPU's cache lines. */
#define NPU_BOARD_LINE		64

/**
 * struct npu_board_view - a page that is mapped for a device
 */
struct npu_board_view {
	/** @page: The page as the CPU sees it; its owner's. */
	void *page;
	/** @memory: The page as the device sees it. */
	void *memory;
	/**
	 * @clean: @page at the last sync. Lines of @page that differ from it are
	 * dirty.
	 */
	void *clean;
	/** @maps: Mappings of the page, whatever their devices. */
	unsigned int maps;
	/** @rcu: For the end of readers of @memory. */
	struct rcu_head rcu;
};

/*
 * Views by page frame number. xa_lock() protects views and their contents from
 * everyone but the device, which takes rcu_read_lock(). The drivers of the NPU map
 * and sync in process context only.
 */
static DEFINE_XARRAY(npu_board_views);

static void npu_board_view_free(struct npu_board_view *view)
{
	free_page((unsigned long)view->memory);
	free_page((unsigned long)view->clean);
	kfree(view);
}

static void npu_board_view_free_rcu(struct rcu_head *rcu)
{
	npu_board_view_free(container_of(rcu, struct npu_board_view, rcu));
}

static struct npu_board_view *npu_board_view_alloc(unsigned long pfn)
{
	struct npu_board_view *view = kzalloc(sizeof(*view), GFP_KERNEL);

	if (!view)
		return NULL;
	view->page = phys_to_virt(PFN_PHYS(pfn));
	view->memory = (void *)__get_free_page(GFP_KERNEL);
	view->clean = (void *)__get_free_page(GFP_KERNEL);
	if (!view->memory || !view->clean) {
		npu_board_view_free(view);
		return NULL;
	}
	return view;
}

/* Write a line back if it is dirty. */
static void npu_board_line_clean(struct npu_board_view *view, size_t line)
{
	if (!memcmp(view->page + line, view->clean + line, NPU_BOARD_LINE))
		return;
	memcpy(view->clean + line, view->page + line, NPU_BOARD_LINE);
	memcpy(view->memory + line, view->clean + line, NPU_BOARD_LINE);
}

/* Invalidate a line and read it again. */
static void npu_board_line_invalidate(struct npu_board_view *view, size_t line)
{
	memcpy(view->clean + line, view->memory + line, NPU_BOARD_LINE);
	memcpy(view->page + line, view->clean + line, NPU_BOARD_LINE);
}

/*
 * Sync bytes @start to @end of a page. As on hardware, this means whole lines, and
 * lines that are in it only in part are written back before they are invalidated.
 */
static void npu_board_view_sync(struct npu_board_view *view, size_t start,
				size_t end, bool for_cpu)
{
	size_t line;

	for (line = ALIGN_DOWN(start, NPU_BOARD_LINE); line < end;
	     line += NPU_BOARD_LINE) {
		bool whole = line >= start && line + NPU_BOARD_LINE <= end;

		if (!for_cpu || !whole)
			npu_board_line_clean(view, line);
		if (for_cpu)
			npu_board_line_invalidate(view, line);
	}
}

static void npu_board_view_sync_range(dma_addr_t addr, size_t size, bool for_cpu)
{
	while (size) {
		size_t start = offset_in_page(addr);
		size_t part = min(size, PAGE_SIZE - start);
		struct npu_board_view *view;

		xa_lock(&npu_board_views);
		view = xa_load(&npu_board_views, PHYS_PFN(addr));
		if (!WARN_ONCE(!view, "npu_board: sync of a page that is not mapped\n"))
			npu_board_view_sync(view, start, start + part, for_cpu);
		xa_unlock(&npu_board_views);
		addr += part;
		size -= part;
	}
}

/* Map page @pfn once more, and write its lines back. */
static int npu_board_view_map_page(unsigned long pfn)
{
	struct npu_board_view *view = npu_board_view_alloc(pfn), *other;
	int ret;

	if (!view)
		return -ENOMEM;
	ret = xa_reserve(&npu_board_views, pfn, GFP_KERNEL);
	if (ret) {
		npu_board_view_free(view);
		return ret;
	}
	xa_lock(&npu_board_views);
	other = xa_load(&npu_board_views, pfn);
	if (other) {
		swap(view, other);
		npu_board_view_sync(view, 0, PAGE_SIZE, false);
	} else {
		copy_page(view->memory, view->page);
		copy_page(view->clean, view->page);
		/* Does not allocate, since the entry is reserved. */
		ret = xa_err(__xa_store(&npu_board_views, pfn, view, GFP_ATOMIC));
		if (ret)
			other = view;
	}
	view->maps++;
	xa_unlock(&npu_board_views);
	if (other)
		npu_board_view_free(other);
	return ret;
}

static void npu_board_view_unmap_page(unsigned long pfn)
{
	struct npu_board_view *view;

	xa_lock(&npu_board_views);
	view = xa_load(&npu_board_views, pfn);
	if (!WARN_ON_ONCE(!view) && !--view->maps) {
		__xa_erase(&npu_board_views, pfn);
		call_rcu(&view->rcu, npu_board_view_free_rcu);
	}
	xa_unlock(&npu_board_views);
}

static void npu_board_view_unmap(phys_addr_t addr, size_t size)
{
	unsigned long pfn;

	for (pfn = PHYS_PFN(addr); pfn < PFN_UP(addr + size); pfn++)
		npu_board_view_unmap_page(pfn);
}

static int npu_board_view_map(phys_addr_t addr, size_t size)
{
	unsigned long first = PHYS_PFN(addr), pfn;
	int ret;

	for (pfn = first; pfn < PFN_UP(addr + size); pfn++) {
		ret = npu_board_view_map_page(pfn);
		if (ret) {
			while (pfn-- > first)
				npu_board_view_unmap_page(pfn);
			return ret;
		}
	}
	return 0;
}

static void npu_board_dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr,
					      size_t size,
					      enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		npu_board_view_sync_range(addr, size, true);
}

static void npu_board_dma_sync_single_for_device(struct device *dev,
						 dma_addr_t addr, size_t size,
						 enum dma_data_direction dir)
{
	npu_board_view_sync_range(addr, size, false);
}

static void npu_board_dma_sync_sg_for_cpu(struct device *dev,
					  struct scatterlist *sgl, int count,
					  enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, count, i)
		npu_board_dma_sync_single_for_cpu(dev, sg_phys(sg), sg->length, dir);
}

static void npu_board_dma_sync_sg_for_device(struct device *dev,
					     struct scatterlist *sgl, int count,
					     enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, count, i)
		npu_board_dma_sync_single_for_device(dev, sg_phys(sg), sg->length, dir);
}

static void npu_board_dma_unmap_phys(struct device *dev, dma_addr_t addr,
				     size_t size, enum dma_data_direction dir,
				     unsigned long attrs)
{
	if (attrs & DMA_ATTR_MMIO)
		return;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		npu_board_dma_sync_single_for_cpu(dev, addr, size, dir);
	npu_board_view_unmap(addr, size);
}

static dma_addr_t npu_board_dma_map_phys(struct device *dev, phys_addr_t addr,
					 size_t size,
					 enum dma_data_direction dir,
					 unsigned long attrs)
{
	if (attrs & DMA_ATTR_MMIO)
		return addr;
	return npu_board_view_map(addr, size) ? DMA_MAPPING_ERROR : addr;
}

static void npu_board_dma_unmap_sg(struct device *dev, struct scatterlist *sgl,
				   int count, enum dma_data_direction dir,
				   unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, count, i)
		npu_board_dma_unmap_phys(dev, sg_phys(sg), sg->length, dir, attrs);
}

static int npu_board_dma_map_sg(struct device *dev, struct scatterlist *sgl,
				int count, enum dma_data_direction dir,
				unsigned long attrs)
{
	struct scatterlist *sg;
	int i, ret;

	for_each_sg(sgl, sg, count, i) {
		ret = npu_board_view_map(sg_phys(sg), sg->length);
		if (ret) {
			npu_board_dma_unmap_sg(dev, sgl, i, dir,
					       DMA_ATTR_SKIP_CPU_SYNC);
			return ret;
		}
		sg_dma_address(sg) = sg_phys(sg);
		sg_dma_len(sg) = sg->length;
	}
	return count;
}

/* Uncached memory has one view. */
static void *npu_board_dma_alloc(struct device *dev, size_t size,
				 dma_addr_t *addr, gfp_t gfp,
				 unsigned long attrs)
{
	void *memory = alloc_pages_exact(size, gfp | __GFP_ZERO);

	if (memory)
		*addr = virt_to_phys(memory);
	return memory;
}

static void npu_board_dma_free(struct device *dev, size_t size, void *memory,
			       dma_addr_t addr, unsigned long attrs)
{
	free_pages_exact(memory, size);
}

/* DMA addresses are physical addresses, as they are without these operations. */
static const struct dma_map_ops npu_board_dma_ops = {
	.alloc = npu_board_dma_alloc,
	.free = npu_board_dma_free,
	.map_phys = npu_board_dma_map_phys,
	.unmap_phys = npu_board_dma_unmap_phys,
	.map_sg = npu_board_dma_map_sg,
	.unmap_sg = npu_board_dma_unmap_sg,
	.sync_single_for_cpu = npu_board_dma_sync_single_for_cpu,
	.sync_single_for_device = npu_board_dma_sync_single_for_device,
	.sync_sg_for_cpu = npu_board_dma_sync_sg_for_cpu,
	.sync_sg_for_device = npu_board_dma_sync_sg_for_device,
};

/*
 * Platform devices that come after the board are the cores, their IOMMUs and the
 * device that a driver makes for all cores, and that it maps buffers for.
 */
static int npu_board_view_notify(struct notifier_block *block,
				 unsigned long event, void *data)
{
	struct device *dev = data;

	if (event == BUS_NOTIFY_ADD_DEVICE &&
	    !of_device_is_compatible(dev->of_node, "rockchip,rk3588-iommu"))
		set_dma_ops(dev, &npu_board_dma_ops);
	return NOTIFY_OK;
}

static struct notifier_block npu_board_view_block = {
	.notifier_call = npu_board_view_notify,
};

/**
 * npu_board_view_init() - keep the views of the CPU and of the device apart
 *
 * Callers must not have made the devices of the cores yet. Without two_views=1 this
 * does nothing.
 *
 * Return: 0 or a negative errno.
 */
int npu_board_view_init(void)
{
	if (!two_views)
		return 0;
	if (!IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS))
		return -EOPNOTSUPP;
	return bus_register_notifier(&platform_bus_type, &npu_board_view_block);
}

/**
 * npu_board_view_memory() - what the device sees at a physical address
 * @addr: the address, of a page of system memory or of the chip
 *
 * Callers must hold rcu_read_lock() for as long as they use the memory.
 *
 * Return: an address of the kernel, for the rest of the page.
 */
void *npu_board_view_memory(phys_addr_t addr)
{
	struct npu_board_view *view;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "memory of the device without RCU");
	view = xa_load(&npu_board_views, PHYS_PFN(addr));
	return view ? view->memory + offset_in_page(addr) : phys_to_virt(addr);
}
