/* SPDX-License-Identifier: GPL-2.0-only */
/* Submits: their in-fences and their out-fence. */
#ifndef NPU_SUBMIT_H
#define NPU_SUBMIT_H

#include <linux/dma-fence.h>
#include <linux/spinlock.h>

struct npu_context;
struct npu_implicit;
struct npu_submit;

/**
 * struct npu_dependency - an in-fence of a submit
 */
struct npu_dependency {
	/** @cb: Callback of the fence. */
	struct dma_fence_cb cb;
	/** @submit: The submit. */
	struct npu_submit *submit;
	/** @fence: The fence, referenced. */
	struct dma_fence *fence;
	/** @implicit: It orders, but its error is not the submit's. */
	bool implicit;
};

/**
 * struct npu_submit - the syncs of a submit
 *
 * Exists only for a submit that has syncs. References are those of the fence: one
 * for every slot, and those of its waiters.
 */
struct npu_submit {
	/** @fence: Signals when the last job has ended. */
	struct dma_fence fence;
	/** @lock: Lock of @fence. */
	spinlock_t lock;
	/** @ctx: The context; valid until the last job is retired. */
	struct npu_context *ctx;
	/** @driver: Name of the DRM driver; outlives the device with the module. */
	const char *driver;
	/** @pending: In-fences not signalled, and one until it is queued. */
	atomic_t pending;
	/** @in_error: First error of an in-fence, 0 or a negative errno. */
	int in_error;
	/** @out_error: First error of a job; protected by npu_exec.lock. */
	int out_error;
	/** @dependency_count: Number of in-fences. */
	u32 dependency_count;
	/** @dependencies: In-fences, until npu_submit_forget(). */
	struct npu_dependency *dependencies;
};

struct npu_submit *npu_submit_alloc(struct npu_context *ctx,
				    u32 dependency_count);
void npu_submit_free(struct npu_submit *submit);
void npu_submit_init_fence(struct npu_submit *submit, u64 seqno);
void npu_submit_depend(struct npu_submit *submit, struct dma_fence *fence,
		       bool implicit);
void npu_submit_depend_implicit(struct npu_submit *submit,
				struct npu_implicit *implicit);
void npu_submit_put(struct npu_submit *submit);
void npu_submit_forget(struct npu_submit *submit);

#endif /* NPU_SUBMIT_H */
