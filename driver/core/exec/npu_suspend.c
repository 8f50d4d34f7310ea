// SPDX-License-Identifier: GPL-2.0-only
/* System sleep: running slices end, and no further ones start until resume. */
#include <linux/export.h>
#include <linux/wait.h>

#include "../include/npu_device.h"
#include "../include/npu_hw.h"
#include "../mem/npu_residency.h"
#include "npu_dispatch.h"
#include "npu_exec.h"

/* Has no core of @npu a lane? */
static bool npu_dispatch_idle(struct npu_device *npu)
{
	bool idle = true;
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++)
		idle &= npu->exec->cores[i].state == NPU_CORE_IDLE;
	spin_unlock_irq(&npu->exec->lock);
	return idle;
}

/**
 * npu_device_suspend() - stop starting slices, and wait for those that run
 * @npu: the device
 *
 * Slices end by themselves or by the watchdog. Queued jobs stay queued. Called
 * by backends when the system goes to sleep.
 */
void npu_device_suspend(struct npu_device *npu)
{
	unsigned int i;

	spin_lock_irq(&npu->exec->lock);
	npu->exec->frozen = true;
	spin_unlock_irq(&npu->exec->lock);
	wait_event(npu->exec->idle, npu_dispatch_idle(npu));

	spin_lock_irq(&npu->exec->lock);
	for (i = 0; i < npu->core_count; i++)
		npu_core_rest(&npu->exec->cores[i]);
	spin_unlock_irq(&npu->exec->lock);
	npu_residency_suspend(npu);
}
EXPORT_SYMBOL_GPL(npu_device_suspend);

/**
 * npu_device_resume() - go on with queued jobs
 * @npu: the device
 */
void npu_device_resume(struct npu_device *npu)
{
	npu_residency_resume(npu);
	spin_lock_irq(&npu->exec->lock);
	npu->exec->frozen = false;
	npu_dispatch_run(npu, npu_now(npu));
	spin_unlock_irq(&npu->exec->lock);
}
EXPORT_SYMBOL_GPL(npu_device_resume);

/**
 * npu_device_settle() - wait until cores have started their slices
 * @npu: the device
 *
 * For backends with a time of their own, which must not pass meanwhile.
 */
void npu_device_settle(struct npu_device *npu)
{
	unsigned int i;

	for (i = 0; i < npu->core_count; i++)
		kthread_flush_worker(npu->exec->cores[i].worker);
}
EXPORT_SYMBOL_GPL(npu_device_settle);
