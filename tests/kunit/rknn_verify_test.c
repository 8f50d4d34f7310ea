// SPDX-License-Identifier: GPL-2.0-only
/* The verifier of RKNN streams, rule by rule; the cases are in rknn_cases.h. */
#include <linux/slab.h>

#include <kunit/test.h>

#include "../../driver/core/include/npu_isa.h"
#include "../../driver/rknn/rknn.h"
#include "../../driver/rknn/rknn_chip.h"
#include "rknn_cases.h"

/**
 * struct rknn_verifier - a lane to be verified, and what it has used
 */
struct rknn_verifier {
	/** @test: The test. */
	struct kunit *test;
	/** @state: What the verifier keeps between tasks. */
	void *state;
	/** @words: The commands of a task. */
	unsigned long long words[RKNN_CASE_WORDS];
	/** @count: Number of commands. */
	u32 count;
	/** @enable: Blocks that it starts. */
	u32 enable;
	/** @error: What @use answers, unless it is 0. */
	int error;
	/** @writes: Addresses that were written to. */
	u32 writes;
	/** @reads: Addresses that were read. */
	u32 reads;
	/** @fault: Why it was refused. */
	struct npu_isa_fault fault;
};

static struct rknn_verifier *rknn_verifier(struct kunit *test)
{
	struct rknn_verifier *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, v);
	v->test = test;
	v->state = kunit_kzalloc(test, npu_isa_rknn.state_size(), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v->state);
	npu_isa_rknn.begin(v->state, &rknn_rk3588);
	return v;
}

static int rknn_verifier_use(void *data, u64 addr, u64 size, bool write)
{
	struct rknn_verifier *v = data;

	if (v->error)
		return v->error;
	if (!rknn_case_mapped(addr))
		return -EINVAL;
	if (write) {
		v->writes++;
		KUNIT_EXPECT_EQ(v->test, addr & 0xf0000000, RKNN_CASE_RESULTS);
	} else {
		v->reads++;
		KUNIT_EXPECT_NE(v->test, addr & 0xf0000000, RKNN_CASE_RESULTS);
	}
	return 0;
}

static int rknn_verifier_run(struct rknn_verifier *v)
{
	u64 commands[RKNN_CASE_WORDS];
	const struct npu_isa_stream stream = {
		.commands = commands,
		.count = v->count,
		.enable = v->enable,
		.use = rknn_verifier_use,
		.data = v,
	};
	u32 i;

	for (i = 0; i < v->count; i++)
		commands[i] = v->words[i];
	v->fault = (struct npu_isa_fault) { .reason = DRM_NPU_FAULT_NONE };
	return npu_isa_rknn.verify(v->state, &stream, &v->fault);
}

static int rknn_verifier_base(struct rknn_verifier *v, unsigned int base)
{
	static const struct rknn_case_write none[RKNN_CASE_CHANGES];

	v->count = rknn_case_stream(&rknn_case_bases[base], none, v->words);
	v->enable = rknn_case_bases[base].enable;
	return rknn_verifier_run(v);
}

static void rknn_verify_case_desc(const struct rknn_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %s", rknn_case_bases[c->base].name,
		 c->name);
}

KUNIT_ARRAY_PARAM(rknn_verify, rknn_cases, rknn_verify_case_desc);

/* Every rule both ways. */
static void rknn_verify_rules(struct kunit *test)
{
	const struct rknn_case *c = test->param_value;
	struct rknn_verifier *v = rknn_verifier(test);
	int ret;

	if (c->kind == RKNN_CASE_AFTER)
		KUNIT_ASSERT_EQ(test, rknn_verifier_base(v, c->base), 0);
	v->count = rknn_case_changed(c, v->words);
	v->enable = rknn_case_enable(c);
	ret = rknn_verifier_run(v);
	if (c->reason == DRM_NPU_FAULT_NONE) {
		KUNIT_EXPECT_EQ_MSG(test, ret, 0, "reason %u, command %u",
				    v->fault.reason, v->fault.command);
		return;
	}
	KUNIT_EXPECT_EQ(test, ret, -EINVAL);
	KUNIT_EXPECT_EQ(test, v->fault.reason, c->reason);
	KUNIT_EXPECT_EQ(test, v->fault.command,
			rknn_case_blamed(c, v->words, v->count));
}

