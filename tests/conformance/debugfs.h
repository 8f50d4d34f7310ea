/* SPDX-License-Identifier: MIT */
/// The driver's files in debugfs, for root.
#pragma once

#include <string>

/// The lines of the files @name of all devices, joined to one; empty when they cannot be
/// read.
std::string read_debugfs(const std::string &name);
