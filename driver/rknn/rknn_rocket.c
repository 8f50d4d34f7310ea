// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of mainline's rocket driver, on the machinery of ours: each job of a
 * SUBMIT is copied, verified and linked as JOB_CREATE does it, and queued in a
 * context that the file has for this, with the implicit fences of the buffers
 * that it lists.
 *
 * Mainline answers 0 for a job that it refuses, and so must we; but here the
 * fence of such a job carries the error.
 */
#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_utils.h>

#include "../compat.h"
#include "../core/exec/npu_context.h"
#include "../core/exec/npu_dispatch.h"
#include "../core/exec/npu_implicit.h"
#include "../core/exec/npu_job.h"
#include "../core/exec/npu_submit.h"
#include "../core/include/npu_device.h"
#include "../core/include/npu_family.h"
#include "../core/include/npu_isa.h"
#include "../core/mem/npu_bo.h"
#include "../core/mem/npu_sync.h"
#include "../core/mem/npu_vm.h"
#include "npu_accel.h"
#include "rknn_rocket.h"
#include "rocket_accel.h"

/* Mainline has no bounds; these are beyond what its clients need. */
#define RKNN_ROCKET_MAX_JOBS	65536
#define RKNN_ROCKET_MAX_BOS	4096
/* Words of a stream that are not commands: the link, the start, rounding. */
#define RKNN_ROCKET_TAIL		16

/**
 * struct rknn_rocket_reader - reads streams out of buffers
 */
struct rknn_rocket_reader {
	/** @vm: Address space of the file. */
	struct npu_vm *vm;
	/** @mapping: The buffer that is mapped for the kernel, or %NULL. */
	struct npu_mapping *mapping;
	/** @map: Where. */
	struct iosys_map map;
};

static void rknn_rocket_close(struct rknn_rocket_reader *reader)
{
	if (!reader->mapping)
		return;
	npu_gem_vunmap(&reader->mapping->bo->base.base, &reader->map);
	npu_mapping_put(reader->mapping);
	reader->mapping = NULL;
}

/* Have the buffer mapped that @addr lies in. */
static int rknn_rocket_open(struct rknn_rocket_reader *reader, u32 addr)
{
	struct npu_mapping *mapping = npu_mapping_find(reader->vm, addr);
	int ret;

	if (!mapping)
		return -EINVAL;
	if (mapping == reader->mapping) {
		npu_mapping_put(mapping);
		return 0;
	}
	rknn_rocket_close(reader);
	/* Streams of jobs are mapped, but not the client's. */
	ret = -EINVAL;
	if (!READ_ONCE(mapping->handles))
		goto err_put;
	ret = npu_gem_vmap(&mapping->bo->base.base, &reader->map);
	if (ret)
		goto err_put;
	reader->mapping = mapping;
	return 0;

err_put:
	npu_mapping_put(mapping);
	return ret;
}

static int rknn_rocket_read(struct rknn_rocket_reader *reader,
			    const struct drm_rocket_task *task, u64 *words)
{
	size_t bytes = (size_t)task->regcmd_count * sizeof(u64);
	u64 offset;
	int ret;

	if (task->regcmd % sizeof(u64))
		return -EINVAL;
	ret = rknn_rocket_open(reader, task->regcmd);
	if (ret)
		return ret;
	offset = task->regcmd - reader->mapping->node.start;
	if (bytes > reader->mapping->node.size - offset)
		return -EINVAL;
	npu_bo_read(reader->mapping->bo, &reader->map, offset, words, bytes);
	return 0;
}

/* Copy the list of tasks. Returns the words of all streams or an error. */
static ssize_t rknn_rocket_copy_tasks(const struct npu_isa_ops *isa,
				      const struct drm_rocket_job *rjob,
				      struct drm_rocket_task *tasks)
{
	size_t words = 0;
	u32 i;

	for (i = 0; i < rjob->task_count; i++) {
		if (copy_from_user(&tasks[i], u64_to_user_ptr(rjob->tasks) +
				   (size_t)i * rjob->task_struct_size,
				   sizeof(tasks[i])))
			return -EFAULT;
		if (!tasks[i].regcmd_count)
			return -EINVAL;
		if (tasks[i].regcmd_count > isa->max_task_commands +
					    RKNN_ROCKET_TAIL)
			return -E2BIG;
		words += tasks[i].regcmd_count;
		cond_resched();
	}
	return words * sizeof(u64) > NPU_MAX_JOB_BYTES ? -E2BIG : words;
}

