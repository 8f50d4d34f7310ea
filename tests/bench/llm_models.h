/* SPDX-License-Identifier: MIT */
/*
 * Shapes of language models, and published figures of their speed.
 */
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace llm_bench
{

/// Bits per weight in GGUF: Q4_K, and Q6_K, which Q4_K_M uses for the output.
constexpr double q4_bits = 4.5;
constexpr double q6_bits = 6.5625;

/// Products that share their input: rows of k, n outputs each.
struct Group {
	std::uint32_t k;
	std::vector<std::uint32_t> n;
	/// Number of times that a token needs the group.
	std::uint32_t times;
	double bits = q4_bits;
	/// Only computed for the last token of a prompt.
	bool last_only = false;
};

/// Published figures; 0 for none.
struct Published {
	double npu_decode = 0;
	double npu_prefill_ms = 0;
	double cpu_decode = 0;
	/// The model and the author.
	std::string_view source;
};

struct Model {
	std::string_view name;
	std::vector<Group> groups;
	Published published;
};

std::span<const Model> models();

} // namespace llm_bench
