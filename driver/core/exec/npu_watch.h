/* SPDX-License-Identifier: GPL-2.0-only */
/* Detection of hung cores. */
#ifndef NPU_WATCH_H
#define NPU_WATCH_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/types.h>

/**
 * struct npu_watch - progress of a slice
 *
 * Times are jiffies. A lane may be without progress for the timeout of a task,
 * and take that long for each of its tasks in all: then it ends even if it
 * always looks busy.
 */
struct npu_watch {
	/** @timeout: Of one task. */
	unsigned long timeout;
	/** @progress: Progress at the last check. */
	u64 progress;
	/** @deadline: When to look again. */
	unsigned long deadline;
	/** @limit: When the lane must have ended. */
	unsigned long limit;
};

/**
 * enum npu_watch_verdict - result of a check
 */
enum npu_watch_verdict {
	/** @NPU_WATCH_EARLY: It is not time yet. */
	NPU_WATCH_EARLY,
	/** @NPU_WATCH_BUSY: There is progress; look again at the deadline. */
	NPU_WATCH_BUSY,
	/** @NPU_WATCH_HUNG: It hangs. */
	NPU_WATCH_HUNG,
};

/*
 * A lane may take the timeouts of so many tasks at most: others wait for the
 * core, and for its fence.
 */
#define NPU_WATCH_TASKS		16u

/**
 * npu_watch_start() - a lane starts
 * @watch: the watch
 * @timeout: of one task
 * @tasks: tasks of the lane
 * @progress: progress so far
 * @now: the time
 */
static inline void npu_watch_start(struct npu_watch *watch,
				   unsigned long timeout, u32 tasks,
				   u64 progress, unsigned long now)
{
	u64 limit = (u64)timeout * clamp(tasks, 1u, NPU_WATCH_TASKS);

	watch->timeout = timeout;
	watch->progress = progress;
	watch->deadline = now + timeout;
	/* Further away, time_before() would take it for the past. */
	watch->limit = now + min_t(u64, limit, MAX_JIFFY_OFFSET);
}

/**
 * npu_watch_look() - how is the lane doing?
 * @watch: the watch
 * @progress: progress so far
 * @now: the time
 *
 * Return: the verdict; if it is %NPU_WATCH_BUSY the deadline has moved.
 */
static inline enum npu_watch_verdict
npu_watch_look(struct npu_watch *watch, u64 progress, unsigned long now)
{
	if (time_before(now, watch->deadline))
		return NPU_WATCH_EARLY;
	if (progress == watch->progress || !time_before(now, watch->limit))
		return NPU_WATCH_HUNG;
	watch->progress = progress;
	watch->deadline = now + watch->timeout;
	if (time_after(watch->deadline, watch->limit))
		watch->deadline = watch->limit;
	return NPU_WATCH_BUSY;
}

#endif /* NPU_WATCH_H */
