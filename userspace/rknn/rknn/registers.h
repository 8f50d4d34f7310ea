/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Words of the command streams of an RKNN core (RK3588), and limits of the hardware.
 * rknn_regs.h has the registers, which the driver and the model share. Where a limit
 * has another source than the RK3588 TRM, part 1, chapter 36, it is named.
 */
#pragma once

#include <cstddef>
#include <cstdint>

#include <rknn/rknn_regs.h>

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// A word of a command stream: a register write.
constexpr std::uint64_t command(std::uint16_t reg, std::uint32_t value)
{
	const std::uint64_t target = RKNN_TARGET(std::uint32_t{reg});

	return target << 48U | std::uint64_t{value} << 16U | reg;
}

/// Blocks of a convolution: CNA, CORE and DPU, as PC_OPERATION_ENABLE has them.
constexpr std::uint32_t enable_convolution = RKNN_ENABLE_CONV;
/// The same and DPU_RDMA, which fetches operands of the DPU (Mesa).
constexpr std::uint32_t enable_convolution_operands = RKNN_ENABLE_CONV_RDMA;
/// DPU and DPU_RDMA: the DPU works on memory alone (vendor's elementwise streams).
constexpr std::uint32_t enable_flying = RKNN_ENABLE_FLYING;
/// PPU and PPU_RDMA: pooling from memory to memory (vendor's pooling streams).
constexpr std::uint32_t enable_pooling = RKNN_ENABLE_POOL;

/// Bit of CBUF_CON0: reuse the features that the previous task has loaded.
constexpr std::uint32_t cbuf_data_reuse = RKNN_CBUF_CON0_DATA_REUSE;
/// Bit of CBUF_CON0: reuse the weights that the previous task has loaded.
constexpr std::uint32_t cbuf_weight_reuse = RKNN_CBUF_CON0_WEIGHT_REUSE;

/// Banks of a core's convolution buffer (open matmul drivers, Mesa).
constexpr std::uint32_t cbuf_banks = RKNN_CBUF_BANKS;
/// Bytes of a bank (open matmul drivers, Mesa).
constexpr std::uint32_t cbuf_bank_bytes = RKNN_CBUF_BANK_BYTES;

/// What CBUF_CON1 counts: half of an entry of the convolution buffer (Mesa).
constexpr std::uint32_t cbuf_entry_bytes = RKNN_CBUF_ENTRY_BYTES;

/// Memory layouts consist of atoms of 16 bytes (TRM).
constexpr std::uint32_t atom_bytes = RKNN_ATOM_BYTES;

/// Input channels are taken 32 at a time (weight layout of the vendor's matmul
/// header); a dimension K is padded to it.
constexpr std::uint32_t channel_slice = RKNN_CHANNEL_SLICE;

/// Rows of a task: FEATURE_GRAINS has 10 bits and holds rows + 1 (TRM).
constexpr std::uint32_t max_task_rows = 1022;

/// Output channels of a task: the DPU counts with 13 bits (TRM), and 8144 is
/// the most that is known to work with fp16; the largest multiple of both
/// kernel groups below it.
constexpr std::uint32_t max_task_channels = 8128;

} // namespace npu::rknn
#pragma GCC visibility pop
