/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * On-chip memory: which page belongs to which block, and which block is evicted
 * for which. Knows nothing of buffers.
 */
#ifndef NPU_SRAM_H
#define NPU_SRAM_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "npu_accel.h"

/* Priorities are below this. */
#define NPU_SRAM_PRIORITIES	256
/* Blocks that a file may want. */
#define NPU_SRAM_MAX_WANTS	4096

/**
 * struct npu_sram_user - usage of the region by one file
 *
 * Protected by npu_sram.lock.
 */
struct npu_sram_user {
	/** @link: In &npu_sram.wanting while it wants something. */
	struct list_head link;
	/** @active: It has a share. */
	bool active;
	/** @since: When it asked for the first time, in jiffies; 0 if never. */
	u64 since;
	/** @wants: Buffers that prefer the region or are pinned in it. */
	u32 wants;
	/** @used: Pages, pinned ones included. */
	u32 used;
	/** @pinned: Pages that are pinned. */
	u32 pinned;
	/** @left: Pages not pinned that it keeps, while victims are sought. */
	u32 left;
};

/**
 * struct npu_sram_block - the pages of a buffer
 *
 * Protected by npu_sram.lock.
 */
struct npu_sram_block {
	/** @link: In &npu_sram.inside or &npu_sram.outside, if it is wanted. */
	struct list_head link;
	/** @user: The file. */
	struct npu_sram_user *user;
	/** @want: Residency asked for. */
	enum drm_npu_residency want;
	/** @priority: Its priority. */
	u32 priority;
	/** @asked: When it was asked for, in the order of all such calls. */
	u64 asked;
	/** @count: Pages that it takes. */
	u32 count;
	/** @scanned: Number of the scan that has seen it last. */
	u64 scanned;
	/** @placed: It has pages. */
	bool placed;
	/** @claims: Others are leaving for it; see &npu_sram.claimed. */
	bool claims;
	/** @victim: Is to leave, while victims are sought. */
	bool victim;
	/** @pages: Numbers of its pages, @count of them, if it is placed. */
	u32 *pages;
};

/**
 * struct npu_sram - a region
 */
struct npu_sram {
	/** @lock: Protects the rest, and moves; that of all regions of a device. */
	struct mutex *lock;
	/** @index: Its number among the regions on the chip. */
	u32 index;
	/** @count: Pages; 0 if there is no such memory. */
	u32 count;
	/** @taken: One bit for each page that belongs to a block. */
	unsigned long *taken;
	/** @used: Pages taken. */
	u32 used;
	/** @pinned: Pages of pinned blocks. */
	u32 pinned;
	/** @claimed: Pages that blocks need for which others are leaving. */
	u32 claimed;
	/** @wanting: Files that want something. */
	struct list_head wanting;
	/** @users: Files in @wanting that are active. */
	u32 users;
	/** @file_limit: Pages that a file may pin. */
	u32 file_limit;
	/** @limit: Pages that may be pinned in all. */
	u32 limit;
	/**
	 * @again: Something is less wanted than before, so that a block outside
	 * may now evict others; reset by npu_residency_fill().
	 */
	bool again;
	/** @scan: Number of the newest scan of @outside. */
	u64 scan;
	/** @asks: How often something has been asked for. */
	u64 asks;
	/** @evictions: Blocks that had to leave for others. */
	u64 evictions;
	/** @moves: Moves in and out. */
	u64 moves;
	/** @moved: Pages that they copied. */
	u64 moved;
	/** @inside: Blocks with pages. */
	struct list_head inside;
	/** @outside: Blocks that are wanted and have none. */
	struct list_head outside;
};

int npu_sram_init(struct npu_sram *sram, struct mutex *lock, u32 index,
		  u32 count);
void npu_sram_fini(struct npu_sram *sram);
void npu_sram_limit(struct npu_sram *sram, u32 file_percent, u32 percent);

void npu_sram_user_init(struct npu_sram_user *user);
void npu_sram_activate(struct npu_sram *sram, struct npu_sram_user *user,
		       bool active);
int npu_sram_ask(struct npu_sram *sram, struct npu_sram_block *block,
		 enum drm_npu_residency want, u32 priority, bool privileged);
struct npu_sram_block *npu_sram_victim(struct npu_sram *sram,
				       const struct npu_sram_block *block);
bool npu_sram_fits(const struct npu_sram *sram,
		   const struct npu_sram_block *block);
void npu_sram_claim(struct npu_sram *sram, struct npu_sram_block *block,
		    bool claims);
void npu_sram_place(struct npu_sram *sram, struct npu_sram_block *block);
void npu_sram_remove(struct npu_sram *sram, struct npu_sram_block *block);
struct npu_sram_block *npu_sram_next(struct npu_sram *sram);

u32 npu_sram_share(const struct npu_sram *sram);
u32 npu_sram_largest_hole(const struct npu_sram *sram);

#endif /* NPU_SRAM_H */
