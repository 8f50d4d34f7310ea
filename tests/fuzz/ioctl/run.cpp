/* SPDX-License-Identifier: MIT */
/// Checks around each call.
#include "thread.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>

#include <sys/ioctl.h>

#include <npu_accel.h>

#include "fail_nth.h"

namespace fuzz
{

namespace
{

/// Upper limit of the allocations of a call.
constexpr unsigned max_fail = 2000;

std::int64_t now_ms()
{
	timespec now{};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void mark(std::vector<bool> &bytes, Range range)
{
	for (std::size_t i = range.begin; i < range.end && i < bytes.size(); i++)
		bytes[i] = true;
}

} // namespace

void Thread::violation(const std::string &what)
{
	std::string calls;

	for (const std::string &line : recent_)
		calls += "    " + line;
	log_.violation("thread " + std::to_string(number_) + ", call " + std::to_string(index_) +
			       ": " + what,
		       calls);
}

void Thread::expect(bool condition, const char *what)
{
	if (!condition)
		violation(what);
}

/* The DRM core copies the argument back even if a call fails. */
void Thread::check_memory(const Attempt &attempt, int result)
{
	const Call &call = call_of(attempt.id);
	std::vector<bool> writable(argument_.size);

	if (!(call.flags & call_strict))
		writable.assign(argument_.size, true);
	else if (!result)
		for (Range range : call.outputs)
			mark(writable, range);
	if (attempt.id == Id::job_create)
		mark(writable,
		     {offsetof(drm_npu_job_create, fault_lane), sizeof(drm_npu_job_create)});
	/* If the kernel does not read the argument, it copies back a zeroed one. */
	if (attempt.request && !(_IOC_DIR(attempt.request) & _IOC_WRITE))
		writable.assign(argument_.size, true);
	/* Bytes beyond the request, or not copied back, must not change. */
	if (attempt.request) {
		bool back = _IOC_DIR(attempt.request) & _IOC_READ;

		for (std::size_t i = back ? _IOC_SIZE(attempt.request) : 0; i < writable.size();
		     i++)
			writable[i] = false;
	}
	std::string wrong = arena_.check(writable);
	if (!wrong.empty())
		violation(std::string(call.name) + " answered " +
			  (result ? error_name(-result) : "0") + ", but " + wrong);
}

void Thread::check_result(const Attempt &attempt, int result)
{
	const Call &call = call_of(attempt.id);

	bool foreign = attempt.request && _IOC_TYPE(attempt.request) != DRM_IOCTL_BASE;

	if (foreign && result != -ENOTTY)
		violation(std::string(call.name) + " is taken though its type is another");
	if (!result || foreign)
		return;
	if (!may_answer(call, -result))
		violation(std::string(call.name) + " answers " + error_name(-result) +
			  ", which is not documented");
	else if (attempt.plain && result == -EFAULT)
		violation(std::string(call.name) + " answers EFAULT to good pointers");
}

int Thread::attempt_once(const Attempt &attempt)
{
	progress.since = now_ms();
	int result = attempt.make();
	progress.since = 0;
	return result;
}

/*
 * Repeats the call with its first, second, third... allocation failing, until none fails. Returns
 * the result of the last one.
 */
int Thread::attempt_all(const Attempt &attempt)
{
	std::vector<int> failures;
	int result = 0;

	sigset_t ticks;

	sigemptyset(&ticks);
	sigaddset(&ticks, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &ticks, nullptr);
	for (unsigned n = 1; n < max_fail; n++) {
		fail_nth_set(n);
		result = attempt_once(attempt);
		if (!fail_nth_end() || !result)
			break;
		log_.count_injected();
		check_memory(attempt, result);
		failures.push_back(result);
		arena_.restore();
	}
	pthread_sigmask(SIG_UNBLOCK, &ticks, nullptr);
	const Call &call = call_of(attempt.id);
	for (int failure : failures) {
		/*
		 * A broken call may fail for its own reason as well, and other threads
		 * take away what calls refer to.
		 */
		bool own = may_answer(call, -failure) && failure != -EFAULT &&
			   (result || call.flags & call_timed || options_.threads > 1);

		if (!may_starve(call, -failure) && !own && failure != result)
			violation(std::string(call.name) + " answers " + error_name(-failure) +
				  " when an allocation fails");
	}
	return result;
}

int Thread::perform(const Attempt &attempt)
{
	const Call &call = call_of(attempt.id);
	std::string where = std::to_string(number_) + "." + std::to_string(index_) + " " +
			    call.name + " file " + std::to_string(file_ ? file_->number : 0);
	std::string line = where + arena_.text(12) + "\n";

	if (log_.wants_calls())
		log_.call("> " + where + arena_.text(256) + "\n");
	arena_.seal();
	progress.name = call.name;
	int result = fail_ ? attempt_all(attempt) : attempt_once(attempt);

	line.insert(line.size() - 1, " = " + (result ? error_name(-result) : "0"));
	recent_.push_back(line);
	if (recent_.size() > 6)
		recent_.pop_front();
	log_.call("< " + where + " = " + (result ? error_name(-result) : "0") + "\n");
	log_.count(attempt.id, result);
	check_memory(attempt, result);
	check_result(attempt, result);
	return result;
}

} // namespace fuzz
