/* SPDX-License-Identifier: MIT */
/*
 * Tensors, operations and plans, on a device without a kernel or that of NPU_TEST_DEVICE,
 * against plain loops over plain tensors.
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <engine/numeric.h>
#include <engine/operation.h>

#include "any_device.h"
#include "operation.h"

namespace npu
{
namespace
{

using Bytes = std::vector<std::int8_t>;
using rknn::Shape;
using rknn::Type;
using testing::HasSubstr;

std::span<const std::byte> as_bytes(const Bytes &values)
{
	return std::as_bytes(std::span(values));
}

/// Small numbers, so that sums of products do not saturate.
Bytes small(std::mt19937 &random, std::size_t count)
{
	Bytes values(count);

	for (std::int8_t &value : values)
		value = static_cast<std::int8_t>(test::pick(random, 0, 4)) - 2;
	return values;
}

class OperationTest : public testing::Test
{
protected:
	void SetUp() override
	{
		auto device = test::any_device();
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
		auto context = Context::create(device_);
		ASSERT_TRUE(context) << context.error().message;
		context_ = std::move(*context);
	}

	Tensor tensor(const TensorLayout &layout)
	{
		auto made = Tensor::create(device_, layout);
		EXPECT_TRUE(made) << made.error().message;
		return *made;
	}
	Tensor output_of(const Operation &operation)
	{
		auto layout = output_layout(operation);
		EXPECT_TRUE(layout) << layout.error().message;
		return tensor(*layout);
	}
	/// The inputs of @p operation with @p values.
	template <typename T>
	std::vector<Tensor> inputs_of(const Operation &operation,
				      std::initializer_list<std::vector<T>> values)
	{
		auto layouts = input_layouts(operation);
		EXPECT_TRUE(layouts) << layouts.error().message;
		EXPECT_EQ(layouts->size(), values.size());
		std::vector<Tensor> tensors;
		for (const std::vector<T> &plain : values) {
			tensors.push_back(tensor((*layouts)[tensors.size()]));
			auto written = tensors.back().write(std::span<const T>(plain));
			EXPECT_TRUE(written) << written.error().message;
		}
		return tensors;
	}
	void run(std::span<const Step> steps)
	{
		auto plan = Plan::create(device_, steps);
		ASSERT_TRUE(plan) << plan.error().message;
		auto ran = plan->run(context_);
		ASSERT_TRUE(ran) << ran.error().message;
		EXPECT_TRUE(ran->ended());
	}
	template <typename T>
	std::vector<T> values_of(const Tensor &tensor)
	{
		std::vector<T> values(tensor.layout().elements());
		auto read = tensor.read(std::span<T>(values));
		EXPECT_TRUE(read) << read.error().message;
		return values;
	}
	/// Runs @p operation on @p inputs.
	template <typename T, typename U>
	std::vector<U> result(const Operation &operation,
			      std::initializer_list<std::vector<T>> inputs)
	{
		const Tensor output = output_of(operation);
		const Step steps[] = {{operation, inputs_of<T>(operation, inputs), output}};

		run(steps);
		return values_of<U>(output);
	}
	/// The error of creating a plan of @p step.
	Error refused(const Step &step)
	{
		auto plan = Plan::create(device_, {&step, 1});

		EXPECT_FALSE(plan);
		return plan ? Error{} : plan.error();
	}

	Device device_;
	Context context_;
	std::mt19937 random_{5};
};

/// A 3x3 convolution with padding and biases, as loops.
Bytes convolved(const Bytes &x, const Bytes &weights, const std::vector<std::int32_t> &bias,
		const Shape &shape)
{
	Bytes y;

	for (int row = 0; row < static_cast<int>(shape.height); row++)
		for (int column = 0; column < static_cast<int>(shape.width); column++)
			for (std::size_t channel = 0; channel < bias.size(); channel++) {
				std::int64_t sum = bias[channel];
				for (int dy = 0; dy < 3; dy++)
					for (int dx = 0; dx < 3; dx++) {
						const int in_y = row + dy - 1;
						const int in_x = column + dx - 1;
						if (in_y < 0 || in_x < 0 ||
						    in_y >= static_cast<int>(shape.height) ||
						    in_x >= static_cast<int>(shape.width))
							continue;
						const std::size_t pixel =
							static_cast<std::size_t>(in_y) *
								shape.width +
							static_cast<std::size_t>(in_x);
						const std::size_t tap =
							channel * 9 +
							static_cast<std::size_t>(dy * 3 + dx);
						for (std::size_t c = 0; c < shape.channels; c++)
							sum += x[pixel * shape.channels + c] *
							       weights[tap * shape.channels + c];
					}
				y.push_back(static_cast<std::int8_t>(test::clamp_int8(sum)));
			}
	return y;
}

Convolution three_by_three(const Shape &input, std::uint32_t channels, const Bytes &weights)
{
	Convolution layer;

	layer.shape.input = input;
	layer.shape.output_channels = channels;
	layer.shape.kernel = {3, 3};
	layer.shape.pads = {1, 1, 1, 1};
	layer.weights = as_bytes(weights);
	return layer;
}

TEST_F(OperationTest, Convolution)
{
	const Shape shape{9, 7, 5};
	const Bytes x = small(random_, std::size_t{9} * 7 * 5);
	const Bytes weights = small(random_, std::size_t{33} * 9 * 5);
	std::vector<std::int32_t> bias(33);
	for (std::int32_t &value : bias)
		value = static_cast<std::int32_t>(test::pick(random_, 0, 40)) - 20;
	Convolution layer = three_by_three(shape, 33, weights);
	layer.bias = std::span<const std::int32_t>(bias);

	EXPECT_EQ((result<std::int8_t, std::int8_t>(layer, {x})),
		  convolved(x, weights, bias, shape));

	layer.bias = {};
	std::ranges::fill(bias, 0);
	EXPECT_EQ((result<std::int8_t, std::int8_t>(layer, {x})),
		  convolved(x, weights, bias, shape));
}

TEST_F(OperationTest, ConvolutionWithResidual)
{
	const Shape shape{6, 6, 8};
	const Bytes x = small(random_, std::size_t{36} * 8);
	const Bytes residual = small(random_, std::size_t{36} * 16);
	const Bytes weights = small(random_, std::size_t{16} * 9 * 8);
	Convolution layer = three_by_three(shape, 16, weights);
	layer.shape.residual = true;

	Bytes expected = convolved(x, weights, std::vector<std::int32_t>(16), shape);
	for (std::size_t i = 0; i < expected.size(); i++)
		expected[i] = static_cast<std::int8_t>(test::clamp_int8(expected[i] + residual[i]));
	EXPECT_EQ((result<std::int8_t, std::int8_t>(layer, {x, residual})), expected);
}

/// y = x * transposed(w).
template <typename T, typename U>
std::vector<U> multiplied(const std::vector<T> &x, const std::vector<T> &w, std::size_t m,
			  std::size_t k, std::size_t n)
{
	std::vector<U> y(m * n);

	for (std::size_t row = 0; row < m; row++)
		for (std::size_t column = 0; column < n; column++)
			for (std::size_t i = 0; i < k; i++)
				y[row * n + column] += static_cast<U>(x[row * k + i]) *
						       static_cast<U>(w[column * k + i]);
	return y;
}

TEST_F(OperationTest, Int8MatrixProduct)
{
	/* The last one has a K of several slices, which the device adds up. */
	for (const auto &[m, k, n] :
	     {std::array{1U, 32U, 32U}, std::array{5U, 100U, 70U}, std::array{3U, 4100U, 40U}}) {
		const Bytes x = test::random_int8(random_, std::size_t{m} * k);
		const Bytes weights = test::random_int8(random_, std::size_t{n} * k);
		const MatrixProduct product{Type::int8, m, k, n, as_bytes(weights)};

		EXPECT_EQ((result<std::int8_t, std::int32_t>(product, {x})),
			  (multiplied<std::int8_t, std::int32_t>(x, weights, m, k, n)))
			<< m << ' ' << k << ' ' << n;
	}
}

