// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the registers of DPU to post-processing.
 *
 * As in npu_model_conv.c, settings that are not modelled are refused by name, and a
 * task whose blocks would wait for each other hangs.
 */
#include "npu_model_priv.h"

/* Channels side by side when values come from memory. */
#define FLYING_GROUP	32

static const struct npu_model_field dpu_fields[] = {
	/* To memory, neither regrouped nor unaligned. */
	{ RKNN_DPU_FEATURE_MODE_CFG, ~(RKNN_DPU_FEATURE_MODE_MODE |
				       RKNN_DPU_FEATURE_MODE_BURST |
				       RKNN_DPU_FEATURE_MODE_FLYING),
	  RKNN_DPU_FEATURE_MODE_MEMORY },
	{ RKNN_DPU_DATA_FORMAT, RKNN_DATA_FORMAT_MC_SURF, 0 },
	/* Neither transposed nor regrouped. */
	{ RKNN_DPU_BS_OW_CFG, RKNN_BS_OW_CFG_TP_ORG | RKNN_BS_OW_CFG_RGP_CNTER, 0 },
	{ 0, 0, 0 }
};

/* Algorithms of the ALUs by their code. */
static const __u8 alu_codes[] = {
	[RKNN_ALU_MAX] = NPU_MODEL_ALU_MAX,
	[RKNN_ALU_MIN] = NPU_MODEL_ALU_MIN,
	[RKNN_ALU_ADD] = NPU_MODEL_ALU_ADD,
	[RKNN_ALU_DIV] = NPU_MODEL_ALU_DIV,
	[RKNN_ALU_MINUS] = NPU_MODEL_ALU_MINUS,
	[RKNN_ALU_ABS] = NPU_MODEL_ALU_ABS,
	[RKNN_ALU_NEG] = NPU_MODEL_ALU_NEG,
	[RKNN_ALU_FLOOR] = NPU_MODEL_ALU_FLOOR,
	[RKNN_ALU_CEIL] = NPU_MODEL_ALU_CEIL,
};

static enum npu_model_alu decode_alu(__u32 cfg)
{
	__u32 algo = (cfg & RKNN_DPU_ALU_ALGO) >> 16;

	if (algo >= sizeof(alu_codes))
		return NPU_MODEL_ALU_OFF;
	return alu_codes[algo];
}

/* BS and BN have the same registers in the same order. */
static enum npu_model_status decode_unit(struct npu_model_core *core, __u32 reg,
					 struct npu_model_unit *unit)
{
	__u32 mul = npu_model_get(core, reg + 8);
	__u32 cfg = npu_model_get(core, reg);

	__builtin_memset(unit, 0, sizeof(*unit));
	/* Assumed: after a reset, which leaves 0, the unit is off. */
	if (!cfg || cfg & RKNN_DPU_BYPASS)
		return NPU_MODEL_DONE;
	if (cfg & RKNN_DPU_MUL_PRELU)
		return npu_model_stop(core, reg, NPU_MODEL_UNSUPPORTED);

	if (!(cfg & RKNN_DPU_ALU_BYPASS)) {
		unit->alu = decode_alu(cfg);
		unit->alu_memory = !!(cfg & RKNN_DPU_ALU_SRC);
		unit->alu_const = npu_model_get(core, reg + 4);
		if (unit->alu != NPU_MODEL_ALU_ADD &&
		    unit->alu != NPU_MODEL_ALU_MINUS &&
		    unit->alu != NPU_MODEL_ALU_MAX &&
		    unit->alu != NPU_MODEL_ALU_MIN)
			return npu_model_stop(core, reg, NPU_MODEL_UNSUPPORTED);
	}
	unit->mul = !(cfg & RKNN_DPU_MUL_BYPASS);
	unit->mul_memory = unit->mul && mul & RKNN_DPU_MUL_SRC;
	unit->mul_const = mul >> 16;
	unit->shift = (mul >> 8) & 0x3f;
	unit->relu = !(cfg & RKNN_DPU_RELU_BYPASS);
	unit->relux = unit->relu && cfg & RKNN_DPU_RELUX;
	unit->limit = npu_model_get(core, reg + 12);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_units(struct npu_model_core *core,
					  struct npu_model_dpu *dpu)
{
	__u32 format = npu_model_get(core, RKNN_DPU_DATA_FORMAT);
	enum npu_model_status status;

