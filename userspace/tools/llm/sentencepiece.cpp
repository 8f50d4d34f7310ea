/* SPDX-License-Identifier: MIT */
/*
 * SentencePiece-style tokens, as GGUF files call "llama".
 */
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "llm/merge.h"
#include "llm/tokenizer.h"

namespace npu::llm
{

namespace
{

/// How SentencePiece writes a blank: U+2581.
constexpr std::string_view blank = "\xe2\x96\x81";

/// The byte of a piece like "<0x0A>", or -1.
int byte_of(const std::string &text)
{
	int value = -1;

	if (text.size() == 6 && text.starts_with("<0x") && text.ends_with('>'))
		std::from_chars(text.data() + 3, text.data() + 5, value, 16);
	return value;
}

class SentencePiece final : public TokenModel
{
public:
	SentencePiece(std::vector<float> scores, bool adds_blank, Token unknown,
		      const Vocabulary &vocabulary)
		: scores_(std::move(scores)), adds_blank_(adds_blank)
	{
		bytes_.fill(unknown);
		for (Token token = 0; token < vocabulary.size(); token++)
			if (vocabulary[token].kind == Vocabulary::Kind::byte)
				if (const int byte = byte_of(vocabulary[token].text); byte >= 0)
					bytes_[static_cast<std::size_t>(byte)] = token;
	}

	void encode(const Vocabulary &vocabulary, std::string_view text,
		    std::vector<Token> &tokens) const override
	{
		std::string escaped = adds_blank_ ? std::string(blank) : std::string();

		for (const char c : text) {
			if (c == ' ')
				escaped += blank;
			else
				escaped += c;
		}
		const auto parts = Merger(escaped).run(
			[&](std::string_view left, std::string_view right, double &rank) {
				const auto token = vocabulary.find(std::string(left).append(right));

				if (token)
					rank = static_cast<double>(scores_[*token]);
				return token.has_value();
			});
		for (const std::string_view part : parts) {
			if (const auto token = vocabulary.find(std::string(part))) {
				tokens.push_back(*token);
				continue;
			}
			for (const char c : part)
				tokens.push_back(bytes_[static_cast<unsigned char>(c)]);
		}
	}

	std::string decode(const Vocabulary::Piece &piece, bool first) const override
	{
		if (piece.kind == Vocabulary::Kind::byte) {
			const int byte = byte_of(piece.text);
			return byte < 0 ? std::string() : std::string(1, static_cast<char>(byte));
		}

		std::string_view rest = piece.text;
		std::string text;
		if (first && adds_blank_ && rest.starts_with(blank))
			rest.remove_prefix(blank.size());
		while (!rest.empty()) {
			const std::size_t at = std::min(rest.find(blank), rest.size());

			text += rest.substr(0, at);
			rest.remove_prefix(at);
			if (!rest.empty()) {
				text += ' ';
				rest.remove_prefix(blank.size());
			}
		}
		return text;
	}

private:
	std::vector<float> scores_;
	bool adds_blank_;
	/// Token of each byte, the unknown one if there is none.
	std::array<Token, 256> bytes_{};
};

} // namespace

Result<std::shared_ptr<const TokenModel>> sentencepiece(const Gguf &gguf,
							const Vocabulary &vocabulary)
{
	auto numbers = gguf.numbers("tokenizer.ggml.scores");
	auto adds_blank = flag_or(gguf, "tokenizer.ggml.add_space_prefix", true);
	Token unknown = 0;

	if (!numbers)
		return forward(numbers);
	if (!adds_blank)
		return forward(adds_blank);
	if ((*numbers)->size() != vocabulary.size())
		return fail(EINVAL, "metadata 'tokenizer.ggml.scores' has " +
					    std::to_string((*numbers)->size()) +
					    " entries, 'tokenizer.ggml.tokens' " +
					    std::to_string(vocabulary.size()));
	if (gguf.has("tokenizer.ggml.unknown_token_id")) {
		auto id = gguf.integer("tokenizer.ggml.unknown_token_id", 0,
				       static_cast<std::uint32_t>(vocabulary.size() - 1));
		if (!id)
			return forward(id);
		unknown = *id;
	}
	std::vector<float> scores;
	for (const double score : **numbers)
		scores.push_back(static_cast<float>(score));
	return std::make_shared<const SentencePiece>(std::move(scores), *adds_blank, unknown,
						     vocabulary);
}

} // namespace npu::llm
