// SPDX-License-Identifier: GPL-2.0-only
/*
 * CORE: the multiply-accumulate array and its sequencer.
 *
 * Sums are built in the order in which the weights lie: channel slice after
 * slice, in each tap after tap. So every tap of a slice is one small matrix
 * product of the pixels that it sees with the weights of a group of kernels.
 */
#include "npu_model_priv.h"

/* Pixels that a tap sees from consecutive output pixels. */
struct run {
	/* First of them in the buffer, with all channels, or a pattern. */
	const __u8 *pixel;
	/* Bytes to the next. */
	__u32 stride;
	/* How many. */
	__u32 count;
	/* A pattern is the same for all slices. */
	__u32 pattern;
};

/* One tap of one slice of the kernels of a group. */
struct tap {
	const __u8 *weights;
	/* Rows and columns from the window's corner. */
	__s32 y;
	__s32 x;
	__u32 slice;
	__u32 lanes;
	__u32 kernels;
};

/* Patterns of what is not in memory: padding and the gaps of a deconvolution. */
static void fill_patterns(struct npu_model_core *core,
			  const struct npu_model_conv *conv)
{
	__u32 pad = npu_model_get(core, RKNN_CNA_PAD_CON1);
	__u32 i, byte;

	__builtin_memset(core->zero, 0, sizeof(core->zero));
	for (i = 0; i < sizeof(core->pad); i++) {
		if (conv->bits == 4)
			byte = (pad & 0xf) * 0x11;
		else if (conv->bits == 32)
			byte = pad >> (8 * (i % 4));
		else if (conv->bits == 8 && conv->depthwise)
			byte = i % 2 && i % RKNN_DEPTHWISE_GROUP < 32 ? pad >> 8 : pad;
		else
			byte = i % 2 ? pad >> 8 : pad;
		core->pad[i] = byte;
	}
}

static void pattern_run(struct run *run, const __u8 *pattern, __u32 count)
{
	run->pixel = pattern;
	run->stride = 0;
	run->count = count;
	run->pattern = 1;
}

/* A deconvolution sees features at every up_x-th column, and zeros between. */
static void deconv_run(const struct npu_model_core *core,
		       const struct npu_model_conv *conv, __s32 y, __s32 x,
		       struct run *run)
{
	__s32 rows = ((__s32)conv->height - 1) * conv->up_y + 1;
	__s32 columns = ((__s32)conv->width - 1) * conv->up_x + 1;

	if (y < 0 || y >= rows || x < 0 || x >= columns) {
		pattern_run(run, core->pad, 1);
	} else if (y % conv->up_y || x % conv->up_x) {
		pattern_run(run, core->zero, 1);
	} else {
		run->pixel = core->cbuf + ((__u32)(y / conv->up_y) * conv->width +
					   (__u32)(x / conv->up_x)) *
					  conv->pixel_bytes;
		run->stride = 0;
		run->count = 1;
		run->pattern = 0;
	}
}

/* What a tap sees from output pixel @pixel on, of @count in the same row. */
static void tap_run(const struct npu_model_core *core,
		    const struct npu_model_conv *conv, const struct tap *tap,
		    __u32 pixel, __u32 count, struct run *run)
{
	__s32 y = (__s32)(pixel / conv->out_width) * conv->stride_y + tap->y;
	__s32 x = (__s32)(pixel % conv->out_width) * conv->stride_x + tap->x;
	__s32 width = conv->width;
	__u32 inside;

	if (conv->up_x > 1 || conv->up_y > 1) {
		deconv_run(core, conv, y, x, run);
		return;
	}
	if (y < 0 || y >= (__s32)conv->height || x >= width) {
		pattern_run(run, core->pad, count);
		return;
	}
	if (x < 0) {
		inside = (-x + conv->stride_x - 1) / conv->stride_x;
		pattern_run(run, core->pad, inside < count ? inside : count);
		return;
	}
	inside = (width - 1 - x) / conv->stride_x + 1;
	run->pixel = core->cbuf + (y * conv->width + x) * conv->pixel_bytes;
	run->stride = conv->stride_x * conv->pixel_bytes;
	run->count = inside < count ? inside : count;
	run->pattern = 0;
}

/* Where the lanes of a slice are in a pixel that is in the buffer. */
static const __u8 *slice_of(const struct npu_model_conv *conv,
			    const struct run *run, __u32 slice)
{
	if (run->pattern)
		return run->pixel;
	return run->pixel + slice * conv->slice_lanes * conv->bits / 8;
}

static void spread_nibbles(__s8 *to, const __u8 *from, __u32 lanes)
{
	__u32 i;

	/* Assumed: the even lane is in the low half. */
	for (i = 0; i < lanes; i += 2) {
		to[i] = (__s8)(from[i / 2] << 4) >> 4;
		to[i + 1] = (__s8)from[i / 2] >> 4;
	}
}

