// SPDX-License-Identifier: GPL-2.0-only
/* A dialect of byte streams; see npu_toy.h. */
#include <linux/align.h>
#include <linux/dma-direct.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "../../driver/core/include/npu_device.h"
#include "../../driver/core/include/npu_family.h"
#include "../../driver/core/include/npu_isa.h"
#include "npu_accel.h"
#include "npu_fake.h"
#include "npu_toy.h"

/* Bytes of a stream that its author writes, at most. */
#define NPU_TOY_MOST		240u

/**
 * struct npu_toy_state - the task that was verified last
 */
struct npu_toy_state {
	/** @count: Bytes of its stream. */
	u32 count;
	/** @moved: Bytes that it reads. */
	u64 moved;
	/** @stream: The stream. */
	u8 stream[NPU_TOY_MOST];
};

static size_t npu_toy_state_size(void)
{
	return sizeof(struct npu_toy_state);
}

static void npu_toy_begin(void *state, const struct npu_isa_chip *chip)
{
	memset(state, 0, sizeof(struct npu_toy_state));
}

static u32 npu_toy_stream_words(u32 count)
{
	return ALIGN(count + 1, NPU_TOY_ALIGN);
}

static int npu_toy_refuse(struct npu_isa_fault *fault, u32 command, u32 reason)
{
	fault->command = command;
	fault->reason = reason;
	return -EINVAL;
}

/* Bytes of operation @code, or 0 if there is no such operation. */
static u32 npu_toy_bytes(u8 code)
{
	switch (code) {
	case NPU_TOY_COPY:
		return NPU_TOY_COPY_BYTES;
	case NPU_TOY_FILL:
		return NPU_TOY_FILL_BYTES;
	default:
		return 0;
	}
}

/* Ask for all bytes of the operands of @op. */
static int npu_toy_use(struct npu_toy_state *state,
		       const struct npu_isa_stream *stream, const u8 *op)
{
	u16 bytes = get_unaligned_le16(op + npu_toy_bytes(*op) - 2);
	int ret = stream->use(stream->data, get_unaligned_le32(op + 1), bytes, true);

	if (ret || *op != NPU_TOY_COPY)
		return ret;
	state->moved += bytes;
	return stream->use(stream->data, get_unaligned_le32(op + 5), bytes, false);
}

static int npu_toy_verify(void *data, const struct npu_isa_stream *stream,
			  struct npu_isa_fault *fault)
{
	const u8 *bytes = stream->commands;
	struct npu_toy_state *state = data;
	u32 i, size;
	int ret;

	if (stream->enable)
		return npu_toy_refuse(fault, stream->count, DRM_NPU_FAULT_ENABLE);
	state->moved = 0;
	for (i = 0; i < stream->count; i += size) {
		size = npu_toy_bytes(bytes[i]);
		if (!size || size > stream->count - i)
			return npu_toy_refuse(fault, i, DRM_NPU_FAULT_TARGET);
		ret = npu_toy_use(state, stream, bytes + i);
		if (ret == -EINVAL)
			return npu_toy_refuse(fault, i, DRM_NPU_FAULT_ADDRESS);
		if (ret)
			return ret;
	}
	state->count = stream->count;
	memcpy(state->stream, bytes, stream->count);
	return 0;
}

static u32 npu_toy_emit(const void *data, void *commands)
{
	const struct npu_toy_state *state = data;

	memcpy(commands, state->stream, state->count);
	return state->count;
}

static void npu_toy_describe(const void *data, struct npu_isa_task *task)
{
	const struct npu_toy_state *state = data;

	task->bytes = state->moved;
}

static const struct npu_isa_ops npu_toy_isa = {
	.id = U32_MAX,
	.word_bytes = 1,
	.bounded = true,
	.max_lane_tasks = 256,
	.max_task_commands = NPU_TOY_MOST,
	.max_stream_commands = NPU_TOY_MOST,
	.state_size = npu_toy_state_size,
	.begin = npu_toy_begin,
	.stream_words = npu_toy_stream_words,
	.verify = npu_toy_verify,
	.emit = npu_toy_emit,
	.describe = npu_toy_describe,
};

struct npu_family npu_toy_family = {
	.driver = { .name = "toy" },
	.isa = &npu_toy_isa,
};

/**
 * npu_toy_copy() - write an operation that copies
 * @stream: receives it
 * @dst: device address of the copy
 * @src: device address of what is copied
 * @bytes: how much
 *
 * Return: bytes of the operation.
 */
u32 npu_toy_copy(u8 *stream, u32 dst, u32 src, u16 bytes)
{
	stream[0] = NPU_TOY_COPY;
	put_unaligned_le32(dst, stream + 1);
	put_unaligned_le32(src, stream + 5);
	put_unaligned_le16(bytes, stream + 9);
	return NPU_TOY_COPY_BYTES;
}

/**
 * npu_toy_fill() - write an operation that fills
 * @stream: receives it
 * @dst: device address
 * @value: what to fill it with
 * @bytes: how much
 *
 * Return: bytes of the operation.
 */
u32 npu_toy_fill(u8 *stream, u32 dst, u8 value, u16 bytes)
{
	stream[0] = NPU_TOY_FILL;
	put_unaligned_le32(dst, stream + 1);
	stream[5] = value;
	put_unaligned_le16(bytes, stream + 6);
	return NPU_TOY_FILL_BYTES;
}

/* Where the device sees @addr: without an IOMMU, in the memory of the machine. */
static void *npu_toy_memory(struct npu_fake *fake, u32 addr)
{
	return phys_to_virt(dma_to_phys(fake->npu->drm.dev, addr));
}

/**
 * npu_toy_execute() - do what a stream in memory says
 * @fake: the device
 * @lane: what its core was started with
 *
 * Return: number of operations.
 */
u32 npu_toy_execute(struct npu_fake *fake, const struct npu_hw_lane *lane)
{
	const u8 *op = npu_toy_memory(fake, lane->stream);
	const u8 *end = op + lane->stream_words;
	u32 count = 0;

	for (; op < end && *op != NPU_TOY_END; op += npu_toy_bytes(*op)) {
		void *dst = npu_toy_memory(fake, get_unaligned_le32(op + 1));

		if (*op == NPU_TOY_COPY)
			memcpy(dst, npu_toy_memory(fake, get_unaligned_le32(op + 5)),
			       get_unaligned_le16(op + 9));
		else
			memset(dst, op[5], get_unaligned_le16(op + 6));
		count++;
	}
	return count;
}
