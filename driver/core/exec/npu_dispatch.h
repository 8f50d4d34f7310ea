/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatcher: queues (npu_dispatch.c), order (../sched), cores (npu_core.c),
 * ends (npu_signal.c), sleep (npu_suspend.c).
 */
#ifndef NPU_DISPATCH_H
#define NPU_DISPATCH_H

#include <linux/types.h>

struct dma_fence;
struct drm_npu_query_limits;
struct npu_client;
struct npu_context;
struct npu_core;
struct npu_device;
struct npu_hw_result;
struct npu_job;
struct npu_mapping;
struct npu_sched_params;
struct npu_slot;
struct npu_submit;

int npu_dispatch_init(struct npu_device *npu);
void npu_dispatch_unplug(struct npu_device *npu);
void npu_dispatch_fini(struct npu_device *npu);
void npu_dispatch_query(const struct npu_device *npu,
			struct drm_npu_query_limits *record);

extern struct npu_sched_params npu_sched_defaults;

/**
 * struct npu_request - jobs to be queued
 */
struct npu_request {
	/** @jobs: The jobs. */
	struct npu_job **jobs;
	/** @count: Number of jobs. */
	u32 count;
	/** @submit: Syncs, or %NULL. */
	struct npu_submit *submit;
	/** @shares: &npu_vm.shares when the caller looked for shared buffers. */
	u64 shares;
	/** @deadline_ns: When they should have ended, or 0. */
	u64 deadline_ns;
};

int npu_dispatch_queue(struct npu_context *ctx,
		       const struct npu_request *request, u64 *seqno);
void npu_dispatch_change(struct npu_context *ctx, const u32 *sched_class,
			 const u32 *weight, bool privileged);
int npu_dispatch_wait_room(struct npu_context *ctx, u32 count, bool ended);
void npu_dispatch_wake(struct npu_context *ctx);
void npu_dispatch_kill(struct npu_context *ctx, bool running);
int npu_dispatch_cancel(struct npu_context *ctx, u64 first, u64 last,
			u32 *count);
struct dma_fence *npu_dispatch_tail(struct npu_context *ctx,
				    struct npu_submit *submit);
u64 npu_dispatch_last_use(struct npu_context *ctx,
			  const struct npu_mapping *mapping, bool writes);

/* Among the files of the dispatcher. */
struct npu_slot *npu_dispatch_head(struct npu_context *ctx);
void npu_dispatch_advance(struct npu_context *ctx, u64 now);
void npu_dispatch_run(struct npu_device *npu, u64 now);
void npu_dispatch_end_lane(struct npu_core *core,
			   const struct npu_hw_result *result, u64 now);

void npu_dispatch_resume(struct npu_client *client);

int npu_core_init(struct npu_device *npu, unsigned int index);
void npu_core_fini(struct npu_core *core);
void npu_core_start(struct npu_core *core, u64 now);
void npu_core_rest(struct npu_core *core);
void npu_core_unplug(struct npu_core *core);
void npu_core_abort(struct npu_core *core, int error);
void npu_cores_forget(struct npu_client *client);

void npu_alert_init(struct npu_device *npu);
void npu_alert_fini(struct npu_device *npu);
void npu_alert_raise(struct npu_device *npu);

int npu_signal_init(struct npu_device *npu);
void npu_signal_fini(struct npu_device *npu);
void npu_signal_context(struct npu_context *ctx);
void npu_signal_flush(struct npu_device *npu);

#endif /* NPU_DISPATCH_H */
