/* SPDX-License-Identifier: MIT */
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "pack.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "pack.h"

HWY_BEFORE_NAMESPACE();
namespace npu::rknn::HWY_NAMESPACE
{
namespace
{

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t line_bytes = 64;

/// Copy Bytes, a multiple of 16.
template <std::size_t Bytes>
HWY_INLINE void stream(const std::byte *from, std::byte *to)
{
#if HWY_TARGET == HWY_SCALAR
	std::memcpy(to, from, Bytes);
#else
	const hn::FixedTag<std::uint8_t, 16> tag;

	for (std::size_t i = 0; i < Bytes; i += 16)
		hn::Stream(hn::LoadU(tag, reinterpret_cast<const std::uint8_t *>(from + i)), tag,
			   reinterpret_cast<std::uint8_t *>(to + i));
#endif
}

template <std::size_t ChunkBytes>
HWY_INLINE void pack_chunks(const GroupRows &from, std::size_t first, std::size_t last,
			    std::byte *out)
{
	const std::size_t end = std::min(last, from.row_bytes);
	std::size_t at = first;

	/* A cache line of each row at a time, so that none is read twice. */
	for (; at + line_bytes <= end; at += line_bytes)
		for (std::size_t kernel = 0; kernel < from.kernels; kernel++) {
			const std::byte *row = from.rows + kernel * from.row_bytes + at;
			std::byte *to = out + (at - first) * from.group + kernel * ChunkBytes;

			for (std::size_t i = 0; i < line_bytes; i += ChunkBytes)
				stream<ChunkBytes>(row + i, to + i * from.group);
		}
	for (; at < end; at += ChunkBytes)
		for (std::size_t kernel = 0; kernel < from.kernels; kernel++)
			std::memcpy(out + (at - first) * from.group + kernel * ChunkBytes,
				    from.rows + kernel * from.row_bytes + at,
				    std::min(ChunkBytes, end - at));
}

void PackGroup(const GroupRows &from, std::size_t first, std::size_t last, std::byte *out)
{
	if (from.chunk_bytes == 32)
		pack_chunks<32>(from, first, last, out);
	else
		pack_chunks<64>(from, first, last, out);
	hwy::FlushStream();
}

} // namespace
} // namespace npu::rknn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace npu::rknn
{

HWY_EXPORT(PackGroup);

void pack_group(const GroupRows &from, std::size_t first, std::size_t last, std::byte *out)
{
	HWY_DYNAMIC_DISPATCH(PackGroup)(from, first, last, out);
}

} // namespace npu::rknn
#endif // HWY_ONCE
