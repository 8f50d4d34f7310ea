// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPU_RDMA: operands of the post-processing from memory.
 *
 * MRDMA reads the main feed, or every other surface of the elementwise operand,
 * ERDMA the elementwise operand, BRDMA and NRDMA what BS and BN have one of for
 * each channel.
 */
#include "npu_model_priv.h"

/* A record of 8 channels: 8 summands, 8 factors of CPEND, 8 factors. */
#define RECORD_CHANNELS	8
#define RECORD_BYTES	64
#define RECORD_CPEND	32
#define RECORD_MUL	48

static __u32 cube_pixels(const struct npu_model_core *core)
{
	return ((npu_model_get(core, RKNN_RDMA_DATA_CUBE_WIDTH) & 0x1fff) + 1) *
	       ((npu_model_get(core, RKNN_RDMA_DATA_CUBE_HEIGHT) & 0x1fff) + 1);
}

/* Bytes from a surface to the next that the same engine reads. */
static __u32 surface_step(const struct npu_model_core *core, __u32 notch)
{
	return cube_pixels(core) * RKNN_ATOM_BYTES +
	       (npu_model_get(core, notch) & ~0xfu);
}

/*
 * The same for an engine that reads every other surface. Of two published
 * programs for floats one has a notch of one surface, as the rule wants it, and
 * one of two. Assumed: that is the whole step, if surfaces are as long as the
 * pixels of the task; those of a strip of a taller tensor are longer.
 */
static __u32 dual_step(const struct npu_model_core *core,
		       const struct npu_model_dpu *dpu, __u32 notch)
{
	__u32 surface = dpu->pixels * RKNN_ATOM_BYTES;

	if (dpu->is_float && npu_model_get(core, notch) == 2 * surface &&
	    npu_model_get(core, RKNN_RDMA_EW_SURF_STRIDE) == surface)
		return 2 * surface;
	return surface_step(core, notch);
}

/* Does anything that runs take an operand of EW from memory? */
static __u32 ew_reads(const struct npu_model_ew *ew)
{
	return ew->bytes != 0;
}

static enum npu_model_status decode_main(struct npu_model_core *core,
					 struct npu_model_dpu *dpu)
{
	__u32 mode = npu_model_get(core, RKNN_RDMA_FEATURE_MODE_CFG);
	__u32 channels = (npu_model_get(core, RKNN_RDMA_DATA_CUBE_CHANNEL) &
			  0x1fff) + 1;
	__u32 in = (mode & RKNN_RDMA_MODE_IN_PREC) >> 15;
	struct npu_model_surfaces *main = &dpu->main;
	__u32 per_atom;

