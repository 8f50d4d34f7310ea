// SPDX-License-Identifier: GPL-2.0-only
/*
 * Implicit fences: work on a buffer that is shared waits for the fences in its
 * reservation and leaves its own there. Readers wait for
 * writers; writers wait for all fences.
 */
#include <linux/dma-resv.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <drm/drm_gem.h>

#include "../mem/npu_bo.h"
#include "../mem/npu_vm.h"
#include "npu_implicit.h"
#include "npu_job.h"

static int npu_implicit_cmp(const void *a, const void *b)
{
	const struct npu_implicit_use *x = a, *y = b;

	if (x->obj->resv == y->obj->resv)
		return 0;
	return x->obj->resv < y->obj->resv ? -1 : 1;
}

/**
 * npu_implicit_merge() - have one use for each reservation
 * @implicit: the set
 *
 * npu_implicit_lock() does so too, for locking one twice would fail.
 */
void npu_implicit_merge(struct npu_implicit *implicit)
{
	u32 i, last = 0;

	if (!implicit->count)
		return;
	sort(implicit->uses, implicit->count, sizeof(*implicit->uses),
	     npu_implicit_cmp, NULL);
	for (i = 1; i < implicit->count; i++) {
		struct npu_implicit_use *use = &implicit->uses[i];

		if (use->obj->resv == implicit->uses[last].obj->resv) {
			implicit->uses[last].write |= use->write;
			drm_gem_object_put(use->obj);
		} else {
			implicit->uses[++last] = *use;
		}
	}
	implicit->count = last + 1;
}

/* Make an array of @size byte elements twice as long. */
static int npu_implicit_grow(void **array, u32 *room, u32 count, size_t size)
{
	u32 more = max(2 * *room, 16u);
	void *new;

	new = kvmalloc_array(more, size, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	if (count)
		memcpy(new, *array, count * size);
	kvfree(*array);
	*array = new;
	*room = more;
	return 0;
}

/**
 * npu_implicit_add() - add a buffer
 * @implicit: the set
 * @obj: the buffer, which may be in the set already
 * @write: whether it is written to
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int npu_implicit_add(struct npu_implicit *implicit, struct drm_gem_object *obj,
		     bool write)
{
	int ret;

	if (implicit->count == implicit->room) {
		npu_implicit_merge(implicit);
		if (implicit->count > NPU_MAX_SHARED)
			return -E2BIG;
		/* Unless merging has helped a lot. */
		ret = 2 * implicit->count < implicit->room ? 0 :
		      npu_implicit_grow((void **)&implicit->uses,
					&implicit->room, implicit->count,
					sizeof(*implicit->uses));
		if (ret)
			return ret;
	}
	drm_gem_object_get(obj);
	implicit->uses[implicit->count++] = (struct npu_implicit_use) {
		.obj = obj,
		.write = write,
	};
	return 0;
}

/**
 * npu_implicit_add_job() - add the shared buffers that a job uses
 * @implicit: the set
 * @job: the job
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int npu_implicit_add_job(struct npu_implicit *implicit, struct npu_job *job)
{
	struct npu_mapping *mapping;
	unsigned long index;
	int ret;

	xa_for_each(&job->used, index, mapping) {
		if (!READ_ONCE(mapping->bo->shared))
			continue;
		ret = npu_implicit_add(implicit, &mapping->bo->base.base,
				       xa_get_mark(&job->used, index,
						   NPU_JOB_WRITES));
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * npu_implicit_add_all() - add the buffers of another set
 * @implicit: the set
 * @other: the other one
 *
 * Return: 0, -E2BIG or -ENOMEM.
 */
int npu_implicit_add_all(struct npu_implicit *implicit,
			 const struct npu_implicit *other)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < other->count && !ret; i++)
		ret = npu_implicit_add(implicit, other->uses[i].obj,
				       other->uses[i].write);
	return ret;
}

/* Reserve a slot for the fence of the submit, and add the fences to wait for. */
static int npu_implicit_collect_one(struct npu_implicit *implicit,
				    const struct npu_implicit_use *use,
				    u64 own_context)
{
	struct dma_resv *resv = use->obj->resv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	ret = dma_resv_reserve_fences(resv, 1);
	if (ret)
		return ret;
	dma_resv_for_each_fence(&cursor, resv, dma_resv_usage_rw(use->write),
				fence) {
		/* Jobs of a context are in order anyway. */
		if (fence->context == own_context ||
		    dma_fence_is_signaled(fence))
			continue;
		ret = implicit->fence_count < implicit->fence_room ? 0 :
		      npu_implicit_grow((void **)&implicit->fences,
					&implicit->fence_room,
					implicit->fence_count,
					sizeof(*implicit->fences));
		if (ret)
			return ret;
		implicit->fences[implicit->fence_count++] = dma_fence_get(fence);
	}
	return 0;
}

static int npu_implicit_fence_cmp(const void *a, const void *b)
{
	const struct dma_fence *x = *(struct dma_fence * const *)a;
	const struct dma_fence *y = *(struct dma_fence * const *)b;

	if (x->context == y->context)
		return 0;
	return x->context < y->context ? -1 : 1;
}

