/* SPDX-License-Identifier: MIT */
#include "llm/generation.h"

#include <cerrno>
#include <chrono>

#include <nlohmann/json.hpp>

namespace npu::llm
{

Result<std::vector<Token>> encode_prompt(const Transformer &model, const Tokenizer &tokenizer,
					 std::string_view prompt)
{
	std::vector<Token> tokens = tokenizer.encode(prompt);
	const std::uint32_t room = model.context() - model.position();

	/* Without a begin token, an empty prompt has no tokens. */
	if (tokens.empty())
		return fail(EINVAL, "the prompt has no tokens");
	if (tokens.size() > room)
		return fail(EINVAL, "the prompt has " + std::to_string(tokens.size()) +
					    " tokens, and the context room for " +
					    std::to_string(room) + " of the model's " +
					    std::to_string(model.shape().context) +
					    " positions; shorten the prompt or give a larger "
					    "--context");
	return tokens;
}

Result<Generation> generate(Transformer &model, const Tokenizer &tokenizer,
			    const GenerationOptions &options, const OnText &on_text)
{
	Sampler sampler(options.sampler);
	const auto start = std::chrono::steady_clock::now();
	auto prompt = encode_prompt(model, tokenizer, options.prompt);
	Generation generation;

	if (!prompt)
		return forward(prompt);
	std::vector<Token> next = std::move(*prompt);
	generation.prompt_tokens = static_cast<std::uint32_t>(next.size());
	while (generation.tokens.size() < options.count &&
	       model.position() + next.size() <= model.context()) {
		auto logits = model.forward(next);
		if (!logits)
			return forward(logits);
		const Token token = sampler.sample(*logits);
		if (options.keep_logits)
			generation.logits.emplace_back(logits->begin(), logits->end());
		generation.tokens.push_back(token);
		if (tokenizer.is_end(token))
			break;
		const bool first = generation.tokens.size() == 1 && options.prompt.empty();
		const std::string piece = tokenizer.decode(token, first);
		generation.text += piece;
		if (on_text)
			on_text(piece);
		next = {token};
	}

	generation.seconds =
		std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
	auto statistics = model.backend().statistics();
	if (!statistics)
		return forward(statistics);
	generation.statistics = *statistics;
	generation.attention_macs = model.attention_macs();
	return generation;
}

std::string to_json(const Generation &generation)
{
	using Json = nlohmann::ordered_json;
	const BackendStatistics &statistics = generation.statistics;
	const auto steps = static_cast<double>(generation.tokens.size());
	Json json;

	json["text"] = generation.text;
	json["prompt_tokens"] = generation.prompt_tokens;
	json["tokens"] = generation.tokens.size();
	json["host_tokens_per_second"] = steps / generation.seconds;
	json["virtual"] = statistics.is_virtual;
	json["device_us_per_token"] = static_cast<double>(statistics.device_ns) / 1e3 / steps;
	json["npu_macs"] = statistics.npu_macs;
	json["cpu_matrix_macs"] = statistics.cpu_macs;
	json["cpu_attention_macs"] = generation.attention_macs;
	json["submits"] = statistics.submits;
	json["device_read_bytes"] = statistics.read_bytes;
	json["device_sram_bytes"] = statistics.sram_bytes;
	json["device_written_bytes"] = statistics.written_bytes;
	return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace npu::llm
