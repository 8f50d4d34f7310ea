/* SPDX-License-Identifier: MIT */
#include "engine/workers.h"

#include <algorithm>
#include <cassert>

namespace npu
{

Workers::Workers(std::uint32_t threads)
{
	assert(threads);
	for (std::uint32_t number = 1; number < threads; number++)
		helpers_.emplace_back(&Workers::help, this, number);
}

Workers::~Workers()
{
	{
		const std::scoped_lock lock(mutex_);
		stop_ = true;
	}
	begin_.notify_all();
	for (std::thread &helper : helpers_)
		helper.join();
}

/// Part @p number of the present run.
void Workers::part(std::uint32_t number) const
{
	const auto begin = [&](std::uint64_t i) {
		return static_cast<std::uint32_t>(count_ * i / parts_);
	};

	call_.function(call_.context, begin(number), begin(std::uint64_t{number} + 1));
}

void Workers::share(std::uint32_t count, std::uint32_t least, Call call)
{
	assert(least);
	if (!count)
		return;
	const std::uint32_t parts = std::clamp(count / least, 1U, threads());
	if (parts == 1) {
		call.function(call.context, 0, count);
		return;
	}
	{
		const std::scoped_lock lock(mutex_);

		call_ = call;
		count_ = count;
		parts_ = parts;
		working_ = parts - 1;
		run_++;
	}
	begin_.notify_all();
	part(0);
	std::unique_lock lock(mutex_);
	end_.wait(lock, [&] { return !working_; });
}

void Workers::help(std::uint32_t number)
{
	std::uint64_t seen = 0;
	std::unique_lock lock(mutex_);

	for (;;) {
		begin_.wait(lock, [&] { return stop_ || run_ != seen; });
		if (stop_)
			return;
		seen = run_;
		/* A run with fewer parts than threads is over without this one. */
		if (number >= parts_)
			continue;
		lock.unlock();
		part(number);
		lock.lock();
		if (!--working_)
			end_.notify_one();
	}
}

} // namespace npu
