/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface between the core and hardware backends.
 *
 * A backend describes its device in a struct npu_hw_desc, creates it with
 * npu_device_create(), and reports the end of each lane with npu_core_done().
 * After npu_device_unplug() the core calls none of its operations.
 *
 * A backend without an IOMMU leaves out all operations on address spaces, from
 * &npu_hw_ops.vm_create to &npu_hw_ops.attach. Device addresses are DMA addresses
 * then, and each buffer is one piece of memory. As nothing but the dialect keeps the
 * device from other memory, it must check the bounds of all operands
 * (&npu_isa_ops.bounded); and as buffers cannot move, there is no on-chip memory.
 */
#ifndef NPU_HW_H
#define NPU_HW_H

#include <linux/types.h>

struct device;
struct npu_device;
struct npu_family;
struct npu_isa_chip;
struct sg_table;

#define NPU_MAX_CORES		8
#define NPU_MAX_REGIONS		4
/* Regions on the chip: all but system memory. */
#define NPU_MAX_SRAMS		(NPU_MAX_REGIONS - 1)

/**
 * struct npu_hw_memory - memory of a buffer, to be mapped
 */
struct npu_hw_memory {
	/** @addr: Device address. */
	u64 addr;
	/** @size: Bytes, whole pages. */
	u64 size;
	/** @sgt: Where it is. An importer must not look at its pages. */
	struct sg_table *sgt;
	/**
	 * @sram: Numbers of pages of the on-chip memory where it is instead, one
	 * for each of its own; else %NULL.
	 */
	const u32 *sram;
	/** @sram_index: Which &npu_hw_desc.sram these pages are of. */
	u32 sram_index;
	/**
	 * @vaddr: Kernel address of imported memory if &npu_hw_desc.software,
	 * else %NULL.
	 */
	void *vaddr;
	/** @writable: The device may write to it. */
	bool writable;
};

/**
 * struct npu_hw_lane - the slice of a lane that a core is started with
 */
struct npu_hw_lane {
	/** @stream: Device address of the first command stream. */
	u64 stream;
	/** @stream_words: Words of that stream, link included; see npu_isa.h. */
	u32 stream_words;
	/** @task_count: Tasks in the chain; 1 if the dialect has no links. */
	u32 task_count;
	/** @enable: Blocks that the last of them starts, whose end is the lane's. */
	u32 enable;
	/** @job_lanes: Lanes of the job, which may share the bus. */
	u32 job_lanes;
};

/**
 * struct npu_hw_fault - where a lane went wrong, as far as the backend knows
 */
struct npu_hw_fault {
	/** @located: @task is known. */
	bool located;
	/** @addressed: @addr is known. */
	bool addressed;
	/** @task: Tasks of the slice that ended before. */
	u32 task;
	/** @addr: Device address that was refused. */
	u64 addr;
};

/**
 * struct npu_hw_result - how a lane ended
 */
struct npu_hw_result {
	/** @error: 0 or a negative errno. */
	int error;
	/** @tasks: Tasks that ended. */
	u32 tasks;
	/** @device_ns: Time it took; 0 lets the core take the clock's. */
	u64 device_ns;
	/** @read_bytes: Bytes read; 0 if not counted. */
	u64 read_bytes;
	/** @written_bytes: Bytes written; 0 if not counted. */
	u64 written_bytes;
	/** @sram_bytes: Bytes of both that were on the chip. */
	u64 sram_bytes;
	/** @start_ns: Of @device_ns, start-up and drain of tasks; 0 if not known. */
	u64 start_ns;
	/** @memory_ns: Of @device_ns, waits for system memory; 0 if not known. */
	u64 memory_ns;
	/** @sram_ns: Of @device_ns, waits for on-chip memory; 0 if not known. */
	u64 sram_ns;
	/** @fault: Where it went wrong, if @error is not 0. */
	struct npu_hw_fault fault;
};

#define NPU_SNAPSHOT_REGS	512

/**
 * struct npu_hw_snapshot - registers of a core that hangs or has faulted
 */
struct npu_hw_snapshot {
	/** @count: Number of registers. */
	u32 count;
	/** @regs: The registers. */
	struct {
		/** @regs.offset: Offset in the core's window. */
		u32 offset;
		/** @regs.value: Value. */
		u32 value;
	} regs[NPU_SNAPSHOT_REGS];
};

/**
 * struct npu_hw_ops - operations of a backend
 *
 * @hw is what was given to npu_device_create(). Operations on one core, and
 * operations on one address space, are serialised by the core.
 */
