/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device and the open file.
 *
 * Locks, outermost first:
 *
 *   npu_file.lock			creation of the context of rocket's calls
 *   npu_bo.lock			mappings of a buffer
 *     npu_sram.lock			who is in on-chip memory
 *     dma_resv.lock			fences of a buffer, and where it is
 *     npu_vm.lock			layout and page tables of an address space
 *     npu_gate.notify			what is called when a gate opens
 *       npu_device.sched_lock (irq)
 *   npu_device.vms_lock		list of address spaces
 *     npu_vm.lock
 *   npu_core.hw_lock			attach and reset of a core
 *       npu_device.sched_lock (irq)	everything about queues and cores
 *
 *         npu_context.wait.lock	who waits for jobs
 *         npu_gate.lock		slices of an address space
 *
 * Fence locks are taken outside of sched_lock (dependency callbacks run under
 * them), so no fence is ever signalled with sched_lock held. Fences are signalled
 * and cores attached and reset under none of the locks above npu_core.hw_lock,
 * so that those may be held while memory is allocated.
 */
#ifndef NPU_DEVICE_H
#define NPU_DEVICE_H

#include <linux/atomic.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>

#include "../exec/npu_context.h"
#include "npu_hw.h"
#include "../sched/npu_sched.h"
#include "../mem/npu_sram.h"
#include "../exec/npu_watch.h"

struct dmem_cgroup_region;
struct npu_client;
struct npu_dump;
struct npu_vm;

/* Objects a file may have; bounds the memory that ids can pin. */
#define NPU_MAX_CONTEXTS	64
#define NPU_MAX_JOBS		65536
#define NPU_MAX_SUBMIT_JOBS	256
#define NPU_MAX_SUBMIT_SYNCS	64
#define NPU_MAX_QUEUED		256
/* Jobs that may hang or fault until their context is banned. */
#define NPU_MAX_GUILTY		3
/* Bytes of command streams that a job may have, links included. */
#define NPU_MAX_JOB_BYTES	SZ_32M
/* Elements of arrays, and records, are never larger; bounds what is scanned. */
#define NPU_MAX_STRIDE		4096

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
	/** @worker: Thread for what must sleep. */
	struct kthread_worker *worker;
	/** @work: Attach and reset. */
	struct kthread_work work;
	/** @watchdog: Looks for progress. */
	struct kthread_delayed_work watchdog;
	/** @hw_lock: Serialises attach and reset. */
	struct mutex hw_lock;

	/* The rest is protected by npu_device.sched_lock. */

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
	/** @error: Why it is reset. */
	int error;
	/** @awake: The backend keeps it powered. */
	bool awake;
	/**
	 * @attached: Client whose address space it has, or %NULL. Not a
	 * reference: npu_cores_forget() clears it before the client is freed.
	 */
	struct npu_client *attached;
	/** @used: Number of the lane that it took last, see &npu_device.taken. */
	u64 used;
	/** @sched: What the scheduler knows of it. */
	struct npu_sched_core sched;
	/** @watch: What the watchdog knows. */
	struct npu_watch watch;
	/** @watched: The watchdog is on its way. */
	bool watched;
	/** @started: When the lane was started. */
	u64 started;
	/** @busy_ns: How long it ran, by the clock, but for background work. */
	u64 busy_ns;
};

/**
 * struct npu_device - a device
 */
struct npu_device {
	/** @drm: The DRM device. */
	struct drm_device drm;
	/** @desc: Description; its operations are gone once unplugged. */
	struct npu_hw_desc desc;
	/** @name: Name of the hardware. */
	char name[32];
	/** @hw: The backend's own. */
	void *hw;
	/** @scaled: The clock of the cores changes. */
	bool scaled;
	/** @timeout: How long a core may be without progress, in jiffies. */
	unsigned long timeout;

	/** @sram: The on-chip memory. */
	struct npu_sram sram;
	/** @sram_asleep: It may lose what is in it; protected by its lock. */
	bool sram_asleep;
	/** @sram_group: What control groups limit of it, or %NULL. */
	struct dmem_cgroup_region *sram_group;
	/** @sram_work: Lets in who fits. */
	struct work_struct sram_work;

