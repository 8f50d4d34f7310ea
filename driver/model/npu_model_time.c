// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a task takes.
 *
 * The array takes one slice of channels of one pixel and one kernel group, for
 * one tap, a cycle: of int8 32 channels and 32 kernels, that is 1024
 * multiply-accumulates, of fp16 512, of int4 2048, of tf32 256 (TRM). A published
 * fp16 convolution reaches 97 % of that. A depthwise convolution is assumed to take
 * 32 channels a cycle as well. Pixels are padded to fours (measured on silicon for
 * matrix rows). Post-processing of what is in memory is bound by the bus at
 * 600 MHz and more (measured); that it passes an atom a cycle below fits its times
 * at 300 MHz. A LUT is assumed to cost nothing more.
 *
 * Loading and multiplying overlap, but not fully: over clocks from 300 to 1000 MHz
 * the times of published convolutions follow the root of the sum of squares better
 * than the longer of both, or their sum.
 */
#include "npu_model_priv.h"

/*
 * Clock: what the vendor runs published figures at. Bandwidths and start-up are
 * fitted to every second published measurement; `make bench-silicon` compares them
 * with all, and `silicon-bench --fit` finds them again.
 *
 * On-chip memory: no bandwidth is published. Assumed is a port of 128 bits at
 * 800 MHz for all cores, and that a core draws no more from both memories
 * together than it was measured to draw from one; so a matrix multiplication on
 * an idle bus gains next to nothing by it, which was measured on silicon.
 */
const struct npu_model_params npu_model_params_rk3588 = {
	.clock_hz = 1000000000,
	.core_bytes_per_us = 9200,
	.post_bytes_per_us = 8150,
	.total_bytes_per_us = 27200,
	.sram_bytes_per_us = 12800,
	.task_ns = 3300,
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

/* The largest number whose square is at most @square. */
static __u64 square_root(__u64 square)
{
	__u64 root = 0, bit;

	for (bit = 1ull << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= square)
			root += bit;
	return root;
}

/*
 * Time of two activities that overlap, but not fully: as long as the longer if the
 * other is short, and 1.4 times as long if they are equal. Beyond two seconds the
 * difference to the longer no longer matters.
 */
static __u64 overlapped(__u64 a, __u64 b)
{
	const __u64 limit = 2000000000;

	if (a > limit || b > limit)
		return longest(a, b);
	return square_root(a * a + b * b);
}

/* Time of a task's transfers; *@sram: on-chip memory is what takes longest. */
static __u64 bus_ns(const struct npu_model_core *core, __u32 enable, __u32 *sram)
{
	const struct npu_model_params *params = &core->params;
	__u32 post = !(enable & RKNN_ENABLE_CNA) && params->post_bytes_per_us;
	__u32 active = core->active_cores ? core->active_cores : 1;
	__u64 dram = (__u64)params->total_bytes_per_us *
		     (1000 - params->load_permille) / 1000;
	__u64 ns, sram_ns;

	ns = transfer_ns(core->task_bytes, post ? params->post_bytes_per_us :
						  params->core_bytes_per_us);
	ns = longest(ns, transfer_ns(core->task_bytes - core->sram_bytes,
				     dram / active));
	sram_ns = transfer_ns(core->sram_bytes, params->sram_bytes_per_us / active);
	*sram = sram_ns > ns;
	return longest(ns, sram_ns);
}

__u64 npu_model_macs(const struct npu_model_task *task)
{
	const struct npu_model_conv *conv = &task->conv;
	__u64 macs = (__u64)conv->pixels * conv->kernel_width *
		     conv->kernel_height;

	if (!(task->enable & RKNN_ENABLE_CNA))
		return 0;
	macs *= conv->image ? conv->image : conv->channels;
	return conv->depthwise ? macs : macs * conv->kernels;
}

/* Cycles of the array: below 2^53, for 2^22 pixels, 2^10 taps, 2^21 of the rest. */
static __u64 conv_cycles(const struct npu_model_conv *conv)
{
	__u64 pixels = ((__u64)conv->pixels + 3) & ~3ull, slices = conv->slices;

	if (conv->depthwise)
		slices = (conv->group + NPU_MODEL_LANES - 1) / NPU_MODEL_LANES;
	return pixels * conv->kernel_width * conv->kernel_height * slices *
	       conv->groups;
}

/* Post-processing alone passes an atom of results a cycle. */
static __u64 post_cycles(const struct npu_model_dpu *dpu)
{
	return (__u64)dpu->pixels * dpu->channels * dpu->out_bytes / 16;
}

void npu_model_task_time(struct npu_model_core *core,
			 const struct npu_model_task *task)
{
	const struct npu_model_params *params = &core->params;
	__u64 compute_ns = 0, work_ns, mhz = params->clock_hz / 1000000;
	struct npu_model_stats *stats = &core->stats;
	__u32 sram;

	if (task->enable & RKNN_ENABLE_CNA)
		compute_ns = conv_cycles(&task->conv) * 1000 / mhz;
	else if (task->enable & RKNN_ENABLE_DPU)
		compute_ns = post_cycles(&task->dpu) * 1000 / mhz;
	work_ns = overlapped(compute_ns, bus_ns(core, task->enable, &sram));
	stats->busy_ns += params->task_ns + work_ns;
	stats->start_ns += params->task_ns;
	/* The root of squares is rounded down. */
	work_ns -= compute_ns < work_ns ? compute_ns : work_ns;
	if (sram)
		stats->sram_ns += work_ns;
	else
		stats->memory_ns += work_ns;
}
