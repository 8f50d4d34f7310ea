/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The calls of mainline's rocket driver, as this driver offers them.
 *
 * Numbers, names and layouts are those of Linux 6.18 and later; the include
 * guard is the same too, so that either header may come first.
 */

#ifndef __DRM_UAPI_ROCKET_ACCEL_H__
#define __DRM_UAPI_ROCKET_ACCEL_H__

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: rocket
 *
 * An older way to use the device, kept for programs that know no other, such as
 * Mesa's Teflon delegate. Streams lie in buffers of the client, complete with
 * the link and the start that this driver otherwise writes. They are copied and
 * verified at each submit. Jobs of a file run in order, on any core, and are
 * ordered with those of others by the implicit fences of the buffers that they
 * list::
 *
 *	CREATE_BO { .size }                   -> handle, dma_address, offset
 *	PREP_BO { .handle, .timeout_ns }, fill it, FINI_BO { .handle }
 *	SUBMIT { .jobs = { { .tasks = { { regcmd, regcmd_count } },
 *			     .in_bo_handles, .out_bo_handles } } }
 *	PREP_BO { .handle, .timeout_ns }, read the result
 */

#define DRM_ROCKET_CREATE_BO			0x00
#define DRM_ROCKET_SUBMIT			0x01
#define DRM_ROCKET_PREP_BO			0x02
#define DRM_ROCKET_FINI_BO			0x03

/**
 * struct drm_rocket_create_bo - argument of %DRM_IOCTL_ROCKET_CREATE_BO
 *
 * Errors: EINVAL for @size 0; E2BIG for a @size above
 * &drm_npu_query_limits.max_buffer_size; ENOSPC when the device's address
 * space has no hole of that size; ENOMEM.
 */
struct drm_rocket_create_bo {
	/** @size: In: bytes wanted, rounded up to pages. */
	__u32 size;
	/** @handle: Out: GEM handle. */
	__u32 handle;
	/** @dma_address: Out: device address. */
	__u64 dma_address;
	/** @offset: Out: offset for mmap() of the device file. */
	__u64 offset;
};

/**
 * struct drm_rocket_prep_bo - argument of %DRM_IOCTL_ROCKET_PREP_BO
 *
 * Waits for the implicit fences of a buffer and hands all of it to the CPU: caches
 * are as after %DRM_NPU_SYNC_FOR_CPU.
 *
 * Errors: EINVAL for @reserved not zero; ENOENT for a @handle that does not
 * exist; EBUSY when there is work on the buffer and @timeout_ns has passed
 * already; ETIMEDOUT when there still is at @timeout_ns; EINTR when a signal
 * arrives.
 */
struct drm_rocket_prep_bo {
	/** @handle: In: GEM handle. */
	__u32 handle;
	/** @reserved: Must be zero. */
	__u32 reserved;
	/** @timeout_ns: In: until when to wait, CLOCK_MONOTONIC nanoseconds. */
	__s64 timeout_ns;
};

/**
 * struct drm_rocket_fini_bo - argument of %DRM_IOCTL_ROCKET_FINI_BO
 *
 * Hands a buffer back to the device, as %DRM_NPU_SYNC_FOR_DEVICE does.
 *
 * Errors: EINVAL for @reserved not zero; ENOENT for a @handle that does not
 * exist.
 */
struct drm_rocket_fini_bo {
	/** @handle: In: GEM handle. */
	__u32 handle;
	/** @reserved: Must be zero. */
	__u32 reserved;
};

/**
 * struct drm_rocket_task - a command stream in a buffer
 */
struct drm_rocket_task {
	/** @regcmd: In: device address of the stream. */
	__u32 regcmd;
	/** @regcmd_count: In: its 64 bit words, link and start included. */
	__u32 regcmd_count;
};

/**
 * struct drm_rocket_job - tasks that run one after the other on one core
 */
struct drm_rocket_job {
	/** @tasks: In: user pointer to an array of &struct drm_rocket_task. */
	__u64 tasks;
	/** @in_bo_handles: In: user pointer to GEM handles the job reads. */
	__u64 in_bo_handles;
	/** @out_bo_handles: In: user pointer to GEM handles the job writes. */
	__u64 out_bo_handles;
	/** @task_count: In: number of tasks. */
	__u32 task_count;
	/** @task_struct_size: In: bytes from one task to the next. */
	__u32 task_struct_size;
	/** @in_bo_handle_count: In: number of handles the job reads. */
	__u32 in_bo_handle_count;
	/** @out_bo_handle_count: In: number of handles the job writes. */
	__u32 out_bo_handle_count;
};

/**
 * struct drm_rocket_submit - argument of %DRM_IOCTL_ROCKET_SUBMIT
 *
 * As in mainline a job that is refused does not make the call fail: its error
 * is in the fence that the buffers it writes are given, if their handles are
 * good, for who gets hold of that fence before it signals. The file's fdinfo counts
 * jobs that were refused or failed (npu-compat-failed), and the kernel's log tells of
 * some. The call waits
 * while very many jobs of the file are unfinished.
 *
 * Streams are read once, during the call. The driver keeps what it has made of them, up
 * to 1024 jobs or 32 MiB of a file, for calls with the same streams at the same
 * addresses; a buffer is let go of when its handle is closed all the same.
 *
 * A @job_count of 0 does nothing, whatever else is there.
 *
 * Errors: EINVAL for @reserved not zero or a @job_struct_size that is too
 * small; E2BIG for a @job_struct_size above 4096 or a @job_count above 65536,
 * and when a job lists more than &drm_npu_query_limits.max_submit_shared
 * different buffers, in which case the jobs before it have been queued;
 * EFAULT; ENOMEM; EIO when the file's jobs have hung or faulted too often;
 * EINTR when the caller is killed.
 */
struct drm_rocket_submit {
	/** @jobs: In: user pointer to an array of &struct drm_rocket_job. */
	__u64 jobs;
	/** @job_count: In: number of jobs, may be 0. */
	__u32 job_count;
	/** @job_struct_size: In: bytes from one job to the next. */
	__u32 job_struct_size;
	/** @reserved: Must be zero. */
	__u64 reserved;
};

#define DRM_IOCTL_ROCKET_CREATE_BO \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_ROCKET_CREATE_BO, \
		 struct drm_rocket_create_bo)
#define DRM_IOCTL_ROCKET_SUBMIT \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ROCKET_SUBMIT, struct drm_rocket_submit)
#define DRM_IOCTL_ROCKET_PREP_BO \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ROCKET_PREP_BO, struct drm_rocket_prep_bo)
#define DRM_IOCTL_ROCKET_FINI_BO \
	DRM_IOW(DRM_COMMAND_BASE + DRM_ROCKET_FINI_BO, struct drm_rocket_fini_bo)

#if defined(__cplusplus)
}
#endif

#endif /* __DRM_UAPI_ROCKET_ACCEL_H__ */
