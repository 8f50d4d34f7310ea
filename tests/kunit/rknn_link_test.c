// SPDX-License-Identifier: GPL-2.0-only
/*
 * The links of RKNN chains. What is expected is written out here, not taken from
 * the driver's macros: a word is target << 48 | value << 16 | register.
 */
#include <kunit/test.h>

#include "../../driver/core/include/npu_isa.h"
#include "../../driver/rknn/rknn.h"

#define WORD(target, reg, value) \
	((u64)(target) << 48 | (u64)(u32)(value) << 16 | (reg))
#define NEXT(addr)	WORD(0x101, 0x10, addr)
#define AMOUNT(n)	WORD(0x101, 0x14, n)
#define SYNC		WORD(0x41, 0, 0)
#define START(blocks)	WORD(0x81, 0x08, blocks)
#define IDLE		WORD(0x01, 0x1234, 0x56789abc)
/* What a body may consist of. */
#define BODY		WORD(0x201, 0x100c, 0x120)
#define UNTOUCHED	0x5555555555555555ull

static const struct npu_isa_ops *const isa = &npu_isa_rknn;

/* A stream has room for its link, and is a multiple of 64 bytes. */
static void rknn_link_stream_words(struct kunit *test)
{
	u32 count;

	KUNIT_EXPECT_EQ(test, isa->stream_words(1), 8);
	KUNIT_EXPECT_EQ(test, isa->stream_words(4), 8);
	KUNIT_EXPECT_EQ(test, isa->stream_words(5), 16);
	KUNIT_EXPECT_EQ(test, isa->stream_words(12), 16);
	for (count = 1; count <= isa->max_task_commands; count++) {
		u32 words = isa->stream_words(count);

		KUNIT_EXPECT_EQ(test, words % 8, 0);
		KUNIT_EXPECT_GE(test, words, count + 4);
		KUNIT_EXPECT_LT(test, words, count + 4 + 8);
	}
}

/* The hardware has 12 bits to count tasks, and 16 for the amount of a stream. */
static void rknn_link_limits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, isa->max_lane_tasks, 4095);
	KUNIT_EXPECT_LE(test, isa->stream_words(isa->max_stream_commands) / 2 - 1,
			U16_MAX);
}

