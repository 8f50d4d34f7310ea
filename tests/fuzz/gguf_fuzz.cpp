/* SPDX-License-Identifier: MIT */
/*
 * Processes a model file as npu-llm does, on the CPU: reads it, loads the model, generates some
 * tokens and prints the summary as JSON.
 */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <llm/generation.h>
#include <llm/gguf.h>
#include <llm/tokenizer.h>
#include <llm/transformer.h>

namespace
{

/// Limit of the context, which the file could choose otherwise. It bounds the time of an input, as
/// the input's length bounds everything else.
constexpr std::uint32_t max_context = 48;

/// Inputs that reached each stage, reported at the end.
class Stages
{
public:
	~Stages()
	{
		std::fprintf(stderr,
			     "stages: parsed %llu, tokenizers %llu, shapes %llu, models %llu, "
			     "sampled %llu, json %llu\n",
			     parsed, tokenizers, shapes, models, sampled, json);
	}

	unsigned long long parsed = 0;
	unsigned long long tokenizers = 0;
	unsigned long long shapes = 0;
	unsigned long long models = 0;
	unsigned long long sampled = 0;
	unsigned long long json = 0;
};

Stages stages;

void require(bool condition)
{
	if (!condition)
		std::abort();
}

/// Checks that an error is a single line.
template <typename T>
bool succeeds(const npu::Result<T> &result)
{
	if (!result)
		require(!result.error().message.empty() && result.error().code &&
			result.error().message.find('\n') == std::string::npos);
	return result.has_value();
}

/// Also reads the tensors of models that npu-llm does not implement.
void use_tensors(const npu::llm::Gguf &gguf)
{
	for (const auto &[name, tensor] : gguf.tensors()) {
		std::vector<float> row(tensor.columns);

		npu::llm::to_floats(tensor, tensor.rows - 1, row);
	}
}

void use_tokenizer(const npu::llm::Tokenizer &tokenizer)
{
	for (const npu::llm::Token token :
	     tokenizer.encode("And it came \xff to <user>  pass 123\n\n"))
		require(token < tokenizer.size());
	for (npu::llm::Token token = 0; token <= tokenizer.size(); token++)
		tokenizer.decode(token, true);
}

void use_model(const npu::llm::Gguf &gguf, const npu::llm::Tokenizer &tokenizer,
	       const npu::llm::SamplerOptions &sampler)
{
	const auto shape = npu::llm::read_shape(gguf);

	if (!succeeds(shape))
		return;
	stages.shapes++;
	const std::uint32_t context = std::min(shape->context, max_context);
	auto model = npu::llm::Transformer::create(gguf, npu::llm::cpu_backend(), context, {});
	if (!succeeds(model))
		return;
	stages.models++;
	const auto generation = npu::llm::generate(
		*model, tokenizer, {.prompt = "And it", .count = 3, .sampler = sampler});
	if (!succeeds(generation))
		return;
	stages.sampled += !generation->tokens.empty();
	for (const npu::llm::Token token : generation->tokens)
		require(token < shape->vocabulary);
	const auto json = nlohmann::json::parse(npu::llm::to_json(*generation), nullptr, false);
	require(json.is_object() && json["tokens"] == generation->tokens.size());
	stages.json++;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const auto gguf = npu::llm::Gguf::parse(std::as_bytes(std::span(data, size)));

	if (!succeeds(gguf))
		return 0;
	stages.parsed++;
	use_tensors(*gguf);
	const auto tokenizer = npu::llm::Tokenizer::create(*gguf);
	if (!succeeds(tokenizer))
		return 0;
	stages.tokenizers++;
	use_tokenizer(*tokenizer);
	for (const float temperature : {0.0F, 0.7F})
		use_model(*gguf, *tokenizer,
			  {.temperature = temperature, .top_k = 5, .top_p = 0.9F, .seed = 1});
	return 0;
}
