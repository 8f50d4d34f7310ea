// SPDX-License-Identifier: GPL-2.0-only
/*
 * When lanes end that take their modelled time. Cores do what a lane asks for at
 * once, and note when it ends. By the host's time a timer ends it.
 *
 * Modelled time stands still until somebody lets it pass, so that what is measured
 * in it is the same on every host, however busy that is. Who lets it pass has the
 * lanes end in the order of their ends, each at its own time: what the device
 * starts then starts at that time, and may end before the next.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "../compat.h"
#include "npu_virt.h"

static unsigned int start_ns;
module_param(start_ns, uint, 0644);
MODULE_PARM_DESC(start_ns, "Time from the start of a core to its first task in ns, with mode=hold or time (default 0)");

static unsigned int switch_ns;
module_param(switch_ns, uint, 0644);
MODULE_PARM_DESC(switch_ns, "How much longer that is with another address space in ns (default 0)");

/* Any but 0, which means that something has not happened. */
#define NPU_VIRT_BEGINNING	NSEC_PER_SEC
/*
 * Timers of a host are late by less than that, unless it stands still. Hardware is
 * not: what is started at the end of a lane begins when that was to be.
 */
#define NPU_VIRT_LATE		(200ull * NSEC_PER_USEC)

/**
 * npu_virt_clock_init() - prepare a clock
 * @clock: the clock
 * @model: it is the device's
 */
void npu_virt_clock_init(struct npu_virt_clock *clock, bool model)
{
	clock->model = model;
	clock->now = NPU_VIRT_BEGINNING;
	mutex_init(&clock->step_lock);
	mutex_init(&clock->end_lock);
}

/* As an interrupt of the hardware. */
static enum hrtimer_restart npu_virt_expire(struct hrtimer *timer)
{
	struct npu_virt_core *core = container_of(timer, struct npu_virt_core,
						  timer);
	u64 late = ktime_get_ns() - core->end;

	WRITE_ONCE(core->end, 0);
	WRITE_ONCE(core->late, min(late, NPU_VIRT_LATE));
	npu_core_done(core->virt->npu, core->index, &core->result);
	WRITE_ONCE(core->late, 0);
	return HRTIMER_NORESTART;
}

/**
 * npu_virt_clock_init_core() - prepare a core
 * @core: the core
 */
void npu_virt_clock_init_core(struct npu_virt_core *core)
{
	hrtimer_setup(&core->timer, npu_virt_expire, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS);
}

/**
 * npu_virt_now() - &npu_hw_ops.now
 * @hw: the device
 *
 * Return: its time.
 */
u64 npu_virt_now(void *hw)
{
	struct npu_virt *virt = hw;

	return virt->clock.model ? READ_ONCE(virt->clock.now) : ktime_get_ns();
}

/**
 * npu_virt_clock_begin() - a core is started
 * @core: the core
 */
void npu_virt_clock_begin(struct npu_virt_core *core)
{
	core->begin = npu_virt_now(core->virt) - READ_ONCE(core->late) +
		      READ_ONCE(start_ns);
	if (core->switched)
		core->begin += READ_ONCE(switch_ns);
	core->switched = false;
	WRITE_ONCE(core->starts, core->starts + 1);
}

/**
 * npu_virt_clock_end() - a core knows how its lane ends, and when
 * @core: the core
 * @result: how
 */
void npu_virt_clock_end(struct npu_virt_core *core,
			const struct npu_hw_result *result)
{
	core->result = *result;
	WRITE_ONCE(core->end, core->begin + result->device_ns);
	if (!core->virt->clock.model)
		hrtimer_start(&core->timer, ns_to_ktime(core->end),
			      HRTIMER_MODE_ABS);
}

/**
 * npu_virt_clock_reset() - a core has no lane any more
 * @core: the core, whose thread does nothing
 */
void npu_virt_clock_reset(struct npu_virt_core *core)
{
	hrtimer_cancel(&core->timer);
	mutex_lock(&core->virt->clock.end_lock);
	WRITE_ONCE(core->end, 0);
	mutex_unlock(&core->virt->clock.end_lock);
}

static u64 npu_virt_starts(const struct npu_virt *virt)
{
	u64 starts = 0;
	unsigned int i;

	for (i = 0; i < virt->desc.core_count; i++)
		starts += READ_ONCE(virt->cores[i].starts);
	return starts;
}

