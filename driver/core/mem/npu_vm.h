/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces. */
#ifndef NPU_VM_H
#define NPU_VM_H

#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include <drm/drm_mm.h>

#include "../include/npu_hw.h"
#include "npu_gate.h"
#include "npu_mover.h"
#include "npu_sram.h"

struct npu_bo;
struct npu_client;
struct npu_device;
struct npu_user;

/**
 * struct npu_vm - the device address space of an open file
 */
struct npu_vm {
	/** @ref: References. */
	struct kref ref;
	/** @npu: The device; the DRM device is referenced. */
	struct npu_device *npu;
	/** @user: Who opened the file, referenced. */
	struct npu_user *user;
	/** @client: The dispatcher's, for its use; %NULL once that is gone. */
	struct npu_client *client;
	/** @gate: Slices pass it; closed while buffers move. */
	struct npu_gate gate;
	/** @mover: Moves its buffers to the chip and back. */
	struct npu_mover mover;
	/**
	 * @shares: How often a buffer in it has become shared. A submit that
	 * finds another number than it began with begins anew.
	 */
	atomic64_t shares;
	/** @shared: Mappings of shared buffers that it has now. */
	atomic_t shared;
	/** @link: In &npu_mem.vms. */
	struct list_head link;
	/** @lock: Protects @mm, @hw and &npu_mapping.node. */
	struct mutex lock;
	/** @mm: Layout. */
	struct drm_mm mm;
	/**
	 * @hw: The backend's page tables; this address space itself if the backend
	 * has none; %NULL once unplugged.
	 */
	void *hw;
	/** @used: Bytes mapped. */
	atomic64_t used;
	/** @sram: What it uses of each region on the chip. */
	struct npu_sram_user sram[NPU_MAX_SRAMS];
};

/**
 * struct npu_mapping - a buffer in an address space
 */
struct npu_mapping {
	/** @ref: References: handles and jobs. */
	struct kref ref;
	/** @vm: The address space, referenced. */
	struct npu_vm *vm;
	/** @bo: The buffer, referenced. */
	struct npu_bo *bo;
	/** @writable: The device may write to it. */
	bool writable;
	/** @mapped: The backend has it in its page tables. */
	bool mapped;
	/** @shared: It counts in &npu_vm.shared; protected by &npu_bo.lock. */
	bool shared;
	/** @map: Where the kernel sees imported memory, or null. */
	struct iosys_map map;
	/** @node: Place in &npu_vm.mm. */
	struct drm_mm_node node;
	/** @link: In &npu_bo.mappings, while there are handles. */
	struct list_head link;
	/** @handles: Handles of the file; protected by &npu_bo.lock. */
	unsigned int handles;
};

struct npu_vm *npu_vm_create(struct npu_device *npu);
struct npu_vm *npu_vm_get(struct npu_vm *vm);
void npu_vm_put(struct npu_vm *vm);
void npu_vm_unplug(struct npu_vm *vm);
u64 npu_vm_shares(const struct npu_vm *vm);
bool npu_vm_has_shared(const struct npu_vm *vm);

void npu_mapping_note_shared(struct npu_mapping *mapping, bool shared);
struct npu_mapping *npu_mapping_create(struct npu_vm *vm, struct npu_bo *bo,
				       bool writable);
void npu_mapping_move(struct npu_mapping *mapping, const u32 *pages);
struct npu_mapping *npu_mapping_find(struct npu_vm *vm, u64 addr);
void npu_mapping_put(struct npu_mapping *mapping);

#endif /* NPU_VM_H */
