// SPDX-License-Identifier: GPL-2.0-only
/* QUERY: sizes, records, what it refuses. */
#include <linux/mman.h>
#include <linux/uaccess.h>

#include <kunit/test.h>

#include "../../driver/core/api/npu_api.h"
#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/include/npu_isa.h"
#include "../../driver/core/mem/npu_bo.h"
#include "../../driver/core/mem/npu_vm.h"
#include "../../driver/rknn/rknn.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT
/* What user memory has before. */
#define POISON		0xa5

/**
 * struct npu_query_user - a client
 */
struct npu_query_user {
	/** @fake: The device. */
	struct npu_fake *fake;
	/** @file: Its file. */
	struct npu_fake_file *file;
	/** @page: A page of its memory; the next one is not its. */
	u64 page;
	/** @copy: What is in that page. */
	u8 *copy;
};

static struct npu_query_user *npu_query_user(struct kunit *test)
{
	struct npu_query_user *user;

	user = kunit_kzalloc(test, sizeof(*user), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, user);
	user->copy = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, user->copy);
	user->fake = npu_fake_create(test, 3);
	user->file = npu_fake_open(user->fake);
	user->page = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE((unsigned long)user->page) || !user->page);
	KUNIT_ASSERT_EQ(test, vm_munmap(user->page + PAGE_SIZE, PAGE_SIZE), 0);
	return user;
}

/* Ask for a record at the start of the page, which is filled with poison before. */
static int npu_query(struct kunit *test, struct npu_query_user *user,
		     struct drm_npu_query *args)
{
	void __user *page = u64_to_user_ptr(user->page);
	int ret;

	memset(user->copy, POISON, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, copy_to_user(page, user->copy, PAGE_SIZE), 0);
	if (!args->data)
		args->data = user->page;
	ret = npu_query_ioctl(&user->fake->npu->drm, args, &user->file->drm);
	KUNIT_ASSERT_EQ(test, copy_from_user(user->copy, page, PAGE_SIZE), 0);
	return ret;
}

/* Ask for a whole record of @size bytes, which has to be there. */
static const void *npu_query_record(struct kunit *test,
				    struct npu_query_user *user, u32 type,
				    u32 index, u32 size)
{
	struct drm_npu_query args = { .type = type, .index = index, .size = size };

	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), 0);
	KUNIT_EXPECT_EQ(test, args.size, size);
	KUNIT_EXPECT_EQ(test, user->copy[size], POISON);
	return user->copy;
}

static const struct npu_query_type {
	const char *name;
	u32 type;
	u32 size;
} npu_query_types[] = {
	{ "device", DRM_NPU_QUERY_DEVICE, sizeof(struct drm_npu_query_device) },
	{ "core", DRM_NPU_QUERY_CORE, sizeof(struct drm_npu_query_core) },
	{ "region", DRM_NPU_QUERY_REGION, sizeof(struct drm_npu_query_region) },
	{ "limits", DRM_NPU_QUERY_LIMITS, sizeof(struct drm_npu_query_limits) },
	{ "context", DRM_NPU_QUERY_CONTEXT, sizeof(struct drm_npu_query_context) },
	{ "buffer", DRM_NPU_QUERY_BUFFER, sizeof(struct drm_npu_query_buffer) },
	{ "features", DRM_NPU_QUERY_FEATURES, sizeof(struct drm_npu_query_features) },
	{ "data_type", DRM_NPU_QUERY_DATA_TYPE, sizeof(struct drm_npu_query_data_type) },
	{ "register", DRM_NPU_QUERY_REGISTER, sizeof(struct drm_npu_query_register) },
	{ "activity", DRM_NPU_QUERY_ACTIVITY, sizeof(struct drm_npu_query_activity) },
};

KUNIT_ARRAY_PARAM_DESC(npu_query, npu_query_types, name);

