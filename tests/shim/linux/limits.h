/* SPDX-License-Identifier: MIT */
/* As in the kernel. */
#ifndef SHIM_LINUX_LIMITS_H
#define SHIM_LINUX_LIMITS_H

#define U32_MAX (~0u)

#endif
