/* SPDX-License-Identifier: MIT */
/**
 * @file
 * libnpu for C and for languages that call C. The objects and their rules, thread safety
 * and fork included, are those of the C++ headers beside this one.
 *
 * Results: functions that can fail return 0 or a negative errno. Functions that wait return
 * NPU_ENDED, NPU_TIMED_OUT or a negative errno: of the job that failed, or of the wait.
 * npu_error_message() then has one line for a person. No C++ exception leaves a function.
 *
 * Objects: each is freed with its _free function, for which NULL is allowed, in any order:
 * they keep what they need of each other. Other functions answer -EINVAL for NULL.
 *
 * Structures: the first member of each is its size, which the caller sets to sizeof, and
 * the rest to zero for defaults: `struct npu_job_status status = { .size = sizeof status };`.
 * Callers of a later version may pass larger ones: bytes that this version does not know
 * must be zero (-E2BIG), and those it returns are zero. Smaller ones than version 1.0 has are
 * refused (-EINVAL), and those above 4096 bytes (-E2BIG). Elements of an array all have the size
 * of the first. A call that fills in a structure sets its size to the bytes that this version
 * knows.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. A deadline is such a time, NPU_NEVER, or
 * NPU_IMMEDIATELY, for which a wait only looks. Numbers that a structure reports are 0 where the
 * device has no such thing, has no such limit, or does not tell.
 */
#ifndef NPU_NPU_H
#define NPU_NPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct npu_device;
struct npu_buffer;
struct npu_access;
struct npu_context;
struct npu_job;
struct npu_page;
struct npu_fence;
struct npu_syncobj;

/** The work has ended well. */
#define NPU_ENDED 0
/** The deadline has come first. */
#define NPU_TIMED_OUT 1

/** No deadline: a wait only ends when what it waits for ends. */
#define NPU_NEVER INT64_MAX
/** A deadline that has passed: a wait only looks. */
#define NPU_IMMEDIATELY INT64_C(1)

/** The time @p ns from now; NPU_NEVER where no clock reaches that far. */
int64_t npu_deadline_in(uint64_t ns);

/** What the last call of this thread says that returned an error or a timeout; empty after
 * one that did not. Never NULL, and valid until the thread's next call. */
const char *npu_error_message(void);

/** Version of the library, such as "1.0.0". */
const char *npu_version(void);

/** @name Devices */
/**@{*/

/** A software model computes, not silicon. */
#define NPU_DEVICE_VIRTUAL (1U << 0)
/** The device sees the CPU's caches. */
#define NPU_DEVICE_COHERENT (1U << 1)
/** There is no IOMMU: each buffer is one piece of memory. */
#define NPU_DEVICE_DIRECT (1U << 2)

/** The device counts npu_job_status::macs. */
#define NPU_DEVICE_COUNTS_MACS (1U << 3)
/** The device counts read_bytes, written_bytes and sram_bytes of npu_job_status. */
#define NPU_DEVICE_COUNTS_BYTES (1U << 4)
/** The device counts start_ns, memory_stall_ns and sram_stall_ns of npu_job_status. */
#define NPU_DEVICE_COUNTS_STALLS (1U << 5)

/** What a device is. */
struct npu_device_info {
	/**
	 * In: sizeof(struct npu_device_info). Out: bytes that this version of the library
	 * knows.
	 */
	size_t size;
	/** Name of the hardware, ends with a zero byte. */
	char name[32];
	/** Dialect of the command streams, in the numbers of npu::Isa; 0 is RKNN. */
	uint32_t isa;
	/** Number of cores; their indices begin at 0. */
	uint32_t core_count;
	/** Number of memory regions. Region 0 is system memory. */
	uint32_t region_count;
	/** Number of npu_data_types records. */
	uint32_t data_type_count;
	/** NPU_DEVICE_VIRTUAL and the other NPU_DEVICE_ bits. */
	uint32_t flags;
	/** Always 0. */
	uint32_t reserved;
	/** The version register of core 0, 0 if there is none. */
	uint64_t hw_version;
};

/** A core as it is at present; 0 is "not known". */
struct npu_core_info {
	/** In: sizeof(struct npu_core_info). Out: bytes that this version of the library knows. */
	size_t size;
	/** Clock in Hz at the time of the call. */
	uint64_t clock_hz;
	/** Peak bytes a second that this core alone reads. */
	uint64_t bandwidth;
	/** Peak int8 multiply-accumulates in a clock cycle. */
	uint32_t int8_macs_per_cycle;
	/** Peak fp16 multiply-accumulates in a clock cycle. */
	uint32_t fp16_macs_per_cycle;
	/** Bytes of the core's private convolution buffer. */
	uint32_t buffer_bytes;
	/** Always 0. */
	uint32_t reserved;
	/**
	 * Device time, in nanoseconds, of all slices of all files that have ended on this
	 * core.
	 */
	uint64_t busy_ns;
	/** Number of slices in busy_ns. */
	uint64_t slices;
};

