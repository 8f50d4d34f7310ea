/* SPDX-License-Identifier: MIT */
#include "system_memory.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <string>

namespace npu
{

std::optional<std::size_t> bytes_from(std::string_view text)
{
	constexpr std::string_view units = "KMG";
	std::size_t value = 0;
	unsigned int shift = 0;

	const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
	if (error != std::errc{} || end == text.begin())
		return {};
	if (end != text.end()) {
		const auto unit = units.find(*end);
		if (unit == std::string_view::npos || end + 1 != text.end())
			return {};
		shift = 10 * (static_cast<unsigned int>(unit) + 1);
	}
	if (value > std::numeric_limits<std::size_t>::max() >> shift)
		return {};
	return value << shift;
}

SystemMemory system_memory()
{
	std::ifstream file("/proc/meminfo");
	SystemMemory memory;
	std::string name;
	std::size_t kibibytes = 0;
	std::string unit;

	while (file >> name >> kibibytes && std::getline(file, unit)) {
		if (name == "MemTotal:")
			memory.total = kibibytes << 10;
		if (name == "MemAvailable:")
			memory.available = kibibytes << 10;
	}
	return memory;
}

} // namespace npu
