/* SPDX-License-Identifier: MIT */
#include "capi.h"

#include <algorithm>

#include "capi_objects.h"

namespace npu::capi
{

LastError &LastError::of_thread() noexcept
{
	static thread_local LastError error;

	return error;
}

npu_job_status status_of(const JobStatus &status)
{
	const JobFault fault = status.fault.value_or(JobFault{});

	return {
		.size = sizeof(npu_job_status),
		.known = 1,
		.ended = status.ended(),
		.error = status.error,
		.fault_task_count = fault.task_count,
		.fault_lane = fault.lane,
		.fault_task = fault.task,
		.has_fault_address = fault.address.has_value(),
		.core_mask = status.counters.core_mask,
		.fault_address = fault.address.value_or(0),
		.queued_ns = status.queued_ns,
		.started_ns = status.started_ns,
		.ended_ns = status.ended_ns,
		.device_ns = status.device_ns,
		.macs = status.counters.macs,
		.read_bytes = status.counters.read_bytes,
		.written_bytes = status.counters.written_bytes,
		.sram_bytes = status.counters.sram_bytes,
		.start_ns = status.counters.start_ns,
		.memory_stall_ns = status.counters.memory_stall_ns,
		.sram_stall_ns = status.counters.sram_stall_ns,
	};
}

} // namespace npu::capi

namespace
{

using namespace npu::capi;

/// Copies @p name with the zero byte that ends it.
template <std::size_t Size>
void copy_name(char (&to)[Size], const std::string &name)
{
	std::ranges::copy_n(name.begin(),
			    static_cast<std::ptrdiff_t>(std::min(name.size(), Size - 1)), to);
}

npu_core_info typed(const npu::CoreInfo &core)
{
	return {
		.size = sizeof(npu_core_info),
		.clock_hz = core.clock_hz,
		.bandwidth = core.bandwidth,
		.int8_macs_per_cycle = core.int8_macs_per_cycle,
		.fp16_macs_per_cycle = core.fp16_macs_per_cycle,
		.buffer_bytes = core.buffer_bytes,
		.reserved = 0,
		.busy_ns = core.busy_ns,
		.slices = core.slices,
	};
}

npu_activity typed(const npu::ActivityInfo &activity)
{
	return {
		.size = sizeof(npu_activity),
		.files = activity.files,
		.queued_jobs = activity.queued_jobs,
		.ended_jobs = activity.ended_jobs,
		.failed_jobs = activity.failed_jobs,
		.missed_deadlines = activity.missed_deadlines,
		.hangs = activity.hangs,
		.faults = activity.faults,
		.resets = activity.resets,
		.now_ns = activity.now_ns,
	};
}

npu_region_info typed(const npu::RegionInfo &region)
{
	return {
		.size = sizeof(npu_region_info),
		.kind = std::to_underlying(region.kind),
		.residency = region.residency,
		.region_size = region.size,
		.used = region.used,
		.file_used = region.file_used,
		.bandwidth = region.bandwidth,
		.largest_hole = region.largest_hole,
		.pinned = region.pinned,
		.file_pinned = region.file_pinned,
		.pin_limit = region.pin_limit,
		.share = region.share,
		.evictions = region.evictions,
		.moves = region.moves,
		.moved_bytes = region.moved_bytes,
	};
}

npu_limits typed(const npu::Limits &limits)
{
	return {
		.size = sizeof(npu_limits),
		.max_job_bytes = limits.max_job_bytes,
		.max_buffer_size = limits.max_buffer_size,
		.latency_window_ns = limits.latency_window_ns,
		.slice_ns = limits.slice_ns,
		.starve_ns = limits.starve_ns,
		.max_uncut_ns = limits.max_uncut_ns,
		.latency_percent = limits.latency_percent,
		.address_bits = limits.address_bits,
		.max_contexts = limits.max_contexts,
		.max_jobs = limits.max_jobs,
		.max_lanes = limits.max_lanes,
		.max_lane_tasks = limits.max_lane_tasks,
		.max_task_commands = limits.max_task_commands,
		.max_submit_jobs = limits.max_submit_jobs,
		.max_submit_syncs = limits.max_submit_syncs,
		.max_submit_shared = limits.max_submit_shared,
		.max_queued = limits.max_queued,
		.max_guilty = limits.max_guilty,
		.max_user_contexts = limits.max_user_contexts,
		.max_user_jobs = limits.max_user_jobs,
		.max_residency = limits.max_residency,
		.max_label = limits.max_label,
	};
}

npu_features typed(const npu::Features &features)
{
	return {
		.size = sizeof(npu_features),
		.generation = features.generation,
		.features = features.features,
		.buffer_banks = features.buffer_banks,
		.buffer_bank_bytes = features.buffer_bank_bytes,
		.atom_bytes = features.atom_bytes,
		.channel_slice = features.channel_slice,
		.max_size = features.max_size,
		.max_channels = features.max_channels,
		.max_kernels = features.max_kernels,
		.max_kernel_bytes = features.max_kernel_bytes,
		.max_window = features.max_window,
		.max_stride = features.max_stride,
		.max_dilation = features.max_dilation,
		.max_padding = features.max_padding,
		.max_pool_window = features.max_pool_window,
		.table_entries = features.table_entries,
		.command_bytes = features.command_bytes,
		.reserved = 0,
	};
}

} // namespace

