/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Convolutions as command streams: direct and depthwise, int8 and fp16, with bias,
 * requantisation, residual addition and activation in the same pass.
 *
 * plan_convolution() rejects what exceeds a limit of the hardware, and names the
 * limit: maps up to 2047 pixels wide, 65472 input channels, kernels up to 31 x 31 and
 * 512 KiB each, strides up to 7, dilation up to 32, padding up to 15 above and to
 * the left. The convolution buffer of 384 KiB must hold the input rows of one output
 * row beside one kernel group of weights: 32 kernels (int8) or 16 (fp16), or all
 * weights if depthwise.
 *
 * int8 arithmetic, all of it exact:
 *
 * @code{.unparsed}
 *   sum = bias + sum over the window of (x - zero_x) * (w - zero_w)
 *   v = sum                                            one weight scale
 *   v = sum * factor[channel] / 2^shift                one scale a channel
 *   v = v + (r - zero_r) * residual                    residual r
 *   v = max(v, 0)                                      ReLU, ReLU6
 *   v = min(v, ceiling)                                ReLU6
 *   y = v * output + zero_y, saturated
 * @endcode
 *
 * Each division rounds to nearest, ties to even. Pixels outside of the input are
 * zero_x. plan.requantisations() has the integers that stand for the scales.
 *
 * fp16 arithmetic: products of 32 channels of one window position are summed
 * exactly and rounded to fp32, such sums are added in fp32, then bias, residual,
 * ReLU and ReLU6 follow in fp32, then one rounding to fp16.
 *
 * Evidence: int8 convolutions have the registers of Mesa's, factors of channels
 * those that GN measured, fp16 those of open matmul drivers. Assumed, from the
 * manual alone: the upper bound of ReLU6, biases of fp16 as fp32.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <npu/error.h>
#include <npu/task.h>

#include "rknn/activation.h"
#include "rknn/quantisation.h"
#include "rknn/registers.h"
#include "rknn/tensor.h"
#include "rknn/type.h"

#pragma GCC visibility push(default)
namespace npu::rknn
{

/// A convolution. fp16 ignores quantisations, weight scales and zero points.
struct Convolution {
	/// Type of input, weights, residual and results.
	Type type = Type::int8;
	/// Shape of the input: up to 2047 columns and 65472 channels.
	Shape input = {};
	/// Number of kernels; the number of input channels if depthwise.
	std::uint32_t output_channels = 1;
	/// Convolve each channel with a kernel of its own.
	bool depthwise = false;
	/// Columns and rows of a kernel: 1 to 31.
	Extent kernel = {};
	/// Pixels from one window to the next: 1 to 7.
	Extent stride = {};
	/// Pixels from one tap of a kernel to the next: 1 to 32; 1 leaves none out.
	Extent dilation = {};
	/// Padding of the input: left and top 0 to 15, and all less than what the kernel spans
	/// with its dilation.
	Pads pads = {};
	/// What follows the convolution and the residual.
	Activation activation = Activation::none;
	/// Add a feature map of the output's shape before the activation.
	bool residual = false;
	/// Scale and zero point of the input.
	Quantisation input_quantisation = {};
	/// Scale and zero point of the results.
	Quantisation output_quantisation = {};
	/// Scale and zero point of the residual, if there is one.
	Quantisation residual_quantisation = {};
	/// One scale for all weights, or one for each output channel.
	std::vector<float> weight_scales = {1.0F};
	/// Zero point of all weights: -128 to 127.
	std::int32_t weight_zero_point = 0;
};

/// The shape of the results.
/// \pre the kernel fits the padded input
Shape output_shape(const Convolution &convolution);

/// The integers that requantise a run of output channels.
struct Requantisation {
	/// First output channel of the run.
	std::uint32_t channel = 0;
	/// Output channels of the run, padded ones included.
	std::uint32_t channels = 0;
	/// Right shift of a product with a channel's factor.
	std::uint32_t shift = 0;
	/// One factor for each channel, 0 to 32767; empty if all have one scale.
	std::vector<std::uint32_t> factors;
	/// From the unit of v to the output's scale.
	Multiplier output;
	/// From the residual's scale to the unit of v, if there is a residual.
	Multiplier residual;
	/// Upper bound of ReLU6; 0 where saturation is the tighter bound.
	std::uint32_t ceiling = 0;
};

/// A part of a convolution that one task computes.
struct ConvolutionTile {
	/// First output channel.
	std::uint32_t channel = 0;
	/// Output channels, padded ones included.
	std::uint32_t channels = 0;
	/// First output row.
	std::uint32_t out_y = 0;
	/// Output rows.
	std::uint32_t out_height = 0;
	/// First input row.
	std::uint32_t in_y = 0;
	/// Input rows.
	std::uint32_t in_height = 0;
	/// Rows of padding above the input rows.
	std::uint32_t pad_top = 0;
	/// Banks for features; weights get the rest.
	std::uint32_t data_banks = 0;
	/// Reuse the weights that the previous task of the lane has loaded.
	bool weight_reuse = false;
	/// Index into ConvolutionPlan::requantisations().
	std::uint32_t requantisation = 0;
};

/// A convolution, checked and divided into tasks for each core.
class ConvolutionPlan
{
public:
	/// The convolution that was planned.
	const Convolution &convolution() const { return convolution_; }
	/// Layout of the input.
	const Layout &input() const { return input_; }
	/// Layout of the results, and of the residual.
	const Layout &output() const { return output_; }
	/// Output channels, padded to kernel groups.
	std::uint32_t padded_channels() const;
	/// Input channels of a kernel, with padding.
	std::uint32_t kernel_channels() const;
	/// Bytes of the packed weights.
	std::size_t weight_bytes() const;
	/// Bytes of the packed biases and factors.
	std::size_t bias_bytes() const;
	/// Runs of output channels, in their order, which together are all padded ones. Of fp16
	/// it has one, whose integers are not used.
	const std::vector<Requantisation> &requantisations() const { return requantisations_; }
	/// Tiles of each core, in order.
	const std::vector<std::vector<ConvolutionTile>> &lanes() const { return lanes_; }

private:
	friend Result<ConvolutionPlan> plan_convolution(const Convolution &convolution,
							std::uint32_t cores,
							std::uint32_t most_data_banks);
	ConvolutionPlan(const Convolution &convolution, const Shape &output);

