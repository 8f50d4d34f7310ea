/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cassert>
#include <cstring>

#include "pack.h"
#include "rknn/matmul.h"
#include "rknn/registers.h"
#include "rounding.h"

namespace npu::rknn
{

namespace
{

/// Results of 16 bytes: int32 and fp32 alike.
constexpr std::uint32_t results_per_atom = 4;

/// Pack the first @p atoms whole atoms of @p count rows: surfaces of an atom of
/// each row. A constant size makes each copy one vector move.
void pack_atoms(const std::byte *rows, std::size_t row_bytes, std::uint32_t count,
		std::size_t atoms, std::byte *out)
{
	/*
	 * Pack few rows at a time, so that their cache lines stay in the cache until all atoms are
	 * read. No non-temporal stores: surfaces need not begin on a cache line, and partial lines
	 * are slow to stream.
	 */
	constexpr std::uint32_t block = 16;
	const std::size_t surface = std::size_t{count} * atom_bytes;

	for (std::uint32_t first = 0; first < count; first += block) {
		const std::uint32_t last = std::min(first + block, count);

		for (std::size_t atom = 0; atom < atoms; atom++)
			for (std::uint32_t row = first; row < last; row++)
				std::memcpy(out + atom * surface + row * atom_bytes,
					    rows + row * row_bytes + atom * atom_bytes, atom_bytes);
	}
}

template <typename T>
void gather(const WeightLayout &layout, std::uint32_t m, std::uint32_t slices,
	    std::span<const T> partial, std::span<T> rows)
{
	const std::uint32_t n = layout.n();
	const std::size_t slice_step = std::size_t{layout.padded_n()} * m;

	assert(partial.size() >= slices * slice_step);
	assert(rows.size() >= std::size_t{m} * n);
	for (std::uint32_t slice = 0; slice < slices; slice++) {
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
	/* Slices differ by at most one channel slice. */
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

std::uint32_t group_rows(const WeightLayout &layout)
{
	return kernel_group(layout.type());
}

void pack_weights_group(const WeightLayout &layout, std::uint32_t group,
			std::span<const std::byte> rows, std::span<std::byte> out)
{
	const std::uint32_t bytes = element_bytes(layout.type());
	const std::uint32_t room = group_rows(layout);
	const std::uint32_t kernels = std::min(room, layout.n() - group * room);
	const std::size_t row_bytes = std::size_t{layout.k()} * bytes;

	assert(rows.size() >= row_bytes * kernels && out.size() >= layout.bytes());
	for (std::uint32_t slice = 0; slice < layout.slices(); slice++) {
		const std::size_t first = std::size_t{layout.slice_begin(slice)} * bytes;
		const std::size_t last = std::size_t{layout.slice_begin(slice + 1)} * bytes;
		const auto to =
			out.subspan(layout.slice_offset(slice) + group * room * (last - first),
				    (last - first) * room);

		if (kernels < room || last > row_bytes)
			std::memset(to.data(), 0, to.size());
		pack_group({rows.data(), row_bytes, kernels, room, channel_slice * bytes}, first,
			   last, to.data());
	}
}

void pack_weights(const WeightLayout &layout, std::span<const std::byte> rows,
		  std::span<std::byte> out)
{
	const std::size_t row_bytes = std::size_t{layout.k()} * element_bytes(layout.type());
	const std::uint32_t room = group_rows(layout);

	for (std::uint32_t n = 0; n < layout.n(); n += room)
		pack_weights_group(layout, n / room, rows.subspan(n * row_bytes), out);
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

	pack_atoms(rows.data(), row_bytes, m, atoms, out.data());
	for (std::uint32_t row = 0; rest && row < m; row++)
		std::memcpy(out.data() + atoms * surface + std::size_t{row} * atom_bytes,
			    rows.data() + row * row_bytes + atoms * atom_bytes, rest);
}

void gather_results(const WeightLayout &layout, std::uint32_t m,
		    std::span<const std::int32_t> partial, std::span<std::int32_t> rows)
{
	gather(layout, m, layout.slices(), partial, rows);
}

void gather_results(const WeightLayout &layout, std::uint32_t m, std::span<const float> partial,
		    std::span<float> rows)
{
	gather(layout, m, layout.slices(), partial, rows);
}

void unpack_sums(const WeightLayout &layout, std::uint32_t m, std::span<const std::int32_t> sums,
		 std::span<std::int32_t> rows)
{
	gather(layout, m, 1, sums, rows);
}

void unpack_sums(const WeightLayout &layout, std::uint32_t m, std::span<const float> sums,
		 std::span<float> rows)
{
	gather(layout, m, 1, sums, rows);
}

} // namespace npu::rknn