/* Gather pixels that are packed or of int4, one lane after the other. */
static void gather(struct npu_model_core *core, const struct npu_model_conv *conv,
		   const struct tap *tap, struct run *run)
{
	const __u8 *from = slice_of(conv, run, tap->slice);
	__u32 bytes = conv->bits < 8 ? tap->lanes : tap->lanes * conv->bits / 8;
	__u8 *to = core->gather;
	__u32 i;

	if (run->count > NPU_MODEL_POSITIONS)
		run->count = NPU_MODEL_POSITIONS;
	for (i = 0; i < run->count; i++, to += bytes, from += run->stride) {
		if (conv->bits < 8) {
			spread_nibbles((__s8 *)to, from, tap->lanes);
			continue;
		}
		/* Lanes that an image has no channels for are 0. */
		__builtin_memcpy(to, from, conv->pixel_bytes);
		__builtin_memset(to + conv->pixel_bytes, 0,
				 bytes - conv->pixel_bytes);
	}
	run->pixel = core->gather;
	run->stride = bytes;
	run->pattern = 1;
}

/* Multiply a run with the weights of a tap. */
static void multiply(struct npu_model_core *core,
		     const struct npu_model_conv *conv, const struct tap *tap,
		     const struct run *run, __u32 at)
{
	const __u8 *x = slice_of(conv, run, tap->slice);
	__u32 *acc = core->acc + at * conv->group;
	__u32 precision = conv->precision;

	if (conv->wide)
		npu_model_mac_wide(x, run->stride, run->count,
				   conv->bits < 8 ? (__u8 *)core->spread :
						    tap->weights,
				   conv->bits > 8 ? 2 : 1, tap->lanes,
				   tap->kernels, conv->group,
				   core->wide + at * conv->group);
	else if (conv->is_float)
		npu_model_mac_float(core->slices, x, precision, run->stride,
				    run->count, tap->lanes, tap->kernels,
				    conv->group, acc);
	else
		npu_model_mac_int8((const __s8 *)x, run->stride, run->count,
				   conv->bits < 8 ? core->spread :
						    (const __s8 *)tap->weights,
				   tap->lanes, tap->kernels, conv->group, acc);
}

/* Sum what a run sees, for CPEND. */
static void sum_inputs(struct npu_model_core *core,
		       const struct npu_model_conv *conv, const struct tap *tap,
		       const struct run *run, __u32 at)
{
	const __u8 *x = slice_of(conv, run, tap->slice);
	__s32 *sums = core->sums + at * (conv->depthwise ? conv->group : 1);
	__u32 i, lane;

	for (i = 0; i < run->count; i++, x += run->stride) {
		__s32 sum = 0;

		if (conv->depthwise) {
			for (lane = 0; lane < tap->lanes; lane++)
				sums[lane] += ((const __s8 *)x)[lane];
			sums += conv->group;
			continue;
		}
		if (conv->bits > 8)
			for (lane = 0; lane < 2 * tap->lanes; lane += 2)
				sum += (__s16)(x[lane] | x[lane + 1] << 8);
		else
			for (lane = 0; lane < tap->lanes; lane++)
				sum += ((const __s8 *)x)[lane];
		/* Of int16 they may wrap, which nobody has measured. */
		*sums = (__u32)*sums + (__u32)sum;
		sums++;
	}
}

static void multiply_depthwise(struct npu_model_core *core,
			       const struct npu_model_conv *conv,
			       const struct tap *tap, const struct run *run,
			       __u32 at)
{
	const __u8 *x = slice_of(conv, run, tap->slice);
	__u32 *acc = core->acc + at * conv->group;

	if (conv->is_float)
		npu_model_depthwise_float(x, run->stride, run->count,
					  tap->weights, conv->precision,
					  tap->lanes, conv->group, acc);
	else
		npu_model_mac_depthwise((const __s8 *)x, run->stride, run->count,
					(const __s8 *)tap->weights, tap->lanes,
					acc);
}

/* One tap for @count output pixels from @pixel on. */
static void do_tap(struct npu_model_core *core, const struct npu_model_conv *conv,
		   const struct tap *tap, __u32 pixel, __u32 count)
{
	__u32 done, left;
	struct run run;

	if (conv->is_float && !conv->depthwise)
		npu_model_slices_load(core->slices, tap->weights, conv->precision,
				      tap->lanes, tap->kernels);
	else if (conv->bits < 8)
		spread_nibbles(core->spread, tap->weights,
			       tap->lanes * tap->kernels);

	for (done = 0; done < count; done += run.count) {
		if (conv->linear) {
			run.pixel = core->cbuf + pixel * conv->pixel_bytes;
			run.stride = conv->pixel_bytes;
			run.count = count;
			run.pattern = 0;
		} else {
			left = conv->out_width - (pixel + done) % conv->out_width;
			if (left > count - done)
				left = count - done;
			tap_run(core, conv, tap, pixel + done, left, &run);
		}
		if (conv->image || conv->bits < 8)
			gather(core, conv, tap, &run);
		if (conv->depthwise)
			multiply_depthwise(core, conv, tap, &run, done);
		else
			multiply(core, conv, tap, &run, done);
		if (conv->pend)
			sum_inputs(core, conv, tap, &run, done);
	}
}

