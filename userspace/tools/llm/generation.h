/* SPDX-License-Identifier: MIT */
/*
 * Generates text with a model, token by token, and measures it.
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
	/// Keep the logits of each step, for comparison with another run.
	bool keep_logits = false;
};

/// The result of one run.
struct Generation {
	std::vector<Token> tokens;
	/// May contain invalid UTF-8, depending on the model's choices.
	std::string text;
	std::vector<std::vector<float>> logits;
	double seconds = 0;
	std::uint32_t prompt_tokens = 0;
	BackendStatistics statistics;
	std::uint64_t attention_macs = 0;
};

/// Called with each piece of text as it comes.
using OnText = std::function<void(std::string_view)>;

/// Tokenises @p prompt.
/// \retval EINVAL the prompt is empty, or longer than the context
Result<std::vector<Token>> encode_prompt(const Transformer &model, const Tokenizer &tokenizer,
					 std::string_view prompt);

/// Continue the prompt until an end token, the count or the end of the context.
/// \retval EINVAL see encode_prompt()
/// \retval others see Transformer::forward() and the backend
Result<Generation> generate(Transformer &model, const Tokenizer &tokenizer,
			    const GenerationOptions &options, const OnText &on_text = {});

/// Formats the run as a JSON object; replaces invalid UTF-8.
std::string to_json(const Generation &generation);

} // namespace npu::llm
