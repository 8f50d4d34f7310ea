/* SPDX-License-Identifier: MIT */
/// State and counters that the board reports.
#pragma once

#include <string>

/// A counter of the board, summed over all cores.
unsigned board_total(const std::string &counter);
/// A counter of one core.
unsigned board_count(unsigned core, const std::string &counter);
/// A value of the board as a whole.
unsigned board_value(const std::string &name);
