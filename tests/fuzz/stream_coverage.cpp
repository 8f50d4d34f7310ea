/* SPDX-License-Identifier: MIT */
#include "stream_coverage.h"

#include <algorithm>
#include <bit>
#include <span>

namespace
{

/// Counters of the whole program, which is one module.
std::span<std::uint8_t> counters;

} // namespace

/// Called by the program's start-up code if coverage is enabled.
// The sanitizers' runtime prescribes the name. NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" void __sanitizer_cov_8bit_counters_init(std::uint8_t *begin, std::uint8_t *end)
{
	counters = {begin, end};
}

namespace npu::fuzz
{

bool Coverage::works()
{
	return !counters.empty();
}

void Coverage::begin()
{
	std::ranges::fill(counters, std::uint8_t{0});
}

bool Coverage::grew()
{
	bool grew = false;

	seen_.resize(counters.size());
	for (std::size_t i = 0; i < counters.size(); i++) {
		/* Classes of counts: 0, 1 to 3, 4 to 31, more. */
		const unsigned size = (std::bit_width(counters[i]) + 2U) / 3U;
		const auto bit = static_cast<std::uint8_t>(1U << size);

		grew |= size && !(seen_[i] & bit);
		seen_[i] |= bit;
	}
	return grew;
}

} // namespace npu::fuzz
