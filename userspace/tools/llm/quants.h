/* SPDX-License-Identifier: MIT */
/*
 * The types of tensors in GGUF files, and their elements as floats.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace npu::llm
{

/// Types of tensors that can be read, as the format numbers them.
enum class TensorType : std::uint32_t {
	f32 = 0,
	f16 = 1,
	q4_0 = 2,
	q4_1 = 3,
	q5_0 = 6,
	q5_1 = 7,
	q8_0 = 8,
	q2_k = 10,
	q3_k = 11,
	q4_k = 12,
	q5_k = 13,
	q6_k = 14,
	bf16 = 30,
};

/// The names of these types, for messages.
constexpr const char *readable_types =
	"F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K";

/// Number of elements in a block, and size of a block in bytes.
struct Block {
	std::uint32_t elements;
	std::uint32_t bytes;
};

/// The block of type number @p type; nullopt for unsupported types.
std::optional<Block> block_of(std::uint32_t type);

/// Write the elements of @p blocks to @p out.
/// \pre blocks are whole blocks of @p type, and out has room for their elements
void dequantise(TensorType type, std::span<const std::byte> blocks, std::span<float> out);

} // namespace npu::llm