/* Which index there is of each type. */
static u32 npu_query_index(struct kunit *test, struct npu_query_user *user,
			   u32 type)
{
	struct npu_bo *bo;
	u32 handle;

	switch (type) {
	case DRM_NPU_QUERY_CONTEXT:
		npu_fake_context(user->file, 7, 8, THROUGHPUT);
		return 1;
	case DRM_NPU_QUERY_BUFFER:
		bo = npu_fake_bo(user->file, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, drm_gem_handle_create(&user->file->drm,
							    &bo->base.base,
							    &handle), 0);
		return handle;
	default:
		return 0;
	}
}

/* With size 0 nothing is written, and the size is told. */
static void npu_query_size(struct kunit *test)
{
	const struct npu_query_type *type = test->param_value;
	struct npu_query_user *user = npu_query_user(test);
	struct drm_npu_query args = {
		.type = type->type,
		.index = npu_query_index(test, user, type->type),
		/* Where nothing can be written. */
		.data = user->page + PAGE_SIZE,
	};

	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), 0);
	KUNIT_EXPECT_EQ(test, args.size, type->size);
}

/* Programs that are older than the kernel get the start of a record. */
static void npu_query_short(struct kunit *test)
{
	const struct npu_query_type *type = test->param_value;
	struct npu_query_user *user = npu_query_user(test);
	u32 index = npu_query_index(test, user, type->type), size;
	u8 *whole = kunit_kzalloc(test, type->size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, whole);
	memcpy(whole, npu_query_record(test, user, type->type, index, type->size),
	       type->size);
	for (size = 1; size < type->size; size++) {
		struct drm_npu_query args = {
			.type = type->type, .index = index, .size = size,
		};

		KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), 0);
		KUNIT_EXPECT_EQ(test, args.size, size);
		KUNIT_EXPECT_MEMEQ(test, user->copy, whole, size);
		KUNIT_EXPECT_EQ(test, user->copy[size], POISON);
	}
}

/* Programs that are newer get zeros for what the kernel does not know. */
static void npu_query_long(struct kunit *test)
{
	const struct npu_query_type *type = test->param_value;
	struct npu_query_user *user = npu_query_user(test);
	u32 index = npu_query_index(test, user, type->type);
	const u32 sizes[] = { type->size + 1, type->size + 64, 4096 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct drm_npu_query args = {
			.type = type->type, .index = index, .size = sizes[i],
		};

		KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), 0);
		KUNIT_EXPECT_EQ(test, args.size, type->size);
		KUNIT_EXPECT_NULL(test, memchr_inv(user->copy + type->size, 0,
						   sizes[i] - type->size));
		if (sizes[i] < PAGE_SIZE)
			KUNIT_EXPECT_EQ(test, user->copy[sizes[i]], POISON);
	}
}

/* Where the record or the zeros cannot be written, it fails. */
static void npu_query_fault(struct kunit *test)
{
	const struct npu_query_type *type = test->param_value;
	struct npu_query_user *user = npu_query_user(test);
	u32 index = npu_query_index(test, user, type->type);
	struct drm_npu_query args = {
		.type = type->type, .index = index, .size = type->size,
		.data = user->page + PAGE_SIZE,
	};

	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), -EFAULT);
	args.data = user->page + PAGE_SIZE - type->size + 1;
	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), -EFAULT);
	args.data--;
	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), 0);
	args.size = type->size + 1;
	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), -EFAULT);
}

