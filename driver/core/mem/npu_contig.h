/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of buffers for devices without an IOMMU. */
#ifndef NPU_CONTIG_H
#define NPU_CONTIG_H

#include <linux/types.h>

struct npu_bo;
struct sg_table;

int npu_contig_alloc(struct npu_bo *bo);
void npu_contig_free(struct npu_bo *bo);
int npu_contig_address(struct sg_table *sgt, u64 size, u64 *addr);

#endif /* NPU_CONTIG_H */