/* Copy the streams into @builder, without their tails. */
static int rknn_rocket_copy_streams(struct npu_job_builder *builder,
				    struct rknn_rocket_reader *reader,
				    const struct drm_rocket_task *tasks,
				    u32 count)
{
	u64 *words = builder->copy;
	int ret = 0;
	u32 i;

	for (i = 0; i < count && !ret; i++) {
		struct drm_npu_task *task = &builder->tasks[i];

		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		ret = rknn_rocket_read(reader, &tasks[i], words);
		if (!ret)
			ret = builder->isa->split(words, tasks[i].regcmd_count,
						  &task->command_count,
						  &task->enable);
		/* A stream that does nothing but start has no commands. */
		if (!ret && !task->command_count)
			ret = -EINVAL;
		words += task->command_count;
		cond_resched();
	}
	return ret;
}

static int rknn_rocket_build(struct npu_job_builder *builder,
			     struct rknn_rocket_reader *reader,
			     const struct drm_rocket_job *rjob)
{
	struct npu_isa_fault fault = {};
	struct drm_rocket_task *tasks;
	ssize_t words;
	int ret;

	tasks = kvmalloc_array(rjob->task_count, sizeof(*tasks),
			       GFP_KERNEL_ACCOUNT);
	if (!tasks)
		return -ENOMEM;
	words = rknn_rocket_copy_tasks(builder->isa, rjob, tasks);
	ret = words;
	if (words < 0)
		goto out_free;

	ret = -ENOMEM;
	builder->job->lanes[0].task_count = rjob->task_count;
	builder->tasks = kvcalloc(rjob->task_count, sizeof(*builder->tasks),
				  GFP_KERNEL_ACCOUNT);
	builder->copy = kvmalloc_array(words, sizeof(u64), GFP_KERNEL_ACCOUNT);
	if (!builder->tasks || !builder->copy)
		goto out_free;
	ret = rknn_rocket_copy_streams(builder, reader, tasks,
				       rjob->task_count);
	if (!ret)
		ret = npu_job_build(builder, &fault);
out_free:
	kvfree(tasks);
	return ret;
}

/* Make a job of @rjob, or return why there is none. */
static struct npu_job *rknn_rocket_create_job(struct npu_file *nfile,
					      struct rknn_rocket_reader *reader,
					      const struct drm_rocket_job *rjob)
{
	struct npu_job_builder builder = {
		.vm = nfile->vm,
		.isa = nfile->npu->desc.family->isa,
	};
	int ret;

	if (!rjob->task_count ||
	    rjob->task_struct_size < sizeof(struct drm_rocket_task))
		return ERR_PTR(-EINVAL);
	if (rjob->task_count > builder.isa->max_lane_tasks ||
	    rjob->task_struct_size > NPU_MAX_STRIDE)
		return ERR_PTR(-E2BIG);

	builder.job = npu_job_create(nfile->npu, 1);
	if (!builder.job)
		return ERR_PTR(-ENOMEM);
	ret = rknn_rocket_build(&builder, reader, rjob);
	npu_job_builder_fini(&builder);
	if (ret) {
		npu_job_put(builder.job);
		return ERR_PTR(ret);
	}
	return builder.job;
}

/* Add the buffers of a list of handles. */
static int rknn_rocket_add_bos(struct npu_implicit *implicit,
			       struct drm_file *file, u64 user, u32 count,
			       bool write)
{
	u32 i;

	if (count > RKNN_ROCKET_MAX_BOS)
		return -E2BIG;
	for (i = 0; i < count; i++) {
		struct drm_gem_object *obj;
		u32 handle;
		int ret;

		if (copy_from_user(&handle, u64_to_user_ptr(user) +
				   (size_t)i * sizeof(handle), sizeof(handle)))
			return -EFAULT;
		obj = drm_gem_object_lookup(file, handle);
		if (!obj)
			return -ENOENT;
		ret = npu_implicit_add(implicit, obj, write);
		drm_gem_object_put(obj);
		if (ret)
			return ret;
	}
	return 0;
}

/* The context of the calls, or an ERR_PTR(). It lives until the file is closed. */
static struct npu_context *rknn_rocket_context(struct npu_file *nfile)
{
	struct npu_context *ctx;

