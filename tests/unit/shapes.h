/* SPDX-License-Identifier: MIT */
/*
 * Shapes of matrix products that tests go through.
 */
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace npu::test
{

struct Shape {
	std::uint32_t m;
	std::uint32_t k;
	std::uint32_t n;
};

/// All shapes: every row count of interest with every alignment edge of K and
/// N, then cuts of K and of the rows, then random ones.
inline std::vector<Shape> shapes()
{
	std::vector<Shape> list;

	for (const std::uint32_t m : {1U, 2U, 3U, 4U, 5U, 31U, 33U, 128U})
		for (const std::uint32_t k : {1U, 15U, 16U, 17U, 31U, 32U, 33U, 64U, 100U})
			for (const std::uint32_t n : {1U, 15U, 17U, 32U, 33U, 97U})
				list.push_back({m, k, n});
	for (const std::uint32_t k : {2047U, 2048U, 2049U, 4096U, 4100U, 8960U})
		for (const std::uint32_t m : {1U, 5U, 130U})
			list.push_back({m, k, 40});
	for (const std::uint32_t m : {384U, 1022U, 1023U, 1500U})
		list.push_back({m, 40, 33});
	list.push_back({384, 700, 96});
	/* More output channels than a task can have. */
	for (const std::uint32_t n : {8128U, 8129U, 3 * 8128U + 1U, 152064U})
		list.push_back({1, 32, n});
	std::mt19937 random(1);
	for (int i = 0; i < 60; i++)
		list.push_back({1 + static_cast<std::uint32_t>(random() % 70),
				1 + static_cast<std::uint32_t>(random() % 900),
				1 + static_cast<std::uint32_t>(random() % 300)});
	return list;
}

} // namespace npu::test
