// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache of the jobs of rocket's SUBMIT. Clients of rocket pass their streams to each
 * call, and mostly pass the same ones again. Each file therefore keeps the jobs that
 * it has made, with a copy of the client's words. A submit of the same words at the
 * same addresses gets the verified job, which no client can write to.
 *
 * A kept job holds references to the buffers that it uses. When the client closes
 * the last handle of one of them, the cache drops the job.
 */
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat.h"
#include "../core/exec/npu_job.h"
#include "../core/include/npu_device.h"
#include "../core/include/npu_family.h"
#include "../core/include/npu_isa.h"
#include "../core/mem/npu_vm.h"
#include "npu_accel.h"
#include "rknn_rocket_job.h"
#include "rknn_rocket_reader.h"
#include "rocket_accel.h"

/* Words of a stream that are not commands: the link, the start, rounding. */
#define RKNN_ROCKET_TAIL		16
/* Limits of the jobs that a file keeps. */
#define RKNN_ROCKET_KEPT_JOBS		1024u
#define RKNN_ROCKET_KEPT_BYTES		(32 * SZ_1M)
/* Limits of the stream memory that dropped jobs leave for new ones. */
#define RKNN_ROCKET_SPARES		64u
#define RKNN_ROCKET_SPARE_BYTES		SZ_1M

/**
 * struct rknn_rocket_kept - a job that is kept
 */
struct rknn_rocket_kept {
	/** @node: In &rknn_rocket_file.kept. */
	struct hlist_node node;
	/** @link: In &rknn_rocket_file.recent. */
	struct list_head link;
	/** @job: The job, referenced. */
	struct npu_job *job;
	/** @tasks: What the client listed. */
	struct rknn_rocket_tasks tasks;
	/** @words: The client's words, of one task after the other. */
	u64 *words;
	/** @bytes: Memory that it and the job take, about. */
	size_t bytes;
};

/**
 * struct rknn_rocket_file - what a file keeps for SUBMIT
 */
struct rknn_rocket_file {
	/** @lock: Protects the rest. No user memory is read under it. */
	struct mutex lock;
	/** @reader: Keeps the buffer mapped that the last stream was in. */
	struct rknn_rocket_reader reader;
	/** @kept: Jobs by the list of their tasks. */
	DECLARE_HASHTABLE(kept, 8);
	/** @recent: The same jobs, most recently used first. */
	struct list_head recent;
	/** @count: Number of jobs. */
	u32 count;
	/** @bytes: Sum of &rknn_rocket_kept.bytes. */
	size_t bytes;
	/**
	 * @spares: Stream memory of dropped jobs, by &npu_mapping.link. Mapping new
	 * memory takes longer than verifying a small job.
	 */
	struct list_head spares;
	/** @spare_count: Number of @spares. */
	u32 spare_count;
	/** @spare_bytes: Their size. */
	size_t spare_bytes;
	/** @words: Room for the longest stream. */
	u64 words[];
};

/* Read the streams of all tasks into @words; on an error @at is the task at fault. */
static int rknn_rocket_read_all(struct rknn_rocket_reader *reader,
				struct npu_vm *vm,
				const struct rknn_rocket_tasks *tasks,
				u64 *words, u32 *at)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < tasks->count && !ret; i++) {
		*at = i;
		ret = fatal_signal_pending(current) ? -EINTR :
		      rknn_rocket_reader_read(reader, vm, &tasks->list[i], words);
		words += tasks->list[i].regcmd_count;
		cond_resched();
	}
	return ret;
}

/**
 * rknn_rocket_tasks_read() - read the list of a job's tasks
 * @nfile: the file
 * @rjob: the job
 * @tasks: receives them; to be undone with rknn_rocket_tasks_fini() in any case
 *
 * Return: 0 or a negative errno.
 */
int rknn_rocket_tasks_read(struct npu_file *nfile,
			   const struct drm_rocket_job *rjob,
			   struct rknn_rocket_tasks *tasks)
{
	const struct npu_isa_ops *isa = nfile->npu->desc.family->isa;
	u32 i;

