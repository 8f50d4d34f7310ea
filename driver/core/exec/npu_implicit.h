/* SPDX-License-Identifier: GPL-2.0-only */
/* Implicit fences of the buffers that a submit uses. */
#ifndef NPU_IMPLICIT_H
#define NPU_IMPLICIT_H

#include <linux/types.h>
#include <linux/ww_mutex.h>

/* Shared buffers that a submit may use; bounds what is locked and waited for. */
#define NPU_MAX_SHARED		1024

struct dma_fence;
struct drm_gem_object;
struct npu_job;

/**
 * struct npu_implicit_use - a buffer that a submit uses
 */
struct npu_implicit_use {
	/** @obj: The buffer, referenced. */
	struct drm_gem_object *obj;
	/** @write: The submit writes to it. */
	bool write;
};

/**
 * struct npu_implicit - the buffers whose fences a submit waits for and adds to
 *
 * Zeros are an empty set. First npu_implicit_add(), then npu_implicit_lock(); under
 * its lock npu_implicit_collect() reads the fences and npu_implicit_attach() adds
 * the new one.
 */
struct npu_implicit {
	/** @uses: The buffers. */
	struct npu_implicit_use *uses;
	/** @count: Number of buffers. */
	u32 count;
	/** @room: Buffers that @uses has room for. */
	u32 room;
	/** @locked: The reservations of all are locked. */
	bool locked;
	/** @acquire: The lock on all of them. */
	struct ww_acquire_ctx acquire;
	/** @fences: What to wait for, referenced. */
	struct dma_fence **fences;
	/** @fence_count: Number of fences. */
	u32 fence_count;
	/** @fence_room: Fences that @fences has room for. */
	u32 fence_room;
};

int npu_implicit_add(struct npu_implicit *implicit, struct drm_gem_object *obj,
		     bool write);
int npu_implicit_add_job(struct npu_implicit *implicit, struct npu_job *job);
int npu_implicit_add_all(struct npu_implicit *implicit,
			 const struct npu_implicit *other);
void npu_implicit_merge(struct npu_implicit *implicit);
int npu_implicit_lock(struct npu_implicit *implicit, bool interruptible);
int npu_implicit_collect(struct npu_implicit *implicit, u64 own_context);
void npu_implicit_attach(struct npu_implicit *implicit,
			 struct dma_fence *fence);
void npu_implicit_unlock(struct npu_implicit *implicit);
void npu_implicit_fini(struct npu_implicit *implicit);

#endif /* NPU_IMPLICIT_H */
