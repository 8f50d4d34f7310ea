/* SPDX-License-Identifier: MIT */
#include "llm/vocabulary.h"

#include <algorithm>
#include <cerrno>

namespace npu::llm
{

Result<Vocabulary> Vocabulary::create(const Gguf &gguf)
{
	Vocabulary vocabulary;
	auto texts = gguf.strings("tokenizer.ggml.tokens");
	auto kinds = gguf.numbers("tokenizer.ggml.token_type");

	if (!texts)
		return forward(texts);
	if (!kinds)
		return forward(kinds);
	const std::size_t count = (*texts)->size();
	if (!count || (*kinds)->size() != count)
		return fail(EINVAL, "metadata 'tokenizer.ggml.tokens' has " +
					    std::to_string(count) +
					    " entries, 'tokenizer.ggml.token_type' " +
					    std::to_string((*kinds)->size()));

	for (std::size_t i = 0; i < count; i++) {
		const double number = (**kinds)[i];
		const std::string &text = (**texts)[i];

		if (!(number >= 1 && number <= 6))
			return fail(EINVAL, "metadata 'tokenizer.ggml.token_type' has no known "
					    "type for token " +
						    std::to_string(i));
		const auto kind = static_cast<Kind>(static_cast<int>(number));
		vocabulary.pieces_.push_back({text, kind});
		if (kind == Kind::normal || kind == Kind::user)
			vocabulary.ids_.emplace(text, static_cast<Token>(i));
		if (kind == Kind::user && !text.empty())
			vocabulary.user_.push_back(static_cast<Token>(i));
	}
	std::ranges::sort(vocabulary.user_, [&](Token left, Token right) {
		const std::size_t left_size = vocabulary.pieces_[left].text.size();
		const std::size_t right_size = vocabulary.pieces_[right].text.size();

		return left_size != right_size ? left_size > right_size : left < right;
	});
	return vocabulary;
}

std::optional<Token> Vocabulary::find(const std::string &text) const
{
	const auto found = ids_.find(text);

	if (found == ids_.end())
		return {};
	return found->second;
}

} // namespace npu::llm
