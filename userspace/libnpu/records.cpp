/* SPDX-License-Identifier: MIT */
#include "records.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "npu/context.h"

namespace npu
{

namespace
{

/// Whether an enumerator of the library has the value of the kernel's.
constexpr bool same(auto ours, auto theirs)
{
	return static_cast<std::uint32_t>(ours) == static_cast<std::uint32_t>(theirs);
}

static_assert(same(Isa::rknn, DRM_NPU_ISA_RKNN));
static_assert(same(RegionKind::system, DRM_NPU_REGION_SYSTEM));
static_assert(same(RegionKind::sram, DRM_NPU_REGION_SRAM));
static_assert(same(Feature::convolution, DRM_NPU_FEATURE_CONVOLUTION));
static_assert(same(Feature::depthwise, DRM_NPU_FEATURE_DEPTHWISE));
static_assert(same(Feature::deconvolution, DRM_NPU_FEATURE_DECONVOLUTION));
static_assert(same(Feature::image, DRM_NPU_FEATURE_IMAGE));
static_assert(same(Feature::elementwise, DRM_NPU_FEATURE_ELEMENTWISE));
static_assert(same(Feature::standalone, DRM_NPU_FEATURE_STANDALONE));
static_assert(same(Feature::table, DRM_NPU_FEATURE_TABLE));
static_assert(same(Feature::pooling, DRM_NPU_FEATURE_POOLING));
static_assert(same(DataType::int4, DRM_NPU_DATA_TYPE_INT4));
static_assert(same(DataType::int8, DRM_NPU_DATA_TYPE_INT8));
static_assert(same(DataType::int16, DRM_NPU_DATA_TYPE_INT16));
static_assert(same(DataType::int32, DRM_NPU_DATA_TYPE_INT32));
static_assert(same(DataType::fp16, DRM_NPU_DATA_TYPE_FP16));
static_assert(same(DataType::bf16, DRM_NPU_DATA_TYPE_BF16));
static_assert(same(DataType::tf32, DRM_NPU_DATA_TYPE_TF32));
static_assert(same(DataType::fp32, DRM_NPU_DATA_TYPE_FP32));
static_assert(same(Residency::none, DRM_NPU_RESIDENCY_NONE));
static_assert(same(Residency::prefer, DRM_NPU_RESIDENCY_PREFER));
static_assert(same(Residency::pin, DRM_NPU_RESIDENCY_PIN));
static_assert(same(SchedClass::throughput, DRM_NPU_CLASS_THROUGHPUT));
static_assert(same(SchedClass::latency, DRM_NPU_CLASS_LATENCY));
static_assert(same(SchedClass::background, DRM_NPU_CLASS_BACKGROUND));
static_assert(same(Context::default_weight, DRM_NPU_WEIGHT_DEFAULT));
static_assert(same(Context::max_weight, DRM_NPU_WEIGHT_MAX));

} // namespace

DeviceInfo typed(const drm_npu_query_device &record)
{
	return {
		.name = {std::begin(record.name), std::ranges::find(record.name, '\0')},
		.isa = Isa(record.isa),
		.core_count = record.core_count,
		.region_count = record.region_count,
		.is_virtual = (record.flags & DRM_NPU_DEVICE_VIRTUAL) != 0,
		.coherent = (record.flags & DRM_NPU_DEVICE_COHERENT) != 0,
		.direct = (record.flags & DRM_NPU_DEVICE_DIRECT) != 0,
		.counts_macs = (record.counters & DRM_NPU_COUNTER_MACS) != 0,
		.counts_bytes = (record.counters & DRM_NPU_COUNTER_BYTES) != 0,
		.counts_stalls = (record.counters & DRM_NPU_COUNTER_STALLS) != 0,
		.hw_version = record.hw_version,
	};
}

CoreInfo typed(const drm_npu_query_core &record)
{
	return {
		.clock_hz = record.clock_hz,
		.int8_macs_per_cycle = record.int8_macs_per_cycle,
		.fp16_macs_per_cycle = record.fp16_macs_per_cycle,
		.buffer_bytes = record.buffer_bytes,
		.bandwidth = record.bandwidth,
		.busy_ns = record.busy_ns,
		.slices = record.slices,
	};
}

ActivityInfo typed(const drm_npu_query_activity &record)
{
	return {
		.files = record.files,
		.queued_jobs = record.queued_jobs,
		.ended_jobs = record.ended_jobs,
		.failed_jobs = record.failed_jobs,
		.missed_deadlines = record.missed_deadlines,
		.hangs = record.hangs,
		.faults = record.faults,
		.resets = record.resets,
		.now_ns = record.now_ns,
	};
}

RegionInfo typed(const drm_npu_query_region &record)
{
	return {
		.kind = RegionKind(record.kind),
		.residency = (record.flags & DRM_NPU_REGION_RESIDENCY) != 0,
		.size = record.size,
		.used = record.used,
		.file_used = record.file_used,
		.bandwidth = record.bandwidth,
		.largest_hole = record.largest_hole,
		.pinned = record.pinned,
		.file_pinned = record.file_pinned,
		.pin_limit = record.pin_limit,
		.share = record.share,
		.evictions = record.evictions,
		.moves = record.moves,
		.moved_bytes = record.moved_bytes,
	};
}

Limits typed(const drm_npu_query_limits &record)
{
	return {
		.address_bits = record.address_bits,
		.max_contexts = record.max_contexts,
		.max_jobs = record.max_jobs,
		.max_lanes = record.max_lanes,
		.max_lane_tasks = record.max_lane_tasks,
		.max_task_commands = record.max_task_commands,
		.max_submit_jobs = record.max_submit_jobs,
		.max_submit_syncs = record.max_submit_syncs,
		.max_submit_shared = record.max_submit_shared,
		.max_queued = record.max_queued,
		.max_guilty = record.max_guilty,
		.max_job_bytes = record.max_job_bytes,
		.max_buffer_size = record.max_buffer_size,
		.latency_percent = record.latency_percent,
		.latency_window_ns = record.latency_window_ns,
		.slice_ns = record.slice_ns,
		.starve_ns = record.starve_ns,
		.max_uncut_ns = record.max_uncut_ns,
		.max_user_contexts = record.max_user_contexts,
		.max_user_jobs = record.max_user_jobs,
		.max_residency = record.max_residency,
		.max_label = record.max_label,
	};
}

Features typed(const drm_npu_query_features &record)
{
	return {
		.generation = record.generation,
		.features = record.features,
		.buffer_banks = record.buffer_banks,
		.buffer_bank_bytes = record.buffer_bank_bytes,
		.atom_bytes = record.atom_bytes,
		.channel_slice = record.channel_slice,
		.max_size = record.max_size,
		.max_channels = record.max_channels,
		.max_kernels = record.max_kernels,
		.max_kernel_bytes = record.max_kernel_bytes,
		.max_window = record.max_window,
		.max_stride = record.max_stride,
		.max_dilation = record.max_dilation,
		.max_padding = record.max_padding,
		.max_pool_window = record.max_pool_window,
		.table_entries = record.table_entries,
		.command_bytes = record.command_bytes,
	};
}

DataTypes typed(const drm_npu_query_data_type &record)
{
	return {
		.operand = DataType(record.operand),
		.result = DataType(record.result),
		.kernel_group = record.kernel_group,
		.depthwise_group = record.depthwise_group,
	};
}

BufferInfo typed(const drm_npu_query_buffer &record)
{
	return {
		.size = record.size,
		.address = record.address,
		.region = record.region,
		.read_only = (record.flags & DRM_NPU_BO_READ_ONLY) != 0,
		.shared = (record.flags & DRM_NPU_BO_SHARED) != 0,
		.cached = (record.flags & DRM_NPU_BO_CACHED) != 0,
		.residency = Residency(static_cast<std::uint8_t>(record.residency)),
		.priority = record.priority,
		.asked_region = record.asked_region,
	};
}

ContextStatistics typed(const drm_npu_query_context &record)
{
	return {
		.submitted_seqno = record.submitted_seqno,
		.completed_seqno = record.completed_seqno,
		.failed_seqno = record.failed_seqno,
		.failed_jobs = record.failed_jobs,
		.failed_errno = static_cast<int>(record.failed_errno),
		.core_mask = record.core_mask,
		.max_queued = record.max_queued,
		.banned = (record.flags & DRM_NPU_CONTEXT_BANNED) != 0,
		.guilty_jobs = record.guilty_jobs,
		.sched_class = SchedClass(record.sched_class),
		.granted_class = SchedClass(record.granted_class),
		.weight = record.weight,
		.granted_weight = record.granted_weight,
		.device_ns = record.device_ns,
		.busy_ns = record.busy_ns,
		.tasks = record.tasks,
		.read_bytes = record.read_bytes,
		.written_bytes = record.written_bytes,
		.sram_bytes = record.sram_bytes,
		.slices = record.slices,
		.missed_deadlines = record.missed_deadlines,
	};
}

} // namespace npu
