/* SPDX-License-Identifier: MIT */
/*
 * The settings of each block of a core. Members that a generator does not set leave their
 * feature off. emit() writes all registers of the block, so that no stream depends on the job
 * that ran before.
 *
 * Values marked "common" occur in all open streams; the others name their source.
 */
#pragma once

#include <cstdint>

#include "rknn/registers.h"
#include "rknn/type.h"
#include "rounding.h"
#include "stream.h"

namespace npu::rknn
{

/// Precision codes of CONV_CON1, MISC_CFG, DATA_FORMAT and FEATURE_MODE_CFG (TRM).
enum class Precision : std::uint8_t {
	int8 = 0,
	fp16 = 2,
	int32 = 4,
	fp32 = 5,
};

constexpr std::uint32_t code(Precision precision)
{
	return static_cast<std::uint32_t>(precision);
}

constexpr Precision precision_of(Type type)
{
	return type == Type::int8 ? Precision::int8 : Precision::fp16;
}

/// Minimum number of banks for weights: long tasks hang with one bank of fp16 weights (measured,
/// HAP and ORK).
constexpr std::uint32_t least_weight_banks(Type type)
{
	return type == Type::fp16 ? 2 : 1;
}

/// Entries that a row of @p width pixels takes in the convolution buffer. @p bytes is the size of a
/// pixel in whole atoms. (NVDLA's rule, which open streams follow.)
constexpr std::uint32_t feature_entries(std::uint32_t width, std::uint32_t bytes)
{
	const std::uint32_t atoms = bytes / atom_bytes;
	const std::uint32_t rest[] = {0, divide_up(width, 4), divide_up(width, 2), width};

	return width * (atoms / 4) + rest[atoms % 4];
}

/// CONV_CON1: operands of @p type, multiplied as such (TRM).
constexpr std::uint32_t conv_precision(Type type)
{
	return code(precision_of(type)) << 4U | code(precision_of(type)) << 7U;
}
/// CONV_CON1: mode 3, depthwise (TRM).
constexpr std::uint32_t conv_depthwise = 3;

/// CNA: features and weights.
struct Cna {
	std::uint32_t conv_con1 = 0;
	/// Rows to prefetch; 10 bits.
	std::uint32_t grains = 0;
	/// Strides of 1, no dilation.
	std::uint32_t conv_con3 = 0x9;
	/// Size of the features.
	std::uint32_t width = 1;
	std::uint32_t height = 1;
	std::uint32_t channels = 0;
	/// Size of the results.
	std::uint32_t out_width = 1;
	std::uint32_t out_height = 1;
	std::uint32_t kernels = 0;
	std::uint32_t kernel_width = 1;
	std::uint32_t kernel_height = 1;
	/// Bytes of a kernel.
	std::uint32_t kernel_bytes = 0;
	std::uint32_t data_banks = 0;
	/// cbuf_data_reuse, cbuf_weight_reuse.
	std::uint32_t reuse = 0;
	/// Entries of a feature row in the convolution buffer.
	std::uint32_t entries = 0;
	std::uint32_t pad_left = 0;
	std::uint32_t pad_top = 0;
	/// Value of each byte of padding.
	std::uint32_t pad_value = 0;
	std::uint32_t features = 0;
	std::uint32_t weights = 0;
	/// Atoms from a quadruple of rows to the next.
	std::uint32_t line_atoms = 0;
	/// Atoms that a surface adds to those of four rows; negative below four rows.
	std::uint32_t surface_atoms = 0;

	void emit(Stream &stream) const;
};

/// MISC_CFG: sums of inputs for OW_OP; depthwise (TRM).
constexpr std::uint32_t core_sums = 0x1;
constexpr std::uint32_t core_depthwise = 0x2;

/// CORE: the multiply-accumulate array.
struct Core {
	/// MISC_CFG.
	std::uint32_t misc_cfg = 0;
	/// Size of the results.
	std::uint32_t width = 1;
	std::uint32_t height = 1;
	std::uint32_t channels = 0;

