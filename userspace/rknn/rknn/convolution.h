/* SPDX-License-Identifier: MIT */
/*
 * Convolutions as command streams: direct and depthwise, int8 and fp16, with bias,
 * requantisation, residual addition and activation in the same pass.
 *
 * Limits of the hardware, each of which plan_convolution() names when a shape is
 * beyond it: input and output up to 2047 pixels wide and high, kernels up to 31 x
 * 31, strides up to 7, dilation up to 32, up to 15 rows above and columns to the
 * left, 8192 output channels a task, 512 KiB a kernel. The convolution buffer of
 * 384 KiB must hold the input rows of one output row beside one kernel group of
 * weights: 32 kernels (int8) or 16 (fp16), all of them if depthwise.
 *
 * int8 arithmetic, all of it exact:
 *
 *   sum = bias + sum over the window of (x - zero_x) * (w - zero_w)
 *   v = sum						one weight scale
 *   v = sum * factor[channel] / 2^shift		one scale a channel
 *   v = v + (r - zero_r) * residual			residual r
 *   v = max(v, 0)					ReLU, ReLU6
 *   v = min(v, ceiling)				ReLU6
 *   y = v * output + zero_y, saturated
 *
 * Each division rounds to nearest, ties to even. Pixels outside of the input are
 * zero_x. plan.requantisations() has the integers that stand for the scales.
 *
 * fp16 arithmetic: products of 32 channels of one window position are summed
 * exactly and rounded to fp32, such sums are added in fp32, then bias, residual,
 * ReLU and ReLU6 follow in fp32, then one rounding to fp16.
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
#include "rknn/tensor.h"
#include "rknn/type.h"

namespace npu::rknn
{

/// A convolution. Of int8 the quantisations matter, of fp16 they do not.
struct Convolution {
	Type type = Type::int8;
	Shape input = {};
	/// Kernels; a depthwise convolution has as many as input channels.
	std::uint32_t output_channels = 1;
	/// Each channel has a kernel of its own.
	bool depthwise = false;
	Extent kernel;
	Extent stride;
	Extent dilation;
	Pads pads;
	Activation activation = Activation::none;
	/// A feature map of the output's shape is added before the activation.
	bool residual = false;
	Quantisation input_quantisation;
	Quantisation output_quantisation;
	Quantisation residual_quantisation;
	/// One scale for all weights, or one for each output channel.
	std::vector<float> weight_scales = {1.0F};
	std::int32_t weight_zero_point = 0;
};

/// The shape of the results.
/// \pre the kernel fits the padded input
Shape output_shape(const Convolution &convolution);

/// The integers that a run of output channels is requantised with.
struct Requantisation {
	std::uint32_t channel = 0;
	std::uint32_t channels = 0;
	/// Bits that the product with the factor of a channel loses.
	std::uint32_t shift = 0;
	/// 0 to 32767 for each of the channels; empty if they have one scale.
	std::vector<std::uint32_t> factors;
	Multiplier output;
	Multiplier residual;
	/// Upper bound of ReLU6; 0 if the results saturate below it.
	std::uint32_t ceiling = 0;
};

/// A part of a convolution that one task computes.
struct ConvolutionTile {
	/// Output channels, padded ones included.
	std::uint32_t channel = 0;
	std::uint32_t channels = 0;
	/// Output rows.
	std::uint32_t out_y = 0;
	std::uint32_t out_height = 0;
	/// Input rows, and the rows of padding above them.
	std::uint32_t in_y = 0;
	std::uint32_t in_height = 0;
	std::uint32_t pad_top = 0;
	/// Banks for features; weights get the rest.
	std::uint32_t data_banks = 0;
	/// The task before it on the core has left its weights there.
	bool weight_reuse = false;
	/// Which of the requantisations it has.
	std::uint32_t requantisation = 0;
};

/// Tiles of each core, in order.
class ConvolutionPlan
{
public:
	const Convolution &convolution() const { return convolution_; }
	const Layout &input() const { return input_; }
	/// Also the layout of the residual.
	const Layout &output() const { return output_; }
	/// Output channels that are computed: padded to kernel groups.
	std::uint32_t padded_channels() const;
	/// Input channels of a kernel, with padding.
	std::uint32_t kernel_channels() const;
	/// Bytes of the packed weights.
	std::size_t weight_bytes() const;
	/// Bytes of the packed biases and factors.
	std::size_t bias_bytes() const;
	const std::vector<Requantisation> &requantisations() const { return requantisations_; }
	const std::vector<std::vector<ConvolutionTile>> &lanes() const { return lanes_; }

private:
	friend Result<ConvolutionPlan> plan_convolution(const Convolution &convolution,
							std::uint32_t cores);
	ConvolutionPlan(const Convolution &convolution, const Shape &output);

	Convolution convolution_;
	Layout input_;
	Layout output_;
	std::vector<Requantisation> requantisations_;
	std::vector<std::vector<ConvolutionTile>> lanes_;
};

/// Plan @p convolution on up to @p cores cores.
/// \retval EINVAL sizes, quantisations or cores make no sense
/// \retval EOPNOTSUPP a size is beyond a limit of the hardware
/// \retval ERANGE scales are too far apart for the device's integers
Result<ConvolutionPlan> plan_convolution(const Convolution &convolution, std::uint32_t cores);

/// Pack weights: [kernel][y][x][channel], depthwise [y][x][channel].
/// \pre weights has all elements, out has plan.weight_bytes()
void pack_weights(const ConvolutionPlan &plan, std::span<const std::byte> weights,
		  std::span<std::byte> out);

/// Pack what each output channel has of its own: biases, in units of input scale *
/// weight scale, and factors. The weights make up for the zero points.
/// \pre weights and bias have all elements, out has plan.bias_bytes()
/// \retval ERANGE a bias is above 2^15 times the number of products
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
	std::uint32_t input = 0;
	std::uint32_t weights = 0;
	std::uint32_t bias = 0;
	/// Must not be the output: the engines read ahead of the results.
	std::uint32_t residual = 0;
	std::uint32_t output = 0;
};

/// The tasks of each core.
std::vector<Lane> emit(const ConvolutionPlan &plan, const ConvolutionAddresses &addresses);

} // namespace npu::rknn
