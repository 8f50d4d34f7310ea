// SPDX-License-Identifier: GPL-2.0-only
/*
 * From registers to a task.
 *
 * Fields are masked to their width, so sizes that are too large wrap as they do
 * in hardware. Settings that are not modelled are refused by name. Settings
 * under which the blocks wait for each other hang; where no measurement says
 * what happens, the comment says what is assumed.
 */
#include "npu_model_priv.h"

/* Registers that must hold one value for the part that is modelled. */
static const struct {
	__u32 reg;
	__u32 mask;
	__u32 value;
} fixed_regs[] = {
	{ RKNN_CNA_CONV_CON1, ~(RKNN_CONV_CON1_IN_PREC | RKNN_CONV_CON1_PROC_PREC |
				RKNN_CONV_CON1_LINE_OFF), 0 },
	/* Strides of 1, nothing dilated, cores not coupled. */
	{ RKNN_CNA_CONV_CON3, ~0u, 0x9 },
	{ RKNN_CNA_CBUF_CON0, RKNN_CBUF_CON0_FC_DATA_BANK, 0 },
	{ RKNN_CNA_CVT_CON0, 1, 1 },
	{ RKNN_CNA_PAD_CON0, ~0u, 0 },
	{ RKNN_CNA_DCOMP_CTRL, ~0u, 0 },
	{ RKNN_CORE_MISC_CFG, RKNN_CORE_MISC_DW_EN, 0 },
	{ RKNN_CORE_CLIP_TRUNCATE, ~0u, 0 },
	/* From CORE, to memory. */
	{ RKNN_DPU_FEATURE_MODE_CFG, 0x1f, RKNN_DPU_FEATURE_MODE_CONV & 0x1f },
	{ RKNN_DPU_DATA_FORMAT, 0x8, 0 },
	{ RKNN_DPU_BS_CFG, 0x53, RKNN_DPU_BYPASS_ALL },
	{ RKNN_DPU_BS_OW_OP, 0xffff, 0 },
	{ RKNN_DPU_BN_CFG, 0x53, RKNN_DPU_BYPASS_ALL },
	{ RKNN_DPU_EW_CFG, RKNN_DPU_EW_BYPASS, RKNN_DPU_EW_BYPASS },
	{ RKNN_DPU_OUT_CVT_OFFSET, ~0u, 0 },
	{ RKNN_DPU_OUT_CVT_SCALE, 0xffff, 1 },
	{ RKNN_DPU_OUT_CVT_SHIFT, 0x3f, 0 },
	{ 0, 0, 0 }
};

static enum npu_model_status stop(struct npu_model_core *core, __u32 reg,
				  enum npu_model_status status)
{
	core->error_reg = reg;
	core->error_value = npu_model_get(core, reg);
	return status;
}

static enum npu_model_status check_fixed(struct npu_model_core *core)
{
	__u32 i;

	for (i = 0; fixed_regs[i].reg; i++) {
		__u32 value = npu_model_get(core, fixed_regs[i].reg);

		if ((value & fixed_regs[i].mask) != fixed_regs[i].value)
			return stop(core, fixed_regs[i].reg,
				    NPU_MODEL_UNSUPPORTED);
	}
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_precision(struct npu_model_core *core,
					      struct npu_model_task *task)
{
	__u32 con1 = npu_model_get(core, RKNN_CNA_CONV_CON1);
	__u32 misc = npu_model_get(core, RKNN_CORE_MISC_CFG);
	__u32 format = npu_model_get(core, RKNN_DPU_DATA_FORMAT);
	__u32 scale = npu_model_get(core, RKNN_DPU_OUT_CVT_SCALE);
	__u32 prec = (con1 & RKNN_CONV_CON1_IN_PREC) >> 4;
	__u32 out = format >> 29;

	if (prec != (con1 & RKNN_CONV_CON1_PROC_PREC) >> 7 ||
	    (prec != RKNN_PREC_INT8 && prec != RKNN_PREC_FP16))
		return stop(core, RKNN_CNA_CONV_CON1, NPU_MODEL_UNSUPPORTED);
	if (prec != (misc & RKNN_CORE_MISC_PROC_PREC) >> 8)
		return stop(core, RKNN_CORE_MISC_CFG, NPU_MODEL_UNSUPPORTED);
	if (prec != (format & 0x7) || prec != ((format >> 26) & 0x7) ||
	    out != (prec == RKNN_PREC_INT8 ? RKNN_PREC_INT32 :
		    scale & RKNN_OUT_CVT_FP32_TO_FP16 ? RKNN_PREC_FP16 :
		    RKNN_PREC_FP32))
		return stop(core, RKNN_DPU_DATA_FORMAT, NPU_MODEL_UNSUPPORTED);

