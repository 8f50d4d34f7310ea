/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the model share. */
#ifndef NPU_MODEL_PRIV_H
#define NPU_MODEL_PRIV_H

#include "npu_model.h"
#include "../rknn/rknn_regs.h"

/**
 * struct npu_model_task - the decoded registers of a task
 */
struct npu_model_task {
	/** @fp16: fp16 operands, else int8. */
	__u32 fp16;
	/** @out_fp16: fp16 results, else 32 bit. */
	__u32 out_fp16;
	/** @line_off: Feature rows are addressed one by one, not in fours. */
	__u32 line_off;
	/** @width: Feature columns. */
	__u32 width;
	/** @height: Feature rows. */
	__u32 height;
	/** @pixel_bytes: Bytes of all channels of a pixel. */
	__u32 pixel_bytes;
	/** @slices: Channel slices, each 32 lanes but perhaps the last. */
	__u32 slices;
	/** @last_lanes: Lanes of the last slice. */
	__u32 last_lanes;
	/** @kernels: Number of kernels, which are output channels. */
	__u32 kernels;
	/** @group_kernels: Kernels side by side: 32 for int8, 16 for fp16. */
	__u32 group_kernels;
	/** @kernel_bytes: Bytes of a kernel. */
	__u32 kernel_bytes;
	/** @row_bytes: Bytes of a feature row in the convolution buffer. */
	__u32 row_bytes;
	/** @data_bytes: Capacity of the data banks. */
	__u32 data_bytes;
	/** @weight_bytes: Capacity of the weight banks. */
	__u32 weight_bytes;
	/** @data_reuse: Features are taken as the last task left them. */
	__u32 data_reuse;
	/** @weight_reuse: Weights are taken as the last task left them. */
	__u32 weight_reuse;
	/** @feature_addr: Address of the first feature row. */
	__u32 feature_addr;
	/** @line_atoms: Step between rows, or row quadruples, in atoms. */
	__u32 line_atoms;
	/** @surf_atoms: What a surface adds to its rows, in atoms. */
	__s32 surf_atoms;
	/** @weight_addr: Address of the weights. */
	__u32 weight_addr;
	/** @dst_addr: Address of the result. */
	__u32 dst_addr;
	/** @dst_surf: Bytes from an output surface of a group to the next. */
	__u32 dst_surf;
	/** @dst_group: Bytes from a group's first surface to the next group's. */
	__u32 dst_group;
	/** @dst_notch: Atoms skipped at the end of an output row. */
	__u32 dst_notch;
};

/* Register @reg of the group that runs. */
static inline __u32 npu_model_get(const struct npu_model_core *core, __u32 reg)
{
	enum npu_model_block block = NPU_MODEL_DPU;

	if ((reg >> 12) == 1)
		block = NPU_MODEL_CNA;
	else if ((reg >> 12) == 3)
		block = NPU_MODEL_CORE;

	return core->regs[block][core->group[block]][(reg & 0x1ff) >> 2];
}

/**
 * npu_model_bus_read() - read operands, counting bytes and noting a fault
 * @core: the core
 * @addr: device address
 * @dst: where to, unless only the timing is modelled
 * @len: bytes
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_bus_read(struct npu_model_core *core, __u32 addr, void *dst,
		       __u32 len);

/**
 * npu_model_bus_write() - write results, counting bytes and noting a fault
 * @core: the core
 * @addr: device address
 * @src: where from, unless only the timing is modelled
 * @len: bytes
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_bus_write(struct npu_model_core *core, __u32 addr,
			const void *src, __u32 len);

/**
 * npu_model_decode() - decode the registers of the groups that run
 * @core: the core
 * @task: receives the task
 *
 * Return: %NPU_MODEL_DONE, or why this task cannot run.
 */
enum npu_model_status npu_model_decode(struct npu_model_core *core,
				       struct npu_model_task *task);

/**
 * npu_model_conv() - load, multiply and write back a task
 * @core: the core
 * @task: the task
 *
 * Return: %NPU_MODEL_DONE, or how it failed.
 */
enum npu_model_status npu_model_conv(struct npu_model_core *core,
				     const struct npu_model_task *task);

/**
 * npu_model_mac_int8() - multiply a kernel group with pixels, int8
 * @task: the task
 * @pixels: first pixel in the convolution buffer
 * @pixel_stride: bytes from one pixel to the next
 * @count: number of pixels
 * @weights: weights of the group
 * @acc: accumulators, group_kernels for each pixel; overwritten
 */
void npu_model_mac_int8(const struct npu_model_task *task, const __u8 *pixels,
			__u32 pixel_stride, __u32 count, const __u8 *weights,
			__u32 *acc);

/**
 * npu_model_mac_fp16() - multiply a kernel group with pixels, fp16 to fp32
 * @task: the task
 * @pixels: first pixel in the convolution buffer
 * @pixel_stride: bytes from one pixel to the next
 * @count: number of pixels
 * @weights: weights of the group
 * @acc: accumulators, fp32 bits, group_kernels for each pixel; overwritten
 * @w: room for group_kernels slices
 */
void npu_model_mac_fp16(const struct npu_model_task *task, const __u8 *pixels,
			__u32 pixel_stride, __u32 count, const __u8 *weights,
			__u32 *acc, struct npu_model_slice *w);

/**
 * npu_model_fp32_to_fp16() - convert, to nearest, ties to even
 * @bits: bits of the fp32
 *
 * Return: bits of the fp16.
 */
__u32 npu_model_fp32_to_fp16(__u32 bits);

/**
 * npu_model_task_ns() - modelled time of a task
 * @core: the core; its count of bytes of the task is complete
 * @task: the task
 *
 * Return: nanoseconds.
 */
__u64 npu_model_task_ns(const struct npu_model_core *core,
			const struct npu_model_task *task);

#endif /* NPU_MODEL_PRIV_H */
