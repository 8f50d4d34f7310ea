// SPDX-License-Identifier: GPL-2.0-only
/*
 * On-chip memory against a model of it: after each of thousands of random steps
 * pages, counts and the next victim must be what the model says.
 *
 * The model knows no lists and keeps no counts: it computes all of them from
 * what was asked for, whenever it needs them.
 */
#include <linux/prandom.h>

#include <kunit/test.h>

#include "../../driver/core/mem/npu_sram.h"

#define PAGES		40
#define FILES		4
#define BLOCKS		24
#define LARGEST		16
#define STEPS		6000

/**
 * struct model_block - what is known of a block
 */
struct model_block {
	/** @file: Number of its file. */
	u32 file;
	/** @count: Its pages. */
	u32 count;
	/** @want: What is asked for it. */
	enum drm_npu_residency want;
	/** @priority: Its priority. */
	u32 priority;
	/** @asked: When it was asked for. */
	u64 asked;
	/** @inside: It has pages. */
	bool inside;
	/** @gone: Would have left, while victims are sought. */
	bool gone;
};

/**
 * struct model - the model, and what it is compared with
 */
struct model {
	/** @test: The test. */
	struct kunit *test;
	/** @rnd: Random numbers. */
	struct rnd_state rnd;
	/** @lock: Its lock. */
	struct mutex lock;
	/** @sram: The region. */
	struct npu_sram sram;
	/** @users: Its files. */
	struct npu_sram_user users[FILES];
	/** @active: Which of them are active. */
	bool active[FILES];
	/** @real: Its blocks. */
	struct npu_sram_block real[BLOCKS];
	/** @pages: Their pages. */
	u32 pages[BLOCKS][LARGEST];
	/** @blocks: What is known of them. */
	struct model_block blocks[BLOCKS];
	/** @asks: Calls that asked for something. */
	u64 asks;
	/** @evictions: Blocks that left for others. */
	u64 evictions;
	/** @refusals: Blocks for which there was no room. */
	u64 refusals;
};

static u32 model_random(struct model *m, u32 below)
{
	return prandom_u32_state(&m->rnd) % below;
}

static bool model_pinned(const struct model_block *b)
{
	return b->want == DRM_NPU_RESIDENCY_PIN;
}

/* Pages that are pinned, by @file or by all. */
static u32 model_pins(struct model *m, int file)
{
	u32 sum = 0, i;

	for (i = 0; i < BLOCKS; i++)
		if (model_pinned(&m->blocks[i]) &&
		    (file < 0 || m->blocks[i].file == file))
			sum += m->blocks[i].count;
	return sum;
}

static u32 model_used(struct model *m, int file)
{
	u32 sum = 0, i;

	for (i = 0; i < BLOCKS; i++)
		if (m->blocks[i].inside &&
		    (file < 0 || m->blocks[i].file == file))
			sum += m->blocks[i].count;
	return sum;
}

static u32 model_share(struct model *m)
{
	bool wants[FILES] = {};
	u32 users = 0, i;

	for (i = 0; i < BLOCKS; i++)
		if (m->blocks[i].want != DRM_NPU_RESIDENCY_NONE)
			wants[m->blocks[i].file] = true;
	for (i = 0; i < FILES; i++)
		users += wants[i] && m->active[i];
	return (PAGES - model_pins(m, -1)) / (users ?: 1);
}

/* What a file would keep, without what is pinned. */
static u32 model_left(struct model *m, u32 file)
{
	u32 sum = 0, i;

	for (i = 0; i < BLOCKS; i++) {
		const struct model_block *b = &m->blocks[i];

		if (b->file == file && b->inside && !b->gone && !model_pinned(b))
			sum += b->count;
	}
	return sum;
}

/* Has @file more than its share with @pages? */
static bool model_beyond(struct model *m, u32 file, u32 pages)
{
	return pages > (m->active[file] ? model_share(m) : 0);
}

