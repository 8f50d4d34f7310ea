// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog looks after cores that do not report the end of their slice: a slice may
 * have ended without an interrupt, never have begun, be slow, or hang.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>

#include <drm/drm_print.h>

#include "../include/npu_device.h"
#include "npu_dispatch.h"
#include "npu_exec.h"
#include "npu_hold.h"
#include "npu_watch.h"

/*
 * Hardware has been seen to begin within 8 ms, or not at all. A core that has not
 * begun is noticed between one and two of these after its start.
 */
#define NPU_WATCHDOG_BEGIN	msecs_to_jiffies(20)

/**
 * npu_watchdog_arm() - look after the slice of a core
 * @core: the core
 * @delay: in how many jiffies; earlier if starts of such hardware may be lost
 */
void npu_watchdog_arm(struct npu_core *core, unsigned long delay)
{
	lockdep_assert_held(&core->npu->exec->lock);
	if (core->npu->desc.ops->unbegun)
		delay = min(delay, NPU_WATCHDOG_BEGIN);
	core->watched = true;
	kthread_queue_delayed_work(core->worker, &core->watchdog, delay);
}

/* Handle an end whose interrupt was lost. Returns whether there was one. */
static bool npu_watchdog_ended(struct npu_core *core)
{
	struct npu_device *npu = core->npu;
	struct npu_hw_result result = {};

	if (!npu->desc.ops->ended ||
	    !npu->desc.ops->ended(npu->hw, core->index, &result))
		return false;
	drm_warn_once(&npu->drm, "core %u: an interrupt is lost\n", core->index);
	npu_core_finish(core, &result, npu_now(npu));
	return true;
}

/*
 * Handle a start that the hardware has taken no notice of: make it again, but once. A
 * second start that comes to nothing is a hang, which is found after the usual time.
 * Returns whether a start was lost.
 */
static bool npu_watchdog_unbegun(struct npu_core *core)
{
	struct npu_device *npu = core->npu;

	if (!npu->desc.ops->unbegun || core->begun || core->again ||
	    time_before(jiffies, core->kicked + NPU_WATCHDOG_BEGIN))
		return false;
	core->begun = npu->desc.ops->progress(npu->hw, core->index) !=
			      core->watch.progress ||
		      !npu->desc.ops->unbegun(npu->hw, core->index);
	if (core->begun)
		return false;
	drm_warn_once(&npu->drm, "core %u: a start is lost\n", core->index);
	npu_core_abort(core, 0);
	return true;
}

/* The slice has not ended for a while: tell slow from stuck. */
static void npu_watchdog_work(struct kthread_work *work)
{
	struct npu_core *core = container_of(work, struct npu_core,
					     watchdog.work);
	struct npu_device *npu = core->npu;
	enum npu_watch_verdict verdict;
	u64 progress;

	spin_lock_irq(&npu->exec->lock);
	core->watched = false;
	if (core->state != NPU_CORE_RUNNING || npu_watchdog_unbegun(core))
		goto out_unlock;
	progress = npu->desc.ops->progress(npu->hw, core->index);
	/* Tests that hold back a lane decide how long it takes. */
	if (npu_hold_closed(core))
		npu_watch_start(&core->watch, npu->exec->timeout, core->tasks,
				progress, jiffies);
	verdict = npu_watch_look(&core->watch, progress, jiffies);
	if (verdict != NPU_WATCH_HUNG)
		npu_watchdog_arm(core, core->watch.deadline - jiffies);
	else if (!npu_watchdog_ended(core))
		npu_core_abort(core, -ETIMEDOUT);
out_unlock:
	spin_unlock_irq(&npu->exec->lock);
}

/**
 * npu_core_expire() - the lane of a core has taken too long, if it has one
 * @core: the core
 */
void npu_core_expire(struct npu_core *core)
{
	lockdep_assert_held(&core->npu->exec->lock);
	if (core->state != NPU_CORE_RUNNING)
		return;
	core->watch.deadline = jiffies;
	core->watch.limit = jiffies;
	core->watched = true;
	kthread_mod_delayed_work(core->worker, &core->watchdog, 0);
}

/**
 * npu_watchdog_init() - prepare the watchdog of a core
 * @core: the core
 */
void npu_watchdog_init(struct npu_core *core)
{
	kthread_init_delayed_work(&core->watchdog, npu_watchdog_work);
}
