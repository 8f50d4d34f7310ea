/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <optional>
#include <span>
#include <sstream>

#include <nlohmann/json.hpp>

namespace npu::top
{

namespace
{

using nlohmann::ordered_json;

std::string fixed(double value, int digits)
{
	std::ostringstream text;

	text << std::fixed << std::setprecision(digits) << value;
	return text.str();
}

std::string percent(double part)
{
	return fixed(part * 100, 1);
}

/// Formats bytes with a unit and at most four digits.
std::string bytes(std::uint64_t count)
{
	constexpr std::array<const char *, 4> units{"K", "M", "G", "T"};
	double value = static_cast<double>(count) / 1024;
	std::size_t unit = 0;

	for (; value >= 1000 && unit + 1 < units.size(); unit++)
		value /= 1024;
	return fixed(value, value >= 100 || value == std::floor(value) ? 0 : 1) + units[unit];
}

std::string left(std::string text, std::size_t width)
{
	text.resize(width, ' ');
	return text;
}

std::string right(const std::string &text, std::size_t width)
{
	if (text.size() >= width)
		return text.substr(0, width);
	return std::string(width - text.size(), ' ').append(text);
}

/// A column of the table of processes.
struct Column {
	const char *title;
	std::size_t width;
	/// Columns with higher numbers are omitted first when the line is too narrow.
	int importance;
	std::string (*cell)(const Row &row);
	/// The order that sorts by this column.
	std::optional<Order> order = {}; // NOLINT(readability-redundant-member-init)
	bool to_left = false;
};

constexpr std::size_t class_latency = latency;

/// The columns from left to right; the command follows in the remaining width.
constexpr std::array<Column, 12> columns{{
	{.title = "PID",
	 .width = 7,
	 .importance = 0,
	 .cell = [](const Row &row) { return std::to_string(row.pid); },
	 .order = Order::pid},
	{.title = "USER",
	 .width = 8,
	 .importance = 5,
	 .cell = [](const Row &row) { return row.user; },
	 .to_left = true},
	{.title = "NPU%",
	 .width = 5,
	 .importance = 0,
	 .cell = [](const Row &row) { return percent(row.load); },
	 .order = Order::load},
	{.title = "LAT%",
	 .width = 5,
	 .importance = 3,
	 .cell =
		 [](const Row &row) {
			 return percent(row.class_load[class_latency]);
		 }},
	{.title = "THR%",
	 .width = 5,
	 .importance = 3,
	 .cell =
		 [](const Row &row) {
			 return percent(row.class_load[throughput]);
		 }},
	{.title = "BG%",
	 .width = 5,
	 .importance = 4,
	 .cell =
		 [](const Row &row) {
			 return percent(row.class_load[background]);
		 }},
	{.title = "MEM",
	 .width = 6,
	 .importance = 1,
	 .cell = [](const Row &row) { return bytes(row.resident("memory")); },
	 .order = Order::memory},
	{.title = "SRAM",
	 .width = 6,
	 .importance = 4,
	 .cell =
		 [](const Row &row) {
			 return bytes(row.resident("sram"));
		 }},
	{.title = "QUEUE",
	 .width = 5,
	 .importance = 2,
	 .cell = [](const Row &row) { return std::to_string(row.queued); },
	 .order = Order::queue},
	{.title = "JOBS/S",
	 .width = 7,
	 .importance = 5,
	 .cell =
		 [](const Row &row) {
			 return fixed(row.jobs_per_second, 0);
		 }},
	{.title = "MISSED",
	 .width = 6,
	 .importance = 6,
	 .cell = [](const Row &row) { return std::to_string(row.missed); },
	 .order = Order::missed},
	{.title = "FAILED",
	 .width = 6,
	 .importance = 7,
	 .cell =
		 [](const Row &row) {
			 return std::to_string(row.failed) + (row.banned ? "!" : "");
		 }},
}};

/// Minimum width of the command.
constexpr std::size_t command_width = 8;

/// The highest importance whose columns fit in @p width.
int threshold(std::size_t width)
{
	int most = 0;

	for (const Column &column : columns)
		most = std::max(most, column.importance);
	for (; most > 0; most--) {
		std::size_t needed = command_width;

		for (const Column &column : columns)
			if (column.importance <= most)
				needed += column.width + 1;
		if (needed <= width)
			break;
	}
	return most;
}

std::string heading(Order order, int importance)
{
	std::string text;

	for (const Column &column : columns) {
		if (column.importance > importance)
			continue;
		const std::string title =
			std::string(column.order == order ? ">" : "") + column.title;
		text += (column.to_left ? left(title, column.width) : right(title, column.width)) +
			' ';
	}
	return text + "COMMAND";
}

std::string row_text(const Row &row, int importance)
{
	std::string text;

	for (const Column &column : columns) {
		if (column.importance > importance)
			continue;
		const std::string cell = column.cell(row);
		text += (column.to_left ? left(cell, column.width) : right(cell, column.width)) +
			' ';
	}
	for (const char c : row.command)
		text += c >= ' ' && c <= '~' ? c : '?';
	return text;
}

std::string device_text(const Snapshot &snapshot)
{
	std::string text = snapshot.name + (snapshot.is_virtual ? " (virtual)" : "");

	if (snapshot.clock_hz)
		text += "  clock " + std::to_string(snapshot.clock_hz / 1000000) + "/" +
			std::to_string(snapshot.max_clock_hz / 1000000) + " MHz";
	if (snapshot.temperature)
		text += "  " + fixed(static_cast<double>(*snapshot.temperature) / 1000, 1) + " C";
	for (const Region &region : snapshot.regions)
		text += "  " + region.name + " " + bytes(region.used) + "/" + bytes(region.size);
	return text;
}

std::string jobs_text(const Snapshot &snapshot)
{
	return std::string("queue ") + std::to_string(snapshot.queued) + "  jobs/s " +
	       fixed(snapshot.jobs_per_second, 0) + "  missed " + std::to_string(snapshot.missed) +
	       "  failed " + std::to_string(snapshot.failed) + "  hangs " +
	       std::to_string(snapshot.hangs) + "  faults " + std::to_string(snapshot.faults) +
	       "  resets " + std::to_string(snapshot.resets);
}

std::string core_text(std::size_t index, double load, std::size_t width)
{
	const std::string name = std::string("core ") + std::to_string(index) + " ";
	const std::string value = right(percent(load), 6) + "%";
	const std::size_t frame = name.size() + value.size() + 2;

	if (width < frame + 4)
		return name + value;
	const std::size_t most = std::min<std::size_t>(width - frame, 50);
	const auto full = static_cast<std::size_t>(std::lround(load * static_cast<double>(most)));
	return name + "[" + std::string(full, '|') + std::string(most - full, ' ') + "]" + value;
}

} // namespace

std::vector<Line> render(const Snapshot &snapshot, Order order, std::size_t width)
{
	const int importance = threshold(width);
	std::vector<Line> lines;

	lines.push_back({.text = device_text(snapshot), .style = Style::bold});
	for (std::size_t i = 0; i < snapshot.cores.size(); i++)
		lines.push_back({.text = core_text(i, snapshot.cores[i], width)});
	lines.push_back({.text = jobs_text(snapshot)});
	lines.push_back({.text = heading(order, importance), .style = Style::heading});
	for (const Row &row : snapshot.rows)
		lines.push_back({.text = row_text(row, importance)});
	if (snapshot.hidden)
		lines.push_back({.text = std::to_string(snapshot.hidden) +
					 " more open: of other users, whom only root sees"});
	for (Line &line : lines)
		if (line.text.size() > width)
			line.text.resize(width);
	return lines;
}

std::string to_json(const Snapshot &snapshot)
{
	ordered_json json{{"device", snapshot.name},
			  {"virtual", snapshot.is_virtual},
			  {"interval_ns", snapshot.interval_ns},
			  {"clock_hz", snapshot.clock_hz},
			  {"max_clock_hz", snapshot.max_clock_hz},
			  {"temperature", nullptr},
			  {"cores", snapshot.cores},
			  {"regions", ordered_json::array()},
			  {"queued_jobs", snapshot.queued},
			  {"jobs", snapshot.jobs},
			  {"jobs_per_second", snapshot.jobs_per_second},
			  {"missed_deadlines", snapshot.missed},
			  {"failed_jobs", snapshot.failed},
			  {"hangs", snapshot.hangs},
			  {"faults", snapshot.faults},
			  {"resets", snapshot.resets},
			  {"hidden_files", snapshot.hidden},
			  {"processes", ordered_json::array()}};

	if (snapshot.temperature)
		json["temperature"] = static_cast<double>(*snapshot.temperature) / 1000;
	for (const Region &region : snapshot.regions)
		json["regions"].push_back(
			{{"name", region.name}, {"size", region.size}, {"used", region.used}});
	for (const Row &row : snapshot.rows) {
		ordered_json memory = ordered_json::object();
		ordered_json classes = ordered_json::object();

		for (const auto &[region, size] : row.memory)
			memory[region] = {{"resident", size.resident}, {"active", size.active}};
		for (std::size_t i = 0; i < class_count; i++)
			classes[class_names[i]] = row.class_load[i];
		json["processes"].push_back({{"pid", row.pid},
					     {"user", row.user},
					     {"command", row.command},
					     {"load", row.load},
					     {"classes", classes},
					     {"memory", memory},
					     {"contexts", row.contexts},
					     {"queued_jobs", row.queued},
					     {"jobs", row.jobs},
					     {"jobs_per_second", row.jobs_per_second},
					     {"missed_deadlines", row.missed},
					     {"failed_jobs", row.failed},
					     {"banned", row.banned}});
	}
	return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace npu::top
