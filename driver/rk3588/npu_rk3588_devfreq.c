// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, which all cores share, and its voltage: operating points of the
 * device tree, chosen by how busy the busiest core is, and limited by what cools
 * the chip.
 *
 * devfreq and the cooling device belong to the first core's device, whose node
 * cooling maps refer to.
 */
#include <linux/clk.h>
#include <linux/devfreq.h>
#include <linux/devfreq_cooling.h>
#include <linux/device/devres.h>
#include <linux/ktime.h>
#include <linux/of.h>
#include <linux/pm_opp.h>
#include <linux/pm_runtime.h>
#include <linux/regulator/consumer.h>
#include <linux/units.h>

#include "npu_rk3588.h"

/*
 * A language model leaves the NPU to wait for the CPU between its layers: it
 * gains from a faster clock long before the cores are always busy.
 */
#define NPU_RK3588_UP_PERCENT		45
#define NPU_RK3588_DOWN_PERCENT		5
/* Longer than most jobs: else a window sees a core either busy or idle. */
#define NPU_RK3588_POLL_MS		200

static struct npu_rk3588 *npu_rk3588_of(struct device *dev)
{
	struct npu_rk3588_core *core = dev_get_drvdata(dev);

	return core->rk;
}

static int npu_rk3588_target(struct device *dev, unsigned long *freq, u32 flags)
{
	struct dev_pm_opp *opp = devfreq_recommended_opp(dev, freq, flags);

	if (IS_ERR(opp))
		return PTR_ERR(opp);
	dev_pm_opp_put(opp);
	return npu_rk3588_clock_set(npu_rk3588_of(dev), *freq);
}

static int npu_rk3588_cur_freq(struct device *dev, unsigned long *freq)
{
	*freq = npu_rk3588_clock_hz(npu_rk3588_of(dev));
	return 0;
}

/* Called with &devfreq.lock, which also protects what is remembered here. */
static int npu_rk3588_status(struct device *dev,
			     struct devfreq_dev_status *status)
{
	struct npu_rk3588 *rk = npu_rk3588_of(dev);
	/* Pairs with npu_rk3588_create(); nothing is busy before. */
	struct npu_device *npu = smp_load_acquire(&rk->npu);
	u64 now = ktime_get_ns(), busy = 0;
	unsigned int i;

	for (i = 0; npu && i < rk->desc.core_count; i++) {
		u64 total = npu_core_busy_ns(npu, i);

		busy = max(busy, total - rk->cores[i]->busy_ns);
		rk->cores[i]->busy_ns = total;
	}
	status->current_frequency = npu_rk3588_clock_hz(rk);
	status->total_time = now - rk->status_ns;
	status->busy_time = min_t(u64, busy, status->total_time);
	rk->status_ns = now;
	return 0;
}

static struct devfreq_dev_profile npu_rk3588_profile = {
	.timer = DEVFREQ_TIMER_DELAYED,
	.polling_ms = NPU_RK3588_POLL_MS,
	.target = npu_rk3588_target,
	.get_dev_status = npu_rk3588_status,
	.get_cur_freq = npu_rk3588_cur_freq,
};

static void npu_rk3588_unscale(void *data)
{
	npu_rk3588_clock_unscale(data);
}

/* Take the operating points, and the voltage of the one that the clock is at. */
static int npu_rk3588_points(struct npu_rk3588 *rk, struct device *dev)
{
	static const char * const supplies[] = { "npu", NULL };
	unsigned long fastest = ULONG_MAX;
	struct dev_pm_opp *opp;
	int ret;

	ret = devm_pm_opp_set_clkname(dev, "npu");
	if (!ret)
		/* Without a voltage to set, a faster clock would do harm. */
		ret = devm_pm_opp_set_regulators(dev, supplies);
	if (!ret)
		ret = devm_pm_opp_of_add_table(dev);
	if (ret)
		return ret;
	opp = dev_pm_opp_find_freq_floor(dev, &fastest);
	if (IS_ERR(opp))
		return PTR_ERR(opp);
	dev_pm_opp_put(opp);
	rk->fastest_hz = fastest;
	/* All cores have the same one. */
	rk->clock = rk->cores[0]->clocks[NPU_RK3588_CLOCK_NPU].clk;
	npu_rk3588_profile.initial_freq = NPU_RK3588_PARK_HZ;

	/* The library of operating points asks for the rate. */
	ret = pm_runtime_resume_and_get(dev);
	if (ret)
		return ret;
	ret = npu_rk3588_clock_scale(rk, dev);
	pm_runtime_put(dev);
	/* Undone when devfreq is gone. */
	return ret ?: devm_add_action_or_reset(dev, npu_rk3588_unscale, rk);
}

