/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Matrix multiplication C[M,N] = A[M,K] x B[K,N] as command streams.
 *
 * Layouts in memory, all of 16-byte atoms:
 *
 * @code{.unparsed}
 *   features A   [Kp / e][M][e]                e elements of 16 bytes
 *   weights B    [slice][Np / G][Ks / 32][G][32]       G = 32 (int8), 16 (fp16)
 *   results C    [slice][Np / 4][M][4]         int32 or fp32
 * @endcode
 *
 * where Kp is K padded to 32, Np is N padded to G, and K is cut into slices of
 * Ks so that a task's operands fit the convolution buffer. Each slice has a
 * partial result; gather_results() adds them. Or the device adds them up, in int32,
 * with emit_accumulated(): then C has one slice, of int32 or fp32.
 *
 * These functions need no device.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// Largest slice of K. The convolution buffer then holds about a hundred rows of
/// int8, so that weights stream through it once for a prefill of that size.
constexpr std::uint32_t max_slice = 2048;

/// A weight matrix B, as it lies in memory.
class WeightLayout
{
public:
	/// \pre k and n are not 0
	WeightLayout(Type type, std::uint32_t k, std::uint32_t n);

	/// Type of the weights, and of the features that they are multiplied with.
	Type type() const { return type_; }
	/// Rows of B, without padding.
	std::uint32_t k() const { return k_; }
	/// Columns of B, without padding: the output channels.
	std::uint32_t n() const { return n_; }
	/// N padded to the kernel group.
	std::uint32_t padded_n() const;
	/// K padded to 32.
	std::uint32_t padded_k() const;
	/// Number of slices of K.
	std::uint32_t slices() const;
	/// First k of slice @p slice; slices() gives the padded K.
	std::uint32_t slice_begin(std::uint32_t slice) const;
	/// Byte offset of slice @p slice.
	std::size_t slice_offset(std::uint32_t slice) const;
	/// Size in bytes.
	std::size_t bytes() const;

private:
	Type type_;
	std::uint32_t k_;
	std::uint32_t n_;
};

/// Bytes of @p m rows of features for weights of @p layout.
std::size_t feature_bytes(const WeightLayout &layout, std::uint32_t m);

/// Bytes of the partial results of @p m rows.
std::size_t result_bytes(const WeightLayout &layout, std::uint32_t m);

/// Pack weights. @p rows is B transposed: n rows of k elements, as language
/// models store them. Padding becomes 0.
/// \pre rows has n * k * element_bytes bytes, out has layout.bytes() and is
/// aligned to 16
void pack_weights(const WeightLayout &layout, std::span<const std::byte> rows,
		  std::span<std::byte> out);

/// Rows of B transposed that are packed together: output channels of a kernel group.
std::uint32_t group_rows(const WeightLayout &layout);

/// Pack group @p group of the weights, so that a matrix need not be in memory as a whole.
/// Groups write to different bytes of @p out: several threads may pack one matrix.
/// \pre rows has the rows from group * group_rows() on, as many as there are, at most
/// group_rows(); out as of pack_weights()
void pack_weights_group(const WeightLayout &layout, std::uint32_t group,
			std::span<const std::byte> rows, std::span<std::byte> out);

/// Pack @p m rows of k elements. Padding becomes 0.
/// \pre rows has m * k * element_bytes bytes, out has feature_bytes() and is
/// aligned to 16
void pack_features(const WeightLayout &layout, std::uint32_t m, std::span<const std::byte> rows,
		   std::span<std::byte> out);

/// Add the partial results and put them in rows of n.
/// \pre partial has result_bytes(), rows has m * n elements
void gather_results(const WeightLayout &layout, std::uint32_t m,
		    std::span<const std::int32_t> partial, std::span<std::int32_t> rows);
/// The same of fp16, whose results are floats.
/// \pre partial has result_bytes(), rows has m * n elements
void gather_results(const WeightLayout &layout, std::uint32_t m, std::span<const float> partial,
		    std::span<float> rows);

