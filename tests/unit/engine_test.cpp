/* SPDX-License-Identifier: MIT */
/*
 * libnpu and the engine on a device without a kernel, or on that of NPU_TEST_DEVICE.
 */
#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <engine/engine.h>
#include <engine/numeric.h>

#include "any_device.h"
#include "fake_driver.h"
#include "random_floats.h"

namespace npu
{

namespace
{

/// y = W x in double.
std::vector<double> reference(std::span<const float> weights, std::span<const float> x,
			      std::uint32_t m, std::uint32_t n, std::uint32_t k)
{
	std::vector<double> y(std::size_t{m} * n);

	for (std::size_t row = 0; row < m; row++)
		for (std::size_t i = 0; i < n; i++)
			for (std::size_t j = 0; j < k; j++)
				y[row * n + i] += static_cast<double>(weights[i * k + j]) *
						  static_cast<double>(x[row * k + j]);
	return y;
}

class EngineTest : public testing::Test
{
protected:
	void SetUp() override
	{
		auto device = test::any_device();
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
	}

	/// Relative error of a layer of @p precision, root mean square.
	double error(Precision precision, std::uint32_t m, std::uint32_t n, std::uint32_t k)
	{
		const auto weights = test::random_floats(std::size_t{n} * k, 1);
		const auto x = test::random_floats(std::size_t{m} * k, 2);
		auto layer = Linear::create(device_, weights, n, k, precision);
		auto engine = Engine::create(device_);
		EXPECT_TRUE(layer && engine);
		std::vector<float> y(std::size_t{m} * n);
		const Linear *const layers[] = {&*layer};
		const std::span<float> results[] = {y};
		const auto done = engine->multiply(layers, m, x, results);
		EXPECT_TRUE(done) << done.error().message;

		const auto expected = reference(weights, x, m, n, k);
		double difference = 0;
		double size = 0;
		for (std::size_t i = 0; i < y.size(); i++) {
			difference += std::pow(static_cast<double>(y[i]) - expected[i], 2);
			size += expected[i] * expected[i];
		}
		return std::sqrt(difference / size);
	}

	Device device_;
};

/// Tests that need a device without a kernel.
class FakeEngineTest : public testing::Test
{
protected:
	void SetUp() override
	{
		if (test::on_real_device())
			GTEST_SKIP() << "not for a real device";
		driver_ = std::make_shared<test::FakeDriver>();
		auto device = Device::create(driver_);
		ASSERT_TRUE(device) << device.error().message;
		device_ = *device;
	}

