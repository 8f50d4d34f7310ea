/* SPDX-License-Identifier: MIT */
#include "llm/tokenizer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <queue>

namespace npu::llm
{

namespace
{

/// How SentencePiece writes a blank: U+2581.
constexpr std::string_view blank = "\xe2\x96\x81";

/// Length of the UTF-8 sequence that begins @p text; 1 if none does.
std::size_t sequence_length(std::string_view text)
{
	const auto lead = static_cast<unsigned char>(text.front());
	const std::size_t most = lead < 0xc0 || lead >= 0xf8 ? 1
				 : lead < 0xe0               ? 2
				 : lead < 0xf0               ? 3
							     : 4;
	std::size_t length = 1;

	while (length < std::min(most, text.size()) &&
	       (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80)
		length++;
	return length;
}

/// The byte of a piece like "<0x0A>", or -1.
int byte_of(const std::string &text)
{
	int value = -1;

	if (text.size() == 6 && text.starts_with("<0x") && text.ends_with('>'))
		std::from_chars(text.data() + 3, text.data() + 5, value, 16);
	return value;
}

/// Part of a text that is a symbol; merged ones have length 0.
struct Symbol {
	std::size_t begin;
	std::size_t length;
	int previous;
	int next;
};

/// Two neighbours that together are a piece.
struct Pair {
	float score;
	int left;
	int right;
	std::size_t length;
};

/// The best score first, the leftmost of equals.
struct Worse {
	bool operator()(const Pair &a, const Pair &b) const
	{
		return a.score != b.score ? a.score < b.score : a.left > b.left;
	}
};

Result<Token> token_id(const Gguf &gguf, const std::string &key, Token otherwise, std::size_t count)
{
	if (!gguf.has(key))
		return otherwise;
	return gguf.integer(key, 0, static_cast<std::uint32_t>(count - 1));
}

Result<bool> flag(const Gguf &gguf, const std::string &key, bool otherwise)
{
	if (!gguf.has(key))
		return otherwise;
	auto value = gguf.number(key);
	if (!value)
		return forward(value);
	return *value != 0;
}

} // namespace

Result<Tokenizer> Tokenizer::create(const Gguf &gguf)
{
	Tokenizer tokenizer;

	auto model = gguf.string("tokenizer.ggml.model");
	if (!model)
		return forward(model);
	if (*model != "llama")
		return fail(EINVAL, "tokenizer '" + *model + "' is not 'llama'");
	auto texts = gguf.strings("tokenizer.ggml.tokens");
	auto scores = gguf.numbers("tokenizer.ggml.scores");
	auto kinds = gguf.numbers("tokenizer.ggml.token_type");
	if (!texts)
		return forward(texts);
	if (!scores)
		return forward(scores);
	if (!kinds)
		return forward(kinds);
	const std::size_t count = (*texts)->size();
	if (count < 3 || (*scores)->size() != count || (*kinds)->size() != count)
		return fail(EINVAL, "tokens, scores and types of the tokenizer differ in number");

	auto unknown = token_id(gguf, "tokenizer.ggml.unknown_token_id", 0, count);
	auto begin = token_id(gguf, "tokenizer.ggml.bos_token_id", 1, count);
	auto end = token_id(gguf, "tokenizer.ggml.eos_token_id", 2, count);
	auto add_begin = flag(gguf, "tokenizer.ggml.add_bos_token", true);
	auto add_blank = flag(gguf, "tokenizer.ggml.add_space_prefix", true);
	for (auto *id : {&unknown, &begin, &end})
		if (!*id)
			return forward(*id);
	for (auto *value : {&add_begin, &add_blank})
		if (!*value)
			return forward(*value);
	tokenizer.begin_ = *begin;
	tokenizer.end_ = *end;
	tokenizer.add_begin_ = *add_begin;
	tokenizer.add_blank_ = *add_blank;

	tokenizer.bytes_.assign(256, *unknown);
	for (std::size_t i = 0; i < count; i++) {
		const double kind = (**kinds)[i];
		const std::string &text = (**texts)[i];

		if (!(kind >= 1 && kind <= 6))
			return fail(EINVAL, "token " + std::to_string(i) + " has no known type");
		tokenizer.pieces_.push_back({text, static_cast<float>((**scores)[i]),
					     static_cast<Kind>(static_cast<int>(kind))});
		if (tokenizer.pieces_.back().kind == Kind::normal ||
		    tokenizer.pieces_.back().kind == Kind::user)
			tokenizer.ids_.emplace(text, static_cast<Token>(i));
		if (tokenizer.pieces_.back().kind == Kind::byte)
			if (const int byte = byte_of(text); byte >= 0)
				tokenizer.bytes_[static_cast<std::size_t>(byte)] =
					static_cast<Token>(i);
	}
	return tokenizer;
}

std::vector<Token> Tokenizer::encode(std::string_view text) const
{
	std::vector<Token> tokens;
	std::vector<Symbol> symbols;
	std::priority_queue<Pair, std::vector<Pair>, Worse> pairs;
	std::string escaped = add_blank_ && !text.empty() ? std::string(blank) : std::string();

	if (add_begin_)
		tokens.push_back(begin_);
	for (const char c : text) {
		if (c == ' ')
			escaped += blank;
		else
			escaped += c;
	}

	for (std::size_t at = 0; at < escaped.size();) {
		const std::size_t length = sequence_length(std::string_view(escaped).substr(at));
		const int index = static_cast<int>(symbols.size());

		symbols.push_back({at, length, index - 1, index + 1});
		at += length;
	}
	if (!symbols.empty())
		symbols.back().next = -1;

	const auto symbol = [&](int i) -> Symbol & {
		return symbols[static_cast<std::size_t>(i)];
	};
	const auto try_pair = [&](int left, int right) {
		if (left < 0 || right < 0)
			return;
		const std::size_t length = symbol(left).length + symbol(right).length;
		const auto found = ids_.find(escaped.substr(symbol(left).begin, length));
		if (found != ids_.end())
			pairs.push({pieces_[found->second].score, left, right, length});
	};

	for (int i = 0; i + 1 < static_cast<int>(symbols.size()); i++)
		try_pair(i, i + 1);
	while (!pairs.empty()) {
		const Pair pair = pairs.top();
		Symbol &left = symbol(pair.left);
		Symbol &right = symbol(pair.right);

		pairs.pop();
		/* One of them was merged with another since. */
		if (!left.length || !right.length || left.length + right.length != pair.length)
			continue;
		left.length = pair.length;
		right.length = 0;
		left.next = right.next;
		if (right.next >= 0)
			symbol(right.next).previous = pair.left;
		try_pair(left.previous, pair.left);
		try_pair(pair.left, left.next);
	}

	for (const Symbol &part : symbols) {
		if (!part.length)
			continue;
		const std::string piece = escaped.substr(part.begin, part.length);
		const auto found = ids_.find(piece);

		if (found != ids_.end()) {
			tokens.push_back(found->second);
			continue;
		}
		for (const char c : piece)
			tokens.push_back(bytes_[static_cast<unsigned char>(c)]);
	}
	return tokens;
}

std::string Tokenizer::decode(Token token, bool first) const
{
	if (token >= pieces_.size())
		return {};
	const Piece &piece = pieces_[token];
	if (piece.kind == Kind::control || piece.kind == Kind::unused)
		return {};
	if (piece.kind == Kind::byte) {
		const int byte = byte_of(piece.text);
		return byte < 0 ? std::string() : std::string(1, static_cast<char>(byte));
	}

	std::string_view rest = piece.text;
	std::string text;
	if (first && add_blank_ && rest.starts_with(blank))
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

} // namespace npu::llm
