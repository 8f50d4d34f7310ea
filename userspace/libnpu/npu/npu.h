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
 * refused (-EINVAL). Elements of an array all have the size of the first.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. A deadline is such a time, NPU_NEVER, or
 * NPU_IMMEDIATELY, for which a wait only looks.
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

#define NPU_NEVER INT64_MAX
#define NPU_IMMEDIATELY INT64_C(0)

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

/** What it counts of each job: multiply-accumulates, bytes, and stalls. */
#define NPU_DEVICE_COUNTS_MACS (1U << 3)
#define NPU_DEVICE_COUNTS_BYTES (1U << 4)
#define NPU_DEVICE_COUNTS_STALLS (1U << 5)

/** What a device is. */
struct npu_device_info {
	size_t size;
	/** Name of the hardware, ends with a zero byte. */
	char name[32];
	/** Dialect of its command streams; 0 is RKNN. */
	uint32_t isa;
	uint32_t core_count;
	/** Region 0 is system memory. */
	uint32_t region_count;
	/** Number of npu_data_types records. */
	uint32_t data_type_count;
	/** NPU_DEVICE_VIRTUAL and others. */
	uint32_t flags;
	uint32_t reserved;
	/** The version register of core 0, 0 if there is none. */
	uint64_t hw_version;
};

/** A core as it is at present; 0 is "not known". */
struct npu_core_info {
	size_t size;
	/** Present clock in Hz. */
	uint64_t clock_hz;
	/** Peak bytes a second that this core alone reads. */
	uint64_t bandwidth;
	/** Peak multiply-accumulates a cycle. */
	uint32_t int8_macs_per_cycle;
	uint32_t fp16_macs_per_cycle;
	/** Bytes of the core's private convolution buffer. */
	uint32_t buffer_bytes;
	uint32_t reserved;
	/** Device time of all slices of all files, and their number. */
	uint64_t busy_ns;
	uint64_t slices;
};

/** What a device has done since it appeared, for all files; see npu::ActivityInfo. */
struct npu_activity {
	size_t size;
	uint64_t files;
	uint64_t queued_jobs;
	uint64_t ended_jobs;
	uint64_t failed_jobs;
	uint64_t missed_deadlines;
	uint64_t hangs;
	uint64_t faults;
	uint64_t resets;
	uint64_t now_ns;
};

/** A memory region, in bytes but for the counts; see npu::RegionInfo. */
struct npu_region_info {
	size_t size;
	/** 0 is system memory, 1 is memory on the chip. */
	uint32_t kind;
	/** Whether buffers can be asked to be in it. */
	uint32_t residency;
	uint64_t region_size;
	/** Held by all open files, and by this one. */
	uint64_t used;
	uint64_t file_used;
	/** Bytes a second that all cores together get. */
	uint64_t bandwidth;
	uint64_t largest_hole;
	/** Pinned by all, by this file, and what this file may pin. */
	uint64_t pinned;
	uint64_t file_pinned;
	uint64_t pin_limit;
	/** What this file can have whatever others prefer. */
	uint64_t share;
	/** Buffers that left for others, and moves in and out. */
	uint64_t evictions;
	uint64_t moves;
	uint64_t moved_bytes;
};

/** Bounds that calls are checked against; see npu::Limits. */
struct npu_limits {
	size_t size;
	uint64_t max_job_bytes;
	uint64_t max_buffer_size;
	uint64_t latency_window_ns;
	uint64_t slice_ns;
	uint64_t starve_ns;
	uint64_t max_uncut_ns;
	uint32_t latency_percent;
	uint32_t address_bits;
	uint32_t max_contexts;
	uint32_t max_jobs;
	uint32_t max_lanes;
	uint32_t max_lane_tasks;
	uint32_t max_task_commands;
	uint32_t max_submit_jobs;
	uint32_t max_submit_syncs;
	uint32_t max_submit_shared;
	uint32_t max_queued;
	uint32_t max_guilty;
	uint32_t max_user_contexts;
	uint32_t max_user_jobs;
	uint32_t max_residency;
	/** Bytes of a job's label, the zero byte included. */
	uint32_t max_label;
};

/** What command streams can ask for; see npu::Features. */
struct npu_features {
	size_t size;
	uint32_t generation;
	/** A bit for each npu::Feature. */
	uint32_t features;
	uint32_t buffer_banks;
	uint32_t buffer_bank_bytes;
	uint32_t atom_bytes;
	uint32_t channel_slice;
	uint32_t max_size;
	uint32_t max_channels;
	uint32_t max_kernels;
	uint32_t max_kernel_bytes;
	uint32_t max_window;
	uint32_t max_stride;
	uint32_t max_dilation;
	uint32_t max_padding;
	uint32_t max_pool_window;
	uint32_t table_entries;
	uint32_t command_bytes;
	uint32_t reserved;
};