	/** @vms_lock: Protects @vms. */
	struct mutex vms_lock;
	/** @vms: Address spaces. */
	struct list_head vms;
	/** @still: Waits for slices to leave gates. */
	wait_queue_head_t still;

	/** @used: Bytes in buffers and jobs. */
	atomic64_t used;
	/** @buffer_objects: Buffers alive, those of jobs included. */
	atomic_t buffer_objects;
	/** @context_objects: Contexts alive. */
	atomic_t context_objects;
	/** @job_objects: Jobs alive. */
	atomic_t job_objects;

	/** @dump: The dump of a hang or fault under way, see npu_dump.c. */
	struct npu_dump *dump;

	/** @signaller: Thread that signals fences. */
	struct kthread_worker *signaller;
	/** @signal_work: What it does. */
	struct kthread_work signal_work;
	/** @retirer: Queue of @retire_work alone. */
	struct workqueue_struct *retirer;
	/** @retire_work: Drops the references of jobs that have ended. */
	struct work_struct retire_work;

	/** @alert_work: Finds out whether there was latency work of late. */
	struct delayed_work alert_work;
	/** @alerted: What the backend was told. */
	bool alerted;

	/** @sched_lock: Protects queues and cores. */
	spinlock_t sched_lock;
	/** @sched: Decides which context a core serves. */
	struct npu_sched sched;
	/** @dead: Unplugged; nothing is started any more. */
	bool dead;
	/** @dead_ns: When that was; the time stands still from then on. */
	u64 dead_ns;
	/** @taken: Lanes that cores have taken. */
	u64 taken;
	/** @alert: Cores keep their power. */
	bool alert;
	/** @alert_last: When there was latency work, in jiffies. */
	unsigned long alert_last;
	/** @frozen: Suspended; nothing is started until it is resumed. */
	bool frozen;
	/** @idle: Waits for cores to be idle. */
	wait_queue_head_t idle;
	/** @contexts: All contexts. */
	struct list_head contexts;
	/** @signal: Contexts with jobs that have ended. */
	struct list_head signal;
	/** @retire: Contexts with jobs that have signalled. */
	struct list_head retire;
	/** @core_count: Number of cores. */
	unsigned int core_count;
	/** @cores: The cores. */
	struct npu_core cores[NPU_MAX_CORES];
};

/**
 * struct npu_file - an open file
 */
struct npu_file {
	/** @npu: The device. */
	struct npu_device *npu;
	/** @vm: Its address space. */
	struct npu_vm *vm;
	/** @client: What the dispatcher has of it. */
	struct npu_client *client;
	/** @lock: Protects the creation of @rocket. */
	struct mutex lock;
	/** @rocket: Context of rocket's calls, or %NULL. */
	struct npu_context *rocket;
	/** @contexts: Contexts by id. */
	struct xarray contexts;
	/** @jobs: Jobs by id. */
	struct xarray jobs;
};

#define to_npu_device(dev) container_of(dev, struct npu_device, drm)

/*
 * The time for all that has to do with queues. That of a backend stops when it is
 * unplugged: that of the clock may be long before it.
 */
static inline u64 npu_now(const struct npu_device *npu)
{
	lockdep_assert_held(&npu->sched_lock);
	/* The backend's module may be gone by then, with its operations. */
	if (npu->dead)
		return npu->dead_ns;
	return npu->desc.ops->now ? npu->desc.ops->now(npu->hw) : ktime_get_ns();
}

/* System memory, and that on the chip if there is any. */
static inline u32 npu_region_count(const struct npu_device *npu)
{
	return npu->sram.count ? 2 : 1;
}

/* The largest buffer: half of what can be addressed. */
static inline u64 npu_max_buffer_size(const struct npu_device *npu)
{
	return BIT_ULL(npu->desc.address_bits - 1);
}

/* All cores of @npu, one bit each. */
static inline u32 npu_core_mask(const struct npu_device *npu)
{
	return GENMASK(npu->core_count - 1, 0);
}

#endif /* NPU_DEVICE_H */