	mutex_lock(&nfile->lock);
	ctx = nfile->compat;
	if (!ctx)
		ctx = npu_context_create(nfile, npu_core_mask(nfile->npu),
					 NPU_MAX_QUEUED,
					 DRM_NPU_CLASS_THROUGHPUT, 0);
	if (!IS_ERR(ctx))
		nfile->compat = ctx;
	mutex_unlock(&nfile->lock);
	return ctx;
}

/*
 * Queue @job, whose reference is taken over on success; it ends with @error if
 * that is not 0. Returns what npu_queue_jobs() returns, among others.
 */
static int rknn_rocket_try(struct npu_context *ctx, struct npu_job *job,
			   int error, struct npu_implicit *implicit,
			   bool interruptible)
{
	struct npu_request request = {
		.jobs = &job,
		.count = 1,
		.shares = npu_vm_shares(ctx->vm),
	};
	struct npu_submit *submit;
	u64 seqno;
	int ret;

	ret = npu_implicit_lock(implicit, ctx->fence_context, interruptible);
	if (ret)
		return ret;
	submit = npu_submit_alloc(ctx, implicit->fence_count);
	if (submit) {
		bool cookie;

		submit->in_error = error;
		npu_submit_depend_implicit(submit, implicit);
		cookie = dma_fence_begin_signalling();
		request.submit = submit;
		ret = npu_queue_jobs(ctx, &request, &seqno);
		if (!ret) {
			npu_implicit_attach(implicit, &submit->fence);
			npu_submit_put(submit);
			submit = NULL;
		}
		dma_fence_end_signalling(cookie);
		npu_submit_free(submit);
	} else {
		ret = -ENOMEM;
	}
	npu_implicit_unlock(implicit);
	return ret;
}

/* Queue @job as rknn_rocket_try() does, waiting for room. */
static int rknn_rocket_queue(struct npu_context *ctx, struct npu_job *job,
			     int error, struct npu_implicit *implicit)
{
	bool interruptible = true;
	int ret;

	for (;;) {
		ret = rknn_rocket_try(ctx, job, error, implicit, interruptible);
		switch (ret) {
		case -EBUSY:
		case -EAGAIN:
			if (npu_queue_wait_room(ctx, 1, true))
				return -EINTR;
			break;
		case -EDQUOT:
			if (npu_queue_wait_user(ctx))
				return -EINTR;
			break;
		case -EINTR:
		case -ERESTARTSYS:
			/*
			 * To start anew would run the jobs before twice, and while
			 * the signal is pending no interruptible lock waits.
			 */
			if (fatal_signal_pending(current))
				return -EINTR;
			interruptible = false;
			break;
		case -ESTALE:
			break;
		default:
			return ret;
		}
	}
}

/* Tell the log of jobs that went wrong since it was told last. */
static void rknn_rocket_report(struct npu_file *nfile)
{
	u32 error = 0;
	u64 failed = npu_compat_failed(nfile, &error);

	/* Some other thread may tell of them. */
	if (atomic64_xchg(&nfile->compat_told, failed) < failed)
		dev_notice_ratelimited(nfile->npu->drm.dev,
				       "%s[%d]: %llu rocket jobs refused or failed so far, error %u\n",
				       current->comm, task_tgid_nr(current),
				       failed, error);
}

/*
 * One job of a SUBMIT. Only what concerns the whole call is returned; what is
 * wrong with the job goes to its fence, or nowhere if its buffers do not exist.
 */
static int rknn_rocket_submit_job(struct npu_context *ctx,
				  struct drm_file *file,
				  struct rknn_rocket_reader *reader,
				  const struct drm_rocket_job *rjob)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_implicit implicit = {};
	struct npu_job *job;
	int error, ret;

	ret = rknn_rocket_add_bos(&implicit, file, rjob->out_bo_handles,
				  rjob->out_bo_handle_count, true);
	if (ret) {
		if (ret != -ENOMEM && ret != -E2BIG) {
			atomic64_inc(&nfile->compat_lost);
			ret = 0;
		}
		goto out_fini;
	}
	error = rknn_rocket_add_bos(&implicit, file, rjob->in_bo_handles,
				    rjob->in_bo_handle_count, false);
	if (error == -E2BIG) {
		ret = error;
		goto out_fini;
	}

	job = error ? ERR_PTR(error) :
		      rknn_rocket_create_job(nfile, reader, rjob);
	if (IS_ERR(job)) {
		error = PTR_ERR(job);
		if (error == -EINTR || error == -ENOMEM) {
			ret = error;
			goto out_fini;
		}
		/* One that does nothing takes its place. */
		job = npu_job_create(ctx->npu, 0);
		ret = -ENOMEM;
		if (!job)
			goto out_fini;
	}
	ret = rknn_rocket_queue(ctx, job, error, &implicit);
	if (ret)
		npu_job_put(job);
