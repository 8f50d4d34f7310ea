/* SPDX-License-Identifier: MIT */
#include "fail_nth.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "../../conformance/device.h"

namespace fuzz
{

namespace
{

constexpr std::array<const char *, 3> faults = {"failslab", "fail_page_alloc", "fail_usercopy"};

bool write_file(const std::string &path, std::string_view text)
{
	Fd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));

	return fd.get() >= 0 && write(fd.get(), text.data(), text.size()) > 0;
}

struct Setup {
	bool works = false;
	bool usercopy = false;
};

/*
 * The fail-nth count of a thread ignores the probability, but not the filters. Disable the
 * messages, of which there would be too many.
 */
bool set_up(const std::string &name)
{
	const std::string dir = "/sys/kernel/debug/" + name + "/";

	if (access(dir.c_str(), F_OK))
		return false;
	for (const char *file :
	     {"ignore-gfp-wait", "ignore-gfp-highmem", "probability", "verbose", "min-order"})
		write_file(dir + file, "0");
	write_file(dir + "task-filter", "Y");
	write_file(dir + "times", "-1");
	return true;
}

const Setup &setup()
{
	static const Setup result = [] {
		Setup s;
		bool slab = set_up("failslab"), pages = set_up("fail_page_alloc");

		s.usercopy = set_up("fail_usercopy");
		s.works = slab && pages && !access("/proc/thread-self/fail-nth", W_OK);
		return s;
	}();
	return result;
}

/// The address range of a kernel function.
struct Code {
	std::uint64_t begin = 0;
	std::uint64_t end = 0;
};

Code find_code(const std::string &function)
{
	std::ifstream file("/proc/kallsyms");
	std::vector<std::uint64_t> addresses;
	std::string line;
	Code code;

	while (std::getline(file, line)) {
		std::istringstream words(line);
		std::string type, name;
		std::uint64_t address = 0;

		words >> std::hex >> address >> type >> name;
		addresses.push_back(address);
		if (name == function)
			code.begin = address;
	}
	std::ranges::sort(addresses);
	const auto next = std::ranges::upper_bound(addresses, code.begin);
	if (code.begin && next != addresses.end())
		code.end = *next;
	return code;
}

/// Excludes allocations with @code in their call chain; an empty range excludes none.
bool spare(const Code &code)
{
	bool all = true;

	for (const char *fault : faults) {
		const std::string dir = std::string("/sys/kernel/debug/") + fault + "/";
		const auto hex = [](std::uint64_t value) {
			std::ostringstream text;
			text << "0x" << std::hex << value;
			return text.str();
		};

		/* The maximum depth that the kernel examines. */
		all &= write_file(dir + "stacktrace-depth", code.end ? "32" : "0") &&
		       write_file(dir + "reject-start", hex(code.begin)) &&
		       write_file(dir + "reject-end", hex(code.end));
	}
	return all;
}

int own_file()
{
	thread_local Fd fd(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));

	return fd.get();
}

} // namespace

bool fail_nth_works()
{
	return setup().works;
}

std::string fail_nth_missing()
{
	return "the kernel has no fault injection that root can use (CONFIG_FAULT_INJECTION, "
	       "CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC, debugfs); tests/uml has";
}

bool fail_nth_usercopy()
{
	return setup().usercopy;
}

void fail_nth_set(unsigned n)
{
	char text[16];
	int size = std::snprintf(text, sizeof(text), "%u", n);

	/* The injected failure may hit the copy of this write. */
	for (int tries = 0; tries < 3; tries++)
		if (pwrite(own_file(), text, static_cast<std::size_t>(size), 0) == size)
			return;
	std::perror("npu-ioctl-fuzz: fail-nth");
	std::abort();
}

bool fail_nth_end()
{
	char text[16] = {};

	/*
	 * The file contains the rest of the count, and 0 after a failure was injected. If the
	 * failure hits this read, none was injected before.
	 */
	bool failed =
		pread(own_file(), text, sizeof(text) - 1, 0) > 0 && !std::strtol(text, nullptr, 10);
	fail_nth_set(0);
	return failed;
}

Spared::Spared(const std::string &function)
{
	const Code code = find_code(function);

	if (!code.end)
		missing_ = "the kernel has no function " + function + " that can be found";
	else if (!spare(code))
		missing_ = "the kernel has no CONFIG_FAULT_INJECTION_STACKTRACE_FILTER";
}

Spared::~Spared()
{
	spare({});
}

} // namespace fuzz
