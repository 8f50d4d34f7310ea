// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device without an IOMMU whose streams are bytes (npu_toy.h): buffers are one piece
 * of memory, jobs do not leave the buffers of their file, and tasks are started one by
 * one. What holds for all devices is tested elsewhere, see NPU_FAKE_CASE().
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <kunit/test.h>

#include "../../driver/compat.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/include/npu_family.h"
#include "../../driver/core/include/npu_isa.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_contig.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_fake.h"
#include "npu_toy.h"

#define THROUGHPUT		DRM_NPU_CLASS_THROUGHPUT
#define NPU_TOY_TASKS		4

/**
 * struct npu_toy_user - a file with two buffers
 */
struct npu_toy_user {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @file: The file. */
	struct npu_fake_file *file;
	/** @dst: A buffer of three pages. */
	struct npu_mapping *dst;
	/** @src: A buffer of a page, which the device may only read. */
	struct npu_mapping *src;
	/** @fault: Why the job that was made last was refused. */
	struct npu_isa_fault fault;
};

/* A mapping that a file has a handle of, as far as jobs look. */
static struct npu_mapping *npu_toy_map(struct npu_fake_file *file, u64 size,
				       bool writable)
{
	struct npu_mapping *mapping = npu_fake_map(file, npu_fake_bo(file, size),
						   writable);

	mapping->handles = 1;
	return mapping;
}

static struct npu_toy_user *npu_toy_user(struct kunit *test)
{
	struct npu_toy_user *user = kunit_kzalloc(test, sizeof(*user), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, user);
	user->fake = npu_fake_create(test, 1);
	user->file = npu_fake_open(user->fake);
	user->dst = npu_toy_map(user->file, 3 * PAGE_SIZE, true);
	user->src = npu_toy_map(user->file, PAGE_SIZE, false);
	return user;
}

/* The memory of a mapping. */
static u8 *npu_toy_bytes_of(struct npu_mapping *mapping)
{
	return page_address(mapping->bo->base.pages[0]);
}

/*
 * Build a job of one lane. Task i has the @sizes[i] bytes at @streams, and those of
 * the next follow; a size of 0 ends the lane.
 */
static struct npu_job *npu_toy_job(struct npu_toy_user *user, const u8 *streams,
				   const u32 *sizes, int expected)
{
	struct kunit *test = user->fake->test;
	struct npu_fake_file *file = user->file;
	struct npu_job_builder builder = {
		.job = npu_job_create(user->fake->npu, 1),
		.vm = file->npu.vm,
		.isa = npu_toy_family.isa,
		.tasks = kvcalloc(NPU_TOY_TASKS, sizeof(*builder.tasks), GFP_KERNEL),
		.copy = kvmalloc(SZ_1K, GFP_KERNEL),
	};
	u32 i, place = 0, id;

	KUNIT_ASSERT_NOT_NULL(test, builder.job);
	KUNIT_ASSERT_NOT_NULL(test, builder.tasks);
	KUNIT_ASSERT_NOT_NULL(test, builder.copy);
	for (i = 0; i < NPU_TOY_TASKS && sizes[i]; i++) {
		builder.tasks[i].commands = place;
		builder.tasks[i].command_count = sizes[i];
		place += sizes[i];
	}
	memcpy(builder.copy, streams, place);
	builder.job->lanes[0].task_count = i;
	user->fault = (struct npu_isa_fault) { .reason = DRM_NPU_FAULT_NONE };
	KUNIT_EXPECT_EQ(test, npu_job_build(&builder, &user->fault), expected);
	npu_job_builder_fini(&builder);
	/* It goes with the file. */
	KUNIT_ASSERT_EQ(test, xa_alloc(&file->npu.jobs, &id, builder.job,
				       xa_limit_31b, GFP_KERNEL), 0);
	return builder.job;
}

