/* SPDX-License-Identifier: GPL-2.0-only */
/* Contexts: ordered queues. */
#ifndef NPU_CONTEXT_H
#define NPU_CONTEXT_H

#include <linux/kref.h>
#include <linux/list.h>

#include "npu_accel.h"

struct drm_device;
struct drm_file;
struct npu_device;
struct npu_file;
struct npu_job;
struct npu_submit;
struct npu_vm;

/**
 * struct npu_slot - a job in a queue
 */
struct npu_slot {
	/** @job: The job, referenced. */
	struct npu_job *job;
	/** @submit: Syncs of the submit it came with, referenced, or %NULL. */
	struct npu_submit *submit;
	/** @last: Last of its submit. */
	bool last;
	/** @lanes_started: Lanes that a core has taken. */
	u32 lanes_started;
	/** @lanes_ended: Lanes that have ended. */
	u32 lanes_ended;
	/** @error: First error of a lane, 0 or a negative errno. */
	int error;
	/** @device_ns: Time of the longest lane. */
	u64 device_ns;
};

/**
 * struct npu_context - a queue
 *
 * Sequence numbers count jobs from 1. Job s is in slots[s % slot_count] from its
 * submit until it is retired: retired <= signalled <= completed <= submitted.
 */
struct npu_context {
	/** @ref: References: the id, and one while any job is not retired. */
	struct kref ref;
	/** @npu: The device. */
	struct npu_device *npu;
	/** @vm: Address space of its file, referenced. */
	struct npu_vm *vm;
	/** @core_mask: Cores it may use. */
	u32 core_mask;
	/** @max_queued: Jobs that may be unfinished. */
	u32 max_queued;
	/** @slot_count: Number of slots; more, for retiring lags behind. */
	u32 slot_count;
	/** @fence_context: Timeline of its fences. */
	u64 fence_context;

	/* The rest is protected by npu_device.sched_lock. */

	/** @link: In &npu_device.contexts. */
	struct list_head link;
	/** @killed: Nothing of it is started any more. */
	bool killed;
	/** @ready_link: In &npu_device.ready. */
	struct list_head ready_link;
	/** @signal_link: In &npu_device.signal. */
	struct list_head signal_link;
	/** @retire_link: In &npu_device.retire. */
	struct list_head retire_link;
	/** @submitted: Newest job. */
	u64 submitted;
	/** @completed: All jobs up to this one have ended. */
	u64 completed;
	/** @signalled: All jobs up to this one have signalled their fences. */
	u64 signalled;
	/** @retired: All jobs up to this one have let go of their references. */
	u64 retired;
	/** @stats: What QUERY reports, but for the sequence numbers above. */
	struct drm_npu_query_context stats;
	/** @slots: The queue. */
	struct npu_slot slots[] __counted_by(slot_count);
};

static inline struct npu_slot *npu_context_slot(struct npu_context *ctx,
						u64 seqno)
{
	return &ctx->slots[seqno % ctx->slot_count];
}

struct npu_context *npu_context_find(struct npu_file *nfile, u32 id);
struct npu_context *npu_context_get(struct npu_context *ctx);
void npu_context_put(struct npu_context *ctx);
void npu_contexts_release(struct npu_file *nfile);

int npu_context_create_ioctl(struct drm_device *dev, void *data,
			     struct drm_file *file);
int npu_context_destroy_ioctl(struct drm_device *dev, void *data,
			      struct drm_file *file);

#endif /* NPU_CONTEXT_H */
