/* SPDX-License-Identifier: GPL-2.0-only */
/* Clients: open files as the dispatcher knows them. */
#ifndef NPU_CLIENT_H
#define NPU_CLIENT_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "../sched/npu_sched.h"
#include "npu_accel.h"

struct npu_device;
struct npu_vm;

/* Classes, as &enum drm_npu_class has them. */
#define NPU_CLASS_COUNT		(DRM_NPU_CLASS_BACKGROUND + 1)

/**
 * struct npu_client_stats - what a client has had of the device so far
 */
struct npu_client_stats {
	/** @busy_ns: Device time of all its slices, in nanoseconds. */
	u64 busy_ns;
	/** @class_ns: The same, by the class that its context had been granted. */
	u64 class_ns[NPU_CLASS_COUNT];
	/** @jobs: Number of its jobs that have ended without an error. */
	u64 jobs;
	/** @tasks: Number of the tasks of those jobs. */
	u64 tasks;
	/** @macs: Multiply-accumulates of those jobs, see &npu_job.macs. */
	u64 macs;
	/** @failed: Number of its jobs that have ended with an error. */
	u64 failed;
	/** @missed: Number of its jobs that had not ended at their deadline. */
	u64 missed;
	/** @read_bytes: Bytes that its slices have read; 0 if not counted. */
	u64 read_bytes;
	/** @written_bytes: Bytes that they have written. */
	u64 written_bytes;
	/** @sram_bytes: Bytes of both that were on the chip. */
	u64 sram_bytes;
};

/**
 * struct npu_client - the contexts of an open file
 *
 * Outlives the file while a job of it is not retired.
 */
struct npu_client {
	/** @ref: References: the file and its contexts. */
	struct kref ref;
	/** @npu: The device, kept by @vm. */
	struct npu_device *npu;
	/** @vm: Address space of the file, referenced. */
	struct npu_vm *vm;
	/** @id: The file's id, as in fdinfo. */
	u64 id;

	/* The rest is protected by npu_exec.lock. */

	/** @contexts: Its contexts, by &npu_context.client_link. */
	struct list_head contexts;
	/** @context_count: Number of @contexts, destroyed ones included. */
	u32 context_count;
	/** @guilty: Its jobs that hung or faulted. */
	u32 guilty;
	/** @banned: Its contexts take no more jobs. */
	bool banned;
	/** @sched: Its file of the scheduler. */
	struct npu_sched_file sched;
	/** @stats: What it has had of the device. */
	struct npu_client_stats stats;
};

struct npu_client *npu_client_create(struct npu_vm *vm, u64 id);
struct npu_client *npu_client_get(struct npu_client *client);
void npu_client_put(struct npu_client *client);

#endif /* NPU_CLIENT_H */
