// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slices: how many tasks of a lane a core is given at a time. The cost of a task is
 * what the client or the dialect estimates, multiplied by a factor that is learnt
 * from what slices take.
 *
 * A lane is cut between two tasks by starting the second like a first one, with a
 * count that ends the chain where the next cut is; the links stay as they are. It
 * is not cut where a task needs what the one before has left on the chip. A lane
 * whose dialect has no links is cut between all of its tasks.
 *
 * All of this is done in interrupts, and lanes may have thousands of tasks. So
 * estimates are summed up in advance, and tasks have their factors in blocks, of
 * which there are 64 at most; in a lane of no more tasks each is a block.
 */
#include <linux/bits.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "npu_job.h"
#include "npu_slice.h"

/* Of what a slice took to what it was to take. */
#define NPU_SLICE_SHIFT		10
#define NPU_SLICE_ONE		((u32)BIT(NPU_SLICE_SHIFT))
/* Of &npu_job_task.factor; costs may be wrong by many orders of magnitude. */
#define NPU_SLICE_UNIT_SHIFT	32
#define NPU_SLICE_UNIT		BIT_ULL(NPU_SLICE_UNIT_SHIFT)
#define NPU_SLICE_MOST		(NPU_SLICE_UNIT << 20)
/* Costs that are wrong by less stay as they are. */
#define NPU_SLICE_NEAR		(NPU_SLICE_ONE / 4)
/* No task costs less, in nanoseconds. */
#define NPU_SLICE_LEAST		100u

/* Blocks of a lane. */
#define NPU_SLICE_BLOCKS	64u

/* Tasks of a block of @lane, but for the last. */
static u32 npu_slice_block(const struct npu_job_lane *lane)
{
	return DIV_ROUND_UP(lane->task_count, NPU_SLICE_BLOCKS);
}

/**
 * npu_slice_prepare() - sum up the estimates of a lane's tasks
 * @lane: the lane, whose tasks have their estimates
 */
void npu_slice_prepare(struct npu_job_lane *lane)
{
	u32 cut = lane->task_count, i;
	u64 ns = 0;

	for (i = 0; i < lane->task_count; i++) {
		lane->tasks[i].before_ns = ns;
		lane->tasks[i].factor = NPU_SLICE_UNIT;
		ns += lane->tasks[i].cost_ns;
	}
	while (i--) {
		if (!lane->tasks[i].continues)
			cut = i;
		lane->tasks[i].cut = cut;
	}
}

/* Cost of @count tasks of one block, the first of which is @first. */
static u64 npu_slice_part(const struct npu_job_lane *lane, u32 first, u32 count)
{
	const struct npu_job_task *last = &lane->tasks[first + count - 1];
	u32 block = npu_slice_block(lane);
	u64 ns = last->before_ns + last->cost_ns - lane->tasks[first].before_ns;

	ns = mul_u64_u64_shr(ns, lane->tasks[first - first % block].factor,
			     NPU_SLICE_UNIT_SHIFT);
	return clamp(ns, count * (u64)NPU_SLICE_LEAST, count * (u64)U32_MAX);
}

/* How many of @count tasks from @first on are of one block. */
static u32 npu_slice_same(const struct npu_job_lane *lane, u32 first, u32 count)
{
	u32 block = npu_slice_block(lane);

	return min(count, block - first % block);
}

/**
 * npu_slice_cost() - how long tasks take
 * @lane: the lane
 * @first: the first of them
 * @count: their number
 *
 * Return: nanoseconds.
 */
u64 npu_slice_cost(const struct npu_job_lane *lane, u32 first, u32 count)
{
	u32 end = first + count, part;
	u64 ns = 0;

	for (; first < end; first += part) {
		part = npu_slice_same(lane, first, end - first);
		ns += npu_slice_part(lane, first, part);
	}
	return ns;
}

/* How many of the @count tasks of a block from @first on take @ns or less. */
static u32 npu_slice_fit(const struct npu_job_lane *lane, u32 first, u32 count,
			 u64 ns)
{
	u32 fit = 0, middle;

	/* All of @fit tasks do, not all of @count. */
	while (fit + 1 < count) {
		middle = (fit + count) / 2;
		if (npu_slice_part(lane, first, middle) <= ns)
			fit = middle;
		else
			count = middle;
	}
	return fit;
}

/**
 * npu_slice_tasks() - the tasks of a slice
 * @lane: the lane
 * @first: the first of them
 * @slice_ns: how long they may take
 *
 * Return: how many there are: at least one, one that takes longer included, and
 * those that cannot be cut off. A lane without links has slices of one task.
 */
u32 npu_slice_tasks(const struct npu_job_lane *lane, u32 first, u64 slice_ns)
{
	u32 next = first, part;
	u64 ns;

	if (lane->unlinked)
		return 1;
	if (slice_ns == U64_MAX)
		return lane->task_count - first;
	for (; next < lane->task_count; next += part) {
		part = npu_slice_same(lane, next, lane->task_count - next);
		ns = npu_slice_part(lane, next, part);
		if (ns > slice_ns) {
			next += npu_slice_fit(lane, next, part, slice_ns);
			break;
		}
		slice_ns -= ns;
	}
	next = max(next, first + 1);
	return (next < lane->task_count ? lane->tasks[next].cut : next) - first;
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
	u32 block = npu_slice_block(lane), i;
	u64 ratio;

	ratio = div64_u64(min_t(u64, device_ns, U32_MAX) * NPU_SLICE_ONE,
			  npu_slice_cost(lane, first, count));
	if (ratio >= NPU_SLICE_ONE - NPU_SLICE_NEAR &&
	    ratio <= NPU_SLICE_ONE + NPU_SLICE_NEAR)
		return;
	if (ratio < NPU_SLICE_ONE)
		ratio = (ratio + NPU_SLICE_ONE) / 2;
	for (i = first - first % block; i < first + count; i += block) {
		u64 factor = lane->tasks[i].factor;

		/* Without an overflow. */
		factor = ratio < div64_u64(NPU_SLICE_MOST << NPU_SLICE_SHIFT, factor) ?
			 factor * ratio >> NPU_SLICE_SHIFT : NPU_SLICE_MOST;
		lane->tasks[i].factor = max(factor, 1ull);
	}
}
