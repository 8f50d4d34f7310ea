/* SPDX-License-Identifier: GPL-2.0-only */
/* The dispatcher. */
#ifndef NPU_SCHED_H
#define NPU_SCHED_H

#include <linux/types.h>

struct dma_fence_ops;
struct npu_context;
struct npu_device;
struct npu_job;
struct npu_submit;
struct npu_vm;

int npu_sched_init(struct npu_device *npu);
void npu_sched_unplug(struct npu_device *npu);
void npu_sched_fini(struct npu_device *npu);
void npu_sched_flush(struct npu_device *npu);
int npu_sched_queue(struct npu_context *ctx, struct npu_job **jobs, u32 count,
		    struct npu_submit *submit,
		    const struct dma_fence_ops *fence_ops, u64 *seqno);
void npu_sched_wake(struct npu_context *ctx);
void npu_sched_kill(struct npu_context *ctx, bool running);
void npu_sched_forget_vm(struct npu_device *npu, struct npu_vm *vm);

#endif /* NPU_SCHED_H */
