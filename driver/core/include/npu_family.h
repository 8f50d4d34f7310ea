/* SPDX-License-Identifier: GPL-2.0-only */
/* Families of chips: dialect, DRM driver name and ioctls of their own. */
#ifndef NPU_FAMILY_H
#define NPU_FAMILY_H

#include <linux/types.h>

#include <drm/drm_drv.h>
#include <drm/drm_ioctl.h>

struct npu_file;
struct npu_isa_ops;
struct npu_mapping;

/* Driver ioctls below this number are the family's, all others everyone's. */
#define NPU_FAMILY_IOCTLS	0x20u
/* No driver ioctl has a number beyond this. */
#define NPU_FAMILY_TABLE	0x40u

/**
 * struct npu_family - a family of chips
 *
 * Must outlive its devices and their open files: static data of npu.ko.
 */
struct npu_family {
	/** @isa: Dialect of the command streams. */
	const struct npu_isa_ops *isa;
	/** @ioctls: Ioctls of its own, from %DRM_COMMAND_BASE on. */
	const struct drm_ioctl_desc *ioctls;
	/** @ioctl_count: Number of @ioctls, at most %NPU_FAMILY_IOCTLS. */
	unsigned int ioctl_count;
	/**
	 * @forget: Lets go of @mapping, of which @nfile closes the last handle; may be
	 * %NULL. May sleep.
	 */
	void (*forget)(struct npu_file *nfile, struct npu_mapping *mapping);
	/** @release: Frees &npu_file.family_data, if any; may be %NULL. */
	void (*release)(struct npu_file *nfile);
	/**
	 * @driver: The DRM driver. The family sets name and version, the rest
	 * is filled in when the first device is created.
	 */
	struct drm_driver driver;
	/** @table: Ioctls of the family and of everyone, filled in likewise. */
	struct drm_ioctl_desc table[NPU_FAMILY_TABLE];
};

#endif /* NPU_FAMILY_H */
