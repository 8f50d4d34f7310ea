// SPDX-License-Identifier: GPL-2.0-only
/* Address spaces. */
#include <linux/sizes.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_mem.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

/* An address space counts for its device, which it keeps. */
static void npu_vm_life(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct drm_device *drm = &fake->npu->drm;
	unsigned int refs = kref_read(&drm->ref);
	struct npu_vm *vm = npu_vm_create(fake->npu);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	KUNIT_EXPECT_EQ(test, fake->vms, npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_EQ(test, kref_read(&drm->ref), refs + 1);
	KUNIT_EXPECT_FALSE(test, list_empty(&fake->npu->mem->vms));
	KUNIT_EXPECT_PTR_EQ(test, npu_vm_get(vm), vm);
	npu_vm_put(vm);
	KUNIT_EXPECT_EQ(test, fake->vms, npu_fake_iommu(fake, 1));
	npu_vm_put(vm);
	KUNIT_EXPECT_EQ(test, fake->vms, 0);
	KUNIT_EXPECT_EQ(test, kref_read(&drm->ref), refs);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->npu->mem->vms));
}

/* Where the backend has none, there is none. */
static void npu_vm_create_failure(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	unsigned int refs = kref_read(&fake->npu->drm.ref);

	fake->vm_create_error = -ENOSPC;
	KUNIT_EXPECT_PTR_EQ(test, npu_vm_create(fake->npu), ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->npu->mem->vms));
	KUNIT_EXPECT_EQ(test, kref_read(&fake->npu->drm.ref), refs);
}

/* A mapping is where the backend is told, and found by all its addresses. */
static void npu_vm_map(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_vm *vm = file->npu.vm;
	struct npu_bo *bo = npu_fake_bo(file, 3 * PAGE_SIZE);
	unsigned int maps = fake->maps;
	u64 used = atomic64_read(&vm->used), start, size;
	struct npu_mapping *mapping;
	static const int inside[] = { 0, 1, 2 };
	unsigned int i;

	mapping = npu_mapping_create(vm, bo, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	start = mapping->node.start;
	size = mapping->node.size;
	KUNIT_EXPECT_EQ(test, size, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake->maps, maps + npu_fake_iommu(fake, 1));
	if (!fake->npu->direct) {
		KUNIT_EXPECT_EQ(test, fake->map_addr, start);
		KUNIT_EXPECT_TRUE(test, fake->map_writable);
	}
	KUNIT_EXPECT_TRUE(test, mapping->writable);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm->used), used + size);

	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		u64 addr = start + inside[i] * (size - 1) / 2;

		KUNIT_EXPECT_PTR_EQ(test, npu_mapping_find(vm, addr), mapping);
		KUNIT_EXPECT_EQ(test, kref_read(&mapping->ref), 2);
		npu_mapping_put(mapping);
	}
	KUNIT_EXPECT_EQ(test, fake->unmaps, 0);
	npu_mapping_put(mapping);
	KUNIT_EXPECT_EQ(test, fake->unmaps, npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm->used), used);
	KUNIT_EXPECT_NULL(test, npu_mapping_find(vm, start));
	KUNIT_EXPECT_NULL(test, npu_mapping_find(vm, start + size - 1));
}

/* Nothing is at the start or the end of what can be addressed, nor beyond. */
static void npu_vm_find_none(struct kunit *test)
{
	static const u64 addresses[] = {
		0, 1, SZ_4K, SZ_64K - 1, SZ_2G, U32_MAX, BIT_ULL(32), U64_MAX - 1,
	};
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_mapping *streams = file->streams;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		KUNIT_EXPECT_NULL_MSG(test, npu_mapping_find(file->npu.vm, addresses[i]),
				      "at %#llx", addresses[i]);
	KUNIT_EXPECT_NULL(test, npu_mapping_find(file->npu.vm,
						 streams->node.start - 1));
	KUNIT_EXPECT_NULL(test, npu_mapping_find(file->npu.vm, streams->node.start +
						 streams->node.size));
}

/* What the device may only read is mapped so. */
static void npu_vm_read_only(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_mapping *mapping;

	mapping = npu_fake_map(file, npu_fake_bo(file, PAGE_SIZE), false);
	KUNIT_EXPECT_FALSE(test, fake->map_writable);
	KUNIT_EXPECT_FALSE(test, mapping->writable);
	mapping = npu_fake_map(file, mapping->bo, true);
	KUNIT_EXPECT_TRUE(test, fake->map_writable);
	KUNIT_EXPECT_TRUE(test, mapping->writable);
}

#define NPU_VM_BUFFERS	24