	*tasks = (struct rknn_rocket_tasks) {};
	if (!rjob->task_count ||
	    rjob->task_struct_size < sizeof(*tasks->list))
		return -EINVAL;
	if (rjob->task_count > isa->max_lane_tasks ||
	    rjob->task_struct_size > NPU_MAX_STRIDE)
		return -E2BIG;
	tasks->list = kvmalloc_array(rjob->task_count, sizeof(*tasks->list),
				     GFP_KERNEL_ACCOUNT);
	if (!tasks->list)
		return -ENOMEM;
	tasks->count = rjob->task_count;
	for (i = 0; i < tasks->count; i++) {
		struct drm_rocket_task *task = &tasks->list[i];

		if (copy_from_user(task, u64_to_user_ptr(rjob->tasks) +
				   (size_t)i * rjob->task_struct_size,
				   sizeof(*task)))
			return -EFAULT;
		if (!task->regcmd_count)
			return -EINVAL;
		if (task->regcmd_count > isa->max_task_commands +
					 RKNN_ROCKET_TAIL)
			return -E2BIG;
		tasks->words += task->regcmd_count;
		cond_resched();
	}
	return tasks->words * sizeof(u64) > NPU_MAX_JOB_BYTES ? -E2BIG : 0;
}

/**
 * rknn_rocket_tasks_fini() - free a list of tasks
 * @tasks: the list
 */
void rknn_rocket_tasks_fini(struct rknn_rocket_tasks *tasks)
{
	kvfree(tasks->list);
	tasks->list = NULL;
}

static u32 rknn_rocket_hash(const struct rknn_rocket_tasks *tasks)
{
	return jhash2((const u32 *)tasks->list,
		      tasks->count * (sizeof(*tasks->list) / sizeof(u32)), 0);
}

static struct rknn_rocket_kept *
rknn_rocket_find(struct rknn_rocket_file *rfile,
		 const struct rknn_rocket_tasks *tasks)
{
	struct rknn_rocket_kept *kept;

	lockdep_assert_held(&rfile->lock);
	hash_for_each_possible(rfile->kept, kept, node, rknn_rocket_hash(tasks))
		if (kept->tasks.count == tasks->count &&
		    !memcmp(kept->tasks.list, tasks->list,
			    tasks->count * sizeof(*tasks->list)))
			return kept;
	return NULL;
}

/* Move @kept from the cache to @gone, which is freed without the lock. */
static void rknn_rocket_drop(struct rknn_rocket_file *rfile,
			     struct rknn_rocket_kept *kept,
			     struct list_head *gone)
{
	lockdep_assert_held(&rfile->lock);
	hash_del(&kept->node);
	list_move(&kept->link, gone);
	rfile->count--;
	rfile->bytes -= kept->bytes;
}

/* Keep @spare for new jobs, or drop it if there is enough; may be %NULL. */
static void rknn_rocket_leave(struct rknn_rocket_file *rfile,
			      struct npu_mapping *spare)
{
	if (!spare)
		return;
	mutex_lock(&rfile->lock);
	if (rfile->spare_count < RKNN_ROCKET_SPARES &&
	    rfile->spare_bytes + spare->node.size <= RKNN_ROCKET_SPARE_BYTES) {
		rfile->spare_count++;
		rfile->spare_bytes += spare->node.size;
		list_add(&spare->link, &rfile->spares);
		spare = NULL;
	}
	mutex_unlock(&rfile->lock);
	if (spare)
		npu_mapping_put(spare);
}

/* Memory for about @bytes of streams, or %NULL. */
static struct npu_mapping *rknn_rocket_take(struct rknn_rocket_file *rfile,
					    size_t bytes)
{
	struct npu_mapping *spare;

	lockdep_assert_held(&rfile->lock);
	list_for_each_entry(spare, &rfile->spares, link) {
		if (spare->node.size < bytes)
			continue;
		list_del_init(&spare->link);
		rfile->spare_count--;
		rfile->spare_bytes -= spare->node.size;
		return spare;
	}
	return NULL;
}

static void rknn_rocket_free(struct rknn_rocket_file *rfile,
			     struct rknn_rocket_kept *kept)
{
	rknn_rocket_leave(rfile, npu_job_put_streams(kept->job));
	rknn_rocket_tasks_fini(&kept->tasks);
	kvfree(kept->words);
	kfree(kept);
}

static void rknn_rocket_free_all(struct rknn_rocket_file *rfile,
				 struct list_head *gone)
{
	struct rknn_rocket_kept *kept, *next;