	status = decode_unit(core, RKNN_DPU_BS_CFG, &dpu->bs);
	if (status == NPU_MODEL_DONE)
		status = decode_unit(core, RKNN_DPU_BN_CFG, &dpu->bn);
	dpu->bs.shift_neg = (format & RKNN_DATA_FORMAT_BS_NEG) >> 4;
	dpu->bn.shift_neg = (format & RKNN_DATA_FORMAT_BN_NEG) >> 10;
	/* BN multiplies before it adds, with factors of 0 to 65535 (measured). */
	dpu->bn.mul_first = 1;
	dpu->bn.mul_unsigned = 1;
	return status;
}

static enum npu_model_status decode_precision(struct npu_model_core *core,
					      struct npu_model_task *task)
{
	__u32 format = npu_model_get(core, RKNN_DPU_DATA_FORMAT);
	__u32 scale = npu_model_get(core, RKNN_DPU_OUT_CVT_SCALE);
	__u32 proc = format & RKNN_DATA_FORMAT_PROC;
	struct npu_model_dpu *dpu = &task->dpu;

	dpu->is_float = npu_model_is_float(proc);
	dpu->bf16 = proc == RKNN_PREC_BF16;
	dpu->out = format >> 29;
	dpu->out_bytes = npu_model_bytes(dpu->out);
	dpu->fp16_sums = !dpu->flying && task->conv.precision == RKNN_PREC_FP16 &&
			 (dpu->out == RKNN_PREC_FP16 || dpu->out == RKNN_PREC_FP32);
	if (dpu->out == RKNN_PREC_INT4 || dpu->out == RKNN_PREC_TF32 ||
	    (dpu->out == RKNN_PREC_BF16 && !dpu->is_float) ||
	    (!dpu->flying && dpu->is_float != task->conv.is_float))
		return npu_model_stop(core, RKNN_DPU_DATA_FORMAT,
				      NPU_MODEL_UNSUPPORTED);
	/* Measured of what comes from memory only. */
	if (dpu->is_float && dpu->out == RKNN_PREC_FP16 &&
	    !(scale & RKNN_OUT_CVT_FP32_TO_FP16))
		return npu_model_stop(core, RKNN_DPU_OUT_CVT_SCALE,
				      dpu->flying ? NPU_MODEL_HUNG :
						    NPU_MODEL_UNSUPPORTED);
	return NPU_MODEL_DONE;
}

/* What the writer at the end is told; nothing, if a stream leaves it out. */
static __u32 writer_agrees(struct npu_model_core *core,
			   const struct npu_model_dpu *dpu)
{
	__u32 wdma0 = npu_model_get(core, RKNN_DPU_WDMA_SIZE_0);
	__u32 wdma1 = npu_model_get(core, RKNN_DPU_WDMA_SIZE_1);
	__u32 channels = (wdma0 & 0x1fff) + 1;

	if (!wdma0 && !wdma1)
		return 1;
	return (channels + dpu->group - 1) / dpu->group ==
		       (dpu->channels + dpu->group - 1) / dpu->group &&
	       ((wdma1 & 0x1fff) + 1) * ((wdma1 >> 16 & 0x1fff) + 1) ==
		       dpu->pixels;
}

static enum npu_model_status decode_sizes(struct npu_model_core *core,
					  struct npu_model_task *task)
{
	__u32 width = npu_model_get(core, RKNN_DPU_DATA_CUBE_WIDTH) & 0x1fff;
	__u32 height = npu_model_get(core, RKNN_DPU_DATA_CUBE_HEIGHT) & 0x1fff;
	__u32 channel = npu_model_get(core, RKNN_DPU_DATA_CUBE_CHANNEL);
	const struct npu_model_conv *conv = &task->conv;
	struct npu_model_dpu *dpu = &task->dpu;

