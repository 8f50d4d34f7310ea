/* SPDX-License-Identifier: MIT */
/* Programs export nothing to modules. */
#ifndef SHIM_LINUX_EXPORT_H
#define SHIM_LINUX_EXPORT_H

#define EXPORT_SYMBOL_GPL(symbol) _Static_assert(1, #symbol)

#endif
