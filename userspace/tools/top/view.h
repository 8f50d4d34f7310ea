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

/// Renders @p snapshot in lines of at most @p width columns, without changing the order of the
/// rows; marks the column of @p order. Omits the least important columns if the width is too small.
std::vector<Line> render(const Snapshot &snapshot, Order order, std::size_t width);

/// The snapshot as one line of JSON.
std::string to_json(const Snapshot &snapshot);

} // namespace npu::top
