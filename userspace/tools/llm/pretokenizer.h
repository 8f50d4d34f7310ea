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
	/// Creates the pre-tokenizer with llama.cpp's name @p name.
	/// \retval EINVAL npu-llm does not implement it
	static Result<PreTokenizer> create(const std::string &name);

	/// Splits @p text into words, in order and without gaps. Invalid bytes are words of their
	/// own.
	std::vector<std::string_view> split(std::string_view text) const;

	/// Whether to add the begin token if the file does not specify it.
	bool adds_begin() const { return adds_begin_; }
	/// Whether a word that is in the vocabulary becomes one token without merging.
	bool prefers_whole_words() const { return prefers_whole_words_; }

private:
	PreTokenizer() = default;

	/// Compiled patterns. Each one splits the words that the previous one has left.
	std::vector<std::shared_ptr<const void>> patterns_;
	bool adds_begin_ = false;
	bool prefers_whole_words_ = false;
};

} // namespace npu::llm
