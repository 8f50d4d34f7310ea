/* SPDX-License-Identifier: MIT */
/*
 * Converts text to tokens and back.
 */
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llm/gguf.h"
#include "llm/vocabulary.h"

namespace npu::llm
{

/// The part of a tokenizer that depends on its kind.
class TokenModel
{
public:
	virtual ~TokenModel() = default;

	/// Appends the tokens of @p text to @p tokens. Does not merge across its ends.
	virtual void encode(const Vocabulary &vocabulary, std::string_view text,
			    std::vector<Token> &tokens) const = 0;

	/// The bytes of a token that is text. The blank that encode() puts before a text
	/// is dropped if @p first.
	virtual std::string decode(const Vocabulary::Piece &piece, bool first) const = 0;
};

/// The tokenizers "llama" (SentencePiece) and "gpt2" (byte-level BPE) of GGUF files.
class Tokenizer
{
public:
	/// \retval EINVAL another model of tokenizer, or parts missing
	static Result<Tokenizer> create(const Gguf &gguf);

	/// Tokenises @p text, after a begin token if the model wants one. Names of control tokens
	/// in the text are plain text.
	std::vector<Token> encode(std::string_view text) const;

	/// The bytes that @p token stands for; none for control tokens. The blank
	/// before the first word is dropped if @p first.
	std::string decode(Token token, bool first = false) const;

	/// Whether a text ends with @p token.
	bool is_end(Token token) const;
	std::size_t size() const { return vocabulary_.size(); }

private:
	Vocabulary vocabulary_;
	std::shared_ptr<const TokenModel> model_;
	std::vector<Token> ends_;
	Token begin_ = 0;
	bool adds_begin_ = true;
};

/// A flag in metadata that need not be there.
Result<bool> flag_or(const Gguf &gguf, const std::string &key, bool otherwise);

/// \retval EINVAL parts missing or of different sizes
Result<std::shared_ptr<const TokenModel>> sentencepiece(const Gguf &gguf,
							const Vocabulary &vocabulary);

/// \retval EINVAL parts missing, or another pre-tokenizer
Result<std::shared_ptr<const TokenModel>>
byte_level_bpe(const Gguf &gguf, const Vocabulary &vocabulary, bool &adds_begin);

} // namespace npu::llm
