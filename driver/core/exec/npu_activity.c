// SPDX-License-Identifier: GPL-2.0-only
/* What a device and its clients have done: for QUERY and fdinfo. */
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "../include/npu_device.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_vm.h"
#include "npu_activity.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_job.h"

/**
 * npu_activity_slice() - account for a slice that has ended
 * @core: the core that had the slice
 * @ctx: its context
 * @result: how it ended
 * @device_ns: device time that it took
 * @now: the time
 *
 * Called before the scheduler charges the slice, so the class is that which the
 * context had when it was picked.
 */
void npu_activity_slice(struct npu_core *core, struct npu_context *ctx,
			const struct npu_hw_result *result, u64 device_ns,
			u64 now)
{
	struct npu_counters *counters = &npu_context_head(ctx)->counters;
	struct npu_client_stats *stats = &ctx->client->stats;

	lockdep_assert_held(&core->npu->exec->lock);
	if (core->started) {
		core->slices++;
		counters->core_mask |= BIT(core->index);
	}
	core->device_ns += device_ns;
	stats->busy_ns += device_ns;
	stats->class_ns[npu_context_class(ctx, now)] += device_ns;
	stats->read_bytes += result->read_bytes;
	stats->written_bytes += result->written_bytes;
	stats->sram_bytes += result->sram_bytes;

	counters->read_bytes += result->read_bytes;
	counters->written_bytes += result->written_bytes;
	counters->sram_bytes += result->sram_bytes;
	counters->start_ns += result->start_ns;
	counters->memory_ns += result->memory_ns;
	counters->sram_ns += result->sram_ns;
}

/**
 * npu_activity_end() - account for a job that has ended
 * @client: its client
 * @slot: the job, with its error and the time of its end
 */
void npu_activity_end(struct npu_client *client, const struct npu_slot *slot)
{
	struct drm_npu_query_activity *activity = &client->npu->exec->activity;
	struct npu_client_stats *stats = &client->stats;

	lockdep_assert_held(&client->npu->exec->lock);
	activity->queued_jobs--;
	if (slot->deadline_ns && slot->ended_ns > slot->deadline_ns) {
		activity->missed_deadlines++;
		stats->missed++;
	}
	if (slot->error) {
		activity->failed_jobs++;
		stats->failed++;
		return;
	}
	activity->ended_jobs++;
	stats->jobs++;
	stats->tasks += slot->job->task_count;
	stats->macs += slot->job->macs;
}

/**
 * npu_activity_query() - report what the device has done
 * @npu: the device
 * @record: receives it
 */
void npu_activity_query(struct npu_device *npu,
			struct drm_npu_query_activity *record)
{
	const u32 *errors = npu->exec->errors.counts;

	spin_lock_irq(&npu->exec->lock);
	*record = npu->exec->activity;
	record->now_ns = npu_now(npu);
	record->hangs = errors[NPU_ERROR_HANG];
	record->faults = errors[NPU_ERROR_FAULT];
	record->resets = errors[NPU_ERROR_RESET];
	spin_unlock_irq(&npu->exec->lock);
	record->files = atomic_read(&npu->files);
}

/**
 * npu_activity_query_core() - report what a core has done
 * @npu: the device
 * @index: number of the core
 * @record: receives it
 */
void npu_activity_query_core(struct npu_device *npu, u32 index,
			     struct drm_npu_query_core *record)
{
	const struct npu_core *core = &npu->exec->cores[index];

	spin_lock_irq(&npu->exec->lock);
	record->busy_ns = core->device_ns;
	record->slices = core->slices;
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_activity_client() - report what a client has done and has
 * @client: the client
 * @stats: receives what it has done
 * @state: receives what it has
 */
void npu_activity_client(struct npu_client *client,
			 struct npu_client_stats *stats,
			 struct npu_client_state *state)
{
	const struct npu_context *ctx;

	spin_lock_irq(&client->npu->exec->lock);
	*stats = client->stats;
	*state = (struct npu_client_state) {
		.contexts = client->context_count,
		.guilty = client->guilty,
		.banned = client->banned,
	};
	list_for_each_entry(ctx, &client->contexts, client_link)
		state->queued += ctx->submitted - ctx->completed;
	spin_unlock_irq(&client->npu->exec->lock);
}

/* Count @mapping, unless @seen has it already. */
static int npu_activity_add(struct npu_mapping *mapping, struct xarray *seen,
			    u64 *bytes)
{
	struct npu_residency *residency = &mapping->bo->residency;
	struct npu_mem *mem = mapping->vm->npu->mem;
	u32 region = 0;
	int ret;

	/*
	 * Mappings are told apart by address. An address that a new mapping has taken
	 * over during the walk counts once only, which is good enough for a monitor.
	 */
	ret = xa_insert(seen, mapping->node.start >> PAGE_SHIFT, mapping,
			GFP_KERNEL);
	if (ret)
		return ret == -EBUSY ? 0 : ret;
	mutex_lock(&mem->sram_lock);
	if (residency->inside)
		region = npu_sram_region(residency->sram);
	mutex_unlock(&mem->sram_lock);
	bytes[0] += mapping->node.size;
	if (region)
		bytes[region] += mapping->node.size;
	return 0;
}

/* Count what @job uses. */
static int npu_activity_add_job(struct npu_job *job, struct xarray *seen,
				u64 *bytes)
{
	struct npu_mapping *mapping;
	unsigned long index;
	int ret;

	ret = npu_activity_add(job->streams, seen, bytes);
	xa_for_each(&job->used, index, mapping) {
		if (ret)
			break;
		cond_resched();
		ret = npu_activity_add(mapping, seen, bytes);
	}
	return ret;
}

/*
 * The jobs of @ctx that have not ended, with references; those which follow one of
 * the same job are left out.
 */
static u32 npu_activity_jobs(struct npu_context *ctx, struct npu_job **jobs)
{
	u32 count = 0;
	u64 seqno;

	spin_lock_irq(&ctx->npu->exec->lock);
	for (seqno = ctx->completed + 1; seqno <= ctx->submitted; seqno++) {
		struct npu_job *job = npu_context_slot(ctx, seqno)->job;

		if (count && jobs[count - 1] == job)
			continue;
		refcount_inc(&job->ref);
		jobs[count++] = job;
	}
	spin_unlock_irq(&ctx->npu->exec->lock);
	return count;
}

/**
 * npu_activity_memory() - report the memory that unfinished jobs of a client use
 * @client: the client
 * @bytes: receives the bytes by region, all in system memory, where buffers on the
 * chip keep their place, and those on the chip once more
 *
 * Return: 0 or -ENOMEM. May sleep.
 */
int npu_activity_memory(struct npu_client *client, u64 *bytes)
{
	struct npu_context *ctx = NULL;
	struct npu_job **jobs;
	struct xarray seen;
	u32 count, i;
	int ret = 0;

	jobs = kmalloc_array(NPU_MAX_QUEUED, sizeof(*jobs), GFP_KERNEL);
	if (!jobs)
		return -ENOMEM;
	xa_init(&seen);
	memset(bytes, 0, NPU_MAX_REGIONS * sizeof(*bytes));
	while ((ctx = npu_context_next(client, ctx))) {
		count = npu_activity_jobs(ctx, jobs);
		for (i = 0; i < count; i++) {
			if (!ret)
				ret = npu_activity_add_job(jobs[i], &seen, bytes);
			npu_job_put(jobs[i]);
		}
	}
	xa_destroy(&seen);
	kfree(jobs);
	return ret;
}
