/* SPDX-License-Identifier: MIT */
#include "supervisor.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <execinfo.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../conformance/igt.h"
#include "../../conformance/leak.h"
#include "fail_nth.h"
#include "health.h"
#include "inject.h"

namespace fuzz
{

namespace
{

using Clock = std::chrono::steady_clock;

/// Longest legitimate time in a call: signals interrupt all waits.
constexpr std::int64_t stuck_ms = 60'000;
constexpr auto tick = std::chrono::milliseconds(50);
constexpr auto health_period = std::chrono::seconds(2);

std::string file_text(const std::string &path)
{
	std::ifstream file(path);

	return {std::istreambuf_iterator<char>(file), {}};
}

/// A second process that runs the same fuzzer until it is killed.
class Victim
{
public:
	Victim(const Options &options, Log &log) : log_(log), random_(derive(options.seed, 1000)) {}
	~Victim() { end(); }
	Victim(const Victim &) = delete;
	Victim &operator=(const Victim &) = delete;

	void look()
	{
		if (pid_ < 0) {
			start();
			return;
		}
		if (Clock::now() >= until_)
			end();
	}

private:
	void start()
	{
		std::string seed = "--seed=" + std::to_string(random_.next());
		std::string arguments[] = {"npu-ioctl-fuzz", "--victim", "--threads=2", "--files=2",
					   seed};
		std::vector<char *> raw;

		for (std::string &argument : arguments)
			raw.push_back(argument.data());
		raw.push_back(nullptr);
		if (posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, raw.data(), environ))
			pid_ = -1;
		until_ = Clock::now() + std::chrono::milliseconds(300 + random_.below(1700));
	}

	void end()
	{
		int status = 0;

		if (pid_ < 0)
			return;
		kill(pid_, SIGKILL);
		for (int i = 0; i < 6000; i++) {
			if (waitpid(pid_, &status, WNOHANG) == pid_) {
				pid_ = -1;
				break;
			}
			std::this_thread::sleep_for(std::chrono::milliseconds(10));
		}
		if (pid_ >= 0)
			log_.violation("a process that was killed does not end", "");
		else if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			log_.violation("a process ended before it was killed, with status " +
					       std::to_string(status),
				       "");
		pid_ = -1;
	}

	Log &log_;
	Random random_;
	pid_t pid_ = -1;
	Clock::time_point until_;
};

void check_stuck(const Thread &thread, Log &log)
{
	timespec now{};

	clock_gettime(CLOCK_MONOTONIC, &now);
	std::int64_t since = thread.progress.since;
	if (!since || now.tv_sec * 1000 - since < stuck_ms)
		return;
	std::string stack =
		file_text("/proc/self/task/" + std::to_string(thread.progress.tid) + "/stack");
	log.violation(std::string("a thread is stuck in ") + thread.progress.name.load(), stack);
	_exit(igt::exit_fail);
}

void become_victim(Random &random)
{
	if (!geteuid() && random.chance(50)) {
		if (setresuid(65534, 65534, 65534))
			std::perror("setresuid");
		/* Keep access to its own files in /proc. */
		prctl(PR_SET_DUMPABLE, 1);
	}
	/* Must follow setresuid(), which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void check_health(unsigned round, Log &log)
{
	std::string wrong = round % 2 ? health_rocket() : health_npu();

	if (!wrong.empty())
		log.violation(wrong, "");
}

void run_threads(const Options &options, Log &log)
{
	World world(options.files);
	std::atomic<bool> stop = false;
	std::atomic<unsigned> running = 0;
	std::vector<std::unique_ptr<Thread>> threads;
	std::vector<std::jthread> handles;
	Random random(options.seed);

	for (unsigned i = 0; i < options.files; i++)
		world.files[i] = File::open(i);
	if (options.victim)
		become_victim(random);
	for (unsigned i = 0; i < options.threads; i++)
		threads.push_back(std::make_unique<Thread>(options, world, log, i));
	for (auto &thread : threads) {
		running++;
		handles.emplace_back([&] {
			thread->run(stop);
			running--;
		});
	}

	{
		Victim victim(options, log);
		auto end = Clock::now() + std::chrono::seconds(options.seconds);
		const auto goes_on = [&] {
			/* A victim runs until it is killed. */
			return options.victim || options.calls || Clock::now() < end;
		};
		auto next = Clock::now() + health_period;
		unsigned round = 0;

