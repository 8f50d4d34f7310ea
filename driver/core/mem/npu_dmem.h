/* SPDX-License-Identifier: GPL-2.0-only */
/* On-chip memory and the dmem control group. */
#ifndef NPU_DMEM_H
#define NPU_DMEM_H

#include <linux/types.h>

struct npu_bo;
struct npu_mem;

int npu_dmem_init(struct npu_mem *mem, u32 index);
void npu_dmem_fini(struct npu_mem *mem, u32 index);
int npu_dmem_charge(struct npu_bo *bo);
void npu_dmem_uncharge(struct npu_bo *bo);

#endif /* NPU_DMEM_H */
