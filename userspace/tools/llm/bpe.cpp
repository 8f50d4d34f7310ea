/* SPDX-License-Identifier: MIT */
/*
 * Byte-level BPE, named "gpt2" in GGUF files.
 */
#include <array>
#include <cerrno>
#include <unordered_map>

#include "llm/merge.h"
#include "llm/messages.h"
#include "llm/pretokenizer.h"
#include "llm/tokenizer.h"

namespace npu::llm
{

namespace
{

/// The characters that stand for bytes in the texts of tokens.
class ByteCharacters
{
public:
	ByteCharacters()
	{
		unsigned other = 0x100;

		for (unsigned byte = 0; byte < 256; byte++) {
			const bool printed = (byte >= 0x21 && byte <= 0x7e) ||
					     (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

			characters_[byte] = encode(printed ? byte : other++);
			bytes_.emplace(characters_[byte], static_cast<char>(byte));
		}
	}

	const std::string &character(char byte) const
	{
		return characters_[static_cast<unsigned char>(byte)];
	}

	/// Decodes @p text; characters that do not stand for bytes are copied.
	std::string bytes(std::string_view text) const
	{
		std::string result;

		while (!text.empty()) {
			const std::string one(text.substr(0, sequence_length(text)));
			const auto found = bytes_.find(one);

			if (found != bytes_.end())
				result += found->second;
			else
				result += one;
			text.remove_prefix(one.size());
		}
		return result;
	}

private:
	/// UTF-8 of a character of at most 11 bits.
	static std::string encode(unsigned character)
	{
		if (character < 0x80)
			return {static_cast<char>(character)};
		return {static_cast<char>(0xc0U | character >> 6U),
			static_cast<char>(0x80U | (character & 0x3fU))};
	}

	std::array<std::string, 256> characters_;
	std::unordered_map<std::string, char> bytes_;
};

class ByteLevelBpe final : public TokenModel
{
public:
	/// @p bytes are the tokens of single bytes.
	ByteLevelBpe(ByteCharacters characters, PreTokenizer pre, const Gguf::Strings &merges,
		     const std::array<Token, 256> &bytes)
		: characters_(std::move(characters)), pre_(std::move(pre)), bytes_(bytes)
	{
		/* Merges are listed in the order of their priority. */
		for (const std::string &merge : merges)
			ranks_.emplace(merge, -static_cast<double>(ranks_.size()));
	}

	void encode(const Vocabulary &vocabulary, std::string_view text,
		    std::vector<Token> &tokens) const override
	{
		for (const std::string_view part : pre_.split(text)) {
			std::string word;

			for (const char byte : part)
				word += characters_.character(byte);
			encode_word(vocabulary, word, tokens);
		}
	}

	std::string decode(const Vocabulary::Piece &piece, bool /*first*/) const override
	{
		return piece.kind == Vocabulary::Kind::user ? piece.text
							    : characters_.bytes(piece.text);
	}

private:
	void encode_word(const Vocabulary &vocabulary, const std::string &word,
			 std::vector<Token> &tokens) const
	{
		if (pre_.prefers_whole_words()) {
			if (const auto token = vocabulary.find(word)) {
				tokens.push_back(*token);
				return;
			}
		}
		const auto parts = Merger(word).run([&](std::string_view left,
							std::string_view right, double &rank) {
			const auto found = ranks_.find(std::string(left).append(" ").append(right));

			if (found != ranks_.end())
				rank = found->second;
			return found != ranks_.end();
		});
		for (const std::string_view part : parts) {
			if (const auto token = vocabulary.find(std::string(part))) {
				tokens.push_back(*token);
				continue;
			}
			/* Merging may yield parts without a token: fall back to bytes. */
			for (const char byte : characters_.bytes(part))
				tokens.push_back(bytes_[static_cast<unsigned char>(byte)]);
		}
	}

	ByteCharacters characters_;
	PreTokenizer pre_;
	std::array<Token, 256> bytes_;
	std::unordered_map<std::string, double> ranks_;
};

/// The token of each byte. Some files lack tokens for bytes that do not occur in UTF-8.
Result<std::array<Token, 256>> byte_tokens(const Gguf &gguf, const Vocabulary &vocabulary,
					   const ByteCharacters &characters)
{
	const std::string key = "tokenizer.ggml.unknown_token_id";
	std::array<Token, 256> bytes{};

	for (unsigned byte = 0; byte < bytes.size(); byte++) {
		if (auto token = vocabulary.find(characters.character(static_cast<char>(byte)))) {
			bytes[byte] = *token;
			continue;
		}
		if (!gguf.has(key))
			return fail(EINVAL, "metadata 'tokenizer.ggml.tokens' has no token for "
					    "byte " +
						    std::to_string(byte) + ", and '" + key +
						    "' is missing");
		auto unknown =
			gguf.integer(key, 0, static_cast<std::uint32_t>(vocabulary.size() - 1));
		if (!unknown)
			return forward(unknown);
		bytes[byte] = *unknown;
	}
	return bytes;
}

} // namespace

Result<std::shared_ptr<const TokenModel>>
byte_level_bpe(const Gguf &gguf, const Vocabulary &vocabulary, bool &adds_begin)
{
	auto merges = gguf.strings("tokenizer.ggml.merges");
	auto name = gguf.string("tokenizer.ggml.pre");

	if (!merges)
		return forward(merges);
	if (!name)
		return forward(name);
	auto pre = PreTokenizer::create(*name);
	if (!pre)
		return forward(pre);
	ByteCharacters characters;
	auto bytes = byte_tokens(gguf, vocabulary, characters);
	if (!bytes)
		return forward(bytes);
	adds_begin = pre->adds_begin();
	return std::make_shared<const ByteLevelBpe>(std::move(characters), std::move(*pre),
						    **merges, *bytes);
}

} // namespace npu::llm