/* The link tells where the next stream is, and how long, in pairs of words. */
static void rknn_link_next(struct kunit *test)
{
	static const struct {
		u32 next_words;
		u32 amount;
	} lengths[] = {
		{ 8, 3 }, { 16, 7 }, { 24, 11 }, { 112, 55 }, { 120, 59 }, { 1008, 503 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		u64 stream[9] = { BODY, BODY, BODY, 0, [4 ... 8] = UNTOUCHED };

		isa->link(stream, 8, 0xd, 0xfffff040, lengths[i].next_words);
		KUNIT_EXPECT_EQ(test, stream[2], BODY);
		KUNIT_EXPECT_EQ(test, stream[3], 0);
		KUNIT_EXPECT_EQ(test, stream[4], NEXT(0xfffff040));
		KUNIT_EXPECT_EQ(test, stream[5], AMOUNT(lengths[i].amount));
		KUNIT_EXPECT_EQ(test, stream[6], SYNC);
		KUNIT_EXPECT_EQ(test, stream[7], START(0xd));
		KUNIT_EXPECT_EQ(test, stream[8], UNTOUCHED);
	}
}

/* The last stream says so. */
static void rknn_link_last(struct kunit *test)
{
	u64 stream[6] = { BODY, [1 ... 5] = UNTOUCHED };

	isa->link(stream, 5, 0x1d, 0, 0);
	KUNIT_EXPECT_EQ(test, stream[0], BODY);
	KUNIT_EXPECT_EQ(test, stream[1], 0);
	KUNIT_EXPECT_EQ(test, stream[2], AMOUNT(0));
	KUNIT_EXPECT_EQ(test, stream[3], SYNC);
	KUNIT_EXPECT_EQ(test, stream[4], START(0x1d));
	KUNIT_EXPECT_EQ(test, stream[5], UNTOUCHED);
}

/* Streams lie one behind the other, so the next address is aligned. */
static void rknn_link_alignment(struct kunit *test)
{
	u64 addr = 0x10000;
	u32 count;

	for (count = 1; count < 40; count++) {
		addr += isa->stream_words(count) * sizeof(u64);
		KUNIT_EXPECT_EQ(test, addr % 64, 0);
	}
}

/* What link appends, split finds again, with or without zeros behind. */
static void rknn_link_split(struct kunit *test)
{
	u64 stream[24];
	u32 count, zeros, body, enable;

	for (count = 1; count <= 16; count++) {
		for (zeros = 0; zeros <= 4; zeros++) {
			memset(stream, 0, sizeof(stream));
			memset64(stream, BODY, count);
			isa->link(stream, count + 4, 0x1d, zeros % 2 ? 0x12340 : 0,
				  zeros % 2 ? 104 : 0);
			body = 0;
			enable = 0;
			KUNIT_EXPECT_EQ(test, isa->split(stream, count + 4 + zeros,
							 &body, &enable), 0);
			KUNIT_EXPECT_EQ(test, body, count);
			KUNIT_EXPECT_EQ(test, enable, 0x1d);
		}
	}
}

/* Streams that are written by others: last ones have zeros instead of a link. */
static void rknn_link_split_foreign(struct kunit *test)
{
	static const u64 last[] = { BODY, 0, 0, SYNC, START(0xd) };
	static const u64 amount[] = { BODY, 0, AMOUNT(0), SYNC, START(0xd), 0, 0, 0 };
	static const u64 linked[] = { BODY, BODY, NEXT(0x40), AMOUNT(9), SYNC, START(0xd) };
	static const u64 idle[] = { BODY, IDLE, 0, NEXT(0x40), IDLE, AMOUNT(9), 0, SYNC, IDLE,
				    START(0xd), 0 };
	static const u64 unlinked[] = { BODY, SYNC, START(0xd) };
	u32 body, enable;

	KUNIT_EXPECT_EQ(test, isa->split(last, 5, &body, &enable), 0);
	KUNIT_EXPECT_EQ(test, body, 1);
	KUNIT_EXPECT_EQ(test, enable, 0xd);
	KUNIT_EXPECT_EQ(test, isa->split(amount, 8, &body, &enable), 0);
	KUNIT_EXPECT_EQ(test, body, 1);
	KUNIT_EXPECT_EQ(test, isa->split(linked, 6, &body, &enable), 0);
	KUNIT_EXPECT_EQ(test, body, 2);
	KUNIT_EXPECT_EQ(test, isa->split(idle, 11, &body, &enable), 0);
	KUNIT_EXPECT_EQ(test, body, 1);
	KUNIT_EXPECT_EQ(test, isa->split(unlinked, 3, &body, &enable), 0);
	KUNIT_EXPECT_EQ(test, body, 1);
}

/* What does not start anything, or has nothing to start, is refused. */
static void rknn_link_split_refuses(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 count;
		u64 words[8];
	} streams[] = {
		{ "nothing", 0, {} },
		{ "zeros", 8, {} },
		{ "no body", 4, { 0, 0, SYNC, START(0xd) } },
		{ "no body, linked", 4, { NEXT(0x40), AMOUNT(3), SYNC, START(0xd) } },
		{ "no start", 5, { BODY, BODY, NEXT(0), AMOUNT(0), SYNC } },
		{ "no sync", 5, { BODY, NEXT(0), AMOUNT(0), BODY, START(0xd) } },
		{ "start is not the end", 6, { BODY, 0, 0, SYNC, START(0xd), BODY } },
		{ "another register is started", 5,
		  { BODY, 0, 0, SYNC, WORD(0x81, 0x0c, 0xd) } },
		{ "start of another target", 5,
		  { BODY, 0, 0, SYNC, WORD(0x101, 0x08, 0xd) } },
		{ "sync after a command", 5, { BODY, SYNC, BODY, NEXT(0x40), START(0xd) } },
	};
	u32 body, enable;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(streams); i++)
		KUNIT_EXPECT_EQ_MSG(test, isa->split(streams[i].words, streams[i].count,
						     &body, &enable), -EINVAL,
				    "%s", streams[i].name);
}

/* Only a convolution of no pixels computes nothing. */
static void rknn_link_idle(struct kunit *test)
{
	static const u64 none[] = { WORD(0x201, 0x102c, 0x40), WORD(0x201, 0x102c, 0) };
	static const u64 some[] = { WORD(0x201, 0x102c, 0), WORD(0x201, 0x102c, 0x40) };
	static const u64 other[] = { WORD(0x001, 0x102c, 0), WORD(0x1001, 0x4030, 0) };

	KUNIT_EXPECT_TRUE(test, isa->idle(none, 2, 0xd));
	KUNIT_EXPECT_TRUE(test, isa->idle(none, 2, 0x1d));
	KUNIT_EXPECT_FALSE(test, isa->idle(some, 2, 0x1d));
	/* A word that does nothing may have any register in it. */
	KUNIT_EXPECT_FALSE(test, isa->idle(other, 2, 0x1d));
	/* DPU and PPU by themselves do not depend on the registers of CNA. */
	KUNIT_EXPECT_FALSE(test, isa->idle(none, 2, 0x18));
	KUNIT_EXPECT_FALSE(test, isa->idle(none, 2, 0x60));
}

static struct kunit_case rknn_link_cases[] = {
	KUNIT_CASE(rknn_link_idle),
	KUNIT_CASE(rknn_link_stream_words),
	KUNIT_CASE(rknn_link_limits),
	KUNIT_CASE(rknn_link_next),
	KUNIT_CASE(rknn_link_last),
	KUNIT_CASE(rknn_link_alignment),
	KUNIT_CASE(rknn_link_split),
	KUNIT_CASE(rknn_link_split_foreign),
	KUNIT_CASE(rknn_link_split_refuses),
	{}
};

static struct kunit_suite rknn_link_suite = {
	.name = "rknn_link",
	.test_cases = rknn_link_cases,
};

kunit_test_suite(rknn_link_suite);
