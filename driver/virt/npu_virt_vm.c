// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of the virtual NPU: what an IOMMU does, in software. An access
 * holds a read lock for at most a page, so that unmapping, which takes the
 * write lock, knows that no access is under way.
 */
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "../core/include/npu_hw.h"
#include "npu_virt_vm.h"

/* The tag of an entry that may be written to. */
#define NPU_VIRT_WRITABLE	1UL

/**
 * struct npu_virt_vm - an address space
 */
struct npu_virt_vm {
	/** @lock: Held for reading by accesses, for writing by unmapping. */
	rwlock_t lock;
	/** @pages: Tagged kernel addresses of pages, by page number. */
	struct xarray pages;
	/** @srams: The on-chip memories of the device, one after the other. */
	const struct npu_hw_sram *srams;
	/** @sram: Kernel address of the first. */
	void *sram;
	/** @sram_size: Bytes of all of them. */
	u64 sram_size;
};

/**
 * npu_virt_vm_create() - new, empty address space
 * @srams: &npu_hw_desc.sram, one after the other in memory
 *
 * Return: the address space or an ERR_PTR().
 */
struct npu_virt_vm *npu_virt_vm_create(const struct npu_hw_sram *srams)
{
	struct npu_virt_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	/* Each page of a buffer has a kernel address. */
	BUILD_BUG_ON(!IS_ENABLED(CONFIG_64BIT));
	if (!vm)
		return ERR_PTR(-ENOMEM);
	rwlock_init(&vm->lock);
	xa_init_flags(&vm->pages, XA_FLAGS_ACCOUNT);
	vm->srams = srams;
	vm->sram = srams[0].vaddr;
	for (i = 0; i < NPU_MAX_SRAMS; i++)
		vm->sram_size += srams[i].size;
	return vm;
}

/**
 * npu_virt_vm_destroy() - end an address space that no core has
 * @vm: the address space
 */
void npu_virt_vm_destroy(struct npu_virt_vm *vm)
{
	xa_destroy(&vm->pages);
	kfree(vm);
}

/**
 * npu_virt_vm_unmap() - unmap pages; no core reaches them after it
 * @vm: the address space
 * @addr: device address
 * @size: bytes, whole pages
 */
void npu_virt_vm_unmap(struct npu_virt_vm *vm, u64 addr, u64 size)
{
	unsigned long index = addr >> PAGE_SHIFT;
	unsigned long end = index + (size >> PAGE_SHIFT);

	for (; index < end; index++) {
		xa_erase(&vm->pages, index);
		cond_resched();
	}
	/* Accesses that found a page before it was erased have ended then. */
	write_lock(&vm->lock);
	write_unlock(&vm->lock);
}

static int npu_virt_vm_map_page(struct npu_virt_vm *vm, u64 addr, void *page,
				bool writable)
{
	void *entry = xa_tag_pointer(page, writable ? NPU_VIRT_WRITABLE : 0);

	cond_resched();
	return xa_err(xa_store(&vm->pages, addr >> PAGE_SHIFT, entry,
			       GFP_KERNEL_ACCOUNT));
}

/**
 * npu_virt_vm_map() - map memory
 * @vm: the address space
 * @memory: the memory
 *
 * Return: 0 or -ENOMEM, with nothing mapped.
 */
int npu_virt_vm_map(struct npu_virt_vm *vm, const struct npu_hw_memory *memory)
{
	struct sg_page_iter iter;
	u64 offset = 0;
	int ret = 0;

	if (memory->vaddr) {
		for (; !ret && offset < memory->size; offset += PAGE_SIZE)
			ret = npu_virt_vm_map_page(vm, memory->addr + offset,
						   memory->vaddr + offset,
						   memory->writable);
	} else {
		for_each_sgtable_page(memory->sgt, &iter, 0) {
			void *page = page_address(sg_page_iter_page(&iter));

			ret = npu_virt_vm_map_page(vm, memory->addr + offset,
						   page, memory->writable);
			if (ret)
				break;
			offset += PAGE_SIZE;
		}
	}
	if (ret)
		npu_virt_vm_unmap(vm, memory->addr, memory->size);
	return ret;
}

/**
 * npu_virt_vm_move() - map other memory in place of what is mapped
 * @vm: the address space
 * @memory: the memory
 */
void npu_virt_vm_move(struct npu_virt_vm *vm, const struct npu_hw_memory *memory)
{
	u32 pages = memory->size >> PAGE_SHIFT, i;
	int ret;

	if (memory->sram) {
		void *chip = vm->srams[memory->sram_index].vaddr;

		for (i = 0; i < pages; i++) {
			u64 offset = (u64)memory->sram[i] << PAGE_SHIFT;

			ret = npu_virt_vm_map_page(vm, memory->addr +
						   ((u64)i << PAGE_SHIFT),
						   chip + offset,
						   memory->writable);
			/* There are entries already, so nothing is allocated. */
			WARN_ON(ret);
		}
	} else {
		WARN_ON(npu_virt_vm_map(vm, memory));
	}
}

/**
 * npu_virt_vm_access() - read or write memory
 * @vm: the address space
 * @addr: device address
 * @data: where to read to or to write from; %NULL only to see whether one could
 * @len: bytes
 * @write: write, else read
 *
 * Return: how many of the bytes are on the chip, or -EFAULT.
 */
int npu_virt_vm_access(struct npu_virt_vm *vm, u32 addr, void *data, u32 len,
		       bool write)
{
	u32 on_chip = 0;

	while (len) {
		u32 offset = offset_in_page(addr);
		u32 part = min_t(u32, len, PAGE_SIZE - offset);
		void *entry, *kaddr;

		read_lock(&vm->lock);
		entry = xa_load(&vm->pages, addr >> PAGE_SHIFT);
		if (!entry || (write && xa_pointer_tag(entry) != NPU_VIRT_WRITABLE)) {
			read_unlock(&vm->lock);
			return -EFAULT;
		}
		kaddr = xa_untag_pointer(entry) + offset;
		if (data && write)
			memcpy(kaddr, data, part);
		else if (data)
			memcpy(data, kaddr, part);
		read_unlock(&vm->lock);

		if (kaddr - vm->sram >= 0 && kaddr - vm->sram < vm->sram_size)
			on_chip += part;
		addr += part;
		if (data)
			data += part;
		len -= part;
	}
	return on_chip;
}
