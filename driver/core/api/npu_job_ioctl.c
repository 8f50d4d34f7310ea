// SPDX-License-Identifier: GPL-2.0-only
/* JOB_CREATE and JOB_DESTROY. */
#include <linux/ctype.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>

#include "../exec/npu_job.h"
#include "../include/npu_device.h"
#include "../include/npu_family.h"
#include "../include/npu_isa.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_residency.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"

/**
 * npu_jobs_find() - look up ids
 * @nfile: the file
 * @jobs: receives the jobs, each with a reference for the caller
 * @ids: the ids
 * @count: number of ids, at most %NPU_MAX_SUBMIT_JOBS
 *
 * Return: 0, or -ENOENT; @jobs has those that were found before then.
 */
int npu_jobs_find(struct npu_file *nfile, struct npu_job **jobs,
		  const struct drm_npu_submit_job *ids, u32 count)
{
	int ret = 0;
	u32 i;

	xa_lock(&nfile->jobs);
	for (i = 0; i < count && !ret; i++) {
		jobs[i] = xa_load(&nfile->jobs, ids[i].job_id);
		if (jobs[i])
			refcount_inc(&jobs[i]->ref);
		else
			ret = -ENOENT;
	}
	xa_unlock(&nfile->jobs);
	return ret;
}

/* Copy @count elements of @size bytes that lie @stride bytes apart. */
static int npu_copy_array(void *dst, size_t size, u64 user, u32 count,
			  u32 stride)
{
	u32 i;
	int ret;

	if (stride > NPU_MAX_STRIDE)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = copy_struct_from_user(dst + i * size, size,
					    u64_to_user_ptr(user) +
					    (size_t)i * stride, stride);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

static int npu_check_task(const struct drm_npu_task *task)
{
	return task->flags || !task->command_count ? -EINVAL : 0;
}

/*
 * Copy the lanes' task lists into @builder->tasks, and the number of tasks of
 * each into the job.
 */
static int npu_job_copy_tasks(struct npu_job_builder *builder,
			      const struct drm_npu_job_create *args)
{
	struct npu_job *job = builder->job;
	struct drm_npu_lane *lanes;
	u32 total = 0, i, done;
	int ret;

	lanes = kcalloc(job->lane_count, sizeof(*lanes), GFP_KERNEL);
	if (!lanes)
		return -ENOMEM;
	ret = npu_copy_array(lanes, sizeof(*lanes), args->lanes,
			     job->lane_count, args->lane_stride);
	if (ret)
		goto out_free;

	for (i = 0; i < job->lane_count; i++) {
		ret = -EINVAL;
		if (!lanes[i].task_count || lanes[i].task_stride % 8 ||
		    lanes[i].task_stride < sizeof(struct drm_npu_task))
			goto out_free;
		ret = -E2BIG;
		if (lanes[i].task_count > builder->isa->max_lane_tasks)
			goto out_free;
		job->lanes[i].task_count = lanes[i].task_count;
		total += lanes[i].task_count;
	}

	ret = -ENOMEM;
	builder->tasks = kvcalloc(total, sizeof(*builder->tasks),
				  GFP_KERNEL_ACCOUNT);
	if (!builder->tasks)
		goto out_free;

	for (i = 0, done = 0; i < job->lane_count; i++) {
		ret = npu_copy_array(builder->tasks + done,
				     sizeof(*builder->tasks), lanes[i].tasks,
				     lanes[i].task_count, lanes[i].task_stride);
		if (ret)
			goto out_free;
		done += lanes[i].task_count;
	}
	for (i = 0; i < total && !ret; i++)
		ret = npu_check_task(&builder->tasks[i]);
out_free:
	kfree(lanes);
	return ret;
}

/* Readers of traces rely on lines, so that a label must not end one. */
static int npu_job_copy_label(struct npu_job *job,
			      const struct drm_npu_job_create *args)
{
	long length, i;

	if (!args->label)
		return 0;
	length = strncpy_from_user(job->label, u64_to_user_ptr(args->label),
				   sizeof(job->label));
	if (length < 0)
		return length;
	if (length == sizeof(job->label))
		return -E2BIG;
	for (i = 0; i < length; i++)
		if (iscntrl(job->label[i]))
			return -EINVAL;
	return 0;
}

/**
 * npu_job_create_ioctl() - %DRM_IOCTL_NPU_JOB_CREATE
 * @dev: the device
 * @data: a &struct drm_npu_job_create
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_job_create_ioctl(struct drm_device *dev, void *data,
			 struct drm_file *file)
{
	struct npu_device *npu = to_npu_device(dev);
	struct npu_file *nfile = file->driver_priv;
	struct drm_npu_job_create *args = data;
	struct npu_job_builder builder = {
		.vm = nfile->vm,
		.isa = npu->desc.family->isa,
	};
	struct npu_isa_fault fault = {};
	int ret;

	args->fault_lane = 0;
	args->fault_task = 0;
	args->fault_command = 0;
	args->fault_reason = DRM_NPU_FAULT_NONE;
	args->fault_register = 0;
	if (args->flags || !args->lane_count ||
	    args->lane_stride % 8 ||
	    args->lane_stride < sizeof(struct drm_npu_lane))
		return -EINVAL;
	if (args->region && !npu->mem->sram_count)
		return -EOPNOTSUPP;
	if (args->region >= npu_region_count(npu))
		return -EINVAL;
	if (args->lane_count > npu->core_count)
		return -E2BIG;

	builder.job = npu_job_create(npu, args->lane_count);
	if (!builder.job)
		return -ENOMEM;
	ret = npu_job_copy_label(builder.job, args);
	if (!ret)
		ret = npu_job_copy_tasks(&builder, args);
	if (!ret)
		ret = npu_job_build(&builder, &fault);
	npu_job_builder_fini(&builder);
	if (ret == -EINVAL && fault.reason != DRM_NPU_FAULT_NONE) {
		args->fault_lane = builder.fault_lane;
		args->fault_task = builder.fault_task;
		args->fault_command = fault.command;
		args->fault_reason = fault.reason;
		args->fault_register = fault.reg;
	}
	/* What is written never changes, so it may move from now on. */
	if (!ret && args->region)
		ret = npu_residency_ask(builder.job->streams->bo,
					builder.job->streams, args->region,
					DRM_NPU_RESIDENCY_PREFER, 0);
	if (!ret) {
		ret = xa_alloc(&nfile->jobs, &args->job_id, builder.job,
			       XA_LIMIT(1, NPU_MAX_JOBS), GFP_KERNEL_ACCOUNT);
		if (ret == -EBUSY)
			ret = -ENOSPC;
	}
	if (ret)
		npu_job_put(builder.job);
	return ret;
}

/**
 * npu_job_destroy_ioctl() - %DRM_IOCTL_NPU_JOB_DESTROY
 * @dev: the device
 * @data: a &struct drm_npu_job_destroy
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_job_destroy_ioctl(struct drm_device *dev, void *data,
			  struct drm_file *file)
{
	struct drm_npu_job_destroy *args = data;
	struct npu_file *nfile = file->driver_priv;
	struct npu_job *job;

	if (args->pad)
		return -EINVAL;
	job = xa_erase(&nfile->jobs, args->job_id);
	if (!job)
		return -ENOENT;
	npu_job_put(job);
	return 0;
}

/**
 * npu_jobs_release() - destroy all jobs of a file that is closed
 * @nfile: the file
 */
void npu_jobs_release(struct npu_file *nfile)
{
	struct npu_job *job;
	unsigned long id;

	xa_for_each(&nfile->jobs, id, job)
		npu_job_put(job);
	xa_destroy(&nfile->jobs);
}
