/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * User space interface of the accel-npu driver.
 */

#ifndef _UAPI_NPU_ACCEL_H_
#define _UAPI_NPU_ACCEL_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: introduction
 *
 * A neural processing unit is driven through four kinds of object, all of
 * them private to the open file that created them:
 *
 * - a *buffer* is a GEM handle. It has a device address that holds for the
 *   buffer's whole life and an offset for mmap().
 * - a *job* is an immutable program: up to one *lane* a core, each lane a list
 *   of *tasks*, each task a command stream. JOB_CREATE copies and verifies the
 *   streams and links the tasks of a lane, so that a lane costs one start and
 *   one interrupt however many tasks it has.
 * - a *context* is an ordered queue. The jobs of a context run one after the
 *   other, the lanes of a job and different contexts run side by side. Each
 *   submitted job has a *sequence number* in its context, counted from 1.
 * - a *syncobj* (DRM core), binary or timeline, orders work with everything
 *   else. Nothing is ordered implicitly, except that work on a buffer which was
 *   imported or exported (PRIME) waits for, and adds to, that buffer's fences.
 *   (Of the buffers of a job of mainline's SUBMIT only those it lists count.)
 *
 * A whole client in pseudo code::
 *
 *	QUERY(LIMITS)                         -> what fits
 *	BO_CREATE { .size = 4096 }            -> handle, address, mmap_offset
 *	mmap(fd, mmap_offset), fill it
 *	CONTEXT_CREATE { .core_mask = 0 }     -> context_id, page_offset
 *	JOB_CREATE { .lanes = { { .tasks = { { .commands, .command_count,
 *				.enable } } } } }  -> job_id
 *	JOB_SUBMIT { .context_id, .jobs = { { job_id } },
 *		     .out_syncs = { { syncobj } } } -> seqno
 *	SYNCOBJ_WAIT
 *	JOB_WAIT { .context_id, .seqno }      -> state, error, times
 *	JOB_DESTROY, CONTEXT_DESTROY, GEM_CLOSE
 *
 * A submit without syncobjs is the cheapest. Its end can be awaited with
 * JOB_WAIT, or without any call by reading the context's completion page::
 *
 *	page = mmap(PROT_READ, fd, page_offset)
 *	JOB_SUBMIT { .context_id, .jobs = { { job_id }, { job_id } } } -> seqno
 *	while (load_acquire(page->completed_seqno) < seqno)
 *		pause, and after a while JOB_WAIT { .context_id, .seqno,
 *						    .timeout_ns = never }
 *
 * To stop what is no longer wanted, and to know when a buffer is free again::
 *
 *	JOB_CANCEL { .context_id, .first_seqno = seqno, .last_seqno = seqno }
 *	BO_WAIT { .handle, .timeout_ns = now + 1 s }
 *
 * A buffer of another driver (udmabuf, a dma-heap, a camera) is used so::
 *
 *	PRIME_FD_TO_HANDLE { .fd }            -> handle; EOPNOTSUPP if the
 *					device cannot reach such memory
 *	QUERY(BUFFER) { .index = handle }     -> address, size
 */

/**
 * DOC: rules
 *
 * - Unknown flags, and padding or reserved fields that are not zero, are
 *   refused with EINVAL. Counts are checked against the limits that
 *   &DRM_NPU_QUERY_LIMITS reports before anything is allocated.
 * - A call that fails changes nothing: no object is created, no job queued, no
 *   syncobj touched. The exception is EFAULT because the argument itself cannot
 *   be written back.
 * - Every call answers ENODEV once the device is gone, EFAULT for an address
 *   that cannot be read or written, ENOMEM when memory is exhausted, and EINTR
 *   when a signal arrives while it waits.
 * - Times are nanoseconds; the clock is CLOCK_MONOTONIC unless stated.
 */

/**
 * DOC: ABI rules
 *
 * This is version 1 of the interface. It is for whoever adds to it.
 *
 * What never changes: the number of an ioctl but for the size in it, the values of
 * types of records, enumerators and flags; size, offset and meaning of a field that
 * there is; that a call which succeeded with some arguments succeeds with them.
 *
 * What may be added, and how older kernels and clients take it:
 *
 * - *A field at the end of the argument of an ioctl.* The DRM core takes calls of any
 *   size: it pads what an older client passes with zeros, and ignores what a newer one
 *   passes beyond the size that the kernel knows. So 0 must mean what there was before
 *   the field, and QUERY must tell whether the kernel looks at it.
 * - *A field at the end of a record of QUERY.* Both sides say the size they know;
 *   0 must mean "not known".
 * - *A field at the end of an element of an array.* Elements carry their size, the
 *   stride. Bytes beyond what the kernel knows must be zero (E2BIG), and there are at
 *   most 4096.
 * - *A flag, an enumerator or a type of record.* Older kernels answer EINVAL. A field
 *   that is zero today, @pad and @reserved, may become one of these.
 * - *A kind of memory region, a dialect, a reason of refusal.* Clients must take
 *   values that they do not know as "other".
 * - *An ioctl.* Older kernels answer EINVAL for it.
 * - *A limit.* Limits may be raised. A client asks QUERY and compiles none in.
 * - *Entries of completion pages*, as &struct drm_npu_context_page tells.
 *
 * Structs have fixed-size types only, the same layout for 32 and 64 bit clients, and no
 * padding that is not a member; pointers are __u64, and there are no unions and no bit
 * fields. New structs follow that. `make lint` compares all layouts and constants with
 * layout.txt beside this header; a commit that changes that file says which of the
 * above it is.
 *
 * Errors of calls that a client got wrong are no part of the interface: a later kernel
 * may accept what an older one refuses.
 *
 * DRM driver name and version, and ioctls below 0x20, belong to the family of chips and
 * not to this interface: what a device is and does, QUERY tells. What this header says
 * of a family is in the section of that family.
 */

/**
 * DOC: RKNN
 *
 * What is particular to devices whose &drm_npu_query_device.isa is
 * %DRM_NPU_ISA_RKNN, the NPUs of Rockchip's RK3588 and its relatives:
 *
 * - A command is a word of 64 bits: the target in bits 63 to 48, the value in bits 47
 *   to 16, the register in bits 15 to 0.
 * - The kernel appends the link to the next task and the word that starts the blocks,
 *   so that a stream takes four words more than it has commands, rounded up to 64
 *   bytes. &drm_npu_task.enable is the value of PC_OPERATION_ENABLE.
 * - Device addresses have 32 bits.
 * - The DRM driver is named "rocket" and is of version 0, as mainline's, whose calls
 *   0x00 to 0x03 are there (rocket_accel.h).
 */

/**
 * DOC: memory of the user's own
 *
 * Memory that a program has already, such as a model file in a memfd, is used where it
 * is, without a copy, through udmabuf::
 *
 *	memfd = memfd_create(name, MFD_ALLOW_SEALING)
 *	fill it, or read a file into it
 *	fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK)
 *	udmabuf = open("/dev/udmabuf")
 *	ioctl(udmabuf, UDMABUF_CREATE, { .memfd, .offset, .size }) -> dma-buf
 *	PRIME_FD_TO_HANDLE { .fd = dma-buf }  -> handle
 *	QUERY(BUFFER) { .index = handle }     -> address, size
 *
 * Offset and size are whole pages. The pages stay in memory for as long as the buffer
 * lives, and are charged to whoever made the memfd; udmabuf limits the size of each
 * buffer (its parameter size_limit_mb, 64 at first), so large files take several. The
 * buffer is shared, so jobs on it wait for its fences, and it never moves to the chip.
 * The CPU's accesses are enclosed by DMA_BUF_IOCTL_SYNC. Pages of anonymous memory, and
 * a mapping of a file that is not in a memfd, cannot be imported: the kernel could
 * neither keep them in place nor charge for them.
 */

#define DRM_NPU_QUERY			0x20
#define DRM_NPU_BO_CREATE		0x21
#define DRM_NPU_CONTEXT_CREATE		0x22
#define DRM_NPU_CONTEXT_DESTROY		0x23
#define DRM_NPU_JOB_CREATE		0x24
#define DRM_NPU_JOB_DESTROY		0x25
#define DRM_NPU_JOB_SUBMIT		0x26
#define DRM_NPU_JOB_WAIT		0x27
#define DRM_NPU_JOB_CANCEL		0x28
#define DRM_NPU_BO_WAIT			0x29
#define DRM_NPU_BO_RESIDENCY		0x2a
#define DRM_NPU_CONTEXT_SET		0x2b
#define DRM_NPU_BO_SYNC			0x2c

/**
 * enum drm_npu_query_type - what %DRM_IOCTL_NPU_QUERY reports
 */
enum drm_npu_query_type {
	/** @DRM_NPU_QUERY_DEVICE: &struct drm_npu_query_device; index is 0. */
	DRM_NPU_QUERY_DEVICE = 0,
	/** @DRM_NPU_QUERY_CORE: &struct drm_npu_query_core of core index. */
	DRM_NPU_QUERY_CORE = 1,
	/** @DRM_NPU_QUERY_REGION: &struct drm_npu_query_region of region index. */
	DRM_NPU_QUERY_REGION = 2,
	/** @DRM_NPU_QUERY_LIMITS: &struct drm_npu_query_limits; index is 0. */
	DRM_NPU_QUERY_LIMITS = 3,
	/** @DRM_NPU_QUERY_CONTEXT: &struct drm_npu_query_context of context index. */
	DRM_NPU_QUERY_CONTEXT = 4,
	/** @DRM_NPU_QUERY_BUFFER: &struct drm_npu_query_buffer of GEM handle index. */
	DRM_NPU_QUERY_BUFFER = 5,
	/** @DRM_NPU_QUERY_FEATURES: &struct drm_npu_query_features; index is 0. */
	DRM_NPU_QUERY_FEATURES = 6,
	/**
	 * @DRM_NPU_QUERY_DATA_TYPE: &struct drm_npu_query_data_type; index counts
	 * from 0 to &drm_npu_query_features.data_type_count less 1.
	 */
	DRM_NPU_QUERY_DATA_TYPE = 7,
	/**
	 * @DRM_NPU_QUERY_REGISTER: &struct drm_npu_query_register of register
	 * index, in the numbers of &drm_npu_job_create.fault_register.
	 */
	DRM_NPU_QUERY_REGISTER = 8,
	/** @DRM_NPU_QUERY_ACTIVITY: &struct drm_npu_query_activity; index is 0. */
	DRM_NPU_QUERY_ACTIVITY = 9,
};

/**
 * struct drm_npu_query - argument of %DRM_IOCTL_NPU_QUERY
 *
 * With @size 0 nothing is written to @data, and @size returns the size of the
 * record that this kernel knows. Otherwise up to @size bytes are written; what
 * the kernel does not know is filled with zeros, and @size returns the number
 * of bytes that carry information.
 *
 * Errors: EINVAL for an unknown @type or a @pad that is not zero; ENOENT for
 * an @index that does not exist; E2BIG for a @size above 4096.
 */
struct drm_npu_query {
	/** @type: In: a &enum drm_npu_query_type. */
	__u32 type;
	/** @index: In: which core, region, context, buffer or register. */
	__u32 index;
	/** @size: In: bytes at @data. Out: bytes the record has. */
	__u32 size;
	/** @pad: Must be zero. */
	__u32 pad;
	/** @data: In: user pointer to the record. */
	__u64 data;
};

/** define DRM_NPU_DEVICE_VIRTUAL - a software model computes, not silicon */
#define DRM_NPU_DEVICE_VIRTUAL		(1 << 0)
/** define DRM_NPU_DEVICE_COHERENT - the device sees the CPU's caches */
#define DRM_NPU_DEVICE_COHERENT		(1 << 1)
/**
 * define DRM_NPU_DEVICE_DIRECT - there is no IOMMU, so each buffer is one piece of
 * memory, and only such memory can be imported
 */
#define DRM_NPU_DEVICE_DIRECT		(1 << 2)

/**
 * enum drm_npu_isa - command stream dialects
 */
enum drm_npu_isa {
	/** @DRM_NPU_ISA_RKNN: Rockchip RKNN as in the RK3588: 64 bit register writes. */
	DRM_NPU_ISA_RKNN = 0,
};

/** define DRM_NPU_COUNTER_MACS - &drm_npu_job_wait.macs is counted */
#define DRM_NPU_COUNTER_MACS		(1 << 0)
/**
 * define DRM_NPU_COUNTER_BYTES - &drm_npu_job_wait.read_bytes, @written_bytes and
 * @sram_bytes are counted
 */
#define DRM_NPU_COUNTER_BYTES		(1 << 1)
/**
 * define DRM_NPU_COUNTER_STALLS - &drm_npu_job_wait.start_ns, @memory_stall_ns and
 * @sram_stall_ns are counted
 */
#define DRM_NPU_COUNTER_STALLS		(1 << 2)

/**
 * struct drm_npu_query_device - what the device is
 */
struct drm_npu_query_device {
	/** @name: Name of the hardware, ends with a zero byte. */
	char name[32];
	/** @isa: The dialect of its command streams, a &enum drm_npu_isa. */
	__u32 isa;
	/** @core_count: Number of cores; core indices are 0 to core_count - 1. */
	__u32 core_count;
	/** @region_count: Number of memory regions; region 0 is system memory. */
	__u32 region_count;
	/**
	 * @flags: %DRM_NPU_DEVICE_VIRTUAL, %DRM_NPU_DEVICE_COHERENT and
	 * %DRM_NPU_DEVICE_DIRECT.
	 */
	__u32 flags;
	/** @hw_version: The version register of core 0, 0 if there is none. */
	__u64 hw_version;
	/**
	 * @counters: What is counted of each job: %DRM_NPU_COUNTER_MACS,
	 * %DRM_NPU_COUNTER_BYTES and %DRM_NPU_COUNTER_STALLS. The fields of others
	 * are 0.
	 */
	__u32 counters;
	/** @pad: Zero. */
	__u32 pad;
};

/**
 * struct drm_npu_query_core - one core
 */
struct drm_npu_query_core {
	/** @clock_hz: Present clock in Hz; 0 if not known. */
	__u64 clock_hz;
	/** @int8_macs_per_cycle: Peak int8 multiply-accumulates a clock cycle. */
	__u32 int8_macs_per_cycle;
	/** @fp16_macs_per_cycle: Peak fp16 multiply-accumulates a clock cycle. */
	__u32 fp16_macs_per_cycle;
	/** @buffer_bytes: Size of the core's private convolution buffer. */
	__u32 buffer_bytes;
	/** @pad: Zero. */
	__u32 pad;
	/** @bandwidth: Peak bytes a second this core alone reads; 0 if not known. */
	__u64 bandwidth;
	/**
	 * @busy_ns: Device time, see &struct drm_npu_query_context, of all slices of
	 * all files that have ended on this core.
	 */
	__u64 busy_ns;
	/** @slices: Number of these slices. */
	__u64 slices;
};

/**
 * struct drm_npu_query_activity - what the device has done, for all files
 *
 * For monitors: two records, and the time between them, give rates. Counters begin
 * with 0 when the device appears.
 */
struct drm_npu_query_activity {
	/** @files: Open files of the device, that of the caller included. */
	__u64 files;
	/** @queued_jobs: Jobs that were submitted and have not ended. */
	__u64 queued_jobs;
	/** @ended_jobs: Jobs that ended without an error. */
	__u64 ended_jobs;
	/** @failed_jobs: Jobs that ended with an error. */
	__u64 failed_jobs;
	/** @missed_deadlines: Jobs that had not ended at their deadline. */
	__u64 missed_deadlines;
	/** @hangs: Slices that made no progress in time. */
	__u64 hangs;
	/** @faults: Slices that used an address which is not mapped for them. */
	__u64 faults;
	/** @resets: Resets of cores, whatever the reason. */
	__u64 resets;
	/**
	 * @now_ns: The present time of the clock that the driver takes the times of
	 * jobs from: CLOCK_MONOTONIC, unless a virtual device has a clock of its own.
	 */
	__u64 now_ns;
};

/** define DRM_NPU_FEATURE_CONVOLUTION - convolutions and matrix multiplication */
#define DRM_NPU_FEATURE_CONVOLUTION	(1 << 0)
/** define DRM_NPU_FEATURE_DEPTHWISE - convolutions of each channel by itself */
#define DRM_NPU_FEATURE_DEPTHWISE	(1 << 1)
/** define DRM_NPU_FEATURE_DECONVOLUTION - transposed convolutions */
#define DRM_NPU_FEATURE_DECONVOLUTION	(1 << 2)
/** define DRM_NPU_FEATURE_IMAGE - input of 1 to 4 channels in packed pixels */
#define DRM_NPU_FEATURE_IMAGE		(1 << 3)
/** define DRM_NPU_FEATURE_ELEMENTWISE - operands from memory on convolutions' results */
#define DRM_NPU_FEATURE_ELEMENTWISE	(1 << 4)
/** define DRM_NPU_FEATURE_STANDALONE - operations on tensors in memory, no convolution */
#define DRM_NPU_FEATURE_STANDALONE	(1 << 5)
/** define DRM_NPU_FEATURE_TABLE - functions by lookup table with interpolation */
#define DRM_NPU_FEATURE_TABLE		(1 << 6)
/** define DRM_NPU_FEATURE_POOLING - maximum, minimum and average pooling */
#define DRM_NPU_FEATURE_POOLING		(1 << 7)

/**
 * struct drm_npu_query_features - what the command streams of a device can ask for
 *
 * A field that is 0 says that the device has no such thing or no such limit. Most
 * limits hold for one task; larger operations are split into several.
 */
struct drm_npu_query_features {
	/**
	 * @generation: Generation of the chip, in the numbers of the dialect. For
	 * %DRM_NPU_ISA_RKNN 3588 for the RK3588 and chips with its registers.
	 */
	__u32 generation;
	/** @features: %DRM_NPU_FEATURE_CONVOLUTION and others. */
	__u32 features;
	/** @data_type_count: Number of &struct drm_npu_query_data_type records. */
	__u32 data_type_count;
	/** @buffer_banks: Banks of a core's convolution buffer. */
	__u32 buffer_banks;
	/** @buffer_bank_bytes: Bytes of a bank. */
	__u32 buffer_bank_bytes;
	/** @atom_bytes: Bytes of a pixel's channels that lie together in memory. */
	__u32 atom_bytes;
	/** @channel_slice: Input channels that weights are laid out by. */
	__u32 channel_slice;
	/** @max_size: Most columns, and most rows, of an input or output. */
	__u32 max_size;
	/** @max_channels: Most input channels; K of a matrix multiplication. */
	__u32 max_channels;
	/** @max_kernels: Most kernels; N of a matrix multiplication. */
	__u32 max_kernels;
	/** @max_kernel_bytes: Most bytes of the weights of a kernel. */
	__u32 max_kernel_bytes;
	/** @max_window: Most columns, and most rows, of a kernel. */
	__u32 max_window;
	/** @max_stride: Largest step from one window to the next. */
	__u32 max_stride;
	/** @max_dilation: Largest step from one tap of a kernel to the next. */
	__u32 max_dilation;
	/** @max_padding: Most padding before the first column or row. */
	__u32 max_padding;
	/** @max_pool_window: Most columns, and most rows, of a pooling window. */
	__u32 max_pool_window;
	/** @table_entries: Entries of each of the two halves of a lookup table. */
	__u32 table_entries;
	/** @command_bytes: Bytes of a command: 1, 2, 4 or 8. */
	__u32 command_bytes;
};

/**
 * enum drm_npu_data_type - types of numbers
 */
enum drm_npu_data_type {
	/** @DRM_NPU_DATA_TYPE_INT4: Integers of 4 bits, two's complement. */
	DRM_NPU_DATA_TYPE_INT4 = 0,
	/** @DRM_NPU_DATA_TYPE_INT8: Integers of 8 bits. */
	DRM_NPU_DATA_TYPE_INT8 = 1,
	/** @DRM_NPU_DATA_TYPE_INT16: Integers of 16 bits. */
	DRM_NPU_DATA_TYPE_INT16 = 2,
	/** @DRM_NPU_DATA_TYPE_INT32: Integers of 32 bits. */
	DRM_NPU_DATA_TYPE_INT32 = 3,
	/** @DRM_NPU_DATA_TYPE_FP16: IEEE 754 binary16. */
	DRM_NPU_DATA_TYPE_FP16 = 4,
	/** @DRM_NPU_DATA_TYPE_BF16: The upper half of a binary32. */
	DRM_NPU_DATA_TYPE_BF16 = 5,
	/** @DRM_NPU_DATA_TYPE_TF32: Binary32 of which 10 bits of mantissa count. */
	DRM_NPU_DATA_TYPE_TF32 = 6,
	/** @DRM_NPU_DATA_TYPE_FP32: IEEE 754 binary32. */
	DRM_NPU_DATA_TYPE_FP32 = 7,
};

/**
 * struct drm_npu_query_data_type - types that a convolution can have
 */
struct drm_npu_query_data_type {
	/** @operand: The &enum drm_npu_data_type of features and weights. */
	__u32 operand;
	/** @result: The &enum drm_npu_data_type of the results. */
	__u32 result;
	/** @kernel_group: Kernels that are computed side by side. */
	__u32 kernel_group;
	/**
	 * @depthwise_group: Channels that a depthwise convolution computes side
	 * by side; 0 if there is none of these types.
	 */
	__u32 depthwise_group;
};

/**
 * struct drm_npu_query_register - names of a register, for messages
 */
struct drm_npu_query_register {
	/** @block: Name of the block that has it, ends with a zero byte. */
	char block[16];
	/**
	 * @name: Name of the register within the block, ends with a zero byte;
	 * empty if the kernel knows none.
	 */
	char name[32];
};

/**
 * enum drm_npu_region_kind - kinds of memory
 *
 * A region is named by its index everywhere, never by its kind: a device may have
 * several regions of a kind, or of kinds that a client does not know.
 */
enum drm_npu_region_kind {
	/** @DRM_NPU_REGION_SYSTEM: System memory (DRAM). */
	DRM_NPU_REGION_SYSTEM = 0,
	/** @DRM_NPU_REGION_SRAM: Memory on the chip, shared by all cores. */
	DRM_NPU_REGION_SRAM = 1,
};

/**
 * define DRM_NPU_REGION_RESIDENCY - buffers can be asked to be in the region, with
 * BO_CREATE, BO_RESIDENCY and JOB_CREATE
 */
#define DRM_NPU_REGION_RESIDENCY	(1 << 0)

/**
 * struct drm_npu_query_region - one memory region
 */
struct drm_npu_query_region {
	/** @kind: A &enum drm_npu_region_kind. */
	__u32 kind;
	/** @flags: %DRM_NPU_REGION_RESIDENCY or 0. */
	__u32 flags;
	/** @size: Bytes in the region. */
	__u64 size;
	/**
	 * @used: Bytes held by this device's buffers and jobs, of all clients. A
	 * buffer that is in on-chip memory also counts as system memory, where
	 * its place is kept.
	 */
	__u64 used;
	/**
	 * @file_used: Bytes of this file's buffers and jobs, imported buffers
	 * included, which are not in @used.
	 */
	__u64 file_used;
	/** @bandwidth: Bytes a second all cores together get; 0 if not known. */
	__u64 bandwidth;
	/**
	 * @largest_hole: Bytes of the largest free range; 0 for system memory.
	 * Buffers need not be in one piece.
	 */
	__u64 largest_hole;
	/** @pinned: Bytes of @used that are pinned. */
	__u64 pinned;
	/** @file_pinned: Bytes of @file_used that are pinned. */
	__u64 file_pinned;
	/**
	 * @pin_limit: Bytes that a file without CAP_SYS_RESOURCE may pin, if
	 * others leave so much.
	 */
	__u64 pin_limit;
	/**
	 * @share: Bytes that each active file which wants some can have, whatever
	 * the others prefer. A file is active if it has run something lately, or
	 * has just asked for its first buffer.
	 */
	__u64 share;
	/** @evictions: Buffers that had to leave for others. */
	__u64 evictions;
	/** @moves: Times that a buffer has moved in or out. */
	__u64 moves;
	/** @moved_bytes: Bytes copied by them. */
	__u64 moved_bytes;
};

/**
 * struct drm_npu_query_limits - bounds that calls are checked against
 */
struct drm_npu_query_limits {
	/** @address_bits: Width of a device address. */
	__u32 address_bits;
	/**
	 * @max_contexts: Contexts a file may have, destroyed ones that still have
	 * a job which has begun included.
	 */
	__u32 max_contexts;
	/** @max_jobs: Jobs a file may have. */
	__u32 max_jobs;
	/** @max_lanes: Lanes a job may have. */
	__u32 max_lanes;
	/** @max_lane_tasks: Tasks a lane may have. */
	__u32 max_lane_tasks;
	/** @max_task_commands: Commands a task may have. */
	__u32 max_task_commands;
	/** @max_submit_jobs: Jobs a submit may have. */
	__u32 max_submit_jobs;
	/** @max_submit_syncs: In-syncs, and out-syncs, that a submit may have. */
	__u32 max_submit_syncs;
	/** @max_queued: Jobs that a context may have unfinished at a time. */
	__u32 max_queued;
	/** @max_guilty: Jobs of a file that may hang or fault until it is banned. */
	__u32 max_guilty;
	/**
	 * @max_job_bytes: Bytes of commands a job may have, both as its author
	 * and as the kernel writes them. Each task counts as the memory that its
	 * stream takes with what the kernel appends.
	 */
	__u64 max_job_bytes;
	/** @max_buffer_size: Bytes a buffer may have. */
	__u64 max_buffer_size;
	/** @max_submit_shared: Different shared buffers that a submit may use. */
	__u32 max_submit_shared;
	/** @latency_percent: Share of the device for unprivileged latency work. */
	__u32 latency_percent;
	/** @slice_ns: Device time that a core is given at a time; 0: no limit. */
	__u64 slice_ns;
	/** @starve_ns: How long better classes may keep work waiting. */
	__u64 starve_ns;
	/** @latency_window_ns: Over how long @latency_percent is counted. */
	__u64 latency_window_ns;
	/**
	 * @max_uncut_ns: Modelled device time, at the fastest clock of such
	 * hardware, of consecutive tasks that reuse data on the chip, and of a
	 * single task; 0: no limit.
	 */
	__u64 max_uncut_ns;
	/**
	 * @max_user_contexts: Contexts that all files of a user may have together,
	 * of those created without CAP_SYS_NICE. All users together may have twice
	 * as many.
	 */
	__u32 max_user_contexts;
	/** @max_user_jobs: Unfinished jobs in such contexts, likewise. */
	__u32 max_user_jobs;
	/**
	 * @max_residency: Buffers and jobs of a file that may prefer a region on the
	 * chip or be pinned in it, for each region; 0 without on-chip memory.
	 */
	__u32 max_residency;
	/**
	 * @max_label: Bytes of &drm_npu_job_create.label, the zero byte included; 0
	 * if the kernel does not look at it.
	 */
	__u32 max_label;
};

/** define DRM_NPU_CONTEXT_BANNED - the file is banned, the context takes no more jobs */
#define DRM_NPU_CONTEXT_BANNED		(1 << 0)

/**
 * enum drm_npu_class - what matters to the jobs of a context
 *
 * A core is given at most a slice of a job, &drm_npu_query_limits.slice_ns of
 * device time, one task at least. Then it goes on with the best of what waits:
 * first by class; then by deadline, if the job was submitted with one and its
 * file is not far ahead of its share; then by fair share, of files by the largest
 * weight that they use, and of contexts of a file by their weights. Work that has
 * waited for &drm_npu_query_limits.starve_ns for better classes gets a slice.
 */
enum drm_npu_class {
	/** @DRM_NPU_CLASS_THROUGHPUT: Work done in the long run; the default. */
	DRM_NPU_CLASS_THROUGHPUT = 0,
	/**
	 * @DRM_NPU_CLASS_LATENCY: Short work that is to end soon. It goes first,
	 * keeps the device awake and its clock up. Files that submit such work
	 * without CAP_SYS_NICE share &drm_npu_query_limits.latency_percent of the
	 * device equally, counted over a window. A file without such work in the
	 * present and the last window has no part in it. Files that exceed their
	 * part are demoted to throughput until the debt is repaid.
	 */
	DRM_NPU_CLASS_LATENCY = 1,
	/** @DRM_NPU_CLASS_BACKGROUND: What others leave; raises no clock. */
	DRM_NPU_CLASS_BACKGROUND = 2,
};

/** define DRM_NPU_WEIGHT_DEFAULT - weight of a context that asks for none */
#define DRM_NPU_WEIGHT_DEFAULT		100
/** define DRM_NPU_WEIGHT_MAX - the largest weight; see &drm_npu_context_create */
#define DRM_NPU_WEIGHT_MAX		10000

/**
 * struct drm_npu_query_context - state and statistics of a context
 *
 * Device time is what the hardware took from start to interrupt; on a virtual
 * device it is the modelled time of the hardware, not the time of the host; of
 * a lane that is stopped it is the time that has passed meanwhile.
 */
struct drm_npu_query_context {
	/** @submitted_seqno: Sequence number of the newest job submitted. */
	__u64 submitted_seqno;
	/** @completed_seqno: All jobs up to this one have ended, well or not. */
	__u64 completed_seqno;
	/** @failed_seqno: The newest job that ended with an error, 0 if none. */
	__u64 failed_seqno;
	/** @failed_jobs: Number of jobs that ended with an error. */
	__u64 failed_jobs;
	/** @failed_errno: Positive errno of @failed_seqno, 0 if none. */
	__u32 failed_errno;
	/** @core_mask: Cores the context may use. */
	__u32 core_mask;
	/** @device_ns: Device time of all jobs, the longest lane of each. */
	__u64 device_ns;
	/** @busy_ns: Device time of all lanes of all jobs. */
	__u64 busy_ns;
	/** @tasks: Tasks of all lanes that ended well. */
	__u64 tasks;
	/**
	 * @read_bytes: Bytes that lanes which ended well have read; 0 where the
	 * device does not count.
	 */
	__u64 read_bytes;
	/** @written_bytes: Bytes that they have written. */
	__u64 written_bytes;
	/** @flags: %DRM_NPU_CONTEXT_BANNED or 0. */
	__u32 flags;
	/** @sched_class: The &enum drm_npu_class that was asked for. */
	__u32 sched_class;
	/** @guilty_jobs: Jobs that hung or faulted. */
	__u32 guilty_jobs;
	/** @max_queued: Jobs that may be unfinished at a time. */
	__u32 max_queued;
	/** @sram_bytes: Bytes of @read_bytes and @written_bytes on the chip. */
	__u64 sram_bytes;
	/** @weight: The weight that was asked for. */
	__u32 weight;
	/** @granted_class: The class that it has at present. */
	__u32 granted_class;
	/** @granted_weight: The weight that it has. */
	__u32 granted_weight;
	/** @pad: Zero. */
	__u32 pad;
	/** @slices: How often a core was started for it. */
	__u64 slices;
	/** @missed_deadlines: Jobs that had not ended at their deadline. */
	__u64 missed_deadlines;
};

/**
 * struct drm_npu_query_buffer - a buffer of this file
 */
struct drm_npu_query_buffer {
	/** @size: Bytes. */
	__u64 size;
	/** @address: Device address. */
	__u64 address;
	/**
	 * @mmap_offset: Offset for mmap() of the device file; 0 for a buffer of
	 * another device, which is mapped through its dma-buf.
	 */
	__u64 mmap_offset;
	/** @region: Index of the memory region that it is in at present. */
	__u32 region;
	/**
	 * @flags: %DRM_NPU_BO_READ_ONLY, %DRM_NPU_BO_SHARED and
	 * %DRM_NPU_BO_CACHED.
	 */
	__u32 flags;
	/** @residency: Its &enum drm_npu_residency. */
	__u32 residency;
	/** @priority: Its priority among what the file prefers. */
	__u32 priority;
	/** @asked_region: Index of the region that @residency is about. */
	__u32 asked_region;
	/** @pad: Zero. */
	__u32 pad;
};

/** define DRM_NPU_BO_READ_ONLY - the device may read the buffer only */
#define DRM_NPU_BO_READ_ONLY		(1 << 0)
/**
 * define DRM_NPU_BO_SHARED - was imported, or exported with whatever result; only
 * reported
 */
#define DRM_NPU_BO_SHARED		(1 << 1)

/**
 * define DRM_NPU_BO_PIN - only if it can be pinned in its region, which must be
 * on the chip
 */
#define DRM_NPU_BO_PIN			(1 << 2)
/** define DRM_NPU_BO_CACHED - the CPU sees the buffer through its caches */
#define DRM_NPU_BO_CACHED		(1 << 3)

/**
 * struct drm_npu_bo_create - argument of %DRM_IOCTL_NPU_BO_CREATE
 *
 * The buffer is filled with zeros and mapped in the device's address space
 * until its handle is closed (%DRM_IOCTL_GEM_CLOSE) and no job refers to it.
 *
 * Errors: EINVAL for @size 0, a @region that does not exist, unknown @flags,
 * %DRM_NPU_BO_PIN for system memory or @pad not zero; E2BIG for a @size above
 * &drm_npu_query_limits.max_buffer_size; ENOMEM also when there is no piece of memory
 * of that size for a device with %DRM_NPU_DEVICE_DIRECT; ENOSPC when the device's
 * address space has no hole of that size, the buffer is larger than the region, or
 * cannot be pinned.
 */
struct drm_npu_bo_create {
	/** @size: In: bytes wanted. Out: bytes given, rounded up to pages. */
	__u64 size;
	/**
	 * @flags: In: %DRM_NPU_BO_READ_ONLY, %DRM_NPU_BO_PIN, %DRM_NPU_BO_CACHED
	 * or 0.
	 */
	__u32 flags;
	/**
	 * @region: In: index of the memory region, 0 for system memory. For
	 * another, which is to have %DRM_NPU_REGION_RESIDENCY, it is as if
	 * %DRM_NPU_RESIDENCY_PREFER or, with %DRM_NPU_BO_PIN,
	 * %DRM_NPU_RESIDENCY_PIN with priority 0 was asked for at once.
	 */
	__u32 region;
	/** @handle: Out: GEM handle, never 0. */
	__u32 handle;
	/** @pad: Must be zero. */
	__u32 pad;
	/** @address: Out: device address. */
	__u64 address;
	/** @mmap_offset: Out: offset for mmap() of the device file. */
	__u64 mmap_offset;
};

/**
 * enum drm_npu_residency - what is asked for a buffer
 */
enum drm_npu_residency {
	/** @DRM_NPU_RESIDENCY_NONE: To be in system memory. */
	DRM_NPU_RESIDENCY_NONE = 0,
	/**
	 * @DRM_NPU_RESIDENCY_PREFER: To be on the chip while there is room. It
	 * moves in soon, and after it had to leave again as soon as it fits.
	 */
	DRM_NPU_RESIDENCY_PREFER = 1,
	/** @DRM_NPU_RESIDENCY_PIN: To be on the chip, and to stay. */
	DRM_NPU_RESIDENCY_PIN = 2,
};

/**
 * struct drm_npu_bo_residency - argument of %DRM_IOCTL_NPU_BO_RESIDENCY
 *
 * Says where a buffer is to be. Its device address and what is in it do not
 * change, and mappings of it stay valid. It moves between slices only: the kernel
 * waits for the slices of the file that run, and starts no other meanwhile.
 *
 * %DRM_NPU_RESIDENCY_PREFER returns at once, the others when the buffer is
 * where it is to be. What is preferred makes room for what is pinned by anybody.
 * Among what is preferred, a buffer within its file's share
 * (&drm_npu_query_region.share, or nothing while the file runs nothing) takes the
 * place of buffers of files that have more than theirs; one beyond it only if their
 * priority is lower. It also takes
 * the place of buffers of its own file with lower priority and, beyond the
 * share, of those with equal priority that were asked for earlier. Those of files
 * with more than their share leave first; of them, those of files that run nothing,
 * then that with the lowest priority, then that of the file which has the most,
 * then that which was asked for first.
 *
 * It ends when the last handle is closed and no job refers to the buffer. A
 * buffer that is exported goes to system memory, and stays there.
 *
 * Where the kernel has the dmem controller, the control group of the caller is
 * charged for a buffer, as drm/<device>/sram, or sram2 for the second region on the
 * chip, for as long as it is preferred or pinned. What it has no room for cannot be
 * pinned (ENOSPC); preferring that succeeds and changes nothing: the buffer is to
 * be asked for again when the group has room. From Linux 7.3 on, lowering dmem.max
 * of a group below what it uses makes the kernel give up buffers that are preferred
 * at its cost, as %DRM_NPU_RESIDENCY_NONE does: those in system memory first, then
 * those of lower priority, then those that were asked for earlier. Pinned ones
 * stay.
 *
 * Errors: EINVAL for an unknown @residency, a @priority above 255, a @region
 * without %DRM_NPU_REGION_RESIDENCY, or @pad not zero; ENOENT for a @handle that
 * does not exist; EOPNOTSUPP for a device without on-chip memory; EBUSY for a
 * shared buffer, and for one that is wanted in another region, which it has to be
 * given up for first, with %DRM_NPU_RESIDENCY_NONE; ENOSPC for a pinned one for
 * which there is no room, also because of &drm_npu_query_region.pin_limit or the
 * control group, for a preferred one that is larger than the region, and beyond
 * &drm_npu_query_limits.max_residency buffers of a file; EINTR when a signal arrives
 * before the buffer has moved. After an error all is as before.
 */
struct drm_npu_bo_residency {
	/** @handle: In: GEM handle. */
	__u32 handle;
	/** @residency: In: a &enum drm_npu_residency. */
	__u32 residency;
	/**
	 * @region: In: index of the region, which has %DRM_NPU_REGION_RESIDENCY.
	 * With %DRM_NPU_RESIDENCY_NONE the buffer leaves whichever it is in.
	 */
	__u32 region;
	/** @priority: In: 0 to 255; what is higher leaves later. */
	__u32 priority;
	/** @pad: Must be zero. */
	__u64 pad;
};

/**
 * DOC: caches
 *
 * A device that is %DRM_NPU_DEVICE_COHERENT sees what the CPU has in its caches,
 * and the reverse. On others a user mapping is of one of two kinds, chosen when the
 * buffer is created:
 *
 * - without %DRM_NPU_BO_CACHED it is *write-combined*. The CPU's writes reach
 *   memory by themselves, at the latest when a job is submitted; its reads come
 *   from memory, one by one, and are slow. There is nothing to hand over.
 * - with %DRM_NPU_BO_CACHED reads and writes are as fast as of any memory, and
 *   %DRM_IOCTL_NPU_BO_SYNC hands ranges over: %DRM_NPU_SYNC_FOR_DEVICE after the
 *   CPU's writes and before a job is submitted that reads or overwrites them;
 *   %DRM_NPU_SYNC_FOR_CPU after a job that writes to the range has ended, and
 *   before the CPU reads it or writes beside what the job wrote. Without that a
 *   side sees old data, and what one writes may be lost if the other writes to the
 *   same cache line (64 bytes), but no other buffer is affected.
 *
 * A new buffer belongs to the device, all of its zeros in memory. On the chip both
 * kinds are write-combined; moves of a buffer between memories preserve what either
 * side has written. Code that uses caches correctly is correct on every device, as
 * the call does nothing where there is nothing to do.
 *
 * A buffer that was imported is cached as its exporter says, and mapped through its
 * dma-buf: DMA_BUF_IOCTL_SYNC of that descriptor hands it over, and BO_SYNC answers
 * EOPNOTSUPP. One that was exported is still handed over with BO_SYNC.
 *
 * Buffers of mainline rocket's CREATE_BO are cached; its PREP_BO is
 * %DRM_NPU_SYNC_FOR_CPU of the whole buffer after a wait, its FINI_BO is
 * %DRM_NPU_SYNC_FOR_DEVICE.
 */

/**
 * enum drm_npu_sync_direction - who uses a range of a buffer next
 */
enum drm_npu_sync_direction {
	/** @DRM_NPU_SYNC_FOR_CPU: The CPU. */
	DRM_NPU_SYNC_FOR_CPU = 0,
	/** @DRM_NPU_SYNC_FOR_DEVICE: The device. */
	DRM_NPU_SYNC_FOR_DEVICE = 1,
};

/**
 * struct drm_npu_bo_sync - argument of %DRM_IOCTL_NPU_BO_SYNC
 *
 * Hands a range of a buffer with %DRM_NPU_BO_CACHED to the CPU or to the device; see
 * "caches". It waits for no job. Succeeds and does nothing for other buffers, and on
 * devices that are coherent.
 *
 * Errors: EINVAL for an unknown @direction, @pad not zero, @length 0 or a range that
 * is not inside the buffer; ENOENT for a @handle that does not exist; EOPNOTSUPP for
 * a buffer that was imported.
 */
struct drm_npu_bo_sync {
	/** @handle: In: GEM handle. */
	__u32 handle;
	/** @direction: In: a &enum drm_npu_sync_direction. */
	__u32 direction;
	/** @offset: In: first byte of the range. */
	__u64 offset;
	/** @length: In: bytes of the range. */
	__u64 length;
	/** @pad: Must be zero. */
	__u64 pad;
};

/**
 * struct drm_npu_context_create - argument of %DRM_IOCTL_NPU_CONTEXT_CREATE
 *
 * A file whose jobs hang or fault &drm_npu_query_limits.max_guilty times is banned:
 * what its contexts have queued and not begun ends with ECANCELED, and they take no
 * more. Other files of the device are not affected.
 *
 * Errors: EINVAL for a @core_mask with a core that does not exist, a
 * @max_queued above the limit, an unknown @sched_class, a @weight above
 * %DRM_NPU_WEIGHT_MAX, or @flags not zero; ENOSPC when the file has
 * &drm_npu_query_limits.max_contexts contexts, or its user
 * &drm_npu_query_limits.max_user_contexts; EIO when it is banned.
 */
struct drm_npu_context_create {
	/** @flags: Must be zero. */
	__u32 flags;
	/** @core_mask: In: cores to use, one bit each; 0 means all. */
	__u32 core_mask;
	/** @max_queued: In: unfinished jobs at a time; 0 means the limit. */
	__u32 max_queued;
	/** @context_id: Out: id of the context, never 0. */
	__u32 context_id;
	/** @sched_class: In: a &enum drm_npu_class. */
	__u32 sched_class;
	/**
	 * @weight: In: its share, in proportion to others of its class, up to
	 * %DRM_NPU_WEIGHT_MAX; 0 means %DRM_NPU_WEIGHT_DEFAULT, and without
	 * CAP_SYS_NICE no more than that is granted.
	 */
	__u32 weight;
	/**
	 * @page_offset: Out: offset for mmap() of the device file that maps the
	 * context's &struct drm_npu_context_page. Mapping it for writing answers
	 * EACCES, and it stays readable after the context has gone.
	 */
	__u64 page_offset;
};

/**
 * struct drm_npu_page_job - a job in a &struct drm_npu_context_page
 */
struct drm_npu_page_job {
	/**
	 * @seqno: Sequence number of the job described; 0 while the kernel
	 * writes, so a reader looks at it before and after the rest.
	 */
	__u64 seqno;
	/** @queued_ns: When it was submitted. */
	__u64 queued_ns;
	/** @started_ns: When its first lane was started; 0 if it never was. */
	__u64 started_ns;
	/** @ended_ns: When its last lane ended. */
	__u64 ended_ns;
	/** @device_ns: Device time, the longest lane. */
	__u64 device_ns;
	/** @error: Positive errno, 0 if it ended well. */
	__u32 error;
	/** @pad: Zero. */
	__u32 pad;
	/** @reserved: Zero. */
	__u64 reserved[2];
};

/** define DRM_NPU_PAGE_JOBS - jobs that a completion page of version 1 tells of */
#define DRM_NPU_PAGE_JOBS		32
/** define DRM_NPU_PAGE_VERSION - version of the completion page described here */
#define DRM_NPU_PAGE_VERSION		1

/**
 * struct drm_npu_context_page - what a client reads without a system call
 *
 * Whatever the version, the first 64 bytes are as here. Entry i of the jobs is at
 * byte @jobs_offset + i * @job_stride; job s is in entry s % @job_count. A later
 * kernel may have more entries, or longer ones whose first 64 bytes are as here, and
 * then says so in these fields; @version changes only when a reader of this one
 * would misunderstand the page, and such a reader uses JOB_WAIT instead.
 *
 * Loads of 64 bits are whole for a 64 bit client. Others, and whoever wants several
 * fields of one moment, read so, with a barrier (acquire) where there is a semicolon::
 *
 *	do {
 *		before = sequence;
 *		read fields;
 *		after = sequence;
 *	} while (before != after || before is odd);
 */
struct drm_npu_context_page {
	/**
	 * @completed_seqno: All jobs up to this one have ended, well or not, and
	 * what they wrote is visible. Written last.
	 */
	__u64 completed_seqno;
	/** @failed_seqno: The newest job that ended with an error, 0 if none. */
	__u64 failed_seqno;
	/** @flags: %DRM_NPU_CONTEXT_BANNED or 0. */
	__u32 flags;
	/** @sequence: Odd while the kernel writes, another number afterwards. */
	__u32 sequence;
	/** @version: %DRM_NPU_PAGE_VERSION. */
	__u32 version;
	/** @job_count: Entries of @jobs. */
	__u32 job_count;
	/** @job_stride: Bytes from one entry to the next. */
	__u32 job_stride;
	/** @jobs_offset: Bytes from the start of the page to the first entry. */
	__u32 jobs_offset;
	/** @reserved: Zero. */
	__u64 reserved[3];
	/** @jobs: The newest jobs that ended, as version 1 has them. */
	struct drm_npu_page_job jobs[DRM_NPU_PAGE_JOBS];
};

/**
 * struct drm_npu_context_destroy - argument of %DRM_IOCTL_NPU_CONTEXT_DESTROY
 *
 * Jobs of the context that have not started end with ECANCELED; those that run
 * are left to end. The call does not wait for them.
 *
 * Errors: ENOENT for an id that does not exist; EINVAL for @pad not zero.
 */
struct drm_npu_context_destroy {
	/** @context_id: In: id of the context. */
	__u32 context_id;
	/** @pad: Must be zero. */
	__u32 pad;
};

/** define DRM_NPU_CONTEXT_SET_CLASS - set the class */
#define DRM_NPU_CONTEXT_SET_CLASS	(1 << 0)
/** define DRM_NPU_CONTEXT_SET_WEIGHT - set the weight */
#define DRM_NPU_CONTEXT_SET_WEIGHT	(1 << 1)

/**
 * struct drm_npu_context_set - argument of %DRM_IOCTL_NPU_CONTEXT_SET
 *
 * Gives a context another class, another weight or both. It holds for all that a
 * core has not been given yet, the rest of a job that runs included. Privileges
 * are those of the caller.
 *
 * Errors: ENOENT for an id that does not exist; EINVAL for @flags that are 0 or
 * unknown, an unknown @sched_class, a @weight above %DRM_NPU_WEIGHT_MAX, and a
 * field that is not zero without its flag.
 */
struct drm_npu_context_set {
	/** @context_id: In: id of the context. */
	__u32 context_id;
	/** @flags: In: %DRM_NPU_CONTEXT_SET_CLASS, %DRM_NPU_CONTEXT_SET_WEIGHT. */
	__u32 flags;
	/** @sched_class: In: a &enum drm_npu_class. */
	__u32 sched_class;
	/** @weight: In: as in &drm_npu_context_create.weight. */
	__u32 weight;
};

/**
 * struct drm_npu_task - a command stream
 *
 * The stream holds the commands of the device's dialect, without what links and starts
 * tasks, which the kernel adds.
 */
struct drm_npu_task {
	/**
	 * @commands: User pointer to commands, each of
	 * &drm_npu_query_features.command_bytes bytes.
	 */
	__u64 commands;
	/** @command_count: Number of commands, at least 1. */
	__u32 command_count;
	/** @enable: Which hardware blocks to start, as the dialect has it. */
	__u32 enable;
	/** @flags: Must be zero. */
	__u32 flags;
	/**
	 * @cost_ns: Estimate of its device time; 0 if not known. What the kernel
	 * measures, and what the stream takes at the hardware's peak, count more.
	 */
	__u32 cost_ns;
};

/**
 * struct drm_npu_lane - tasks that run on one core, in order
 */
struct drm_npu_lane {
	/** @tasks: User pointer to an array of &struct drm_npu_task. */
	__u64 tasks;
	/** @task_count: Number of tasks, at least 1. */
	__u32 task_count;
	/** @task_stride: Bytes from one task to the next. */
	__u32 task_stride;
};

/**
 * struct drm_npu_job_create - argument of %DRM_IOCTL_NPU_JOB_CREATE
 *
 * The streams are copied; later changes to user memory have no effect. Every
 * word is verified: the register must be known and open to clients, its value
 * within the hardware's bounds, addresses inside buffers of this file (which
 * the device may write to if the stream does), sizes such that all blocks
 * agree, and on-chip data may be reused only from the task right before in the
 * same lane. The job keeps the buffers that its streams address alive and mapped.
 *
 * The device is not given the words of the stream, but all registers of the blocks
 * that the task starts: those that the stream writes, and the rest as tasks before
 * it in the lane have left them, or as after a reset. For %DRM_NPU_ISA_RKNN
 * registers come in two groups, which alternate with the tasks that start a block,
 * unless the lane has written 0 or 0x30 to the block's S_POINTER; a task inherits
 * from the one before that had the same group. Lookup tables are what the lane has
 * written to them, and zeros elsewhere. Words of zeros and of target 0x0001, links,
 * and the word that precedes a start mean nothing and are skipped.
 *
 * The kernel cannot take a core away within a task, or between tasks that reuse
 * data on the chip. So what such tasks take together is limited, see
 * %DRM_NPU_FAULT_UNCUT.
 *
 * With a @region other than 0 the kernel's copy of the streams counts as a buffer of
 * the file for which %DRM_NPU_RESIDENCY_PREFER with priority 0 is asked for there; it
 * comes and goes as others do, until the job is gone.
 *
 * Errors: EINVAL for a stream that is refused (@fault_lane, @fault_task and
 * @fault_command then say where), for a count of 0, a stride that is too small
 * or not a multiple of 8, a @region that does not exist, a @label with control
 * characters, and flags or padding not
 * zero; E2BIG for a count or @label
 * above its limit or more commands than &drm_npu_query_limits.max_job_bytes;
 * ENOSPC when the file has &drm_npu_query_limits.max_jobs
 * jobs or no room in its address space, or the streams are larger than the region;
 * EOPNOTSUPP for a @region other than 0 without on-chip memory.
 */
struct drm_npu_job_create {
	/** @lanes: In: user pointer to an array of &struct drm_npu_lane. */
	__u64 lanes;
	/** @lane_count: In: number of lanes, at least 1. */
	__u32 lane_count;
	/** @lane_stride: In: bytes from one lane to the next. */
	__u32 lane_stride;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @job_id: Out: id of the job, never 0. */
	__u32 job_id;
	/** @fault_lane: Out, on EINVAL: lane of the stream that was refused. */
	__u32 fault_lane;
	/** @fault_task: Out, on EINVAL: its task. */
	__u32 fault_task;
	/**
	 * @fault_command: Out, on EINVAL: the command, or the command count if
	 * the stream as a whole was refused.
	 */
	__u32 fault_command;
	/**
	 * @fault_reason: Out, on EINVAL: a &enum drm_npu_fault_reason, and
	 * %DRM_NPU_FAULT_NONE if no stream is to blame.
	 */
	__u32 fault_reason;
	/**
	 * @fault_register: Out, on EINVAL: the register that is to blame, in the
	 * numbers of the dialect, or 0. For %DRM_NPU_ISA_RKNN the offset in the
	 * window of a core, of which bits 15 to 12 are the block.
	 * %DRM_NPU_QUERY_REGISTER tells its name.
	 */
	__u32 fault_register;
	/**
	 * @region: In: index of the region where the streams are preferred, which
	 * has %DRM_NPU_REGION_RESIDENCY; 0 for system memory.
	 */
	__u32 region;
	/**
	 * @label: In: user pointer to a name for people, such as that of a layer,
	 * which ends with a zero byte; 0 for none. Trace points and dumps have it.
	 */
	__u64 label;
};

/**
 * enum drm_npu_fault_reason - why a command stream was refused
 */
enum drm_npu_fault_reason {
	/** @DRM_NPU_FAULT_NONE: No stream is to blame. */
	DRM_NPU_FAULT_NONE = 0,
	/** @DRM_NPU_FAULT_TARGET: The command names no known block. */
	DRM_NPU_FAULT_TARGET = 1,
	/** @DRM_NPU_FAULT_REGISTER: The register is unknown or not for clients. */
	DRM_NPU_FAULT_REGISTER = 2,
	/** @DRM_NPU_FAULT_VALUE: The value is out of the register's bounds. */
	DRM_NPU_FAULT_VALUE = 3,
	/** @DRM_NPU_FAULT_ADDRESS: The address is in no buffer of this file. */
	DRM_NPU_FAULT_ADDRESS = 4,
	/** @DRM_NPU_FAULT_REUSE: On-chip data is reused that is not there. */
	DRM_NPU_FAULT_REUSE = 5,
	/** @DRM_NPU_FAULT_MISSING: The lane has not written an address that is used. */
	DRM_NPU_FAULT_MISSING = 6,
	/** @DRM_NPU_FAULT_ENABLE: No such set of blocks can be started. */
	DRM_NPU_FAULT_ENABLE = 7,
	/**
	 * @DRM_NPU_FAULT_SHAPE: The blocks do not agree about sizes or types, or
	 * who feeds whom; the command is one of those that differ.
	 */
	DRM_NPU_FAULT_SHAPE = 8,
	/**
	 * @DRM_NPU_FAULT_UNCUT: The task, with the tasks before it whose data on
	 * the chip it reuses, takes longer than
	 * &drm_npu_query_limits.max_uncut_ns at the hardware's peak.
	 */
	DRM_NPU_FAULT_UNCUT = 9,
};

/**
 * struct drm_npu_job_destroy - argument of %DRM_IOCTL_NPU_JOB_DESTROY
 *
 * Submits of the job that have not ended go on.
 *
 * Errors: ENOENT for an id that does not exist; EINVAL for @pad not zero.
 */
struct drm_npu_job_destroy {
	/** @job_id: In: id of the job. */
	__u32 job_id;
	/** @pad: Must be zero. */
	__u32 pad;
};

/**
 * struct drm_npu_sync - a syncobj to wait for or to signal
 */
struct drm_npu_sync {
	/** @handle: Handle of a syncobj. */
	__u32 handle;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @point: Point of a timeline syncobj; 0 for a binary one. */
	__u64 point;
};

/**
 * struct drm_npu_submit_job - a job of a submit
 */
struct drm_npu_submit_job {
	/** @job_id: Id of the job. */
	__u32 job_id;
	/** @flags: Must be zero. */
	__u32 flags;
};

/**
 * struct drm_npu_job_submit - argument of %DRM_IOCTL_NPU_JOB_SUBMIT
 *
 * Queues the jobs, in their order, behind all that the context has. The first
 * waits for all in-syncs. The out-syncs get a fence that signals when the
 * last has ended, with the error of the first job of the submit that failed.
 * If an in-sync signals with an error, the jobs do not run and, when all
 * in-syncs have signalled, end with that error; a timeline point that had
 * signalled before the submit no longer has one.
 *
 * A job ends with ETIMEDOUT if a lane makes no progress for the device's
 * timeout (10 s on the virtual NPU unless set otherwise), or takes longer
 * than that for each of its tasks, or than 16 times that; with EFAULT if it
 * reaches memory that is not mapped, EOPNOTSUPP if a virtual device does not
 * model what it asks for, EIO if the device cannot run it, ECANCELED if it
 * was cancelled or its context destroyed or banned, and ENODEV if the device
 * went away. Other jobs of the context go on. Of buffers that are shared the
 * implicit fences are waited for, without regard to their errors, and the
 * fence is added to them.
 *
 * Errors: ENOENT for an id or a syncobj that does not exist; EINVAL for an
 * in-sync that has no fence yet, a count of 0 jobs, a bad stride, flags or
 * padding not zero; E2BIG for a count above its limit or above the context's
 * &drm_npu_context_create.max_queued, and for too many shared buffers; EBUSY
 * when the context, or its user (&drm_npu_query_limits.max_user_jobs), has no room
 * for the jobs now; EIO when the file is banned.
 */
struct drm_npu_job_submit {
	/** @context_id: In: id of the context. */
	__u32 context_id;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @jobs: In: user pointer to an array of &struct drm_npu_submit_job. */
	__u64 jobs;
	/** @job_count: In: number of jobs, at least 1. */
	__u32 job_count;
	/** @job_stride: In: bytes from one job to the next. */
	__u32 job_stride;
	/** @in_syncs: In: user pointer to an array of &struct drm_npu_sync. */
	__u64 in_syncs;
	/** @out_syncs: In: user pointer to an array of &struct drm_npu_sync. */
	__u64 out_syncs;
	/** @in_sync_count: In: number of in-syncs, may be 0. */
	__u32 in_sync_count;
	/** @out_sync_count: In: number of out-syncs, may be 0. */
	__u32 out_sync_count;
	/** @sync_stride: In: bytes from one sync to the next, if there are any. */
	__u32 sync_stride;
	/** @pad: Must be zero. */
	__u32 pad;
	/** @seqno: Out: sequence number in the context of the last job. */
	__u64 seqno;
	/**
	 * @deadline_ns: In: until when its jobs should have ended; 0 if it does not
	 * matter. They are not cancelled after it. A deadline that is set on the
	 * fence of an out-sync (SYNC_IOC_SET_DEADLINE, or a wait with
	 * DRM_SYNCOBJ_WAIT_FLAGS_WAIT_DEADLINE) counts as this one if it is
	 * earlier.
	 */
	__u64 deadline_ns;
};

/**
 * enum drm_npu_job_state - how far a submitted job is
 */
enum drm_npu_job_state {
	/** @DRM_NPU_JOB_QUEUED: No lane has started. */
	DRM_NPU_JOB_QUEUED = 0,
	/** @DRM_NPU_JOB_RUNNING: A lane has started. */
	DRM_NPU_JOB_RUNNING = 1,
	/** @DRM_NPU_JOB_ENDED: It has ended, well or not. */
	DRM_NPU_JOB_ENDED = 2,
};

/** define DRM_NPU_JOB_FAULT_TASK - it is known in which tasks a job went wrong */
#define DRM_NPU_JOB_FAULT_TASK		(1 << 0)
/** define DRM_NPU_JOB_FAULT_ADDRESS - it is known which address was refused */
#define DRM_NPU_JOB_FAULT_ADDRESS	(1 << 1)

/**
 * struct drm_npu_job_wait - argument of %DRM_IOCTL_NPU_JOB_WAIT
 *
 * Returns when the job has ended or the time has come, whichever is first,
 * and reports the job's state then; running out of time is no error. Of jobs
 * that have ended at least the newest &drm_npu_context_create.max_queued can
 * be asked for. &drm_npu_query_device.counters tells which counters a device has.
 *
 * Errors: ENOENT for a context that does not exist, and for a @seqno that was
 * not submitted yet or ended too long ago; EINVAL for @flags not zero; EINTR
 * when a signal arrives.
 */
struct drm_npu_job_wait {
	/** @context_id: In: id of the context. */
	__u32 context_id;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @seqno: In: sequence number of the job. */
	__u64 seqno;
	/**
	 * @timeout_ns: In: until when to wait; 0 or any time that has passed
	 * only reports.
	 */
	__s64 timeout_ns;
	/** @state: Out: a &enum drm_npu_job_state. */
	__u32 state;
	/** @error: Out: positive errno of a job that has ended, 0 if well. */
	__u32 error;
	/** @queued_ns: Out: when it was submitted. */
	__u64 queued_ns;
	/** @started_ns: Out: when its first lane was started, or 0. */
	__u64 started_ns;
	/** @ended_ns: Out: when its last lane ended, or 0. */
	__u64 ended_ns;
	/** @device_ns: Out: device time, the longest lane that has ended. */
	__u64 device_ns;
	/**
	 * @fault_flags: Out: for a job that has ended, %DRM_NPU_JOB_FAULT_TASK if a
	 * lane of it hung, faulted or could not be run, and
	 * %DRM_NPU_JOB_FAULT_ADDRESS; the fields below are zero without them.
	 */
	__u32 fault_flags;
	/** @fault_lane: Out: the lane that went wrong first. */
	__u32 fault_lane;
	/**
	 * @fault_task: Out: its task that went wrong, or the first of
	 * @fault_task_count of which one did, where the device does not tell.
	 */
	__u32 fault_task;
	/** @fault_task_count: Out: number of those tasks. */
	__u32 fault_task_count;
	/** @fault_address: Out: the device address that was refused. */
	__u64 fault_address;
	/**
	 * @macs: Out: multiply-accumulates of all tasks, which the kernel has counted
	 * in the streams.
	 */
	__u64 macs;
	/** @read_bytes: Out: bytes that its slices so far have read. */
	__u64 read_bytes;
	/** @written_bytes: Out: bytes that they have written. */
	__u64 written_bytes;
	/** @sram_bytes: Out: bytes of both that were on the chip. */
	__u64 sram_bytes;
	/**
	 * @start_ns: Out: device time of all lanes that start-up and drain of tasks
	 * have taken.
	 */
	__u64 start_ns;
	/** @memory_stall_ns: Out: the same of waits for system memory. */
	__u64 memory_stall_ns;
	/** @sram_stall_ns: Out: the same of waits for on-chip memory. */
	__u64 sram_stall_ns;
	/** @core_mask: Out: cores that its slices so far have run on, a bit each. */
	__u32 core_mask;
	/** @pad: Out: zero. */
	__u32 pad;
};

/**
 * struct drm_npu_job_cancel - argument of %DRM_IOCTL_NPU_JOB_CANCEL
 *
 * Jobs that have not started end with ECANCELED when their turn comes, without
 * waiting for in-syncs. Of those that run the slices that cores have are left to
 * end, no others are started, and the jobs end with ECANCELED; the call does not
 * wait for it. Where slices have no limit (&drm_npu_query_limits.slice_ns is 0), long
 * ones are stopped. Jobs that have ended are left alone.
 *
 * Errors: ENOENT for a context that does not exist, and for a @last_seqno that
 * was not submitted yet; EINVAL for @first_seqno 0 or above @last_seqno, and
 * for @flags or @pad not zero.
 */
struct drm_npu_job_cancel {
	/** @context_id: In: id of the context. */
	__u32 context_id;
	/** @flags: Must be zero. */
	__u32 flags;
	/** @first_seqno: In: first job to cancel. */
	__u64 first_seqno;
	/** @last_seqno: In: last job to cancel. */
	__u64 last_seqno;
	/** @cancelled: Out: jobs of the range that had not ended. */
	__u32 cancelled;
	/** @pad: Must be zero. */
	__u32 pad;
};

/** define DRM_NPU_BO_WAIT_WRITES - wait only for work that writes */
#define DRM_NPU_BO_WAIT_WRITES		(1 << 0)

/**
 * struct drm_npu_bo_wait - argument of %DRM_IOCTL_NPU_BO_WAIT
 *
 * Waits until no job of this file that was submitted before the call uses the
 * buffer and, if it is shared, until the fences it has now have signalled.
 *
 * Errors: ENOENT for a @handle that does not exist; EINVAL for unknown @flags;
 * EBUSY when the buffer is in use and @timeout_ns has passed already; ETIMEDOUT
 * when it still is at @timeout_ns; EINTR when a signal arrives.
 */
struct drm_npu_bo_wait {
	/** @handle: In: GEM handle. */
	__u32 handle;
	/** @flags: In: %DRM_NPU_BO_WAIT_WRITES or 0. */
	__u32 flags;
	/** @timeout_ns: In: until when to wait. */
	__s64 timeout_ns;
};

/**
 * DOC: ioctls
 *
 * %DRM_IOCTL_NPU_QUERY reports facts and statistics.
 * %DRM_IOCTL_NPU_BO_CREATE makes a buffer.
 * %DRM_IOCTL_NPU_CONTEXT_CREATE and %DRM_IOCTL_NPU_CONTEXT_DESTROY make and end
 * a queue.
 * %DRM_IOCTL_NPU_JOB_CREATE and %DRM_IOCTL_NPU_JOB_DESTROY make and end a
 * program.
 * %DRM_IOCTL_NPU_JOB_SUBMIT queues programs.
 * %DRM_IOCTL_NPU_JOB_WAIT waits for one and tells how it ended.
 * %DRM_IOCTL_NPU_JOB_CANCEL stops some.
 * %DRM_IOCTL_NPU_BO_WAIT waits until a buffer is free.
 * %DRM_IOCTL_NPU_BO_SYNC hands a buffer to the CPU or to the device.
 * %DRM_IOCTL_NPU_CONTEXT_SET changes the class and the weight of a queue.
 *
 * The four calls of mainline's rocket driver, 0x00 to 0x03, are there too; see
 * rocket_accel.h.
 */
#define DRM_IOCTL_NPU_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_QUERY, struct drm_npu_query)
#define DRM_IOCTL_NPU_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_CREATE, struct drm_npu_bo_create)
#define DRM_IOCTL_NPU_CONTEXT_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_CREATE, \
		 struct drm_npu_context_create)
