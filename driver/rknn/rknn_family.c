// SPDX-License-Identifier: GPL-2.0-only
/*
 * The RKNN family: its dialect, and the name and the calls of mainline's rocket
 * driver, which user space looks for.
 */
#include <linux/export.h>

#include <drm/drm_ioctl.h>

#include "../core/include/npu_family.h"
#include "rknn.h"
#include "rknn_family.h"
#include "rknn_rocket.h"
#include "rknn_rocket_job.h"
#include "rocket_accel.h"

/* Every client may make every call, on a render node too. */
#define RKNN_IOCTL(name, func) DRM_IOCTL_DEF_DRV(name, func, DRM_RENDER_ALLOW)

static const struct drm_ioctl_desc rknn_ioctls[] = {
	RKNN_IOCTL(ROCKET_CREATE_BO, rknn_rocket_create_bo_ioctl),
	RKNN_IOCTL(ROCKET_SUBMIT, rknn_rocket_submit_ioctl),
	RKNN_IOCTL(ROCKET_PREP_BO, rknn_rocket_prep_bo_ioctl),
	RKNN_IOCTL(ROCKET_FINI_BO, rknn_rocket_fini_bo_ioctl),
};

struct npu_family npu_family_rknn = {
	/*
	 * What mainline's user space looks for. Of version 0 it takes the contract
	 * of mainline's calls, which these are; ours are found by QUERY.
	 */
	.driver = { .name = "rocket", .major = 0, .minor = 0 },
	.isa = &npu_isa_rknn,
	.forget = rknn_rocket_forget,
	.release = rknn_rocket_release,
	.ioctls = rknn_ioctls,
	.ioctl_count = ARRAY_SIZE(rknn_ioctls),
};
EXPORT_SYMBOL_GPL(npu_family_rknn);
