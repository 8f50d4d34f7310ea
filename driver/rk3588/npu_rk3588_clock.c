// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rate of the clock that all cores share, within what the chip survives.
 *
 * Rates of 300 MHz and more come from an oscillator inside the NPU's power domain.
 * The firmware, which sets the rate, writes registers there, and hangs if the domain
 * is off; so may reading the rate. A domain that is switched on under a faster clock
 * than 200 MHz does not acknowledge, and the next access of a register is fatal.
 *
 * Therefore the rate changes only while all cores have power. It is lowered to
 * 200 MHz before they lose it, and raised again once they have it. In between,
 * devfreq, cooling and limits only change what is remembered. The driver never asks
 * for the rate either.
 */
#include <linux/clk.h>
#include <linux/lockdep.h>
#include <linux/pm_opp.h>
#include <linux/units.h>

#include "npu_rk3588.h"

static int npu_rk3588_clock_change(struct npu_rk3588 *rk, unsigned long hz)
{
	int ret;

	lockdep_assert_held(&rk->rate_lock);
	if (rk->hz == hz)
		return 0;
	ret = dev_pm_opp_set_rate(rk->scaled, hz);
	if (!ret)
		rk->hz = hz;
	return ret;
}

/* Lower the clock to what a power domain may be switched on with. */
static int npu_rk3588_clock_lower(struct npu_rk3588 *rk)
{
	int ret = npu_rk3588_clock_change(rk, NPU_RK3588_PARK_HZ);

	if (!ret)
		return 0;
	/* The voltage may have failed to follow, and may as well stay. */
	dev_warn(rk->scaled, "operating point not lowered: %d\n", ret);
	ret = clk_set_rate(rk->clock, NPU_RK3588_PARK_HZ);
	if (!ret)
		rk->hz = NPU_RK3588_PARK_HZ;
	return ret;
}

/**
 * npu_rk3588_clock_init() - have the clock at a known rate
 * @core: a core, which is powered
 *
 * Called before the clock is scaled. Costs the firmware nothing if the rate is what
 * it should be: the clock framework knows it since it was registered.
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_clock_init(struct npu_rk3588_core *core)
{
	struct npu_rk3588 *rk = core->rk;
	int ret;

	mutex_lock(&rk->rate_lock);
	ret = rk->scaled ? 0 :
	      clk_set_rate(core->clocks[NPU_RK3588_CLOCK_NPU].clk,
			   NPU_RK3588_PARK_HZ);
	mutex_unlock(&rk->rate_lock);
	return ret;
}

/**
 * npu_rk3588_clock_scale() - begin to scale the clock
 * @rk: the device, whose clock is at %NPU_RK3588_PARK_HZ
 * @dev: the device with the operating points; a powered core
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_clock_scale(struct npu_rk3588 *rk, struct device *dev)
{
	int ret;

	mutex_lock(&rk->rate_lock);
	/* The rate stays; the voltage may change. */
	ret = dev_pm_opp_set_rate(dev, NPU_RK3588_PARK_HZ);
	if (!ret) {
		rk->scaled = dev;
		rk->hz = NPU_RK3588_PARK_HZ;
		rk->wanted_hz = NPU_RK3588_PARK_HZ;
	}
	mutex_unlock(&rk->rate_lock);
	return ret;
}

/**
 * npu_rk3588_clock_unscale() - leave the clock at %NPU_RK3588_PARK_HZ for good
 * @rk: the device
 */
void npu_rk3588_clock_unscale(struct npu_rk3588 *rk)
{
	mutex_lock(&rk->rate_lock);
	rk->wanted_hz = NPU_RK3588_PARK_HZ;
	if (rk->clocked && npu_rk3588_clock_lower(rk))
		dev_err(rk->scaled, "the clock stays at %lu MHz\n",
			rk->hz / HZ_PER_MHZ);
	rk->scaled = NULL;
	mutex_unlock(&rk->rate_lock);
}

/**
 * npu_rk3588_clock_set() - choose the rate that powered cores have
 * @rk: the device, whose clock is scaled
 * @hz: the rate of an operating point
 *
 * Return: 0 or a negative errno.
 */
int npu_rk3588_clock_set(struct npu_rk3588 *rk, unsigned long hz)
{
	int ret = 0;

	mutex_lock(&rk->rate_lock);
	WRITE_ONCE(rk->wanted_hz, hz);
	if (rk->clocked)
		ret = npu_rk3588_clock_change(rk, hz);
	mutex_unlock(&rk->rate_lock);
	return ret;
}

/**
 * npu_rk3588_clock_hz() - the rate that powered cores have
 * @rk: the device
 *
 * Return: the rate in Hz, as it was last chosen.
 */
unsigned long npu_rk3588_clock_hz(struct npu_rk3588 *rk)
{
	return READ_ONCE(rk->wanted_hz);
}

/**
 * npu_rk3588_clock_up() - all cores have power
 * @rk: the device
 */
void npu_rk3588_clock_up(struct npu_rk3588 *rk)
{
	int ret;

	mutex_lock(&rk->rate_lock);
	rk->clocked = true;
	ret = rk->scaled ? npu_rk3588_clock_change(rk, rk->wanted_hz) : 0;
	/* Work that is slow is better than none. */
	if (ret)
		dev_warn(rk->scaled, "the clock stays at %lu MHz: %d\n",
			 rk->hz / HZ_PER_MHZ, ret);
	mutex_unlock(&rk->rate_lock);
}

/**
 * npu_rk3588_clock_park() - the cores are about to lose their power
 * @rk: the device
 *
 * Return: 0, or a negative errno: then they must keep it.
 */
int npu_rk3588_clock_park(struct npu_rk3588 *rk)
{
	int ret;

	mutex_lock(&rk->rate_lock);
	ret = rk->scaled ? npu_rk3588_clock_lower(rk) : 0;
	if (!ret)
		rk->clocked = false;
	mutex_unlock(&rk->rate_lock);
	return ret;
}
