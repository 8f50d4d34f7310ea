/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the verifier of RKNN commands says to changed streams, as a table for
 * whoever has a verifier to try.
 *
 * Plain C that C++ takes too, for the kernel and for user space.
 */
#ifndef RKNN_CASES_H
#define RKNN_CASES_H

#include "npu_accel.h"
#include "rknn_streams.h"

/** enum rknn_case_kind - what a case does to its stream */
enum rknn_case_kind {
	/** @RKNN_CASE_SET: Registers are written with other values. */
	RKNN_CASE_SET,
	/** @RKNN_CASE_DROP: The first of the writes is left out. */
	RKNN_CASE_DROP,
	/** @RKNN_CASE_INSERT: A word is inserted. */
	RKNN_CASE_INSERT,
	/** @RKNN_CASE_ENABLE: Other blocks are started. */
	RKNN_CASE_ENABLE,
	/** @RKNN_CASE_AFTER: As SET, after a task that is as it is. */
	RKNN_CASE_AFTER,
};

/* Where the word is inserted, and who is to blame if it is refused. */
#define RKNN_CASE_PLACE 20
/* The stream as a whole is to blame. */
#define RKNN_CASE_WHOLE 0

/** struct rknn_case - a change and what the verifier says */
struct rknn_case {
	/** @name: What it shows. */
	const char *name;
	/** @base: The stream that is changed, an index of rknn_case_bases. */
	unsigned int base;
	/** @kind: How. */
	enum rknn_case_kind kind;
	/** @reason: A &enum drm_npu_fault_reason. */
	unsigned int reason;
	/** @blame: Register whose command is refused, or %RKNN_CASE_WHOLE. */
	unsigned int blame;
	/** @writes: What is written. */
	struct rknn_case_write writes[RKNN_CASE_CHANGES];
	/** @word: The word that is inserted, or the blocks to start. */
	unsigned long long word;
};

#define RKNN_CASE(name, base, kind, reason, blame, word, ...)                                      \
	{name, RKNN_CASE_##base, RKNN_CASE_##kind, DRM_NPU_FAULT_##reason, blame, {__VA_ARGS__},   \
	 word}
#define ACCEPTED(name, base, ...) RKNN_CASE(name, base, SET, NONE, RKNN_CASE_WHOLE, 0, __VA_ARGS__)
#define REFUSED(name, base, reason, blame, ...)                                                    \
	RKNN_CASE(name, base, SET, reason, blame, 0, __VA_ARGS__)
#define WITHOUT(name, base, reason, reg)                                                           \
	RKNN_CASE(name, base, DROP, reason, RKNN_CASE_WHOLE, 0, {reg, 0})
#define WITH(name, base, reason, word)                                                             \
	RKNN_CASE(name, base, INSERT, reason, RKNN_CASE_WHOLE, word, {0, 0})
#define STARTING(name, base, reason, blame, blocks)                                                \
	RKNN_CASE(name, base, ENABLE, reason, blame, blocks, {0, 0})
#define AFTER(name, base, reason, ...)                                                             \
	RKNN_CASE(name, base, AFTER, reason, RKNN_CASE_WHOLE, 0, __VA_ARGS__)