/** What a device has done since it appeared, for all files; see npu::ActivityInfo. */
struct npu_activity {
	/** In: sizeof(struct npu_activity). Out: bytes that this version of the library knows. */
	size_t size;
	/** Open files of the device, that of the caller included. */
	uint64_t files;
	/** Jobs that were submitted and have not ended. */
	uint64_t queued_jobs;
	/** Jobs that ended without an error. */
	uint64_t ended_jobs;
	/** Jobs that ended with an error. */
	uint64_t failed_jobs;
	/** Jobs that had not ended at their deadline. */
	uint64_t missed_deadlines;
	/** Slices that made no progress in time. */
	uint64_t hangs;
	/** Slices that used an address which is not mapped for them. */
	uint64_t faults;
	/** Resets of cores, whatever the reason. */
	uint64_t resets;
	/**
	 * Present time, in nanoseconds, of the clock that the times of jobs come from:
	 * CLOCK_MONOTONIC, unless a virtual device has a clock of its own.
	 */
	uint64_t now_ns;
};

/** A memory region, in bytes but for the counts; see npu::RegionInfo. */
struct npu_region_info {
	/**
	 * In: sizeof(struct npu_region_info). Out: bytes that this version of the library
	 * knows.
	 */
	size_t size;
	/**
	 * Kind of memory, in the numbers of npu::RegionKind: 0 is system memory, 1 is memory
	 * on the chip.
	 */
	uint32_t kind;
	/** 1 if buffers can be asked to be in the region, else 0. */
	uint32_t residency;
	/** Size of the region. */
	uint64_t region_size;
	/**
	 * Held by buffers and jobs of all open files. A buffer on the chip counts in system
	 * memory too, where its place is kept.
	 */
	uint64_t used;
	/** Held by this open file. Imported buffers count here, but not in used. */
	uint64_t file_used;
	/** Bytes a second that all cores together get. */
	uint64_t bandwidth;
	/** The largest free range; 0 for system memory. Buffers need not be in one piece. */
	uint64_t largest_hole;
	/** Part of used that is pinned. */
	uint64_t pinned;
	/** Part of file_used that is pinned. */
	uint64_t file_pinned;
	/** What an open file without CAP_SYS_RESOURCE may pin, if others leave so much. */
	uint64_t pin_limit;
	/**
	 * What each active open file can have, whatever others prefer. A file is active if it
	 * has run something lately, or has just asked for its first buffer.
	 */
	uint64_t share;
	/** Number of buffers that had to leave for others. */
	uint64_t evictions;
	/** Number of times that a buffer has moved in or out. */
	uint64_t moves;
	/** Bytes copied by these moves. */
	uint64_t moved_bytes;
};

/** Bounds that calls are checked against; see npu::Limits. */
struct npu_limits {
	/** In: sizeof(struct npu_limits). Out: bytes that this version of the library knows. */
	size_t size;
	/**
	 * Bytes of commands of a job, both as passed and as the kernel stores them with the
	 * commands that it appends to each task.
	 */
	uint64_t max_job_bytes;
	/** Bytes of a buffer. */
	uint64_t max_buffer_size;
	/** Time, in nanoseconds, over which latency_percent is counted. */
	uint64_t latency_window_ns;
	/** Device time, in nanoseconds, that a core is given at a time; 0: no limit. */
	uint64_t slice_ns;
	/** How long, in nanoseconds, better classes may keep work waiting. */
	uint64_t starve_ns;
	/**
	 * Modelled device time, in nanoseconds, at the fastest clock of such hardware, of
	 * consecutive tasks that reuse data on the chip, and of a single task; 0: no limit.
	 */
	uint64_t max_uncut_ns;
	/**
	 * Share of the device, in percent, for latency work of all files without CAP_SYS_NICE
	 * together.
	 */
	uint32_t latency_percent;
	/** Width of a device address in bits. */
	uint32_t address_bits;
	/**
	 * Contexts of an open device. Destroyed ones that still have a job which has begun
	 * count.
	 */
	uint32_t max_contexts;
	/** Jobs of an open device. */
	uint32_t max_jobs;
	/** Lanes of a job. */
	uint32_t max_lanes;
	/** Tasks of a lane. */
	uint32_t max_lane_tasks;
	/** Commands of a task. */
	uint32_t max_task_commands;
	/** Jobs of a submit. */
	uint32_t max_submit_jobs;
	/** In-syncs of a submit, and out-syncs of a submit. */
	uint32_t max_submit_syncs;
	/** Different shared buffers that a submit may use. */
	uint32_t max_submit_shared;
	/** Unfinished jobs of a context at a time. */
	uint32_t max_queued;
	/** Jobs of an open device that may hang or fault until it is banned. */
	uint32_t max_guilty;
	/**
	 * Contexts that all files of a user may have together, of those created without
	 * CAP_SYS_NICE. All users together may have twice as many.
	 */
	uint32_t max_user_contexts;
	/**
	 * Unfinished jobs in the contexts that max_user_contexts counts, of a user. All users
	 * together may have twice as many.
	 */
	uint32_t max_user_jobs;
	/**
	 * Buffers and jobs of an open device that may prefer a region on the chip or be pinned
	 * in it, for each region; 0 without on-chip memory.
	 */
	uint32_t max_residency;
	/** Bytes of a job's label, the zero byte included; 0 if the kernel takes no labels. */
	uint32_t max_label;
};

