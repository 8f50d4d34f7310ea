/* SPDX-License-Identifier: MIT */
#include "control_group.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <sys/mount.h>
#include <unistd.h>

#include "device.h"
#include "igt.h"
#include "patience.h"

namespace
{

std::string read_file(const std::filesystem::path &path)
{
	std::ostringstream text;

	text << std::ifstream(path).rdbuf();
	return text.str();
}

bool write_file(const std::filesystem::path &path, const std::string &text)
{
	std::ofstream file(path);

	file << text << std::flush;
	return file.good();
}

std::filesystem::path make_root()
{
	std::string name = "/tmp/npu-group-XXXXXX";

	CHECK(mkdtemp(name.data()));
	return name;
}

void unmount(const std::filesystem::path &root)
{
	umount2(root.c_str(), MNT_DETACH);
	std::filesystem::remove(root);
}

} // namespace

ControlGroup::ControlGroup(const std::string &controller, const std::string &reason)
{
	need_root();
	root_ = make_root();
	path_ = root_ / ("npu-" + std::to_string(getpid()));
	if (mount("none", root_.c_str(), "cgroup2", 0, nullptr)) {
		std::filesystem::remove(root_);
		igt::skip(reason);
	}
	if (!write_file(root_ / "cgroup.subtree_control", "+" + controller)) {
		unmount(root_);
		igt::skip(reason);
	}
	std::filesystem::create_directory(path_);
}

ControlGroup::~ControlGroup()
{
	/* Its processes have been waited for, but may still be exiting. */
	std::error_code error;
	patience::comes([&] { return std::filesystem::remove(path_, error); });
	unmount(root_);
}

void ControlGroup::enter() const
{
	CHECK(write_file(path_ / "cgroup.procs", "0"));
}

std::string ControlGroup::read(const std::string &file) const
{
	return read_file(path_ / file);
}

std::string ControlGroup::read_root(const std::string &file) const
{
	return read_file(root_ / file);
}

std::uint64_t ControlGroup::number(const std::string &file, const std::string &key) const
{
	std::istringstream lines(read(file));
	std::string name;
	std::uint64_t value = 0;

	while (lines >> name >> value)
		if (name == key)
			return value;
	return 0;
}

bool ControlGroup::write(const std::string &file, const std::string &text) const
{
	return write_file(path_ / file, text);
}
