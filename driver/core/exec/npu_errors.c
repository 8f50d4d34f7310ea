// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of hangs, faults and resets, from the creation of the device on.
 *
 * DRM RAS (CONFIG_DRM_RAS) has a node with one error counter for each, whose
 * identifiers are those of &enum npu_error and 1 more. The debugfs file "errors"
 * has the same counters on any kernel.
 */
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_print.h>

#include "../../compat.h"
#include "npu_errors.h"
#include "npu_exec.h"

/* Error identifiers of DRM RAS begin here. */
#define NPU_ERROR_FIRST_ID	1

static const char * const npu_error_names[NPU_ERROR_COUNT] = {
	[NPU_ERROR_HANG] = "hang",
	[NPU_ERROR_FAULT] = "fault",
	[NPU_ERROR_RESET] = "reset",
};

/**
 * npu_errors_count() - count an error
 * @npu: the device
 * @error: what has happened
 */
void npu_errors_count(struct npu_device *npu, enum npu_error error)
{
	lockdep_assert_held(&npu->exec->lock);
	npu->exec->errors.counts[error]++;
}

static u32 npu_errors_get(struct npu_device *npu, enum npu_error error)
{
	u32 count;

	spin_lock_irq(&npu->exec->lock);
	count = npu->exec->errors.counts[error];
	spin_unlock_irq(&npu->exec->lock);
	return count;
}

static int npu_errors_query(struct drm_ras_node *node, u32 error_id,
			    const char **name, u32 *value)
{
	u32 error = error_id - NPU_ERROR_FIRST_ID;

	if (error >= NPU_ERROR_COUNT)
		return -ENOENT;
	*name = npu_error_names[error];
	*value = npu_errors_get(node->priv, error);
	return 0;
}

/**
 * npu_errors_register() - report the counters through DRM RAS, where there is one
 * @npu: the device, which clients can open
 *
 * A device without a node works as well as any, so failures are only logged.
 */
void npu_errors_register(struct npu_device *npu)
{
	struct drm_ras_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int ret = -ENOMEM;

	if (node) {
		node->device_name = npu->drm.unique;
		node->node_name = "npu";
		node->type = DRM_RAS_NODE_TYPE_ERROR_COUNTER;
		node->error_counter_range.first = NPU_ERROR_FIRST_ID;
		node->error_counter_range.last = NPU_ERROR_FIRST_ID +
						 NPU_ERROR_COUNT - 1;
		node->query_error_counter = npu_errors_query;
		node->priv = npu;
		ret = drm_ras_node_register(node);
	}
	if (ret) {
		drm_warn(&npu->drm, "no error counters in DRM RAS: %pe\n",
			 ERR_PTR(ret));
		kfree(node);
		return;
	}
	npu->exec->errors.node = node;
}

/**
 * npu_errors_unregister() - undo npu_errors_register()
 * @npu: the device
 *
 * DRM RAS does not wait for queries that run, so the node stays until the device
 * is freed.
 */
void npu_errors_unregister(struct npu_device *npu)
{
	if (npu->exec->errors.node)
		drm_ras_node_unregister(npu->exec->errors.node);
}

/**
 * npu_errors_fini() - free the node
 * @npu: the device, which has been unplugged or was never registered
 */
void npu_errors_fini(struct npu_device *npu)
{
	kfree(npu->exec->errors.node);
}

static int npu_errors_show(struct seq_file *m, void *data)
{
	struct drm_debugfs_entry *entry = m->private;
	struct npu_device *npu = to_npu_device(entry->dev);
	enum npu_error error;

	for (error = 0; error < NPU_ERROR_COUNT; error++)
		seq_printf(m, "%s %u\n", npu_error_names[error],
			   npu_errors_get(npu, error));
	return 0;
}

/**
 * npu_errors_debugfs_init() - make the file
 * @npu: the device, which removes it when it is unplugged
 */
void npu_errors_debugfs_init(struct npu_device *npu)
{
	drm_debugfs_add_file(&npu->drm, "errors", npu_errors_show, NULL);
}
