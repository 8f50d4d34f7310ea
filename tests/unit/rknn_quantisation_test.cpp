/* SPDX-License-Identifier: MIT */
/*
 * Scales as the device's integers.
 */
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include <rknn/quantisation.h>

namespace npu::rknn
{

namespace
{

TEST(Multiplier, HasFifteenBits)
{
	std::mt19937 random(91);

	for (int i = 0; i < 10000; i++) {
		const double value = std::ldexp(1.0 + static_cast<double>(random()) / 4294967296.0,
						static_cast<int>(random() % 60) - 46);
		const auto made = multiplier(value);
		ASSERT_TRUE(made) << value;
		EXPECT_GE(made->factor, 1U << 14U);
		EXPECT_LE(made->factor, 32767U);
		EXPECT_LE(made->shift, 63U);
		const double back = std::ldexp(made->factor, -static_cast<int>(made->shift));
		EXPECT_LE(std::abs(back - value), value / 32768);
	}
}

TEST(Multiplier, NeverReachesTheSignOfItsRegister)
{
	/* Each rounds to 2^15, which the device would take for -2^15. */
	EXPECT_EQ(multiplier(1 - 1e-6), (Multiplier{1U << 14U, 14}));
	EXPECT_EQ(multiplier(std::ldexp(1 - 1e-6, -20)), (Multiplier{1U << 14U, 34}));
	EXPECT_EQ(multiplier(32767), (Multiplier{32767, 0}));
	EXPECT_EQ(multiplier(1), (Multiplier{1U << 14U, 14}));
}

TEST(Multiplier, LosesBitsBeforeItIsRefused)
{
	EXPECT_EQ(multiplier(std::ldexp(1, -60)), (Multiplier{8, 63}));
	EXPECT_EQ(multiplier(std::ldexp(1, -63)), (Multiplier{1, 63}));
	for (const double value :
	     {std::ldexp(1, -64), 32768.0, 1e30, 0.0, -1.0, std::numeric_limits<double>::infinity(),
	      std::numeric_limits<double>::quiet_NaN()}) {
		const auto refused = multiplier(value);
		ASSERT_FALSE(refused) << value;
		EXPECT_EQ(refused.error().code, ERANGE);
	}
}

} // namespace

} // namespace npu::rknn
