/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace fuzz
{

Log::Log(const std::string &path)
{
	if (path.empty())
		return;
	fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (fd_ < 0)
		throw std::system_error(errno, std::generic_category(), path);
}

Log::~Log()
{
	if (fd_ >= 0)
		close(fd_);
}

void Log::call(const std::string &line)
{
	std::string_view rest = line;

	/* Write immediately: the machine may crash in the call. */
	while (fd_ >= 0 && !rest.empty()) {
		ssize_t written = write(fd_, rest.data(), rest.size());

		if (written < 0 && errno != EINTR)
			throw std::system_error(errno, std::generic_category(), "log");
		rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
	}
}

void Log::violation(const std::string &line, const std::string &calls)
{
	std::scoped_lock lock(mutex_);

	if (violations_++ < 20)
		std::printf("VIOLATION: %s\n%s", line.c_str(), calls.c_str());
	std::fflush(stdout);
}

void Log::count(Id id, int result)
{
	auto error = static_cast<std::size_t>(-result);

	counts_[static_cast<std::size_t>(id)][error < errors ? error : errors - 1]++;
	calls_++;
}

unsigned Log::print_counts() const
{
	/* After this many calls, each kind should have been tried and have succeeded. */
	constexpr unsigned long enough = 2000;
	const bool judged = calls() >= enough;
	unsigned bad = 0;

	for (std::size_t i = 0; i < call_count; i++) {
		const Call &call = all_calls()[i];
		std::string text;
		unsigned long failed = 0, passed = counts_[i][0];

		for (std::size_t error = 1; error < errors; error++) {
			if (!counts_[i][error])
				continue;
			failed += counts_[i][error];
			text += ", " + error_name(static_cast<int>(error)) + " " +
				std::to_string(counts_[i][error]);
		}
		/* A call that never succeeded was not tested, unless there were few tries. */
		bool refused = call.flags & call_refused;
		bool untried = refused ? !failed : !passed && (!failed || failed > 100);
		bool wrong = (refused && passed) || (untried && judged);
		bad += wrong;
		std::printf("%-24s %8lu good %8lu failed%s%s\n", call.name, passed, failed,
			    text.empty() ? "" : ":", text.empty() ? "" : text.c_str() + 1);
		if (wrong)
			std::printf("VIOLATION: %s %s\n", call.name,
				    passed ? "succeeded" : "was never tried or never succeeded");
	}
	if (!judged)
		std::printf("too few calls to tell whether each kind can succeed\n");
	std::printf("%lu calls, %lu allocations made to fail, %u violations\n", calls(),
		    injected_.load(), violations_.load());
	return bad;
}

std::string error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : std::to_string(error);
}

} // namespace fuzz