	task->fp16 = prec == RKNN_PREC_FP16;
	task->out_fp16 = out == RKNN_PREC_FP16;
	task->line_off = !!(con1 & RKNN_CONV_CON1_LINE_OFF);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_feature(struct npu_model_core *core,
					    struct npu_model_task *task)
{
	__u32 size0 = npu_model_get(core, RKNN_CNA_DATA_SIZE0);
	__u32 cbuf0 = npu_model_get(core, RKNN_CNA_CBUF_CON0);
	__u32 data_bank = cbuf0 & RKNN_CBUF_CON0_DATA_BANK;
	__u32 channels = npu_model_get(core, RKNN_CNA_DATA_SIZE1) & 0xffff;
	__u32 lanes = channels % RKNN_CHANNEL_SLICE;

	task->width = (size0 >> 16) & 0x7ff;
	task->height = size0 & 0x7ff;
	if (!task->width || !task->height)
		return stop(core, RKNN_CNA_DATA_SIZE0, NPU_MODEL_HUNG);
	task->pixel_bytes = channels << task->fp16;
	if (!channels || task->pixel_bytes % RKNN_ATOM_BYTES)
		return stop(core, RKNN_CNA_DATA_SIZE1, NPU_MODEL_UNSUPPORTED);
	task->slices = (channels + RKNN_CHANNEL_SLICE - 1) / RKNN_CHANNEL_SLICE;
	task->last_lanes = !lanes ? 32 : lanes <= 16 ? 16 : 32;
	if (lanes && lanes != task->last_lanes)
		return stop(core, RKNN_CNA_DATA_SIZE1, NPU_MODEL_UNSUPPORTED);

	/* One entry of CBUF_CON1 is 64 bytes. */
	task->row_bytes = npu_model_get(core, RKNN_CNA_CBUF_CON1) * 64;
	task->data_bytes = data_bank * RKNN_CBUF_BANK_BYTES;
	task->data_reuse = !!(cbuf0 & RKNN_CBUF_CON0_DATA_REUSE);
	/*
	 * Assumed: the task waits without end for features that do not fit
	 * their banks. Entries that are too few overlap rows, and give wrong
	 * results.
	 */
	if ((__u64)(task->height - 1) * task->row_bytes +
	    (__u64)task->width * task->pixel_bytes > task->data_bytes)
		return stop(core, RKNN_CNA_CBUF_CON0, NPU_MODEL_HUNG);

	task->feature_addr = npu_model_get(core, RKNN_CNA_FEATURE_DATA_ADDR);
	task->line_atoms = npu_model_get(core, RKNN_CNA_DMA_CON1) & 0xfffffff;
	/* 28 bits, signed. */
	task->surf_atoms =
		(__s32)(npu_model_get(core, RKNN_CNA_DMA_CON2) << 4) >> 4;
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_weights(struct npu_model_core *core,
					    struct npu_model_task *task)
{
	__u32 size2 = npu_model_get(core, RKNN_CNA_WEIGHT_SIZE2);
	__u32 cbuf0 = npu_model_get(core, RKNN_CNA_CBUF_CON0);
	__u32 banks = (cbuf0 & RKNN_CBUF_CON0_WEIGHT_BANK) >> 4;
	__u64 total;

	task->kernels = size2 & 0x3fff;
	task->group_kernels = task->fp16 ? RKNN_KERNEL_GROUP_FP16 :
					   RKNN_KERNEL_GROUP_INT8;
	/*
	 * A partial group is computed, but the task never ends (measured),
	 * unless the blocks behind count whole groups. That is not modelled.
	 */
	if (!task->kernels)
		return stop(core, RKNN_CNA_WEIGHT_SIZE2, NPU_MODEL_HUNG);
	if (task->kernels % task->group_kernels)
		return stop(core, RKNN_CNA_WEIGHT_SIZE2,
			    npu_model_get(core, RKNN_CORE_DATAOUT_SIZE_1) + 1 ==
			    task->kernels ? NPU_MODEL_HUNG :
					    NPU_MODEL_UNSUPPORTED);
	if ((size2 >> 16) != 0x101)
		return stop(core, RKNN_CNA_WEIGHT_SIZE2, NPU_MODEL_UNSUPPORTED);

	task->kernel_bytes =
		npu_model_get(core, RKNN_CNA_WEIGHT_SIZE1) & 0x7ffff;
	if (task->kernel_bytes != task->pixel_bytes)
		return stop(core, RKNN_CNA_WEIGHT_SIZE1, NPU_MODEL_HUNG);
	total = (__u64)task->kernels * task->kernel_bytes;
	if (npu_model_get(core, RKNN_CNA_WEIGHT_SIZE0) != total)
		return stop(core, RKNN_CNA_WEIGHT_SIZE0, NPU_MODEL_HUNG);

