/* SPDX-License-Identifier: GPL-2.0-only */
/* The RKNN family, for the drivers of its chips. */
#ifndef RKNN_FAMILY_H
#define RKNN_FAMILY_H

struct npu_family;

extern struct npu_family npu_family_rknn;

#endif /* RKNN_FAMILY_H */
