/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <sys/ioctl.h>
#include <unistd.h>

#include "fail_nth.h"

namespace fuzz
{

namespace
{

constexpr std::array<std::uint64_t, 18> boundaries = {
	0,          1,          2,           3,          7,          8,
	4095,       4096,       4097,        0xffff,     0x10000,    0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 1ull << 63, ~0ull >> 1, ~0ull,
};

/// Interrupts waits with signals, so that none lasts forever.
class Ticker
{
public:
	Ticker()
	{
		struct sigaction action = {};
		sigevent event{};
		itimerspec period{};

		action.sa_handler = [](int) {
		};
		sigaction(SIGUSR1, &action, nullptr);
		event.sigev_notify = SIGEV_THREAD_ID;
		event.sigev_signo = SIGUSR1;
		event._sigev_un._tid = gettid();
		period.it_interval.tv_nsec = period.it_value.tv_nsec = 30'000'000;
		timer_create(CLOCK_MONOTONIC, &event, &timer_);
		timer_settime(timer_, 0, &period, nullptr);
	}
	~Ticker() { timer_delete(timer_); }
	Ticker(const Ticker &) = delete;
	Ticker &operator=(const Ticker &) = delete;

private:
	timer_t timer_{};
};

} // namespace

Thread::Thread(const Options &options, World &world, Log &log, unsigned number)
	: options_(options), world_(world), log_(log), number_(number), arena_(number), random_(0)
{
}

const std::span<const Thread::Step> Thread::steps = [] {
	static constexpr Step table[] = {
		{4, &Thread::query},
		{5, &Thread::bo_create},
		{3, &Thread::context_create},
		{2, &Thread::context_destroy},
		{3, &Thread::context_set},
		{9, &Thread::job_create},
		{4, &Thread::job_destroy},
		{16, &Thread::job_submit},
		{7, &Thread::job_wait},
		{4, &Thread::job_cancel},
		{5, &Thread::bo_wait},
		{5, &Thread::bo_residency},
		{3, &Thread::bo_sync},
		{2, &Thread::rocket_create_bo},
		{7, &Thread::rocket_submit},
		{3, &Thread::rocket_prep_bo},
		{2, &Thread::rocket_fini_bo},
		{4, &Thread::gem_close},
		{3, &Thread::prime_handle_to_fd},
		{3, &Thread::prime_fd_to_handle},
		{4, &Thread::syncobj_create},
		{3, &Thread::syncobj_destroy},
		{3, &Thread::syncobj_handle_to_fd},
		{3, &Thread::syncobj_fd_to_handle},
		{3, &Thread::syncobj_wait},
		{3, &Thread::syncobj_timeline_wait},
		{2, &Thread::syncobj_change},
		{2, &Thread::syncobj_timeline_signal},
		{2, &Thread::syncobj_query},
		{2, &Thread::syncobj_transfer},
		{2, &Thread::syncobj_eventfd},
		{1, &Thread::version},
		{1, &Thread::get_cap},
		{2, &Thread::refused},
		{1, &Thread::core_other},
		{2, &Thread::unknown},
		{1, &Thread::reopen},
		{1, &Thread::dup_file},
		{3, &Thread::map_buffer},
		{2, &Thread::map_page},
		{3, &Thread::unmap},
		{1, &Thread::protect_page},
		{5, &Thread::touch},
		{1, &Thread::poll_file},
		{1, &Thread::read_file},
		{1, &Thread::fork_process},
		{1, &Thread::inject},
	};

	return std::span(table);
}();

void Thread::run(const std::atomic<bool> &stop)
{
	Ticker ticker;

	progress.tid = gettid();
	while (!stop && (!options_.calls || index_ < options_.calls)) {
		step();
		index_++;
	}
	file_.reset();
	progress.tid = 0;
}

/*
 * Each call has its own random numbers, so that a call that draws more of them, for example
 * depending on the time, does not change all later calls.
 */
void Thread::step()
{
	unsigned total = 0;

	random_ = Random(derive(derive(options_.seed, number_), index_));
	for (const Step &s : steps)
		total += s.weight;
	unsigned choice = random_.below(total), how = random_.below(100);
	level_ = how < 60 ? Level::valid : how < 88 ? Level::light : Level::heavy;
	mutated_ = false;
	fail_ = random_.chance(options_.fail_share) && fail_nth_works();
	file_ = world_.file(random_);
	held_fd_.reset();
	for (const Step &s : steps) {
		if (choice < s.weight) {
			(this->*s.make)();
			return;
		}
		choice -= s.weight;
	}
}

bool Thread::mutate()
{
	if (level_ == Level::valid || !random_.chance(level_ == Level::light ? 12 : 50))
		return false;
	mutated_ = true;
	return true;
}

std::uint64_t Thread::u64(std::uint64_t valid)
{
	if (!mutate())
		return valid;
	switch (random_.below(5)) {
	case 0:
		return valid + 1;
	case 1:
		return valid - 1;
	case 2:
		return valid ^ 1ull << random_.below(64);
	case 3:
		return random_.next();
	default:
		return random_.pick(boundaries);
	}
}

std::uint32_t Thread::u32(std::uint32_t valid)
{
	return static_cast<std::uint32_t>(u64(valid));
}

std::uint32_t Thread::flags(std::uint32_t valid, std::uint32_t known)
{
	if (!mutate())
		return valid;
	return random_.chance(30) ? known & static_cast<std::uint32_t>(random_.next())
				  : valid ^ 1u << random_.below(32);
}

std::uint32_t Thread::stride(std::size_t valid)
{
	constexpr std::array<std::uint32_t, 5> more = {8, 16, 64, 100, 4096};
	auto size = static_cast<std::uint32_t>(valid);

	/* Elements that are too long are as valid as those of the right size. */
	if (random_.chance(15))
		return random_.pick(more) <= 64 ? size + random_.pick(more) / 8 * 8 : 4096;
	return u32(size);
}

std::uint64_t Thread::pointer(const Block &block, bool written)
{
	std::optional<std::shared_ptr<Mapping>> mapping;

	if (!mutate())
		return block.address();
	switch (random_.below(9)) {
	case 0:
		return 0;
	case 1:
		return arena_.forbidden();
	case 2:
		return arena_.read_only(block);
	case 3:
		return 0xffff888000000000 + random_.below(1 << 20);
	case 4:
		return 1ull << 47;
	case 5:
		return ~0ull - random_.below(32);
	case 6:
		/* Writes must stay between the canaries. */
		return written ? 8 : block.address() + 1 + random_.below(16);
	case 7:
		/* Truncate the block. */
		return arena_.forbidden() - random_.below(block.size + 1);
	default:
		/* Device memory, which may not be present yet. */
		mapping = world_.mappings.any(random_);
		return mapping ? reinterpret_cast<std::uintptr_t>((*mapping)->data()) : 8;
	}
}

std::int64_t Thread::until()
{
	timespec now{};
	std::uint32_t choice = random_.below(10);

	clock_gettime(CLOCK_MONOTONIC, &now);
	std::int64_t ns = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
	if (choice < 3)
		return 0;
	/* Signals are blocked while allocations fail, so that waits must be short. */
	if (choice < 8 || fail_)
		return ns + random_.below(10'000'000);
	if (choice == 8)
		return INT64_MAX;
	return static_cast<std::int64_t>(u64(1));
}

int Thread::ioctl(Id id)
{
	unsigned long request = call_of(id).request;
	std::uint64_t address = argument_.address();

	if (level_ != Level::valid && random_.chance(8)) {
		constexpr std::array<unsigned, 7> sizes = {0, 1, 4, 8, 15, 64, 16383};

		std::size_t size = random_.chance(50) ? random_.pick(sizes)
						      : _IOC_SIZE(request) ^ 1u << random_.below(7);
		unsigned direction = random_.chance(70) ? _IOC_DIR(request) : random_.below(4);

		/* With a larger size, the kernel would overwrite the canaries. */
		if (!(direction & _IOC_WRITE))
			size = std::min(size, argument_.size);
		mutated_ = true;
		request = _IOC(direction,
			       random_.chance(90) ? _IOC_TYPE(request) : random_.below(256),
			       _IOC_NR(request), size);
	}
	if (level_ != Level::valid && random_.chance(5))
		address = pointer(argument_, true);

	bool elsewhere = address != argument_.address();
	bool other = _IOC_TYPE(request) != _IOC_TYPE(call_of(id).request);
	int fd = file_->fd();
	int result = perform({id, request, !mutated_, [=] {
				      return ::ioctl(fd, request, address) < 0 ? -errno : 0;
			      }});
	/* The results of mutated requests are unknown. */
	return elsewhere || other || request != call_of(id).request ? -EFAULT : result;
}

int Thread::system_call(Id id, const std::string &text, const std::function<int()> &make)
{
	arena_.begin();
	argument_ = {};
	log_.call("  " + text + "\n");
	return perform({id, 0, !mutated_, make});
}

} // namespace fuzz