/** Types that a convolution can have, in the numbers of npu::DataType. */
struct npu_data_types {
	size_t size;
	uint32_t operand;
	uint32_t result;
	uint32_t kernel_group;
	uint32_t depthwise_group;
};

/** Open the device file @p path; if NULL, the first NPU there is. */
int npu_device_open(const char *path, struct npu_device **device);
void npu_device_free(struct npu_device *device);
/** The open file, which stays the device's; -1 if there is none. */
int npu_device_fd(const struct npu_device *device);
int npu_device_get_info(const struct npu_device *device, struct npu_device_info *info);
/** @retval -ENOENT there is no such @p index, here and below */
int npu_device_get_core(const struct npu_device *device, uint32_t index,
			struct npu_core_info *info);
int npu_device_get_region(const struct npu_device *device, uint32_t index,
			  struct npu_region_info *info);
int npu_device_get_activity(const struct npu_device *device, struct npu_activity *activity);
int npu_device_get_limits(const struct npu_device *device, struct npu_limits *limits);
int npu_device_get_features(const struct npu_device *device, struct npu_features *features);
int npu_device_get_data_types(const struct npu_device *device, uint32_t index,
			      struct npu_data_types *types);

/**@}*/
/** @name Fences and syncobjs */
/**@{*/

/** How far a submitted job is. */
struct npu_job_status {
	size_t size;
	/** Whether the call has filled in the rest: a wait that fails itself does not. */
	uint32_t known;
	/** Whether it has ended, well or not. */
	uint32_t ended;
	/** Positive errno of a job that has ended, 0 if well. */
	int32_t error;
	/**
	 * Number of tasks in one of which a lane hung, faulted or could not be run, from
	 * fault_task of lane fault_lane on; 0 if none did. The completion page does not tell.
	 */
	uint32_t fault_task_count;
	uint32_t fault_lane;
	uint32_t fault_task;
	/** Whether fault_address is known. */
	uint32_t has_fault_address;
	/** Cores that its slices have run on, a bit each. The completion page does not tell. */
	uint32_t core_mask;
	/** Device address that was refused. */
	uint64_t fault_address;
	uint64_t queued_ns;
	/** When its first lane was started; 0 if it never was. */
	uint64_t started_ns;
	/** When its last lane ended; 0 while it has not. */
	uint64_t ended_ns;
	/** Device time of its longest lane; modelled on a virtual device. */
	uint64_t device_ns;
	/** What its slices have done; see npu::JobCounters. The completion page does not tell. */
	uint64_t macs;
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t sram_bytes;
	uint64_t start_ns;
	uint64_t memory_stall_ns;
	uint64_t sram_stall_ns;
};

/** The fence of the sync_file @p fd, which stays the caller's. */
int npu_fence_import(struct npu_device *device, int fd, struct npu_fence **fence);
void npu_fence_free(struct npu_fence *fence);
/** A sync_file that becomes readable (POLLIN) when the fence signals; *@p fd is the caller's. */
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
void npu_syncobj_free(struct npu_syncobj *syncobj);
/** Its handle in the open device, for calls of the DRM core. */
uint32_t npu_syncobj_handle(const struct npu_syncobj *syncobj);
/** The syncobj, and the fence that it has now, as files; *@p fd is the caller's. */
int npu_syncobj_export(const struct npu_syncobj *syncobj, int *fd);
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
	size_t size;
	/** An enum npu_sync_kind, which says what of the following counts. */
	uint32_t kind;
	int32_t fd;
	const struct npu_syncobj *syncobj;
	uint64_t point;
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

/** What a buffer is to be. */
struct npu_buffer_options {
	size_t size;
	/** NPU_BUFFER_READ_ONLY and NPU_BUFFER_CACHED. */
	uint32_t flags;
	/** An enum npu_residency, and the region that it is about, 1 for the first on the chip. */
	uint32_t residency;
	uint32_t region;
	uint32_t reserved;
};

/** Which part of a dma-buf a buffer stands for. */
struct npu_import_options {
	size_t size;
	/** First byte, and number of bytes; 0 means all that follow. */
	uint64_t offset;
	uint64_t length;
	/** What jobs wait for before they touch the buffer; NULL for nothing. */
	const struct npu_fence *acquire;
};

/** A buffer as it is at present. */
struct npu_buffer_info {
	size_t size;
	uint64_t bytes;
	/** Device address. */
	uint64_t address;
	/** Index of the region that it is in. */
	uint32_t region;
	/** NPU_BUFFER_READ_ONLY and others. */
	uint32_t flags;
	/** What is asked for it: an enum npu_residency, priority and region. */
	uint32_t residency;
	uint32_t priority;
	uint32_t asked_region;
	uint32_t reserved;
};