/* What is not there is not there, and nothing is written. */
static void npu_query_refused(struct kunit *test)
{
	static const struct {
		struct drm_npu_query args;
		int error;
	} cases[] = {
		{ { .type = DRM_NPU_QUERY_DEVICE, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_CORE, .index = 3, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_CORE, .index = U32_MAX, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_REGION, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_LIMITS, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_CONTEXT, .index = 0, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_CONTEXT, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_BUFFER, .index = 0, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_BUFFER, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_FEATURES, .index = 1, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_DATA_TYPE, .index = U32_MAX, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_REGISTER, .index = 0x2000, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_REGISTER, .index = 0x14010, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_REGISTER, .index = U32_MAX, .size = 8 }, -ENOENT },
		{ { .type = DRM_NPU_QUERY_ACTIVITY + 1, .size = 8 }, -EINVAL },
		{ { .type = U32_MAX, .size = 8 }, -EINVAL },
		{ { .type = DRM_NPU_QUERY_DEVICE, .size = 8, .pad = 1 }, -EINVAL },
		{ { .type = DRM_NPU_QUERY_DEVICE, .size = 4097 }, -E2BIG },
		{ { .type = DRM_NPU_QUERY_DEVICE, .size = U32_MAX }, -E2BIG },
	};
	struct npu_query_user *user = npu_query_user(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct drm_npu_query args = cases[i].args;

		KUNIT_EXPECT_EQ_MSG(test, npu_query(test, user, &args),
				    cases[i].error, "case %u", i);
		KUNIT_EXPECT_EQ(test, args.size, cases[i].args.size);
		KUNIT_EXPECT_NULL(test, memchr_inv(user->copy, POISON, PAGE_SIZE));
	}
}

/* What the backend has told of the device. */
static void npu_query_device_records(struct kunit *test)
{
	struct npu_query_user *user = npu_query_user(test);
	const struct npu_sched_params *policy = &user->fake->policy;
	const struct npu_hw_desc *desc = &user->fake->npu->desc;
	const struct drm_npu_query_device *device;
	const struct drm_npu_query_core *core;
	const struct drm_npu_query_limits *limits;
	u32 i;

	device = npu_query_record(test, user, DRM_NPU_QUERY_DEVICE, 0, sizeof(*device));
	KUNIT_EXPECT_STREQ(test, device->name, "fake");
	KUNIT_EXPECT_EQ(test, device->isa, DRM_NPU_ISA_RKNN);
	KUNIT_EXPECT_EQ(test, device->core_count, 3);
	KUNIT_EXPECT_EQ(test, device->region_count, 1);
	KUNIT_EXPECT_EQ(test, device->flags,
			DRM_NPU_DEVICE_VIRTUAL | DRM_NPU_DEVICE_COHERENT);
	KUNIT_EXPECT_EQ(test, device->hw_version, desc->hw_version);
	for (i = 0; i < 3; i++) {
		core = npu_query_record(test, user, DRM_NPU_QUERY_CORE, i, sizeof(*core));
		KUNIT_EXPECT_EQ(test, core->clock_hz, desc->core.clock_hz);
		KUNIT_EXPECT_EQ(test, core->bandwidth, desc->core.bandwidth);
		KUNIT_EXPECT_EQ(test, core->buffer_bytes, desc->core.buffer_bytes);
		KUNIT_EXPECT_EQ(test, core->int8_macs_per_cycle,
				desc->core.int8_macs_per_cycle);
		KUNIT_EXPECT_EQ(test, core->fp16_macs_per_cycle,
				desc->core.fp16_macs_per_cycle);
	}
	limits = npu_query_record(test, user, DRM_NPU_QUERY_LIMITS, 0, sizeof(*limits));
	KUNIT_EXPECT_EQ(test, limits->address_bits, NPU_FAKE_ADDRESS_BITS);
	KUNIT_EXPECT_EQ(test, limits->max_lanes, 3);
	KUNIT_EXPECT_EQ(test, limits->max_lane_tasks, npu_isa_rknn.max_lane_tasks);
	KUNIT_EXPECT_EQ(test, limits->max_task_commands, npu_isa_rknn.max_task_commands);
	KUNIT_EXPECT_EQ(test, limits->max_guilty, NPU_MAX_GUILTY);
	KUNIT_EXPECT_EQ(test, limits->max_queued, NPU_MAX_QUEUED);
	KUNIT_EXPECT_EQ(test, limits->max_residency,
			user->fake->npu->mem->sram_count ? NPU_SRAM_MAX_WANTS : 0);
	KUNIT_EXPECT_EQ(test, limits->max_buffer_size,
			BIT_ULL(NPU_FAKE_ADDRESS_BITS - 1));
	KUNIT_EXPECT_EQ(test, limits->latency_percent, policy->latency_percent);
	KUNIT_EXPECT_EQ(test, limits->slice_ns, policy->slice_us * NSEC_PER_USEC);
	KUNIT_EXPECT_EQ(test, limits->starve_ns, policy->starve_ms * NSEC_PER_MSEC);
	KUNIT_EXPECT_EQ(test, limits->latency_window_ns,
			policy->latency_window_ms * NSEC_PER_MSEC);
}

