/* SPDX-License-Identifier: MIT */
/*
 * The sizes of a model.
 */
#pragma once

#include <cstdint>

#include <npu/error.h>

#include "llm/gguf.h"
#include "llm/support.h"

namespace npu::llm
{

struct Shape {
	Architecture architecture{};
	std::uint32_t layers = 0;
	std::uint32_t width = 0;
	std::uint32_t hidden = 0;
	std::uint32_t heads = 0;
	std::uint32_t kv_heads = 0;
	std::uint32_t head_size = 0;
	std::uint32_t vocabulary = 0;
	/// Positions that the model was trained for.
	std::uint32_t context = 0;
	float epsilon = 0;
	float rope_base = 0;

	/// Elements of the queries of a token, and of its keys and of its values.
	std::uint32_t q_width() const { return heads * head_size; }
	std::uint32_t kv_width() const { return kv_heads * head_size; }

	/// Default number of positions: the model's context, but at most 4096.
	std::uint32_t default_context() const { return context < 4096 ? context : 4096; }
};

/// Check that npu-llm implements the model in a file, and read its sizes.
/// \retval EINVAL what check_support() says, or sizes missing or impossible
Result<Shape> read_shape(const Gguf &gguf);

} // namespace npu::llm
