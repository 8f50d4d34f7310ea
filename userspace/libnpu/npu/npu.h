/* SPDX-License-Identifier: MIT */
/*
 * libnpu for C and for languages that call C. The objects and their rules are
 * those of the C++ headers beside this one.
 *
 * Functions that can fail return 0 or a negative errno; npu_error_message() then
 * says in one line what failed. Objects are freed with their _free function,
 * buffers, contexts and jobs before their device; NULL is allowed there.
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

/** A command stream; its commands are copied when the job is created. */
struct npu_task {
	const uint64_t *commands;
	size_t command_count;
	/** Hardware blocks to start. */
	uint32_t enable;
};

/** Tasks that run on one core, in order. */
struct npu_lane {
	const struct npu_task *tasks;
	size_t task_count;
};

/** What the last call of this thread that failed says; never NULL. */
const char *npu_error_message(void);

/** Open the device file @path; if NULL, the first NPU there is. */
int npu_device_open(const char *path, struct npu_device **device);
void npu_device_free(struct npu_device *device);
uint32_t npu_device_core_count(const struct npu_device *device);

/** A buffer of @size bytes, filled with zeros and mapped. */
int npu_buffer_create(struct npu_device *device, size_t size, struct npu_buffer **buffer);
void npu_buffer_free(struct npu_buffer *buffer);
void *npu_buffer_data(const struct npu_buffer *buffer);
size_t npu_buffer_size(const struct npu_buffer *buffer);
/** Address that command streams use. */
uint32_t npu_buffer_address(const struct npu_buffer *buffer);

/** An immutable program of @lane_count lanes. */
int npu_job_create(struct npu_device *device, const struct npu_lane *lanes, size_t lane_count,
		   struct npu_job **job);
void npu_job_free(struct npu_job *job);

/** A queue on the cores of @core_mask, or on all if it is 0. */
int npu_context_create(struct npu_device *device, uint32_t core_mask, struct npu_context **context);
void npu_context_free(struct npu_context *context);

/** Queue a job; *@seqno is its number for npu_context_wait(). */
int npu_context_submit(struct npu_context *context, const struct npu_job *job, uint64_t *seqno);
/** Wait until a job has ended; -ETIME after @timeout_ns, else how it ended. */
int npu_context_wait(struct npu_context *context, uint64_t seqno, uint64_t timeout_ns);

#ifdef __cplusplus
}
#endif

#endif /* NPU_NPU_H */
