/* SPDX-License-Identifier: GPL-2.0-only */
/* What the verifier and QUERY have to know of a chip of the RKNN family. */
#ifndef RKNN_CHIP_H
#define RKNN_CHIP_H

#include <linux/types.h>

struct drm_npu_query_data_type;
struct drm_npu_query_features;

/**
 * struct rknn_type - operands and results that belong together
 */
struct rknn_type {
	/** @in: Precision code of the operands, in all blocks. */
	u8 in;
	/** @out: Precision code of the results. */
	u8 out;
	/** @bits: Bits of an operand. */
	u8 bits;
	/** @out_bits: Bits of a result. */
	u8 out_bits;
	/** @group: Kernels side by side. */
	u8 group;
	/** @depthwise_group: Channels side by side if depthwise; 0 for never. */
	u8 depthwise_group;
};

/**
 * struct npu_isa_chip - a chip
 *
 * Chips of the family have the same registers. They differ in which blocks there
 * are, in the size of the convolution buffer and in the types that they compute.
 */
struct npu_isa_chip {
	/** @types: Combinations of types that it computes. */
	const struct rknn_type *types;
	/** @type_count: Number of @types. */
	u32 type_count;
	/** @generation: &drm_npu_query_features.generation. */
	u32 generation;
	/** @features: %DRM_NPU_FEATURE_DEPTHWISE and others. */
	u32 features;
	/** @cbuf_banks: Banks of the convolution buffer. */
	u32 cbuf_banks;
	/** @cbuf_bank_bytes: Bytes of a bank. */
	u32 cbuf_bank_bytes;
	/** @max_size: Largest input and output, in each direction. */
	u32 max_size;
	/** @max_channels: Most input channels. */
	u32 max_channels;
	/** @max_kernels: Most kernels. */
	u32 max_kernels;
	/** @max_kernel_bytes: Most bytes of a kernel. */
	u32 max_kernel_bytes;
	/** @max_window: Most taps of a kernel, in each direction. */
	u32 max_window;
	/** @max_stride: Largest step from one window to the next. */
	u32 max_stride;
	/** @max_dilation: Largest step from one tap to the next. */
	u32 max_dilation;
	/** @max_padding: Most padding before the input, in each direction. */
	u32 max_padding;
};

extern const struct npu_isa_chip rknn_rk3588;

void rknn_chip_features(const struct npu_isa_chip *chip,
			struct drm_npu_query_features *record);
bool rknn_chip_data_type(const struct npu_isa_chip *chip, u32 index,
			 struct drm_npu_query_data_type *record);

#endif /* RKNN_CHIP_H */
