/* SPDX-License-Identifier: GPL-2.0-only */
/* How much of a lane a core is given at a time. */
#ifndef NPU_SLICE_H
#define NPU_SLICE_H

#include <linux/types.h>

struct npu_job_lane;

void npu_slice_prepare(struct npu_job_lane *lane);
u64 npu_slice_cost(const struct npu_job_lane *lane, u32 first, u32 count);
u32 npu_slice_tasks(const struct npu_job_lane *lane, u32 first, u64 slice_ns);
void npu_slice_learn(struct npu_job_lane *lane, u32 first, u32 count,
		     u64 device_ns);

#endif /* NPU_SLICE_H */
