// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults of user mappings, which map system or on-chip memory, and a debugfs
 * file, for root:
 *
 * wc_reads
 *	Reading returns how many pages of write-combined user mappings were read
 *	before they were written, on a device that does not see the CPU's caches. Such
 *	memory is slow to read: results belong in buffers with %DRM_NPU_BO_CACHED,
 *	whose pages of system memory are not counted. A page that the CPU wrote first
 *	is not counted either, whatever the device writes there later. After a buffer
 *	has moved, the first access to each of its pages counts anew.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_mem.h"
#include "npu_residency.h"

static unsigned long npu_residency_pfn(struct npu_bo *bo, u32 page)
{
	const struct npu_hw_sram *sram =
		&npu_bo_device(bo)->desc.sram[bo->residency.sram->index];

	if (sram->phys)
		return PHYS_PFN(sram->phys) + page;
	return vmalloc_to_pfn(sram->vaddr + ((size_t)page << PAGE_SHIFT));
}

/* Pages on the chip are never cached, unless the device sees the caches. */
static pgprot_t npu_residency_prot(const struct npu_device *npu, pgprot_t prot)
{
	return npu->desc.noncoherent ? pgprot_writecombine(prot) : prot;
}

/* Count a page of a user mapping of @bo that is read before it is written. */
static void npu_fault_count(struct npu_bo *bo, const struct vm_fault *vmf)
{
	struct npu_device *npu = npu_bo_device(bo);

	dma_resv_assert_held(bo->base.base.resv);
	if (npu->desc.noncoherent && !(vmf->flags & FAULT_FLAG_WRITE) &&
	    (bo->base.map_wc || bo->residency.inside))
		atomic_inc(&npu->mem->wc_reads);
}

static vm_fault_t npu_gem_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct drm_gem_object *obj = vma->vm_private_data;
	struct npu_bo *bo = to_npu_bo(obj);
	pgoff_t page = vmf->pgoff - drm_vma_node_start(&obj->vma_node);
	struct npu_device *npu = to_npu_device(obj->dev);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	dma_resv_lock(obj->resv, NULL);
	if (page >= obj->size >> PAGE_SHIFT ||
	    drm_WARN_ON_ONCE(obj->dev, !bo->base.pages))
		goto out_unlock;
	if (!bo->residency.inside)
		ret = vmf_insert_pfn(vma, vmf->address,
				     page_to_pfn(bo->base.pages[page]));
	else
		ret = vmf_insert_pfn_prot(vma, vmf->address,
					  npu_residency_pfn(bo, bo->residency.block.pages[page]),
					  npu_residency_prot(npu, vma->vm_page_prot));
	if (ret == VM_FAULT_NOPAGE)
		npu_fault_count(bo, vmf);
out_unlock:
	dma_resv_unlock(obj->resv);
	return ret;
}

static void npu_gem_vm_open(struct vm_area_struct *vma)
{
	drm_gem_shmem_vm_ops.open(vma);
}

static void npu_gem_vm_close(struct vm_area_struct *vma)
{
	drm_gem_shmem_vm_ops.close(vma);
}

/* Like those of shmem objects, except for pages on the chip. */
const struct vm_operations_struct npu_gem_vm_ops = {
	.fault = npu_gem_fault,
	.open = npu_gem_vm_open,
	.close = npu_gem_vm_close,
};

/**
 * npu_fault_debugfs_init() - make the file
 * @npu: the device, which removes it when it is unplugged
 */
void npu_fault_debugfs_init(struct npu_device *npu)
{
	debugfs_create_atomic_t("wc_reads", 0400, npu->drm.debugfs_root,
				&npu->mem->wc_reads);
}