out_fini:
	npu_implicit_fini(&implicit);
	return ret;
}

/**
 * rknn_rocket_submit_ioctl() - %DRM_IOCTL_ROCKET_SUBMIT
 * @dev: the device
 * @data: a &struct drm_rocket_submit
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_submit_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	/* Jobs of a call mostly have their streams in the same buffer. */
	struct rknn_rocket_reader reader = { .vm = nfile->vm };
	struct drm_rocket_submit *args = data;
	struct drm_rocket_job *jobs;
	struct npu_context *ctx;
	int ret = 0;
	u32 i;

	if (!args->job_count)
		return 0;
	if (args->job_struct_size < sizeof(*jobs) || args->reserved)
		return -EINVAL;
	if (args->job_struct_size > NPU_MAX_STRIDE ||
	    args->job_count > RKNN_ROCKET_MAX_JOBS)
		return -E2BIG;

	jobs = kvmalloc_array(args->job_count, sizeof(*jobs),
			      GFP_KERNEL_ACCOUNT);
	if (!jobs)
		return -ENOMEM;
	for (i = 0; i < args->job_count && !ret; i++) {
		if (copy_from_user(&jobs[i], u64_to_user_ptr(args->jobs) +
				   (size_t)i * args->job_struct_size,
				   sizeof(jobs[i])))
			ret = -EFAULT;
		cond_resched();
	}
	ctx = ret ? NULL : rknn_rocket_context(nfile);
	if (!ret)
		ret = PTR_ERR_OR_ZERO(ctx);
	for (i = 0; i < args->job_count && !ret; i++)
		ret = fatal_signal_pending(current) ? -EINTR :
		      rknn_rocket_submit_job(ctx, file, &reader, &jobs[i]);
	rknn_rocket_close(&reader);
	kvfree(jobs);
	rknn_rocket_report(nfile);
	return ret;
}

/**
 * rknn_rocket_create_bo_ioctl() - %DRM_IOCTL_ROCKET_CREATE_BO
 * @dev: the device
 * @data: a &struct drm_rocket_create_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_create_bo_ioctl(struct drm_device *dev, void *data,
				struct drm_file *file)
{
	struct drm_rocket_create_bo *args = data;
	struct drm_npu_query_buffer info;
	int ret;

	if (!args->size)
		return -EINVAL;
	if (args->size > npu_max_buffer_size(to_npu_device(dev)))
		return -E2BIG;
	ret = npu_bo_create_handle(file, args->size, DRM_NPU_BO_CACHED, &info,
				   &args->handle);
	if (ret)
		return ret;
	args->dma_address = info.address;
	args->offset = info.mmap_offset;
	return 0;
}

/**
 * rknn_rocket_prep_bo_ioctl() - %DRM_IOCTL_ROCKET_PREP_BO
 * @dev: the device
 * @data: a &struct drm_rocket_prep_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_prep_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file)
{
	struct drm_rocket_prep_bo *args = data;
	unsigned long timeout = drm_timeout_abs_to_jiffies(args->timeout_ns);
	struct drm_gem_object *obj;
	long ret;

	if (args->reserved)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = dma_resv_wait_timeout(obj->resv, DMA_RESV_USAGE_READ, true,
				    timeout);
	if (ret > 0)
		ret = npu_sync_bo(to_npu_bo(obj), 0, obj->size, true);
	else if (!ret)
		ret = timeout ? -ETIMEDOUT : -EBUSY;
	drm_gem_object_put(obj);
	rknn_rocket_report(file->driver_priv);
	return ret;
}

/**
 * rknn_rocket_fini_bo_ioctl() - %DRM_IOCTL_ROCKET_FINI_BO
 * @dev: the device
 * @data: a &struct drm_rocket_fini_bo
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_fini_bo_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file)
{
	struct drm_rocket_fini_bo *args = data;
	struct drm_gem_object *obj;
	int ret;

	if (args->reserved)
		return -EINVAL;
	obj = drm_gem_object_lookup(file, args->handle);
	if (!obj)
		return -ENOENT;
	ret = npu_sync_bo(to_npu_bo(obj), 0, obj->size, false);
	drm_gem_object_put(obj);
	return ret;
}
