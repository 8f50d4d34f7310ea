/* SPDX-License-Identifier: MIT */
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include <rknn/registers.h>

#include "engine/operation.h"

namespace npu
{
namespace
{

/// Biases begin at a multiple of this after the weights.
constexpr std::size_t bias_align = 64;

Result<TensorLayout> output_of(const Convolution &convolution)
{
	auto plan = rknn::plan_convolution(convolution.shape, 1);

	if (!plan)
		return forward(plan);
	return TensorLayout::map(convolution.shape.type, plan->output().shape());
}

Result<TensorLayout> output_of(const MatrixProduct &product)
{
	return TensorLayout::products(product.type, product.m, product.k, product.n);
}

Result<TensorLayout> output_of(const rknn::Pooling &pooling)
{
	/* rknn::emit() also checks that the window fits. */
	if (auto lanes = rknn::emit(pooling, {}, 1); !lanes)
		return forward(lanes);
	return TensorLayout::map(pooling.type, rknn::output_shape(pooling));
}

Result<TensorLayout> output_of(const rknn::Elementwise &elementwise)
{
	return TensorLayout::map(elementwise.type, elementwise.shape);
}

Result<TensorLayout> output_of(const rknn::TableActivation &activation)
{
	return TensorLayout::map(activation.type, activation.shape);
}

using Layouts = std::vector<TensorLayout>;

/// @p count layouts like @p layout.
Result<Layouts> repeat(Result<TensorLayout> layout, std::size_t count)
{
	if (!layout)
		return forward(layout);
	return Layouts(count, *layout);
}

Result<Layouts> inputs_of(const Convolution &convolution)
{
	auto layouts =
		repeat(TensorLayout::map(convolution.shape.type, convolution.shape.input), 1);
	if (!layouts || !convolution.shape.residual)
		return layouts;
	auto residual = output_of(convolution);
	if (!residual)
		return forward(residual);
	layouts->push_back(*residual);
	return layouts;
}

Result<Layouts> inputs_of(const MatrixProduct &product)
{
	return repeat(TensorLayout::rows(product.type, product.m, product.k), 1);
}

Result<Layouts> inputs_of(const rknn::Pooling &pooling)
{
	return repeat(TensorLayout::map(pooling.type, pooling.input), 1);
}

Result<Layouts> inputs_of(const rknn::Elementwise &elementwise)
{
	return repeat(output_of(elementwise), 2);
}

Result<Layouts> inputs_of(const rknn::TableActivation &activation)
{
	return repeat(output_of(activation), 1);
}

/// Device, cores and tensors for which an operation is emitted.
struct Site {
	const Device &device;
	std::uint32_t cores;
	const std::vector<Tensor> &inputs;
	const Tensor &output;
	/// Receives the additional buffers of the streams.
	std::vector<Buffer> &constants;
};

using Lanes = std::vector<Lane>;

/// Creates a constant buffer of @p bytes bytes and fills it with @p fill.
template <typename Fill>
Result<std::uint32_t> constant(const Site &site, std::size_t bytes, const Fill &fill)
{
	auto buffer = Buffer::create(site.device, bytes, {.cached = true});
	if (!buffer)
		return forward(buffer);
	auto access = buffer->access(Buffer::Direction::write);
	if (!access)
		return forward(access);
	if (Result<void> filled = fill(access->bytes()); !filled)
		return forward(filled);
	if (auto handed = access->end(); !handed)
		return forward(handed);
	site.constants.push_back(std::move(*buffer));
	return site.constants.back().address();
}

Result<void> check_size(const char *what, std::size_t got, std::size_t wanted)
{
	if (got != wanted)
		return fail(EINVAL,
			    std::to_string(got) + " " + what + ", not " + std::to_string(wanted));
	return {};
}

/// The elements of the weights of @p plan.
std::size_t weight_elements(const rknn::ConvolutionPlan &plan)
{
	const rknn::Convolution &shape = plan.convolution();
	const std::size_t window = std::size_t{shape.kernel.width} * shape.kernel.height;

	return window * shape.input.channels * (shape.depthwise ? 1 : shape.output_channels);
}

Result<void> pack_bias(const rknn::ConvolutionPlan &plan, const Convolution &layer,
		       std::span<std::byte> out)
{
	const std::size_t channels = plan.convolution().output_channels;
	const bool none = std::holds_alternative<std::monostate>(layer.bias);

	if (plan.convolution().type == rknn::Type::fp16) {
		const auto *given = std::get_if<std::span<const float>>(&layer.bias);
		const std::vector<float> zeros(none ? channels : 0);

		if (!given && !none)
			return fail(EINVAL, "integers as the biases of an fp16 convolution");
		const std::span<const float> bias = given ? *given : zeros;
		if (auto ok = check_size("biases", bias.size(), channels); !ok)
			return ok;
		return rknn::pack_bias(plan, bias, out);
	}
	const auto *given = std::get_if<std::span<const std::int32_t>>(&layer.bias);
	const std::vector<std::int32_t> zeros(none ? channels : 0);

	if (!given && !none)
		return fail(EINVAL, "floats as the biases of an int8 convolution");
	const std::span<const std::int32_t> bias = given ? *given : zeros;
	if (auto ok = check_size("biases", bias.size(), channels); !ok)
		return ok;
	const auto *weights = reinterpret_cast<const std::int8_t *>(layer.weights.data());
	return rknn::pack_bias(plan, {weights, layer.weights.size()}, bias, out);
}

Result<Lanes> emit(const Convolution &layer, const Site &site)
{
	auto plan = rknn::plan_convolution(layer.shape, site.cores);
	if (!plan)
		return forward(plan);
	const std::size_t element = rknn::element_bytes(layer.shape.type);
	if (auto ok = check_size("bytes of weights", layer.weights.size(),
				 weight_elements(*plan) * element);
	    !ok)
		return forward(ok);
	const std::size_t bias_at =
		(plan->weight_bytes() + bias_align - 1) / bias_align * bias_align;
	auto constants = constant(site, bias_at + plan->bias_bytes(), [&](auto bytes) {
		rknn::pack_weights(*plan, layer.weights, bytes.first(plan->weight_bytes()));
		return pack_bias(*plan, layer, bytes.subspan(bias_at, plan->bias_bytes()));
	});
	if (!constants)
		return forward(constants);
	return rknn::emit(*plan, {.input = site.inputs[0].address(),
				  .weights = *constants,
				  .bias = static_cast<std::uint32_t>(*constants + bias_at),
				  .residual = layer.shape.residual ? site.inputs[1].address() : 0,
				  .output = site.output.address()});
}

Result<Lanes> emit(const MatrixProduct &product, const Site &site)
{
	const rknn::WeightLayout layout(product.type, product.k, product.n);
	const std::size_t element = rknn::element_bytes(product.type);
	if (auto ok = check_size("bytes of weights", product.weights.size(),
				 std::size_t{product.n} * product.k * element);
	    !ok)
		return forward(ok);
	auto weights = constant(site, layout.bytes(), [&](auto bytes) -> Result<void> {
		rknn::pack_weights(layout, product.weights, bytes.first(layout.bytes()));
		return {};
	});
	if (!weights)
		return forward(weights);

	const rknn::Addresses addresses{.features = site.inputs[0].address(),
					.weights = *weights,
					.results = site.output.address()};
	const rknn::Plan plan = rknn::plan_matmul({&layout, 1}, product.m, site.cores);
	const bool accumulate = rknn::can_accumulate(layout).has_value();
	Lanes lanes;
	for (const auto &tiles : plan.lanes) {
		Lane &lane = lanes.emplace_back();

		for (const rknn::Tile &tile : tiles) {
			if (accumulate)
				std::ranges::move(rknn::emit_accumulated(layout, product.m, tile,
									 addresses,
									 rknn::Sum::int32),
						  std::back_inserter(lane));
			else
				lane.push_back({rknn::emit(layout, product.m, tile, addresses),
						rknn::enable_convolution});
		}
	}
	return lanes;
}

Result<Lanes> emit(const rknn::Pooling &pooling, const Site &site)
{
	return rknn::emit(pooling,
			  {.input = site.inputs[0].address(), .output = site.output.address()},
			  site.cores);
}

Result<Lanes> emit(const rknn::Elementwise &elementwise, const Site &site)
{
	return rknn::emit(elementwise,
			  {.a = site.inputs[0].address(),
			   .b = site.inputs[1].address(),
			   .output = site.output.address()},
			  site.cores);
}

Result<Lanes> emit(const rknn::TableActivation &activation, const Site &site)
{
	/* Only some functions need the scratch map; allocate it for all. */
	auto scratch = constant(site, site.output.layout().bytes(),
				[](auto) -> Result<void> { return {}; });
	if (!scratch)
		return forward(scratch);
	return rknn::emit(activation,
			  {.input = site.inputs[0].address(),
			   .output = site.output.address(),
			   .scratch = *scratch},
			  site.cores);
}

bool overlap(const Tensor &a, const Tensor &b)
{
	const std::uint64_t a_end = std::uint64_t{a.address()} + a.memory().size();
	const std::uint64_t b_end = std::uint64_t{b.address()} + b.memory().size();

	return a.address() < b_end && b.address() < a_end;
}

/// Checks that the tensors of @p step match the layouts of its operation.
Result<void> check_tensors(const Step &step)
{
	auto inputs = input_layouts(step.operation);
	if (!inputs)
		return forward(inputs);
	auto output = output_layout(step.operation);
	if (!output)
		return forward(output);
	if (step.inputs.size() != inputs->size())
		return fail(EINVAL, std::to_string(step.inputs.size()) +
					    " inputs, the operation takes " +
					    std::to_string(inputs->size()));
	for (std::size_t i = 0; i < inputs->size(); i++) {
		if (step.inputs[i].layout() != (*inputs)[i])
			return fail(EINVAL, "input " + std::to_string(i) +
						    " has another layout than input_layouts()");
		if (overlap(step.inputs[i], step.output))
			return fail(EINVAL,
				    "the output shares memory with input " + std::to_string(i));
	}
	if (step.output.layout() != *output)
		return fail(EINVAL, "the output has another layout than output_layout()");
	if (step.output.memory().size() < output->bytes())
		return fail(EINVAL, "an output of " + std::to_string(output->bytes()) +
					    " bytes in memory of " +
					    std::to_string(step.output.memory().size()));
	return {};
}

/// The job of @p step.
Result<Job> make_job(const Device &device, const Step &step, std::uint32_t cores,
		     std::vector<Buffer> &constants)
{
	if (auto ok = check_tensors(step); !ok)
		return forward(ok);
	const Site site{device, cores, step.inputs, step.output, constants};
	auto lanes = std::visit([&](const auto &operation) { return emit(operation, site); },
				step.operation);
	if (!lanes)
		return forward(lanes);
	return Job::create(device, *lanes);
}

} // namespace

Result<std::vector<TensorLayout>> input_layouts(const Operation &operation)
{
	return std::visit([](const auto &known) { return inputs_of(known); }, operation);
}

Result<TensorLayout> output_layout(const Operation &operation)
{
	return std::visit([](const auto &known) { return output_of(known); }, operation);
}

Result<Plan> Plan::create(const Device &device, std::span<const Step> steps, const Options &options)
{
	const auto most = static_cast<std::uint32_t>(device.cores().size());
	const std::uint32_t cores = options.cores ? options.cores : most;

	if (steps.empty())
		return fail(EINVAL, "a plan without steps");
	if (cores > most || !cores)
		return fail(EINVAL, "a plan for " + std::to_string(cores) + " cores, there are " +
					    std::to_string(most));
	Plan plan;
	for (std::size_t i = 0; i < steps.size(); i++) {
		auto job = make_job(device, steps[i], cores, plan.constants_);

		if (!job) {
			const std::string where = "step " + std::to_string(i) + ": ";

			job.error().message.insert(0, where);
			return forward(job);
		}
		plan.jobs_.push_back(std::move(*job));
		plan.tensors_.push_back(steps[i].output);
		std::ranges::copy(steps[i].inputs, std::back_inserter(plan.tensors_));
	}
	return plan;
}

Result<Fence> Plan::submit(Context &context, const SubmitOptions &options) const
{
	std::vector<const Job *> jobs;

	jobs.reserve(jobs_.size());
	for (const Job &job : jobs_)
		jobs.push_back(&job);
	return context.submit(jobs, options);
}

WaitResult<JobStatus> Plan::run(Context &context, Deadline deadline) const
{
	auto fence = submit(context, {.deadline = deadline});

	if (!fence)
		return forward(fence);
	return fence->wait(deadline);
}

} // namespace npu
