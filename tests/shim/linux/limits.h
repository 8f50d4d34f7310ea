/* SPDX-License-Identifier: MIT */
/* As in the kernel. */
#ifndef SHIM_LINUX_LIMITS_H
#define SHIM_LINUX_LIMITS_H

#define U8_MAX 255
#define U32_MAX (~0u)
#define U64_MAX (~0ull)
#define S64_MAX ((__s64)(U64_MAX >> 1))

#endif
