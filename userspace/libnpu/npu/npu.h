/* SPDX-License-Identifier: MIT */
/*
 * libnpu for C and for languages that call C. The objects and their rules are
 * those of the C++ headers beside this one.
 *
 * Functions that can fail return 0 or a negative errno; npu_error_message() then
 * says in one line what failed. Objects are freed with their _free function,
 * buffers, contexts and jobs before their device; NULL is allowed there. Times
 * are nanoseconds; @timeout_ns counts from the call on, UINT64_MAX is for ever.
 */
#ifndef NPU_NPU_H
#define NPU_NPU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npu_device;
struct npu_buffer;
struct npu_context;
struct npu_job;
struct npu_page;

/** A command stream; its commands are copied when the job is created. */
struct npu_task {
	const uint64_t *commands;
	size_t command_count;
	/** Hardware blocks to start. */
	uint32_t enable;
	/** Estimate of its device time in nanoseconds; 0 if not known. */
	uint32_t cost_ns;
};

/** Tasks that run on one core, in order. */
struct npu_lane {
	const struct npu_task *tasks;
	size_t task_count;
};

/** What matters to the jobs of a context. */
enum npu_class {
	/** Work done in the long run. */
	NPU_CLASS_THROUGHPUT = 0,
	/** Short work that is to end soon: first, up to its part of the device. */
	NPU_CLASS_LATENCY = 1,
	/** What others leave. */
	NPU_CLASS_BACKGROUND = 2,
};

/** What a context is to be; all zeros are the defaults. */
struct npu_context_options {
	/** Cores to use, one bit each; 0 means all. */
	uint32_t core_mask;
	/** Unfinished jobs at a time; 0 means the device's limit. */
	uint32_t max_queued;
	/** An enum npu_class. */
	uint32_t sched_class;
	/** Share in proportion to others; 0 is the default, 100. */
	uint32_t weight;
};

/** Where a buffer is to be. */
enum npu_residency {
	/** In system memory. */
	NPU_RESIDENCY_NONE = 0,
	/** On the chip while there is room. */
	NPU_RESIDENCY_PREFER = 1,
	/** On the chip, and to stay. */
	NPU_RESIDENCY_PIN = 2,
};

/** Where a buffer is. */
struct npu_placement {
	/** Whether it is on the chip at present. */
	int on_chip;
	/** What is asked for it, an enum npu_residency. */
	uint32_t residency;
	/** What is lower leaves first; 0 to 255. */
	uint32_t priority;
};

/** The device's on-chip memory, in bytes but for the counts. */
struct npu_chip_memory {
	uint64_t size;
	/** Taken by all open files, and by this one. */
	uint64_t used;
	uint64_t file_used;
	/** The same of what is pinned, and what this file may pin. */
	uint64_t pinned;
	uint64_t file_pinned;
	uint64_t pin_limit;
	/** What this file can have whatever others prefer. */
	uint64_t share;
	/** The largest free range. */
	uint64_t largest_hole;
	/** Buffers that left for others, and moves in and out. */
	uint64_t evictions;
	uint64_t moves;
	uint64_t moved_bytes;
};

/** How far a submitted job is; the clock is CLOCK_MONOTONIC. */
struct npu_job_status {
	/** Whether it has ended, well or not. */
	int ended;
	/** Positive errno of a job that has ended, 0 if well. */
	int error;
	uint64_t queued_ns;
	/** When its first lane was started; 0 if it never was. */
	uint64_t started_ns;
	/** When its last lane ended; 0 while it has not. */
	uint64_t ended_ns;
	/** What the device took; modelled on a virtual device. */
	uint64_t device_ns;
	/**
	 * Number of tasks in one of which a lane hung, faulted or could not be run, from
	 * fault_task of lane fault_lane on; 0 if none did. The completion page does not tell.
	 */
	uint32_t fault_task_count;
	uint32_t fault_lane;
	uint32_t fault_task;
	/** Whether fault_address is known. */
	int has_fault_address;
	/** Device address that was refused. */
	uint64_t fault_address;
};

/** What the last call of this thread that failed says; never NULL. */
const char *npu_error_message(void);

/** Open the device file @path; if NULL, the first NPU there is. */
int npu_device_open(const char *path, struct npu_device **device);
void npu_device_free(struct npu_device *device);
uint32_t npu_device_core_count(const struct npu_device *device);
/** What there is of on-chip memory; -EOPNOTSUPP if there is none. */
int npu_device_chip_memory(const struct npu_device *device, struct npu_chip_memory *memory);

