// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: how many tasks of a lane a core is given at a time. The cost of a task is
 * what the client or the dialect estimates, until it has been measured.
 *
 * A lane is cut between two tasks by starting the second like a first one, with a
 * count that ends the chain where the next cut is; the links stay as they are. It
 * is not cut where a task needs what the one before has left on the chip.
 */
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "npu_job.h"
#include "npu_slice.h"

/* Of the factor by which costs are corrected. */
#define NPU_SLICE_ONE		1024u
/* It is never larger: costs have 32 bits. */
#define NPU_SLICE_MOST		BIT_ULL(30)
/* Costs that are wrong by less stay as they are. */
#define NPU_SLICE_NEAR		(NPU_SLICE_ONE / 4)
/* No task costs less, in nanoseconds. */
#define NPU_SLICE_LEAST		100u

/**
 * npu_slice_tasks() - the tasks of a slice
 * @lane: the lane
 * @first: the first of them
 * @slice_ns: how long they may take
 *
 * Return: how many there are: at least one, one that takes longer included, and
 * those that cannot be cut off.
 */
u32 npu_slice_tasks(const struct npu_job_lane *lane, u32 first, u64 slice_ns)
{
	u64 ns = lane->tasks[first].cost_ns;
	u32 next = first + 1;

	if (slice_ns == U64_MAX)
		return lane->task_count - first;
	for (; next < lane->task_count; next++) {
		const struct npu_job_task *task = &lane->tasks[next];

		ns += task->cost_ns;
		if (ns > slice_ns && !task->continues)
			break;
	}
	return next - first;
}

/**
 * npu_slice_learn() - a slice has been measured
 * @lane: the lane
 * @first: its first task
 * @count: number of its tasks
 * @device_ns: how long they took
 *
 * A cost that was too low is corrected at once, one that was too high by half.
 */
void npu_slice_learn(struct npu_job_lane *lane, u32 first, u32 count,
		     u64 device_ns)
{
	u64 ns = 0, factor;
	u32 i;

	for (i = first; i < first + count; i++)
		ns += lane->tasks[i].cost_ns;
	factor = div64_u64(min_t(u64, device_ns, U32_MAX) * NPU_SLICE_ONE,
			   max(ns, 1ull));
	if (factor >= NPU_SLICE_ONE - NPU_SLICE_NEAR &&
	    factor <= NPU_SLICE_ONE + NPU_SLICE_NEAR)
		return;
	if (factor < NPU_SLICE_ONE)
		factor = (factor + NPU_SLICE_ONE) / 2;
	factor = min(factor, NPU_SLICE_MOST);
	for (i = first; i < first + count; i++) {
		struct npu_job_task *task = &lane->tasks[i];

		task->cost_ns = clamp(task->cost_ns * factor / NPU_SLICE_ONE,
				      (u64)NPU_SLICE_LEAST, (u64)U32_MAX);
	}
}
