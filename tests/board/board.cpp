/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <fstream>

#include <glob.h>

#include "igt.h"

unsigned board_total(const std::string &counter)
{
	glob_t found{};
	unsigned sum = 0;

	CHECK_OK(
		glob(("/sys/kernel/debug/npu_board/core*/" + counter).c_str(), 0, nullptr, &found));
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		std::ifstream file(found.gl_pathv[i]);
		unsigned value = 0;

		CHECK(file >> value);
		sum += value;
	}
	globfree(&found);
	return sum;
}