/* What the core has been given does what its author wrote. */
static void npu_toy_computes(struct kunit *test)
{
	struct npu_toy_user *user = npu_toy_user(test);
	struct npu_context *ctx = npu_fake_context(user->file, 1, 8, THROUGHPUT);
	u8 *dst = npu_toy_bytes_of(user->dst);
	u8 streams[64];
	u32 sizes[NPU_TOY_TASKS] = {};
	struct npu_job *job;

	memset(npu_toy_bytes_of(user->src), 0x5a, PAGE_SIZE);
	/* Odd lengths and places, up to the last byte of both. */
	sizes[0] = npu_toy_fill(streams, user->dst->node.start + 1, 7, 3);
	sizes[0] += npu_toy_copy(streams + sizes[0],
				 user->dst->node.start + 3 * PAGE_SIZE - 5,
				 user->src->node.start + PAGE_SIZE - 5, 5);
	job = npu_toy_job(user, streams, sizes, 0);
	KUNIT_EXPECT_TRUE(test, npu_job_uses(job, user->dst, true));
	KUNIT_EXPECT_TRUE(test, npu_job_uses(job, user->src, false));
	KUNIT_EXPECT_FALSE(test, npu_job_uses(job, user->src, true));
	npu_fake_queue(user->fake, ctx, job);
	KUNIT_EXPECT_EQ(test, npu_toy_execute(user->fake, &user->fake->cores[0].lane), 2);
	npu_fake_end(user->fake, 0, 0);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), 0);
	KUNIT_EXPECT_EQ(test, dst[0], 0);
	KUNIT_EXPECT_EQ(test, dst[1], 7);
	KUNIT_EXPECT_EQ(test, dst[3], 7);
	KUNIT_EXPECT_EQ(test, dst[4], 0);
	KUNIT_EXPECT_EQ(test, dst[3 * PAGE_SIZE - 6], 0);
	KUNIT_EXPECT_EQ(test, dst[3 * PAGE_SIZE - 5], 0x5a);
	KUNIT_EXPECT_EQ(test, dst[3 * PAGE_SIZE - 1], 0x5a);
}

/* Without links each task is a start of its own, in order, also alone on the device. */
static void npu_toy_starts(struct kunit *test)
{
	struct npu_toy_user *user = npu_toy_user(test);
	struct npu_context *ctx = npu_fake_context(user->file, 1, 8, THROUGHPUT);
	const struct npu_fake_core *core = &user->fake->cores[0];
	u32 sizes[NPU_TOY_TASKS] = {}, i, place = 0;
	struct npu_job *job;
	u8 streams[64];

	for (i = 0; i < 3; i++) {
		sizes[i] = npu_toy_fill(streams + place, user->dst->node.start, i + 1,
					i + 1);
		place += sizes[i];
	}
	job = npu_toy_job(user, streams, sizes, 0);
	/* No limit. */
	user->fake->policy.slice_us = 0;
	npu_fake_queue(user->fake, ctx, job);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, core->kicks, i + 1);
		KUNIT_EXPECT_EQ(test, core->lane.task_count, 1);
		KUNIT_EXPECT_EQ(test, core->lane.stream, job->streams->node.start +
				i * NPU_TOY_ALIGN);
		/* Bytes: the stream, its end, and what rounds it up. */
		KUNIT_EXPECT_EQ(test, core->lane.stream_words, NPU_TOY_ALIGN);
		KUNIT_EXPECT_EQ(test, npu_toy_execute(user->fake, &core->lane), 1);
		KUNIT_EXPECT_EQ(test, npu_toy_bytes_of(user->dst)[i], i + 1);
		npu_fake_end(user->fake, 0, 0);
	}
	KUNIT_EXPECT_TRUE(test, npu_fake_completed(ctx, 1));
	NPU_EXPECT_IDLE(user->fake, 0);
}

