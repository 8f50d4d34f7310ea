/* SPDX-License-Identifier: MIT */
#include "llm/sampler.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <ranges>
#include <vector>

namespace npu::llm
{

namespace
{

/// A sort key for logits. Weights that overflow lead to NaN, which sorts last.
float rank(float logit)
{
	return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
}

} // namespace

Token Sampler::sample(std::span<const float> logits)
{
	if (options_.temperature <= 0)
		return static_cast<Token>(std::ranges::max_element(logits, {}, rank) -
					  logits.begin());

	const auto all = std::views::iota(Token{0}, static_cast<Token>(logits.size()));
	std::vector<Token> order(all.begin(), all.end());
	std::ranges::sort(order, std::ranges::greater(),
			  [&](Token token) { return rank(logits[token]); });
	if (options_.top_k && options_.top_k < order.size())
		order.resize(options_.top_k);

	std::vector<double> weights;
	double total = 0;
	for (const Token token : order) {
		const float above = rank(logits[token]) - rank(logits[order.front()]);
		weights.push_back(std::exp(static_cast<double>(above / options_.temperature)));
		total += weights.back();
	}
	double kept = 0;
	std::size_t count = 0;
	while (count < weights.size() && kept < static_cast<double>(options_.top_p) * total)
		kept += weights[count++];
	weights.resize(std::max<std::size_t>(count, 1));

	std::discrete_distribution<std::size_t> distribution(weights.begin(), weights.end());
	return order[distribution(random_)];
}

} // namespace npu::llm
