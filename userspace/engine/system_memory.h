/* SPDX-License-Identifier: MIT */
/*
 * Amounts of memory: what people write, and what the system has.
 */
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace npu
{

/// The bytes that @p text says, a whole number with K, M or G or without; nothing if it is
/// another text.
std::optional<std::size_t> bytes_from(std::string_view text);

/// Memory of the system in bytes, as the kernel tells it.
struct SystemMemory {
	std::size_t total = 0;
	/// What can be had without swapping.
	std::size_t available = 0;
};
SystemMemory system_memory();

} // namespace npu
