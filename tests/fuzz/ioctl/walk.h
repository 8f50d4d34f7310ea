/* SPDX-License-Identifier: MIT */
/// Every call in its plain form, with each of its allocations made to fail.
#pragma once

namespace fuzz
{

/// Answers the exit status.
int walk();

} // namespace fuzz
