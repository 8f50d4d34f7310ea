/* SPDX-License-Identifier: MIT */
/*
 * Coverage of code by a lane, in a build with Clang's coverage (scripts/sanitize).
 */
#pragma once

#include <cstdint>
#include <vector>

namespace npu::fuzz
{

class Coverage
{
public:
	/// Whether the build has coverage counters.
	static bool works();

	/// Resets the counters for a lane.
	static void begin();
	/// Whether the lane reached new code, or reached code in a new class of counts.
	bool grew();

private:
	/// The classes that each counter has reached, one bit each.
	std::vector<std::uint8_t> seen_;
};

} // namespace npu::fuzz
