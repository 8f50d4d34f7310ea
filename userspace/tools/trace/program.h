/* SPDX-License-Identifier: MIT */
/*
 * A program that is run.
 */
#pragma once

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

} // namespace npu::trace
