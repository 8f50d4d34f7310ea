/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs: immutable programs. */
#ifndef NPU_JOB_H
#define NPU_JOB_H

#include <linux/refcount.h>
#include <linux/xarray.h>

struct drm_npu_task;
struct npu_device;
struct npu_isa_fault;
struct npu_isa_ops;
struct npu_mapping;
struct npu_vm;

/* Bytes of a label, the zero byte included. */
#define NPU_MAX_LABEL		64

/* Marks mappings in &npu_job.used that the job writes to. */
#define NPU_JOB_WRITES		XA_MARK_0

/**
 * struct npu_job_task - a task of a lane
 */
struct npu_job_task {
	/** @stream: Device address of its stream. */
	u64 stream;
	/** @stream_words: Words of that stream, link included. */
	u32 stream_words;
	/** @cost_ns: Estimate of its device time. */
	u32 cost_ns;
	/** @enable: Blocks that it starts. */
	u32 enable;
	/** @continues: Reuses data that the task before has left on the chip. */
	bool continues;
	/** @cut: This task, or the next one before which the lane can be cut. */
	u32 cut;
	/** @before_ns: Sum of the estimates of all tasks before it. */
	u64 before_ns;
	/**
	 * @factor: Of the first task of a block: by what its estimates are to be
	 * multiplied; protected by npu_exec.lock. See npu_slice.c.
	 */
	u64 factor;
};

/**
 * struct npu_job_lane - a lane
 */
struct npu_job_lane {
	/** @tasks: Its tasks. */
	struct npu_job_task *tasks;
	/** @task_count: Tasks in the chain. */
	u32 task_count;
	/** @words: Words of all streams of the chain. */
	u32 words;
	/** @unlinked: The dialect has no links, so each task is a slice. */
	bool unlinked;
};

/**
 * struct npu_job - a job
 */
struct npu_job {
	/** @ref: References: the id and every slot. */
	refcount_t ref;
	/** @npu: The device. */
	struct npu_device *npu;
	/** @streams: Command memory; no client has a handle of it. */
	struct npu_mapping *streams;
	/** @tasks: The tasks of all lanes. */
	struct npu_job_task *tasks;
	/** @label: A name for people, without control characters; may be empty. */
	char label[NPU_MAX_LABEL];
	/** @macs: Multiply-accumulates of all tasks, as &npu_isa_task.macs counts them. */
	u64 macs;
	/** @task_count: Number of tasks of all lanes. */
	u32 task_count;
	/** @used: Mappings that the streams address, by address, referenced. */
	struct xarray used;
	/** @lane_count: Number of lanes. */
	u32 lane_count;
	/** @lanes: The lanes. */
	struct npu_job_lane lanes[] __counted_by(lane_count);
};

/**
 * struct npu_job_builder - a job under construction
 */
struct npu_job_builder {
	/** @job: The job; its lanes' task counts are filled in. */
	struct npu_job *job;
	/** @vm: Address space of the file. */
	struct npu_vm *vm;
	/** @isa: Dialect. */
	const struct npu_isa_ops *isa;
	/** @tasks: All tasks of all lanes, one after the other. */
	struct drm_npu_task *tasks;
	/**
	 * @copy: The commands, if they have been copied already: then
	 * &drm_npu_task.commands are indices of words in it. Else they are user
	 * pointers.
	 */
	void *copy;
	/** @commands: Room for the commands of one task, without @copy. */
	void *commands;
	/**
	 * @spare: Memory that had the streams of another job, or %NULL. The job gets
	 * it if it is large enough, otherwise it is left.
	 */
	struct npu_mapping *spare;
	/** @streams: The streams of all tasks verified so far, not linked yet. */
	void *streams;
	/** @words: Words of @streams. */
	size_t words;
	/** @room: Words that @streams has room for. */
	size_t room;
	/** @state: State of the verifier. */
	void *state;
	/** @uncut_ns: Modelled time of the newest tasks that cannot be cut apart. */
	u64 uncut_ns;
	/** @fault_lane: Lane of the stream that was refused. */
	u32 fault_lane;
	/** @fault_task: Its task. */
	u32 fault_task;
};

struct npu_job *npu_job_create(struct npu_device *npu, u32 lane_count);
int npu_job_alloc_tasks(struct npu_job *job);
int npu_job_build(struct npu_job_builder *builder, struct npu_isa_fault *fault);
void npu_job_builder_fini(struct npu_job_builder *builder);
struct npu_mapping *npu_job_put_streams(struct npu_job *job);
bool npu_job_uses(const struct npu_job *job, const struct npu_mapping *mapping,
		  bool writes);
void npu_job_put(struct npu_job *job);

#endif /* NPU_JOB_H */
