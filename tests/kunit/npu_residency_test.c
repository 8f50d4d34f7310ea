// SPDX-License-Identifier: GPL-2.0-only
/* What is in buffers, when the system sleeps and the chip forgets. */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <kunit/test.h>

#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_mem.h"
#include "../../driver/core/mem/npu_residency.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define NONE	DRM_NPU_RESIDENCY_NONE
#define PREFER	DRM_NPU_RESIDENCY_PREFER
#define PIN	DRM_NPU_RESIDENCY_PIN

/* What deep sleep leaves behind, and what buffers have. */
#define JUNK	0x5a
#define DATA	0xd0

/**
 * struct residents - a device with buffers that want to be on the chip
 */
struct residents {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @bo: Two buffers of two pages. */
	struct npu_bo *bo[2];
	/** @mapping: Their mappings. */
	struct npu_mapping *mapping[2];
};

static void residents_init(struct kunit *test, struct residents *r)
{
	struct npu_fake_file *file;
	unsigned int i, page;

	r->fake = npu_fake_create_sram(test, 1, 6);
	file = npu_fake_open(r->fake);
	for (i = 0; i < 2; i++) {
		r->bo[i] = npu_fake_bo(file, 2 * PAGE_SIZE);
		r->mapping[i] = npu_fake_map(file, r->bo[i], true);
		for (page = 0; page < 2; page++)
			memset_page(r->bo[i]->base.pages[page], 0,
				    DATA + 2 * i + page, PAGE_SIZE);
	}
}

static void residents_ask(struct kunit *test, struct residents *r,
			  unsigned int i, enum drm_npu_residency want)
{
	KUNIT_EXPECT_EQ(test, npu_residency_ask(r->bo[i], r->mapping[i],
						NPU_REGION_CHIP, want, 0), 0);
	flush_work(&r->mapping[i]->vm->mover.work);
}

/* Sleep, so that the chip forgets. */
static void residents_sleep(struct residents *r)
{
	npu_device_suspend(r->fake->npu);
	memset(r->fake->sram, JUNK, r->fake->npu->desc.sram[0].size);
}

/* Is buffer @i where it should be, with all that is in it? */
static void residents_expect(struct kunit *test, struct residents *r,
			     unsigned int i, bool inside)
{
	struct npu_residency *residency = &r->bo[i]->residency;
	unsigned int page;

	KUNIT_EXPECT_EQ(test, residency->inside, inside);
	for (page = 0; page < 2; page++) {
		u8 *data = inside ? r->fake->sram +
				    residency->block.pages[page] * PAGE_SIZE :
				    page_address(r->bo[i]->base.pages[page]);

		KUNIT_EXPECT_PTR_EQ(test, memchr_inv(data, DATA + 2 * i + page,
						     PAGE_SIZE), NULL);
	}
}

/* Who is inside is there again afterwards, in the same place. */
static void npu_residency_sleeps(struct kunit *test)
{
	struct residents r;
	u32 pages[2];

	residents_init(test, &r);
	residents_ask(test, &r, 0, PIN);
	residents_ask(test, &r, 1, PREFER);
	residents_expect(test, &r, 0, true);
	residents_expect(test, &r, 1, true);
	memcpy(pages, r.bo[0]->residency.block.pages, sizeof(pages));

	residents_sleep(&r);
	residents_expect(test, &r, 0, false);
	residents_expect(test, &r, 1, false);
	KUNIT_EXPECT_EQ(test, r.fake->moves, 4);
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram[0].pinned, 2);
	npu_device_resume(r.fake->npu);
	residents_expect(test, &r, 0, true);
	residents_expect(test, &r, 1, true);
	KUNIT_EXPECT_MEMEQ(test, pages, r.bo[0]->residency.block.pages,
			   sizeof(pages));
	KUNIT_EXPECT_EQ(test, r.fake->moves, 6);
}

/* Who asks while the chip sleeps comes in when it wakes. */
static void npu_residency_asks_asleep(struct kunit *test)
{
	struct residents r;

	residents_init(test, &r);
	residents_sleep(&r);
	residents_ask(test, &r, 0, PIN);
	residents_ask(test, &r, 1, PREFER);
	residents_expect(test, &r, 0, false);
	residents_expect(test, &r, 1, false);
	KUNIT_EXPECT_EQ(test, r.fake->moves, 0);
	npu_device_resume(r.fake->npu);
	residents_expect(test, &r, 0, true);
	residents_expect(test, &r, 1, true);
}

