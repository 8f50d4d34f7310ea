/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace npu::trace
{

namespace
{

/// The keyboard's signals go to the program and to this one, which is to see its end.
class IgnoreInterrupts
{
public:
	IgnoreInterrupts()
	{
		struct sigaction action{};

		action.sa_handler = SIG_IGN;
		::sigaction(SIGINT, &action, &interrupt_);
		::sigaction(SIGQUIT, &action, &quit_);
	}
	~IgnoreInterrupts()
	{
		::sigaction(SIGINT, &interrupt_, nullptr);
		::sigaction(SIGQUIT, &quit_, nullptr);
	}
	IgnoreInterrupts(const IgnoreInterrupts &) = delete;
	IgnoreInterrupts &operator=(const IgnoreInterrupts &) = delete;

private:
	struct sigaction interrupt_{};
	struct sigaction quit_{};
};

Result<pid_t> start(const std::vector<std::string> &command)
{
	std::vector<std::string> words = command;
	std::vector<char *> argv;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	pid_t pid = 0;

	argv.reserve(words.size() + 1);
	for (std::string &word : words)
		argv.push_back(word.data());
	argv.push_back(nullptr);
	::sigemptyset(&defaults);
	::sigaddset(&defaults, SIGINT);
	::sigaddset(&defaults, SIGQUIT);
	::posix_spawnattr_init(&attributes);
	::posix_spawnattr_setsigdefault(&attributes, &defaults);
	::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	const int error =
		::posix_spawnp(&pid, argv.front(), nullptr, &attributes, argv.data(), environ);
	::posix_spawnattr_destroy(&attributes);
	if (error)
		return fail(error, "cannot run '" + command.front() + "'");
	return pid;
}

} // namespace

Result<int> run_program(const std::vector<std::string> &command,
			const std::function<Result<void>()> &each)
{
	constexpr std::chrono::milliseconds pause(20);
	const IgnoreInterrupts ignore;
	Result<void> done;
	int status = 0;

	auto pid = start(command);
	if (!pid)
		return forward(pid);
	for (pid_t ended = 0; !ended; ended = ::waitpid(*pid, &status, WNOHANG)) {
		/* After an error the program goes on as it would have done. */
		if (done)
			done = each();
		std::this_thread::sleep_for(pause);
	}
	if (!done)
		return forward(done);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace npu::trace
