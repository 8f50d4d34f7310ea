/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scheduler and a dispatcher that do what the documentation says ("scheduler" in
 * npu_pick.c, "fair share", "latency budget", "dispatcher" in npu_dispatch.c), by
 * looking at everything each time: they have no queues, trees or sums. The part in
 * npu_reference_policy.c is built for the host, too, with larger numbers.
 */
#ifndef NPU_REFERENCE_H
#define NPU_REFERENCE_H

#include <linux/types.h>

#include "../../driver/core/sched/npu_sched.h"

struct npu_job;

#ifndef NPU_REF_FILES
#define NPU_REF_FILES		3
#define NPU_REF_CONTEXTS	8
#endif
#define NPU_REF_QUEUED		6
#define NPU_REF_SLOTS		(2 * NPU_REF_QUEUED)

/**
 * struct npu_ref_submit - jobs that are submitted together, with syncs
 */
struct npu_ref_submit {
	/** @jobs: Jobs that have not ended. */
	u32 jobs;
	/** @pending: In-fences that have not signalled. */
	u32 pending;
	/** @in_error: First error of an in-fence. */
	int in_error;
	/** @out_error: First error of a job. */
	int out_error;
};

/**
 * struct npu_ref_job - a job in a queue
 */
struct npu_ref_job {
	/** @job: The job. */
	const struct npu_job *job;
	/** @submit: Its submit, or %NULL. */
	struct npu_ref_submit *submit;
	/** @deadline: Its deadline, or 0. */
	u64 deadline;
	/** @queued: When it was queued. */
	u64 queued;
	/** @next: Tasks of each lane that have ended. */
	u32 next[NPU_MAX_CORES];
	/** @busy: Lanes that a core has. */
	u32 busy;
	/** @begun: A core has had a lane. */
	bool begun;
	/** @started: A lane was started. */
	bool started;
	/** @error: First error. */
	int error;
	/** @guilty: A lane of it hung or faulted. */
	bool guilty;
};

/**
 * struct npu_ref_share - a file in a rank
 */
struct npu_ref_share {
	/** @time: Virtual time. */
	s64 time;
	/** @debt: To be added to it as there is room. */
	s64 debt;
	/** @lowest: Where contexts begin that become active. */
	s64 lowest;
	/** @overdrawn: Its deadlines do not count. */
	bool overdrawn;
};

/**
 * struct npu_ref_budget - a budget for latency work
 */
struct npu_ref_budget {
	/** @left: What is left of it. */
	s64 left;
	/** @at: When that was so. */
	u64 at;
};

/**
 * struct npu_ref_file - a file
 */
struct npu_ref_file {
	/** @shares: By rank. */
	struct npu_ref_share shares[NPU_RANKS];
	/** @budget: For latency work. */
	struct npu_ref_budget budget;
	/** @guilty: Jobs that hung or faulted. */
	u32 guilty;
	/** @wanted: When it had limited latency work last, or 0. */
	u64 wanted;
	/** @held: The gate is closed: no slice begins. */
	bool held;
};

/**
 * struct npu_ref_context - a context
 */
struct npu_ref_context {
	/** @file: Its file, or %NULL if there is no context. */
	struct npu_ref_file *file;
	/** @born: Which of all contexts it is. */
	u64 born;
	/** @mask: Cores it may use. */
	u32 mask;
	/** @sched_class: Its class. */
	u32 sched_class;
	/** @weight: Its weight. */
	u32 weight;
	/** @privileged: It has no budget. */
	bool privileged;
	/** @killed: Its id is gone. */
	bool killed;
	/** @guilty: Jobs that hung or faulted. */
	u32 guilty;
	/** @submitted: Newest job. */
	u64 submitted;
	/** @completed: Newest job that has ended. */
	u64 completed;
	/** @active: It has work that can run or runs. */
	bool active;
	/** @rank: As what. */
	enum npu_rank rank;
	/** @ready: A core could start a lane of it. */
	bool ready;
	/** @since: Number of when it became ready. */
	u64 since;
	/** @time: Virtual time. */
	s64 time;
	/** @tasks: Tasks that have ended. */
	u64 tasks;
	/** @jobs: The jobs. */
	struct npu_ref_job jobs[NPU_REF_SLOTS];
};

