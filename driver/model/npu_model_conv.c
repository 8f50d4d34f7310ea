// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task from memory to memory: features and weights into the convolution
 * buffer, products into accumulators, results out.
 *
 * Layout of the data banks, which only the reuse flags can make visible: rows
 * of row_bytes, in them pixels of pixel_bytes. Weights follow from the first
 * weight bank on as they are in memory, all of them if they fit, else one
 * kernel group at a time.
 */
#include "npu_model_priv.h"

/* Address of the atoms of pixel row @y, channel surface @surface. */
static __u32 feature_row_addr(const struct npu_model_task *task, __u32 surface,
			      __u32 y)
{
	__u32 atoms;

	if (task->line_off)
		atoms = surface * (task->width + task->surf_atoms) +
			y * task->line_atoms;
	else
		atoms = surface * (4 * task->width + task->surf_atoms) +
			(y >> 2) * task->line_atoms + (y & 3) * task->width;
	return task->feature_addr + atoms * RKNN_ATOM_BYTES;
}

/*
 * Read pixel row @y whose channels lie together in memory: surfaces one atom
 * apart, as in a row-major matrix.
 */
static int load_row(struct npu_model_core *core,
		    const struct npu_model_task *task, __u32 y)
{
	return npu_model_bus_read(core, feature_row_addr(task, 0, y),
				  core->cbuf + y * task->row_bytes,
				  task->pixel_bytes);
}

/* How many pixel rows from @y on follow each other in memory. */
static __u32 rows_together(const struct npu_model_task *task, __u32 y)
{
	__u32 rows = task->line_off ? 1 : 4;

	if (task->line_atoms == rows * task->width)
		return task->height - y;
	return rows - y % rows;
}

/*
 * Read as many atoms as lie together of surface @surface from pixel @pixel on,
 * and spread them over their pixels. Returns how many, 0 after a fault.
 */
static __u32 load_run(struct npu_model_core *core,
		      const struct npu_model_task *task, __u32 surface,
		      __u32 pixel, __u32 pixels)
{
	__u32 y = pixel / task->width, x = pixel % task->width;
	__u32 addr = feature_row_addr(task, surface, y) + x * RKNN_ATOM_BYTES;
	__u32 most = sizeof(core->stage) / RKNN_ATOM_BYTES;
	__u32 run = rows_together(task, y) * task->width - x;
	__u32 i;

	if (run > pixels - pixel)
		run = pixels - pixel;
	if (run > most)
		run = most;

	if (npu_model_bus_read(core, addr, core->stage, run * RKNN_ATOM_BYTES))
		return 0;
	if (core->params.timing_only)
		return run;
	for (i = 0; i < run; i++, x++) {
		if (x == task->width) {
			x = 0;
			y++;
		}
		__builtin_memcpy(core->cbuf + y * task->row_bytes +
				 x * task->pixel_bytes +
				 surface * RKNN_ATOM_BYTES,
				 core->stage + i * RKNN_ATOM_BYTES,
				 RKNN_ATOM_BYTES);
	}
	return run;
}

static enum npu_model_status load_features(struct npu_model_core *core,
					   const struct npu_model_task *task)
{
	__u32 pixels = task->width * task->height;
	__u32 surface, pixel, run, y;

	if (task->data_reuse)
		return NPU_MODEL_DONE;

	if (task->width == 1 && feature_row_addr(task, 1, 0) ==
				task->feature_addr + RKNN_ATOM_BYTES) {
		for (y = 0; y < task->height; y++)
			if (load_row(core, task, y))
				return NPU_MODEL_FAULT;
		return NPU_MODEL_DONE;
	}

	for (surface = 0; surface * RKNN_ATOM_BYTES < task->pixel_bytes;
	     surface++) {
		for (pixel = 0; pixel < pixels; pixel += run) {
			run = load_run(core, task, surface, pixel, pixels);
			if (!run)
				return NPU_MODEL_FAULT;
		}
	}
	return NPU_MODEL_DONE;
}

/* Load the group that starts at kernel @kernel; *@weights is where it lies. */
static int load_weights(struct npu_model_core *core,
			const struct npu_model_task *task, __u32 kernel,
			const __u8 **weights)
{
	__u8 *bank = core->cbuf + task->data_bytes;
	__u32 offset = kernel * task->kernel_bytes;

	/* All of them lie in their banks if they fit, and can be reused. */
	if (task->weight_reuse ||
	    task->kernels * task->kernel_bytes <= task->weight_bytes)
		bank += offset;
	*weights = bank;
	if (task->weight_reuse)
		return 0;
	return npu_model_bus_read(core, task->weight_addr + offset, bank,
				  task->group_kernels * task->kernel_bytes);
}

