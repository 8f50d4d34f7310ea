/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading streams out of the buffers of rocket's clients. */
#ifndef RKNN_ROCKET_READER_H
#define RKNN_ROCKET_READER_H

#include <linux/iosys-map.h>
#include <linux/types.h>

struct drm_rocket_task;
struct npu_mapping;
struct npu_vm;

/**
 * struct rknn_rocket_reader - reads streams out of buffers
 */
struct rknn_rocket_reader {
	/** @mapping: The buffer that is mapped for the kernel, or %NULL. */
	struct npu_mapping *mapping;
	/** @map: Where. */
	struct iosys_map map;
};

void rknn_rocket_reader_close(struct rknn_rocket_reader *reader);
int rknn_rocket_reader_read(struct rknn_rocket_reader *reader,
			    struct npu_vm *vm,
			    const struct drm_rocket_task *task, u64 *words);

#endif /* RKNN_ROCKET_READER_H */