/**
 * struct npu_ref_core - a core
 */
struct npu_ref_core {
	/** @ctx: Whose slice it has, or %NULL. */
	struct npu_ref_context *ctx;
	/** @lane: Of which lane. */
	u32 lane;
	/** @first: Its first task. */
	u32 first;
	/** @tasks: Number of tasks. */
	u32 tasks;
	/** @rank: What it is served as. */
	enum npu_rank rank;
	/** @limited: Out of the budget. */
	bool limited;
	/** @ahead: Its file was far ahead of the others. */
	bool ahead;
	/** @started: When. */
	u64 started;
	/** @since: Since when each rank waits for it. */
	u64 since[NPU_RANKS];
	/** @attached: File whose address space it has, or %NULL. */
	struct npu_ref_file *attached;
	/** @used: Number of the slice that it took last. */
	u64 used;
	/** @fails: Its address space could not be attached. */
	bool fails;
};

/**
 * struct npu_ref - a device
 */
struct npu_ref {
	/** @policy: What can be set. */
	const struct npu_sched_params *policy;
	/** @fcfs: What it follows. */
	bool fcfs;
	/** @stay_ns: As &npu_sched.stay_ns. */
	u64 stay_ns;
	/** @now: The time. */
	u64 now;
	/** @born: Contexts so far. */
	u64 born;
	/** @readied: How often a context became ready. */
	u64 readied;
	/** @taken: Slices so far. */
	u64 taken;
	/** @ended: Jobs that have ended. */
	u64 ended;
	/** @budget: Of all files that have one. */
	struct npu_ref_budget budget;
	/** @mean: Virtual time of each rank. */
	s64 mean[NPU_RANKS];
	/** @failing: Core whose next attach fails, or -1. */
	int failing;
	/** @core_count: Number of cores. */
	u32 core_count;
	/** @cores: Cores. */
	struct npu_ref_core cores[NPU_MAX_CORES];
	/** @files: Files. */
	struct npu_ref_file files[NPU_REF_FILES];
	/** @contexts: Contexts. */
	struct npu_ref_context contexts[NPU_REF_CONTEXTS];
};

static inline struct npu_ref_job *npu_ref_job(struct npu_ref_context *ctx,
					      u64 seqno)
{
	return &ctx->jobs[seqno % NPU_REF_SLOTS];
}

bool npu_ref_banned(const struct npu_ref_context *ctx);
void npu_ref_change(struct npu_ref *ref, struct npu_ref_context *ctx,
		    u32 sched_class, u32 weight, bool privileged);
void npu_ref_hold(struct npu_ref *ref, struct npu_ref_file *file);
void npu_ref_release(struct npu_ref *ref, struct npu_ref_file *file);
void npu_ref_advance(struct npu_ref *ref, struct npu_ref_context *ctx);
void npu_ref_run(struct npu_ref *ref);
void npu_ref_end(struct npu_ref *ref, struct npu_ref_core *core, u64 device_ns,
		 int error);

/* For the part that dispatches. */
void npu_ref_ready(struct npu_ref *ref, struct npu_ref_context *ctx);
void npu_ref_unready(struct npu_ref *ref, struct npu_ref_context *ctx);
void npu_ref_idle(struct npu_ref *ref, struct npu_ref_context *ctx);
void npu_ref_charge(struct npu_ref *ref, struct npu_ref_core *core,
		    struct npu_ref_context *ctx, u64 ns);
void npu_ref_taken(struct npu_ref *ref, struct npu_ref_core *core);
bool npu_ref_waits(struct npu_ref *ref, u32 core);
struct npu_ref_context *npu_ref_pick(struct npu_ref *ref, u32 core);

#endif /* NPU_REFERENCE_H */
