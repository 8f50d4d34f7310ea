/* SPDX-License-Identifier: MIT */
/*
 * A program that is run, and what it leaves to the NPUs.
 */
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <npu/error.h>

namespace npu::trace
{

/// Runs @p command, whose first word is looked for in PATH, and calls @p each again and
/// again meanwhile. SIGINT goes to the program alone.
/// \return its exit status, or 128 and the number of the signal that has ended it
/// \retval ENOENT there is no such program
Result<int> run_program(const std::vector<std::string> &command,
			const std::function<Result<void>()> &each);

/// Calls @p each until the jobs that NPUs have now have ended: a program may end before them.
/// \return whether they have within @p limit
Result<bool> wait_for_jobs(std::chrono::seconds limit, const std::function<Result<void>()> &each);

} // namespace npu::trace
