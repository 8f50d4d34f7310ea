/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A pool of threads for the CPU's part of the work.
 */
#pragma once

#include <cstdint>
#include <memory>

#pragma GCC visibility push(default)
namespace npu
{

/// Threads that live as long as the pool and share out ranges of numbers. A run starts no
/// thread and allocates nothing. One thread at a time may call run(). fork: the threads are
/// the parent's; a child may only destroy the pool, which leaves its memory behind.
class Workers
{
public:
	/// A pool of @p threads threads, one of which is whoever calls run(). Throws
	/// std::system_error if the system cannot start them.
	/// \pre threads is not 0
	explicit Workers(std::uint32_t threads);
	/// Ends the threads. run() must have returned.
	~Workers();
	Workers(const Workers &) = delete;
	Workers &operator=(const Workers &) = delete;

	/// Threads of the pool, the caller of run() included.
	std::uint32_t threads() const { return threads_; }

	/// Call @p body(first, last) with ranges that together are 0 to @p count, at least
	/// @p least numbers each if there is more than one, side by side. Returns when all
	/// calls have; if any of them threw, rethrows the first exception then.
	/// \pre least is not 0
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

	class [[gnu::visibility("hidden")]] Pool;

	void share(std::uint32_t count, std::uint32_t least, Call call);

	std::unique_ptr<Pool> pool_;
	std::uint32_t threads_;
};

} // namespace npu
#pragma GCC visibility pop
