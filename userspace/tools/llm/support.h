/* SPDX-License-Identifier: MIT */
/*
 * Rejects files with features that npu-llm does not implement: their text would be wrong without
 * any sign of it.
 */
#pragma once

#include <string_view>

#include <npu/error.h>

#include "llm/gguf.h"

namespace npu::llm
{

/// Differences between the supported architectures.
struct Architecture {
	std::string_view name;
	/// Rotary positions turn element i and i + half a head, not 2 i and 2 i + 1.
	bool rotates_halves;
	/// Queries, keys and values have biases.
	bool has_biases;
	/// Each head of queries and keys has an RMS norm.
	bool has_head_norms;
};

/// The architecture of @p gguf.
/// \retval EINVAL missing, or none that npu-llm implements
Result<Architecture> architecture_of(const Gguf &gguf);

/// Checks that npu-llm implements everything in @p gguf that affects the text.
/// \retval EINVAL metadata or a tensor that it does not implement; the message says which,
/// what its value is, and what to use instead
Result<void> check_support(const Gguf &gguf);

} // namespace npu::llm
