/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a device. */
#ifndef NPU_MEM_H
#define NPU_MEM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../include/npu_device.h"
#include "npu_sram.h"
#include "npu_user.h"

struct dmem_cgroup_region;

/**
 * struct npu_mem - address spaces and on-chip memory of a device
 */
struct npu_mem {
	/** @npu: The device, which owns it. */
	struct npu_device *npu;
	/** @vms_lock: Protects @vms. */
	struct mutex vms_lock;
	/** @vms: Address spaces. */
	struct list_head vms;
	/** @wc_reads: See npu_fault.c. */
	atomic_t wc_reads;
	/** @users: Who has opened it. */
	struct npu_users users;
	/** @still: Waits for slices to leave gates, and for moves. */
	wait_queue_head_t still;
	/** @queue: Runs the movers of all files, and @sram_work. */
	struct workqueue_struct *queue;
	/** @sram_lock: Protects @sram and @sram_asleep, and moves. */
	struct mutex sram_lock;
	/** @sram_count: Number of regions on the chip. */
	u32 sram_count;
	/** @sram: These regions. */
	struct npu_sram sram[NPU_MAX_SRAMS];
	/** @sram_asleep: They may lose their contents. */
	bool sram_asleep;
	/** @sram_group: Their regions of the dmem control group, or %NULL. */
	struct dmem_cgroup_region *sram_group[NPU_MAX_SRAMS];
	/** @sram_work: Gives blocks that fit their places. */
	struct delayed_work sram_work;
};

int npu_mem_init(struct npu_device *npu);
void npu_mem_unplug(struct npu_device *npu);
void npu_mem_fini(struct npu_device *npu);

/* Region 0 is system memory, those on the chip follow. */
#define NPU_REGION_CHIP		1

static inline u32 npu_region_count(const struct npu_device *npu)
{
	return NPU_REGION_CHIP + npu->mem->sram_count;
}

/* Index of a region on the chip. */
static inline u32 npu_sram_region(const struct npu_sram *sram)
{
	return NPU_REGION_CHIP + sram->index;
}

#endif /* NPU_MEM_H */