/** What command streams can ask for; see npu::Features. */
struct npu_features {
	/** In: sizeof(struct npu_features). Out: bytes that this version of the library knows. */
	size_t size;
	/**
	 * Generation of the chip, in the numbers of the dialect. For RKNN 3588 is the RK3588
	 * and chips with its registers.
	 */
	uint32_t generation;
	/** A bit for each npu::Feature. */
	uint32_t features;
	/** Banks of a core's convolution buffer. */
	uint32_t buffer_banks;
	/** Bytes of a bank. */
	uint32_t buffer_bank_bytes;
	/** Bytes of a pixel's channels that lie together in memory. */
	uint32_t atom_bytes;
	/** Input channels that weights are laid out by. */
	uint32_t channel_slice;
	/** Most columns, and most rows, of an input or output. */
	uint32_t max_size;
	/** Most input channels; K of a matrix multiplication. */
	uint32_t max_channels;
	/** Most kernels; N of a matrix multiplication. */
	uint32_t max_kernels;
	/** Most bytes of the weights of a kernel. */
	uint32_t max_kernel_bytes;
	/** Most columns, and most rows, of a kernel. */
	uint32_t max_window;
	/** Largest step, in pixels, from one window to the next. */
	uint32_t max_stride;
	/** Largest step, in pixels, from one tap of a kernel to the next. */
	uint32_t max_dilation;
	/** Most padding, in pixels, before the first column or row. */
	uint32_t max_padding;
	/** Most columns, and most rows, of a pooling window. */
	uint32_t max_pool_window;
	/** Entries of each of the two halves of a lookup table. */
	uint32_t table_entries;
	/** Bytes of a command: 1, 2, 4 or 8. */
	uint32_t command_bytes;
	/** Always 0. */
	uint32_t reserved;
};

/** Types that a convolution can have, in the numbers of npu::DataType. */
struct npu_data_types {
	/**
	 * In: sizeof(struct npu_data_types). Out: bytes that this version of the library
	 * knows.
	 */
	size_t size;
	/** Type of features and weights. */
	uint32_t operand;
	/** Type of the results. */
	uint32_t result;
	/** Kernels that are computed side by side. */
	uint32_t kernel_group;
	/**
	 * Channels that a depthwise convolution computes side by side; 0 if there is none of
	 * these types.
	 */
	uint32_t depthwise_group;
};

/** Open the device file @p path; if NULL, the first NPU there is. */
int npu_device_open(const char *path, struct npu_device **device);
/**
 * Free @p device, which may be NULL. The file stays open while objects that were made of the
 * device are there.
 */
void npu_device_free(struct npu_device *device);
/** The open file, which stays the device's; -1 if there is none. */
int npu_device_fd(const struct npu_device *device);
/** What the device is, as it was when it was opened. */
int npu_device_get_info(const struct npu_device *device, struct npu_device_info *info);
/**
 * Core @p index as it is now.
 * @retval -ENOENT there is no such core
 */
int npu_device_get_core(const struct npu_device *device, uint32_t index,
			struct npu_core_info *info);
/**
 * Memory region @p index as it is now.
 * @retval -ENOENT there is no such region
 */
int npu_device_get_region(const struct npu_device *device, uint32_t index,
			  struct npu_region_info *info);
