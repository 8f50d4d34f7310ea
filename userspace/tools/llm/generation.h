/* SPDX-License-Identifier: MIT */
/*
 * Text from a model, token by token, and what it took.
 */
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <npu/error.h>

#include "llm/backend.h"
#include "llm/sampler.h"
#include "llm/tokenizer.h"
#include "llm/transformer.h"

namespace npu::llm
{

struct GenerationOptions {
	std::string prompt;
	/// Tokens to generate at most.
	std::uint32_t count = 128;
	SamplerOptions sampler{};
	/// Keep the logits before each token, to compare them with another run's.
	bool keep_logits = false;
};

/// What one run gave.
struct Generation {
	std::vector<Token> tokens;
	/// May hold bytes that are no UTF-8: the model chooses them.
	std::string text;
	std::vector<std::vector<float>> logits;
	double seconds = 0;
	std::uint32_t prompt_tokens = 0;
	BackendStatistics statistics;
	std::uint64_t attention_macs = 0;
};

/// Called with each piece of text as it comes.
using OnText = std::function<void(std::string_view)>;

/// The tokens of @p prompt.
/// \retval EINVAL it has none, or more than the model has room for
Result<std::vector<Token>> encode_prompt(const Transformer &model, const Tokenizer &tokenizer,
					 std::string_view prompt);

/// Continue the prompt until an end token, the count or the end of the context.
/// \retval EINVAL what encode_prompt() says
/// \retval others what Transformer::forward() and the backend say
Result<Generation> generate(Transformer &model, const Tokenizer &tokenizer,
			    const GenerationOptions &options, const OnText &on_text = {});

/// The run as a JSON object, always valid: what is no UTF-8 is replaced.
std::string to_json(const Generation &generation);

} // namespace npu::llm