/** A buffer of @size bytes, filled with zeros and mapped. */
int npu_buffer_create(struct npu_device *device, size_t size, struct npu_buffer **buffer);
/** The same, and the device may read it only. */
int npu_buffer_create_read_only(struct npu_device *device, size_t size, struct npu_buffer **buffer);
/** The same, and the CPU sees it through its caches; see npu_buffer_sync_for_cpu(). */
int npu_buffer_create_cached(struct npu_device *device, size_t size, struct npu_buffer **buffer);
/** The memory behind @dma_buf, which stays the caller's. */
int npu_buffer_import(struct npu_device *device, int dma_buf, struct npu_buffer **buffer);
void npu_buffer_free(struct npu_buffer *buffer);
/** Its bytes; NULL for an imported one that the CPU cannot write to. */
void *npu_buffer_data(const struct npu_buffer *buffer);
size_t npu_buffer_size(const struct npu_buffer *buffer);
/** Address that command streams use. */
uint32_t npu_buffer_address(const struct npu_buffer *buffer);
/** A dma-buf of the buffer; *@dma_buf is the caller's to close. */
int npu_buffer_export(const struct npu_buffer *buffer, int *dma_buf);
/** Wait until no job uses the buffer, or with @writes none that writes to it. */
int npu_buffer_wait(const struct npu_buffer *buffer, int writes, uint64_t timeout_ns);
/** Hand a range of a cached buffer to the CPU, after the device has written there. */
int npu_buffer_sync_for_cpu(const struct npu_buffer *buffer, size_t offset, size_t length);
/** The same, to the device, after the CPU has written there. */
int npu_buffer_sync_for_device(const struct npu_buffer *buffer, size_t offset, size_t length);
/**
 * Say where the buffer is to be, an enum npu_residency. Address and contents stay
 * as they are; a preference is followed soon, the others are when this returns.
 */
int npu_buffer_set_residency(const struct npu_buffer *buffer, uint32_t residency,
			     uint32_t priority);
int npu_buffer_place(const struct npu_buffer *buffer, struct npu_placement *place);

/** An immutable program of @lane_count lanes. */
int npu_job_create(struct npu_device *device, const struct npu_lane *lanes, size_t lane_count,
		   struct npu_job **job);
/** The same, and its streams are to be on the chip while there is room. */
int npu_job_create_on_chip(struct npu_device *device, const struct npu_lane *lanes,
			   size_t lane_count, struct npu_job **job);
void npu_job_free(struct npu_job *job);

/** A queue; NULL as @options is for the defaults. */
int npu_context_create(struct npu_device *device, const struct npu_context_options *options,
		       struct npu_context **context);
void npu_context_free(struct npu_context *context);

/** Queue a job; *@seqno is its number for npu_context_wait(). */
int npu_context_submit(struct npu_context *context, const struct npu_job *job, uint64_t *seqno);
/** Queue @count jobs, all or none; *@seqno is the number of the last. */
int npu_context_submit_batch(struct npu_context *context, const struct npu_job *const *jobs,
			     size_t count, uint64_t *seqno);
/** The same, before others of its class: they should end at @deadline_ns, CLOCK_MONOTONIC. */
int npu_context_submit_until(struct npu_context *context, const struct npu_job *const *jobs,
			     size_t count, uint64_t deadline_ns, uint64_t *seqno);
/** Another class, an enum npu_class, and another weight. */
int npu_context_set(struct npu_context *context, uint32_t sched_class, uint32_t weight);
/** Wait until a job has ended; -ETIME after @timeout_ns, else how it ended. */
int npu_context_wait(struct npu_context *context, uint64_t seqno, uint64_t timeout_ns);
/** The same, but neither a timeout nor a failed job is an error: see *@status. */
int npu_context_status(struct npu_context *context, uint64_t seqno, uint64_t timeout_ns,
		       struct npu_job_status *status);
/** End jobs @first to @last with ECANCELED; *@cancelled had not ended. */
int npu_context_cancel(struct npu_context *context, uint64_t first, uint64_t last,
		       uint32_t *cancelled);

/** Map the completion page of @context, which it may outlive. */
int npu_page_map(const struct npu_context *context, struct npu_page **page);
void npu_page_free(struct npu_page *page);
/** All jobs up to this one have ended; no system call. */
uint64_t npu_page_completed(const struct npu_page *page);
/** The newest job that ended with an error, 0 if none; no system call. */
uint64_t npu_page_failed(const struct npu_page *page);
/** Whether the context takes no more jobs; no system call. */
int npu_page_banned(const struct npu_page *page);
/** How job @seqno ended; -ENOENT if the page does not, or no longer, tell. */
int npu_page_times(const struct npu_page *page, uint64_t seqno, struct npu_job_status *status);
/** npu_context_status() that looks at the page for a while before it sleeps. */
int npu_page_wait(const struct npu_page *page, uint64_t seqno, uint64_t timeout_ns,
		  struct npu_job_status *status);

#ifdef __cplusplus
}
#endif

#endif /* NPU_NPU_H */
