// SPDX-License-Identifier: GPL-2.0-only
/*
 * QUERY: facts and statistics.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <drm/drm_drv.h>

#include "../exec/npu_activity.h"
#include "../exec/npu_context.h"
#include "../exec/npu_dispatch.h"
#include "../exec/npu_exec.h"
#include "../exec/npu_implicit.h"
#include "../exec/npu_job.h"
#include "../include/npu_device.h"
#include "../include/npu_family.h"
#include "../include/npu_isa.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_vm.h"
#include "npu_accel.h"
#include "npu_api.h"

/* Room for any record. */
union npu_record {
	struct drm_npu_query_device device;
	struct drm_npu_query_core core;
	struct drm_npu_query_region region;
	struct drm_npu_query_limits limits;
	struct drm_npu_query_context context;
	struct drm_npu_query_buffer buffer;
	struct drm_npu_query_features features;
	struct drm_npu_query_data_type data_type;
	struct drm_npu_query_register reg;
	struct drm_npu_query_activity activity;
};

static int npu_query_device(struct npu_device *npu, u32 index,
			    struct drm_npu_query_device *record)
{
	if (index)
		return -ENOENT;
	strscpy(record->name, npu->name);
	record->isa = npu->desc.family->isa->id;
	record->core_count = npu->core_count;
	record->region_count = npu_region_count(npu);
	record->flags = npu->desc.flags |
			(npu->desc.noncoherent ? 0 : DRM_NPU_DEVICE_COHERENT) |
			(npu->direct ? DRM_NPU_DEVICE_DIRECT : 0);
	record->hw_version = npu->desc.hw_version;
	record->counters = npu->desc.counters | DRM_NPU_COUNTER_MACS;
	return sizeof(*record);
}

/* Present clock of the cores; the backend may be going away. */
static int npu_query_clock(struct npu_device *npu, u64 *clock_hz)
{
	int idx;

	if (!npu->scaled) {
		*clock_hz = npu->desc.core.clock_hz;
		return 0;
	}
	if (!drm_dev_enter(&npu->drm, &idx))
		return -ENODEV;
	*clock_hz = npu->desc.ops->clock_hz(npu->hw);
	drm_dev_exit(idx);
	return 0;
}

static int npu_query_core(struct npu_device *npu, u32 index,
			  struct drm_npu_query_core *record)
{
	const struct npu_hw_core_desc *core = &npu->desc.core;
	int ret;

	if (index >= npu->core_count)
		return -ENOENT;
	ret = npu_query_clock(npu, &record->clock_hz);
	if (ret)
		return ret;
	record->int8_macs_per_cycle = core->int8_macs_per_cycle;
	record->fp16_macs_per_cycle = core->fp16_macs_per_cycle;
	record->buffer_bytes = core->buffer_bytes;
	record->bandwidth = core->bandwidth;
	npu_activity_query_core(npu, index, record);
	return sizeof(*record);
}

static int npu_query_activity(struct npu_device *npu, u32 index,
			      struct drm_npu_query_activity *record)
{
	if (index)
		return -ENOENT;
	npu_activity_query(npu, record);
	return sizeof(*record);
}

static int npu_query_region(struct npu_device *npu, struct npu_file *nfile,
			    u32 index, struct drm_npu_query_region *record)
{
	if (index >= npu_region_count(npu))
		return -ENOENT;
	if (index) {
		npu_residency_query_region(npu, nfile->vm, index, record);
		return sizeof(*record);
	}
	record->kind = DRM_NPU_REGION_SYSTEM;
	record->size = (u64)totalram_pages() << PAGE_SHIFT;
	record->used = atomic64_read(&npu->used);
	record->file_used = atomic64_read(&nfile->vm->used);
	record->bandwidth = npu->desc.bandwidth;
	return sizeof(*record);
}

static int npu_query_limits(struct npu_device *npu, u32 index,
			    struct drm_npu_query_limits *record)
{
	if (index)
		return -ENOENT;
	record->address_bits = npu->desc.address_bits;
	record->max_contexts = NPU_MAX_CONTEXTS;
	record->max_jobs = NPU_MAX_JOBS;
	record->max_lanes = npu->core_count;
	record->max_lane_tasks = npu->desc.family->isa->max_lane_tasks;
	record->max_task_commands = npu->desc.family->isa->max_task_commands;
	record->max_submit_jobs = NPU_MAX_SUBMIT_JOBS;
	record->max_submit_syncs = NPU_MAX_SUBMIT_SYNCS;
	record->max_queued = NPU_MAX_QUEUED;
	record->max_guilty = NPU_MAX_GUILTY;
	record->max_job_bytes = NPU_MAX_JOB_BYTES;
	record->max_submit_shared = NPU_MAX_SHARED;
	record->max_residency = npu->mem->sram_count ? NPU_SRAM_MAX_WANTS : 0;
	record->max_label = NPU_MAX_LABEL;
	npu_exec_query(npu, record);
	record->max_buffer_size = npu_max_buffer_size(npu);
	return sizeof(*record);
}