struct npu_hw_ops {
	/** @vm_create: New, empty address space, or an ERR_PTR(). May sleep. */
	void *(*vm_create)(void *hw);
	/** @vm_destroy: End an address space that no core has. May sleep. */
	void (*vm_destroy)(void *hw, void *vm);
	/** @vm_map: Map @memory. May sleep. */
	int (*vm_map)(void *hw, void *vm, const struct npu_hw_memory *memory);
	/**
	 * @vm_move: Map @memory in place of what is mapped there, which no core
	 * uses. Must not fail. May sleep. For devices with on-chip memory.
	 */
	void (*vm_move)(void *hw, void *vm, const struct npu_hw_memory *memory);
	/** @vm_unmap: Undo @vm_map; the device cannot reach the pages after it. */
	void (*vm_unmap)(void *hw, void *vm, u64 addr, u64 size);
	/**
	 * @attach: Give idle core @core the address space @vm, or none if
	 * %NULL. If it fails the core has none. May sleep, but stands in the way
	 * of fences: must not allocate.
	 */
	int (*attach)(void *hw, unsigned int core, void *vm);
	/**
	 * @reset: Stop whatever core @core does. After it no end of an earlier
	 * start is reported. May sleep, must not allocate.
	 */
	void (*reset)(void *hw, unsigned int core);
	/**
	 * @snapshot: Read the registers of core @core, which is about to be
	 * reset. May sleep, must not allocate. Optional.
	 */
	void (*snapshot)(void *hw, unsigned int core,
			 struct npu_hw_snapshot *snapshot);
	/**
	 * @wake: Power core @core and keep it powered until @rest. May sleep,
	 * but stands in the way of fences. Optional, as are the next two: without
	 * them the cores are always powered.
	 */
	int (*wake)(void *hw, unsigned int core);
	/** @wake_now: As @wake, but only if the core still has power. Atomic. */
	bool (*wake_now)(void *hw, unsigned int core);
	/** @rest: Core @core is idle and may lose its power. Atomic. */
	void (*rest)(void *hw, unsigned int core);
	/**
	 * @kick: Start core @core, which is awake. Returns what @progress tells
	 * before there is any, so that no start has to ask the device. Atomic.
	 */
	u64 (*kick)(void *hw, unsigned int core,
		    const struct npu_hw_lane *lane);
	/** @progress: A number that changes while core @core works. Atomic. */
	u64 (*progress)(void *hw, unsigned int core);
	/**
	 * @unbegun: Has core @core, which was started a while ago and tells of no
	 * @progress, neither begun nor ended? Then it is reset and started again,
	 * once. Atomic. Optional.
	 */
	bool (*unbegun)(void *hw, unsigned int core);
	/**
	 * @ended: Has core @core ended without having said so? If it has, the
	 * end is not reported any more. Atomic. Optional.
	 */
	bool (*ended)(void *hw, unsigned int core,
		      struct npu_hw_result *result);
	/**
	 * @alert: There is latency work, or there is none any more. May sleep.
	 * Optional.
	 */
	void (*alert)(void *hw, bool on);
	/**
	 * @now: The time in nanoseconds, if it is not that of the clock. Atomic.
	 * Optional.
	 */
	u64 (*now)(void *hw);
	/**
	 * @clock_hz: Present clock of the cores, if it changes. May sleep.
	 * Optional.
	 */
	u64 (*clock_hz)(void *hw);
};

/**
 * struct npu_hw_core_desc - capabilities of a core; see &struct drm_npu_query_core
 */
struct npu_hw_core_desc {
	/** @clock_hz: Fastest clock in Hz. */
	u64 clock_hz;
	/**
	 * @peak_hz: Fastest clock of such hardware, if this device is not allowed it;
	 * what cannot be cut is bounded at that clock, so that the same jobs are
	 * refused on all devices. 0: @clock_hz.
	 */
	u64 peak_hz;
	/** @bandwidth: Bytes a second of one core alone. */
	u64 bandwidth;
	/** @int8_macs_per_cycle: Peak int8 multiply-accumulates a cycle. */
	u32 int8_macs_per_cycle;
	/** @fp16_macs_per_cycle: Peak fp16 multiply-accumulates a cycle. */
	u32 fp16_macs_per_cycle;
	/** @buffer_bytes: Private buffer. */
	u32 buffer_bytes;
};

/**
 * struct npu_hw_sram - on-chip memory
 */
struct npu_hw_sram {
	/** @size: Bytes; whole pages count. 0 if there is none. */
	u64 size;
	/** @vaddr: Where the kernel sees it, from its first page on. */
	void *vaddr;
	/** @phys: Its physical address; 0 if @vaddr is of vmalloc(). */
	u64 phys;
	/** @bandwidth: Bytes a second all cores together get. */
	u64 bandwidth;
};

/**
 * struct npu_hw_desc - description of a device
 */
struct npu_hw_desc {
	/** @name: Name of the hardware. */
	const char *name;
	/** @ops: Operations. */
	const struct npu_hw_ops *ops;
	/** @family: The family of chips. */
	struct npu_family *family;
	/** @chip: The chip, for the dialect of the family. */
	const struct npu_isa_chip *chip;
	/** @core: Cores, all alike. */
	struct npu_hw_core_desc core;
	/** @core_count: Number of cores. */
	u32 core_count;
	/** @flags: %DRM_NPU_DEVICE_VIRTUAL or 0. */
	u32 flags;
	/**
	 * @counters: What it tells in &struct npu_hw_result: %DRM_NPU_COUNTER_BYTES
	 * and %DRM_NPU_COUNTER_STALLS.
	 */
	u32 counters;
	/** @address_bits: Width of a device address. */
	u32 address_bits;
	/** @hw_version: Version register. */
	u64 hw_version;
	/** @bandwidth: Bytes a second of system memory for all cores. */
	u64 bandwidth;
	/** @sram: Its on-chip memories; the first without a size ends them. */
	struct npu_hw_sram sram[NPU_MAX_SRAMS];
	/** @timeout_ms: A core without progress for so long hangs. */
	u32 timeout_ms;
	/** @software: The CPU does the work, and needs kernel addresses. */
	bool software;
	/**
	 * @noncoherent: The device does not see the CPU's caches. What is
	 * mapped for the CPU then bypasses them, unless a client wants to have
	 * it cached and says when to write it back.
	 */
	bool noncoherent;
};

struct npu_device *npu_device_create(struct device *parent,
				     const struct npu_hw_desc *desc, void *hw);
int npu_device_register(struct npu_device *npu);
void npu_device_unplug(struct npu_device *npu);
void npu_device_suspend(struct npu_device *npu);
void npu_device_resume(struct npu_device *npu);
void npu_device_settle(struct npu_device *npu);
void npu_core_done(struct npu_device *npu, unsigned int core,
		   const struct npu_hw_result *result);
u64 npu_core_busy_ns(struct npu_device *npu, unsigned int core);

#endif /* NPU_HW_H */
