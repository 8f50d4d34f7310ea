/* SPDX-License-Identifier: MIT */
/*
 * Rows of zeros, which have no scale for quantisation.
 */
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <engine/engine.h>

#include "fake_driver.h"

namespace npu
{

namespace
{

class EngineZeroTest : public testing::TestWithParam<Precision>
{
protected:
	static constexpr std::uint32_t k = 40;
	static constexpr std::uint32_t n = 3;

	void SetUp() override { device_ = *Device::create(std::make_shared<test::FakeDriver>()); }

	/// Computes W x for @p m rows of activations.
	std::vector<float> multiply(const std::vector<float> &weights, std::uint32_t m,
				    const std::vector<float> &x)
	{
		auto layer = Linear::create(device_, weights, n, k, GetParam());
		auto engine = Engine::create(device_);
		std::vector<float> y(std::size_t{m} * n, -1.0F);
		EXPECT_TRUE(layer && engine);
		const Linear *const layers[] = {&*layer};
		const std::span<float> results[] = {y};

		EXPECT_TRUE(engine->multiply(layers, m, x, results));
		return y;
	}

	Device device_;
};

TEST_P(EngineZeroTest, RowsOfZerosGiveZerosBesideOthers)
{
	std::vector<float> weights(std::size_t{n} * k, 0.5F);
	std::vector<float> x(std::size_t{2} * k, 0.0F);

	/* The second row of the weights, and the first one of the activations. */
	std::fill_n(weights.begin() + k, k, 0.0F);
	std::fill_n(x.begin() + k, k, 2.0F);
	const auto y = multiply(weights, 2, x);
	for (const std::size_t zero : {0U, 1U, 2U, 4U})
		EXPECT_EQ(y[zero], 0.0F) << zero;
	EXPECT_NEAR(y[3], 40.0F, 0.01F);
	EXPECT_NEAR(y[5], 40.0F, 0.01F);
}

INSTANTIATE_TEST_SUITE_P(All, EngineZeroTest,
			 testing::Values(Precision::int8, Precision::int8x2, Precision::fp16),
			 [](const testing::TestParamInfo<Precision> &test) {
				 return std::string(precision_name(test.param));
			 });

} // namespace

} // namespace npu
