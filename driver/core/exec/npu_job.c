// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs: copied, verified and linked once, submitted often.
 *
 * Streams are verified in kernel memory and then written to memory that the
 * device reads and no client can map, so nothing can change in between or
 * later. The job holds the mappings that its streams address.
 */
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/math64.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>

#include "../../compat.h"
#include "../include/npu_device.h"
#include "../include/npu_isa.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_residency.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_dispatch.h"
#include "npu_job.h"
#include "npu_slice.h"

/* Less than any task was seen to take, in nanoseconds. */
#define NPU_JOB_TASK_NS		3000u

static void npu_job_free(struct npu_job *job)
{
	struct npu_mapping *mapping;
	unsigned long index;

	/* First, for the mappings may hold the last references to the device. */
	atomic_dec(&job->npu->job_objects);
	xa_for_each(&job->used, index, mapping)
		npu_mapping_put(mapping);
	xa_destroy(&job->used);
	if (job->streams)
		npu_mapping_put(job->streams);
	kvfree(job->tasks);
	kfree(job);
}

/**
 * npu_job_put() - drop a reference; may sleep
 * @job: the job
 */
void npu_job_put(struct npu_job *job)
{
	if (refcount_dec_and_test(&job->ref))
		npu_job_free(job);
}

/**
 * npu_job_put_streams() - drop a reference, and keep the memory of the streams
 * @job: the job
 *
 * Return: that memory, whose reference the caller gets, if nobody else has the job,
 * else %NULL.
 */
struct npu_mapping *npu_job_put_streams(struct npu_job *job)
{
	struct npu_mapping *streams = NULL;

	/* New references are only taken by holders of one, so this is the last. */
	if (refcount_read(&job->ref) == 1)
		swap(streams, job->streams);
	npu_job_put(job);
	return streams;
}

/**
 * npu_job_uses() - does a job use a buffer?
 * @job: the job
 * @mapping: the buffer
 * @writes: does it write to it?
 *
 * Return: whether it does. Callable in any context.
 */
bool npu_job_uses(const struct npu_job *job, const struct npu_mapping *mapping,
		  bool writes)
{
	struct xarray *used = (struct xarray *)&job->used;
	unsigned long index = mapping->node.start >> PAGE_SHIFT;

	return xa_load(used, index) == mapping &&
	       (!writes || xa_get_mark(used, index, NPU_JOB_WRITES));
}

/* Bytes that @words words of the dialect take. */
static size_t npu_job_bytes(const struct npu_job_builder *builder, size_t words)
{
	return words * builder->isa->word_bytes;
}

/* &npu_isa_stream.use */
static int npu_job_use(void *data, u64 addr, u64 size, bool write)
{
	struct npu_job_builder *builder = data;
	struct npu_job *job = builder->job;
	struct npu_mapping *mapping;
	unsigned long index;
	int ret;

	mapping = npu_mapping_find(builder->vm, addr);
	if (!mapping)
		return -EINVAL;
	/* Streams of jobs are mapped, but not the client's to touch. */
	ret = -EINVAL;
	if (!READ_ONCE(mapping->handles) || (write && !mapping->writable))
		goto out_put;
	if (!size || size > mapping->node.start + mapping->node.size - addr)
		goto out_put;
	index = mapping->node.start >> PAGE_SHIFT;
	ret = xa_insert(&job->used, index, mapping, GFP_KERNEL_ACCOUNT);
	if (!ret)
		mapping = NULL;
	else if (ret == -EBUSY)
		ret = 0;
	if (!ret && write)
		xa_set_mark(&job->used, index, NPU_JOB_WRITES);
out_put:
	if (mapping)
		npu_mapping_put(mapping);
	return ret;
}

