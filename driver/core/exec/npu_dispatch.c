// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: dispatcher
 *
 * A context's head is its oldest job that has not ended. A context is *ready*
 * while its head has in-fences signalled and lanes with tasks left that no core
 * has. An idle core takes the next *slice* of such a lane, some of its tasks
 * (npu_slice.c), of the ready context that npu_pick.c chooses; of its lanes the
 * first of those that have most tasks left. So the lanes of a job and the jobs of
 * different contexts run side by side, the jobs of one context stay in order, and
 * each context is considered again after every slice.
 *
 * Giving a core another address space costs more than a small job does. So a
 * context goes to a core that has its address space, if one is idle, else to one
 * that has none, else to the one that has been idle for longest.
 *
 * A core that has the right address space is started in place: by the submit
 * ioctl, by the interrupt that ends a slice, by the callback of a fence. Only
 * attaching another address space and resetting need the core's thread
 * (npu_core.c).
 *
 * A job without a fence is retired in place if its reference is not the last one.
 * Otherwise a thread of the device signals the fence, and a work item drops the
 * references (npu_signal.c).
 *
 * drm_sched is not used: its two work items a job cost more than a small matrix
 * multiplication takes, and it knows neither lanes nor submits of many jobs.
 */
#include <linux/bits.h>
#include <linux/container_of.h>
#include <linux/lockdep.h>

#include "../mem/npu_vm.h"
#include "npu_activity.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_job.h"
#include "npu_slice.h"
#include "npu_trace.h"

/*
 * The core that is to take another address space, if one is to: of the idle ones
 * that has none, or that has done nothing for longest.
 */
static struct npu_core *npu_dispatch_switch(struct npu_device *npu)
{
	struct npu_core *best = NULL;
	unsigned int i;

	for (i = 0; i < npu->core_count; i++) {
		struct npu_core *core = &npu->exec->cores[i];

		if (core->state != NPU_CORE_IDLE || !npu_sched_any(&core->sched))
			continue;
		if (!best || (best->attached &&
			      (!core->attached || core->used < best->used)))
			best = core;
	}
	return best;
}

/* The context whose slice @core is to run next, past its gate; or %NULL. */
static struct npu_context *npu_core_pick(struct npu_core *core, bool stay,
					 u64 now)
{
	struct npu_entity *entity;
	struct npu_context *ctx;

	while ((entity = npu_sched_pick(&core->sched, stay, now))) {
		ctx = container_of(entity, struct npu_context, entity);
		if (npu_gate_enter(&ctx->vm->gate))
			return ctx;
		/* Its buffers move; npu_dispatch_resume() follows. */
		npu_entity_unready(entity, now);
		if (!ctx->running)
			npu_entity_idle(entity);
	}
	return NULL;
}

/* Give @core the next slice of @ctx. */
static void npu_core_take(struct npu_core *core, struct npu_context *ctx,
			  u64 now)
{
	struct npu_slot *head = npu_context_head(ctx);

	core->ctx = ctx;
	core->error = 0;
	core->started = 0;
	core->used = ++core->npu->exec->taken;
	core->lane = npu_head_lane(ctx);
	core->first = ctx->lanes[core->lane].next;
	core->tasks = npu_slice_tasks(&head->job->lanes[core->lane], core->first,
				      npu_sched_slice_ns(core->sched.sched));
	head->begun = true;
	ctx->todo &= ~BIT(core->lane);
	ctx->running++;
	npu_sched_taken(&core->sched, &ctx->entity, now);
	if (!ctx->todo)
		npu_entity_unready(&ctx->entity, now);
	npu_core_start(core, now);
}

/* Give work to every idle core that there is work for. */
static void npu_dispatch_start(struct npu_device *npu, u64 now)
{
	struct npu_context *ctx;
	struct npu_core *core;
	unsigned int i;

	npu_sched_follow(&npu->exec->sched, now);
	if (npu_sched_has_latency(&npu->exec->sched))
		npu_alert_raise(npu);
	/* In the common case one slice follows another and nothing is left ready. */
	for (i = 0; i < npu->core_count && npu->exec->sched.ready_count; i++) {
		core = &npu->exec->cores[i];
		if (core->state != NPU_CORE_IDLE)
			continue;
		ctx = npu_core_pick(core, true, now);
		if (ctx)
			npu_core_take(core, ctx, now);
	}
	while (npu->exec->sched.ready_count &&
	       (core = npu_dispatch_switch(npu))) {
		ctx = npu_core_pick(core, false, now);
		if (ctx)
			npu_core_take(core, ctx, now);
	}
	for (i = 0; i < npu->core_count && !npu->exec->alert; i++)
		if (npu->exec->cores[i].state == NPU_CORE_IDLE)
			npu_core_rest(&npu->exec->cores[i]);
}

/**
 * npu_dispatch_run() - contexts have changed: start and retire what there is
 * @npu: the device
 * @now: the time
 */
void npu_dispatch_run(struct npu_device *npu, u64 now)
{
	lockdep_assert_held(&npu->exec->lock);
	if (!npu->exec->dead && !npu->exec->frozen)
		npu_dispatch_start(npu, now);
	npu_signal_kick(npu);
}

/**
 * npu_dispatch_ended() - a core has ended its slice
 * @core: the core
 * @result: how it ended
 * @now: when
 *
 * Every end takes this way: an interrupt, a watchdog that finds one, a reset.
 */
void npu_dispatch_ended(struct npu_core *core,
			const struct npu_hw_result *result, u64 now)
{
	struct npu_longest *longest = &core->npu->exec->longest;
	u64 begun = npu_longest_begin(longest), device_ns;
	struct npu_context *ctx = core->ctx;

	lockdep_assert_held(&core->npu->exec->lock);
	/* The core is idle and has told how long it worked. */
	device_ns = npu_core_stop(core, result, now);
	npu_gate_leave(&ctx->vm->gate);

	/* The slice has ended. */
	npu_activity_slice(core, ctx, result, device_ns, now);
	npu_head_end_slice(ctx, core, result, device_ns);
	trace_npu_slice(core, ctx, npu_context_head(ctx)->job, result, device_ns,
			now);

	/* The scheduler charges it, ... */
	npu_sched_charge(&core->sched, &ctx->entity, device_ns, now);

	/* ... is told whether more is ready, or the job has ended, ... */
	npu_head_continue(ctx, now);

	/* ... and picks what cores start; fences and references come last. */
	npu_dispatch_run(core->npu, now);
	npu_longest_end(longest, begun);
}

/**
 * npu_dispatch_resume() - the gate of a client's address space has opened
 * @client: the client
 */
void npu_dispatch_resume(struct npu_client *client)
{
	struct npu_device *npu = client->npu;
	struct npu_context *ctx;
	u64 now;

	spin_lock_irq(&npu->exec->lock);
	now = npu_now(npu);
	list_for_each_entry(ctx, &client->contexts, client_link) {
		/* If the gate was opened early, slices may still run. */
		if (ctx->running)
			npu_head_continue(ctx, now);
		else
			npu_head_advance(ctx, now);
	}
	npu_dispatch_run(npu, now);
	spin_unlock_irq(&npu->exec->lock);
}

