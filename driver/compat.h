/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that this builds for. What a newer kernel
 * has is used by its name there, and made up here for older ones; only where a
 * name has changed its meaning there is one of our own.
 *
 * The constants come from compat_probe.c, never from the kernel's version:
 * stable kernels take interfaces back from newer ones.
 */
#ifndef NPU_COMPAT_H
#define NPU_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/workqueue.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>

#include "compat_generated.h"

/* Older kernels have no dmem controller, or one that cannot reclaim. */
#if defined(NPU_HAVE_CGROUP_DMEM) || defined(NPU_HAVE_CGROUP_DMEM_INIT)
#include <linux/cgroup_dmem.h>
#else
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;

static inline int dmem_cgroup_try_charge(struct dmem_cgroup_region *region,
					 u64 size,
					 struct dmem_cgroup_pool_state **pool,
					 struct dmem_cgroup_pool_state **limit)
{
	*pool = NULL;
	return 0;
}

static inline void dmem_cgroup_uncharge(struct dmem_cgroup_pool_state *pool,
					u64 size)
{
}

static inline bool
dmem_cgroup_state_evict_valuable(struct dmem_cgroup_pool_state *limit_pool,
				 struct dmem_cgroup_pool_state *test_pool,
				 bool ignore_low, bool *ret_hit_low)
{
	return true;
}

static inline void
dmem_cgroup_unregister_region(struct dmem_cgroup_region *region)
{
}
#endif

#ifndef NPU_HAVE_CGROUP_DMEM_INIT
struct dmem_cgroup_ops {
	int (*reclaim)(struct dmem_cgroup_pool_state *pool, u64 target_bytes,
		       void *priv);
};

struct dmem_cgroup_init {
	u64 size;
	const struct dmem_cgroup_ops *ops;
	void *reclaim_priv;
};
#endif

/* May return %NULL, or an ERR_PTR(). */
static inline struct dmem_cgroup_region *
npu_cgroup_register_region(struct drm_device *drm, const char *name,
			   const struct dmem_cgroup_init *init)
{
#if defined(NPU_HAVE_CGROUP_DMEM_INIT)
	return dmem_cgroup_register_region(init, "drm/%s/%s", drm->unique, name);
#elif defined(NPU_HAVE_CGROUP_DMEM)
	return dmem_cgroup_register_region(init->size, "drm/%s/%s", drm->unique,
					   name);
#else
	return NULL;
#endif
}

/* Older kernels have no DRM RAS. */
#ifdef NPU_HAVE_DRM_RAS
#include <drm/drm_ras.h>
#else
enum drm_ras_node_type {
	DRM_RAS_NODE_TYPE_ERROR_COUNTER = 1,
};

struct drm_ras_node {
	const char *device_name;
	const char *node_name;
	enum drm_ras_node_type type;
	struct {
		u32 first;
		u32 last;
	} error_counter_range;
	int (*query_error_counter)(struct drm_ras_node *node, u32 error_id,
				   const char **name, u32 *value);
	void *priv;
};

static inline int drm_ras_node_register(struct drm_ras_node *node)
{
	return 0;
}

static inline void drm_ras_node_unregister(struct drm_ras_node *node)
{
}
#endif

#ifndef NPU_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *timer),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* Creating a worker once started it, too. */
#ifndef NPU_HAVE_KTHREAD_RUN_WORKER
#define kthread_run_worker kthread_create_worker
#endif

#ifndef NPU_HAVE_SYSTEM_DFL_WQ
#define system_dfl_wq system_unbound_wq
#endif

/* drm_gem_vmap() once wanted the reservation locked; it locks it since. */
static inline int npu_gem_vmap(struct drm_gem_object *obj, struct iosys_map *map)
{
#ifdef NPU_HAVE_GEM_VMAP_UNLOCKED
	return drm_gem_vmap_unlocked(obj, map);
#else
	return drm_gem_vmap(obj, map);
#endif
}

static inline void npu_gem_vunmap(struct drm_gem_object *obj,
				  struct iosys_map *map)
{
#ifdef NPU_HAVE_GEM_VMAP_UNLOCKED
	drm_gem_vunmap_unlocked(obj, map);
#else
	drm_gem_vunmap(obj, map);
#endif
}

/*
 * Pages that a shmem object did not allocate: the driver has the first of the
 * references that the helpers count, so that they never free them.
 */
static inline void npu_shmem_set_pages(struct drm_gem_shmem_object *shmem,
				       struct page **pages)
{
	shmem->pages = pages;
#ifdef NPU_HAVE_SHMEM_REFCOUNT
	refcount_set(&shmem->pages_use_count, 1);
#else
	shmem->pages_use_count = 1;
#endif
}

/* Takes them away again; only the driver uses them any more. */
static inline struct page **
npu_shmem_take_pages(struct drm_gem_shmem_object *shmem)
{
	struct page **pages = shmem->pages;

	shmem->pages = NULL;
#ifdef NPU_HAVE_SHMEM_REFCOUNT
	refcount_set(&shmem->pages_use_count, 0);
#else
	shmem->pages_use_count = 0;
#endif
	return pages;
}

/*
 * A kernel without accel nodes gives the device a render node, and the primary
 * node that comes with it.
 */
#if IS_ENABLED(CONFIG_DRM_ACCEL)
#define NPU_DRIVER_NODE DRIVER_COMPUTE_ACCEL
#define npu_node_open accel_open
#else
#define NPU_DRIVER_NODE DRIVER_RENDER
#define npu_node_open drm_open
#endif

#endif /* NPU_COMPAT_H */
