/* SPDX-License-Identifier: MIT */
#include "fake_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace npu::test
{

namespace
{

template <typename T>
const T *user(std::uint64_t pointer)
{
	return reinterpret_cast<const T *>(static_cast<std::uintptr_t>(pointer));
}

template <typename Record>
int answer(drm_npu_query &args, const Record &record)
{
	std::memcpy(reinterpret_cast<void *>(static_cast<std::uintptr_t>(args.data)), &record,
		    std::min<std::size_t>(args.size, sizeof(record)));
	return 0;
}

} // namespace

int FakeDriver::query(drm_npu_query &args)
{
	switch (args.type) {
	case DRM_NPU_QUERY_DEVICE: {
		drm_npu_query_device record{};
		std::strcpy(record.name, "fake");
		record.core_count = Machine::core_count;
		record.region_count = 1;
		record.flags = DRM_NPU_DEVICE_VIRTUAL;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_CORE: {
		drm_npu_query_core record{};
		record.clock_hz = 1'000'000'000;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_REGION:
		return answer(args, drm_npu_query_region{});
	case DRM_NPU_QUERY_LIMITS: {
		drm_npu_query_limits record{};
		record.max_lanes = Machine::core_count;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_CONTEXT:
		if (!contexts_.contains(args.index))
			return -ENOENT;
		return answer(args, contexts_[args.index]);
	default:
		return -EINVAL;
	}
}

int FakeDriver::create_job(drm_npu_job_create &args)
{
	std::vector<Lane> lanes;

	for (std::uint32_t i = 0; i < args.lane_count; i++) {
		const drm_npu_lane &from = user<drm_npu_lane>(args.lanes)[i];
		Lane &lane = lanes.emplace_back();

		for (std::uint32_t j = 0; j < from.task_count; j++) {
			const drm_npu_task &task = user<drm_npu_task>(from.tasks)[j];
			const auto *commands = user<std::uint64_t>(task.commands);
			lane.push_back({{commands, commands + task.command_count}, task.enable});
		}
	}
	args.job_id = next_++;
	jobs_.emplace(args.job_id, std::move(lanes));
	return 0;
}

int FakeDriver::submit(drm_npu_job_submit &args)
{
	const auto context = contexts_.find(args.context_id);
	const auto job = jobs_.find(user<drm_npu_submit_job>(args.jobs)->job_id);

	if (context == contexts_.end() || job == jobs_.end() || args.job_count != 1)
		return -ENOENT;
	drm_npu_query_context &state = context->second;
	state.submitted_seqno++;
	state.completed_seqno++;
	std::uint64_t longest = 0;
	for (std::uint32_t core = 0; core < job->second.size(); core++) {
		const npu_model_stats before = machine_.core(core).stats;
		const auto lanes = static_cast<std::uint32_t>(job->second.size());
		const auto status = machine_.run(core, job->second[core], lanes);
		const npu_model_stats &after = machine_.core(core).stats;

		longest = std::max(longest, std::uint64_t{after.busy_ns - before.busy_ns});
		state.read_bytes += after.read_bytes - before.read_bytes;
		if (status == NPU_MODEL_DONE)
			continue;
		state.failed_jobs++;
		state.failed_seqno = state.submitted_seqno;
		state.failed_errno = EFAULT;
	}
	state.device_ns += longest;
	args.seqno = state.submitted_seqno;
	for (std::uint32_t i = 0; i < args.out_sync_count; i++) {
		const drm_npu_sync &sync = user<drm_npu_sync>(args.out_syncs)[i];
		syncobjs_[sync.handle] = sync.point;
	}
	submits_++;
	return 0;
}

int FakeDriver::ioctl(unsigned long request, void *argument)
{
	if (const auto failure = failures_.find(request);
	    failure != failures_.end() && failure->second)
		return -failure->second;

	switch (request) {
	case DRM_IOCTL_NPU_QUERY:
		return query(*static_cast<drm_npu_query *>(argument));
	case DRM_IOCTL_NPU_BO_CREATE: {
		auto &args = *static_cast<drm_npu_bo_create *>(argument);
		if (!args.size)
			return -EINVAL;
		args.address = machine_.allocate(args.size);
		args.size = machine_.memory(static_cast<std::uint32_t>(args.address)).size();
		args.handle = next_++;
		args.mmap_offset = args.address;
		buffers_.emplace(args.handle, static_cast<std::uint32_t>(args.address));
		return 0;
	}
	case DRM_IOCTL_GEM_CLOSE: {
		const auto buffer = buffers_.find(static_cast<drm_gem_close *>(argument)->handle);
		if (buffer == buffers_.end())
			return -EINVAL;
		machine_.release(buffer->second);
		buffers_.erase(buffer);
		return 0;
	}
	case DRM_IOCTL_NPU_CONTEXT_CREATE: {
		auto &args = *static_cast<drm_npu_context_create *>(argument);
		args.context_id = next_++;
		contexts_.emplace(args.context_id, drm_npu_query_context{});
		return 0;
	}
	case DRM_IOCTL_NPU_CONTEXT_DESTROY:
		contexts_.erase(static_cast<drm_npu_context_destroy *>(argument)->context_id);
		return 0;
	case DRM_IOCTL_NPU_JOB_CREATE:
		return create_job(*static_cast<drm_npu_job_create *>(argument));
	case DRM_IOCTL_NPU_JOB_DESTROY:
		jobs_.erase(static_cast<drm_npu_job_destroy *>(argument)->job_id);
		return 0;
	case DRM_IOCTL_NPU_JOB_SUBMIT:
		return submit(*static_cast<drm_npu_job_submit *>(argument));
	case DRM_IOCTL_SYNCOBJ_CREATE:
		static_cast<drm_syncobj_create *>(argument)->handle = next_;
		syncobjs_.emplace(next_++, 0);
		return 0;
	case DRM_IOCTL_SYNCOBJ_DESTROY:
		syncobjs_.erase(static_cast<drm_syncobj_destroy *>(argument)->handle);
		return 0;
	case DRM_IOCTL_SYNCOBJ_TIMELINE_WAIT: {
		const auto &args = *static_cast<drm_syncobj_timeline_wait *>(argument);
		const std::uint32_t handle = *user<std::uint32_t>(args.handles);
		return syncobjs_[handle] >= *user<std::uint64_t>(args.points) ? 0 : -ETIME;
	}
	default:
		return -ENOTTY;
	}
}

std::span<std::byte> FakeDriver::map(std::size_t size, std::uint64_t offset, int &error)
{
	error = 0;
	maps_++;
	return machine_.memory(static_cast<std::uint32_t>(offset)).first(size);
}

void FakeDriver::unmap(std::span<std::byte>)
{
	maps_--;
}

} // namespace npu::test
