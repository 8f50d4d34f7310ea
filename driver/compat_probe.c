// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the kernel what it has, by compiling. Kbuild compiles this once for each
 * name in compat-probes with NPU_PROBE_name defined; what compiles becomes
 * NPU_HAVE_name in compat_generated.h, for compat.h alone. Without any it has
 * to compile, or asking does not work at all.
 */
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>

#if defined(NPU_PROBE_CGROUP_DMEM)
#include <linux/cgroup_dmem.h>

struct dmem_cgroup_region *probe(void);
struct dmem_cgroup_region *probe(void)
{
	return dmem_cgroup_register_region(PAGE_SIZE, "probe");
}
#elif defined(NPU_PROBE_CGROUP_DMEM_INIT)
#include <linux/cgroup_dmem.h>

struct dmem_cgroup_region *probe(const struct dmem_cgroup_ops *ops);
struct dmem_cgroup_region *probe(const struct dmem_cgroup_ops *ops)
{
	const struct dmem_cgroup_init init = { .ops = ops };

	return dmem_cgroup_register_region(&init, "probe");
}
#elif defined(NPU_PROBE_DRM_RAS)
#include <drm/drm_ras.h>

int probe(struct drm_ras_node *node,
	  int (*query)(struct drm_ras_node *node, u32 error_id,
		       const char **name, u32 *value));
int probe(struct drm_ras_node *node,
	  int (*query)(struct drm_ras_node *node, u32 error_id,
		       const char **name, u32 *value))
{
	node->query_error_counter = query;
	return drm_ras_node_register(node);
}
#elif defined(NPU_PROBE_GEM_VMAP_UNLOCKED)
int probe(struct drm_gem_object *obj, struct iosys_map *map);
int probe(struct drm_gem_object *obj, struct iosys_map *map)
{
	return drm_gem_vmap_unlocked(obj, map);
}
#elif defined(NPU_PROBE_HRTIMER_SETUP)
void probe(struct hrtimer *timer);
void probe(struct hrtimer *timer)
{
	hrtimer_setup(timer, NULL, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}
#elif defined(NPU_PROBE_KTHREAD_RUN_WORKER)
struct kthread_worker *probe(void);
struct kthread_worker *probe(void)
{
	return kthread_run_worker(0, "probe");
}
#elif defined(NPU_PROBE_SHMEM_REFCOUNT)
bool probe(struct drm_gem_shmem_object *shmem);
bool probe(struct drm_gem_shmem_object *shmem)
{
	return refcount_inc_not_zero(&shmem->pages_use_count);
}
#elif defined(NPU_PROBE_SYSTEM_DFL_WQ)
bool probe(struct work_struct *work);
bool probe(struct work_struct *work)
{
	return queue_work(system_dfl_wq, work);
}
#endif