	Convolution convolution_;
	Layout input_;
	Layout output_;
	std::vector<Requantisation> requantisations_;
	std::vector<std::vector<ConvolutionTile>> lanes_;
};

/// Plan @p convolution on up to @p cores cores. A task has up to @p most_data_banks banks
/// of the convolution buffer for features, to reproduce the schedules of other compilers.
/// \retval EINVAL a size is 0 or does not fit the others, a quantisation is invalid, or
/// there are no cores
/// \retval EOPNOTSUPP a size is beyond a limit of the hardware
/// \retval ERANGE scales are too far apart for the device's integers
Result<ConvolutionPlan> plan_convolution(const Convolution &convolution, std::uint32_t cores,
					 std::uint32_t most_data_banks = cbuf_banks);

/// Pack weights: [kernel][y][x][channel], depthwise [y][x][channel].
/// \pre weights has all elements, out has plan.weight_bytes()
void pack_weights(const ConvolutionPlan &plan, std::span<const std::byte> weights,
		  std::span<std::byte> out);

/// Pack the biases, in units of input scale * weight scale, and factors of the output
/// channels. The weights are needed to fold the input's zero point into the biases.
/// \pre weights and bias have all elements, out has plan.bias_bytes()
/// \retval ERANGE a bias is above 2^15 times the products of a sum
/// \retval EINVAL the plan's type is fp16
Result<void> pack_bias(const ConvolutionPlan &plan, std::span<const std::int8_t> weights,
		       std::span<const std::int32_t> bias, std::span<std::byte> out);

/// Pack biases of an fp16 convolution.
/// \pre bias has all elements, out has plan.bias_bytes()
/// \retval EINVAL the plan's type is int8
Result<void> pack_bias(const ConvolutionPlan &plan, std::span<const float> bias,
		       std::span<std::byte> out);

/// Device addresses of a convolution, multiples of 16.
struct ConvolutionAddresses {
	/// A map of ConvolutionPlan::input().
	std::uint32_t input = 0;
	/// What pack_weights() has written.
	std::uint32_t weights = 0;
	/// What pack_bias() has written.
	std::uint32_t bias = 0;
	/// A map of ConvolutionPlan::output(), not used without a residual. Must not be the
	/// output: the engines read ahead of the results.
	std::uint32_t residual = 0;
	/// A map of ConvolutionPlan::output(), which is written.
	std::uint32_t output = 0;
};

/// The tasks of each core.
std::vector<Lane> emit(const ConvolutionPlan &plan, const ConvolutionAddresses &addresses);

} // namespace npu::rknn
#pragma GCC visibility pop
