// SPDX-License-Identifier: GPL-2.0-only
/* Page faults of user mappings, which map system or on-chip memory. */
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "../include/npu_device.h"
#include "npu_bo.h"
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