/* Who leaves meanwhile, or goes for good, does not come back. */
static void npu_residency_leaves_asleep(struct kunit *test)
{
	struct residents r;

	residents_init(test, &r);
	residents_ask(test, &r, 0, PIN);
	residents_ask(test, &r, 1, PREFER);
	residents_sleep(&r);
	residents_ask(test, &r, 0, NONE);
	npu_residency_end(r.mapping[1]);
	npu_device_resume(r.fake->npu);
	residents_expect(test, &r, 0, false);
	residents_expect(test, &r, 1, false);
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram[0].used, 0);
	/* The next has nothing of the sleep about it. */
	residents_ask(test, &r, 0, PREFER);
	residents_expect(test, &r, 0, true);
}

/* The device may go while it sleeps. */
static void npu_residency_unplugged_asleep(struct kunit *test)
{
	struct residents r;

	residents_init(test, &r);
	residents_ask(test, &r, 0, PIN);
	residents_sleep(&r);
	npu_fake_unplug(r.fake);
	residents_expect(test, &r, 0, false);
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram[0].used, 0);
	npu_device_resume(r.fake->npu);
	residents_expect(test, &r, 0, false);
}

/* No thread of a client moves buffers while a gate is closed. */
static void npu_residency_moves_in_worker(struct kunit *test)
{
	struct residents r;

	residents_init(test, &r);
	r.fake->gate = &r.mapping[0]->vm->gate;
	residents_ask(test, &r, 0, PIN);
	KUNIT_ASSERT_EQ(test, r.fake->moves, 1);
	KUNIT_EXPECT_TRUE(test, r.fake->moved_in_worker);
	residents_ask(test, &r, 0, NONE);
	KUNIT_ASSERT_EQ(test, r.fake->moves, 2);
	KUNIT_EXPECT_TRUE(test, r.fake->moved_in_worker);
	r.fake->gate = NULL;
}

/* All that fits comes in when there is room, in however many steps. */
static void npu_residency_fills(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create_sram(test, 1, 40);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *all = npu_fake_bo(file, 40 * PAGE_SIZE);
	struct npu_mapping *whole = npu_fake_map(file, all, true);
	struct npu_bo *bo[40];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, npu_residency_ask(all, whole, NPU_REGION_CHIP, PIN, 0), 0);
	for (i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = npu_fake_bo(file, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, npu_residency_ask(bo[i], npu_fake_map(file, bo[i], true),
							NPU_REGION_CHIP, PREFER, i % 3), 0);
	}
	KUNIT_ASSERT_EQ(test, npu_residency_ask(all, whole, NPU_REGION_CHIP, NONE, 0), 0);
	flush_delayed_work(&fake->npu->mem->sram_work);
	flush_work(&whole->vm->mover.work);
	for (i = 0; i < ARRAY_SIZE(bo); i++)
		KUNIT_EXPECT_TRUE(test, bo[i]->residency.inside);
}

/* What a region has in use, by what QUERY tells a file. */
static void regions_expect(struct kunit *test, struct npu_fake_file *file,
			   u32 region, u32 used, u32 pinned)
{
	struct drm_npu_query_region record = {};

	npu_residency_query_region(file->fake->npu, file->npu.vm, region,
				   &record);
	KUNIT_EXPECT_EQ(test, record.kind, DRM_NPU_REGION_SRAM);
	KUNIT_EXPECT_EQ(test, record.used, used * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, record.file_used, used * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, record.pinned, pinned * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, record.file_pinned, pinned * PAGE_SIZE);
}

/* Where a buffer is, and where it is wanted, by what QUERY tells. */
static void regions_expect_buffer(struct kunit *test, struct npu_bo *bo,
				  u32 region, u32 asked)
{
	struct drm_npu_query_buffer info = {};

	npu_residency_query(bo, &info);
	KUNIT_EXPECT_EQ(test, info.region, region);
	KUNIT_EXPECT_EQ(test, info.asked_region, asked);
}

