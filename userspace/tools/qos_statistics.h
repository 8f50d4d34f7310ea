/* SPDX-License-Identifier: MIT */
/*
 * Figures of npu-bench qos.
 */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace npu::bench::qos
{

/// The smallest of @p values that at least @p percent of them do not exceed.
/// \pre values is not empty, 0 < percent <= 100
inline double percentile(std::vector<double> values, double percent)
{
	const auto rank = std::ceil(percent / 100 * static_cast<double>(values.size()));
	const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank) - 1;

	std::ranges::nth_element(values, at);
	return *at;
}

/// The largest relative deviation of a share in @p got from the one that @p weights prescribes.
/// \pre both have one element each, got is not all 0
inline double share_error(std::span<const double> got, std::span<const double> weights)
{
	const double sum = std::accumulate(got.begin(), got.end(), 0.0);
	const double weight = std::accumulate(weights.begin(), weights.end(), 0.0);
	double error = 0;

	for (std::size_t i = 0; i < got.size(); i++) {
		const double should = weights[i] / weight;
		error = std::max(error, std::abs(got[i] / sum - should) / should);
	}
	return error;
}

} // namespace npu::bench::qos