	list_for_each_entry_safe(kept, next, gone, link) {
		list_del(&kept->link);
		rknn_rocket_free(rfile, kept);
		cond_resched();
	}
}

/* Are the client's words still those of @kept? */
static bool rknn_rocket_same(struct rknn_rocket_file *rfile, struct npu_vm *vm,
			     const struct rknn_rocket_kept *kept)
{
	const u64 *words = kept->words;
	u32 i;

	for (i = 0; i < kept->tasks.count; i++) {
		const struct drm_rocket_task *task = &kept->tasks.list[i];

		if (rknn_rocket_reader_read(&rfile->reader, vm, task, rfile->words) ||
		    memcmp(words, rfile->words,
			   task->regcmd_count * sizeof(u64)))
			return false;
		words += task->regcmd_count;
		cond_resched();
	}
	return true;
}

/* The cache of @nfile, created on first use; %NULL if there is no memory. */
static struct rknn_rocket_file *rknn_rocket_file(struct npu_file *nfile)
{
	u32 longest = nfile->npu->desc.family->isa->max_task_commands +
		      RKNN_ROCKET_TAIL;
	struct rknn_rocket_file *rfile;

	mutex_lock(&nfile->lock);
	rfile = nfile->family_data;
	if (!rfile)
		rfile = kvzalloc(struct_size(rfile, words, longest),
				 GFP_KERNEL_ACCOUNT);
	if (rfile && !nfile->family_data) {
		mutex_init(&rfile->lock);
		hash_init(rfile->kept);
		INIT_LIST_HEAD(&rfile->recent);
		INIT_LIST_HEAD(&rfile->spares);
		nfile->family_data = rfile;
	}
	mutex_unlock(&nfile->lock);
	return rfile;
}

/**
 * rknn_rocket_recall_job() - find the job of a list of tasks whose words are the same
 * @nfile: the file
 * @tasks: the tasks
 *
 * Return: the job with a reference for the caller, or %NULL.
 */
struct npu_job *rknn_rocket_recall_job(struct npu_file *nfile,
				       const struct rknn_rocket_tasks *tasks)
{
	struct rknn_rocket_file *rfile = rknn_rocket_file(nfile);
	struct rknn_rocket_kept *kept;
	struct npu_job *job = NULL;
	LIST_HEAD(gone);

	if (!rfile)
		return NULL;
	mutex_lock(&rfile->lock);
	kept = rknn_rocket_find(rfile, tasks);
	if (kept && rknn_rocket_same(rfile, nfile->vm, kept)) {
		job = kept->job;
		refcount_inc(&job->ref);
		list_move(&kept->link, &rfile->recent);
	} else if (kept) {
		rknn_rocket_drop(rfile, kept, &gone);
	}
	mutex_unlock(&rfile->lock);
	rknn_rocket_free_all(rfile, &gone);
	return job;
}

/* Does @job only use buffers that the client still has? */
static bool rknn_rocket_current(struct npu_job *job)
{
	struct npu_mapping *mapping;
	unsigned long index;

	/* npu_gem_close() drops the handle before it calls rknn_rocket_forget(). */
	xa_for_each(&job->used, index, mapping)
		if (!READ_ONCE(mapping->handles))
			return false;
	return true;
}

/* Keep @job, made of @tasks and @words; takes @words over on success. */
static bool rknn_rocket_keep(struct rknn_rocket_file *rfile,
			     const struct rknn_rocket_tasks *tasks, u64 *words,
			     struct npu_job *job)
{
	struct rknn_rocket_kept *kept, *old;
	LIST_HEAD(gone);
	bool keep;

