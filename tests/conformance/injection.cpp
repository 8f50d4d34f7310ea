/* SPDX-License-Identifier: MIT */
#include "injection.h"

#include <cerrno>
#include <fstream>

#include <fcntl.h>

#include "igt.h"
#include "patience.h"
#include "program.h"

std::string parameter_path(const std::string &name)
{
	/* On the board, it is the board that goes wrong. */
	for (const char *module : {"npu_board", "npu_virt"}) {
		std::string path = std::string("/sys/module/") + module + "/parameters/" + name;
		if (!access(path.c_str(), F_OK))
			return path;
	}
	return "/sys/module/npu_virt/parameters/" + name;
}

unsigned get_parameter(const std::string &name)
{
	std::ifstream file(parameter_path(name));
	unsigned value = 0;

	CHECK(file >> value);
	return value;
}

int set_parameter(const std::string &name, unsigned value)
{
	Fd fd(open(parameter_path(name).c_str(), O_WRONLY | O_CLOEXEC));
	std::string text = std::to_string(value);

	if (fd.get() < 0)
		return -errno;
	return write(fd.get(), text.c_str(), text.size()) < 0 ? -errno : 0;
}

Injection::Injection(std::string name, unsigned lanes) : name_(std::move(name))
{
	need_root();
	if (access(parameter_path(name_).c_str(), F_OK))
		igt::skip("needs the virtual device or the board, with the parameter " + name_);
	CHECK_OK(set_parameter(name_, lanes));
}

Injection::~Injection()
{
	set_parameter(name_, 0);
}

void Injection::again(unsigned lanes) const
{
	CHECK_OK(set_parameter(name_, lanes));
}

void Injection::wait() const
{
	CHECK(patience::comes([&] { return !left(); }));
}

int Hang::run(const Device &device, std::uint32_t context, std::uint32_t job, unsigned lanes) const
{
	Syncobj done(device);

	injection_.again(lanes);
	CHECK_OK(submit(device, context, {job}, {{}, {done.sync()}}));
	injection_.wait();
	Hold::expire();
	return final_status(done);
}
