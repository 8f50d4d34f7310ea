// SPDX-License-Identifier: GPL-2.0-only
/* Which memory is handed over between the CPU and a device without its caches. */
#include <linux/dma-mapping.h>

#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "../../driver/core/api/npu_api.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_residency.h"
#include "../../driver/core/mem/npu_sync.h"
#include "../../driver/core/mem/npu_vm.h"
#include "../../driver/rknn/rknn_rocket.h"
#include "npu_accel.h"
#include "npu_fake.h"
#include "rocket_accel.h"

#define PAGES	4

/**
 * struct sync_seen - what was handed over
 */
struct sync_seen {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @file: A file. */
	struct npu_fake_file *file;
	/** @bo: Its buffer of %PAGES pages. */
	struct npu_bo *bo;
	/** @handle: The buffer's handle. */
	u32 handle;
	/** @calls: Pieces handed to the device and to the CPU. */
	unsigned int calls[2];
	/** @bytes: Their bytes. */
	u64 bytes[2];
	/** @first: The first byte that was handed over, by DMA address. */
	dma_addr_t first;
};

static void sync_count(struct device *dev, dma_addr_t addr, size_t size, bool for_cpu)
{
	struct sync_seen *seen = kunit_get_current_test()->priv;

	if (!seen->calls[0] && !seen->calls[1])
		seen->first = addr;
	seen->calls[for_cpu]++;
	seen->bytes[for_cpu] += size;
}

static struct sync_seen *sync_create(struct kunit *test, bool noncoherent, u32 flags)
{
	struct sync_seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);
	struct drm_npu_query_buffer info;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	seen->fake = npu_fake_create_sram(test, 1, 2 * PAGES);
	seen->fake->npu->desc.noncoherent = noncoherent;
	seen->file = npu_fake_open(seen->fake);
	KUNIT_ASSERT_EQ(test, npu_bo_create_handle(&seen->file->drm, PAGES * PAGE_SIZE, flags,
						   &info, &seen->handle), 0);
	seen->bo = to_npu_bo(drm_gem_object_lookup(&seen->file->drm, seen->handle));
	/* The handle keeps it. */
	npu_bo_put(seen->bo);
	test->priv = seen;
	kunit_activate_static_stub(test, npu_sync_dma, sync_count);
	return seen;
}

static int sync_call(struct sync_seen *seen, u32 direction, u64 offset, u64 length)
{
	struct drm_npu_bo_sync args = {
		.handle = seen->handle,
		.direction = direction,
		.offset = offset,
		.length = length,
	};

	return npu_bo_sync_ioctl(&seen->fake->npu->drm, &args, &seen->file->drm);
}

/* A range is handed over, and nothing beside it. */
static void npu_sync_ranges(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, true, DRM_NPU_BO_CACHED);
	u64 all = PAGES * PAGE_SIZE;

	KUNIT_EXPECT_FALSE(test, seen->bo->base.map_wc);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_DEVICE, 0, all), 0);
	KUNIT_EXPECT_EQ(test, seen->bytes[0], all);
	KUNIT_EXPECT_EQ(test, seen->bytes[1], 0);
	KUNIT_EXPECT_EQ(test, seen->first, sg_dma_address(seen->bo->base.sgt->sgl));
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, PAGE_SIZE - 8, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, seen->bytes[1], PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, seen->bytes[0], all);
	memset(seen->calls, 0, sizeof(seen->calls));
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, 16, 1), 0);
	KUNIT_EXPECT_EQ(test, seen->calls[1], 1);
	KUNIT_EXPECT_EQ(test, seen->first, sg_dma_address(seen->bo->base.sgt->sgl) + 16);
}

/* Bad ranges hand nothing over. */
static void npu_sync_bad(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, true, DRM_NPU_BO_CACHED);
	u64 all = PAGES * PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, sync_call(seen, 2, 0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, 0, all + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, all, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, 1, U64_MAX), -EINVAL);
	seen->handle++;
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_CPU, 0, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, seen->calls[0] + seen->calls[1], 0);
}

/* Write-combined memory needs nothing. */
static void npu_sync_write_combined(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, true, 0);

	KUNIT_EXPECT_TRUE(test, seen->bo->base.map_wc);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_DEVICE, 0, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, seen->calls[0], 0);
}

/* Nor do devices that see the caches. */
static void npu_sync_coherent(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, false, DRM_NPU_BO_CACHED);

	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_DEVICE, 0, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, seen->calls[0], 0);
}

/* Nor does a buffer that is on the chip, until it is back. */
static void npu_sync_on_chip(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, true, DRM_NPU_BO_CACHED);
	struct npu_mapping *mapping = npu_bo_get_mapping(seen->bo, seen->file->npu.vm);

	KUNIT_ASSERT_NOT_NULL(test, mapping);
	KUNIT_ASSERT_EQ(test, npu_residency_ask(seen->bo, mapping, NPU_REGION_CHIP,
						DRM_NPU_RESIDENCY_PIN, 0), 0);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_DEVICE, 0, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, seen->calls[0], 0);
	KUNIT_ASSERT_EQ(test, npu_residency_ask(seen->bo, mapping, NPU_REGION_CHIP,
						DRM_NPU_RESIDENCY_NONE, 0), 0);
	KUNIT_EXPECT_EQ(test, sync_call(seen, DRM_NPU_SYNC_FOR_DEVICE, 0, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, seen->bytes[0], PAGE_SIZE);
	npu_mapping_put(mapping);
}

/* PREP and FINI of mainline's rocket hand over whole buffers, which are cached. */
static void npu_sync_rocket(struct kunit *test)
{
	struct sync_seen *seen = sync_create(test, true, DRM_NPU_BO_CACHED);
	struct drm_rocket_create_bo create = { .size = PAGES * PAGE_SIZE };
	struct drm_device *drm = &seen->fake->npu->drm;
	struct drm_rocket_prep_bo prep = {};
	struct drm_rocket_fini_bo fini = {};

	KUNIT_ASSERT_EQ(test, rknn_rocket_create_bo_ioctl(drm, &create, &seen->file->drm), 0);
	prep.handle = create.handle;
	fini.handle = create.handle;
	KUNIT_EXPECT_EQ(test, rknn_rocket_prep_bo_ioctl(drm, &prep, &seen->file->drm), 0);
	KUNIT_EXPECT_EQ(test, seen->bytes[1], PAGES * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, seen->bytes[0], 0);
	KUNIT_EXPECT_EQ(test, rknn_rocket_fini_bo_ioctl(drm, &fini, &seen->file->drm), 0);
	KUNIT_EXPECT_EQ(test, seen->bytes[0], PAGES * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, seen->bytes[1], PAGES * PAGE_SIZE);
}

static struct kunit_case npu_sync_cases[] = {
	KUNIT_CASE(npu_sync_ranges),
	KUNIT_CASE(npu_sync_bad),
	KUNIT_CASE(npu_sync_write_combined),
	KUNIT_CASE(npu_sync_coherent),
	KUNIT_CASE(npu_sync_on_chip),
	KUNIT_CASE(npu_sync_rocket),
	{}
};

static struct kunit_suite npu_sync_suite = {
	.name = "npu_sync",
	.test_cases = npu_sync_cases,
};

kunit_test_suite(npu_sync_suite);
