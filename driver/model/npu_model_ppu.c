// SPDX-License-Identifier: GPL-2.0-only
/*
 * PPU and PPU_RDMA: pooling from memory to memory.
 *
 * A window covers padding as well as the image, and an average is divided by the
 * size of the whole window: the sum is exact, times both reciprocals, rounded
 * once. Of int8, 16 bits of a reciprocal are behind the point and ties go to the
 * even integer, which is what was measured of windows of every kind; of fp16 a
 * reciprocal is an fp16 that is 65536 times as large, and rounding is that of
 * fp32 until the end.
 */
#include "npu_model_priv.h"

#define LANES_MAX	RKNN_ATOM_BYTES
#define WINDOW_MAX	16

/* Rows of input that a run of windows covers fit the stage. */
#define RUN_MAX		240

static const struct npu_model_field ppu_fields[] = {
	/* Indices of maxima for un-pooling, and gaps between output rows. */
	{ RKNN_PPU_OPERATION_MODE, RKNN_PPU_MODE_INDEX | RKNN_PPU_MODE_NOTCH, 0 },
	{ RKNN_PPU_DATA_FORMAT, RKNN_PPU_FORMAT_DPU_FLYIN, 0 },
	{ 0, 0, 0 }
};

static enum npu_model_status decode_precision(struct npu_model_core *core,
					      struct npu_model_ppu *ppu)
{
	__u32 proc = npu_model_get(core, RKNN_PPU_DATA_FORMAT) &
		     RKNN_PPU_FORMAT_PROC;
	__u32 in = npu_model_get(core, RKNN_PPU_RDMA_DATA_FORMAT) &
		   RKNN_PPU_RDMA_FORMAT_IN;

	if (proc != RKNN_PREC_INT8 && proc != RKNN_PREC_FP16)
		return npu_model_stop(core, RKNN_PPU_DATA_FORMAT,
				      NPU_MODEL_UNSUPPORTED);
	ppu->fp16 = proc == RKNN_PREC_FP16;
	/*
	 * The size of elements as a code of its own: 1 is 8 bits, 2 is 16. With
	 * 0 int8 is misread (measured), assumed is as 4 bits.
	 */
	ppu->nibbles = !ppu->fp16 && !in;
	if (!ppu->nibbles && in != (ppu->fp16 ? 2 : 1))
		return npu_model_stop(core, RKNN_PPU_RDMA_DATA_FORMAT,
				      NPU_MODEL_UNSUPPORTED);
	ppu->pad = npu_model_get(core, RKNN_PPU_PAD_VALUE_1) &
		   (ppu->fp16 ? 0xffff : 0xff);
	return NPU_MODEL_DONE;
}

static __u32 size_at(const struct npu_model_core *core, __u32 reg)
{
	return (npu_model_get(core, reg) & 0x1fff) + 1;
}

static enum npu_model_status decode_sizes(struct npu_model_core *core,
					  struct npu_model_ppu *ppu)
{
	__u32 kernel = npu_model_get(core, RKNN_PPU_KERNEL_CFG);
	__u32 pad = npu_model_get(core, RKNN_PPU_PADDING);

	ppu->width = size_at(core, RKNN_PPU_CUBE_IN_WIDTH);
	ppu->height = size_at(core, RKNN_PPU_CUBE_IN_HEIGHT);
	ppu->channels = size_at(core, RKNN_PPU_CUBE_IN_CHANNEL);
	ppu->out_width = size_at(core, RKNN_PPU_CUBE_OUT_WIDTH);
	ppu->out_height = size_at(core, RKNN_PPU_CUBE_OUT_HEIGHT);
	/* PPU waits for data that PPU_RDMA does not deliver. */
	if (ppu->channels != size_at(core, RKNN_PPU_CUBE_OUT_CHANNEL))
		return npu_model_stop(core, RKNN_PPU_CUBE_OUT_CHANNEL,
				      NPU_MODEL_HUNG);
	if (ppu->width != (__s32)size_at(core, RKNN_PPU_RDMA_CUBE_WIDTH))
		return npu_model_stop(core, RKNN_PPU_RDMA_CUBE_WIDTH,
				      NPU_MODEL_HUNG);
	if (ppu->height != (__s32)size_at(core, RKNN_PPU_RDMA_CUBE_HEIGHT))
		return npu_model_stop(core, RKNN_PPU_RDMA_CUBE_HEIGHT,
				      NPU_MODEL_HUNG);
	if (ppu->channels != size_at(core, RKNN_PPU_RDMA_CUBE_CHANNEL))
		return npu_model_stop(core, RKNN_PPU_RDMA_CUBE_CHANNEL,
				      NPU_MODEL_HUNG);

