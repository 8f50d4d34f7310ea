// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: one for each open file, with page tables of the backend.
 *
 * A mapping lives as long as a handle or a job refers to it, so what a job
 * addresses stays where it is until the job is gone.
 *
 * Without an IOMMU (&npu_device.direct) there are no page tables: an address space is
 * the list of what a file may have the device use, each buffer where it is in memory.
 */
#include <linux/cred.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem_shmem_helper.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "npu_bo.h"
#include "npu_contig.h"
#include "npu_mem.h"
#include "npu_residency.h"
#include "npu_user.h"
#include "npu_vm.h"

/* Page 0 is never mapped, so that an address of 0 is always a fault. */
#define NPU_VM_START		SZ_64K

/* Page tables, or what stands for them; may be an ERR_PTR(). */
static void *npu_vm_create_hw(struct npu_vm *vm, struct npu_device *npu)
{
	return npu->direct ? vm : npu->desc.ops->vm_create(npu->hw);
}

static void npu_vm_init_mm(struct npu_vm *vm, struct npu_device *npu)
{
	/* Where memory is, is not ours to choose. */
	u64 start = npu->direct ? PAGE_SIZE : NPU_VM_START;

	drm_mm_init(&vm->mm, start, BIT_ULL(npu->desc.address_bits) - start);
}

/**
 * npu_vm_create() - new, empty address space
 * @npu: the device
 *
 * Return: the address space, or an ERR_PTR().
 */
struct npu_vm *npu_vm_create(struct npu_device *npu)
{
	struct npu_vm *vm;
	int ret = -ENOMEM;
	unsigned int i;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	vm->user = npu_user_get(&npu->mem->users, current_uid());
	if (!vm->user)
		goto err_free;
	vm->hw = npu_vm_create_hw(vm, npu);
	if (IS_ERR(vm->hw)) {
		ret = PTR_ERR(vm->hw);
		goto err_user;
	}
	kref_init(&vm->ref);
	mutex_init(&vm->lock);
	npu_gate_init(&vm->gate, &npu->mem->still);
	npu_mover_init(&vm->mover, npu->mem->queue, &npu->mem->still,
		       npu_residency_run);
	for (i = 0; i < ARRAY_SIZE(vm->sram); i++)
		npu_sram_user_init(&vm->sram[i]);
	npu_vm_init_mm(vm, npu);
	drm_dev_get(&npu->drm);
	vm->npu = npu;

	mutex_lock(&npu->mem->vms_lock);
	list_add_tail(&vm->link, &npu->mem->vms);
	mutex_unlock(&npu->mem->vms_lock);
	return vm;

err_user:
	npu_user_put(vm->user);
err_free:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * npu_vm_unplug() - let go of the backend
 * @vm: the address space, which no core has
 *
 * The layout stays, so that clients can still close handles.
 */
void npu_vm_unplug(struct npu_vm *vm)
{
	struct npu_device *npu = vm->npu;

	mutex_lock(&vm->lock);
	if (vm->hw && !npu->direct)
		npu->desc.ops->vm_destroy(npu->hw, vm->hw);
	vm->hw = NULL;
	mutex_unlock(&vm->lock);
}

static void npu_vm_release(struct kref *ref)
{
	struct npu_vm *vm = container_of(ref, struct npu_vm, ref);
	struct npu_device *npu = vm->npu;

	mutex_lock(&npu->mem->vms_lock);
	list_del(&vm->link);
	npu_vm_unplug(vm);
	mutex_unlock(&npu->mem->vms_lock);

	drm_mm_takedown(&vm->mm);
	npu_mover_fini(&vm->mover);
	npu_gate_fini(&vm->gate);
	npu_user_put(vm->user);
	mutex_destroy(&vm->lock);
	kfree(vm);
	drm_dev_put(&npu->drm);
}

/**
 * npu_vm_get() - take a reference
 * @vm: the address space
 *
 * Return: @vm.
 */
struct npu_vm *npu_vm_get(struct npu_vm *vm)
{
	kref_get(&vm->ref);
	return vm;
}

/**
 * npu_vm_put() - drop a reference; may sleep
 * @vm: the address space
 */
void npu_vm_put(struct npu_vm *vm)
{
	kref_put(&vm->ref, npu_vm_release);
}

/**
 * npu_vm_shares() - begin to look for shared buffers
 * @vm: the address space
 *
 * Return: &npu_vm.shares, to be compared when the jobs are queued.
 */
u64 npu_vm_shares(const struct npu_vm *vm)
{
	u64 shares = atomic64_read(&vm->shares);

	/* Before &npu_bo.shared, see npu_mapping_note_shared(). */
	smp_rmb();
	return shares;
}

/**
 * npu_vm_has_shared() - is there anything to look for?
 * @vm: the address space, after npu_vm_shares()
 *
 * Return: whether a shared buffer is mapped in it.
 */
bool npu_vm_has_shared(const struct npu_vm *vm)
{
	return atomic_read(&vm->shared);
}

/**
 * npu_mapping_note_shared() - whether the buffer of a mapping is shared has changed
 * @mapping: the mapping
 * @shared: whether it is
 */
void npu_mapping_note_shared(struct npu_mapping *mapping, bool shared)
{
	struct npu_vm *vm = mapping->vm;

	lockdep_assert_held(&mapping->bo->lock);
	mapping->shared = shared;
	if (!shared) {
		atomic_dec(&vm->shared);
		return;
	}
	atomic_inc(&vm->shared);
	/* After &npu_bo.shared, see npu_vm_shares(). */
	smp_mb__before_atomic();
	atomic64_inc(&vm->shares);
	/* Before jobs are looked for that know nothing of it. */
	smp_mb__after_atomic();
}

/* Bytes that the device sees. */
static u64 npu_sgt_size(struct sg_table *sgt)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 size = 0;

