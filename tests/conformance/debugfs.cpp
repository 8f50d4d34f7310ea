/* SPDX-License-Identifier: MIT */
#include "debugfs.h"

#include <cstddef>
#include <fstream>

#include <glob.h>

std::string read_debugfs(const std::string &name)
{
	std::string line, all;
	glob_t found{};

	glob(("/sys/kernel/debug/accel/*/" + name).c_str(), 0, nullptr, &found);
	// Of a render node; it stands there under several names.
	glob(("/sys/kernel/debug/dri/*/" + name).c_str(), GLOB_APPEND, nullptr, &found);
	for (std::size_t i = 0; i < found.gl_pathc; i++) {
		std::ifstream file(found.gl_pathv[i]);

		while (std::getline(file, line))
			all += (all.empty() ? "" : ", ") + line;
	}
	globfree(&found);
	return all;
}