/* The dialect tells of the chip that the backend has named. */
static void npu_query_chip_records(struct kunit *test)
{
	struct npu_query_user *user = npu_query_user(test);
	const struct drm_npu_query_data_type *type;
	const struct drm_npu_query_features *features;
	u32 i, count;

	features = npu_query_record(test, user, DRM_NPU_QUERY_FEATURES, 0,
				    sizeof(*features));
	KUNIT_EXPECT_EQ(test, features->buffer_banks * features->buffer_bank_bytes,
			user->fake->npu->desc.core.buffer_bytes);
	KUNIT_EXPECT_TRUE(test, features->features & DRM_NPU_FEATURE_CONVOLUTION);
	KUNIT_EXPECT_EQ(test, features->command_bytes, 8);
	count = features->data_type_count;
	KUNIT_EXPECT_GT(test, count, 0);
	for (i = 0; i < count; i++) {
		type = npu_query_record(test, user, DRM_NPU_QUERY_DATA_TYPE, i,
					sizeof(*type));
		KUNIT_EXPECT_LE(test, type->operand, DRM_NPU_DATA_TYPE_FP32);
		KUNIT_EXPECT_LE(test, type->result, DRM_NPU_DATA_TYPE_FP32);
		KUNIT_EXPECT_GT(test, type->kernel_group, 0);
	}
}

/* Memory counts for the device, and for the file that has it mapped. */
static void npu_query_region(struct kunit *test)
{
	struct npu_query_user *user = npu_query_user(test);
	const struct drm_npu_query_region *region;
	struct npu_fake_file *other = npu_fake_open(user->fake);
	u64 used, file_used;

	region = npu_query_record(test, user, DRM_NPU_QUERY_REGION, 0, sizeof(*region));
	KUNIT_EXPECT_EQ(test, region->kind, DRM_NPU_REGION_SYSTEM);
	KUNIT_EXPECT_GT(test, region->size, 0);
	KUNIT_EXPECT_EQ(test, region->bandwidth, user->fake->npu->desc.bandwidth);
	used = region->used;
	file_used = region->file_used;
	npu_fake_map(user->file, npu_fake_bo(user->file, 5 * PAGE_SIZE), true);
	npu_fake_map(other, npu_fake_bo(other, 2 * PAGE_SIZE), true);
	npu_query_record(test, user, DRM_NPU_QUERY_REGION, 0, sizeof(*region));
	KUNIT_EXPECT_EQ(test, region->used, used + 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, region->file_used, file_used + 5 * PAGE_SIZE);
}