	kept = kzalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT);
	if (!kept)
		return false;
	kept->tasks = *tasks;
	kept->tasks.list = kvmemdup(tasks->list,
				    tasks->count * sizeof(*tasks->list),
				    GFP_KERNEL_ACCOUNT);
	kept->words = words;
	kept->job = job;
	kept->bytes = tasks->words * sizeof(u64) + job->streams->node.size;
	if (!kept->tasks.list) {
		kfree(kept);
		return false;
	}

	mutex_lock(&rfile->lock);
	keep = rknn_rocket_current(job) &&
	       kept->bytes <= RKNN_ROCKET_KEPT_BYTES;
	/* Another thread may have made the same job. */
	old = rknn_rocket_find(rfile, tasks);
	if (old)
		rknn_rocket_drop(rfile, old, &gone);
	if (keep) {
		refcount_inc(&job->ref);
		hash_add(rfile->kept, &kept->node, rknn_rocket_hash(tasks));
		list_add(&kept->link, &rfile->recent);
		rfile->count++;
		rfile->bytes += kept->bytes;
	}
	while (rfile->count > RKNN_ROCKET_KEPT_JOBS ||
	       rfile->bytes > RKNN_ROCKET_KEPT_BYTES)
		rknn_rocket_drop(rfile,
				 list_last_entry(&rfile->recent,
						 struct rknn_rocket_kept, link),
				 &gone);
	mutex_unlock(&rfile->lock);
	rknn_rocket_free_all(rfile, &gone);
	if (!keep) {
		rknn_rocket_tasks_fini(&kept->tasks);
		kfree(kept);
	}
	return keep;
}

/*
 * Leave out the tasks at the end that compute nothing. Mesa ends some convolutions
 * with a task for rows that are too few for a window. Assumed: on mainline's driver
 * that task times out, after all results have been written.
 *
 * Returns the number of tasks that are left, at least one.
 */
static u32 rknn_rocket_trim(const struct npu_job_builder *builder, u32 count)
{
	for (; count > 1; count--) {
		const struct drm_npu_task *last = &builder->tasks[count - 1];

		if (!builder->isa->idle((u64 *)builder->copy + last->commands,
					last->command_count, last->enable))
			break;
	}
	return count;
}

/* Find the ends of the streams, which @builder has a copy of. */
static int rknn_rocket_split(struct npu_job_builder *builder,
			     const struct rknn_rocket_tasks *tasks,
			     struct npu_isa_fault *fault)
{
	size_t place = 0;
	int ret = 0;
	u32 i;

	for (i = 0; i < tasks->count && !ret; i++) {
		struct drm_npu_task *task = &builder->tasks[i];
		u32 count = tasks->list[i].regcmd_count;

		task->commands = place;
		ret = builder->isa->split((u64 *)builder->copy + place, count,
					  &task->command_count, &task->enable);
		/* A stream that does nothing but start has no commands. */
		if (!ret && !task->command_count)
			ret = -EINVAL;
		builder->fault_task = i;
		fault->command = count;
		fault->reason = DRM_NPU_FAULT_ENABLE;
		place += count;
		cond_resched();
	}
	if (ret)
		return ret;
	*fault = (struct npu_isa_fault) {};
	builder->job->lanes[0].task_count = rknn_rocket_trim(builder, i);
	return 0;
}

/* Why a stream is refused, by &enum drm_npu_fault_reason. */
static const char * const rknn_rocket_reasons[] = {
	[DRM_NPU_FAULT_TARGET] = "no such block",
	[DRM_NPU_FAULT_REGISTER] = "register unknown or not for clients",
	[DRM_NPU_FAULT_VALUE] = "value out of bounds",
	[DRM_NPU_FAULT_ADDRESS] = "address in no buffer",
	[DRM_NPU_FAULT_REUSE] = "on-chip data reused that is not there",
	[DRM_NPU_FAULT_MISSING] = "address used but not written",
	[DRM_NPU_FAULT_ENABLE] = "starts no known set of blocks",
	[DRM_NPU_FAULT_SHAPE] = "disagrees with other registers",
	[DRM_NPU_FAULT_UNCUT] = "too long without a place to preempt",
};

/* Log which register of which task the verifier rejects. */
static void rknn_rocket_blame(const struct npu_job_builder *builder,
			      const struct npu_isa_fault *fault)
{
	struct drm_npu_query_register names = {};
	char where[64] = "";

	if (fault->reason >= ARRAY_SIZE(rknn_rocket_reasons) ||
	    !rknn_rocket_reasons[fault->reason])
		return;
	builder->isa->name(fault->reg, &names);
	if (fault->reg)
		scnprintf(where, sizeof(where), ", %s%sregister %s%s%#06x",
			  names.block, names.block[0] ? " " : "", names.name,
			  names.name[0] ? " at " : "", fault->reg);
	dev_notice_ratelimited(builder->job->npu->drm.dev,
			       "%s[%d]: rocket job refused: task %u, command %u%s: %s\n",
			       current->comm, task_tgid_nr(current),
			       builder->fault_task, fault->command, where,
			       rknn_rocket_reasons[fault->reason]);
}