TEST_F(OperationTest, Fp16MatrixProduct)
{
	/* Integers, whose sums fp32 holds exactly. */
	const std::uint32_t m = 4;
	const std::uint32_t k = 2100;
	const std::uint32_t n = 20;
	std::vector<float> x(std::size_t{m} * k);
	std::vector<float> w(std::size_t{n} * k);
	for (float &value : x)
		value = static_cast<float>(test::pick(random_, 0, 10)) - 5;
	for (float &value : w)
		value = static_cast<float>(test::pick(random_, 0, 10)) - 5;
	const auto halves = [](const std::vector<float> &values) {
		std::vector<std::uint16_t> bits(values.size());
		to_fp16(values, 1, bits);
		return bits;
	};
	const auto weights = halves(w);
	const MatrixProduct product{Type::fp16, m, k, n, std::as_bytes(std::span(weights))};

	EXPECT_EQ((result<std::uint16_t, float>(product, {halves(x)})),
		  (multiplied<float, float>(x, w, m, k, n)));
}

TEST_F(OperationTest, PoolingElementwiseAndTable)
{
	const Shape shape{8, 8, 20};
	const Bytes a = test::random_int8(random_, std::size_t{64} * 20);
	const Bytes b = test::random_int8(random_, std::size_t{64} * 20);
	rknn::Elementwise sum;
	sum.shape = shape;
	rknn::Pooling pooling;
	pooling.input = shape;
	pooling.kernel = {2, 2};
	pooling.stride = {2, 2};
	rknn::TableActivation table;
	table.function = rknn::Function::tanh;
	table.shape = {4, 4, 20};
	table.input = {1.0F / 32, 0};
	table.output = {1.0F / 127, 0};

	const Tensor sums = output_of(sum);
	const Tensor pooled = output_of(pooling);
	const Tensor out = output_of(table);
	const Step steps[] = {{sum, inputs_of<std::int8_t>(sum, {a, b}), sums},
			      {pooling, {sums}, pooled},
			      {table, {pooled}, out}};
	run(steps);

	Bytes expected;
	for (std::size_t y = 0; y < 8; y += 2)
		for (std::size_t x = 0; x < 8; x += 2)
			for (std::size_t c = 0; c < 20; c++) {
				std::int64_t most = -128;
				for (const std::size_t pixel :
				     {y * 8 + x, y * 8 + x + 1, y * 8 + x + 8, y * 8 + x + 9})
					most = std::max(most, test::clamp_int8(a[pixel * 20 + c] +
									       b[pixel * 20 + c]));
				const double value =
					std::tanh(static_cast<double>(most) / 32) * 127;
				expected.push_back(static_cast<std::int8_t>(std::lround(value)));
			}
	EXPECT_EQ(values_of<std::int8_t>(out), expected);
}