static bool model_may_evict(struct model *m, const struct model_block *b,
			    const struct model_block *other)
{
	bool within = !model_beyond(m, b->file, model_left(m, b->file) + b->count);
	bool other_beyond = model_beyond(m, other->file, model_left(m, other->file));

	if (!other->inside || other->gone || model_pinned(other))
		return false;
	if (model_pinned(b))
		return true;
	if (other->priority < b->priority)
		return other->file == b->file || other_beyond;
	if (other->file == b->file)
		return !within && other->priority == b->priority &&
		       other->asked < b->asked;
	return within && other_beyond;
}

/* One number that says who leaves first: the lowest. */
static u64 model_order(struct model *m, const struct model_block *b)
{
	u32 left = model_left(m, b->file);

	return (u64)!model_beyond(m, b->file, left) << 63 |
	       (u64)m->active[b->file] << 62 | (u64)b->priority << 48 |
	       (u64)(PAGES - left) << 40 | b->asked;
}

/* The first that has to leave for @b: its number, -1 for nobody, -2 for no way. */
static int model_victim(struct model *m, const struct model_block *b)
{
	u32 room = PAGES - model_used(m, -1), i;
	int first = -1;

	for (i = 0; i < BLOCKS; i++)
		m->blocks[i].gone = false;
	while (room < b->count) {
		int best = -1;

		for (i = 0; i < BLOCKS; i++)
			if (model_may_evict(m, b, &m->blocks[i]) &&
			    (best < 0 || model_order(m, &m->blocks[i]) <
					 model_order(m, &m->blocks[best])))
				best = i;
		if (best < 0)
			return -2;
		m->blocks[best].gone = true;
		room += m->blocks[best].count;
		if (first < 0)
			first = best;
	}
	return first;
}

static bool model_may_pin(struct model *m, const struct model_block *b,
			  bool privileged)
{
	u32 own = model_pinned(b) ? 0 : b->count;

	if (b->count > PAGES)
		return false;
	if (privileged)
		return model_pins(m, -1) + own <= PAGES;
	return model_pins(m, -1) + own <= m->sram.limit &&
	       model_pins(m, b->file) + own <= m->sram.file_limit;
}

static void model_ask(struct model *m, u32 i)
{
	enum drm_npu_residency want = model_random(m, 3);
	struct model_block *b = &m->blocks[i];
	bool privileged = !model_random(m, 4);
	u32 priority = model_random(m, 3);
	int ret;

	ret = npu_sram_ask(&m->sram, &m->real[i], want, priority, privileged);
	if (want == DRM_NPU_RESIDENCY_PIN && !model_may_pin(m, b, privileged)) {
		KUNIT_EXPECT_EQ(m->test, ret, -ENOSPC);
		return;
	}
	KUNIT_EXPECT_EQ(m->test, ret, 0);
	b->want = want;
	b->priority = priority;
	b->asked = ++m->asks;
	/* Who is inside leaves at once if it is wanted no more. */
	if (want == DRM_NPU_RESIDENCY_NONE && b->inside) {
		npu_sram_remove(&m->sram, &m->real[i]);
		b->inside = false;
	}
}

/* A file becomes active, or idle. */
static void model_activate(struct model *m)
{
	u32 file = model_random(m, FILES);

	m->active[file] = !m->active[file];
	npu_sram_activate(&m->sram, &m->users[file], m->active[file]);
}

/* Let block @i in, as the driver does. */
static void model_enter(struct model *m, u32 i)
{
	struct model_block *b = &m->blocks[i];
	struct npu_sram_block *victim;
	int expected;

	if (b->inside || b->want == DRM_NPU_RESIDENCY_NONE)
		return;
	for (;;) {
		expected = model_victim(m, b);
		victim = npu_sram_victim(&m->sram, &m->real[i]);
		if (expected == -2) {
			KUNIT_EXPECT_PTR_EQ(m->test, victim, ERR_PTR(-ENOSPC));
			m->refusals++;
			return;
		}
		if (expected < 0) {
			KUNIT_EXPECT_NULL(m->test, victim);
			break;
		}
		KUNIT_ASSERT_PTR_EQ(m->test, victim, &m->real[expected]);
		npu_sram_remove(&m->sram, victim);
		m->blocks[expected].inside = false;
		m->evictions++;
	}
	KUNIT_ASSERT_TRUE(m->test, npu_sram_fits(&m->sram, &m->real[i]));
	npu_sram_place(&m->sram, &m->real[i]);
	b->inside = true;
}

