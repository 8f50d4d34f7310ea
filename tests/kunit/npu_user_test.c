// SPDX-License-Identifier: GPL-2.0-only
/* Users: what they may have, and what is left to others. */
#include <linux/cred.h>

#include <kunit/test.h>

#include "../../driver/core/exec/npu_context.h"
#include "../../driver/core/exec/npu_dispatch.h"
#include "../../driver/core/exec/npu_job.h"
#include "../../driver/core/mem/npu_user.h"
#include "../../driver/core/mem/npu_vm.h"
#include "npu_fake.h"

#define THROUGHPUT	DRM_NPU_CLASS_THROUGHPUT

/* Two users may have all, a third none of it. */
static void npu_user_halves(struct kunit *test)
{
	struct npu_user *users[3];
	struct npu_users all = {};
	unsigned int i;

	npu_users_init(&all);
	for (i = 0; i < 3; i++) {
		users[i] = npu_user_get(&all, KUIDT_INIT(1000 + i));
		KUNIT_ASSERT_NOT_NULL(test, users[i]);
	}
	KUNIT_EXPECT_PTR_EQ(test, npu_user_get(&all, KUIDT_INIT(1001)), users[1]);
	npu_user_put(users[1]);

	KUNIT_EXPECT_TRUE(test, npu_user_charge(users[0], NPU_USER_JOBS, 7, 10));
	KUNIT_EXPECT_FALSE(test, npu_user_charge(users[0], NPU_USER_JOBS, 4, 10));
	KUNIT_EXPECT_TRUE(test, npu_user_charge(users[0], NPU_USER_JOBS, 3, 10));
	KUNIT_EXPECT_FALSE(test, npu_user_charge(users[0], NPU_USER_JOBS, U32_MAX, 10));
	KUNIT_EXPECT_TRUE(test, npu_user_charge(users[1], NPU_USER_JOBS, 10, 10));
	KUNIT_EXPECT_FALSE(test, npu_user_charge(users[2], NPU_USER_JOBS, 1, 10));
	/* Another resource is another matter. */
	KUNIT_EXPECT_TRUE(test, npu_user_charge(users[2], NPU_USER_CONTEXTS, 1, 10));
	npu_user_uncharge(users[2], NPU_USER_CONTEXTS, 1);
	npu_user_uncharge(users[0], NPU_USER_JOBS, 10);
	KUNIT_EXPECT_TRUE(test, npu_user_charge(users[2], NPU_USER_JOBS, 10, 10));
	npu_user_uncharge(users[2], NPU_USER_JOBS, 10);
	npu_user_uncharge(users[1], NPU_USER_JOBS, 10);
	for (i = 0; i < NPU_USER_RESOURCES; i++)
		KUNIT_EXPECT_EQ(test, all.used[i], 0);
	for (i = 0; i < 3; i++)
		npu_user_put(users[i]);
	KUNIT_EXPECT_TRUE(test, list_empty(&all.list));
	npu_users_fini(&all);
}

/* A context of a caller who has no CAP_SYS_NICE, or an ERR_PTR(). */
static struct npu_context *npu_user_context(struct npu_fake_file *file)
{
	struct cred *cred = prepare_creds();
	const struct cred *old;
	struct npu_context *ctx;

	KUNIT_ASSERT_NOT_NULL(file->fake->test, cred);
	cap_lower(cred->cap_effective, CAP_SYS_NICE);
	old = override_creds(cred);
	ctx = npu_context_create(&file->npu, 1, 4, THROUGHPUT, 0);
	revert_creds(old);
	put_cred(cred);
	return ctx;
}

/* Contexts and their jobs count for the user of the file, until they have ended. */
static void npu_user_limits(struct kunit *test)
{
	struct npu_fake *fake = npu_fake_create(test, 1);
	struct npu_fake_file *a = npu_fake_open(fake);
	struct npu_fake_file *b = npu_fake_open(fake);
	struct npu_user *user = a->npu.vm->user;
	u32 contexts = npu_exec_user_contexts() - 2, jobs = npu_exec_user_jobs() - 2;
	struct npu_job *job_a = npu_fake_job(a, 1), *job_b = npu_fake_job(b, 1);
	struct npu_context *ctx_a, *ctx_b, *free;
	u64 seqno;

	KUNIT_EXPECT_PTR_EQ(test, user, b->npu.vm->user);
	/* As if they were those of other files. */
	KUNIT_ASSERT_TRUE(test, npu_user_charge(user, NPU_USER_CONTEXTS, contexts, U32_MAX));
	KUNIT_ASSERT_TRUE(test, npu_user_charge(user, NPU_USER_JOBS, jobs, U32_MAX));
	ctx_a = npu_user_context(a);
	ctx_b = npu_user_context(b);
	KUNIT_ASSERT_FALSE(test, IS_ERR(ctx_a) || IS_ERR(ctx_b));
	KUNIT_EXPECT_EQ(test, PTR_ERR(npu_user_context(b)), -ENOSPC);
	free = npu_fake_context(a, 1, 4, THROUGHPUT);

	npu_fake_queue(fake, ctx_a, job_a);
	npu_fake_queue(fake, ctx_b, job_b);
	KUNIT_EXPECT_EQ(test, npu_fake_try(ctx_b, &job_b, 1, NULL, &seqno), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ctx_b->submitted, 1);
	/* With privileges there is no limit. */
	npu_fake_queue(fake, free, job_a);
	npu_fake_end(fake, 0, 0);
	npu_fake_queue(fake, ctx_b, job_b);
	while (fake->cores[0].running)
		npu_fake_end(fake, 0, 0);
	KUNIT_EXPECT_EQ(test, user->used[NPU_USER_JOBS], jobs);
	npu_context_put(ctx_a);
	npu_context_put(ctx_b);
	KUNIT_EXPECT_EQ(test, user->used[NPU_USER_CONTEXTS], contexts);
	npu_user_uncharge(user, NPU_USER_CONTEXTS, contexts);
	npu_user_uncharge(user, NPU_USER_JOBS, jobs);
}

KUNIT_ARRAY_PARAM_DESC(npu_fake_kind, npu_fake_kinds, name);

static struct kunit_case npu_user_cases[] = {
	NPU_FAKE_CASE(npu_user_halves),
	NPU_FAKE_CASE(npu_user_limits),
	{}
};

static struct kunit_suite npu_user_suite = {
	.name = "npu_user",
	.test_cases = npu_user_cases,
};

kunit_test_suite(npu_user_suite);
