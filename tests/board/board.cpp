/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <fstream>

#include <glob.h>

#include "igt.h"

namespace
{

/// The sum of the numbers in all matching files of the board.
unsigned sum_of(const std::string &files)
{
	glob_t found{};
	unsigned sum = 0;

	CHECK_OK(glob(("/sys/kernel/debug/npu_board/" + files).c_str(), 0, nullptr, &found));
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		std::ifstream file(found.gl_pathv[i]);
		unsigned value = 0;

		CHECK(file >> value);
		sum += value;
	}
	globfree(&found);
	return sum;
}

} // namespace

unsigned board_total(const std::string &counter)
{
	return sum_of("core*/" + counter);
}

unsigned board_value(const std::string &name)
{
	return sum_of(name);
}

unsigned board_count(unsigned core, const std::string &counter)
{
	return sum_of("core" + std::to_string(core) + '/' + counter);
}
