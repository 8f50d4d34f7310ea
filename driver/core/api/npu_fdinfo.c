// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc/PID/fdinfo tells of an open file, in the words of
 * Documentation/gpu/drm-usage-stats.rst: time of the engine "npu", system memory as
 * the region "memory", memory on the chip as "sram", "sram2" and so on, which are
 * the names that the dmem control group has for them. Keys that begin with "npu-"
 * are the driver's own:
 *
 * - npu-time-CLASS: device time that contexts of a class have had; see
 *   &enum drm_npu_class. Work that was demoted counts for the class it was demoted
 *   to.
 * - npu-contexts, npu-jobs-queued: contexts, and jobs that have not ended.
 * - npu-jobs, npu-jobs-failed: jobs that have ended without and with an error.
 * - npu-jobs-guilty, npu-banned: jobs that hung or faulted, and whether the file is
 *   banned for them.
 * - npu-missed-deadlines: jobs that had not ended at their deadline.
 * - npu-tasks, npu-macs: tasks and multiply-accumulates of jobs without an error.
 * - npu-read, npu-written, npu-sram: bytes that slices have read and written, and
 *   those of both that were on the chip; 0 where the device does not count.
 * - npu-compat-failed: failed jobs of the family's own calls.
 */
#include <linux/math64.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_print.h>

#include "../exec/npu_activity.h"
#include "../exec/npu_client.h"
#include "../exec/npu_context.h"
#include "../include/npu_device.h"
#include "../mem/npu_bo.h"
#include "../mem/npu_mem.h"
#include "../mem/npu_vm.h"
#include "npu_fdinfo.h"

static const char * const npu_class_names[NPU_CLASS_COUNT] = {
	[DRM_NPU_CLASS_THROUGHPUT] = "throughput",
	[DRM_NPU_CLASS_LATENCY] = "latency",
	[DRM_NPU_CLASS_BACKGROUND] = "background",
};

static const char * const npu_region_names[NPU_MAX_REGIONS] = {
	"memory", "sram", "sram2", "sram3",
};

static void npu_show_engine(struct drm_printer *p, struct npu_device *npu,
			    u64 busy_ns)
{
	u64 clock_hz = npu->desc.core.clock_hz;

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

static void npu_show_work(struct drm_printer *p, struct npu_file *nfile)
{
	struct npu_client_stats stats;
	struct npu_client_state state;
	u32 i;

	npu_activity_client(nfile->client, &stats, &state);
	npu_show_engine(p, nfile->npu, stats.busy_ns);
	for (i = 0; i < NPU_CLASS_COUNT; i++)
		drm_printf(p, "npu-time-%s:\t%llu ns\n", npu_class_names[i],
			   stats.class_ns[i]);
	drm_printf(p, "npu-contexts:\t%u\n", state.contexts);
	drm_printf(p, "npu-jobs-queued:\t%llu\n", state.queued);
	drm_printf(p, "npu-jobs:\t%llu\n", stats.jobs);
	drm_printf(p, "npu-jobs-failed:\t%llu\n", stats.failed);
	drm_printf(p, "npu-jobs-guilty:\t%u\n", state.guilty);
	drm_printf(p, "npu-banned:\t%u\n", state.banned);
	drm_printf(p, "npu-missed-deadlines:\t%llu\n", stats.missed);
	drm_printf(p, "npu-tasks:\t%llu\n", stats.tasks);
	drm_printf(p, "npu-macs:\t%llu\n", stats.macs);
	drm_printf(p, "npu-read:\t%llu\n", stats.read_bytes);
	drm_printf(p, "npu-written:\t%llu\n", stats.written_bytes);
	drm_printf(p, "npu-sram:\t%llu\n", stats.sram_bytes);
}

static void npu_show_size(struct drm_printer *p, const char *what, u32 region,
			  u64 bytes)
{
	drm_printf(p, "drm-%s-%s:\t%llu KiB\n", what, npu_region_names[region],
		   bytes / SZ_1K);
}

/* Bytes of the buffers that others have, too. */
static u64 npu_shared_bytes(struct drm_file *file)
{
	struct drm_gem_object *obj;
	u64 shared = 0;
	int id;

	spin_lock(&file->table_lock);
	idr_for_each_entry(&file->object_idr, obj, id)
		if (READ_ONCE(to_npu_bo(obj)->shared))
			shared += obj->size;
	spin_unlock(&file->table_lock);
	return shared;
}

static void npu_show_memory(struct drm_printer *p, struct drm_file *file)
{
	struct npu_file *nfile = file->driver_priv;
	struct npu_mem *mem = nfile->npu->mem;
	u64 total[NPU_MAX_REGIONS] = {}, active[NPU_MAX_REGIONS];
	bool has_active = !npu_activity_memory(nfile->client, active);
	u32 i;

	total[0] = atomic64_read(&nfile->vm->used);
	mutex_lock(&mem->sram_lock);
	for (i = NPU_REGION_CHIP; i < npu_region_count(nfile->npu); i++)
		total[i] = (u64)nfile->vm->sram[i - NPU_REGION_CHIP].used
			   << PAGE_SHIFT;
	mutex_unlock(&mem->sram_lock);

	for (i = 0; i < npu_region_count(nfile->npu); i++) {
		npu_show_size(p, "total", i, total[i]);
		/* A buffer that is shared leaves the chip for good. */
		npu_show_size(p, "shared", i,
			      i ? 0 : min(npu_shared_bytes(file), total[i]));
		/* Mapped memory is never swapped or purged. */
		npu_show_size(p, "resident", i, total[i]);
		npu_show_size(p, "purgeable", i, 0);
		if (has_active)
			npu_show_size(p, "active", i, min(active[i], total[i]));
	}
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
	npu_show_work(p, file->driver_priv);
	npu_show_memory(p, file);
	npu_show_compat(p, file->driver_priv);
}
