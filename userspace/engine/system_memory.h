/* SPDX-License-Identifier: MIT */
/*
 * Parses amounts of memory, and reads those of the system.
 */
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace npu
{

/// Parses a whole number of bytes with an optional suffix K, M or G; nullopt if @p text is
/// malformed.
std::optional<std::size_t> bytes_from(std::string_view text);

/// Memory of the system in bytes, from /proc/meminfo.
struct SystemMemory {
	std::size_t total = 0;
	/// Memory that can be allocated without swapping.
	std::size_t available = 0;
};
SystemMemory system_memory();

} // namespace npu
