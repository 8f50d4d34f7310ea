/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dispatcher: queues (npu_queue.c), their heads (npu_head.c), what cores are
 * given and what follows an end (npu_dispatch.c), cores (npu_core.c), fences and
 * references (npu_signal.c), sleep (npu_suspend.c), the whole (npu_exec.c).
 */
#ifndef NPU_DISPATCH_H
#define NPU_DISPATCH_H

#include <linux/types.h>

struct dma_fence;
struct drm_npu_query_limits;
struct npu_client;
struct npu_context;
struct npu_core;
struct npu_fault;
struct npu_device;
struct npu_hw_result;
struct npu_job;
struct npu_mapping;
struct npu_sched_params;
struct npu_slot;
struct npu_submit;

int npu_exec_init(struct npu_device *npu);
void npu_exec_unplug(struct npu_device *npu);
void npu_exec_fini(struct npu_device *npu);
void npu_exec_query(const struct npu_device *npu,
		    struct drm_npu_query_limits *record);
u64 npu_exec_uncut_ns(void);
u32 npu_exec_user_contexts(void);
u32 npu_exec_user_jobs(void);

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

int npu_queue_jobs(struct npu_context *ctx,
		   const struct npu_request *request, u64 *seqno);
void npu_queue_change(struct npu_context *ctx, const u32 *sched_class,
		      const u32 *weight, bool privileged);
int npu_queue_wait_room(struct npu_context *ctx, u32 count, bool ended);
int npu_queue_wait_user(struct npu_context *ctx);
void npu_queue_wake(struct npu_context *ctx);
void npu_queue_hasten(struct npu_submit *submit, u64 deadline_ns);
void npu_queue_kill(struct npu_context *ctx, bool running);
int npu_queue_cancel(struct npu_context *ctx, u64 first, u64 last,
		     u32 *count);
struct dma_fence *npu_queue_tail(struct npu_context *ctx,
				 struct npu_submit *submit);
u64 npu_queue_last_use(struct npu_context *ctx,
		       const struct npu_mapping *mapping, bool writes);

/* Among the files of the dispatcher. */
struct npu_slot *npu_context_head(struct npu_context *ctx);
u32 npu_head_lane(struct npu_context *ctx);
void npu_head_end_slice(struct npu_context *ctx, const struct npu_core *core,
			const struct npu_hw_result *result, u64 device_ns);
void npu_head_continue(struct npu_context *ctx, u64 now);
void npu_head_advance(struct npu_context *ctx, u64 now);
void npu_dispatch_run(struct npu_device *npu, u64 now);
void npu_dispatch_ended(struct npu_core *core,
			const struct npu_hw_result *result, u64 now);

void npu_dispatch_resume(struct npu_client *client);

int npu_core_init(struct npu_device *npu, unsigned int index);
void npu_core_fini(struct npu_core *core);
void npu_core_start(struct npu_core *core, u64 now);
void npu_core_rest(struct npu_core *core);
void npu_core_unplug(struct npu_core *core);
u64 npu_core_stop(struct npu_core *core, const struct npu_hw_result *result,
		  u64 now);
void npu_core_abort(struct npu_core *core, int error);
void npu_core_cancel(struct npu_core *core);
void npu_core_locate(const struct npu_core *core, struct npu_fault *fault);
void npu_core_finish(struct npu_core *core, const struct npu_hw_result *result,
		     u64 now);
void npu_cores_forget(struct npu_client *client);

void npu_watchdog_init(struct npu_core *core);
void npu_watchdog_arm(struct npu_core *core, unsigned long delay);
void npu_core_expire(struct npu_core *core);

void npu_alert_init(struct npu_device *npu);
void npu_alert_fini(struct npu_device *npu);
void npu_alert_raise(struct npu_device *npu);

int npu_signal_init(struct npu_device *npu);
void npu_signal_fini(struct npu_device *npu);
void npu_signal_context(struct npu_context *ctx);
void npu_signal_kick(struct npu_device *npu);
void npu_signal_flush(struct npu_device *npu);

#endif /* NPU_DISPATCH_H */