/* A context tells of itself, and of no other file's. */
static void npu_query_context_record(struct kunit *test)
{
	struct npu_query_user *user = npu_query_user(test);
	struct npu_fake_file *other = npu_fake_open(user->fake);
	const struct drm_npu_query_context *record;
	struct npu_fake *fake = user->fake;
	struct npu_context *ctx;
	struct npu_job *job = npu_fake_job(user->file, 1);
	struct drm_npu_query args = { .type = DRM_NPU_QUERY_CONTEXT, .index = 2 };

	ctx = npu_fake_context(user->file, 5, 9, DRM_NPU_CLASS_BACKGROUND);
	npu_fake_context(other, 7, 8, THROUGHPUT);
	npu_fake_context(other, 7, 8, THROUGHPUT);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_fake_queue(fake, ctx, job);
	npu_fake_end(fake, 0, 0);
	npu_fake_end(fake, 0, -EFAULT);
	record = npu_query_record(test, user, DRM_NPU_QUERY_CONTEXT, 1, sizeof(*record));
	KUNIT_EXPECT_EQ(test, record->submitted_seqno, 3);
	KUNIT_EXPECT_EQ(test, record->completed_seqno, 2);
	KUNIT_EXPECT_EQ(test, record->failed_seqno, 2);
	KUNIT_EXPECT_EQ(test, record->failed_jobs, 1);
	KUNIT_EXPECT_EQ(test, record->failed_errno, EFAULT);
	KUNIT_EXPECT_EQ(test, record->guilty_jobs, 1);
	KUNIT_EXPECT_EQ(test, record->core_mask, 5);
	KUNIT_EXPECT_EQ(test, record->max_queued, 9);
	KUNIT_EXPECT_EQ(test, record->sched_class, DRM_NPU_CLASS_BACKGROUND);
	KUNIT_EXPECT_EQ(test, record->granted_class, DRM_NPU_CLASS_BACKGROUND);
	KUNIT_EXPECT_EQ(test, record->weight, DRM_NPU_WEIGHT_DEFAULT);
	KUNIT_EXPECT_EQ(test, record->granted_weight, DRM_NPU_WEIGHT_DEFAULT);
	KUNIT_EXPECT_EQ(test, record->slices, 3);
	KUNIT_EXPECT_EQ(test, record->missed_deadlines, 0);
	KUNIT_EXPECT_EQ(test, record->tasks, 1);
	KUNIT_EXPECT_EQ(test, record->flags, 0);
	KUNIT_EXPECT_EQ(test, npu_query(test, user, &args), -ENOENT);
	npu_fake_end(fake, 0, 0);
}

/* A buffer tells where it is, to whom it is. */
static void npu_query_buffer_record(struct kunit *test)
{
	struct npu_query_user *user = npu_query_user(test);
	struct drm_npu_query_buffer info = {};
	const struct drm_npu_query_buffer *record;
	u32 handle;

	KUNIT_ASSERT_EQ(test, npu_bo_create_handle(&user->file->drm, PAGE_SIZE + 1,
						   true, &info, &handle), 0);
	KUNIT_EXPECT_FALSE(test, user->fake->map_writable);
	record = npu_query_record(test, user, DRM_NPU_QUERY_BUFFER, handle,
				  sizeof(*record));
	KUNIT_EXPECT_EQ(test, record->size, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, record->address, user->fake->map_addr);
	KUNIT_EXPECT_EQ(test, record->flags, DRM_NPU_BO_READ_ONLY);
	KUNIT_EXPECT_MEMEQ(test, record, &info, sizeof(info));
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_query_cases[] = {
	KUNIT_CASE_PARAM(npu_query_size, npu_query_gen_params),
	KUNIT_CASE_PARAM(npu_query_short, npu_query_gen_params),
	KUNIT_CASE_PARAM(npu_query_long, npu_query_gen_params),
	KUNIT_CASE_PARAM(npu_query_fault, npu_query_gen_params),
	NPU_FAKE_CASE(npu_query_refused),
	KUNIT_CASE(npu_query_device_records),
	KUNIT_CASE(npu_query_chip_records),
	NPU_FAKE_CASE(npu_query_region),
	NPU_FAKE_CASE(npu_query_context_record),
	KUNIT_CASE(npu_query_buffer_record),
	{}
};

static struct kunit_suite npu_query_suite = {
	.name = "npu_query",
	.test_cases = npu_query_cases,
};

kunit_test_suite(npu_query_suite);
