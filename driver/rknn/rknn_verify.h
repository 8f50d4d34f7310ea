/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of the dialect that look at streams. */
#ifndef RKNN_VERIFY_H
#define RKNN_VERIFY_H

#include <linux/types.h>

struct npu_isa_chip;
struct npu_isa_fault;
struct npu_isa_stream;
struct npu_isa_task;

size_t rknn_verify_state_size(void);
void rknn_verify_begin(void *data, const struct npu_isa_chip *chip);
int rknn_verify(void *data, const struct npu_isa_stream *stream,
		struct npu_isa_fault *fault);
bool rknn_is_dropped(u64 command);
u32 rknn_emit(const void *data, void *commands);
void rknn_describe(const void *data, struct npu_isa_task *task);

#endif /* RKNN_VERIFY_H */