	ppu->kernel_width = (kernel & 0xf) + 1;
	ppu->kernel_height = (kernel >> 8 & 0xf) + 1;
	ppu->stride_x = (kernel >> 16 & 0xf) + 1;
	ppu->stride_y = (kernel >> 20 & 0xf) + 1;
	ppu->pad_left = pad & 7;
	ppu->pad_top = pad >> 4 & 7;
	return NPU_MODEL_DONE;
}

enum npu_model_status npu_model_ppu_decode(struct npu_model_core *core,
					   struct npu_model_ppu *ppu)
{
	__u32 mode = npu_model_get(core, RKNN_PPU_OPERATION_MODE);
	enum npu_model_status status = npu_model_check_fields(core, ppu_fields);

	if (status != NPU_MODEL_DONE)
		return status;
	ppu->method = mode & RKNN_PPU_MODE_METHOD;
	if (ppu->method > RKNN_PPU_METHOD_MIN)
		return npu_model_stop(core, RKNN_PPU_OPERATION_MODE,
				      NPU_MODEL_UNSUPPORTED);
	/* Otherwise DPU is to feed it, which does not run. */
	if (!(mode & RKNN_PPU_MODE_FLYING))
		return npu_model_stop(core, RKNN_PPU_OPERATION_MODE,
				      NPU_MODEL_HUNG);
	status = decode_precision(core, ppu);
	if (status == NPU_MODEL_DONE)
		status = decode_sizes(core, ppu);
	ppu->recip[0] = npu_model_get(core, RKNN_PPU_RECIP_WIDTH) & 0x1ffff;
	ppu->recip[1] = npu_model_get(core, RKNN_PPU_RECIP_HEIGHT) & 0x1ffff;
	ppu->src_addr = npu_model_get(core, RKNN_PPU_RDMA_SRC_BASE_ADDR);
	ppu->src_line = npu_model_get(core, RKNN_PPU_RDMA_LINE_STRIDE);
	ppu->src_surf = npu_model_get(core, RKNN_PPU_RDMA_SURF_STRIDE);
	ppu->dst_addr = npu_model_get(core, RKNN_PPU_DST_BASE_ADDR);
	ppu->dst_surf = npu_model_get(core, RKNN_PPU_DST_SURF_STRIDE);
	return status;
}

/* fp16 as a multiple of 2^-24; infinities as what comes next. */
static __s64 half_fixed(__u32 half)
{
	__u32 exponent = half >> 10 & 0x1f;
	__s64 value = half & 0x3ff;

	if (exponent)
		value = (value + 1024) << (exponent - 1);
	return half & 0x8000 ? -value : value;
}

/* An element as a number that compares, and adds up to averages. */
static __s64 load(const struct npu_model_ppu *ppu, const __u8 *atom, __u32 lane)
{
	if (ppu->fp16)
		return half_fixed(atom[2 * lane] | atom[2 * lane + 1] << 8);
	if (ppu->nibbles)
		return (__s8)(lane % 2 ? atom[lane / 2] & 0xf0 :
					 atom[lane / 2] << 4) >> 4;
	return (__s8)atom[lane];
}

static void take(const struct npu_model_ppu *ppu, __s64 *value, __s64 element)
{
	if (ppu->method == RKNN_PPU_METHOD_AVERAGE)
		*value += element;
	else if (ppu->method == RKNN_PPU_METHOD_MAX ? element > *value :
						      element < *value)
		*value = element;
}

/* A sum of fp16 times reciprocals that are fp16 too. */
static __u32 average_fp16(const struct npu_model_ppu *ppu, __s64 sum)
{
	__u32 bits = npu_model_fp32_from_s64(sum, -24 - 32), recip, i;

	/* That of 1 would be infinite; assumed is that it is 65536. */
	for (i = 0; i < 2; i++) {
		recip = npu_model_fp32_from_s64(half_fixed(ppu->recip[i]), -24);
		bits = npu_model_fp32_mul(bits, recip);
	}
	return npu_model_fp32_to_fp16(bits);
}

/* The fp16 that a multiple of 2^-24 is. */
static __u32 fixed_half(__s64 value)
{
	if (value >= 65536ll << 24)
		return 0x7c00;
	if (value <= -(65536ll << 24))
		return 0xfc00;
	return npu_model_fp32_to_fp16(npu_model_fp32_from_s64(value, -24));
}