/* An operand that is not all in one buffer, or may not be written, is refused. */
static void npu_toy_bounds(struct kunit *test)
{
	struct npu_toy_user *user = npu_toy_user(test);
	struct npu_fake_file *other = npu_fake_open(user->fake);
	struct npu_mapping *theirs = npu_toy_map(other, PAGE_SIZE, true);
	u32 dst = user->dst->node.start, src = user->src->node.start;
	const struct {
		u32 dst, src, bytes;
	} wrong[] = {
		{ dst + 3 * PAGE_SIZE - 4, src, 5 },
		{ dst, src + PAGE_SIZE - 4, 5 },
		{ dst - 1, src, 2 },
		{ dst, src - 1, 2 },
		{ dst, src, 0 },
		/* The device may only read it. */
		{ src, dst, 4 },
		/* The memory of streams has no handle. */
		{ dst, user->file->streams->node.start, 4 },
		{ dst, theirs->node.start, 4 },
		{ theirs->node.start, src, 4 },
		{ dst, 0, 4 },
		{ dst, U32_MAX, 4 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		u32 sizes[NPU_TOY_TASKS] = {}, first;
		u8 streams[32];

		first = npu_toy_fill(streams, dst, 0, 1);
		sizes[0] = first + npu_toy_copy(streams + first, wrong[i].dst,
						wrong[i].src, wrong[i].bytes);
		npu_toy_job(user, streams, sizes, -EINVAL);
		KUNIT_EXPECT_EQ_MSG(test, user->fault.reason, DRM_NPU_FAULT_ADDRESS,
				    "copy %u", i);
		/* Commands are bytes. */
		KUNIT_EXPECT_EQ(test, user->fault.command, first);
	}
}

/* A stream ends with its last operation. */
static void npu_toy_cut_off(struct kunit *test)
{
	struct npu_toy_user *user = npu_toy_user(test);
	u32 sizes[NPU_TOY_TASKS] = {};
	u8 streams[16];

	sizes[0] = npu_toy_fill(streams, user->dst->node.start, 0, 1) - 1;
	npu_toy_job(user, streams, sizes, -EINVAL);
	KUNIT_EXPECT_EQ(test, user->fault.reason, DRM_NPU_FAULT_TARGET);
}

/* Buffers of any size are one piece, where the device and the file have it. */
static void npu_toy_one_piece(struct kunit *test)
{
	static const u32 pages[] = { 1, 2, 3, 5, 16, 33 };
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_fake_file *other = npu_fake_open(fake);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		u64 size = pages[i] * PAGE_SIZE;
		struct npu_mapping *mapping = npu_fake_map(file, npu_fake_bo(file, size),
							   true);
		struct drm_gem_shmem_object *shmem = &mapping->bo->base;

		KUNIT_EXPECT_EQ(test, shmem->sgt->nents, 1);
		KUNIT_EXPECT_EQ(test, sg_dma_address(shmem->sgt->sgl),
				mapping->node.start);
		for (j = 0; j < pages[i]; j++)
			KUNIT_EXPECT_EQ(test, page_to_pfn(shmem->pages[j]),
					page_to_pfn(shmem->pages[0]) + j);
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(shmem->pages[0]), 0, size));
		/* Another file sees it at the same address, if it has it. */
		KUNIT_EXPECT_NULL(test, npu_mapping_find(other->npu.vm,
							 mapping->node.start));
		KUNIT_EXPECT_EQ(test, npu_fake_map(other, mapping->bo, false)->node.start,
				mapping->node.start);
	}
}

/* The kernel's own view of a buffer, and its end, are those of any other. */
static void npu_toy_vmap(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_bo *bo = npu_fake_bo(file, 3 * PAGE_SIZE);
	static const u8 text[] = "over the end of a page";
	struct iosys_map map;
	u8 copy[sizeof(text)];

	KUNIT_ASSERT_EQ(test, npu_gem_vmap(&bo->base.base, &map), 0);
	npu_bo_write(bo, PAGE_SIZE - 5, text, sizeof(text));
	npu_bo_read(bo, &map, PAGE_SIZE - 5, copy, sizeof(copy));
	KUNIT_EXPECT_MEMEQ(test, copy, text, sizeof(text));
	npu_gem_vunmap(&bo->base.base, &map);
}

