/* SPDX-License-Identifier: MIT */
#include "llm/tokenizer.h"

#include <algorithm>
#include <cerrno>

#include "llm/messages.h"

namespace npu::llm
{

namespace
{

/// Plain text, or a user-defined token in the text.
struct Fragment {
	std::string_view text;
	std::optional<Token> token;
};

/// Splits @p text at each @p name, for which @p token is inserted.
void cut_out(std::string_view text, std::string_view name, Token token,
	     std::vector<Fragment> &parts)
{
	while (!text.empty()) {
		const std::size_t at = std::min(text.find(name), text.size());

		if (at)
			parts.push_back({text.substr(0, at), {}});
		text.remove_prefix(at);
		if (text.empty())
			return;
		parts.push_back({text.substr(0, name.size()), token});
		text.remove_prefix(name.size());
	}
}

std::vector<Fragment> cut_out_user_tokens(const Vocabulary &vocabulary, std::string_view text)
{
	std::vector<Fragment> fragments{{text, {}}};

	for (const Token token : vocabulary.user_tokens()) {
		const std::string &name = vocabulary[token].text;
		std::vector<Fragment> parts;

		if (text.find(name) == text.npos)
			continue;
		for (const Fragment &fragment : fragments) {
			if (fragment.token)
				parts.push_back(fragment);
			else
				cut_out(fragment.text, name, token, parts);
		}
		fragments = std::move(parts);
	}
	return fragments;
}

} // namespace

Result<bool> flag_or(const Gguf &gguf, const std::string &key, bool otherwise)
{
	if (!gguf.has(key))
		return otherwise;
	auto value = gguf.number(key);
	if (!value)
		return forward(value);
	return *value != 0;
}

Result<Tokenizer> Tokenizer::create(const Gguf &gguf)
{
	Tokenizer tokenizer;
	bool adds_begin = true;

	auto model = gguf.string("tokenizer.ggml.model");
	if (!model)
		return forward(model);
	if (*model != "llama" && *model != "gpt2")
		return fail(EINVAL, "metadata 'tokenizer.ggml.model' is " + quoted(*model) +
					    ", and npu-llm implements llama and gpt2 only; " +
					    remedy);
	auto vocabulary = Vocabulary::create(gguf);
	if (!vocabulary)
		return forward(vocabulary);
	tokenizer.vocabulary_ = std::move(*vocabulary);
	auto made = *model == "llama" ? sentencepiece(gguf, tokenizer.vocabulary_)
				      : byte_level_bpe(gguf, tokenizer.vocabulary_, adds_begin);
	if (!made)
		return forward(made);
	tokenizer.model_ = std::move(*made);

	auto begins = flag_or(gguf, "tokenizer.ggml.add_bos_token", adds_begin);
	if (!begins)
		return forward(begins);
	tokenizer.adds_begin_ = *begins;
	const auto last = static_cast<std::uint32_t>(tokenizer.size() - 1);
	if (tokenizer.adds_begin_) {
		auto begin = gguf.integer("tokenizer.ggml.bos_token_id", 0, last);
		if (!begin)
			return forward(begin);
		tokenizer.begin_ = *begin;
	}
	auto end = gguf.integer("tokenizer.ggml.eos_token_id", 0, last);
	if (!end)
		return forward(end);
	tokenizer.ends_.push_back(*end);
	/* End of turn and end of message. */
	for (const char *key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
		if (!gguf.has(key))
			continue;
		auto another = gguf.integer(key, 0, last);
		if (!another)
			return forward(another);
		tokenizer.ends_.push_back(*another);
	}
	return tokenizer;
}

std::vector<Token> Tokenizer::encode(std::string_view text) const
{
	std::vector<Token> tokens;

	if (adds_begin_)
		tokens.push_back(begin_);
	for (const Fragment &fragment : cut_out_user_tokens(vocabulary_, text)) {
		if (fragment.token)
			tokens.push_back(*fragment.token);
		else if (!fragment.text.empty())
			model_->encode(vocabulary_, fragment.text, tokens);
	}
	return tokens;
}

std::string Tokenizer::decode(Token token, bool first) const
{
	using Kind = Vocabulary::Kind;

	if (token >= vocabulary_.size())
		return {};
	const Vocabulary::Piece &piece = vocabulary_[token];
	if (piece.kind == Kind::control || piece.kind == Kind::unused)
		return {};
	return model_->decode(piece, first);
}

bool Tokenizer::is_end(Token token) const
{
	return std::ranges::find(ends_, token) != ends_.end();
}

} // namespace npu::llm
