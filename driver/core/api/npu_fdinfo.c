// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc/PID/fdinfo tells of an open file, in the words of
 * Documentation/gpu/drm-usage-stats.rst: time of the engine "npu", memory of the
 * region "system".
 */
#include <linux/math64.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "../exec/npu_client.h"
#include "../exec/npu_context.h"
#include "../exec/npu_exec.h"
#include "../include/npu_device.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_vm.h"
#include "npu_fdinfo.h"

static void npu_show_engine(struct drm_printer *p, struct npu_file *nfile)
{
	struct npu_device *npu = nfile->npu;
	u64 clock_hz = npu->desc.core.clock_hz;
	u64 busy_ns, jobs, tasks, macs;

	spin_lock_irq(&npu->exec->lock);
	busy_ns = nfile->client->busy_ns;
	jobs = nfile->client->jobs;
	tasks = nfile->client->tasks;
	macs = nfile->client->macs;
	spin_unlock_irq(&npu->exec->lock);

	drm_printf(p, "npu-jobs:\t%llu\n", jobs);
	drm_printf(p, "npu-tasks:\t%llu\n", tasks);
	drm_printf(p, "npu-macs:\t%llu\n", macs);

	drm_printf(p, "drm-engine-npu:\t%llu ns\n", busy_ns);
	drm_printf(p, "drm-engine-capacity-npu:\t%u\n", npu->core_count);
	if (!clock_hz)
		return;
	/* There is no cycle counter; report cycles only at a fixed clock. */
	if (!npu->scaled)
		drm_printf(p, "drm-cycles-npu:\t%llu\n",
			   mul_u64_u32_div(busy_ns, div_u64(clock_hz, 1000),
					   1000000));
	drm_printf(p, "drm-maxfreq-npu:\t%llu Hz\n", clock_hz);
}

static void npu_show_size(struct drm_printer *p, const char *what, u64 bytes)
{
	drm_printf(p, "drm-%s-system:\t%llu KiB\n", what, bytes / SZ_1K);
}

static void npu_show_memory(struct drm_printer *p, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	u64 total = atomic64_read(&nfile->vm->used);
	struct drm_gem_object *obj;
	u64 shared = 0;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id)
		if (READ_ONCE(to_npu_bo(obj)->shared))
			shared += obj->size;
	spin_unlock(&file->table_lock);

	/* Mapped memory is never swapped or purged. */
	npu_show_size(p, "total", total);
	npu_show_size(p, "shared", min(shared, total));
	npu_show_size(p, "resident", total);
}

/* Jobs of the family's own calls, some of which cannot tell of errors. */
static void npu_show_compat(struct drm_printer *p, struct npu_file *nfile)
{
	drm_printf(p, "npu-compat-failed:\t%llu\n", npu_compat_failed(nfile, NULL));
}

/**
 * npu_show_fdinfo() - &drm_driver.show_fdinfo
 * @p: where to
 * @file: the file
 */
void npu_show_fdinfo(struct drm_printer *p, struct drm_file *file)
{
	npu_show_engine(p, file->driver_priv);
	npu_show_memory(p, file);
	npu_show_compat(p, file->driver_priv);
}
