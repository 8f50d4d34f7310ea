/* SPDX-License-Identifier: MIT */
/*
 * Cuts text into the words that a byte-level BPE tokenizer merges within.
 */
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <npu/error.h>

namespace npu::llm
{

class PreTokenizer
{
public:
	/// The one that llama.cpp calls @p name.
	/// \retval EINVAL npu-llm does not implement it
	static Result<PreTokenizer> create(const std::string &name);

	/// The words of @p text, in order, together all of it. Bytes that are not UTF-8
	/// are words of their own.
	std::vector<std::string_view> split(std::string_view text) const;

	/// Whether the tokenizer begins texts with the begin token if the file does not say.
	bool adds_begin() const { return adds_begin_; }
	/// Whether a word that is a token is that token, whatever merging would make of it.
	bool prefers_whole_words() const { return prefers_whole_words_; }

private:
	PreTokenizer() = default;

	/// Compiled patterns. Each cuts what the one before has left whole.
	std::vector<std::shared_ptr<const void>> patterns_;
	bool adds_begin_ = false;
	bool prefers_whole_words_ = false;
};

} // namespace npu::llm