/* Refuse what is too much before it is copied. */
static int npu_job_check_size(const struct npu_job_builder *builder)
{
	const struct npu_isa_ops *isa = builder->isa;
	u64 words = 0;
	u32 total = 0, i;

	for (i = 0; i < builder->job->lane_count; i++)
		total += builder->job->lanes[i].task_count;
	for (i = 0; i < total; i++) {
		u32 count = builder->tasks[i].command_count;

		if (count > isa->max_task_commands)
			return -E2BIG;
		words += isa->stream_words(count);
	}
	return words > NPU_MAX_JOB_BYTES / isa->word_bytes ? -E2BIG : 0;
}

/* Make room for another stream in @builder->streams. */
static int npu_job_reserve(struct npu_job_builder *builder)
{
	size_t most = builder->isa->stream_words(builder->isa->max_stream_commands);
	size_t room = builder->room;
	void *streams;

	if (builder->words + most <= room)
		return 0;
	if (npu_job_bytes(builder, builder->words) > NPU_MAX_JOB_BYTES)
		return -E2BIG;
	room = max(2 * room, 2 * most);
	streams = kvmalloc_array(room, builder->isa->word_bytes, GFP_KERNEL_ACCOUNT);
	if (!streams)
		return -ENOMEM;
	if (builder->words)
		memcpy(streams, builder->streams, npu_job_bytes(builder, builder->words));
	kvfree(builder->streams);
	builder->streams = streams;
	builder->room = room;
	return 0;
}

/* The commands of a task, or an ERR_PTR(). */
static const void *npu_job_fetch(struct npu_job_builder *builder,
				 const struct drm_npu_task *task)
{
	if (builder->copy)
		return builder->copy + npu_job_bytes(builder, task->commands);
	if (copy_from_user(builder->commands,
			   u64_to_user_ptr(task->commands),
			   npu_job_bytes(builder, task->command_count)))
		return ERR_PTR(-EFAULT);
	return builder->commands;
}

/* Nanoseconds that @amount takes at @rate a second; 0 if the rate is not known. */
static u64 npu_job_time(u64 amount, u64 rate)
{
	return rate ? mul_u64_u64_div_u64(amount, NSEC_PER_SEC, rate) : 0;
}

/* The least time that a task takes a core with a clock of @hz. */
static u64 npu_job_task_time(const struct npu_hw_core_desc *core,
			     const struct npu_isa_task *task, u64 hz)
{
	return max3(npu_job_time(task->macs, hz * core->int8_macs_per_cycle),
		    npu_job_time(task->bytes, core->bandwidth),
		    (u64)NPU_JOB_TASK_NS);
}

/*
 * Estimate the cost of the task verified last; @cost_ns is the client's estimate.
 * Returns 0, or -EINVAL with @fault filled in if too much cannot be cut apart.
 */
static int npu_job_describe(struct npu_job_builder *builder,
			    struct npu_job_task *task,
			    const struct drm_npu_task *given,
			    struct npu_isa_fault *fault)
{
	const struct npu_hw_core_desc *core = &builder->job->npu->desc.core;
	u64 limit_ns = npu_exec_uncut_ns(), ns;
	struct npu_isa_task isa_task = {};

	builder->isa->describe(builder->state, &isa_task);
	ns = npu_job_task_time(core, &isa_task, core->clock_hz);
	builder->job->macs += isa_task.macs;
	task->continues = isa_task.continues;
	task->cost_ns = min(max(ns, given->cost_ns), U32_MAX);

	/* The client's estimate may be anything, the model is a lower bound. */
	if (!isa_task.continues)
		builder->uncut_ns = 0;
	if (core->peak_hz)
		ns = npu_job_task_time(core, &isa_task, core->peak_hz);
	builder->uncut_ns += ns;
	if (!limit_ns || builder->uncut_ns <= limit_ns)
		return 0;
	fault->command = given->command_count;
	fault->reason = DRM_NPU_FAULT_UNCUT;
	return -EINVAL;
}

/*
 * Write the stream of the task verified last, without its link. Its address is
 * only known when that of all streams is.
 */
static int npu_job_emit(struct npu_job_builder *builder,
			struct npu_job_task *task)
{
	const struct npu_isa_ops *isa = builder->isa;
	u32 count, words;
	void *stream;
	int ret;

