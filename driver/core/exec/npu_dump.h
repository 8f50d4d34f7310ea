/* SPDX-License-Identifier: GPL-2.0-only */
/* Dumps of jobs that hang or fault. */
#ifndef NPU_DUMP_H
#define NPU_DUMP_H

struct npu_core;
struct npu_device;

int npu_dump_init(struct npu_device *npu);
void npu_dump_take(struct npu_core *core);
void npu_dump_flush(struct npu_device *npu);
void npu_dump_fini(struct npu_device *npu);

#endif /* NPU_DUMP_H */
