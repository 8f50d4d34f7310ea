/* SPDX-License-Identifier: MIT */
/*
 * Layers whose K the generator cuts into slices, bit for bit, on a device without a
 * kernel or on that of NPU_TEST_DEVICE.
 */
#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <engine/engine.h>

#include "any_device.h"
#include "exact.h"

namespace npu
{

namespace
{

using model_test::float_to_half;
using model_test::half_value;

/// Rows of k numbers each.
struct Rows {
	std::vector<float> values;
	std::uint32_t count;
	std::uint32_t k;

	std::span<const float> row(std::size_t i) const
	{
		return std::span(values).subspan(i * k, k);
	}
};

Rows random_rows(std::uint32_t count, std::uint32_t k, unsigned int seed)
{
	std::mt19937 random(seed);
	std::normal_distribution<float> normal;
	Rows rows{std::vector<float>(std::size_t{count} * k), count, k};

	std::ranges::generate(rows.values, [&] { return normal(random); });
	return rows;
}

float largest(std::span<const float> row)
{
	return std::abs(*std::ranges::max_element(row, {}, [](float x) { return std::abs(x); }));
}

/// Rounds @p row times @p factor to integers and clamps them to -most to most.
std::vector<std::int64_t> quantised(std::span<const float> row, float factor, float most)
{
	std::vector<std::int64_t> whole;

	for (const float x : row)
		whole.push_back(std::lrint(std::clamp(x * factor, -most, most)));
	return whole;
}

/// The exact result of quantising @p x to @p steps steps and @p weights to 127 steps.
std::vector<float> exact_int(const Rows &weights, const Rows &x, float steps)
{
	std::vector<float> y;

	for (std::size_t row = 0; row < x.count; row++) {
		const float factor = steps / largest(x.row(row));
		const auto a = quantised(x.row(row), factor, steps);

		for (std::size_t n = 0; n < weights.count; n++) {
			const float scale = largest(weights.row(n)) / 127.0F;
			const auto b = quantised(weights.row(n), 1.0F / scale, 127.0F);
			std::int64_t high = 0;
			std::int64_t low = 0;

			for (std::size_t i = 0; i < a.size(); i++) {
				/* A single int8 only has the low part. */
				const std::int64_t h = steps > 127.0F ? (a[i] + 64) >> 7 : 0;
				high += h * b[i];
				low += (a[i] - 128 * h) * b[i];
			}
			y.push_back((128.0F * static_cast<float>(high) + static_cast<float>(low)) *
				    (1.0F / factor * scale));
		}
	}
	return y;
}

std::vector<std::uint16_t> halves(std::span<const float> row)
{
	std::vector<std::uint16_t> result;

	for (const float x : row)
		result.push_back(float_to_half(x));
	return result;
}

/// The exact result of splitting @p x into two fp16 and rounding @p weights to fp16.
std::vector<float> exact_fp16(const Rows &weights, const Rows &x)
{
	const rknn::WeightLayout layout(rknn::Type::fp16, weights.k, weights.count);
	std::vector<float> y;

	for (std::size_t row = 0; row < x.count; row++) {
		const float factor = std::ldexp(1.0F, 13 - std::ilogb(largest(x.row(row))));
		std::vector<std::uint16_t> high;
		std::vector<std::uint16_t> low;

		for (const float value : x.row(row)) {
			high.push_back(float_to_half(value * factor));
			low.push_back(float_to_half(value * factor -
						    static_cast<float>(half_value(high.back()))));
		}
		for (std::size_t n = 0; n < weights.count; n++) {
			const auto b = halves(weights.row(n));
			y.push_back(
				(test::dot_fp16(layout, high, b) + test::dot_fp16(layout, low, b)) /
				factor);
		}
	}
	return y;
}

std::vector<float> exact(Precision precision, const Rows &weights, const Rows &x)
{
	if (precision == Precision::fp16)
		return exact_fp16(weights, x);
	return exact_int(weights, x, precision == Precision::int8 ? 127.0F : 16256.0F);
}

struct Size {
	std::uint32_t m;
	/// Output channels of each layer.
	std::vector<std::uint32_t> n;
	std::uint32_t k;
	std::uint32_t slices;
};

class EngineSlicesTest : public testing::TestWithParam<Precision>
{
protected:
	/// Runs layers of @p size as one submit.
	void check(const Size &size)
	{
		const Precision precision = GetParam();
		const Rows x = random_rows(size.m, size.k, 1);
		std::vector<Rows> weights;
		std::vector<Linear> layers;
		std::vector<const Linear *> chosen;
		std::vector<std::vector<float>> y;
		std::vector<std::span<float>> results;

		for (const std::uint32_t n : size.n) {
			weights.push_back(random_rows(n, size.k, n + 1));
			auto layer = Linear::create(device_, weights.back().values, n, size.k,
						    precision);
			ASSERT_TRUE(layer) << layer.error().message;
			ASSERT_EQ(layer->layout().slices(), size.slices);
			layers.push_back(std::move(*layer));
			y.emplace_back(std::size_t{size.m} * n);
		}
		for (std::size_t i = 0; i < layers.size(); i++) {
			chosen.push_back(&layers[i]);
			results.emplace_back(y[i]);
		}
		auto engine = Engine::create(device_);
		ASSERT_TRUE(engine) << engine.error().message;
		const auto done = engine->multiply(chosen, size.m, x.values, results);
		ASSERT_TRUE(done) << done.error().message;
		for (std::size_t i = 0; i < layers.size(); i++)
			EXPECT_EQ(y[i], exact(precision, weights[i], x)) << "layer " << i;
	}

	void SetUp() override
	{
		auto device = test::any_device();
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
	}

	Device device_;
};

/* One slice of the largest size, one channel more, slices of unequal sizes. */
TEST_P(EngineSlicesTest, AddUpExactly)
{
	const Size sizes[] = {{1, {33}, 2048, 1},     {3, {17}, 2049, 2}, {2, {1}, 2080, 2},
			      {5, {31, 40}, 4096, 2}, {1, {65}, 4100, 3}, {7, {15}, 5000, 3}};

	for (const Size &size : sizes) {
		SCOPED_TRACE("k = " + std::to_string(size.k));
		check(size);
	}
}

INSTANTIATE_TEST_SUITE_P(Precisions, EngineSlicesTest,
			 testing::Values(Precision::int8, Precision::int8x2, Precision::fp16),
			 [](const auto &instance) {
				 return std::string(precision_name(instance.param));
			 });

} // namespace

} // namespace npu
