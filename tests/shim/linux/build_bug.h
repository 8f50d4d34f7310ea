/* SPDX-License-Identifier: MIT */
/* Where libc has what the kernel has here. */
#include <assert.h>
