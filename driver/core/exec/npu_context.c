// SPDX-License-Identifier: GPL-2.0-only
/* Contexts: their life time and their hints. */
#include <linux/capability.h>
#include <linux/dma-fence.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>

#include "../include/npu_device.h"
#include "../mem/npu_user.h"
#include "../mem/npu_vm.h"
#include "npu_client.h"
#include "npu_context.h"
#include "npu_dispatch.h"
#include "npu_exec.h"

static void npu_context_free(struct npu_context *ctx)
{
	spin_lock_irq(&ctx->npu->exec->lock);
	npu_entity_fini(&ctx->entity);
	list_del(&ctx->link);
	list_del(&ctx->client_link);
	ctx->client->context_count--;
	spin_unlock_irq(&ctx->npu->exec->lock);
	atomic_dec(&ctx->npu->context_objects);
	if (ctx->limited)
		npu_user_uncharge(ctx->vm->user, NPU_USER_CONTEXTS, 1);
	npu_client_put(ctx->client);
	/* User mappings hold their own page references. */
	__free_page(ctx->page);
	kvfree(ctx);
}

/**
 * npu_context_get() - take a reference
 * @ctx: the context
 *
 * Return: @ctx.
 */
struct npu_context *npu_context_get(struct npu_context *ctx)
{
	refcount_inc(&ctx->ref);
	return ctx;
}

/**
 * npu_context_put() - drop a reference; may sleep
 * @ctx: the context
 */
void npu_context_put(struct npu_context *ctx)
{
	if (refcount_dec_and_test(&ctx->ref))
		npu_context_free(ctx);
}

/**
 * npu_context_next() - go through the contexts of a client
 * @client: the client
 * @previous: the context before, whose reference is dropped, or %NULL
 *
 * Return: the next one with a reference for the caller, or %NULL. May sleep.
 */
struct npu_context *npu_context_next(struct npu_client *client,
				     struct npu_context *previous)
{
	struct npu_context *ctx = previous;

	spin_lock_irq(&client->npu->exec->lock);
	ctx = list_prepare_entry(ctx, &client->contexts, client_link);
	list_for_each_entry_continue(ctx, &client->contexts, client_link)
		if (refcount_inc_not_zero(&ctx->ref))
			break;
	if (list_entry_is_head(ctx, &client->contexts, client_link))
		ctx = NULL;
	spin_unlock_irq(&client->npu->exec->lock);

	if (previous)
		npu_context_put(previous);
	return ctx;
}

/* Record the hints asked for and granted. Returns the latter for the scheduler. */
static struct npu_hints npu_context_hints(struct npu_context *ctx,
					  u32 sched_class, u32 weight,
					  bool privileged)
{
	struct npu_hints hints = {
		.weight = weight ?: DRM_NPU_WEIGHT_DEFAULT,
		.limited = !privileged,
	};

	static_assert(NPU_SCHED_WEIGHT == DRM_NPU_WEIGHT_DEFAULT);
	switch (sched_class) {
	case DRM_NPU_CLASS_LATENCY:
		hints.rank = NPU_RANK_LATENCY;
		break;
	case DRM_NPU_CLASS_BACKGROUND:
		hints.rank = NPU_RANK_BACKGROUND;
		break;
	default:
		hints.rank = NPU_RANK_THROUGHPUT;
		break;
	}
	ctx->stats.sched_class = sched_class;
	ctx->stats.weight = hints.weight;
	if (!privileged)
		hints.weight = min_t(u32, hints.weight, DRM_NPU_WEIGHT_DEFAULT);
	ctx->stats.granted_weight = hints.weight;
	return hints;
}

/**
 * npu_context_change() - give a context other hints
 * @ctx: the context
 * @sched_class: a &enum drm_npu_class
 * @weight: its weight, 0 for the default
 * @privileged: no limits
 * @now: the time
 */
void npu_context_change(struct npu_context *ctx, u32 sched_class, u32 weight,
			bool privileged, u64 now)
{
	struct npu_hints hints;

	lockdep_assert_held(&ctx->npu->exec->lock);
	hints = npu_context_hints(ctx, sched_class, weight, privileged);
	npu_entity_change(&ctx->entity, &hints, now);
}

/**
 * npu_context_class() - the class that a context has at present
 * @ctx: the context
 * @now: the time
 *
 * Return: a &enum drm_npu_class.
 */
u32 npu_context_class(struct npu_context *ctx, u64 now)
{
	lockdep_assert_held(&ctx->npu->exec->lock);
	switch (npu_entity_rank(&ctx->entity, now)) {
	case NPU_RANK_LATENCY:
		return DRM_NPU_CLASS_LATENCY;
	case NPU_RANK_BACKGROUND:
		return DRM_NPU_CLASS_BACKGROUND;
	default:
		return DRM_NPU_CLASS_THROUGHPUT;
	}
}

/*
 * Make @ctx, which is complete but for its hints, one of its client's. Returns 0,
 * -EIO or -ENOSPC.
 */
