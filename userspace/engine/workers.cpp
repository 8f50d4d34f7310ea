/* SPDX-License-Identifier: MIT */
#include "engine/workers.h"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace npu
{

class Workers::Pool
{
public:
	explicit Pool(std::uint32_t helpers)
	{
		helpers_.reserve(helpers);
		try {
			for (std::uint32_t number = 1; number <= helpers; number++)
				helpers_.emplace_back(&Pool::help, this, number);
		} catch (...) {
			/* Destroying a joinable thread terminates the process. */
			stop();
			throw;
		}
	}
	~Pool() { stop(); }
	Pool(const Pool &) = delete;
	Pool &operator=(const Pool &) = delete;

	void run(std::uint32_t count, std::uint32_t parts, Call call);
	/// Whether the pool was inherited by fork(), which does not copy its threads.
	bool inherited() const { return ::getpid() != process_; }

private:
	void stop();
	void help(std::uint32_t number);
	void part(std::uint32_t number) noexcept;

	std::mutex mutex_;
	std::condition_variable begin_;
	std::condition_variable end_;
	Call call_;
	std::uint32_t count_ = 0;
	std::uint32_t parts_ = 0;
	std::uint32_t working_ = 0;
	std::uint64_t run_ = 0;
	/// The first exception of the current run, under mutex_.
	std::exception_ptr error_;
	bool stop_ = false;
	pid_t process_ = ::getpid();
	std::vector<std::thread> helpers_;
};

/// Ends and joins all helpers.
void Workers::Pool::stop()
{
	{
		const std::scoped_lock lock(mutex_);
		stop_ = true;
	}
	begin_.notify_all();
	for (std::thread &helper : helpers_)
		helper.join();
}

/// Processes part @p number of the current run; run() rethrows its exception.
void Workers::Pool::part(std::uint32_t number) noexcept
{
	const auto begin = [&](std::uint64_t i) {
		return static_cast<std::uint32_t>(count_ * i / parts_);
	};

	try {
		call_.function(call_.context, begin(number), begin(std::uint64_t{number} + 1));
	} catch (...) {
		const std::scoped_lock lock(mutex_);

		if (!error_)
			error_ = std::current_exception();
	}
}

void Workers::Pool::run(std::uint32_t count, std::uint32_t parts, Call call)
{
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
	if (error_)
		std::rethrow_exception(std::exchange(error_, nullptr));
}

void Workers::Pool::help(std::uint32_t number)
{
	std::uint64_t seen = 0;
	std::unique_lock lock(mutex_);

	for (;;) {
		begin_.wait(lock, [&] { return stop_ || run_ != seen; });
		if (stop_)
			return;
		seen = run_;
		/* This thread has no part in a run with fewer parts than threads. */
		if (number >= parts_)
			continue;
		lock.unlock();
		part(number);
		lock.lock();
		if (!--working_)
			end_.notify_one();
	}
}

Workers::Workers(std::uint32_t threads)
	: pool_(std::make_unique<Pool>(threads - 1)), threads_(threads)
{
	assert(threads);
}

Workers::~Workers()
{
	/* After fork() there are no threads to join, and the mutex may be held: leak the pool. */
	if (pool_->inherited()) {
		[[maybe_unused]] const auto *leaked = pool_.release();
	}
}

void Workers::share(std::uint32_t count, std::uint32_t least, Call call)
{
	assert(least);
	if (!count)
		return;
	const std::uint32_t parts = std::clamp(count / least, 1U, threads());
	if (parts == 1)
		call.function(call.context, 0, count);
	else
		pool_->run(count, parts, call);
}

} // namespace npu
