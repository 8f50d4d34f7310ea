/* SPDX-License-Identifier: MIT */
/*
 * JOB_WAIT, for all that waits.
 */
#pragma once

#include <cstdint>

#include "npu/deadline.h"
#include "npu/driver.h"
#include "npu/status.h"
#include "npu/wait.h"

namespace npu
{

/// Sleep until job @p seqno of @p context has ended or @p deadline has come.
/// @return how far it is then
Result<JobStatus> job_status(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			     Deadline deadline);

/// What a wait for job @p seqno has come to if it found @p status.
WaitResult<JobStatus> end_of(std::uint64_t seqno, const JobStatus &status);

/// The same as job_status(), as the result of a wait.
WaitResult<JobStatus> job_wait(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			       Deadline deadline);

} // namespace npu
