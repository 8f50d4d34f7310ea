/* SPDX-License-Identifier: MIT */
/// How long tests wait for what must come. These are watchdogs: they end a test that
/// would wait for ever, and are far too long to tell a slow machine from a fast one.
#pragma once

#include <algorithm>
#include <chrono>

#include <unistd.h>

namespace patience
{

/// For one thing that must happen.
std::chrono::milliseconds one();
unsigned ms();
/// For a whole subtest.
std::chrono::seconds all();

/// Looks again and again, less and less often, until @condition holds; false if it
/// never does.
template <typename Condition>
bool comes(const Condition &condition)
{
	constexpr useconds_t shortest = 20, longest = 2000;
	const auto end = std::chrono::steady_clock::now() + one();

	for (useconds_t pause = shortest; !condition(); pause = std::min(2 * pause, longest)) {
		if (std::chrono::steady_clock::now() >= end)
			return false;
		usleep(pause);
	}
	return true;
}

} // namespace patience
