/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device and the open file.
 *
 * Locks, outermost first:
 *
 *   npu_file.lock			creation of compat and family_data
 *   lock of npu_file.family_data	what the family keeps for a file
 *     dma_resv.lock
 *     npu_vm.lock
 *   npu_bo.lock			mappings of a buffer
 *     npu_mem.sram_lock		placement in on-chip memory
 *     dma_resv.lock			fences of a buffer, and where it is
 *     npu_vm.lock			layout and page tables of an address space
 *     npu_gate.notify			callback of a gate that opens
 *       npu_exec.lock (irq)
 *   npu_mem.vms_lock		list of address spaces
 *     npu_vm.lock
 *   npu_core.hw_lock			attach and reset of a core
 *       npu_exec.lock (irq)	everything about queues and cores
 *
 *         npu_gate.lock		slices of an address space
 *         npu_users.lock		what users have
 *         npu_mover.lock		moves of a file
 *
 * Fence locks are taken outside of npu_exec.lock (dependency callbacks take it
 * under them), so no fence is ever signalled with it held. Fences are signalled
 * and cores attached and reset under none of the locks above npu_core.hw_lock,
 * so that those may be held while memory is allocated.
 */
#ifndef NPU_DEVICE_H
#define NPU_DEVICE_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <drm/drm_device.h>

#include "npu_hw.h"

struct npu_client;
struct npu_context;
struct npu_exec;
struct npu_mem;
struct npu_vm;

/* Objects a file may have; bounds the memory that ids can pin. */
#define NPU_MAX_CONTEXTS	64
#define NPU_MAX_JOBS		65536
#define NPU_MAX_SUBMIT_JOBS	256
#define NPU_MAX_SUBMIT_SYNCS	64
#define NPU_MAX_QUEUED		256
/* Number of hung or faulted jobs that bans a context. */
#define NPU_MAX_GUILTY		3
/* Bytes of command streams that a job may have, links included. */
#define NPU_MAX_JOB_BYTES	SZ_32M
/* Largest element of an array, or record; bounds the scan for nonzero padding. */
#define NPU_MAX_STRIDE		4096

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
	/** @direct: There is no IOMMU; see npu_hw.h. */
	bool direct;
	/** @core_count: Number of cores. */
	unsigned int core_count;

	/** @used: Bytes in buffers and jobs. */
	atomic64_t used;
	/** @buffer_objects: Buffers alive, those of jobs included. */
	atomic_t buffer_objects;
	/** @files: Files that are open. */
	atomic_t files;
	/** @context_objects: Contexts alive. */
	atomic_t context_objects;
	/** @job_objects: Jobs alive. */
	atomic_t job_objects;

	/** @mem: Address spaces and on-chip memory; see npu_mem.h. */
	struct npu_mem *mem;
	/** @exec: Queues and cores; see npu_exec.h. */
	struct npu_exec *exec;
};

/**
 * struct npu_file - an open file
 */
struct npu_file {
	/** @npu: The device. */
	struct npu_device *npu;
	/** @vm: Its address space. */
	struct npu_vm *vm;
	/** @client: Its client of the dispatcher. */
	struct npu_client *client;
	/** @lock: Protects the creation of @compat and of @family_data. */
	struct mutex lock;
	/** @compat: Context of the family's own calls, or %NULL. */
	struct npu_context *compat;
	/** @family_data: What the family keeps for its own calls, or %NULL. */
	void *family_data;
	/** @compat_lost: Jobs of those calls that were refused and not queued. */
	atomic64_t compat_lost;
	/** @compat_told: Failed jobs of them that the log has told of. */
	atomic64_t compat_told;
	/** @contexts: Contexts by id. */
	struct xarray contexts;
	/** @jobs: Jobs by id. */
	struct xarray jobs;
};

#define to_npu_device(dev) container_of(dev, struct npu_device, drm)

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
