/* SPDX-License-Identifier: MIT */
/*
 * A snapshot as lines of text, and as JSON.
 */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model.h"

namespace npu::top
{

/// How a line looks on a terminal.
enum class Style : std::uint8_t {
	plain,
	bold,
	/// The heading of a table.
	heading,
};

struct Line {
	std::string text;
	Style style = Style::plain;
};

/// The snapshot in lines of at most @p width columns, its rows in the order that they
/// have; @p order marks the column that they are sorted by. Columns that do not fit are
/// left out, the least important ones first.
std::vector<Line> render(const Snapshot &snapshot, Order order, std::size_t width);

/// The snapshot as one line of JSON.
std::string to_json(const Snapshot &snapshot);

} // namespace npu::top