static __u32 result(const struct npu_model_ppu *ppu, __s64 value)
{
	if (ppu->method != RKNN_PPU_METHOD_AVERAGE)
		return ppu->fp16 ? fixed_half(value) : (__u32)value;
	if (ppu->fp16)
		return average_fp16(ppu, value);
	/* 2^15 of 256 int8, twice 2^17. */
	value = value * ppu->recip[0] * ppu->recip[1];
	return npu_model_clamp(npu_model_round_shift(value, 32, 0),
			       NPU_MODEL_S8_MIN, NPU_MODEL_S8_MAX);
}

/* One row of the windows of @count outputs from column @x on, in surface @addr. */
static int take_row(struct npu_model_core *core, const struct npu_model_ppu *ppu,
		    __u32 addr, __s32 y, __s32 x, __u32 count)
{
	__s32 first = x * ppu->stride_x - ppu->pad_left, last, column, k;
	__u32 lanes = ppu->fp16 ? LANES_MAX / 2 : LANES_MAX, i, lane;
	__s64 *value = core->wide;
	__u8 pad[RKNN_ATOM_BYTES];
	const __u8 *atom;

	last = first + ((__s32)count - 1) * ppu->stride_x + ppu->kernel_width;
	last = last < ppu->width ? last : ppu->width;
	if (y < 0 || y >= ppu->height)
		last = 0;
	column = first < 0 ? 0 : first;
	if (last > column &&
	    npu_model_bus_read(core, addr + y * ppu->src_line +
			       column * RKNN_ATOM_BYTES, core->stage,
			       (last - column) * RKNN_ATOM_BYTES))
		return 1;
	if (core->params.timing_only)
		return 0;
	for (i = 0; i < RKNN_ATOM_BYTES; i++)
		pad[i] = i % 2 && ppu->fp16 ? ppu->pad >> 8 : ppu->pad;
	for (i = 0; i < count; i++, value += lanes) {
		for (k = 0; k < ppu->kernel_width; k++) {
			__s32 at = first + (__s32)i * ppu->stride_x + k;
			__u32 inside = at >= 0 && at < last;

			atom = inside ? core->stage +
					(at - column) * RKNN_ATOM_BYTES : pad;
			for (lane = 0; lane < lanes; lane++)
				take(ppu, &value[lane],
				     load(ppu, atom, ppu->nibbles && !inside ?
					  0 : lane));
		}
	}
	return 0;
}

/* @count outputs from column @x of row @y on of one surface. */
static int pool(struct npu_model_core *core, const struct npu_model_ppu *ppu,
		__u32 surface, __u32 y, __u32 x, __u32 count)
{
	__u32 lanes = ppu->fp16 ? LANES_MAX / 2 : LANES_MAX, i;
	__s64 start = ppu->method == RKNN_PPU_METHOD_AVERAGE ? 0 :
		      ppu->method == RKNN_PPU_METHOD_MAX ? -(1ll << 48) :
							   1ll << 48;
	__u8 *to = core->stage;
	__s32 row;

	for (i = 0; i < count * lanes; i++)
		core->wide[i] = start;
	for (row = 0; row < ppu->kernel_height; row++)
		if (take_row(core, ppu, ppu->src_addr + surface * ppu->src_surf,
			     (__s32)y * ppu->stride_y - ppu->pad_top + row, x,
			     count))
			return 1;
	for (i = 0; i < count * lanes && !core->params.timing_only; i++) {
		__u32 bits = result(ppu, core->wide[i]);

		*to++ = bits;
		if (ppu->fp16)
			*to++ = bits >> 8;
	}
	return npu_model_bus_write(core, ppu->dst_addr + surface * ppu->dst_surf +
				   (y * ppu->out_width + x) * RKNN_ATOM_BYTES,
				   core->stage, count * RKNN_ATOM_BYTES);
}

enum npu_model_status npu_model_ppu_run(struct npu_model_core *core,
					const struct npu_model_ppu *ppu)
{
	__u32 lanes = ppu->fp16 ? LANES_MAX / 2 : LANES_MAX;
	__u32 surfaces = (ppu->channels + lanes - 1) / lanes;
	__u32 surface, y, x, count;

	for (surface = 0; surface < surfaces; surface++) {
		for (y = 0; y < ppu->out_height; y++) {
			for (x = 0; x < ppu->out_width; x += count) {
				count = ppu->out_width - x;
				count = count < RUN_MAX ? count : RUN_MAX;
				if (pool(core, ppu, surface, y, x, count))
					return NPU_MODEL_FAULT;
			}
		}
	}
	return NPU_MODEL_DONE;
}
