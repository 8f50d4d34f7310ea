/* SPDX-License-Identifier: MIT */
/*
 * Parses the fdinfo of clients of an NPU.
 */
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace npu::top
{

/// Scheduling classes, in the order in which they are shown.
enum Class : std::uint8_t {
	latency,
	throughput,
	background,
};
inline constexpr std::size_t class_count = 3;
inline constexpr std::array<const char *, class_count> class_names{"latency", "throughput",
								   "background"};

/// Bytes in a memory region.
struct Memory {
	std::uint64_t resident = 0;
	std::uint64_t active = 0;
};

/// An open file of a device.
struct Client {
	std::uint64_t id = 0;
	/// Device time of all work, and by class.
	std::uint64_t busy_ns = 0;
	std::array<std::uint64_t, class_count> class_ns{};
	std::uint64_t contexts = 0;
	/// Jobs that have not ended, that ended well, and that failed.
	std::uint64_t queued = 0;
	std::uint64_t jobs = 0;
	std::uint64_t failed = 0;
	std::uint64_t missed = 0;
	bool banned = false;
	/// Indexed by the name of the region.
	std::map<std::string, Memory> memory;
};

/// Parses @p text, the contents of a file in /proc/PID/fdinfo; nullopt if the file does not belong
/// to a client of this driver.
std::optional<Client> parse_fdinfo(std::string_view text);

} // namespace npu::top
