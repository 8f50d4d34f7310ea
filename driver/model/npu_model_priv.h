/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the model share. */
#ifndef NPU_MODEL_PRIV_H
#define NPU_MODEL_PRIV_H

#include "npu_model.h"
#include "npu_model_float.h"
#include "npu_model_round.h"
#include "npu_model_task.h"
#include "../../include/rknn/rknn_regs.h"

/* The block that @reg is in, or %NPU_MODEL_BLOCKS. */
static inline enum npu_model_block npu_model_block_of(__u32 reg)
{
	switch (reg >> 12) {
	case 1:
		return NPU_MODEL_CNA;
	case 3:
		return NPU_MODEL_CORE;
	case 4:
		return NPU_MODEL_DPU;
	case 5:
		return NPU_MODEL_RDMA;
	case 6:
		return NPU_MODEL_PPU;
	case 7:
		return NPU_MODEL_PPU_RDMA;
	default:
		return NPU_MODEL_BLOCKS;
	}
}

/* Register @reg of the group that runs. */
static inline __u32 npu_model_get(const struct npu_model_core *core, __u32 reg)
{
	enum npu_model_block block = npu_model_block_of(reg);

	return core->regs[block][core->group[block]][(reg & 0x1ff) >> 2];
}

/* End a task, and say which register is why. */
static inline enum npu_model_status npu_model_stop(struct npu_model_core *core,
						   __u32 reg,
						   enum npu_model_status status)
{
	core->error_reg = reg;
	core->error_value = npu_model_get(core, reg);
	return status;
}

/* Bytes of an element; int4, of which two are in a byte, are not asked for. */
static inline __u32 npu_model_bytes(__u32 precision)
{
	switch (precision) {
	case RKNN_PREC_INT8:
		return 1;
	case RKNN_PREC_INT16:
	case RKNN_PREC_FP16:
	case RKNN_PREC_BF16:
		return 2;
	default:
		return 4;
	}
}

