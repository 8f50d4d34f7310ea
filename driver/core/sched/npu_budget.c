// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: latency budget
 *
 * Limited latency work ranks as throughput if its file has no budget left, or if
 * all files that are limited have none together, so that new files get no more. A
 * budget grows all the time, by latency_percent of all cores or by the file's part
 * of it, up to what it grows by in latency_window_ms. A slice that was served as
 * limited latency work is taken from both and may overdraw them: that of the file
 * by all that the slice took, that of all files by no more than it can hold, since
 * other files pay for it.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "npu_sched_priv.h"

/* Device time that each of @files may use for latency work in @ns nanoseconds. */
static u64 npu_budget_share(const struct npu_sched *sched, u64 ns, u32 files)
{
	u32 percent = min(READ_ONCE(sched->params->latency_percent), 100u);

	return div_u64(min(ns, NPU_SCHED_LONG) * sched->core_count * percent,
		       100 * files);
}

/* What the budget of each of @files can hold. */
static s64 npu_budget_most(const struct npu_sched *sched, u32 files)
{
	u64 window = READ_ONCE(sched->params->latency_window_ms) *
		     (u64)NSEC_PER_MSEC;

	return npu_budget_share(sched, window, files);
}

/* Time has passed for @budget, which is that of each of @files. */
static void npu_budget_grow(const struct npu_sched *sched,
			    struct npu_budget *budget, u32 files, u64 now)
{
	budget->left += npu_budget_share(sched, now - budget->at, files);
	budget->left = min(budget->left, npu_budget_most(sched, files));
	budget->at = now;
}

/**
 * npu_budget_any() - is there budget for limited latency work?
 * @file: the file
 * @now: the time
 *
 * Return: whether its work may be served as latency work.
 */
bool npu_budget_any(struct npu_sched_file *file, u64 now)
{
	struct npu_sched *sched = file->sched;

	npu_budget_grow(sched, &file->budget, max(sched->latency_files, 1u), now);
	npu_budget_grow(sched, &sched->budget, 1, now);
	return file->budget.left > 0 && sched->budget.left > 0;
}

/**
 * npu_budget_take() - limited latency work has been served
 * @file: its file
 * @ns: device time, at most %NPU_SCHED_LONG
 * @now: the time
 */
void npu_budget_take(struct npu_sched_file *file, u64 ns, u64 now)
{
	struct npu_sched *sched = file->sched;

	npu_budget_any(file, now);
	file->budget.left -= ns;
	sched->budget.left = max(sched->budget.left - (s64)ns,
				 -npu_budget_most(sched, 1));
}