	for_each_sgtable_dma_sg(sgt, sg, i)
		size += sg_dma_len(sg);
	return size;
}

/* Have @mapping where its memory is. */
static int npu_mapping_place_direct(struct npu_mapping *mapping)
{
	struct drm_gem_object *obj = &mapping->bo->base.base;
	struct npu_vm *vm = mapping->vm;
	int ret;

	/* Its own memory it has from the start, imported memory too. */
	ret = npu_contig_address(mapping->bo->base.sgt, obj->size,
				 &mapping->node.start);
	if (ret)
		return ret;
	mapping->node.size = obj->size;
	ret = -ENODEV;
	mutex_lock(&vm->lock);
	if (vm->hw)
		ret = drm_mm_reserve_node(&vm->mm, &mapping->node);
	mutex_unlock(&vm->lock);
	return ret;
}

/* Find a place for @mapping. */
static int npu_mapping_place(struct npu_mapping *mapping)
{
	struct npu_vm *vm = mapping->vm;
	int ret = -ENODEV;

	if (vm->npu->direct)
		return npu_mapping_place_direct(mapping);
	mutex_lock(&vm->lock);
	if (vm->hw)
		ret = drm_mm_insert_node_generic(&vm->mm, &mapping->node,
						 mapping->bo->base.base.size,
						 PAGE_SIZE, 0,
						 DRM_MM_INSERT_BEST);
	mutex_unlock(&vm->lock);
	return ret;
}

/*
 * What a device in software needs of memory that another driver exports: the
 * pages are not ours to touch.
 */
static int npu_mapping_vmap(struct npu_mapping *mapping)
{
	struct drm_gem_object *obj = &mapping->bo->base.base;
	int ret;

	if (!mapping->vm->npu->desc.software || !obj->import_attach)
		return 0;
	ret = npu_gem_vmap(obj, &mapping->map);
	if (ret) {
		iosys_map_clear(&mapping->map);
		return ret == -ENOMEM ? ret : -EOPNOTSUPP;
	}
	return mapping->map.is_iomem ? -EOPNOTSUPP : 0;
}

/* Get the pages and map them. */
static int npu_mapping_fill(struct npu_mapping *mapping)
{
	struct npu_vm *vm = mapping->vm;
	struct npu_device *npu = vm->npu;
	struct npu_hw_memory memory = {
		.addr = mapping->node.start,
		.size = mapping->node.size,
		.writable = mapping->writable,
	};
	int ret, idx;

	/* Pages are mapped for the device that is there. */
	if (!drm_dev_enter(&npu->drm, &idx))
		return -ENODEV;
	memory.sgt = drm_gem_shmem_get_pages_sgt(&mapping->bo->base);
	drm_dev_exit(idx);
	if (IS_ERR(memory.sgt))
		return PTR_ERR(memory.sgt);
	/* An exporter's table may be anything. */
	if (npu_sgt_size(memory.sgt) != memory.size)
		return -EINVAL;
	ret = npu_mapping_vmap(mapping);
	if (ret)
		return ret;
	memory.vaddr = mapping->map.vaddr;

	ret = -ENODEV;
	mutex_lock(&vm->lock);
	if (vm->hw)
		ret = npu->direct ? 0 :
		      npu->desc.ops->vm_map(npu->hw, vm->hw, &memory);
	mapping->mapped = !ret && !npu->direct;
	mutex_unlock(&vm->lock);
	return ret;
}