static int npu_context_join(struct npu_context *ctx, u32 sched_class, u32 weight)
{
	struct npu_client *client = ctx->client;
	struct npu_exec *exec = ctx->npu->exec;
	bool privileged = capable(CAP_SYS_NICE);
	struct npu_hints hints;
	int ret = 0;

	spin_lock_irq(&exec->lock);
	if (client->banned)
		ret = -EIO;
	/* One more is that of the family's own calls. */
	else if (client->context_count > NPU_MAX_CONTEXTS)
		ret = -ENOSPC;
	else if (!privileged &&
		 !npu_user_charge(client->vm->user, NPU_USER_CONTEXTS, 1,
				  npu_exec_user_contexts()))
		ret = -ENOSPC;
	if (ret)
		goto out_unlock;
	ctx->limited = !privileged;
	client->context_count++;
	list_add_tail(&ctx->link, &exec->contexts);
	list_add_tail(&ctx->client_link, &client->contexts);
	hints = npu_context_hints(ctx, sched_class, weight, privileged);
	npu_entity_init(&ctx->entity, &client->sched, ctx->core_mask, &hints);
out_unlock:
	spin_unlock_irq(&exec->lock);
	return ret;
}

/* Say what the page has, which does not change. */
static void npu_context_init_page(struct drm_npu_context_page *page)
{
	page->version = DRM_NPU_PAGE_VERSION;
	page->job_count = ARRAY_SIZE(page->jobs);
	page->job_stride = sizeof(page->jobs[0]);
	page->jobs_offset = offsetof(struct drm_npu_context_page, jobs);
}

static struct npu_context *npu_context_alloc(struct npu_client *client,
					     u32 max_queued)
{
	/* A job's slot is looked up several times, without a division then. */
	u32 slot_count = roundup_pow_of_two(2 * max_queued), i;
	struct npu_context *ctx;

	static_assert(sizeof(struct drm_npu_context_page) <= PAGE_SIZE);
	ctx = kvzalloc(struct_size(ctx, slots, slot_count), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return NULL;
	ctx->slot_count = slot_count;
	ctx->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ctx->page) {
		kvfree(ctx);
		return NULL;
	}
	npu_context_init_page(page_address(ctx->page));
	refcount_set(&ctx->ref, 1);
	ctx->npu = client->npu;
	ctx->client = npu_client_get(client);
	ctx->vm = client->vm;
	ctx->max_queued = max_queued;
	ctx->fence_context = dma_fence_context_alloc(1);
	ctx->pid = task_tgid_nr(current);
	ctx->stats.max_queued = max_queued;
	init_waitqueue_head(&ctx->room);
	for (i = 0; i < slot_count; i++)
		INIT_LIST_HEAD(&ctx->slots[i].waiters);
	INIT_LIST_HEAD(&ctx->signal_link);
	INIT_LIST_HEAD(&ctx->retire_link);
	return ctx;
}

/**
 * npu_context_create() - new context without an id
 * @nfile: the file
 * @core_mask: cores it may use, at least one
 * @max_queued: jobs that may be unfinished, at least one
 * @sched_class: a &enum drm_npu_class
 * @weight: its weight, 0 for the default
 *
 * Return: the context with one reference, or an ERR_PTR(): -ENOMEM; -EIO if the
 * file is banned; -ENOSPC if too many contexts of the file or of its user live,
 * destroyed ones whose jobs have not ended included. May sleep.
 */
struct npu_context *npu_context_create(struct npu_file *nfile, u32 core_mask,
				       u32 max_queued, u32 sched_class,
				       u32 weight)
{
	struct npu_device *npu = nfile->npu;
	struct npu_context *ctx;
	int ret;

	ctx = npu_context_alloc(nfile->client, max_queued);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	ctx->core_mask = core_mask;
	ctx->stats.core_mask = core_mask;
	ret = npu_context_join(ctx, sched_class, weight);
	if (ret == -ENOSPC) {
		/* Destroyed contexts may have ended, but not been retired. */
		npu_signal_flush(npu);
		ret = npu_context_join(ctx, sched_class, weight);
	}
	if (ret) {
		npu_client_put(ctx->client);
		__free_page(ctx->page);
		kvfree(ctx);
		return ERR_PTR(ret);
	}
	atomic_inc(&npu->context_objects);
	return ctx;
}

/**
 * npu_compat_failed() - count jobs of the family's own calls that went wrong
 * @nfile: the file
 * @error: receives the positive errno of the newest that was queued, or %NULL
 *
 * Return: how many were refused or have failed.
 */
u64 npu_compat_failed(struct npu_file *nfile, u32 *error)
{
	struct npu_device *npu = nfile->npu;
	u64 failed = atomic64_read(&nfile->compat_lost);
	struct npu_context *ctx;

	mutex_lock(&nfile->lock);
	ctx = nfile->compat;
	mutex_unlock(&nfile->lock);
	if (!ctx)
		return failed;
	spin_lock_irq(&npu->exec->lock);
	failed += ctx->stats.failed_jobs;
	if (error)
		*error = ctx->stats.failed_errno;
	spin_unlock_irq(&npu->exec->lock);
	return failed;
}
