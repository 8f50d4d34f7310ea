// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency work keeps the device awake: while there is some, and for a while after
 * it, idle cores keep their power, and the backend is told.
 */
#include <linux/jiffies.h>
#include <linux/lockdep.h>

#include <drm/drm_drv.h>

#include "../include/npu_device.h"
#include "npu_dispatch.h"

/* Longer than a camera takes from one picture to the next. */
#define NPU_ALERT_JIFFIES	msecs_to_jiffies(100)

/**
 * npu_alert_raise() - there is latency work
 * @npu: the device
 */
void npu_alert_raise(struct npu_device *npu)
{
	lockdep_assert_held(&npu->sched_lock);
	npu->alert_last = jiffies;
	if (npu->alert || npu->dead)
		return;
	npu->alert = true;
	schedule_delayed_work(&npu->alert_work, 0);
}

/* Is there latency work, or was there of late? If not, cores need no power. */
static bool npu_alert_look(struct npu_device *npu)
{
	unsigned int i;
	bool alert;

	spin_lock_irq(&npu->sched_lock);
	if (npu_sched_has_latency(&npu->sched))
		npu->alert_last = jiffies;
	alert = !npu->dead &&
		time_before(jiffies, npu->alert_last + NPU_ALERT_JIFFIES);
	npu->alert = alert;
	if (!alert && !npu->dead)
		for (i = 0; i < npu->core_count; i++)
			if (npu->cores[i].state == NPU_CORE_IDLE)
				npu_core_rest(&npu->cores[i]);
	spin_unlock_irq(&npu->sched_lock);
	return alert;
}

static void npu_alert_work(struct work_struct *work)
{
	struct npu_device *npu = container_of(to_delayed_work(work),
					      struct npu_device, alert_work);
	bool alert = npu_alert_look(npu);
	int idx;

	if (npu->alerted != alert && drm_dev_enter(&npu->drm, &idx)) {
		if (npu->desc.ops->alert)
			npu->desc.ops->alert(npu->hw, alert);
		drm_dev_exit(idx);
	}
	npu->alerted = alert;
	if (alert)
		schedule_delayed_work(&npu->alert_work, NPU_ALERT_JIFFIES);
}

/**
 * npu_alert_init() - prepare a device
 * @npu: the device
 */
void npu_alert_init(struct npu_device *npu)
{
	INIT_DELAYED_WORK(&npu->alert_work, npu_alert_work);
}

/**
 * npu_alert_fini() - nothing keeps the device awake any more
 * @npu: the device, which is dead
 */
void npu_alert_fini(struct npu_device *npu)
{
	cancel_delayed_work_sync(&npu->alert_work);
}
