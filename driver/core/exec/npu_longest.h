/* SPDX-License-Identifier: GPL-2.0-only */
/* The longest time that an end takes with interrupts off, for benchmarks. */
#ifndef NPU_LONGEST_H
#define NPU_LONGEST_H

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/types.h>

struct npu_device;

/**
 * struct npu_longest - the longest of some times
 *
 * Protected by npu_exec.lock.
 */
struct npu_longest {
	/** @on: Times are measured, which costs reading the clock twice. */
	bool on;
	/** @ns: The longest so far. */
	u64 ns;
};

/**
 * npu_longest_begin() - a time begins
 * @longest: the longest
 *
 * Return: for npu_longest_end().
 */
static inline u64 npu_longest_begin(const struct npu_longest *longest)
{
	return longest->on ? ktime_get_ns() : 0;
}

/**
 * npu_longest_end() - it ends
 * @longest: the longest
 * @begun: what npu_longest_begin() has returned
 */
static inline void npu_longest_end(struct npu_longest *longest, u64 begun)
{
	if (begun)
		longest->ns = max(longest->ns, ktime_get_ns() - begun);
}

void npu_longest_debugfs_init(struct npu_device *npu);

#endif /* NPU_LONGEST_H */
