// SPDX-License-Identifier: GPL-2.0-only
/*
 * On-chip memory: pages, shares and victims.
 *
 * The device sees pages through its page tables, so that a block takes any free
 * ones and nothing is fragmented.
 *
 * Each active file with wanted blocks has an equal share of the pages that are not
 * pinned, and a file that is not active has none, so that files which are merely
 * open take nothing from those that work. A file below its share can always evict
 * blocks of files above theirs, so none starves; unclaimed pages may be used by any
 * file. Priorities decide between blocks of the same file, and between blocks
 * beyond the shares of their files.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "npu_sram.h"

/**
 * npu_sram_init() - prepare a region
 * @sram: the region
 * @lock: what protects it; may be shared by several regions
 * @index: its number among those of the device
 * @count: its pages; may be 0
 *
 * Return: 0 or -ENOMEM.
 */
int npu_sram_init(struct npu_sram *sram, struct mutex *lock, u32 index,
		  u32 count)
{
	sram->lock = lock;
	sram->index = index;
	INIT_LIST_HEAD(&sram->inside);
	INIT_LIST_HEAD(&sram->outside);
	INIT_LIST_HEAD(&sram->wanting);
	sram->count = count;
	sram->file_limit = count;
	sram->limit = count;
	if (!count)
		return 0;
	sram->taken = bitmap_zalloc(count, GFP_KERNEL);
	return sram->taken ? 0 : -ENOMEM;
}

/**
 * npu_sram_fini() - undo npu_sram_init()
 * @sram: the region, which is empty
 */
void npu_sram_fini(struct npu_sram *sram)
{
	bitmap_free(sram->taken);
}

/**
 * npu_sram_limit() - limit what unprivileged clients may pin
 * @sram: the region
 * @file_percent: by one file
 * @percent: by all
 */
void npu_sram_limit(struct npu_sram *sram, u32 file_percent, u32 percent)
{
	sram->file_limit = (u64)sram->count * min(file_percent, 100u) / 100;
	sram->limit = (u64)sram->count * min(percent, 100u) / 100;
}

/**
 * npu_sram_user_init() - prepare a file that wants nothing
 * @user: the file
 */
void npu_sram_user_init(struct npu_sram_user *user)
{
	INIT_LIST_HEAD(&user->link);
}

/**
 * npu_sram_activate() - say whether a file is active
 * @sram: the region
 * @user: the file
 * @active: whether it is
 */
void npu_sram_activate(struct npu_sram *sram, struct npu_sram_user *user,
		       bool active)
{
	lockdep_assert_held(sram->lock);
	if (active == user->active)
		return;
	user->active = active;
	if (!user->wants)
		return;
	sram->users += active ? 1 : -1;
	/* Shares are others now. */
	sram->again = true;
}

/**
 * npu_sram_share() - fair share of each active file
 * @sram: the region
 *
 * Return: pages.
 */
u32 npu_sram_share(const struct npu_sram *sram)
{
	lockdep_assert_held(sram->lock);
	return (sram->count - sram->pinned) / max(sram->users, 1u);
}

/**
 * npu_sram_largest_hole() - the longest row of free pages
 * @sram: the region
 *
 * Return: pages.
 */
u32 npu_sram_largest_hole(const struct npu_sram *sram)
{
	unsigned int first, end;
	u32 largest = 0;

	lockdep_assert_held(sram->lock);
	for_each_clear_bitrange(first, end, sram->taken, sram->count)
		largest = max(largest, end - first);
	return largest;
}

static bool npu_sram_pinned(const struct npu_sram_block *block)
{
	return block->want == DRM_NPU_RESIDENCY_PIN;
}

/* May @block be pinned? Its own pages do not count if it is pinned already. */
static bool npu_sram_may_pin(const struct npu_sram *sram,
			     const struct npu_sram_block *block, bool privileged)
{
	u32 own = npu_sram_pinned(block) ? block->count : 0;
	u32 pinned = sram->pinned - own + block->count;
	u32 by_file = block->user->pinned - own + block->count;

	if (privileged)
		return pinned <= sram->count;
	return pinned <= sram->limit && by_file <= sram->file_limit;
}

