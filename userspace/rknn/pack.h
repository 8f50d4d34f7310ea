/* SPDX-License-Identifier: MIT */
/*
 * Packing of weights, vectorised for the CPU at hand.
 */
#pragma once

#include <cstddef>
#include <cstdint>

namespace npu::rknn
{

/// Rows of weights that become a kernel group.
struct GroupRows {
	const std::byte *rows;
	/// Bytes of a row.
	std::size_t row_bytes;
	/// Rows that exist; the others of the group become zeros.
	std::uint32_t kernels;
	/// Rows of a kernel group.
	std::uint32_t group;
	/// Bytes of 32 channels: 32 or 64.
	std::size_t chunk_bytes;
};

/// Packs bytes @p first to @p last of the rows of a kernel group to @p out: chunks of 32 channels,
/// each with the kernels one after the other. Uses non-temporal stores, since the CPU does not read
/// the result.
/// \pre out is aligned to 16
void pack_group(const GroupRows &from, std::size_t first, std::size_t last, std::byte *out);

} // namespace npu::rknn
