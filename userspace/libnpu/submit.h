/* SPDX-License-Identifier: MIT */
/*
 * JOB_SUBMIT.
 */
#pragma once

#include <cstdint>
#include <span>

#include "fence_state.h"
#include "npu/context.h"

namespace npu
{

/// Queues @p jobs. Unless it is 0, syncobj @p fence signals when the last job has ended.
/// @return the sequence number of the last job
Result<std::uint64_t> submit_jobs(const ContextState &context, std::span<const Job *const> jobs,
				  const SubmitOptions &options, std::uint32_t fence);

} // namespace npu
