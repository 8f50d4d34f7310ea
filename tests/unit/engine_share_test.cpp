/* SPDX-License-Identifier: MIT */
/*
 * Row shares for sides of known speed.
 */
#include <algorithm>
#include <cstdint>
#include <random>

#include <gtest/gtest.h>

#include <engine/share.h>

namespace npu
{

namespace
{

constexpr std::uint32_t step = 32;
constexpr double fixed = 50e-6;

/// Speed of one side.
struct Side {
	double row;
	/// Rows are computed in groups of this size.
	std::uint32_t lump = 1;

	double seconds(std::uint32_t rows) const
	{
		const std::uint32_t lumps = (rows + lump - 1) / lump;

		return lumps * lump * row;
	}
};

double product(const Side &cpu, const Side &npu, std::uint32_t first, std::uint32_t rows)
{
	const double npu_seconds = first < rows ? npu.seconds(rows - first) + fixed : 0;

	return std::max(cpu.seconds(first), npu_seconds);
}

/// The time of the chosen cut relative to the best possible one.
double loss(const Side &cpu, const Side &npu, std::uint32_t rows, double noise)
{
	std::mt19937 random(rows);
	std::uniform_real_distribution<double> factor(1 - noise, 1 + noise);
	RowShare share(rows, step, fixed);
	double best = product(cpu, npu, rows, rows);

	for (int i = 0; i < 500; i++) {
		const std::uint32_t first = share.split();

		EXPECT_LE(first, rows);
		EXPECT_TRUE(first % step == 0 || first == rows) << first;
		share.learn(first, cpu.seconds(first) * factor(random),
			    npu.seconds(rows - first) * factor(random));
	}
	for (std::uint32_t first = 0; first < rows; first += step)
		best = std::min(best, product(cpu, npu, first, rows));
	return product(cpu, npu, share.best(), rows) / best;
}

TEST(RowShare, FindsTheBestCut)
{
	for (const std::uint32_t rows : {64U, 256U, 1536U, 8960U, 151936U})
		for (const double ratio : {0.05, 0.5, 1.0, 3.0, 40.0}) {
			const Side cpu{1e-6};
			const Side npu{1e-6 * ratio};

			EXPECT_LT(loss(cpu, npu, rows, 0), 1.03) << rows << ' ' << ratio;
			EXPECT_LT(loss(cpu, npu, rows, 0.05), 1.1) << rows << ' ' << ratio;
		}
}

/* If the cores compute rows in groups, the best cuts are at the edges of groups. */
TEST(RowShare, FindsTheEdgeOfAStep)
{
	EXPECT_LT(loss({1e-6}, {1e-6, 192}, 1536, 0), 1.03);
	EXPECT_LT(loss({1e-6}, {0.5e-6, 96}, 4864, 0), 1.03);
}

TEST(RowShare, GivesNothingToASideThatIsFarTooSlow)
{
	RowShare share(1024, step, fixed);
	int shared = 0;

	for (int i = 0; i < 1000; i++) {
		const std::uint32_t first = share.split();

		shared += first < 1024;
		/* The NPU takes longer for a row than the CPU for all rows. */
		share.learn(first, first * 1e-8, (1024 - first) * 1e-4);
	}
	EXPECT_EQ(share.best(), 1024U);
	EXPECT_LT(shared, 200);
}

/* Another program takes half of the CPU. */
TEST(RowShare, FollowsAChange)
{
	RowShare share(2048, step, fixed);
	const auto run = [&](double cpu, int products) {
		for (int i = 0; i < products; i++) {
			const std::uint32_t first = share.split();

			share.learn(first, first * cpu, (2048 - first) * 1e-6);
		}
		return share.best();
	};
	const std::uint32_t before = run(1e-6, 300);

	EXPECT_NEAR(before, 1050, 40);
	EXPECT_LT(run(2e-6, 6000), before - 200);
}

} // namespace

} // namespace npu
