/* SPDX-License-Identifier: MIT */
/*
 * The copying of weights, vectorised for the machine it runs on.
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
	/// Rows that there are.
	std::uint32_t kernels;
	/// Rows that there is room for.
	std::uint32_t group;
	/// Bytes of 32 channels: 32 or 64.
	std::size_t chunk_bytes;
};

/// Pack one kernel group, from byte @p first to byte @p last of its rows, to
/// @p out: chunks of 32 channels, in each the kernels one after the other. Past
/// the caches: the CPU does not read them again.
/// \pre out is aligned to 16
void pack_group(const GroupRows &from, std::size_t first, std::size_t last, std::byte *out);

} // namespace npu::rknn
