// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a task takes.
 *
 * The array takes one slice of channels of one pixel and one kernel group, for
 * one tap, a cycle: of int8 32 channels and 32 kernels, that is 1024
 * multiply-accumulates, of fp16 512, of int4 2048, of tf32 256 (TRM). A group of
 * a depthwise convolution is assumed to take a cycle as well. Pixels are padded
 * to fours (measured on silicon for matrix rows). Loading and multiplying
 * overlap, so the longer of the two counts. Post-processing and pooling of what
 * is in memory are bound by the bus at any clock (measured); only the LUT is
 * slower, at half an element a cycle, which bounds published figures of
 * convolutions with GELU from below.
 */
#include "npu_model_priv.h"

/*
 * Clock: what the vendor runs published figures at. Utilisation: published
 * matrix multiplications reach 0.7 to 0.75 of the peak. Bandwidth: decode on
 * one core and on three implies 10.6 and 28 GB/s. Start-up: 32 tasks in one
 * chain took 229 us on an RV1103, of which at most 4 us each cannot be
 * explained by bytes or arithmetic; an upper bound from a slower sibling.
 * Post-processing from memory to memory: 6.4 to 7.3 GB/s a core were measured.
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
	.post_bytes_per_us = 7000,
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

static __u64 bus_ns(const struct npu_model_core *core, __u32 enable)
{
	const struct npu_model_params *params = &core->params;
	__u32 post = !(enable & RKNN_ENABLE_CNA) && params->post_bytes_per_us;
	__u32 active = core->active_cores ? core->active_cores : 1;
	__u64 dram = (__u64)params->total_bytes_per_us *
		     (1000 - params->load_permille) / 1000;
	__u64 ns;

	ns = transfer_ns(core->task_bytes, post ? params->post_bytes_per_us :
						  params->core_bytes_per_us);
	ns = longest(ns, transfer_ns(core->task_bytes - core->sram_bytes,
				     dram / active));
	return longest(ns, transfer_ns(core->sram_bytes,
				       params->sram_bytes_per_us / active));
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
	__u64 pixels = ((__u64)conv->pixels + 3) & ~3ull;

	return pixels * conv->kernel_width * conv->kernel_height *
	       (conv->depthwise ? 1 : conv->slices) * conv->groups;
}

__u64 npu_model_task_ns(const struct npu_model_core *core,
			const struct npu_model_task *task)
{
	const struct npu_model_params *params = &core->params;
	const struct npu_model_dpu *dpu = &task->dpu;
	__u64 compute_ns = 0, mhz = params->clock_hz / 1000000;

	if (task->enable & RKNN_ENABLE_CNA) {
		compute_ns = conv_cycles(&task->conv) * 1000 / mhz;
		compute_ns = compute_ns * 1000 / params->util_permille;
	}
	if (task->enable & RKNN_ENABLE_DPU && dpu->ew.lut)
		compute_ns = longest(compute_ns, (__u64)dpu->pixels *
				     dpu->channels * 2 * 1000 / mhz);

	return params->task_ns + longest(compute_ns, bus_ns(core, task->enable));
}