/**
 * What the device has done.
 * @retval -EINVAL the kernel does not tell
 */
int npu_device_get_activity(const struct npu_device *device, struct npu_activity *activity);
/** The limits of the device, as they were when it was opened. */
int npu_device_get_limits(const struct npu_device *device, struct npu_limits *limits);
/** The features of the device, as they were when it was opened. */
int npu_device_get_features(const struct npu_device *device, struct npu_features *features);
/**
 * Combination of types @p index, which is below npu_device_info::data_type_count.
 * @retval -ENOENT there is no such combination
 */
int npu_device_get_data_types(const struct npu_device *device, uint32_t index,
			      struct npu_data_types *types);

/**@}*/
/** @name Fences and syncobjs */
/**@{*/

/** How far a submitted job is. */
struct npu_job_status {
	/**
	 * In: sizeof(struct npu_job_status). Out: bytes that this version of the library
	 * knows.
	 */
	size_t size;
	/**
	 * 1 if the call has filled in the rest. A wait that itself failed leaves this and the
	 * rest 0, and so does npu_fence_wait() that timed out.
	 */
	uint32_t known;
	/** 1 if the job has ended, well or not, else 0. */
	uint32_t ended;
	/** Positive errno of a job that has ended, 0 if well. */
	int32_t error;
	/**
	 * Number of tasks in one of which a lane hung, faulted or could not be run; 0 if none
	 * did. The completion page does not tell.
	 */
	uint32_t fault_task_count;
	/** The lane that went wrong first; 0 if fault_task_count is. */
	uint32_t fault_lane;
	/** The first of the fault_task_count tasks of fault_lane; 0 if fault_task_count is. */
	uint32_t fault_task;
	/** 1 if fault_address is known, else 0. */
	uint32_t has_fault_address;
	/** Cores that its slices have run on, a bit each. The completion page does not tell. */
	uint32_t core_mask;
	/** The device address that was refused. */
	uint64_t fault_address;
	/** When it was submitted; 0 for a fence of whose job the kernel does not tell any more. */
	uint64_t queued_ns;
	/** When its first lane was started; 0 if it never was. */
	uint64_t started_ns;
	/** When its last lane ended; 0 while it has not. */
	uint64_t ended_ns;
	/** Device time of its longest lane, in nanoseconds; modelled on a virtual device. */
	uint64_t device_ns;
	/**
	 * Multiply-accumulates of all tasks, which the kernel has counted in the streams. This
	 * and all that follows is 0 in what the completion page tells, and where the device
	 * does not count.
	 */
	uint64_t macs;
	/** Bytes that its slices have read so far. */
	uint64_t read_bytes;
	/** Bytes that its slices have written so far. */
	uint64_t written_bytes;
	/** Part of read_bytes and written_bytes that was on the chip. */
	uint64_t sram_bytes;
	/**
	 * Device time of all lanes, in nanoseconds, that start-up and drain of tasks have
	 * taken.
	 */
	uint64_t start_ns;
	/** Device time of all lanes, in nanoseconds, in waits for system memory. */
	uint64_t memory_stall_ns;
	/** Device time of all lanes, in nanoseconds, in waits for on-chip memory. */
	uint64_t sram_stall_ns;
};

/** The fence of the sync_file @p fd, which stays the caller's. */
int npu_fence_import(struct npu_device *device, int fd, struct npu_fence **fence);
/** Free @p fence, which may be NULL. The work goes on. */
void npu_fence_free(struct npu_fence *fence);
/**
 * A sync_file that becomes readable (POLLIN) when the fence signals; *@p fd is the caller's to
 * close.
 */
int npu_fence_fd(const struct npu_fence *fence, int *fd);
/** Wait for the end; @p status may be NULL. */
int npu_fence_wait(const struct npu_fence *fence, int64_t deadline_ns,
		   struct npu_job_status *status);
/** Sequence number of the last job; 0 for work of others. */
uint64_t npu_fence_seqno(const struct npu_fence *fence);

/** A syncobj without a fence, or one that has @p signalled. */
int npu_syncobj_create(struct npu_device *device, int signalled, struct npu_syncobj **syncobj);
/** The syncobj of another process behind @p fd, which stays the caller's. */
int npu_syncobj_import(struct npu_device *device, int fd, struct npu_syncobj **syncobj);
/** Free @p syncobj, which may be NULL. Work that waits for it or signals it goes on. */
void npu_syncobj_free(struct npu_syncobj *syncobj);
/** Its handle in the open device, for calls of the DRM core; 0 for NULL. */
uint32_t npu_syncobj_handle(const struct npu_syncobj *syncobj);
/**
 * The syncobj as a file, for npu_syncobj_import() in other processes; *@p fd is the caller's
 * to close.
 */
