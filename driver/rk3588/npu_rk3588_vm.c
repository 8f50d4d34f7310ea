// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: domains of the Rockchip IOMMU, which each core has one of.
 *
 * A domain stays attached from one job to the next, over idle times and runtime
 * suspends, whose end the IOMMU's driver sets up again. It is replaced only when
 * the core gets work of another file, which npu.ko avoids while it can.
 *
 * Replacing one takes each bank of the IOMMU (core 0 has two) three commands to
 * switch translation off, stall, paging off, unstall, and three to switch it on
 * again, reset, zap, paging on, with waits in between: no path of rockchip-iommu
 * takes fewer, since it sets up a powered IOMMU from nothing for every domain. On
 * the way the IOMMU core wants to see the group's default domain: an attach answers
 * -EBUSY while another one is there. If that is the identity domain (passthrough),
 * then the bank is off there and this is all; if it is one for the DMA API, which
 * is usual on arm64, it is switched on for that and off again, so six more. What
 * mainline's driver does for each job is the same.
 *
 * What would replace a domain directly is not for drivers:
 * iommu_replace_group_handle() is exported to iommufd alone, and allocates; the
 * domain's own attach_dev() goes behind the back of the group, its lock and what it
 * knows to be attached, and has other arguments from release to release. Claiming
 * the DMA ownership only makes an empty domain of the default one, which is as
 * expensive as that for the DMA API. And with the IOMMU suspended a change of domain
 * is free, but core and IOMMU would have to lose their power for it.
 */
#include <linux/iommu.h>
#include <linux/pm_runtime.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "npu_rk3588.h"

/* Called in the IOMMU's interrupt. */
static int npu_rk3588_iommu_fault(struct iommu_domain *domain,
				  struct device *dev, unsigned long iova,
				  int flags, void *data)
{
	struct npu_rk3588_vm *vm = data;
	unsigned int i;

	for (i = 0; i < vm->rk->desc.core_count; i++)
		if (vm->rk->cores[i]->iommu == dev)
			npu_rk3588_fault(vm->rk->cores[i], iova);
	return 0;
}

/**
 * npu_rk3588_vm_create() - &npu_hw_ops.vm_create
 * @hw: the device
 *
 * Return: the address space or an ERR_PTR().
 */
void *npu_rk3588_vm_create(void *hw)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	/* All cores have the same kind of IOMMU: one domain does for all. */
	vm->domain = iommu_paging_domain_alloc(rk->cores[0]->dev);
	if (IS_ERR(vm->domain)) {
		void *err = ERR_CAST(vm->domain);

		kfree(vm);
		return err;
	}
	vm->rk = rk;
	iommu_set_fault_handler(vm->domain, npu_rk3588_iommu_fault, vm);
	return vm;
}

/**
 * npu_rk3588_vm_destroy() - &npu_hw_ops.vm_destroy
 * @hw: the device
 * @vm: the address space
 */
void npu_rk3588_vm_destroy(void *hw, void *vm)
{
	struct npu_rk3588_vm *rvm = vm;

	iommu_domain_free(rvm->domain);
	kfree(rvm);
}

/**
 * npu_rk3588_vm_map() - &npu_hw_ops.vm_map
 * @hw: the device
 * @vm: the address space
 * @memory: the memory
 *
 * The memory is mapped for the device that stands for all cores. That has no
 * IOMMU, so its DMA addresses are what the IOMMUs of the cores see as physical
 * addresses.
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_vm_map(void *hw, void *vm, const struct npu_hw_memory *memory)
{
	struct npu_rk3588_vm *rvm = vm;
	int prot = IOMMU_READ | (memory->writable ? IOMMU_WRITE : 0);
	struct scatterlist *sg;
	u64 addr = memory->addr;
	unsigned int i;
	int ret = 0;

	for_each_sgtable_dma_sg(memory->sgt, sg, i) {
		/* Another driver's memory may come in smaller pieces. */
		if (!PAGE_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg)))
			ret = -EINVAL;
		else
			ret = iommu_map(rvm->domain, addr, sg_dma_address(sg),
					sg_dma_len(sg), prot,
					GFP_KERNEL_ACCOUNT);
		if (ret)
			break;
		addr += sg_dma_len(sg);
	}
	if (ret && addr > memory->addr)
		iommu_unmap(rvm->domain, memory->addr, addr - memory->addr);
	return ret;
}

