/* SPDX-License-Identifier: MIT */
/*
 * JOB_WAIT, for all who wait.
 */
#pragma once

#include <chrono>
#include <cstdint>

#include "npu/page.h"

namespace npu
{

/// Sleep until job @p seqno of @p context has ended or @p deadline has come.
Result<JobStatus> job_wait(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			   std::chrono::steady_clock::time_point deadline);

} // namespace npu