static const struct rknn_case rknn_cases[] = {
	ACCEPTED("as it is", MATMUL_INT8, {0, 0}),
	ACCEPTED("as it is", MATMUL_FP16, {0, 0}),
	ACCEPTED("as it is", CONV, {0, 0}),
	ACCEPTED("as it is", STRIDE, {0, 0}),
	ACCEPTED("as it is", DEPTHWISE, {0, 0}),
	ACCEPTED("as it is", ADD, {0, 0}),
	ACCEPTED("as it is", IMAGE, {0, 0}),
	ACCEPTED("as it is", WIDENED, {0, 0}),
	ACCEPTED("as it is", MATMUL_INT4, {0, 0}),
	ACCEPTED("as it is", MATMUL_TF32, {0, 0}),
	ACCEPTED("as it is", IMAGE_FP16, {0, 0}),
	ACCEPTED("as it is", DECONV, {0, 0}),
	ACCEPTED("as it is", ACCUMULATE, {0, 0}),
	ACCEPTED("as it is", SUM_INT32, {0, 0}),
	ACCEPTED("as it is", PRODUCT_FP16, {0, 0}),
	ACCEPTED("as it is", TABLE, {0, 0}),
	ACCEPTED("as it is", POOL_FP16, {0, 0}),
	ACCEPTED("as it is", POOL_INT8, {0, 0}),
	ACCEPTED("tf32 by its own name", MATMUL_TF32, {0x4010, 0xbc000007}),
	REFUSED("tf32 by both names", MATMUL_TF32, SHAPE, 0x4010, {0x4010, 0xbc000005}),
	ACCEPTED("conversion of results that is not applied", MATMUL_FP16, {0x4084, 0}),
	ACCEPTED("int8 to fp32", MATMUL_INT8, {0x4010, 0xa0000000}),
	ACCEPTED("int8 to fp16", MATMUL_INT8, {0x4010, 0x40000000}, {0x4050, 0x36e}),
	ACCEPTED("int8 to int16", MATMUL_INT8, {0x4010, 0x20000000}, {0x4050, 0x36e}),
	ACCEPTED("fp16 to int16", MATMUL_FP16, {0x4010, 0x28000002}, {0x4050, 0x126}),
	REFUSED("fp16 to int8", MATMUL_FP16, SHAPE, 0x4010, {0x4010, 0x08000002}),
	ACCEPTED("negative surface stride of 32 bits", MATMUL_INT8, {0x1080, 0xfffffffd}),
	ACCEPTED("a layer that is split over cores", CONV, {0x1010, 0x50000340}),
	ACCEPTED("1024 rows at a time", CONV, {0x1010, 0x4000}),
	ACCEPTED("a column of fp16 that fills its banks", MATMUL_FP16, {0x1020, 0x10100},
		 {0x1084, 0x10100}, {0x102c, 0x100}, {0x3014, 0xff0000}, {0x4034, 0xff},
		 {0x405c, 0xff0000}),
	REFUSED("a pixel more than fills its banks", MATMUL_FP16, SHAPE, 0x1040, {0x1020, 0x10101},
		{0x1084, 0x10101}, {0x102c, 0x101}, {0x3014, 0x1000000}, {0x4034, 0x100},
		{0x405c, 0x1000000}),
	REFUSED("image of more channels than its code", IMAGE_FP16, SHAPE, 0x100c,
		{0x100c, 0x60009120}),
	REFUSED("step of a deconvolution that is no power of 2", DECONV, SHAPE, 0x1014,
		{0x1014, 0x1109}),
	REFUSED("step of a deconvolution of 1", DECONV, SHAPE, 0x1014, {0x1014, 0x109}),
	REFUSED("step of windows of a deconvolution", DECONV, SHAPE, 0x1014, {0x1014, 0x90a}),
	REFUSED("dilated deconvolution", DECONV, SHAPE, 0x1014, {0x1014, 0x10909}),
	REFUSED("depthwise deconvolution", DECONV, SHAPE, 0x1038, {0x100c, 0x10003}),
	ACCEPTED("deconvolution of the last pixel's padding", DECONV, {0x1068, 0x33}),
	REFUSED("windows that end before the input", DECONV, SHAPE, 0x1028, {0x1028, 4},
		{0x102c, 0x20}),
	REFUSED("operands of a type of their own", ACCUMULATE, SHAPE, 0x5044, {0x5044, 0x2fd80}),
	REFUSED("operands that change their type", ACCUMULATE, SHAPE, 0x5044, {0x5044, 0x27d00}),
	REFUSED("operands of half the size", ACCUMULATE, SHAPE, 0x5034, {0x5034, 0x40000008}),
	ACCEPTED("largest of both", ACCUMULATE, {0x4070, 0x10e003c0}),
	ACCEPTED("smallest of both", ACCUMULATE, {0x4070, 0x10e103c0}),
	ACCEPTED("difference", ACCUMULATE, {0x4070, 0x10c403c0}),
	REFUSED("quotient", ACCUMULATE, SHAPE, 0x4070, {0x4070, 0x10c303c0}),
	REFUSED("rectifier with slopes", ACCUMULATE, SHAPE, 0x4070, {0x4070, 0x10c203e0}),
	REFUSED("operands of each channel and pixel", ACCUMULATE, SHAPE, 0x5034,
		{0x4070, 0x20c203c0}, {0x5034, 0x8000000c}),
	ACCEPTED("operands of each channel", SUM_INT32, {0x4070, 0x00c203c0}, {0x5034, 0xc}),
	REFUSED("int16 operands of each channel", SUM_INT32, SHAPE, 0x5034, {0x4010, 0x24000001},
		{0x4070, 0x008203c0}, {0x5034, 8}, {0x5044, 0xf821}),
	ACCEPTED("int16 operands of each pixel", SUM_INT32, {0x4010, 0x24000001},
		 {0x4070, 0x108203c0}, {0x5034, 0x40000008}, {0x5044, 0xf821}),
	ACCEPTED("sum as fp32", SUM_INT32, {0x4010, 0xb0000004}),
	REFUSED("sum as tf32", SUM_INT32, SHAPE, 0x4010, {0x4010, 0xf0000004}),
	REFUSED("sum of int4", SUM_INT32, SHAPE, 0x4010, {0x4010, 0xd8000006}),
	REFUSED("computed in another type", SUM_INT32, SHAPE, 0x4010, {0x4010, 0x90000000}),
	REFUSED("a sum of one operand", SUM_INT32, SHAPE, 0x4070, {0x5034, 0x4000000d}),
	REFUSED("an operand of nothing", SUM_INT32, SHAPE, 0x4070, {0x4070, 0x383}),
	ACCEPTED("a copy", SUM_INT32, {0x4070, 0x383}, {0x5034, 1}),
	REFUSED("a copy of nothing", SUM_INT32, SHAPE, 0x5044, {0x4070, 0x383}, {0x5034, 1},
		{0x5044, 0x27891}),
	REFUSED("a copy to both", SUM_INT32, SHAPE, 0x5044, {0x4070, 0x383}, {0x5034, 1},
		{0x5044, 0x27c81}),
	ACCEPTED("main engine and the other by name", SUM_INT32, {0x5044, 0x27c81}),
	REFUSED("main engine combined", SUM_INT32, SHAPE, 0x5044, {0x5044, 0x27981}),
	REFUSED("main engine combined with the other", SUM_INT32, SHAPE, 0x5044, {0x5044, 0x27d81}),
	REFUSED("DPU waits for CORE", SUM_INT32, SHAPE, 0x400c, {0x400c, 0x1e4}),
	REFUSED("DPU_RDMA waits for CORE", SUM_INT32, SHAPE, 0x5044, {0x5044, 0x27880}),
	REFUSED("columns that are read", SUM_INT32, SHAPE, 0x500c, {0x500c, 2}),
	REFUSED("columns that are written", SUM_INT32, SHAPE, 0x405c, {0x405c, 4}),
	REFUSED("channels that are read", SUM_INT32, SHAPE, 0x5014, {0x5014, 0xf}),
	REFUSED("address of another client's operand", SUM_INT32, ADDRESS, 0x5018,
		{0x5018, 0x70000000}),
	ACCEPTED("factors of each channel in BN", SUM_INT32, {0x4060, 0x42}, {0x4068, 1},
		 {0x5028, 8}, {0x502c, 0x50000000}),
	REFUSED("no address of factors in BN", SUM_INT32, ADDRESS, 0x502c, {0x4060, 0x42},
		{0x4068, 1}, {0x5028, 8}),
	REFUSED("factors in BN that nobody reads", SUM_INT32, SHAPE, 0x4060, {0x4060, 0x42},
		{0x4068, 1}),
	ACCEPTED("summands of each channel in BN", SUM_INT32, {0x4060, 0x20150}, {0x5028, 2},
		 {0x502c, 0x50000000}),
	ACCEPTED("records in BN", SUM_INT32, {0x4060, 0x20140}, {0x4068, 1}, {0x5028, 0xe},
		 {0x502c, 0x50000000}),
	REFUSED("summands of records in BN if depthwise", DEPTHWISE, SHAPE, 0x4060,
		{0x4060, 0x20150}, {0x5028, 0xe}, {0x502c, 0x50000000}),
	REFUSED("unknown operands of BN", SUM_INT32, SHAPE, 0x5028, {0x5028, 4}),
	ACCEPTED("factors of each channel in BS", SUM_INT32, {0x4040, 0x42}, {0x4048, 1},
		 {0x501c, 8}),
	REFUSED("factors in BS as summands", SUM_INT32, SHAPE, 0x4040, {0x4040, 0x20150},
		{0x501c, 8}),
	REFUSED("converted factors of fp16", PRODUCT_FP16, SHAPE, 0x4070, {0x4070, 0x108002c4}),
	ACCEPTED("converted summands of fp16", PRODUCT_FP16, {0x4070, 0x108202c0}),
	REFUSED("summands of fp16 that are not converted", PRODUCT_FP16, SHAPE, 0x4070,
		{0x4070, 0x108203c0}),
	REFUSED("fp16 results that are not asked for", PRODUCT_FP16, SHAPE, 0x4084, {0x4084, 1}),
	ACCEPTED("fp16 to bf16", PRODUCT_FP16, {0x4010, 0x68000002}),
	ACCEPTED("table that is not used", TABLE, {0x4070, 0x383}),
	REFUSED("pixels that are not read", POOL_FP16, SHAPE, 0x700c, {0x700c, 6}),
	REFUSED("rows that are not read", POOL_FP16, SHAPE, 0x7010, {0x7010, 8}),
	REFUSED("channels that are not read", POOL_FP16, SHAPE, 0x7014, {0x7014, 7}),
	REFUSED("channels that are not written", POOL_FP16, SHAPE, 0x6020, {0x6020, 7}),
	REFUSED("a window less", POOL_FP16, SHAPE, 0x6018, {0x6018, 2}),
	REFUSED("a row of windows more", POOL_FP16, SHAPE, 0x601c, {0x601c, 4}),
	REFUSED("padding as wide as the window", POOL_FP16, SHAPE, 0x6040, {0x6040, 0x2},
		{0x6018, 4}),
	REFUSED("padding as high as the window", POOL_FP16, SHAPE, 0x6040, {0x6040, 0x2000},
		{0x601c, 4}),
	REFUSED("window wider than the input", POOL_FP16, SHAPE, 0x6034, {0x6034, 0x110108},
		{0x6018, 0}),
	REFUSED("unknown function", POOL_FP16, SHAPE, 0x6024, {0x6024, 0x13}),
	ACCEPTED("smallest", POOL_FP16, {0x6024, 0x12}),
	REFUSED("PPU waits for DPU", POOL_FP16, SHAPE, 0x6024, {0x6024, 1}),
	REFUSED("place of the largest", POOL_FP16, VALUE, 0x6024, {0x6024, 0x40000011}),
	REFUSED("PPU of another type", POOL_FP16, SHAPE, 0x7030, {0x6084, 0x1001}),
	REFUSED("PPU_RDMA of another type", POOL_FP16, SHAPE, 0x7030, {0x7030, 1}),
	REFUSED("int8 as the type of PPU_RDMA has it elsewhere", POOL_INT8, SHAPE, 0x7030,
		{0x7030, 0}),
	REFUSED("no address of pixels", POOL_FP16, ADDRESS, 0x701c, {0x701c, 0}),
	REFUSED("address of another client's pixels", POOL_FP16, ADDRESS, 0x701c,
		{0x701c, 0x70000000}),
	REFUSED("no address of pooled pixels", POOL_FP16, ADDRESS, 0x6070, {0x6070, 0}),
	REFUSED("address of another client's pooled pixels", POOL_FP16, ADDRESS, 0x6070,
		{0x6070, 0x70000000}),
	WITHOUT("no address of pixels", POOL_FP16, MISSING, 0x701c),
	WITHOUT("no address of pooled pixels", POOL_FP16, MISSING, 0x6070),
	REFUSED("operands of one type, products of another", CONV, SHAPE, 0x100c, {0x100c, 0x100}),
	REFUSED("results of no known type", CONV, SHAPE, 0x4010, {0x100c, 0x120}),
	REFUSED("unknown mode", CONV, SHAPE, 0x100c, {0x100c, 1}),
	REFUSED("deconvolution without steps", CONV, SHAPE, 0x1014, {0x100c, 0x10000}),
	REFUSED("depthwise results that have no surfaces", MATMUL_INT8, SHAPE, 0x100c, {0x100c, 3}),
	ACCEPTED("rows one by one", MATMUL_INT8, {0x100c, 0x20000000}),
	REFUSED("CORE of another type", CONV, SHAPE, 0x3010, {0x3010, 0x201}),
	REFUSED("DPU of another type in", CONV, SHAPE, 0x4010, {0x4010, 0x10000000}),
	REFUSED("DPU of another type inside", CONV, SHAPE, 0x4010, {0x4010, 2}),
	REFUSED("results of fp32 with the surfaces of int8", CONV, SHAPE, 0x4050,
		{0x4010, 0xa0000000}),
	ACCEPTED("fp16 to fp16", MATMUL_FP16, {0x4010, 0x48000002}, {0x4050, 0x126},
		 {0x4084, 0x10001}),
	REFUSED("fp16 to fp16 with the surfaces of fp32", MATMUL_FP16, SHAPE, 0x4050,
		{0x4010, 0x48000002}, {0x4084, 0x10001}),
	REFUSED("fp16 to fp16 that is not asked for", MATMUL_FP16, SHAPE, 0x4084,
		{0x4010, 0x48000002}, {0x4050, 0x126}),
	REFUSED("fp16 to fp32 that is not asked for", MATMUL_FP16, SHAPE, 0x4084,
		{0x4084, 0x10001}),
	REFUSED("unknown layout of results", CONV, VALUE, 0x4010, {0x4010, 8}),
	REFUSED("only CORE is depthwise", CONV, SHAPE, 0x3010, {0x3010, 3}),
	REFUSED("only DPU is depthwise", CONV, SHAPE, 0x400c, {0x400c, 0x1fc}),
	REFUSED("only DPU_RDMA is depthwise", CONV, SHAPE, 0x5044, {0x5044, 0x7816}),
	REFUSED("CORE is not depthwise", DEPTHWISE, SHAPE, 0x3010, {0x3010, 1}),
	REFUSED("unaligned pixels that are no image", CONV, SHAPE, 0x100c, {0x100c, 0x40000000}),
	REFUSED("image of two channels that has one", IMAGE, SHAPE, 0x100c, {0x100c, 0x60009000}),
	REFUSED("image of aligned pixels", IMAGE, SHAPE, 0x100c, {0x100c, 0x20008000}),
	REFUSED("image of rows in fours", IMAGE, SHAPE, 0x100c, {0x100c, 0x40008000}),
	REFUSED("image of 17 channels", IMAGE, SHAPE, 0x1024, {0x1024, 0x100010}),
	ACCEPTED("image with entries of a row", IMAGE, {0x1044, 7}),
	REFUSED("image with too few entries", IMAGE, SHAPE, 0x1044, {0x1044, 6}),
	ACCEPTED("image with entries of neither", IMAGE, {0x1044, 0x2bc}),
	ACCEPTED("image of 14 columns, widened", IMAGE, {0x1084, 0xe001c}, {0x1020, 0x10001c},
		 {0x1028, 0xc}, {0x102c, 0x138}, {0x1044, 0x1c0}, {0x3014, 0x19000b}, {0x4030, 0xb},
		 {0x405c, 0x19000b}, {0x500c, 0xb}),
	REFUSED("image of a column less than windows reach", IMAGE, SHAPE, 0x1084,
		{0x1084, 0xd001c}, {0x1020, 0x10001c}, {0x1028, 0xc}, {0x102c, 0x138},
		{0x1044, 0x1c0}, {0x3014, 0x19000b}, {0x4030, 0xb}, {0x405c, 0x19000b},
		{0x500c, 0xb}),
	REFUSED("image of 5 columns, of which windows reach 16", IMAGE, SHAPE, 0x1084,
		{0x1084, 0x5001c}, {0x1020, 0x10001c}, {0x1028, 0xe}, {0x102c, 0x16c},
		{0x1044, 0x1c0}, {0x3014, 0x19000d}, {0x4030, 0xd}, {0x405c, 0x19000d},
		{0x500c, 0xd}),
	REFUSED("image of no columns", IMAGE, SHAPE, 0x1084, {0x1084, 0x1c}, {0x1020, 0x10001c},
		{0x1028, 0xe}, {0x102c, 0x16c}, {0x1044, 0x1c0}, {0x3014, 0x19000d}, {0x4030, 0xd},
		{0x405c, 0x19000d}, {0x500c, 0xd}),
	REFUSED("no rows at a time", CONV, SHAPE, 0x1010, {0x1010, 0}),
	REFUSED("reset of a queue", CONV, VALUE, 0x1010, {0x1010, 0x344}),
	ACCEPTED("kernel groups as in the TRM", CONV, {0x1010, 0x10340}),
	REFUSED("too many kernel groups", CONV, SHAPE, 0x1010, {0x1010, 0x20340}),
	REFUSED("coupled cores", CONV, VALUE, 0x1014, {0x1014, 0x10000009}),
	ACCEPTED("steps of a deconvolution that is none", CONV, {0x1014, 0x109}),
	REFUSED("no step between columns", CONV, SHAPE, 0x1028, {0x1014, 8}),
	REFUSED("no step between widened columns", WIDENED, SHAPE, 0x1028, {0x1014, 8}),
	REFUSED("no step between rows", CONV, SHAPE, 0x102c, {0x1014, 1}),
	REFUSED("windows beyond the padding", CONV, SHAPE, 0x1028, {0x1014, 0xa}),
	REFUSED("rows of windows beyond the padding", CONV, SHAPE, 0x102c, {0x1014, 0x11}),
	ACCEPTED("dilated kernels", CONV, {0x1014, 0x210009}, {0x1068, 0x22}),
	REFUSED("padding as wide as the window", CONV, SHAPE, 0x1028, {0x1068, 0x31}),
	REFUSED("padding as high as the window", CONV, SHAPE, 0x102c, {0x1068, 0x13}),
	ACCEPTED("all padding before", CONV, {0x1068, 0x22}),
	ACCEPTED("all padding after", CONV, {0x1068, 0}),
	ACCEPTED("a row that no window reaches", STRIDE, {0x1020, 0x710020}, {0x1084, 0x710020}),
	REFUSED("rows for another row of windows", STRIDE, SHAPE, 0x102c, {0x1020, 0x710021},
		{0x1084, 0x710021}),
	ACCEPTED("a column that no window reaches", STRIDE, {0x1020, 0x72001f}, {0x1084, 0x72001f}),
	REFUSED("columns for another window", STRIDE, SHAPE, 0x1028, {0x1020, 0x73001f},
		{0x1084, 0x73001f}),
	REFUSED("no columns", CONV, SHAPE, 0x1028, {0x1020, 0xe}),
	REFUSED("no rows", CONV, SHAPE, 0x102c, {0x1020, 0xe0000}),
	REFUSED("17 columns where 15 are used", CONV, SHAPE, 0x1028, {0x1020, 0x11000e},
		{0x1084, 0x11000e}, {0x1044, 9}),
	ACCEPTED("16 columns where 15 are used", CONV, {0x1020, 0x10000e}, {0x1084, 0x10000e},
		 {0x1044, 8}),
	REFUSED("16 columns without DPU_RDMA", MATMUL_INT8, SHAPE, 0x1028, {0x1020, 0x100004},
		{0x1084, 0x100004}, {0x1044, 8}),
	REFUSED("no output columns", CONV, SHAPE, 0x1028, {0x1028, 0}),
	REFUSED("half the output columns", CONV, SHAPE, 0x1028, {0x1028, 7}),
	REFUSED("output that is no rectangle", CONV, SHAPE, 0x102c, {0x102c, 0xc5}),
	REFUSED("no output", CONV, SHAPE, 0x102c, {0x102c, 0}),
	REFUSED("an output row less", CONV, SHAPE, 0x3014, {0x102c, 0xb6}),
	REFUSED("channels that fill no atom", CONV, SHAPE, 0x1024, {0x1024, 0x170018}),
	REFUSED("more channels than there is room for", CONV, SHAPE, 0x1024, {0x1024, 0x200020}),
	REFUSED("channels that the kernels lack", CONV, SHAPE, 0x1034, {0x1024, 0x1f0030}),
	REFUSED("no channels", CONV, SHAPE, 0x1024, {0x1024, 0}),
	REFUSED("kernels without columns", CONV, SHAPE, 0x1038, {0x1038, 0x30028}),
	REFUSED("kernels without rows", CONV, SHAPE, 0x1038, {0x1038, 0x3000028}),
	REFUSED("no kernels", CONV, SHAPE, 0x1038, {0x1038, 0x3030000}),
	ACCEPTED("an odd number of kernels", CONV, {0x1038, 0x3030027}, {0x1030, 0x2be0}),
	REFUSED("kernels of another group", CONV, SHAPE, 0x3018, {0x1038, 0x3030041},
		{0x1030, 0x4920}),
	REFUSED("two depthwise kernels", DEPTHWISE, SHAPE, 0x1038, {0x1038, 0x3030002},
		{0x1030, 0x240}),
	ACCEPTED("a kernel counted in atoms", CONV, {0x1034, 0x12}),
	ACCEPTED("a kernel counted in fours", CONV, {0x1034, 0x48}),
	REFUSED("bytes of kernels", CONV, SHAPE, 0x1034, {0x1034, 0x121}),
	REFUSED("bytes of all kernels", CONV, SHAPE, 0x1030, {0x1030, 0x2d01}),
	REFUSED("partial group behind CORE", CONV, SHAPE, 0x3018, {0x3018, 0x27}),
	REFUSED("DMA rows", CONV, SHAPE, 0x1084, {0x1084, 0xe000d}),
	REFUSED("DMA columns", CONV, SHAPE, 0x1084, {0x1084, 0xd000e}),
	REFUSED("more DMA columns", CONV, SHAPE, 0x1084, {0x1084, 0xf000e}),
	REFUSED("DMA channels", CONV, SHAPE, 0x1088, {0x1088, 0x10}),
	REFUSED("columns of CORE", CONV, SHAPE, 0x3014, {0x3014, 0xd000e}),
	REFUSED("rows of CORE", CONV, SHAPE, 0x3014, {0x3014, 0xc000d}),
	REFUSED("channels of CORE", CONV, SHAPE, 0x3018, {0x3018, 0x1f}),
	REFUSED("columns of DPU", CONV, SHAPE, 0x4030, {0x4030, 0xc}),
	REFUSED("rows of DPU", CONV, SHAPE, 0x4030, {0x4034, 0xe}),
	REFUSED("channels of DPU", CONV, SHAPE, 0x403c, {0x403c, 0x27001f}),
	REFUSED("real channels of DPU", CONV, SHAPE, 0x403c, {0x403c, 0x40003f}),
	REFUSED("channels written", CONV, SHAPE, 0x4058, {0x4058, 0x5f}),
	REFUSED("columns written", CONV, SHAPE, 0x405c, {0x405c, 0xd000c}),
	REFUSED("rows written", CONV, SHAPE, 0x405c, {0x405c, 0xe000d}),
	REFUSED("surfaces, first", CONV, SHAPE, 0x4050, {0x4050, 0x120}),
	REFUSED("surfaces, second", CONV, SHAPE, 0x4050, {0x4050, 0x104}),
	REFUSED("surfaces, third", CONV, SHAPE, 0x4050, {0x4050, 0x224}),
	REFUSED("columns of DPU_RDMA", CONV, SHAPE, 0x500c, {0x500c, 0xc}),
	REFUSED("rows of DPU_RDMA", CONV, SHAPE, 0x500c, {0x5010, 0xc}),
	REFUSED("channels of DPU_RDMA", CONV, SHAPE, 0x5014, {0x5014, 0x1f}),
	REFUSED("transposed results", CONV, VALUE, 0x4050, {0x4050, 0x8000124}),
	REFUSED("columns that are not loaded", WIDENED, SHAPE, 0x1084, {0x1084, 0x70008}),
	REFUSED("more banks than there are", CONV, SHAPE, 0x1040, {0x1040, 0xc1}),
	REFUSED("no bank of features", CONV, SHAPE, 0x1040, {0x1040, 0xb0}),
	REFUSED("no bank of weights", CONV, SHAPE, 0x1040, {0x1040, 1}),
	REFUSED("fully connected banks", CONV, VALUE, 0x1040, {0x1040, 0x1b1}),
	ACCEPTED("features that just fit", STRIDE, {0x1040, 0x64}),
	REFUSED("features that do not fit", STRIDE, SHAPE, 0x1040, {0x1040, 0x63}),
	REFUSED("rows that overlap", CONV, SHAPE, 0x1044, {0x1044, 6}),
	ACCEPTED("rows with gaps", MATMUL_INT8, {0x1044, 0x7f}),
	REFUSED("a column that fills its banks", MATMUL_INT8, SHAPE, 0x1040, {0x1044, 0x80}),
	ACCEPTED("columns that fill their banks", WIDENED, {0x1044, 0x40}),
	REFUSED("columns that more than fill their banks", WIDENED, SHAPE, 0x1040, {0x1044, 0x41}),
	ACCEPTED("a group of weights that just fits", MATMUL_INT8, {0x1040, 0x21},
		 {0x1024, 0x7ff0800}, {0x1030, 0x10000}, {0x1034, 0x800}, {0x1044, 0x20},
		 {0x1088, 0x800}),
	REFUSED("a group of weights that does not fit", MATMUL_INT8, SHAPE, 0x1040, {0x1040, 0x11},
		{0x1024, 0x7ff0800}, {0x1030, 0x10000}, {0x1034, 0x800}, {0x1044, 0x20},
		{0x1088, 0x800}),
	REFUSED("results to nobody", CONV, SHAPE, 0x400c, {0x400c, 0x1e0}),
	REFUSED("results to PPU", CONV, VALUE, 0x400c, {0x400c, 0x1e6}),
	REFUSED("features of DPU_RDMA", CONV, SHAPE, 0x400c, {0x400c, 0x1e5}),
	REFUSED("a sum of inputs that CORE does not make", CONV, SHAPE, 0x3010, {0x3010, 0}),
	REFUSED("the same of a product", MATMUL_INT8, SHAPE, 0x3010, {0x4050, 0x7fc}),
	ACCEPTED("a sum of inputs", MATMUL_INT8, {0x4050, 0x7fc}, {0x3010, 1}),
	ACCEPTED("a sum of inputs that nobody takes", MATMUL_INT8, {0x3010, 1}),
	REFUSED("a bias that nobody takes", CONV, SHAPE, 0x4040, {0x4040, 0x53}),
	REFUSED("a bias that nobody reads", CONV, SHAPE, 0x4040, {0x501c, 0}),
	REFUSED("a bias that is not read", CONV, SHAPE, 0x4040, {0x501c, 0x1f}),
	REFUSED("a bias without DPU_RDMA", MATMUL_INT8, SHAPE, 0x4040, {0x4040, 0x20150}),
	ACCEPTED("no bias", CONV, {0x501c, 0}, {0x4040, 0x53}),
	ACCEPTED("no bias, disabled", CONV, {0x501c, 0x1f}, {0x4040, 0x53}),
	ACCEPTED("a bias of a register", MATMUL_INT8, {0x4040, 0x20050}),
	REFUSED("unknown operands", CONV, SHAPE, 0x501c, {0x501c, 4}),
	ACCEPTED("records of which the bias is used", CONV, {0x501c, 0xe}),
	ACCEPTED("records with factors of sums", CONV, {0x501c, 0xe}, {0x4050, 0x125}),
	REFUSED("factors of sums of a dense bias", CONV, SHAPE, 0x4040, {0x4050, 0x125}),
	ACCEPTED("records with factors", CONV, {0x501c, 0xe}, {0x4040, 0x20140}, {0x4048, 1}),
	REFUSED("factors of a dense bias", CONV, SHAPE, 0x4040, {0x4040, 0x20140}, {0x4048, 1}),
	REFUSED("records that nobody takes", CONV, SHAPE, 0x4040, {0x501c, 0xe}, {0x4040, 0x53}),
	ACCEPTED("factor of a register", CONV, {0x4040, 0x20140}),
	ACCEPTED("rectifier", CONV, {0x4060, 0x12}),
	REFUSED("BN with summands", CONV, SHAPE, 0x4060, {0x4060, 0x150}),
	REFUSED("BN with factors", CONV, SHAPE, 0x4060, {0x4060, 0x42}, {0x4068, 1}),
	REFUSED("operands of BN that nobody takes", CONV, SHAPE, 0x4060, {0x5028, 2}),
	ACCEPTED("operands of BN disabled", CONV, {0x5028, 0x1f}),
	ACCEPTED("lookup table", CONV, {0x4070, 0x303}),
	REFUSED("addition of a constant", CONV, SHAPE, 0x4070, {0x4070, 0x20380}),
	ACCEPTED("pixels in another shape behind CORE", MATMUL_INT8, {0x4030, 3}, {0x4034, 0},
		 {0x405c, 3}),
	ACCEPTED("pixels in another shape before DPU", MATMUL_INT8, {0x3014, 3}),
	ACCEPTED("writer that is told nothing", CONV, {0x4058, 0}, {0x405c, 0}),
	REFUSED("writer that is told one half", CONV, SHAPE, 0x405c, {0x405c, 0}),
	REFUSED("gaps that differ", CONV, SHAPE, 0x4038, {0x4038, 0x10000}),
	ACCEPTED("gaps between rows", CONV, {0x4038, 0x10001}),
	ACCEPTED("partial group of fp16 behind CORE", MATMUL_FP16, {0x1038, 0x101000a},
		 {0x1030, 0x500}, {0x3018, 9}, {0x403c, 0x90009}, {0x4058, 9}),
	REFUSED("partial group of fp16 less a group", MATMUL_FP16, SHAPE, 0x3018,
		{0x1038, 0x1010018}, {0x1030, 0xc00}, {0x3018, 0xf}),
	REFUSED("partial group of int8 behind CORE, everywhere", CONV, SHAPE, 0x3018,
		{0x3018, 0x27}, {0x403c, 0x270027}, {0x4058, 0x27}, {0x5014, 0x27}),
	REFUSED("quotients in BS", CONV, SHAPE, 0x4040, {0x4040, 0x30150}),
	REFUSED("slopes in BS", CONV, SHAPE, 0x4040, {0x4040, 0x20170}),
	ACCEPTED("differences in BN", CONV, {0x4060, 0x40050}),
	REFUSED("quotients in BN", CONV, SHAPE, 0x4060, {0x4060, 0x30050}),
	ACCEPTED("stages as after a reset", MATMUL_INT8, {0x4040, 0}, {0x4060, 0}, {0x4070, 0}),
	REFUSED("converted features that are no image", CONV, SHAPE, 0x104c, {0x104c, 0xa}),
	REFUSED("converted image of fp16", IMAGE_FP16, SHAPE, 0x104c, {0x104c, 0xa}),
	REFUSED("summands of one engine for a column", ACCUMULATE, SHAPE, 0x5044,
		{0x5044, 0x27890}),
	REFUSED("addition of what nobody reads", CONV, SHAPE, 0x4070, {0x4070, 0x904202c0}),
	REFUSED("addition of what is not read", ADD, SHAPE, 0x4070, {0x5034, 0x40000005}),
	REFUSED("summands that nobody takes", CONV, SHAPE, 0x4070, {0x5034, 0x40000004}),
	REFUSED("summands that are bypassed", ADD, SHAPE, 0x4070, {0x4070, 0x904202c2}),
	ACCEPTED("summands of one engine", ADD, {0x5044, 0x7810}, {0x5018, 0}),
	REFUSED("main engine that nobody wants", CONV, SHAPE, 0x5044, {0x5044, 0x7800}),
	REFUSED("main engine without the other", CONV, SHAPE, 0x5044, {0x5044, 0x7d00}),
	REFUSED("main engine that is off and shared", CONV, SHAPE, 0x5044, {0x5044, 0x7d10}),
	REFUSED("main engine that feeds itself", ADD, SHAPE, 0x5044, {0x5044, 0x7a00}),
	REFUSED("main engine in place of CORE", CONV, SHAPE, 0x5044, {0x5044, 0x7811}),
	REFUSED("summands of another size", ADD, SHAPE, 0x5034, {0x5034, 0x40000008}),
	REFUSED("summands of another mode", ADD, SHAPE, 0x5034, {0x5034, 0x80000004}),
	REFUSED("summands of another type", ADD, SHAPE, 0x5044, {0x5044, 0x17d00}),
	REFUSED("summands of another type inside", ADD, SHAPE, 0x5044, {0x5044, 0x7d40}),
	REFUSED("no share of the bus", CONV, SHAPE, 0x5068, {0x5068, 0}),
	REFUSED("no share of the bus for MRDMA", CONV, SHAPE, 0x5068, {0x5068, 0x1010100}),
	REFUSED("no share of the bus for BRDMA", CONV, SHAPE, 0x5068, {0x5068, 0x1010001}),
	REFUSED("no share of the bus for NRDMA", CONV, SHAPE, 0x5068, {0x5068, 0x1000101}),
	REFUSED("no share of the bus for ERDMA", CONV, SHAPE, 0x5068, {0x5068, 0x10101}),
	ACCEPTED("unequal shares of the bus", CONV, {0x5068, 0xff010203}),
	REFUSED("no address of features", CONV, ADDRESS, 0x1070, {0x1070, 0}),
	REFUSED("address of another client's features", CONV, ADDRESS, 0x1070,
		{0x1070, 0x70000000}),
	REFUSED("odd address of features", CONV, VALUE, 0x1070, {0x1070, 0x20000008}),
	REFUSED("no address of weights", CONV, ADDRESS, 0x1110, {0x1110, 0}),
	REFUSED("address of another client's weights", CONV, ADDRESS, 0x1110, {0x1110, 0x70000000}),
	REFUSED("odd address of weights", CONV, VALUE, 0x1110, {0x1110, 0x20000008}),
	REFUSED("no address of results", CONV, ADDRESS, 0x4020, {0x4020, 0}),
	REFUSED("address of another client's results", CONV, ADDRESS, 0x4020, {0x4020, 0x70000000}),
	REFUSED("odd address of results", CONV, VALUE, 0x4020, {0x4020, 0x20000008}),
	REFUSED("no address of bias", CONV, ADDRESS, 0x5020, {0x5020, 0}),
	REFUSED("address of another client's bias", CONV, ADDRESS, 0x5020, {0x5020, 0x70000000}),
	REFUSED("odd address of bias", CONV, VALUE, 0x5020, {0x5020, 0x20000008}),
	REFUSED("no address of summands", ADD, ADDRESS, 0x5018, {0x5018, 0}),
	REFUSED("address of another client's summands", ADD, ADDRESS, 0x5018, {0x5018, 0x70000000}),
	REFUSED("odd address of summands", ADD, VALUE, 0x5018, {0x5018, 0x20000008}),
	REFUSED("no address of other summands", ADD, ADDRESS, 0x5038, {0x5038, 0}),
	REFUSED("address of another client's other summands", ADD, ADDRESS, 0x5038,
		{0x5038, 0x70000000}),
	REFUSED("odd address of other summands", ADD, VALUE, 0x5038, {0x5038, 0x20000008}),
	REFUSED("address of another client's, not used", CONV, ADDRESS, 0x502c,
		{0x502c, 0x70000000}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1060, {0x1060, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1064, {0x1064, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1074, {0x1074, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1100, {0x1100, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1104, {0x1104, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x1140, {0x1140, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x117c, {0x117c, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x3030, {0x3030, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x40c4, {0x40c4, 1}),
	REFUSED("an unknown bit of a table's address", CONV, VALUE, 0x4100, {0x4100, 0x40000}),
	REFUSED("an entry behind a table", CONV, VALUE, 0x4104, {0x4100, 0x20201}),
	ACCEPTED("the last entry of a table", CONV, {0x4100, 0x30200}),
	ACCEPTED("the entry behind a table is not written", CONV, {0x4100, 0x201}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x5048, {0x5048, 1}),
	REFUSED("a register that is to be 0", CONV, VALUE, 0x5064, {0x5064, 1}),
	ACCEPTED("groups that do not alternate", CONV, {0x4004, 0x30}, {0x5004, 0}),
	REFUSED("groups that alternate by half", CONV, VALUE, 0x4004, {0x4004, 0xa}),
	REFUSED("a group of no core", CONV, VALUE, 0x5004, {0x5004, 0x1000000e}),
	WITHOUT("pointer of DPU not written", CONV, NONE, 0x4004),
	WITHOUT("pointer of DPU_RDMA not written", CONV, NONE, 0x5004),
	WITHOUT("a register that is 0 when reset", CONV, NONE, 0x100c),
	WITHOUT("a register that is 0 when reset", CONV, NONE, 0x412c),
	WITHOUT("shares of the bus when reset", CONV, NONE, 0x5068),
	WITHOUT("a register that must not be 0", CONV, SHAPE, 0x400c),
	WITHOUT("a register that must not be 0", CONV, SHAPE, 0x500c),
	WITHOUT("no address of features", CONV, MISSING, 0x1070),
	WITHOUT("no address of weights", CONV, MISSING, 0x1110),
	WITHOUT("no address of results", CONV, MISSING, 0x4020),
	WITHOUT("no address of bias", CONV, MISSING, 0x5020),
	WITHOUT("no address that is used", CONV, NONE, 0x5018),
	WITH("word of zeros", CONV, NONE, 0),
	WITH("register of DPU_RDMA, which is not started", MATMUL_INT8, NONE,
	     0x2001000000015068ull),
	WITH("address of another client's, not started", MATMUL_INT8, ADDRESS,
	     0x2001700000005018ull),
	WITH("a value that is overwritten", CONV, NONE, 0x801000000013018ull),
	WITH("link", CONV, NONE, 0x101200000000010ull),
	WITH("length of a link", CONV, NONE, 0x101000000010014ull),
	WITH("interrupt mask", CONV, TARGET, 0x101000000000020ull),
	WITH("synchronisation", CONV, NONE, 0x41000000000000ull),
	WITH("start", CONV, TARGET, 0x810000001d0008ull),
	WITH("word that does nothing", CONV, NONE, 0x1000000000000ull),
	WITH("word that does nothing, with a value", CONV, NONE, 0x1123456781234ull),
	WITH("PPU, which is not started", CONV, NONE, 0x400100000000600cull),
	WITH("PPU_RDMA, which is not started", CONV, NONE, 0x800100000000700cull),
	WITH("results of PPU to another client", CONV, ADDRESS, 0x4001700000006070ull),
	WITH("DDMA", CONV, TARGET, 0x1000000000008000ull),
	WITH("no target", CONV, TARGET, 0x100cull),
	WITH("pointer of CNA", CONV, NONE, 0x2010000000e1004ull),
	WITH("pointer of CORE, with the number of a core", CONV, NONE, 0x8012000000e3004ull),
	WITH("unknown bit of a pointer", CONV, VALUE, 0x2010001000e1004ull),
	WITH("clock gates", CONV, REGISTER, 0x80107800800300cull),
	WITH("start of a block", CONV, REGISTER, 0x201000000011008ull),
	WITH("unknown register of DPU_RDMA", CONV, REGISTER, 0x2001000000005050ull),
	WITH("register of DPU under the name of DPU_RDMA", CONV, REGISTER, 0x2001000001e4400cull),
	WITH("offset between registers", CONV, REGISTER, 0x1001000001e4400dull),
	STARTING("a bias without DPU_RDMA started", CONV, SHAPE, 0x4040, 0xd),
	STARTING("DPU_RDMA without its registers", MATMUL_INT8, SHAPE, RKNN_CASE_WHOLE, 0x1d),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 1),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 5),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 9),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0xc),
	STARTING("DPU alone, set to be fed by CORE", CONV, SHAPE, 0x400c, 0x18),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x1c),
	STARTING("PPU without its registers", CONV, MISSING, RKNN_CASE_WHOLE, 0x60),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x20),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x40),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x78),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x7d),
	STARTING("other blocks", CONV, ENABLE, RKNN_CASE_WHOLE, 0x1000000d),
	REFUSED("reuse of features by the first task", MATMUL_INT8, REUSE, RKNN_CASE_WHOLE,
		{0x1040, 0x1041}),
	REFUSED("reuse of weights by the first task", MATMUL_INT8, REUSE, RKNN_CASE_WHOLE,
		{0x1040, 0x2041}),
	AFTER("reuse of features", MATMUL_INT8, NONE, {0x1040, 0x1041}),
	AFTER("reuse of features for other weights", MATMUL_INT8, NONE, {0x1040, 0x1041},
	      {0x1110, 0x30001000}),
	AFTER("reuse of weights", MATMUL_INT8, NONE, {0x1040, 0x2041}),
	AFTER("reuse of weights for other rows", STRIDE, NONE, {0x1040, 0x2066},
	      {0x1070, 0x20010000}),
	AFTER("reuse of both", MATMUL_INT8, REUSE, {0x1040, 0x3041}),
	AFTER("reuse of other features", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x1070, 0x20000010}),
	AFTER("reuse of features of another pitch", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x107c, 8}),
	AFTER("reuse of features of other surfaces", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x1080, 0x10}),
	AFTER("reuse of features of other entries", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x1044, 2}),
	AFTER("reuse of features in rows", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x100c, 0x20000000}),
	AFTER("reuse of features of other conversion", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x104c, 0xf}),
	AFTER("reuse of features of other padding", MATMUL_INT8, REUSE, {0x1040, 0x1041},
	      {0x1184, 1}),
	AFTER("reuse of other weights", MATMUL_INT8, REUSE, {0x1040, 0x2041}, {0x1110, 0x30001000}),
	AFTER("reuse of features in other banks", MATMUL_INT8, REUSE, {0x1040, 0x1042}),
	AFTER("reuse of weights in other banks", MATMUL_INT8, REUSE, {0x1040, 0x2042}),
	AFTER("reuse of weights in more banks", MATMUL_INT8, REUSE, {0x1040, 0x2051}),
};

