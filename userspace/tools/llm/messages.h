/* SPDX-License-Identifier: MIT */
/*
 * Quotes text from files in error messages.
 */
#pragma once

#include <string>
#include <string_view>

namespace npu::llm
{

/// Suggested in messages about files that npu-llm does not support.
constexpr const char *remedy = "use llama.cpp with libggml-npu.so, see docs/llama.md";

/// @p text in quotes, on one line whatever its bytes are, and not too long.
inline std::string quoted(std::string_view text)
{
	constexpr std::size_t most = 80;
	std::string result = "'";

	for (const char c : text.substr(0, most))
		result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
	return result + (text.size() > most ? "...'" : "'");
}

} // namespace npu::llm