/* Sums of products of @count output pixels of a group. */
static void accumulate(struct npu_model_core *core,
		       const struct npu_model_conv *conv, const __u8 *weights,
		       __u32 group, __u32 pixel, __u32 count)
{
	__u32 first = conv->depthwise ? group : 0;
	__u32 last = conv->depthwise ? group : conv->slices - 1;
	__u32 left = conv->kernels - group * conv->group, x, y;
	struct tap tap;

	__builtin_memset(core->acc, 0, (conv->wide ? sizeof(core->wide[0]) :
						     sizeof(core->acc[0])) *
					count * conv->group);
	__builtin_memset(core->sums, 0, sizeof(core->sums[0]) * count *
					(conv->depthwise ? conv->group : 1));
	tap.weights = weights;
	tap.kernels = conv->depthwise ? 1 : left < conv->group ? left : conv->group;
	for (tap.slice = first; tap.slice <= last; tap.slice++) {
		__u32 lanes = conv->slice_lanes;

		if (conv->depthwise) {
			lanes = conv->channels - group * conv->group;
			lanes = lanes < conv->group ? lanes : conv->group;
		} else if (tap.slice == last) {
			lanes = conv->last_lanes;
		}
		tap.lanes = lanes;
		for (y = 0; y < conv->kernel_height; y++) {
			tap.y = (__s32)y * conv->dilation_y - conv->pad_top;
			for (x = 0; x < conv->kernel_width; x++) {
				tap.x = (__s32)x * conv->dilation_x -
					conv->pad_left;
				do_tap(core, conv, &tap, pixel, count);
				tap.weights += tap.kernels * lanes *
					       conv->bits / 8;
			}
		}
	}
}

/* Integer sums: the inputs' sum, the shift, and saturation to 32 bits. */
static void finish(struct npu_model_core *core,
		   const struct npu_model_conv *conv, __u32 count)
{
	__u32 pend = conv->pend, shift = conv->clip_shift, pixel, i;
	const __s32 *factor = (const __s32 *)core->channel[NPU_MODEL_CPEND];

	if (conv->is_float || (!conv->wide && !pend && !shift))
		return;
	/* Upwards, since a wide sum lies above where its result goes. */
	for (pixel = 0; pixel < count; pixel++) {
		for (i = 0; i < conv->group; i++) {
			__u32 at = pixel * conv->group + i;
			__s64 value = conv->wide ? core->wide[at] :
						   (__s32)core->acc[at];

			if (pend)
				value += (__s64)factor[i] *
					 core->sums[conv->depthwise ? at : pixel];
			if (conv->clip_half_up && shift)
				value = (value + (1ll << (shift - 1))) >> shift;
			else
				value = npu_model_round_shift(value, shift, 0);
			core->acc[at] = npu_model_sat32(value);
		}
	}
}

static enum npu_model_status run_group(struct npu_model_core *core,
				       const struct npu_model_task *task,
				       __u32 group)
{
	const struct npu_model_conv *conv = &task->conv;
	__u32 pixel, count;
	const __u8 *weights;

	if (npu_model_load_weights(core, conv, group, &weights) ||
	    npu_model_channels_load(core, &task->dpu, group * conv->group))
		return NPU_MODEL_FAULT;
	for (pixel = 0; pixel < conv->pixels; pixel += count) {
		count = conv->pixels - pixel;
		if (count > NPU_MODEL_POSITIONS)
			count = NPU_MODEL_POSITIONS;
		if (conv->wide && count > NPU_MODEL_POSITIONS / 2)
			count = NPU_MODEL_POSITIONS / 2;
		if (!core->params.timing_only) {
			accumulate(core, conv, weights, group, pixel, count);
			finish(core, conv, count);
		}
		if (npu_model_dpu_block(core, &task->dpu, group * conv->group,
					pixel, count))
			return NPU_MODEL_FAULT;
	}
	return NPU_MODEL_DONE;
}

enum npu_model_status npu_model_conv_run(struct npu_model_core *core,
					 const struct npu_model_task *task)
{
	enum npu_model_status status;
	__u32 group;

	fill_patterns(core, &task->conv);
	status = npu_model_load_features(core, &task->conv);
	for (group = 0; status == NPU_MODEL_DONE && group < task->conv.groups;
	     group++)
		status = run_group(core, task, group);
	return status;
}
