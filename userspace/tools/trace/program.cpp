/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <npu/device.h>

namespace npu::trace
{

namespace
{

/// Ignores the signals of the keyboard, which also reach the program: this process has to wait for
/// its end.
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

/// The number of jobs that will have ended when all current jobs of a device have.
struct Pending {
	Device device;
	std::uint64_t jobs = 0;
};

/// The pending jobs of each NPU of this driver; skips other accel devices.
std::vector<Pending> pending_jobs()
{
	std::vector<Pending> pending;
	std::error_code none;

	for (const auto &entry : std::filesystem::directory_iterator("/dev/accel", none)) {
		auto device = Device::open(entry.path());
		if (!device)
			continue;
		if (const auto done = device->activity())
			pending.push_back(
				{std::move(*device),
				 done->queued_jobs + done->ended_jobs + done->failed_jobs});
	}
	return pending;
}

/// Whether all jobs that were pending have ended, or the queue is empty.
bool has_ended(const Pending &pending)
{
	const auto done = pending.device.activity();

	return !done || !done->queued_jobs || done->ended_jobs + done->failed_jobs >= pending.jobs;
}

constexpr std::chrono::milliseconds pause(20);

} // namespace

Result<int> run_program(const std::vector<std::string> &command,
			const std::function<Result<void>()> &each)
{
	const IgnoreInterrupts ignore;
	Result<void> done;
	int status = 0;

	auto pid = start(command);
	if (!pid)
		return forward(pid);
	for (pid_t ended = 0; !ended; ended = ::waitpid(*pid, &status, WNOHANG)) {
		/* After an error, stop reading but let the program finish. */
		if (done)
			done = each();
		std::this_thread::sleep_for(pause);
	}
	if (!done)
		return forward(done);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<bool> wait_for_jobs(std::chrono::seconds limit, const std::function<Result<void>()> &each)
{
	const auto until = std::chrono::steady_clock::now() + limit;
	const std::vector<Pending> pending = pending_jobs();
	bool ended = false;

	while (!ended && std::chrono::steady_clock::now() < until) {
		ended = std::ranges::all_of(pending, has_ended);
		if (auto done = each(); !done)
			return forward(done);
		if (!ended)
			std::this_thread::sleep_for(pause);
	}
	return ended;
}

} // namespace npu::trace
