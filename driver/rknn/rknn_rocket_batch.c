// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of jobs of a SUBMIT. A batch locks each buffer once for all its jobs.
 * Consecutive jobs that list the same buffers share a fence, which signals when the
 * last of them has ended. Fences of the earlier jobs would not outlive the call: the
 * last job's fence would replace them in every buffer.
 *
 * Cached jobs are batched. The batch is queued before a new job is verified, which
 * takes long, so that no job waits for the verification of a later one.
 */
#include <linux/dma-fence.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "../core/exec/npu_context.h"
#include "../core/exec/npu_dispatch.h"
#include "../core/exec/npu_job.h"
#include "../core/exec/npu_submit.h"
#include "../core/include/npu_device.h"
#include "../core/mem/npu_vm.h"
#include "rknn_rocket_batch.h"
#include "rknn_rocket_job.h"
#include "rocket_accel.h"

/* Mainline has no bound; this is beyond what its clients need. */
#define RKNN_ROCKET_MAX_BOS	4096u

/* Read the handles of one list of a job. */
static int rknn_rocket_read_list(u32 *handles, u64 user, u32 count)
{
	return copy_from_user(handles, u64_to_user_ptr(user),
			      count * sizeof(*handles)) ? -EFAULT : 0;
}

/*
 * Read what @rjob lists. If only the list of buffers that it reads cannot be read,
 * @error is what the job ends with.
 */
static int rknn_rocket_read_lists(struct rknn_rocket_lists *lists,
				  const struct drm_rocket_job *rjob, int *error)
{
	u32 out = rjob->out_bo_handle_count, in = rjob->in_bo_handle_count;
	int ret;

	if (out > RKNN_ROCKET_MAX_BOS || in > RKNN_ROCKET_MAX_BOS)
		return -E2BIG;
	if (out + in > lists->room) {
		kvfree(lists->handles);
		lists->room = 0;
		lists->handles = kvmalloc_array(out + in,
						sizeof(*lists->handles),
						GFP_KERNEL_ACCOUNT);
		if (!lists->handles)
			return -ENOMEM;
		lists->room = out + in;
	}
	lists->out = out;
	lists->in = in;
	ret = rknn_rocket_read_list(lists->handles, rjob->out_bo_handles, out);
	if (ret)
		return ret;
	*error = rknn_rocket_read_list(lists->handles + out,
				       rjob->in_bo_handles, in);
	if (*error)
		lists->in = 0;
	return 0;
}

static bool rknn_rocket_same_lists(const struct rknn_rocket_lists *a,
				   const struct rknn_rocket_lists *b)
{
	return a->out == b->out && a->in == b->in &&
	       !memcmp(a->handles, b->handles,
		       (a->out + a->in) * sizeof(*a->handles));
}

/* Add the buffers of @count handles. */
static int rknn_rocket_add_bos(struct npu_implicit *implicit,
			       struct drm_file *file, const u32 *handles,
			       u32 count, bool write)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < count && !ret; i++) {
		struct drm_gem_object *obj;

		obj = drm_gem_object_lookup(file, handles[i]);
		if (!obj)
			return -ENOENT;
		ret = npu_implicit_add(implicit, obj, write);
		drm_gem_object_put(obj);
	}
	return ret;
}

/* Queue up to @most jobs of @group, the first of which is @jobs. */
static int rknn_rocket_try(struct npu_context *ctx,
			   struct rknn_rocket_group *group,
			   struct npu_job **jobs, u32 most)
{
	struct npu_request request = {
		.jobs = jobs,
		.count = min(group->count, most),
		.shares = npu_vm_shares(ctx->vm),
	};
	struct npu_submit *submit;
	bool cookie;
	u64 seqno;
	int ret;

	ret = npu_implicit_collect(&group->implicit, ctx->fence_context);
	if (ret)
		return ret;
	submit = npu_submit_alloc(ctx, group->implicit.fence_count);
	if (!submit)
		return -ENOMEM;
	submit->in_error = group->error;
	npu_submit_depend_implicit(submit, &group->implicit);
	cookie = dma_fence_begin_signalling();
	request.submit = submit;
	ret = npu_queue_jobs(ctx, &request, &seqno);
	if (!ret) {
		npu_implicit_attach(&group->implicit, &submit->fence);
		npu_submit_put(submit);
		submit = NULL;
		group->count -= request.count;
	}
	dma_fence_end_signalling(cookie);
	npu_submit_free(submit);
	return ret;
}