static int rknn_rocket_build(struct npu_job_builder *builder,
			     struct rknn_rocket_file *rfile,
			     const struct rknn_rocket_tasks *tasks)
{
	struct npu_isa_fault fault = {};
	int ret;

	builder->tasks = kvcalloc(tasks->count, sizeof(*builder->tasks),
				  GFP_KERNEL_ACCOUNT);
	builder->copy = kvmalloc_array(tasks->words, sizeof(u64),
				       GFP_KERNEL_ACCOUNT);
	if (!builder->tasks || !builder->copy)
		return -ENOMEM;
	mutex_lock(&rfile->lock);
	ret = rknn_rocket_read_all(&rfile->reader, builder->vm, tasks,
				   builder->copy, &builder->fault_task);
	builder->spare = rknn_rocket_take(rfile, tasks->words * sizeof(u64));
	mutex_unlock(&rfile->lock);
	if (ret)
		fault.reason = DRM_NPU_FAULT_ADDRESS;
	else
		ret = rknn_rocket_split(builder, tasks, &fault) ?:
		      npu_job_build(builder, &fault);
	if (ret == -EINVAL)
		rknn_rocket_blame(builder, &fault);
	rknn_rocket_leave(rfile, builder->spare);
	return ret;
}

/**
 * rknn_rocket_make_job() - make a job, and keep it
 * @nfile: the file
 * @tasks: its tasks
 *
 * Return: the job with a reference for the caller, or an ERR_PTR().
 */
struct npu_job *rknn_rocket_make_job(struct npu_file *nfile,
				     const struct rknn_rocket_tasks *tasks)
{
	struct rknn_rocket_file *rfile = rknn_rocket_file(nfile);
	struct npu_job_builder builder = {
		.vm = nfile->vm,
		.isa = nfile->npu->desc.family->isa,
	};
	int ret;

	if (!rfile)
		return ERR_PTR(-ENOMEM);
	builder.job = npu_job_create(nfile->npu, 1);
	if (!builder.job)
		return ERR_PTR(-ENOMEM);
	ret = rknn_rocket_build(&builder, rfile, tasks);
	if (!ret && rknn_rocket_keep(rfile, tasks, builder.copy, builder.job))
		builder.copy = NULL;
	npu_job_builder_fini(&builder);
	if (!ret)
		return builder.job;
	npu_job_put(builder.job);
	return ERR_PTR(ret);
}

/**
 * rknn_rocket_forget() - &npu_family.forget
 * @nfile: the file
 * @mapping: the mapping
 */
void rknn_rocket_forget(struct npu_file *nfile, struct npu_mapping *mapping)
{
	struct rknn_rocket_kept *kept, *next;
	struct rknn_rocket_file *rfile;
	LIST_HEAD(gone);

	mutex_lock(&nfile->lock);
	rfile = nfile->family_data;
	mutex_unlock(&nfile->lock);
	if (!rfile)
		return;
	mutex_lock(&rfile->lock);
	if (rfile->reader.mapping == mapping)
		rknn_rocket_reader_close(&rfile->reader);
	list_for_each_entry_safe(kept, next, &rfile->recent, link)
		if (npu_job_uses(kept->job, mapping, false))
			rknn_rocket_drop(rfile, kept, &gone);
	mutex_unlock(&rfile->lock);
	rknn_rocket_free_all(rfile, &gone);
}

/**
 * rknn_rocket_release() - &npu_family.release
 * @nfile: the file
 */
void rknn_rocket_release(struct npu_file *nfile)
{
	struct rknn_rocket_file *rfile = nfile->family_data;
	struct npu_mapping *spare, *next;

	if (!rfile)
		return;
	rknn_rocket_reader_close(&rfile->reader);
	rknn_rocket_free_all(rfile, &rfile->recent);
	list_for_each_entry_safe(spare, next, &rfile->spares, link) {
		list_del_init(&spare->link);
		npu_mapping_put(spare);
	}
	mutex_destroy(&rfile->lock);
	kvfree(rfile);
	nfile->family_data = NULL;
}
