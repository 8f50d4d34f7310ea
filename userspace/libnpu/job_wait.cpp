/* SPDX-License-Identifier: MIT */
#include "job_wait.h"

#include <cerrno>
#include <optional>
#include <sstream>

#include "npu/raw.h"

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

JobState state_of(std::uint32_t state)
{
	switch (state) {
	case DRM_NPU_JOB_QUEUED:
		return JobState::queued;
	case DRM_NPU_JOB_ENDED:
		return JobState::ended;
	default:
		return JobState::running;
	}
}

/// The place of the fault, for error messages.
std::string place_of(const JobFault &fault)
{
	std::ostringstream text;

	text << " in lane " << fault.lane << ", task " << fault.task;
	if (fault.task_count > 1)
		text << " to " << fault.task + fault.task_count - 1;
	if (fault.address)
		text << ", at address 0x" << std::hex << *fault.address;
	return text.str();
}

} // namespace

Result<JobStatus> job_status(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			     Deadline deadline)
{
	drm_npu_job_wait args{};

	args.context_id = context;
	args.seqno = seqno;
	args.timeout_ns = deadline.monotonic_ns();
	if (const int ret = driver.ioctl(DRM_IOCTL_NPU_JOB_WAIT, &args))
		return fail(-ret, "cannot wait for job " + std::to_string(seqno) +
					  (ret == -ENOENT ? " (it was not submitted, or ended too "
							    "long ago)"
							  : ""));
	return JobStatus{
		.state = state_of(args.state),
		.error = static_cast<int>(args.error),
		.queued_ns = args.queued_ns,
		.started_ns = args.started_ns,
		.ended_ns = args.ended_ns,
		.device_ns = args.device_ns,
		.fault = fault_of(args),
		.counters = {.macs = args.macs,
			     .read_bytes = args.read_bytes,
			     .written_bytes = args.written_bytes,
			     .sram_bytes = args.sram_bytes,
			     .start_ns = args.start_ns,
			     .memory_stall_ns = args.memory_stall_ns,
			     .sram_stall_ns = args.sram_stall_ns,
			     .core_mask = args.core_mask},
	};
}

WaitResult<JobStatus> end_of(std::uint64_t seqno, const JobStatus &status)
{
	const auto job = [&] {
		return "job " + std::to_string(seqno);
	};

	if (!status.ended())
		return {WaitState::timed_out, fail(ETIME, job() + " has not ended").error(),
			status};
	if (status.error)
		return {WaitState::failed,
			fail(status.error,
			     job() + " failed" + (status.fault ? place_of(*status.fault) : ""))
				.error(),
			status};
	return status;
}

WaitResult<JobStatus> job_wait(Driver &driver, std::uint32_t context, std::uint64_t seqno,
			       Deadline deadline)
{
	auto status = job_status(driver, context, seqno, deadline);

	if (!status)
		return forward(status);
	return end_of(seqno, *status);
}

} // namespace npu
