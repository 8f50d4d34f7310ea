/* SPDX-License-Identifier: MIT */
#include "igt.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <fnmatch.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leak.h"
#include "patience.h"

namespace igt
{

namespace
{

/// Sorted by name, which puts groups together.
std::map<std::string, void (*)(), std::less<>> &subtests()
{
	static std::map<std::string, void (*)(), std::less<>> list;
	return list;
}

thread_local std::vector<std::string> notes;

const char usage[] = "Usage: npu-conformance [OPTION]...\n"
		     "\n"
		     "Tests the ioctls of the first accel-npu device. Subtests that unload or\n"
		     "unplug it, and the search for leaks, need root.\n"
		     "\n"
		     "  --list-subtests      names all subtests\n"
		     "  --run-subtest GLOB   runs those whose names match [all]; several globs\n"
		     "                       are separated by commas\n"
		     "  -h, --help           this\n"
		     "\n"
		     "Exit status: 0 passed, 77 all skipped, 79 wrong usage, 98 something failed.\n"
		     "\n"
		     "Example:\n"
		     "  npu-conformance --run-subtest 'fence-*'\n";

/// Runners look at either stream.
void say(const std::string &line)
{
	std::printf("%s\n", line.c_str());
	std::fflush(stdout);
	std::fprintf(stderr, "%s\n", line.c_str());
}

int run_here(void (*run)())
{
	try {
		run();
	} catch (const Failure &) {
		return exit_fail;
	} catch (const Skip &) {
		return exit_skip;
	} catch (const std::exception &e) {
		std::fprintf(stderr, "  exception: %s\n", e.what());
		return exit_fail;
	}
	return exit_pass;
}

/// Waits for a process that may be stuck in the kernel, where no signal gets.
std::optional<int> wait_for(pid_t pid)
{
	const auto end = std::chrono::steady_clock::now() + patience::all() + patience::one();
	constexpr useconds_t longest = 2000;
	int status = 0;

	for (useconds_t pause = 50; std::chrono::steady_clock::now() < end;
	     pause = std::min(2 * pause, longest)) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(pause);
	}
	kill(pid, SIGKILL);
	return std::nullopt;
}

/// A process of its own survives neither crash nor timeout, but the others do.
int run_apart(void (*run)())
{
	std::fflush(stdout);
	std::fflush(stderr);
	pid_t pid = fork();

	if (pid < 0) {
		std::perror("fork");
		return exit_fail;
	}
	if (!pid) {
		alarm(static_cast<unsigned>(patience::all().count()));
		int result = run_here(run);
		std::fflush(stdout);
		std::fflush(stderr);
		_exit(result);
	}

	std::optional<int> status = wait_for(pid);
	if (!status) {
		std::fprintf(stderr, "  stuck in the kernel\n");
		return exit_fail;
	}
	if (WIFSIGNALED(*status)) {
		std::fprintf(stderr, "  ended by signal %d (%s)\n", WTERMSIG(*status),
			     WTERMSIG(*status) == SIGALRM ? "timeout"
							  : strsignal(WTERMSIG(*status)));
		return exit_fail;
	}
	return WEXITSTATUS(*status);
}

int run_subtest(const std::string &name, void (*run)())
{
	say("Starting subtest: " + name);
	auto start = std::chrono::steady_clock::now();
	const std::string before = leak::objects();
	int result = run_apart(run);

	/* The process has gone, so all that it made must go, before the next is judged. */
	if (!leak::settles_below(before)) {
		std::fprintf(stderr, "  objects are left over: %s, before: %s\n",
			     leak::objects().c_str(), before.c_str());
		result = exit_fail;
	}

	std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
	char seconds[32];
	std::snprintf(seconds, sizeof(seconds), "%.3f", took.count());
	say("Subtest " + name + ": " +
	    (result == exit_pass   ? "SUCCESS"
	     : result == exit_skip ? "SKIP"
				   : "FAIL") +
	    " (" + seconds + "s)");
	return result;
}

bool matches(std::string_view globs, const std::string &name)
{
	while (!globs.empty()) {
		std::size_t end = std::min(globs.find(','), globs.size());

		if (!fnmatch(std::string(globs.substr(0, end)).c_str(), name.c_str(), 0))
			return true;
		globs.remove_prefix(std::min(end + 1, globs.size()));
	}
	return false;
}

int run_matching(const char *glob)
{
	unsigned passed = 0, failed = 0, skipped = 0;

	/* Measured here, not in each process that a subtest has. */
	patience::all();
	for (const auto &[name, run] : subtests()) {
		if (!matches(glob, name))
			continue;
		int result = run_subtest(name, run);
		(result == exit_pass ? passed : result == exit_skip ? skipped : failed)++;
	}
	if (!passed && !failed && !skipped) {
		std::fprintf(stderr, "npu-conformance: no subtest '%s', see --list-subtests\n",
			     glob);
		return exit_invalid;
	}
	std::printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? exit_fail : passed ? exit_pass : exit_skip;
}

} // namespace

Registration::Registration(std::string_view name, void (*run)())
{
	std::string dashed(name);

	for (char &c : dashed)
		if (c == '_')
			c = '-';
	subtests().emplace(std::move(dashed), run);
}

void fail(const char *file, int line, std::string_view expression, std::string_view values)
{
	static std::mutex mutex;
	std::scoped_lock lock(mutex);

	std::fprintf(stderr, "  %s:%d: %.*s: %.*s\n", file, line,
		     static_cast<int>(expression.size()), expression.data(),
		     static_cast<int>(values.size()), values.data());
	for (const std::string &note : notes)
		std::fprintf(stderr, "    with %s\n", note.c_str());
	/* Destructors still have to run, and may join a thread that never ends. */
	const auto cleanup = static_cast<unsigned>(
		std::chrono::ceil<std::chrono::seconds>(patience::one()).count());
	const unsigned left = alarm(cleanup);
	if (left && left < cleanup)
		alarm(left);
	throw Failure();
}

void skip(std::string_view why)
{
	std::fprintf(stderr, "  skipped: %.*s\n", static_cast<int>(why.size()), why.data());
	throw Skip();
}

Note::Note(std::string text)
{
	notes.push_back(std::move(text));
}

Note::~Note()
{
	notes.pop_back();
}

void parallel(unsigned count, const std::function<void(unsigned)> &run)
{
	std::vector<std::exception_ptr> errors(count);
	{
		std::vector<std::jthread> threads;

		for (unsigned i = 0; i < count; i++)
			threads.emplace_back([&, i] {
				try {
					run(i);
				} catch (...) {
					errors[i] = std::current_exception();
				}
			});
	}
	for (const std::exception_ptr &error : errors)
		if (error)
			std::rethrow_exception(error);
}

std::string errno_text(int result)
{
	const char *name = result < 0 ? strerrorname_np(-result) : nullptr;

	return name ? name : std::to_string(result);
}

int main(int argc, char **argv)
{
	const char *glob = "*";
	bool list = false;

	for (int i = 1; i < argc; i++) {
		std::string_view option = argv[i];

		if (option == "--help" || option == "-h") {
			std::fputs(usage, stdout);
			return exit_pass;
		}
		if (option == "--list-subtests") {
			list = true;
		} else if (option == "--run-subtest" && i + 1 < argc) {
			glob = argv[++i];
		} else {
			std::fprintf(stderr, "npu-conformance: invalid option '%s', see --help\n",
				     argv[i]);
			return exit_invalid;
		}
	}
	if (!list)
		return run_matching(glob);
	for (const auto &[name, run] : subtests())
		std::printf("%s\n", name.c_str());
	return exit_pass;
}

} // namespace igt