/* No two mappings overlap, whatever comes and goes, and none is in page 0. */
static void npu_vm_layout(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_mapping *mappings[NPU_VM_BUFFERS];
	struct npu_bo *bos[NPU_VM_BUFFERS];
	unsigned int i, j, round;

	for (i = 0; i < NPU_VM_BUFFERS; i++) {
		bos[i] = npu_fake_bo(file, (1 + i % 5) * PAGE_SIZE);
		mappings[i] = npu_mapping_create(file->npu.vm, bos[i], true);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mappings[i]);
	}
	for (round = 0; round < 3; round++) {
		for (i = round; i < NPU_VM_BUFFERS; i += 2 + round)
			npu_mapping_put(mappings[i]);
		/* In the other order, so that sizes come to other holes. */
		for (i = NPU_VM_BUFFERS; i-- > round;)
			if ((i - round) % (2 + round) == 0)
				mappings[i] = npu_mapping_create(file->npu.vm, bos[i], true);
		for (i = 0; i < NPU_VM_BUFFERS; i++) {
			const struct drm_mm_node *a = &mappings[i]->node;

			KUNIT_EXPECT_GE(test, a->start, PAGE_SIZE);
			KUNIT_EXPECT_EQ(test, a->start % PAGE_SIZE, 0);
			KUNIT_EXPECT_LE(test, a->start + a->size, BIT_ULL(32));
			for (j = 0; j < i; j++) {
				const struct drm_mm_node *b = &mappings[j]->node;

				KUNIT_EXPECT_TRUE(test, a->start + a->size <= b->start ||
						  b->start + b->size <= a->start);
			}
		}
	}
	for (i = 0; i < NPU_VM_BUFFERS; i++)
		npu_mapping_put(mappings[i]);
}

/* A buffer has an address in each address space. */
static void npu_vm_two(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *one = npu_fake_open(fake);
	struct npu_fake_file *two = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(one, PAGE_SIZE);
	struct npu_mapping *a = npu_fake_map(one, bo, true);
	struct npu_mapping *b;

	KUNIT_EXPECT_NULL(test, npu_mapping_find(two->npu.vm, a->node.start));
	b = npu_fake_map(two, bo, true);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_find(one->npu.vm, a->node.start), a);
	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_find(two->npu.vm, b->node.start), b);
	npu_mapping_put(a);
	npu_mapping_put(b);
}

/* Where there is no place, nothing changes; the last bytes can be had. */
static void npu_vm_full(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(file, 2 * PAGE_SIZE);
	struct npu_bo *small = npu_fake_bo(file, PAGE_SIZE);
	struct npu_vm *vm = file->npu.vm;
	u64 used = atomic64_read(&vm->used);
	struct drm_mm_node rest = {};
	struct npu_mapping *mapping;
	unsigned int maps = fake->maps;
	u64 start = file->streams->node.start + PAGE_SIZE;

	/* Streams came first, at the start; all above but one page is taken. */
	KUNIT_ASSERT_EQ(test, file->streams->node.start, SZ_64K);
	mutex_lock(&vm->lock);
	rest.start = start;
	rest.size = BIT_ULL(32) - PAGE_SIZE - start;
	KUNIT_EXPECT_EQ(test, drm_mm_reserve_node(&vm->mm, &rest), 0);
	mutex_unlock(&vm->lock);

	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_create(vm, bo, true), ERR_PTR(-ENOSPC));
	KUNIT_EXPECT_EQ(test, fake->maps, maps);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm->used), used);
	mapping = npu_mapping_create(vm, small, true);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, mapping);
	if (!IS_ERR(mapping)) {
		KUNIT_EXPECT_EQ(test, mapping->node.start, BIT_ULL(32) - PAGE_SIZE);
		npu_mapping_put(mapping);
	}
	mutex_lock(&vm->lock);
	drm_mm_remove_node(&rest);
	mutex_unlock(&vm->lock);
}

/* What the backend cannot map is not mapped. */
static void npu_vm_map_failure(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(file, PAGE_SIZE);
	struct npu_vm *vm = file->npu.vm;
	unsigned int refs = kref_read(&vm->ref);
	unsigned int bo_refs = kref_read(&bo->base.base.refcount);
	struct npu_mapping *mapping;
	u64 used = atomic64_read(&vm->used);

	fake->vm_map_error = -ENOMEM;
	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_create(vm, bo, true), ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, kref_read(&vm->ref), refs);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.base.refcount), bo_refs);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm->used), used);
	fake->vm_map_error = 0;
	mapping = npu_fake_map(file, bo, true);
	KUNIT_EXPECT_EQ(test, mapping->node.start, SZ_64K + PAGE_SIZE);
}