/* Queue all that there is room for; all buffers are locked. */
static int rknn_rocket_queue_locked(struct rknn_rocket_batch *batch, u32 *done,
				    u32 most)
{
	u32 i;

	for (i = 0; i < batch->group_count; i++) {
		struct rknn_rocket_group *group = &batch->groups[i];

		while (group->count) {
			u32 before = group->count;
			int ret = rknn_rocket_try(batch->ctx, group,
						  batch->jobs + *done, most);

			if (ret)
				return ret;
			*done += before - group->count;
		}
	}
	return 0;
}

/* Wait until jobs may be queued that rknn_rocket_queue_locked() refused with @ret. */
static int rknn_rocket_wait(struct rknn_rocket_batch *batch, int ret, u32 *most)
{
	switch (ret) {
	case -EBUSY:
	case -EAGAIN:
		*most = 1;
		return npu_queue_wait_room(batch->ctx, 1, true) ? -EINTR : 0;
	case -EDQUOT:
		*most = 1;
		return npu_queue_wait_user(batch->ctx) ? -EINTR : 0;
	case -ESTALE:
		return 0;
	default:
		return ret;
	}
}

/* Empty the batch; the first @done jobs have been queued, the others are dropped. */
static void rknn_rocket_batch_clear(struct rknn_rocket_batch *batch, u32 done)
{
	u32 i;

	for (i = done; i < batch->job_count; i++)
		npu_job_put(batch->jobs[i]);
	for (i = 0; i < batch->group_count; i++)
		npu_implicit_fini(&batch->groups[i].implicit);
	npu_implicit_fini(&batch->all);
	batch->job_count = 0;
	batch->group_count = 0;
}

/**
 * rknn_rocket_batch_queue() - queue all jobs, waiting for room
 * @batch: the batch, which is empty afterwards
 *
 * Return: 0 or a negative errno, if jobs are lost.
 */
int rknn_rocket_batch_queue(struct rknn_rocket_batch *batch)
{
	u32 done = 0, most = RKNN_ROCKET_BATCH_JOBS;
	bool interruptible = true;
	int ret = 0;

	while (done < batch->job_count && !ret) {
		ret = npu_implicit_lock(&batch->all, interruptible);
		if (ret == -EINTR || ret == -ERESTARTSYS) {
			/*
			 * To start anew would run the jobs before twice, and while
			 * the signal is pending no interruptible lock waits.
			 */
			interruptible = false;
			ret = fatal_signal_pending(current) ? -EINTR : 0;
			continue;
		}
		if (ret)
			break;
		ret = rknn_rocket_queue_locked(batch, &done, most);
		npu_implicit_unlock(&batch->all);
		if (ret)
			ret = rknn_rocket_wait(batch, ret, &most);
	}
	rknn_rocket_batch_clear(batch, done);
	return ret;
}

/*
 * Begin a group with the buffers of @implicit, which @batch->next lists; the group
 * takes them over. May queue the jobs before it.
 */
static int rknn_rocket_begin_group(struct rknn_rocket_batch *batch,
				   struct npu_implicit *implicit, int error)
{
	struct rknn_rocket_group *group;
	int ret = 0;

	npu_implicit_merge(implicit);
	/* Buffers that several groups list may count more than once. */
	if (batch->all.count + implicit->count > NPU_MAX_SHARED)
		ret = rknn_rocket_batch_queue(batch);
	if (!ret)
		ret = npu_implicit_add_all(&batch->all, implicit);
	if (ret)
		return ret;
	group = &batch->groups[batch->group_count++];
	*group = (struct rknn_rocket_group) {
		.implicit = *implicit,
		.error = error,
	};
	*implicit = (struct npu_implicit) {};
	swap(batch->lists, batch->next);
	return 0;
}

/*
 * Find or make the job of @rjob. @job receives a reference, or an ERR_PTR() if the
 * job is refused. Returns an error if the whole call fails.
 */
static int rknn_rocket_job(struct rknn_rocket_batch *batch,
			   const struct drm_rocket_job *rjob,
			   struct npu_job **job)
{
	struct npu_file *nfile = batch->file->driver_priv;
	struct rknn_rocket_tasks tasks;
	int ret;

