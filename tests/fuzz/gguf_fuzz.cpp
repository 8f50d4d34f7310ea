/* SPDX-License-Identifier: MIT */
/*
 * Everything that reads a model file before its tensors are multiplied.
 */
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include <llm/gguf.h>
#include <llm/tokenizer.h>
#include <llm/transformer.h>

namespace
{

/// Small enough for every input to be tried in full.
constexpr std::size_t max_floats = 1U << 16U;

void use_tokenizer(const npu::llm::Gguf &gguf)
{
	const auto tokenizer = npu::llm::Tokenizer::create(gguf);

	if (!tokenizer)
		return;
	for (const npu::llm::Token token : tokenizer->encode("And it came \xff to pass"))
		if (token >= tokenizer->size())
			std::abort();
	for (npu::llm::Token token = 0; token <= tokenizer->size(); token++)
		tokenizer->decode(token, true);
}

void use_tensors(const npu::llm::Gguf &gguf, const npu::llm::Shape &shape)
{
	if (std::size_t{shape.vocabulary} * shape.width > max_floats)
		return;
	const auto tensor = gguf.tensor("token_embd.weight", shape.vocabulary, shape.width);
	if (tensor &&
	    npu::llm::to_floats(**tensor).size() != std::size_t{shape.vocabulary} * shape.width)
		std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	const auto gguf = npu::llm::Gguf::parse(std::as_bytes(std::span(data, size)));

	if (!gguf) {
		/* One line that says what is wrong. */
		if (gguf.error().message.empty() || !gguf.error().code)
			std::abort();
		return 0;
	}
	use_tokenizer(*gguf);
	if (const auto shape = npu::llm::read_shape(*gguf))
		use_tensors(*gguf, *shape);
	return 0;
}
