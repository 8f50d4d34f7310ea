/* SPDX-License-Identifier: GPL-2.0-only */
/* Batches: jobs of a SUBMIT that are queued under one lock of their buffers. */
#ifndef RKNN_ROCKET_BATCH_H
#define RKNN_ROCKET_BATCH_H

#include <linux/types.h>

#include "../core/exec/npu_implicit.h"

struct drm_file;
struct drm_rocket_job;
struct npu_context;
struct npu_job;
struct rknn_rocket_tasks;

/* Jobs that are queued under one lock at most. */
#define RKNN_ROCKET_BATCH_JOBS		64u

/**
 * struct rknn_rocket_lists - handles that a job lists
 */
struct rknn_rocket_lists {
	/** @handles: Those of buffers it writes, then those of buffers it reads. */
	u32 *handles;
	/** @out: Number of buffers that it writes. */
	u32 out;
	/** @in: Number of buffers that it reads. */
	u32 in;
	/** @room: Handles that @handles has room for. */
	u32 room;
};

/**
 * struct rknn_rocket_group - jobs with the same buffers, one after the other
 */
struct rknn_rocket_group {
	/** @implicit: The buffers. */
	struct npu_implicit implicit;
	/** @count: Number of jobs. */
	u32 count;
	/** @error: Error that the jobs end with, or 0. */
	int error;
};

/**
 * struct rknn_rocket_batch - jobs that are to be queued
 */
struct rknn_rocket_batch {
	/** @file: The file. */
	struct drm_file *file;
	/** @ctx: Its context for SUBMIT. */
	struct npu_context *ctx;
	/** @all: The buffers of all groups. */
	struct npu_implicit all;
	/** @lists: Handles that the jobs of the last group list. */
	struct rknn_rocket_lists lists;
	/** @next: Handles that the job being added lists. */
	struct rknn_rocket_lists next;
	/** @jobs: The jobs, referenced. */
	struct npu_job *jobs[RKNN_ROCKET_BATCH_JOBS];
	/** @job_count: Number of jobs. */
	u32 job_count;
	/** @group_count: Number of groups. */
	u32 group_count;
	/** @groups: The groups, in order; room for as many as the batch has jobs. */
	struct rknn_rocket_group groups[];
};

int rknn_rocket_batch_add(struct rknn_rocket_batch *batch,
			  const struct drm_rocket_job *rjob);
int rknn_rocket_batch_queue(struct rknn_rocket_batch *batch);
void rknn_rocket_batch_fini(struct rknn_rocket_batch *batch);

#endif /* RKNN_ROCKET_BATCH_H */
