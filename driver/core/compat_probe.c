// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the kernel what it has, by compiling. Kbuild compiles this once for each
 * name in compat-probes with NPU_PROBE_name defined; what compiles becomes
 * NPU_HAVE_name in compat_generated.h, for compat.h alone. Without any it has
 * to compile, or asking does not work at all.
 */
#include <drm/drm_gem.h>

#if defined(NPU_PROBE_GEM_VMAP_UNLOCKED)
int probe(struct drm_gem_object *obj, struct iosys_map *map);
int probe(struct drm_gem_object *obj, struct iosys_map *map)
{
	return drm_gem_vmap_unlocked(obj, map);
}
#endif
