/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers become shared. */
#ifndef NPU_SHARE_H
#define NPU_SHARE_H

#include <linux/types.h>

struct npu_bo;
struct npu_vm;

void npu_share_vm(struct npu_vm *vm);
u64 npu_share_count(const struct npu_vm *vm);
int npu_share_bo(struct npu_bo *bo);

#endif /* NPU_SHARE_H */
