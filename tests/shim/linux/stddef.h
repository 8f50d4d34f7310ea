/* SPDX-License-Identifier: MIT */
/* Where the compiler has what the kernel has here. */
#include <stddef.h>