	ret = npu_job_reserve(builder);
	if (ret)
		return ret;
	stream = builder->streams + npu_job_bytes(builder, builder->words);
	count = isa->emit(builder->state, stream);
	words = isa->stream_words(count);
	memset(stream + npu_job_bytes(builder, count), 0,
	       npu_job_bytes(builder, words - count));
	task->stream_words = words;
	builder->words += words;
	return 0;
}

/* Copy, verify and write lane @lane, whose tasks are at @tasks. */
static int npu_job_build_lane(struct npu_job_builder *builder, u32 lane,
			      const struct drm_npu_task *tasks,
			      struct npu_isa_fault *fault)
{
	struct npu_job_lane *job_lane = &builder->job->lanes[lane];
	const struct npu_isa_ops *isa = builder->isa;
	u32 i;

	isa->begin(builder->state, builder->job->npu->desc.chip);
	for (i = 0; i < job_lane->task_count; i++) {
		struct npu_isa_stream stream = {
			.commands = npu_job_fetch(builder, &tasks[i]),
			.count = tasks[i].command_count,
			.enable = tasks[i].enable,
			.use = npu_job_use,
			.data = builder,
		};
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;
		if (IS_ERR(stream.commands))
			return PTR_ERR(stream.commands);
		builder->fault_lane = lane;
		builder->fault_task = i;
		ret = isa->verify(builder->state, &stream, fault);
		if (!ret)
			ret = npu_job_emit(builder, &job_lane->tasks[i]);
		if (ret)
			return ret;
		job_lane->tasks[i].enable = tasks[i].enable;
		ret = npu_job_describe(builder, &job_lane->tasks[i], &tasks[i],
				       fault);
		if (ret)
			return ret;
		job_lane->words += job_lane->tasks[i].stream_words;
		cond_resched();
	}
	job_lane->unlinked = !isa->link;
	npu_slice_prepare(job_lane);
	return 0;
}

/* Link the streams of lane @lane, which lies at @stream and has address @addr. */
static void npu_job_link_lane(const struct npu_job_builder *builder,
			      struct npu_job_lane *lane, void *stream, u64 addr)
{
	const struct npu_isa_ops *isa = builder->isa;
	u32 i;

	for (i = 0; i < lane->task_count; i++) {
		struct npu_job_task *task = &lane->tasks[i];
		size_t bytes = npu_job_bytes(builder, task->stream_words);
		bool last = i + 1 == lane->task_count;

		task->stream = addr;
		if (isa->link)
			isa->link(stream, task->stream_words, task->enable,
				  last ? 0 : addr + bytes,
				  last ? 0 : lane->tasks[i + 1].stream_words);
		stream += bytes;
		addr += bytes;
		cond_resched();
	}
}

/* Write all lanes to the memory of the streams. */
static int npu_job_write(struct npu_job_builder *builder)
{
	struct npu_job *job = builder->job;
	struct npu_bo *bo = job->streams->bo;
	u64 addr = job->streams->node.start;
	void *stream = builder->streams;
	int idx;
	u32 i;

	for (i = 0; i < job->lane_count; i++) {
		struct npu_job_lane *lane = &job->lanes[i];

		npu_job_link_lane(builder, lane, stream, addr);
		stream += npu_job_bytes(builder, lane->words);
		addr += npu_job_bytes(builder, lane->words);
	}
	npu_bo_write(bo, 0, builder->streams, npu_job_bytes(builder, builder->words));
	/* The pages may not be mapped any more once the device is gone. */
	if (!drm_dev_enter(&job->npu->drm, &idx))
		return -ENODEV;
	dma_sync_sgtable_for_device(job->npu->drm.dev, bo->base.sgt,
				    DMA_TO_DEVICE);
	drm_dev_exit(idx);
	return 0;
}

/* Memory for the streams, or an ERR_PTR(). */
static struct npu_mapping *npu_job_memory(struct npu_job_builder *builder)
{
	size_t bytes = npu_job_bytes(builder, builder->words) +
		       builder->isa->fetch_ahead;
	struct npu_mapping *mapping = builder->spare;
	struct npu_bo *bo;

