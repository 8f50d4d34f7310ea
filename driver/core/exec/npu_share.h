/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers become shared. */
#ifndef NPU_SHARE_H
#define NPU_SHARE_H

struct npu_bo;

int npu_share_bo(struct npu_bo *bo);

#endif /* NPU_SHARE_H */
