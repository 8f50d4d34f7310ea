/* SPDX-License-Identifier: MIT */
/*
 * The copying of packing, vectorised for the machine it runs on. Results bypass
 * the caches: the CPU does not read them again.
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
/// @p out: chunks of 32 channels, in each the kernels one after the other.
/// \pre out is aligned to 16
void pack_group(const GroupRows &from, std::size_t first, std::size_t last, std::byte *out);

/// Pack the first @p atoms whole atoms of @p count rows: surfaces of an atom of
/// each row.
/// \pre out is aligned to 16
void pack_atoms(const std::byte *rows, std::size_t row_bytes, std::uint32_t count,
		std::size_t atoms, std::byte *out);

} // namespace npu::rknn
