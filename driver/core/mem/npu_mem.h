/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a device. */
#ifndef NPU_MEM_H
#define NPU_MEM_H

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
	/** @users: Who has opened it. */
	struct npu_users users;
	/** @still: Waits for slices to leave gates, and for moves. */
	wait_queue_head_t still;
	/** @queue: Runs the movers of all files, and @sram_work. */
	struct workqueue_struct *queue;
	/** @sram: The on-chip memory. */
	struct npu_sram sram;
	/** @sram_asleep: It may lose its contents; protected by its lock. */
	bool sram_asleep;
	/** @sram_group: Its region of the dmem control group, or %NULL. */
	struct dmem_cgroup_region *sram_group;
	/** @sram_work: Gives blocks that fit their places. */
	struct delayed_work sram_work;
};

int npu_mem_init(struct npu_device *npu);
void npu_mem_unplug(struct npu_device *npu);
void npu_mem_fini(struct npu_device *npu);

/* Index of the memory on the chip; 0 is system memory. */
#define NPU_REGION_CHIP		1

/* System memory, and that on the chip if there is any. */
static inline u32 npu_region_count(const struct npu_device *npu)
{
	return npu->mem->sram.count ? 2 : 1;
}

#endif /* NPU_MEM_H */
