/* SPDX-License-Identifier: MIT */
#include "job_wait.h"

#include <cerrno>
#include <optional>

#include "deadline.h"

namespace npu
{

namespace
{

std::optional<JobFault> fault_of(const drm_npu_job_wait &args)
{
	if (!(args.fault_flags & DRM_NPU_JOB_FAULT_TASK))
		return std::nullopt;
	JobFault fault{args.fault_lane, args.fault_task, args.fault_task_count, std::nullopt};

	if (args.fault_flags & DRM_NPU_JOB_FAULT_ADDRESS)
		fault.address = args.fault_address;
	return fault;
}

} // namespace

Result<JobStatus> job_wait(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			   std::chrono::steady_clock::time_point deadline)
{
	drm_npu_job_wait args{};

	args.context_id = context;
	args.seqno = seqno;
	args.timeout_ns = kernel_deadline(deadline);
	if (const int ret = driver.ioctl(DRM_IOCTL_NPU_JOB_WAIT, &args))
		return fail(-ret, "cannot wait for job " + std::to_string(seqno) +
					  (ret == -ENOENT ? " (it was not submitted, or ended too "
							    "long ago)"
							  : ""));
	return JobStatus{
		.state = static_cast<drm_npu_job_state>(args.state),
		.error = static_cast<int>(args.error),
		.queued_ns = args.queued_ns,
		.started_ns = args.started_ns,
		.ended_ns = args.ended_ns,
		.device_ns = args.device_ns,
		.fault = fault_of(args),
	};
}

} // namespace npu
