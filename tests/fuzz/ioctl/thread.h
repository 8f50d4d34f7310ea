/* SPDX-License-Identifier: MIT */
/// One thread of random calls.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>

#include "arena.h"
#include "calls.h"
#include "log.h"
#include "objects.h"
#include "random.h"
#include "stream.h"

namespace fuzz
{

struct Options {
	std::uint64_t seed = 0;
	unsigned seconds = 120;
	unsigned threads = 4;
	unsigned files = 3;
	/// Percentage of calls whose allocations fail one by one.
	unsigned fail_share = 10;
	/// Number of calls per thread; 0 for as many as time allows.
	unsigned long calls = 0;
	std::string log;
	bool walk = false;
	/// Whether another process is going to kill this one.
	bool victim = false;
};

/// State of a thread for the supervisor.
struct Progress {
	std::atomic<int> tid = 0;
	/// CLOCK_MONOTONIC in milliseconds at the start of the current call, or 0.
	std::atomic<std::int64_t> since = 0;
	std::atomic<const char *> name = "";
};

class Thread
{
public:
	Thread(const Options &options, World &world, Log &log, unsigned number);

	/// Makes calls until @stop.
	void run(const std::atomic<bool> &stop);

	Progress progress;

private:
	/// How far a call is mutated.
	enum class Level : std::uint8_t { valid, light, heavy };
	struct Step {
		unsigned weight;
		void (Thread::*make)();
	};

	/* thread.cpp: one call. */
	void step();
	bool mutate();
	std::uint32_t u32(std::uint32_t valid);
	std::uint64_t u64(std::uint64_t valid);
	std::uint32_t flags(std::uint32_t valid, std::uint32_t known = 0);
	std::uint32_t zero() { return flags(0); }
	/// An address for @block, sometimes a wrong one; @written if the call writes to it.
	std::uint64_t pointer(const Block &block, bool written = false);
	std::int64_t until();
	template <typename T>
	std::uint32_t id(const Pool<T> File::*pool, std::uint32_t valid);
	/// A block with the objects of @from, @stride bytes apart.
	template <typename T>
	Block array(std::span<const T> from, std::size_t stride);
	std::uint32_t stride(std::size_t valid);
	bool edge() { return random_.chance(15); }
	template <typename T>
	T &argument();
	/// Calls the ioctl with argument(). @return 0 or a negative errno; outputs are only valid
	/// on 0
	int ioctl(Id id);
	/// Makes any other system call.
	int system_call(Id id, const std::string &text, const std::function<int()> &make);

	/* run.cpp: checks around a call. */
	struct Attempt {
		Id id;
		unsigned long request;
		bool plain;
		std::function<int()> make;
	};
	int perform(const Attempt &attempt);
	int attempt_all(const Attempt &attempt);
	int attempt_once(const Attempt &attempt);
	void check_memory(const Attempt &attempt, int result);
	void check_result(const Attempt &attempt, int result);
	void expect(bool condition, const char *what);
	void violation(const std::string &what);

	/* make_npu.cpp */
	void query();
	void bo_create();
	void context_create();
	void context_destroy();
	void job_create();
	void job_destroy();
	void job_submit();
	void job_wait();
	void job_cancel();
	void bo_wait();
	void bo_residency();
	void bo_sync();
	void context_set();
	std::uint32_t some_class();
	std::uint32_t some_weight();
	std::uint32_t some_cost();
	void check_context(const drm_npu_query_context &record);
	Stream stream();
	Block tasks(std::uint32_t count, std::uint32_t stride);
	Block syncs(std::uint32_t count, std::uint32_t stride, bool out);
	std::uint64_t size_wanted();
	std::uint32_t some_buffer();
	void add_buffer(std::uint32_t handle);

	/* make_rocket.cpp */
	void rocket_create_bo();
	void rocket_submit();
	void rocket_prep_bo();
	void rocket_fini_bo();

	/* make_core.cpp */
	void gem_close();
	void prime_handle_to_fd();
	void prime_fd_to_handle();
	void version();
	void get_cap();
	void refused();
	void core_other();
	void unknown();

	/* make_syncobj.cpp */
	void syncobj_create();
	void syncobj_destroy();
	void syncobj_handle_to_fd();
	void syncobj_fd_to_handle();
	void syncobj_wait();
	void syncobj_timeline_wait();
	void syncobj_change();
	void syncobj_timeline_signal();
	void syncobj_query();
	void syncobj_transfer();
	void syncobj_eventfd();
	/// Handles, and as many points, as arrays of limited length.
	Block syncobj_handles(std::uint32_t count);
	Block syncobj_points(std::uint32_t count);

	/* make_file.cpp: what is no ioctl. */
	void reopen();
	void dup_file();
	void map_buffer();
	void map_page();
	void unmap();
	void protect_page();
	void touch();
	void poll_file();
	void read_file();
	void fork_process();
	void inject();
	int some_fd(FdKind kind);

	static const std::span<const Step> steps;

	const Options &options_;
	World &world_;
	Log &log_;
	unsigned number_;
	Arena arena_;
	Random random_;
	std::uint64_t index_ = 0;

	/* State of the current call. */
	Level level_ = Level::valid;
	/// Whether an argument was mutated.
	bool mutated_ = false;
	bool fail_ = false;
	std::shared_ptr<File> file_;
	Block argument_;
	std::shared_ptr<Fd> held_fd_;

	/// The last calls, which are printed with a violation.
	std::deque<std::string> recent_;
};

template <typename T>
T &Thread::argument()
{
	arena_.begin();
	argument_ = arena_.block(sizeof(T), edge());
	/* Unaligned where it ends at a page; the compiler need not know. */
	return *reinterpret_cast<T *>(argument_.data);
}

template <typename T>
std::uint32_t Thread::id(const Pool<T> File::*pool, std::uint32_t valid)
{
	if (!mutate())
		return valid;
	switch (random_.below(6)) {
	case 0:
	case 1:
		return ((*file_).*pool).freed(random_);
	case 2:
		return (*world_.file(random_).*pool).any(random_).id;
	case 3:
		return valid + 1;
	case 4:
		return 0;
	default:
		return static_cast<std::uint32_t>(random_.next());
	}
}

template <typename T>
Block Thread::array(std::span<const T> from, std::size_t stride)
{
	Block block = arena_.block(from.size() * stride, edge());

	/* A block that does not fit the arena is partly inaccessible. */
	mutated_ = mutated_ || block.size < from.size() * stride;
	for (std::size_t i = 0; i < from.size(); i++) {
		auto source = std::as_bytes(from.subspan(i, 1));

		for (std::size_t b = 0; b < std::min(sizeof(T), stride); b++)
			if (i * stride + b < block.size)
				block.data[i * stride + b] =
					std::to_integer<std::uint8_t>(source[b]);
		/* Bytes that the kernel does not know must be zero. */
		if (stride > sizeof(T) && mutate() && i * stride + sizeof(T) < block.size)
			block.data[i * stride + sizeof(T)] = 1;
	}
	return block;
}

} // namespace fuzz