static int npu_query_context(struct npu_device *npu, struct npu_file *nfile,
			     u32 index, struct drm_npu_query_context *record)
{
	struct npu_context *ctx = npu_context_find(nfile, index);

	if (!ctx)
		return -ENOENT;
	spin_lock_irq(&npu->exec->lock);
	*record = ctx->stats;
	record->submitted_seqno = ctx->submitted;
	record->completed_seqno = ctx->completed;
	record->granted_class = npu_context_class(ctx, npu_now(npu));
	spin_unlock_irq(&npu->exec->lock);
	npu_context_put(ctx);
	return sizeof(*record);
}

static int npu_query_features(struct npu_device *npu, u32 index,
			      struct drm_npu_query_features *record)
{
	const struct npu_isa_ops *isa = npu->desc.family->isa;

	if (index)
		return -ENOENT;
	record->command_bytes = isa->word_bytes;
	if (isa->features)
		isa->features(npu->desc.chip, record);
	return sizeof(*record);
}

static int npu_query_data_type(struct npu_device *npu, u32 index,
			       struct drm_npu_query_data_type *record)
{
	const struct npu_isa_ops *isa = npu->desc.family->isa;

	if (!isa->data_type || !isa->data_type(npu->desc.chip, index, record))
		return -ENOENT;
	return sizeof(*record);
}

static int npu_query_register(struct npu_device *npu, u32 index,
			      struct drm_npu_query_register *record)
{
	const struct npu_isa_ops *isa = npu->desc.family->isa;

	if (!isa->name || !isa->name(index, record))
		return -ENOENT;
	return sizeof(*record);
}

/* Fill @record. Returns its size or a negative errno. */
static int npu_query_record(struct npu_device *npu, struct drm_file *file,
			    u32 type, u32 index, union npu_record *record)
{
	struct npu_file *nfile = file->driver_priv;

	switch (type) {
	case DRM_NPU_QUERY_DEVICE:
		return npu_query_device(npu, index, &record->device);
	case DRM_NPU_QUERY_CORE:
		return npu_query_core(npu, index, &record->core);
	case DRM_NPU_QUERY_REGION:
		return npu_query_region(npu, nfile, index, &record->region);
	case DRM_NPU_QUERY_LIMITS:
		return npu_query_limits(npu, index, &record->limits);
	case DRM_NPU_QUERY_CONTEXT:
		return npu_query_context(npu, nfile, index, &record->context);
	case DRM_NPU_QUERY_BUFFER:
		return npu_bo_query(file, index, &record->buffer) ?:
		       sizeof(record->buffer);
	case DRM_NPU_QUERY_FEATURES:
		return npu_query_features(npu, index, &record->features);
	case DRM_NPU_QUERY_DATA_TYPE:
		return npu_query_data_type(npu, index, &record->data_type);
	case DRM_NPU_QUERY_REGISTER:
		return npu_query_register(npu, index, &record->reg);
	case DRM_NPU_QUERY_ACTIVITY:
		return npu_query_activity(npu, index, &record->activity);
	default:
		return -EINVAL;
	}
}

/**
 * npu_query_ioctl() - %DRM_IOCTL_NPU_QUERY
 * @dev: the device
 * @data: a &struct drm_npu_query
 * @file: the file
 *
 * Return: 0 or a negative errno.
 */
int npu_query_ioctl(struct drm_device *dev, void *data, struct drm_file *file)
{
	struct npu_device *npu = to_npu_device(dev);
	struct drm_npu_query *args = data;
	void __user *user = u64_to_user_ptr(args->data);
	union npu_record record = {};
	u32 known;
	int ret;

	if (args->pad)
		return -EINVAL;
	if (args->size > NPU_MAX_STRIDE)
		return -E2BIG;

	ret = npu_query_record(npu, file, args->type, args->index, &record);
	if (ret < 0)
		return ret;

	known = ret;
	if (args->size) {
		u32 copied = min(args->size, known);

		if (copy_to_user(user, &record, copied) ||
		    clear_user(user + copied, args->size - copied))
			return -EFAULT;
		known = copied;
	}
	args->size = known;
	return 0;
}
