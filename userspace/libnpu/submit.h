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

/// Queue @p jobs. Syncobj @p fence, if it is not 0, signals when the last has ended.
/// @return the sequence number of the last
Result<std::uint64_t> submit_jobs(const ContextState &context, std::span<const Job *const> jobs,
				  const SubmitOptions &options, std::uint32_t fence);

} // namespace npu
