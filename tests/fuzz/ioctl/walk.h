/* SPDX-License-Identifier: MIT */
/// Every call in its plain form, with each of its allocations made to fail.
#pragma once

namespace fuzz
{

/// Answers the exit status.
int walk();

/// The same for the driver's probe. Answers how many allocations there were; throws
/// igt::Failure if something is wrong, igt::Skip if the kernel cannot.
unsigned walk_probe();

} // namespace fuzz