/* What is scattered, or not of whole pages, the device cannot use. */
static void npu_toy_pieces(struct kunit *test)
{
	static const struct {
		u64 addr[2], len[2];
		int ret;
	} cases[] = {
		{ { 0x10000, 0x11000 }, { 0x1000, 0x2000 }, 0 },
		{ { 0x10000, 0x12000 }, { 0x1000, 0x2000 }, -EOPNOTSUPP },
		{ { 0x12000, 0x10000 }, { 0x1000, 0x2000 }, -EOPNOTSUPP },
		{ { 0x10800, 0x11800 }, { 0x1000, 0x2000 }, -EOPNOTSUPP },
		{ { 0x10000, 0x11000 }, { 0x1000, 0x1000 }, -EOPNOTSUPP },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scatterlist sgl[2];
		struct sg_table sgt = { .sgl = sgl, .nents = 2, .orig_nents = 2 };
		u64 addr = 0;

		sg_init_table(sgl, 2);
		for (j = 0; j < 2; j++) {
			sg_dma_address(&sgl[j]) = cases[i].addr[j];
			sg_dma_len(&sgl[j]) = cases[i].len[j];
		}
		KUNIT_EXPECT_EQ_MSG(test, npu_contig_address(&sgt, 0x3000, &addr),
				    cases[i].ret, "case %u", i);
		KUNIT_EXPECT_EQ(test, addr, cases[i].addr[0]);
	}
}

static void *npu_toy_vm_create(void *hw)
{
	return ERR_PTR(-ENOMEM);
}

/* A device whose dialect does not check bounds needs an IOMMU. */
static void npu_toy_unbounded(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_family *family = kunit_kzalloc(test, sizeof(*family), GFP_KERNEL);
	struct npu_isa_ops isa = *npu_toy_family.isa;
	struct npu_hw_ops ops = *fake->npu->desc.ops;
	struct npu_hw_desc desc = fake->npu->desc;
	struct device *dev = fake->npu->drm.dev;

	KUNIT_ASSERT_NOT_NULL(test, family);
	family->isa = &isa;
	desc.family = family;
	isa.bounded = false;
	KUNIT_EXPECT_PTR_EQ(test, npu_device_create(dev, &desc, fake), ERR_PTR(-EINVAL));
	/* Buffers cannot move to the chip. */
	isa.bounded = true;
	desc.sram[0].size = PAGE_SIZE;
	KUNIT_EXPECT_PTR_EQ(test, npu_device_create(dev, &desc, fake), ERR_PTR(-EINVAL));
	/* Address spaces that no core can have. */
	desc.sram[0].size = 0;
	desc.ops = &ops;
	ops.vm_create = npu_toy_vm_create;
	KUNIT_EXPECT_PTR_EQ(test, npu_device_create(dev, &desc, fake), ERR_PTR(-EINVAL));
}

/* All tests are for this kind of device. */
static int npu_toy_init(struct kunit *test)
{
	test->priv = (void *)&npu_fake_kinds[NPU_FAKE_TOY];
	return 0;
}

static struct kunit_case npu_toy_cases[] = {
	KUNIT_CASE(npu_toy_computes),
	KUNIT_CASE(npu_toy_starts),
	KUNIT_CASE(npu_toy_bounds),
	KUNIT_CASE(npu_toy_cut_off),
	KUNIT_CASE(npu_toy_one_piece),
	KUNIT_CASE(npu_toy_vmap),
	KUNIT_CASE(npu_toy_pieces),
	KUNIT_CASE(npu_toy_unbounded),
	{}
};

static struct kunit_suite npu_toy_suite = {
	.name = "npu_toy",
	.init = npu_toy_init,
	.test_cases = npu_toy_cases,
};

kunit_test_suite(npu_toy_suite);
