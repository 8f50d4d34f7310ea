/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Types that all operations share.
 *
 * Generators return one lane for each core. Lanes of one job run side by side and do
 * not wait for each other. An operation that consumes the results of another one must
 * be in a later job, or both must be planned for one core and put into one lane, whose
 * tasks run in order.
 */
#pragma once

#include <cstdint>

#pragma GCC visibility push(default)
/// librknn: command streams and packed tensors for Rockchip's RKNN cores, as in the RK3588.
/// Needs no device.
namespace npu::rknn
{

/// Type of features and weights.
enum class Type : std::uint8_t {
	/// Integers of 8 bits, two's complement.
	int8,
	/// IEEE 754 binary16.
	fp16,
};

/// Bytes of an element.
constexpr std::uint32_t element_bytes(Type type)
{
	return type == Type::int8 ? 1 : 2;
}

/// Kernels that the array computes side by side (vendor's weight layout).
constexpr std::uint32_t kernel_group(Type type)
{
	return type == Type::int8 ? 32 : 16;
}

} // namespace npu::rknn
#pragma GCC visibility pop
