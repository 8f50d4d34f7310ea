/* SPDX-License-Identifier: GPL-2.0-only */
/* The virtual NPU, its cores and its time. */
#ifndef NPU_VIRT_H
#define NPU_VIRT_H

#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "../core/include/npu_hw.h"

struct attribute_group;
struct device;
struct npu_model_core;
struct npu_virt_vm;

#define NPU_VIRT_CORES_MAX	3

/**
 * enum npu_virt_mode - what a core does with a lane
 */
enum npu_virt_mode {
	/** @NPU_VIRT_COMPUTE: Compute it. */
	NPU_VIRT_COMPUTE,
	/** @NPU_VIRT_HOLD: Compute it, and take as long as the hardware. */
	NPU_VIRT_HOLD,
	/** @NPU_VIRT_TIME: Take as long, and compute nothing. */
	NPU_VIRT_TIME,
	/** @NPU_VIRT_NULL: Nothing. */
	NPU_VIRT_NULL,
};

/**
 * struct npu_virt_clock - the time of the device
 */
struct npu_virt_clock {
	/** @model: It passes only when it is told to; else it is the host's. */
	bool model;
	/** @now: The time, if @model. */
	u64 now;
	/** @step_lock: Held by who lets time pass. */
	struct mutex step_lock;
	/** @end_lock: Held while a lane ends, or is taken from its core. */
	struct mutex end_lock;
};

/**
 * struct npu_virt_core - a core and its thread
 */
struct npu_virt_core {
	/** @virt: The device. */
	struct npu_virt *virt;
	/** @index: Number of the core. */
	unsigned int index;
	/** @model: The model; the thread's while @running. */
	struct npu_model_core *model;
	/** @vm: Address space; changes only while the core is idle. */
	struct npu_virt_vm *vm;
	/** @worker: The thread. */
	struct kthread_worker *worker;
	/** @work: A run of the model. */
	struct kthread_work work;
	/** @lane: What to run. */
	struct npu_hw_lane lane;
	/** @starts: How often it was started. */
	u64 starts;
	/** @begin: When its lane began. */
	u64 begin;
	/** @end: When its lane ends; 0 if that is not known, or not waited for. */
	u64 end;
	/** @late: By how much @timer was late, while the end is reported. */
	u64 late;
	/** @timer: Ends it, unless time is modelled. */
	struct hrtimer timer;
	/** @switched: It has got another address space since its last lane. */
	bool switched;
	/** @result: How its lane ends. */
	struct npu_hw_result result;
	/** @stop: The run is to be abandoned. */
	bool stop;
	/** @transfers: Bus transfers so far, as a sign of life. */
	u64 transfers;
};

/**
 * struct npu_virt - a virtual device
 */
struct npu_virt {
	/** @npu: The device in the core. */
	struct npu_device *npu;
	/** @desc: Its description. */
	struct npu_hw_desc desc;
	/** @dev: The platform device. */
	struct device *dev;
	/** @mode: What the cores do. */
	enum npu_virt_mode mode;
	/** @clock: Its time, if that is not the host's. */
	struct npu_virt_clock clock;
	/** @sram: All on-chip memory, one region after the other, or %NULL. */
	void *sram;
	/** @cores: The cores. */
	struct npu_virt_core cores[NPU_VIRT_CORES_MAX];
};

extern const struct attribute_group *npu_virt_clock_groups[];

void npu_virt_clock_init(struct npu_virt_clock *clock, bool model);
void npu_virt_clock_init_core(struct npu_virt_core *core);
u64 npu_virt_now(void *hw);
void npu_virt_clock_begin(struct npu_virt_core *core);
void npu_virt_clock_end(struct npu_virt_core *core,
			const struct npu_hw_result *result);
void npu_virt_clock_reset(struct npu_virt_core *core);

#endif /* NPU_VIRT_H */
