/* SPDX-License-Identifier: MIT */
/*
 * The code that a lane reaches, in a build with Clang's coverage (scripts/sanitize).
 */
#pragma once

#include <cstdint>
#include <vector>

namespace npu::fuzz
{

class Coverage
{
public:
	/// Whether the build counts what runs.
	static bool works();

	/// Begin with a lane.
	static void begin();
	/// Whether it reached code that none before has, or as often as none before: about
	/// once, a few times, often.
	bool grew();

private:
	/// Of each counter, the sizes it has had, a bit each.
	std::vector<std::uint8_t> seen_;
};

} // namespace npu::fuzz
