/* SPDX-License-Identifier: MIT */
/// Starts the threads and looks after them.
#pragma once

#include "thread.h"

namespace fuzz
{

/// Answers the exit status.
int supervise(const Options &options);

} // namespace fuzz