/* The last fence of each timeline is enough. */
static void npu_implicit_merge_fences(struct npu_implicit *implicit)
{
	struct dma_fence **fences = implicit->fences;
	u32 i, last = 0;

	if (!implicit->fence_count)
		return;
	sort(fences, implicit->fence_count, sizeof(*fences),
	     npu_implicit_fence_cmp, NULL);
	for (i = 1; i < implicit->fence_count; i++) {
		if (fences[i]->context != fences[last]->context) {
			fences[++last] = fences[i];
			continue;
		}
		/* Numbers of some timelines wrap. */
		if (dma_fence_is_later(fences[i], fences[last]))
			swap(fences[i], fences[last]);
		dma_fence_put(fences[i]);
	}
	implicit->fence_count = last + 1;
}

/* Lock one reservation, waiting for it if it was contended before. */
static int npu_implicit_lock_one(struct npu_implicit *implicit, u32 index,
				 bool slow, bool interruptible)
{
	struct dma_resv *resv = implicit->uses[index].obj->resv;
	struct ww_acquire_ctx *acquire = &implicit->acquire;

	if (slow && interruptible)
		return dma_resv_lock_slow_interruptible(resv, acquire);
	if (interruptible)
		return dma_resv_lock_interruptible(resv, acquire);
	if (!slow)
		return dma_resv_lock(resv, acquire);
	dma_resv_lock_slow(resv, acquire);
	return 0;
}

/* Lock all reservations, each of which is there once. */
static int npu_implicit_lock_all(struct npu_implicit *implicit,
				 bool interruptible)
{
	u32 contended = U32_MAX, i, j;
	int ret;

	ww_acquire_init(&implicit->acquire, &reservation_ww_class);
	do {
		ret = contended == U32_MAX ? 0 :
		      npu_implicit_lock_one(implicit, contended, true,
					    interruptible);
		if (ret)
			break;
		for (i = 0; i < implicit->count && !ret; i++)
			if (i != contended)
				ret = npu_implicit_lock_one(implicit, i, false,
							    interruptible);
		if (!ret)
			break;
		/* The last one was not locked. */
		for (j = 0; j < i - 1; j++)
			dma_resv_unlock(implicit->uses[j].obj->resv);
		if (contended != U32_MAX && contended >= i - 1)
			dma_resv_unlock(implicit->uses[contended].obj->resv);
		contended = i - 1;
	} while (ret == -EDEADLK);

	if (ret)
		ww_acquire_fini(&implicit->acquire);
	else
		ww_acquire_done(&implicit->acquire);
	implicit->locked = !ret;
	return ret;
}

/**
 * npu_implicit_lock() - lock the buffers
 * @implicit: the set
 * @interruptible: give up when a signal arrives
 *
 * Return: 0 or a negative errno, with nothing locked.
 */
int npu_implicit_lock(struct npu_implicit *implicit, bool interruptible)
{
	if (!implicit->count)
		return 0;
	npu_implicit_merge(implicit);
	if (implicit->count > NPU_MAX_SHARED)
		return -E2BIG;
	return npu_implicit_lock_all(implicit, interruptible);
}

static void npu_implicit_drop_fences(struct npu_implicit *implicit)
{
	u32 i;

	for (i = 0; i < implicit->fence_count; i++)
		dma_fence_put(implicit->fences[i]);
	implicit->fence_count = 0;
}

/**
 * npu_implicit_collect() - find out what to wait for
 * @implicit: the set, which has one use for each reservation; all are locked, by
 * this set or by one that has the same buffers
 * @own_context: fence context whose fences need not be waited for
 *
 * Each reservation has room for a fence afterwards.
 *
 * Return: 0 or a negative errno.
 */
int npu_implicit_collect(struct npu_implicit *implicit, u64 own_context)
{
	int ret = 0;
	u32 i;

	npu_implicit_drop_fences(implicit);
	for (i = 0; i < implicit->count && !ret; i++)
		ret = npu_implicit_collect_one(implicit, &implicit->uses[i],
					       own_context);
	npu_implicit_merge_fences(implicit);
	return ret;
}

/**
 * npu_implicit_attach() - leave the fence of the submit with the buffers
 * @implicit: the set, after npu_implicit_collect() and under the same lock
 * @fence: the fence
 */
void npu_implicit_attach(struct npu_implicit *implicit, struct dma_fence *fence)
{
	u32 i;

	for (i = 0; i < implicit->count; i++)
		dma_resv_add_fence(implicit->uses[i].obj->resv, fence,
				   implicit->uses[i].write ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
}

/**
 * npu_implicit_unlock() - unlock the buffers, if they are locked
 * @implicit: the set; it can be locked again
 */
void npu_implicit_unlock(struct npu_implicit *implicit)
{
	u32 i;

	for (i = 0; implicit->locked && i < implicit->count; i++)
		dma_resv_unlock(implicit->uses[i].obj->resv);
	if (implicit->locked)
		ww_acquire_fini(&implicit->acquire);
	implicit->locked = false;
}

/**
 * npu_implicit_fini() - let go of the buffers
 * @implicit: the set; empty and not locked afterwards
 */
void npu_implicit_fini(struct npu_implicit *implicit)
{
	u32 i;

	npu_implicit_unlock(implicit);
	npu_implicit_drop_fences(implicit);
	kvfree(implicit->fences);
	for (i = 0; i < implicit->count; i++)
		drm_gem_object_put(implicit->uses[i].obj);
	kvfree(implicit->uses);
	*implicit = (struct npu_implicit) {};
}