int64_t npu_deadline_in(uint64_t ns)
{
	const auto most = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
	const auto duration =
		std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(ns, most)));

	return std::max(npu::Deadline::in(duration).monotonic_ns(), NPU_IMMEDIATELY);
}

const char *npu_error_message(void)
{
	return LastError::of_thread().message();
}

const char *npu_version(void)
{
	return NPU_VERSION;
}

int npu_device_open(const char *path, npu_device **device)
{
	return guarded([&] { return hand_out(npu::Device::open(path ? path : ""), device); },
		       device);
}

void npu_device_free(npu_device *device)
{
	const std::unique_ptr<npu_device> owner(device);
}

int npu_device_fd(const npu_device *device)
{
	return device ? device->device.fd() : -1;
}

int npu_device_get_info(const npu_device *device, npu_device_info *info)
{
	return guarded(
		[&] {
			const npu::DeviceInfo &from = device->device.info();
			npu_device_info value = {};

			copy_name(value.name, from.name);
			value.isa = std::to_underlying(from.isa);
			value.core_count = from.core_count;
			value.region_count = from.region_count;
			value.data_type_count =
				static_cast<std::uint32_t>(device->device.data_types().size());
			value.flags = (from.is_virtual ? NPU_DEVICE_VIRTUAL : 0U) |
				      (from.coherent ? NPU_DEVICE_COHERENT : 0U) |
				      (from.direct ? NPU_DEVICE_DIRECT : 0U) |
				      (from.counts_macs ? NPU_DEVICE_COUNTS_MACS : 0U) |
				      (from.counts_bytes ? NPU_DEVICE_COUNTS_BYTES : 0U) |
				      (from.counts_stalls ? NPU_DEVICE_COUNTS_STALLS : 0U);
			value.hw_version = from.hw_version;
			return give_checked(value, info);
		},
		device, info);
}

int npu_device_get_core(const npu_device *device, uint32_t index, npu_core_info *info)
{
	return guarded(
		[&] {
			auto cores = device->device.query_cores();

			if (!cores)
				return failed(std::move(cores.error()));
			if (index >= cores->size())
				return refused(ENOENT, "there is no such core");
			return give_checked(typed((*cores)[index]), info);
		},
		device, info);
}

int npu_device_get_region(const npu_device *device, uint32_t index, npu_region_info *info)
{
	return guarded(
		[&] {
			auto regions = device->device.regions();

			if (!regions)
				return failed(std::move(regions.error()));
			if (index >= regions->size())
				return refused(ENOENT, "there is no such memory region");
			return give_checked(typed((*regions)[index]), info);
		},
		device, info);
}

int npu_device_get_activity(const npu_device *device, npu_activity *activity)
{
	return guarded(
		[&] {
			auto known = device->device.activity();

			if (!known)
				return failed(std::move(known.error()));
			return give_checked(typed(*known), activity);
		},
		device, activity);
}

int npu_device_get_limits(const npu_device *device, npu_limits *limits)
{
	return guarded([&] { return give_checked(typed(device->device.limits()), limits); }, device,
		       limits);
}

int npu_device_get_features(const npu_device *device, npu_features *features)
{
	return guarded([&] { return give_checked(typed(device->device.features()), features); },
		       device, features);
}

int npu_device_get_data_types(const npu_device *device, uint32_t index, npu_data_types *types)
{
	return guarded(
		[&] {
			const auto &known = device->device.data_types();

			if (index >= known.size())
				return refused(ENOENT, "there are no such data types");
			return give_checked({.size = sizeof(npu_data_types),
					     .operand = std::to_underlying(known[index].operand),
					     .result = std::to_underlying(known[index].result),
					     .kernel_group = known[index].kernel_group,
					     .depthwise_group = known[index].depthwise_group},
					    types);
		},
		device, types);
}
