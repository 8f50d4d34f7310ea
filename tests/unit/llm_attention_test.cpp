/* SPDX-License-Identifier: MIT */
/*
 * Attention against a plain computation in double.
 */
#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include <engine/numeric.h>
#include <llm/attention.h>
#include <llm/rotation.h>

namespace npu::llm
{

namespace
{

constexpr std::uint32_t context = 200;

/// Keys and values of one head, and a query.
struct Head {
	Head(std::uint32_t size, float range)
		: query(size), keys(size * context), values(size * context)
	{
		std::mt19937 random(size);
		std::uniform_real_distribution<float> numbers(-range, range);

		for (auto *part : {&query, &keys, &values})
			std::ranges::generate(*part, [&] { return numbers(random); });
		/* The cache stores fp16. */
		for (auto *part : {&keys, &values}) {
			std::vector<std::uint16_t> halves(part->size());
			to_fp16(*part, 1, halves);
			from_fp16(halves, *part);
		}
	}

	std::vector<float> expected(std::uint32_t positions, double scale) const
	{
		const std::size_t size = query.size();
		std::vector<double> scores(positions);
		std::vector<float> result;
		double sum = 0;

		for (std::size_t i = 0; i < positions; i++) {
			for (std::size_t j = 0; j < size; j++)
				scores[i] += static_cast<double>(query[j]) *
					     static_cast<double>(keys[i * size + j]) * scale;
		}
		const double most = *std::ranges::max_element(scores);
		for (double &score : scores) {
			score = std::exp(score - most);
			sum += score;
		}
		for (std::size_t j = 0; j < size; j++) {
			double mean = 0;
			for (std::size_t i = 0; i < positions; i++)
				mean += scores[i] / sum * static_cast<double>(values[i * size + j]);
			result.push_back(static_cast<float>(mean));
		}
		return result;
	}

	std::vector<float> query;
	std::vector<float> keys;
	std::vector<float> values;
};

class Attention : public testing::TestWithParam<std::uint32_t>
{
};

TEST_P(Attention, IsTheWeightedMeanOfTheValues)
{
	constexpr std::uint32_t heads = 3;
	constexpr std::uint32_t used = 1;
	const std::uint32_t size = GetParam();
	const Head head(size, 3);
	KvCache cache(heads, size, context);

	for (std::uint32_t i = 0; i < context; i++) {
		std::vector<float> keys(heads * size, 100.0F);
		std::vector<float> values(heads * size, 100.0F);
		std::copy_n(head.keys.begin() + i * size, size, keys.begin() + used * size);
		std::copy_n(head.values.begin() + i * size, size, values.begin() + used * size);
		cache.put(i, keys, values);
	}
	std::vector<float> query(padded_head(size));
	std::ranges::copy(head.query, query.begin());
	for (const std::uint32_t positions : {1U, 2U, 63U, 64U, 65U, 128U, 129U, context}) {
		const auto expected = head.expected(positions, 0.3);
		std::vector<float> out(padded_head(size), 7.0F);

		attend(query, cache.keys(used), cache.values(used), positions, 0.3F, out);
		for (std::uint32_t i = 0; i < size; i++)
			ASSERT_NEAR(out[i], expected[i], 1e-4) << positions << " " << i;
		for (std::uint32_t i = size; i < out.size(); i++)
			ASSERT_EQ(out[i], 0);
	}
}

INSTANTIATE_TEST_SUITE_P(Sizes, Attention, testing::Values(2, 6, 16, 30, 64, 100, 128));

TEST(Attention, LargeScoresDoNotOverflow)
{
	constexpr std::uint32_t size = 16;
	KvCache cache(1, size, context);
	const std::vector<float> query(size, 1000);
	std::vector<float> out(size);

	/* Ever larger scores, beyond what exp() of a float can tell. */
	for (std::uint32_t i = 0; i < context; i++)
		cache.put(i, std::vector<float>(size, static_cast<float>(i)),
			  std::vector<float>(size, static_cast<float>(i)));
	attend(query, cache.keys(0), cache.values(0), context, 1, out);
	EXPECT_EQ(out[0], context - 1);
}

TEST(KvCache, TakesTwoBytesANumber)
{
	EXPECT_EQ(KvCache(4, 64, 100).bytes(), 2U * 2 * 4 * 64 * 100);
}

TEST(Rotation, TurnsPairsAsTheArchitectureHasThem)
{
	const std::vector<float> factors{1, 4};

	for (const bool halves : {false, true}) {
		Rotation rotation(4, 100, factors, halves);
		std::vector<float> heads{1, 2, 3, 4, 1, 2, 3, 4};
		const std::size_t apart = halves ? 2 : 1;

		rotation.set(5);
		rotation.rotate(heads);
		for (std::size_t pair = 0; pair < 2; pair++) {
			const std::size_t at = pair * (halves ? 1 : 2);
			const double angle = pair ? 5.0 / 10 / 4 : 5.0;
			const auto a = static_cast<double>(at + 1);
			const auto b = static_cast<double>(at + apart + 1);

			for (const std::size_t head : {0U, 4U}) {
				EXPECT_NEAR(heads[head + at],
					    a * std::cos(angle) - b * std::sin(angle), 1e-5);
				EXPECT_NEAR(heads[head + at + apart],
					    a * std::sin(angle) + b * std::cos(angle), 1e-5);
			}
		}
	}
}

} // namespace

} // namespace npu::llm