int npu_syncobj_export(const struct npu_syncobj *syncobj, int *fd);
/**
 * The fence that a binary syncobj has now as a sync_file, to poll; *@p fd is the caller's to
 * close.
 * @retval -EINVAL it has none yet
 */
int npu_syncobj_sync_file(const struct npu_syncobj *syncobj, int *fd);
/** Wait for the fence, or with a @p point above 0 for that of a timeline. */
int npu_syncobj_wait(const struct npu_syncobj *syncobj, uint64_t point, int64_t deadline_ns);
/** Signal it, or with a @p point above 0 that of a timeline. */
int npu_syncobj_signal(const struct npu_syncobj *syncobj, uint64_t point);
/** Take the fence away, or all points. */
int npu_syncobj_reset(const struct npu_syncobj *syncobj);
/** The last point of a timeline that has signalled. */
int npu_syncobj_get_point(const struct npu_syncobj *syncobj, uint64_t *point);

/** Kinds of npu_sync. */
enum npu_sync_kind {
	/** A binary syncobj. */
	NPU_SYNC_SYNCOBJ = 0,
	/** A point of a timeline. */
	NPU_SYNC_POINT = 1,
	/** A sync_file; only to wait for. */
	NPU_SYNC_FILE = 2,
	/** A fence; only to wait for. */
	NPU_SYNC_FENCE = 3,
};

/** What jobs wait for, or signal at their end. */
struct npu_sync {
	/** sizeof(struct npu_sync), set by the caller; the same in all elements of an array. */
	size_t size;
	/** An enum npu_sync_kind. It selects the fields that count; the others are ignored. */
	uint32_t kind;
	/** NPU_SYNC_FILE: the sync_file, which stays the caller's. */
	int32_t fd;
	/**
	 * NPU_SYNC_SYNCOBJ and NPU_SYNC_POINT: the syncobj, of the same open device as the
	 * context.
	 */
	const struct npu_syncobj *syncobj;
	/** NPU_SYNC_POINT: the point, above 0. */
	uint64_t point;
	/** NPU_SYNC_FENCE: the fence. */
	const struct npu_fence *fence;
};

/**@}*/
/** @name Buffers
 * A part of a buffer needs no object: add its offset to data and address.
 */
/**@{*/

/** The device may read the buffer only. */
#define NPU_BUFFER_READ_ONLY (1U << 0)
/** The CPU sees it through its caches; see npu_buffer_access(). */
#define NPU_BUFFER_CACHED (1U << 1)
/** It was imported or exported; only reported. */
#define NPU_BUFFER_SHARED (1U << 2)

/** Where a buffer is to be. */
enum npu_residency {
	/** In system memory. */
	NPU_RESIDENCY_NONE = 0,
	/** On the chip while there is room. */
	NPU_RESIDENCY_PREFER = 1,
	/** On the chip, and to stay. */
	NPU_RESIDENCY_PIN = 2,
};

/** Options of a new buffer. */
struct npu_buffer_options {
	/** sizeof(struct npu_buffer_options), set by the caller. */
	size_t size;
	/** NPU_BUFFER_READ_ONLY and NPU_BUFFER_CACHED; other bits are refused (-EINVAL). */
	uint32_t flags;
	/** An enum npu_residency. */
	uint32_t residency;
	/**
	 * Index of the region that residency is about; 0 is the first on the chip, as is 1.
	 * NPU_RESIDENCY_NONE ignores it.
	 */
	uint32_t region;
	/** Must be 0 (-EINVAL). */
	uint32_t reserved;
};

/** Options of an import: which part of the dma-buf the buffer stands for, and what jobs on it wait
 * for. */
struct npu_import_options {
	/** sizeof(struct npu_import_options), set by the caller. */
	size_t size;
	/** First byte of the part. */
	uint64_t offset;
	/** Bytes of the part; 0 means all that follow offset. */
	uint64_t length;
	/** What jobs wait for before they touch the buffer; NULL for nothing. */
	const struct npu_fence *acquire;
};