/* Who comes in when there is room. */
static void model_fill(struct model *m)
{
	u32 room = PAGES - model_used(m, -1), i;
	struct npu_sram_block *next = npu_sram_next(&m->sram);
	int best = -1;

	for (i = 0; i < BLOCKS; i++) {
		const struct model_block *b = &m->blocks[i], *o;
		u32 used = model_used(m, b->file), other;

		if (b->inside || b->want == DRM_NPU_RESIDENCY_NONE ||
		    b->count > room)
			continue;
		o = best < 0 ? NULL : &m->blocks[best];
		other = o ? model_used(m, o->file) : 0;
		if (!o || used < other ||
		    (used == other && b->priority > o->priority) ||
		    (used == other && b->priority == o->priority &&
		     b->asked < o->asked))
			best = i;
	}
	if (best < 0) {
		KUNIT_EXPECT_NULL(m->test, next);
		return;
	}
	KUNIT_ASSERT_PTR_EQ(m->test, next, &m->real[best]);
	npu_sram_place(&m->sram, next);
	m->blocks[best].inside = true;
}

/* No page twice, and all counts as they are to be. */
static bool model_compare(struct model *m, u32 step)
{
	u32 taken[PAGES] = {}, row = 0, largest = 0, i, j;
	struct kunit *test = m->test;

	for (i = 0; i < BLOCKS; i++) {
		KUNIT_EXPECT_EQ(test, m->real[i].placed, m->blocks[i].inside);
		for (j = 0; m->blocks[i].inside && j < m->blocks[i].count; j++) {
			KUNIT_ASSERT_LT(test, m->pages[i][j], PAGES);
			taken[m->pages[i][j]]++;
		}
	}
	for (i = 0; i < PAGES; i++) {
		KUNIT_EXPECT_LE(test, taken[i], 1);
		row = taken[i] ? 0 : row + 1;
		largest = max(largest, row);
	}
	for (i = 0; i < FILES; i++) {
		KUNIT_EXPECT_EQ(test, m->users[i].used, model_used(m, i));
		KUNIT_EXPECT_EQ(test, m->users[i].pinned, model_pins(m, i));
	}
	KUNIT_EXPECT_EQ(test, m->sram.used, model_used(m, -1));
	KUNIT_EXPECT_EQ(test, m->sram.pinned, model_pins(m, -1));
	KUNIT_EXPECT_EQ(test, npu_sram_share(&m->sram), model_share(m));
	KUNIT_EXPECT_EQ(test, npu_sram_largest_hole(&m->sram), largest);
	if (test->status != KUNIT_FAILURE)
		return true;
	kunit_err(test, "step %u\n", step);
	return false;
}

static void model_fini(void *data)
{
	struct model *m = data;

	npu_sram_fini(&m->sram);
}

static struct model *model_create(struct kunit *test, u64 seed)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	prandom_seed_state(&m->rnd, seed);
	mutex_init(&m->lock);
	KUNIT_ASSERT_EQ(test, npu_sram_init(&m->sram, &m->lock, 0, PAGES), 0);
	npu_sram_limit(&m->sram, 25, 50);
	for (i = 0; i < FILES; i++) {
		npu_sram_user_init(&m->users[i]);
		m->active[i] = true;
		mutex_lock(&m->lock);
		npu_sram_activate(&m->sram, &m->users[i], true);
		mutex_unlock(&m->lock);
	}
	for (i = 0; i < BLOCKS; i++) {
		m->blocks[i].file = model_random(m, FILES);
		m->blocks[i].count = 1 + model_random(m, LARGEST);
		m->real[i].user = &m->users[m->blocks[i].file];
		m->real[i].count = m->blocks[i].count;
		m->real[i].pages = m->pages[i];
		INIT_LIST_HEAD(&m->real[i].link);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, model_fini, m), 0);
	return m;
}

