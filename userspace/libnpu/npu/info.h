/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What the kernel reports of a device and its objects.
 *
 * A number that is 0 says that the device has no such thing, no such limit, or does not
 * tell. Values of enumerators that are not named here come from newer kernels; treat
 * them as "other".
 */
#pragma once

#include <cstdint>
#include <string>

#pragma GCC visibility push(default)
namespace npu
{

/// Dialects of command streams.
enum class Isa : std::uint32_t {
	/// Rockchip RKNN as in the RK3588: register writes of 64 bits.
	rknn = 0,
};

/// What a device is.
struct DeviceInfo {
	/// Name of the hardware.
	std::string name;
	/// Dialect of its command streams.
	Isa isa = Isa::rknn;
	/// Number of cores; their indices begin at 0.
	std::uint32_t core_count = 0;
	/// Memory regions; region 0 is system memory.
	std::uint32_t region_count = 0;
	/// A software model computes, not silicon.
	bool is_virtual = false;
	/// The device sees the CPU's caches: no buffer needs to be handed over.
	bool coherent = false;
	/// There is no IOMMU: each buffer is one piece of memory, and only such memory
	/// can be imported.
	bool direct = false;
	/// It counts JobCounters::macs.
	bool counts_macs = false;
	/// It counts JobCounters::read_bytes, written_bytes and sram_bytes.
	bool counts_bytes = false;
	/// It counts JobCounters::start_ns, memory_stall_ns and sram_stall_ns.
	bool counts_stalls = false;
	/// The version register of core 0.
	std::uint64_t hw_version = 0;
};

/// A core.
struct CoreInfo {
	/// Clock in Hz at the time of the query.
	std::uint64_t clock_hz = 0;
	/// Peak int8 multiply-accumulates in a clock cycle.
	std::uint32_t int8_macs_per_cycle = 0;
	/// Peak fp16 multiply-accumulates in a clock cycle.
	std::uint32_t fp16_macs_per_cycle = 0;
	/// Bytes of the core's private convolution buffer.
	std::uint32_t buffer_bytes = 0;
	/// Peak bytes a second that this core alone reads.
	std::uint64_t bandwidth = 0;
	/// Device time, in nanoseconds, of all slices of all files that have ended on this
	/// core.
	std::uint64_t busy_ns = 0;
	/// Number of slices in @ref busy_ns.
	std::uint64_t slices = 0;
};

/// What a device has done since it appeared, for all files.
struct ActivityInfo {
	/// Open files of the device, this one included.
	std::uint64_t files = 0;
	/// Jobs that were submitted and have not ended.
	std::uint64_t queued_jobs = 0;
	/// Jobs that ended without an error.
	std::uint64_t ended_jobs = 0;
	/// Jobs that ended with an error.
	std::uint64_t failed_jobs = 0;
	/// Jobs that had not ended at their deadline.
	std::uint64_t missed_deadlines = 0;
	/// Slices that made no progress in time.
	std::uint64_t hangs = 0;
	/// Slices that used an address which is not mapped for them.
	std::uint64_t faults = 0;
	/// Resets of cores, whatever the reason.
	std::uint64_t resets = 0;
	/// Present time, in nanoseconds, of the clock that the times of jobs come from:
	/// CLOCK_MONOTONIC, unless a virtual device has a clock of its own.
	std::uint64_t now_ns = 0;
};

/// Kinds of memory.
enum class RegionKind : std::uint32_t {
	/// DRAM.
	system = 0,
	/// Memory on the chip, shared by all cores.
	sram = 1,
};

/// A memory region as it is at present. Sizes are bytes; "this file" is the open device.
struct RegionInfo {
	/// Kind of memory.
	RegionKind kind = RegionKind::system;
	/// Buffers can be asked to be in it; see Buffer::set_residency().
	bool residency = false;
	/// Size of the region.
	std::uint64_t size = 0;
	/// Held by buffers and jobs of all clients. A buffer on the chip counts in system
	/// memory too, where its place is kept.
	std::uint64_t used = 0;
	/// Held by this file, imported buffers included, which are not in @ref used.
	std::uint64_t file_used = 0;
	/// Bytes a second that all cores together get.
	std::uint64_t bandwidth = 0;
	/// The largest free range; 0 for system memory.
	std::uint64_t largest_hole = 0;
	/// Part of @ref used that is pinned.
	std::uint64_t pinned = 0;
	/// Part of @ref file_used that is pinned.
	std::uint64_t file_pinned = 0;
	/// What a file without CAP_SYS_RESOURCE may pin, if others leave so much.
	std::uint64_t pin_limit = 0;
	/// What each active file can have, whatever others prefer. A file is active if it has
	/// run something lately, or has just asked for its first buffer.
	std::uint64_t share = 0;
	/// Buffers that had to leave for others.
	std::uint64_t evictions = 0;
	/// Number of times that a buffer has moved in or out.
	std::uint64_t moves = 0;
	/// Bytes copied by these moves.
	std::uint64_t moved_bytes = 0;
};

/// Bounds that calls are checked against.
struct Limits {
	/// Width of a device address in bits.
	std::uint32_t address_bits = 0;
	/// Contexts of an open device. Destroyed ones that still have a job which has begun
	/// count.
	std::uint32_t max_contexts = 0;
	/// Jobs of an open device.
	std::uint32_t max_jobs = 0;
	/// Lanes of a job.
	std::uint32_t max_lanes = 0;
	/// Tasks of a lane.
	std::uint32_t max_lane_tasks = 0;
	/// Commands of a task.
	std::uint32_t max_task_commands = 0;
	/// Jobs of a submit.
	std::uint32_t max_submit_jobs = 0;
	/// In-syncs of a submit, and out-syncs of a submit.
	std::uint32_t max_submit_syncs = 0;
	/// Different shared buffers that a submit may use.
	std::uint32_t max_submit_shared = 0;
	/// Unfinished jobs of a context at a time.
	std::uint32_t max_queued = 0;
	/// Jobs of an open device that may hang or fault until it is banned.
	std::uint32_t max_guilty = 0;
	/// Bytes of commands of a job, both as passed and as the kernel stores them with the
	/// commands that it appends to each task.
	std::uint64_t max_job_bytes = 0;
	/// Bytes of a buffer.
	std::uint64_t max_buffer_size = 0;
	/// Share of the device, in percent, for latency work of all files without CAP_SYS_NICE
	/// together.
	std::uint32_t latency_percent = 0;
	/// Time, in nanoseconds, over which @ref latency_percent is counted.
	std::uint64_t latency_window_ns = 0;
	/// Device time, in nanoseconds, that a core is given at a time; 0: no limit.
	std::uint64_t slice_ns = 0;
	/// How long, in nanoseconds, better classes may keep work waiting.
	std::uint64_t starve_ns = 0;
	/// Modelled device time, in nanoseconds, at the fastest clock of such hardware, of
	/// consecutive tasks that reuse data on the chip, and of a single task; 0: no limit.
	std::uint64_t max_uncut_ns = 0;
	/// Contexts that all files of a user may have together, of those created without
	/// CAP_SYS_NICE. All users together may have twice as many.
	std::uint32_t max_user_contexts = 0;
	/// Unfinished jobs in the contexts that @ref max_user_contexts counts, of a user. All
	/// users together may have twice as many.
	std::uint32_t max_user_jobs = 0;
	/// Buffers and jobs of an open device that may prefer a region on the chip or be pinned
	/// in it, for each region; 0 without on-chip memory.
	std::uint32_t max_residency = 0;
	/// Bytes of a job's label, the zero byte included; 0 if the kernel takes no labels.
	std::uint32_t max_label = 0;
};

/// What a command stream can ask for.
enum class Feature : std::uint32_t {
	/// Convolutions and matrix multiplication.
	convolution = 1U << 0U,
	/// Convolutions of each channel by itself.
	depthwise = 1U << 1U,
	/// Transposed convolutions.
	deconvolution = 1U << 2U,
	/// Input of 1 to 4 channels in packed pixels.
	image = 1U << 3U,
	/// Operands from memory on convolutions' results.
	elementwise = 1U << 4U,
	/// Operations on tensors in memory without a convolution.
	standalone = 1U << 5U,
	/// Functions by lookup table with interpolation.
	table = 1U << 6U,
	/// Maximum, minimum and average pooling.
	pooling = 1U << 7U,
};

/// What command streams of a device can ask for. Most limits hold for one task; larger
/// operations are split into several.
struct Features {
	/// Generation of the chip, in the numbers of the dialect. For RKNN 3588 is the RK3588
	/// and chips with its registers.
	std::uint32_t generation = 0;
	/// The features, a bit each; see has().
	std::uint32_t features = 0;
	/// Banks of a core's convolution buffer.
	std::uint32_t buffer_banks = 0;
	/// Bytes of a bank.
	std::uint32_t buffer_bank_bytes = 0;
	/// Bytes of a pixel's channels that lie together in memory.
	std::uint32_t atom_bytes = 0;
	/// Input channels that weights are laid out by.
	std::uint32_t channel_slice = 0;
	/// Most columns, and most rows, of an input or output.
	std::uint32_t max_size = 0;
	/// Most input channels; K of a matrix multiplication.
	std::uint32_t max_channels = 0;
	/// Most kernels; N of a matrix multiplication.
	std::uint32_t max_kernels = 0;
	/// Most bytes of the weights of a kernel.
	std::uint32_t max_kernel_bytes = 0;
	/// Most columns, and most rows, of a kernel.
	std::uint32_t max_window = 0;
	/// Largest step, in pixels, from one window to the next.
	std::uint32_t max_stride = 0;
	/// Largest step, in pixels, from one tap of a kernel to the next.
	std::uint32_t max_dilation = 0;
	/// Most padding, in pixels, before the first column or row.
	std::uint32_t max_padding = 0;
	/// Most columns, and most rows, of a pooling window.
	std::uint32_t max_pool_window = 0;
	/// Entries of each of the two halves of a lookup table.
	std::uint32_t table_entries = 0;
	/// Bytes of a command: 1, 2, 4 or 8.
	std::uint32_t command_bytes = 0;