/** A buffer as it is at present. */
struct npu_buffer_info {
	/**
	 * In: sizeof(struct npu_buffer_info). Out: bytes that this version of the library
	 * knows.
	 */
	size_t size;
	/**
	 * Bytes of the GEM object: all of a dma-buf, also if the buffer stands for a part of
	 * it.
	 */
	uint64_t bytes;
	/** Device address of the GEM object. */
	uint64_t address;
	/** Index of the region that it is in. */
	uint32_t region;
	/** NPU_BUFFER_READ_ONLY, NPU_BUFFER_CACHED and NPU_BUFFER_SHARED. */
	uint32_t flags;
	/** The enum npu_residency that was asked for. */
	uint32_t residency;
	/** 0 to 255; what is higher leaves on-chip memory later. */
	uint32_t priority;
	/** Index of the region that residency is about. */
	uint32_t asked_region;
	/** Always 0. */
	uint32_t reserved;
};

/** What the CPU does with a range of a buffer. */
enum npu_direction {
	/** Read the range. */
	NPU_READ = 0,
	/** Overwrite all of the range. */
	NPU_WRITE = 1,
	/** Read it, or overwrite a part. */
	NPU_READ_WRITE = 2,
};

/** Work that uses a buffer. */
enum npu_use {
	/** Whatever reads or writes it. */
	NPU_USE_ANY = 0,
	/** Only what writes to it. */
	NPU_USE_WRITE = 1,
};

/** A buffer of @p size bytes, rounded up to pages, filled with zeros and mapped; NULL as
 * @p options is for the defaults, here and below. */
int npu_buffer_create(struct npu_device *device, size_t size,
		      const struct npu_buffer_options *options, struct npu_buffer **buffer);
/** The memory behind @p dma_buf, which stays the caller's. */
int npu_buffer_import(struct npu_device *device, int dma_buf,
		      const struct npu_import_options *options, struct npu_buffer **buffer);
/** Free @p buffer, which may be NULL. Jobs keep the memory that they use alive on the device. */
void npu_buffer_free(struct npu_buffer *buffer);
/** Its bytes; NULL for an imported one that the CPU cannot write to. */
void *npu_buffer_data(const struct npu_buffer *buffer);
/** Size in bytes, rounded up to pages if it is not imported; 0 for NULL. */
size_t npu_buffer_size(const struct npu_buffer *buffer);
/** Address that command streams use; 0 for NULL. */
uint64_t npu_buffer_address(const struct npu_buffer *buffer);
/** GEM handle, for calls of the DRM core; 0 for NULL. It is the buffer's. */
uint32_t npu_buffer_handle(const struct npu_buffer *buffer);
/** What the kernel knows of the buffer. */
int npu_buffer_get_info(const struct npu_buffer *buffer, struct npu_buffer_info *info);
/** A dma-buf of the buffer; *@p dma_buf is the caller's to close. */
int npu_buffer_export(const struct npu_buffer *buffer, int *dma_buf);
/** Wait until no job uses the buffer in the way that @p use, an enum npu_use, says. */
int npu_buffer_wait(const struct npu_buffer *buffer, uint32_t use, int64_t deadline_ns);
/** Jobs that are submitted from now on wait for @p fence; of an imported buffer. */
int npu_buffer_acquire(const struct npu_buffer *buffer, const struct npu_fence *fence);
/** The end of what uses an imported buffer now. */
int npu_buffer_release_fence(const struct npu_buffer *buffer, uint32_t use,
			     struct npu_fence **fence);
/** Hand a range to the CPU, for what @p direction, an enum npu_direction, says; it ends with
 * npu_access_end(). For own buffers this waits for no job. */
int npu_buffer_access(const struct npu_buffer *buffer, uint32_t direction, size_t offset,
		      size_t length, struct npu_access **access);
/** The range. */
void *npu_access_data(const struct npu_access *access);
/** Hand the range to the device, and free @p access, which may be NULL. */
int npu_access_end(struct npu_access *access);
/**
 * The first half of an access: hand @p length bytes from @p offset on to the CPU, after the
 * device has written there. Only a cached buffer needs it; for other ones it does nothing.
 * Waits for no job.
 * @retval -EINVAL the range is empty or not inside the buffer
 * @retval -EOPNOTSUPP the buffer is imported: use npu_buffer_access()
 */
int npu_buffer_sync_for_cpu(const struct npu_buffer *buffer, size_t offset, size_t length);
/**
 * The second half of an access: hand the range to the device, after the CPU has written there.
 * Errors are those of npu_buffer_sync_for_cpu().
 */
int npu_buffer_sync_for_device(const struct npu_buffer *buffer, size_t offset, size_t length);
/**
 * Say where the buffer is to be, an enum npu_residency of region @p region, 1 for the first
 * on the chip. Address and contents stay as they are; a preference is followed soon, the
 * others are when this returns. What has a lower @p priority, 0 to 255, leaves first.
 */