/// A part of a multiplication that one task computes.
struct Tile {
	/// Which of the multiplications that share their features.
	std::uint32_t matmul = 0;
	/// Slice of K.
	std::uint32_t slice = 0;
	/// First row.
	std::uint32_t m0 = 0;
	/// Rows.
	std::uint32_t m = 0;
	/// First output channel.
	std::uint32_t n0 = 0;
	/// Output channels, padded ones included.
	std::uint32_t n = 0;
	/// Banks for features; weights get the rest.
	std::uint32_t data_banks = 0;
	/// Reuse the features that the previous task of the lane has loaded.
	bool data_reuse = false;
};

/// Work of a plan.
struct PlanCost {
	/// Multiply-accumulates, without padding.
	std::uint64_t macs = 0;
	/// Bytes of weights, features and results over the bus.
	std::uint64_t bytes = 0;
};

/// Tiles of each core, in order.
struct Plan {
	/// Rows of the features.
	std::uint32_t m = 0;
	/// Tiles of each core, in the order in which they run.
	std::vector<std::vector<Tile>> lanes;
	/// Work of all tiles.
	PlanCost cost;
};

/// Plan the multiplication of @p m rows with all of @p weights, which share
/// type and k, on up to @p cores cores. Output channels are divided evenly.
/// \pre m is not 0, weights is not empty, cores is not 0
Plan plan_matmul(std::span<const WeightLayout> weights, std::uint32_t m, std::uint32_t cores);

/// As plan_matmul(), for the output channels from @p first[i] on of weights[i]. The
/// results of those before are not written.
/// \pre first has a multiple of group_rows() below n() for each matrix
Plan plan_matmul(std::span<const WeightLayout> weights, std::span<const std::uint32_t> first,
		 std::uint32_t m, std::uint32_t cores);

/// Device addresses of a multiplication, multiples of 16.
struct Addresses {
	/// What pack_features() has written.
	std::uint32_t features = 0;
	/// What pack_weights() has written.
	std::uint32_t weights = 0;
	/// Where results go: result_bytes(), or accumulated_bytes() of emit_accumulated().
	std::uint32_t results = 0;
};

/// The command stream of a tile of a plan for @p m rows.
std::vector<std::uint64_t> emit(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
				const Addresses &addresses);

/// Type of the sums of int8 products; fp32 is the nearest to the exact sum.
enum class Sum : std::uint8_t {
	/// The sum itself.
	int32,
	/// The nearest fp32.
	fp32,
};

/// Whether the device can add up the slices of @p weights.
/// \retval EOPNOTSUPP they are fp16, or K is so large that sums could exceed 32 bits
Result<void> can_accumulate(const WeightLayout &weights);

/// Bytes of results that the device adds up: the sums, and the partial results of
/// one slice.
std::size_t accumulated_bytes(const WeightLayout &layout, std::uint32_t m);

/// The tasks of a tile that leave the sums of all slices so far in the first
/// padded N x m of the results, as rows of one slice: int32, and @p sum after the
/// last slice. Tiles must run in the order of their plan.
/// \pre can_accumulate(weights); the results have accumulated_bytes()
std::vector<Task> emit_accumulated(const WeightLayout &weights, std::uint32_t m, const Tile &tile,
				   const Addresses &addresses, Sum sum);

/// Put sums of the device in rows of n.
/// \pre sums has padded N x m elements, rows has m * n
void unpack_sums(const WeightLayout &layout, std::uint32_t m, std::span<const std::int32_t> sums,
		 std::span<std::int32_t> rows);
/// The same of Sum::fp32.
/// \pre sums has padded N x m elements, rows has m * n
void unpack_sums(const WeightLayout &layout, std::uint32_t m, std::span<const float> sums,
		 std::span<float> rows);

} // namespace npu::rknn
#pragma GCC visibility pop
