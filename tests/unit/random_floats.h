/* SPDX-License-Identifier: MIT */
/*
 * Weights and activations for tests.
 */
#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace npu::test
{

/// @p count numbers of a normal distribution, the same for the same seed.
inline std::vector<float> random_floats(std::size_t count, unsigned int seed)
{
	std::mt19937 random(seed);
	std::normal_distribution<float> normal;
	std::vector<float> values(count);

	for (float &value : values)
		value = normal(random);
	return values;
}

} // namespace npu::test
