/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks as the decoders leave them for the blocks. */
#ifndef NPU_MODEL_TASK_H
#define NPU_MODEL_TASK_H

#include <linux/types.h>

/**
 * struct npu_model_field - a setting that the model has one value for
 */
struct npu_model_field {
	/** @reg: Register; 0 ends a table. */
	__u32 reg;
	/** @mask: Bits that matter. */
	__u32 mask;
	/** @value: What they have to be. */
	__u32 value;
};

/**
 * struct npu_model_conv - a convolution, as CNA and CORE are told it
 */
struct npu_model_conv {
	/** @precision: RKNN_PREC_* of features and weights. */
	__u32 precision;
	/** @is_float: The precision is one of the floats. */
	__u32 is_float;
	/** @depthwise: Each channel is convolved with a kernel of its own. */
	__u32 depthwise;
	/** @line_off: Feature rows are addressed one by one, not in fours. */
	__u32 line_off;
	/** @image: Channels of an image of packed pixels; 0 for surfaces. */
	__u32 image;
	/** @linear: 1x1, and each output pixel is that of the same number. */
	__u32 linear;
	/** @wide: Sums need more than 32 bits. */
	__u32 wide;
	/** @width: Feature columns. */
	__u32 width;
	/** @height: Feature rows. */
	__u32 height;
	/** @channels: Feature channels, a multiple of what an atom has. */
	__u32 channels;
	/** @real_channels: Channels that memory holds; the rest are padding. */
	__u32 real_channels;
	/** @bits: Bits of an element. */
	__u32 bits;
	/** @pixel_bytes: Bytes of all channels of a pixel in the buffer. */
	__u32 pixel_bytes;
	/** @slice_lanes: Channels of a slice but perhaps the last. */
	__u32 slice_lanes;
	/** @slices: Channel slices. */
	__u32 slices;
	/** @last_lanes: Channels of the last slice. */
	__u32 last_lanes;
	/** @kernel_width: Columns of a kernel. */
	__u32 kernel_width;
	/** @kernel_height: Rows of a kernel. */
	__u32 kernel_height;
	/** @stride_x: Columns from an output pixel to the next. */
	__s32 stride_x;
	/** @stride_y: Rows from an output row to the next. */
	__s32 stride_y;
	/** @dilation_x: Columns from a tap to the next. */
	__s32 dilation_x;
	/** @dilation_y: Rows from a tap to the next. */
	__s32 dilation_y;
	/** @up_x: Columns that each feature column is spread to. */
	__s32 up_x;
	/** @up_y: Rows that each feature row is spread to. */
	__s32 up_y;
	/** @pad_left: Columns of padding before the first. */
	__s32 pad_left;
	/** @pad_top: Rows of padding above the first. */
	__s32 pad_top;
	/** @out_width: Output columns. */
	__u32 out_width;
	/** @pixels: Output pixels. */
	__u32 pixels;
	/** @kernels: Number of kernels, which are output channels. */
	__u32 kernels;
	/** @group: Output channels side by side. */
	__u32 group;
	/** @groups: Groups of output channels. */
	__u32 groups;
	/** @kernel_bytes: Bytes of a kernel; of all of them, if depthwise. */
	__u32 kernel_bytes;
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
	/** @pend: The sum of inputs is added, times an operand. */
	__u32 pend;
	/** @clip_shift: Bits that sums are shifted by. */
	__u32 clip_shift;
	/** @clip_half_up: How that rounds. */
	__u32 clip_half_up;
};

/**
 * enum npu_model_alu - what an ALU does
 */
enum npu_model_alu {
	/** @NPU_MODEL_ALU_OFF: Nothing. */
	NPU_MODEL_ALU_OFF,
	/** @NPU_MODEL_ALU_MAX: The larger. */
	NPU_MODEL_ALU_MAX,
	/** @NPU_MODEL_ALU_MIN: The smaller. */
	NPU_MODEL_ALU_MIN,
	/** @NPU_MODEL_ALU_ADD: The sum. */
	NPU_MODEL_ALU_ADD,
	/** @NPU_MODEL_ALU_DIV: The quotient. */
	NPU_MODEL_ALU_DIV,
	/** @NPU_MODEL_ALU_MINUS: The difference. */
	NPU_MODEL_ALU_MINUS,
	/** @NPU_MODEL_ALU_ABS: The magnitude of the main value. */
	NPU_MODEL_ALU_ABS,
	/** @NPU_MODEL_ALU_NEG: The negative of the main value. */
	NPU_MODEL_ALU_NEG,
	/** @NPU_MODEL_ALU_FLOOR: The main value, rounded down. */
	NPU_MODEL_ALU_FLOOR,
	/** @NPU_MODEL_ALU_CEIL: The main value, rounded up. */
	NPU_MODEL_ALU_CEIL,
	/** @NPU_MODEL_ALU_MUL: The product, in EW. */
	NPU_MODEL_ALU_MUL,
};

