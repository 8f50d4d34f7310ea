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
	KUNIT_EXPECT_EQ(test, npu_residency_ask(r->bo[i], r->mapping[i], want, 0),
			0);
	flush_work(&r->mapping[i]->vm->mover.work);
}

/* Sleep, so that the chip forgets. */
static void residents_sleep(struct residents *r)
{
	npu_device_suspend(r->fake->npu);
	memset(r->fake->sram, JUNK, r->fake->npu->desc.sram.size);
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
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram.pinned, 2);
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
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram.used, 0);
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
	KUNIT_EXPECT_EQ(test, r.fake->npu->mem->sram.used, 0);
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

	KUNIT_ASSERT_EQ(test, npu_residency_ask(all, whole, PIN, 0), 0);
	for (i = 0; i < ARRAY_SIZE(bo); i++) {
		bo[i] = npu_fake_bo(file, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, npu_residency_ask(bo[i], npu_fake_map(file, bo[i], true),
							PREFER, i % 3), 0);
	}
	KUNIT_ASSERT_EQ(test, npu_residency_ask(all, whole, NONE, 0), 0);
	flush_delayed_work(&fake->npu->mem->sram_work);
	flush_work(&whole->vm->mover.work);
	for (i = 0; i < ARRAY_SIZE(bo); i++)
		KUNIT_EXPECT_TRUE(test, bo[i]->residency.inside);
}

static struct kunit_case npu_residency_cases[] = {
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
