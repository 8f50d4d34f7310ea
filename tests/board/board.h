/* SPDX-License-Identifier: MIT */
/// State and counters that the board reports.
#pragma once

#include <string>

/// A counter of the board, over all cores.
unsigned board_total(const std::string &counter);
/// The same, of one core.
unsigned board_count(unsigned core, const std::string &counter);
/// A number that the board as a whole shows.
unsigned board_value(const std::string &name);
