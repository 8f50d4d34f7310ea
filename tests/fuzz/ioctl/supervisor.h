/* SPDX-License-Identifier: MIT */
/// Starts the threads and monitors them.
#pragma once

#include "thread.h"

namespace fuzz
{

/// @return the exit status
int supervise(const Options &options);

} // namespace fuzz
