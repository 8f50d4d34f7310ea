/* SPDX-License-Identifier: MIT */
#include "engine_calls.h"

#include <cerrno>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include <engine/engine.h>
#include <engine/operation.h>

#include "random_floats.h"

namespace npu::test
{

namespace
{

constexpr std::uint32_t rows = 3;
constexpr std::uint32_t width = 64;

template <typename T>
T needed(Result<T> result)
{
	if (!result)
		throw std::runtime_error(result.error().message);
	return std::move(*result);
}

/// EILSEQ unless the results are @p right.
Error wrong(bool right)
{
	return right ? Error{} : Error{EILSEQ, "wrong results"};
}

/// A layer, activations and their expected product.
class Product
{
public:
	Product(const Device &device, Precision precision)
		: layer_(needed(Linear::create(device, weights(), width, width, precision))),
		  expected_(std::size_t{rows} * width), y_(expected_.size())
	{
		Engine engine = needed(Engine::create(device));

		if (const Error error = multiply(engine); error.code && error.code != EILSEQ)
			throw std::runtime_error(error.message);
		expected_ = y_;
	}

	static std::vector<float> weights() { return random_floats(std::size_t{width} * width, 7); }

	Error multiply(Engine &engine)
	{
		const Linear *const layers[] = {&layer_};
		const std::span<float> results[] = {y_};

		if (auto done = engine.multiply(layers, rows, x_, results); !done)
			return error_of(std::move(done));
		return wrong(y_ == expected_);
	}
	/// The same by start(), wait() and fetch().
	Error multiply_in_steps(Engine &engine)
	{
		const Operand operand{&layer_, 0};

		if (auto done = engine.start({&operand, 1}, rows, {x_, width}, {.fence = true});
		    !done)
			return error_of(std::move(done));
		auto file = engine.fd();
		auto waited = engine.wait();
		if (!waited)
			return error_of(std::move(waited));
		if (!file)
			return error_of(std::move(file));
		if (auto done = engine.fetch(0, {y_, width}); !done)
			return error_of(std::move(done));
		return wrong(y_ == expected_);
	}

private:
	Linear layer_;
	std::vector<float> x_ = random_floats(std::size_t{rows} * width, 8);
	std::vector<float> expected_;
	std::vector<float> y_;
};

/// One operation of each kind, with its tensors.
class Operations
{
public:
	explicit Operations(const Device &device) : context_(needed(Context::create(device)))
	{
		Convolution convolution;
		rknn::Pooling pooling;
		rknn::Elementwise sum;
		rknn::TableActivation table;

		convolution.shape.input = map_;
		convolution.shape.output_channels = map_.channels;
		convolution.weights = std::as_bytes(std::span(weights_));
		pooling.input = map_;
		pooling.kernel = {2, 2};
		pooling.stride = {2, 2};
		sum.shape = map_;
		table.shape = map_;
		table.function = rknn::Function::tanh;
		table.input = {1.0F / 32, 0};
		table.output = {1.0F / 127, 0};
		const MatrixProduct product{rknn::Type::int8, 2, map_.channels, map_.channels,
					    std::as_bytes(std::span(weights_))};
		for (const Operation &operation :
		     {Operation(convolution), Operation(pooling), Operation(sum), Operation(table),
		      Operation(product)}) {
			std::vector<Tensor> inputs;

			for (const TensorLayout &layout : needed(input_layouts(operation)))
				inputs.push_back(needed(Tensor::create(device, layout)));
			steps_.push_back(
				{operation, std::move(inputs),
				 needed(Tensor::create(device, needed(output_layout(operation))))});
		}
	}

	Result<Plan> plan(const Device &device) const { return Plan::create(device, steps_); }
	Error run(const Plan &plan) { return error_of(plan.run(context_)); }
	const Tensor &input() const { return steps_.front().inputs.front(); }

private:
	rknn::Shape map_{4, 4, 32};
	std::vector<std::int8_t> weights_ = std::vector<std::int8_t>(std::size_t{32} * 32, 1);
	Context context_;
	std::vector<Step> steps_;
};

/// An object that the copies of a std::function share.
template <typename T, typename... Arguments>
std::shared_ptr<T> shared(Arguments &&...arguments)
{
	return std::make_shared<T>(std::forward<Arguments>(arguments)...);
}

std::function<Error()> prepare_create(const Device &device)
{
	return [device] {
		return error_of(Engine::create(device, {.threads = 3}));
	};
}

std::function<Error()> prepare_pack(const Device &device, Precision precision)
{
	const auto weights = shared<std::vector<float>>(Product::weights());

	return [device, precision, weights] {
		return error_of(Linear::create(device, *weights, width, width, precision));
	};
}

std::function<Error()> prepare_multiply(const Device &device, Precision precision)
{
	const auto product = shared<Product>(device, precision);
	const auto engine = shared<Engine>(needed(Engine::create(device, {.threads = 2})));

	return [product, engine] {
		return product->multiply(*engine);
	};
}

std::function<Error()> prepare_steps(const Device &device)
{
	const auto product = shared<Product>(device, Precision::int8);
	const auto engine = shared<Engine>(needed(Engine::create(device, {.max_jobs = 1})));

	return [product, engine] {
		return product->multiply_in_steps(*engine);
	};
}

std::function<Error()> prepare_statistics(const Device &device)
{
	const auto engine = shared<Engine>(needed(Engine::create(device)));

	return [engine] {
		return error_of(engine->statistics());
	};
}

std::function<Error()> prepare_class(const Device &device)
{
	const auto engine = shared<Engine>(needed(Engine::create(device)));

	return [engine] {
		return error_of(engine->set_class(SchedClass::latency));
	};
}

std::function<Error()> prepare_tensor(const Device &device)
{
	const auto operations = shared<Operations>(device);
	const auto values =
		shared<std::vector<std::int8_t>>(operations->input().layout().elements(), 1);

	return [device, operations, values] {
		const Tensor &tensor = operations->input();
		const std::span<std::int8_t> all(*values);

		if (auto made = Tensor::create(device, tensor.layout()); !made)
			return error_of(std::move(made));
		if (auto written = tensor.write(std::span<const std::int8_t>(all)); !written)
			return error_of(std::move(written));
		if (auto read = tensor.read(all); !read)
			return error_of(std::move(read));
		return Error{};
	};
}

std::function<Error()> prepare_plan(const Device &device)
{
	const auto operations = shared<Operations>(device);

	return [device, operations] {
		return error_of(operations->plan(device));
	};
}

std::function<Error()> prepare_run(const Device &device)
{
	const auto operations = shared<Operations>(device);
	const auto plan = shared<Plan>(needed(operations->plan(device)));

	return [plan, operations] {
		return operations->run(*plan);
	};
}

} // namespace

std::vector<EngineCall> engine_calls()
{
	std::vector<EngineCall> calls{
		{"Engine::create", prepare_create},
		{"Engine::start", prepare_steps},
		{"Engine::statistics", prepare_statistics},
		{"Engine::set_class", prepare_class},
		{"Tensor", prepare_tensor},
		{"Plan::create", prepare_plan},
		/* Fence::wait() succeeds without the times of the job. */
		{"Plan::run", prepare_run, true},
	};

	for (const Precision precision : {Precision::int8, Precision::int8x2, Precision::fp16}) {
		const std::string name(precision_name(precision));

		calls.push_back({"Linear::pack, " + name, [precision](const Device &device) {
					 return prepare_pack(device, precision);
				 }});
		calls.push_back({"Engine::multiply, " + name, [precision](const Device &device) {
					 return prepare_multiply(device, precision);
				 }});
	}
	return calls;
}

} // namespace npu::test