#define DRM_IOCTL_NPU_CONTEXT_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_DESTROY, \
		struct drm_npu_context_destroy)
#define DRM_IOCTL_NPU_JOB_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_JOB_CREATE, struct drm_npu_job_create)
#define DRM_IOCTL_NPU_JOB_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_JOB_DESTROY, struct drm_npu_job_destroy)
#define DRM_IOCTL_NPU_JOB_SUBMIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_JOB_SUBMIT, struct drm_npu_job_submit)
#define DRM_IOCTL_NPU_JOB_WAIT \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_JOB_WAIT, struct drm_npu_job_wait)
#define DRM_IOCTL_NPU_JOB_CANCEL \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_JOB_CANCEL, struct drm_npu_job_cancel)
#define DRM_IOCTL_NPU_BO_WAIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_BO_WAIT, struct drm_npu_bo_wait)
#define DRM_IOCTL_NPU_BO_RESIDENCY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_BO_RESIDENCY, \
		struct drm_npu_bo_residency)
#define DRM_IOCTL_NPU_CONTEXT_SET \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CONTEXT_SET, \
		struct drm_npu_context_set)

#define DRM_IOCTL_NPU_BO_SYNC \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_BO_SYNC, struct drm_npu_bo_sync)

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_NPU_ACCEL_H_ */