/** What the CPU does with a range of a buffer. */
enum npu_direction {
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
void npu_buffer_free(struct npu_buffer *buffer);
/** Its bytes; NULL for an imported one that the CPU cannot write to. */
void *npu_buffer_data(const struct npu_buffer *buffer);
size_t npu_buffer_size(const struct npu_buffer *buffer);
/** Address that command streams use. */
uint64_t npu_buffer_address(const struct npu_buffer *buffer);
/** GEM handle, for calls of the DRM core. */
uint32_t npu_buffer_handle(const struct npu_buffer *buffer);
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
/** The two halves of an access, of a cached buffer that is not imported. */
int npu_buffer_sync_for_cpu(const struct npu_buffer *buffer, size_t offset, size_t length);
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
	size_t size;
	const uint64_t *commands;
	size_t command_count;
	/** Hardware blocks to start. */
	uint32_t enable;
	/** Estimate of its device time in nanoseconds; 0 if not known. */
	uint32_t cost_ns;
};

/** Tasks that run on one core, in order. */
struct npu_lane {
	size_t size;
	const struct npu_task *tasks;
	size_t task_count;
};

/** Prefer to have the kernel's copy of the streams on the chip. */
#define NPU_JOB_ON_CHIP (1U << 0)

/** What a job is to be. */
struct npu_job_options {
	size_t size;
	/** NPU_JOB_ON_CHIP or 0. */
	uint32_t flags;
	uint32_t reserved;
	/** A name for people, for traces and dumps; NULL for none. */
	const char *label;
};

/** An immutable program of @p lane_count lanes. */
int npu_job_create(struct npu_device *device, const struct npu_lane *lanes, size_t lane_count,
		   const struct npu_job_options *options, struct npu_job **job);
void npu_job_free(struct npu_job *job);
/** Its id in the open device, for calls of npu_accel.h. */
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

/** What a context is to be. */
struct npu_context_options {
	size_t size;
	/** Cores to use, one bit each; 0 means all. */
	uint32_t core_mask;
	/** Unfinished jobs at a time; 0 means the device's limit. */
	uint32_t max_queued;
	/** An enum npu_class. */
	uint32_t sched_class;
	/** Share in proportion to others of its class; 0 is the default, 100. */
	uint32_t weight;
};

/** What goes with a submit. */
struct npu_submit_options {
	size_t size;
	/** When the jobs should have ended; 0 and NPU_NEVER are no deadline. They are not
	 * cancelled after it. */
	int64_t deadline_ns;
	/** What the first job waits for. */
	const struct npu_sync *in;
	size_t in_count;
	/** What signals when the last has ended. */
	const struct npu_sync *out;
	size_t out_count;
};

/** State and statistics of a context; see npu::ContextStatistics. */
struct npu_context_statistics {
	size_t size;
	uint64_t submitted_seqno;
	uint64_t completed_seqno;
	uint64_t failed_seqno;
	uint64_t failed_jobs;
	/** Device time of all jobs: the longest lane of each, and all lanes. */
	uint64_t device_ns;
	uint64_t busy_ns;
	uint64_t tasks;
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t sram_bytes;
	uint64_t slices;
	uint64_t missed_deadlines;
	int32_t failed_errno;
	uint32_t core_mask;
	uint32_t max_queued;
	uint32_t banned;
	uint32_t guilty_jobs;
	uint32_t sched_class;
	uint32_t granted_class;
	uint32_t weight;
	uint32_t granted_weight;
	uint32_t reserved;
};

int npu_context_create(struct npu_device *device, const struct npu_context_options *options,
		       struct npu_context **context);
void npu_context_free(struct npu_context *context);
/** Its id in the open device, for calls of npu_accel.h. */
uint32_t npu_context_id(const struct npu_context *context);
/**
 * Queue @p count jobs, all or none. *@p seqno is the number of the last, *@p fence the end of
 * all; each may be NULL, and a submit without a fence is cheaper.
 */
int npu_context_submit(struct npu_context *context, const struct npu_job *const *jobs, size_t count,
		       const struct npu_submit_options *options, uint64_t *seqno,
		       struct npu_fence **fence);
/** Set the class, an enum npu_class, or the weight. */
int npu_context_set_class(struct npu_context *context, uint32_t sched_class);
int npu_context_set_weight(struct npu_context *context, uint32_t weight);
/** Wait until a job has ended; @p status may be NULL. */
int npu_context_wait(const struct npu_context *context, uint64_t seqno, int64_t deadline_ns,
		     struct npu_job_status *status);
/** End jobs @p first to @p last with ECANCELED; *@p cancelled, which may be NULL, had not ended. */
int npu_context_cancel(struct npu_context *context, uint64_t first, uint64_t last,
		       uint32_t *cancelled);
int npu_context_get_statistics(const struct npu_context *context,
			       struct npu_context_statistics *statistics);

/** Map the completion page of @p context, which it may outlive. */
int npu_page_map(const struct npu_context *context, struct npu_page **page);
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
