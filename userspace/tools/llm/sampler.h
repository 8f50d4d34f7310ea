/* SPDX-License-Identifier: MIT */
/*
 * Chooses a token by its logits.
 */
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "llm/tokenizer.h"

namespace npu::llm
{

struct SamplerOptions {
	/// 0 is greedy.
	float temperature = 0;
	/// Sample from this many of the best tokens; 0 means all.
	std::uint32_t top_k = 40;
	/// Sample from the smallest set of best tokens with at least this probability.
	float top_p = 0.95F;
	std::uint64_t seed = 1;
};

class Sampler
{
public:
	explicit Sampler(const SamplerOptions &options) : options_(options), random_(options.seed)
	{
	}

	/// \pre logits is not empty
	Token sample(std::span<const float> logits);

private:
	SamplerOptions options_;
	std::mt19937_64 random_;
};

} // namespace npu::llm
