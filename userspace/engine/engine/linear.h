/* SPDX-License-Identifier: MIT */
/*
 * Linear layers whose weights stay on the NPU's side.
 */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <npu/buffer.h>
#include <npu/device.h>
#include <npu/error.h>
#include <rknn/matmul.h>

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

/// The weights of y = W x, packed once. Moves, does not copy.
class Linear
{
public:
	/// Pack @p rows, n rows of k weights each.
	/// \retval EINVAL n or k is 0, rows has another size, a weight is not
	/// finite, or too large for fp16
	/// \retval ENOMEM, ENOSPC, E2BIG the device has no room
	static Result<Linear> create(const Device &device, std::span<const float> rows,
				     std::uint32_t n, std::uint32_t k, Precision precision);

	std::uint32_t n() const { return layout_.n(); }
	std::uint32_t k() const { return layout_.k(); }
	Precision precision() const { return precision_; }
	const rknn::WeightLayout &layout() const { return layout_; }
	/// The packed weights.
	const Buffer &buffer() const { return buffer_; }
	/// Their device address.
	std::uint32_t address() const { return buffer_.address(); }
	/// Scale of each output channel; ones for fp16.
	std::span<const float> scales() const { return scales_; }

private:
	Linear(rknn::WeightLayout layout, Precision precision, Buffer buffer,
	       std::vector<float> scales)
		: layout_(layout), precision_(precision), buffer_(std::move(buffer)),
		  scales_(std::move(scales))
	{
	}

	rknn::WeightLayout layout_;
	Precision precision_;
	Buffer buffer_;
	std::vector<float> scales_;
};

} // namespace npu