#undef ACCEPTED
#undef REFUSED
#undef WITHOUT
#undef WITH
#undef STARTING
#undef AFTER

#define RKNN_CASES (sizeof(rknn_cases) / sizeof(rknn_cases[0]))

/* Write the stream that @test is about. Returns the number of words. */
static inline unsigned int rknn_case_changed(const struct rknn_case *test,
					     unsigned long long *words)
{
	const struct rknn_case_base *base = &rknn_case_bases[test->base];
	unsigned int count, i, kept = 0;

	if (test->kind == RKNN_CASE_DROP) {
		static const struct rknn_case_write none[RKNN_CASE_CHANGES] = {{0, 0}};

		count = rknn_case_stream(base, none, words);
		for (i = 0; i < count; i++)
			if ((words[i] & 0xffff) != test->writes[0].reg)
				words[kept++] = words[i];
		return kept;
	}
	count = rknn_case_stream(base, test->writes, words);
	if (test->kind != RKNN_CASE_INSERT)
		return count;
	for (i = count; i > RKNN_CASE_PLACE; i--)
		words[i] = words[i - 1];
	words[RKNN_CASE_PLACE] = test->word;
	return count + 1;
}

/* The blocks that the stream of @test starts. */
static inline unsigned int rknn_case_enable(const struct rknn_case *test)
{
	return test->kind == RKNN_CASE_ENABLE ? (unsigned int)test->word
					      : rknn_case_bases[test->base].enable;
}

/* The command of @words that is to blame, @count for all of them. */
static inline unsigned int rknn_case_blamed(const struct rknn_case *test,
					    const unsigned long long *words, unsigned int count)
{
	unsigned int i;

	if (test->kind == RKNN_CASE_INSERT)
		return RKNN_CASE_PLACE;
	for (i = 0; i < count; i++)
		if (test->blame && (words[i] & 0xffff) == test->blame)
			break;
	return i;
}

#endif /* RKNN_CASES_H */
