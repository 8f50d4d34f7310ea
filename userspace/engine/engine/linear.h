/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Linear layers whose weights stay on the NPU's side.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <npu/buffer.h>
#include <npu/device.h>
#include <npu/error.h>
#include <rknn/matmul.h>

#include "engine/workers.h"

#pragma GCC visibility push(default)
namespace npu
{

/// How a layer computes. Weights of int8 have a scale for each output channel.
enum class Precision : std::uint8_t {
	/// int8 activations, a scale for each row.
	int8,
	/// Activations of 15 bits as two int8 halves over the same weights; twice
	/// the rows, which cost nothing where the weights' bytes bound the time.
	int8x2,
	/// fp16 weights, activations of 22 bits as two fp16 halves: as accurate as
	/// float where the weights are fp16 already.
	fp16,
};

/// The precision called @p name: "int8", "int8x2" or "fp16".
/// \retval EINVAL no such precision
Result<Precision> precision_from(std::string_view name);

/// The name of @p precision.
std::string_view precision_name(Precision precision);

/// Rows that the NPU multiplies for each row of activations.
constexpr std::uint32_t rows_per_row(Precision precision)
{
	return precision == Precision::int8 ? 1 : 2;
}

/// The weights of y = W x, packed once. Moves, does not copy. Engines of the same open
/// device may share a layer.
class Linear
{
public:
	/// Writes row @p row of the weights, k floats, to @p out. Called from several
	/// threads at a time if there are.
	using Source = std::function<void(std::uint32_t row, std::span<float> out)>;

	/// Options of a new layer.
	struct Options {
		/// How the layer computes.
		Precision precision = Precision::int8;
		/// Rotate weights and activations; see rotate() in transfer.h. int8 then
		/// loses far less by activations of which a few are much larger than the
		/// rest, for a pass over the activations more.
		bool rotate = false;
		/// Threads that pack; nullptr for the caller's only.
		Workers *workers = nullptr;
		/// What traces call the layer; its size if empty.
		std::string name = {}; // NOLINT(readability-redundant-member-init)
	};

	/// Pack n rows of k weights each, as @p source tells them; a few rows at a time
	/// are in memory.
	/// \retval EINVAL n or k is 0, a weight is not finite, or too large for fp16
	/// \retval ENOMEM, ENOSPC, E2BIG the device has no room
	static Result<Linear> pack(const Device &device, const Source &source, std::uint32_t n,
				   std::uint32_t k, const Options &options);

	/// Pack @p rows, n rows of k weights each.
	/// \retval EINVAL as pack(), or rows has another size
	/// \retval ENOMEM, ENOSPC, E2BIG the device has no room
	static Result<Linear> create(const Device &device, std::span<const float> rows,
				     std::uint32_t n, std::uint32_t k, Precision precision,
				     std::string name = {});

	/// Number of the layer: no other of this process has had it.
	std::uint64_t id() const { return id_; }
	/// Output channels: rows of W.
	std::uint32_t n() const { return layout_.n(); }
	/// Numbers of an activation: columns of W.
	std::uint32_t k() const { return layout_.k(); }
	/// How the layer computes.
	Precision precision() const { return precision_; }
	/// Whether weights and activations are rotated; see Options::rotate.
	bool rotated() const { return rotated_; }
	/// How the packed weights lie in buffer().
	const rknn::WeightLayout &layout() const { return layout_; }
	/// What traces call the layer: Options::name, or "linear NxK".
	const std::string &name() const { return name_; }
	/// The packed weights.
	const Buffer &buffer() const { return buffer_; }
	/// Their device address.
	std::uint32_t address() const { return buffer_.address(); }
	/// Scale of each output channel; ones for fp16.
	std::span<const float> scales() const { return scales_; }

private:
	Linear(rknn::WeightLayout layout, const Options &options, Buffer buffer);
	template <typename T>
	Result<void> pack_rows(const Source &source, Workers &workers);

	rknn::WeightLayout layout_;
	Precision precision_;
	bool rotated_;
	std::uint64_t id_;
	std::string name_;
	Buffer buffer_;
	std::vector<float> scales_;
};

} // namespace npu
#pragma GCC visibility pop
