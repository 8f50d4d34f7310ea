/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads for the CPU's part of the work.
 */
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace npu
{

/// Threads that live as long as the pool and share out ranges of numbers. A run starts no
/// thread and allocates nothing. One thread at a time may call run().
class Workers
{
public:
	/// A pool of @p threads threads, one of which is whoever calls run().
	/// \pre threads is not 0
	explicit Workers(std::uint32_t threads);
	~Workers();
	Workers(const Workers &) = delete;
	Workers &operator=(const Workers &) = delete;

	std::uint32_t threads() const { return static_cast<std::uint32_t>(helpers_.size()) + 1; }

	/// Call @p body(first, last) with ranges that together are 0 to @p count, at least
	/// @p least numbers each if there is more than one, side by side. Returns when all
	/// calls have.
	/// \pre least is not 0, body does not throw
	template <typename Body>
	void run(std::uint32_t count, std::uint32_t least, const Body &body)
	{
		share(count, least,
		      {&body, [](const void *context, std::uint32_t first, std::uint32_t last) {
			       (*static_cast<const Body *>(context))(first, last);
		       }});
	}

private:
	struct Call {
		const void *context = nullptr;
		void (*function)(const void *, std::uint32_t, std::uint32_t) = nullptr;
	};

	void share(std::uint32_t count, std::uint32_t least, Call call);
	void help(std::uint32_t number);
	void part(std::uint32_t number) const;

	std::mutex mutex_;
	std::condition_variable begin_;
	std::condition_variable end_;
	Call call_;
	std::uint32_t count_ = 0;
	std::uint32_t parts_ = 0;
	std::uint32_t working_ = 0;
	std::uint64_t run_ = 0;
	bool stop_ = false;
	std::vector<std::thread> helpers_;
};

} // namespace npu