		while (goes_on() && running) {
			std::this_thread::sleep_for(tick);
			for (auto &thread : threads)
				check_stuck(*thread, log);
			if (options.victim)
				continue;
			victim.look();
			if (Clock::now() < next)
				continue;
			check_health(round++, log);
			next = Clock::now() + health_period;
		}
		stop = true;
		while (running) {
			std::this_thread::sleep_for(tick);
			for (auto &thread : threads)
				check_stuck(*thread, log);
		}
	}
	handles.clear();
}

/// Prints a backtrace: the machine ends with the process, so that no debugger can attach.
void tell_crash(int signal, siginfo_t *info, void *)
{
	void *frames[32];

	dprintf(STDERR_FILENO, "signal %d, address %p\n", signal, info->si_addr);
	backtrace_symbols_fd(frames, backtrace(frames, std::size(frames)), STDERR_FILENO);
}

void tell_crashes()
{
	struct sigaction action = {};

	action.sa_sigaction = tell_crash;
	action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESETHAND);
	for (int signal : {SIGSEGV, SIGBUS, SIGABRT})
		sigaction(signal, &action, nullptr);
}

std::set<int> open_files()
{
	std::set<int> files;

	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
		files.insert(std::stoi(entry.path().filename().string()));
	/* The descriptor of the directory itself is closed now. */
	std::erase_if(files, [](int fd) { return fcntl(fd, F_GETFD) < 0; });
	return files;
}

/// Closes descriptors whose numbers the failed copy of a result has hidden.
void close_untold(const std::set<int> &files)
{
	for (int fd : open_files())
		if (!files.contains(fd))
			close(fd);
}

/// The mappings and files of all processes that hold buffers.
std::string holders()
{
	std::string result, line;

	for (const auto &process : std::filesystem::directory_iterator("/proc")) {
		std::ifstream maps(process.path() / "maps");

		while (std::getline(maps, line))
			if (line.find("accel") != line.npos || line.find("dmabuf") != line.npos)
				result += process.path().filename().string() + ": " + line + "\n";
		std::error_code error;
		std::filesystem::directory_iterator files(process.path() / "fd", error);
		for (; !error && files != std::filesystem::directory_iterator();
		     files.increment(error)) {
			auto target = std::filesystem::read_symlink(files->path(), error);

			result += files->path().string() + ": " + target.string() + "\n";
		}
	}
	return result;
}

void check_leaks(const std::string &before, Log &log)
{
	if (leak::settles_below(before))
		return;
	log.violation("objects are left over: " + leak::objects() + ", before: " + before,
		      holders());
}

} // namespace

int supervise(const Options &options)
{
	Log log(options.log);
	std::string before = leak::objects();

	tell_crashes();

	if (options.victim) {
		run_threads(options, log);
		return log.violations() ? igt::exit_fail : igt::exit_pass;
	}
	std::printf("seed %llu, %u threads, %u files, ",
		    static_cast<unsigned long long>(options.seed), options.threads, options.files);
	if (options.calls)
		std::printf("%lu calls a thread\n", options.calls);
	else
		std::printf("%u s\n", options.seconds);
	if (!fail_nth_works())
		std::printf("skipped: allocations that fail: %s\n", fail_nth_missing().c_str());
	if (!inject_works())
		std::printf("skipped: lanes that fail: npu_virt has no inject_hang and "
			    "inject_fault that can be written to\n");
	if (before.empty())
		std::printf("skipped: left over objects: no objects in debugfs that can be read\n");
	std::fflush(stdout);

	std::set<int> files = open_files();
	run_threads(options, log);
	close_untold(files);
	inject_end();
	check_leaks(before, log);
	check_health(0, log);
	check_health(1, log);

	unsigned bad = log.print_counts();
	std::printf("%u lanes made to fail\n", inject_count());
	return log.violations() || bad ? igt::exit_fail : igt::exit_pass;
}

} // namespace fuzz