	if (mode & RKNN_RDMA_MODE_MRDMA_DISABLE ||
	    (ew_reads(&dpu->ew) && mode & RKNN_RDMA_MODE_COMB_MAIN &&
	     mode & RKNN_RDMA_MODE_FLYING))
		return npu_model_stop(core, RKNN_RDMA_FEATURE_MODE_CFG,
				      NPU_MODEL_HUNG);
	if (in == RKNN_PREC_INT4 || npu_model_is_float(in) != dpu->is_float)
		return npu_model_stop(core, RKNN_RDMA_FEATURE_MODE_CFG,
				      NPU_MODEL_UNSUPPORTED);
	main->precision = in;
	main->bytes = npu_model_bytes(in);
	main->addr[0] = npu_model_get(core, RKNN_RDMA_SRC_BASE_ADDR);
	main->step[0] = surface_step(core, RKNN_RDMA_SURF_NOTCH);
	main->dual = 0;
	dpu->in_bytes = main->bytes;
	per_atom = RKNN_ATOM_BYTES / main->bytes;
	if (cube_pixels(core) != dpu->pixels)
		return npu_model_stop(core, RKNN_RDMA_DATA_CUBE_WIDTH,
				      NPU_MODEL_HUNG);
	if ((channels + per_atom - 1) / per_atom !=
	    (dpu->channels + per_atom - 1) / per_atom)
		return npu_model_stop(core, RKNN_RDMA_DATA_CUBE_CHANNEL,
				      NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

/* Floats of 32 bits are multiplied with the fp16 in their low half (measured). */
static __u32 ew_precision(const struct npu_model_dpu *dpu, __u32 in)
{
	switch (dpu->ew.bytes) {
	case 1:
		return RKNN_PREC_INT8;
	case 2:
		if (!dpu->is_float)
			return RKNN_PREC_INT16;
		return in == RKNN_PREC_BF16 ? RKNN_PREC_BF16 : RKNN_PREC_FP16;
	default:
		if (!dpu->is_float)
			return RKNN_PREC_INT32;
		return dpu->ew.op == NPU_MODEL_ALU_MUL ? RKNN_PREC_FP16 :
							 RKNN_PREC_FP32;
	}
}

static enum npu_model_status decode_other(struct npu_model_core *core,
					  struct npu_model_dpu *dpu)
{
	__u32 mode = npu_model_get(core, RKNN_RDMA_FEATURE_MODE_CFG);
	__u32 erdma = npu_model_get(core, RKNN_RDMA_ERDMA_CFG);
	__u32 size = (erdma & RKNN_ERDMA_CFG_DATA_SIZE) >> 2;
	struct npu_model_surfaces *other = &dpu->other;

	if (erdma & RKNN_ERDMA_CFG_DISABLE)
		return npu_model_stop(core, RKNN_RDMA_ERDMA_CFG, NPU_MODEL_HUNG);
	if (erdma >> 30 != dpu->ew.per_pixel ||
	    (size == 3 ? 4 : size) != dpu->ew.bytes)
		return npu_model_stop(core, RKNN_RDMA_ERDMA_CFG,
				      NPU_MODEL_UNSUPPORTED);
	other->precision = ew_precision(dpu, (mode & RKNN_RDMA_MODE_IN_PREC) >> 15);
	other->bytes = dpu->ew.bytes;
	other->dual = !dpu->flying && !(mode & RKNN_RDMA_MODE_MRDMA_DISABLE);
	other->addr[0] = npu_model_get(core, RKNN_RDMA_EW_BASE_ADDR);
	if (!dpu->ew.per_pixel)
		return NPU_MODEL_DONE;

	if (cube_pixels(core) != dpu->pixels)
		return npu_model_stop(core, RKNN_RDMA_DATA_CUBE_WIDTH,
				      NPU_MODEL_HUNG);
	if (other->dual) {
		other->addr[1] = other->addr[0];
		other->addr[0] = npu_model_get(core, RKNN_RDMA_SRC_BASE_ADDR);
		other->step[0] = dual_step(core, dpu, RKNN_RDMA_SURF_NOTCH);
		other->step[1] = dual_step(core, dpu, RKNN_RDMA_EW_SURF_NOTCH);
		return NPU_MODEL_DONE;
	}
	other->step[0] = npu_model_get(core, RKNN_RDMA_EW_SURF_STRIDE);
	/* Beside CORE one engine alone hangs on a column (measured). */
	if (!dpu->flying && dpu->pixels > 1 &&
	    !(npu_model_get(core, RKNN_RDMA_DATA_CUBE_WIDTH) & 0x1fff))
		return npu_model_stop(core, RKNN_RDMA_FEATURE_MODE_CFG,
				      NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

/* BRDMA or NRDMA at @reg; does it bring what its unit waits for? */
static enum npu_model_status decode_channels(struct npu_model_core *core,
					     __u32 reg,
					     const struct npu_model_unit *unit,
					     __u32 pend, __u32 *use)
{
	__u32 cfg = npu_model_get(core, reg);

	*use = 0;
	if (!unit->alu_memory && !unit->mul_memory && !pend)
		return NPU_MODEL_DONE;
	if (cfg & RKNN_BRDMA_CFG_OFF)
		return npu_model_stop(core, reg, NPU_MODEL_HUNG);
	*use = cfg & RKNN_BRDMA_CFG_DATA_USE;
	switch (*use) {
	case RKNN_BRDMA_CFG_RECORD:
		return NPU_MODEL_DONE;
	case RKNN_BRDMA_CFG_BIAS:
		if (!unit->mul_memory && !pend)
			return NPU_MODEL_DONE;
		return npu_model_stop(core, reg, NPU_MODEL_HUNG);
	case RKNN_BRDMA_CFG_MUL:
		if (!unit->alu_memory && !pend)
			return NPU_MODEL_DONE;
		return npu_model_stop(core, reg, NPU_MODEL_HUNG);
	case 0:
		return npu_model_stop(core, reg, NPU_MODEL_HUNG);
	default:
		return npu_model_stop(core, reg, NPU_MODEL_UNSUPPORTED);
	}
}

/* Without DPU_RDMA nothing may be waited for. */
static enum npu_model_status decode_none(struct npu_model_core *core,
					 struct npu_model_dpu *dpu)
{
	if (dpu->flying)
		return npu_model_stop(core, RKNN_DPU_FEATURE_MODE_CFG,
				      NPU_MODEL_HUNG);
	if (dpu->bs.alu_memory || dpu->bs.mul_memory)
		return npu_model_stop(core, RKNN_DPU_BS_CFG, NPU_MODEL_HUNG);
	if (dpu->pend_memory)
		return npu_model_stop(core, RKNN_DPU_BS_OW_CFG, NPU_MODEL_HUNG);
	if (dpu->bn.alu_memory || dpu->bn.mul_memory)
		return npu_model_stop(core, RKNN_DPU_BN_CFG, NPU_MODEL_HUNG);
	if (ew_reads(&dpu->ew))
		return npu_model_stop(core, RKNN_DPU_EW_CFG, NPU_MODEL_HUNG);
	return NPU_MODEL_DONE;
}

static enum npu_model_status decode_engines(struct npu_model_core *core,
					    struct npu_model_dpu *dpu)
{
	__u32 mode = npu_model_get(core, RKNN_RDMA_FEATURE_MODE_CFG);
	__u32 comb = mode & RKNN_RDMA_MODE_COMB_USE;
	__u32 main = !(mode & RKNN_RDMA_MODE_MRDMA_DISABLE);
	enum npu_model_status status = NPU_MODEL_DONE;

	/*
	 * MRDMA that nobody reads never finishes (measured). Beside CORE it is
	 * of use only if it reads half of an elementwise operand.
	 */
	if (!dpu->flying && main && (!ew_reads(&dpu->ew) ||
				     comb != RKNN_RDMA_MODE_COMB_BOTH))
		return npu_model_stop(core, RKNN_RDMA_FEATURE_MODE_CFG,
				      NPU_MODEL_HUNG);
	/* Un-pooling. */
	if (main && npu_model_get(core, RKNN_RDMA_SRC_DMA_CFG))
		return npu_model_stop(core, RKNN_RDMA_SRC_DMA_CFG,
				      NPU_MODEL_UNSUPPORTED);
	if (dpu->flying)
		status = decode_main(core, dpu);
	if (status == NPU_MODEL_DONE && ew_reads(&dpu->ew))
		status = decode_other(core, dpu);
	return status;
}

enum npu_model_status npu_model_rdma_decode(struct npu_model_core *core,
					    struct npu_model_task *task)
{
	__u32 mode = npu_model_get(core, RKNN_RDMA_FEATURE_MODE_CFG);
	struct npu_model_dpu *dpu = &task->dpu;
	enum npu_model_status status;

	if (!(task->enable & RKNN_ENABLE_DPU_RDMA))
		return decode_none(core, dpu);
	status = decode_engines(core, dpu);
	if (status == NPU_MODEL_DONE)
		status = decode_channels(core, RKNN_RDMA_BRDMA_CFG, &dpu->bs,
					 dpu->pend_memory, &dpu->bs_use);
	if (status == NPU_MODEL_DONE)
		status = decode_channels(core, RKNN_RDMA_NRDMA_CFG, &dpu->bn, 0,
					 &dpu->bn_use);
	/* Measured: 8 of 8 tasks hung. */
	if (status == NPU_MODEL_DONE && !dpu->flying && task->conv.depthwise &&
	    !dpu->is_float && dpu->bn_use == RKNN_BRDMA_CFG_RECORD &&
	    dpu->bn.alu_memory)
		status = npu_model_stop(core, RKNN_RDMA_NRDMA_CFG, NPU_MODEL_HUNG);
	dpu->bs_addr = npu_model_get(core, RKNN_RDMA_BS_BASE_ADDR);
	dpu->bn_addr = npu_model_get(core, RKNN_RDMA_BN_BASE_ADDR);
	dpu->mul_bytes = (mode & RKNN_RDMA_MODE_IN_PREC) >> 15 ==
			 RKNN_PREC_FP32 ? 4 : 2;
	return status;
}

static __u32 load16(const __u8 *from)
{
	return from[0] | from[1] << 8;
}

static __u32 load32(const __u8 *from)
{
	return load16(from) | load16(from + 2) << 16;
}

static __u32 half_to_fp32(const struct npu_model_dpu *dpu, __u32 half)
{
	return dpu->bf16 ? half << 16 : npu_model_fp32_from_fp16(half);
}

/* A factor of BS or BN from its 16 bits. */
static __u32 factor(const struct npu_model_dpu *dpu,
		    const struct npu_model_unit *unit, __u32 bits)
{
	if (dpu->is_float)
		return half_to_fp32(dpu, bits);
	return unit->mul_unsigned ? bits : (__u32)(__s16)bits;
}

/* Operands of BS or BN for @count channels from @first on. */
static int load_unit(struct npu_model_core *core, const struct npu_model_dpu *dpu,
		     const struct npu_model_unit *unit, __u32 use, __u32 addr,
		     __u32 first, __u32 count, __u32 *alu, __u32 *mul)
{
	__u32 records = (count + RECORD_CHANNELS - 1) / RECORD_CHANNELS;
	__u32 size = use == RKNN_BRDMA_CFG_MUL ? dpu->mul_bytes : 4;
	const __u8 *from = core->stage;
	__u32 i;

	for (i = 0; i < NPU_MODEL_CHANNELS; i++) {
		alu[i] = unit->alu_const;
		mul[i] = factor(dpu, unit, unit->mul_const);
	}
	if (!use)
		return 0;
	if (use == RKNN_BRDMA_CFG_RECORD) {
		addr += first / RECORD_CHANNELS * RECORD_BYTES;
		size = records * RECORD_BYTES;
	} else {
		addr += first * size;
		size *= count;
	}
	if (npu_model_bus_read(core, addr, core->stage, size))
		return 1;
	if (core->params.timing_only)
		return 0;
	for (i = 0; i < count; i++) {
		const __u8 *record = from + i / RECORD_CHANNELS * RECORD_BYTES;
		__u32 lane = i % RECORD_CHANNELS;

		if (use == RKNN_BRDMA_CFG_RECORD) {
			if (unit->alu_memory)
				alu[i] = load32(record + 4 * lane);
			if (unit->mul_memory)
				mul[i] = factor(dpu, unit, load16(record + RECORD_MUL +
								  2 * lane));
			if (dpu->pend_memory && unit == &dpu->bs)
				core->channel[NPU_MODEL_CPEND][i] =
					(__s16)load16(record + RECORD_CPEND +
						      2 * lane);
		} else if (use == RKNN_BRDMA_CFG_BIAS) {
			alu[i] = load32(from + 4 * i);
		} else {
			mul[i] = factor(dpu, unit, load16(from + size / count * i));
		}
	}
	return 0;
}

/* Numbers of memory to those of the pipeline. */
static void decode_numbers(const struct npu_model_surfaces *from,
			   const __u8 *bytes, __u32 count, __u32 *to)
{
	__u32 i;

	switch (from->precision) {
	case RKNN_PREC_INT8:
		for (i = 0; i < count; i++)
			to[i] = (__s8)bytes[i];
		break;
	case RKNN_PREC_INT16:
		for (i = 0; i < count; i++)
			to[i] = (__s16)load16(bytes + 2 * i);
		break;
	case RKNN_PREC_FP16:
		/* Those of 32 bits are in the low half. */
		for (i = 0; i < count; i++)
			to[i] = npu_model_fp32_from_fp16(load16(bytes +
								from->bytes * i));
		break;
	case RKNN_PREC_BF16:
		for (i = 0; i < count; i++)
			to[i] = load16(bytes + 2 * i) << 16;
		break;
	default:
		for (i = 0; i < count; i++)
			to[i] = load32(bytes + 4 * i);
		break;
	}
}

int npu_model_channels_load(struct npu_model_core *core,
			    const struct npu_model_dpu *dpu, __u32 first)
{
	__u32 count = dpu->channels - first, i;

	if (count > dpu->group)
		count = dpu->group;
	for (i = 0; i < NPU_MODEL_CHANNELS; i++)
		core->channel[NPU_MODEL_CPEND][i] = dpu->pend_const;
	if (load_unit(core, dpu, &dpu->bs, dpu->bs_use, dpu->bs_addr, first, count,
		      core->channel[NPU_MODEL_BS_ALU],
		      core->channel[NPU_MODEL_BS_MUL]) ||
	    load_unit(core, dpu, &dpu->bn, dpu->bn_use, dpu->bn_addr, first, count,
		      core->channel[NPU_MODEL_BN_ALU],
		      core->channel[NPU_MODEL_BN_MUL]))
		return 1;
	if (!ew_reads(&dpu->ew) || dpu->ew.per_pixel)
		return 0;
	if (npu_model_bus_read(core, dpu->other.addr[0] + first * dpu->other.bytes,
			       core->stage, count * dpu->other.bytes))
		return 1;
	__builtin_memset(core->channel[NPU_MODEL_EW], 0,
			 sizeof(core->channel[NPU_MODEL_EW]));
	if (!core->params.timing_only)
		decode_numbers(&dpu->other, core->stage, count,
			       core->channel[NPU_MODEL_EW]);
	return 0;
}

int npu_model_surfaces_load(struct npu_model_core *core,
			    const struct npu_model_dpu *dpu,
			    const struct npu_model_surfaces *from, __u32 first,
			    __u32 pixel, __u32 count, __u32 *to)
{
	__u32 per_atom = RKNN_ATOM_BYTES / from->bytes;
	__u32 last = first + dpu->group, channel, i;

	if (last > dpu->channels)
		last = dpu->channels;
	for (channel = first; channel < last; channel += per_atom) {
		__u32 surface = channel / per_atom, engine = 0, addr;

		if (from->dual) {
			engine = surface % 2;
			surface /= 2;
		}
		addr = from->addr[engine] + surface * from->step[engine] +
		       pixel * RKNN_ATOM_BYTES;
		if (npu_model_bus_read(core, addr, core->stage,
				       count * RKNN_ATOM_BYTES))
			return 1;
		if (core->params.timing_only)
			continue;
		for (i = 0; i < count; i++)
			decode_numbers(from, core->stage + i * RKNN_ATOM_BYTES,
				       per_atom,
				       to + i * dpu->group + channel - first);
	}
	return 0;
}