/* A full region has nothing to do with the other, which has room. */
static void npu_residency_regions(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create_srams(test, 1, 4, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *first = npu_fake_bo(file, 4 * PAGE_SIZE);
	struct npu_bo *second = npu_fake_bo(file, 2 * PAGE_SIZE);
	struct npu_mapping *a = npu_fake_map(file, first, true);
	struct npu_mapping *b = npu_fake_map(file, second, true);

	KUNIT_EXPECT_EQ(test, npu_region_count(fake->npu), 3);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(first, a, 2, PIN, 0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(first, a, 1, PIN, 0), 0);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(second, b, 1, PIN, 0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(second, b, 2, PIN, 0), 0);
	regions_expect(test, file, 1, 4, 4);
	regions_expect(test, file, 2, 2, 2);
	regions_expect_buffer(test, first, 1, 1);
	regions_expect_buffer(test, second, 2, 2);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(second, b, 1, NONE, 0), 0);
	regions_expect(test, file, 1, 4, 4);
	regions_expect(test, file, 2, 0, 0);
	regions_expect_buffer(test, second, 0, 0);
}

/* A buffer is wanted in one region at a time, and waits for that alone. */
static void npu_residency_one_region(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create_srams(test, 1, 4, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *full = npu_fake_bo(file, 4 * PAGE_SIZE);
	struct npu_bo *bo = npu_fake_bo(file, 2 * PAGE_SIZE);
	struct npu_mapping *mapping = npu_fake_map(file, bo, true);

	KUNIT_ASSERT_EQ(test, npu_residency_ask(full, npu_fake_map(file, full, true),
						1, PIN, 0), 0);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 1, PREFER, 0), 0);
	flush_work(&mapping->vm->mover.work);
	regions_expect_buffer(test, bo, 0, 1);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 2, PREFER, 0),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 2, PIN, 0), -EBUSY);
	regions_expect_buffer(test, bo, 0, 1);

	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 1, NONE, 0), 0);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 2, PREFER, 0), 0);
	flush_work(&mapping->vm->mover.work);
	regions_expect_buffer(test, bo, 2, 2);
	KUNIT_EXPECT_EQ(test, npu_residency_ask(bo, mapping, 1, PIN, 0), -EBUSY);
	regions_expect_buffer(test, bo, 2, 2);
}

/* Each region has its own memory, also after the chip has forgotten it. */
static void npu_residency_regions_sleep(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create_srams(test, 1, 4, 3);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo[2];
	u32 i, page;

	for (i = 0; i < 2; i++) {
		struct npu_mapping *mapping;

		bo[i] = npu_fake_bo(file, 2 * PAGE_SIZE);
		mapping = npu_fake_map(file, bo[i], true);
		for (page = 0; page < 2; page++)
			memset_page(bo[i]->base.pages[page], 0, DATA + i,
				    PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, npu_residency_ask(bo[i], mapping, 1 + i,
							PIN, 0), 0);
	}
	npu_device_suspend(fake->npu);
	memset(fake->sram, JUNK, 7 * PAGE_SIZE);
	npu_device_resume(fake->npu);
	for (i = 0; i < 2; i++) {
		const void *chip = fake->npu->desc.sram[i].vaddr;

		for (page = 0; page < 2; page++) {
			u32 place = bo[i]->residency.block.pages[page];

			KUNIT_EXPECT_NULL(test,
					  memchr_inv(chip + place * PAGE_SIZE,
						     DATA + i, PAGE_SIZE));
		}
	}
}

static struct kunit_case npu_residency_cases[] = {
	KUNIT_CASE(npu_residency_regions),
	KUNIT_CASE(npu_residency_one_region),
	KUNIT_CASE(npu_residency_regions_sleep),
	KUNIT_CASE(npu_residency_moves_in_worker),
	KUNIT_CASE(npu_residency_fills),
	KUNIT_CASE(npu_residency_sleeps),
	KUNIT_CASE(npu_residency_asks_asleep),
	KUNIT_CASE(npu_residency_leaves_asleep),
	KUNIT_CASE(npu_residency_unplugged_asleep),
	{}
};

static struct kunit_suite npu_residency_suite = {
	.name = "npu_residency",
	.test_cases = npu_residency_cases,
};

kunit_test_suite(npu_residency_suite);
