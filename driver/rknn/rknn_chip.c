// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chips of the RKNN family.
 *
 * A chip that has the registers of the RK3588 needs a table here and a backend.
 * Limits are those of the fields, unless fewer are known to work.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/types.h>

#include "npu_accel.h"
#include "rknn_chip.h"
#include "../../include/rknn/rknn_regs.h"

/* Those that published streams use; others might want unknown settings. */
static const struct rknn_type rknn_rk3588_types[] = {
	{ RKNN_PREC_INT8, RKNN_PREC_INT8, 8, 8, 32, 64 },
	{ RKNN_PREC_INT8, RKNN_PREC_INT16, 8, 16, 32, 0 },
	{ RKNN_PREC_INT8, RKNN_PREC_INT32, 8, 32, 32, 0 },
	{ RKNN_PREC_INT8, RKNN_PREC_FP16, 8, 16, 32, 0 },
	{ RKNN_PREC_INT8, RKNN_PREC_FP32, 8, 32, 32, 0 },
	{ RKNN_PREC_INT16, RKNN_PREC_INT32, 16, 32, 16, 0 },
	{ RKNN_PREC_FP16, RKNN_PREC_INT16, 16, 16, 16, 0 },
	{ RKNN_PREC_FP16, RKNN_PREC_FP16, 16, 16, 16, 32 },
	{ RKNN_PREC_FP16, RKNN_PREC_FP32, 16, 32, 16, 32 },
	{ RKNN_PREC_BF16, RKNN_PREC_BF16, 16, 16, 16, 0 },
	{ RKNN_PREC_BF16, RKNN_PREC_FP32, 16, 32, 16, 0 },
	{ RKNN_PREC_INT4, RKNN_PREC_INT16, 4, 16, 64, 0 },
	{ RKNN_PREC_TF32, RKNN_PREC_FP32, 32, 32, 16, 0 },
};

const struct npu_isa_chip rknn_rk3588 = {
	.types = rknn_rk3588_types,
	.type_count = ARRAY_SIZE(rknn_rk3588_types),
	.generation = 3588,
	.features = DRM_NPU_FEATURE_CONVOLUTION | DRM_NPU_FEATURE_DEPTHWISE |
		    DRM_NPU_FEATURE_DECONVOLUTION | DRM_NPU_FEATURE_IMAGE |
		    DRM_NPU_FEATURE_ELEMENTWISE | DRM_NPU_FEATURE_STANDALONE |
		    DRM_NPU_FEATURE_TABLE | DRM_NPU_FEATURE_POOLING,
	.cbuf_banks = RKNN_CBUF_BANKS,
	.cbuf_bank_bytes = RKNN_CBUF_BANK_BYTES,
	.max_size = 2047,
	.max_channels = 65535,
	/* DPU counts channels with 13 bits. */
	.max_kernels = 8192,
	.max_kernel_bytes = 0x7ffff,
	.max_window = 31,
	.max_stride = 7,
	.max_dilation = 32,
	.max_padding = 15,
};
EXPORT_SYMBOL_GPL(rknn_rk3588);

static u32 rknn_data_type(u32 prec)
{
	static const u32 types[] = {
		[RKNN_PREC_INT8] = DRM_NPU_DATA_TYPE_INT8,
		[RKNN_PREC_INT16] = DRM_NPU_DATA_TYPE_INT16,
		[RKNN_PREC_FP16] = DRM_NPU_DATA_TYPE_FP16,
		[RKNN_PREC_BF16] = DRM_NPU_DATA_TYPE_BF16,
		[RKNN_PREC_INT32] = DRM_NPU_DATA_TYPE_INT32,
		[RKNN_PREC_FP32] = DRM_NPU_DATA_TYPE_FP32,
		[RKNN_PREC_INT4] = DRM_NPU_DATA_TYPE_INT4,
		[RKNN_PREC_TF32] = DRM_NPU_DATA_TYPE_TF32,
	};

	return types[prec];
}

/**
 * rknn_chip_features() - &npu_isa_ops.features
 * @chip: the chip
 * @record: receives what it can do
 */
void rknn_chip_features(const struct npu_isa_chip *chip,
			struct drm_npu_query_features *record)
{
	record->generation = chip->generation;
	record->features = chip->features;
	record->data_type_count = chip->type_count;
	record->buffer_banks = chip->cbuf_banks;
	record->buffer_bank_bytes = chip->cbuf_bank_bytes;
	record->atom_bytes = RKNN_ATOM_BYTES;
	record->channel_slice = RKNN_CHANNEL_SLICE;
	record->max_size = chip->max_size;
	record->max_channels = chip->max_channels;
	record->max_kernels = chip->max_kernels;
	record->max_kernel_bytes = chip->max_kernel_bytes;
	record->max_window = chip->max_window;
	record->max_stride = chip->max_stride;
	record->max_dilation = chip->max_dilation;
	record->max_padding = chip->max_padding;
	if (chip->features & DRM_NPU_FEATURE_POOLING)
		record->max_pool_window = RKNN_PPU_WINDOW_MAX;
	if (chip->features & DRM_NPU_FEATURE_TABLE)
		record->table_entries = RKNN_LUT_ENTRIES;
}

/**
 * rknn_chip_data_type() - &npu_isa_ops.data_type
 * @chip: the chip
 * @index: number of a combination of types
 * @record: receives it
 *
 * Return: whether there is such a combination.
 */
bool rknn_chip_data_type(const struct npu_isa_chip *chip, u32 index,
			 struct drm_npu_query_data_type *record)
{
	const struct rknn_type *type;

	if (index >= chip->type_count)
		return false;
	type = &chip->types[index];
	record->operand = rknn_data_type(type->in);
	record->result = rknn_data_type(type->out);
	record->kernel_group = type->group;
	record->depthwise_group = type->depthwise_group;
	return true;
}
