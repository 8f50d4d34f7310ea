/* SPDX-License-Identifier: MIT */
/* As in the kernel. */
#ifndef SHIM_LINUX_ALIGN_H
#define SHIM_LINUX_ALIGN_H

#define ALIGN(value, to) (((value) + (to) - 1) / (to) * (to))

#endif
