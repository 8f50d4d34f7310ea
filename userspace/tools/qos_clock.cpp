/* SPDX-License-Identifier: MIT */
#include "qos_clock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace npu::bench::qos
{

namespace
{

using Clock = std::chrono::steady_clock;

const std::string directory = "/sys/bus/platform/devices/npu_virt.0/";

Result<UniqueFd> open_attribute(const std::string &name, int flags)
{
	const std::string path = directory + name;
	UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));

	if (fd.valid())
		return fd;
	return fail(errno == ENOENT ? ENODEV : errno,
		    "cannot open " + path + "; load npu_virt with mode=time clock=model");
}

Result<std::uint64_t> read_number(const UniqueFd &fd)
{
	std::array<char, 32> text{};
	std::uint64_t number = 0;
	const ssize_t size = ::pread(fd.get(), text.data(), text.size(), 0);

	if (size < 0)
		return fail(errno, "cannot read the time of the virtual NPU");
	std::from_chars(text.data(), text.data() + size, number);
	return number;
}

} // namespace

Result<ModelClock> ModelClock::open()
{
	ModelClock clock;
	auto time = open_attribute("time_ns", O_RDWR);

	if (!time)
		return forward(time);
	auto next = open_attribute("next_end_ns", O_RDONLY);
	if (!next)
		return forward(next);
	clock.time_ = std::move(*time);
	clock.next_end_ = std::move(*next);
	return clock;
}

Result<std::uint64_t> ModelClock::now() const
{
	return read_number(time_);
}

Result<std::uint64_t> ModelClock::pass(std::uint64_t until) const
{
	auto end = read_number(next_end_);

	if (!end)
		return forward(end);
	const std::uint64_t time = *end ? std::min(*end, until) : until;
	if (time == never)
		return fail(EDEADLK, "nothing runs and nothing is to come");
	const std::string text = std::to_string(time);
	if (::pwrite(time_.get(), text.data(), text.size(), 0) < 0)
		return fail(errno, "cannot write " + text + " to " + directory + "time_ns");
	return time;
}

std::uint64_t host_now()
{
	return static_cast<std::uint64_t>(
		std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
}

void host_sleep_until(std::uint64_t time)
{
	std::this_thread::sleep_until(Clock::time_point(std::chrono::nanoseconds(time)));
}

} // namespace npu::bench::qos
