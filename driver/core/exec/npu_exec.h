/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues and cores of a device. */
#ifndef NPU_EXEC_H
#define NPU_EXEC_H

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../include/npu_device.h"
#include "../include/npu_hw.h"
#include "../sched/npu_sched.h"
#include "npu_accel.h"
#include "npu_errors.h"
#include "npu_hold.h"
#include "npu_longest.h"
#include "npu_watch.h"

struct npu_dump;

/**
 * enum npu_core_state - what a core is doing
 */
enum npu_core_state {
	/** @NPU_CORE_IDLE: Nothing. */
	NPU_CORE_IDLE,
	/** @NPU_CORE_ATTACHING: Its thread attaches the address space of its lane. */
	NPU_CORE_ATTACHING,
	/** @NPU_CORE_RUNNING: The hardware runs its lane. */
	NPU_CORE_RUNNING,
	/** @NPU_CORE_RESETTING: Its thread resets it, then the lane ends. */
	NPU_CORE_RESETTING,
};

/**
 * struct npu_core - one core
 */
struct npu_core {
	/** @npu: The device. */
	struct npu_device *npu;
	/** @index: Its number. */
	unsigned int index;
	/** @worker: Thread for operations that sleep. */
	struct kthread_worker *worker;
	/** @work: Attach and reset. */
	struct kthread_work work;
	/** @watchdog: Looks for progress. */
	struct kthread_delayed_work watchdog;
	/** @hw_lock: Serialises attach and reset. */
	struct mutex hw_lock;

	/* The rest is protected by npu_exec.lock. */

	/** @state: What it is doing. */
	enum npu_core_state state;
	/** @ctx: Context whose lane it has, unless idle. */
	struct npu_context *ctx;
	/** @lane: That lane's number. */
	u32 lane;
	/** @first: The first task of the slice that it has. */
	u32 first;
	/** @tasks: Tasks of that slice. */
	u32 tasks;
	/** @error: Why it is reset; 0 to start its slice again. */
	int error;
	/** @fault: What the backend told about that. */
	struct npu_hw_fault fault;
	/** @awake: The backend keeps it powered. */
	bool awake;
	/**
	 * @attached: Client whose address space it has, or %NULL. Not a
	 * reference: npu_cores_forget() clears it before the client is freed.
	 */
	struct npu_client *attached;
	/** @used: Number of the lane that it took last, see &npu_exec.taken. */
	u64 used;
	/** @sched: Its core of the scheduler. */
	struct npu_sched_core sched;
	/** @watch: Progress that the watchdog has seen. */
	struct npu_watch watch;
	/** @watched: @watchdog is pending. */
	bool watched;
	/** @kicked: When the hardware was started, in jiffies. */
	unsigned long kicked;
	/** @begun: The hardware has been seen to have begun. */
	bool begun;
	/** @again: It had not, and was started once more. */
	bool again;
	/** @started: When the lane was started. */
	u64 started;
	/** @busy_ns: How long it ran, by the clock, but for background work. */
	u64 busy_ns;
	/** @device_ns: Device time of all its slices. */
	u64 device_ns;
	/** @slices: How often it was started. */
	u64 slices;
	/** @pass: Lanes that may end although they are to be held back. */
	u32 pass;
	/** @held: Its lane has ended with @end, and is held back. */
	bool held;
	/** @end: How its lane has ended, if @held. */
	struct npu_hw_result end;
};

/**
 * struct npu_exec - queues and cores of a device
 */
struct npu_exec {
	/** @npu: The device, which owns it. */
	struct npu_device *npu;
	/** @timeout: How long a core may be without progress, in jiffies. */
	unsigned long timeout;
	/**
	 * @cancel_ns: Estimated time up to which slices without a limit are left to
	 * end when their job is cancelled. Constant.
	 */
	u64 cancel_ns;
	/** @dump: The dump of a hang or fault under way, see npu_dump.c. */
	struct npu_dump *dump;

	/** @signaller: Thread that signals fences. */
	struct kthread_worker *signaller;
	/** @signal_work: Signals fences of the contexts in @signal. */
	struct kthread_work signal_work;
	/** @retirer: Queue of @retire_work alone. */
	struct workqueue_struct *retirer;
	/** @retire_work: Drops the references of jobs that have ended. */
	struct work_struct retire_work;

	/** @alert_work: Checks whether there was latency work recently. */
	struct delayed_work alert_work;
	/** @alerted: State last reported to the backend; for @alert_work only. */
	bool alerted;

	/** @idle: Waits for cores to be idle. */
	wait_queue_head_t idle;
	/** @lock: Protects the rest, and queues and cores. */
	spinlock_t lock;
	/** @sched: Decides which context a core serves. */
	struct npu_sched sched;
	/** @dead: Unplugged; nothing is started any more. */
	bool dead;
	/** @dead_ns: When that was; the time stands still from then on. */
	u64 dead_ns;
	/** @hold: Which lanes are not to end. */
	struct npu_hold hold;
	/** @errors: What has gone wrong so far. */
	struct npu_errors errors;
	/** @longest: The longest end of a slice. */
	struct npu_longest longest;
	/** @frozen: Suspended; nothing is started until it is resumed. */
	bool frozen;
	/** @activity: What QUERY reports, but for the time, files and errors. */
	struct drm_npu_query_activity activity;
	/** @taken: Lanes that cores have taken. */
	u64 taken;
	/** @alert: Idle cores keep their power. */
	bool alert;
	/** @alert_last: When there was latency work, in jiffies. */
	unsigned long alert_last;
	/** @contexts: All contexts, by &npu_context.link. */
	struct list_head contexts;
	/** @signal: Contexts with jobs that have ended. */
	struct list_head signal;
	/** @retire: Contexts with jobs that have signalled. */
	struct list_head retire;
	/** @cores: The cores. */
	struct npu_core cores[NPU_MAX_CORES];
};

/*
 * The time for all that has to do with queues. That of a backend stops when it is
 * unplugged: that of the clock may be long before it.
 */
static inline u64 npu_now(const struct npu_device *npu)
{
	lockdep_assert_held(&npu->exec->lock);
	/* The backend's module may be gone by then, with its operations. */
	if (npu->exec->dead)
		return npu->exec->dead_ns;
	return npu->desc.ops->now ? npu->desc.ops->now(npu->hw) : ktime_get_ns();
}

#endif /* NPU_EXEC_H */