/*
 * Arrange the results of @count pixels from @pixel on as the surfaces they go
 * to, in core->stage: surface after surface, in each an atom a pixel.
 */
static void arrange(struct npu_model_core *core,
		    const struct npu_model_task *task, __u32 count)
{
	__u32 per_atom = task->out_fp16 ? 8 : 4;
	__u32 surfaces = task->group_kernels / per_atom;
	__u32 pixel, surface, i;

	for (surface = 0; surface < surfaces; surface++) {
		for (pixel = 0; pixel < count; pixel++) {
			const __u32 *acc = core->acc +
				pixel * task->group_kernels + surface * per_atom;
			__u8 *atom = core->stage + (surface * count + pixel) *
						   RKNN_ATOM_BYTES;

			if (!task->out_fp16) {
				__builtin_memcpy(atom, acc, RKNN_ATOM_BYTES);
				continue;
			}
			for (i = 0; i < per_atom; i++) {
				__u32 half = npu_model_fp32_to_fp16(acc[i]);

				atom[2 * i] = half;
				atom[2 * i + 1] = half >> 8;
			}
		}
	}
}

/* Write the results of @count pixels from @pixel on of group @group. */
static int store(struct npu_model_core *core, const struct npu_model_task *task,
		 __u32 group, __u32 pixel, __u32 count)
{
	__u32 surfaces = task->group_kernels / (task->out_fp16 ? 8 : 4);
	__u32 row_atoms = task->width + task->dst_notch;
	__u32 surface, i, run, addr;

	if (!core->params.timing_only)
		arrange(core, task, count);
	for (surface = 0; surface < surfaces; surface++) {
		for (i = 0; i < count; i += run) {
			__u32 y = (pixel + i) / task->width;
			__u32 x = (pixel + i) % task->width;

			run = task->dst_notch ? task->width - x : count - i;
			if (run > count - i)
				run = count - i;
			addr = task->dst_addr + group * task->dst_group +
			       surface * task->dst_surf +
			       (y * row_atoms + x) * RKNN_ATOM_BYTES;
			if (npu_model_bus_write(core, addr, core->stage +
						(surface * count + i) *
						RKNN_ATOM_BYTES,
						run * RKNN_ATOM_BYTES))
				return 1;
		}
	}
	return 0;
}

/* Multiply @count pixels from @pixel on with the weights of a group. */
static void multiply(struct npu_model_core *core,
		     const struct npu_model_task *task, const __u8 *weights,
		     __u32 pixel, __u32 count)
{
	__u32 done, run, x;

	/* Pixels of a row are evenly spaced; rows need not follow each other. */
	for (done = 0; done < count; done += run) {
		const __u8 *row = core->cbuf +
			(pixel + done) / task->width * task->row_bytes;
		__u32 *acc = core->acc + done * task->group_kernels;
		__u32 stride = task->pixel_bytes;

		x = (pixel + done) % task->width;
		run = task->width - x;
		if (task->width == 1) {
			run = count;
			stride = task->row_bytes;
		}
		if (run > count - done)
			run = count - done;
		row += x * task->pixel_bytes;
		if (task->fp16)
			npu_model_mac_fp16(task, row, stride, run, weights, acc,
					   core->slices);
		else
			npu_model_mac_int8(task, row, stride, run, weights, acc);
	}
}

enum npu_model_status npu_model_conv(struct npu_model_core *core,
				     const struct npu_model_task *task)
{
	__u32 pixels = task->width * task->height;
	__u32 kernel, pixel, count;
	const __u8 *weights;

	if (load_features(core, task) != NPU_MODEL_DONE)
		return NPU_MODEL_FAULT;

	for (kernel = 0; kernel < task->kernels; kernel += task->group_kernels) {
		if (load_weights(core, task, kernel, &weights))
			return NPU_MODEL_FAULT;
		for (pixel = 0; pixel < pixels; pixel += count) {
			count = pixels - pixel;
			if (count > NPU_MODEL_POSITIONS)
				count = NPU_MODEL_POSITIONS;
			if (!core->params.timing_only)
				multiply(core, task, weights, pixel, count);
			if (store(core, task, kernel / task->group_kernels,
				  pixel, count))
				return NPU_MODEL_FAULT;
		}
	}
	return NPU_MODEL_DONE;
}
