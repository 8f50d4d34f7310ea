// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: latency budget
 *
 * Limited latency work ranks as throughput if its file has no budget left, or if
 * all files that are limited have none together, so that new files get no more. A
 * budget grows all the time, by latency_percent of all cores or by the file's part
 * of it, up to what it grows by in latency_window_ms. A slice that was served as
 * limited latency work is taken from both and may overdraw them. The file pays for
 * all that the slice took. The common budget pays for at most what it can hold,
 * since other files pay for it too: one job that hangs is not to keep them waiting
 * for as long. No debt is forgotten.
 *
 * The files that have a part are those which have had limited latency work in the
 * present or in the last window, not those that merely have contexts for it.
 * Windows begin at multiples of latency_window_ms, so that counting takes no list
 * and no timer.
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

static u64 npu_budget_window_ns(const struct npu_sched *sched)
{
	return READ_ONCE(sched->params->latency_window_ms) * (u64)NSEC_PER_MSEC;
}

/* What the budget of each of @files can hold. */
static s64 npu_budget_most(const struct npu_sched *sched, u32 files)
{
	return npu_budget_share(sched, npu_budget_window_ns(sched), files);
}

/* Forget files that have had no limited latency work of late. */
static void npu_budget_roll(struct npu_sched *sched, u64 now)
{
	/* Files that never had such work are in window 0, which is never the last. */
	u64 window = div64_u64(now, max(npu_budget_window_ns(sched), 1ull)) + 2;

	if (window == sched->window)
		return;
	sched->wanted = window == sched->window + 1 ? sched->wanting : 0;
	sched->wanting = 0;
	sched->window = window;
}

/**
 * npu_budget_want() - there is limited latency work
 * @file: its file, which has a part of the budget from now on
 * @now: the time
 */
void npu_budget_want(struct npu_sched_file *file, u64 now)
{
	struct npu_sched *sched = file->sched;

	npu_budget_roll(sched, now);
	if (file->window == sched->window)
		return;
	/* None is counted if the length of windows has changed meanwhile. */
	if (file->window + 1 == sched->window && sched->wanted)
		sched->wanted--;
	sched->wanting++;
	file->window = sched->window;
}

/**
 * npu_budget_files() - among how many files is the budget divided?
 * @sched: the scheduler
 * @now: the time
 *
 * Return: the number, at least 1.
 */
u32 npu_budget_files(struct npu_sched *sched, u64 now)
{
	npu_budget_roll(sched, now);
	return max(sched->wanting + sched->wanted, 1u);
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

	npu_budget_grow(sched, &file->budget, npu_budget_files(sched, now), now);
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
	sched->budget.left -= min_t(s64, ns, npu_budget_most(sched, 1));
}
