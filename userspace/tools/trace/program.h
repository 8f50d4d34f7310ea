/* SPDX-License-Identifier: MIT */
/*
 * Runs a program, and waits for the jobs that it leaves behind.
 */
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <npu/error.h>

namespace npu::trace
{

/// Runs @p command, with a PATH lookup, and calls @p each repeatedly until it exits. This process
/// ignores SIGINT meanwhile.
/// \return the exit status, or 128 plus the number of the signal that killed the program
/// \retval ENOENT the program does not exist
Result<int> run_program(const std::vector<std::string> &command,
			const std::function<Result<void>()> &each);

/// Calls @p each until all current jobs of all NPUs have ended: they may outlive a program.
/// \return whether they have within @p limit
Result<bool> wait_for_jobs(std::chrono::seconds limit, const std::function<Result<void>()> &each);

} // namespace npu::trace
