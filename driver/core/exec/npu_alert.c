// SPDX-License-Identifier: GPL-2.0-only
/*
 * Alert: while there is latency work, and for a while after it, idle cores keep
 * their power, and the backend is told to keep the clock up.
 */
#include <linux/jiffies.h>
#include <linux/lockdep.h>

#include <drm/drm_drv.h>

#include "../include/npu_device.h"
#include "npu_dispatch.h"
#include "npu_exec.h"

/* Longer than a camera takes from one picture to the next. */
#define NPU_ALERT_JIFFIES	msecs_to_jiffies(100)

/**
 * npu_alert_raise() - there is latency work
 * @npu: the device
 */
void npu_alert_raise(struct npu_device *npu)
{
	lockdep_assert_held(&npu->exec->lock);
	npu->exec->alert_last = jiffies;
	if (npu->exec->alert || npu->exec->dead)
		return;
	npu->exec->alert = true;
	schedule_delayed_work(&npu->exec->alert_work, 0);
}

/* Is there latency work, or was there of late? If not, cores need no power. */
static bool npu_alert_look(struct npu_device *npu)
{
	unsigned int i;
	bool alert;

	spin_lock_irq(&npu->exec->lock);
	if (npu_sched_has_latency(&npu->exec->sched))
		npu->exec->alert_last = jiffies;
	alert = !npu->exec->dead &&
		time_before(jiffies, npu->exec->alert_last + NPU_ALERT_JIFFIES);
	npu->exec->alert = alert;
	if (!alert && !npu->exec->dead)
		for (i = 0; i < npu->core_count; i++)
			if (npu->exec->cores[i].state == NPU_CORE_IDLE)
				npu_core_rest(&npu->exec->cores[i]);
	spin_unlock_irq(&npu->exec->lock);
	return alert;
}

static void npu_alert_work(struct work_struct *work)
{
	struct npu_exec *exec = container_of(to_delayed_work(work),
					     struct npu_exec, alert_work);
	struct npu_device *npu = exec->npu;
	bool alert = npu_alert_look(npu);
	int idx;

	if (exec->alerted != alert && drm_dev_enter(&npu->drm, &idx)) {
		if (npu->desc.ops->alert)
			npu->desc.ops->alert(npu->hw, alert);
		drm_dev_exit(idx);
	}
	exec->alerted = alert;
	if (alert)
		schedule_delayed_work(&exec->alert_work, NPU_ALERT_JIFFIES);
}

/**
 * npu_alert_init() - prepare a device
 * @npu: the device
 */
void npu_alert_init(struct npu_device *npu)
{
	INIT_DELAYED_WORK(&npu->exec->alert_work, npu_alert_work);
}

/**
 * npu_alert_fini() - nothing keeps the device awake any more
 * @npu: the device, which is dead
 */
void npu_alert_fini(struct npu_device *npu)
{
	cancel_delayed_work_sync(&npu->exec->alert_work);
}
