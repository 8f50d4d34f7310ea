// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a task takes.
 *
 * The array takes 32 channels of one pixel and one kernel group (32 kernels of
 * int8, 16 of fp16) a cycle: 1024 and 512 multiply-accumulates (TRM). Pixels
 * are padded to fours (measured on silicon for matrix rows). Loading and
 * multiplying overlap, so the longer of the two counts.
 */
#include "npu_model_priv.h"

/*
 * Clock: what the vendor runs published figures at. Utilisation: published
 * matrix multiplications reach 0.7 to 0.75 of the peak. Bandwidth: decode on
 * one core and on three implies 10.6 and 28 GB/s. Start-up: 32 tasks in one
 * chain took 229 us on an RV1103, of which at most 4 us each cannot be
 * explained by bytes or arithmetic; an upper bound from a slower sibling.
 *
 * On-chip memory: no bandwidth is published. Assumed is a port of 128 bits at
 * 800 MHz for all cores, and that a core draws no more from both memories
 * together than it was measured to draw from one; so a matrix multiplication on
 * an idle bus gains next to nothing by it, which was measured on silicon.
 */
const struct npu_model_params npu_model_params_rk3588 = {
	.clock_hz = 1000000000,
	.util_permille = 730,
	.core_bytes_per_us = 10600,
	.total_bytes_per_us = 28000,
	.sram_bytes_per_us = 12800,
	.task_ns = 4000,
	.timing_only = 0,
};

/* Time for @bytes at @rate bytes a microsecond. */
static __u64 transfer_ns(__u64 bytes, __u64 rate)
{
	return bytes * 1000 / (rate ? rate : 1);
}

static __u64 longest(__u64 a, __u64 b)
{
	return a > b ? a : b;
}

static __u64 bus_ns(const struct npu_model_core *core)
{
	const struct npu_model_params *params = &core->params;
	__u32 active = core->active_cores ? core->active_cores : 1;
	__u64 dram = (__u64)params->total_bytes_per_us *
		     (1000 - params->load_permille) / 1000;
	__u64 ns;

	ns = transfer_ns(core->task_bytes, params->core_bytes_per_us);
	ns = longest(ns, transfer_ns(core->task_bytes - core->sram_bytes,
				     dram / active));
	return longest(ns, transfer_ns(core->sram_bytes,
				       params->sram_bytes_per_us / active));
}

__u64 npu_model_task_ns(const struct npu_model_core *core,
			const struct npu_model_task *task)
{
	const struct npu_model_params *params = &core->params;
	__u64 pixels = ((__u64)task->width * task->height + 3) & ~3ull;
	__u64 cycles = pixels * task->slices *
		       (task->kernels / task->group_kernels);
	__u64 compute_ns;

	/* Below 2^64 for clocks under 18 GHz: cycles are fewer than 2^41. */
	compute_ns = cycles * 1000 / (params->clock_hz / 1000000);
	compute_ns = compute_ns * 1000 / params->util_permille;

	return params->task_ns + longest(compute_ns, bus_ns(core));
}
