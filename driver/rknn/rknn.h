/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the RKNN dialect share. */
#ifndef RKNN_H
#define RKNN_H

#include <linux/types.h>

struct npu_isa_fault;
struct npu_isa_stream;

size_t rknn_verify_state_size(void);
int rknn_verify(void *data, const struct npu_isa_stream *stream,
		struct npu_isa_fault *fault);

#endif /* RKNN_H */