/**
 * struct npu_model_unit - BS or BN
 */
struct npu_model_unit {
	/** @alu: What the ALU does. */
	enum npu_model_alu alu;
	/** @alu_memory: Its operand comes from memory, one a channel. */
	__u32 alu_memory;
	/** @alu_const: Else it is this. */
	__u32 alu_const;
	/** @mul: There is a multiplication. */
	__u32 mul;
	/** @mul_memory: Its operand comes from memory, one a channel. */
	__u32 mul_memory;
	/** @mul_const: Else it is these 16 bits. */
	__u32 mul_const;
	/** @mul_first: The multiplication comes before the ALU. */
	__u32 mul_first;
	/** @mul_unsigned: An integer factor has no sign. */
	__u32 mul_unsigned;
	/** @shift: Bits that products are shifted by. */
	__u32 shift;
	/** @shift_neg: The same for those below 0. */
	__u32 shift_neg;
	/** @relu: What is below 0 becomes 0. */
	__u32 relu;
	/** @relux: What is above @limit becomes @limit. */
	__u32 relux;
	/** @limit: Limit of @relux. */
	__u32 limit;
};

/**
 * struct npu_model_cvt - a converter: an offset, a factor and a shift
 */
struct npu_model_cvt {
	/** @offset: The offset. */
	__s32 offset;
	/** @scale: The factor. */
	__s32 scale;
	/** @shift: Bits that the product is shifted by. */
	__u32 shift;
	/** @minus_exp: More of the same, for floats. */
	__u32 minus_exp;
	/** @away: Ties go away from 0. */
	__u32 away;
	/** @add_first: The offset is added before multiplying. */
	__u32 add_first;
};

/**
 * struct npu_model_ew - elementwise operation
 */
struct npu_model_ew {
	/** @op: What is done; off if there is no operation. */
	enum npu_model_alu op;
	/** @per_pixel: There is an operand for each pixel, not one a channel. */
	__u32 per_pixel;
	/** @bytes: Bytes of an operand. */
	__u32 bytes;
	/** @convert: An integer operand goes through @cvt. */
	__u32 convert;
	/** @cvt: Conversion of the operand. */
	struct npu_model_cvt cvt;
	/** @trunc: Bits that a product is shifted by. */
	__u32 trunc;
	/** @trunc_neg: The same for those below 0. */
	__u32 trunc_neg;
	/** @relu: What is below 0 becomes 0. */
	__u32 relu;
	/** @relux: What is above @limit becomes @limit. */
	__u32 relux;
	/** @limit: Limit of @relux. */
	__u32 limit;
	/** @lut: The table is looked up. */
	__u32 lut;
};

/**
 * struct npu_model_surfaces - a cube that is read from memory
 */
struct npu_model_surfaces {
	/** @precision: RKNN_PREC_* of the elements. */
	__u32 precision;
	/** @bytes: Bytes of an element. */
	__u32 bytes;
	/** @addr: Addresses of surfaces 0 and 1. */
	__u32 addr[2];
	/** @step: Bytes from each to the next that the same engine reads. */
	__u32 step[2];
	/** @dual: Two engines read it, of which each takes every other surface. */
	__u32 dual;
};

/**
 * struct npu_model_dpu - post-processing, as DPU and DPU_RDMA are told it
 */
