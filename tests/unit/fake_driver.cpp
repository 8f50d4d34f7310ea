/* SPDX-License-Identifier: MIT */
#include "fake_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/dma-buf.h>
#include <sys/mman.h>
#include <unistd.h>

extern "C" {
#include <core/include/npu_isa.h>

extern const struct npu_isa_ops npu_isa_rknn;
}

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
	/* Size 0 only asks whether the kernel knows the query. */
	if (args.size)
		std::memcpy(reinterpret_cast<void *>(static_cast<std::uintptr_t>(args.data)),
			    &record, std::min<std::size_t>(args.size, sizeof(record)));
	return 0;
}

/// Whether @p request frees an object.
bool gives_back(unsigned long request)
{
	return request == DRM_IOCTL_GEM_CLOSE || request == DRM_IOCTL_NPU_CONTEXT_DESTROY ||
	       request == DRM_IOCTL_NPU_JOB_DESTROY || request == DRM_IOCTL_SYNCOBJ_DESTROY;
}

} // namespace

int FakeDriver::query(drm_npu_query &args)
{
	switch (args.type) {
	case DRM_NPU_QUERY_DEVICE: {
		drm_npu_query_device record{};
		std::strcpy(record.name, "fake");
		record.core_count = Machine::core_count;
		record.region_count = static_cast<std::uint32_t>(regions_.size());
		record.flags = DRM_NPU_DEVICE_VIRTUAL;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_CORE: {
		drm_npu_query_core record{};
		record.clock_hz = 1'000'000'000;
		record.bandwidth = core_bandwidth_;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_REGION:
		if (args.index >= regions_.size())
			return -ENOENT;
		return answer(args, regions_[args.index]);
	case DRM_NPU_QUERY_LIMITS: {
		drm_npu_query_limits record{};
		record.max_lanes = Machine::core_count;
		record.max_label = 64;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_CONTEXT: {
		const auto context = contexts_.find(args.index);
		if (context == contexts_.end())
			return -ENOENT;
		return answer(args, context->second.stats());
	}
	case DRM_NPU_QUERY_BUFFER:
		return query_buffer(args);
	case DRM_NPU_QUERY_FEATURES: {
		drm_npu_query_features record{};
		record.features = DRM_NPU_FEATURE_CONVOLUTION;
		record.data_type_count = 2;
		return answer(args, record);
	}
	case DRM_NPU_QUERY_DATA_TYPE: {
		drm_npu_query_data_type record{};
		record.operand = args.index ? DRM_NPU_DATA_TYPE_FP16 : DRM_NPU_DATA_TYPE_INT8;
		return args.index < 2 ? answer(args, record) : -ENOENT;
	}
	case DRM_NPU_QUERY_ACTIVITY: {
		drm_npu_query_activity record{};
		record.queued_jobs = queue_.size();
		return answer(args, record);
	}
	case DRM_NPU_QUERY_REGISTER: {
		drm_npu_query_register record{};
		return npu_isa_rknn.name(args.index, &record) ? answer(args, record) : -ENOENT;
	}
	default:
		return -EINVAL;
	}
}

int FakeDriver::query_buffer(drm_npu_query &args)
{
	const auto buffer = buffers_.find(args.index);
	drm_npu_query_buffer record{};

	if (buffer == buffers_.end())
		return -ENOENT;
	const BufferRecord &known = buffer->second;
	record.size = machine_.memory(known.address).size();
	record.address = known.address;
	record.mmap_offset = known.fd < 0 ? known.address : 0;
	record.flags = known.flags;
	record.residency = known.residency;
	record.priority = known.priority;
	/* Buffers move to a preferred region immediately. */
	record.region = known.residency ? chip_region : 0;
	return answer(args, record);
}

void FakeDriver::add_sram(std::uint64_t size, std::uint64_t core, std::uint64_t system,
			  std::uint64_t chip)
{
	regions_.resize(2);
	regions_[0].bandwidth = system;
	regions_[1].kind = DRM_NPU_REGION_SRAM;
	regions_[1].flags = DRM_NPU_REGION_RESIDENCY;
	regions_[1].size = size;
	regions_[1].bandwidth = chip;
	core_bandwidth_ = core;
}

int FakeDriver::place_buffer(const drm_npu_bo_residency &args)
{
	const auto buffer = buffers_.find(args.handle);

	if (regions_.size() < 2)
		return -EOPNOTSUPP;
	if (buffer == buffers_.end())
		return -ENOENT;
	if (buffer->second.flags & DRM_NPU_BO_SHARED)
		return -EBUSY;
	buffer->second.residency = args.residency;
	buffer->second.priority = args.priority;
	return 0;
}

int FakeDriver::create_buffer(drm_npu_bo_create &args)
{
	if (!args.size)
		return -EINVAL;
	args.address = machine_.allocate(args.size);
	args.size = machine_.memory(static_cast<std::uint32_t>(args.address)).size();
	args.handle = next_++;
	args.mmap_offset = args.address;
	buffers_[args.handle] = {static_cast<std::uint32_t>(args.address), args.flags};
	return 0;
}

int FakeDriver::close_buffer(std::uint32_t handle)
{
	const auto buffer = buffers_.find(handle);

	if (buffer == buffers_.end())
		return -EINVAL;
	machine_.release(buffer->second.address);
	buffers_.erase(buffer);
	return 0;
}

int FakeDriver::export_buffer(drm_prime_handle &args)
{
	const auto buffer = buffers_.find(args.handle);

	if (buffer == buffers_.end())
		return -ENOENT;
	buffer->second.flags |= DRM_NPU_BO_SHARED;
	buffer->second.residency = DRM_NPU_RESIDENCY_NONE;
	/* A new descriptor, which libnpu closes. */
	args.fd = ::memfd_create("exported", MFD_CLOEXEC);
	exported_[args.fd] = args.handle;
	return 0;
}

/* As the DRM core: one handle for a buffer, however often it is imported. */
int FakeDriver::import_buffer(drm_prime_handle &args)
{
	if (const auto own = exported_.find(args.fd); own != exported_.end()) {
		args.handle = own->second;
		return 0;
	}
	const auto foreign = foreign_.find(args.fd);
	if (foreign == foreign_.end())
		return -EINVAL;
	for (const auto &[handle, buffer] : buffers_)
		if (buffer.fd == args.fd) {
			args.handle = handle;
			return 0;
		}
	args.handle = next_++;
	buffers_[args.handle] = {machine_.allocate(foreign->second.size()), DRM_NPU_BO_SHARED,
				 args.fd};
	return 0;
}

/* No job ends during a wait, so that busy buffers stay busy. */
int FakeDriver::wait_buffer(const drm_npu_bo_wait &args) const
{
	if (!buffers_.contains(args.handle))
		return -ENOENT;
	if (queue_.empty())
		return 0;
	return args.timeout_ns ? -ETIMEDOUT : -EBUSY;
}

int FakeDriver::sync_buffer(const drm_npu_bo_sync &args)
{
	const auto buffer = buffers_.find(args.handle);

	if (buffer == buffers_.end())
		return -ENOENT;
	if (buffer->second.fd >= 0)
		return -EOPNOTSUPP;
	const std::size_t size = machine_.memory(buffer->second.address).size();
	return args.length && args.offset < size && args.length <= size - args.offset ? 0 : -EINVAL;
}

int FakeDriver::foreign_dma_buf(std::size_t size)
{
	const int fd = ::memfd_create("foreign", MFD_CLOEXEC);

	foreign_[fd].resize(size);
	/* libnpu's own driver maps the file itself. */
	if (::ftruncate(fd, static_cast<off_t>(size)))
		return -1;
	return fd;
}

int FakeDriver::create_context(drm_npu_context_create &args)
{
	args.context_id = next_++;
	args.page_offset = FakeContext::page_space + args.context_id * std::uint64_t{4096};
	contexts_.emplace(args.context_id, FakeContext(args));
	return 0;
}

int FakeDriver::set_context(const drm_npu_context_set &args)
{
	const auto context = contexts_.find(args.context_id);

	if (!args.flags || args.sched_class > DRM_NPU_CLASS_BACKGROUND ||
	    args.weight > DRM_NPU_WEIGHT_MAX)
		return -EINVAL;
	if (context == contexts_.end())
		return -ENOENT;
	context->second.set(args);
	return 0;
}

int FakeDriver::create_job(drm_npu_job_create &args)
{
	std::vector<Lane> lanes;

	if (args.region && regions_.size() < 2)
		return -EOPNOTSUPP;
	for (std::uint32_t i = 0; i < args.lane_count; i++) {
		const drm_npu_lane &from = user<drm_npu_lane>(args.lanes)[i];
		Lane &lane = lanes.emplace_back();

		for (std::uint32_t j = 0; j < from.task_count; j++) {
			const drm_npu_task &task = user<drm_npu_task>(from.tasks)[j];
			const auto *commands = user<std::uint64_t>(task.commands);
			lane.push_back({{commands, commands + task.command_count},
					task.enable,
					task.cost_ns});
		}
	}
	args.job_id = next_++;
	jobs_.emplace(args.job_id, std::move(lanes));
	return 0;
}

int FakeDriver::submit(drm_npu_job_submit &args)
{
	const std::span jobs(user<drm_npu_submit_job>(args.jobs), args.job_count);
	const auto context = contexts_.find(args.context_id);

	if (context == contexts_.end())
		return -ENOENT;
	if (jobs.empty())
		return -EINVAL;
	for (const drm_npu_submit_job &job : jobs)
		if (!jobs_.contains(job.job_id))
			return -ENOENT;
	const auto fence = std::make_shared<FakeFence>();
	std::vector<FakeFencePtr> in;
	if (!syncs_.find(args.in_syncs, args.in_sync_count, in))
		return -EINVAL;
	if (!syncs_.attach(args.out_syncs, args.out_sync_count, fence))
		return -ENOENT;
	const bool waits = !std::ranges::all_of(in, &FakeFence::signalled);
	for (const drm_npu_submit_job &job : jobs) {
		queue_.push_back(
			{args.context_id, jobs_.at(job.job_id), fence, &job == &jobs.back(), in});
		args.seqno = context->second.queue();
	}
	submits_++;
	if (!held_ && !waits)
		resume();
	return 0;
}

void FakeDriver::resume()
{
	held_ = false;
	for (const Queued &queued : std::exchange(queue_, {})) {
		const auto context = contexts_.find(queued.context);

		if (context == contexts_.end())
			continue;
		int error = job_error_ ? job_error_ : context->second.next_error();
		for (const FakeFencePtr &fence : queued.in)
			error = error ? error : fence->error;
		const FakeResult result = error ? FakeResult{.error = error} : run(queued.lanes);
		context->second.end(result);
		if (!queued.fence->error)
			queued.fence->error = result.error;
		queued.fence->signalled = queued.last;
	}
}

/* As in the kernel, destroying a context cancels its queued jobs and signals their fences. */
void FakeDriver::destroy_context(std::uint32_t id)
{
	contexts_.erase(id);
	std::erase_if(queue_, [&](const Queued &queued) {
		if (queued.context == id)
			queued.fence->signal(ECANCELED);
		return queued.context == id;
	});
}

FakeResult FakeDriver::run(const std::vector<Lane> &lanes)
{
	FakeResult result;

	for (std::uint32_t core = 0; core < lanes.size(); core++) {
		const npu_model_stats before = machine_.core(core).stats;
		const auto status =
			machine_.run(core, lanes[core], static_cast<std::uint32_t>(lanes.size()));
		const npu_model_stats &after = machine_.core(core).stats;

		result.device_ns =
			std::max(result.device_ns, std::uint64_t{after.busy_ns - before.busy_ns});
		result.read_bytes += after.read_bytes - before.read_bytes;
		if (status != NPU_MODEL_DONE)
			result.error = EFAULT;
	}
	return result;
}

int FakeDriver::ioctl(unsigned long request, void *argument)
{
	if (const auto hook = hooks_.find(request); hook != hooks_.end())
		hook->second(argument);
	const std::scoped_lock lock(mutex_);
	if (const auto failure = failures_.find(request);
	    failure != failures_.end() && failure->second)
		return -failure->second;
	if (gives_back(request)) {
		const int ret = dispatch(request, argument);

		return gone() ? -ENODEV : ret;
	}
	return lost() ? -ENODEV : dispatch(request, argument);
}

void FakeDriver::go_away(std::uint64_t first, bool for_good)
{
	const std::scoped_lock lock(mutex_);

	lost_from_ = calls_ + first;
	lost_to_ = for_good ? no_call : lost_from_ + 1;
}

bool FakeDriver::come_back()
{
	const std::scoped_lock lock(mutex_);

	return calls_ > std::exchange(lost_from_, no_call);
}

/// Counts a call. @return whether it fails with ENODEV
bool FakeDriver::lost()
{
	const bool now = gone();

	calls_++;
	return now;
}

int FakeDriver::dispatch(unsigned long request, void *argument)
{
	switch (request) {
	case DRM_IOCTL_NPU_QUERY:
		return query(*static_cast<drm_npu_query *>(argument));
	case DRM_IOCTL_NPU_BO_CREATE:
		return create_buffer(*static_cast<drm_npu_bo_create *>(argument));
	case DRM_IOCTL_NPU_BO_WAIT:
		return wait_buffer(*static_cast<drm_npu_bo_wait *>(argument));
	case DRM_IOCTL_NPU_BO_SYNC:
		return sync_buffer(*static_cast<drm_npu_bo_sync *>(argument));
	case DRM_IOCTL_NPU_BO_RESIDENCY:
		return place_buffer(*static_cast<drm_npu_bo_residency *>(argument));
	case DRM_IOCTL_GEM_CLOSE:
		return close_buffer(static_cast<drm_gem_close *>(argument)->handle);
	case DRM_IOCTL_PRIME_HANDLE_TO_FD:
		return export_buffer(*static_cast<drm_prime_handle *>(argument));
	case DRM_IOCTL_PRIME_FD_TO_HANDLE:
		return import_buffer(*static_cast<drm_prime_handle *>(argument));
	case DRM_IOCTL_NPU_CONTEXT_CREATE:
		return create_context(*static_cast<drm_npu_context_create *>(argument));
	case DRM_IOCTL_NPU_CONTEXT_SET:
		return set_context(*static_cast<drm_npu_context_set *>(argument));
	case DRM_IOCTL_NPU_CONTEXT_DESTROY:
		destroy_context(static_cast<drm_npu_context_destroy *>(argument)->context_id);
		return 0;
	case DRM_IOCTL_NPU_JOB_CREATE:
		return create_job(*static_cast<drm_npu_job_create *>(argument));
	case DRM_IOCTL_NPU_JOB_DESTROY:
		jobs_.erase(static_cast<drm_npu_job_destroy *>(argument)->job_id);
		return 0;
	case DRM_IOCTL_NPU_JOB_SUBMIT:
		return submit(*static_cast<drm_npu_job_submit *>(argument));
	case DRM_IOCTL_NPU_JOB_WAIT: {
		auto &args = *static_cast<drm_npu_job_wait *>(argument);
		const auto context = contexts_.find(args.context_id);
		return context == contexts_.end() ? -ENOENT : context->second.wait(args);
	}
	case DRM_IOCTL_NPU_JOB_CANCEL: {
		auto &args = *static_cast<drm_npu_job_cancel *>(argument);
		const auto context = contexts_.find(args.context_id);
		return context == contexts_.end() ? -ENOENT : context->second.cancel(args);
	}
	default:
		return syncs_.ioctl(request, argument).value_or(-ENOTTY);
	}
}

bool FakeDriver::is_foreign(int fd) const
{
	return std::ranges::any_of(
		foreign_, [&](const auto &entry) { return inode_of(entry.first) == inode_of(fd); });
}

int FakeDriver::dma_buf_ioctl(int fd, unsigned long request, void *argument)
{
	if (!is_foreign(fd))
		return -ENOTTY;
	switch (request) {
	case DMA_BUF_IOCTL_SYNC:
		return 0;
	case DMA_BUF_IOCTL_IMPORT_SYNC_FILE:
		acquired_.push_back(
			syncs_.file_fence(static_cast<dma_buf_import_sync_file *>(argument)->fd));
		return acquired_.back() ? 0 : -EINVAL;
	case DMA_BUF_IOCTL_EXPORT_SYNC_FILE:
		static_cast<dma_buf_export_sync_file *>(argument)->fd = syncs_.create_file(
			std::make_shared<FakeFence>(FakeFence{.signalled = queue_.empty()}));
		return 0;
	default:
		return -ENOTTY;
	}
}

int FakeDriver::file_ioctl(int fd, unsigned long request, void *argument)
{
	if (const auto hook = hooks_.find(request); hook != hooks_.end())
		hook->second(argument);
	const std::scoped_lock lock(mutex_);
	if (const auto failure = failures_.find(request);
	    failure != failures_.end() && failure->second)
		return -failure->second;
	if (lost())
		return -ENODEV;
	if (const auto answered = syncs_.file_ioctl(fd, request, argument))
		return *answered;
	return dma_buf_ioctl(fd, request, argument);
}

int FakeDriver::wait_readable(int fd, Deadline /*deadline*/)
{
	const std::scoped_lock lock(mutex_);
	if (lost())
		return -ENODEV;
	const auto fence = syncs_.file_fence(fd);

	return fence ? fence->signalled : -EBADF;
}

std::span<std::byte> FakeDriver::map(std::size_t size, std::uint64_t offset, MapAccess access,
				     int &error)
{
	const std::scoped_lock lock(mutex_);

	error = lost() ? -ENODEV : -map_error_;
	if (error)
		return {};
	if (offset < FakeContext::page_space) {
		maps_++;
		return machine_.memory(static_cast<std::uint32_t>(offset)).first(size);
	}
	/* As in the kernel, completion pages are read-only. */
	if (access != MapAccess::read) {
		error = -EACCES;
		return {};
	}
	maps_++;
	const auto id = static_cast<std::uint32_t>((offset - FakeContext::page_space) / 4096);
	mapped_pages_.push_back(contexts_.at(id).page());
	return {reinterpret_cast<std::byte *>(mapped_pages_.back().get()), size};
}

std::span<std::byte> FakeDriver::map_dma_buf(int fd, std::size_t size, int &error)
{
	const std::scoped_lock lock(mutex_);

	error = lost() ? -ENODEV : -map_error_;
	if (error)
		return {};
	maps_++;
	return std::span(foreign_.at(fd)).first(size);
}

void FakeDriver::unmap(std::span<std::byte>)
{
	const std::scoped_lock lock(mutex_);

	maps_--;
}

} // namespace npu::test