static void rknn_verify_base_desc(const struct rknn_case_base *base, char *desc)
{
	strscpy(desc, base->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rknn_verify_base, rknn_case_bases, rknn_verify_base_desc);

/* The commands that the kernel makes of the stream, or none if it is refused. */
static u32 rknn_verifier_emit(struct rknn_verifier *v, u64 *commands)
{
	npu_isa_rknn.begin(v->state, &rknn_rk3588);
	return rknn_verifier_run(v) ? 0 : npu_isa_rknn.emit(v->state, commands);
}

/* A command that is left out leaves the register as it is after a reset. */
static void rknn_verify_left_out(struct kunit *test)
{
	const struct rknn_case_base *base = test->param_value;
	size_t size = npu_isa_rknn.max_stream_commands * sizeof(u64);
	unsigned int index = base - rknn_case_bases;
	struct rknn_verifier *v = rknn_verifier(test);
	u64 *with = kunit_kzalloc(test, size, GFP_KERNEL);
	u64 *without = kunit_kzalloc(test, size, GFP_KERNEL);
	u32 i, count, emitted;

	KUNIT_ASSERT_NOT_NULL(test, with);
	KUNIT_ASSERT_NOT_NULL(test, without);
	KUNIT_ASSERT_EQ(test, rknn_verifier_base(v, index), 0);
	count = v->count;
	for (i = 0; i < count; i++) {
		u32 reg;

		npu_isa_rknn.begin(v->state, &rknn_rk3588);
		KUNIT_ASSERT_EQ(test, rknn_verifier_base(v, index), 0);
		reg = v->words[i] & 0xffff;
		v->words[i] = rknn_case_word(reg, reg == 0x5068 ? 0x01010101 : 0);
		emitted = rknn_verifier_emit(v, with);
		memmove(&v->words[i], &v->words[i + 1],
			(count - i - 1) * sizeof(v->words[0]));
		v->count = count - 1;
		KUNIT_EXPECT_EQ_MSG(test, rknn_verifier_emit(v, without), emitted,
				    "without %#x", reg);
		KUNIT_EXPECT_MEMEQ(test, with, without, emitted * sizeof(u64));
	}
}

/* What is written for the task has all registers of its blocks, and no others. */
static void rknn_verify_emits(struct kunit *test)
{
	const struct rknn_case_base *base = test->param_value;
	size_t size = npu_isa_rknn.max_stream_commands * sizeof(u64);
	struct rknn_verifier *v = rknn_verifier(test);
	u64 *commands = kunit_kzalloc(test, size, GFP_KERNEL);
	u32 i, j, count;

	KUNIT_ASSERT_NOT_NULL(test, commands);
	KUNIT_ASSERT_EQ(test, rknn_verifier_base(v, base - rknn_case_bases), 0);
	count = npu_isa_rknn.emit(v->state, commands);
	KUNIT_EXPECT_LE(test, count, npu_isa_rknn.max_stream_commands);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_TRUE(test, base->enable &
				  rknn_case_block(commands[i] & 0xffff));
	for (i = 0; i < v->count; i++) {
		u32 reg = v->words[i] & 0xffff;

		/* Tables are for tasks that use them. */
		if (reg == 0x4100 || reg == 0x4104)
			continue;
		for (j = 0; j < count; j++)
			if (commands[j] == v->words[i])
				break;
		KUNIT_EXPECT_LT_MSG(test, j, count, "%#x is lost", reg);
	}
}

/* A stream writes its results and reads the rest. */
static void rknn_verify_uses(struct kunit *test)
{
	const struct rknn_case_base *base = test->param_value;
	struct rknn_verifier *v = rknn_verifier(test);

	KUNIT_EXPECT_EQ(test, rknn_verifier_base(v, base - rknn_case_bases), 0);
	KUNIT_EXPECT_EQ(test, v->writes, 1);
	KUNIT_EXPECT_GE(test, v->reads, 1);
}

/* An error that is not the stream's is handed on, and is no fault. */
static void rknn_verify_other_error(struct kunit *test)
{
	const struct rknn_case_base *base = test->param_value;
	struct rknn_verifier *v = rknn_verifier(test);

	v->error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, rknn_verifier_base(v, base - rknn_case_bases), -ENOMEM);
	KUNIT_EXPECT_EQ(test, v->fault.reason, DRM_NPU_FAULT_NONE);
}

static struct kunit_case rknn_verify_test_cases[] = {
	KUNIT_CASE_PARAM(rknn_verify_rules, rknn_verify_gen_params),
	KUNIT_CASE_PARAM(rknn_verify_left_out, rknn_verify_base_gen_params),
	KUNIT_CASE_PARAM(rknn_verify_emits, rknn_verify_base_gen_params),
	KUNIT_CASE_PARAM(rknn_verify_uses, rknn_verify_base_gen_params),
	KUNIT_CASE_PARAM(rknn_verify_other_error, rknn_verify_base_gen_params),
	{}
};

static struct kunit_suite rknn_verify_suite = {
	.name = "rknn_verify",
	.test_cases = rknn_verify_test_cases,
};

kunit_test_suite(rknn_verify_suite);