	dpu->width = width + 1;
	dpu->pixels = (width + 1) * (height + 1);
	dpu->channels = (channel & 0x1fff) + 1;
	dpu->orig = (channel >> 16 & 0x1fff) + 1;
	dpu->group = dpu->flying ? FLYING_GROUP : conv->group;
	if (!dpu->flying && dpu->pixels != conv->pixels)
		return npu_model_stop(core, RKNN_DPU_DATA_CUBE_WIDTH,
				      NPU_MODEL_HUNG);
	if (!dpu->flying &&
	    ((dpu->channels + dpu->group - 1) / dpu->group != conv->groups ||
	     (!conv->is_float && dpu->channels % dpu->group)))
		return npu_model_stop(core, RKNN_DPU_DATA_CUBE_CHANNEL,
				      NPU_MODEL_HUNG);
	if (!writer_agrees(core, dpu))
		return npu_model_stop(core, RKNN_DPU_WDMA_SIZE_0,
				      NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_output(struct npu_model_core *core,
					   struct npu_model_dpu *dpu)
{
	__u32 surfaces = dpu->group * dpu->out_bytes / RKNN_ATOM_BYTES;
	__u32 sizes = npu_model_get(core, RKNN_DPU_BS_OW_CFG) >> 2 & 0x1ff;
	__u32 notch = npu_model_get(core, RKNN_DPU_DATA_CUBE_NOTCH);
	__u32 size_e = sizes & 7;

	dpu->surfaces = surfaces;
	if (!dpu->flying) {
		if (sizes != (size_e << 6 | size_e << 3 | size_e))
			return npu_model_stop(core, RKNN_DPU_BS_OW_CFG,
					      NPU_MODEL_UNSUPPORTED);
		/* Fewer leave surfaces out, more are waited for (both measured). */
		if (size_e >= surfaces)
			return npu_model_stop(core, RKNN_DPU_BS_OW_CFG,
					      NPU_MODEL_HUNG);
		dpu->surfaces = size_e + 1;
	}
	dpu->dst_notch = notch & 0x1fff;
	if (dpu->dst_notch != notch >> 16)
		return npu_model_stop(core, RKNN_DPU_DATA_CUBE_NOTCH,
				      NPU_MODEL_UNSUPPORTED);
	dpu->dst_addr = npu_model_get(core, RKNN_DPU_DST_BASE_ADDR);
	dpu->dst_surf = npu_model_get(core, RKNN_DPU_DST_SURF_STRIDE);
	/* Assumed: surfaces of what comes from memory are evenly spaced. */
	dpu->dst_group = dpu->flying ?
		surfaces * dpu->dst_surf :
		npu_model_get(core, RKNN_DPU_SURFACE_ADD);
	return NPU_MODEL_DONE;
}

static void decode_out_cvt(struct npu_model_core *core, struct npu_model_cvt *cvt)
{
	__u32 shift = npu_model_get(core, RKNN_DPU_OUT_CVT_SHIFT);

	cvt->offset = npu_model_get(core, RKNN_DPU_OUT_CVT_OFFSET);
	cvt->scale = (__s16)npu_model_get(core, RKNN_DPU_OUT_CVT_SCALE);
	cvt->shift = shift & RKNN_OUT_CVT_SHIFT_SHIFT;
	cvt->minus_exp = (shift & RKNN_OUT_CVT_SHIFT_MINUS_EXP) >> 12;
	cvt->away = !!(shift & RKNN_OUT_CVT_SHIFT_ROUND);
	cvt->add_first = !!(shift & RKNN_OUT_CVT_SHIFT_ADD_FIRST);
}

/* Operations without a second operand. */
static __u32 is_unary(enum npu_model_alu op)
{
	return op == NPU_MODEL_ALU_ABS || op == NPU_MODEL_ALU_NEG ||
	       op == NPU_MODEL_ALU_FLOOR || op == NPU_MODEL_ALU_CEIL;
}

/* The second operand of an elementwise operation. */
static enum npu_model_status decode_ew_operand(struct npu_model_core *core,
					       struct npu_model_dpu *dpu)
{
	__u32 cfg = npu_model_get(core, RKNN_DPU_EW_CFG);
	__u32 size = (cfg & RKNN_EW_CFG_DATA_SIZE) >> 22;
	__u32 mode = (cfg & RKNN_EW_CFG_DATA_MODE) >> 28;
	__u32 scale = npu_model_get(core, RKNN_DPU_EW_CVT_SCALE);
	__u32 bypass = cfg & RKNN_EW_CFG_CVT_BYPASS;
	struct npu_model_ew *ew = &dpu->ew;

	/* Operands of 4 bits, from registers, or of both kinds at a time. */
	if (!size || mode > 1 || !(cfg & RKNN_EW_CFG_OP_SRC) ||
	    (dpu->is_float && size == 1))
		return npu_model_stop(core, RKNN_DPU_EW_CFG,
				      NPU_MODEL_UNSUPPORTED);
	ew->per_pixel = mode;
	ew->bytes = size == 3 ? 4 : size;
	if (dpu->is_float) {
		/* Measured: a timeout of products, half a sum left out. */
		if (size == 2 && ew->op == NPU_MODEL_ALU_MUL && !bypass)
			return npu_model_stop(core, RKNN_DPU_EW_CFG,
					      NPU_MODEL_HUNG);
		if (size == 2 && ew->op != NPU_MODEL_ALU_MUL &&
		    ew->op != NPU_MODEL_ALU_DIV && bypass)
			return npu_model_stop(core, RKNN_DPU_EW_CFG,
					      NPU_MODEL_UNSUPPORTED);
		return NPU_MODEL_DONE;
	}
	/* Measured of int16 and two operands from memory. */
	if (dpu->flying && !mode && size == 2)
		return npu_model_stop(core, RKNN_DPU_EW_CFG, NPU_MODEL_HUNG);
	ew->convert = !bypass;
	ew->cvt.offset = npu_model_get(core, RKNN_DPU_EW_CVT_OFFSET);
	ew->cvt.scale = (__s16)scale;
	ew->cvt.shift = scale >> 16 & 0x3f;
	ew->cvt.away = !!(cfg & RKNN_EW_CFG_CVT_ROUND);
	ew->cvt.add_first = !!(cfg & RKNN_EW_CFG_CVT_ADD_FIRST);
	ew->trunc = scale >> 22;
	ew->trunc_neg = (npu_model_get(core, RKNN_DPU_DATA_FORMAT) &
			 RKNN_DATA_FORMAT_EW_NEG) >> 16;
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_ew(struct npu_model_core *core,
				       struct npu_model_dpu *dpu)
{
	__u32 cfg = npu_model_get(core, RKNN_DPU_EW_CFG);
	struct npu_model_ew *ew = &dpu->ew;

	__builtin_memset(ew, 0, sizeof(*ew));
	/* Assumed as for BS and BN. */
	if (!cfg || cfg & RKNN_EW_CFG_BYPASS)
		return NPU_MODEL_DONE;
	if (cfg & (RKNN_EW_CFG_PRELU | RKNN_EW_CFG_BINARY))
		return npu_model_stop(core, RKNN_DPU_EW_CFG,
				      NPU_MODEL_UNSUPPORTED);
	ew->lut = !(cfg & RKNN_EW_CFG_LUT_BYPASS);
	ew->relu = !(cfg & RKNN_EW_CFG_RELU_BYPASS);
	ew->relux = ew->relu && cfg & RKNN_EW_CFG_RELUX;
	ew->limit = npu_model_get(core, RKNN_DPU_EW_RELUX_CMP);
	if (cfg & RKNN_EW_CFG_OP_BYPASS)
		return NPU_MODEL_DONE;

	ew->op = cfg & RKNN_EW_CFG_OP_MUL ? NPU_MODEL_ALU_MUL : decode_alu(cfg);
	if (ew->op == NPU_MODEL_ALU_OFF ||
	    (!dpu->is_float && (ew->op == NPU_MODEL_ALU_DIV ||
				ew->op == NPU_MODEL_ALU_FLOOR ||
				ew->op == NPU_MODEL_ALU_CEIL)))
		return npu_model_stop(core, RKNN_DPU_EW_CFG,
				      NPU_MODEL_UNSUPPORTED);
	return is_unary(ew->op) ? NPU_MODEL_DONE : decode_ew_operand(core, dpu);
}

static void decode_pend(struct npu_model_core *core, struct npu_model_task *task)
{
	__u32 cfg = npu_model_get(core, RKNN_DPU_BS_OW_CFG);
	struct npu_model_dpu *dpu = &task->dpu;

	dpu->pend_const = (__s16)npu_model_get(core, RKNN_DPU_BS_OW_OP);
	dpu->pend_memory = task->conv.pend && cfg & RKNN_BS_OW_CFG_OW_SRC;
	if (!dpu->pend_memory && !dpu->pend_const)
		task->conv.pend = 0;
}

enum npu_model_status npu_model_dpu_decode(struct npu_model_core *core,
					   struct npu_model_task *task)
{
	__u32 mode = npu_model_get(core, RKNN_DPU_FEATURE_MODE_CFG);
	enum npu_model_status status = npu_model_check_fields(core, dpu_fields);
	struct npu_model_dpu *dpu = &task->dpu;

	if (status != NPU_MODEL_DONE)
		return status;
	dpu->flying = mode & RKNN_DPU_FEATURE_MODE_FLYING;
	/* One of the blocks would wait for the other. */
	if (!dpu->flying != !!(task->enable & RKNN_ENABLE_CNA))
		return npu_model_stop(core, RKNN_DPU_FEATURE_MODE_CFG,
				      NPU_MODEL_HUNG);
	if (!dpu->flying && (mode & RKNN_DPU_FEATURE_MODE_MODE) >> 3 !=
			    (task->conv.depthwise ? RKNN_MODE_DEPTHWISE :
						    RKNN_MODE_DIRECT))
		return npu_model_stop(core, RKNN_DPU_FEATURE_MODE_CFG,
				      NPU_MODEL_UNSUPPORTED);

	decode_pend(core, task);
	decode_out_cvt(core, &dpu->cvt);
	status = decode_precision(core, task);
	if (status == NPU_MODEL_DONE)
		status = decode_sizes(core, task);
	if (status == NPU_MODEL_DONE)
		status = decode_output(core, dpu);
	if (status == NPU_MODEL_DONE)
		status = decode_units(core, dpu);
	if (status == NPU_MODEL_DONE)
		status = decode_ew(core, dpu);
	if (status == NPU_MODEL_DONE)
		status = npu_model_rdma_decode(core, task);
	return status;
}
