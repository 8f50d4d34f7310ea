// SPDX-License-Identifier: GPL-2.0-only
/* Counters of hangs, faults and resets. */
#include <kunit/test.h>

#include "../../driver/compat.h"
#include "../../driver/core/exec/npu_errors.h"
#include "../../driver/core/exec/npu_exec.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

static void npu_errors_expect(struct npu_fake *fake, u32 hangs, u32 faults,
			      u32 resets)
{
	const u32 *counts = fake->npu->exec->errors.counts;

	KUNIT_EXPECT_EQ(fake->test, counts[NPU_ERROR_HANG], hangs);
	KUNIT_EXPECT_EQ(fake->test, counts[NPU_ERROR_FAULT], faults);
	KUNIT_EXPECT_EQ(fake->test, counts[NPU_ERROR_RESET], resets);
}

/* Hangs, faults and resets of all cores are counted. */
static void npu_errors_counts(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 2);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *a = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_context *b = npu_fake_context(file, 2, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	npu_fake_queue(fake, a, job);
	npu_fake_end(fake, 0, 0);
	npu_errors_expect(fake, 0, 0, 0);
	npu_fake_queue(fake, a, job);
	npu_fake_look(fake, 0);
	npu_errors_expect(fake, 1, 0, 1);
	npu_fake_queue(fake, b, job);
	npu_fake_end(fake, 1, -EFAULT);
	npu_errors_expect(fake, 1, 1, 2);
	npu_fake_queue(fake, b, job);
	npu_fake_end(fake, 1, -EIO);
	npu_errors_expect(fake, 1, 1, 3);
}

/* A lane that was never started has not hung, whatever it ends with. */
static void npu_errors_attach(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *file = npu_fake_open(fake);
	struct npu_context *ctx = npu_fake_context(file, 1, 8, THROUGHPUT);
	struct npu_job *job = npu_fake_job(file, 1);

	fake->cores[0].attach_error = -ETIMEDOUT;
	npu_fake_queue(fake, ctx, job);
	npu_fake_settle(fake);
	KUNIT_EXPECT_EQ(test, npu_fake_error(ctx, 1), -EIO);
	npu_errors_expect(fake, 0, 0, fake->cores[0].resets);
}

/* DRM RAS asks for each identifier in the range, and gets its counter. */
static void npu_errors_ras(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	static const char * const names[] = { "hang", "fault", "reset" };
	struct drm_ras_node *node;
	const char *name;
	u32 value, id;

	npu_errors_register(fake->npu);
	node = fake->npu->exec->errors.node;
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_EXPECT_STREQ(test, node->device_name, fake->npu->drm.unique);
	KUNIT_EXPECT_EQ(test, node->error_counter_range.first, 1);
	KUNIT_EXPECT_EQ(test, node->error_counter_range.last, ARRAY_SIZE(names));

	spin_lock_irq(&fake->npu->exec->lock);
	for (id = 1; id <= ARRAY_SIZE(names); id++)
		fake->npu->exec->errors.counts[id - 1] = 10 * id;
	spin_unlock_irq(&fake->npu->exec->lock);
	for (id = 1; id <= ARRAY_SIZE(names); id++) {
		KUNIT_EXPECT_EQ(test, 0, node->query_error_counter(node, id,
								   &name, &value));
		KUNIT_EXPECT_STREQ(test, name, names[id - 1]);
		KUNIT_EXPECT_EQ(test, value, 10 * id);
	}
	KUNIT_EXPECT_EQ(test, -ENOENT,
			node->query_error_counter(node, 0, &name, &value));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			node->query_error_counter(node, id, &name, &value));
}

/* A query that comes late finds no device, and the node serves the next device. */
static void npu_errors_late(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct drm_ras_node *node;
	const char *name;
	u32 value = 7;

	npu_errors_register(fake->npu);
	node = fake->npu->exec->errors.node;
	KUNIT_ASSERT_NOT_NULL(test, node);
	npu_errors_unregister(fake->npu);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			node->query_error_counter(node, 1, &name, &value));
	KUNIT_EXPECT_EQ(test, value, 7);
	npu_errors_register(fake->npu);
	KUNIT_EXPECT_PTR_EQ(test, fake->npu->exec->errors.node, node);
	KUNIT_EXPECT_EQ(test, 0, node->query_error_counter(node, 1, &name, &value));
	KUNIT_EXPECT_EQ(test, value, 0);
	npu_errors_unregister(fake->npu);
	/* As for a device that was never registered. */
	npu_errors_unregister(fake->npu);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_errors_cases[] = {
	NPU_FAKE_CASE(npu_errors_counts),
	KUNIT_CASE(npu_errors_attach),
	NPU_FAKE_CASE(npu_errors_ras),
	KUNIT_CASE(npu_errors_late),
	{}
};

static struct kunit_suite npu_errors_suite = {
	.name = "npu_errors",
	.test_cases = npu_errors_cases,
};

kunit_test_suite(npu_errors_suite);
