/* SPDX-License-Identifier: MIT */
/*
 * JOB_WAIT, shared by contexts, fences and completion pages.
 */
#pragma once

#include <cstdint>

#include "npu/deadline.h"
#include "npu/driver.h"
#include "npu/status.h"
#include "npu/wait.h"

namespace npu
{

/// Sleeps until job @p seqno of @p context has ended or @p deadline has passed.
/// @return its status at that time
Result<JobStatus> job_status(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			     Deadline deadline);

/// The result of a wait for job @p seqno that returned @p status.
WaitResult<JobStatus> end_of(std::uint64_t seqno, const JobStatus &status);

/// As job_status(), with the result of a wait.
WaitResult<JobStatus> job_wait(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			       Deadline deadline);

} // namespace npu
