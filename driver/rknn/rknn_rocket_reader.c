// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the streams of rocket's clients out of their buffers, of which the one that
 * was read last stays mapped.
 */
#include <linux/iosys-map.h>

#include "../compat.h"
#include "../core/mem/npu_bo.h"
#include "../core/mem/npu_vm.h"
#include "rknn_rocket_reader.h"
#include "rocket_accel.h"

/**
 * rknn_rocket_reader_close() - let go of the buffer
 * @reader: the reader, which may have none
 */
void rknn_rocket_reader_close(struct rknn_rocket_reader *reader)
{
	if (!reader->mapping)
		return;
	npu_gem_vunmap(&reader->mapping->bo->base.base, &reader->map);
	npu_mapping_put(reader->mapping);
	reader->mapping = NULL;
}

/* Have the buffer mapped that @addr lies in. */
static int rknn_rocket_reader_open(struct rknn_rocket_reader *reader,
				   struct npu_vm *vm, u32 addr)
{
	struct npu_mapping *mapping = reader->mapping;
	int ret;

	if (mapping && addr - mapping->node.start < mapping->node.size)
		return 0;
	mapping = npu_mapping_find(vm, addr);
	if (!mapping)
		return -EINVAL;
	rknn_rocket_reader_close(reader);
	/* Streams of jobs are mapped, but not the client's. */
	ret = -EINVAL;
	if (!READ_ONCE(mapping->handles))
		goto err_put;
	ret = npu_gem_vmap(&mapping->bo->base.base, &reader->map);
	if (ret)
		goto err_put;
	reader->mapping = mapping;
	return 0;

err_put:
	npu_mapping_put(mapping);
	return ret;
}

/**
 * rknn_rocket_reader_read() - read the stream of a task
 * @reader: the reader
 * @vm: address space of the file
 * @task: the task
 * @words: receives the stream, as many words as @task says
 *
 * Return: 0; -EINVAL if it does not lie in a buffer of the client; or what mapping
 * that buffer returns.
 */
int rknn_rocket_reader_read(struct rknn_rocket_reader *reader,
			    struct npu_vm *vm,
			    const struct drm_rocket_task *task, u64 *words)
{
	size_t bytes = (size_t)task->regcmd_count * sizeof(u64);
	u64 offset;
	int ret;

	if (task->regcmd % sizeof(u64))
		return -EINVAL;
	ret = rknn_rocket_reader_open(reader, vm, task->regcmd);
	if (ret)
		return ret;
	offset = task->regcmd - reader->mapping->node.start;
	if (bytes > reader->mapping->node.size - offset)
		return -EINVAL;
	npu_bo_read(reader->mapping->bo, &reader->map, offset, words, bytes);
	return 0;
}
