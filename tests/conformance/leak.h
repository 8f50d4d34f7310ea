/* SPDX-License-Identifier: MIT */
/// Objects that are alive in the kernel, as debugfs counts them for root.
#pragma once

#include <string>

namespace leak
{

/// The counts on one line; empty when they cannot be read.
std::string objects();

/// Whether no count is higher than @before.
bool none_new(const std::string &before);

/// Whether none is after a while: jobs that run go on after their file is closed, and
/// references are dropped a bit later.
bool settles_below(const std::string &before);

/// Asserts that what happens between its construction and done() leaves nothing.
class Check
{
public:
	Check() : before_(objects()) {}
	void done() const;

private:
	std::string before_;
};

} // namespace leak