static inline __u32 npu_model_is_float(__u32 precision)
{
	return precision == RKNN_PREC_FP16 || precision == RKNN_PREC_BF16 ||
	       precision == RKNN_PREC_FP32 || precision == RKNN_PREC_TF32;
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
 * npu_model_check_fields() - check that nothing is asked for that is not modelled
 * @core: the core
 * @fields: what has only one value
 *
 * Return: %NPU_MODEL_DONE or %NPU_MODEL_UNSUPPORTED.
 */
enum npu_model_status npu_model_check_fields(struct npu_model_core *core,
					     const struct npu_model_field *fields);

/**
 * npu_model_conv_decode() - decode the registers of CNA and CORE
 * @core: the core
 * @conv: receives the convolution
 *
 * Return: %NPU_MODEL_DONE, or why it cannot run.
 */
enum npu_model_status npu_model_conv_decode(struct npu_model_core *core,
					    struct npu_model_conv *conv);

/**
 * npu_model_dpu_decode() - decode the registers of DPU and DPU_RDMA
 * @core: the core
 * @task: the task; its convolution is decoded if there is one
 *
 * Return: %NPU_MODEL_DONE, or why it cannot run.
 */
enum npu_model_status npu_model_dpu_decode(struct npu_model_core *core,
					   struct npu_model_task *task);

/**
 * npu_model_rdma_decode() - decode the registers of DPU_RDMA
 * @core: the core
 * @task: the task; the registers of DPU are decoded
 *
 * Return: %NPU_MODEL_DONE, or why it cannot run.
 */
enum npu_model_status npu_model_rdma_decode(struct npu_model_core *core,
					    struct npu_model_task *task);

/**
 * npu_model_ppu_decode() - decode the registers of PPU and PPU_RDMA
 * @core: the core
 * @ppu: receives the pooling
 *
 * Return: %NPU_MODEL_DONE, or why it cannot run.
 */
enum npu_model_status npu_model_ppu_decode(struct npu_model_core *core,
					   struct npu_model_ppu *ppu);

/**
 * npu_model_conv_run() - load, multiply and write back
 * @core: the core
 * @task: the task
 *
 * Return: %NPU_MODEL_DONE, or how it failed.
 */
enum npu_model_status npu_model_conv_run(struct npu_model_core *core,
					 const struct npu_model_task *task);

/**
 * npu_model_flying_run() - post-process what is in memory
 * @core: the core
 * @task: the task
 *
 * Return: %NPU_MODEL_DONE, or how it failed.
 */
enum npu_model_status npu_model_flying_run(struct npu_model_core *core,
					   const struct npu_model_task *task);

/**
 * npu_model_ppu_run() - pool
 * @core: the core
 * @ppu: the pooling
 *
 * Return: %NPU_MODEL_DONE, or how it failed.
 */
enum npu_model_status npu_model_ppu_run(struct npu_model_core *core,
					const struct npu_model_ppu *ppu);

/**
 * npu_model_load_features() - load features into the convolution buffer
 * @core: the core
 * @conv: the convolution
 *
 * Return: %NPU_MODEL_DONE, or %NPU_MODEL_FAULT.
 */
enum npu_model_status npu_model_load_features(struct npu_model_core *core,
					      const struct npu_model_conv *conv);

/**
 * npu_model_load_weights() - load the weights of a group of output channels
 * @core: the core
 * @conv: the convolution
 * @group: the group
 * @weights: receives where they lie
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_load_weights(struct npu_model_core *core,
			   const struct npu_model_conv *conv, __u32 group,
			   const __u8 **weights);

/**
 * npu_model_channels_load() - fetch the operands that each channel has one of
 * @core: the core; its channel operands are overwritten
 * @dpu: the post-processing
 * @first: first channel of a group
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_channels_load(struct npu_model_core *core,
			    const struct npu_model_dpu *dpu, __u32 first);

/**
 * npu_model_surfaces_load() - fetch pixels of a cube
 * @core: the core
 * @dpu: the post-processing
 * @from: the cube
 * @first: first channel of a group
 * @pixel: first pixel
 * @count: number of pixels
 * @to: receives fp32 or integers, a group for each pixel
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_surfaces_load(struct npu_model_core *core,
			    const struct npu_model_dpu *dpu,
			    const struct npu_model_surfaces *from, __u32 first,
			    __u32 pixel, __u32 count, __u32 *to);

/**
 * npu_model_dpu_block() - post-process pixels of a group and write them
 * @core: the core; acc holds the values, a group for each pixel
 * @dpu: the post-processing
 * @first: first channel of the group
 * @pixel: first pixel
 * @count: number of pixels
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_dpu_block(struct npu_model_core *core,
			const struct npu_model_dpu *dpu, __u32 first,
			__u32 pixel, __u32 count);

/**
 * npu_model_store() - convert results and write them
 * @core: the core; acc holds the values
 * @dpu: the post-processing
 * @first: first channel of the group
 * @pixel: first pixel
 * @count: number of pixels
 *
 * Return: 0, or not 0 after a fault.
 */
int npu_model_store(struct npu_model_core *core,
		    const struct npu_model_dpu *dpu, __u32 first, __u32 pixel,
		    __u32 count);

/**
 * npu_model_lut_write() - take an entry of a table
 * @core: the core
 * @value: the entry
 */
void npu_model_lut_write(struct npu_model_core *core, __u32 value);

/**
 * npu_model_lut_apply() - look values up
 * @core: the core
 * @is_float: values are fp32, else integers
 * @values: the values; overwritten
 * @count: how many
 */
void npu_model_lut_apply(const struct npu_model_core *core, __u32 is_float,
			 __u32 *values, __u32 count);

/**
 * npu_model_mac_int8() - multiply a slice of kernels with pixels, int8
 * @x: lanes of the first pixel
 * @stride: bytes from one pixel to the next
 * @count: number of pixels
 * @w: weights, kernel after kernel
 * @lanes: lanes of the slice
 * @kernels: number of kernels
 * @pitch: accumulators of a pixel
 * @acc: accumulators; added to
 */
void npu_model_mac_int8(const __s8 *x, __u32 stride, __u32 count, const __s8 *w,
			__u32 lanes, __u32 kernels, __u32 pitch, __u32 *acc);

/**
 * npu_model_mac_depthwise() - multiply channels with their weights, int8
 * @x: channels of the first pixel
 * @stride: bytes from one pixel to the next
 * @count: number of pixels
 * @w: weights of the channels
 * @lanes: number of channels
 * @acc: accumulators, %RKNN_DEPTHWISE_GROUP of a pixel; added to
 */
void npu_model_mac_depthwise(const __s8 *x, __u32 stride, __u32 count,
			     const __s8 *w, __u32 lanes, __u32 *acc);

/**
 * npu_model_mac_wide() - multiply integers and sum in 64 bits
 * @x: lanes of the first pixel
 * @stride: bytes from one pixel to the next
 * @count: number of pixels
 * @w: weights, kernel after kernel
 * @bytes: bytes of an element
 * @lanes: lanes of the slice
 * @kernels: number of kernels
 * @pitch: accumulators of a pixel
 * @acc: accumulators; added to
 */
void npu_model_mac_wide(const __u8 *x, __u32 stride, __u32 count, const __u8 *w,
			__u32 bytes, __u32 lanes, __u32 kernels, __u32 pitch,
			__s64 *acc);

/**
 * npu_model_slices_load() - decode a slice of kernels of floats
 * @slices: receives a slice for each kernel
 * @w: weights, kernel after kernel
 * @precision: RKNN_PREC_* of them
 * @lanes: lanes of a slice
 * @kernels: number of kernels
 */
void npu_model_slices_load(struct npu_model_slice *slices, const __u8 *w,
			   __u32 precision, __u32 lanes, __u32 kernels);

/**
 * npu_model_mac_float() - multiply a slice of kernels with pixels, floats
 * @slices: the kernels
 * @x: lanes of the first pixel
 * @precision: RKNN_PREC_* of them
 * @stride: bytes from one pixel to the next
 * @count: number of pixels
 * @lanes: lanes of the slice
 * @kernels: number of kernels
 * @pitch: accumulators of a pixel
 * @acc: accumulators, fp32; added to
 */
void npu_model_mac_float(const struct npu_model_slice *slices, const __u8 *x,
			 __u32 precision, __u32 stride, __u32 count, __u32 lanes,
			 __u32 kernels, __u32 pitch, __u32 *acc);

/**
 * npu_model_depthwise_float() - multiply channels with their weights, floats
 * @x: channels of the first pixel
 * @stride: bytes from one pixel to the next
 * @count: number of pixels
 * @w: weights of the channels
 * @precision: RKNN_PREC_* of both
 * @lanes: number of channels
 * @pitch: accumulators of a pixel
 * @acc: accumulators, fp32; added to
 */
void npu_model_depthwise_float(const __u8 *x, __u32 stride, __u32 count,
			       const __u8 *w, __u32 precision, __u32 lanes,
			       __u32 pitch, __u32 *acc);

/**
 * npu_model_task_run() - run the blocks of a task
 * @core: the core
 * @enable: the blocks, RKNN_ENABLE_*
 *
 * Return: %NPU_MODEL_DONE, or how it failed.
 */
enum npu_model_status npu_model_task_run(struct npu_model_core *core,
					 __u32 enable);

/**
 * npu_model_macs() - multiplications of a task
 * @task: the task
 *
 * Return: their number, without those for padding of kernel groups.
 */
__u64 npu_model_macs(const struct npu_model_task *task);

/**
 * npu_model_task_time() - add the modelled time of a task to the statistics
 * @core: the core; its count of bytes of the task is complete
 * @task: the task
 */
void npu_model_task_time(struct npu_model_core *core,
			 const struct npu_model_task *task);

#endif /* NPU_MODEL_PRIV_H */
