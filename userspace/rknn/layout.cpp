/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cassert>
#include <cstring>

#include "rknn/matmul.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

constexpr std::uint32_t align(std::uint32_t value, std::uint32_t to)
{
	return (value + to - 1) / to * to;
}

constexpr std::uint32_t divide_up(std::uint32_t value, std::uint32_t by)
{
	return (value + by - 1) / by;
}

/// Results of 16 bytes: int32 and fp32 alike.
constexpr std::uint32_t results_per_atom = 4;

/// Copy @p count chunks of Bytes from @p from, @p from_step apart, to @p to,
/// @p to_step apart. A constant size makes each copy one or two vector moves.
template <std::size_t Bytes>
void copy_chunks(const std::byte *from, std::size_t from_step, std::byte *to, std::size_t to_step,
		 std::size_t count)
{
	for (std::size_t i = 0; i < count; i++)
		std::memcpy(to + i * to_step, from + i * from_step, Bytes);
}

/// Pack one kernel group of one slice: kernels x 32 channels, slice by slice.
template <std::size_t ChunkBytes>
void pack_group(const std::byte *rows, std::size_t row_bytes, std::uint32_t kernels,
		std::size_t first, std::size_t last, std::byte *out, std::uint32_t group)
{
	/* Row after row, so that reads are in order. */
	for (std::uint32_t kernel = 0; kernel < kernels; kernel++) {
		const std::byte *row = rows + kernel * row_bytes;
		const std::size_t whole = std::min(last, row_bytes) - first;

		copy_chunks<ChunkBytes>(row + first, ChunkBytes, out + kernel * ChunkBytes,
					group * ChunkBytes, whole / ChunkBytes);
		std::memcpy(out + (whole / ChunkBytes * group + kernel) * ChunkBytes,
			    row + first + whole / ChunkBytes * ChunkBytes, whole % ChunkBytes);
	}
}

template <typename T>
void gather(const WeightLayout &layout, std::uint32_t m, std::span<const T> partial,
	    std::span<T> rows)
{
	const std::uint32_t n = layout.n();
	const std::size_t slice_step = std::size_t{layout.padded_n()} * m;

	assert(partial.size_bytes() >= result_bytes(layout, m));
	assert(rows.size() >= std::size_t{m} * n);
	for (std::uint32_t slice = 0; slice < layout.slices(); slice++) {
		const T *from = partial.data() + slice * slice_step;

		for (std::uint32_t first = 0; first < n; first += results_per_atom) {
			const std::uint32_t count = std::min(results_per_atom, n - first);

			for (std::uint32_t row = 0; row < m; row++, from += results_per_atom) {
				T *to = rows.data() + std::size_t{row} * n + first;

				for (std::uint32_t i = 0; i < count; i++)
					to[i] = slice ? to[i] + from[i] : from[i];
			}
		}
	}
}

} // namespace

WeightLayout::WeightLayout(Type type, std::uint32_t k, std::uint32_t n) : type_(type), k_(k), n_(n)
{
	assert(k && n);
}

std::uint32_t WeightLayout::padded_n() const
{
	return align(n_, kernel_group(type_));
}

std::uint32_t WeightLayout::padded_k() const
{
	return align(k_, channel_slice);
}

std::uint32_t WeightLayout::slices() const
{
	return divide_up(padded_k(), max_slice);
}

std::uint32_t WeightLayout::slice_begin(std::uint32_t slice) const
{
	/* As even as whole channel slices allow. */
	const std::uint64_t units = padded_k() / channel_slice;

	return static_cast<std::uint32_t>(units * slice / slices() * channel_slice);
}

std::size_t WeightLayout::slice_offset(std::uint32_t slice) const
{
	return std::size_t{slice_begin(slice)} * padded_n() * element_bytes(type_);
}

std::size_t WeightLayout::bytes() const
{
	return std::size_t{padded_k()} * padded_n() * element_bytes(type_);
}

std::size_t feature_bytes(const WeightLayout &layout, std::uint32_t m)
{
	return std::size_t{layout.padded_k()} * m * element_bytes(layout.type());
}

std::size_t result_bytes(const WeightLayout &layout, std::uint32_t m)
{
	return std::size_t{layout.padded_n()} * m * layout.slices() * sizeof(std::int32_t);
}

void pack_weights(const WeightLayout &layout, std::span<const std::byte> rows,
		  std::span<std::byte> out)
{
	const std::uint32_t bytes = element_bytes(layout.type());
	const std::uint32_t group = kernel_group(layout.type());
	const std::size_t row_bytes = std::size_t{layout.k()} * bytes;

	assert(rows.size() >= row_bytes * layout.n() && out.size() >= layout.bytes());
	if (layout.k() != layout.padded_k() || layout.n() != layout.padded_n())
		std::memset(out.data(), 0, layout.bytes());

	for (std::uint32_t slice = 0; slice < layout.slices(); slice++) {
		const std::size_t first = std::size_t{layout.slice_begin(slice)} * bytes;
		const std::size_t last = std::size_t{layout.slice_begin(slice + 1)} * bytes;
		std::byte *to = out.data() + layout.slice_offset(slice);

		for (std::uint32_t n = 0; n < layout.n(); n += group) {
			const std::byte *from = rows.data() + n * row_bytes;
			const std::uint32_t kernels = std::min(group, layout.n() - n);

			if (layout.type() == Type::int8)
				pack_group<channel_slice>(from, row_bytes, kernels, first, last, to,
							  group);
			else
				pack_group<2 * channel_slice>(from, row_bytes, kernels, first, last,
							      to, group);
			to += (last - first) * group;
		}
	}
}

void pack_features(const WeightLayout &layout, std::uint32_t m, std::span<const std::byte> rows,
		   std::span<std::byte> out)
{
	const std::size_t row_bytes = std::size_t{layout.k()} * element_bytes(layout.type());
	const std::size_t padded = std::size_t{layout.padded_k()} * element_bytes(layout.type());
	const std::size_t atoms = row_bytes / atom_bytes;
	const std::size_t rest = row_bytes % atom_bytes;
	const std::size_t surface = std::size_t{m} * atom_bytes;

	assert(rows.size() >= row_bytes * m && out.size() >= feature_bytes(layout, m));
	if (row_bytes != padded)
		std::memset(out.data() + atoms * surface, 0,
			    (padded / atom_bytes - atoms) * surface);

	/* A block of rows at a time, so that the atoms written to stay in cache. */
	constexpr std::uint32_t block = 16;
	for (std::uint32_t first = 0; first < m; first += block) {
		const std::uint32_t count = std::min(block, m - first);
		const std::byte *from = rows.data() + first * row_bytes;
		std::byte *to = out.data() + std::size_t{first} * atom_bytes;

		for (std::size_t atom = 0; atom < atoms; atom++)
			copy_chunks<atom_bytes>(from + atom * atom_bytes, row_bytes,
						to + atom * surface, atom_bytes, count);
		for (std::uint32_t row = 0; rest && row < count; row++)
			std::memcpy(to + atoms * surface + row * atom_bytes,
				    from + row * row_bytes + atoms * atom_bytes, rest);
	}
}

void gather_results(const WeightLayout &layout, std::uint32_t m,
		    std::span<const std::int32_t> partial, std::span<std::int32_t> rows)
{
	gather(layout, m, partial, rows);
}

void gather_results(const WeightLayout &layout, std::uint32_t m, std::span<const float> partial,
		    std::span<float> rows)
{
	gather(layout, m, partial, rows);
}

} // namespace npu::rknn