static void npu_sram_random(struct kunit *test)
{
	const u64 *seed = test->param_value;
	struct model *m = model_create(test, *seed);
	u32 step;

	mutex_lock(&m->lock);
	for (step = 0; step < STEPS; step++) {
		u32 i = model_random(m, BLOCKS);

		switch (model_random(m, 4)) {
		case 0:
			model_ask(m, i);
			if (!model_random(m, 16))
				model_activate(m);
			break;
		case 1:
			model_fill(m);
			break;
		default:
			model_enter(m, i);
			break;
		}
		if (!model_compare(m, step))
			break;
	}
	mutex_unlock(&m->lock);
	/* It has done something. */
	KUNIT_EXPECT_GT(test, m->evictions, STEPS / 100);
	KUNIT_EXPECT_GT(test, m->refusals, STEPS / 100);
}

static const u64 npu_sram_seeds[] = { 1, 2, 3, 4, 5, 6 };

static void npu_sram_seed_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %llu", *seed);
}

KUNIT_ARRAY_PARAM(npu_sram, npu_sram_seeds, npu_sram_seed_desc);

/* A file within its share gets in, whatever the priorities of the other. */
static void npu_sram_fair(struct kunit *test)
{
	struct model *m = model_create(test, 1);
	u32 i;

	mutex_lock(&m->lock);
	for (i = 0; i < 5; i++) {
		m->real[i].user = &m->users[i < 4 ? 0 : 1];
		m->real[i].count = PAGES / 4;
		KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[i],
						   DRM_NPU_RESIDENCY_PREFER,
						   i < 4 ? 200 + i : 0, false), 0);
		if (i < 4)
			npu_sram_place(&m->sram, &m->real[i]);
	}
	/* The one with the lowest priority of those who have too much. */
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[4]),
			    &m->real[0]);
	npu_sram_remove(&m->sram, &m->real[0]);
	npu_sram_place(&m->sram, &m->real[4]);
	/* And it does not come back at the cost of the other. */
	m->real[0].priority = 255;
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[0]),
			    &m->real[1]);
	mutex_unlock(&m->lock);
}

/* Files that are merely open have no share, and what they prefer leaves first. */
static void npu_sram_idle_files(struct kunit *test)
{
	struct model *m = model_create(test, 1);
	u32 i;

	mutex_lock(&m->lock);
	for (i = 0; i < 4; i++) {
		m->real[i].user = &m->users[i];
		m->real[i].count = i < 3 ? 2 : PAGES - 4;
		KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[i],
						   DRM_NPU_RESIDENCY_PREFER,
						   i < 3 ? 255 : 0, false), 0);
		if (i < 3)
			npu_sram_place(&m->sram, &m->real[i]);
	}
	KUNIT_EXPECT_EQ(test, npu_sram_share(&m->sram), PAGES / 4);
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[3]),
			    ERR_PTR(-ENOSPC));
	for (i = 0; i < 3; i++)
		npu_sram_activate(&m->sram, &m->users[i], false);
	KUNIT_EXPECT_TRUE(test, m->sram.again);
	KUNIT_EXPECT_EQ(test, npu_sram_share(&m->sram), PAGES);
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[3]), &m->real[0]);
	/* They cannot come back at its cost until they work. */
	npu_sram_remove(&m->sram, &m->real[0]);
	npu_sram_place(&m->sram, &m->real[3]);
	m->real[3].priority = 255;
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[0]),
			    ERR_PTR(-ENOSPC));
	npu_sram_activate(&m->sram, &m->users[0], true);
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_victim(&m->sram, &m->real[0]), &m->real[1]);
	mutex_unlock(&m->lock);
}

