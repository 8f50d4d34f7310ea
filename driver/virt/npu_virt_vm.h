/* SPDX-License-Identifier: GPL-2.0-only */
/* Page tables of the virtual NPU. */
#ifndef NPU_VIRT_VM_H
#define NPU_VIRT_VM_H

#include <linux/types.h>

struct npu_hw_memory;
struct npu_virt_vm;

struct npu_virt_vm *npu_virt_vm_create(const struct npu_hw_sram *srams);
void npu_virt_vm_destroy(struct npu_virt_vm *vm);
int npu_virt_vm_map(struct npu_virt_vm *vm,
		    const struct npu_hw_memory *memory);
void npu_virt_vm_unmap(struct npu_virt_vm *vm, u64 addr, u64 size);
void npu_virt_vm_move(struct npu_virt_vm *vm,
		      const struct npu_hw_memory *memory);
int npu_virt_vm_access(struct npu_virt_vm *vm, u32 addr, void *data, u32 len,
		       bool write);

#endif /* NPU_VIRT_VM_H */
