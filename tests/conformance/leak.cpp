/* SPDX-License-Identifier: MIT */
#include "leak.h"

#include <fstream>

#include <glob.h>
#include <unistd.h>

#include "igt.h"

namespace leak
{

std::string objects()
{
	std::string line, all;
	glob_t found{};

	if (!glob("/sys/kernel/debug/accel/*/objects", 0, nullptr, &found))
		for (std::size_t i = 0; i < found.gl_pathc; i++) {
			std::ifstream file(found.gl_pathv[i]);

			while (std::getline(file, line))
				all += (all.empty() ? "" : ", ") + line;
		}
	globfree(&found);
	return all;
}

bool settles(const std::string &before)
{
	if (before.empty())
		return true;
	for (int i = 0; i < 1500; i++) {
		if (objects() == before)
			return true;
		usleep(10000);
	}
	return false;
}

void Check::done() const
{
	if (!settles(before_))
		CHECK_EQ(objects(), before_);
}

} // namespace leak
