/* SPDX-License-Identifier: MIT */
#include "product.h"
#include "rknn/matmul.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Features are one column of rows; channels are K.
Cna cna_of(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
	   const Addresses &addresses)
{
	const std::uint32_t bytes = element_bytes(weights.type());
	const std::uint32_t begin = weights.slice_begin(tile.slice);
	const std::uint32_t k = weights.slice_begin(tile.slice + 1) - begin;
	Cna cna;

	cna.conv_con1 = conv_precision(weights.type());
	/* Rows + 1, as in open matmul streams; affects prefetch. */
	cna.grains = tile.m + 1;
	cna.height = tile.m;
	cna.channels = k;
	cna.out_height = tile.m;
	cna.kernels = tile.n;
	cna.kernel_bytes = k * bytes;
	cna.data_banks = tile.data_banks;
	cna.reuse = tile.data_reuse ? cbuf_data_reuse : 0;
	cna.entries = divide_up(k * bytes, cbuf_entry_bytes);
	cna.features = addresses.features + begin * bytes * m + tile.m0 * atom_bytes;
	cna.weights =
		static_cast<std::uint32_t>(addresses.weights + weights.slice_offset(tile.slice) +
					   std::size_t{tile.n0} * k * bytes);
	/*
	 * Rows in fours: a step of four atoms. A surface adds the rest of its m
	 * atoms, a negative number below four rows.
	 */
	cna.line_atoms = 4;
	cna.surface_atoms = m - 4;
	return cna;
}

/// Results are surfaces of four channels, m atoms each.
Dpu dpu_of(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
	   const Addresses &addresses, std::uint32_t part, Precision out)
{
	const Precision in = precision_of(weights.type());
	const std::size_t part_bytes = std::size_t{weights.padded_n()} * m * sizeof(std::int32_t);
	Dpu dpu;

	dpu.data_format = data_format(out, in, in);
	dpu.surface_bytes = m * atom_bytes;
	dpu.group_surfaces = kernel_group(weights.type()) / 4;
	dpu.destination = static_cast<std::uint32_t>(addresses.results + part * part_bytes +
						     std::size_t{tile.n0} / 4 * dpu.surface_bytes +
						     std::size_t{tile.m0} * atom_bytes);
	dpu.height = tile.m;
	dpu.channels = tile.n;
	return dpu;
}

} // namespace

Task emit_product(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
		  const Addresses &addresses, std::uint32_t part, Precision out)
{
	Stream stream;
	Core core;

	core.misc_cfg = code(precision_of(weights.type())) << 8U;
	core.height = tile.m;
	core.channels = tile.n;
	cna_of(weights, m, tile, addresses).emit(stream);
	core.emit(stream);
	dpu_of(weights, m, tile, addresses, part, out).emit(stream);
	return {stream.take(), enable_convolution};
}

std::vector<std::uint64_t> emit(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
				const Addresses &addresses)
{
	const Precision out = weights.type() == Type::int8 ? Precision::int32 : Precision::fp32;

	return emit_product(weights, m, tile, addresses, tile.slice, out).commands;
}

} // namespace npu::rknn
