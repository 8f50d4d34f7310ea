/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>

#include "flying.h"
#include "product.h"
#include "rknn/matmul.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Rows of an addition (HAP).
constexpr std::uint32_t max_rows = 128;
/// Largest K whose sums cannot exceed 32 bits: 128 * 128 * K < 2^31.
constexpr std::uint32_t max_accumulated_k = 131071;
/// Results in an atom.
constexpr std::uint32_t results_per_atom = 4;

/// Add the partial results of @p tile to the sums, in pieces that a task can take.
void add_partial(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
		 const Addresses &addresses, Precision out, std::vector<Task> &tasks)
{
	const auto partial = static_cast<std::uint32_t>(std::size_t{weights.padded_n()} * m *
							sizeof(std::int32_t));

	for (std::uint32_t n = 0; n < tile.n; n += max_flying_channels)
		for (std::uint32_t row = 0; row < tile.m; row += max_rows) {
			const std::uint32_t offset =
				((tile.n0 + n) / results_per_atom * m + tile.m0 + row) * atom_bytes;
			Flying task;

			task.width = std::min(max_rows, tile.m - row);
			task.channels = std::min(max_flying_channels, tile.n - n);
			task.surface_atoms = m;
			task.atom_channels = results_per_atom;
			task.source = addresses.results + offset;
			/* In place is safe for integers (HAP). */
			task.destination = task.source;

			Dpu dpu = flying_dpu(task, Precision::int32);
			dpu.data_format = data_format(out, Precision::int32, Precision::int32);
			dpu.ew_cfg = ew_memory(Precision::int32,
					       static_cast<std::uint32_t>(EwAlgorithm::add)
						       << ew_algorithm) |
				     ew_cvt_off | ew_relu_off;
			Rdma rdma = flying_rdma(task, Precision::int32);
			set_operand(rdma, task, Precision::int32, task.source + partial);
			tasks.push_back(emit_flying(dpu, rdma));
		}
}

} // namespace

Result<void> can_accumulate(const WeightLayout &weights)
{
	if (weights.type() != Type::int8)
		return fail(EOPNOTSUPP, "matmul: only int8 is accumulated on the device");
	if (weights.k() > max_accumulated_k)
		return fail(EOPNOTSUPP, "matmul: K " + std::to_string(weights.k()) + " is above " +
						std::to_string(max_accumulated_k));
	return {};
}

std::size_t accumulated_bytes(const WeightLayout &weights, std::uint32_t m)
{
	const std::size_t sums = std::size_t{weights.padded_n()} * m * sizeof(std::int32_t);

	return weights.slices() > 1 ? 2 * sums : sums;
}

std::vector<Task> emit_accumulated(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
				   const Addresses &addresses, Sum sum)
{
	const bool last = tile.slice + 1 == weights.slices();
	const Precision out = last && sum == Sum::fp32 ? Precision::fp32 : Precision::int32;
	Tile product = tile;
	std::vector<Task> tasks;

	assert(can_accumulate(weights));
	/* Features are proven to stay between convolutions, but not across an addition. */
	if (tile.slice)
		product.data_reuse = false;
	tasks.push_back(emit_product(weights, m, product, addresses, tile.slice ? 1 : 0,
				     tile.slice ? Precision::int32 : out));
	if (tile.slice)
		add_partial(weights, m, tile, addresses, out, tasks);
	return tasks;
}

} // namespace npu::rknn