	task->weight_bytes = banks * RKNN_CBUF_BANK_BYTES;
	task->weight_reuse = !!(cbuf0 & RKNN_CBUF_CON0_WEIGHT_REUSE);
	task->weight_addr = npu_model_get(core, RKNN_CNA_DCOMP_ADDR0);
	/*
	 * Weights stream through their banks; one group must fit at a time.
	 * Assumed: more banks than there are, or a group that does not fit, or
	 * reuse of weights that cannot be resident, is waited for without end.
	 */
	if (task->data_bytes + task->weight_bytes > RKNN_CBUF_BYTES ||
	    task->group_kernels * task->kernel_bytes > task->weight_bytes ||
	    (task->weight_reuse && total > task->weight_bytes))
		return stop(core, RKNN_CNA_CBUF_CON0, NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_output(struct npu_model_core *core,
					   struct npu_model_task *task)
{
	__u32 width = npu_model_get(core, RKNN_CNA_DATA_SIZE2) & 0x7ff;
	__u32 out_bytes = task->out_fp16 ? 2 : 4;
	__u32 surfaces = task->group_kernels * out_bytes / RKNN_ATOM_BYTES;
	__u32 wdma1 = npu_model_get(core, RKNN_DPU_WDMA_SIZE_1);
	__u32 core0 = npu_model_get(core, RKNN_CORE_DATAOUT_SIZE_0);
	__u32 size_e = surfaces - 1;
	__u32 notch;

	/* Blocks that expect other amounts than they are fed never finish. */
	if (width != task->width)
		return stop(core, RKNN_CNA_DATA_SIZE2, NPU_MODEL_HUNG);
	if (npu_model_get(core, RKNN_CNA_DATA_SIZE3) != width * task->height)
		return stop(core, RKNN_CNA_DATA_SIZE3, NPU_MODEL_HUNG);
	if ((core0 & 0xffff) != width - 1 || (core0 >> 16) != task->height - 1)
		return stop(core, RKNN_CORE_DATAOUT_SIZE_0, NPU_MODEL_HUNG);
	if ((npu_model_get(core, RKNN_CORE_DATAOUT_SIZE_1) & 0xffff) !=
	    task->kernels - 1)
		return stop(core, RKNN_CORE_DATAOUT_SIZE_1, NPU_MODEL_HUNG);
	if ((npu_model_get(core, RKNN_DPU_DATA_CUBE_WIDTH) & 0x1fff) != width - 1)
		return stop(core, RKNN_DPU_DATA_CUBE_WIDTH, NPU_MODEL_HUNG);
	if ((npu_model_get(core, RKNN_DPU_DATA_CUBE_HEIGHT) & 0x1fff) !=
	    task->height - 1)
		return stop(core, RKNN_DPU_DATA_CUBE_HEIGHT, NPU_MODEL_HUNG);
	if ((npu_model_get(core, RKNN_DPU_DATA_CUBE_CHANNEL) & 0x1fff) !=
	    task->kernels - 1)
		return stop(core, RKNN_DPU_DATA_CUBE_CHANNEL, NPU_MODEL_HUNG);
	if ((npu_model_get(core, RKNN_DPU_WDMA_SIZE_0) & 0x1fff) !=
	    task->kernels - 1)
		return stop(core, RKNN_DPU_WDMA_SIZE_0, NPU_MODEL_HUNG);
	if ((wdma1 & 0x1fff) != width - 1 || (wdma1 >> 16) != task->height - 1)
		return stop(core, RKNN_DPU_WDMA_SIZE_1, NPU_MODEL_HUNG);
	if (((npu_model_get(core, RKNN_DPU_BS_OW_CFG) >> 2) & 0x1ff) !=
	    (size_e << 6 | size_e << 3 | size_e))
		return stop(core, RKNN_DPU_BS_OW_CFG, NPU_MODEL_HUNG);

	notch = npu_model_get(core, RKNN_DPU_DATA_CUBE_NOTCH);
	task->dst_notch = notch & 0x1fff;
	if (task->dst_notch != notch >> 16)
		return stop(core, RKNN_DPU_DATA_CUBE_NOTCH,
			    NPU_MODEL_UNSUPPORTED);
	task->dst_addr = npu_model_get(core, RKNN_DPU_DST_BASE_ADDR);
	task->dst_surf = npu_model_get(core, RKNN_DPU_DST_SURF_STRIDE);
	task->dst_group = npu_model_get(core, RKNN_DPU_SURFACE_ADD);
	return NPU_MODEL_DONE;
}

enum npu_model_status npu_model_decode(struct npu_model_core *core,
				       struct npu_model_task *task)
{
	enum npu_model_status status = check_fixed(core);
	__u32 reg;

	/* Weights are dense only if all amounts are 0. */
	for (reg = RKNN_CNA_DCOMP_AMOUNT0;
	     status == NPU_MODEL_DONE && reg <= RKNN_CNA_DCOMP_AMOUNT15; reg += 4)
		if (npu_model_get(core, reg))
			status = stop(core, reg, NPU_MODEL_UNSUPPORTED);
	if (!(npu_model_get(core, RKNN_CORE_MAC_GATING) & 0x01000000))
		return stop(core, RKNN_CORE_MAC_GATING, NPU_MODEL_HUNG);
	if (status == NPU_MODEL_DONE)
		status = decode_precision(core, task);
	if (status == NPU_MODEL_DONE)
		status = decode_feature(core, task);
	if (status == NPU_MODEL_DONE)
		status = decode_weights(core, task);
	if (status == NPU_MODEL_DONE)
		status = decode_output(core, task);
	return status;
}