struct npu_model_dpu {
	/** @flying: Values come from memory, not from CORE. */
	__u32 flying;
	/** @is_float: Values are floats on their way. */
	__u32 is_float;
	/** @bf16: 16-bit float operands are bf16. */
	__u32 bf16;
	/** @fp16_sums: Values are sums of fp16 products, and so are the results floats. */
	__u32 fp16_sums;
	/** @in_bytes: Bytes of an element of the main feed from memory. */
	__u32 in_bytes;
	/** @out: RKNN_PREC_* of the results. */
	__u32 out;
	/** @out_bytes: Bytes of a result. */
	__u32 out_bytes;
	/** @width: Columns, for the addresses of results. */
	__u32 width;
	/** @pixels: Pixels. */
	__u32 pixels;
	/** @channels: Channels. */
	__u32 channels;
	/** @orig: Channels whose elementwise operands count. */
	__u32 orig;
	/** @group: Channels side by side. */
	__u32 group;
	/** @surfaces: Output surfaces that are written of a group. */
	__u32 surfaces;
	/** @dst_addr: Address of the result. */
	__u32 dst_addr;
	/** @dst_surf: Bytes from an output surface of a group to the next. */
	__u32 dst_surf;
	/** @dst_group: Bytes from a group's first surface to the next group's. */
	__u32 dst_group;
	/** @dst_notch: Atoms skipped at the end of an output row. */
	__u32 dst_notch;
	/** @pend_memory: CPEND comes from memory, one a channel. */
	__u32 pend_memory;
	/** @pend_const: Else it is this. */
	__s32 pend_const;
	/** @bs: First unit. */
	struct npu_model_unit bs;
	/** @bn: Second unit. */
	struct npu_model_unit bn;
	/** @ew: Elementwise operation and LUT. */
	struct npu_model_ew ew;
	/** @cvt: Conversion of results that are not 32 bits. */
	struct npu_model_cvt cvt;
	/** @main: Main feed from memory. */
	struct npu_model_surfaces main;
	/** @other: Elementwise operand. */
	struct npu_model_surfaces other;
	/** @bs_use: What BRDMA fetches, as RKNN_BRDMA_CFG_DATA_USE. */
	__u32 bs_use;
	/** @bs_addr: From where. */
	__u32 bs_addr;
	/** @bn_use: What NRDMA fetches. */
	__u32 bn_use;
	/** @bn_addr: From where. */
	__u32 bn_addr;
	/** @mul_bytes: Bytes of a factor that is fetched alone. */
	__u32 mul_bytes;
};

/**
 * struct npu_model_ppu - a pooling
 */
struct npu_model_ppu {
	/** @fp16: Elements are fp16, else int8. */
	__u32 fp16;
	/** @nibbles: int8 elements are read from halves of bytes. */
	__u32 nibbles;
	/** @method: RKNN_PPU_METHOD_*. */
	__u32 method;
	/** @width: Input columns. */
	__s32 width;
	/** @height: Input rows. */
	__s32 height;
	/** @channels: Channels. */
	__u32 channels;
	/** @out_width: Output columns. */
	__u32 out_width;
	/** @out_height: Output rows. */
	__u32 out_height;
	/** @kernel_width: Columns of a window. */
	__s32 kernel_width;
	/** @kernel_height: Rows of a window. */
	__s32 kernel_height;
	/** @stride_x: Columns from a window to the next. */
	__s32 stride_x;
	/** @stride_y: Rows from a window to the next. */
	__s32 stride_y;
	/** @pad_left: Columns of padding before the first. */
	__s32 pad_left;
	/** @pad_top: Rows of padding above the first. */
	__s32 pad_top;
	/** @pad: Element that padding consists of. */
	__u32 pad;
	/** @recip: Reciprocals of the window's width and height. */
	__u32 recip[2];
	/** @src_addr: Address of the input. */
	__u32 src_addr;
	/** @src_line: Bytes from an input row to the next. */
	__u32 src_line;
	/** @src_surf: Bytes from an input surface to the next. */
	__u32 src_surf;
	/** @dst_addr: Address of the result. */
	__u32 dst_addr;
	/** @dst_surf: Bytes from an output surface to the next. */
	__u32 dst_surf;
};

/**
 * struct npu_model_task - a task and what it takes
 */
struct npu_model_task {
	/** @enable: Blocks that run, RKNN_ENABLE_*. */
	__u32 enable;
	/** @conv: The convolution, if CNA runs. */
	struct npu_model_conv conv;
	/** @dpu: The post-processing, if DPU runs. */
	struct npu_model_dpu dpu;
	/** @ppu: The pooling, if PPU runs. */
	struct npu_model_ppu ppu;
};

#endif /* NPU_MODEL_TASK_H */
