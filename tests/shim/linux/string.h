/* SPDX-License-Identifier: MIT */
/* Where libc has what the kernel has here. */
#include <string.h>

/* Copies to an array as much of a string as it has room for, always terminated. */
#define strscpy(dst, src) ((void)strncpy(dst, src, sizeof(dst) - 1), (dst)[sizeof(dst) - 1] = 0)