/**
 * npu_mapping_move() - have the device see a buffer somewhere else
 * @mapping: the mapping, which no job uses just now
 * @pages: numbers of pages of the on-chip memory, or %NULL for system memory
 */
void npu_mapping_move(struct npu_mapping *mapping, const u32 *pages)
{
	struct npu_vm *vm = mapping->vm;
	struct npu_device *npu = vm->npu;
	struct npu_hw_memory memory = {
		.addr = mapping->node.start,
		.size = mapping->node.size,
		.sgt = mapping->bo->base.sgt,
		.sram = pages,
		.sram_index = pages ? mapping->bo->residency.sram->index : 0,
		.writable = mapping->writable,
	};

	mutex_lock(&vm->lock);
	if (mapping->mapped && vm->hw)
		npu->desc.ops->vm_move(npu->hw, vm->hw, &memory);
	mutex_unlock(&vm->lock);
}

/**
 * npu_mapping_create() - map a buffer
 * @vm: the address space
 * @bo: the buffer
 * @writable: whether the device may write to it
 *
 * Return: the mapping, with one reference, or an ERR_PTR().
 */
struct npu_mapping *npu_mapping_create(struct npu_vm *vm, struct npu_bo *bo,
				       bool writable)
{
	struct npu_mapping *mapping;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	kref_init(&mapping->ref);
	INIT_LIST_HEAD(&mapping->link);
	mapping->vm = npu_vm_get(vm);
	mapping->bo = bo;
	mapping->writable = writable;
	drm_gem_object_get(&bo->base.base);
	atomic64_add(bo->base.base.size, &vm->used);

	/*
	 * The address first, so that no pages are allocated for a buffer that
	 * does not fit. From then on npu_mapping_find() can take a reference.
	 */
	ret = npu_mapping_place(mapping);
	if (!ret)
		ret = npu_mapping_fill(mapping);
	if (ret) {
		npu_mapping_put(mapping);
		return ERR_PTR(ret);
	}
	return mapping;
}

static void npu_mapping_release(struct kref *ref)
{
	struct npu_mapping *mapping = container_of(ref, struct npu_mapping, ref);
	struct npu_vm *vm = mapping->vm;
	struct npu_device *npu = vm->npu;

	/* npu_mapping_find() takes the lock, so it never finds a dead mapping. */
	lockdep_assert_held(&vm->lock);
	if (mapping->mapped && vm->hw)
		npu->desc.ops->vm_unmap(npu->hw, vm->hw, mapping->node.start,
					mapping->node.size);
	mapping->mapped = false;
	if (drm_mm_node_allocated(&mapping->node))
		drm_mm_remove_node(&mapping->node);
	mutex_unlock(&vm->lock);

	/* The last reference is gone, so @mapping->shared cannot change any more. */
	if (mapping->shared)
		atomic_dec(&vm->shared);
	npu_residency_end(mapping);
	if (!iosys_map_is_null(&mapping->map))
		npu_gem_vunmap(&mapping->bo->base.base, &mapping->map);
	atomic64_sub(mapping->bo->base.base.size, &vm->used);
	drm_gem_object_put(&mapping->bo->base.base);
	kfree(mapping);
	npu_vm_put(vm);
}

/**
 * npu_mapping_put() - drop a reference; the last one unmaps; may sleep
 * @mapping: the mapping
 */
void npu_mapping_put(struct npu_mapping *mapping)
{
	kref_put_mutex(&mapping->ref, npu_mapping_release, &mapping->vm->lock);
}

/**
 * npu_mapping_find() - which mapping covers an address
 * @vm: the address space
 * @addr: device address
 *
 * Return: the mapping with a reference for the caller, or %NULL.
 */
struct npu_mapping *npu_mapping_find(struct npu_vm *vm, u64 addr)
{
	struct npu_mapping *mapping = NULL;
	struct drm_mm_node *node;

	/* drm_mm_for_each_node_in_range() would return the head node there. */
	if (addr >= BIT_ULL(vm->npu->desc.address_bits))
		return NULL;

	mutex_lock(&vm->lock);
	drm_mm_for_each_node_in_range(node, &vm->mm, addr, addr + 1) {
		mapping = container_of(node, struct npu_mapping, node);
		kref_get(&mapping->ref);
		break;
	}
	mutex_unlock(&vm->lock);
	return mapping;
}
