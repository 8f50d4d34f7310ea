/* SPDX-License-Identifier: MIT */
/*
 * The tokens of a model.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <npu/error.h>

#include "llm/gguf.h"

namespace npu::llm
{

using Token = std::uint32_t;

class Vocabulary
{
public:
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
		Kind kind = Kind::normal;
	};

	/// \retval EINVAL parts missing or of different sizes
	static Result<Vocabulary> create(const Gguf &gguf);

	std::size_t size() const { return pieces_.size(); }
	/// \pre token is below size()
	const Piece &operator[](Token token) const { return pieces_[token]; }

	/// The token for @p text; does not find control tokens.
	std::optional<Token> find(const std::string &text) const;

	/// Tokens that match their text anywhere, the longest first.
	const std::vector<Token> &user_tokens() const { return user_; }

private:
	std::vector<Piece> pieces_;
	std::unordered_map<std::string, Token> ids_;
	std::vector<Token> user_;
};

} // namespace npu::llm