	ret = rknn_rocket_tasks_read(nfile, rjob, &tasks);
	*job = ret ? ERR_PTR(ret) : rknn_rocket_recall_job(nfile, &tasks);
	ret = 0;
	if (!*job) {
		ret = rknn_rocket_batch_queue(batch);
		if (!ret)
			*job = rknn_rocket_make_job(nfile, &tasks);
	}
	rknn_rocket_tasks_fini(&tasks);
	if (PTR_ERR_OR_ZERO(*job) == -EINTR || PTR_ERR_OR_ZERO(*job) == -ENOMEM)
		ret = PTR_ERR(*job);
	return ret;
}

/* Look up the buffers that @batch->next lists. */
static int rknn_rocket_find_bos(struct rknn_rocket_batch *batch,
				struct npu_implicit *implicit, int *error)
{
	const struct rknn_rocket_lists *lists = &batch->next;
	int ret;

	ret = rknn_rocket_add_bos(implicit, batch->file, lists->handles,
				  lists->out, true);
	if (ret)
		return ret;
	ret = rknn_rocket_add_bos(implicit, batch->file,
				  lists->handles + lists->out, lists->in,
				  false);
	if (ret == -E2BIG || ret == -ENOMEM)
		return ret;
	*error = *error ?: ret;
	return 0;
}

/* Does a job that lists @batch->next belong to the last group? */
static bool rknn_rocket_joins(const struct rknn_rocket_batch *batch)
{
	return batch->group_count &&
	       !batch->groups[batch->group_count - 1].error &&
	       rknn_rocket_same_lists(&batch->lists, &batch->next);
}

/*
 * Begin a group for @job, which lists @batch->next. A job that is to end with an
 * error, or is an ERR_PTR(), is replaced by an empty job, which carries the error.
 */
static int rknn_rocket_add_group(struct rknn_rocket_batch *batch,
				 struct npu_job **job, int error)
{
	struct npu_implicit implicit = {};
	int ret;

	ret = rknn_rocket_find_bos(batch, &implicit, &error);
	error = error ?: PTR_ERR_OR_ZERO(*job);
	if (!ret && error) {
		if (!IS_ERR_OR_NULL(*job))
			npu_job_put(*job);
		*job = npu_job_create(batch->ctx->npu, 0);
		ret = *job ? 0 : -ENOMEM;
	}
	if (!ret)
		ret = rknn_rocket_begin_group(batch, &implicit, error);
	npu_implicit_fini(&implicit);
	return ret;
}

/* Add a job that lists @batch->next; it ends with @error if that is not 0. */
static int rknn_rocket_add_job(struct rknn_rocket_batch *batch,
			       const struct drm_rocket_job *rjob, int error)
{
	struct npu_job *job = NULL;
	int ret;

	ret = error ? 0 : rknn_rocket_job(batch, rjob, &job);
	if (!ret && (IS_ERR_OR_NULL(job) || !rknn_rocket_joins(batch)))
		ret = rknn_rocket_add_group(batch, &job, error);
	if (ret) {
		if (!IS_ERR_OR_NULL(job))
			npu_job_put(job);
		return ret;
	}
	batch->jobs[batch->job_count++] = job;
	batch->groups[batch->group_count - 1].count++;
	return 0;
}

/**
 * rknn_rocket_batch_add() - add a job; those before may be queued
 * @batch: the batch
 * @rjob: the job
 *
 * Only what concerns the whole call is returned; what is wrong with the job goes to
 * its fence, or nowhere if the buffers that it writes do not exist.
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_batch_add(struct rknn_rocket_batch *batch,
			  const struct drm_rocket_job *rjob)
{
	struct npu_file *nfile = batch->file->driver_priv;
	int error = 0, ret = 0;

	if (batch->job_count == RKNN_ROCKET_BATCH_JOBS)
		ret = rknn_rocket_batch_queue(batch);
	if (ret)
		return ret;
	ret = rknn_rocket_read_lists(&batch->next, rjob, &error);
	if (!ret)
		ret = rknn_rocket_add_job(batch, rjob, error);
	if (ret == -EFAULT || ret == -ENOENT) {
		atomic64_inc(&nfile->compat_lost);
		ret = 0;
	}
	return ret;
}

/**
 * rknn_rocket_batch_fini() - free a batch's memory
 * @batch: the batch; jobs that have not been queued are lost
 */
void rknn_rocket_batch_fini(struct rknn_rocket_batch *batch)
{
	rknn_rocket_batch_clear(batch, 0);
	kvfree(batch->lists.handles);
	kvfree(batch->next.handles);
}