int npu_buffer_set_residency(const struct npu_buffer *buffer, uint32_t residency, uint32_t priority,
			     uint32_t region);

/**@}*/
/** @name Jobs */
/**@{*/

/** A command stream; its commands are copied when the job is created. */
struct npu_task {
	/** sizeof(struct npu_task), set by the caller; the same in all elements of an array. */
	size_t size;
	/** Commands of the device's dialect, of 64 bits each. */
	const uint64_t *commands;
	/** Number of commands, at least 1. */
	size_t command_count;
	/**
	 * Hardware blocks to start, as the dialect has it; for RKNN the value of
	 * PC_OPERATION_ENABLE.
	 */
	uint32_t enable;
	/** Estimate of its device time in nanoseconds; 0 if not known. */
	uint32_t cost_ns;
};

/** Tasks that run on one core, in order. */
struct npu_lane {
	/** sizeof(struct npu_lane), set by the caller; the same in all elements of an array. */
	size_t size;
	/** The tasks, in the order in which they run. */
	const struct npu_task *tasks;
	/** Number of tasks, at least 1. */
	size_t task_count;
};

/** Prefer to have the kernel's copy of the streams on the chip. */
#define NPU_JOB_ON_CHIP (1U << 0)

/** Options of a new job. */
struct npu_job_options {
	/** sizeof(struct npu_job_options), set by the caller. */
	size_t size;
	/** NPU_JOB_ON_CHIP or 0; other bits are refused (-EINVAL). */
	uint32_t flags;
	/** Must be 0 (-EINVAL). */
	uint32_t reserved;
	/** A name for people, for traces and dumps; NULL for none. */
	const char *label;
};

/** An immutable program of @p lane_count lanes. */
int npu_job_create(struct npu_device *device, const struct npu_lane *lanes, size_t lane_count,
		   const struct npu_job_options *options, struct npu_job **job);
/** Free @p job, which may be NULL. Submits of it that have not ended go on. */
void npu_job_free(struct npu_job *job);
/** Its id in the open device, for calls of npu_accel.h; 0 for NULL. */
uint32_t npu_job_id(const struct npu_job *job);

/**@}*/
/** @name Contexts */
/**@{*/

/** What matters to the jobs of a context. */
enum npu_class {
	/** Maximise throughput. */
	NPU_CLASS_THROUGHPUT = 0,
	/** Short work with low latency: runs first within its budget. */
	NPU_CLASS_LATENCY = 1,
	/** Runs only when nothing else is ready. */
	NPU_CLASS_BACKGROUND = 2,
};

/** Options of a new context. */
struct npu_context_options {
	/** sizeof(struct npu_context_options), set by the caller. */
	size_t size;
	/** Cores to use, one bit each; 0 means all. */
	uint32_t core_mask;
	/** Unfinished jobs at a time; 0 means the device's limit. */
	uint32_t max_queued;
	/** An enum npu_class. */
	uint32_t sched_class;
	/**
	 * Share in proportion to others of its class, up to 10000; 0 means 100. More than 100
	 * is only granted with CAP_SYS_NICE.
	 */
	uint32_t weight;
};

/** Options of a submit, which only looks at them during the call. */
struct npu_submit_options {
	/** sizeof(struct npu_submit_options), set by the caller. */
	size_t size;
	/**
	 * When the jobs should have ended. They are not cancelled after it. NPU_NEVER and 0
	 * are no deadline.
	 */
	int64_t deadline_ns;
	/**
	 * What the first job waits for. If one signals an error, the jobs do not run and end
	 * with it.
	 */
	const struct npu_sync *in;
	/** Number of elements of in. */
	size_t in_count;
	/**
	 * What signals when the last job has ended: only of the kinds NPU_SYNC_SYNCOBJ and
	 * NPU_SYNC_POINT.
	 */
	const struct npu_sync *out;
	/** Number of elements of out. */
	size_t out_count;
};

