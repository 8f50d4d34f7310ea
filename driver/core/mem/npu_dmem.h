/* SPDX-License-Identifier: GPL-2.0-only */
/* On-chip memory and the dmem control group. */
#ifndef NPU_DMEM_H
#define NPU_DMEM_H

struct npu_bo;
struct npu_device;

int npu_dmem_init(struct npu_device *npu);
void npu_dmem_fini(struct npu_device *npu);
int npu_dmem_charge(struct npu_bo *bo);
void npu_dmem_uncharge(struct npu_bo *bo);

#endif /* NPU_DMEM_H */