/* What leaves for a block does not take its place. */
static void npu_sram_claims(struct kunit *test)
{
	struct model *m = model_create(test, 1);
	u32 i;

	mutex_lock(&m->lock);
	for (i = 0; i < 3; i++) {
		m->real[i].user = &m->users[i];
		m->real[i].count = i < 2 ? PAGES : 1;
		KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[i],
						   DRM_NPU_RESIDENCY_PREFER, 0, false), 0);
	}
	npu_sram_claim(&m->sram, &m->real[1], true);
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_next(&m->sram), &m->real[1]);
	npu_sram_claim(&m->sram, &m->real[1], false);
	KUNIT_EXPECT_PTR_EQ(test, npu_sram_next(&m->sram), &m->real[0]);
	KUNIT_EXPECT_EQ(test, m->sram.claimed, 0);
	mutex_unlock(&m->lock);
}

static void npu_sram_empty(struct kunit *test)
{
	struct npu_sram *sram = kunit_kzalloc(test, sizeof(*sram), GFP_KERNEL);
	static DEFINE_MUTEX(lock);
	struct npu_sram_user user = {};
	struct npu_sram_block block = { .user = &user, .count = 1 };

	KUNIT_ASSERT_NOT_NULL(test, sram);
	KUNIT_ASSERT_EQ(test, npu_sram_init(sram, &lock, 0, 0), 0);
	INIT_LIST_HEAD(&block.link);
	npu_sram_user_init(&user);
	mutex_lock(sram->lock);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(sram, &block, DRM_NPU_RESIDENCY_PIN,
					   0, true), -ENOSPC);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(sram, &block,
					   DRM_NPU_RESIDENCY_PREFER, 0, true),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(sram, &block, DRM_NPU_RESIDENCY_NONE,
					   0, false), 0);
	KUNIT_EXPECT_EQ(test, npu_sram_largest_hole(sram), 0);
	KUNIT_EXPECT_NULL(test, npu_sram_next(sram));
	mutex_unlock(sram->lock);
	npu_sram_fini(sram);
}

/* The limit that QUERY tells is of what a file wants, and of each file by itself. */
static void npu_sram_many(struct kunit *test)
{
	struct model *m = model_create(test, 1);
	u32 i;

	mutex_lock(&m->lock);
	for (i = 0; i < 3; i++) {
		m->real[i].user = &m->users[i / 2];
		m->real[i].count = 1;
	}
	m->users[0].wants = NPU_SRAM_MAX_WANTS - 1;
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[0],
					   DRM_NPU_RESIDENCY_PREFER, 0, false), 0);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[1],
					   DRM_NPU_RESIDENCY_PREFER, 0, false), -ENOSPC);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[2],
					   DRM_NPU_RESIDENCY_PREFER, 0, false), 0);
	/* What a file wants already can change. */
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[0],
					   DRM_NPU_RESIDENCY_PREFER, 9, false), 0);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[0],
					   DRM_NPU_RESIDENCY_NONE, 0, false), 0);
	KUNIT_EXPECT_EQ(test, npu_sram_ask(&m->sram, &m->real[1],
					   DRM_NPU_RESIDENCY_PREFER, 0, false), 0);
	mutex_unlock(&m->lock);
}

static struct kunit_case npu_sram_cases[] = {
	KUNIT_CASE_PARAM_ATTR(npu_sram_random, npu_sram_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(npu_sram_fair),
	KUNIT_CASE(npu_sram_idle_files),
	KUNIT_CASE(npu_sram_many),
	KUNIT_CASE(npu_sram_claims),
	KUNIT_CASE(npu_sram_empty),
	{}
};

static struct kunit_suite npu_sram_suite = {
	.name = "npu_sram",
	.test_cases = npu_sram_cases,
};

kunit_test_suite(npu_sram_suite);
