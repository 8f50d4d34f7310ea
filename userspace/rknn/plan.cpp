/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <cassert>

#include "blocks.h"
#include "rknn/matmul.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Bytes that a row of a slice takes in the convolution buffer: whole entries
/// of 64 bytes.
std::uint64_t row_bytes(Type type, std::uint32_t slice_k)
{
	return divide_up(std::uint64_t{slice_k} * element_bytes(type), 64) * 64;
}

/// Banks for @p rows rows. Counts one byte more than they have, since a tile of one column that
/// exactly fills its banks ends in garbage (measured).
std::uint32_t data_banks(Type type, std::uint32_t slice_k, std::uint32_t rows)
{
	return static_cast<std::uint32_t>(rows * row_bytes(type, slice_k) / cbuf_bank_bytes + 1);
}

/// Rows that fit @p banks banks.
std::uint32_t rows_in(Type type, std::uint32_t slice_k, std::uint32_t banks)
{
	const std::uint64_t bytes = std::uint64_t{banks} * cbuf_bank_bytes - 1;

	return static_cast<std::uint32_t>(
		std::min<std::uint64_t>(bytes / row_bytes(type, slice_k), max_task_rows));
}

/// Rows of a task, so that @p m rows become few tasks of equal size. One kernel group of
/// weights fits beside them. A second group, which the core fetches while it multiplies
/// the first, fits if that does not increase the number of tasks.
std::uint32_t tile_rows(Type type, std::uint32_t slice_k, std::uint32_t m)
{
	const std::uint64_t group_bytes =
		std::uint64_t{slice_k} * kernel_group(type) * element_bytes(type);
	const std::uint32_t weight_banks = std::max(
		static_cast<std::uint32_t>(divide_up(group_bytes, std::uint64_t{cbuf_bank_bytes})),
		least_weight_banks(type));
	const std::uint32_t tiles = divide_up(m, rows_in(type, slice_k, cbuf_banks - weight_banks));

	return divide_up(m, tiles);
}

/// A run of output channels of one matrix.
struct Segment {
	std::uint32_t matmul;
	std::uint32_t n0;
	std::uint32_t n;
};

/// Divide the kernel groups of all matrices, from channel @p first[i] of weights[i] on,
/// evenly over lanes, in runs that fit a task. Returns no empty lanes.
std::vector<std::vector<Segment>> share_out(std::span<const WeightLayout> weights,
					    std::span<const std::uint32_t> first,
					    std::uint32_t cores)
{
	const std::uint32_t group = kernel_group(weights.front().type());
	std::uint64_t total = 0;

	for (std::size_t i = 0; i < weights.size(); i++) {
		assert(first[i] % group == 0 && first[i] < weights[i].n());
		total += (weights[i].padded_n() - first[i]) / group;
	}

	const auto lanes = static_cast<std::uint32_t>(std::min<std::uint64_t>(cores, total));
	std::vector<std::vector<Segment>> segments(lanes);
	std::uint64_t position = 0;
	for (std::uint32_t matmul = 0; matmul < weights.size(); matmul++) {
		const std::uint32_t groups = (weights[matmul].padded_n() - first[matmul]) / group;

		for (std::uint32_t done = 0; done < groups;) {
			/* The lane whose share holds this position, and where it ends. */
			const std::uint64_t lane = ((position + 1) * lanes - 1) / total;
			const std::uint64_t end = (lane + 1) * total / lanes;
			const auto count = static_cast<std::uint32_t>(
				std::min({std::uint64_t{groups - done}, end - position,
					  std::uint64_t{max_task_channels / group}}));

			segments[lane].push_back(
				{matmul, first[matmul] + done * group, count * group});
			done += count;
			position += count;
		}
	}
	return segments;
}

/// The kernel cannot preempt a lane between tasks that share features, and refuses jobs
/// whose uncut tasks exceed its limit (4 ms by default). This is about half of that on an
/// RK3588.
constexpr std::uint64_t max_shared_bytes = 24 << 20;
constexpr std::uint64_t max_shared_macs = 2'000'000'000;

/// Bytes over the bus and products of a tile.
PlanCost tile_cost(const WeightLayout &layout, const Tile &tile)
{
	const std::uint64_t begin = layout.slice_begin(tile.slice);
	const std::uint64_t padded_k = layout.slice_begin(tile.slice + 1) - begin;
	const std::uint64_t k = std::min<std::uint64_t>(padded_k, layout.k() - begin);
	const std::uint64_t n = std::min<std::uint64_t>(tile.n, layout.n() - tile.n0);
	PlanCost cost;

	cost.macs = tile.m * n * k;
	cost.bytes = tile.n * padded_k * element_bytes(layout.type()) +
		     std::uint64_t{tile.m} * tile.n * sizeof(std::int32_t);
	if (!tile.data_reuse)
		cost.bytes += tile.m * padded_k * element_bytes(layout.type());
	return cost;
}

} // namespace

Plan plan_matmul(std::span<const WeightLayout> weights, std::uint32_t m, std::uint32_t cores)
{
	return plan_matmul(weights, std::vector<std::uint32_t>(weights.size()), m, cores);
}

Plan plan_matmul(std::span<const WeightLayout> weights, std::span<const std::uint32_t> channels,
		 std::uint32_t m, std::uint32_t cores)
{
	assert(!weights.empty() && channels.size() == weights.size() && m && cores);
	const WeightLayout &first = weights.front();
	Plan plan;

	plan.m = m;
	for (const auto &segments : share_out(weights, channels, cores)) {
		std::vector<Tile> &lane = plan.lanes.emplace_back();

		for (std::uint32_t slice = 0; slice < first.slices(); slice++) {
			const std::uint32_t slice_k =
				first.slice_begin(slice + 1) - first.slice_begin(slice);
			const std::uint32_t rows = tile_rows(first.type(), slice_k, m);

			for (std::uint32_t m0 = 0; m0 < m; m0 += rows) {
				const std::uint32_t count = std::min(rows, m - m0);
				PlanCost shared;

				for (const Segment &segment : segments) {
					const WeightLayout &layout = weights[segment.matmul];
					Tile tile;

					assert(layout.type() == first.type() &&
					       layout.k() == first.k());
					tile.matmul = segment.matmul;
					tile.slice = slice;
					tile.m0 = m0;
					tile.m = count;
					tile.n0 = segment.n0;
					tile.n = segment.n;
					tile.data_banks = data_banks(first.type(), slice_k, count);
					tile.data_reuse = shared.bytes != 0;
					PlanCost cost = tile_cost(layout, tile);
					if (shared.bytes + cost.bytes > max_shared_bytes ||
					    shared.macs + cost.macs > max_shared_macs) {
						tile.data_reuse = false;
						shared = {};
						cost = tile_cost(layout, tile);
					}
					shared.macs += cost.macs;
					shared.bytes += cost.bytes;
					lane.push_back(tile);

					plan.cost.macs += cost.macs;
					plan.cost.bytes += cost.bytes;
				}
			}
		}
	}
	return plan;
}

} // namespace npu::rknn
