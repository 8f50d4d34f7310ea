/* SPDX-License-Identifier: GPL-2.0-only */
/* What a device and its clients have done: for QUERY and fdinfo. */
#ifndef NPU_ACTIVITY_H
#define NPU_ACTIVITY_H

#include <linux/types.h>

struct drm_npu_query_activity;
struct drm_npu_query_core;
struct npu_client;
struct npu_client_stats;
struct npu_context;
struct npu_core;
struct npu_device;
struct npu_hw_result;
struct npu_slot;

/**
 * struct npu_client_state - what a client has at present
 */
struct npu_client_state {
	/** @contexts: Its contexts, destroyed ones with unfinished jobs included. */
	u32 contexts;
	/** @queued: Its jobs that have not ended. */
	u64 queued;
	/** @guilty: Its jobs that hung or faulted. */
	u32 guilty;
	/** @banned: Its contexts take no more jobs. */
	bool banned;
};

void npu_activity_slice(struct npu_core *core, struct npu_context *ctx,
			const struct npu_hw_result *result, u64 device_ns,
			u64 now);
void npu_activity_end(struct npu_client *client, const struct npu_slot *slot);
void npu_activity_query(struct npu_device *npu,
			struct drm_npu_query_activity *record);
void npu_activity_query_core(struct npu_device *npu, u32 index,
			     struct drm_npu_query_core *record);
void npu_activity_client(struct npu_client *client,
			 struct npu_client_stats *stats,
			 struct npu_client_state *state);
int npu_activity_memory(struct npu_client *client, u64 *bytes);

#endif /* NPU_ACTIVITY_H */