/* A mapping keeps its buffer and its address space; a job keeps its mappings. */
static void npu_vm_references(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_device *npu = fake->npu;
	struct npu_vm *vm = npu_vm_create(npu);
	struct npu_job *job = npu_job_create(npu, 1);
	struct npu_mapping *mapping;
	struct npu_bo *bo;
	u64 start;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	KUNIT_ASSERT_NOT_NULL(test, job);
	bo = npu_bo_create(npu, PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	mapping = npu_mapping_create(vm, bo, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	npu_bo_put(bo);
	KUNIT_EXPECT_EQ(test, atomic_read(&npu->buffer_objects), 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&npu->used), PAGE_SIZE);

	start = mapping->node.start;
	KUNIT_ASSERT_EQ(test, xa_insert(&job->used, start >> PAGE_SHIFT, mapping,
					GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, npu_job_uses(job, mapping, false));
	KUNIT_EXPECT_FALSE(test, npu_job_uses(job, mapping, true));
	xa_set_mark(&job->used, start >> PAGE_SHIFT, NPU_JOB_WRITES);
	KUNIT_EXPECT_TRUE(test, npu_job_uses(job, mapping, true));
	npu_vm_put(vm);
	KUNIT_EXPECT_EQ(test, fake->vms, npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_EQ(test, fake->unmaps, 0);
	npu_job_put(job);
	KUNIT_EXPECT_EQ(test, fake->unmaps, npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_EQ(test, fake->vms, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&npu->buffer_objects), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&npu->used), 0);
}

/* All handles of a file have one mapping, which goes with the last of them. */
static void npu_vm_handles(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_file *stranger = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(file, PAGE_SIZE);
	unsigned int maps = fake->maps;
	struct npu_mapping *mapping;
	u32 handles[2];

	KUNIT_EXPECT_NULL(test, npu_bo_get_mapping(bo, file->npu.vm));
	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(&file->drm, &bo->base.base,
						    &handles[0]), 0);
	KUNIT_ASSERT_EQ(test, drm_gem_handle_create(&file->drm, &bo->base.base,
						    &handles[1]), 0);
	KUNIT_EXPECT_EQ(test, fake->maps, maps + npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_NULL(test, npu_bo_get_mapping(bo, stranger->npu.vm));
	mapping = npu_bo_get_mapping(bo, file->npu.vm);
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	KUNIT_EXPECT_EQ(test, mapping->handles, 2);
	KUNIT_EXPECT_EQ(test, kref_read(&mapping->ref), 2);
	npu_mapping_put(mapping);
	drm_gem_handle_delete(&file->drm, handles[0]);
	KUNIT_EXPECT_EQ(test, fake->unmaps, 0);
	drm_gem_handle_delete(&file->drm, handles[1]);
	KUNIT_EXPECT_EQ(test, fake->unmaps, npu_fake_iommu(fake, 1));
	KUNIT_EXPECT_NULL(test, npu_bo_get_mapping(bo, file->npu.vm));
}

/* After unplugging nothing can be mapped, but everything can be closed. */
static void npu_vm_unplugged(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(file, PAGE_SIZE);
	struct npu_mapping *mapping = npu_mapping_create(file->npu.vm, bo, true);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapping);
	npu_fake_unplug(fake);
	KUNIT_EXPECT_NULL(test, file->npu.vm->hw);
	KUNIT_EXPECT_EQ(test, fake->vms, 0);
	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_create(file->npu.vm, bo, true),
			    ERR_PTR(-ENODEV));
	KUNIT_EXPECT_PTR_EQ(test, npu_mapping_find(file->npu.vm, mapping->node.start),
			    mapping);
	npu_mapping_put(mapping);
	npu_mapping_put(mapping);
	KUNIT_EXPECT_EQ(test, fake->unmaps, 0);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_vm_cases[] = {
	NPU_FAKE_CASE(npu_vm_life),
	KUNIT_CASE(npu_vm_create_failure),
	NPU_FAKE_CASE(npu_vm_map),
	NPU_FAKE_CASE(npu_vm_find_none),
	KUNIT_CASE(npu_vm_read_only),
	NPU_FAKE_CASE(npu_vm_layout),
	NPU_FAKE_CASE(npu_vm_two),
	KUNIT_CASE(npu_vm_full),
	KUNIT_CASE(npu_vm_map_failure),
	NPU_FAKE_CASE(npu_vm_references),
	NPU_FAKE_CASE(npu_vm_handles),
	NPU_FAKE_CASE(npu_vm_unplugged),
	{}
};

static struct kunit_suite npu_vm_suite = {
	.name = "npu_vm",
	.test_cases = npu_vm_cases,
};

kunit_test_suite(npu_vm_suite);