	if (mapping && mapping->node.size >= bytes) {
		builder->spare = NULL;
		return mapping;
	}
	bo = npu_bo_create(builder->job->npu, bytes);
	if (IS_ERR(bo))
		return ERR_CAST(bo);
	mapping = npu_mapping_create(builder->vm, bo, false);
	npu_bo_put(bo);
	return mapping;
}

/* Verify all lanes. */
static int npu_job_verify(struct npu_job_builder *builder,
			  struct npu_isa_fault *fault)
{
	const struct drm_npu_task *tasks = builder->tasks;
	struct npu_job *job = builder->job;
	int ret = 0;
	u32 i;

	for (i = 0; i < job->lane_count && !ret; i++) {
		ret = npu_job_build_lane(builder, i, tasks, fault);
		tasks += job->lanes[i].task_count;
	}
	if (!ret && npu_job_bytes(builder, builder->words) > NPU_MAX_JOB_BYTES)
		return -E2BIG;
	return ret;
}

/**
 * npu_job_build() - verify, link and write the streams of a job
 * @builder: the builder; job, address space, dialect and tasks are filled in
 * @fault: receives, with -EINVAL, why a stream is refused
 *
 * Return: 0 or a negative errno.
 */
int npu_job_build(struct npu_job_builder *builder, struct npu_isa_fault *fault)
{
	const struct npu_isa_ops *isa = builder->isa;
	struct npu_job *job = builder->job;
	struct npu_mapping *streams;
	int ret;

	ret = npu_job_check_size(builder);
	if (!ret)
		ret = npu_job_alloc_tasks(job);
	if (ret)
		return ret;
	builder->state = kvmalloc(isa->state_size(), GFP_KERNEL);
	builder->commands = kvmalloc_array(isa->max_task_commands, isa->word_bytes,
					   GFP_KERNEL);
	if (!builder->state || !builder->commands)
		return -ENOMEM;
	ret = npu_job_verify(builder, fault);
	if (ret)
		return ret;

	streams = npu_job_memory(builder);
	if (IS_ERR(streams))
		return PTR_ERR(streams);
	job->streams = streams;
	return npu_job_write(builder);
}

/**
 * npu_job_builder_fini() - free all but the job
 * @builder: the builder
 */
void npu_job_builder_fini(struct npu_job_builder *builder)
{
	kvfree(builder->streams);
	kvfree(builder->commands);
	kvfree(builder->state);
	kvfree(builder->copy);
	kvfree(builder->tasks);
}

/**
 * npu_job_create() - new job, which does nothing yet
 * @npu: the device
 * @lane_count: number of its lanes
 *
 * Return: the job with one reference, or %NULL.
 */
struct npu_job *npu_job_create(struct npu_device *npu, u32 lane_count)
{
	struct npu_job *job;

	job = kzalloc(struct_size(job, lanes, lane_count), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	refcount_set(&job->ref, 1);
	job->npu = npu;
	job->lane_count = lane_count;
	xa_init_flags(&job->used, XA_FLAGS_ACCOUNT);
	atomic_inc(&npu->job_objects);
	return job;
}

/**
 * npu_job_alloc_tasks() - allocate the descriptions of the tasks
 * @job: the job, whose lanes have their task counts
 *
 * Return: 0 or -ENOMEM.
 */
int npu_job_alloc_tasks(struct npu_job *job)
{
	struct npu_job_task *tasks;
	u32 total = 0, i;

	for (i = 0; i < job->lane_count; i++)
		total += job->lanes[i].task_count;
	tasks = kvcalloc(total, sizeof(*tasks), GFP_KERNEL_ACCOUNT);
	if (!tasks)
		return -ENOMEM;
	job->tasks = tasks;
	job->task_count = total;
	for (i = 0; i < job->lane_count; i++) {
		job->lanes[i].tasks = tasks;
		tasks += job->lanes[i].task_count;
	}
	return 0;
}