	void emit(Stream &stream) const;
};

/// FEATURE_MODE_CFG: longest bursts, results to memory, main feed from CORE; the
/// same in depthwise mode; main feed from MRDMA ("flying") (Mesa, HAP).
constexpr std::uint32_t dpu_from_core = 0x1e4;
constexpr std::uint32_t dpu_from_depthwise = 0x1fc;
constexpr std::uint32_t dpu_flying = 0x1e5;

/// DATA_FORMAT: precision of output, input and processing (TRM).
constexpr std::uint32_t data_format(Precision out, Precision in, Precision proc)
{
	return code(out) << 29U | code(in) << 26U | code(proc);
}

/// BS_CFG and BN_CFG, which have the same fields (TRM): all off; the parts that
/// can be off; the source of the ALU's operand; what the ALU does.
constexpr std::uint32_t stage_off = 0x53;
constexpr std::uint32_t stage_alu_off = 1U << 1U;
constexpr std::uint32_t stage_mul_off = 1U << 4U;
constexpr std::uint32_t stage_relu_off = 1U << 6U;
constexpr std::uint32_t stage_relux = 1U << 7U;
constexpr std::uint32_t stage_alu_memory = 1U << 8U;
constexpr std::uint32_t stage_alu_add = 2U << 16U;

/// BS_MUL_CFG and BN_MUL_CFG: operand, shift, operand from memory (TRM).
constexpr std::uint32_t stage_mul(std::uint32_t operand, std::uint32_t shift)
{
	return (operand & 0xffffU) << 16U | shift << 8U;
}
constexpr std::uint32_t stage_mul_memory = 1;

/// EW_CFG (TRM). All off.
constexpr std::uint32_t ew_off = 0x383;
constexpr std::uint32_t ew_op_off = 1U << 1U;
constexpr std::uint32_t ew_multiply = 1U << 2U;
constexpr std::uint32_t ew_operand_memory = 1U << 6U;
constexpr std::uint32_t ew_lut_off = 1U << 7U;
constexpr std::uint32_t ew_cvt_off = 1U << 8U;
constexpr std::uint32_t ew_relu_off = 1U << 9U;
constexpr std::uint32_t ew_relux = 1U << 10U;
constexpr std::uint32_t ew_algorithm = 16;
constexpr std::uint32_t ew_equal = 1U << 21U;
constexpr std::uint32_t ew_operand_size = 22;
constexpr std::uint32_t ew_per_pixel = 1U << 28U;
/// The converter adds the offset before it multiplies.
constexpr std::uint32_t ew_cvt_add_first = 1U << 31U;

/// Codes of the ALU of EW (TRM).
enum class EwAlgorithm : std::uint8_t {
	max = 0,
	min = 1,
	add = 2,
	minus = 4,
};

/// Operand size code of EW_CFG and ERDMA_CFG: 1, 2, 3 for 8, 16, 32 bits (TRM).
constexpr std::uint32_t operand_size(Precision precision)
{
	switch (precision) {
	case Precision::int8:
		return 1;
	case Precision::fp16:
		return 2;
	case Precision::int32:
	case Precision::fp32:
		break;
	}
	return 3;
}

/// EW_CFG of a per-pixel operand from memory for an operation @p bits.
constexpr std::uint32_t ew_memory(Precision precision, std::uint32_t bits)
{
	return ew_per_pixel | operand_size(precision) << ew_operand_size | ew_operand_memory |
	       ew_lut_off | bits;
}

/// BS_OW_CFG: no sum of inputs is added to the result (TRM).
constexpr std::uint32_t ow_bypass = 0x2;

/// OUT_CVT_SCALE: convert fp32 to fp16, scale 1 (TRM, open fp16 matmul streams).
constexpr std::uint32_t out_cvt_fp16 = 0x10001;

/// DPU: from accumulators, or memory, to memory.
struct Dpu {
	std::uint32_t feature_mode = dpu_from_core;
	std::uint32_t data_format = 0;
	std::uint32_t destination = 0;
	/// Bytes between surfaces of the results.
	std::uint32_t surface_bytes = 0;
	/// Surfaces that a kernel group has: its channels in atoms.
	std::uint32_t group_surfaces = 1;
	std::uint32_t width = 1;
	std::uint32_t height = 1;
	std::uint32_t channels = 0;
	std::uint32_t bs_cfg = stage_off;
	std::uint32_t bs_alu = 0;
	std::uint32_t bs_mul = 0;
	std::uint32_t bs_relux = 0;
	/// BS_OW_CFG without its sizes.
	std::uint32_t ow_cfg = ow_bypass;
	/// Factor of the sum of inputs, signed 16 bits.
	std::uint32_t ow_op = 0;
	std::uint32_t bn_cfg = stage_off;
	std::uint32_t bn_alu = 0;
	std::uint32_t bn_mul = 0;
	std::uint32_t bn_relux = 0;
	std::uint32_t ew_cfg = ew_off;
	std::uint32_t ew_cvt_offset = 0;
	std::uint32_t ew_cvt_scale = 1;
	std::uint32_t ew_relux = 0;
	std::uint32_t out_offset = 0;
	std::uint32_t out_scale = 1;
	std::uint32_t out_shift = 0;

