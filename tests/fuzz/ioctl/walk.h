/* SPDX-License-Identifier: MIT */
/// Makes every call in its plain form, with each of its allocations failing in turn.
#pragma once

namespace fuzz
{

/// @return the exit status
int walk();

/// Tests the driver's probe in the same way. @return the number of allocations; throws igt::Failure
/// on a violation, igt::Skip if the kernel does not support it.
unsigned walk_probe();

} // namespace fuzz