static void npu_rk3588_uncool(void *data)
{
	devfreq_cooling_unregister(data);
}

static void npu_rk3588_unfloor(void *data)
{
	dev_pm_qos_remove_request(data);
}

static int npu_rk3588_add_devfreq(struct npu_rk3588 *rk, struct device *dev)
{
	struct thermal_cooling_device *cooling;
	struct devfreq *devfreq;
	int ret;

	ret = npu_rk3588_points(rk, dev);
	if (ret)
		return ret;
	rk->ondemand.upthreshold = NPU_RK3588_UP_PERCENT;
	rk->ondemand.downdifferential = NPU_RK3588_DOWN_PERCENT;
	rk->status_ns = ktime_get_ns();
	devfreq = devm_devfreq_add_device(dev, &npu_rk3588_profile,
					  DEVFREQ_GOV_SIMPLE_ONDEMAND,
					  &rk->ondemand);
	if (IS_ERR(devfreq))
		return PTR_ERR(devfreq);
	ret = dev_pm_qos_add_request(dev, &rk->floor, DEV_PM_QOS_MIN_FREQUENCY,
				     PM_QOS_MIN_FREQUENCY_DEFAULT_VALUE);
	if (ret < 0)
		return ret;
	ret = devm_add_action_or_reset(dev, npu_rk3588_unfloor, &rk->floor);
	if (ret)
		return ret;
	/* A chip that is not cooled by it still has its critical temperature. */
	cooling = of_devfreq_cooling_register(dev->of_node, devfreq);
	if (IS_ERR(cooling)) {
		dev_warn(dev, "not slowed down when it is hot: %ld\n",
			 PTR_ERR(cooling));
	} else {
		ret = devm_add_action_or_reset(dev, npu_rk3588_uncool, cooling);
		if (ret)
			return ret;
	}

	mutex_lock(&rk->clock_lock);
	rk->devfreq = devfreq;
	if (!rk->powered)
		devfreq_suspend_device(devfreq);
	mutex_unlock(&rk->clock_lock);
	return 0;
}

/**
 * npu_rk3588_devfreq_init() - use the operating points of the device tree
 * @rk: the device, whose cores are known
 *
 * Return: 0, or a negative errno if the clock stays as it is.
 */
int npu_rk3588_devfreq_init(struct npu_rk3588 *rk)
{
	struct device *dev = rk->cores[0]->dev;
	int ret;

	if (!devres_open_group(dev, &npu_rk3588_profile, GFP_KERNEL))
		return -ENOMEM;
	ret = npu_rk3588_add_devfreq(rk, dev);
	devres_close_group(dev, &npu_rk3588_profile);
	if (ret)
		devres_release_group(dev, &npu_rk3588_profile);
	return ret;
}

/**
 * npu_rk3588_devfreq_fini() - leave the clock as it is
 * @rk: the device
 */
void npu_rk3588_devfreq_fini(struct npu_rk3588 *rk)
{
	bool had;

	mutex_lock(&rk->clock_lock);
	had = rk->devfreq;
	rk->devfreq = NULL;
	mutex_unlock(&rk->clock_lock);
	if (had)
		devres_release_group(rk->cores[0]->dev, &npu_rk3588_profile);
}

/**
 * npu_rk3588_devfreq_alert() - there is latency work, or none any more
 * @rk: the device
 * @on: there is
 *
 * It needs the fastest clock from its first job on, not once the cores have been
 * busy for a while. What cools the chip still has the last word.
 */
void npu_rk3588_devfreq_alert(struct npu_rk3588 *rk, bool on)
{
	s32 khz = on ? rk->fastest_hz / HZ_PER_KHZ :
		       PM_QOS_MIN_FREQUENCY_DEFAULT_VALUE;

	mutex_lock(&rk->clock_lock);
	if (rk->devfreq)
		dev_pm_qos_update_request(&rk->floor, khz);
	mutex_unlock(&rk->clock_lock);
}

/**
 * npu_rk3588_devfreq_power() - the cores are powered, or are not any more
 * @rk: the device
 * @on: they are
 *
 * Without power nobody needs to look how busy they are.
 */
void npu_rk3588_devfreq_power(struct npu_rk3588 *rk, bool on)
{
	mutex_lock(&rk->clock_lock);
	rk->powered = on;
	if (on && rk->devfreq)
		devfreq_resume_device(rk->devfreq);
	if (!on && rk->devfreq)
		devfreq_suspend_device(rk->devfreq);
	mutex_unlock(&rk->clock_lock);
}
