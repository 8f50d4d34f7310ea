/* SPDX-License-Identifier: MIT */
/*
 * How errors quote what a file says.
 */
#pragma once

#include <string>
#include <string_view>

namespace npu::llm
{

/// What reads more kinds of files than npu-llm does; ends messages that refuse one.
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
