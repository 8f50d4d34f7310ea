/* SPDX-License-Identifier: MIT */
#include "fdinfo.h"

#include <charconv>
#include <system_error>

namespace npu::top
{

namespace
{

/// Takes the first line from @p text.
std::string_view take_line(std::string_view &text)
{
	const std::size_t end = text.find('\n');
	const std::string_view line = text.substr(0, end);

	text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
	return line;
}

/// Parses a number with an optional unit of memory, which is converted to bytes.
std::optional<std::uint64_t> amount(std::string_view value)
{
	std::uint64_t number = 0;
	const auto [rest, error] =
		std::from_chars(value.data(), value.data() + value.size(), number);

	if (error != std::errc())
		return {};
	const std::string_view unit = value.substr(static_cast<std::size_t>(rest - value.data()));
	if (unit == " KiB")
		return number << 10;
	if (unit == " MiB")
		return number << 20;
	return number;
}

/// Handles the keys "drm-resident-REGION" and "drm-active-REGION".
void set_memory(Client &client, std::string_view key, std::uint64_t bytes)
{
	constexpr std::string_view resident = "drm-resident-";
	constexpr std::string_view active = "drm-active-";

	if (key.starts_with(resident))
		client.memory[std::string(key.substr(resident.size()))].resident = bytes;
	else if (key.starts_with(active))
		client.memory[std::string(key.substr(active.size()))].active = bytes;
}

/// \return whether the key identifies this driver
bool set(Client &client, std::string_view key, std::uint64_t number)
{
	constexpr std::string_view time = "npu-time-";

	for (std::size_t i = 0; i < class_count; i++)
		if (key.starts_with(time) && key.substr(time.size()) == class_names[i]) {
			client.class_ns[i] = number;
			return true;
		}
	if (key == "drm-client-id")
		client.id = number;
	else if (key == "drm-engine-npu")
		client.busy_ns = number;
	else if (key == "npu-contexts")
		client.contexts = number;
	else if (key == "npu-jobs-queued")
		client.queued = number;
	else if (key == "npu-jobs")
		client.jobs = number;
	else if (key == "npu-jobs-failed")
		client.failed = number;
	else if (key == "npu-missed-deadlines")
		client.missed = number;
	else if (key == "npu-banned")
		client.banned = number != 0;
	else
		set_memory(client, key, number);
	return false;
}

} // namespace

std::optional<Client> parse_fdinfo(std::string_view text)
{
	Client client;
	bool known = false;

	while (!text.empty()) {
		std::string_view line = take_line(text);
		const std::size_t colon = line.find(':');

		if (colon == std::string_view::npos)
			continue;
		const std::string_view key = line.substr(0, colon);
		const std::size_t value = line.find_first_not_of(" \t", colon + 1);
		if (value == std::string_view::npos)
			continue;
		if (const auto number = amount(line.substr(value)))
			known |= set(client, key, *number);
	}
	if (!known)
		return {};
	return client;
}

} // namespace npu::top
