/* SPDX-License-Identifier: MIT */
#include "fdinfo_file.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "igt.h"

std::string read_fdinfo_text(int fd, pid_t pid)
{
	std::ifstream file("/proc/" + std::to_string(pid) + "/fdinfo/" + std::to_string(fd));

	CHECK(file);
	return {std::istreambuf_iterator<char>(file), {}};
}

FdInfo read_fdinfo(int fd, pid_t pid)
{
	std::istringstream text(read_fdinfo_text(fd, pid));
	std::string line;
	FdInfo info;

	while (std::getline(text, line)) {
		const std::size_t colon = line.find(':');

		CHECK(colon != std::string::npos);
		const std::size_t value = line.find_first_not_of(" \t", colon + 1);
		CHECK(info.emplace(line.substr(0, colon),
				   value == std::string::npos ? "" : line.substr(value))
			      .second);
	}
	return info;
}

std::uint64_t fdinfo_amount(const std::string &text)
{
	std::istringstream in(text);
	std::uint64_t value = 0;
	std::string unit;

	CHECK(in >> value);
	in >> unit;
	if (unit == "KiB")
		return value << 10;
	if (unit == "MiB")
		return value << 20;
	CHECK(unit.empty() || unit == "ns" || unit == "Hz");
	return value;
}

std::uint64_t fdinfo_amount(const FdInfo &info, const std::string &key)
{
	const igt::Note note(key);
	const auto found = info.find(key);

	CHECK(found != info.end());
	return fdinfo_amount(found->second);
}