	std::shared_ptr<test::FakeDriver> driver_;
	Device device_;
};

TEST_F(EngineTest, PrecisionsAreAsExactAsTheirBits)
{
	for (const std::uint32_t m : {1U, 3U, 64U}) {
		const double int8 = error(Precision::int8, m, 70, 300);
		const double int8x2 = error(Precision::int8x2, m, 70, 300);
		const double fp16 = error(Precision::fp16, m, 70, 300);

		/* Rounding to 127 steps of three sigma: about 0.7 % an operand. */
		EXPECT_GT(int8, 0.003);
		EXPECT_LT(int8, 0.02);
		/* Only the weights' rounding error is left. */
		EXPECT_LT(int8x2, int8 * 0.85);
		/* Weights have 11 bits; activations twice as many. */
		EXPECT_LT(fp16, 5e-4);
	}
}

TEST_F(EngineTest, Fp16WeightsLoseNothing)
{
	constexpr std::uint32_t n = 33;
	constexpr std::uint32_t k = 500;
	auto weights = test::random_floats(std::size_t{n} * k, 3);
	std::vector<std::uint16_t> halves(weights.size());
	to_fp16(weights, 1.0F, halves);
	from_fp16(halves, weights);
	const auto x = test::random_floats(k, 4);
	auto layer = Linear::create(device_, weights, n, k, Precision::fp16);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(layer && engine);
	std::vector<float> y(n);
	const Linear *const layers[] = {&*layer};
	const std::span<float> results[] = {y};
	ASSERT_TRUE(engine->multiply(layers, 1, x, results));

	const auto expected = reference(weights, x, 1, n, k);
	for (std::size_t i = 0; i < n; i++)
		EXPECT_NEAR(static_cast<double>(y[i]), expected[i], 2e-5);
}

TEST_F(EngineTest, LayersThatShareTheirInputAreOneSubmit)
{
	constexpr std::uint32_t k = 64;
	const auto x = test::random_floats(k, 5);
	auto engine = Engine::create(device_);
	std::vector<Linear> layers;
	std::vector<std::vector<float>> weights;
	for (const std::uint32_t n : {64U, 32U, 40U}) {
		weights.push_back(test::random_floats(std::size_t{n} * k, n));
		auto layer = Linear::create(device_, weights.back(), n, k, Precision::int8);
		ASSERT_TRUE(layer);
		layers.push_back(std::move(*layer));
	}
	std::vector<const Linear *> chosen;
	std::vector<std::vector<float>> y;
	std::vector<std::span<float>> results;
	for (const Linear &layer : layers) {
		chosen.push_back(&layer);
		y.emplace_back(layer.n());
	}
	for (auto &values : y)
		results.emplace_back(values);
	ASSERT_TRUE(engine->multiply(chosen, 1, x, results));

	for (std::size_t i = 0; i < layers.size(); i++) {
		const auto expected = reference(weights[i], x, 1, layers[i].n(), k);
		for (std::size_t j = 0; j < expected.size(); j++)
			EXPECT_NEAR(static_cast<double>(y[i][j]), expected[j], 0.6);
	}
	const auto statistics = engine->statistics();
	ASSERT_TRUE(statistics);
	EXPECT_EQ(statistics->macs, (64U + 32U + 40U) * k);
	EXPECT_EQ(statistics->submits, 1U);
	EXPECT_GT(statistics->device_ns, 0U);
}

TEST_F(EngineTest, AGrowingBatchMovesBuffersAndStaysRight)
{
	const auto weights = test::random_floats(std::size_t{40} * 96, 6);
	auto layer = Linear::create(device_, weights, 40, 96, Precision::fp16);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(layer && engine);
	const Linear *const layers[] = {&*layer};

	for (const std::uint32_t m : {1U, 100U, 1U, 700U, 100U}) {
		const auto x = test::random_floats(std::size_t{m} * 96, m);
		std::vector<float> y(std::size_t{m} * 40);
		const std::span<float> results[] = {y};
		ASSERT_TRUE(engine->multiply(layers, m, x, results));
		const auto expected = reference(weights, x, m, 40, 96);
		for (std::size_t i = 0; i < y.size(); i++)
			ASSERT_NEAR(static_cast<double>(y[i]), expected[i], 0.05) << m;
	}
}

TEST(EngineOptionsTest, ReachTheContext)
{
	auto driver = std::make_shared<test::FakeDriver>();
	auto device = Device::create(driver);
	ASSERT_TRUE(device);
	auto engine = Engine::create(*device, {.sched_class = SchedClass::background, .weight = 7});

	ASSERT_TRUE(engine);
	EXPECT_EQ(driver->context().stats().sched_class, DRM_NPU_CLASS_BACKGROUND);
	EXPECT_EQ(driver->context().stats().weight, 7U);
}

TEST_F(EngineTest, ThreadsChangeNothing)
{
	constexpr std::uint32_t m = 130;
	constexpr std::uint32_t n = 40;
	constexpr std::uint32_t k = 96;
	auto x = test::random_floats(std::size_t{m} * k, 6);

	EXPECT_EQ(Engine::create(device_, {.threads = 0}).error().code, EINVAL);
	for (const Precision precision : {Precision::int8, Precision::int8x2, Precision::fp16}) {
		auto layer = Linear::create(device_, test::random_floats(std::size_t{n} * k, 5), n,
					    k, precision);
		ASSERT_TRUE(layer);
		const Linear *const layers[] = {&*layer};
		std::vector<std::vector<float>> results;
		for (const std::uint32_t threads : {1U, 3U, 64U}) {
			auto engine = Engine::create(device_, {.threads = threads});
			ASSERT_TRUE(engine);
			const std::span<float> y[] = {results.emplace_back(std::size_t{m} * n)};
			ASSERT_TRUE(engine->multiply(layers, m, x, y));
		}
		EXPECT_EQ(results[0], results[1]);
		EXPECT_EQ(results[0], results[2]);
	}
}

TEST_F(EngineTest, BadInputIsNamed)
{
	const auto weights = test::random_floats(32 * 32, 7);
	auto layer = Linear::create(device_, weights, 32, 32, Precision::int8);
	auto other =
		Linear::create(device_, test::random_floats(32 * 16, 7), 32, 16, Precision::int8);
	auto engine = Engine::create(device_);
	ASSERT_TRUE(layer && other && engine);
	std::vector<float> x(32, 1.0F);
	std::vector<float> y(32);
	const std::span<float> results[] = {y, y};
	const Linear *const layers[] = {&*layer, &*other};
	const auto one = std::span(layers).first(1);
	const auto into_one = std::span(results).first(1);

	EXPECT_EQ(engine->multiply(one, 0, x, into_one).error().code, EINVAL);
	EXPECT_EQ(engine->multiply({}, 1, x, {}).error().code, EINVAL);
	EXPECT_EQ(engine->multiply(one, 2, x, into_one).error().code, EINVAL);
	EXPECT_EQ(engine->multiply(layers, 1, x, results).error().code, EINVAL);
	x[5] = std::numeric_limits<float>::quiet_NaN();
	const auto refused = engine->multiply(one, 1, x, into_one);
	ASSERT_FALSE(refused);
	EXPECT_THAT(refused.error().message, testing::HasSubstr("row 0"));

	EXPECT_EQ(Linear::create(device_, {}, 0, 32, Precision::int8).error().code, EINVAL);
	EXPECT_EQ(Linear::create(device_, weights, 32, 31, Precision::int8).error().code, EINVAL);
	const std::vector<float> huge(32 * 32, 1e6F);
	EXPECT_EQ(Linear::create(device_, huge, 32, 32, Precision::fp16).error().code, EINVAL);
	const std::vector<float> infinite(32 * 32, std::numeric_limits<float>::infinity());
	EXPECT_EQ(Linear::create(device_, infinite, 32, 32, Precision::int8).error().code, EINVAL);
	EXPECT_FALSE(precision_from("int4"));
}

TEST_F(FakeEngineTest, ErrorsOfTheDeviceComeThroughAndNothingIsLeft)
{
	const auto weights = test::random_floats(32 * 32, 8);

	for (const unsigned long request :
	     {DRM_IOCTL_NPU_BO_CREATE, DRM_IOCTL_NPU_CONTEXT_CREATE, DRM_IOCTL_NPU_JOB_CREATE,
	      DRM_IOCTL_NPU_JOB_SUBMIT, DRM_IOCTL_NPU_JOB_WAIT}) {
		driver_->fail(request, ENODEV);
		{
			auto engine = Engine::create(device_);
			auto layer = Linear::create(device_, weights, 32, 32, Precision::int8);
			Result<ProductStatistics> done = fail(ENODEV, "not tried");
			if (engine && layer) {
				const std::vector<float> x(32, 1.0F);
				std::vector<float> y(32);
				const Linear *const layers[] = {&*layer};
				const std::span<float> results[] = {y};
				done = engine->multiply(layers, 1, x, results);
			}
			ASSERT_FALSE(done);
			EXPECT_EQ(done.error().code, ENODEV);
		}
		driver_->fail(request, 0);
		EXPECT_EQ(driver_->objects(), 0U);
	}
}

TEST_F(FakeEngineTest, MovedObjectsAreGivenBackOnce)
{
	{
		auto first = Buffer::create(device_, 100);
		auto second = Buffer::create(device_, 200);
		ASSERT_TRUE(first && second);
		EXPECT_EQ(driver_->objects(), 4U);
		*first = std::move(*second);
		const Buffer third = std::move(*first);
		EXPECT_EQ(third.size(), 4096U);
	}
	EXPECT_EQ(driver_->objects(), 0U);
	EXPECT_EQ(Buffer::create(device_, 0).error().code, EINVAL);
}

} // namespace

} // namespace npu
