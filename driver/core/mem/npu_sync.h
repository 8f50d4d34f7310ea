/* SPDX-License-Identifier: GPL-2.0-only */
/* Caches of the CPU. */
#ifndef NPU_SYNC_H
#define NPU_SYNC_H

#include <linux/types.h>

struct device;
struct npu_bo;

void npu_sync_dma(struct device *dev, dma_addr_t addr, size_t size, bool for_cpu);
int npu_sync_bo(struct npu_bo *bo, u64 offset, u64 length, bool for_cpu);
void npu_sync_before_copy(struct npu_bo *bo);

#endif /* NPU_SYNC_H */
