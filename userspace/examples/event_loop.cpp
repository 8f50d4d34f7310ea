/* SPDX-License-Identifier: MIT */
/*
 * The NPU in an event loop around poll(2): the loop also handles a timer, and never sleeps
 * for the NPU alone.
 *
 * Usage: npu-example-poll
 *
 * Prints a line for each of three products. Exit status: 0 done, 1 it failed.
 */
#include <array>
#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "products.h"

namespace
{

using npu::fail;
using npu::UniqueFd;

/// A descriptor that becomes readable every 10 ms.
npu::Result<UniqueFd> ticks()
{
	constexpr long tick_ns = 10'000'000;
	const itimerspec every{.it_interval = {0, tick_ns}, .it_value = {0, tick_ns}};
	UniqueFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));

	if (!timer.valid() || timerfd_settime(timer.get(), 0, &every, nullptr))
		return fail(errno, "cannot make a timer");
	return timer;
}

npu::Result<void> run()
{
	auto products = example::Products::create();
	if (!products)
		return forward(products);
	auto timer = ticks();
	if (!timer)
		return forward(timer);
	auto end = products->start();
	if (!end)
		return forward(end);
	for (int left = 3; left;) {
		std::array<pollfd, 2> entries{{{end->get(), POLLIN, 0}, {timer->get(), POLLIN, 0}}};
		std::uint64_t passed = 0;

		if (poll(entries.data(), entries.size(), -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(errno, "cannot poll");
		}
		/* The other work of the application. */
		if (entries[1].revents && read(timer->get(), &passed, sizeof(passed)) < 0)
			return fail(errno, "cannot read a timer");
		if (!entries[0].revents)
			continue;
		if (auto finished = products->finish(); !finished)
			return finished;
		if (!--left)
			break;
		end = products->start();
		if (!end)
			return forward(end);
	}
	return {};
}

} // namespace

int main()
{
	return example::report("npu-example-poll", run());
}
