// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power: the cores get and lose it together.
 *
 * A power domain must not be switched on while another core runs with a fast clock
 * (npu_rk3588_clock.c), so none is switched on alone. The device that stands for all
 * cores consumes each of them: its runtime resume comes after theirs, and its runtime
 * suspend before. The clock is fast only in between.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>

#include "npu_rk3588.h"

static unsigned int autosuspend_ms = 500;
module_param(autosuspend_ms, uint, 0444);
MODULE_PARM_DESC(autosuspend_ms, "Idle cores keep their power and clock for so long (default 500)");

static void npu_rk3588_unlink(struct npu_rk3588 *rk, unsigned int count)
{
	while (count--)
		device_link_del(rk->cores[count]->link);
}

/**
 * npu_rk3588_power_init() - have all cores powered together
 * @rk: the device, whose cores are known
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_power_init(struct npu_rk3588 *rk)
{
	struct device *dev = &rk->pdev->dev;
	unsigned int i;

	for (i = 0; i < rk->desc.core_count; i++) {
		struct npu_rk3588_core *core = rk->cores[i];

		core->link = device_link_add(dev, core->dev, DL_FLAG_STATELESS |
					     DL_FLAG_PM_RUNTIME);
		if (!core->link) {
			npu_rk3588_unlink(rk, i);
			return -ENOMEM;
		}
	}
	pm_runtime_set_autosuspend_delay(dev, autosuspend_ms);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_enable(dev);
	return 0;
}

/**
 * npu_rk3588_power_fini() - let the cores go
 * @rk: the device, of which no core is awake
 */
void npu_rk3588_power_fini(struct npu_rk3588 *rk)
{
	struct device *dev = &rk->pdev->dev;

	pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_disable(dev);
	if (!pm_runtime_status_suspended(dev)) {
		npu_rk3588_devfreq_power(rk, false);
		npu_rk3588_clock_park(rk);
	}
	pm_runtime_set_suspended(dev);
	npu_rk3588_unlink(rk, rk->desc.core_count);
}

/**
 * npu_rk3588_power_resume() - runtime resume of the device: the cores have power
 * @dev: the device that stands for all cores
 *
 * Return: 0.
 */
int npu_rk3588_power_resume(struct device *dev)
{
	struct npu_rk3588 *rk = dev_get_drvdata(dev);

	npu_rk3588_clock_up(rk);
	npu_rk3588_devfreq_power(rk, true);
	return 0;
}

/**
 * npu_rk3588_power_suspend() - runtime suspend of the device
 * @dev: the device that stands for all cores
 *
 * Return: 0, or a negative errno if the cores must keep their power.
 */
int npu_rk3588_power_suspend(struct device *dev)
{
	struct npu_rk3588 *rk = dev_get_drvdata(dev);
	int ret = npu_rk3588_clock_park(rk);

	if (!ret)
		npu_rk3588_devfreq_power(rk, false);
	return ret;
}

/**
 * npu_rk3588_wake() - &npu_hw_ops.wake
 * @hw: the device
 * @index: number of the core
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_wake(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;
	struct npu_rk3588_core *core = rk->cores[index];
	int ret;

	ret = pm_runtime_resume_and_get(&rk->pdev->dev);
	if (ret)
		return ret;
	/* A full barrier, which pairs with that of npu_rk3588_vm_unmap(). */
	if (xchg(&core->stale, false)) {
		ret = npu_rk3588_reattach(core);
		if (ret)
			npu_rk3588_rest(hw, index);
	}
	return ret;
}

/**
 * npu_rk3588_wake_now() - &npu_hw_ops.wake_now
 * @hw: the device
 * @index: number of the core
 *
 * Return: whether the core has power and an IOMMU that is up to date.
 */
bool npu_rk3588_wake_now(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;

	if (pm_runtime_get_if_active(&rk->pdev->dev) <= 0)
		return false;
	/* Another core may have had all resumed. Pairs as above. */
	smp_mb();
	if (!READ_ONCE(rk->cores[index]->stale))
		return true;
	npu_rk3588_rest(hw, index);
	return false;
}

/**
 * npu_rk3588_rest() - &npu_hw_ops.rest
 * @hw: the device
 * @index: number of the core
 */
void npu_rk3588_rest(void *hw, unsigned int index)
{
	struct npu_rk3588 *rk = hw;
	struct device *dev = &rk->pdev->dev;

	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
}