	/// Whether command streams can ask for @p feature.
	bool has(Feature feature) const
	{
		return (features & static_cast<std::uint32_t>(feature)) != 0;
	}
};

/// Types of numbers.
enum class DataType : std::uint32_t {
	/// Integers of 4 bits, two's complement.
	int4 = 0,
	/// Integers of 8 bits.
	int8 = 1,
	/// Integers of 16 bits.
	int16 = 2,
	/// Integers of 32 bits.
	int32 = 3,
	/// IEEE 754 binary16.
	fp16 = 4,
	/// The upper half of a binary32.
	bf16 = 5,
	/// Binary32 of which 10 bits of mantissa count.
	tf32 = 6,
	/// IEEE 754 binary32.
	fp32 = 7,
};

/// Types that a convolution can have.
struct DataTypes {
	/// Type of features and weights.
	DataType operand = DataType::int8;
	/// Type of the results.
	DataType result = DataType::int32;
	/// Kernels that are computed side by side.
	std::uint32_t kernel_group = 0;
	/// Channels that a depthwise convolution computes side by side; 0 if there is none.
	std::uint32_t depthwise_group = 0;
};

/// The residency that a buffer asks for.
enum class Residency : std::uint8_t {
	/// To be in system memory.
	none = 0,
	/// To be on the chip while there is room.
	prefer = 1,
	/// To be on the chip, and to stay.
	pin = 2,
};

/// A buffer as it is at present.
struct BufferInfo {
	/// Bytes of the GEM object: all of a dma-buf, also if the Buffer stands for a part of
	/// it.
	std::uint64_t size = 0;
	/// Device address of the GEM object.
	std::uint64_t address = 0;
	/// Index of the region that it is in.
	std::uint32_t region = 0;
	/// The device may read it only.
	bool read_only = false;
	/// It was imported or exported.
	bool shared = false;
	/// The CPU sees it through its caches.
	bool cached = false;
	/// The residency that was last requested for the buffer.
	Residency residency = Residency::none;
	/// 0 to 255; what is higher leaves on-chip memory later.
	std::uint32_t priority = 0;
	/// Index of the region that @ref residency is about.
	std::uint32_t asked_region = 0;
};

/// What matters to the jobs of a context.
enum class SchedClass : std::uint32_t {
	/// Maximise throughput; the default.
	throughput = 0,
	/// Short work with low latency: runs first within its budget of the device.
	latency = 1,
	/// Runs only when nothing else is ready.
	background = 2,
};

/// State and statistics of a context. Device time is what the hardware took from start
/// to interrupt; on a virtual device it is the modelled time of the hardware.
struct ContextStatistics {
	/// The newest job that was submitted.
	std::uint64_t submitted_seqno = 0;
	/// All jobs up to this one have ended, well or not.
	std::uint64_t completed_seqno = 0;
	/// The newest job that ended with an error, 0 if none.
	std::uint64_t failed_seqno = 0;
	/// Number of jobs that ended with an error.
	std::uint64_t failed_jobs = 0;
	/// Positive errno of @ref failed_seqno, 0 if none.
	int failed_errno = 0;
	/// Cores that it may use, one bit each.
	std::uint32_t core_mask = 0;
	/// Jobs that may be unfinished at a time.
	std::uint32_t max_queued = 0;
	/// It takes no more jobs because the open device is banned.
	bool banned = false;
	/// Jobs that hung or faulted.
	std::uint32_t guilty_jobs = 0;
	/// The class that was asked for.
	SchedClass sched_class = SchedClass::throughput;
	/// The class that it has at present.
	SchedClass granted_class = SchedClass::throughput;
	/// The weight that was asked for.
	std::uint32_t weight = 0;
	/// The weight that it has.
	std::uint32_t granted_weight = 0;
	/// Device time of all jobs, in nanoseconds: the longest lane of each.
	std::uint64_t device_ns = 0;
	/// Device time of all lanes of all jobs, in nanoseconds.
	std::uint64_t busy_ns = 0;
	/// Tasks of all lanes that ended well.
	std::uint64_t tasks = 0;
	/// Bytes that lanes which ended well have read; 0 where the device does not count.
	std::uint64_t read_bytes = 0;
	/// Bytes that these lanes have written.
	std::uint64_t written_bytes = 0;
	/// Part of @ref read_bytes and @ref written_bytes that was on the chip.
	std::uint64_t sram_bytes = 0;
	/// How often a core was started for it.
	std::uint64_t slices = 0;
	/// Jobs that had not ended at their deadline.
	std::uint64_t missed_deadlines = 0;
};

} // namespace npu
#pragma GCC visibility pop
