/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs: immutable programs. */
#ifndef NPU_JOB_H
#define NPU_JOB_H

#include <linux/kref.h>
#include <linux/xarray.h>

struct drm_device;
struct drm_file;
struct npu_device;
struct npu_file;
struct npu_mapping;

/**
 * struct npu_job_lane - a lane
 */
struct npu_job_lane {
	/** @stream: Device address of its first stream. */
	u32 stream;
	/** @stream_words: Words of that stream. */
	u32 stream_words;
	/** @task_count: Tasks in the chain. */
	u32 task_count;
};

/**
 * struct npu_job - a job
 */
struct npu_job {
	/** @ref: References: the id and every slot. */
	struct kref ref;
	/** @npu: The device. */
	struct npu_device *npu;
	/** @streams: Command memory; no client has a handle of it. */
	struct npu_mapping *streams;
	/** @used: Mappings that the streams address, by address, referenced. */
	struct xarray used;
	/** @lane_count: Number of lanes. */
	u32 lane_count;
	/** @lanes: The lanes. */
	struct npu_job_lane lanes[] __counted_by(lane_count);
};

struct npu_job *npu_job_find(struct npu_file *nfile, u32 id);
void npu_job_put(struct npu_job *job);
void npu_jobs_release(struct npu_file *nfile);

int npu_job_create_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file);
int npu_job_destroy_ioctl(struct drm_device *dev, void *data,
			  struct drm_file *file);

#endif /* NPU_JOB_H */
