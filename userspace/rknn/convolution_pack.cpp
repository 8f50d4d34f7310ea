/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "blocks.h"
#include "rknn/convolution.h"
#include "rknn/registers.h"

namespace npu::rknn
{

namespace
{

/// Number of channels in a record of operands, the size of a record and the offset of the factors
/// in it (measured, GN). Summands are at offset 0.
constexpr std::uint32_t record_channels = 8;
constexpr std::uint32_t record_bytes = 64;
constexpr std::uint32_t record_factors = 48;
/// Bytes of a summand.
constexpr std::uint32_t summand_bytes = 4;

/// Depthwise: [C / 64 or 32][y][x][64 or 32].
void pack_depthwise(const ConvolutionPlan &plan, const std::byte *weights, std::byte *out)
{
	const Convolution &c = plan.convolution();
	const std::size_t bytes = element_bytes(c.type);
	const std::size_t group = plan.input().atom_channels() * std::size_t{4};
	const std::size_t window = std::size_t{c.kernel.width} * c.kernel.height;

	for (std::size_t first = 0; first < c.input.channels; first += group) {
		const std::size_t count = std::min(group, c.input.channels - first);

		for (std::size_t tap = 0; tap < window; tap++)
			std::memcpy(out + (first * window + tap * group) * bytes,
				    weights + (tap * c.input.channels + first) * bytes,
				    count * bytes);
	}
}

/// Direct: [kernels / G][C / 32][y][x][G][32], the last 32 perhaps 16.
void pack_direct(const ConvolutionPlan &plan, const std::byte *weights, std::byte *out)
{
	const Convolution &c = plan.convolution();
	const std::size_t bytes = element_bytes(c.type);
	const std::size_t group = kernel_group(c.type);
	const std::size_t window = std::size_t{c.kernel.width} * c.kernel.height;
	const std::size_t channels = c.input.channels;

	for (std::size_t kernel = 0; kernel < c.output_channels; kernel++) {
		const std::byte *from = weights + kernel * window * channels * bytes;
		std::byte *to =
			out + kernel / group * group * window * plan.kernel_channels() * bytes;

		for (std::size_t first = 0; first < channels; first += channel_slice) {
			const std::size_t lanes = std::min<std::size_t>(
				channel_slice, plan.kernel_channels() - first);
			const std::size_t count = std::min(lanes, channels - first);

			for (std::size_t tap = 0; tap < window; tap++) {
				std::memcpy(to + kernel % group * lanes * bytes,
					    from + (tap * channels + first) * bytes, count * bytes);
				to += group * lanes * bytes;
			}
		}
	}
}

/// Byte offset of the summand of @p channel.
std::size_t summand_offset(bool records, std::size_t channel)
{
	return records ? channel / record_channels * record_bytes +
				 channel % record_channels * summand_bytes
		       : channel * summand_bytes;
}

bool has_records(const ConvolutionPlan &plan)
{
	return !plan.requantisations().front().factors.empty();
}

/// The sum of a kernel's weights, less their zero point.
std::int64_t weight_sum(const Convolution &c, std::span<const std::int8_t> weights,
			std::size_t kernel)
{
	const std::size_t window = std::size_t{c.kernel.width} * c.kernel.height;
	const std::size_t count = c.depthwise ? window : window * c.input.channels;
	std::int64_t sum = 0;

	for (std::size_t i = 0; i < count; i++)
		sum += weights[c.depthwise ? i * c.input.channels + kernel : kernel * count + i];
	return sum - static_cast<std::int64_t>(count) * c.weight_zero_point;
}

void put_factors(const ConvolutionPlan &plan, std::span<std::byte> out)
{
	for (const Requantisation &run : plan.requantisations())
		for (std::size_t i = 0; i < run.factors.size(); i++) {
			const std::size_t channel = run.channel + i;
			const auto factor = static_cast<std::int16_t>(run.factors[i]);

			std::memcpy(out.data() + channel / record_channels * record_bytes +
					    record_factors +
					    channel % record_channels * sizeof(factor),
				    &factor, sizeof(factor));
		}
}

} // namespace

std::size_t ConvolutionPlan::bias_bytes() const
{
	const std::size_t channels = padded_channels();

	return has_records(*this) ? channels / record_channels * record_bytes
				  : channels * summand_bytes;
}

void pack_weights(const ConvolutionPlan &plan, std::span<const std::byte> weights,
		  std::span<std::byte> out)
{
	const Convolution &c = plan.convolution();
	/* A zero of int8 weights is their zero point, also in padding: then sums of
	 * inputs, which cover padding, cancel it. */
	const int zero = c.type == Type::int8 ? c.weight_zero_point : 0;

	assert(weights.size() >= std::size_t{c.kernel.width} * c.kernel.height * c.output_channels *
					 (c.depthwise ? 1 : c.input.channels) *
					 element_bytes(c.type));
	assert(out.size() >= plan.weight_bytes());
	std::memset(out.data(), zero, plan.weight_bytes());
	if (c.depthwise)
		pack_depthwise(plan, weights.data(), out.data());
	else
		pack_direct(plan, weights.data(), out.data());
}

Result<void> pack_bias(const ConvolutionPlan &plan, std::span<const std::int8_t> weights,
		       std::span<const std::int32_t> bias, std::span<std::byte> out)
{
	const Convolution &c = plan.convolution();
	const bool records = has_records(plan);
	const std::int64_t products = std::int64_t{c.kernel.width} * c.kernel.height *
				      (c.depthwise ? 1 : c.input.channels);

	if (c.type != Type::int8)
		return fail(EINVAL, "convolution: integer biases for fp16");
	assert(bias.size() >= c.output_channels && out.size() >= plan.bias_bytes());
	std::memset(out.data(), 0, plan.bias_bytes());
	for (std::size_t kernel = 0; kernel < c.output_channels; kernel++) {
		const std::int64_t sum = bias[kernel] - c.input_quantisation.zero_point *
								weight_sum(c, weights, kernel);

		if ((records && std::abs(std::int64_t{bias[kernel]}) > products << 15) ||
		    sum > std::numeric_limits<std::int32_t>::max() ||
		    sum < std::numeric_limits<std::int32_t>::min())
			return fail(ERANGE, "convolution: the bias of channel " +
						    std::to_string(kernel) + " is too large");
		const auto summand = static_cast<std::int32_t>(sum);
		std::memcpy(out.data() + summand_offset(records, kernel), &summand,
			    sizeof(summand));
	}
	put_factors(plan, out);
	return {};
}

Result<void> pack_bias(const ConvolutionPlan &plan, std::span<const float> bias,
		       std::span<std::byte> out)
{
	const Convolution &c = plan.convolution();

	if (c.type != Type::fp16)
		return fail(EINVAL, "convolution: biases in fp32 for int8");
	assert(bias.size() >= c.output_channels && out.size() >= plan.bias_bytes());
	std::memset(out.data(), 0, plan.bias_bytes());
	std::memcpy(out.data(), bias.data(), c.output_channels * sizeof(float));
	return {};
}

} // namespace npu::rknn
