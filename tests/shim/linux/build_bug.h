/* SPDX-License-Identifier: MIT */
/* Where libc has what the kernel has here; in the kernel the message is optional. */
#include <assert.h>

#ifndef __cplusplus
#undef static_assert
#define static_assert(expression, ...) SHIM_ASSERT(expression, ##__VA_ARGS__, #expression)
#define SHIM_ASSERT(expression, message, ...) _Static_assert(expression, message)
#endif

#define BUILD_BUG_ON_ZERO(expression) (sizeof(char[1 - 2 * !!(expression)]) - 1)