/**
 * npu_sram_ask() - set the residency that is wanted for a block
 * @sram: the region
 * @block: the block; its user and count are set
 * @want: the residency
 * @priority: its priority
 * @privileged: limits do not count
 *
 * A block that is pinned counts from now on, be it placed or not.
 *
 * Return: 0, or -ENOSPC with nothing changed.
 */
int npu_sram_ask(struct npu_sram *sram, struct npu_sram_block *block,
		 enum drm_npu_residency want, u32 priority, bool privileged)
{
	struct npu_sram_user *user = block->user;

	lockdep_assert_held(sram->lock);
	if (want != DRM_NPU_RESIDENCY_NONE && block->count > sram->count)
		return -ENOSPC;
	/* Bounds the lists that others have to wait for. */
	if (want != DRM_NPU_RESIDENCY_NONE &&
	    block->want == DRM_NPU_RESIDENCY_NONE &&
	    user->wants >= NPU_SRAM_MAX_WANTS)
		return -ENOSPC;
	if (want == DRM_NPU_RESIDENCY_PIN &&
	    !npu_sram_may_pin(sram, block, privileged))
		return -ENOSPC;

	if (want < block->want ||
	    (want == block->want && priority < block->priority))
		sram->again = true;
	if (npu_sram_pinned(block)) {
		sram->pinned -= block->count;
		user->pinned -= block->count;
	}
	if (want == DRM_NPU_RESIDENCY_PIN) {
		sram->pinned += block->count;
		user->pinned += block->count;
	}
	if (block->want == DRM_NPU_RESIDENCY_NONE &&
	    want != DRM_NPU_RESIDENCY_NONE && !user->wants++) {
		list_add_tail(&user->link, &sram->wanting);
		sram->users += user->active;
	}
	if (block->want != DRM_NPU_RESIDENCY_NONE &&
	    want == DRM_NPU_RESIDENCY_NONE && !--user->wants) {
		list_del_init(&user->link);
		sram->users -= user->active;
	}
	block->want = want;
	block->priority = priority;
	block->asked = ++sram->asks;
	if (!block->placed) {
		list_del_init(&block->link);
		if (want != DRM_NPU_RESIDENCY_NONE)
			list_add_tail(&block->link, &sram->outside);
	}
	return 0;
}

/**
 * npu_sram_fits() - are there enough free pages?
 * @sram: the region
 * @block: the block, which has none
 *
 * Return: whether it can be placed.
 */
bool npu_sram_fits(const struct npu_sram *sram,
		   const struct npu_sram_block *block)
{
	lockdep_assert_held(sram->lock);
	return block->count <= sram->count - sram->used;
}

/* Does @user have more than its share with @pages? */
static bool npu_sram_beyond(const struct npu_sram *sram,
			    const struct npu_sram_user *user, u32 pages)
{
	return pages > (user->active ? npu_sram_share(sram) : 0);
}

/* May @block take the place of @other? */
static bool npu_sram_may_evict(const struct npu_sram *sram,
			       const struct npu_sram_block *block,
			       const struct npu_sram_block *other)
{
	bool beyond = npu_sram_beyond(sram, block->user,
				      block->user->left + block->count);

	if (other->victim || npu_sram_pinned(other))
		return false;
	if (npu_sram_pinned(block))
		return true;
	if (other->user == block->user)
		return other->priority < block->priority ||
		       (beyond && other->priority == block->priority &&
			other->asked < block->asked);
	return npu_sram_beyond(sram, other->user, other->user->left) &&
	       (!beyond || other->priority < block->priority);
}

/* Is @a to leave before @b? */
static bool npu_sram_leaves_first(const struct npu_sram *sram,
				  const struct npu_sram_block *a,
				  const struct npu_sram_block *b)
{
	bool a_beyond = npu_sram_beyond(sram, a->user, a->user->left);
	bool b_beyond = npu_sram_beyond(sram, b->user, b->user->left);

	if (a_beyond != b_beyond)
		return a_beyond;
	if (a->user->active != b->user->active)
		return b->user->active;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	if (a->user->left != b->user->left)
		return a->user->left > b->user->left;
	return a->asked < b->asked;
}

static struct npu_sram_block *npu_sram_worst(struct npu_sram *sram,
					     const struct npu_sram_block *block)
{
	struct npu_sram_block *other, *worst = NULL;

	list_for_each_entry(other, &sram->inside, link)
		if (npu_sram_may_evict(sram, block, other) &&
		    (!worst || npu_sram_leaves_first(sram, other, worst)))
			worst = other;
	return worst;
}

