/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dialect as unlike RKNN's as the core allows, for tests: streams are bytes, there
 * are no links, and the verifier checks the bounds of all operands, so that devices
 * need no IOMMU.
 *
 * A stream is a sequence of operations, numbers in little-endian order:
 *
 *	01 dst:4 src:4 bytes:2		copy
 *	02 dst:4 value:1 bytes:2	fill
 *
 * The kernel appends a byte of 0, the end, and rounds up to 16 bytes.
 */
#ifndef NPU_TOY_H
#define NPU_TOY_H

#include <linux/types.h>

struct npu_fake;
struct npu_family;

#define NPU_TOY_END		0
#define NPU_TOY_COPY		1
#define NPU_TOY_FILL		2
#define NPU_TOY_COPY_BYTES	11u
#define NPU_TOY_FILL_BYTES	8u
/* Streams begin at multiples of so many bytes. */
#define NPU_TOY_ALIGN		16u

extern struct npu_family npu_toy_family;

u32 npu_toy_copy(u8 *stream, u32 dst, u32 src, u16 bytes);
u32 npu_toy_fill(u8 *stream, u32 dst, u8 value, u16 bytes);
u32 npu_toy_execute(struct npu_fake *fake, const struct npu_hw_lane *lane);

#endif /* NPU_TOY_H */
