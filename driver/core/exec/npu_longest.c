// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugfs file, for root, that tells how long interrupts were off:
 *
 * longest
 *	Writing 1 begins to measure, 0 ends it. Reading returns the longest time in
 *	nanoseconds that the end of a slice has taken since, from its report to the
 *	start of what follows, all with interrupts off.
 */
#include <linux/debugfs.h>
#include <linux/module.h>

#include "../include/npu_device.h"
#include "npu_exec.h"
#include "npu_longest.h"

static int npu_longest_get(void *data, u64 *value)
{
	struct npu_exec *exec = ((struct npu_device *)data)->exec;

	spin_lock_irq(&exec->lock);
	*value = exec->longest.ns;
	spin_unlock_irq(&exec->lock);
	return 0;
}

static int npu_longest_set(void *data, u64 value)
{
	struct npu_exec *exec = ((struct npu_device *)data)->exec;

	spin_lock_irq(&exec->lock);
	exec->longest = (struct npu_longest) { .on = value };
	spin_unlock_irq(&exec->lock);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(npu_longest_fops, npu_longest_get, npu_longest_set,
			 "%llu\n");

/**
 * npu_longest_debugfs_init() - make the file
 * @npu: the device, which removes it when it is unplugged
 */
void npu_longest_debugfs_init(struct npu_device *npu)
{
	debugfs_create_file_unsafe("longest", 0600, npu->drm.debugfs_root, npu,
				   &npu_longest_fops);
}
