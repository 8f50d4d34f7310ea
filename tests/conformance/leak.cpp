/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <vector>

#include "debugfs.h"
#include "igt.h"
#include "patience.h"

namespace leak
{

std::string objects()
{
	return read_debugfs("objects");
}

namespace
{

/// The numbers in a text.
std::vector<unsigned long long> counts_of(const std::string &text)
{
	std::vector<unsigned long long> counts;
	std::string word;
	std::istringstream words(text);

	while (words >> word)
		if (word.front() >= '0' && word.front() <= '9')
			counts.push_back(std::stoull(word));
	return counts;
}

} // namespace

bool none_new(const std::string &before)
{
	const std::string now = objects();

	/* A device that has gone has no file any more. */
	return now.empty() ||
	       std::ranges::equal(counts_of(now), counts_of(before), std::less_equal());
}

bool settles_below(const std::string &before)
{
	return before.empty() || patience::comes([&] { return none_new(before); });
}

void Check::done() const
{
	/* What jobs before it have used may still have been on its way out. */
	if (!settles_below(before_))
		CHECK_EQ(objects(), before_);
}

} // namespace leak
