/* SPDX-License-Identifier: MIT */
/*
 * SentencePiece-style tokenizer, as GGUF files of the llama architecture hold it.
 */
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llm/gguf.h"

namespace npu::llm
{

using Token = std::uint32_t;

class Tokenizer
{
public:
	/// \retval EINVAL another model of tokenizer, or parts missing
	static Result<Tokenizer> create(const Gguf &gguf);

	/// Tokens of @p text, the begin token first if the model wants it.
	std::vector<Token> encode(std::string_view text) const;

	/// The bytes that @p token stands for; none for control tokens. The blank
	/// before the first word is dropped if @p first.
	std::string decode(Token token, bool first = false) const;

	Token end() const { return end_; }
	std::size_t size() const { return pieces_.size(); }

private:
	enum class Kind : std::uint8_t {
		normal = 1,
		unknown = 2,
		control = 3,
		user = 4,
		unused = 5,
		byte = 6,
	};

	struct Piece {
		std::string text;
		float score = 0;
		Kind kind = Kind::normal;
	};

	std::vector<Piece> pieces_;
	std::unordered_map<std::string, Token> ids_;
	/// Token of each byte, the unknown one if there is none.
	std::vector<Token> bytes_;
	Token begin_ = 1;
	Token end_ = 2;
	bool add_begin_ = true;
	bool add_blank_ = true;
};

} // namespace npu::llm
