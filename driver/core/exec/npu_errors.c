// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of hangs, faults and resets, from the creation of the device on.
 *
 * DRM RAS (CONFIG_DRM_RAS) has a node with one error counter for each, whose
 * identifiers are those of &enum npu_error and 1 more. The debugfs file "errors"
 * has the same counters on any kernel.
 */
#include <linux/list.h>
#include <linux/mutex.h>
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

/**
 * struct npu_errors_node - a node of DRM RAS
 *
 * DRM RAS does not wait for queries that run when a node is unregistered. So nodes
 * outlive their devices: they are used again for other devices, and freed with the
 * module.
 */
struct npu_errors_node {
	/** @base: The node, as DRM RAS has it. */
	struct drm_ras_node base;
	/** @name: Name of the device. */
	char name[64];
	/** @lock: Protects @npu. A query holds it, so that the device stays. */
	struct mutex lock;
	/** @npu: The device, or %NULL if the node is free. */
	struct npu_device *npu;
	/** @link: In npu_errors_nodes. */
	struct list_head link;
};

/* All nodes, and the lock of the list. */
static LIST_HEAD(npu_errors_nodes);
static DEFINE_MUTEX(npu_errors_lock);

static int npu_errors_query(struct drm_ras_node *base, u32 error_id,
			    const char **name, u32 *value)
{
	struct npu_errors_node *node = container_of(base, struct npu_errors_node,
						    base);
	u32 error = error_id - NPU_ERROR_FIRST_ID;
	int ret = -ENODEV;

	if (error >= NPU_ERROR_COUNT)
		return -ENOENT;
	mutex_lock(&node->lock);
	if (node->npu) {
		*name = npu_error_names[error];
		*value = npu_errors_get(node->npu, error);
		ret = 0;
	}
	mutex_unlock(&node->lock);
	return ret;
}

/* A free node, or %NULL. */
static struct npu_errors_node *npu_errors_get_node(void)
{
	struct npu_errors_node *node;

	lockdep_assert_held(&npu_errors_lock);
	list_for_each_entry(node, &npu_errors_nodes, link)
		if (!node->npu)
			return node;
	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return NULL;
	mutex_init(&node->lock);
	list_add(&node->link, &npu_errors_nodes);
	return node;
}

/* Change the device of @node while no query looks at it. */
static void npu_errors_set_device(struct npu_errors_node *node,
				  struct npu_device *npu)
{
	mutex_lock(&node->lock);
	node->npu = npu;
	mutex_unlock(&node->lock);
}

static int npu_errors_add(struct npu_device *npu)
{
	struct npu_errors_node *node;
	int ret = -ENOMEM;

	mutex_lock(&npu_errors_lock);
	node = npu_errors_get_node();
	if (!node)
		goto out_unlock;
	strscpy(node->name, npu->drm.unique);
	node->base = (struct drm_ras_node) {
		.device_name = node->name,
		.node_name = "npu",
		.type = DRM_RAS_NODE_TYPE_ERROR_COUNTER,
		.error_counter_range.first = NPU_ERROR_FIRST_ID,
		.error_counter_range.last = NPU_ERROR_FIRST_ID +
					    NPU_ERROR_COUNT - 1,
		.query_error_counter = npu_errors_query,
	};
	npu_errors_set_device(node, npu);
	ret = drm_ras_node_register(&node->base);
	if (ret)
		npu_errors_set_device(node, NULL);
	else
		npu->exec->errors.node = &node->base;
out_unlock:
	mutex_unlock(&npu_errors_lock);
	return ret;
}

/**
 * npu_errors_register() - report the counters through DRM RAS, where there is one
 * @npu: the device, which clients can open
 *
 * A device without a node works as well as any, so failures are only logged.
 */
void npu_errors_register(struct npu_device *npu)
{
	int ret = npu_errors_add(npu);

	if (ret)
		drm_warn(&npu->drm, "no error counters in DRM RAS: %pe\n",
			 ERR_PTR(ret));
}

/**
 * npu_errors_unregister() - undo npu_errors_register(), if it succeeded
 * @npu: the device
 *
 * No query looks at the device afterwards.
 */
void npu_errors_unregister(struct npu_device *npu)
{
	struct drm_ras_node *base = npu->exec->errors.node;

	if (!base)
		return;
	npu->exec->errors.node = NULL;
	drm_ras_node_unregister(base);
	mutex_lock(&npu_errors_lock);
	npu_errors_set_device(container_of(base, struct npu_errors_node, base), NULL);
	mutex_unlock(&npu_errors_lock);
}

/**
 * npu_errors_exit() - free all nodes; the module goes, and has no devices any more
 */
void npu_errors_exit(void)
{
	struct npu_errors_node *node, *next;

	list_for_each_entry_safe(node, next, &npu_errors_nodes, link) {
		mutex_destroy(&node->lock);
		kfree(node);
	}
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