/**
 * npu_sram_victim() - choose a block to evict for another
 * @sram: the region
 * @block: the block, which is wanted and has no pages
 *
 * Finds all blocks that would have to be evicted first, so that none is evicted
 * unless the block fits afterwards.
 *
 * Return: the first of them, %NULL if the block fits as it is, or
 * ERR_PTR(-ENOSPC).
 */
struct npu_sram_block *npu_sram_victim(struct npu_sram *sram,
				       const struct npu_sram_block *block)
{
	struct npu_sram_block *other, *worst, *first = NULL;
	u32 room = sram->count - sram->used;

	lockdep_assert_held(sram->lock);
	block->user->left = 0;
	list_for_each_entry(other, &sram->inside, link) {
		other->victim = false;
		other->user->left = 0;
	}
	list_for_each_entry(other, &sram->inside, link)
		if (!npu_sram_pinned(other))
			other->user->left += other->count;

	while (room < block->count) {
		cond_resched();
		worst = npu_sram_worst(sram, block);
		if (!worst)
			return ERR_PTR(-ENOSPC);
		worst->victim = true;
		worst->user->left -= worst->count;
		room += worst->count;
		if (!first)
			first = worst;
	}
	return first;
}

/**
 * npu_sram_place() - give a block pages
 * @sram: the region
 * @block: the block, which fits
 */
void npu_sram_place(struct npu_sram *sram, struct npu_sram_block *block)
{
	unsigned long page = 0;
	u32 i;

	lockdep_assert_held(sram->lock);
	for (i = 0; i < block->count; i++) {
		page = find_next_zero_bit(sram->taken, sram->count, page);
		__set_bit(page, sram->taken);
		block->pages[i] = page;
	}
	sram->used += block->count;
	block->user->used += block->count;
	block->placed = true;
	list_move_tail(&block->link, &sram->inside);
}

/**
 * npu_sram_remove() - take the pages of a block back
 * @sram: the region
 * @block: the block, which has pages
 */
void npu_sram_remove(struct npu_sram *sram, struct npu_sram_block *block)
{
	u32 i;

	lockdep_assert_held(sram->lock);
	for (i = 0; i < block->count; i++)
		__clear_bit(block->pages[i], sram->taken);
	sram->used -= block->count;
	block->user->used -= block->count;
	block->placed = false;
	list_del_init(&block->link);
	if (block->want != DRM_NPU_RESIDENCY_NONE)
		list_add_tail(&block->link, &sram->outside);
}

/**
 * npu_sram_claim() - keep pages that become free for a block
 * @sram: the region
 * @block: the block, for which others are leaving
 * @claims: whether they are
 *
 * Else npu_sram_next() might give the pages to a block that has just left, again and
 * again.
 */
void npu_sram_claim(struct npu_sram *sram, struct npu_sram_block *block,
		    bool claims)
{
	lockdep_assert_held(sram->lock);
	if (claims == block->claims)
		return;
	block->claims = claims;
	if (claims)
		sram->claimed += block->count;
	else
		sram->claimed -= block->count;
}

/* Does @block fit beside the claims of others? */
static bool npu_sram_has_room(const struct npu_sram *sram,
			      const struct npu_sram_block *block)
{
	u32 claimed = sram->claimed - (block->claims ? block->count : 0);

	return (u64)block->count + claimed <= sram->count - sram->used;
}

/**
 * npu_sram_next() - choose a block to place, now that there is room
 * @sram: the region
 *
 * Pages that are claimed count as taken.
 *
 * Return: of the blocks that fit and are wanted that with the highest priority
 * of the file that has the least, and of these the one that was asked for first;
 * or %NULL.
 */
struct npu_sram_block *npu_sram_next(struct npu_sram *sram)
{
	struct npu_sram_block *block, *best = NULL;

	lockdep_assert_held(sram->lock);
	list_for_each_entry(block, &sram->outside, link) {
		if (!npu_sram_has_room(sram, block))
			continue;
		if (!best || block->user->used < best->user->used ||
		    (block->user->used == best->user->used &&
		     (block->priority > best->priority ||
		      (block->priority == best->priority &&
		       block->asked < best->asked))))
			best = block;
	}
	return best;
}