/** State and statistics of a context; see npu::ContextStatistics. */
struct npu_context_statistics {
	/**
	 * In: sizeof(struct npu_context_statistics). Out: bytes that this version of the
	 * library knows.
	 */
	size_t size;
	/** The newest job that was submitted. */
	uint64_t submitted_seqno;
	/** All jobs up to this one have ended, well or not. */
	uint64_t completed_seqno;
	/** The newest job that ended with an error, 0 if none. */
	uint64_t failed_seqno;
	/** Number of jobs that ended with an error. */
	uint64_t failed_jobs;
	/** Device time of all jobs, in nanoseconds: the longest lane of each. */
	uint64_t device_ns;
	/** Device time of all lanes of all jobs, in nanoseconds. */
	uint64_t busy_ns;
	/** Tasks of all lanes that ended well. */
	uint64_t tasks;
	/** Bytes that lanes which ended well have read; 0 where the device does not count. */
	uint64_t read_bytes;
	/** Bytes that these lanes have written. */
	uint64_t written_bytes;
	/** Part of read_bytes and written_bytes that was on the chip. */
	uint64_t sram_bytes;
	/** How often a core was started for it. */
	uint64_t slices;
	/** Jobs that had not ended at their deadline. */
	uint64_t missed_deadlines;
	/** Positive errno of failed_seqno, 0 if none. */
	int32_t failed_errno;
	/** Cores that it may use, one bit each. */
	uint32_t core_mask;
	/** Jobs that may be unfinished at a time. */
	uint32_t max_queued;
	/** 1 if the context takes no more jobs because the open device is banned, else 0. */
	uint32_t banned;
	/** Jobs that hung or faulted. */
	uint32_t guilty_jobs;
	/** The enum npu_class that was asked for. */
	uint32_t sched_class;
	/** The enum npu_class that it has at present. */
	uint32_t granted_class;
	/** The weight that was asked for. */
	uint32_t weight;
	/** The weight that it has. */
	uint32_t granted_weight;
	/** Always 0. */
	uint32_t reserved;
};

/**
 * Create a context on @p device; NULL as @p options is for the defaults.
 * @retval -EINVAL a core that does not exist, too many jobs, too much weight, no such class
 * @retval -ENOSPC no room for more contexts
 * @retval -EIO the open device is banned: its jobs hung or faulted too often
 */
int npu_context_create(struct npu_device *device, const struct npu_context_options *options,
		       struct npu_context **context);
/**
 * Free @p context, which may be NULL: cancel the jobs that have not started, let the others
 * end, and wait for none of them.
 */
void npu_context_free(struct npu_context *context);
/** Its id in the open device, for calls of npu_accel.h; 0 for NULL. */
uint32_t npu_context_id(const struct npu_context *context);
/**
 * Queue @p count jobs, all or none. *@p seqno is the number of the last, *@p fence the end of
 * all; each may be NULL, and a submit without a fence is cheaper.
 */
int npu_context_submit(struct npu_context *context, const struct npu_job *const *jobs, size_t count,
		       const struct npu_submit_options *options, uint64_t *seqno,
		       struct npu_fence **fence);
/** Set the class, an enum npu_class. Applies to what no core has been given yet. */
int npu_context_set_class(struct npu_context *context, uint32_t sched_class);
/**
 * Set the weight, as npu_context_options::weight.
 * @retval -EINVAL more than 10000
 */
int npu_context_set_weight(struct npu_context *context, uint32_t weight);
/** Wait until a job has ended; @p status may be NULL. */
int npu_context_wait(const struct npu_context *context, uint64_t seqno, int64_t deadline_ns,
		     struct npu_job_status *status);
/** End jobs @p first to @p last with ECANCELED; *@p cancelled, which may be NULL, had not ended. */
int npu_context_cancel(struct npu_context *context, uint64_t first, uint64_t last,
		       uint32_t *cancelled);
/** State and statistics of @p context. */
int npu_context_get_statistics(const struct npu_context *context,
			       struct npu_context_statistics *statistics);

/** Map the completion page of @p context, which it may outlive. */
int npu_page_map(const struct npu_context *context, struct npu_page **page);
/** Unmap @p page, which may be NULL. */
void npu_page_free(struct npu_page *page);
/** All jobs up to this one have ended; no system call, here and below. */
uint64_t npu_page_completed(const struct npu_page *page);
/** The newest job that ended with an error, 0 if none. */
uint64_t npu_page_failed(const struct npu_page *page);
/** Whether the context takes no more jobs. */
int npu_page_banned(const struct npu_page *page);
/** How job @p seqno ended; -ENOENT if the page does not, or no longer, tell. */
int npu_page_times(const struct npu_page *page, uint64_t seqno, struct npu_job_status *status);
/** npu_context_wait() that looks at the page for @p spin_ns before it sleeps; a negative one
 * is for the default. */
int npu_page_wait(const struct npu_page *page, uint64_t seqno, int64_t deadline_ns, int64_t spin_ns,
		  struct npu_job_status *status);

/**@}*/

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif /* NPU_NPU_H */
