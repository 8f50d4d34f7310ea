// SPDX-License-Identifier: GPL-2.0-only
/* Queues and cores of a device: parameters, beginning and end. */
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "npu_accel.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_dump.h"
#include "npu_exec.h"

/* So much may be owed to others while cores keep an address space. */
#define NPU_EXEC_STAY_NS	(500 * NSEC_PER_USEC)
/* As long as four slices of the default length; see npu_core_cancel(). */
#define NPU_EXEC_CANCEL_NS	(4 * NSEC_PER_MSEC)

struct npu_sched_params npu_sched_defaults = {
	.slice_us = 1000,
	.latency_percent = 50,
	.latency_window_ms = 100,
	.starve_ms = 500,
};

module_param_named(slice_us, npu_sched_defaults.slice_us, uint, 0644);
MODULE_PARM_DESC(slice_us, "Device time for which a core is started, in microseconds; 0: as long as a lane takes (default 1000)");
module_param_named(latency_percent, npu_sched_defaults.latency_percent, uint, 0644);
MODULE_PARM_DESC(latency_percent, "Share of the device that latency work of all without CAP_SYS_NICE may have (default 50)");
module_param_named(latency_window_ms, npu_sched_defaults.latency_window_ms, uint, 0644);
MODULE_PARM_DESC(latency_window_ms, "Over how long that is counted, in milliseconds (default 100)");
module_param_named(starve_ms, npu_sched_defaults.starve_ms, uint, 0644);
MODULE_PARM_DESC(starve_ms, "How long work may wait for that of better classes, in milliseconds (default 500)");
module_param_named(fcfs, npu_sched_defaults.fcfs, bool, 0644);
MODULE_PARM_DESC(fcfs, "First come, first served, whole lanes, without regard to hints; to compare with (default off)");

static unsigned int npu_exec_uncut_us = 4000;
module_param_named(uncut_us, npu_exec_uncut_us, uint, 0644);
MODULE_PARM_DESC(uncut_us, "Longest modelled time of tasks that cannot be cut apart, in microseconds; jobs beyond it are refused; 0: no limit (default 4000)");

static unsigned int npu_exec_max_user_contexts = 256;
module_param_named(user_contexts, npu_exec_max_user_contexts, uint, 0644);
MODULE_PARM_DESC(user_contexts, "Contexts that a user without CAP_SYS_NICE may have, half of what all such users may have (default 256)");

static unsigned int npu_exec_max_user_jobs = 16384;
module_param_named(user_jobs, npu_exec_max_user_jobs, uint, 0644);
MODULE_PARM_DESC(user_jobs, "Unfinished jobs that a user without CAP_SYS_NICE may have, half of what all such users may have (default 16384)");

/**
 * npu_exec_user_contexts() - contexts that a user without privileges may have
 *
 * Return: their number.
 */
u32 npu_exec_user_contexts(void)
{
	return READ_ONCE(npu_exec_max_user_contexts);
}

/**
 * npu_exec_user_jobs() - unfinished jobs that a user without privileges may have
 *
 * Return: their number.
 */
u32 npu_exec_user_jobs(void)
{
	return READ_ONCE(npu_exec_max_user_jobs);
}

/**
 * npu_exec_uncut_ns() - longest modelled time of tasks that cannot be cut apart
 *
 * Return: nanoseconds, or 0 for no limit.
 */
u64 npu_exec_uncut_ns(void)
{
	return READ_ONCE(npu_exec_uncut_us) * (u64)NSEC_PER_USEC;
}

/**
 * npu_exec_unplug() - stop all cores and end all jobs, for good
 * @npu: the device, which is unplugged
 */
void npu_exec_unplug(struct npu_device *npu)
{
	LIST_HEAD(done);
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	npu->exec->dead_ns = npu_now(npu);
	npu->exec->dead = true;
	for (i = 0; i < npu->core_count; i++)
		if (npu->exec->cores[i].ctx)
			npu_core_abort(&npu->exec->cores[i], -ENODEV);
	while (!list_empty(&npu->exec->contexts)) {
		struct npu_context *ctx = list_first_entry(&npu->exec->contexts,
							   struct npu_context,
							   link);

		list_move_tail(&ctx->link, &done);
		npu_head_advance(ctx, npu_now(npu));
		npu_signal_kick(npu);
		spin_unlock_irq(&npu->exec->lock);
		cond_resched();
		spin_lock_irq(&npu->exec->lock);
	}
	list_splice(&done, &npu->exec->contexts);
	spin_unlock_irq(&npu->exec->lock);

	for (i = 0; i < npu->core_count; i++)
		kthread_flush_worker(npu->exec->cores[i].worker);
	npu_signal_flush(npu);
	npu_alert_fini(npu);
	for (i = 0; i < npu->core_count; i++)
		npu_core_unplug(&npu->exec->cores[i]);
}

/**
 * npu_exec_fini() - end the threads; nothing is queued
 * @npu: the device
 */
void npu_exec_fini(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++)
		npu_core_fini(&npu->exec->cores[i]);
	npu_signal_fini(npu);
	npu_dump_fini(npu);
	npu_errors_unregister(npu);
	kfree(npu->exec);
}

/**
 * npu_exec_init() - prepare the dispatcher
 * @npu: the device
 *
 * Return: 0 or a negative errno.
 */
int npu_exec_init(struct npu_device *npu)
{
	struct npu_exec *exec = kzalloc(sizeof(*exec), GFP_KERNEL);
	unsigned int i;
	int ret;

	if (!exec)
		return -ENOMEM;
	npu->exec = exec;
	exec->npu = npu;
	exec->timeout = msecs_to_jiffies(npu->desc.timeout_ms);
	spin_lock_init(&exec->lock);
	npu_sched_init(&exec->sched, &npu_sched_defaults);
	exec->sched.stay_ns = NPU_EXEC_STAY_NS;
	exec->cancel_ns = NPU_EXEC_CANCEL_NS;
	npu_alert_init(npu);
	init_waitqueue_head(&exec->idle);
	INIT_LIST_HEAD(&exec->contexts);
	ret = npu_signal_init(npu);
	if (!ret)
		ret = npu_dump_init(npu);
	for (i = 0; i < npu->core_count && !ret; i++)
		ret = npu_core_init(npu, i);
	if (ret)
		npu_exec_fini(npu);
	return ret;
}

/**
 * npu_exec_query() - report the limits that module parameters set
 * @npu: the device
 * @record: receives it
 */
void npu_exec_query(const struct npu_device *npu,
		    struct drm_npu_query_limits *record)
{
	const struct npu_sched_params *params = npu->exec->sched.params;
	u64 slice_ns = npu_sched_slice_ns(&npu->exec->sched);

	record->latency_percent = min(READ_ONCE(params->latency_percent), 100u);
	record->slice_ns = slice_ns == U64_MAX ? 0 : slice_ns;
	record->starve_ns = READ_ONCE(params->starve_ms) * (u64)NSEC_PER_MSEC;
	record->latency_window_ns = READ_ONCE(params->latency_window_ms) *
				    (u64)NSEC_PER_MSEC;
	record->max_uncut_ns = npu_exec_uncut_ns();
	record->max_user_contexts = npu_exec_user_contexts();
	record->max_user_jobs = npu_exec_user_jobs();
}