/**
 * npu_rk3588_vm_unmap() - &npu_hw_ops.vm_unmap
 * @hw: the device
 * @vm: the address space
 * @addr: first device address
 * @size: bytes
 */
void npu_rk3588_vm_unmap(void *hw, void *vm, u64 addr, u64 size)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_vm *rvm = vm;
	unsigned int i;

	/*
	 * The IOMMU's driver leaves out IOMMUs that are not in use, and one may
	 * come into use again before it has lost its power: see to it then.
	 */
	for (i = 0; i < rk->desc.core_count; i++) {
		struct npu_rk3588_core *core = rk->cores[i];

		if (READ_ONCE(core->vm) == rvm && !pm_runtime_active(core->dev))
			WRITE_ONCE(core->stale, true);
	}
	/* Pairs with the barrier of the runtime resume. */
	smp_mb();
	iommu_unmap(rvm->domain, addr, size);
}

/* Map pages of the on-chip memory where nothing is mapped. */
static int npu_rk3588_vm_map_sram(struct npu_rk3588_vm *vm,
				  const struct npu_hw_memory *memory)
{
	int prot = IOMMU_READ | (memory->writable ? IOMMU_WRITE : 0);
	u64 offset;
	int ret;

	for (offset = 0; offset < memory->size; offset += PAGE_SIZE) {
		phys_addr_t phys = vm->rk->desc.sram[memory->sram_index].phys +
				   ((u64)memory->sram[offset >> PAGE_SHIFT] <<
				    PAGE_SHIFT);

		ret = iommu_map(vm->domain, memory->addr + offset, phys,
				PAGE_SIZE, prot, GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * npu_rk3588_vm_move() - &npu_hw_ops.vm_move
 * @hw: the device
 * @vm: the address space
 * @memory: the memory
 *
 * The IOMMU's driver keeps page tables whose entries have gone, so nothing is
 * allocated. What cannot be mapped in spite of that is a fault for jobs.
 */
void npu_rk3588_vm_move(void *hw, void *vm, const struct npu_hw_memory *memory)
{
	npu_rk3588_vm_unmap(hw, vm, memory->addr, memory->size);
	WARN_ON(memory->sram ? npu_rk3588_vm_map_sram(vm, memory) :
			       npu_rk3588_vm_map(hw, vm, memory));
}

/**
 * npu_rk3588_attach() - &npu_hw_ops.attach
 * @hw: the device
 * @index: number of the core
 * @vm: the address space, or %NULL
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_attach(void *hw, unsigned int index, void *vm)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	struct npu_rk3588_vm *rvm = vm;
	int ret = 0;

	if (core->vm)
		iommu_detach_device(core->vm->domain, core->dev);
	WRITE_ONCE(core->vm, NULL);
	if (rvm)
		ret = iommu_attach_device(rvm->domain, core->dev);
	if (!ret)
		WRITE_ONCE(core->vm, rvm);
	WRITE_ONCE(core->broken, ret);
	return ret;
}

/**
 * npu_rk3588_reattach() - set up the IOMMU of a core anew
 * @core: the core, which is powered
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_reattach(struct npu_rk3588_core *core)
{
	struct npu_rk3588_vm *vm = core->vm;
	int ret;

	if (!vm)
		return 0;
	iommu_detach_device(vm->domain, core->dev);
	ret = iommu_attach_device(vm->domain, core->dev);
	WRITE_ONCE(core->broken, ret);
	return ret;
}
