/* SPDX-License-Identifier: MIT */
#include "llm/pretokenizer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <new>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "llm/messages.h"

namespace npu::llm
{

namespace
{

struct Kind {
	std::string_view name;
	/// Applied one after the other; nullptr for none.
	std::array<const char *, 2> patterns;
	bool adds_begin;
	bool prefers_whole_words;
};

/*
 * The patterns of llama.cpp. They use Unicode's \p{White_Space}, since \s of PCRE2 also matches
 * U+180E.
 */
constexpr const char *gpt2 =
	R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+)"
	R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";
constexpr const char *llama3 =
	R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"
	R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*)"
	R"(|\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";
constexpr const char *qwen2 =
	R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]))"
	R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\p{White_Space}\p{L}\p{N}]+[\r\n]*)"
	R"(|\p{White_Space}*[\r\n]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";

constexpr std::array kinds{
	Kind{"gpt-2", {gpt2, nullptr}, false, false},
	Kind{"llama-bpe", {llama3, nullptr}, true, true},
	Kind{"qwen2", {qwen2, nullptr}, false, false},
	Kind{"smollm", {R"(\p{N})", gpt2}, false, false},
};

using Code = std::shared_ptr<pcre2_code>;

Result<Code> compile(std::string_view pattern)
{
	int error = 0;
	PCRE2_SIZE offset = 0;
	Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
				PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &offset,
				nullptr),
		  pcre2_code_free);

	if (!code)
		return fail(ENOTSUP, "PCRE2 refuses the pattern of a tokenizer at " +
					     std::to_string(offset) + ", error " +
					     std::to_string(error));
	return code;
}

/// Appends the matches in @p text to @p words, and the text between them.
void cut(const pcre2_code *code, std::string_view text, std::vector<std::string_view> &words)
{
	const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
		pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
	const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
		pcre2_match_context_create(nullptr), pcre2_match_context_free);
	std::size_t at = 0;

	if (!match || !context)
		throw std::bad_alloc();
	/* The patterns need few resources: no limits, so that only memory can run out. */
	pcre2_set_match_limit(context.get(), std::numeric_limits<std::uint32_t>::max());
	pcre2_set_heap_limit(context.get(), std::numeric_limits<std::uint32_t>::max());
	while (at < text.size()) {
		const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()),
					      text.size(), at, 0, match.get(), context.get());

		if (found == PCRE2_ERROR_NOMATCH)
			break;
		if (found < 0)
			throw std::bad_alloc();
		const PCRE2_SIZE *range = pcre2_get_ovector_pointer(match.get());
		if (range[0] > at)
			words.push_back(text.substr(at, range[0] - at));
		words.push_back(text.substr(range[0], range[1] - range[0]));
		at = range[1];
	}
	if (at < text.size())
		words.push_back(text.substr(at));
}

} // namespace

Result<PreTokenizer> PreTokenizer::create(const std::string &name)
{
	const auto *kind = std::ranges::find(kinds, name, &Kind::name);
	PreTokenizer result;

	if (kind == kinds.end())
		return fail(EINVAL, "metadata 'tokenizer.ggml.pre' is " + quoted(name) +
					    ", and npu-llm implements gpt-2, llama-bpe, qwen2 and "
					    "smollm only; " +
					    remedy);
	for (const char *pattern : kind->patterns) {
		if (!pattern)
			continue;
		auto code = compile(pattern);
		if (!code)
			return forward(code);
		result.patterns_.push_back(std::move(*code));
	}
	result.adds_begin_ = kind->adds_begin;
	result.prefers_whole_words_ = kind->prefers_whole_words;
	return result;
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const
{
	std::vector<std::string_view> words{text};

	for (const auto &pattern : patterns_) {
		std::vector<std::string_view> parts;

		for (const std::string_view word : words)
			cut(static_cast<const pcre2_code *>(pattern.get()), word, parts);
		words = std::move(parts);
	}
	return words;
}

} // namespace npu::llm