TEST_F(OperationTest, PlansRunOftenAndOutliveWhatTheyWereMadeOf)
{
	Bytes weights(32 * 32);
	for (std::size_t i = 0; i < 32; i++)
		weights[i * 32 + i] = 3;
	MatrixProduct product{Type::int8, 2, 32, 32, as_bytes(weights)};
	const auto plan = [&] {
		const Step steps[] = {{product, inputs_of<std::int8_t>(product, {Bytes(64)}),
				       output_of(product)}};
		return Plan::create(device_, steps);
	}();
	ASSERT_TRUE(plan) << plan.error().message;
	std::ranges::fill(weights, std::int8_t{0});
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(plan->run(context_));

	/* The plan has its own weights: the zeros above do not matter. */
	Bytes identity(32 * 32);
	for (std::size_t i = 0; i < 32; i++)
		identity[i * 32 + i] = 1;
	product.weights = as_bytes(identity);
	const auto x = inputs_of<std::int8_t>(product, {Bytes(64, 7)});
	const Tensor out = output_of(product);
	const Step steps[] = {{product, x, out}};
	const auto own = Plan::create(device_, steps);
	ASSERT_TRUE(own);
	std::ranges::fill(identity, std::int8_t{0});
	ASSERT_TRUE(own->run(context_));
	EXPECT_EQ(values_of<std::int32_t>(out), std::vector<std::int32_t>(64, 7));
}

