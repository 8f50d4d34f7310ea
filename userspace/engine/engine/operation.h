/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Operations on tensors, and plans that run them on the NPU.
 *
 * @code
 * npu::Convolution layer;                        // 3x3, 16 to 32 channels
 * layer.shape.input = {28, 28, 16};
 * layer.shape.output_channels = 32;
 * layer.shape.kernel = {3, 3};
 * layer.shape.pads = {1, 1, 1, 1};
 * layer.weights = std::as_bytes(std::span(weights));
 * auto in = npu::Tensor::create(*device, npu::input_layouts(layer)->front());
 * auto out = npu::Tensor::create(*device, *npu::output_layout(layer));
 * const npu::Step steps[] = {{layer, {*in}, *out}};
 * auto plan = npu::Plan::create(*device, steps);
 * auto ran = plan->run(context, npu::Deadline::in(std::chrono::seconds(1)));
 * @endcode
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include <npu/buffer.h>
#include <npu/context.h>
#include <npu/deadline.h>
#include <npu/device.h>
#include <npu/error.h>
#include <npu/fence.h>
#include <npu/job.h>
#include <npu/status.h>
#include <npu/wait.h>
#include <rknn/convolution.h>
#include <rknn/elementwise.h>
#include <rknn/lut.h>
#include <rknn/matmul.h>
#include <rknn/pooling.h>

#include "engine/tensor.h"

#pragma GCC visibility push(default)
namespace npu
{

/// A convolution of a map, and of a residual if it has one. The spans are only looked at
/// while a plan is made.
struct Convolution {
	/// Its shape, quantisations and activation.
	rknn::Convolution shape;
	/// Elements in the order [kernel][y][x][channel], depthwise [y][x][channel].
	std::span<const std::byte> weights;
	/// One for each output channel; std::monostate is all zeros. int8 takes integers in
	/// units of input scale * weight scale, fp16 takes floats.
	std::variant<std::monostate, std::span<const std::int32_t>, std::span<const float>> bias;
};

/// The product of a matrix of m rows with one of k times n. The span is only looked at
/// while a plan is made.
struct MatrixProduct {
	/// Type of both factors; the results are int32 of int8, fp32 of fp16.
	rknn::Type type = rknn::Type::int8;
	/// Rows of the left factor.
	std::uint32_t m = 1;
	/// Elements of a row of the left factor.
	std::uint32_t k = 1;
	/// Elements of a row of the results.
	std::uint32_t n = 1;
	/// The right factor transposed: n rows of k elements.
	std::span<const std::byte> weights;
};

/// What the NPU can do with tensors. rknn's headers have the arithmetic and limits of each.
using Operation = std::variant<Convolution, MatrixProduct, rknn::Pooling, rknn::Elementwise,
			       rknn::TableActivation>;

/// The layouts of what @p operation takes: of a convolution the map and, if there is one,
/// the residual; of an elementwise operation a and b; of the others one.
/// @retval EINVAL a size is 0, or the kernel exceeds the map
/// @retval EOPNOTSUPP a tensor exceeds the device's address space of 4 GiB
Result<std::vector<TensorLayout>> input_layouts(const Operation &operation);

/// The layout of what @p operation gives.
/// @retval EINVAL, EOPNOTSUPP as input_layouts()
Result<TensorLayout> output_layout(const Operation &operation);

/// An operation and its tensors.
struct Step {
	/// The operation.
	Operation operation;
	/// Its inputs, of input_layouts().
	std::vector<Tensor> inputs;
	/// Its result, of output_layout(). Shares no memory with the inputs.
	Tensor output;
};

/// Operations that are prepared once and run often, each after the one before. Moves, does
/// not copy. It has its own copy of the weights, and keeps its tensors alive.
///
/// Thread safety: all calls but moves may come from any thread.
class Plan
{
public:
	/// Options of a new plan.
	struct Options {
		/// Cores that share each operation; 0 means all.
		std::uint32_t cores = 0;
	};

	/// Makes a job of each of @p steps on @p device, with a packed copy of its weights.
	/// @retval EINVAL no steps, more cores than there are, tensors of another number,
	/// layout or with shared memory, weights or biases of the wrong size, or what the
	/// generators of rknn refuse; the message begins with the step
	/// @retval EOPNOTSUPP, ERANGE an operation is beyond what the hardware can do
	/// @retval ENOMEM, ENOSPC, E2BIG the device has no room
	static Result<Plan> create(const Device &device, std::span<const Step> steps,
				   const Options &options);
	/// As create(), with the defaults of Options.
	static Result<Plan> create(const Device &device, std::span<const Step> steps)
	{
		return create(device, steps, Options());
	}

	/// Queue all steps in @p context, and return while they run. As Context::submit().
	/// @retval E2BIG more steps than a submit may have jobs
	Result<Fence> submit(Context &context, const SubmitOptions &options = {}) const;
	/// Run all steps and wait until they have ended, or until @p deadline, by which they
	/// should have ended. They go on after a timeout.
	WaitResult<JobStatus> run(Context &context, Deadline deadline = Deadline::never()) const;

	/// Number of steps. Each is a job of a submit.
	std::size_t steps() const { return jobs_.size(); }

private:
	Plan() = default;

	std::vector<Job> jobs_;
	/// What the jobs use.
	std::vector<Tensor> tensors_;
	std::vector<Buffer> constants_;
};

} // namespace npu
#pragma GCC visibility pop
