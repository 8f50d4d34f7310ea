/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs of rocket's SUBMIT: made once, and again only if their streams change. */
#ifndef RKNN_ROCKET_JOB_H
#define RKNN_ROCKET_JOB_H

#include <linux/types.h>

struct drm_rocket_job;
struct drm_rocket_task;
struct npu_file;
struct npu_job;
struct npu_mapping;

/**
 * struct rknn_rocket_tasks - the tasks of a job, as the client lists them
 */
struct rknn_rocket_tasks {
	/** @list: The tasks. */
	struct drm_rocket_task *list;
	/** @count: Number of tasks. */
	u32 count;
	/** @words: Words of all their streams, tails included. */
	size_t words;
};

int rknn_rocket_tasks_read(struct npu_file *nfile,
			   const struct drm_rocket_job *rjob,
			   struct rknn_rocket_tasks *tasks);
void rknn_rocket_tasks_fini(struct rknn_rocket_tasks *tasks);
struct npu_job *rknn_rocket_recall_job(struct npu_file *nfile,
				       const struct rknn_rocket_tasks *tasks);
struct npu_job *rknn_rocket_make_job(struct npu_file *nfile,
				     const struct rknn_rocket_tasks *tasks);
void rknn_rocket_forget(struct npu_file *nfile, struct npu_mapping *mapping);
void rknn_rocket_release(struct npu_file *nfile);

#endif /* RKNN_ROCKET_JOB_H */
