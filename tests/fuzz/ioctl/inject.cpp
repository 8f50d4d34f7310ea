/* SPDX-License-Identifier: MIT */
#include "inject.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>

#include <unistd.h>

namespace fuzz
{

namespace
{

const std::string hang_file = "/sys/module/npu_virt/parameters/inject_hang";
const std::string fault_file = "/sys/module/npu_virt/parameters/inject_fault";

std::atomic<std::int64_t> last;
std::atomic<unsigned> injected;

void write_count(const std::string &path, unsigned value)
{
	std::ofstream(path) << value << std::endl;
}

} // namespace

bool inject_works()
{
	static const bool works =
		!access(hang_file.c_str(), W_OK) && !access(fault_file.c_str(), W_OK);

	return works;
}

void inject_lane(bool hang)
{
	auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
			   std::chrono::steady_clock::now().time_since_epoch())
			   .count();
	std::int64_t before = last;

	if (!inject_works() || now - before < 700 || !last.compare_exchange_strong(before, now))
		return;
	write_count(hang ? hang_file : fault_file, 1);
	injected++;
}

void inject_end()
{
	if (!inject_works())
		return;
	write_count(hang_file, 0);
	write_count(fault_file, 0);
}

unsigned inject_count()
{
	return injected;
}

} // namespace fuzz
