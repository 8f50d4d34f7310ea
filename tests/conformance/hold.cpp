/* SPDX-License-Identifier: MIT */
#include "hold.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include <fcntl.h>
#include <glob.h>

#include "igt.h"

namespace
{

/// A file of the driver in debugfs; -1 and errno if it cannot be had.
Fd open_debugfs(const std::string &name, int mode)
{
	glob_t found{};
	Fd fd;

	glob(("/sys/kernel/debug/accel/*/" + name).c_str(), 0, nullptr, &found);
	/* Of a render node; it stands there under several names. */
	glob(("/sys/kernel/debug/dri/*/" + name).c_str(), GLOB_APPEND, nullptr, &found);
	errno = ENOENT;
	if (found.gl_pathc)
		fd = Fd(open(found.gl_pathv[0], mode | O_CLOEXEC));
	globfree(&found);
	return fd;
}

Fd need_debugfs(const std::string &name, int mode)
{
	Fd fd = open_debugfs(name, mode);

	if (fd.get() < 0 && (errno == ENOENT || errno == EACCES))
		igt::skip("needs the driver's file " + name + " in debugfs");
	CHECK_EQ(fd.get() < 0 ? errno : 0, 0);
	return fd;
}

void write_text(const Fd &fd, const std::string &text)
{
	CHECK_EQ(write(fd.get(), text.c_str(), text.size()), text.size());
}

} // namespace

Hold::Hold(std::uint32_t cores) : cores_(cores), fd_(need_debugfs("gate", O_RDWR))
{
	close();
}

void Hold::set(std::uint32_t cores, unsigned pass) const
{
	write_text(fd_, std::to_string(cores) + " " + std::to_string(pass));
}

std::vector<Hold::Core> Hold::look() const
{
	std::array<char, 512> text{};
	std::vector<Core> cores;
	Core core{};

	CHECK(pread(fd_.get(), text.data(), text.size() - 1, 0) > 0);
	std::istringstream lines(text.data());
	while (lines >> core.index >> core.closed >> core.left >> core.held)
		cores.push_back(core);
	return cores;
}

bool Hold::has_passed() const
{
	/* A lane of a job that has failed is held, but no longer by its gate: it ends with
	 * the next write, whatever its core may still let pass. */
	return std::ranges::any_of(
		look(), [](const Core &core) { return core.closed ? !core.left : core.held; });
}

bool Hold::is_closed() const
{
	return std::ranges::all_of(look(), [](const Core &core) { return core.closed; });
}

int Hold::write_raw(const char *text, std::size_t size) const
{
	return ::write(fd_.get(), text, size) < 0 ? -errno : 0;
}

void Hold::wait_held() const
{
	check_came(patience::comes([&] {
		return std::ranges::any_of(look(), [](const Core &core) { return core.held; });
	}));
}

void Hold::check_came(bool came)
{
	CHECK(came);
}

void Hold::pass(unsigned lanes) const
{
	set(cores_, lanes);
	check_came(patience::comes([&] { return has_passed(); }));
}

void Hold::expire(std::uint32_t cores)
{
	write_text(need_debugfs("expire", O_WRONLY), std::to_string(cores));
}