/* Wait until all cores that have a lane know when it ends. */
static void npu_virt_settle(struct npu_virt *virt)
{
	unsigned int i;
	u64 starts;

	lockdep_assert_held(&virt->clock.step_lock);
	do {
		starts = npu_virt_starts(virt);
		npu_device_settle(virt->npu);
		for (i = 0; i < virt->desc.core_count; i++)
			kthread_flush_worker(virt->cores[i].worker);
		/* Lanes that fail have their core reset, and others start. */
		npu_device_settle(virt->npu);
	} while (npu_virt_starts(virt) != starts);
}

/* The core whose lane ends first, or %NULL. */
static struct npu_virt_core *npu_virt_first(struct npu_virt *virt)
{
	struct npu_virt_core *first = NULL;
	unsigned int i;

	lockdep_assert_held(&virt->clock.end_lock);
	for (i = 0; i < virt->desc.core_count; i++) {
		struct npu_virt_core *core = &virt->cores[i];

		if (core->end && (!first || core->end < first->end))
			first = core;
	}
	return first;
}

/* End the lane that ends first, if it does by @until. */
static bool npu_virt_end_one(struct npu_virt *virt, u64 until)
{
	struct npu_virt_clock *clock = &virt->clock;
	struct npu_virt_core *core;

	lockdep_assert_held(&clock->step_lock);
	mutex_lock(&clock->end_lock);
	core = npu_virt_first(virt);
	if (core && core->end > until)
		core = NULL;
	if (core) {
		/* What was started just before time has passed is late. */
		WRITE_ONCE(clock->now, max(clock->now, core->end));
		WRITE_ONCE(core->end, 0);
		npu_core_done(virt->npu, core->index, &core->result);
	}
	mutex_unlock(&clock->end_lock);
	return core;
}

static int npu_virt_pass(struct npu_virt *virt, u64 until)
{
	struct npu_virt_clock *clock = &virt->clock;

	lockdep_assert_held(&clock->step_lock);
	if (until < clock->now)
		return -EINVAL;
	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		npu_virt_settle(virt);
	} while (npu_virt_end_one(virt, until));
	WRITE_ONCE(clock->now, until);
	return 0;
}

static ssize_t time_ns_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llu\n", npu_virt_now(dev_get_drvdata(dev)));
}

static ssize_t time_ns_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct npu_virt *virt = dev_get_drvdata(dev);
	u64 until;
	int ret;

	ret = kstrtou64(buf, 0, &until);
	if (ret)
		return ret;
	ret = mutex_lock_interruptible(&virt->clock.step_lock);
	if (ret)
		return ret;
	ret = npu_virt_pass(virt, until);
	mutex_unlock(&virt->clock.step_lock);
	return ret ?: count;
}
static DEVICE_ATTR_RW(time_ns);

/* When the next lane ends, 0 if no core has one. */
static ssize_t next_end_ns_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct npu_virt *virt = dev_get_drvdata(dev);
	struct npu_virt_clock *clock = &virt->clock;
	struct npu_virt_core *core;
	u64 end;
	int ret;

	ret = mutex_lock_interruptible(&clock->step_lock);
	if (ret)
		return ret;
	npu_virt_settle(virt);
	mutex_lock(&clock->end_lock);
	core = npu_virt_first(virt);
	end = core ? core->end : 0;
	mutex_unlock(&clock->end_lock);
	mutex_unlock(&clock->step_lock);
	return sysfs_emit(buf, "%llu\n", end);
}
static DEVICE_ATTR_RO(next_end_ns);

static struct attribute *npu_virt_clock_attrs[] = {
	&dev_attr_time_ns.attr,
	&dev_attr_next_end_ns.attr,
	NULL
};

static umode_t npu_virt_clock_visible(struct kobject *kobj,
				      struct attribute *attr, int n)
{
	struct npu_virt *virt = dev_get_drvdata(kobj_to_dev(kobj));

	return virt->clock.model ? attr->mode : 0;
}

static const struct attribute_group npu_virt_clock_group = {
	.attrs = npu_virt_clock_attrs,
	.is_visible = npu_virt_clock_visible,
};

const struct attribute_group *npu_virt_clock_groups[] = {
	&npu_virt_clock_group,
	NULL
};