	/// \p clear_lut also writes 0 to the registers of the LUT.
	void emit(Stream &stream, bool clear_lut = true) const;
};

/// BRDMA_CFG: what is fetched for each channel (TRM): nothing; 32 bit operands of
/// the ALU; records of operands for ALU, OW and MUL (GN).
constexpr std::uint32_t brdma_off = 0x1f;
constexpr std::uint32_t brdma_alu = 0x2;
constexpr std::uint32_t brdma_records = 0xe;

/// ERDMA_CFG: off; one operand for each pixel and channel (TRM).
constexpr std::uint32_t erdma_off = 0x1;
constexpr std::uint32_t erdma_per_pixel(Precision precision)
{
	return 1U << 30U | operand_size(precision) << 2U;
}

/// FEATURE_MODE_CFG of DPU_RDMA: longest bursts (TRM), which all streams have.
constexpr std::uint32_t rdma_bursts = 0x7800;
/// MRDMA feeds the DPU.
constexpr std::uint32_t rdma_flying = 1U << 0U;
constexpr std::uint32_t rdma_depthwise = 3U << 1U;
constexpr std::uint32_t rdma_main_off = 1U << 4U;
/// COMB_USE 4: the engines serve main feed and EW apart; 5: both serve EW, MRDMA
/// with even surfaces and ERDMA with odd ones (GN, Mesa).
constexpr std::uint32_t rdma_apart = 4U << 8U;
constexpr std::uint32_t rdma_both_ew = 5U << 8U;

constexpr std::uint32_t rdma_precision(Precision precision)
{
	return code(precision) << 15U | code(precision) << 5U;
}

/// DPU_RDMA: operands of the DPU.
struct Rdma {
	std::uint32_t width = 1;
	std::uint32_t height = 1;
	std::uint32_t channels = 0;
	/// Source of MRDMA.
	std::uint32_t source = 0;
	std::uint32_t brdma_cfg = brdma_off;
	std::uint32_t bs_operands = 0;
	std::uint32_t erdma_cfg = erdma_off;
	/// Source of ERDMA.
	std::uint32_t ew_operand = 0;
	/// Atoms between surfaces of the EW operand.
	std::uint32_t ew_surface_atoms = 0;
	std::uint32_t feature_mode = rdma_bursts | rdma_main_off;
	/// Atoms that the engines skip from the end of a surface to the next.
	std::uint32_t notch_atoms = 0;
	std::uint32_t ew_notch_atoms = 0;

	void emit(Stream &stream) const;
};

} // namespace npu::rknn