TEST_F(OperationTest, RefusesWhatDoesNotFit)
{
	const Bytes weights(32 * 32);
	const MatrixProduct product{Type::int8, 1, 32, 32, as_bytes(weights)};
	const auto x = inputs_of<std::int8_t>(product, {Bytes(32)});
	const Tensor y = output_of(product);

	EXPECT_THAT(refused({product, {}, y}).message, HasSubstr("step 0: 0 inputs"));
	EXPECT_THAT(refused({product, {y}, y}).message, HasSubstr("input 0 has another layout"));
	EXPECT_THAT(refused({product, x, x[0]}).message, HasSubstr("shares memory"));
	MatrixProduct less = product;
	less.weights = less.weights.first(5);
	EXPECT_THAT(refused({less, x, y}).message, HasSubstr("5 bytes of weights, not 1024"));
	EXPECT_EQ(Plan::create(device_, {}).error().code, EINVAL);
	const Step steps[] = {{product, x, y}};
	EXPECT_EQ(Plan::create(device_, steps, {.cores = 33}).error().code, EINVAL);

	Convolution layer = three_by_three({4, 4, 1}, 1, Bytes(9));
	const std::vector<float> floats(1);
	const std::vector<std::int32_t> two(2);
	const Bytes nine(9);
	layer.weights = as_bytes(nine);
	const auto in = inputs_of<std::int8_t>(layer, {Bytes(16)});
	layer.bias = std::span<const float>(floats);
	EXPECT_THAT(refused({layer, in, output_of(layer)}).message, HasSubstr("floats"));
	layer.bias = std::span<const std::int32_t>(two);
	EXPECT_THAT(refused({layer, in, output_of(layer)}).message, HasSubstr("2 biases, not 1"));
	layer.shape.kernel = {9, 9};
	EXPECT_EQ(output_layout(layer).error().code, EINVAL);
}

TEST_F(OperationTest, TensorsCheckWhatTheyAreGiven)
{
	EXPECT_EQ(TensorLayout::map(Type::int8, {0, 1, 1}).error().code, EINVAL);
	EXPECT_EQ(TensorLayout::rows(Type::int8, 0, 1).error().code, EINVAL);
	EXPECT_EQ(TensorLayout::rows(Type::int8, 1U << 20U, 1U << 20U).error().code, EOPNOTSUPP);
	EXPECT_EQ(TensorLayout::products(Type::fp16, 1, 0, 1).error().code, EINVAL);
	EXPECT_EQ(TensorLayout::products(Type::fp16, 1U << 20U, 1, 1U << 20U).error().code,
		  EOPNOTSUPP);

	const auto layout = TensorLayout::map(Type::int8, {3, 2, 4});
	ASSERT_TRUE(layout);
	const Tensor map = tensor(*layout);
	Bytes values = test::random_int8(random_, 24);
	std::vector<float> floats(24);
	EXPECT_TRUE(map.write(std::span<const std::int8_t>(values)));
	EXPECT_EQ(values_of<std::int8_t>(map), values);
	EXPECT_EQ(map.read(std::span(floats)).error().code, EINVAL);
	values.pop_back();
	EXPECT_EQ(map.write(std::span<const std::int8_t>(values)).error().code, EINVAL);
	EXPECT_EQ(
		tensor(*TensorLayout::rows(Type::int8, 1, 24)).read(std::span(values)).error().code,
		EINVAL);

	auto buffer = Buffer::create(device_, 4096);
	ASSERT_TRUE(buffer);
	EXPECT_EQ(Tensor::over(*buffer->view(4000, 96), *layout).error().code, EINVAL);
	/* This size suffices to read the tensor, but not to write it. */
	auto least = Tensor::over(*buffer->view(0, layout->read_bytes()), *layout);
	ASSERT_TRUE(least);
	EXPECT_LT(layout->read_bytes(), layout->bytes());
	rknn::Elementwise sum;
	sum.shape = {3, 2, 4};
	EXPECT_THAT(refused({sum, {map, map}, *least}).message, HasSubstr("in memory of"));
	EXPECT_EQ(Tensor::over(*buffer->view(8, 4088), *layout).error().code, EINVAL);
	EXPECT_TRUE(Tensor::over(*buffer->view(16, 4080), *layout));
}

} // namespace
} // namespace npu
